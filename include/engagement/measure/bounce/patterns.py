"""The patterns of `include/bounces.yaml`: the wordings by which reports and their causes are known.

A pattern is a phrase in lower case with single spaces. ` *` in it stands for nothing or up to 100
characters. Phrases are looked up, never run as regular expressions: no text can make them slow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from engagement import yaml_file
from engagement.measure.bounce.verdict import Verdict
from engagement.settings import INCLUDE

_GAP = 100
# What a server puts before every line of an answer of several lines (RFC 5321, section 4.2.1).
_CONTINUED = re.compile(
    r"\b[245]\d\d-(?:#?[245]\.\d{1,3}\.\d{1,3}\b)?|\b[245]\d\d (?:[245]\.\d{1,3}\.\d{1,3}\b)"
)
_PLAIN = str.maketrans("‘’‛`´“”«»_", "'''''\"\"\"\" ")


def normal(text: str) -> str:
    """Return the text as phrases are written: lower case, single spaces, plain quotes, no codes, no _."""
    plain = text.lower().translate(_PLAIN)
    return " " + " ".join(_CONTINUED.sub(" ", plain).split()) + " "


@dataclass(frozen=True)
class Phrases:
    """Some phrases that mean the same."""

    pieces: tuple[tuple[str, ...], ...]

    def in_(self, text: str) -> bool:
        """Return whether one of them stands in a text that is `normal`."""
        return any(_stands(phrase, text) for phrase in self.pieces)


def _stands(pieces: tuple[str, ...], text: str) -> bool:
    start = text.find(pieces[0])
    while start >= 0:
        end = start + len(pieces[0])
        for piece in pieces[1:]:
            found = text.find(piece, end, end + _GAP + len(piece))
            if found < 0:
                break
            end = found + len(piece)
        else:
            return True
        start = text.find(pieces[0], start + 1)
    return False


@dataclass(frozen=True)
class Rule:
    """A cause, told by phrases or by an enhanced status code."""

    name: str
    verdict: Verdict
    phrases: Phrases
    even_temporary: bool  # its verdict holds also where the code says "temporary"


@dataclass(frozen=True)
class Book:
    """All patterns."""

    causes: tuple[Rule, ...]  # the first that fits decides
    hints: tuple[Rule, ...]  # weaker than a code
    statuses: dict[str, tuple[str, Verdict]]  # "5.1.1", or "5.7" for all of that subject
    senders: Phrases
    subjects: Phrases
    openings: Phrases
    words: Phrases
    original: tuple[str, ...]
    away_headers: tuple[str, ...]
    away_subjects: tuple[str, ...]
    away_words: Phrases
    complaint_subjects: tuple[str, ...]
    complaint_words: Phrases


@cache
def book() -> Book:
    """Return the patterns of `include/bounces.yaml`."""
    read = yaml_file.read(INCLUDE / "bounces.yaml")
    return Book(
        causes=_rules(read["causes"]),
        hints=_rules(read["hints"]),
        statuses={
            str(code): (row["rule"], row["verdict"])
            for row in read["statuses"]
            for code in row["codes"]
        },
        senders=_phrases(read["reports"]["senders"]),
        subjects=_phrases(read["reports"]["subjects"]),
        openings=_phrases(read["reports"]["openings"]),
        words=_phrases(read["reports"]["words"]),
        original=_listed(read["original"]),
        away_headers=_listed(read["auto_replies"]["headers"]),
        away_subjects=_listed(read["auto_replies"]["subjects"]),
        away_words=_phrases(read["auto_replies"]["words"]),
        complaint_subjects=_listed(read["complaints"]["subjects"]),
        complaint_words=_phrases(read["complaints"]["words"]),
    )


def _rules(rows: list[dict[str, Any]]) -> tuple[Rule, ...]:
    return tuple(
        Rule(row["rule"], row["verdict"], _phrases(row["said"]), row.get("even_temporary", False))
        for row in rows
    )


def _listed(groups: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(phrase for group in groups for phrase in group["phrases"])


def _phrases(groups: list[dict[str, Any]]) -> Phrases:
    return Phrases(tuple(tuple(phrase.split(" *")) for phrase in _listed(groups)))
