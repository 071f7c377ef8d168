"""# Model patrons.

Takes the period's patrons out of the library system, checks name, status, affiliation and e-mail of every
record, and publishes who the real customers are.

| task | what it does | when it fails |
|---|---|---|
| extract | reads the library system once, into `stage`; in parts if there are several shards | mend what the sentence names and clear it, all parts together: it reads again |
| check | runs `expectations/` inside PostgreSQL | nothing was published; clear it after the mend |
| publish | replaces the period in `core` and `mart`, all at once | the period stays as it was; clear it |

Runs on the first of each month for the month before. By hand: give a **Partition Key** such as `2018-06`. A period that was
read is not read again, unless **Read again, because** says why; that is refused once the next period was read.
"""

from collections.abc import Iterable

from airflow.sdk import Param, dag, task

from engagement_airflow import alerts, assets, periods, shards


@dag(
    schedule=periods.MONTHLY,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["model", "patrons"],
    default_args={"owner": "data", "retries": 0, "on_failure_callback": alerts.task_failed},
    deadline=alerts.stuck_after(hours=6),
    params={
        periods.REREAD_REASON: Param(
            None,
            type=["null", "string"],
            title="Read again, because",
            description="Only to read a period again that was read already: why. It is recorded.",
        )
    },
)
def model_patrons() -> None:
    @task
    def extract(shard: int) -> int:
        """Read a shard of the library system for the period; return the id of the extract."""
        from engagement.model.extract import extract
        from engagement_airflow import connections

        library = connections.library()
        return extract(periods.current(), library, shard, len(shards.ALL), periods.reread())

    @task
    def check(read: Iterable[int]) -> int:
        """Check the extract that all shards have read; return how often a record fails a check."""
        from engagement.model.check import check

        return check(periods.current(), set(read))

    @task(outlets=[assets.patrons])
    def publish() -> int:
        """Publish the period; return how many real customers it has."""
        from engagement.model.publish import publish

        return publish(periods.current())

    check(extract.expand(shard=shards.ALL)) >> publish()


model_patrons()
