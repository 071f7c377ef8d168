"""A piece of work, the decision that it may want, and what the lists say for one period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from engagement.period import Period

# Characters shown: the mail has to stay small.
LIMITS = {"title": 160, "owner": 80, "status": 40, "wanted": 200, "decided": 200, "link": 500}
LIMITS |= {f"{column}_en": LIMITS[column] for column in ("title", "owner", "wanted", "decided")}


@dataclass(frozen=True)
class WorkItem:
    """One piece of work; `period` is None for work that is shown every period until it is done.

    A decision is `wanted` by a `deadline`; once it is `decided`, it is known by whom and on which day.
    `link` is http or https; what ends in _en is for the English edition. What is not said is empty.
    """

    item_id: str
    section: str
    title: str
    owner: str
    status: str
    progress_pct: int | None
    period: Period | None
    wanted: str = ""
    deadline: date | None = None
    decided: str = ""
    decided_by: str = ""
    decided_on: date | None = None
    link: str = ""
    title_en: str = ""
    owner_en: str = ""
    wanted_en: str = ""
    decided_en: str = ""
    decided_by_en: str = ""

    @property
    def is_open(self) -> bool:
        """Whether a decision is wanted that nobody has taken yet."""
        return bool(self.wanted and self.deadline and not self.decided)


@dataclass(frozen=True)
class Filed:
    """A piece of work in a list, and the cell of its id there."""

    cell: str
    item: WorkItem


@dataclass(frozen=True)
class WorkItems:
    """What the lists say for one period, file by file in the order of their rows.

    Attributes:
        items: those of the period, those without one, and those whose decision is open.
        faults: sentences about what is not shown.
        read_at: when they were read.
        readable: False where nothing at all could be read: no items is then no statement about the work.
        stale: the lists that cannot be read today and are shown as they were when they last could.
        stale_faults: sentences about why.
        last_good_at: when that was; of several, the oldest.
        first_filed: item with a decision, wanted or taken -> the day on which that was first read.
    """

    items: tuple[WorkItem, ...]
    faults: tuple[str, ...]
    read_at: datetime
    readable: bool = True
    stale: tuple[str, ...] = ()
    stale_faults: tuple[str, ...] = ()
    last_good_at: datetime | None = None
    first_filed: Mapping[str, date] = field(default_factory=dict)

    def section(self, code: str) -> tuple[WorkItem, ...]:
        """Return the items of one section: routine, finished or ongoing."""
        return tuple(item for item in self.items if item.section == code)

    def open_decisions(self) -> tuple[WorkItem, ...]:
        """Return the items whose decision is open, the earliest deadline first: the overdue lead."""
        wanted = [item for item in self.items if item.is_open]
        return tuple(sorted(wanted, key=lambda item: item.deadline or date.max))
