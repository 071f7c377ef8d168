"""Databases: the warehouse and the library system that is read. The only place that runs SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.rows import namedtuple_row
from sqlalchemy.engine import URL, Connection, Engine, Row, make_url

from engagement.database_error import WAREHOUSE, DatabaseError, telling
from engagement.errors import EngagementError
from engagement.settings import INCLUDE, settings

if TYPE_CHECKING:
    import pyarrow as pa


# Few at a time: the server takes the last ones in while the next are being encoded.
_ENCODED_ROWS = 1_000


def url() -> URL:
    """Return the warehouse's URL: ENGAGEMENT_WAREHOUSE_URL, else the embedded server, started."""
    given = settings().warehouse_url
    if given is not None:
        return parsed(given.get_secret_value(), "ENGAGEMENT_WAREHOUSE_URL")
    from engagement import embedded

    return embedded.database(WAREHOUSE)


def parsed(text: str, place: str) -> URL:
    """Return the URL that a person wrote at `place`.

    Raises:
        EngagementError: it is none; the sentence does not quote it, it may hold a password.
    """
    try:
        return make_url(text)
    except (sa.exc.ArgumentError, ValueError):  # a port that is no number is quoted
        raise EngagementError(
            f"{place} is no database URL such as postgresql+psycopg://user:password@host/warehouse."
        ) from None


@cache
def _engine(database: URL) -> Engine:
    try:
        return sa.create_engine(database, pool_pre_ping=True, hide_parameters=True)
    except (ImportError, sa.exc.NoSuchModuleError):
        raise EngagementError(
            f"There is no driver for {database.drivername}; name one that is installed, such as "
            "postgresql+psycopg or mysql+pymysql."
        ) from None


def create_database(database: URL, *options: str) -> None:
    """Create `database` on its server unless it is there; `options` are CREATE DATABASE's own."""
    words = sql.SQL("CREATE DATABASE {} {}").format(
        sql.Identifier(database.database or ""), sql.SQL(" ").join(map(sql.SQL, options))
    )
    with _server_cursor(database) as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('create database'))")  # until we hang up
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database.database])
        if cursor.fetchone() is None:
            cursor.execute(words)
            # The server would log a failed statement with the values that it failed on.
            cursor.execute(
                sql.SQL("ALTER DATABASE {} SET log_min_messages TO fatal").format(
                    sql.Identifier(database.database or "")
                )
            )


def drop_database(database: URL) -> None:
    """Drop `database` if it is there, with whoever is connected to it."""
    _engine(database).dispose()
    with _server_cursor(database) as cursor:
        cursor.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(database.database or "")
            )
        )


