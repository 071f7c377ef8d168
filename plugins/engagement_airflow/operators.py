"""Operators of our own: a plan of a campaign waits for an approver."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, get_current_context

from engagement.measure.options import APPROVE, REJECT


class PlanApproval(HITLOperator):
    """Asks the approvers whom a campaign's file names, until the file's deadline; silence is a no.

    The run's partition key says which plan: see `engagement.measure.approval`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(subject="", options=[APPROVE, REJECT], defaults=REJECT, **kwargs)

    def execute(self, context: Context) -> None:
        """Show the plan, and park the task until somebody answers."""
        from engagement.measure import approval

        asked = approval.request(*approval.parsed(plan_key()))
        self.subject, self.body = asked.subject, asked.body
        self.assigned_users = [{"id": name, "name": name} for name in asked.approvers]
        self.response_timeout = asked.time_left
        super().execute(context)


def plan_key() -> str:
    """Return the running task's plan: its run's partition key.

    Raises:
        EngagementError: the run has none.
    """
    from engagement.errors import EngagementError

    key = get_current_context()["dag_run"].partition_key
    if key is None:
        raise EngagementError(
            "This run is about no plan; measure_dispatch starts it by itself when a campaign is planned."
        )
    return str(key)
