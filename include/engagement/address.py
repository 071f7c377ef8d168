"""Addresses are known by a keyed digest everywhere but in schema pii."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from engagement.errors import EngagementError
from engagement.settings import settings

# What email-validator takes as it is, but for the domain: no upper case before the @ (it lowers
# some names, RFC 2142) and no "--" after it (Punycode is measured in two forms).
_PLAIN = re.compile(r"([a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@((?!.*--)[A-Za-z0-9.-]+)")
_REACHED = ".example.com"
_LONGEST = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets


def secret() -> bytes:
    """Return the key of all digests; it must stay the same for the warehouse's whole life.

    It is ENGAGEMENT_ADDRESS_KEY; beside the embedded warehouse a key is made once and kept in a file.

    Raises:
        EngagementError: the warehouse is a server's and no key is set.
    """
    given = settings().address_key
    if given is not None:
        return given.get_secret_value().encode()
    if settings().warehouse_url is not None:
        raise EngagementError(
            "ENGAGEMENT_ADDRESS_KEY is not set; set it once to a long random text and keep it safe: "
            "suppressed addresses are recognised by it."
        )
    path = settings().home / "address.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_bytes()


def normal(text: str) -> str | None:
    """Return the one e-mail address that `text` is, as a mail server takes it, or None.

    Letters outside ASCII before the @ are a wrong keyboard far more often than a mailbox: None.
    email-validator decides; of an ordinary address it is asked for the domain alone, and once.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return _validated(text)
    domain = _domain(plain[2])
    return f"{plain[1]}@{domain}" if domain and len(text) <= _LONGEST else None


@lru_cache(maxsize=65_536)
def _domain(written: str) -> str | None:
    found = _validated(f"a@{written}")
    return found.removeprefix("a@") if found else None


def by_syntax(text: str) -> str | None:
    """Return what `normal` does, also for an address in a domain that no mail reaches (RFC 6761), such as .invalid."""
    found = _validated(f"{text}{_REACHED}")  # only the end of a domain says that no mail reaches it
    return found.removesuffix(_REACHED) if found else None


def _validated(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        return None


def digest(address: str, key: bytes) -> bytes:
    """Return the HMAC-SHA-256 that stands for a normalised address, without regard to case."""
    return hmac.digest(key, address.lower().encode(), hashlib.sha256)


def domain_digest(address: str, key: bytes) -> bytes:
    """Return the HMAC-SHA-256 that stands for the domain of a normalised address."""
    return digest(address.rpartition("@")[2], key)
