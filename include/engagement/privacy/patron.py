"""One patron, by the id on the library card: what is his, in which place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from engagement import address, settings as config
from engagement.model import source as sources
from engagement.privacy import tombstone
from engagement.warehouse import Session

_SEPARATOR = b"\x1f"  # between the fields of a record in quarantine; the id is the first


@dataclass(frozen=True)
class Address:
    """An e-mail address of a patron.

    Attributes:
        key: its HMAC.
        text: the address itself, where it is still kept.
        is_shared: whether somebody else has it too, or gets other mail there.
    """

    key: bytes
    text: str | None
    is_shared: bool


@dataclass(frozen=True)
class Unreadable:
    """A record of a patron that could not be read: where it is, and its bytes."""

    extract_id: int
    record_no: int
    record: bytes


@dataclass(frozen=True)
class Patron:
    """Where a patron is found.

    Attributes:
        source: the library system.
        source_id: the id there.
        tombstone_key: the HMAC of the two.
        is_erased: whether a tombstone stands there.
        patron_key: the key that stands for the id; None where none was ever given.
        person_keys: as whom he was ever known, together with his other records.
        others: the keys of those records; the one that was seen first comes first.
        addresses: his.
        unreadable: his records in quarantine.
        is_staged: whether a record of his lies in stage.
    """

    source: str
    source_id: str
    tombstone_key: bytes
    is_erased: bool
    patron_key: UUID | None
    person_keys: Sequence[UUID]
    others: Sequence[UUID]
    addresses: Sequence[Address]
    unreadable: Sequence[Unreadable]
    is_staged: bool

    @property
    def is_known(self) -> bool:
        """Whether anything is held of him, be it his tombstone."""
        return bool(self.is_erased or self.patron_key or self.unreadable or self.is_staged)

    @property
    def own_addresses(self) -> list[Address]:
        """His addresses that are nobody else's."""
        return [one for one in self.addresses if not one.is_shared]

    @property
    def address_patterns(self) -> list[str]:
        """Regular expressions, as PostgreSQL has them, that find his own addresses in a text in lower case."""
        texts = [one.text.lower() for one in self.own_addresses if one.text]
        return [rf"(?<![a-z0-9._+-]){re.escape(text)}(?!\.?[a-z0-9-])" for text in texts]


def find(session: Session, library_id: str) -> Patron:
    """Return the patron of the deployment's library system with this id, held or not."""
    source = sources.load(config.settings().source)
    source_id = library_id.strip()
    by_id = {"source": source.system, "source_id": source_id}
    found = session.one("privacy/find_patron", **by_id)
    patron_key: UUID | None = found.patron_key if found else None
    persons = [
        row.person_key for row in session.rows("privacy/find_persons", patron_key=patron_key)
    ]
    others = session.rows("privacy/find_others", patron_key=patron_key, person_keys=persons)
    addresses = session.rows("privacy/find_addresses", patron_key=patron_key, source_id=source_id)
    tombstone_key = tombstone.digest(source.system, source_id, address.secret())
    spellings = {source_id.encode(code, "ignore") for code in source.encodings}
    return Patron(
        **by_id,
        tombstone_key=tombstone_key,
        is_erased=session.scalar("privacy/is_erased", tombstone_key=tombstone_key),
        patron_key=patron_key,
        person_keys=persons,
        others=[row.patron_key for row in others],
        addresses=[Address(bytes(a.address_key), a.address, a.is_shared) for a in addresses],
        unreadable=_unreadable(session, spellings),
        is_staged=session.scalar("privacy/find_staged", source_id=source_id),
    )


def messages(session: Session, person_keys: Sequence[UUID], keys: Sequence[bytes]) -> Sequence[Any]:
    """Return number and token of the survey mails to these persons or address keys."""
    return session.rows(
        "privacy/find_messages", person_keys=list(person_keys), address_keys=list(keys)
    )


def _unreadable(session: Session, spellings: set[bytes]) -> list[Unreadable]:
    found = session.rows("privacy/unreadable_with", spellings=[*filter(None, spellings)])
    return [
        Unreadable(row.extract_id, row.record_no, bytes(row.record))
        for row in found
        if any(_is_of(bytes(row.record), spelling) for spelling in spellings)
    ]


def _is_of(record: bytes, source_id: bytes) -> bool:
    """Say whether a record is the patron's: its id is his; where it did not come apart, the id is a word of it."""
    if _SEPARATOR in record:
        return record.split(_SEPARATOR, 1)[0].strip() == source_id
    bounded = rb"(?<![\w./-])" + re.escape(source_id) + rb"(?![\w./-])"
    return re.search(bounded, record) is not None
