"""Excel: workbooks (.xlsx) as text, streamed; formulas count by the value last worked out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from pathlib import Path
from typing import Any

from engagement.errors import EngagementError
from engagement.text import clean

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")  # the container of .xls, and of a workbook with a password
_ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"}
_BEYOND_EXCEL = 10**15  # it keeps 15 digits of a number: of a longer one nobody knows what it was


def require_open_format(path: Path, beginning: bytes) -> None:
    """Raise EngagementError where a file begins as an old .xls or a workbook with a password does."""
    if beginning.startswith(_OLE):
        raise EngagementError(
            f"{path.name} is protected by a password or an old .xls; open it in Excel, take the "
            "password off and save it as .xlsx."
        )


@contextmanager
def whole(path: Path) -> Iterator[None]:
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
def opened(path: Path) -> Iterator[Any]:
    """Open a workbook of openpyxl for the block, to be read row by row.

    Raises:
        EngagementError: it is damaged, or no workbook.
    """
    import openpyxl

    warnings.filterwarnings("ignore", module="openpyxl")  # they may quote a cell
    with whole(path):
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            yield book
        finally:
            book.close()


def filled_rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a sheet that hold anything."""
    sheet.reset_dimensions()  # some programs write a size that is not the sheet's
    return (row for row in sheet.iter_rows(values_only=True) if any(v is not None for v in row))


def headings(sheet: Any) -> Sequence[str]:
    """Return the cleaned texts of the first row that holds anything."""
    return [clean(cell_text(value) or "") for value in next(filled_rows(sheet), ())]


def cell_text(value: Any) -> str | None:
    """Return a cell as text, and NULL where it holds an error or a number that Excel has rounded.

    A whole number is written without ".0", a boolean as "true" or "false", a date as 2018-09-30, a date with
    an hour as 2018-09-30T16:00:00.
    """
    if value is None or isinstance(value, str):
        return None if value in _ERRORS else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and abs(value) >= _BEYOND_EXCEL:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return (value.date() if value.time() == time.min else value).isoformat()
    return str(value)