@contextmanager
def _server_cursor(database: URL) -> Iterator[psycopg.Cursor[Any]]:
    maintenance = database.set(drivername="postgresql", database="postgres")
    try:
        with (
            psycopg.connect(maintenance.render_as_string(False), autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
    except psycopg.Error as error:
        raise DatabaseError(f"Managing {database.database}", "server", error) from None


@contextmanager
def session(database: URL | None = None, *, name: str = WAREHOUSE) -> Iterator[Session]:
    """Open one transaction; commit at the end of the block, roll back when it raises.

    Args:
        database: whose; the warehouse when left out.
        name: what a person calls that database, for the sentence when it cannot be reached.

    Raises:
        DatabaseError: the database cannot be reached, or a statement failed.
    """
    with telling("Connecting", name):
        connection = _engine(database or url()).connect()
    try:
        yield Session(connection, name)
        with telling("Commit", name):
            connection.commit()
    finally:
        connection.close()


@contextmanager
def line() -> Iterator[Line]:
    """Hold one connection to the warehouse for transactions one after the other, and hang up at the end.

    Raises:
        DatabaseError: the warehouse cannot be reached.
    """
    with telling("Connecting", WAREHOUSE):
        connection = _engine(url()).raw_connection()
    connection.detach()  # what this connection has locked is free when it is closed
    driver: Any = connection.dbapi_connection
    try:
        with _telling_driver("Connecting"):
            # A few statements run here again and again: planned once, not each time for its own values.
            driver.execute("SET plan_cache_mode TO force_generic_plan")
            driver.commit()
        yield Line(driver)
    finally:
        connection.close()


class Line:
    """A connection that is kept: what it locks for itself outlives its transactions.

    It speaks to the driver itself: around a short statement SQLAlchemy takes longer than the statement.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @contextmanager
    def session(self) -> Iterator[LineSession]:
        """Open one transaction; commit at the end of the block, roll back when it raises."""
        try:
            with self._connection.cursor(row_factory=namedtuple_row) as cursor:
                yield LineSession(cursor)
            with _telling_driver("Commit"):
                self._connection.commit()
        except BaseException:
            with suppress(psycopg.Error):
                self._connection.rollback()
            raise


class LineSession:
    """One open transaction of a line, which runs statements by their file name under `include/sql/`."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def run(self, name: str, **binds: Any) -> int:
        """Run a statement and return the number of rows it touched."""
        with _telling_driver(f"Statement {name}"):
            return self._cursor.execute(_driver_text(name), binds).rowcount

    def one(self, name: str, **binds: Any) -> Any:
        """Return the only row of a query, or None."""
        with _telling_driver(f"Query {name}"):
            return self._cursor.execute(_driver_text(name), binds).fetchone()

    def scalar(self, name: str, **binds: Any) -> Any:
        """Return the first column of the only row."""
        return self.one(name, **binds)[0]


@contextmanager
def _telling_driver(doing: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseError(doing, WAREHOUSE, error) from None


@cache
def _driver_text(name: str) -> bytes:
    """Return a statement with its binds as the driver writes them."""
    dialect = make_url("postgresql+psycopg://").get_dialect()()
    return str(_text(statement(name)).compile(dialect=dialect)).encode()


@cache
def statement(name: str) -> str:
    """Return the SQL of `include/sql/<name>.sql`: one statement with :bind parameters."""
    try:
        return (INCLUDE / "sql" / f"{name}.sql").read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise EngagementError(
            f"There is no include/sql/{name}.sql; bring it back, or write it as docs/sources.md says."
        ) from None
    except UnicodeDecodeError:
        raise EngagementError(
            f"include/sql/{name}.sql is no text in UTF-8; save it in the encoding UTF-8."
        ) from None


@lru_cache(maxsize=512)
def _text(words: str) -> sa.TextClause:
    return sa.text(words)


@lru_cache(maxsize=512)
def _binds(words: str) -> frozenset[str]:
    return frozenset(_text(words).compile().params)


def _bound(name: str, given: Mapping[str, Any]) -> str:
    """Return a statement all of whose binds are given a value."""
    words = statement(name)
    if unknown := _binds(words) - given.keys():
        raise EngagementError(
            f"include/sql/{name}.sql names the bind {_listed(sorted(unknown))}, but there is "
            f"{_listed(given) or 'none'}; correct it, or take the colon away: behind a space it makes a word a "
            "bind, in a comment too."
        )
    return words


def _listed(binds: Iterable[str]) -> str:
    return ", ".join(f":{bind}" for bind in binds)


class Session:
    """One open transaction that runs statements by their file name under `include/sql/`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    def run(self, name: str, **binds: Any) -> int:
        """Run a statement and return the number of rows it touched."""
        with telling(f"Statement {name}", self.name):
            return self.connection.execute(_text(_bound(name, binds)), binds).rowcount

    def rows(self, name: str, **binds: Any) -> Sequence[Row[Any]]:
        """Return all rows of a query whose result is small."""
        with telling(f"Query {name}", self.name):
            return self.connection.execute(_text(_bound(name, binds)), binds).all()

    def one(self, name: str, **binds: Any) -> Row[Any] | None:
        """Return the only row of a query, or None."""
        with telling(f"Query {name}", self.name):
            return self.connection.execute(_text(_bound(name, binds)), binds).one_or_none()

    def scalar(self, name: str, **binds: Any) -> Any:
        """Return the first column of the only row."""
        with telling(f"Query {name}", self.name):
            return self.connection.execute(_text(_bound(name, binds)), binds).scalar_one()

    def chunks(self, name: str, size: int, **binds: Any) -> Iterator[Sequence[Row[Any]]]:
        """Yield the rows of a query in lists of at most `size`, through a server-side cursor."""
        with telling(f"Query {name}", self.name):
            # Of the statement alone: the connection would keep the option for those that follow.
            query = sa.text(_bound(name, binds)).execution_options(yield_per=size)
            result = self.connection.execute(query, binds)
            yield from result.partitions(size)

    def columns(self, name: str, **binds: Any) -> list[tuple[str, str]]:
        """Return name and type, as the database calls it, of each column that a query gives."""
        nothing = sa.text(f"SELECT * FROM (\n{_bound(name, binds)}\n) AS described LIMIT 0")  # noqa: S608
        with telling(f"Query {name}", self.name):
            cursor: Any = self.connection.execute(nothing, binds).cursor
            return [
                (column[0], str(getattr(column, "type_display", column[1])))
                for column in cursor.description
            ]

    def repeatable_read(self) -> None:
        """Let every query of this transaction see the database at one instant; call it first."""
        with telling("Opening a consistent reading", self.name):
            self.connection.execute(
                sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            )

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Load `rows`, in the order of `columns`, into `schema.table` by COPY."""
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        cursor: psycopg.Cursor
        with self._driver(f"Loading {table}") as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)

    def load(self, table: str, batch: pa.RecordBatch) -> None:
        """Load Arrow columns into those of the same names of `schema.table` by binary COPY."""
        import pgpq

        into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, batch.schema.names)),
        )
        encoder = pgpq.ArrowToPostgresBinaryEncoder(batch.schema)
        with self._driver(f"Loading {table}") as cursor, cursor.copy(into) as copy:
            copy.write(encoder.write_header())
            for start in range(0, batch.num_rows, _ENCODED_ROWS):
                copy.write(encoder.write_batch(batch.slice(start, _ENCODED_ROWS)))
            copy.write(encoder.finish())

    def add_partition(self, table: str, name: str, value: str | int) -> None:
        """Create the physical table `name` for the rows of `table` whose key is `value`."""
        schema = table.split(".")[0]
        with self._driver(f"Creating {schema}.{name}") as cursor:
            cursor.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES IN ({})").format(
                    sql.Identifier(schema, name),
                    sql.Identifier(*table.split(".")),
                    sql.Literal(value),
                )
            )

    def create_table(self, table: str, name: str, **binds: Any) -> None:
        """Create `schema.table` with the rows of a query, for this transaction: drop it before the end.

        Unlike a temporary table, several processes of the server may fill and read it at once.
        """
        create = sa.text(f"CREATE UNLOGGED TABLE {table} AS\n{statement(name)}")
        # As a command of its own it takes no parameters: they are written out as literals.
        literals: list[Any] = [
            sa.bindparam(bind, binds[bind], literal_execute=True)
            for bind in create.compile().params
        ]
        with telling(f"Creating {table}", self.name):
            self.connection.execute(create.bindparams(*literals))

    def drop_table(self, table: str) -> None:
        """Drop `schema.table` if it is there."""
        with self._driver(f"Dropping {table}") as cursor:
            cursor.execute(
                sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(*table.split(".")))
            )

    def empty_table(self, table: str) -> None:
        """Take all rows out of `schema.table`; they come back if the transaction fails."""
        with self._driver(f"Emptying {table}") as cursor:
            cursor.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(*table.split("."))))

    def drop_key(self, table: str) -> None:
        """Take the primary key off `schema.table`, if it has the one of `add_key`."""
        with self._driver(f"Taking the key off {table}") as cursor:
            cursor.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(
                    sql.Identifier(*table.split(".")), sql.Identifier(_key_name(table))
                )
            )

    def add_key(self, table: str, columns: Sequence[str]) -> None:
        """Make `columns` the primary key of `schema.table`; raises DatabaseError if a value repeats."""
        with self._driver(f"Putting the key on {table}") as cursor:
            cursor.execute(
                sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({})").format(
                    sql.Identifier(*table.split(".")),
                    sql.Identifier(_key_name(table)),
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                )
            )

    def analyze(self, table: str) -> None:
        """Let the planner know what `schema.table` holds now: it plans badly for rows just loaded."""
        with self._driver(f"Analysing {table}") as cursor:
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*table.split("."))))

    def create_found(
        self, table: str, found: Iterable[tuple[str, Mapping[str, int | str]]]
    ) -> None:
        """Create `schema.table` of the record numbers that queries give, each with constants of its own.

        The queries are written by Great Expectations, so they are run as they stand: a bind parameter
        would trip over their regexes. One statement for all: several processes of the server share it.
        """
        parts = [
            sql.SQL("SELECT f.record_no, {} FROM ({}) AS f").format(
                sql.SQL(", ").join(
                    sql.SQL("{} AS {}").format(sql.Literal(value), sql.Identifier(column))
                    for column, value in constants.items()
                ),
                sql.SQL(query.rstrip().rstrip(";")),
            )
            for query, constants in found
        ]
        with self._driver(f"Writing to {table}") as cursor:
            cursor.execute(
                sql.SQL("CREATE TABLE {} AS {}").format(
                    sql.Identifier(*table.split(".")), sql.SQL(" UNION ALL ").join(parts)
                )
            )

    def attach(self, table: str, name: str, value: int) -> None:
        """Make the physical table `name` the part of `table` whose key is `value`."""
        schema = table.split(".")[0]
        with self._driver(f"Attaching {schema}.{name}") as cursor:
            cursor.execute(
                sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                    sql.Identifier(*table.split(".")),
                    sql.Identifier(schema, name),
                    sql.Literal(value),
                )
            )

    @contextmanager
    def _driver(self, doing: str) -> Iterator[psycopg.Cursor[Any]]:
        """Give psycopg's own cursor on this transaction, for what SQLAlchemy has no words for."""
        raw: Any = self.connection.connection.driver_connection
        self.connection.execute(sa.text("SELECT 1"))  # opens the transaction on both layers
        try:
            with raw.cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            raise DatabaseError(doing, self.name, error) from None


def _key_name(table: str) -> str:
    return f"{table.split('.')[1]}_key"
