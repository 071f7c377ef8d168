"""# Monitor: the monthly report.

Tells the executives, in Thai with an English summary, how many real customers the library has, what changed
and which records are incomplete; with the work items that librarians keep in a spreadsheet.

| task | what it does | when it fails |
|---|---|---|
| render | makes the period's edition of the report | mend what the sentence names and clear it |
| send | mails it to who has not had it | clear it: nobody gets it twice |

Starts when a period's patrons are published. By hand: give a **Partition Key** such as `2018-06`.
"""

from airflow.sdk import PartitionedAssetTimetable, dag, task

from engagement_airflow import assets, periods


@dag(
    schedule=PartitionedAssetTimetable(assets=assets.patrons),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["monitor", "report"],
    default_args={"owner": "data", "retries": 0},
)
def monitor_report() -> None:
    @task
    def render() -> int:
        """Render the report on the period; return its edition."""
        from engagement.monitor.release import render

        return render(periods.current())

    @task(queue="mail")
    def send() -> int:
        """Mail the report; return to how many recipients."""
        from engagement.monitor.release import send
        from engagement_airflow import connections

        return send(periods.current(), connections.mail_server())

    render() >> send()


monitor_report()
