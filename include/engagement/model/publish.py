"""Makes a period's patrons and their figures public, all at once or not at all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.model import extract_state, gates, source as sources, suites
from engagement.model.check import PATRON_SUITE
from engagement.period import Period
from engagement.warehouse import Session

_log = logging.getLogger(__name__)
_Search = Callable[[int], Future[tuple[Sequence[Any], int]]]  # of an extract

# In this order: each stands on those before it.
_FACTS = {
    "model/publish_patron": "pii.patron",
    "model/publish_patron_month": "core.patron_month",
    "model/publish_address": "pii.address",
    "model/publish_rejection": "core.rejection",
}
# Facts by period, with the key of a period's rows. It is built after they are written: on one core a third
# of the time that it takes to keep it up row by row.
_PARTITIONED = {
    "core.patron_month": ("patron_key",),
    "core.rejection": ("record_no", "reason_code"),
}
_FIGURES = {
    "model/publish_patron_rejection": "model/unpublish_patron_rejection",
    "model/publish_patron_rejection_set": "model/unpublish_patron_rejection_set",
    "model/publish_patron_group": "model/unpublish_patron_group",
    "model/publish_patron_group_rejection": "model/unpublish_patron_group_rejection",
    "model/publish_patron_notice": "model/unpublish_patron_notice",
}
# What is said of each record, put together in this order for the length of the transaction; and how many
# processes help with it: to group the found reasons by record they would do most of the work twice.
_JUDGEMENT = {
    "stage.reason": ("model/find_reasons", 0),
    "stage.verdict": ("model/find_verdicts", 0),
    "stage.combination": ("model/find_combinations", 0),
    "stage.record": ("model/judge_records", 1),
    "stage.verdict_count": ("model/count_verdicts", 1),
}


def publish(period: Period) -> int:
    """Publish the period's checked extract; return how many real customers it has.

    Publishing again gives the same rows. What was published stays until the new rows are whole.

    Raises:
        EngagementError: the extract is missing or was not checked with the suite as it is now, or
            extracted = real customers + rejected does not hold.
        gates.Refused: the share of real customers is far from the last period's.
    """
    suite_hash = suites.load(PATRON_SUITE).hash
    with warehouse.session() as session:
        session.run("model/lock_publish", period=str(period))
        _checked(session, period, suite_hash)
        for table in _PARTITIONED:  # now: a new partition locks the other periods' readers out
            session.add_partition(table, _partition(table, period), str(period))
    with warehouse.session() as session:
        session.run("model/lock_publish", period=str(period))
        session.run("model/lock_identities")
        extract = _checked(session, period, suite_hash)
        binds = {
            "extract_id": extract.extract_id,
            "period": str(period),
            "source": extract.source,
            "now": clock.now(),
        } | _hashes(extract.mapping_hash, suite_hash)
        with _beside() as search:
            _judge(session, binds)
            refusal = gates.of_publication(session, sources.load(extract.source), binds)
            real = 0 if refusal else _replace(session, extract, period, binds, search)
        for table in _JUDGEMENT:
            session.drop_table(table)
    if refusal is not None:
        raise gates.Refused(refusal)
    _log.info("Published %s: %s real customers.", period, f"{real:,}")
    return real


@contextmanager
def _beside() -> Iterator[_Search]:
    """Give the block a search for what lies between records, which another processor does meanwhile.

    Its session takes hold of the staged records before that of the block does: whoever waits for both
    would make them wait for each other.
    """
    with warehouse.session() as other, ThreadPoolExecutor(1) as processor:
        other.run("model/work_in_bulk", helpers=0)
        other.run("model/hold_records")
        yield lambda extract_id: processor.submit(_found_between, other, extract_id)


def _found_between(session: Session, extract_id: int) -> tuple[Sequence[Any], int]:
    """Return who shares a mark with whom, and how many records share their address with another."""
    members = session.rows("model/find_members", extract_id=extract_id)
    shared = session.scalar("model/count_shared_addresses", extract_id=extract_id)
    return members, int(shared)


def _judge(session: Session, binds: dict[str, Any]) -> None:
    """Put together what is said of each record."""
    for table, (name, helpers) in _JUDGEMENT.items():
        session.run("model/work_in_bulk", helpers=helpers)
        session.create_table(table, name, **binds)
        session.analyze(table)


def _replace(
    session: Session, extract: Any, period: Period, binds: dict[str, Any], search: _Search
) -> int:
    """Put what was judged in place of all that is published of the period; return the real customers."""
    for name in (*_FIGURES.values(), "model/unpublish_person_link"):
        session.run(name, period=str(period))
    between = search(extract.extract_id)
    parts = {table: f"core.{_partition(table, period)}" for table in _PARTITIONED}
    for part in parts.values():
        session.empty_table(part)
        session.drop_key(part)
    for name, table in _FACTS.items():
        if session.run(name, **binds):
            session.analyze(parts.get(table, table))
    members, shared_address = between.result()
    _link(session, members, binds)
    for table, key in _PARTITIONED.items():
        session.add_key(parts[table], key)
    for name in _FIGURES:
        session.run(name, **binds | {"shared_address": shared_address})
    counts = _reconciled(session, extract, period)
    session.run("model/unpublish_patron_funnel", period=str(period))
    session.run("model/publish_patron_funnel", **binds, **counts)
    return counts["real_count"]


def _link(session: Session, members: Sequence[Any], binds: dict[str, Any]) -> None:
    """Make one person of the patrons who share marks."""
    session.run("model/create_member")
    session.copy("stage.member", ("record_no", "mark", "rule_no"), members)
    session.analyze("stage.member")
    if session.run("model/publish_person_link", **binds):
        session.analyze("core.person_link")
        session.run("model/link_patron_month", period=binds["period"])
    session.drop_table("stage.member")


def _partition(table: str, period: Period) -> str:
    return f"{table.split('.')[1]}_{str(period).replace('-', '_')}"


def _hashes(mapping_hash: str, suite_hash: str) -> dict[str, str]:
    """Return what the figures depend on: nothing is compared where one of the two has changed."""
    definition = hashlib.sha256(f"{mapping_hash}{suite_hash}".encode()).hexdigest()
    return {
        "mapping_hash": mapping_hash,
        "suite_hash": suite_hash,
        "definition_hash": definition,
    }


def _checked(session: Session, period: Period, suite_hash: str) -> Any:
    """Return the period's extract, whose records lie in stage and were checked with the suite as it is."""
    extract = extract_state.accepted(session, period)
    extract_state.require_staged(session, extract.extract_id, period)
    checked = session.scalar(
        "model/count_checked", extract_id=extract.extract_id, suite_hash=suite_hash
    )
    if not checked:
        raise EngagementError(
            f"The extract of {period} was not checked with {PATRON_SUITE}.json as it is now; run the "
            "task check of model_patrons for the period first."
        )
    return extract


def _reconciled(session: Session, extract: Any, period: Period) -> dict[str, int]:
    """Return how many records were published as current, as real customers and as rejected.

    Raises:
        EngagementError: extracted = real customers + rejected does not hold, in records; or a figure by
            group or by combination has lost or gained some.
    """
    found: Any = session.one("model/published_totals", period=str(period))
    rejected = {found.rejected_count, int(found.combined_count)}
    extracted = {extract.source_count, int(found.grouped_count)}
    if extracted != {found.real_count + count for count in rejected}:
        raise EngagementError(
            f"{period} does not add up: {extract.source_count:,} extracted, but {found.real_count:,} real "
            f"customers and {found.rejected_count:,} rejected ({int(found.grouped_count):,} and "
            f"{int(found.combined_count):,} in the figures); nothing was published. Read the period again."
        )
    return {
        "current_count": found.current_count,
        "real_count": found.real_count,
        "rejected_count": found.rejected_count,
    }
