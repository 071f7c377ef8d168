"""Word to who repairs and who answers for the report when it fails or is late; each is told once."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from typing import Any

from engagement import clock, mail, outbox, sending, warehouse
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
_LATE, _READERS = "late", "readers"


def tell_of_run(period: Period, kind: str, dag_id: str) -> None:
    """Write down for engineers and owner what became of a run; told once for each period, kind and DAG.

    Args:
        period: the run's.
        kind: failed or stuck.
        dag_id: whose run.

    Raises:
        EngagementError: the file of recipients is wrong.
    """
    said = distribution.read()
    with warehouse.session() as session:
        _tell(session, period, f"{kind}-{dag_id}", _people(said))


def look() -> list[str]:
    """Write down what is due about the report on the latest closed period; return which alerts are new.

    Engineers and owner are told an hour after a report that has not gone out was due; its readers at that time of
    the next working day, unless they have never had a report.

    Raises:
        EngagementError: the file of recipients is wrong.
    """
    said, now = distribution.read(), clock.now()
    period = rhythm.latest_closed(now)
    due_at = rhythm.send_at(period, said)
    with warehouse.session() as session:
        stand = _stand(session, period)
        if stand.is_released:
            return []
        told = []
        if now >= due_at + _GRACE and _tell(session, period, _LATE, _people(said)):
            told.append(_LATE)
        readers = [Recipient(one.address, one.language) for one in said.recipients]
        if (
            stand.is_known_to_readers
            and now >= _next_working_day(due_at, said)
            and _tell(session, period, _READERS, readers)
        ):
            told.append(_READERS)
        return told


def _next_working_day(due_at: datetime, said: Distribution) -> datetime:
    return datetime.combine(rhythm.working_day_after(due_at.date(), said), due_at.timetz())


def send(server: MailServer) -> int:
    """Mail what is written down; return how many mails went out.

    Raises:
        EngagementError: not every mail could be sent.
    """
    with warehouse.session() as session:
        waiting = session.rows("monitor/waiting_alerts")
    sent = 0
    for row in waiting:
        batch = Batch("alert", row.ref)
        outcome = sending.dispatch(batch, server, lambda message: _compose(message, server))
        sending.require_done(batch, server, outcome)
        sent += outcome[Verdict.ACCEPTED]
    return sent


def _people(said: Distribution) -> list[str | Recipient]:
    owner = [] if said.owner is None else [said.owner.address]
    return [*dict.fromkeys([*said.engineers, *owner])]


def _tell(session: Session, period: Period, step: str, to: list[Any]) -> bool:
    """Queue an alert unless it was told; return whether it is new."""
    if session.scalar("monitor/is_told", ref=str(period), step=step):
        return False
    return outbox.add(session, Batch("alert", str(period)), step, None, to) > 0


def _stand(session: Session, period: Period) -> Any:
    return session.one("monitor/report_stand", period=str(period))


def _compose(message: Message, server: MailServer) -> bytes:
    """Return the mail; who has no language of his own reads both."""
    period = Period.parse(message.batch.ref)
    kind, _, dag_id = message.step.partition("-")
    with warehouse.session() as session:
        stand = _stand(session, period)
    due_at = rhythm.send_at(period, distribution.read()).astimezone(settings().zone)
    values = {"period": period, "dag": dag_id, "stand": stand, "due_at": due_at}
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
