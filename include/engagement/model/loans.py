"""Takes the loans of a period out of the library system into core.loan."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import URL

from engagement import clock, text, warehouse
from engagement.errors import EngagementError
from engagement.model import reading, source as sources
from engagement.model.records import LONGEST_ID
from engagement.model.source import Source
from engagement.period import Period
from engagement.privacy import tombstone
from engagement.settings import ROOT, settings
from engagement.warehouse import Session

# What comes in later than its time: self-checks and branches that were offline hand their loans in after days,
# at most after a long holiday. What is older is read by reading its period again.
_OVERLAP = timedelta(days=7)
_CHUNK_ROWS = 20_000
_IDS = ("loan_id", "source_id", "item_id")
_INSTANTS = ("loaned_at", "due_at", "returned_at")
_COLUMNS = (*_IDS, *_INSTANTS)
_log = logging.getLogger(__name__)


class NoLoans(EngagementError):
    """The source holds no loans: nothing went wrong, and there is nothing to read."""


def extract(period: Period, library: URL) -> dict[str, int]:
    """Read what happened to the loans of the library system in `period`, and a week before it.

    Reading again, in any order of the periods, gives the same loans: new ones are added, known ones
    changed where the source tells them otherwise (see model/find_changed_loan.sql for what is never
    taken back), and the figures of every period that this touches are counted anew. All of it is one
    transaction. A period can be read at any time after its end: a library system keeps its loans.

    Args:
        period: a month that is over.
        library: where the library system is; see `reading.opened`.

    Returns:
        What ops.loan_reading keeps of it: how many rows were read, how many of these loans are new,
        changed, late (new, although the time of their beginning was read before), misdated (returned
        before they began, or after the instant that the data is of) and unusable (without id or
        beginning, or with the id of another row).

    Raises:
        NoLoans: the source holds none.
        EngagementError: the period is not over, or the source cannot be read.
    """
    period.require_over()
    source = sources.load(settings().source)
    _require_loans(source, library)
    with warehouse.session() as session:
        is_erased = tombstone.met_by(session, source.system)
        session.run("model/create_read_loan")
        with reading.connected(source, library) as asked:
            as_of = reading.DatabaseReading(asked, source, shard=0, shards=1).as_of
            since, until = _span(session, source, period, as_of)
            loans = _loans(asked, source, since, until)
            session.copy("pg_temp.read_loan", _COLUMNS, _without(is_erased, loans))
        counts = _merge(session, source, period, since_at=since, until_at=until, as_of_at=as_of)
    told = ", ".join(f"{name.removesuffix('_count')} {n:,}" for name, n in counts.items())
    _log.info("Loans of %s: %s.", period, told)
    return counts


def _require_loans(source: Source, library: URL) -> None:
    if library.drivername == reading.FILE or source.database is None:
        raise NoLoans(f"{source.label} is read from an export of its patrons, which has no loans.")
    if not (ROOT / _query_file(source)).exists():
        raise NoLoans(f"No loans are read from {source.label}: there is no {_query_file(source)}.")


def _query_file(source: Source) -> str:
    return f"include/sql/sources/{source.system}/loan.sql"


def _span(
    session: Session, source: Source, period: Period, as_of: datetime
) -> tuple[datetime, datetime]:
    """Return from when, and until before when, is read.

    It ends with the period, so that the period gives the same whenever it is read; or where a copy of
    the source ends. What such a copy did not hold yet belongs to the next period's reading.

    Raises:
        EngagementError: the source's data ends before the period.
    """
    if as_of <= period.start:
        raise EngagementError(
            f"{source.label} stands at {as_of:%Y-%m-%d}, which says nothing about the loans of {period}; "
            "bring its copy up to date, then run the period again."
        )
    before = session.one(
        "model/loan_reading_until", source=source.system, period=str(period.previous)
    )
    read_until = before.until_at.astimezone(settings().zone) if before else period.start
    return min(period.start, read_until) - _OVERLAP, min(period.end, as_of)


def _loans(
    session: Session, source: Source, since: datetime, until: datetime
) -> Iterator[Sequence[Any]]:
    """Yield the loans that the source gives, in the order of _COLUMNS.

    Raises:
        EngagementError: the query gives other columns, or something else than instants.
    """
    for rows in session.chunks(
        f"sources/{source.system}/loan", _CHUNK_ROWS, since=since, until=until
    ):
        _require_columns(source, rows)
        for row in rows:
            ids, instants = row[: len(_IDS)], row[len(_IDS) :]
            yield [*(_id(value, source) for value in ids), *map(_aware, instants)]


def _without(
    is_erased: Callable[[str], bool] | None, loans: Iterator[Sequence[Any]]
) -> Iterator[Sequence[Any]]:
    """Yield the loans; those of an erased patron are nobody's."""
    if is_erased is None:
        yield from loans
        return
    for loan_id, source_id, *rest in loans:
        is_his = source_id is not None and is_erased(source_id)
        yield [loan_id, None if is_his else source_id, *rest]


def _require_columns(source: Source, rows: Sequence[Any]) -> None:
    if rows[0]._fields != _COLUMNS:
        raise EngagementError(
            f"{_query_file(source)} must give {', '.join(_COLUMNS)}, in this order; it gives "
            f"{', '.join(rows[0]._fields)}."
        )
    for column in _INSTANTS:
        other = {type(getattr(row, column)) for row in rows} - {datetime, type(None)}
        if other:
            raise EngagementError(
                f"{source.label} gives {column} as {other.pop().__name__}, not as date and time; cast it "
                f"to a timestamp in {_query_file(source)}."
            )


def _id(value: Any, source: Source) -> str | None:
    """Return an id as text, read as the patrons' own are; None where there is none that can be read."""
    if value is None:
        return None
    written = str(value)
    carrier = source.database and source.database.driver_encoding
    if carrier and not written.isascii():
        try:
            written = text.decode(written.encode(carrier), source.encodings) or ""
        except UnicodeEncodeError:
            return None
    found = written.replace("\0", "").strip()  # which PostgreSQL's text cannot hold
    return found if text.clean(found) and len(found) <= LONGEST_ID else None


def _aware(instant: datetime | None) -> datetime | None:
    """Return an instant; where the driver gives no offset (MariaDB) it is in the library's zone."""
    if instant is None or instant.tzinfo is not None:
        return instant
    return instant.replace(tzinfo=settings().zone)


def _merge(
    session: Session, source: Source, period: Period, **instants: datetime
) -> dict[str, int]:
    """Bring the loans that were read into core, keep what was found, and count the periods."""
    binds = {
        "source": source.system,
        "period": str(period),
        "zone": settings().timezone,
        "now": clock.now(),
        **instants,
    }
    session.analyze("pg_temp.read_loan")
    session.run("model/lock_identities")  # and so no other reading finds the same loans new
    session.run("model/add_loan_patron", **binds)
    session.run("model/create_changed_loan")
    session.run("model/find_changed_loan", **binds)
    session.analyze("pg_temp.changed_loan")
    session.run("model/merge_loan", **binds)
    found: Any = session.one("model/keep_loan_reading", **binds)
    session.run("model/publish_loan_month", **binds)
    return dict(found._mapping)
