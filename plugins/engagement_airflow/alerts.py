"""Word to the engineers when a month's run fails or hangs; watch_runs mails it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference


def task_failed(context: Mapping[str, Any]) -> None:
    """Write down that a task of the run failed, for who repairs it."""
    run = context["dag_run"]
    _tell("failed", run.dag_id, run.partition_key)


def run_is_stuck(context: Mapping[str, Any]) -> None:
    """Write down that the run has not ended yet."""
    run = context["dag_run"]
    _tell("stuck", run["dag_id"], run["partition_key"])


def stuck_after(**time: float) -> DeadlineAlert:
    """Return the alert of a DAG whose runs have hung when they have not ended by then, in timedelta's words."""
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(**time),
        callback=SyncCallback(run_is_stuck),
    )


def _tell(kind: str, dag_id: str, key: str | None) -> None:
    from engagement.errors import EngagementError
    from engagement.monitor import alerts
    from engagement.period import Period

    try:
        period = Period.parse(key or "")
    except EngagementError:
        return  # a person gave no period, and reads that in the run itself
    alerts.tell_of_run(period, kind, dag_id)
