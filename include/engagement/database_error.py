"""Says what a database's error means, without the values that it carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from engagement.errors import EngagementError

WAREHOUSE = "warehouse"


class DatabaseError(EngagementError):
    """A statement failed; says which, with SQLSTATE and constraint, and none of the values.

    `database` is what a person calls the database; `sqlstate` is PostgreSQL's, also where another
    database failed, and None where it did not answer.
    """

    def __init__(self, doing: str, database: str, error: BaseException | None) -> None:
        self.database = database
        self.sqlstate = _sqlstate(error)
        super().__init__(_sentence(doing, database, error))


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


# What MariaDB and MySQL number, as PostgreSQL's SQLSTATE of the same meaning. None: it does not answer.
# https://mariadb.com/kb/en/mariadb-error-code-reference/
_MARIADB_STATES: dict[int, str | None] = {
    2003: None,
    1045: "28000",  # wrong password, or another way to log in
    1698: "28000",
    1049: "3D000",  # no such database
    1044: "42501",  # no right to the database, the table, the column
    1142: "42501",
    1143: "42501",
    1064: "42601",  # no SQL
    1054: "42703",  # no such column
    1146: "42P01",  # no such table, or a view of one
    1356: "42P01",
    1205: "55P03",  # a lock held for too long, interrupted, out of time
    1317: "57014",
    1969: "57014",
    1927: "57P01",  # killed, or shut down
    2006: "57P01",
    2013: "57P01",
}
_MISSING_NAME = (1054, 1146)  # the only ones whose message holds names alone


# libpq gives no SQLSTATE of a connection that was refused; a server that answers in another language is taken
# for one that does not.
_REFUSALS = {
    re.compile(r'FATAL: .*(authentication failed|role ".*" does not exist|pg_hba\.conf)'): "28000",
    re.compile("no password supplied"): "28000",
    re.compile(r'FATAL: .*database ".*" does not exist'): "3D000",
}
# One physical table per extract; old ones are dropped, and those that were given up.
_OF_AN_EXTRACT = re.compile(r'"stage\.(patron|rejection)_\d+"')


def _mariadb_number(error: BaseException | None) -> int | None:
    """Return the number that the driver of MariaDB gives in place of a SQLSTATE."""
    number = error.args[0] if error is not None and error.args else None
    return number if isinstance(number, int) else None


def _sqlstate(error: BaseException | None) -> str | None:
    number = _mariadb_number(error)
    if number is not None:
        return _MARIADB_STATES.get(number, "HY000")
    state: str | None = getattr(error, "sqlstate", None)
    return state or next(
        (found for told, found in _REFUSALS.items() if told.search(str(error))), None
    )


def _told(error: BaseException | None, state: str) -> str:
    """Return what may be told of an error: the database's own words only where they hold no values."""
    number = _mariadb_number(error)
    if error is not None and number is not None:
        return str(error.args[1]) if number in _MISSING_NAME else f"error {number}"
    diagnosis = getattr(error, "diag", None)
    if state.startswith(("42", "3F")):  # about names and types in the statement
        return getattr(diagnosis, "message_primary", None) or ""
    kind, constraint = type(error).__name__, getattr(diagnosis, "constraint_name", None)
    return f"{kind}, constraint {constraint}" if constraint else kind


def _sentence(doing: str, database: str, error: BaseException | None) -> str:
    failed = f"{doing} failed in the {database}"
    state = _sqlstate(error)
    if state is None:
        return _without_state(failed, error)
    told = _told(error, state)
    if state in ("42P01", "3F000") and database == WAREHOUSE:
        return _missing(failed, told)
    if state.startswith("28"):
        return f"{failed}: it refuses the login; correct user and password of the connection."
    if state == "3D000":
        return f"{failed}: its server has no such database; correct the name in the connection."
    if state == "42501":
        return f"{failed}: the user of the connection lacks a right ({told}); have it granted."
    if state.startswith("57P"):
        return f"{failed}: the server ended the connection; see that it runs, then start again."
    if state in ("40P01", "55P03", "57014"):
        return f"{failed}: others held it up for too long; start again when less goes on there."
    return f"{failed}: SQLSTATE {state}, {told}."


def _without_state(failed: str, error: BaseException | None) -> str:
    """Return what an error means that the driver raised by itself, by its class of PEP 249."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"OperationalError", "InterfaceError"}:
        return f"{failed}: it does not answer; see that it runs and is reachable."
    if "DataError" in kinds:
        return (
            f"{failed}: it gives a value that Python cannot hold, as a date beyond the year 9999; correct it "
            "there, or let the query give NULL in its place."
        )
    return (
        f"{failed}: its driver refuses that ({type(error).__name__}); correct the connection, or what it is "
        "asked for."
    )


def _missing(failed: str, told: str) -> str:
    if _OF_AN_EXTRACT.search(told):
        return (
            f"{failed}: another run has given up this extract, or a newer one took its place; clear the "
            "task extract, with downstream, when no other run is left."
        )
    return (
        f"{failed}: {told}; run `engagement migrate` to bring it to the newest schema, or `make demo` to "
        "fill it with a simulated library."
    )
