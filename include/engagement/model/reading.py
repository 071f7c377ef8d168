"""Opens a library system: its database by the queries of its folder, or the files that it exports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.engine import URL

from engagement import clock, warehouse
from engagement.database_error import DatabaseError
from engagement.errors import EngagementError
from engagement.model.records import Columns, Records, Values, first_filled
from engagement.model.source import Source
from engagement.period import Period
from engagement.settings import settings
from engagement.warehouse import Session

FILE = "file"
# What a query asks by that can say how a past month was; a word behind two colons is a type.
_ASKS_OF_WHEN = re.compile(r"(?<!:):as_of_at\b")


class Reading(Protocol):
    """An open source, seen at one instant."""

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Name and type of the columns as the source gives them, sorted: its shape."""

    @property
    def carrier(self) -> str | None:
        """The encoding as which bytes travel as text, or None where text is text."""

    @property
    def as_of(self) -> datetime:
        """The instant that the data is of."""

    def count(self) -> int:
        """Return how many records there are in this part, by another way than reading them."""

    def whole_count(self) -> int:
        """Return how many records there are in all parts together."""

    def chunks(self, size: int) -> Iterator[Records]:
        """Yield all records, at most `size` at a time."""


def located(library: str) -> URL:
    """Return where the library system is: a database, or the path of an export behind `file:`.

    Raises:
        EngagementError: it is neither.
    """
    if library.startswith(f"{FILE}:"):
        path = library.removeprefix(f"{FILE}:").removeprefix("//")
        return URL.create(FILE, database=path)
    return warehouse.parsed(library, "The library (--library or ENGAGEMENT_LIBRARY)")


@contextmanager
def opened(
    source: Source, library: URL, period: Period, shard: int = 0, shards: int = 1
) -> Iterator[Reading]:
    """Open the part `shard` (from 0) of `shards` of a library system.

    Args:
        source: how it is read.
        library: a database, or `file:` and the path of an export, in which {period} stands for the month.
        period: the month that is read.
        shard: which part.
        shards: of how many; every record is in one.

    Raises:
        EngagementError: it does not answer, is no longer what the source's YAML says, or cannot be read.
    """
    if library.drivername == FILE:
        yield _export(source, library, period, shard, shards)
        return
    if source.database is None:
        raise EngagementError(
            f"{source.system}.yaml does not say how a database of {source.label} is read; give the "
            "connection of an exported file, or add the part `database`."
        )
    _require_known(source, library)
    _require_agreement(source)
    with connected(source, library) as session:
        yield DatabaseReading(session, source, shard, shards, period)


def _require_known(source: Source, library: URL) -> None:
    """Raise EngagementError unless the library's database is one that can be read at one instant."""
    kind = library.get_backend_name()
    if kind not in ("postgresql", "mysql", "mariadb"):
        raise EngagementError(
            f"{source.label} cannot be read from {kind}, only from PostgreSQL, MariaDB and MySQL; read its "
            "exported files, as docs/sources.md says."
        )


def _require_agreement(source: Source) -> None:
    """Raise EngagementError unless the queries of a source with a history, and no others, ask of when."""
    for query in ("patron", "patron_count"):
        asks = _ASKS_OF_WHEN.search(warehouse.statement(f"sources/{source.system}/{query}"))
        if (asks is not None) != source.history:
            raise EngagementError(
                f"{source.system}.yaml says history: {str(source.history).lower()}, but include/sql/sources/"
                f"{source.system}/{query}.sql {'asks' if asks else 'does not ask'} for :as_of_at; correct "
                "one of the two."
            )


@contextmanager
def connected(source: Source, library: URL) -> Iterator[Session]:
    """Open a library system's database at one instant, for the queries of include/sql/sources/.

    Raises:
        EngagementError: it does not answer, has no longer what a query asks for, or its text is not in
            the encoding that the source's YAML says.
    """
    carrier = source.database.driver_encoding if source.database else None
    try:
        with warehouse.session(_with_encoding(library, carrier), name=source.label) as session:
            session.repeatable_read()
            yield session
    except DatabaseError as error:
        if error.database != source.label:
            raise
        raise _explained(error, source) from None


def _explained(error: DatabaseError, source: Source) -> EngagementError:
    """Return what an error means where a library system is read."""
    if error.sqlstate in ("42P01", "42703", "42883"):
        return EngagementError(
            f"{source.label} has no longer the columns that include/sql/sources/{source.system}/ "
            f"asks for; adapt the query to the new schema. {error}"
        )
    if error.sqlstate == "22021":
        return EngagementError(
            f"{source.label} holds bytes that are no text in UTF-8; set driver_encoding: latin-1 in "
            f"{source.system}.yaml, and they are read by its encodings."
        )
    if error.sqlstate == "22P05":
        return EngagementError(
            f"{source.label} has an encoding and does not carry text as bytes; take driver_encoding out of "
            f"{source.system}.yaml, and client_encoding out of the connection."
        )
    return error


