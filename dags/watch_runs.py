"""# Watch: the run that never started.

Every quarter of an hour: looks in the warehouse, not in Airflow, whether the report on the last month is out: at least one reader has
it, and no mail of it waits or went to the catch-all address. Where it is not, one hour after it was due, the engineers and the owner
named in the report's file are mailed; who of its readers has not had it, in one line, when it is not by the next working day. Each
is told once. Where that file is wrong, those whom it named last are told so, once a day.

| task | what it does | when it fails |
|---|---|---|
| lists | until that report has gone out: mails who keeps the lists of work what could not be read in them | mend what the sentence names |
| look | writes down who is to be told of a report that is late, or of a wrong file | mend the file that the sentence names |
| send | mails that, and what failed or hung runs could not mail themselves; takes back that a report is late which is out by now | clear it, or wait for the next run: nobody is told twice |

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
