"""The librarians' spreadsheet of work: written as a template, read for the report of a period.

The file is kept by people, so nothing in it is trusted and nothing in it stops the report: what cannot be
read comes back as sentences that name the cell. Headings, choices and sentences: `include/work_items.yaml`.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import yaml
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from engagement import clock
from engagement.errors import EngagementError
from engagement.period import Period
from engagement.settings import INCLUDE

MAX_ROWS = 5_000
MAX_BYTES = 50_000_000  # unpacked: a small file can unpack into a machine-filling one
LIMITS = {"title": 160, "owner": 80, "status": 40}  # characters shown: the mail has to stay small
HEADING_ROWS = 10  # people put a title above the table
NEEDED = ("section", "title", "status", "period")  # without these no row can be placed
WIDTHS = {"id": 9, "section": 30, "title": 56, "owner": 36, "status": 18, "progress": 18}


@dataclass(frozen=True)
class WorkItem:
    """One piece of work; `period` is None for work that is shown every period until it is done."""

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


@dataclass(frozen=True)
class WorkItems:
    """What the spreadsheet says for one period, in the order of its rows.

    `faults` are sentences for the person who keeps the file. Where `readable` is False the file as a
    whole could not be read: no items is then no statement about the work.
    """

    items: tuple[WorkItem, ...]
    faults: tuple[str, ...]
    read_at: datetime
    readable: bool = True
    last_good_at: datetime | None = None
    first_filed: Mapping[str, date] = field(default_factory=dict)

    def open_decisions(self) -> tuple[WorkItem, ...]:
        """Return the items with a decision wanted and a deadline, and none taken yet, by deadline."""
        wanted = [i for i in self.items if i.wanted and i.deadline and not i.decided]
        return tuple(sorted(wanted, key=lambda item: item.deadline or date.max))

    def section(self, code: str) -> tuple[WorkItem, ...]:
        """Return the items of one section: routine, finished or ongoing."""
        return tuple(item for item in self.items if item.section == code)


class _FileFault(Exception):
    """The file as a whole cannot be read; carries the sentences."""

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences


class _CellFault(Exception):
    """One cell cannot be read, and its row with it; carries the sentence."""


@dataclass(frozen=True)
class _Row:
    """A row of the table, its cells by column code."""

    number: int
    cells: Mapping[str, Any]
    letters: Mapping[str, str]

    def text(self, column: str) -> str:
        cell = self.cells.get(column)
        if cell is None or cell.value is None:
            return ""
        if cell.data_type == "e":
            raise self.fault("formula_error", column)
        return clean(str(cell.value), LIMITS.get(column, 80))

    def fault(self, name: str, column: str) -> _CellFault:
        return _CellFault(_sentence(name, cell=f"{self.letters[column]}{self.number}"))


@cache
def words() -> dict[str, Any]:
    """Return the spreadsheet's words, as `include/work_items.yaml` has them."""
    raw: dict[str, Any] = yaml.safe_load((INCLUDE / "work_items.yaml").read_text(encoding="utf-8"))
    return raw


