"""Finds addresses in what mail systems write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engagement import address

# Whole runs of what may stand in an address (RFC 5322, section 3.2.3: atext), never a part of one: behind the
# apostrophe of o'brien@... begins the address of somebody else.
_ATEXT = r"\w!#$%&'*+/=?^`{|}~\-"
_ADDRESS = re.compile(
    rf"(?<![{_ATEXT}.@])[{_ATEXT}][{_ATEXT}.]{{0,99}}"
    r"@(?>[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})(?!\.?[\w@-]|\x22@)"
)
_QUOTES = "'`*|"  # that people and programs put around an address
_COMMENT = re.compile(r"\([^()]*\)")
_ANGLE = re.compile(r"[^<>]*<([^<>]*)>")
_MOST = 200  # a report names a few
# Exchange wraps what is no address of its own: IMCEASMTP-name+40example+2Ecom@host (MS-OXOABK).
_WRAPPED = re.compile(r"IMCEA(?!EX)[A-Z]+-(.+)@[^@]+", re.IGNORECASE)
_X400 = re.compile(r".*SMTP=", re.IGNORECASE)  # Exchange 5.5: c=US;a= ;p=ORG;dda:SMTP=user@host
_HEX = re.compile(r"\+([0-9A-F]{2})")
_TO = re.compile(r"^[>\s]{0,9}(?:to|rcpt to)\s{0,9}:(.{1,500})", re.IGNORECASE | re.MULTILINE)
# RFC 6533, section 3: utf-8-addr-xtext.
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


def whole(value: str) -> str | None:
    """Return the one address that the value of a field is, in its normal form, or None."""
    bare = _COMMENT.sub("", value).strip(" \t;")
    angle = _ANGLE.fullmatch(bare)
    return _normal(angle[1] if angle else bare)


def first(text: str) -> str | None:
    """Return the first address in a text, in its normal form, or None."""
    return next(found(text), None)


def unreachable(text: str) -> str | None:
    """Return the first address in a text, also one in a domain that no mail reaches, such as .invalid."""
    named = (address.by_syntax(_unquoted(match)) for match in _ADDRESS.finditer(text))
    return next(filter(None, named), None)


def written_to(quoted: str) -> str | None:
    """Return the recipient in the headers of a quoted mail, or None."""
    match = _TO.search(quoted)
    return first(match[1]) if match else None


def found(text: str) -> Iterator[str]:
    """Yield the addresses in a text in their order, in their normal form."""
    for number, match in enumerate(_ADDRESS.finditer(_UNICODE.sub(_letter, text))):
        if number == _MOST:
            return
        if normal := _normal(_unquoted(match)):
            yield normal


def _unquoted(match: re.Match[str]) -> str:
    """Return an address without the marks around it; marks on one side only belong to it."""
    bare = match[0].lstrip(_QUOTES)
    opened = match[0][: len(match[0]) - len(bare)].replace("`", "'")
    return bare if match.string.startswith(opened[::-1], match.end()) else match[0]


def _normal(written: str) -> str | None:
    written = _X400.sub("", _UNICODE.sub(_letter, written))
    if written[:5].upper() == "IMCEA":
        written = _unwrapped(written)
    return address.normal(written)


def _letter(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code < 0x110000 else match[0]


def _unwrapped(written: str) -> str:
    inner = _WRAPPED.fullmatch(written)
    if inner is None:
        return ""
    return _HEX.sub(lambda code: chr(int(code[1], 16)), inner[1])
