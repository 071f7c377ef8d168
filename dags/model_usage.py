"""# Model usage.

Takes the period's loans out of the library system: those that began, were renewed or came back, and what was handed in
late for the week before. Loans that the library made anonymous stay anonymous.

| task | what it does | when it fails |
|---|---|---|
| extract | reads the loans into `core.loan` and counts them by month, all at once | mend what the sentence names and clear it |

Runs on the first of each month for the month before. By hand: give a **Partition Key** such as `2018-06`; any past month can be
read, and read again, at any time. The task is *skipped* where the library system gives no loans, as an export of patrons.
"""

from airflow.sdk import dag, task

from engagement_airflow import alerts, assets, periods


@dag(
    schedule=periods.MONTHLY,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["model", "loans"],
    default_args={"owner": "data", "retries": 0, "on_failure_callback": alerts.task_failed},
)
def model_usage() -> None:
    @task(outlets=[assets.loans])
    def extract() -> dict[str, int]:
        """Read the period's loans; return how many were read, new, changed, late, misdated and unusable."""
        from airflow.sdk.exceptions import AirflowSkipException

        from engagement.model import loans
        from engagement_airflow import connections

        try:
            return loans.extract(periods.current(), connections.library())
        except loans.NoLoans as none:
            raise AirflowSkipException(str(none)) from None

    extract()


model_usage()
