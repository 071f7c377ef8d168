"""Reads one mail that came to the return path, and says what it means for the address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engagement.errors import EngagementError
from engagement.measure.bounce import answer, complaint, patterns, report
from engagement.measure.bounce.letter import Letter, take_apart
from engagement.measure.bounce.verdict import Reading

# Printable ASCII, as ours are: a mail may bring half a character, or a NUL, which no database takes.
_ID = r"<[!-;=?-~]{3,250}>"
_MESSAGE_ID = re.compile(
    rf"^[>\s]{{0,9}}(?:x-)?(?:original-)?message-id\s{{0,9}}:\s{{0,9}}({_ID})",
    re.IGNORECASE | re.MULTILINE,
)
_REFERENCE = re.compile(_ID)
_TOKEN = re.compile(
    r"^[>\s]{0,9}X-Engagement-Token\s{0,9}:\s{0,9}([!-~]{1,200})(?!\S)",
    re.IGNORECASE | re.MULTILINE,
)


def read(raw: bytes, ours: re.Pattern[str] | None = None) -> Reading:
    """Return what a mail says, whatever it is; no mail makes it raise.

    A report on several recipients is read as the gravest of them, the first of equals: our mails
    have one recipient each, the others belong to mails of other people.

    Args:
        raw: the mail as it came.
        ours: finds an address of ours that carries a token, as its group `token`.

    Raises:
        EngagementError: `include/bounces.yaml` is no valid YAML.
    """
    patterns.book()
    try:
        letter = take_apart(raw)
        return replace(
            _meaning(letter),
            message_ids=_message_ids(letter),
            tokens=_unique(_tokens(letter, ours)),
        )
    except Exception:
        # A mail is whatever anybody sends: none may stop the run. It is kept, and shown to a person.
        return Reading("unknown", None, None, "unreadable")


def explain(path: Path) -> dict[str, Any]:
    """Return how a file with one mail is read: file, verdict, recipient, status, rule, and so on.

    Raises:
        EngagementError: the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise EngagementError(
            f"{path} cannot be read ({error.strerror}); name a file that holds one e-mail."
        ) from None
    reading = read(raw)
    return {
        "file": str(path),
        "verdict": reading.verdict,
        "recipient": reading.recipient,
        "status": reading.status,
        "rule": reading.rule,
        "message_ids": list(reading.message_ids),
        "tokens": list(reading.tokens),
    }


def _meaning(letter: Letter) -> Reading:
    """Decide the kind of mail; an answer that says "automatic reply" is never taken for a report."""
    if letter.header("x-engagement-token"):
        return Reading("unknown", None, None, "our-own-mail")
    return (
        complaint.read(letter)
        or report.of_fields(letter)
        or answer.by_subject(letter)
        or report.of_words(letter)
        or answer.by_signs(letter)
        or Reading("unknown", None, None, "not-understood")
    )


def _message_ids(letter: Letter) -> tuple[str, ...]:
    quoted = _MESSAGE_ID.findall(f"{letter.original}\n{letter.words}\n{letter.status}")
    answered = f"{letter.header('in-reply-to')} {letter.header('references')}"
    return _unique([*quoted, *_REFERENCE.findall(answered)])


def _tokens(letter: Letter, ours: re.Pattern[str] | None) -> list[str]:
    """Return our tokens: where a complaint is redacted, the return path is what is left of the original."""
    quoted = f"{letter.original}\n{letter.words}"
    named = ours.finditer(f"{letter.feedback or ''}\n{letter.status}\n{quoted}") if ours else ()
    return [*(found["token"].lower() for found in named), *_TOKEN.findall(quoted)]


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
