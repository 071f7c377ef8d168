"""The check of a library system as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engagement.labels import labels
from engagement.model.source_check import Filled, SourceCheck

_LISTED = ("missing", "placeholder")  # faults with a column of their own


def show(check: SourceCheck) -> None:
    """Print what a source's YAML makes of the first records of its system."""
    console = Console()
    console.print(_headline(check), highlight=False)
    for explanation in check.explanations:
        console.print(f"Nobody would be a real customer. {escape(explanation)}", style="bold red")
    for doubt in check.doubts:
        console.print(escape(doubt), style="bold yellow", highlight=False)
    for table in _tables(check):
        console.print(table)
    if check.expiry_dates:
        told = "Expiry dates from {earliest} to {latest}, the middle one {median}: see that these years can be."
        console.print(told.format(**check.expiry_dates), highlight=False)
    for left_out in check.left_out:
        console.print(escape(left_out), highlight=False)


def _headline(check: SourceCheck) -> str:
    label = escape(check.label)
    if check.read_count == 0:
        return f"{label} holds no patron record; see that the right database or file is named."
    of_all = "" if check.source_count is None else f" of {check.source_count:,}"
    return (
        f"{label}, as of {check.as_of_date}: the first {check.read_count:,}{of_all} records, and what "
        f"{check.system}.yaml makes of them."
    )


def _tables(check: SourceCheck) -> Iterator[Table]:
    if check.read_count == 0:
        return
    yield _fields(check)
    if check.unmapped:
        yield _unmapped(check)
    yield _groups(check)
    yield _notices(check)


def _fields(check: SourceCheck) -> Table:
    table = _table("What its fields hold", "", "filled", "missing", "placeholder")
    table.add_column("otherwise wrong")
    table.add_column("read from")
    for name, field in check.fields.items():
        counts = (field.filled, *(field.faults.get(fault, 0) for fault in _LISTED))
        columns = ", ".join(field.columns) or "nothing: the YAML names no column"
        table.add_row(name, *map(_count, counts), _other_faults(field), escape(columns))
    table.add_section()
    table.add_row("complete, and current", _count(check.complete_count))
    return table


def _other_faults(field: Filled) -> str:
    return ", ".join(
        f"{_count(count)} {labels().fault(fault).en}"
        for fault, count in field.faults.items()
        if fault not in _LISTED
    )


def _unmapped(check: SourceCheck) -> Table:
    """Each code that was met and that neither the YAML nor a lookup explains, below the part that lacks it."""
    table = _table(f"Codes that {check.system}.yaml does not explain", "missing in", "records")
    table.add_column("code")
    for part, found in check.unmapped.items():
        for code, count in found.codes.items():
            table.add_row(part, _count(count), escape(code))
        if found.more:
            more, records = _count(found.more), _count(found.more_records)
            table.add_row(part, "", f"and {more} more codes in {records} records")
        table.add_section()
    return table


def _groups(check: SourceCheck) -> Table:
    table = _table("Groups", "", "records")
    for code, count in check.groups.items():
        table.add_row(labels().group(code).en, _count(count))
    return table


def _notices(check: SourceCheck) -> Table:
    """What cannot be read and what deserves a look; of contradictions also what decides them."""
    table = _table("Worth a look", "", "records")
    table.add_column("decided by")
    for reason, count in check.unreadable.items():
        table.add_row(labels().reason(reason).en, _count(count))
    for code, count in check.notices.items():
        decided = f"contradiction.{code}: {check.wins[code]}" if code in check.wins else ""
        table.add_row(labels().notices[code].en, _count(count), decided)
    return table


def _table(title: str, heading: str, *counts: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(heading)
    for count in counts:
        table.add_column(count, justify="right")
    return table


def _count(count: int) -> str:
    return f"{count:,}"
