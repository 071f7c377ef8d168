"""Excel: one sheet of a workbook (.xlsx), streamed; formulas count by the value last worked out."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from engagement.errors import EngagementError
from engagement.model.files.base import Reading, as_text, last_written, positions
from engagement.model.source import Export
from engagement.model.text import clean

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")  # the container of .xls, and of a workbook with a password
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"}

# Excel keeps 15 digits of a number: of a longer one nobody knows what it was.
_BEYOND_EXCEL = 10**15


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
            if file.read(len(_OLE)) == _OLE:
                raise EngagementError(
                    f"{path.name} is protected by a password or an old .xls; open it in Excel, take "
                    "the password off and save it as .xlsx."
                )
        names = [clean(name) for name in self._names]
        with _workbook(path) as book:
            headings = [_headings(sheet) for sheet in book.worksheets]
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
            _whole(self._path),
            zipfile.ZipFile(self._path) as book,
            book.open(self._member) as sheet,
        ):
            for _, element in ElementTree.iterparse(sheet):  # noqa: S314 - expat limits entities
                if element.tag == f"{_MAIN}row":
                    filled += any(map(_is_filled, element))
                    element.clear()
        return filled - 1

    def _records(self) -> Iterator[tuple[Any, ...]]:
        with _workbook(self._path) as book:
            rows = _filled_rows(book.worksheets[self._sheet])
            next(rows, None)  # the headings
            yield from rows

    def _values(self, record: tuple[Any, ...]) -> Sequence[str | None]:
        return [_as_text(record[i]) if i < len(record) else None for i in self._positions]


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say that the workbook is damaged; openpyxl tells that by a dozen kinds of errors."""
    try:
        yield
    except EngagementError:
        raise
    except Exception:
        # What was raised may quote a cell.
        raise EngagementError(
            f"{path.name} is no whole Excel workbook; export it again as .xlsx."
        ) from None


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    import openpyxl

    warnings.filterwarnings("ignore", module="openpyxl")  # they may quote a cell
    with _whole(path):
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            yield book
        finally:
            book.close()


def _filled_rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # some programs write a size that is not the sheet's
    return (row for row in sheet.iter_rows(values_only=True) if any(v is not None for v in row))


def _headings(sheet: Any) -> Sequence[str]:
    return [clean(_as_text(value) or "") for value in next(_filled_rows(sheet), ())]


def _is_filled(cell: ElementTree.Element) -> bool:
    if cell.get("t") == "inlineStr":
        return cell.find(f"{_MAIN}is") is not None
    return bool(cell.findtext(f"{_MAIN}v"))


def _as_text(value: Any) -> str | None:
    if isinstance(value, str):
        return None if value in _ERRORS else value
    if isinstance(value, float) and abs(value) >= _BEYOND_EXCEL:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return (value.date() if value.time() == time.min else value).isoformat()
    return as_text(value)
