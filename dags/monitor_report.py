"""# Monitor: the monthly report.

Tells the executives, in Thai or English, how many real customers the library has, what changed, what the surveys found
and which decisions are wanted; with the lists of work that librarians keep.

| task | what it does | when it fails |
|---|---|---|
| render | makes the report as it stands when the patrons are published, and archives it; mails nobody | mend what the sentence names and clear it |
| tell_faults | mails who keeps the lists of work what could not be read in them; watch_runs tells what is filed later | clear it: nothing is told twice |
| wait | waits for the working day and time at which reports go out, also after a red render | mend the file that the sentence names and clear it |
| cut | makes it again from the figures of that moment, and goes on where the archive cannot be written; *skipped* for an older month, or one that was published again after its report reached all its readers | mend what the sentence names and clear it |
| review | where a reviewer is named: mails it to him, and waits under **Required Actions**; *skipped* after a no | clear it |
| send | mails it to who has not had it; red after that where the archive cannot be written | clear it: nobody gets it twice |

Starts when a period's patrons are published. By hand: give a **Partition Key** such as `2018-06`; `engagement report send 2018-06`
mails an older month.
"""

from airflow.sdk import PartitionedAssetTimetable, dag, task

from engagement_airflow import alerts, assets, periods
from engagement_airflow.operators import ReportReview, UntilSendAt


@dag(
    schedule=PartitionedAssetTimetable(assets=assets.patrons),
    catchup=False,
    # A report that waits for its day or for its approver must not keep another month waiting.
    max_active_runs=16,
    doc_md=__doc__,
    tags=["monitor", "report"],
    default_args={"owner": "data", "retries": 0, "on_failure_callback": alerts.task_failed},
    # Longer than `wait` can take: the tenth working day is at most 19 days after the period (a March of many holidays).
    deadline=alerts.stuck_after(days=20),
)
def monitor_report() -> None:
    @task
    def render() -> int:
        """Make and archive the report as it stands now; return its edition."""
        from engagement.monitor import release

        return release.cut(periods.current(), periods.run())

    @task(queue="mail")
    def tell_faults() -> int:
        """Mail who keeps the lists of work what is wrong in them; return how many mails went out."""
        from engagement.monitor import work_items
        from engagement_airflow import connections

        return work_items.tell_faults(periods.current(), connections.mail_server())

    @task
    def cut() -> int:
        """Make and archive the report from the figures of now; return its edition."""
        from airflow.sdk.exceptions import AirflowSkipException

        from engagement.monitor import release

        try:
            return release.cut_to_send(periods.current(), periods.run())
        except release.NothingToSend as why:
            raise AirflowSkipException(str(why)) from None

    @task(queue="mail")
    def send(edition: int, approved_by: str | None) -> int:
        """Mail the report; return to how many recipients."""
        from engagement.monitor import release
        from engagement_airflow import connections

        return release.send(periods.current(), connections.mail_server(), edition, approved_by)

    # What keeps the report from being made or archived on the first may be mended by its day, when it is made again.
    wait = UntilSendAt(
        task_id="wait", trigger_rule="all_done", doc_md="Wait for the day and time of the report."
    )
    edition = cut()
    review = ReportReview(
        task_id="review", edition=edition, queue="mail", doc_md="Ask who may let the report go."
    )
    render() >> [tell_faults(), wait]
    wait >> edition
    send(edition, review.output)


monitor_report()
