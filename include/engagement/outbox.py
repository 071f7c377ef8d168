"""The one outbox: a mail is written down before it is sent, and sent once."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any

from engagement import address, clock, ledger, mail, orphans, schema, warehouse
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.mail import Connection, Handover, MailServer, Verdict
from engagement.mailbox import Journal
from engagement.settings import settings
from engagement.warehouse import Line, Session

_log = logging.getLogger(__name__)

_RETRY_FIRST = timedelta(minutes=5)
_RETRY_LAST = timedelta(hours=4)
_GIVEN_UP_AFTER = timedelta(
    days=3
)  # RFC 5321, section 4.5.4.1, asks for four days at least of relays
_PROBE = "probe"
_ANY = b""  # the bucket of all domains
_LONGEST_WAIT_S = 1.0


@dataclass(frozen=True)
class Batch:
    """The mails that belong together: what they are for, and of what."""

    purpose: str
    ref: str

    def __str__(self) -> str:
        return f"{self.purpose} {self.ref}"


@dataclass(frozen=True)
class Message:
    """One claimed mail.

    Attributes:
        batch: what it belongs to.
        message_id: its number.
        step: which of the batch's mails to this recipient it is.
        edition: which text it carries, where that has editions.
        token: what its Message-ID, its return path and our own header carry: random.
        address: where it goes now; while the safety catch is on, the catch-all address.
        is_caught: whether it goes there.
        language: what the recipient is written to in; None where the sender decides.
        survey_token: what the personal link carries; None where there is none.
    """

    batch: Batch
    message_id: int
    step: str
    edition: int | None
    token: str
    address: str
    is_caught: bool
    language: Language | None
    survey_token: str | None

    @property
    def headers(self) -> dict[str, str]:
        """What tells the mail's place in the outbox: the journal can bring it back after a restore."""
        return {mail.NAME_HEADER: f"{self.batch.purpose}/{self.batch.ref}/{self.step}"}


