"""# Model patrons.

Takes the period's patrons out of the library system, checks name, status, affiliation and e-mail of every
record, and publishes who the real customers are.

| task | what it does | when it fails |
|---|---|---|
| extract | reads the library system once, into `stage` | mend what the sentence names and clear it: it reads again |
| check | runs `expectations/` inside PostgreSQL | nothing was published; clear it after the mend |
| publish | replaces the period in `core` and `mart`, all at once | the period stays as it was; clear it |

Runs on the first of each month for the month before. By hand: give a **Partition Key** such as `2018-06`.
"""

from airflow.sdk import dag, task

from engagement_airflow import assets, periods


@dag(
    schedule=periods.MONTHLY,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["model", "patrons"],
    default_args={"owner": "data", "retries": 0},
)
def model_patrons() -> None:
    @task
    def extract() -> int:
        """Read the library system for the period; return the id of the accepted extract."""
        from engagement.model.extract import extract
        from engagement_airflow import connections

        return extract(periods.current(), connections.library())

    @task
    def check() -> int:
        """Check the extract; return how many records are rejected."""
        from engagement.model.check import check

        return check(periods.current())

    @task(outlets=[assets.patrons])
    def publish() -> int:
        """Publish the period; return how many real customers it has."""
        from engagement.model.publish import publish

        return publish(periods.current())

    extract() >> check() >> publish()


model_patrons()
