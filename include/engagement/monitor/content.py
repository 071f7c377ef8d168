"""What a report says, before it is put into words: every figure with base, change and target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from engagement import clock
from engagement.errors import EngagementError
from engagement.labels import Label, labels
from engagement.measure.figures import PERCENTAGE_BASE, Reachable
from engagement.monitor import (
    agreement,
    disclosure,
    figures,
    statement,
    surveys as survey_room,
    trend,
    work_items,
)
from engagement.monitor.distribution import Distribution
from engagement.monitor.figures import GroupCount, PatronFigures
from engagement.monitor.rates import Rate
from engagement.monitor.statement import Revision
from engagement.monitor.surveys import Survey
from engagement.monitor.trend import Point
from engagement.monitor.work_items import WorkItem, WorkItems
from engagement.period import Period
from engagement.warehouse import Session

ITEMS_SHOWN = 8  # per section of work; the rest is a number
DECISIONS_SHOWN = 3

Comparison = Literal["compared", "first", "missing", "redefined"]


@dataclass(frozen=True)
class Target:
    """What a share is held against, in per cent: at least so much, or at most; whether it is met."""

    percentage: float
    is_least: bool
    is_met: bool


@dataclass(frozen=True)
class Figure:
    """A count, its share of a base in per cent, and both compared with the month before.

    `share` is None where the base is under PERCENTAGE_BASE, `change` where nothing may be compared,
    `points` (percentage points) where either month has no share. `is_same`: the change is too small to be
    called one. `low` and `high` are the ends of the share's interval, where it is an estimate.
    """

    count: int
    base: int
    share: float | None
    change: int | None
    points: float | None
    is_same: bool = False
    target: Target | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Group:
    """A row of the group table; `figure` counts real customers on the group's records.

    It is None where the row is hidden because a handful are real customers or a handful are none, or because it
    would give such a row away.
    """

    code: str
    label: Label
    figure: Figure | None


@dataclass(frozen=True)
class Rejection:
    """A row of the rejections: records that fail for this reason first, and for it at all; None where hidden."""

    code: str
    label: Label
    first: int | None
    every: int | None


@dataclass(frozen=True)
class Decision:
    """A decision that is wanted; `overdue_days` is 0 until its deadline is over, `age_days` since it was first filed."""

    item: WorkItem
    overdue_days: int
    age_days: int


@dataclass(frozen=True)
class Section:
    """One section of the librarians' work; `more` is how many items are not listed."""

    code: str
    items: tuple[WorkItem, ...]
    more: int


@dataclass(frozen=True)
class Content:
    """All that a report on a period says, for every language and edition.

    Attributes:
        patrons: the period's published figures.
        comparison: whether it is compared with the month before, and if not, why.
        headline: the three figures on top by name, in order: real_customers; then bounced and answered of
            the largest survey, or mailable and incomplete where there was none.
        decisions: those wanted, the overdue first; at most DECISIONS_SHOWN.
        decisions_wanted: how many there are in all.
        incomplete: current members whose data lacks something, of all current members.
        funnel: the steps from all records to those who may be mailed, each on all records.
        groups: real customers by group.
        rejections: by reason.
        surveys: those open or closed in the period, the largest first.
        reachable: how many a mail reaches, estimated; None while nothing measured it.
        trend: the last periods.
        work: what the librarians filed.
        sections: of it.
        revisions: what earlier reports said otherwise.
        same_below_pct: changes of a count by less than so many per cent are called "about the same".
        cut_at: the instant of the figures.
        run: which run made it.
    """

    patrons: PatronFigures
    comparison: Comparison
    headline: Mapping[str, Figure]
    decisions: tuple[Decision, ...]
    decisions_wanted: int
    incomplete: Figure
    funnel: Mapping[str, Figure]
    groups: tuple[Group, ...]
    rejections: tuple[Rejection, ...]
    surveys: tuple[Survey, ...]
    reachable: Reachable | None
    trend: tuple[Point, ...]
    work: WorkItems
    sections: tuple[Section, ...]
    revisions: tuple[Revision, ...]
    same_below_pct: float
    cut_at: datetime
    run: str


