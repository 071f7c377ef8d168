"""# Measure: the survey goes out.

Every quarter of an hour: does what is due of every campaign in the campaigns' folder, and waits for nothing.

| task | what it does | when it fails |
|---|---|---|
| plan | draws the sample of a new campaign | mend the file that the sentence names; the others go on |
| ask | starts measure_approve for each new plan | clear it |
| advance | opens waves and reminders when the gate lets them pass; stops a campaign whose mails bounce | mend what the sentence names |
| send | sends what is due, mail by mail | clear it, or wait for the next run: nobody gets a mail twice |

`engagement campaign status` says where each campaign stands, `engagement mail stop` halts all mail.
"""

import os

from airflow.sdk import CronTriggerTimetable, dag, task

from engagement_airflow import assets, shards


@dag(
    schedule=CronTriggerTimetable(
        "*/15 * * * *", timezone=os.environ.get("ENGAGEMENT_TIMEZONE", "Asia/Bangkok")
    ),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["measure", "survey", "mail"],
    default_args={"owner": "data", "retries": 0},
)
def measure_dispatch() -> None:
    @task
    def plan() -> None:
        """Plan the campaigns that are new or changed."""
        from engagement.measure import run

        run.plan_all()

    @task(outlets=[assets.plans], trigger_rule="all_done")
    def ask(*, outlet_events: dict) -> list[str]:
        """Let measure_approve ask about the plans of which nobody was asked yet; return them."""
        from engagement.measure import run

        plans = run.unasked()
        outlet_events[assets.plans].add_partitions(plans)
        return plans

    @task(trigger_rule="all_done")
    def advance() -> dict[str, str]:
        """Do what is due of each campaign; return where each stands."""
        from engagement.measure import run

        return run.advance_all()

    @task(queue="mail", trigger_rule="all_done")
    def send(shard: int) -> int:
        """Send what is due; return how many mails went out."""
        from engagement.measure import run
        from engagement_airflow import connections

        return run.send_all(connections.mail_server(), connections.journal())

    plan() >> ask() >> advance() >> send.expand(shard=shards.ALL)


measure_dispatch()
