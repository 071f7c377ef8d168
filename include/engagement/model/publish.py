"""Makes a period's patrons and their figures public, all at once or not at all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.model import extract_state, gates, source as sources, suites
from engagement.model.check import PATRON_SUITE
from engagement.period import Period
from engagement.warehouse import Session

_log = logging.getLogger(__name__)

# In this order: each stands on those before it.
_FACTS = {
    "model/publish_patron": "pii.patron",
    "model/publish_person_link": "core.person_link",
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
# What is said of each record, put together in this order for the length of the transaction.
_JUDGEMENT = {
    "stage.reason": "model/find_reasons",
    "stage.verdict": "model/find_verdicts",
    "stage.combination": "model/find_combinations",
    "stage.record": "model/judge_records",
    "stage.verdict_count": "model/count_verdicts",
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
        session.run("model/work_in_bulk", helpers=1)
        session.run("model/lock_publish", period=str(period))
        session.run("model/lock_identities")
        extract = _checked(session, period, suite_hash)
        binds = {
            "extract_id": extract.extract_id,
            "period": str(period),
            "source": extract.source,
            "now": clock.now(),
        } | _hashes(extract.mapping_hash, suite_hash)
        binds |= {"shared_address": _judge(session, binds)}
        refusal = gates.of_publication(session, sources.load(extract.source), binds)
        real = 0 if refusal else _replace(session, extract, period, binds)
        for table in (*_JUDGEMENT, "stage.member"):
            session.drop_table(table)
    if refusal is not None:
        raise gates.Refused(refusal)
    _log.info("Published %s: %s real customers.", period, f"{real:,}")
    return real


def _judge(session: Session, binds: dict[str, Any]) -> int:
    """Put together what is said of each record; return how many share their address with another.

    What lies between records is found beside it, on another processor. That session takes hold of the
    staged records before this one does: whoever waits for both would make them wait for each other.
    """
    with warehouse.session() as other, ThreadPoolExecutor(1) as beside:
        other.run("model/work_in_bulk", helpers=0)
        other.run("model/hold_records")
        between = beside.submit(_found_between, other, binds["extract_id"])
        for table, name in _JUDGEMENT.items():
            session.create_table(table, name, **binds)
            session.analyze(table)
        members, shared_address = between.result()
    session.run("model/create_member")
    session.copy("stage.member", ("record_no", "mark", "rule_no"), members)
    session.analyze("stage.member")
    return shared_address


def _found_between(session: Session, extract_id: int) -> tuple[Sequence[Any], int]:
    """Return who shares a mark with whom, and how many records share their address with another."""
    members = session.rows("model/find_members", extract_id=extract_id)
    shared = session.scalar("model/count_shared_addresses", extract_id=extract_id)
    return members, int(shared)


def _replace(session: Session, extract: Any, period: Period, binds: dict[str, Any]) -> int:
    """Put what was judged in place of all that is published of the period; return the real customers."""
    for name in (*_FIGURES.values(), "model/unpublish_person_link"):
        session.run(name, period=str(period))
    for name, table in _FACTS.items():
        _write(session, name, table, binds)
    for name in _FIGURES:
        session.run(name, **binds)
    counts = _reconciled(session, extract, period)
    session.run("model/unpublish_patron_funnel", period=str(period))
    session.run("model/publish_patron_funnel", **binds, **counts)
    return counts["real_count"]


def _write(session: Session, name: str, table: str, binds: dict[str, Any]) -> None:
    """Write one table of facts; of one that is kept by period, the period's part anew."""
    key = _PARTITIONED.get(table)
    if key is None:
        if session.run(name, **binds):
            session.analyze(table)
        return
    part = f"core.{_partition(table, Period.parse(binds['period']))}"
    session.empty_table(part)
    session.drop_key(part)
    session.run(name, **binds)
    session.add_key(part, key)
    session.analyze(part)


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
