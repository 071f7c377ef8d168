"""Reads the lists for a report, and keeps what was read: a file that breaks is shown as it was last good."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from engagement import clock
from engagement.monitor.work_items import place, rows
from engagement.monitor.work_items.items import Filed, WorkItem, WorkItems
from engagement.monitor.work_items.table import Unreadable
from engagement.monitor.work_items.vocabulary import clean, sentence
from engagement.period import Period
from engagement.settings import settings
from engagement.warehouse import Session

if TYPE_CHECKING:
    from upath import UPath

_LONGEST_NAME = 255  # of a file
_log = logging.getLogger(__name__)
_FILED = TypeAdapter(tuple[Filed, ...])


@dataclass
class _Lists:
    """What was read: file -> its work; of those shown as they were last good also when that was, and why."""

    filed: dict[str, tuple[Filed, ...]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    last_good: dict[str, datetime] = field(default_factory=dict)
    stale_faults: list[str] = field(default_factory=list)


def read(session: Session, period: Period) -> WorkItems:
    """Return the work that the librarians' lists name for `period`, and keep it in the warehouse.

    Items of the period, those without one that are not done yet, and those whose decision is open. What
    cannot be read is left out and named in `faults`; of a list that cannot be read at all, or a place with no
    list in it, the items are those of the last good reading, and `stale_faults` say why. Both are logged.
    Nothing is raised for what the lists hold, or for their absence.
    """
    lists = _read(session)
    items = _unique(lists)
    first_filed = _first_filed(session, items)
    for fault in (*lists.stale_faults, *lists.faults):
        _log.warning("Work items: %s", fault)
    return WorkItems(
        tuple(item for item in items if item.is_open or item.period in (None, period)),
        tuple(lists.faults),
        clock.now(),
        readable=bool(lists.filed),
        stale=tuple(lists.last_good),
        stale_faults=tuple(lists.stale_faults),
        last_good_at=min(lists.last_good.values(), default=None),
        first_filed=first_filed,
    )


def _first_filed(session: Session, items: Sequence[WorkItem]) -> dict[str, date]:
    """Return since when each decision is wanted, and keep it; one asked after another was taken is a new one."""
    decided = {item.item_id: bool(item.decided) for item in items if item.wanted}
    kept = session.rows(
        "monitor/keep_first_filed",
        item_ids=list(decided),
        decided=list(decided.values()),
        today=clock.now().date(),
    )
    return {row.item_id: row.first_filed_date for row in kept}


def _read(session: Session) -> _Lists:
    """Return what every list says, today's or the last good one."""
    lists = _Lists()
    if settings().work_items is None:
        lists.faults.append(sentence("not_set"))
        return lists
    try:
        files = _by_name(place.files(), lists.faults)
    except Unreadable as fault:
        _recall(session, lists, str(fault))
        return lists
    session.run("monitor/forget_gone_lists", files=list(files))
    for name, file in files.items():
        try:
            lists.filed[name], faults = rows.read(name, place.content(file))
        except Unreadable as fault:
            _recall(session, lists, f"{name}: {fault}", name)
            continue
        lists.faults += [f"{name}: {fault}" for fault in faults]
        session.run(
            "monitor/keep_list",
            file=name,
            items=_FILED.dump_json(lists.filed[name]).decode(),
            read_at=clock.now(),
        )
    return lists


def _by_name(files: Sequence[UPath], faults: list[str]) -> dict[str, UPath]:
    """Return the lists by the name that is shown; a name that looks like an earlier one is a fault."""
    named: dict[str, UPath] = {}
    for file in files:
        name = clean(file.name, _LONGEST_NAME)
        if named.setdefault(name, file) is not file:
            faults.append(f"{name}: {sentence('same_name')}")
    return named


def _recall(session: Session, lists: _Lists, fault: str, file: str | None = None) -> None:
    """Add the last good reading of `file`, None: of all lists; where there is none, nothing of it is shown."""
    kept = [one for one in session.rows("monitor/lists") if file in (None, one.file)]
    for one in kept:
        lists.filed[one.file] = _FILED.validate_python(one.items)
        lists.last_good[one.file] = one.read_at
    (lists.stale_faults if kept else lists.faults).append(fault)


def _unique(lists: _Lists) -> list[WorkItem]:
    """Return the work of all lists; an id that stands there again is a fault, and its row is left out."""
    places: dict[str, tuple[str, str]] = {}
    items = []
    for name, filed in lists.filed.items():
        for one in filed:
            here = (name, one.cell)
            first = places.setdefault(one.item.item_id or str(here), here)
            if first == here:
                items.append(one.item)
                continue
            twice = sentence("twice", cell=one.cell, first=first[1], file=first[0])
            lists.faults.append(f"{name}: {twice}")
    return items
