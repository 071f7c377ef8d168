"""What a report said, figure by figure: kept, given out as a table, and held against later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engagement.labels import Label
from engagement.period import Period
from engagement.warehouse import Session

if TYPE_CHECKING:
    from engagement.measure.figures import Counts, Reachable
    from engagement.monitor.content import Content
    from engagement.monitor.figures import PatronFigures
    from engagement.monitor.findings import Finding
    from engagement.monitor.rates import Rate
    from engagement.monitor.surveys import Survey
    from engagement.monitor.trend import Point

Unit = Literal["records", "people", "responses", "share"]

# Of a survey: what later mail and later answers change.
_PEOPLE = (
    "frame",
    "invited",
    "sent",
    "hard_bounced",
    "soft_bounced",
    "uncertain",
    "delivered",
    "answered",
)
_FUNNEL, _GROUP = "monitor/patron_funnel", "monitor/patron_group"
_REASON = "monitor/patron_rejection"
_SURVEY, _ANSWER = "measure/campaign_groups", "measure/campaign_answers"


@dataclass(frozen=True)
class Row:
    """One figure: what is counted, of which period or campaign, in what, on which base, read by which statement.

    A share is between 0 and 1; `low` and `high` are the ends of its interval, where it is an estimate.
    """

    name: str
    about: str
    unit: Unit
    value: float
    source: str
    base: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Revision:
    """A count that the report before said otherwise: of a period, or of a campaign with its title."""

    name: str
    period: Period | None
    title: Label | None
    then: int
    now: int


def rows(content: Content) -> tuple[Row, ...]:
    """Return every figure of a report, once; what small numbers hide is not among them."""
    return tuple(_rows(content))


def _rows(content: Content) -> Iterator[Row]:
    yield from _of_patrons(content.patrons)
    yield from _of_groups(content)
    yield from _of_reasons(content)
    for survey in content.surveys:
        yield from _of_survey(survey)
    if content.reachable is not None:
        yield from _of_reach(content.reachable)
    for point in content.trend:
        if point.real_customers is not None:
            yield Row(
                "trend_real_customers",
                str(point.period),
                "records",
                point.real_customers,
                "monitor/trend",
            )


def _of_groups(content: Content) -> Iterator[Row]:
    for group in content.groups:
        if group.figure is not None:
            about, base = f"{content.patrons.period} {group.code}", group.figure.base
            yield Row("group_records", about, "records", base, _GROUP)
            yield Row("group_real_customers", about, "records", group.figure.count, _GROUP, base)


def _of_reasons(content: Content) -> Iterator[Row]:
    patrons = content.patrons
    for reason in content.rejections:
        about = f"{patrons.period} {reason.code}"
        for name, count in (("rejected_first", reason.first), ("rejected_every", reason.every)):
            if count is not None:
                yield Row(name, about, "records", count, _REASON, patrons.extracted)


def _of_patrons(patrons: PatronFigures) -> Iterator[Row]:
    period = str(patrons.period)
    for name in ("extracted", "current", "real_customers", "mailable", "rejected"):
        yield Row(name, period, "records", getattr(patrons, name), _FUNNEL, patrons.extracted)
    yield Row("incomplete", period, "records", patrons.incomplete, _REASON, patrons.current)
    yield Row("real_persons", period, "people", patrons.real_persons, _FUNNEL)


def _of_survey(survey: Survey) -> Iterator[Row]:
    for name in _PEOPLE:
        base = None if name == "frame" else survey.counts.invited
        yield Row(name, survey.campaign, "people", getattr(survey.counts, name), _SURVEY, base)
    for name in ("bounced", "answered", "answered_of_delivered"):
        rate: Rate = getattr(survey, name)
        if rate.share is not None:
            yield Row(
                f"{name}_share",
                survey.campaign,
                "share",
                rate.share,
                _SURVEY,
                rate.base,
                rate.low,
                rate.high,
            )
    for finding in survey.findings:
        yield from _of_finding(survey.campaign, finding)


def _of_finding(campaign: str, finding: Finding) -> Iterator[Row]:
    best = () if finding.satisfied is None else (finding.satisfied,)
    for choice in (*finding.choices, *best):
        if choice.count is not None:
            about = f"{campaign} {finding.code} {choice.label.en}"
            yield Row("chosen", about, "responses", choice.count, _ANSWER, finding.base)


def _of_reach(reach: Reachable) -> Iterator[Row]:
    frame = reach.frame
    people, low, high = reach.people
    yield Row(
        "reachable_share", reach.period, "share", reach.share, _SURVEY, frame, reach.low, reach.high
    )
    yield Row("reachable_people", reach.period, "people", people, _SURVEY, frame, low, high)


def revisions(
    said: Mapping[tuple[str, str], float],
    patrons: PatronFigures | None,
    points: Sequence[Point],
    campaigns: Mapping[str, tuple[Label, Counts]],
) -> tuple[Revision, ...]:
    """Return what the report on the month before said and mart says otherwise now.

    Args:
        said: what it said by name and period or campaign; empty where there was none.
        patrons: what mart says of its month now.
        points: what mart says now of the months that its trend showed.
        campaigns: title and counts now of the campaigns that it spoke of and this report does not.
    """
    return (
        *_of_months(said, patrons, points),
        *(
            Revision(name, None, title, int(said[name, campaign]), getattr(counts, name))
            for campaign, (title, counts) in campaigns.items()
            for name in ("hard_bounced", "delivered", "answered")
            if said.get((name, campaign)) not in (None, getattr(counts, name))
        ),
    )


def _of_months(
    said: Mapping[tuple[str, str], float], patrons: PatronFigures | None, points: Sequence[Point]
) -> Iterator[Revision]:
    for point in points:
        then = said.get(("trend_real_customers", str(point.period)))
        if then is not None and point.real_customers not in (None, then):
            yield Revision(
                "real_customers", point.period, None, int(then), int(point.real_customers or 0)
            )
    if patrons is None:
        return
    for name in ("extracted", "current", "mailable", "incomplete"):
        then, now = said.get((name, str(patrons.period))), getattr(patrons, name)
        if then is not None and then != now:
            yield Revision(name, patrons.period, None, int(then), now)


def said(session: Session, period: Period) -> dict[tuple[str, str], float]:
    """Return what the report on `period` told its readers: the edition that went out, else the newest."""
    return {
        (row.name, row.about): row.value
        for row in session.rows("monitor/said_figures", period=str(period))
    }
