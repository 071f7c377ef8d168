"""Takes the period's patrons out of the library system into stage."""

from __future__ import annotations

import gc
import logging
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import URL

from engagement import address, clock, settings as config, warehouse
from engagement.errors import EngagementError
from engagement.model import extract_state, gates, mail_domains, reading, source as sources
from engagement.model.normalise import Chunk, Normaliser
from engagement.model.reading import Reading
from engagement.model.records import Records
from engagement.model.source import Source
from engagement.period import Period
from engagement.privacy import tombstone
from engagement.warehouse import Session

_CHUNK_ROWS = 20_000
# Record numbers of a shard lie in a range of its own, which it alone replaces.
_SHARD_RANGE = 1_000_000_000
_STANDS = "Period %s stands on extract %s already."
_REREAD = "Period %s was read again for this reason already: extract %s; give another reason to read it once more."
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reread:
    """An order to read a period again that has an accepted extract: who gave it, and why."""

    reason: str
    by: str

    def __post_init__(self) -> None:
        """Let the reason be told by its words: spaces around it make no other order of it."""
        object.__setattr__(self, "reason", self.reason.strip())


def extract(
    period: Period, library: URL, shard: int = 0, shards: int = 1, reread: Reread | None = None
) -> int:
    """Read one shard of the library system for `period`; return the id of the extract.

    Where the period has an accepted extract already, that one is returned and nothing is read. What a
    shard reads is one transaction, which replaces what the shard had read before: killed, it leaves
    nothing half. The shard that comes last puts the whole extract before the gates.

    Args:
        period: a month that is over.
        library: where the library system is; see `reading.opened`.
        shard: the part to read, from 0.
        shards: how many parts there are; each is read by a call of its own.
        reread: read although the period has an accepted extract, which the new one then replaces;
            an extract that was read for this very reason already is not read again.

    Raises:
        EngagementError: the period is not over or is past, or the source cannot be read.
        gates.Refused: a gate stopped the extract; it is kept with its reason until the next reading.
    """
    source = sources.load(config.settings().source)
    with warehouse.session() as session:
        stands_on = session.one("model/accepted_extract", period=str(period))
        if stands_on is not None and (reread is None or stands_on.reread_reason == reread.reason):
            _log.info(_STANDS if reread is None else _REREAD, period, stands_on.extract_id)
            return int(stands_on.extract_id)
        _require_in_time(session, period, source)
    with reading.opened(source, library, period, shard, shards) as opened:
        with warehouse.session() as session:
            extract_id = _begin(session, source, period, opened, shards, reread)
        with warehouse.session() as session, _seldom_collecting():
            _read(session, source, opened, extract_id, shard)
    with warehouse.session() as session:
        refusal = _finish(session, source, period, extract_id)
    if refusal is not None:
        raise gates.Refused(refusal)
    return extract_id


def _require_in_time(session: Session, period: Period, source: Source) -> None:
    period.require_over()
    if source.history:
        return
    if clock.now() >= period.next.end:
        raise EngagementError(
            f"Period {period} was to be read before {period.next.end:%Y-%m-%d}: {source.label} holds "
            "only the present, so the period is missing and cannot be reconstructed."
        )
    if session.one("model/accepted_extract", period=str(period.next)) is not None:
        raise EngagementError(
            f"Period {period} cannot be read any more: {period.next} was read already, and "
            f"{source.label} holds only the present."
        )


def _begin(
    session: Session,
    source: Source,
    period: Period,
    opened: Reading,
    shards: int,
    reread: Reread | None,
) -> int:
    """Return the extract that this reading belongs to: the one its other shards began, or a new one."""
    session.run("model/lock_extract", period=str(period))
    _require_as_of(opened, source, period)
    told = {
        "source": source.system,
        "period": str(period),
        "as_of_date": opened.as_of.date(),
        "mapping_hash": source.mapping_hash,
        "columns": _as_json(opened.columns),
        "shard_count": shards,
        "reread_reason": reread and reread.reason,
    }
    found = session.one("model/open_extract", **told)
    if found is not None:
        return int(found.extract_id)
    session.run("model/abandon_extract", period=str(period))
    extract_id = int(
        session.scalar(
            "model/begin_extract",
            **told,
            as_of_at=opened.as_of,
            reread_by=reread and reread.by,
            started_at=clock.now(),
        )
    )
    session.add_partition("stage.patron", extract_state.table(extract_id), extract_id)
    return extract_id


def _as_json(columns: tuple[tuple[str, str], ...]) -> str:
    import json

    return json.dumps(columns, ensure_ascii=False)


def _require_as_of(opened: Reading, source: Source, period: Period) -> None:
    """Raise EngagementError unless the instant that the source's data is of belongs to the period."""
    if not period.start <= opened.as_of < period.next.end:
        raise EngagementError(
            f"{source.label} stands at {opened.as_of:%Y-%m-%d}, which says nothing about {period}; "
            "bring its copy up to date, then run the period again."
        )


