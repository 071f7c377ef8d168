"""What became of mails whose sender died, or whose line broke, in the middle."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from engagement import clock, mail, mailbox, warehouse

if TYPE_CHECKING:
    from engagement.mailbox import Journal, Mailbox
    from engagement.outbox import Batch

_log = logging.getLogger(__name__)

# A worker that lost its lock may still be talking to the server, for as long as that may stay silent.
LEASE = timedelta(seconds=mail.DIALOGUE_S)
_PROOF_WITHIN = timedelta(hours=1)  # a journal that has not kept our probe by then is none


class _Fate(Enum):
    """What is to be done about an orphan, by the statement that does it; LATER: nothing yet."""

    FOUND = "outbox/found"
    AGAIN = "outbox/again"
    DOUBT = "outbox/doubt"
    LATER = ""


def settle(
    batch: Batch, journal: Journal | None, *, is_patient: bool, send_probe: Callable[[], object]
) -> None:
    """Find out which of a batch's orphans the relay has had; what it never had is queued again.

    What a journal does not hold counts as never taken only when the longest dialogue is over, the journal
    has had time, and holds a probe that was sent later. Without a journal, or where a probe does not arrive
    in it within an hour, an orphan is uncertain: a person decides.

    Args:
        batch: whose mails.
        journal: the mailbox in which the relay keeps a copy of every mail, if it does.
        is_patient: wait until all is settled; else what cannot be settled yet is left for the next time.
        send_probe: sends a mail that must arrive in the journal.
    """
    while orphans := _orphans(batch):
        wait_s = _settle(orphans, journal, send_probe)
        if wait_s is None:
            return
        if not is_patient:
            _log.info(
                "%s mail(s) wait until it can be known whether they were taken.", len(orphans)
            )
            return
        _log.info(
            "A worker died while sending; waiting until it can be known what became of its mail."
        )
        time.sleep(wait_s)


def _orphans(batch: Batch) -> list[Any]:
    with warehouse.session() as session:
        return list(session.rows("outbox/orphans", purpose=batch.purpose, ref=batch.ref))


def _settle(
    orphans: list[Any], journal: Journal | None, send_probe: Callable[[], object]
) -> float | None:
    """Settle what can be settled; return the seconds after which the rest can, or None."""
    now = datetime.now(UTC)  # a lease is the machine's time
    is_probe_missing = False
    waits = []
    with ExitStack() as stack:
        kept = stack.enter_context(mailbox.opened(journal.place)) if journal else None
        for orphan in orphans:
            ripe_at = orphan.claimed_at + LEASE
            if now < ripe_at:
                waits.append(ripe_at - now)
                continue
            fate = _Fate.DOUBT
            if journal is not None and kept is not None:
                fate, is_probed = _fate(orphan, kept, journal.settle, now)
                is_probe_missing |= not is_probed
                waits += [journal.settle] if fate is _Fate.LATER else []
            if fate is not _Fate.LATER:
                with warehouse.session() as session:
                    session.run(fate.value, message_id=orphan.message_id, now=clock.now())
    if is_probe_missing:
        send_probe()
    return max(waits).total_seconds() if waits else None


def _fate(orphan: Any, journal: Mailbox, settle: timedelta, now: datetime) -> tuple[_Fate, bool]:
    """Return what is to be done about an orphan, and whether a probe is on its way or not wanted."""
    if journal.holds(orphan.token):
        return _Fate.FOUND, True
    absent_from = orphan.claimed_at + LEASE + settle
    if now < absent_from:
        return _Fate.LATER, True
    with warehouse.session() as session:
        probe: Any = session.one("outbox/newest_probe", after=absent_from)
    if probe is None:
        return _Fate.LATER, False
    # A copy that was held up on its way may come after a probe that was not.
    if now < probe.claimed_at + settle or not journal.holds(probe.token):
        return (_Fate.DOUBT if now > probe.claimed_at + _PROOF_WITHIN else _Fate.LATER), True
    # Asked again: it may have come in between.
    return (_Fate.FOUND if journal.holds(orphan.token) else _Fate.AGAIN), True
