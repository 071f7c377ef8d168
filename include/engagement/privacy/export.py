"""Writes down everything that is held of one patron, for himself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engagement import clock, warehouse
from engagement.privacy import files, patron as patrons, reads
from engagement.privacy.patron import Patron
from engagement.warehouse import Session

# What a section of the file is called -> what fills it.
_SECTIONS = {
    "identity": "privacy/export_identity",
    "records_as_the_library_system_gave_them": "privacy/export_records",
    "months": "privacy/export_months",
    "loans": "privacy/export_loans",
    "surveys_asked": "privacy/export_invitations",
    "mails_sent": "privacy/export_messages",
    "mails_that_came_back": "privacy/export_returned_mails",
    "answers_given": "privacy/export_answers",
    "not_to_be_mailed": "privacy/export_suppressions",
}


def export(library_id: str, by: str) -> Path | None:
    """Write all that is held of a patron as one JSON file; return it, or None where nothing is held.

    The file lies in var/exports and is its owner's alone (mode 0600); that it was written is logged.

    Args:
        library_id: as the library system has it.
        by: who wants it; logged.

    Raises:
        EngagementError: the file cannot be written.
    """
    with warehouse.session() as session:
        patron = patrons.find(session, library_id)
        if not patron.is_known:
            return None
        held = _held(session, patron)
        count = sum(len(rows) for rows in held.values())
        reads.log(session, by, "patron export", "to tell a patron all", count, patron.tombstone_key)
    told = {
        "library_id": patron.source_id,
        "as_of": clock.now(),
        "is_erased": patron.is_erased,
        **held,
    }
    text = json.dumps(told, ensure_ascii=False, indent=2, default=str)
    return files.write(text.encode(), prefix="patron-", suffix=".json")


def _held(session: Session, patron: Patron) -> dict[str, list[Any]]:
    own = [one.key for one in patron.own_addresses]
    mails = patrons.messages(session, patron.person_keys, own)
    binds = {
        "source": patron.source,
        "source_id": patron.source_id,
        "patron_key": patron.patron_key,
        "person_keys": list(patron.person_keys),
        "address_keys": [one.key for one in patron.addresses],
        "message_ids": [mail.message_id for mail in mails],
        "patterns": patron.address_patterns,
    }
    held: dict[str, list[Any]] = {
        section: [dict(row._mapping) for row in session.rows(name, **binds)]
        for section, name in _SECTIONS.items()
    }
    held["records_that_cannot_be_read"] = [
        one.record.decode("utf-8", "backslashreplace") for one in patron.unreadable
    ]
    held["addresses"] = [one.text for one in patron.addresses if one.text]
    return held
