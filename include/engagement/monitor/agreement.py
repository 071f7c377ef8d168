"""Totals that must agree: figures that contradict each other make no report."""

from __future__ import annotations

from engagement.errors import EngagementError
from engagement.monitor.figures import PatronFigures


def require(figures: PatronFigures) -> None:
    """Raise EngagementError, naming the first totals that contradict each other, unless all agree."""
    f, groups = figures, figures.by_group.values()
    first, every = f.rejected_by_first_reason, f.rejected_by_reason
    totals = {
        "real customers and rejected records": (f.real_customers + f.rejected, f.extracted),
        "first reasons": (sum(first.values()), f.rejected),
        "the groups' records": (sum(g.extracted for g in groups), f.extracted),
        "the groups' real customers": (sum(g.real_customers for g in groups), f.real_customers),
    }
    for name, (found, expected) in totals.items():
        if found != expected:
            raise _contradiction(figures, f"{name} sum to {found:,}, not to {expected:,}")
    steps = (f.mailable, f.real_customers, f.current, f.extracted)
    if list(steps) != sorted(steps) or f.real_persons > f.real_customers:
        raise _contradiction(figures, "a later step of the funnel is larger than an earlier one")
    if f.incomplete > f.current - f.real_customers:
        raise _contradiction(figures, "more members lack data than are no real customers")
    if any(count > every.get(reason, 0) for reason, count in first.items()):
        raise _contradiction(figures, "a first reason counts more records than the reason itself")
    if any(g.real_customers > g.extracted for g in groups):
        raise _contradiction(figures, "a group has more real customers than records")


def _contradiction(figures: PatronFigures, what: str) -> EngagementError:
    return EngagementError(
        f"The figures of {figures.period} contradict each other: {what}; no report was made. "
        "Publish the period again with model_patrons."
    )
