"""The mail to the person who keeps the lists: what could not be read, by cell, and what might be added."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from engagement import clock, mail, outbox, sending, warehouse
from engagement.mail import Letter, MailServer
from engagement.monitor import distribution, rhythm
from engagement.monitor.work_items import proposing, reading
from engagement.monitor.work_items.items import WorkItem
from engagement.monitor.work_items.vocabulary import words
from engagement.outbox import Batch
from engagement.period import Period
from engagement.sending import Message
from engagement.warehouse import Session
from engagement.wording import TH

FAULTS_TOLD = 50  # in one mail
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Notice:
    """What the mail says: the text in paragraphs and lists."""

    subject: str
    text: str


def tell_faults(period: Period, server: MailServer) -> int:
    """Mail whoever files the work what is wrong in it, and what the product proposes; return how many mails went.

    The proposed rows are written beside the lists. Told is what has a fault or proposal that was not told last,
    so that who mends one after the other hears nothing; where there are none, or the file of recipients names
    nobody under `filed_by`, nobody is mailed.

    Raises:
        EngagementError: the file of recipients is wrong, or the mail could not be sent.
    """
    with warehouse.session() as session:
        work = reading.read(session, period)
        proposed = [
            row
            for row in proposing.proposals(session, period)
            if row.item_id not in work.first_filed
        ]
    file = proposing.write(period, proposed)
    to = distribution.read().filed_by
    faults = (*work.stale_faults, *work.faults)
    if to is None:
        return 0
    lines = [*(row.item_id for row in proposed), *faults]
    batch = Batch("work items", str(period))
    with warehouse.session() as session:
        step = _number(session, period, lines)
        session.run("monitor/withdraw_notices", ref=batch.ref, step=step)
        if step:
            outbox.add(session, batch, step, None, [to])
    if not step:
        return 0
    notice = _compose(period, faults, proposed, file)
    outcome = sending.dispatch(batch, server, lambda message: _letter(notice, message, server))
    sending.require_done(batch, server, outcome)
    sent = outcome[mail.Verdict.ACCEPTED]
    _log.info("%s mail(s) about the work items of %s were sent.", sent, period)
    return sent


def tell_in_time(server: MailServer) -> int:
    """Do what `tell_faults` does for the last month, until its report has gone out; return how many mails went.

    Raises:
        EngagementError: the file of recipients is wrong, or the mail could not be sent.
    """
    period = rhythm.latest_closed(clock.now())
    with warehouse.session() as session:
        released = session.one("monitor/released_report", period=str(period))
    return tell_faults(period, server) if released is None else 0


def _number(session: Session, period: Period, lines: Sequence[str]) -> str:
    """Return which mail of the period tells `lines`, and keep what it tells; empty where there is nothing to tell.

    It is a new one where the last one had not all of them, and where of those that it showed none is left.
    """
    now = [hashlib.sha256(line.encode()).hexdigest()[:16] for line in lines]
    last = session.one("monitor/told_notice", period=str(period))
    number, told = (last.notice_no, last.told) if last else (0, [])
    if now and set(now) <= set(told) and set(now) & set(told[:FAULTS_TOLD]):
        return str(number)
    number += bool(now)
    session.run("monitor/keep_notice", period=str(period), notice_no=number, told=now)
    return str(number) if now else ""


def _compose(
    period: Period, faults: Sequence[str], proposed: Sequence[WorkItem], file: str | None
) -> _Notice:
    """Return the mail about `faults` and the proposed rows, which stand in `file` where that could be written."""
    said, month = words()["mail"], TH.month(period)
    parts = []
    if faults:
        more = len(faults) - FAULTS_TOLD
        rest = [said["more"].format(count=f"{more:,}")] if more > 0 else []
        parts += [said["faults"], _listed([*faults[:FAULTS_TOLD], *rest])]
    if proposed:
        rows = [f"{p.item_id}: {p.title} ({p.wanted})" for p in proposed]
        lead = said["proposals"].format(file=file) if file else said["proposals_alone"]
        parts += [lead, _listed(rows)]
    return _Notice(said["subject"].format(month=month), "\n\n".join(parts) + "\n")


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _letter(notice: _Notice, message: Message, server: MailServer) -> bytes:
    paragraphs = (escape(part).replace("\n", "<br>") for part in notice.text.strip().split("\n\n"))
    letter = Letter(
        sender=server.sender,
        subject=f"[catch-all] {notice.subject}" if message.is_caught else notice.subject,
        text=notice.text,
        html="".join(f"<p>{part}</p>" for part in paragraphs),
        language="th",
    )
    return letter.addressed(message.address, message.token, headers=message.headers)
