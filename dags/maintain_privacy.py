"""# Maintain privacy.

Deletes what is personal and was kept long enough, by the days of `include/retention.yaml`; what lies where, and why so
long, is told in `docs/privacy.md`. Published figures stay.

| task | what it does | when it fails |
|---|---|---|
| surveys | forgets whose link a token was, what people wrote, returned mails, old soft bounces | mend what the sentence names and clear it |
| patrons | drops old months, unlinks old loans, forgets whom nothing refers to any more | the same |
| files | deletes old files of `var/exports`, exports of answers to closed campaigns, old months of the reports' archive | the same |

Once a month, on the second at 03:00. How much was deleted stands in `ops.retention_run`.
"""

import os

from airflow.sdk import CronTriggerTimetable, dag, task


@dag(
    schedule=CronTriggerTimetable(
        "0 3 2 * *", timezone=os.environ.get("ENGAGEMENT_TIMEZONE", "Asia/Bangkok")
    ),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["monitor", "privacy"],
    default_args={"owner": "data", "retries": 0},
)
def maintain_privacy() -> None:
    @task
    def surveys() -> dict[str, int]:
        """Delete what surveys leave behind; return how many rows, by place."""
        from engagement.privacy import retention

        return retention.keep_surveys()

    @task
    def patrons() -> dict[str, int]:
        """Delete old months of patrons and what they leave over; return how many rows, by place."""
        from engagement.privacy import retention

        return retention.keep_patrons()

    @task
    def files() -> dict[str, int]:
        """Delete old exports; return how many files, by place."""
        from engagement.privacy import retention

        return retention.keep_files()

    surveys() >> patrons() >> files()


maintain_privacy()
