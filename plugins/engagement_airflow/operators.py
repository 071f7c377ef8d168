"""Operators of our own: what waits for a day, or for a person."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import BaseOperator, Context, get_current_context

from engagement.measure.options import APPROVE, REJECT
from engagement_airflow import periods
from engagement_airflow.triggers import BusinessClock


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


class UntilSendAt(BaseOperator):
    """Waits until the report on the run's period goes out; the triggerer waits, no worker does."""

    def execute(self, context: Context) -> None:
        """Look at the business clock, and hand over to the triggerer where it is too early."""
        from engagement import clock
        from engagement.monitor import distribution, rhythm

        until = rhythm.send_at(periods.current(), distribution.read())
        if clock.now() < until:
            self.log.info("The report goes out at %s.", until.isoformat())
            self.defer(trigger=BusinessClock(until.isoformat()), method_name="resume")

    def resume(self, context: Context, event: str) -> None:
        """Go on: the instant has come."""


class ReportReview(HITLOperator):
    """Mails the report to its reviewer, where one is named, and asks his approvers; returns who let it go.

    Silence until the next report is due is a no; a no skips what follows.
    """

    template_fields = (*HITLOperator.template_fields, "edition")

    def __init__(self, *, edition: Any, **kwargs: Any) -> None:
        super().__init__(subject="", options=[APPROVE, REJECT], defaults=REJECT, **kwargs)
        self.edition = edition

    def execute(self, context: Context) -> None:
        """Pass where nobody is asked; else park the task until somebody answers."""
        from engagement.monitor import release
        from engagement_airflow import connections

        asked = release.ask(periods.current(), connections.mail_server(), self.edition)
        if asked is None:
            return
        self.subject, self.body = asked.subject, asked.body
        self.assigned_users = [{"id": name, "name": name} for name in asked.approvers]
        self.response_timeout = asked.time_left
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> str | None:
        """Return who approved; without a yes the report goes to nobody."""
        from airflow.sdk.exceptions import AirflowSkipException

        answer = super().execute_complete(context, event)
        if answer["chosen_options"] != [APPROVE]:
            raise AirflowSkipException("Nobody approved the report; it goes to nobody.")
        by = answer["responded_by_user"]
        return by and str(by["name"])
