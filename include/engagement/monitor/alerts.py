"""Word to who repairs and who answers for the report when it fails or is late; each is told once."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from html import escape
from typing import Any

from engagement import address, clock, mail, outbox, sending, warehouse
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.mail import MailServer, Verdict
from engagement.monitor import distribution, editions, rhythm
from engagement.monitor.distribution import Distribution
from engagement.outbox import Batch, Recipient
from engagement.period import Period
from engagement.sending import Message
from engagement.settings import settings
from engagement.templates import environment
from engagement.warehouse import Session

_GRACE = timedelta(hours=1)
_LATE, _READERS, _FILE = "late", "readers", "file"


def tell_of_run(period: Period, kind: str, dag_id: str, run_id: str, task_id: str = "") -> None:
    """Write down for engineers and owner what became of a run; told once for each of its tasks.

    Args:
        period: the run's.
        kind: failed or stuck.
        dag_id: whose run.
        run_id: which run.
        task_id: which of its tasks, if it is about one.

    Raises:
        EngagementError: the file of recipients is wrong, and never was right.
    """
    run = hashlib.sha256(run_id.encode()).hexdigest()[:8]  # it may hold what a mail's name may not
    with warehouse.session() as session:
        _tell(session, period, f"{kind}-{dag_id}-{task_id}-{run}", _people(session))


def look() -> list[str]:
    """Write down what is due about the report on the latest closed period; return which alerts are new.

    Engineers and owner are told an hour after a report that is not out was due; who of its readers has not had it at
    that time of the next working day, unless they have never had a report. It is out as `ops.report_mailing` has it.

    Raises:
        EngagementError: the file of recipients is wrong. Engineers and owner are told that, once a day.
    """
    now = clock.now()
    period = rhythm.latest_closed(now)
    try:
        said = distribution.read()
    except EngagementError:
        with warehouse.session() as session:
            day = now.astimezone(settings().zone).date()
            _tell(session, period, f"{_FILE}-{day}", _people(session))
        raise
    due_at = rhythm.send_at(period, said)
    with warehouse.session() as session:
        people = _people(session)
        stand = _stand(session, period)
        if stand.is_out:
            return []
        told = []
        if now >= due_at + _GRACE and _tell(session, period, _LATE, people):
            told.append(_LATE)
        if (
            stand.is_known_to_readers
            and now >= _next_working_day(due_at, said)
            and _tell(session, period, _READERS, _without_report(session, period, said))
        ):
            told.append(_READERS)
        return told


def _without_report(session: Session, period: Period, said: Distribution) -> list[Recipient]:
    had = {
        bytes(row.recipient_key) for row in session.rows("monitor/had_report", period=str(period))
    }
    key = address.secret()
    return [
        Recipient(one.address, one.language)
        for one in said.recipients
        if address.digest(one.address, key) not in had
    ]


def _next_working_day(due_at: datetime, said: Distribution) -> datetime:
    return datetime.combine(rhythm.working_day_after(due_at.date(), said), due_at.timetz())


def send(server: MailServer) -> int:
    """Mail what is written down, but of a late report that is out by now; return how many mails went out.

    Raises:
        EngagementError: not every mail could be sent.
    """
    with warehouse.session() as session:
        session.run("monitor/withdraw_late")
        waiting = session.rows("monitor/waiting_alerts")
    batches = [Batch("alert", row.ref) for row in waiting]
    outcomes = [
        sending.dispatch(batch, server, lambda message: _compose(message, server))
        for batch in batches
    ]
    for batch, outcome in zip(batches, outcomes, strict=True):
        sending.require_done(batch, server, outcome)
    return sum(outcome[Verdict.ACCEPTED] for outcome in outcomes)


def _people(session: Session) -> list[str]:
    """Return engineers and owner; while the file is wrong, those whom it named when it was last right."""
    try:
        said = distribution.read()
    except EngagementError:
        if known := [row.address for row in session.rows("monitor/alert_addresses")]:
            return known
        raise
    owner = [] if said.owner is None else [said.owner.address]
    people = [*dict.fromkeys([*said.engineers, *owner])]
    session.run("monitor/keep_alert_addresses", addresses=people)
    return people


def _tell(session: Session, period: Period, step: str, to: list[Any]) -> bool:
    """Queue an alert unless it was told; return whether it is new."""
    if session.scalar("monitor/is_told", ref=str(period), step=step):
        return False
    return outbox.add(session, Batch("alert", str(period)), step, None, to) > 0


def _due_at(period: Period) -> datetime | None:
    try:
        return rhythm.send_at(period, distribution.read())
    except EngagementError:
        return None  # what is to be told must not wait for the file


def _stand(session: Session, period: Period) -> Any:
    return session.one("monitor/report_stand", period=str(period))


def _compose(message: Message, server: MailServer) -> bytes:
    """Return the mail; who has no language of his own reads both."""
    period = Period.parse(message.batch.ref)
    kind, dag_id, task_id = [*message.step.split("-"), "", ""][:3]
    with warehouse.session() as session:
        stand = _stand(session, period)
    values = {
        "period": period,
        "dag": dag_id,
        "task": task_id,
        "stand": stand,
        "due_at": _due_at(period),
    }
    languages: tuple[Language, ...] = (
        (message.language,) if message.language else editions.LANGUAGES
    )
    said = [
        environment("alert", language).get_template(f"{kind}.txt.j2").render(values).strip()
        for language in languages
    ]
    subjects, texts = zip(*(one.split("\n", 1) for one in said), strict=True)
    text = "\n\n".join(part.strip() for part in texts) + "\n"
    letter = mail.Letter(
        sender=server.sender,
        subject=("[catch-all] " if message.is_caught else "") + " / ".join(subjects),
        text=text,
        html="".join(f"<p>{escape(part)}</p>" for part in text.strip().split("\n\n")),
        language=languages[0],
    )
    return letter.addressed(message.address, message.token, headers=message.headers)
