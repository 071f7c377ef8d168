"""Makes a period's patrons and their figures public, all at once or not at all."""

from __future__ import annotations

import hashlib
import logging
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
_FIGURES = (
    "patron_funnel",
    "patron_rejection",
    "patron_rejection_set",
    "patron_group",
    "patron_group_rejection",
    "patron_notice",
)


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
        extract = _checked(session, period, suite_hash)
        for table in _PARTITIONED:  # now: a new partition locks the other periods' readers out
            session.add_partition(table, _partition(table, period), str(period))
    hashes = _hashes(extract.mapping_hash, suite_hash)
    source = sources.load(extract.source)
    gates.require_usual_share(extract.extract_id, source, period, hashes["definition_hash"])
    with warehouse.session() as session:
        session.run("model/lock_publish", period=str(period))
        extract = _checked(session, period, suite_hash)
        binds = {
            "extract_id": extract.extract_id,
            "period": str(period),
            "source": extract.source,
            "now": clock.now(),
        }
        for name in (*_FIGURES, "person_link"):
            session.run(f"model/unpublish_{name}", period=str(period))
        _judge(session, binds)
        for name, table in _FACTS.items():
            _write(session, name, table, binds)
        _reconcile(session, extract, period)
        for name in _FIGURES:
            session.run(f"model/publish_{name}", **binds, **hashes)
        real = int(session.scalar("model/count_real_customers", period=str(period)))
    _log.info("Published %s: %s real customers.", period, f"{real:,}")
    return real


def _judge(session: Session, binds: dict[str, Any]) -> None:
    """Put together, for this transaction, what is said of each record: pg_temp.record and its parts."""
    session.run("model/allow_memory")
    session.run("model/lock_identities")
    for table, filled_by in (
        ("verdict", "find_verdicts"),
        ("record", "judge_records"),
        ("rejected_count", "count_verdicts"),
    ):
        session.run(f"model/create_{table}")
        session.run(f"model/{filled_by}", **binds)
        session.analyze(f"pg_temp.{table}")


def _write(session: Session, name: str, table: str, binds: dict[str, Any]) -> None:
    """Write one table of facts; of one that is kept by period, the period's part anew."""
    key = _PARTITIONED.get(table)
    if key is None:
        session.run(name, **binds)
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


def _reconcile(session: Session, extract: Any, period: Period) -> None:
    """Raise EngagementError unless extracted = real customers + rejected, in records."""
    real = int(session.scalar("model/count_real_customers", period=str(period)))
    rejected = int(session.scalar("model/count_rejected_records", period=str(period)))
    if extract.source_count != real + rejected:
        raise EngagementError(
            f"{period} does not add up: {extract.source_count:,} extracted, but {real:,} real customers "
            f"and {rejected:,} rejected; nothing was published. Read the period again."
        )
