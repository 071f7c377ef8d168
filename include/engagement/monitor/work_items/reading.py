"""Reads the lists for a report, and keeps what was read: a file that breaks is shown as it was last good."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import date, datetime

from pydantic import TypeAdapter

from engagement import clock
from engagement.monitor.work_items import place, rows
from engagement.monitor.work_items.items import Filed, WorkItem, WorkItems
from engagement.monitor.work_items.table import Unreadable
from engagement.monitor.work_items.vocabulary import clean, sentence
from engagement.period import Period
from engagement.settings import settings
from engagement.warehouse import Session

_LONGEST_NAME = 255  # of a file
_log = logging.getLogger(__name__)


_FILED = TypeAdapter(tuple[Filed, ...])


@dataclass
class _Lists:
    """What was read: file -> its work; of those shown as they were last good also when that was."""

    filed: dict[str, tuple[Filed, ...]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    last_good: dict[str, datetime] = field(default_factory=dict)


def read(session: Session, period: Period) -> WorkItems:
    """Return the work that the librarians' lists name for `period`, and keep it in the warehouse.

    Items of the period, those without one that are not done yet, and those whose decision is open. A row that
    cannot be read is left out and named in `faults`, which are logged too; of a file that cannot be read the
    items are those of its last good reading. Nothing is raised for what the lists hold, or for their absence.
    """
    lists = _read(session)
    items = _unique(lists)
    decisions = sorted({item.item_id for item in items if item.wanted})
    first_filed: dict[str, date] = {
        row.item_id: row.first_filed_date
        for row in session.rows(
            "monitor/keep_first_filed", item_ids=decisions, today=clock.now().date()
        )
    }
    for fault in lists.faults:
        _log.warning("Work items: %s", fault)
    return WorkItems(
        tuple(item for item in items if item.is_open or item.period in (None, period)),
        tuple(lists.faults),
        clock.now(),
        readable=bool(lists.filed),
        last_good_at=min(lists.last_good.values(), default=None),
        first_filed=first_filed,
    )


def _read(session: Session) -> _Lists:
    """Return what every list says, today's or the last good one."""
    lists = _Lists()
    if settings().work_items is None:
        lists.faults.append(sentence("not_set"))
        return lists
    try:
        files = {clean(file.name, _LONGEST_NAME): file for file in place.files()}
    except Unreadable as fault:
        lists.faults.append(str(fault))
        _recall(session, lists)
        return lists
    if not files:
        lists.faults.append(sentence("empty_folder"))
    session.run("monitor/forget_gone_lists", files=list(files))
    broken = []
    for name, file in files.items():
        try:
            lists.filed[name], faults = rows.read(name, place.content(file))
        except Unreadable as fault:
            lists.faults.append(f"{name}: {fault}")
            broken.append(name)
            continue
        lists.faults += [f"{name}: {fault}" for fault in faults]
        session.run(
            "monitor/keep_list",
            file=name,
            items=_FILED.dump_json(lists.filed[name]).decode(),
            read_at=clock.now(),
        )
    _recall(session, lists, broken)
    return lists


def _recall(session: Session, lists: _Lists, files: list[str] | None = None) -> None:
    """Add the last good reading of `files`; None: of all."""
    for kept in session.rows("monitor/lists"):
        if files is None or kept.file in files:
            lists.filed[kept.file] = _FILED.validate_python(kept.items)
            lists.last_good[kept.file] = kept.read_at


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
