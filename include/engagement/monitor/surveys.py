"""What a report says about the surveys of its period: each from its own frame, as of the cut-off."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

from engagement.errors import EngagementError
from engagement.groups import GroupCode
from engagement.labels import Label
from engagement.measure import campaign as campaigns, events, figures, form as forms
from engagement.measure.campaign import Campaign
from engagement.measure.events import State
from engagement.measure.figures import Counts, Reachable, Stratum
from engagement.measure.form import Form
from engagement.monitor import findings
from engagement.monitor.disclosure import SMALL
from engagement.monitor.findings import Answers, Finding
from engagement.monitor.rates import Rate, points, rate
from engagement.period import Period
from engagement.settings import settings
from engagement.warehouse import Session

Stand = Literal["open", "stopped", "closed"]
Unshown = Literal["open", "few", "changed"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Survey:
    """One campaign that was open in the period or closed in it.

    Attributes:
        campaign: its name.
        title: what it is called.
        frame_period: of which period's people the sample was drawn.
        stand: where it stands at the cut-off.
        stopped_for: why it is stopped, as the product or a person wrote it, or why it was when it was closed;
            None where it was not.
        began: the day of the first wave.
        ends: the last day on which answers count, or None where that is not known any more.
        counts: its funnel, in people.
        bounced: hard bounces of the mails sent, those that the mail server refused for a dead address among them.
            While bounces may still come it has no share, and is of all invited.
        answered: answers of the people invited (AAPOR RR1).
        answered_of_delivered: answers of the mails delivered; no share while bounces may still come.
        findings: what those say who answered, in the order of the form; none before it is closed, since the
            answers of who comes late would be what two editions differ in.
        unshown: why there are none: it is not closed, too few answered, or its description or form is gone or
            has changed; None where there are some.
        before: the title of the survey that the rates are compared with; None where there is none.
        by_group: its funnel by group, for totals to agree; no handful is hidden in it.
    """

    campaign: str
    title: Label
    frame_period: Period
    stand: Stand
    stopped_for: str | None
    began: date
    ends: date | None
    counts: Counts
    bounced: Rate
    answered: Rate
    answered_of_delivered: Rate
    findings: tuple[Finding, ...]
    unshown: Unshown | None = None
    before: Label | None = None
    by_group: Mapping[GroupCode, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class _Begun:
    """A campaign of which mail may have gone out, as the warehouse knows it.

    `form_hash` is of the form that was answered, None while nobody has; `definition` is that of the checks and
    the mapping which made its frame, None where that month is published no more.
    """

    name: str
    began_at: datetime
    closed_at: datetime | None
    state: State
    definition: str | None
    by_group: Mapping[GroupCode, Counts]
    form_hash: str | None
    answers: Mapping[str, Answers]

    @property
    def began(self) -> date:
        """The day of its first wave."""
        return self.began_at.astimezone(settings().zone).date()

    @property
    def counts(self) -> Counts:
        """All groups together."""
        return figures.total(list(self.by_group.values()))


def of_period(session: Session, period: Period, now: datetime) -> tuple[Survey, ...]:
    """Return the surveys of a period, the largest first.

    These are the campaigns of which a wave was opened before its end and that were not closed before its
    start, as they are counted at the cut-off. Where the file of one is gone or broken, its figures are told
    under its name, and not what was asked. Rates are compared with those of the last campaign with the same
    form that began before it and whose people were found by the same checks and mapping; those of answers only
    where the form asked the same and both are closed: until then more may come.

    Args:
        session: of the warehouse.
        period: the report's.
        now: the cut-off.
    """
    begun = list(_begun(session, now))
    surveys = [
        _compared(one, begun)
        for one in begun
        if one.began_at < period.end and (one.closed_at is None or one.closed_at >= period.start)
    ]
    return tuple(sorted(surveys, key=lambda survey: -survey.counts.invited))


def reachable(session: Session, now: datetime) -> Reachable | None:
    """Return how many a mail reaches by the newest sample that had measured it at `now`; None if none had.

    Of two that were drawn on one day it is the larger one.
    """
    measured = [
        found
        for one in _begun(session, now)
        if (found := figures.reachable(one.state, list(one.by_group.values())))
    ]
    return max(measured, key=lambda found: (found.drawn_date, found.sampled), default=None)


def _begun(session: Session, now: datetime) -> Iterator[_Begun]:
    """Yield the campaigns that have begun, in order; one of which nothing is counted yet says nothing."""
    for row in session.rows("monitor/surveys", now=now):
        by_group = figures.counted(session, row.campaign)
        if not by_group:
            _log.warning("Nothing is counted of %s yet; the report leaves it out.", row.campaign)
            continue
        told = session.rows("measure/campaign_answers", campaign=row.campaign)
        options: dict[str, dict[str, int]] = {}
        for one in told:
            options.setdefault(one.question_code, {})[one.option_code] = one.response_count
        state = events.state(session, row.campaign)
        frame = session.one("monitor/patron_funnel", period=state.plan["frame"])
        yield _Begun(
            row.campaign,
            row.began_at,
            row.closed_at,
            state,
            None if frame is None else frame.definition_hash,
            by_group,
            next((one.form_hash for one in told), None),
            {o.question_code: Answers(o.answered_count, options[o.question_code]) for o in told},
        )


def _compared(one: _Begun, others: Sequence[_Begun]) -> Survey:
    """Return a survey with what has changed since the one before it."""
    survey = _survey(one)
    found = _before(one, others)
    if found is None:
        return survey
    before, title = found
    bounced = points(survey.bounced, _bounced(before))
    answered = of_delivered = None
    if one.form_hash == before.form_hash and one.closed_at and before.closed_at:
        answered = points(survey.answered, _answered(before))
        of_delivered = points(survey.answered_of_delivered, _answered_of_delivered(before))
    return replace(
        survey,
        before=title,
        bounced=replace(survey.bounced, points=bounced),
        answered=replace(survey.answered, points=answered),
        answered_of_delivered=replace(survey.answered_of_delivered, points=of_delivered),
    )


def _before(one: _Begun, others: Sequence[_Begun]) -> tuple[_Begun, Label] | None:
    """Return the last campaign with the same form and definition that began on an earlier day, and its title."""
    file = _file(one.name)
    if file is None or one.definition is None:
        return None
    for other in reversed(others):
        if other.began >= one.began or other.definition != one.definition:
            continue
        described = _file(other.name)
        if described is not None and described.form == file.form:
            return other, described.title
    return None


def _file(name: str) -> Campaign | None:
    try:
        return campaigns.load(name)
    except EngagementError:
        return None


def _survey(one: _Begun) -> Survey:
    file = _file(one.name)
    if file is None:
        _log.warning("The file of %s is gone or broken; the report tells its name.", one.name)
    stand: Stand = "open" if one.state.stopped_for is None else "stopped"
    found, unshown = _findings(one, file)
    return Survey(
        campaign=one.name,
        title=file.title if file else Label(one.name, one.name),
        frame_period=Period.parse(one.state.plan["frame"]),
        stand="closed" if one.closed_at else stand,
        stopped_for=one.state.stopped_for,
        began=one.began,
        ends=_last_day(file.dates.end) if file else None,
        counts=one.counts,
        bounced=_bounced(one),
        answered=_answered(one),
        answered_of_delivered=_answered_of_delivered(one),
        findings=found,
        unshown=unshown,
        by_group=one.by_group,
    )


def _last_day(end: datetime) -> date:
    """Return the day whose last moment, or a later one, `end` is not after: midnight ends the day before."""
    return (end - timedelta(microseconds=1)).date()


def _findings(one: _Begun, file: Campaign | None) -> tuple[tuple[Finding, ...], Unshown | None]:
    """Return what was found, or why that is not shown."""
    if one.closed_at is None:
        return (), "open"
    if one.form_hash is None or one.counts.answered <= SMALL:
        return (), "few"
    form = _form(one, file)
    if form is None:
        return (), "changed"
    found = findings.of_form(form, one.answers)
    return found, None if found else "few"


def _form(one: _Begun, file: Campaign | None) -> Form | None:
    """Return the form of a campaign; None where it is gone or has changed: its words are not those asked."""
    try:
        form = forms.load(file.form) if file else None
    except EngagementError:
        form = None
    if form is not None and form.form_hash == one.form_hash:
        return form
    _log.warning(
        "The form of %s is gone, broken or changed; the report leaves out what it found.", one.name
    )
    return None


def _bounced(one: _Begun) -> Rate:
    counts = one.counts
    if not counts.sampled:
        return Rate(counts.hard_bounced, counts.invited, None)
    strata = [Stratum(g.frame, g.sampled, g.hard_bounced) for g in one.by_group.values()]
    return rate(counts.hard_bounced, counts.sampled, strata)


def _answered(one: _Begun) -> Rate:
    counts = one.counts
    strata = [Stratum(g.frame, g.invited, g.answered) for g in one.by_group.values()]
    return rate(counts.answered, counts.invited, strata)


def _answered_of_delivered(one: _Begun) -> Rate:
    """Return the rate of those whom the mail reached: a part of each group, of which the sample's is known.

    Whose invitation came back may still have answered a reminder; there are few, and they raise no share over 1.
    """
    counts = one.counts
    if not counts.sampled:
        return Rate(counts.answered, counts.delivered, None)
    strata = [
        Stratum(g.frame * g.delivered / g.invited, g.delivered, min(g.answered, g.delivered))
        for g in one.by_group.values()
        if g.invited
    ]
    return rate(counts.answered, counts.delivered, strata)
