"""# Watch: the run that never started.

Every quarter of an hour: looks in the warehouse, not in Airflow, whether the report on the last month has gone out. Where it has
not, one hour after it was due, the engineers and the owner named in the report's file are mailed; its readers, in one line, when
it has not by the next working day. Each is told once.

| task | what it does | when it fails |
|---|---|---|
| lists | until that report has gone out: mails who keeps the lists of work what could not be read in them | mend what the sentence names |
| look | writes down who is to be told of a report that is late | mend the file that the sentence names |
| send | mails that, and what failed runs have written down | clear it, or wait for the next run: nobody is told twice |

It cannot tell that Airflow itself stands still: let somebody else watch `/api/v2/monitor/health` (docs/deploy.md).
"""

import os

from airflow.sdk import CronTriggerTimetable, dag, task


@dag(
    schedule=CronTriggerTimetable(
        "*/15 * * * *", timezone=os.environ.get("ENGAGEMENT_TIMEZONE", "Asia/Bangkok")
    ),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["monitor", "mail"],
    default_args={"owner": "data", "retries": 0},
)
def watch_runs() -> None:
    @task
    def look() -> list[str]:
        """Write down what is due about the last month's report; return which alerts are new."""
        from engagement.monitor import alerts

        return alerts.look()

    @task(queue="mail", trigger_rule="all_done")
    def send() -> int:
        """Mail the alerts that wait; return how many mails went out."""
        from engagement.monitor import alerts
        from engagement_airflow import connections

        return alerts.send(connections.mail_server())

    @task(queue="mail")
    def lists() -> int:
        """Mail who keeps the lists of work what is wrong in them; return how many mails went out."""
        from engagement.monitor import work_items
        from engagement_airflow import connections

        return work_items.tell_in_time(connections.mail_server())

    lists()
    look() >> send()


watch_runs()
