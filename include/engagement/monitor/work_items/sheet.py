"""What openpyxl does not tell of a sheet: which cells a merge hides, which formulas nobody has worked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

_CONTENT = {"row", "c", "f", "v", "is", "t"}
_MAX_OTHERS = 20_000  # elements beside the cells' own: openpyxl makes an object of each

Cells = set[tuple[int, int]]  # row and column, from 1


@dataclass
class _Sheet:
    """Takes a sheet's elements as they are read, and keeps none of them."""

    uncomputed: Cells = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    _row: int = 0
    _column: int = 0
    _others: int = 0
    _is_formula: bool = False
    _is_worked_out: bool = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = _name(tag)
        if name == "row":
            self._row = int(float(attributes.get("r", self._row + 1)))
            self._column = 0
        elif name == "c":
            self._column = _column(attributes.get("r", "")) or self._column + 1
            self._is_formula = False
            # A program that worked one out to be empty says that it is text.
            self._is_worked_out = attributes.get("t") == "str"
        elif name == "f":
            self._is_formula = True
        elif name not in _CONTENT:
            self._count(name, attributes)
        self._in_value = name == "v"

    def data(self, text: str) -> None:
        if self._in_value and text:
            self._is_worked_out = True

    def end(self, tag: str) -> None:
        self._in_value = False
        if _name(tag) == "c" and self._is_formula and not self._is_worked_out:
            self.uncomputed.add((self._row, self._column))

    def _count(self, name: str, attributes: Mapping[str, str]) -> None:
        self._others += 1
        if self._others > _MAX_OTHERS:
            raise ValueError("more is in the sheet than a list of work has")
        if name == "mergeCell":
            self.merged.append(attributes["ref"])


def odd_cells(xml: bytes, rows: int, columns: int) -> tuple[Cells, Cells]:
    """Return the cells whose formula has no value beside it, and those that a merge hides.

    Args:
        xml: of the sheet, without a DOCTYPE.
        rows: how many are looked at.
        columns: likewise.

    Raises:
        Exception: it is no sheet, or one that no spreadsheet program writes.
    """
    sheet = _Sheet()
    parser = ElementTree.XMLParser(target=sheet)  # noqa: S314 - who calls has refused entities
    parser.feed(xml)
    parser.close()
    hidden: Cells = set()
    seen = 0
    for reference in sheet.merged:
        for cell in _hidden(reference, rows, columns):
            hidden.add(cell)
            seen += 1
            if seen > rows * columns:
                raise ValueError("merges overlap")
    return sheet.uncomputed, hidden


def _hidden(reference: str, rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Yield all cells of a merge but its first."""
    from openpyxl.worksheet.cell_range import CellRange

    part = CellRange(reference)
    for row in range(part.min_row, min(part.max_row, rows) + 1):
        for column in range(part.min_col, min(part.max_col, columns) + 1):
            if (row, column) != (part.min_row, part.min_col):
                yield row, column


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _column(reference: str) -> int:
    """Return the column that a cell's reference names, 0 where it has none."""
    from openpyxl.utils import column_index_from_string

    letters = reference.rstrip("0123456789")
    return column_index_from_string(letters) if letters else 0
