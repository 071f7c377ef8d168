"""From published figures to a report in its readers' mailboxes."""

from __future__ import annotations

import hashlib
import logging

from engagement import mail, outbox, sending, warehouse
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.mail import MailServer
from engagement.monitor import content, distribution, report
from engagement.monitor.report import Letterhead, Report
from engagement.outbox import Batch
from engagement.period import Period
from engagement.sending import Message

LANGUAGE: Language = "th"
_log = logging.getLogger(__name__)


def render(period: Period) -> int:
    """Render the report on a published period and keep it; return its edition.

    Rendering again gives the same edition as long as it says the same; a period that was published
    again makes a new edition, which nobody is mailed by itself.

    Raises:
        EngagementError: nothing is published for the period, or its figures contradict each other.
    """
    with warehouse.session() as session:
        said = distribution.read()
        told = content.gather(session, period, said, "")
        made = report.render(told, Letterhead(said.library, said.contact, said.email), LANGUAGE)
        edition = session.scalar(
            "monitor/keep_report",
            period=str(period),
            language=LANGUAGE,
            subject=made.subject,
            html=made.html,
            text=made.text,
            content_hash=_hash(made),
            cut_at=told.cut_at,
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
    outbox.queue(
        batch, "report-v1", newest.edition, [one.address for one in distribution.read().recipients]
    )
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
