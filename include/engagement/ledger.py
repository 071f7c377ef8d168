"""Whether the ledger of mails is the one that mail last went out by; a restored one is behind the relay.

A dump that is restored is another database, a recovery to a point in time another line of its server's history.
A copy of the server's files is neither: hence each beginning and end of a dispatch is counted, in the warehouse
and in a file outside.
"""

from __future__ import annotations

import email
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from engagement import address, mailbox, opt_outs, warehouse
from engagement.errors import EngagementError
from engagement.mail import NAME_HEADER, TOKEN_HEADER
from engagement.mailbox import Mailbox, Place
from engagement.settings import settings

_log = logging.getLogger(__name__)

_AT_ONCE = 500  # mails
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"([\w-]+)/([\w.-]+)/([\w.-]+)", re.ASCII)  # purpose, of what, step


def count_dispatch() -> None:
    """Count the beginning or the end of a dispatch, where the ledger knows of every one before.

    Of its end too: a copy of the server's files that was taken while it ran lacks the mails of its rest.

    Raises:
        EngagementError: the warehouse was restored or moved since mail last went out and was not compared,
            or the file that counts dispatches has gone or cannot be written.
    """
    with warehouse.session() as session:
        found: Any = session.one("outbox/place")
        if found.place is None:
            _write(found.now_place, 0)
        elif (
            found.place != found.now_place
            or _noted(found.place, missing=found.dispatch_count + 1) > found.dispatch_count
        ):
            raise EngagementError(
                "This warehouse was restored from a backup, or moved, or the file that counts its dispatches has "
                "gone: mails that went out since are not in its ledger and would go out again. Run `engagement "
                "mail compare` with the journal first."
            )
        session.run("outbox/take_place", place=found.now_place, noted=0)
    _note()


def _note() -> None:
    """Write outside the warehouse how many dispatches it has counted.

    After the count was committed, so that a crash in between leaves the file behind and holds up nobody; under
    the count's lock, so that of two dispatches the later one's stays. Never fewer than stand there: files of
    the server may have been put back just now.
    """
    with warehouse.session() as session:
        found: Any = session.one("outbox/place")
        if found.dispatch_count > _noted(found.now_place, missing=0):
            _write(found.now_place, found.dispatch_count)


def _write(place: str, count: int) -> None:
    path = _file(place)
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("w") as file:
            file.write(str(count))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise EngagementError(
            f"{path} cannot be written: {error.strerror}; let the product's user write there: a restored "
            "warehouse is known by it."
        ) from None


def _noted(place: str, *, missing: int) -> int:
    """Return how many dispatches the file has counted; `missing` where there is none."""
    try:
        return int(_file(place).read_text())
    except (OSError, ValueError):
        return missing


def _file(place: str) -> Path:
    return settings().home / "dispatches" / place.replace("/", "-")


def compare(journal: Place | None) -> int:
    """Enter what the relay has had into the ledger, and who said no since; let mail go out again; return how many were missing.

    Args:
        journal: the mailbox in which the relay keeps a copy of every mail; None where a person vouches that
            none went out since the backup.

    Raises:
        EngagementError: the journal cannot be read, or holds none of our mails.
    """
    entered = 0
    if journal is not None:
        with mailbox.opened(journal) as opened:
            entered = _enter_all(opened)
    with warehouse.session() as session:
        found: Any = session.one("outbox/place")
        clicks = opt_outs.enter_again(session)
        noted = _noted(found.now_place, missing=0)
        session.run("outbox/take_place", place=found.now_place, noted=noted)
    _note()
    _log.info("%s clicks of people who want no more mail were missing.", f"{clicks:,}")
    return entered


def _enter_all(journal: Mailbox) -> int:
    seen = entered = unread = 0
    for mails in _ours(journal):
        sent = [one for one in map(_sent, mails) if one is not None]
        seen += len(sent)
        unread += len(mails) - len(sent)
        entered += _enter(sent)
        _log.info("Compared %s mails of the journal; %s were missing.", f"{seen:,}", f"{entered:,}")
    if unread:
        _log.warning(
            "%s mails of the journal bear our headers, but not as we write them; left out.",
            f"{unread:,}",
        )
    if not seen:
        raise EngagementError(
            "The journal holds none of our mails; see that it is the mailbox into which the relay copies them."
        )
    return entered


def _ours(journal: Mailbox) -> Iterator[list[Message]]:
    """Yield the journal's mails that bear our headers, in lists of bounded length."""
    for marks in journal.marks():
        for first in range(0, len(marks), _AT_ONCE):
            kept = filter(None, map(journal.read, marks[first : first + _AT_ONCE]))
            mails = [email.message_from_bytes(mail.content) for mail in kept]
            if ours := [mail for mail in mails if mail[TOKEN_HEADER] and mail[NAME_HEADER]]:
                yield ours


@dataclass(frozen=True)
class _Sent:
    """What a mail of ours says of itself."""

    token: str
    purpose: str
    ref: str
    step: str
    recipient: str
    sent_at: datetime


def _sent(mail: Message) -> _Sent | None:
    """Return what a mail says of itself, or None where it is not as we write them: anybody may send one there."""
    token = str(mail[TOKEN_HEADER]).strip()
    name = _NAME.fullmatch(str(mail[NAME_HEADER]).strip())
    recipient = str(mail["To"]).strip()
    if _TOKEN.fullmatch(token) is None or name is None or address.normal(recipient) is None:
        return None
    return _Sent(token, name[1], name[2], name[3], recipient, _date(mail))


def _date(mail: Message) -> datetime:
    try:
        written = parsedate_to_datetime(str(mail["Date"]))
    except (ValueError, OverflowError):
        return datetime.now(UTC)
    return written if written.tzinfo else written.replace(tzinfo=UTC)


def _enter(mails: list[_Sent]) -> int:
    key = address.secret()
    by_token = {mail.token: mail for mail in mails}
    with warehouse.session() as session:
        known = {row.token for row in session.rows("outbox/find_tokens", tokens=list(by_token))}
        missing = sorted(by_token.keys() - known)
        for token in missing:
            mail = by_token[token]
            session.run(
                "outbox/enter_sent",
                purpose=mail.purpose,
                ref=mail.ref,
                step=mail.step,
                recipient_key=address.digest(mail.recipient, key),
                domain_key=address.domain_digest(mail.recipient, key),
                token=token,
                sent_at=mail.sent_at,
            )
    return len(missing)
