"""Whether the ledger of mails is the one that mail last went out by; a restored one is behind the relay."""

from __future__ import annotations

import email
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from engagement import address, mailbox, warehouse
from engagement.errors import EngagementError
from engagement.mail import NAME_HEADER, TOKEN_HEADER
from engagement.mailbox import Mailbox, Place

_log = logging.getLogger(__name__)

_AT_ONCE = 500  # mails


def require_in_place() -> None:
    """Raise EngagementError where the warehouse was restored since mail last went out, until it was compared."""
    with warehouse.session() as session:
        found: Any = session.one("outbox/place")
        if found.place is None:
            session.run("outbox/take_place", place=found.now_place)
        elif found.place != found.now_place:
            raise EngagementError(
                "This warehouse was restored from a backup, or moved: mails that went out since are not in its "
                "ledger and would go out again. Run `engagement mail compare` with the journal first."
            )


def compare(journal: Place | None) -> int:
    """Enter what the relay has had into the ledger, and let mail go out again; return how many were missing.

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
        session.run("outbox/take_place", place=found.now_place)
    return entered


def _enter_all(journal: Mailbox) -> int:
    seen = entered = 0
    for mails in _ours(journal):
        seen += len(mails)
        entered += _enter(mails)
        _log.info("Compared %s mails of the journal; %s were missing.", f"{seen:,}", f"{entered:,}")
    if not seen:
        raise EngagementError(
            "The journal holds none of our mails; see that it is the mailbox into which the relay copies them."
        )
    return entered


def _ours(journal: Mailbox) -> Iterator[list[Message]]:
    """Yield the journal's mails that are ours, in lists of bounded length."""
    for marks in journal.marks():
        for first in range(0, len(marks), _AT_ONCE):
            kept = filter(None, map(journal.read, marks[first : first + _AT_ONCE]))
            mails = [email.message_from_bytes(mail.content) for mail in kept]
            if ours := [mail for mail in mails if mail[TOKEN_HEADER] and mail[NAME_HEADER]]:
                yield ours


def _enter(mails: list[Message]) -> int:
    key = address.secret()
    by_token = {str(mail[TOKEN_HEADER]).strip(): mail for mail in mails}
    with warehouse.session() as session:
        known = {row.token for row in session.rows("outbox/find_tokens", tokens=list(by_token))}
        missing = sorted(by_token.keys() - known)
        for token in missing:
            mail = by_token[token]
            purpose, ref, step = str(mail[NAME_HEADER]).strip().split("/", 2)
            recipient = str(mail["To"]).strip()
            session.run(
                "outbox/enter_sent",
                purpose=purpose,
                ref=ref,
                step=step,
                recipient_key=address.digest(recipient, key),
                domain_key=address.domain_digest(recipient, key),
                token=token,
                sent_at=_sent_at(mail),
            )
    return len(missing)


def _sent_at(mail: Message) -> datetime:
    try:
        return parsedate_to_datetime(str(mail["Date"]))
    except ValueError:
        return datetime.now(UTC)
