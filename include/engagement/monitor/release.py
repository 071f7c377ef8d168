"""From published figures to a report in its readers' mailboxes."""

from __future__ import annotations

import hashlib
import logging

from pydantic import BaseModel, ConfigDict, field_validator

from engagement import address, clock, mail, outbox, sending, warehouse, yaml_file
from engagement.errors import EngagementError
from engagement.labels import Label
from engagement.mail import MailServer
from engagement.monitor import figures, report, work_items
from engagement.monitor.report import Letterhead, Report
from engagement.outbox import Batch
from engagement.period import Period
from engagement.sending import Message
from engagement.settings import settings

LANGUAGE = "th"
_log = logging.getLogger(__name__)


class Distribution(BaseModel):
    """What ENGAGEMENT_REPORT_FILE says: who writes, who answers, who receives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    library: Label
    contact: Label
    email: str
    recipients: tuple[str, ...]

    @field_validator("recipients")
    @classmethod
    def _are_addresses(cls, recipients: tuple[str, ...]) -> tuple[str, ...]:
        """Each is one address, and none stands there twice; says which by its place in the list."""
        normal = [address.normal(recipient) for recipient in recipients]
        for number, one in enumerate(normal, 1):
            if one is None:
                raise ValueError(f"number {number} is no e-mail address")
            if one.lower() in {other.lower() for other in normal[: number - 1] if other}:
                raise ValueError(f"number {number} stands there twice")
        return tuple(filter(None, normal))

    @property
    def letterhead(self) -> Letterhead:
        """Who writes the report and who answers questions about it."""
        return Letterhead(self.library, self.contact, self.email)


def distribution() -> Distribution:
    """Return the report's distribution.

    Raises:
        EngagementError: the file is missing, or says something else than it must.
    """
    path = settings().report_file
    try:
        said = yaml_file.read(path)
    except FileNotFoundError:
        raise EngagementError(
            f"{path} does not exist; write who receives the report there, or correct "
            "ENGAGEMENT_REPORT_FILE."
        ) from None
    read = yaml_file.validated(path, said, Distribution)
    if not read.recipients:
        raise EngagementError(f"{path} names no recipients; the report would reach nobody.")
    return read


def render(period: Period) -> int:
    """Render the report on a published period and keep it; return its edition.

    Rendering again gives the same edition as long as it says the same; a period that was published
    again makes a new edition, which nobody is mailed by itself.

    Raises:
        EngagementError: nothing is published for the period, or its figures contradict each other.
    """
    with warehouse.session() as session:
        current = figures.require(session, period)
        previous = figures.published(session, period.previous)
        work = work_items.read(settings().work_items_file, period)
        made = report.render(current, previous, work, letterhead=distribution().letterhead)
        for fault in work.faults:
            _log.warning("Work items: %s", fault)
        edition = session.scalar(
            "monitor/keep_report",
            period=str(period),
            language=LANGUAGE,
            subject=made.subject,
            html=made.html,
            text=made.text,
            content_hash=_hash(made),
            rendered_at=clock.now(),
        )
    _log.info("The report on %s is edition %s.", period, edition)
    return int(edition)


def send(period: Period, server: MailServer) -> int:
    """Mail the newest edition of the period's report to whoever has not had it; return how many went.

    Raises:
        EngagementError: the report is not rendered, or not every mail could be sent.
    """
    batch = Batch("report", str(period))
    with warehouse.session() as session:
        newest = session.one("monitor/newest_report", period=str(period), language=LANGUAGE)
    if newest is None:
        raise EngagementError(
            f"There is no report on {period} yet; run the task render of monitor_report for it first."
        )
    outbox.queue(batch, "report-v1", newest.edition, distribution().recipients)
    outcome = sending.dispatch(batch, server, lambda message: _compose(period, message, server))
    sending.require_done(batch, server, outcome)
    sent = outcome[mail.Verdict.ACCEPTED]
    _log.info("%s mail(s) of the report on %s were sent.", sent, period)
    return sent


def _compose(period: Period, message: Message, server: MailServer) -> bytes:
    with warehouse.session() as session:
        kept = session.one(
            "monitor/report", period=str(period), language=LANGUAGE, edition=message.edition
        )
    if kept is None:
        raise LookupError(f"edition {message.edition} of {period}")
    letter = mail.Letter(
        sender=server.sender,
        subject=f"[catch-all] {kept.subject}" if message.is_caught else kept.subject,
        text=kept.text,
        html=kept.html,
        language=LANGUAGE,
    )
    return letter.addressed(message.address, message.token, headers=message.headers)


def _hash(made: Report) -> str:
    return hashlib.sha256("\0".join((made.subject, made.html, made.text)).encode()).hexdigest()
