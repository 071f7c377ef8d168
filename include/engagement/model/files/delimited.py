"""CSV: values travel as Latin-1, which carries every byte, and are decoded one by one later."""

from __future__ import annotations

import codecs
import csv
import logging
import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, starmap
from pathlib import Path
from typing import TextIO

from engagement.errors import EngagementError
from engagement.model.files.base import Reading, last_written, positions
from engagement.model.records import LONGEST_VALUE
from engagement.model.source import Export
from engagement.text import clean, decode

_CARRIER = "latin-1"
# A file that is whole ends with its last line, or with the quote that closes its last value.
_ENDS = (b"\n", b"\r", b'"')
# What is longer (characters) is no record but the rest of the file after a quote that never closes.
_LONGEST_RECORD = 1 << 25
_BINARY = re.compile(
    "[\0-\x08\x0e-\x1f]"
)  # as in UTF-16, whose mark at the beginning may be missing
_BLOCK = 1 << 20
_log = logging.getLogger(__name__)


class _Unended(list[str]):
    """A last record whose end may have been cut off."""


class DelimitedText(Reading):
    """A file of records that end with their line, and of values between delimiters and quotes.

    Quotes are understood as spreadsheets do: one that opens a value closes it, two within it stand for
    one, and one elsewhere is text (RFC 4180, and what the csv module makes of the rest).
    """

    carrier = _CARRIER

    def __init__(self, path: Path, export: Export, label: str, shard: int, shards: int) -> None:
        """Read the headings.

        Raises:
            EngagementError: they are not those that `export` names, or the file is no such text.
        """
        super().__init__(export, shard, shards)
        self.as_of = last_written(path)
        self._path = path
        self._delimiter = export.delimiter
        with path.open("rb") as file:
            self._start = 3 if file.read(3) == codecs.BOM_UTF8 else 0
            file.seek(-1, os.SEEK_END)
            self._is_ended = file.read(1) in _ENDS
        headings = self._headings()
        if len(headings) == 1 and len(self._names) > 1:
            raise EngagementError(
                f"{path.name} has only one column: its values are not separated by "
                f"{export.delimiter!r}; set the key delimiter of export in the YAML of {label}."
            )
        self._width = len(headings)
        self._places = positions(headings, [clean(name) for name in self._names], path.name)
        self._shape = tuple((heading, "text") for heading in sorted(headings))

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Heading and kind of each column, sorted."""
        return self._shape

    def _count(self) -> int:
        """Scan for quotes and line ends."""
        record = _record_pattern(self._delimiter)
        records = -1  # the headings
        pending = ""
        with self._text(newline=None) as file:
            for block in chain(iter(lambda: file.read(_BLOCK), ""), "\n"):
                text = pending + block
                at = 0
                while found := record.match(text, at):
                    records += found.end() > at + 1  # a blank line is no record
                    at = found.end()
                pending = text[at:]
                if len(pending) > _LONGEST_RECORD:
                    break
        if pending:
            raise self._unclosed(f"record {records + 1:,} does")
        return records

    def _records(self) -> Iterator[list[str]]:
        csv.field_size_limit(_LONGEST_RECORD)
        with self._text(newline="") as file:
            rows = filter(None, csv.reader(file, delimiter=self._delimiter))
            try:
                next(rows, None)  # the headings
                yield from rows if self._is_ended else _with_unended(rows)
            except csv.Error:
                raise self._unclosed("some record does") from None

    def _values(self, record: list[str]) -> Sequence[str] | bytes:
        whole = self._delimiter.join(record)
        if isinstance(record, _Unended):
            _log.warning(
                "%s does not end with the end of a line: its last record may be cut off, and is kept in "
                "quarantine; see that the export is whole.",
                self._path.name,
            )
            return whole.encode(_CARRIER)
        if "\n" in whole and any(starmap(self._is_swallowed, enumerate(record))):
            return whole.encode(_CARRIER)
        if len(record) == self._width and (
            len(whole) <= LONGEST_VALUE or max(map(len, record)) <= LONGEST_VALUE
        ):
            return record
        return whole.encode(_CARRIER)

    def _is_swallowed(self, place: int, value: str) -> bool:
        """Say whether a lost quote took the records that follow for a part of the value in this column.

        Then its first line has the rest of its own record, its last one the beginning of another, and each
        between them a whole one.
        """
        first, *rest = value.split("\n")
        between = [self._width - 1] * (len(rest) - 1)
        least = [self._width - 1 - place, *between, place]
        return bool(rest) and all(
            line.count(self._delimiter) >= count
            for line, count in zip((first, *rest), least, strict=True)
        )

    def _headings(self) -> list[str]:
        csv.field_size_limit(LONGEST_VALUE)
        with self._text(newline="") as file:
            try:
                found = next(filter(None, csv.reader(file, delimiter=self._delimiter)), None)
            except csv.Error:
                raise self._unclosed("the headings do") from None
        if found is None:
            raise EngagementError(f"{self._path.name} holds blank lines only; export it again.")
        if any(map(_BINARY.search, found)):
            raise EngagementError(
                f"{self._path.name} is no text in UTF-8 or cp874; save it as “CSV UTF-8”."
            )
        return [clean(_heading(heading)) for heading in found]

    def _text(self, newline: str | None) -> TextIO:
        file = self._path.open(encoding=_CARRIER, newline=newline)
        file.seek(self._start)
        return file

    def _unclosed(self, what: str) -> EngagementError:
        return EngagementError(
            f"{self._path.name} cannot be split into records: {what} not end, as after a quote that never "
            "closes; correct it there, or export the file again."
        )


def _with_unended(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield the rows, the last one as what may have been cut off."""
    for row, following in pairwise(chain(rows, [None])):
        if row is not None:
            yield row if following is not None else _Unended(row)


def _record_pattern(delimiter: str) -> re.Pattern[str]:
    """Return what matches one whole record, or a blank line, with the line feed at its end."""
    rest = rf"[^{re.escape(delimiter)}\n]*+"
    value = rf'(?:"[^"]*+(?:""[^"]*+)*+"{rest}|(?!"){rest})'
    return re.compile(rf"{value}(?:{re.escape(delimiter)}{value})*+\n")


def _heading(carried: str) -> str:
    return decode(carried.encode(_CARRIER), ("utf-8", "cp874")) or carried
