"""The table in a list, whether it is a workbook or CSV: its headings found, its rows as text and dates."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import PurePath
from typing import Any

from engagement import dates
from engagement.excel import cell_text
from engagement.monitor.work_items.items import LIMITS
from engagement.monitor.work_items.vocabulary import clean, sentence, words

MAX_ROWS = 5_000
MAX_BYTES = 50_000_000  # unpacked: a small file can unpack into a machine-filling one
_MAX_COLUMNS = 50
_MAX_MERGED = 300
_LONGEST_CELL = 32_767  # characters; what a spreadsheet holds
_NEVER = 2200  # years that nobody means
_HEADING_ROWS = 10  # people put a title above the table
_NEEDED = ("section", "title", "status", "period")  # without these no row can be placed
_MISSED = ("id", "owner", "progress")
_OF_DECISIONS = ("wanted", "deadline", "decided", "decided_by", "decided_on")
# In a sheet's XML: the ranges that are one cell now, and formulas without a value beside them. A program that
# worked one out to be empty says that it is text.
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
_UNCOMPUTED = re.compile(
    rb'<c (?![^>]*t="str")[^>]*?r="([A-Z]+\d+)"[^>]*><f[^>]*?(?:/>|>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>'
)


@dataclass(frozen=True)
class Broken:
    """A cell whose value is not known; `fault` names the sentence about it."""

    fault: str


Value = str | date | Broken | None
Grid = list[list[Value]]


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
    grid = kind(content)
    heading, letters = _headings(grid)
    faults = [sentence("no_column", heading=words()["columns"][code]) for code in _missing(letters)]
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
    found = [_letters(cells) for cells in grid[:_HEADING_ROWS]]
    best = max(range(len(found)), key=lambda at: len(found[at]), default=0)
    letters = found[best] if found else {}
    for code in _NEEDED:
        if code not in letters:
            raise Unreadable("no_column", heading=words()["columns"][code])
    return best + 1, letters


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


def _workbook(content: bytes) -> Grid:
    """Return the cells of the sheet of work, at most one row more than MAX_ROWS."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise Unreadable("too_large")
            return _cells(content, archive)
    except Unreadable:
        raise
    except Exception:
        # A broken workbook fails in openpyxl in a dozen ways; none of them may stop the report.
        raise Unreadable("unreadable") from None


def _cells(content: bytes, archive: zipfile.ZipFile) -> Grid:
    import openpyxl

    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    own = words()["sheet"]
    sheet: Any = book[own] if own in book.sheetnames else book.worksheets[0]
    broken = _broken(archive.read(sheet._worksheet_path))
    sheet.reset_dimensions()  # some programs write a size that is not the sheet's
    rows = sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=_MAX_COLUMNS)
    return [
        [broken(row, column) or _value(cell) for column, cell in enumerate(cells, start=1)]
        for row, cells in enumerate(rows, start=1)
    ]


def _broken(xml: bytes) -> Callable[[int, int], Broken | None]:
    """Return what tells of a row and a column whether their value is hidden by a merge or was never worked out."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.cell_range import CellRange

    merged = [CellRange(ref.decode()) for ref in _MERGED.findall(xml)[:_MAX_MERGED]]
    uncomputed = {ref.decode() for ref in _UNCOMPUTED.findall(xml)}

    def broken(row: int, column: int) -> Broken | None:
        if f"{get_column_letter(column)}{row}" in uncomputed:
            return Broken("uncomputed")
        for part in merged:
            is_first = (row, column) == (part.min_row, part.min_col)
            is_in = part.min_row <= row <= part.max_row and part.min_col <= column <= part.max_col
            if is_in and not is_first:
                return Broken("merged")
        return None

    return broken


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


def _delimited(content: bytes) -> Grid:
    """Return the values of CSV, separated by whatever makes most headings of it."""
    text = _decoded(content)
    try:
        grids: Iterable[Grid] = [_split(text, delimiter) for delimiter in ",;\t"]
    except csv.Error:
        raise Unreadable("unreadable") from None
    return max(
        grids, key=lambda grid: max((len(_letters(cells)) for cells in grid[:10]), default=0)
    )


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp874"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("undecodable")


def _split(text: str, delimiter: str) -> Grid:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found: Grid = []
    for row in islice(rows, MAX_ROWS + 1):
        if max(map(len, row), default=0) > _LONGEST_CELL:  # a quote that never closes
            raise Unreadable("unreadable")
        found.append([_text(value) for value in row[:_MAX_COLUMNS]])
    return found


KINDS: Mapping[str, Callable[[bytes], Grid]] = {".xlsx": _workbook, ".csv": _delimited}
