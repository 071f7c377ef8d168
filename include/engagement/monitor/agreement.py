"""Totals that must agree: figures that contradict each other make no report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from engagement.errors import EngagementError
from engagement.measure.figures import Counts, Reachable, total
from engagement.monitor.figures import PatronFigures
from engagement.monitor.findings import Finding
from engagement.monitor.rates import Rate
from engagement.monitor.surveys import Survey
from engagement.monitor.trend import Point

_ROUNDING = 1e-9


def require(figures: PatronFigures) -> None:
    """Raise EngagementError, naming the first totals that contradict each other, unless all agree."""
    f, groups = figures, figures.by_group.values()
    first = f.rejected_by_first_reason
    totals = {
        "real customers and rejected records": (f.real_customers + f.rejected, f.extracted),
        "first reasons": (sum(first.values()), f.rejected),
        # What makes a member none comes before what data lack, so a current one has only such first reasons.
        "real customers and members who lack data": (f.real_customers + f.incomplete, f.current),
        "the groups' records": (sum(g.extracted for g in groups), f.extracted),
        "the groups' real customers": (sum(g.real_customers for g in groups), f.real_customers),
    }
    for name, (found, expected) in totals.items():
        if found != expected:
            raise _of_period(figures, f"{name} sum to {found:,}, not to {expected:,}")
    for what in _excesses(figures):
        raise _of_period(figures, what)


def _excesses(figures: PatronFigures) -> Iterator[str]:
    """Yield which figure of a period is larger than what it is a part of."""
    f, every = figures, figures.rejected_by_reason
    if max(f.mailable, f.real_persons) > f.real_customers:
        yield "a later step of the funnel is larger than an earlier one"
    if f.real_customers and not f.real_persons:
        yield f"{f.real_customers:,} real customers are no persons"
    if any(count > every.get(reason, 0) for reason, count in f.rejected_by_first_reason.items()):
        yield "a first reason counts more records than the reason itself"
    if any(count > f.rejected for count in every.values()):
        yield "a reason counts more records than were rejected"
    if any(g.real_customers > g.extracted for g in f.by_group.values()):
        yield "a group has more real customers than records"


def require_trend(points: Sequence[Point], patrons: PatronFigures) -> None:
    """Raise EngagementError unless the last of the points is the period's real customers."""
    ends = [(point.period, point.real_customers) for point in points[-1:]]
    if ends != [(patrons.period, patrons.real_customers)]:
        raise _of_period(
            patrons, f"the trend does not end with its {patrons.real_customers:,} real customers"
        )


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
        for rate in (survey.bounced, survey.answered, survey.answered_of_delivered):
            if not _is_share(rate):
                raise _of_survey(
                    survey, f"{rate.count:,} of {rate.base:,} are not the share that is shown"
                )


def require_reachable(reach: Reachable | None) -> None:
    """Raise EngagementError unless what a survey says about all whom a mail reaches can be."""
    if reach is None or (reach.frame > 0 and _is_within(reach.share, reach.low, reach.high)):
        return
    raise EngagementError(
        f"The figures of whom a mail reaches in {reach.period} contradict each other: a share of "
        f"{reach.share} between {reach.low} and {reach.high} of {reach.frame:,} people; no report was made. "
        "Count the surveys again with measure_collect."
    )


def _is_share(rate: Rate) -> bool:
    """Say whether the share that is shown is that of its counts, and lies in its interval."""
    if rate.share is None:
        return True
    if not 0 <= rate.count <= rate.base or not rate.base:
        return False
    return math.isclose(rate.share, rate.count / rate.base) and (
        rate.low is None or rate.high is None or _is_within(rate.share, rate.low, rate.high)
    )


def _is_within(share: float, low: float, high: float) -> bool:
    """Say whether an interval holds a share; where all are counted, both ends are the share but for rounding."""
    return low - _ROUNDING <= share <= high + _ROUNDING


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