def gather(session: Session, period: Period, said: Distribution, run: str) -> Content:
    """Return what the report on a published period says now.

    Args:
        session: of the warehouse.
        period: a month that is published.
        said: the targets and limits of the library, its working days.
        run: what makes the report.

    Raises:
        EngagementError: nothing is published for the period, or its figures contradict each other.
    """
    now = clock.now()
    previous = figures.published(session, period.previous)
    shown = survey_room.of_period(session, period, now)
    points = trend.read(session, period)
    return made(
        figures.require(session, period),
        previous,
        said,
        surveys=shown,
        reachable=survey_room.reachable(session, now),
        points=points,
        work=work_items.read(session, period),
        revisions=_revisions(session, previous, points, shown),
        cut_at=now,
        run=run,
    )


def made(
    patrons: PatronFigures,
    previous: PatronFigures | None,
    said: Distribution,
    *,
    surveys: tuple[Survey, ...] = (),
    reachable: Reachable | None = None,
    points: tuple[Point, ...],
    work: WorkItems,
    revisions: tuple[Revision, ...] = (),
    cut_at: datetime,
    run: str,
) -> Content:
    """Return what figures that agree say; `previous` are those of the month before, if it has any.

    Raises:
        EngagementError: figures contradict each other, or `previous` is another month than the one before.
    """
    agreement.require(patrons)
    if previous is not None:
        agreement.require(previous)
    agreement.require_surveys(surveys)
    agreement.require_reachable(reachable)
    agreement.require_trend(points, patrons)
    comparison = _comparison(patrons, previous, points)
    before = previous if comparison == "compared" else None
    judge = _Judge(said)
    then = {} if before is None else _top(before)
    top = {name: judge.figure(*now, then.get(name)) for name, now in _top(patrons).items()}
    headline = _headline(top, surveys[0] if surveys else None)
    wanted = _decisions(work, cut_at.date())
    return Content(
        patrons=patrons,
        comparison=comparison,
        headline={name: judge.held(figure, name) for name, figure in headline.items()},
        decisions=wanted[:DECISIONS_SHOWN],
        decisions_wanted=len(wanted),
        incomplete=top["incomplete"],
        funnel=_funnel(patrons, before, judge),
        groups=_groups(patrons, before, judge),
        rejections=_rejections(patrons),
        surveys=surveys,
        reachable=reachable,
        trend=points,
        work=work,
        sections=_sections(work),
        revisions=revisions,
        same_below_pct=said.about_the_same_pct,
        cut_at=cut_at,
        run=run,
    )


def _revisions(
    session: Session,
    previous: PatronFigures | None,
    points: tuple[Point, ...],
    shown: tuple[Survey, ...],
) -> tuple[Revision, ...]:
    """Return what the report on the month before said otherwise; of campaigns, those that are over since."""
    month = points[-1].period.previous
    told = statement.said(session, month)
    before = survey_room.of_period(session, month, clock.now()) if told else ()
    over = {one.campaign for one in before} - {one.campaign for one in shown}
    campaigns = {one.campaign: (one.title, one.counts) for one in before if one.campaign in over}
    return statement.revisions(told, previous, points, campaigns)


@dataclass(frozen=True)
class _Judge:
    """Says what a change and a share are worth to this library."""

    said: Distribution

    def figure(self, count: int, base: int, before: tuple[int, int] | None) -> Figure:
        """Return a count on its base, beside `before`: the count and the base of the month before."""
        share = percentage(count, base)
        if before is None:
            return Figure(count, base, share, None, None)
        share_before = percentage(*before)
        points = None if share is None or share_before is None else share - share_before
        change = count - before[0]
        is_same = 100 * abs(change) < self.said.about_the_same_pct * before[0]
        return Figure(count, base, share, change, points, is_same)

    def held(self, figure: Figure, name: str) -> Figure:
        """Return a figure with its target, if the library has set itself one."""
        percentage: float | None = getattr(self.said.targets, f"{name}_pct", None)
        if percentage is None or figure.share is None:
            return figure
        is_least = name in ("real_customers", "mailable", "answered")
        share = round(figure.share, 1)  # as it is shown: 25.0 % has reached 25 %
        is_met = share >= percentage if is_least else share <= percentage
        return replace(figure, target=Target(percentage, is_least, is_met))


def percentage(count: int, base: int) -> float | None:
    """Return a share in per cent; None where the base is too small for one."""
    return 100 * count / base if base >= PERCENTAGE_BASE else None


def _comparison(
    patrons: PatronFigures, previous: PatronFigures | None, points: tuple[Point, ...]
) -> Comparison:
    if previous is None:
        is_first = all(p.real_customers is None or p.period == patrons.period for p in points)
        return "first" if is_first else "missing"
    if previous.period != patrons.period.previous:
        raise EngagementError(
            f"The report on {patrons.period} is compared with {patrons.period.previous} or with "
            f"nothing, not with {previous.period}."
        )
    return "compared" if previous.definition == patrons.definition else "redefined"


