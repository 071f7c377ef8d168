"""Excel: one sheet of a workbook (.xlsx), streamed; formulas count by the value last worked out."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from engagement import excel
from engagement.errors import EngagementError
from engagement.model.files.base import Reading, last_written, positions
from engagement.model.source import Export
from engagement.text import clean

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Workbook(Reading):
    """The rows below the headings of one sheet: the only one that has them all, else the first.

    Text stays as it is; a whole number is written without ".0", a boolean as "true" or "false", a date as
    2018-09-30, a date with an hour as 2018-09-30T16:00:00. An error value (#N/A), a formula that was never
    worked out, a number of more than 15 digits (a long id that Excel took for one) and an empty cell are
    NULL. A row of empty cells is no record.
    """

    def __init__(self, path: Path, export: Export, label: str, shard: int, shards: int) -> None:
        """Choose the sheet by its headings.

        Raises:
            EngagementError: no sheet has those that `export` names, or the file is no such workbook.
        """
        super().__init__(export, shard, shards)
        self.as_of = last_written(path)
        self._path = path
        with path.open("rb") as file:
            excel.require_open_format(path, file.read(8))
        names = [clean(name) for name in self._names]
        with excel.opened(path) as book:
            headings = [excel.headings(sheet) for sheet in book.worksheets]
            fitting = [i for i, found in enumerate(headings) if set(names) <= set(found)]
            if len(fitting) > 1:
                named = ", ".join(book.sheetnames[i] for i in fitting)
                raise EngagementError(
                    f"{path.name} has the same headings on several sheets ({named}); leave one of them in it."
                )
            self._sheet = fitting[0] if fitting else 0
            self._member = book.worksheets[self._sheet]._worksheet_path
        self._positions = positions(headings[self._sheet], names, path.name)
        self._shape = tuple((found, "text") for found in sorted(headings[self._sheet]) if found)

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Heading and kind of each column, sorted."""
        return self._shape

    def _count(self) -> int:
        """Look for rows that hold something in the XML of the sheet."""
        filled = 0
        with (
            excel.whole(self._path),
            zipfile.ZipFile(self._path) as book,
            book.open(self._member) as sheet,
        ):
            for _, element in ElementTree.iterparse(sheet):  # noqa: S314 - expat limits entities
                if element.tag == f"{_MAIN}row":
                    filled += any(map(_is_filled, element))
                    element.clear()
        return filled - 1

    def _records(self) -> Iterator[tuple[Any, ...]]:
        with excel.opened(self._path) as book:
            rows = excel.filled_rows(book.worksheets[self._sheet])
            next(rows, None)  # the headings
            yield from rows

    def _values(self, record: tuple[Any, ...]) -> Sequence[str | None]:
        return [excel.cell_text(record[i]) if i < len(record) else None for i in self._positions]


def _is_filled(cell: ElementTree.Element) -> bool:
    if cell.get("t") == "inlineStr":
        return cell.find(f"{_MAIN}is") is not None
    return bool(cell.findtext(f"{_MAIN}v"))
