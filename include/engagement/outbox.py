"""The one outbox: a mail is written down before it is sent, and sent once."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr

from engagement import address, clock, mail, schema, warehouse
from engagement.errors import EngagementError
from engagement.mail import Handover, MailServer, Verdict
from engagement.settings import settings

_log = logging.getLogger(__name__)

# A worker that lost its lock may still be talking to the server, for as long as that may stay silent.
_LEASE = timedelta(seconds=mail.DIALOGUE_S)


@dataclass(frozen=True)
class Batch:
    """The mails that belong together: what they are for, of what, and which step of it."""

    purpose: str
    ref: str
    step: str

    def __str__(self) -> str:
        return f"{self.purpose} {self.ref}"


@dataclass(frozen=True)
class Message:
    """One claimed mail; `edition` says which text it carries, `address` where it goes now.

    While the safety catch is on that is the catch-all address, and `is_caught` says so.
    """

    message_id: int
    edition: int
    token: str
    address: str
    is_caught: bool


@dataclass
class Outcome:
    """How many mails of a dispatch came to which end, and the last reply that refused one."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    refusal_code: int | None = None

    def __getitem__(self, verdict: Verdict) -> int:
        return self.counts[verdict]


def queue(batch: Batch, edition: int, recipients: Sequence[str]) -> int:
    """Write a mail for every recipient who has none of this batch yet; return how many are new.

    What still waits for somebody who is not among `recipients` any more is withdrawn.
    A mail that was refused, or that only reached the catch-all address and mail is live now, has reached
    nobody and is queued again.
    """
    key = address.secret()
    with warehouse.session() as session:
        session.run("outbox/lock_batch", ref=str(batch))
        queued = 0
        for recipient in sorted(recipients):
            recipient_key = address.digest(recipient, key)
            session.run("outbox/remember_address", address_key=recipient_key, address=recipient)
            queued += session.run(
                "outbox/queue",
                purpose=batch.purpose,
                ref=batch.ref,
                step=batch.step,
                recipient_key=recipient_key,
                edition=edition,
                token=secrets.token_hex(16),
                is_live=settings().mail == "live",
                queued_at=clock.now(),
            )
        session.run(
            "outbox/withdraw",
            purpose=batch.purpose,
            ref=batch.ref,
            step=batch.step,
            recipient_keys=[address.digest(recipient, key) for recipient in recipients],
        )
    return queued


def dispatch(
    batch: Batch, server: MailServer, compose: Callable[[Message], EmailMessage]
) -> Outcome:
    """Send what is queued of `batch`, mail by mail, and return what became of it.

    Each mail is committed as `sending` before the server hears of it and as `sent` after. One
    recipient's refusal does not keep the mail from the others.

    Raises:
        EngagementError: the safety catch is on and has nowhere to send to, the mail server cannot be
            reached, or mails are left that need another run or a person.
    """
    catch_all = _catch_all()
    _settle_orphans(batch)
    outcome = Outcome()
    with _worker() as lock, mail.connect(server) as connection:
        after = 0
        while (message := _claim(batch, lock, after, catch_all)) is not None:
            after = message.message_id
            handover = Handover(Verdict.LATER, None)  # should composing fail, nothing has gone out
            try:
                composed = compose(message)
                handover = connection.hand_over(
                    composed, parseaddr(server.sender)[1], message.address
                )
            finally:
                _record(message, lock, handover)
            outcome.counts[handover.verdict] += 1
            if handover.verdict is Verdict.REFUSED:
                outcome.refusal_code = handover.code
            if handover.code is None:
                break  # the line is broken; what is left stays queued
    _require_done(batch, server, outcome)
    return outcome


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


def _catch_all() -> str | None:
    """Return the address that gets every mail while the safety catch is on, or None in live mode."""
    if settings().mail == "live":
        schema.require_own()
        return None
    if not settings().mail_catch_all:
        raise EngagementError(
            "No mail leaves without ENGAGEMENT_MAIL=live; set ENGAGEMENT_MAIL_CATCH_ALL to the address "
            "that is to receive everything until then."
        )
    return settings().mail_catch_all


