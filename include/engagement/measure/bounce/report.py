"""Recognises reports on delivery, those with fields for machines and those with words only."""

from __future__ import annotations

import re
from dataclasses import replace

from engagement.measure.bounce import addresses, cause, dsn, patterns
from engagement.measure.bounce.dsn import Fate
from engagement.measure.bounce.letter import Letter
from engagement.measure.bounce.verdict import Reading

_DONE = frozenset({"delivered", "relayed", "expanded"})
_GRAVEST_FIRST = ("hard", "soft", "auto-reply")
_NEVER_FAILED = re.compile(r"(?:mailer-daemon|postmaster|mdaemon|abuse|noreply|no-reply)@")
# Lines that quote the original's headers name whom it came from, or a list that it went to.
_QUOTED_LINE = re.compile(
    r"^[^\w\n]{0,9}(?:(?:mail )?from\b|(?:sender|reply-to|to|cc)\s{0,9}:).*",
    re.IGNORECASE | re.MULTILINE,
)


def of_fields(letter: Letter) -> Reading | None:
    """Return what the fields of RFC 3464 say, wherever they stand, or None if there are none."""
    fates = dsn.fates(letter.status) or dsn.fates(letter.words)
    if not fates:
        return None
    words = patterns.normal(letter.words)
    bad = [_of_fate(letter, fate, words) for fate in fates if fate.action not in _DONE]
    if not bad:
        done = Reading("auto-reply", fates[0].recipient, fates[0].status, "delivered")
        return replace(done, is_report=True)
    gravest = min(bad, key=lambda reading: _GRAVEST_FIRST.index(reading.verdict))
    return replace(gravest, is_report=True)


def of_words(letter: Letter) -> Reading | None:
    """Return what a report says that is written for people only, or None if it is no report."""
    words = patterns.normal(letter.words)
    if not _is_report(letter, words):
        return None
    fate = Fate(None, "", dsn.status_in(letter.words), letter.words)
    reading = _of_fate(letter, fate, words)
    if reading.rule == "unexplained" and reading.recipient is None:
        return Reading("unknown", None, reading.status, "report-of-nothing")
    return reading


def _of_fate(letter: Letter, fate: Fate, words: str) -> Reading:
    rule, verdict = cause.decide(fate, words)
    return Reading(verdict, fate.recipient or _failed(letter), fate.status, rule)


def _is_report(letter: Letter, words: str) -> bool:
    """Tell by a template of a mail system, or by two signs: sender, subject, words, cause."""
    book = patterns.book()
    if letter.header("x-failed-recipients") or letter.report_type == "delivery-status":
        return True
    if book.openings.in_(words):
        return True
    by_machine = _by_machine(letter)
    by_subject = book.subjects.in_(patterns.normal(letter.header("subject")))
    if by_machine and by_subject:
        return True
    return (by_machine or by_subject) and (
        book.words.in_(words) or cause.spoken(book.causes, words) is not None
    )


def _by_machine(letter: Letter) -> bool:
    """Return whether the sender is a mail system: by its name, or because it has no address."""
    sender = f"{letter.header('from')} {letter.header('sender')}"
    return "@" not in sender or patterns.book().senders.in_(patterns.normal(sender))


def _failed(letter: Letter) -> str | None:
    """Return the address that failed, as far as headers, words and the quoted original tell."""
    header = letter.header("x-failed-recipients")
    if failed := addresses.first(header):
        return failed
    wrote_to = addresses.written_to(f"{letter.original}\n{letter.words}")
    own = set(addresses.found(f"{letter.header('to')} {letter.header('from')}"))
    named = [
        found
        for found in addresses.found(_QUOTED_LINE.sub("", letter.words))
        if found not in own and not _NEVER_FAILED.match(found)
    ]
    told = wrote_to if wrote_to in named or not named else named[0]
    # Last, and of the header alone: to .local a mail is forwarded, by .invalid an address is hidden.
    return told or addresses.unreachable(header)