@dataclass
class Outcome:
    """How many mails of a dispatch came to which end, and the last reply that refused one."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    refusal_code: int | None = None

    def __getitem__(self, verdict: Verdict) -> int:
        return self.counts[verdict]

    def add(self, handover: Handover) -> None:
        """Count one mail."""
        self.counts[handover.verdict] += 1
        if handover.verdict is Verdict.REFUSED:
            self.refusal_code = handover.code


Compose = Callable[[Message], bytes]
# Whether a reply, its code and its text, that refuses a mail for good means that the address is dead.
IsDead = Callable[[int, str], bool]


def queue(batch: Batch, step: str, edition: int | None, recipients: Sequence[str]) -> int:
    """Write a mail for every recipient who has none of this step yet; return how many are new.

    What still waits for somebody who is not among `recipients` any more is withdrawn; what was to be tried
    again later is due now. A mail that was refused, or that only reached the catch-all address and mail is
    live now, has reached nobody and is queued again.
    """
    with warehouse.session() as session:
        return add(session, batch, step, edition, recipients)


def add(
    session: Session, batch: Batch, step: str, edition: int | None, recipients: Sequence[str]
) -> int:
    """Do what `queue` does in a transaction that has begun: they are written with what else it writes."""
    key = address.secret()
    now = clock.now()
    of_step = {"purpose": batch.purpose, "ref": batch.ref, "step": step}
    session.run("outbox/lock_batch", ref=str(batch))
    queued = 0
    for recipient in sorted(recipients):
        recipient_key = address.digest(recipient, key)
        session.run("outbox/remember_address", address_key=recipient_key, address=recipient)
        queued += session.run(
            "outbox/queue",
            **of_step,
            recipient_key=recipient_key,
            domain_key=address.domain_digest(recipient, key),
            edition=edition,
            token=secrets.token_hex(16),
            is_live=settings().mail == "live",
            queued_at=now,
        )
    session.run(
        "outbox/withdraw",
        **of_step,
        recipient_keys=[address.digest(recipient, key) for recipient in recipients],
    )
    session.run("outbox/hasten", purpose=batch.purpose, ref=batch.ref, now=now)
    return queued


def dispatch(
    batch: Batch,
    server: MailServer,
    compose: Compose,
    *,
    journal: Journal | None = None,
    is_dead: IsDead | None = None,
    connections: int = 1,
    seconds: float | None = None,
) -> Outcome:
    """Send what is due of `batch`, mail by mail, and return what became of it.

    Each mail is committed as `sending` before the server hears of it and as `sent` after. One
    recipient's refusal does not keep the mail from the others. Several dispatches may run at once.

    Args:
        batch: whose mails.
        server: who takes them.
        compose: writes a mail, its lines ended by CRLF.
        journal: the mailbox in which the relay keeps a copy of every mail, if it does.
        is_dead: tells refusals of dead addresses from others; None where that is nobody's concern.
        connections: how many dialogues with the server are held at once.
        seconds: after which no mail is begun any more; None: when nothing is due.

    Raises:
        EngagementError: the safety catch is on and has nowhere to send to, or the mail server cannot be
            reached.
    """
    catch_all = _catch_all()
    if batch.purpose != _PROBE:
        orphans.settle(
            batch,
            journal,
            is_patient=seconds is None,
            send_probe=lambda: _send_probe(server),
        )
    ends_at = None if seconds is None else time.monotonic() + seconds
    sending = _Sending(batch, server, compose, catch_all, ends_at, journal is not None, is_dead)
    with ThreadPoolExecutor(connections) as threads:
        for worker in [threads.submit(sending.work) for _ in range(connections)]:
            worker.result()
    return sending.outcome


def _send_probe(server: MailServer) -> None:
    """Send a mail to ourselves that must arrive in the journal, after all that was sent before."""
    probe = Batch(_PROBE, "journal")
    to = settings().return_path or parseaddr(server.sender)[1]
    queue(probe, secrets.token_hex(8), None, [to])
    dispatch(probe, server, lambda message: _compose_probe(message, server))


def _compose_probe(message: Message, server: MailServer) -> bytes:
    words = "This mail shows that the relay's journal is complete up to here. Nobody need read it."
    letter = mail.Letter(
        sender=server.sender,
        subject="Journal probe",
        text=words,
        html=f"<p>{words}</p>",
        language="en",
    )
    return letter.addressed(message.address, message.token, headers=message.headers)


@dataclass
class _Sending:
    """One dispatch: what its workers share."""

    _batch: Batch
    _server: MailServer
    _compose: Compose
    _catch_all: str | None
    _ends_at: float | None
    _has_journal: bool
    _is_dead: IsDead | None
    _counting: threading.Lock = field(default_factory=threading.Lock)
    outcome: Outcome = field(default_factory=Outcome)

    def work(self) -> None:
        """Send until nothing is due; a line that breaks is opened again while it carries mails."""
        with _worker() as (line, lock):
            while self._is_time_left() and self._has_due(line):
                with mail.connect(self._server) as connection:
                    if not self._talk(line, lock, connection):
                        return

    def _has_due(self, line: Line) -> bool:
        with line.session() as session:
            return bool(
                session.scalar(
                    "outbox/has_due",
                    purpose=self._batch.purpose,
                    ref=self._batch.ref,
                    now=clock.now(),
                )
            )

    def _talk(self, line: Line, lock: int, connection: Connection) -> bool:
        """Send over one connection; return whether it broke after it had carried a mail."""
        is_used = False
        while self._is_time_left():
            claimed = self._claim(line, lock)
            if claimed is None:
                return False
            if isinstance(claimed, float):
                time.sleep(claimed)
                continue
            handover = self._hand_over(line, lock, connection, claimed)
            with self._counting:
                self.outcome.add(handover)
            if handover.code is None:
                return is_used
            is_used = True
        return False

    def _is_time_left(self) -> bool:
        return self._ends_at is None or time.monotonic() < self._ends_at

    def _hand_over(
        self, line: Line, lock: int, connection: Connection, message: Message
    ) -> Handover:
        handover = Handover(Verdict.LATER, None)  # should composing fail, nothing has gone out
        try:
            composed = self._compose(message)
            path = return_path(parseaddr(self._server.sender)[1], message.token)
            handover = connection.hand_over(composed, path, message.address)
        finally:
            with line.session() as session:
                self._record(session, message, lock, handover)
        return handover

    def _record(self, session: Session, message: Message, lock: int, handover: Handover) -> None:
        now = clock.now()
        state = {
            Verdict.ACCEPTED: "caught" if message.is_caught else "sent",
            Verdict.REFUSED: "refused",
            Verdict.LATER: "queued",
            # By nobody any more: its orphan is looked for in the journal.
            Verdict.UNCERTAIN: "sending" if self._has_journal else "uncertain",
        }[handover.verdict]
        session.run(
            "outbox/record",
            message_id=message.message_id,
            worker_lock=lock,
            state=state,
            smtp_code=handover.code,
            smtp_status=handover.status,
            is_hard_refusal=self._is_hard_refusal(handover),
            sent_at=now if handover.verdict is Verdict.ACCEPTED else None,
            now=now,
            is_later=handover.verdict is Verdict.LATER,
            # A relay that hangs up after some mails is only asked again.
            first=_RETRY_FIRST if handover.code is not None else timedelta(0),
            last=_RETRY_LAST,
            given_up_before=now - _GIVEN_UP_AFTER,
        )

    def _is_hard_refusal(self, handover: Handover) -> bool:
        if self._is_dead is None or handover.verdict is not Verdict.REFUSED or not handover.code:
            return False
        return self._is_dead(handover.code, handover.text)

    def _claim(self, line: Line, lock: int) -> Message | float | None:
        """Return the next mail, which is ours now; or the seconds to wait for it; or None."""
        while True:
            claimed_at = datetime.now(UTC)
            try:
                with line.session() as session:
                    row = session.one(
                        "outbox/claim",
                        purpose=self._batch.purpose,
                        ref=self._batch.ref,
                        worker_lock=lock,
                        is_caught=self._catch_all is not None,
                        now=clock.now(),
                        claimed_at=claimed_at,
                    )
                    if row is not None and row.state == "sending":
                        _take_slots(session, row.domain_key)
            except _NotYetError as wait:
                return wait.seconds
            if row is None:
                return self._wait(line, claimed_at)
            if row.state == "sending":
                return Message(
                    self._batch,
                    row.message_id,
                    row.step,
                    row.edition,
                    row.token,
                    self._catch_all or row.address,
                    self._catch_all is not None,
                    row.language,
                    row.survey_token,
                )

    def _wait(self, line: Line, claimed_at: datetime) -> float | None:
        """Return how long to wait where mails are due whose domains have had their share for now."""
        rate = settings().mail_per_domain_per_second
        if rate is None:
            return None
        with line.session() as session:
            is_waiting = session.scalar(
                "outbox/has_waiting",
                purpose=self._batch.purpose,
                ref=self._batch.ref,
                now=clock.now(),
                machine_now=claimed_at,
            )
        return min(1 / rate, _LONGEST_WAIT_S) if is_waiting else None


class _NotYetError(Exception):
    """The rate allows no mail yet; undoes a claim."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = min(seconds, _LONGEST_WAIT_S)


