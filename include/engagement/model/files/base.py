"""What the readings of all kinds of files have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from engagement.errors import EngagementError
from engagement.model.records import Records, Values, first_filled
from engagement.model.source import Export
from engagement.settings import settings

_BLOCK_ROWS = 500


class Reading(ABC):
    """The patron records of an export, or one part of them.

    Attributes:
        carrier: the encoding that takes values back to the bytes of the file; None where they are text.
        as_of: of when the data is: when the newest of the files was last written.
    """

    carrier: str | None = None
    as_of: datetime

    def __init__(self, export: Export, shard: int, shards: int) -> None:
        """Take what the columns mean, and which part of the records is read."""
        self._first, self._shards = shard or shards, shards
        self._fields = export.columns
        self._names = tuple(dict.fromkeys(chain.from_iterable(export.columns.values())))
        # Where each name stands in what `_values` returns.
        self._places: Sequence[int] = range(len(self._names))

    @property
    @abstractmethod
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Heading or JSON path, and kind, of what the export holds, sorted: its shape."""

    def count(self) -> int:
        """Return how many records there are to read, counted another way than `chunks` reads them.

        Count before reading: this pass finds what makes the export as a whole unreadable.

        Raises:
            EngagementError: the export cannot be split into records, or is not complete.
        """
        return len(range(self._first, self.whole_count() + 1, self._shards))

    def whole_count(self) -> int:
        """Return how many records the export holds, whatever part of it is read."""
        return self._whole_count

    @cached_property
    def _whole_count(self) -> int:
        return self._count()

    def chunks(self, size: int) -> Iterator[Records]:
        """Yield the records, at most `size` at a time, with their numbers in the whole export.

        Raises:
            EngagementError: the export turns out to be unreadable on the way.
        """
        records = islice(self._records(), self._first - 1, None, self._shards)
        numbers = count(self._first, self._shards)
        while len(chunk := self._chunk(islice(records, size), numbers)):
            yield chunk

    @abstractmethod
    def _count(self) -> int:
        """Return how many records the export holds."""

    @abstractmethod
    def _records(self) -> Iterator[Any]:
        """Yield each record of the export as the library of its format gives it."""

    @abstractmethod
    def _values(self, record: Any) -> Sequence[str | None] | bytes:
        """Return a record's values, or the bytes of a record that is malformed."""

    def _chunk(self, records: Iterator[Any], numbers: Iterator[int]) -> Records:
        readable: list[int] = []
        malformed: list[tuple[int, bytes]] = []
        columns: list[Values] = [[] for _ in self._names]
        # Thousands of rows at once would keep the garbage collector busier than the reading.
        while block := list(islice(records, _BLOCK_ROWS)):
            rows = []
            for values, number in zip(map(self._values, block), numbers, strict=False):
                if isinstance(values, bytes):
                    malformed.append((number, values))
                else:
                    readable.append(number)
                    rows.append(values)
            for column, place in zip(columns, self._places, strict=True):
                column.extend([row[place] for row in rows])
        by_name = dict(zip(self._names, columns, strict=True))
        fields: dict[str, Values] = {
            field: first_filled([by_name[name] for name in names])
            for field, names in self._fields.items()
        }
        return Records(readable, fields, malformed)


def last_written(*files: Path) -> datetime:
    """Return when the newest of the files was written, by the library's clock on the wall."""
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files), settings().zone)


def require_file(path: Path, label: str) -> None:
    """Raise EngagementError unless there is a file at `path` that can be read and holds something."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise EngagementError(
            f"There is no file {path}; let {label} export its patrons to it."
        ) from None
    except IsADirectoryError:
        raise EngagementError(
            f"{path} is a folder; name the file that {label} exported, or for the JSON of an API set "
            "the key records of export in the YAML."
        ) from None
    except OSError as error:
        raise EngagementError(
            f"{path} cannot be read ({error.strerror}); see to its place and its permissions."
        ) from None
    if size == 0:
        raise EngagementError(f"{path} is empty; let {label} export its patrons again.")


def positions(headings: Sequence[str], names: Sequence[str], file: str) -> list[int]:
    """Return where each of `names` stands in the headings of a file.

    Raises:
        EngagementError: one is missing or stands there twice.
    """
    if missing := [name for name in names if name not in headings]:
        raise EngagementError(
            f"{file} has no column {', '.join(missing)}; export it too, or correct the columns of "
            "export in the YAML."
        )
    if twice := [name for name in names if headings.count(name) > 1]:
        raise EngagementError(
            f"{file} has the column {', '.join(twice)} more than once; rename the one that is not meant."
        )
    return [headings.index(name) for name in names]


def as_text(value: Any) -> str | None:
    """Return a value of a cell or of JSON as text; a boolean is "true" or "false", None stays."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
