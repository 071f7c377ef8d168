"""Recognises what a machine answers in the patron's place (RFC 3834): never a bounce."""

from __future__ import annotations

from engagement.measure.bounce import addresses, patterns
from engagement.measure.bounce.letter import Letter
from engagement.measure.bounce.verdict import Reading

_BULK = frozenset({"bulk", "junk", "list"})


def by_subject(letter: Letter) -> Reading | None:
    """Return the automatic answer that a mail is by its subject, or None."""
    subject = patterns.normal(letter.header("subject")).strip()
    if subject.startswith(patterns.book().away_subjects):
        return _answer(letter, "auto-reply-subject")
    return None


def by_signs(letter: Letter) -> Reading | None:
    """Return the automatic answer that a mail is by its other headers or its words, or None.

    Reports carry the same headers: they have to be recognised before.
    """
    book = patterns.book()
    if letter.report_type == "disposition-notification":
        return _answer(letter, "read-receipt")
    headers = (f"{name}: {value}".lower() for name, value in letter.headers.items())
    if any(header.startswith(book.away_headers) for header in headers):
        return _answer(letter, "auto-reply-header")
    nobody = letter.header("return-path") == "<>"  # RFC 3834, section 3.3
    bulk = letter.header("precedence").lower() in _BULK
    answers = letter.header("in-reply-to") or letter.header("references")
    if nobody and (bulk or answers):
        return _answer(letter, "null-sender")
    if (nobody or bulk) and book.away_words.in_(patterns.normal(letter.words)):
        return _answer(letter, "auto-reply-words")
    return None


def _answer(letter: Letter, rule: str) -> Reading:
    return Reading("auto-reply", addresses.first(letter.header("from")), None, rule)