def _with_encoding(library: URL, carrier: str | None) -> URL:
    """Return the URL with an encoding to read in: without one a database in SQL_ASCII gives bare bytes."""
    given = str(library.query.get("client_encoding", "sql_ascii")).lower()
    if library.get_backend_name() != "postgresql" or given != "sql_ascii":
        return library
    return library.update_query_dict({"client_encoding": carrier or "utf8"})


def _export(source: Source, library: URL, period: Period, shard: int, shards: int) -> Reading:
    from engagement.model import files

    if source.export is None:
        raise EngagementError(
            f"{source.system}.yaml does not say how an export of {source.label} is read; give the "
            "connection of its database, or add the part `export`."
        )
    if source.history:
        raise EngagementError(
            f"{source.system}.yaml says history: true, but an export holds only the present; set history: "
            f"false, or give the connection of the database of {source.label}."
        )
    path = Path((library.database or "").replace("{period}", str(period)))
    found = files.opened(path, source.export, source.label, shard, shards)
    if source.as_of == "now":
        found.as_of = clock.now()
    return found


class DatabaseReading:
    """A library system's database, in one transaction that sees it at one instant."""

    carrier: str | None

    def __init__(
        self,
        session: Session,
        source: Source,
        shard: int,
        shards: int,
        period: Period | None = None,
    ) -> None:
        """Take a session that sees one instant; a source with a history is asked how `period` ended."""
        if source.database is None:
            raise LookupError("database")
        self.carrier = source.database.driver_encoding
        self._session = session
        self._source = source
        self._columns: Columns = source.database.columns
        self._binds: dict[str, Any] = {"shard": shard, "shards": shards}
        self._ends_at = None
        if source.history and period is not None:
            self._ends_at = period.end - timedelta(seconds=1)
            self._binds["as_of_at"] = self.as_of

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Name and type of the columns of the patron query, sorted."""
        given = self._session.columns(f"sources/{self._source.system}/patron", **self._binds)
        names = [name for name, _ in given]
        for field, columns in self._columns.items():
            for column in columns:
                if names.count(column) != 1:
                    raise EngagementError(
                        f"{self._source.system}.yaml takes {field} from the column {column}, which "
                        f"include/sql/sources/{self._source.system}/patron.sql does not give once; correct one "
                        "of the two."
                    )
        return tuple(sorted(given))

    @cached_property
    def as_of(self) -> datetime:
        """The instant that the data is of: with a history the last second of the period, or of a copy."""
        stands_at = self._stands_at()
        return stands_at if self._ends_at is None else min(stands_at, self._ends_at)

    def _stands_at(self) -> datetime:
        """Return the instant that the system itself says its data is of."""
        if self._source.as_of == "now":
            return clock.now()
        stands_at = self._session.scalar(f"sources/{self._source.system}/as_of")
        if not isinstance(stands_at, datetime):
            raise EngagementError(
                f"include/sql/sources/{self._source.system}/as_of.sql gives no date and time; let it "
                "give one timestamp: when the data was copied."
            )
        zone = settings().zone
        return stands_at.astimezone(zone) if stands_at.tzinfo else stands_at.replace(tzinfo=zone)

    def count(self) -> int:
        """Return the system's own count of patron records in this part."""
        return self._counted(**self._binds)

    def whole_count(self) -> int:
        """Return the system's own count of patron records in all parts together."""
        return self._counted(**self._binds | {"shard": 0, "shards": 1})

    def _counted(self, **binds: Any) -> int:
        count = self._session.scalar(f"sources/{self._source.system}/patron_count", **binds)
        if not isinstance(count, int):
            raise EngagementError(
                f"include/sql/sources/{self._source.system}/patron_count.sql gives no number; let it give "
                "one: count(*)."
            )
        return count

    def chunks(self, size: int) -> Iterator[Records]:
        """Yield all records, at most `size` at a time.

        Raises:
            EngagementError: a column is no text.
        """
        first = 1
        for rows in self._session.chunks(
            f"sources/{self._source.system}/patron", size, **self._binds
        ):
            names = rows[0]._fields
            by_name = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
            yield Records(range(first, first + len(rows)), self._fields(by_name))
            first += len(rows)

    def _fields(self, by_name: Mapping[str, list[Any]]) -> dict[str, Values]:
        fields: dict[str, Values] = {}
        for field, columns in self._columns.items():
            for column in columns:
                self._require_text(column, by_name[column])
            fields[field] = first_filled([by_name[column] for column in columns])
        return fields

    def _require_text(self, column: str, values: list[Any]) -> None:
        other = set(map(type, values)) - {str, type(None)}
        if other:
            raise EngagementError(
                f"{self._source.label} gives {column} as {other.pop().__name__}, not as text: its column "
                f"was changed. See that its codes are still those of {self._source.system}.yaml, then "
                f"cast it to text in include/sql/sources/{self._source.system}/patron.sql."
            )
