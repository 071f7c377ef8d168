"""The rows of a list as pieces of work."""

from __future__ import annotations

import re
from datetime import date
from typing import TypedDict

from engagement.errors import EngagementError
from engagement.monitor.work_items import table
from engagement.monitor.work_items.items import LIMITS, Filed, WorkItem
from engagement.monitor.work_items.table import Row
from engagement.monitor.work_items.vocabulary import words
from engagement.period import Period

# Without these a row says nothing, or not what it asks; of the others the cell alone is left out.
_HELD_BY = {"id", "section", "title", "wanted", "deadline"}
_LINK = re.compile(r"https?://[^\s<>\"'\\@/?#]+(?:[/?#][^\s<>\"'\\]*)?", re.IGNORECASE)


class _Decision(TypedDict):
    wanted: str
    deadline: date | None
    decided: str
    decided_by: str
    decided_on: date | None


def read(name: str, content: bytes) -> tuple[tuple[Filed, ...], tuple[str, ...]]:
    """Return the work that one list names, and sentences about what in it cannot be read.

    Args:
        name: of the file: its end tells its kind.
        content: its bytes.

    Raises:
        Unreadable: the list as a whole cannot be read.
    """
    found, faults = table.read(name, content)
    filed = []
    for row in found:
        work = _item(row)
        faults += row.faults.values()
        if work is not None:
            filed.append(Filed(row.cell("id"), work))
    return tuple(filed), tuple(faults)


def _item(row: Row) -> WorkItem | None:
    """Return the work that a row names without the cells in `row.faults`, or None where it cannot be shown so."""
    item_id, section, status = row.text("id"), _section(row), row.text("status")
    title = row.text("title")
    if not title:
        row.fault("no_title", "title")
    progress, period = _progress(row), _period(row)
    is_done = section == "finished" or status in words()["done"]
    if period is None and is_done:
        row.fault("done_without_period", "period")
    decision = _decision(row)
    if decision["wanted"] and not item_id:
        row.fault("no_id", "id")
    found = WorkItem(
        item_id,
        section,
        title,
        row.text("owner"),
        status,
        progress,
        period,
        **decision,
        link=_link(row),
        title_en=row.text("title_en"),
        owner_en=row.text("owner_en"),
        wanted_en=row.text("wanted_en"),
        decided_en=row.text("decided_en"),
        decided_by_en=row.text("decided_by_en"),
    )
    # Without its month it would stand in every report; a decision that is wanted is in every one anyway.
    is_nowhere = period is None and is_done and not found.is_open
    return None if is_nowhere or row.faults.keys() & _HELD_BY else found


def _section(row: Row) -> str:
    codes = {name: code for code, name in words()["sections"].items()}
    code = codes.get(row.text("section"))
    if code is None:
        row.fault("unknown_section", "section")
    return code or ""


def _period(row: Row) -> Period | None:
    value = row.values.get("period")
    # A spreadsheet makes a date of 2018-06 unasked.
    text = f"{value:%Y-%m}" if isinstance(value, date) else row.text("period")
    if not text:
        return None
    try:
        return Period.parse(text)
    except EngagementError:
        row.fault("bad_period", "period")
        return None


def _progress(row: Row) -> int | None:
    text = row.text("progress")
    if not text:
        return None
    try:
        number = float(text.rstrip("% "))
    except ValueError:
        number = -1
    if not 0 <= number <= 100 or 0 < number < 1:
        row.fault("bad_progress", "progress")
        return None
    return round(number)


def _decision(row: Row) -> _Decision:
    """Return the decision that is wanted, and what became of it where all three parts of that are said."""
    said = _Decision(
        wanted=row.text("wanted"),
        deadline=row.day("deadline"),
        decided=row.text("decided"),
        decided_by=row.text("decided_by"),
        decided_on=row.day("decided_on"),
    )
    if said["wanted"] and not said["deadline"]:
        row.fault("no_deadline", "deadline")
    if said["deadline"] and not said["wanted"]:
        row.fault("no_wanted", "wanted")
    if said["decided"] and not said["decided_by"]:
        row.fault("no_by", "decided_by")
    if said["decided"] and not said["decided_on"]:
        row.fault("no_on", "decided_on")
    if (said["decided_by"] or said["decided_on"]) and not said["decided"]:
        row.fault("no_decided", "decided")
    if row.faults.keys() & {"decided", "decided_by", "decided_on"}:
        said |= {"decided": "", "decided_by": "", "decided_on": None}
    return said


def _link(row: Row) -> str:
    link = row.text("link")
    if link and (_LINK.fullmatch(link) is None or len(link) >= LIMITS["link"]):
        row.fault("bad_link", "link")
        return ""
    return link
