"""Finds addresses in what mail systems write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engagement import address

_ADDRESS = re.compile(r"(?<![\w.+=#-])[\w+][\w.+=&~^#-]{0,99}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_MOST = 200  # a report names a few
# Exchange wraps what is no address of its own: IMCEASMTP-name+40example+2Ecom@host (MS-OXOABK).
_WRAPPED = re.compile(r"IMCEA(?!EX)[A-Z]+-(.+)@[^@]+", re.IGNORECASE)
_X400 = re.compile(r".*SMTP=", re.IGNORECASE)  # Exchange 5.5: c=US;a= ;p=ORG;dda:SMTP=user@host
_HEX = re.compile(r"\+([0-9A-F]{2})")
_TO = re.compile(r"^[>\s]{0,9}(?:to|rcpt to)\s{0,9}:(.{1,500})", re.IGNORECASE | re.MULTILINE)
# RFC 6533, section 3: utf-8-addr-xtext.
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


def first(text: str) -> str | None:
    """Return the first address in a text, in its normal form, or None."""
    return next(found(text), None)


def written_to(quoted: str) -> str | None:
    """Return the recipient in the headers of a quoted mail, or None."""
    match = _TO.search(quoted)
    return first(match[1]) if match else None


def found(text: str) -> Iterator[str]:
    """Yield the addresses in a text in their order, in their normal form."""
    for number, match in enumerate(_ADDRESS.finditer(_UNICODE.sub(_letter, text))):
        if number == _MOST:
            return
        written = _X400.sub("", match[0])
        if written[:5].upper() == "IMCEA":
            written = _unwrapped(written)
        if normal := address.normal(written):
            yield normal


def _letter(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code < 0x110000 else match[0]


def _unwrapped(written: str) -> str:
    inner = _WRAPPED.fullmatch(written)
    if inner is None:
        return ""
    return _HEX.sub(lambda code: chr(int(code[1], 16)), inner[1])
