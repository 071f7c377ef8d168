"""# Measure: what comes back.

Every quarter of an hour: reads the mailbox of bounces and brings in the answers that librarians have put into the
folder of answers.

| task | what it does | when it fails |
|---|---|---|
| returned | keeps each returned mail, reads it, and leaves in peace whom it must | mend what the sentence names; the next run goes on |
| answers | imports the files of answers that are new | mend the file that the sentence names |
| count | counts what became of each campaign's people | clear it |

Whatever arrives, however broken, is kept and counted: `engagement bounce explain FILE` says how a mail is read.
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
    tags=["measure", "survey", "mail"],
    default_args={"owner": "data", "retries": 0},
)
def measure_collect() -> None:
    @task(queue="mail")
    def returned() -> dict[str, int]:
        """Read the mailbox of bounces; return how many mails were taken for what."""
        from engagement.measure import run
        from engagement_airflow import connections

        place = connections.bounces()
        return run.collect_all(place) if place is not None else {}

    @task
    def answers() -> dict[str, int]:
        """Import new files of answers; return how many answers are new, by campaign."""
        from engagement.measure import run
        from engagement_airflow import connections

        return run.import_all(connections.limesurvey())

    @task(trigger_rule="all_done")
    def count() -> None:
        """Count what became of the people whom each campaign asked."""
        from engagement.measure import run

        run.count_all()

    [returned(), answers()] >> count()


measure_collect()
