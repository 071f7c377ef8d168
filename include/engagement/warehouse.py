"""Databases: the warehouse and the library system that is read. The only place that runs SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import URL, Connection, Engine, Row, make_url

from engagement.errors import EngagementError
from engagement.settings import INCLUDE, settings

WAREHOUSE = "warehouse"


class DatabaseError(EngagementError):
    """A statement failed; says which, with SQLSTATE and constraint, and none of the values.

    `database` is what a person calls the database; `sqlstate` is None where it did not answer.
    """

    def __init__(self, doing: str, database: str, error: BaseException | None) -> None:
        self.database = database
        self.sqlstate: str | None = getattr(error, "sqlstate", None)
        super().__init__(_sentence(doing, database, error))


def url() -> URL:
    """Return the warehouse's URL: ENGAGEMENT_WAREHOUSE_URL, else the embedded server, started."""
    given = settings().warehouse_url
    if given is not None:
        try:
            return make_url(given.get_secret_value())
        except sa.exc.ArgumentError:
            raise EngagementError(
                "ENGAGEMENT_WAREHOUSE_URL is no database URL such as "
                "postgresql+psycopg://user:password@host/warehouse."
            ) from None
    from engagement import embedded

    return embedded.database(WAREHOUSE)


@cache
def _engine(database: URL) -> Engine:
    return sa.create_engine(database, pool_pre_ping=True, hide_parameters=True)


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


@cache
def statement(name: str) -> str:
    """Return the SQL of `include/sql/<name>.sql`: one statement with :bind parameters."""
    return (INCLUDE / "sql" / f"{name}.sql").read_text(encoding="utf-8")


class Session:
    """One open transaction that runs statements by their file name under `include/sql/`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    def run(self, name: str, **binds: Any) -> int:
        """Run a statement and return the number of rows it touched."""
        with telling(f"Statement {name}", self.name):
            return self.connection.execute(sa.text(statement(name)), binds).rowcount

    def rows(self, name: str, **binds: Any) -> Sequence[Row[Any]]:
        """Return all rows of a query whose result is small."""
        with telling(f"Query {name}", self.name):
            return self.connection.execute(sa.text(statement(name)), binds).all()

    def one(self, name: str, **binds: Any) -> Row[Any] | None:
        """Return the only row of a query, or None."""
        with telling(f"Query {name}", self.name):
            return self.connection.execute(sa.text(statement(name)), binds).one_or_none()

    def scalar(self, name: str, **binds: Any) -> Any:
        """Return the first column of the only row."""
        with telling(f"Query {name}", self.name):
            return self.connection.execute(sa.text(statement(name)), binds).scalar_one()

    def chunks(self, name: str, size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of a query in lists of at most `size`, through a server-side cursor."""
        with telling(f"Query {name}", self.name):
            result = self.connection.execution_options(yield_per=size).execute(
                sa.text(statement(name))
            )
            for rows in result.mappings().partitions():
                yield [dict(row) for row in rows]

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

    def analyze(self, table: str) -> None:
        """Let the planner know what `schema.table` holds now: it plans badly for rows just loaded."""
        with self._driver(f"Analysing {table}") as cursor:
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*table.split("."))))

    def insert_found(self, name: str, found: str, **binds: Any) -> int:
        """Run the statement `name` over the record numbers that the query `found` gives.

        The statement reads them from `pg_temp.found(record_no)`. The query is written by Great
        Expectations, so it is run as it stands: a bind parameter would trip over its regexes.

        Returns:
            How many record numbers the query found.
        """
        with self._driver(f"The query of {name}") as cursor:
            cursor.execute("DROP TABLE IF EXISTS pg_temp.found")
            cursor.execute(
                f"CREATE TEMP TABLE found ON COMMIT DROP AS {found.rstrip().rstrip(';')}"
            )
            count = cursor.rowcount
        self.run(name, **binds)
        return count

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


@contextmanager
def telling(doing: str, database: str) -> Iterator[None]:
    """Re-raise a database error of the block, without the values that its text and its cause carry."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise DatabaseError(doing, database, error.orig) from None
    except sa.exc.SQLAlchemyError as error:
        raise EngagementError(
            f"{doing} failed in the {database}: {type(error).__name__}."
        ) from None


def _sentence(doing: str, database: str, error: BaseException | None) -> str:
    state = getattr(error, "sqlstate", None)
    failed = f"{doing} failed in the {database}"
    if state is None:
        return f"{failed}: it does not answer; see that it runs and is reachable."
    diagnosis = getattr(error, "diag", None)
    said = getattr(diagnosis, "message_primary", "")
    if state in ("42P01", "3F000") and database == WAREHOUSE:
        return (
            f"{failed}: {said}; run `engagement migrate` to bring it to the newest schema, or "
            "`make demo` to fill it with a simulated library."
        )
    constraint = getattr(diagnosis, "constraint_name", None)
    if constraint:
        return f"{failed}: SQLSTATE {state}, {type(error).__name__}, constraint {constraint}."
    if state.startswith("42"):  # about names and types in the statement, never about values
        return f"{failed}: SQLSTATE {state}, {said}."
    return f"{failed}: SQLSTATE {state}, {type(error).__name__}."
