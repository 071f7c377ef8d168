"""What a report says, before it is put into words: every figure with base, change and target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engagement.labels import Label
from engagement.measure.figures import Reachable
from engagement.monitor.distribution import Targets
from engagement.monitor.figures import GroupCount, PatronFigures
from engagement.monitor.surveys import Survey
from engagement.monitor.trend import Point
from engagement.monitor.work_items import WorkItem, WorkItems

PERCENTAGE_BASE = 30  # below it a count says more than a percentage
ITEMS_SHOWN = 8  # per section of work; the rest is a number
DECISIONS_SHOWN = 3
FAULTS_SHOWN = 3

Comparison = Literal["compared", "first", "missing", "redefined"]


@dataclass(frozen=True)
class Letterhead:
    """Who writes, and who answers: the library and the contact in both languages, an e-mail address."""

    library: Label
    contact: Label
    email: str


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

    It is None where the row is hidden because it, or what it gives away, is a handful of people.
    """

    label: Label
    figure: Figure | None


@dataclass(frozen=True)
class Rejection:
    """A row of the rejections: records that fail for this reason first, and for it at all."""

    label: Label
    first: int
    every: int


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
class Revision:
    """A figure that an earlier report said otherwise; `name` is that of the stored figure, `about` its period or campaign."""

    name: str
    about: str
    then: float
    now: float


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
        funnel: the steps from all records to those who may be mailed, each on all records.
        groups: real customers by group.
        rejections: by reason.
        surveys: those open or closed in the period, the largest first.
        reachable: how many a mail reaches, estimated; None while nothing measured it.
        trend: the last periods.
        work: what the librarians filed.
        sections: of it.
        revisions: what earlier reports said otherwise.
        cut_at: the instant of the figures.
        run: which run made it.
    """

    patrons: PatronFigures
    comparison: Comparison
    headline: Mapping[str, Figure]
    decisions: tuple[Decision, ...]
    decisions_wanted: int
    funnel: Mapping[str, Figure]
    groups: tuple[Group, ...]
    rejections: tuple[Rejection, ...]
    surveys: tuple[Survey, ...]
    reachable: Reachable | None
    trend: tuple[Point, ...]
    work: WorkItems
    sections: tuple[Section, ...]
    revisions: tuple[Revision, ...]
    cut_at: datetime
    run: str
