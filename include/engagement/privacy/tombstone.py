"""What is left of an erased patron: a keyed digest, which keeps his records out from then on."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from engagement import address
from engagement.warehouse import Session


def digest(source: str, source_id: str, key: bytes) -> bytes:
    """Return the HMAC-SHA-256 that stands for a patron's id in a library system."""
    return hmac.digest(key, f"patron\0{source}\0{source_id}".encode(), hashlib.sha256)


def met_by(session: Session, source: str) -> Callable[[str], bool] | None:
    """Return what says of an id in a library system whether it is an erased patron's, or None of nobody's.

    Nobody is erased until the session ends: what it reads would bring him back.
    """
    session.scalar("privacy/hold_tombstones")
    known = {bytes(row.tombstone_key) for row in session.rows("privacy/tombstones")}
    if not known:
        return None
    key = address.secret()
    return lambda source_id: digest(source, source_id, key) in known