def _headline(patrons: Mapping[str, Figure], survey: Survey | None) -> dict[str, Figure]:
    """Return the three figures on top: who counts, and what became of the survey or whose data to mend."""
    if survey is None:
        return dict(patrons)
    rates = {"bounced": survey.bounced, "answered": survey.answered}
    return {"real_customers": patrons["real_customers"]} | {
        name: _of_rate(rate) for name, rate in rates.items()
    }


def _top(patrons: PatronFigures) -> dict[str, tuple[int, int]]:
    """Return count and base of the figures that stand on top where there was no survey."""
    return {
        "real_customers": (patrons.real_customers, patrons.extracted),
        "mailable": (patrons.mailable, patrons.real_customers),
        "incomplete": (patrons.incomplete, patrons.current),
    }


def _of_rate(rate: Rate) -> Figure:
    low, high = (end and 100 * end for end in (rate.low, rate.high))
    share = None if rate.share is None else 100 * rate.share
    return Figure(rate.count, rate.base, share, None, rate.points, low=low, high=high)


def _funnel(
    patrons: PatronFigures, before: PatronFigures | None, judge: _Judge
) -> dict[str, Figure]:
    """Return the steps from all records to those we may write to, each on all records."""
    return {
        step: judge.figure(
            getattr(patrons, step),
            patrons.extracted,
            None if before is None else (getattr(before, step), before.extracted),
        )
        for step in ("extracted", "current", "real_customers", "mailable")
    }


def _groups(
    patrons: PatronFigures, before: PatronFigures | None, judge: _Judge
) -> tuple[Group, ...]:
    """Return the groups in their order, the unmapped only where there are any.

    What is hidden in either month has no change: the shown month would give the hidden one away.
    """
    hidden = _hidden(patrons)
    incomparable = hidden if before is None else hidden | _hidden(before)
    rows = []
    for code, group in patrons.by_group.items():
        if code == "unmapped" and not group.extracted:
            continue
        old = None if before is None or code in incomparable else before.by_group.get(code)
        shown = (
            None
            if code in hidden
            else judge.figure(*_counts(group), None if old is None else _counts(old))
        )
        rows.append(Group(code, labels().group(code), shown))
    return tuple(rows)


def _counts(group: GroupCount) -> tuple[int, int]:
    return group.real_customers, group.extracted


def _hidden(patrons: PatronFigures) -> frozenset[str]:
    """Return the groups of which a handful are real customers, or a handful are none, and those beside them.

    The two counts vary freely of each other, so what is hidden of the one is hidden of both, and of their sum.
    """
    groups = patrons.by_group.items()
    return disclosure.hidden({code: g.real_customers for code, g in groups}) | disclosure.hidden(
        {code: g.extracted - g.real_customers for code, g in groups}
    )


def _rejections(patrons: PatronFigures) -> tuple[Rejection, ...]:
    """Return the reasons that occurred, in their fixed order.

    In a small library a handful hides the counts of all reasons: several totals of the report are sums of some
    of them, and would give away one that is hidden with few beside it.
    """
    first, every = patrons.rejected_by_first_reason, patrons.rejected_by_reason
    handfuls = [n for n in (*first.values(), *every.values()) if 1 <= n <= disclosure.SMALL]
    is_hidden = bool(handfuls) and patrons.extracted < disclosure.SHOWN_WHOLE
    return tuple(
        Rejection(
            code,
            labels().reason(code),
            None if is_hidden else first.get(code, 0),
            None if is_hidden else count,
        )
        for code, count in every.items()
        if count
    )


def _decisions(work: WorkItems, today: date) -> tuple[Decision, ...]:
    """Return the decisions that are wanted; the list has them by deadline, so the overdue come first."""
    return tuple(
        Decision(
            item,
            max((today - item.deadline).days, 0),
            max((today - work.first_filed.get(item.item_id, today)).days, 0),
        )
        for item in work.open_decisions()
        if item.deadline is not None
    )


def _sections(work: WorkItems) -> tuple[Section, ...]:
    found = []
    for code in work_items.words()["sections"]:
        items = work.section(code)
        found.append(Section(code, items[:ITEMS_SHOWN], len(items[ITEMS_SHOWN:])))
    return tuple(found)
