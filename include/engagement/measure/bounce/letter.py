"""Takes a mail apart into what it says, what it reports, and what it quotes of the original."""

from __future__ import annotations

import binascii
import codecs
import html
import quopri
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32

from engagement.measure.bounce import patterns

# What is longer is no report: these keep the time and the memory of one mail bounded.
_BYTES = 512 * 1024
_LINES = 10_000
_BOUNDARIES = 16  # the parser looks for every open boundary in every line
_PARTS = 100
_HEADER = 4_000
_TEXT = 64 * 1024

_REPORTED = frozenset({"message/delivery-status", "message/global-delivery-status"})
_COMPLAINED = "message/feedback-report"
_QUOTED = "text/rfc822-headers"  # and all other message/...
_NOT_FOLDED = re.compile(rb"\n(?![!-9;-~]{1,80}:|[ \t]|>?From )(.)")
_UNSEEN = re.compile(r"<(style|script|head)\b[^<]*(?:<(?!/\1)[^<]*)*", re.IGNORECASE)
_LINE_END = re.compile(r"<(?:br|/p|/div|/tr|/td|/li|/h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>@]*>")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?", re.IGNORECASE)
_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)
_NO_CHARSET = "punycode"  # takes quadratic time, and no mail is written in it


class _Capped(Compat32):
    """Cuts headers: the standard library takes quadratic time over one header of megabytes."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_HEADER]


@dataclass(frozen=True)
class Letter:
    """A mail taken apart; all texts are decoded, and cut where they are too long."""

    headers: dict[str, str]  # by lower-case name; the first of a name
    report_type: str  # of multipart/report, in lower case
    words: str  # what it says to people, before it quotes the original
    status: str  # the fields of RFC 3464 or 6533, as lines
    feedback: str | None  # the fields of RFC 5965, as lines
    original: str  # what it quotes of the original, its headers at least

    def header(self, name: str) -> str:
        """Return the first header of that lower-case name, or an empty text."""
        return self.headers.get(name, "")


def take_apart(raw: bytes) -> Letter:
    """Return the mail's parts by their meaning; of a broken mail, what can be made out."""
    return _letter(_parsed(raw))


def _letter(message: Message) -> Letter:
    found: dict[str, list[str]] = {"words": [], "html": [], "status": [], "feedback": []}
    quoted: list[str] = []
    for part in _parts(message):
        kind = part.get_content_type()
        if kind in _REPORTED:
            found["status"].append(_inside(part))
        elif kind == _COMPLAINED:
            found["feedback"].append(_inside(part))
        elif kind == _QUOTED or part.get_content_maintype() == "message":
            nested = _report_inside(part)
            if nested is not None and not found["status"]:
                inner = _letter(nested)
                return replace(inner, headers=_headers(message) | inner.headers)
            quoted.append(_inside(part))
        elif part.get_content_maintype() in ("text", "multipart"):
            found["html" if kind == "text/html" else "words"].append(_text(part))
        elif "final-recipient:" in (text := _text(part)).lower():
            found["status"].append(text)
    said = "\n".join(found["words"]).strip() or _plain("\n".join(found["html"]))
    words, rest = _before_original(said[:_TEXT])
    return Letter(
        _headers(message),
        _report_type(message),
        words,
        "\n\n".join(found["status"])[:_TEXT],
        "\n".join(found["feedback"])[:_TEXT] if found["feedback"] else None,
        "\n".join([*quoted, rest])[:_TEXT],
    )


def _parsed(raw: bytes) -> Message:
    text = raw[:_BYTES].replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = text.lstrip().split(b"\n", _LINES)
    cut = _with_whole_headers(b"\n".join(lines[:_LINES]))
    is_nested = len(_BOUNDARY.findall(cut)) > _BOUNDARIES
    return BytesParser(policy=_Capped()).parsebytes(cut, headersonly=is_nested)


def _with_whole_headers(mail: bytes) -> bytes:
    """Indent header lines that a relay has folded without: the parser takes them for the body."""
    head, blank, body = mail.partition(b"\n\n")
    return _NOT_FOLDED.sub(rb"\n \1", head) + blank + body


def _parts(message: Message) -> Iterator[Message]:
    """Yield the leaves in their order; a quoted mail is a leaf."""
    waiting = [message]
    for _ in range(_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting.extend(reversed(_members(part)))
        else:
            yield part


def _members(part: Message) -> list[Message]:
    """Return what a part holds.

    `get_payload` is never asked for a text as such: it would decode it, in whatever charset the
    mail names, and whatever time that takes.
    """
    payload = part.get_payload() if part.is_multipart() else []
    return [inner for inner in payload if isinstance(inner, Message)]


def _bytes(part: Message) -> bytes:
    payload = None if part.is_multipart() else part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _report_inside(part: Message) -> Message | None:
    """Return the report that was forwarded as an attachment, or None."""
    for inner in _members(part)[:1]:
        if inner.get_content_type() == "multipart/report":
            return inner
    return None


def _inside(part: Message) -> str:
    """Return a message/... part as text: the parser has made headers of its lines."""
    if not part.is_multipart():
        return _text(part)
    text = b"\n\n".join(_lines(block) for block in _members(part))
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    return _characters(_transferred(text, encoding), "utf-8")


def _lines(block: Message) -> bytes:
    headers = "".join(f"{name}: {value}\n" for name, value in block.raw_items())
    body = b"".join(_bytes(inner) for inner in [block, *_members(block)[:1]])
    return headers.encode("utf-8", "surrogateescape") + b"\n" + body[:_TEXT]


def _transferred(text: bytes, encoding: str) -> bytes:
    if encoding == "quoted-printable":
        return quopri.decodestring(text)
    if encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
        with suppress(binascii.Error):
            return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    return text


def _text(part: Message) -> str:
    return _characters(_bytes(part)[:_TEXT], str(part.get_param("charset") or "utf-8"))


def _characters(raw: bytes, charset: str) -> str:
    """Return the text; what is valid UTF-8 is UTF-8, whatever charset the mail claims."""
    if b"\x1b$" in raw:  # ISO 2022 is valid UTF-8 too, but in escapes
        charset = "iso-2022-jp"
    else:
        with suppress(UnicodeDecodeError):
            return raw.decode("utf-8")
    try:
        if codecs.lookup(charset).name == _NO_CHARSET:
            charset = "cp874"
        return raw.decode(charset, "replace")
    except (LookupError, ValueError):
        return raw.decode("cp874", "replace")


def _headers(message: Message) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), _header(str(value)))
    return headers


def _header(value: str) -> str:
    text = _characters(value.encode("utf-8", "surrogateescape"), "utf-8")
    if _ENCODED_WORD.search(text):
        try:
            pieces = decode_header(text)
        except (HeaderParseError, ValueError):
            return text
        text = "".join(
            piece if isinstance(piece, str) else _characters(piece, charset or "utf-8")
            for piece, charset in pieces
        )
    return " ".join(text.split())


def _report_type(message: Message) -> str:
    return str(message.get_param("report-type") or "").lower()


def _plain(page: str) -> str:
    """Return what a reader of the HTML page sees."""
    shown = _LINE_END.sub("\n", _UNSEEN.sub(" ", page))
    return html.unescape(_TAG.sub(" ", shown))


def _before_original(text: str) -> tuple[str, str]:
    """Part a text where it begins to quote the original."""
    lines = text.splitlines()
    begins = patterns.book().original
    for number, line in enumerate(lines):
        bare = line.lower().strip(" \t-=_*+>:.|")
        if bare.startswith(begins) and number:
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return text, ""