def _settle_orphans(batch: Batch) -> None:
    """Mark mails whose worker died in the middle as uncertain: they may have been delivered."""
    while True:
        with warehouse.session() as session:
            orphans = session.rows("outbox/orphans", purpose=batch.purpose, ref=batch.ref)
            ripe_at = [row.claimed_at + _LEASE for row in orphans]
            now = datetime.now(UTC)  # a lease is the machine's time
            for row, ripe in zip(orphans, ripe_at, strict=True):
                if ripe <= now:
                    session.run("outbox/doubt", message_id=row.message_id)
        waiting = [ripe for ripe in ripe_at if ripe > now]
        if not waiting:
            return
        _log.info("A worker died while sending; waiting until its dialogue must be over.")
        time.sleep((max(waiting) - now).total_seconds())


@contextmanager
def _worker() -> Iterator[int]:
    """Hold the lock by which others see that this worker lives; the server frees it when it dies."""
    lock = secrets.randbits(62)
    with warehouse.session() as session:
        session.run("outbox/lock_worker", worker_lock=lock)
        yield lock


def _claim(batch: Batch, lock: int, after: int, catch_all: str | None) -> Message | None:
    """Return the next queued mail, which is ours now; one whose address was erased is withdrawn."""
    with warehouse.session() as session:
        row = session.one(
            "outbox/claim",
            purpose=batch.purpose,
            ref=batch.ref,
            worker_lock=lock,
            after=after,
            is_caught=catch_all is not None,
            claimed_at=datetime.now(UTC),
        )
        if row is not None and row.address is None:
            session.run(
                "outbox/record",
                message_id=row.message_id,
                worker_lock=lock,
                state="withdrawn",
                smtp_code=None,
                sent_at=None,
            )
    if row is None:
        return None
    if row.address is None:
        return _claim(batch, lock, row.message_id, catch_all)
    to = catch_all or row.address
    return Message(row.message_id, row.edition, row.token, to, is_caught=catch_all is not None)


def _record(message: Message, lock: int, handover: Handover) -> None:
    state = {
        Verdict.ACCEPTED: "caught" if message.is_caught else "sent",
        Verdict.REFUSED: "refused",
        Verdict.LATER: "queued",
        Verdict.UNCERTAIN: "uncertain",
    }[handover.verdict]
    with warehouse.session() as session:
        session.run(
            "outbox/record",
            message_id=message.message_id,
            worker_lock=lock,
            state=state,
            smtp_code=handover.code,
            sent_at=clock.now() if handover.verdict is Verdict.ACCEPTED else None,
        )


def _require_done(batch: Batch, server: MailServer, outcome: Outcome) -> None:
    """Raise EngagementError with what is left to do, without naming a recipient."""
    with warehouse.session() as session:
        counts = {
            row.state: row
            for row in session.rows("outbox/count_states", purpose=batch.purpose, ref=batch.ref)
        }
    if (left := counts.get("queued")) is not None:
        raise EngagementError(
            f"The mail server {server} did not take {left.message_count} mail(s) of {batch} for now "
            f"(reply {left.smtp_code or 'none'}); they are still queued: run again later."
        )
    if (left := counts.get("sending")) is not None:
        raise EngagementError(
            f"{left.message_count} mail(s) of {batch} are being sent by another run; run again when it has "
            "ended, to know that they went out."
        )
    if (left := counts.get("uncertain")) is not None:
        raise EngagementError(
            f"{left.message_count} mail(s) of {batch} may or may not have arrived, first number "
            f"{left.first_id}; look in the mailbox it went to, then run "
            f"`engagement mail settle {left.first_id} --arrived` or `--not-arrived`."
        )
    if refused := outcome[Verdict.REFUSED]:
        raise EngagementError(
            f"The mail server {server} refused {refused} mail(s) of {batch} for good "
            f"(reply {outcome.refusal_code}); correct the recipients, then run again."
        )
