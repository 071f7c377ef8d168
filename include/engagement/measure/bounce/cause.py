"""Decides what a failure means: a dead address, or anything else."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engagement.measure.bounce import patterns
from engagement.measure.bounce.dsn import Fate, status_in
from engagement.measure.bounce.patterns import Rule
from engagement.measure.bounce.verdict import Verdict

_TEMPORARY = re.compile(r"\s*4\d\d\b")


def decide(fate: Fate, words: str) -> tuple[str, Verdict]:
    """Return the rule that decides and its verdict: hard, soft, or "auto-reply" of a mere delay.

    The server's own words go first, then the code, then the report's words for people.

    Args:
        fate: what the report says of the recipient.
        words: what the report says to people, `patterns.normal`.
    """
    if fate.action == "delayed":
        return "delayed", "auto-reply"
    book = patterns.book()
    temporary = _is_temporary(fate)
    said = patterns.normal(fate.said) if fate.said.strip() else words
    found = (
        spoken(book.causes, said, temporary=temporary)
        or _coded(fate.status)
        or spoken(book.hints, said, temporary=temporary)
        or spoken(book.causes, words, temporary=temporary)
    )
    rule, verdict = found or ("unexplained", "soft")
    # A report of failure may tell of the warnings before it.
    return rule, "soft" if verdict == "auto-reply" and fate.action == "failed" else verdict


def is_dead(code: int, text: str) -> bool:
    """Return whether a server's reply that refuses a mail at once means that the address is dead."""
    said = f"{code} {text}"
    return decide(Fate(None, "failed", status_in(said), said), "")[1] == "hard"


def spoken(
    rules: Iterable[Rule], text: str, *, temporary: bool = False
) -> tuple[str, Verdict] | None:
    """Return the first rule whose phrases stand in a `patterns.normal` text, and its verdict."""
    for rule in rules:
        if rule.phrases.in_(text):
            return rule.name, "soft" if temporary and not rule.even_temporary else rule.verdict
    return None


def _is_temporary(fate: Fate) -> bool:
    if fate.status is not None:
        return fate.status.startswith("4")
    return _TEMPORARY.match(fate.said) is not None


def _coded(status: str | None) -> tuple[str, Verdict] | None:
    if status is None:
        return None
    statuses = patterns.book().statuses
    subject = status.rpartition(".")[0]
    return statuses.get(status) or statuses.get(subject) or statuses.get(status[0])
