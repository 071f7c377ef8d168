"""The table in a list, whether it is a workbook or CSV: its headings found, its rows as text and dates."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import PurePath
from typing import Any

from engagement import dates
from engagement.excel import cell_text
from engagement.monitor.work_items.items import LIMITS
from engagement.monitor.work_items.sheet import Cells, odd_cells
from engagement.monitor.work_items.vocabulary import clean, sentence, words

MAX_ROWS = 5_000
MAX_BYTES = 8_000_000  # unpacked too: a small file can unpack into one that takes minutes to read
_MAX_MARKUP = 50_000  # tags of a workbook's styles and names: openpyxl makes an object of each
_MAX_COLUMNS = 50
_LONGEST_CELL = 32_767  # characters; what a spreadsheet holds
_NEVER = 2200  # years that nobody means
_HEADING_ROWS = 10  # people put a title above the table
_NEEDED = ("section", "title", "status", "period")  # without these no row can be placed
_MISSED = ("id", "owner", "progress")
_OF_DECISIONS = ("wanted", "deadline", "decided", "decided_by", "decided_on")
_END = "\x04"  # stands alone behind the last line of CSV, where no quote is open


@dataclass(frozen=True)
class Broken:
    """A cell whose value is not known; `fault` names the sentence about it."""

    fault: str


Value = str | date | Broken | None
Grid = list[list[Value]]
Found = tuple[Grid, list[str]]  # the cells, and sentences about what beside them was not read


class Unreadable(Exception):
    """A list as a whole, or the place of the lists, cannot be read; carries the sentence."""

    def __init__(self, name: str, **parts: str) -> None:
        """Take which sentence it is, and what stands in it."""
        super().__init__(sentence(name, **parts))


@dataclass
class Row:
    """A filled row of the table, its values by column code; what is wrong in it is collected, cell by cell."""

    number: int
    values: Mapping[str, Value]
    letters: Mapping[str, str]
    faults: dict[str, str] = field(default_factory=dict)

    def cell(self, column: str) -> str:
        """Return what the cell is called: C2."""
        letter = self.letters.get(column)
        return f"{letter}{self.number}" if letter else f"{words()['columns'][column]}/{self.number}"

    def fault(self, name: str, column: str) -> None:
        """Write down what is wrong with a cell; only the first thing is told."""
        self.faults.setdefault(column, sentence(name, cell=self.cell(column)))

    def text(self, column: str) -> str:
        """Return a cell as text that can be shown, empty where there is none."""
        value = self.values.get(column)
        if isinstance(value, Broken):
            self.fault(value.fault, column)
            return ""
        return clean("" if value is None else str(value), LIMITS.get(column, 80))

    def day(self, column: str) -> date | None:
        """Return the day that a cell says; a Buddhist year is told by its size, two digits tell nothing."""
        text = self.text(column)
        # Who types 15/8/2561 into Excel gets a date cell of the Gregorian year 2561.
        day = dates.parse(text, "gregorian") if re.search(r"\d{4}", text) else None
        if text and (day is None or day.year >= _NEVER):
            self.fault("bad_date", column)
        return day


def read(name: str, content: bytes) -> tuple[list[Row], list[str]]:
    """Return the filled rows of a list below its headings, and sentences about what was not read.

    Args:
        name: of the file: its end tells its kind.
        content: its bytes.

    Raises:
        Unreadable: it is broken, of another kind, too large, or has not the headings.
    """
    kind = KINDS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise Unreadable("other_kind")
    if not content.strip():
        raise Unreadable("empty")
    grid, faults = kind(content)
    heading, letters = _headings(grid)
    faults += [
        sentence("no_column", heading=words()["columns"][code]) for code in _missing(letters)
    ]
    if len(grid) > MAX_ROWS:
        faults.append(sentence("too_many_rows", rows=f"{MAX_ROWS:,}"))
    return list(_filled(grid[:MAX_ROWS], heading, letters)), faults


def _filled(grid: Grid, heading: int, letters: Mapping[str, str]) -> Iterator[Row]:
    places = {code: _column(letter) for code, letter in letters.items()}
    for number, cells in enumerate(grid[heading:], start=heading + 1):
        values = {code: cells[at] for code, at in places.items() if at < len(cells)}
        if any(value not in (None, Broken("merged")) for value in values.values()):
            yield Row(number, values, letters)


def _column(letter: str) -> int:
    from openpyxl.utils import column_index_from_string

    return column_index_from_string(letter) - 1


def _headings(grid: Grid) -> tuple[int, dict[str, str]]:
    """Return the number of the heading row and the letter of each column found in it."""
    best, letters = _most_headings(grid)
    for code in _NEEDED:
        if code not in letters:
            raise Unreadable("no_column", heading=words()["columns"][code])
    return best + 1, letters


def _most_headings(grid: Grid) -> tuple[int, dict[str, str]]:
    """Return the index of the row with most headings, and the letter of each column found in it."""
    found = [_letters(cells) for cells in grid[:_HEADING_ROWS]]
    best = max(range(len(found)), key=lambda at: len(found[at]), default=0)
    return best, found[best] if found else {}


def _letters(cells: Sequence[Value]) -> dict[str, str]:
    """Return the letter of each column whose heading stands among `cells`."""
    from openpyxl.utils import get_column_letter

    codes = {heading: code for code, heading in words()["columns"].items()}
    found: dict[str, str] = {}
    for number, value in enumerate(cells, start=1):
        code = codes.get(clean(value)) if isinstance(value, str) else None
        if code is not None:
            found.setdefault(code, get_column_letter(number))
    return found


def _missing(letters: Mapping[str, str]) -> list[str]:
    """Return the columns whose absence is told; a list without decisions needs none of theirs."""
    wanted = [*_MISSED, *(_OF_DECISIONS if set(_OF_DECISIONS) & set(letters) else ())]
    return [code for code in wanted if code not in letters]


def _workbook(content: bytes) -> Found:
    """Return the cells of the sheet of work, at most one row more than MAX_ROWS."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise Unreadable("too_large")
            return _cells(content, _odd_cells(archive))
    except Unreadable:
        raise
    except Exception:
        # A broken workbook fails in openpyxl in a dozen ways; none of them may stop the report.
        raise Unreadable("unreadable") from None


