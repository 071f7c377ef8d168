"""Takes the period's patrons out of the library system into stage."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.engine import URL

from engagement import address, clock, settings as config, warehouse
from engagement.errors import EngagementError
from engagement.model import gates, source as sources
from engagement.model.normalise import COLUMNS, Normaliser
from engagement.model.source import FIELDS, Source
from engagement.period import Period
from engagement.warehouse import DatabaseError, Session

_CHUNK_ROWS = 10_000
_KEPT_STAGE_TABLES = 2
_log = logging.getLogger(__name__)


class Refused(EngagementError):
    """The extract was read but may not be used; says why and what to do."""


def stage_table(extract_id: int) -> str:
    """Return the name, within schema stage, of the physical table of an extract."""
    return f"patron_{extract_id}"


def accepted(session: Session, period: Period) -> Any:
    """Return the row of ops.extract that the period stands on.

    Raises:
        EngagementError: there is none.
    """
    row = session.one("model/accepted_extract", period=str(period))
    if row is None:
        raise EngagementError(
            f"Period {period} has no accepted extract; run the task extract of model_patrons for it."
        )
    return row


def require_staged(session: Session, extract_id: int, period: Period) -> None:
    """Raise EngagementError unless the records of the extract still lie in stage."""
    if not session.scalar("model/is_staged", table=f"stage.{stage_table(extract_id)}"):
        raise EngagementError(
            f"The records that were read for {period} are kept no more, so they can be neither checked "
            "nor published again; what is published about the period stays."
        )


def extract(period: Period, library: URL) -> int:
    """Read the library system once for `period` and return the id of the accepted extract.

    Where the period has an accepted extract already, that one is returned and nothing is read.
    One transaction: a killed reading leaves nothing behind.

    Raises:
        EngagementError: the period is not over or is past, or the source cannot be read.
        Refused: a gate stopped the extract; it is kept with its reason until the next reading.
    """
    source = sources.load(config.settings().source)
    with warehouse.session() as session:
        session.run("model/lock_extract", period=str(period))
        if (row := session.one("model/accepted_extract", period=str(period))) is not None:
            _log.info("Period %s stands on extract %s already.", period, row.extract_id)
            return int(row.extract_id)
        _require_in_time(period, source)
        extract_id, refusal = _read(session, period, source, library)
    if refusal is not None:
        raise Refused(refusal)
    return extract_id


def _require_in_time(period: Period, source: Source) -> None:
    period.require_over()
    if not source.history and clock.now() >= period.next.end:
        raise EngagementError(
            f"Period {period} was to be read before {period.next.end:%Y-%m-%d}: {source.label} holds "
            "only the present, so the period is missing and cannot be reconstructed."
        )


def _read(session: Session, period: Period, source: Source, library: URL) -> tuple[int, str | None]:
    """Stage the source's records; return the extract's id and the gate's sentence, if one refuses."""
    with _source_errors(source), warehouse.session(library, name=source.label) as reading:
        reading.repeatable_read()
        as_of = _as_of(reading, source, period)
        source_count = int(reading.scalar(f"sources/{source.system}/patron_count"))
        extract_id = int(
            session.scalar(
                "model/begin_extract",
                source=source.system,
                period=str(period),
                as_of_at=as_of,
                as_of_date=as_of.date(),
                source_count=source_count,
                mapping_hash=source.mapping_hash,
                started_at=clock.now(),
            )
        )
        normaliser = Normaliser(source, extract_id, as_of.date(), address.secret())
        _stage(session, reading, source, normaliser, extract_id, source_count)
    refusal = gates.refusal(session, extract_id, source, period)
    session.run(
        "model/end_extract",
        extract_id=extract_id,
        state="accepted" if refusal is None else "refused",
        refusal=refusal,
        ended_at=clock.now(),
    )
    _drop_old_stage_tables(session)
    return extract_id, refusal


def _as_of(reading: Session, source: Source, period: Period) -> datetime:
    """Return the instant that the source's data stands at; it must belong to the period."""
    if source.as_of == "now":
        return clock.now()
    stands_at: datetime = reading.scalar(f"sources/{source.system}/as_of")
    stands_at = stands_at.astimezone(config.settings().zone)
    if not period.start <= stands_at < period.next.end:
        raise EngagementError(
            f"{source.label} stands at {stands_at:%Y-%m-%d}, which says nothing about {period}; "
            "bring its copy up to date, then run the period again."
        )
    return stands_at


@contextmanager
def _source_errors(source: Source) -> Iterator[None]:
    """Say what a failed query of the source means for whoever keeps the mapping."""
    try:
        yield
    except DatabaseError as error:
        if error.database == source.label and (error.sqlstate or "").startswith("42"):
            raise EngagementError(
                f"{source.label} has no longer the columns that include/sql/sources/{source.system}/ "
                f"asks for; adapt the query to the new schema. {error}"
            ) from None
        raise


def _stage(
    session: Session,
    reading: Session,
    source: Source,
    normaliser: Normaliser,
    extract_id: int,
    source_count: int,
) -> None:
    """Load all records of the source into the extract's own tables.

    Raises:
        EngagementError: the query gives other columns, or not the rows the source counts.
    """
    table = stage_table(extract_id)
    session.add_partition("stage.patron", table, extract_id)
    seen = 0
    for records in reading.chunks(f"sources/{source.system}/patron", _CHUNK_ROWS):
        if not seen:
            _require_fields(source, set(records[0]))
        chunk = normaliser.chunk(records, first_no=seen + 1)
        session.copy(f"stage.{table}", COLUMNS, chunk.rows)
        session.copy(
            "pii.quarantine",
            ("extract_id", "record_no", "reason_code", "record"),
            ((extract_id, *quarantined) for quarantined in chunk.quarantined),
        )
        seen += len(records)
        _log.info("Read %s of %s records.", f"{seen:,}", f"{source_count:,}")
    if seen != source_count:
        raise EngagementError(
            f"{source.label} counts {source_count:,} records but gave {seen:,}; its patron query "
            "loses or repeats records: correct its joins."
        )
    session.analyze(f"stage.{table}")
    session.run("model/count_extract", extract_id=extract_id)


def _require_fields(source: Source, given: set[str]) -> None:
    if given != set(FIELDS):
        wrong = ", ".join(sorted(given ^ set(FIELDS)))
        raise EngagementError(
            f"include/sql/sources/{source.system}/patron.sql must give exactly the columns of the "
            f"contract; missing or unknown: {wrong}."
        )


def _drop_old_stage_tables(session: Session) -> None:
    """Keep what the last readings staged; personal values of older ones go."""
    for row in session.rows("model/old_extracts", kept=_KEPT_STAGE_TABLES):
        session.drop_table(f"stage.{stage_table(row.extract_id)}")
        session.run("model/forget_extract_rows", extract_id=row.extract_id)
