"""Writes the same rows into stage in two ways, by turns, and publishes them.

The one way is ours: `Session.load` of normalised chunks, their encoding included. The other is the least that
PostgreSQL can be given: text of COPY's own format, prepared before, in blocks of 1 MiB.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from benchmarks import process, world
from psycopg import sql
from sqlalchemy.engine import make_url

from engagement import address, warehouse
from engagement.model import extract_state, reading, source as sources
from engagement.model.extract import _CHUNK_ROWS
from engagement.model.normalise import SCHEMA, Normaliser
from engagement.model.publish import publish
from engagement.settings import settings

_BLOCK = 1024 * 1024
# Without what makes everybody known, a month is the first one.
_FORGET = "TRUNCATE pii.patron, pii.address, core.person_link, core.patron_month, core.rejection"
_FINGERPRINT = "SELECT count(*), sum(hashtextextended(p::text, 0)) FROM {} AS p"


class Ways:
    """The ways to fill one extract's table in stage, which holds the extract when this is made."""

    def __init__(self, connection: psycopg.Connection) -> None:
        with warehouse.session() as session:
            self._extract = extract_state.accepted(session, world.JUNE)
        self._connection = connection
        self._table = extract_state.table(self._extract.extract_id)
        self._name = sql.Identifier("stage", self._table)
        self._batches = self._normalised()
        self._text = self._prepared()

    def copy_text(self) -> None:
        """Stream the prepared text, as any client could."""
        with self._copying("FROM STDIN") as copy:
            for block in self._text:
                copy.write(block)

    def load(self) -> None:
        """Write the normalised chunks as an extract does: in one transaction, which empties the table."""
        with warehouse.session() as session:
            session.empty_table(f"stage.{self._table}")
            for batch in self._batches:
                session.load(f"stage.{self._table}", batch)

    def empty(self) -> None:
        """Take the rows out, and let the server write down what it still holds back."""
        self._connection.execute(sql.SQL("TRUNCATE {}").format(self._name))
        self._connection.execute("CHECKPOINT")

    def fingerprint(self) -> object:
        """Return what tells one content of the table from another."""
        return self._connection.execute(sql.SQL(_FINGERPRINT).format(self._name)).fetchone()

    def analyse(self) -> None:
        """Do what an extract does at its end."""
        with warehouse.session() as session:
            session.analyze(f"stage.{self._table}")

    def _normalised(self) -> Sequence[object]:
        source = sources.load(settings().source)
        library = make_url(os.environ["ENGAGEMENT_LIBRARY"])
        with reading.opened(source, library, world.JUNE) as opened:
            normaliser = Normaliser(
                source,
                self._extract.extract_id,
                self._extract.as_of_date,
                address.secret(),
                carrier=opened.carrier,
            )
            return [normaliser.chunk(records).rows for records in opened.chunks(_CHUNK_ROWS)]

    def _prepared(self) -> Sequence[bytes]:
        with self._copying("TO STDOUT") as copy:
            text = memoryview(b"".join(copy))
        return [bytes(text[at : at + _BLOCK]) for at in range(0, len(text), _BLOCK)]

    @contextmanager
    def _copying(self, direction: LiteralString) -> Iterator[psycopg.Copy]:
        columns = sql.SQL(", ").join(map(sql.Identifier, SCHEMA.names))
        statement = sql.SQL("COPY {} ({}) " + direction).format(self._name, columns)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy


def _measure(rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each way in each round; which of them goes first alternates."""
    seconds: dict[str, list[float]] = {"text": [], "load": [], "publish": [], "publish_first": []}
    with world.connected(warehouse.url()) as connection:
        ways = Ways(connection)
        extracted = ways.fingerprint()

        def text() -> None:
            ways.empty()
            seconds["text"].append(process.seconds_of(ways.copy_text))
            _require(ways.fingerprint() == extracted)

        def ours() -> None:
            ways.empty()
            seconds["load"].append(process.seconds_of(ways.load))
            _require(ways.fingerprint() == extracted)
            ways.analyse()
            connection.execute(_FORGET)
            connection.execute("CHECKPOINT")
            seconds["publish_first"].append(process.seconds_of(lambda: publish(world.JUNE)))
            # As a month later: the server has long tidied up what was new then.
            connection.execute("VACUUM ANALYZE pii.patron, pii.address")
            connection.execute("CHECKPOINT")
            seconds["publish"].append(process.seconds_of(lambda: publish(world.JUNE)))

        for number in range(rounds):
            for way in (text, ours) if number % 2 else (ours, text):
                way()
    return seconds


def _require(is_same: bool) -> None:
    if not is_same:
        raise AssertionError("The two ways did not write the same rows.")


if __name__ == "__main__":
    process.tell(**_measure(int(sys.argv[1])))