def _odd_cells(archive: zipfile.ZipFile) -> dict[str, tuple[Cells, Cells]]:
    """Return `sheet.odd_cells` of every sheet.

    Raises:
        Exception: reading the workbook would take long, and no spreadsheet program writes such a list.
    """
    found = {}
    for name in archive.namelist():
        part = archive.read(name)
        if b"<!DOCTYPE" in part:  # entities, which can say much in few bytes
            raise Unreadable("unreadable")
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            found[name] = odd_cells(part, MAX_ROWS + 1, _MAX_COLUMNS)
        elif "sharedStrings" not in name and part.count(b"<") > _MAX_MARKUP:
            raise Unreadable("unreadable")
    return found


def _cells(content: bytes, odd: Mapping[str, tuple[Cells, Cells]]) -> Found:
    import openpyxl

    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    sheet, others = _sheet_of_work(book.worksheets)
    uncomputed, hidden = odd[sheet._worksheet_path]
    broken = dict.fromkeys(hidden, Broken("merged")) | dict.fromkeys(
        uncomputed, Broken("uncomputed")
    )
    grid: Grid = [
        [broken.get((row, column)) or _value(cell) for column, cell in enumerate(cells, start=1)]
        for row, cells in enumerate(_rows(sheet, MAX_ROWS + 1), start=1)
    ]
    own = clean(sheet.title)
    return grid, [sentence("other_sheet", sheet=clean(one.title), own=own) for one in others]


def _sheet_of_work(sheets: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Return the sheet that is read, by its name or else by its headings, and others that have headings too."""
    possible = [one for one in sheets if clean(one.title) != words()["example"]["sheet"]]
    own = [one for one in possible if clean(one.title) == words()["sheet"]]
    headed = [one for one in possible if _has_headings(one)]
    if not possible:
        raise Unreadable("no_sheet", sheet=words()["sheet"])
    read = (own or headed or possible)[0]
    return read, [one for one in headed if one is not read]


def _has_headings(sheet: Any) -> bool:
    grid: Grid = [[_value(cell) for cell in cells] for cells in _rows(sheet, _HEADING_ROWS)]
    return set(_NEEDED) <= _most_headings(grid)[1].keys()


def _rows(sheet: Any, count: int) -> Any:
    sheet.reset_dimensions()  # some programs write a size that is not the sheet's
    return sheet.iter_rows(max_row=count, max_col=_MAX_COLUMNS)


def _value(cell: Any) -> Value:
    value = cell.value
    if cell.data_type == "e":
        return Broken("formula_error")
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, int | float) and "%" in cell.number_format:
        return f"{value * 100:g}%"  # a cell that shows 60 % holds 0.6
    return _text(value) if isinstance(value, str) else cell_text(value)


def _text(typed: str) -> Value:
    """Return text as it is, but a failed formula that was saved as text."""
    return cell_text(typed) or (Broken("formula_error") if typed else None)


def _delimited(content: bytes) -> Found:
    """Return the values of CSV, separated by whatever makes most headings of it."""
    text = _decoded(content)
    try:
        grids = [_split(text, delimiter) for delimiter in ",;\t"]
    except csv.Error:
        raise Unreadable("unreadable") from None
    grid = max(grids, key=lambda grid: len(_most_headings(grid)[1]))
    return _whole(grid, ends_a_line=text.endswith(("\n", "\r"))), []


def _whole(grid: Grid, *, ends_a_line: bool) -> Grid:
    """Return the rows without the mark behind them.

    Raises:
        Unreadable: the file ends before its table does: it is still being written, or an upload was cut off.
    """
    if [_END] not in grid[-1:]:
        if len(grid) > MAX_ROWS:
            return grid
        raise Unreadable("cut_off")  # a quote is open
    rows = grid[:-1]
    # Editors leave the last line end away, spreadsheets empty fields; both at once is a line cut through.
    if not ends_a_line and len(rows[-1]) < len(rows[_most_headings(rows)[0]]):
        raise Unreadable("cut_off")
    return rows


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp874"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:  # room that was made for a file which is not written yet
            raise Unreadable("cut_off")
        return text
    raise Unreadable("undecodable")


def _split(text: str, delimiter: str) -> Grid:
    ending = "" if text.endswith(("\n", "\r")) else "\n"
    rows = csv.reader(io.StringIO(text + ending + _END, newline=""), delimiter=delimiter)
    found: Grid = []
    for row in islice(rows, MAX_ROWS + 2):
        if max(map(len, row), default=0) > _LONGEST_CELL:  # a quote that never closes
            raise Unreadable("unreadable")
        found.append([_text(value) for value in row[:_MAX_COLUMNS]])
    return found


KINDS: Mapping[str, Callable[[bytes], Found]] = {".xlsx": _workbook, ".csv": _delimited}
