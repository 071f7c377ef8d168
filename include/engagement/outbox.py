"""The one outbox: a mail is written down before it is sent; `sending` sends it, once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engagement import address, clock, warehouse
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.privacy import reads
from engagement.settings import settings
from engagement.warehouse import Session


@dataclass(frozen=True)
class Batch:
    """The mails that belong together: what they are for, and of what."""

    purpose: str
    ref: str

    def __str__(self) -> str:
        return f"{self.purpose} {self.ref}"


@dataclass(frozen=True)
class Recipient:
    """Who is to have a mail.

    Attributes:
        address: where it goes.
        language: what it is written in; None where the sender decides.
        has_pdf: whether the PDF goes along.
    """

    address: str
    language: Language | None = None
    has_pdf: bool = False


def queue(
    batch: Batch, step: str, edition: int | None, recipients: Sequence[str | Recipient]
) -> int:
    """Write a mail for every recipient who has none of this step yet; return how many are new.

    What still waits for somebody who is not among `recipients` any more is withdrawn; what was to be tried
    again later is due now. A mail that was refused, or that only reached the catch-all address and mail is
    live now, has reached nobody and is queued again. One that waits takes the language and the PDF that are
    wanted now, and the edition unless it was tried.
    """
    with warehouse.session() as session:
        return add(session, batch, step, edition, recipients)


def add(
    session: Session,
    batch: Batch,
    step: str,
    edition: int | None,
    recipients: Sequence[str | Recipient],
) -> int:
    """Do what `queue` does in a transaction that has begun: they are written with what else it writes."""
    wanted = [_recipient(one) for one in recipients]
    queued = put(session, batch, step, edition, wanted)
    key = address.secret()
    session.run(
        "outbox/withdraw",
        purpose=batch.purpose,
        ref=batch.ref,
        step=step,
        recipient_keys=[address.digest(to.address, key) for to in wanted],
    )
    return queued


def put(
    session: Session,
    batch: Batch,
    step: str,
    edition: int | None,
    recipients: Sequence[Recipient],
) -> int:
    """Do what `add` does, and withdraw nothing."""
    key = address.secret()
    now = clock.now()
    wanted = {one.address: one for one in recipients}
    session.run("outbox/lock_batch", ref=str(batch))
    queued = 0
    for to in sorted(wanted):
        of_mail = {
            "purpose": batch.purpose,
            "ref": batch.ref,
            "step": step,
            "recipient_key": address.digest(to, key),
            "edition": edition,
            "language": wanted[to].language,
            "has_pdf": wanted[to].has_pdf,
        }
        session.run("outbox/remember_address", address_key=of_mail["recipient_key"], address=to)
        queued += session.run(
            "outbox/queue",
            **of_mail,
            domain_key=address.domain_digest(to, key),
            token=secrets.token_hex(16),
            is_live=settings().mail == "live",
            queued_at=now,
        )
        session.run("outbox/correct", **of_mail)
    session.run("outbox/hasten", purpose=batch.purpose, ref=batch.ref, now=now)
    return queued


def steps_to(session: Session, batch: Batch, to: Recipient) -> dict[str, bool]:
    """Return the step of every mail of `batch` to a recipient, the first one first, and whether it reached him."""
    rows = session.rows(
        "outbox/steps_to",
        purpose=batch.purpose,
        ref=batch.ref,
        recipient_key=address.digest(to.address, address.secret()),
        is_live=settings().mail == "live",
    )
    return {row.step: row.has_reached for row in rows}


def _recipient(one: str | Recipient) -> Recipient:
    return Recipient(one) if isinstance(one, str) else one


def settle(message_id: int, *, is_delivered: bool) -> None:
    """Record what a person found out about an uncertain mail; one that did not arrive is queued again.

    Raises:
        EngagementError: there is no uncertain mail of that number.
    """
    with warehouse.session() as session:
        if not session.run(
            "outbox/settle", message_id=message_id, is_delivered=is_delivered, now=clock.now()
        ):
            raise EngagementError(f"No mail {message_id} is uncertain; there is nothing to settle.")


def uncertain(by: str) -> list[Any]:
    """Return the mails that a person has to settle: number, batch, step, token, when they were begun, address.

    Args:
        by: who looks; logged, because the addresses are people's.
    """
    with warehouse.session() as session:
        rows = list(session.rows("outbox/uncertain"))
        reads.log(session, by, "mail uncertain", "to settle uncertain mails", len(rows))
    return rows


def stop(by: str, reason: str) -> bool:
    """Stop all mail within one claim; return False where it is stopped already.

    Raises:
        EngagementError: no reason is given.
    """
    if not reason.strip():
        raise EngagementError(
            "Say why with --reason: it is told to whoever asks why no mail goes out."
        )
    with warehouse.session() as session:
        return bool(session.run("outbox/stop_mail", now=clock.now(), by=by, reason=reason))


def start(by: str) -> bool:
    """Let mail go out again; return False where it was not stopped."""
    with warehouse.session() as session:
        return bool(session.run("outbox/start_mail", now=clock.now(), by=by))
