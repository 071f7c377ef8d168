"""The period of a run, which is its partition key, and whether it is to be read again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow.sdk import CronPartitionTimetable, get_current_context

if TYPE_CHECKING:
    from engagement.model.extract import Reread
    from engagement.period import Period

REREAD_REASON = "reread_reason"

# On the first of a month at midnight, for the month that has just ended. At midnight only: at another
# hour a manual key and the tick do not agree, and a backfill would run the month again.
MONTHLY = CronPartitionTimetable(
    "0 0 1 * *",
    timezone=os.environ.get("ENGAGEMENT_TIMEZONE", "Asia/Bangkok"),
    run_offset=-1,
    key_format="%Y-%m",
)


def current() -> Period:
    """Return the period of the running task's DAG run.

    Raises:
        EngagementError: the run has no partition key, or one that is no period.
    """
    from engagement.errors import EngagementError
    from engagement.period import Period

    key = get_current_context()["dag_run"].partition_key
    if key is None:
        raise EngagementError(
            "This run has no period; trigger the DAG with a partition key such as 2018-06 "
            '(field "Partition Key" of the trigger form).'
        )
    return Period.parse(key)


def run() -> str:
    """Return the name of the running task's DAG run, by which it is found in Airflow."""
    return str(get_current_context()["dag_run"].run_id)


def reread() -> Reread | None:
    """Return the order to read the period again that the run was triggered with, if there is one."""
    from engagement.model.extract import Reread

    context = get_current_context()
    reason = str(context["params"].get(REREAD_REASON) or "").strip()
    if not reason:
        return None
    run = context["dag_run"]
    return Reread(reason, run.triggering_user_name or f"run {run.run_id}")
