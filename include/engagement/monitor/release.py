"""From a cut of the figures to a report in its readers' mailboxes."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engagement import address, clock, mail, outbox, sending, warehouse
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.mail import Letter, MailServer
from engagement.monitor import archive, distribution, editions, rhythm
from engagement.monitor.distribution import Distribution
from engagement.outbox import Batch, Recipient
from engagement.period import Period
from engagement.sending import Message
from engagement.settings import settings
from engagement.templates import environment
from engagement.warehouse import Session

_STEP = "report-v1"
_log = logging.getLogger(__name__)


class NothingToSend(EngagementError):
    """The report is not to be mailed by itself; says why."""


def cut(period: Period, run: str) -> int:
    """Make the period's edition as of now, and archive it; return it. Mails nobody.

    Args:
        period: what the report is on.
        run: what makes it, as a data engineer finds it again.

    Raises:
        EngagementError: nothing is published for the period, or its figures contradict each other.
    """
    edition = editions.make(period, run)
    archive.keep()
    return edition


def _cut_though_unarchived(period: Period, run: str) -> int:
    """Do what `cut` does for a report that is wanted now: who sends it says afterwards what the archive lacks."""
    edition = editions.make(period, run)
    try:
        archive.keep()
    except EngagementError as why:
        _log.warning("The report goes out all the same: %s", why)
    return edition


def cut_to_send(period: Period, run: str) -> int:
    """Do what `cut` does for a report that is to go out by itself; return the edition that is to go.

    That is the one that went out already as long as mails of it wait. An archive that cannot be written holds back
    no mail; `send` says so when they are out.

    Raises:
        NothingToSend: it is not the latest closed period, or another edition of it is out already.
        EngagementError: nothing is published for the period, or its figures contradict each other.
    """
    latest = rhythm.latest_closed(clock.now())
    if period != latest:
        raise NothingToSend(
            f"The report on {period} is archived and not mailed: only that on the last month, {latest}, "
            f"goes out by itself. `engagement report send {period}` mails it."
        )
    edition = _cut_though_unarchived(period, run)
    with warehouse.session() as session:
        released = session.one("monitor/released_report", period=str(period))
    if released is not None and released.is_waited_for:
        return int(released.edition)
    if released is not None and released.edition != edition:
        raise NothingToSend(
            f"Edition {edition} of the report on {period} is archived and not mailed: edition "
            f"{released.edition} went out. `engagement report send {period}` mails it to who has had none."
        )
    return edition


def send(period: Period, server: MailServer, edition: int, approved_by: str | None = None) -> int:
    """Let an edition go, and mail it to every recipient who has not had the report; return how many went.

    Only the first edition of a period that is let go is mailed; another one mails nobody.

    Args:
        period: what the report is on.
        server: who takes the mails.
        edition: which edition.
        approved_by: who let it go, where it waited for that.

    Raises:
        EngagementError: there is no report, not every mail could be sent, or the archive could not be written after it.
    """
    said = distribution.read()
    with warehouse.session() as session:
        _require(session, period)
        if _released(session, period, edition, approved_by) != edition:
            _log.info("Another edition of the report on %s went out; nobody is mailed.", period)
            return 0
        _queue(session, period, edition, said)
    return _sent(period, server)


def send_now(period: Period, server: MailServer, by: str, reason: str = "") -> int:
    """Make the edition of now and mail it to every recipient who has not had the report, because a person wants it.

    Args:
        period: what the report is on, however long ago.
        server: who takes the mails.
        by: who wants it; recorded where he is the first to let the report go.
        reason: why it goes out past its reviewer; recorded with him.

    Returns:
        How many mails went out.

    Raises:
        EngagementError: the report has a reviewer whom no reason passes over, nothing is published for the period,
            not every mail could be sent, or the archive could not be written after it.
    """
    said = distribution.read()
    with warehouse.session() as session:
        is_released = session.one("monitor/released_report", period=str(period)) is not None
    if said.review is not None and not is_released and not reason.strip():
        raise EngagementError(
            f"The report on {period} goes out when an approver has answered under Required Actions in Airflow; to pass "
            "over the reviewer give --without-review and --reason."
        )
    edition = _cut_though_unarchived(period, "send")
    with warehouse.session() as session:
        _released(session, period, edition, by, reason or None)
        _queue(session, period, edition, said)
    return _sent(period, server)


def resend(period: Period, server: MailServer, to: str, by: str) -> bool:
    """Mail the edition that went out to one of its recipients once more.

    While a mail of it to him has not reached him, that one is tried again: a second one beside it would
    reach him twice.

    Args:
        period: what the report is on.
        server: who takes the mail.
        to: the recipient's address.
        by: who wants it; recorded.

    Returns:
        Whether it is another mail; False where the one before had not reached him.

    Raises:
        EngagementError: he is none of the recipients, the report has not gone out, or the mail could not be sent.
    """
    said = distribution.read()
    known = {one.address.lower(): one for one in said.recipients}
    wanted = known.get((address.normal(to) or "").lower())
    if wanted is None:
        raise EngagementError(
            f"That address is none of the recipients in {settings().report_file.name}; add it there, or use "
            f"`engagement report preview {period} --to`."
        )
    with warehouse.session() as session:
        released = session.one("monitor/released_report", period=str(period))
        if released is None:
            raise EngagementError(
                f"The report on {period} has not gone out yet; `engagement report send {period}` mails it."
            )
        number = session.scalar(
            "monitor/add_resend",
            period=str(period),
            edition=released.edition,
            resent_by=by,
            resent_at=clock.now(),
        )
        recipient, another = _recipient(wanted), f"again-{number}"
        had = {_STEP: False} | outbox.steps_to(session, _batch(period), recipient)
        step = next((step for step, has_reached in had.items() if not has_reached), another)
        outbox.put(session, _batch(period), step, released.edition, [recipient])
    _sent(period, server)
    return step == another


def preview(
    period: Period,
    server: MailServer,
    edition: int,
    to: distribution.Recipient,
    step: str | None = None,
) -> int:
    """Mail an edition to one reader, marked as a preview; return how many mails went.

    Args:
        period: what the report is on.
        server: who takes the mail.
        edition: which edition.
        to: who reads it.
        step: the same mail goes out once under one name; None mails it whenever it is asked for.

    Raises:
        EngagementError: the mail could not be sent.
    """
    batch = Batch("preview", str(period))
    outbox.queue(batch, step or f"preview-{secrets.token_hex(4)}", edition, [_recipient(to)])
    return _dispatched(batch, server, _Letters(period, server, is_preview=True))


@dataclass(frozen=True)
class Question:
    """What the approvers of an edition are asked in Airflow: Markdown, their login names, and for how long."""

    subject: str
    body: str
    approvers: tuple[str, ...]
    time_left: timedelta


def ask(period: Period, server: MailServer, edition: int) -> Question | None:
    """Mail an edition to the reviewer, once; return what to ask, or None where nobody is to be asked.

    Raises:
        EngagementError: the mail could not be sent.
    """
    said = distribution.read()
    with warehouse.session() as session:
        is_released = session.one("monitor/released_report", period=str(period)) is not None
    if said.review is None or is_released:
        return None
    preview(period, server, edition, said.review.reviewer, step=f"review-{edition}")
    subjects = [editions.read(period, edition, language).subject for language in editions.LANGUAGES]
    body = environment("release", "th").get_template("review.md.j2")
    return Question(
        subjects[0],
        body.render(subjects=subjects, readers=len(said.recipients)),
        said.review.approvers,
        rhythm.send_at(period.next, said) - clock.now(),
    )


def _require(session: Session, period: Period) -> None:
    if editions.newest(session, period) is None:
        raise EngagementError(
            f"There is no report on {period} yet; `engagement report preview {period}` makes it, or monitor_report does."
        )


def _released(
    session: Session, period: Period, edition: int, by: str | None, reason: str | None = None
) -> int:
    """Let the edition go unless one was; return which was let go."""
    session.run(
        "monitor/release_report",
        period=str(period),
        edition=edition,
        released_by=by,
        released_at=clock.now(),
        reason=reason,
    )
    released: Any = session.one("monitor/released_report", period=str(period))
    return int(released.edition)


def _queue(session: Session, period: Period, edition: int, said: Distribution) -> None:
    outbox.add(
        session, _batch(period), _STEP, edition, [_recipient(one) for one in said.recipients]
    )


def _batch(period: Period) -> Batch:
    return Batch("report", str(period))


def _recipient(one: distribution.Recipient) -> Recipient:
    return Recipient(one.address, one.language, one.pdf)


def _sent(period: Period, server: MailServer) -> int:
    try:
        sent = _dispatched(_batch(period), server, _Letters(period, server))
    finally:
        archive.keep()  # its index says which edition went out
    _log.info("%s mail(s) of the report on %s were sent.", sent, period)
    return sent


def _dispatched(batch: Batch, server: MailServer, letters: _Letters) -> int:
    outcome = sending.dispatch(batch, server, letters.compose)
    sending.require_done(batch, server, outcome)
    return outcome[mail.Verdict.ACCEPTED]


class _Letters:
    """The mails of one dispatch: what several recipients have alike is written once."""

    def __init__(self, period: Period, server: MailServer, *, is_preview: bool = False) -> None:
        self._period = period
        self._sender = server.sender
        self._is_preview = is_preview
        self._written: dict[tuple[Any, ...], Letter] = {}

    def compose(self, message: Message) -> bytes:
        language = message.language or "th"
        alike = (message.edition, language, message.has_pdf, message.is_caught)
        if alike not in self._written:
            self._written[alike] = editions.letter(
                self._period,
                message.edition or 0,
                language,
                sender=self._sender,
                has_pdf=message.has_pdf,
                mark=self._mark(language, is_caught=message.is_caught),
            )
        letter = self._written[alike]
        return letter.addressed(message.address, message.token, headers=message.headers)

    def _mark(self, language: Language, *, is_caught: bool) -> str:
        mark = "[catch-all] " if is_caught else ""
        if self._is_preview:
            mark += environment("release", language).get_template("preview.txt.j2").render() + " "
        return mark
