"""Totals that must agree: figures that contradict each other make no report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engagement.errors import EngagementError
from engagement.measure.figures import Counts, total
from engagement.monitor.figures import PatronFigures
from engagement.monitor.findings import Finding
from engagement.monitor.surveys import Survey


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
            raise _of_period(figures, f"{name} sum to {found:,}, not to {expected:,}")
    steps = (f.mailable, f.real_customers, f.current, f.extracted)
    if list(steps) != sorted(steps) or f.real_persons > f.real_customers:
        raise _of_period(figures, "a later step of the funnel is larger than an earlier one")
    if f.incomplete > f.current - f.real_customers:
        raise _of_period(figures, "more members lack data than are no real customers")
    if any(count > every.get(reason, 0) for reason, count in first.items()):
        raise _of_period(figures, "a first reason counts more records than the reason itself")
    if any(g.real_customers > g.extracted for g in groups):
        raise _of_period(figures, "a group has more real customers than records")


def _of_period(figures: PatronFigures, what: str) -> EngagementError:
    return EngagementError(
        f"The figures of {figures.period} contradict each other: {what}; no report was made. "
        "Publish the period again with model_patrons."
    )


def require_surveys(surveys: Iterable[Survey]) -> None:
    """Raise EngagementError, naming the first totals that contradict each other, unless all agree."""
    for survey in surveys:
        if survey.by_group and total(list(survey.by_group.values())) != survey.counts:
            raise _of_survey(survey, "its groups do not sum to the figures of all")
        for counts in (survey.counts, *survey.by_group.values()):
            for what in _contradictions(counts):
                raise _of_survey(survey, what)
        for finding in survey.findings:
            _require_finding(survey, finding)


def _contradictions(counts: Counts) -> Iterator[str]:
    """Yield what does not fit in a survey's funnel.

    Each person invited was reached, bounced, or it is not known. An address may also turn out to be dead of
    whose mail nobody can say any more that it went out; so those who bounced may be more than are left.
    """
    c = counts
    if not c.delivered <= c.sent <= c.invited <= c.frame:
        yield "a later step of its funnel is larger than an earlier one"
    bounced, rest = c.hard_bounced + c.soft_bounced, c.delivered + c.uncertain
    if not rest <= c.invited <= rest + bounced:
        yield (
            f"{c.invited:,} people were invited, but {c.delivered:,} reached, {bounced:,} bounced and "
            f"{c.uncertain:,} uncertain"
        )
    if c.sampled and c.hard_bounced > c.sampled:
        yield f"{c.hard_bounced:,} addresses are dead of {c.sampled:,} that were tried"
    if c.answered > c.invited:
        yield f"{c.answered:,} have answered of {c.invited:,} invited"


def _require_finding(survey: Survey, finding: Finding) -> None:
    answered = survey.counts.answered
    if finding.base > answered:
        raise _of_survey(
            survey,
            f"{finding.base:,} have answered the question {finding.code}, but {answered:,} the survey",
        )
    chosen = [choice.count or 0 for choice in finding.choices]
    most = max(chosen, default=0) if finding.kind == "choices" else sum(chosen)
    if most > finding.base:
        raise _of_survey(
            survey,
            f"the options of the question {finding.code} were chosen by {most:,}, but {finding.base:,} "
            "have answered it",
        )


def _of_survey(survey: Survey, what: str) -> EngagementError:
    return EngagementError(
        f"The figures of the survey {survey.campaign} contradict each other: {what}; no report was made. "
        "Count them again with measure_collect."
    )
