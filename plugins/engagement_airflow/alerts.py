"""Word to the engineers when a month's run fails or hangs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

_log = logging.getLogger(__name__)


def task_failed(context: Mapping[str, Any]) -> None:
    """Tell who repairs it that a task of the run failed."""
    run = context["dag_run"]
    _tell(run.partition_key, "failed", run.dag_id, run.run_id, context["ti"].task_id)


def run_is_stuck(context: Mapping[str, Any]) -> None:
    """Tell who repairs it that the run has not ended yet."""
    run = context["dag_run"]
    _tell(run["partition_key"], "stuck", run["dag_id"], run["dag_run_id"])


def stuck_after(**time: float) -> DeadlineAlert:
    """Return the alert of a DAG whose runs have hung when they have not ended by then, in timedelta's words."""
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(**time),
        callback=SyncCallback(run_is_stuck),
    )


def _tell(key: str | None, kind: str, dag_id: str, run_id: str, task_id: str = "") -> None:
    """Write it down, and try to mail it; what cannot be mailed from here is left to watch_runs."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from engagement.errors import EngagementError
    from engagement.monitor import alerts
    from engagement.period import Period
    from engagement_airflow import connections

    try:
        period = Period.parse(key or "")
    except EngagementError:
        return  # a person gave no period, and reads that in the run itself
    alerts.tell_of_run(period, kind, dag_id, run_id, task_id)
    try:
        alerts.send(connections.mail_server())
    except (EngagementError, AirflowNotFoundException) as why:
        _log.warning("It is written down, and left to watch_runs to be mailed: %s", why)