def clean(text: str, limit: int = 80) -> str:
    """Return `text` on one line without control and invisible characters, at most `limit` long.

    Joiners stay, because emoji and some scripts are spelled with them. Text that looks like a formula
    or like HTML stays what it is: text.
    """
    visible = (
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace()
        or character in "\u200c\u200d"
        or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs")
    )
    line = re.sub(r" +", " ", "".join(visible)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def read(path: Path | None, period: Period) -> WorkItems:
    """Return the work that the spreadsheet at `path` (.xlsx) names for `period`.

    Items of the period and those without one that are not done yet; a row that cannot be read is left
    out and named in `faults`. Nothing is raised for what the file holds, or for its absence.
    """
    read_at = clock.now()
    items: list[WorkItem] = []
    faults: list[str] = []
    try:
        for row in _table(path, faults):
            try:
                items.append(_item(row))
            except _CellFault as fault:
                faults.append(str(fault))
    except _FileFault as fault:
        return WorkItems((), fault.sentences, read_at, readable=False)
    shown = (item for item in items if item.period in (None, period))
    return WorkItems(tuple(shown), tuple(faults), read_at)


def _table(path: Path | None, faults: list[str]) -> Iterator[_Row]:
    """Yield the filled rows below the headings; add to `faults` what does not stop the reading."""
    rows = _sheet(path)
    heading, letters = _headings(rows)
    faults += [
        _sentence("no_column", heading=name)
        for code, name in words()["columns"].items()
        if code not in letters
    ]
    if path is not None and len(rows) > MAX_ROWS:
        faults.append(_sentence("too_many_rows", file=path.name, rows=f"{MAX_ROWS:,}"))
    for number, cells in enumerate(rows[heading:MAX_ROWS], start=heading + 1):
        by_letter = {get_column_letter(i): cell for i, cell in enumerate(cells, start=1)}
        row = {code: by_letter[letter] for code, letter in letters.items() if letter in by_letter}
        if any(cell.value not in (None, "") for cell in row.values()):
            yield _Row(number, row, letters)


def _sheet(path: Path | None) -> list[Sequence[Any]]:
    """Return the cells of the first sheet, row by row, at most one row more than MAX_ROWS."""
    if path is None:
        raise _FileFault(_sentence("not_set"))
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise _FileFault(_sentence("too_large", file=path.name))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write a size that is not the sheet's
        return list(sheet.iter_rows(max_row=MAX_ROWS + 1))
    except _FileFault:
        raise
    except FileNotFoundError:
        raise _FileFault(_sentence("missing", file=path.name)) from None
    except Exception:
        # A broken workbook fails in openpyxl in a dozen ways; none of them may stop the report.
        raise _FileFault(_sentence("unreadable", file=path.name)) from None


def _headings(rows: Sequence[Sequence[Any]]) -> tuple[int, dict[str, str]]:
    """Return the number of the heading row and the letter of each column found in it."""
    codes = {heading: code for code, heading in words()["columns"].items()}
    best: tuple[int, dict[str, str]] = (0, {})
    for number, cells in enumerate(rows[:HEADING_ROWS], start=1):
        found: dict[str, str] = {}
        for index, cell in enumerate(cells, start=1):
            code = codes.get(clean(str(cell.value)))
            if code is not None:
                found.setdefault(code, get_column_letter(index))
        if len(found) > len(best[1]):
            best = number, found
    missing = [words()["columns"][code] for code in NEEDED if code not in best[1]]
    if missing:
        raise _FileFault(*(_sentence("no_column", heading=heading) for heading in missing))
    return best


def _item(row: _Row) -> WorkItem:
    codes = {name: code for code, name in words()["sections"].items()}
    section = codes.get(row.text("section"))
    if section is None:
        raise row.fault("unknown_section", "section")
    title = row.text("title")
    if not title:
        raise row.fault("no_title", "title")
    status, period = row.text("status"), _period(row)
    if period is None and (section == "finished" or status in words()["done"]):
        raise row.fault("done_without_period", "period")
    return WorkItem(
        row.text("id"), section, title, row.text("owner"), status, _progress(row), period
    )


def _period(row: _Row) -> Period | None:
    text = row.text("period")
    if not text:
        return None
    value = row.cells["period"].value
    if isinstance(value, date):  # a spreadsheet makes a date of 2018-06 unasked
        text = f"{value.year:04d}-{value.month:02d}"
    try:
        return Period.parse(text)
    except EngagementError:
        raise row.fault("bad_period", "period") from None


def _progress(row: _Row) -> int | None:
    text = row.text("progress")
    if not text:
        return None
    cell = row.cells["progress"]
    try:
        number = float(text.rstrip("% "))
    except ValueError:
        raise row.fault("bad_progress", "progress") from None
    if cell.data_type == "n" and "%" in cell.number_format:
        number *= 100  # a cell that shows 60 % holds 0.6
    if not 0 <= number <= 100 or 0 < number < 1:
        raise row.fault("bad_progress", "progress")
    return round(number)


def _sentence(name: str, **parts: str) -> str:
    return str(words()["faults"][name]).format(**parts)


def write_template(path: Path) -> None:
    """Write an empty workbook with the headings, the drop-downs and a sheet that explains them.

    Raises:
        EngagementError: there is a file at `path` already; a librarian's work is not overwritten.
    """
    if path.exists():
        raise EngagementError(f"{path} is there already; choose another name, or move it away.")
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = words()["sheet"]
    _write_headings(sheet)
    _offer(sheet, "section", list(words()["sections"].values()), strict=True)
    _offer(sheet, "status", words()["statuses"], strict=False)
    explained = book.create_sheet(words()["help"]["sheet"])
    explained.column_dimensions["A"].width = 110
    for line in words()["help"]["lines"]:
        explained.append([line])
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def _write_headings(sheet: Worksheet) -> None:
    sheet.append(list(words()["columns"].values()))
    sheet.freeze_panes = "A2"
    for cell, code in zip(sheet[1], words()["columns"], strict=True):
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="8F2D1F")
        cell.alignment = Alignment(vertical="center")
        sheet.column_dimensions[_letter(code)].width = WIDTHS.get(code, 14)
    # Text, or the spreadsheet turns 2018-06 into a date.
    sheet.column_dimensions[_letter("period")].number_format = "@"


def _offer(sheet: Worksheet, column: str, choices: Sequence[str], *, strict: bool) -> None:
    """Give the column a drop-down; only a strict one refuses other words."""
    rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
    rule.showErrorMessage = strict
    rule.add(f"{_letter(column)}2:{_letter(column)}{MAX_ROWS}")
    sheet.add_data_validation(rule)


def _letter(column: str) -> str:
    return get_column_letter(list(words()["columns"]).index(column) + 1)
