"""Reads the rows of an export: CSV of any separator and encoding, zipped or not, or an Excel workbook."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO

from engagement import excel
from engagement.errors import EngagementError
from engagement.text import decode

Row = Sequence[str] | None  # None is a row with more or fewer cells than headings
# How many of the headings that are looked for are among those of a file.
Fit = Callable[[Sequence[str]], int]

_ZIP = b"PK\x03\x04"
_DELIMITERS = (",", ";", "\t", "|")
_LONGEST_CELL = 1 << 20  # characters; what is longer is the rest of the file after a lost quote
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Table:
    """An export: its headings, and the rows below them that hold something, to be read once."""

    headings: Sequence[str]
    rows: Iterator[Row]


def opened(path: Path, fit: Fit) -> Table:
    """Return an export, ready to be read row by row.

    Args:
        path: the file; what it is tells its content, not its name.
        fit: chooses the separator of a CSV and the sheet of a workbook: the one with most headings.

    Raises:
        EngagementError: the file cannot be read, or is no table; reading the rows raises it too.
    """
    beginning = _beginning(path)
    excel.require_open_format(path, beginning)
    if not beginning.startswith(_ZIP):
        return _text(path, None, fit)
    member = _zipped(path)
    return _text(path, member, fit) if member else _sheet(path, fit)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
    except OSError as error:
        raise EngagementError(
            f"{path} cannot be read ({error.strerror}); see to its place and its permissions."
        ) from None
    if not beginning:
        raise EngagementError(f"{path.name} is empty; export the answers again.")
    return beginning


def _zipped(path: Path) -> str | None:
    """Return the name of the one CSV that a .zip holds (Google packs it so), or None for a workbook."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = [name for name in packed.namelist() if not name.endswith("/")]
    except zipfile.BadZipFile:
        raise EngagementError(
            f"{path.name} is not whole; export the answers again, or wait until it is copied."
        ) from None
    if "[Content_Types].xml" in names:
        return None
    tables = [name for name in names if name.lower().endswith(".csv")]
    if len(tables) != 1:
        raise EngagementError(
            f"{path.name} does not hold one .csv but {len(tables)}; unpack it, and bring in the one with the "
            "answers."
        )
    return tables[0]


@contextmanager
def _bytes(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    if member is None:
        with path.open("rb") as file:
            yield file
        return
    try:
        with zipfile.ZipFile(path) as packed, packed.open(member) as unpacked:
            yield unpacked
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
        raise EngagementError(
            f"{path.name} cannot be unpacked; unpack it yourself, or export the answers again."
        ) from None


# CSV


def _text(path: Path, member: str | None, fit: Fit) -> Table:
    encoding = _encoding(path, member)
    by_delimiter = {
        mark: _headings(_records(path, member, encoding, mark), path) for mark in _DELIMITERS
    }
    delimiter = max(_DELIMITERS, key=lambda mark: fit(by_delimiter[mark]))
    headings = by_delimiter[delimiter]
    records = _records(path, member, encoding, delimiter)
    return Table(headings, _rows(records, len(headings), path))


def _encoding(path: Path, member: str | None) -> str:
    """Return the encoding that the whole file is in."""
    with _bytes(path, member) as file:
        beginning = file.read(_BLOCK)
        if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"  # what Excel calls Unicode text
        if beginning.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if b"\0" in beginning.partition(b"\n")[0]:
            raise _no_text(path)
        if _is_utf8(chain([beginning], iter(lambda: file.read(_BLOCK), b""))):
            return "utf-8"
    if decode(beginning, ("cp874",)) is None:
        raise _no_text(path)
    return "cp874"


def _is_utf8(blocks: Iterator[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in blocks:
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _records(path: Path, member: str | None, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the records that hold something, the headings first."""
    csv.field_size_limit(_LONGEST_CELL)
    with _bytes(path, member) as file:
        text = io.TextIOWrapper(file, encoding, newline="")
        for record in csv.reader(text, delimiter=delimiter, strict=True):
            if any(cell.strip() for cell in record):
                yield record


def _headings(records: Iterator[list[str]], path: Path) -> list[str]:
    """Return the first record; none where it cannot be split by its delimiter."""
    try:
        return next(records, [])
    except csv.Error:
        return []
    except UnicodeError:
        raise _no_text(path) from None


def _rows(records: Iterator[list[str]], width: int, path: Path) -> Iterator[Row]:
    number = 1
    try:
        for number, record in enumerate(records, start=1):
            if number > 1:  # below the headings
                yield record[:width] if _has_width(record, width) else None
    except csv.Error:
        raise EngagementError(
            f"{path.name} cannot be split into rows behind row {number:,}, as after a quote that never "
            "closes; export the answers again."
        ) from None
    except UnicodeError:
        raise _no_text(path) from None


def _has_width(record: Sequence[str], width: int) -> bool:
    return len(record) >= width and not any(cell.strip() for cell in record[width:])


def _no_text(path: Path) -> EngagementError:
    return EngagementError(
        f"{path.name} is no text in UTF-8, UTF-16 or cp874; save it as “CSV UTF-8”."
    )


# Excel


def _sheet(path: Path, fit: Fit) -> Table:
    with excel.opened(path) as book:
        headings = [excel.headings(sheet) for sheet in book.worksheets] or [()]
    number = max(range(len(headings)), key=lambda sheet: fit(headings[sheet]))
    return Table(headings[number], _sheet_rows(path, number, len(headings[number])))


def _sheet_rows(path: Path, number: int, width: int) -> Iterator[Row]:
    with excel.opened(path) as book:
        for row in islice(excel.filled_rows(book.worksheets[number]), 1, None):
            cells = [excel.cell_text(value) or "" for value in row]
            if any(cell.strip() for cell in cells):
                cells += [""] * (width - len(cells))  # Excel leaves out empty cells at the end
                yield cells[:width] if _has_width(cells, width) else None
