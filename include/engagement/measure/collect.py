"""What comes back to the return path: kept as it came, then read, then acted upon."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engagement import address, clock, mailbox, warehouse
from engagement.database_error import DatabaseError
from engagement.mailbox import Mailbox, Place
from engagement.measure import bounce
from engagement.settings import settings

_log = logging.getLogger(__name__)

_MAILBOX = "bounces"
_AT_ONCE = 200  # mails in memory
_SOFT_LIMIT = 3.0  # soft bounces, of today's worth, that make an address one to leave in peace
_SOFT_HALF_LIFE_DAYS = 30
_HEAD = 65_536  # bytes of a mail in which its own headers end
# What a mail of ours that is handed on offers is not where it was sent to.
_OFFER = re.compile(r"^list-unsubscribe:.*(?:\r?\n[ \t].*)*", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class _Found:
    """What one mail was taken for."""

    mail_id: int
    token: str | None
    address_key: bytes | None
    verdict: str
    status: str | None
    rule: str


def collect(place: Place) -> Counter[str]:
    """Read what is new in the mailbox of bounces; return how many mails were taken for what.

    Every mail is kept before it is read. Whatever arrives, however broken, is kept and counted.

    Raises:
        EngagementError: the mailbox cannot be reached.
    """
    began = clock.now()
    with mailbox.opened(place) as opened:
        new = _keep(opened)
    counts = _understand()
    with warehouse.session() as session:
        session.run("measure/end_mailbox_reading", mailbox=_MAILBOX, new_count=new, read_at=began)
    _log.info(
        "%s new mails: %s.", new, ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
    )
    return counts


def _keep(opened: Mailbox) -> int:
    """Keep the mails that are new as they came; return how many they are."""
    new = 0
    for marks in opened.marks():
        for chunk in _chunks(_unknown(marks)):
            with warehouse.session() as session:
                for mark in chunk:
                    mail = opened.read(mark)
                    if mail is not None:
                        kept = session.one(
                            "measure/keep_returned_mail",
                            mailbox=_MAILBOX,
                            mark=mark,
                            content=mail.content,
                            content_hash=hashlib.sha256(mail.content).digest(),
                            received_at=mail.received_at,
                            now=clock.now(),
                        )
                        new += kept is not None and kept.is_new
    return new


def _unknown(marks: list[str]) -> list[str]:
    with warehouse.session() as session:
        return [
            row.mark for row in session.rows("measure/new_marks", mailbox=_MAILBOX, marks=marks)
        ]


def _chunks(marks: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(marks), _AT_ONCE):
        yield marks[first : first + _AT_ONCE]


def _understand() -> Counter[str]:
    """Read what is kept and was not read yet; act upon it; return how many mails were taken for what."""
    counts: Counter[str] = Counter()
    key, after = address.secret(), 0
    verp = _return_paths()
    while True:
        with warehouse.session() as session:
            rows = session.rows("measure/unread_returned_mail", after=after, size=_AT_ONCE)
        if not rows:
            break
        found = _acted_upon([_found(row, verp, key) for row in rows])
        counts.update(one.verdict for one in found)
        after = found[-1].mail_id
    if counts:
        with warehouse.session() as session:
            for table in ("core.bounce", "core.suppression_event"):
                session.analyze(table)
    return counts


def _acted_upon(found: list[_Found]) -> list[_Found]:
    """Act upon some mails at once; return them, those that the warehouse does not take as unknown.

    No mail that arrives may keep those behind it from being read.
    """
    try:
        _act(found)
    except (DatabaseError, UnicodeError) as error:
        if not _is_of_a_mail(error):
            raise
    else:
        return found
    if len(found) > 1:
        return [taken for one in found for taken in _acted_upon([one])]
    unreadable = _Found(found[0].mail_id, None, None, "unknown", None, "unreadable")
    _act([unreadable])
    return [unreadable]


def _is_of_a_mail(error: Exception) -> bool:
    """Return whether a value may be what failed: of class 22, or one that the driver has not sent.

    A server that does not answer gives no SQLSTATE either; it will not take the mail as unknown.
    """
    return not isinstance(error, DatabaseError) or (error.sqlstate or "22").startswith("22")


def _return_paths() -> re.Pattern[str] | None:
    """Return what finds the addresses that carry a token of ours, and which of them are to unsubscribe."""
    if settings().return_path is None:
        return None
    local, _, domain = str(settings().return_path).rpartition("@")
    pattern = rf"\b{re.escape(local)}\+(?P<no>unsubscribe-)?(?P<token>[0-9a-f]{{32}})@{re.escape(domain)}\b"
    return re.compile(pattern, re.IGNORECASE)


def _found(row: Any, verp: re.Pattern[str] | None, key: bytes) -> _Found:
    content = bytes(row.content)
    read = bounce.read(content, verp)
    head = _BLANK_LINE.split(content[:_HEAD], maxsplit=1)[0].decode("latin-1")
    ours = verp.search(_OFFER.sub("", head)) if verp else None
    token = ours["token"].lower() if ours else _quoted_token(read)
    recipient_key = address.digest(read.recipient, key) if read.recipient else None
    # Whoever or whatever writes there has been asked to; mail programs do it as automatic mail.
    if ours and ours["no"] and not read.is_report:
        return _Found(row.mail_id, token, recipient_key, "opt-out", None, "unsubscribe address")
    return _Found(row.mail_id, token, recipient_key, read.verdict, read.status, read.rule)


def _quoted_token(read: bounce.Reading) -> str | None:
    return next(
        iter((*read.tokens, *(i.strip("<>").partition("@")[0] for i in read.message_ids))), None
    )


def _act(found: list[_Found]) -> None:
    mail_ids = [one.mail_id for one in found]
    now = clock.now()
    with warehouse.session() as session:
        session.run(
            "measure/record_bounces",
            mail_ids=mail_ids,
            tokens=[one.token for one in found],
            address_keys=[one.address_key for one in found],
            verdicts=[one.verdict for one in found],
            statuses=[one.status for one in found],
            rules=[one.rule for one in found],
            now=now,
        )
        session.run("measure/suppress_bounced", mail_ids=mail_ids, now=now)
        session.run(
            "measure/count_soft_bounces", mail_ids=mail_ids, now=now, zone=str(settings().zone)
        )
        session.run(
            "measure/suppress_soft_bounced",
            mail_ids=mail_ids,
            now=now,
            enough=_SOFT_LIMIT,
            half_life_days=_SOFT_HALF_LIFE_DAYS,
        )
        session.run("measure/suppress_objecting", mail_ids=mail_ids, message_ids=[], now=now)
