"""Makes a period's patrons and their figures public, all at once or not at all."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.model import suites
from engagement.model.check import PATRON_SUITE
from engagement.model.extract import accepted, require_staged
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
_FIGURES = (
    "model/publish_patron_funnel",
    "model/publish_patron_rejection",
    "model/publish_patron_group",
)
_PARTITIONED = ("core.patron_month", "core.rejection")


def publish(period: Period) -> int:
    """Publish the period's checked extract; return how many real customers it has.

    Publishing again gives the same rows. What was published stays until the new rows are whole.

    Raises:
        EngagementError: the extract is missing or was not checked with the suite as it is now, or
            extracted = real customers + rejected does not hold.
    """
    suite_hash = suites.load(PATRON_SUITE).hash
    with warehouse.session() as session:
        for (
            table
        ) in _PARTITIONED:  # beforehand: a new partition locks the other periods' readers out
            session.add_partition(table, _partition(table, period), str(period))
    with warehouse.session() as session:
        session.run("model/lock_publish", period=str(period))
        extract = accepted(session, period)
        require_staged(session, extract.extract_id, period)
        _require_checked(session, extract, suite_hash, period)
        for table in _PARTITIONED:
            session.empty_table(f"core.{_partition(table, period)}")
        for name in ("patron_funnel", "patron_rejection", "patron_group", "person_link"):
            session.run(f"model/unpublish_{name}", period=str(period))
        binds = {
            "extract_id": extract.extract_id,
            "period": str(period),
            "source": extract.source,
            "now": clock.now(),
        }
        for name, table in _FACTS.items():
            session.run(name, **binds)
            session.analyze(f"core.{_partition(table, period)}" if table in _PARTITIONED else table)
        _reconcile(session, extract, period)
        definition = hashlib.sha256(f"{extract.mapping_hash}{suite_hash}".encode()).hexdigest()
        for name in _FIGURES:
            session.run(name, **binds, definition_hash=definition)
        real = int(session.scalar("model/count_real_customers", period=str(period)))
    _log.info("Published %s: %s real customers.", period, f"{real:,}")
    return real


def _partition(table: str, period: Period) -> str:
    return f"{table.split('.')[1]}_{str(period).replace('-', '_')}"


def _require_checked(session: Session, extract: Any, suite_hash: str, period: Period) -> None:
    checked = session.scalar(
        "model/count_checked", extract_id=extract.extract_id, suite_hash=suite_hash
    )
    if not checked:
        raise EngagementError(
            f"The extract of {period} was not checked with {PATRON_SUITE}.json as it is now; run the "
            "task check of model_patrons for the period first."
        )


def _reconcile(session: Session, extract: Any, period: Period) -> None:
    """Raise EngagementError unless extracted = real customers + rejected, in records."""
    real = int(session.scalar("model/count_real_customers", period=str(period)))
    rejected = int(session.scalar("model/count_rejected_records", period=str(period)))
    if extract.source_count != real + rejected:
        raise EngagementError(
            f"{period} does not add up: {extract.source_count:,} extracted, but {real:,} real customers "
            f"and {rejected:,} rejected; nothing was published. Read the period again."
        )
