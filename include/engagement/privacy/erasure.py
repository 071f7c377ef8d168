"""Erases one patron from every place that the product reaches; a tombstone keeps him out from then on."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from engagement import clock, warehouse
from engagement.privacy import files, patron as patrons, reads
from engagement.privacy.patron import Patron
from engagement.warehouse import Session

Reason = Literal["erased", "objected"]
_log = logging.getLogger(__name__)

# Where a patron has other records, they take over what is the person's.
_HAND_ON = (
    "privacy/hand_on_tokens",
    "privacy/hand_on_invitations",
    "privacy/hand_on_suppressions",
)
_HAND_ON_LAST = ("privacy/hand_on_months", "privacy/hand_on_links")
# Place -> what takes him out of it, in this order: what says whose something is goes last.
_ERASE = {
    "pii.answer_text": "privacy/erase_answer_texts",
    "pii.response_token": "privacy/erase_response_tokens",
    "pii.survey_token": "privacy/erase_survey_tokens",
    "pii.returned_mail": "privacy/empty_returned_mails",
    "core.bounce": "privacy/unlink_bounces",
    "core.message": "privacy/unlink_messages",
    "core.invitation": "privacy/unlink_invitations",
    "core.loan": "privacy/unlink_loans",
    "core.suppression_event": "privacy/erase_suppressions",
    "core.person_link": "privacy/erase_links",
    "core.patron_month": "privacy/erase_months",
    "stage.patron": "privacy/erase_staged",
    "stage.rejection": "privacy/erase_staged_rejections",
    "pii.address": "privacy/erase_addresses",
    "pii.mail_domain": "privacy/erase_mail_domains",
    "pii.patron": "privacy/erase_identity",
}


@dataclass(frozen=True)
class Erased:
    """What became of an order to erase a patron.

    Attributes:
        rows: place -> how many rows were taken out or emptied of what says whose they are.
        files: how many files were deleted.
        other_records: how many other records the library has of the same person; they stay.
        was_erased: whether a tombstone stood there before.
    """

    rows: dict[str, int]
    files: int
    other_records: int
    was_erased: bool


def erase(library_id: str, reason: Reason, by: str) -> Erased | None:
    """Erase the patron with this id in the library system; None where nothing is held of him.

    All of the warehouse is one transaction. With it every file of var/exports is deleted (they are to be
    deleted after use), and each export of answers in which his address or personal link stands. Published
    figures stay; his records in stage are kept as rejected, without a value, so that their period can be
    published again. What he said against mail stays at his addresses. To erase again does no harm.

    Args:
        library_id: as the library system has it.
        reason: erased (he is to be forgotten) or objected (to the use of his data); kept with the tombstone.
        by: who says so; logged.

    Raises:
        EngagementError: a file cannot be deleted; then he is in the warehouse as before.
    """
    with warehouse.session() as session:
        session.scalar("privacy/lock_tombstones")
        session.run("model/lock_identities")  # nobody is published meanwhile
        patron = patrons.find(session, library_id)
        if not patron.is_known:
            return None
        words, rows = _erase(session, patron)
        session.run(
            "privacy/add_tombstone",
            tombstone_key=patron.tombstone_key,
            reason=reason,
            now=clock.now(),
        )
        reads.log(session, by, "patron erase", reason, sum(rows.values()), patron.tombstone_key)
        # Before the commit: without him nobody knows any more which files name him.
        deleted = files.erase(words)
    _log.info("%s erased a patron: %s rows, %s files.", by, sum(rows.values()), deleted)
    return Erased(rows, deleted, len(patron.others), patron.is_erased)


def _erase(session: Session, patron: Patron) -> tuple[list[str], dict[str, int]]:
    """Take a patron out of every table; return the words that name him in files, and the rows by place."""
    heir = patron.others[0] if patron.others else None
    own = [one.key for one in patron.own_addresses]
    texts = [one.text for one in patron.own_addresses if one.text]
    session.run(
        "privacy/suppress_addresses",
        patron_key=patron.patron_key,
        address_keys=[one.key for one in patron.addresses],
        now=clock.now(),
    )
    _hand_on(session, _HAND_ON, patron.patron_key, heir)
    mine = [patron.patron_key] if patron.patron_key else []
    mails = patrons.messages(session, mine, own)
    links = session.rows("privacy/links_of", patron_key=patron.patron_key)
    binds: dict[str, Any] = {
        "source": patron.source,
        "source_id": patron.source_id,
        "patron_key": patron.patron_key,
        "address_keys": own,
        "message_ids": [mail.message_id for mail in mails],
        "patterns": [*patron.address_patterns, *(mail.token for mail in mails)],
        "domains": [text.rpartition("@")[2] for text in texts],
        "salt": secrets.token_bytes(32),
    }
    rows = {"pii.quarantine": _empty_quarantine(session, patron)}
    rows |= {place: session.run(name, **binds) for place, name in _ERASE.items()}
    _hand_on(session, _HAND_ON_LAST, patron.patron_key, heir)
    return [*texts, *(link.token for link in links)], rows


def _hand_on(
    session: Session, names: tuple[str, ...], patron_key: UUID | None, heir: UUID | None
) -> None:
    if heir is not None:
        for name in names:
            session.run(name, patron_key=patron_key, heir_key=heir)


def _empty_quarantine(session: Session, patron: Patron) -> int:
    return session.run(
        "privacy/erase_unreadable",
        extract_ids=[one.extract_id for one in patron.unreadable],
        record_nos=[one.record_no for one in patron.unreadable],
    )
