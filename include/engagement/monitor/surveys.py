"""What a report says about the surveys of its period: each from its own frame, as of the cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from engagement.labels import Label
from engagement.measure.figures import Counts, Reachable
from engagement.period import Period
from engagement.warehouse import Session

Stand = Literal["open", "stopped", "closed"]


@dataclass(frozen=True)
class Rate:
    """A share of people, 0 to 1, and its interval at 95 %, which does not count that some do not answer.

    Attributes:
        count: how many it counts.
        base: of how many.
        share: count on base; None where the base is under 30, and then there is no interval.
        low: the lower end; None where there is no interval.
        high: the upper end.
        points: the change from the survey before in percentage points; None where the interval of the
            difference holds 0, or there is nothing that it may be compared with.
    """

    count: int
    base: int
    share: float | None
    low: float | None = None
    high: float | None = None
    points: float | None = None


@dataclass(frozen=True)
class Choice:
    """One option of a question and how many chose it; None where it is a handful that could be recognised."""

    label: Label
    count: int | None
    share: float | None  # of the question's base, in per cent; None under a base of 30


@dataclass(frozen=True)
class Finding:
    """What those who answered say to a question, the option chosen most often first, but scales from best to worst.

    `kind` is the form's: group, choice, choices or scale. `base` counts who answered it. Of a scale, `satisfied`
    is the number of those who chose one of the two best points.
    """

    code: str
    kind: Literal["group", "choice", "choices", "scale"]
    title: Label
    base: int
    choices: tuple[Choice, ...]
    satisfied: Choice | None = None


@dataclass(frozen=True)
class Survey:
    """One campaign that was open in the period or closed in it.

    Attributes:
        campaign: its name.
        title: what it is called.
        frame_period: of which period's people the sample was drawn.
        stand: where it stands at the cut-off.
        stopped_for: why it is stopped, as the product or a person wrote it; None where it is not.
        began: the day of the first wave.
        ends: the last day on which answers count, or None where that is not known any more.
        counts: its funnel, in people.
        bounced: hard bounces of the mails sent.
        answered: answers of the people invited (AAPOR RR1).
        answered_of_delivered: answers of the mails delivered.
        findings: what those say who answered, in the order of the form.
        before: the title of the survey that the rates are compared with; None where there is none.
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
    before: Label | None = None


def of_period(session: Session, period: Period, now: datetime) -> tuple[Survey, ...]:
    """Return the campaigns that were open in `period` or closed in it, the largest first."""
    return ()


def reachable(session: Session, now: datetime) -> Reachable | None:
    """Return how many a mail reaches, as the latest sample measured it; None while none has."""
    return None
