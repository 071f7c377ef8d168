"""Reads e-mail addresses as people write them, sees likely typing errors, asks who takes mail."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from engagement import address, yaml_file
from engagement.settings import INCLUDE

if TYPE_CHECKING:
    from dns.resolver import Resolver

_BETWEEN = re.compile(r"[;,/|<>:()\[\]\s]+")
# An address that a wrong key tore in two: what is left of it may be somebody else's.
_TORN = re.compile(r"^[A-Za-z0-9._+-]+(?:[,;/|]| (?=[^@\s]+@[^@\s]+$))[A-Za-z0-9._+-]+@")
# Names of less than five letters lie too close together: ku, su and tu are three universities.
_SHORTEST_NAME = 5
_SUFFIXES = frozenset({"ac", "co", "com", "edu", "net", "org", "th"})
_THREADS = 16
_PATIENCE = 5.0  # seconds for one question


def first_address(field: str) -> str | None:
    """Return the first e-mail address in a cleaned field, in its normal form, or None.

    Several may stand there, between ; , / | or spaces, each also as `mailto:a@b`, `Name <a@b>`, in
    brackets, or before the full stop of a sentence.
    """
    if _TORN.search(field):
        return None
    for part in _BETWEEN.split(field):
        if "@" in part and (found := address.normal(part.rstrip("."))):
            return found
    return None


@cache
def known_domains() -> frozenset[str]:
    """Return the mail domains in `include/mail_domains.yaml`."""
    groups = yaml_file.read(INCLUDE / "mail_domains.yaml")
    return frozenset(chain.from_iterable(groups.values()))


def suggestion(email: str, known: frozenset[str]) -> str | None:
    """Return the address that a normal address is likely to be meant for, or None.

    Its domain is one keystroke (a letter missing, added, changed, or two swapped: Damerau 1964)
    away from exactly one of the `known` ones, in a name of five letters or more, a suffix, or a dot.
    """
    local, _, domain = email.rpartition("@")
    meant = _meant(domain.lower(), known)
    return f"{local}@{meant}" if meant else None


@lru_cache(maxsize=65_536)
def _meant(domain: str, known: frozenset[str]) -> str | None:
    if domain in known:
        return None
    near = [other for other in known if _is_slip(domain, other)]
    return near[0] if len(near) == 1 else None


def _is_slip(typed: str, meant: str) -> bool:
    if abs(len(typed) - len(meant)) > 1 or not _one_keystroke(typed, meant):
        return False
    differing = [
        label
        for other, label in zip(typed.split("."), meant.split("."), strict=False)
        if other != label
    ]
    return (
        typed.count(".") != meant.count(".")
        or len(differing[0]) >= _SHORTEST_NAME
        or differing[0] in _SUFFIXES
    )


def _one_keystroke(typed: str, meant: str) -> bool:
    """Return whether two different texts are one edit apart."""
    pairs = enumerate(zip(typed, meant, strict=False))
    first = next((at for at, (a, b) in pairs if a != b), min(len(typed), len(meant)))
    a, b = typed[first:], meant[first:]
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


def accept_mail(
    domains: Iterable[str],
    nameservers: Sequence[str] = (),
    port: int = 53,
    seconds: float = 60.0,
) -> dict[str, bool | None]:
    """Return for each of the domains whether it takes mail; None where that could not be found out.

    Args:
        domains: in ASCII, as in normal addresses; each is asked for once.
        nameservers: IP addresses; none: those of the machine.
        port: where they listen.
        seconds: after which all that is still open is None.
    """
    import dns.exception
    import dns.name
    import dns.resolver

    wanted = sorted(set(domains))
    ends_at = time.monotonic() + seconds
    try:
        resolver = dns.resolver.Resolver(configure=not nameservers)
        resolver.nameservers = list(nameservers) or resolver.nameservers
        resolver.port = port
        # What does not know the root knows a closed network only, and would deny every domain.
        resolver.resolve(dns.name.root, "NS", lifetime=min(_PATIENCE, seconds))
    except (dns.exception.DNSException, OSError):
        return dict.fromkeys(wanted)
    with ThreadPoolExecutor(_THREADS) as threads:
        answers = threads.map(lambda domain: _accepts_mail(domain, resolver, ends_at), wanted)
        return dict(zip(wanted, answers, strict=True))


def _accepts_mail(domain: str, resolver: Resolver, ends_at: float) -> bool | None:
    """Return whether the domain takes mail: RFC 5321, section 5.1, and RFC 7505 (null MX)."""
    import dns.exception
    import dns.name
    import dns.resolver

    try:
        for kind in ("MX", "A", "AAAA"):
            left = min(_PATIENCE, ends_at - time.monotonic())
            with suppress(dns.resolver.NoAnswer):
                answer = resolver.resolve(domain, kind, lifetime=left)
                return kind != "MX" or any(mx.exchange != dns.name.root for mx in answer)
    except dns.resolver.NXDOMAIN:
        return False
    except (dns.exception.DNSException, OSError):
        return None
    return False
