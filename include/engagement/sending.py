"""Sends what the outbox holds, mail by mail, so that none goes out twice and none is lost."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any

from engagement import clock, ledger, mail, orphans, outbox, schema, warehouse
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.mail import Connection, Handover, MailServer, Verdict
from engagement.mailbox import Journal
from engagement.outbox import Batch
from engagement.settings import settings
from engagement.warehouse import Line, LineSession

_RETRY_FIRST = timedelta(minutes=5)
_RETRY_LAST = timedelta(hours=4)
# RFC 5321, section 4.5.4.1, asks for four days at least of relays.
_GIVEN_UP_AFTER = timedelta(days=3)
# Who has answered is not reminded: only answers that are no older tell who has.
FRESH_ANSWERS = timedelta(hours=24)
_PROBE = "probe"
_ANY = b""  # the bucket of all domains
_LONGEST_WAIT_S = 1.0
_LOOK_AGAIN_S = 0.1


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
        has_pdf: whether the recipient wants the PDF too.
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
    has_pdf: bool = False

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
        is_dead: tells refusals of dead addresses from others, which then are tried again; None where every
            refusal is for good.
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
    try:
        with ThreadPoolExecutor(connections) as threads:
            for worker in [threads.submit(sending.work) for _ in range(connections)]:
                worker.result()
    finally:
        if catch_all is None:
            ledger.count_dispatch()
    return sending.outcome


def _send_probe(server: MailServer) -> None:
    """Send a mail to ourselves that must arrive in the journal, after all that was sent before."""
    probe = Batch(_PROBE, "journal")
    to = settings().return_path or parseaddr(server.sender)[1]
    outbox.queue(probe, secrets.token_hex(8), None, [to])
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

    batch: Batch
    server: MailServer
    compose: Compose
    catch_all: str | None
    ends_at: float | None
    has_journal: bool
    is_dead: IsDead | None
    outcome: Outcome = field(default_factory=Outcome)

    def __post_init__(self) -> None:
        self.sender = parseaddr(self.server.sender)[1]
        self._counting = threading.Lock()

    def work(self) -> None:
        """Send over one connection at a time, until nothing is due."""
        with _locked_line() as (line, lock):
            _Worker(self, line, lock).work()

    def is_time_left(self) -> bool:
        return self.ends_at is None or time.monotonic() < self.ends_at

    def count(self, handover: Handover) -> None:
        with self._counting:
            self.outcome.add(handover)


class _Worker:
    """Who sends over one connection; its lock tells others that it lives.

    What became of a mail is committed together with the claim of the next one: one commit per mail.
    """

    def __init__(self, sending: _Sending, line: Line, lock: int) -> None:
        self._sending = sending
        self._of_batch = {"purpose": sending.batch.purpose, "ref": sending.batch.ref}
        self._line = line
        self._lock = lock
        self._done: tuple[Message, Handover] | None = None
        self._patience_s = _LOOK_AGAIN_S

    def work(self) -> None:
        """Send until nothing is due; a dialogue that breaks is opened again while it carries mails."""
        while self._sending.is_time_left() and self._has_due():
            with mail.connect(self._sending.server) as connection:
                if not self._talk(connection):
                    return

    def _has_due(self) -> bool:
        with self._line.session() as session:
            due = session.one("outbox/has_due", **self._of_batch, **_now())
        return due is not None

    def _talk(self, connection: Connection) -> bool:
        """Send over one dialogue; return whether it broke after it had carried a mail."""
        is_used = False
        try:
            while self._sending.is_time_left():
                claimed = self._claim()
                if claimed is None:
                    return False
                if isinstance(claimed, float):
                    time.sleep(claimed)
                    continue
                handover = self._hand_over(connection, claimed)
                if handover.code is None:
                    return is_used
                is_used = True
            return False
        finally:
            self._record_alone()

    def _hand_over(self, connection: Connection, message: Message) -> Handover:
        # Should composing fail, nothing has gone out; what fails after it leaves an orphan.
        self._done = message, Handover(Verdict.LATER, None)
        composed = self._sending.compose(message)
        self._done = None
        path = return_path(self._sending.sender, message.token)
        handover = connection.hand_over(composed, path, message.address)
        self._done = message, handover
        self._sending.count(handover)
        return handover

    def _claim(self) -> Message | float | None:
        """Return the next mail, which is ours now; or the seconds to wait for it; or None."""
        while True:
            try:
                with self._line.session() as session:
                    self._record(session)
                    row = session.one(
                        "outbox/claim",
                        **self._of_batch,
                        worker_lock=self._lock,
                        is_caught=self._sending.catch_all is not None,
                        **_now(),
                        claimed_at=datetime.now(UTC),
                    )
                    if row is not None and row.state == "sending":
                        _take_slots(session, row.domain_key)
            except _NotYetError as wait:
                self._record_alone()
                return wait.seconds
            self._done = None
            if row is None:
                # Its domain has had its share for now, or another worker may still let go of it.
                self._patience_s = min(2 * self._patience_s, _LONGEST_WAIT_S)
                return self._patience_s if self._has_due() else None
            self._patience_s = _LOOK_AGAIN_S
            if row.state == "sending":
                return self._message(row)

    def _message(self, row: Any) -> Message:
        return Message(
            self._sending.batch,
            row.message_id,
            row.step,
            row.edition,
            row.token,
            self._sending.catch_all or row.address,
            self._sending.catch_all is not None,
            row.written_in,
            row.survey_token,
            row.has_pdf,
        )

    def _record_alone(self) -> None:
        if self._done is not None:
            with self._line.session() as session:
                self._record(session)
            self._done = None

    def _record(self, session: LineSession) -> None:
        """Write down what became of the last mail, if that is not done yet."""
        if self._done is None:
            return
        message, handover = self._done
        is_hard = self._is_hard_refusal(handover)
        verdict = handover.verdict
        if verdict is Verdict.REFUSED and self._sending.is_dead is not None and not is_hard:
            verdict = (
                Verdict.LATER
            )  # a fault of ours or of the relay, which is no fault of the recipient
        now = clock.now()
        state = {
            Verdict.ACCEPTED: "caught" if message.is_caught else "sent",
            Verdict.REFUSED: "refused",
            Verdict.LATER: "queued",
            # By nobody any more: its orphan is looked for in the journal.
            Verdict.UNCERTAIN: "sending" if self._sending.has_journal else "uncertain",
        }[verdict]
        session.run(
            "outbox/record",
            message_id=message.message_id,
            worker_lock=self._lock,
            state=state,
            smtp_code=handover.code,
            smtp_status=handover.status,
            is_hard_refusal=is_hard,
            sent_at=now if verdict is Verdict.ACCEPTED else None,
            now=now,
            is_later=verdict is Verdict.LATER,
            # A relay that hangs up after some mails is only asked again.
            first=_RETRY_FIRST if handover.code is not None else timedelta(0),
            last=_RETRY_LAST,
            given_up_before=now - _GIVEN_UP_AFTER,
        )

    def _is_hard_refusal(self, handover: Handover) -> bool:
        is_dead = self._sending.is_dead
        is_refusal = handover.verdict is Verdict.REFUSED and handover.is_of_recipient
        if is_dead is None or not is_refusal or not handover.code:
            return False
        return is_dead(handover.code, handover.text)


def _now() -> dict[str, datetime]:
    """Return the instant, and how old answers may be for a reminder to go out."""
    now = clock.now()
    return {"now": now, "answers_since": now - FRESH_ANSWERS}


class _NotYetError(Exception):
    """The rate allows no mail yet; undoes a claim."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = min(seconds, _LONGEST_WAIT_S)


def _take_slots(session: LineSession, domain_key: bytes | None) -> None:
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
        ledger.count_dispatch()
        return None
    if not settings().mail_catch_all:
        raise EngagementError(
            "No mail leaves without ENGAGEMENT_MAIL=live; set ENGAGEMENT_MAIL_CATCH_ALL to the address "
            "that is to receive everything until then."
        )
    return settings().mail_catch_all


@contextmanager
def _locked_line() -> Iterator[tuple[Line, int]]:
    """Hold a connection, and on it the lock by which others see that this worker lives."""
    lock = secrets.randbits(62)
    with warehouse.line() as line:
        with line.session() as session:
            session.scalar("outbox/lock_worker", worker_lock=lock)
        yield line, lock