def _read(session: Session, source: Source, opened: Reading, extract_id: int, shard: int) -> None:
    """Load the records of a shard in place of what it loaded before.

    Raises:
        EngagementError: the source gives other columns, or not the rows that it counts.
    """
    state = session.scalar("model/hold_extract", extract_id=extract_id)
    _require_not_given_up(extract_id, state)
    if state != "reading":
        raise EngagementError(
            f"Extract {extract_id} was finished by another run while this one began; clear the task: it "
            "goes on with what the period stands on."
        )
    extract: Any = session.one("model/extract", extract_id=extract_id)
    is_erased = tombstone.met_by(session, source.system)
    _forget_shard(session, extract_id, shard, extract.shard_count)
    normaliser = Normaliser(
        source,
        extract_id,
        extract.as_of_date,
        address.secret(),
        first_no=shard * _SHARD_RANGE,
        carrier=opened.carrier,
        takes_mail=mail_domains.take_mail if source.email.look_up_domains else None,
        is_erased=is_erased,
    )
    source_count = opened.count()
    whole_count = opened.whole_count() if extract.shard_count > 1 else source_count
    seen = 0
    with ThreadPoolExecutor(1) as writer, closing(_ahead(opened.chunks(_CHUNK_ROWS))) as chunks:
        loading: Future[None] | None = None  # one chunk is written while the next is normalised
        for records in chunks:
            chunk = normaliser.chunk(records)
            if loading is not None:
                loading.result()
            loading = writer.submit(_load, session, extract_id, chunk)
            seen += len(records)
            _log.info("Read %s of %s records.", f"{seen:,}", f"{source_count:,}")
        if loading is not None:
            loading.result()
    if seen != source_count:
        raise EngagementError(
            f"{source.label} counts {source_count:,} records but gave {seen:,}: correct the joins of its "
            "patron query, which lose or repeat records, or have the files exported again."
        )
    session.run(
        "model/end_shard",
        extract_id=extract_id,
        shard=shard,
        source_count=source_count,
        whole_count=whole_count,
        read_at=clock.now(),
    )


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Let Python seldom look for objects that hold each other.

    Each chunk makes some hundred thousand that do not; to look through them takes a sixth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _require_not_given_up(extract_id: int, state: str) -> None:
    if state == "abandoned":
        raise EngagementError(
            f"Extract {extract_id} was given up by another run, which reads the period with another mapping, "
            "day or number of shards; clear the task extract, all its shards, when no other run is left."
        )


def _ahead(chunks: Iterator[Records]) -> Generator[Records]:
    """Yield the chunks, each while the next is already being read."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, chunks, None)
        while (records := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield records


def _load(session: Session, extract_id: int, chunk: Chunk) -> None:
    session.load(f"stage.{extract_state.table(extract_id)}", chunk.rows)
    session.copy(
        "pii.quarantine",
        ("extract_id", "record_no", "reason_code", "record"),
        ((extract_id, *quarantined) for quarantined in chunk.quarantined),
    )


def _forget_shard(session: Session, extract_id: int, shard: int, shards: int) -> None:
    """Take out what the shard loaded before, holding it for this transaction alone."""
    span = {"first_no": shard * _SHARD_RANGE + 1, "last_no": (shard + 1) * _SHARD_RANGE}
    session.run("model/lock_shard", extract_id=extract_id, shard=shard)
    session.run("model/forget_shard", extract_id=extract_id, shard=shard)
    session.run("model/forget_shard_quarantine", extract_id=extract_id, **span)
    if shards > 1:
        session.run("model/forget_shard_records", extract_id=extract_id, **span)
    else:  # what is loaded into a table that was emptied just now need not be logged
        session.empty_table(f"stage.{extract_state.table(extract_id)}")


def _finish(session: Session, source: Source, period: Period, extract_id: int) -> str | None:
    """Accept or refuse an extract all of whose shards were read; return the gates' sentence, if any."""
    session.run("model/lock_extract", period=str(period))
    if not _is_read(session, extract_id):
        return None  # the shard that comes last does it
    session.run("model/take_extract", extract_id=extract_id)
    if not _is_read(session, extract_id):  # another run finished it, or reads a part of it again
        return None
    session.run("model/work_in_bulk", helpers=1)
    session.analyze(f"stage.{extract_state.table(extract_id)}")
    session.run("model/count_extract", extract_id=extract_id)
    refusal = gates.of_extract(session, extract_id, source, period)
    if refusal is None:
        extract_state.accept(session, extract_id, period)
    else:
        session.run("model/refuse_extract", extract_id=extract_id, ended_at=clock.now())
    extract_state.drop_old(session)
    return refusal


def _is_read(session: Session, extract_id: int) -> bool:
    """Say whether all parts of an extract were read and nobody has judged it yet.

    Raises:
        EngagementError: another run has given it up.
    """
    extract: Any = session.one("model/extract", extract_id=extract_id)
    _require_not_given_up(extract_id, extract.state)
    return bool(extract.state == "reading" and extract.read_shard_count == extract.shard_count)