def _take_slots(session: Session, domain_key: bytes | None) -> None:
    """Take a mail's share of the rates; raises _NotYetError where there is none to take."""
    rates = (
        (_ANY, settings().mail_per_second),
        (domain_key, settings().mail_per_domain_per_second),
    )
    for bucket_key, rate in rates:
        if rate is None or bucket_key is None:
            continue
        every = timedelta(seconds=1 / rate)
        if not session.run(
            "outbox/take_slot", bucket_key=bucket_key, now=datetime.now(UTC), every=every
        ):
            raise _NotYetError(1 / rate)


def return_path(sender: str, token: str) -> str:
    """Return where bounces of a mail go: to a mailbox of their own, with the mail's token, if one is set.

    Variable envelope return path: ENGAGEMENT_RETURN_PATH is `bounces@library.example`, the token stands
    behind a plus (RFC 5233), so that a bounce tells which mail it is of.
    """
    mailbox = settings().return_path
    if mailbox is None:
        return sender
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{token}@{domain}"


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


def uncertain() -> list[Any]:
    """Return the mails that a person has to settle: number, batch, step, token, when they were begun."""
    with warehouse.session() as session:
        return list(session.rows("outbox/uncertain"))


def stop(by: str, reason: str) -> bool:
    """Stop all mail within one claim; return False where it is stopped already."""
    with warehouse.session() as session:
        return bool(session.run("outbox/stop_mail", now=clock.now(), by=by, reason=reason))


def start(by: str) -> bool:
    """Let mail go out again; return False where it was not stopped."""
    with warehouse.session() as session:
        return bool(session.run("outbox/start_mail", now=clock.now(), by=by))


def require_done(batch: Batch, server: MailServer, outcome: Outcome) -> None:
    """Raise EngagementError with what is left to do of a batch, without naming a recipient."""
    with warehouse.session() as session:
        stopped = session.one("outbox/mail_stop")
        counts = {
            row.state: row
            for row in session.rows("outbox/count_states", purpose=batch.purpose, ref=batch.ref)
        }
    if (left := counts.get("queued")) is not None and stopped is not None:
        raise EngagementError(
            f"All mail was stopped by {stopped.stopped_by}; {left.message_count} mail(s) of {batch} wait. "
            "`engagement mail start` lets it go on; then run again."
        )
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


def _catch_all() -> str | None:
    """Return the address that gets every mail while the safety catch is on, or None in live mode."""
    if settings().mail == "live":
        schema.require_own()
        ledger.require_in_place()
        return None
    if not settings().mail_catch_all:
        raise EngagementError(
            "No mail leaves without ENGAGEMENT_MAIL=live; set ENGAGEMENT_MAIL_CATCH_ALL to the address "
            "that is to receive everything until then."
        )
    return settings().mail_catch_all


@contextmanager
def _worker() -> Iterator[tuple[Line, int]]:
    """Hold a connection, and on it the lock by which others see that this worker lives."""
    lock = secrets.randbits(62)
    with warehouse.line() as line:
        with line.session() as session:
            session.scalar("outbox/lock_worker", worker_lock=lock)
        yield line, lock
