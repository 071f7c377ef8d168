"""Takes written titles off names, and names that stand in one field apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from engagement import yaml_file
from engagement.settings import INCLUDE

_APART = r"(?:\.|(?= |$))"
# A title without a space ends where a name can begin: two letters, the first no mark, or Latin.
_GLUED = r"(?:\.|(?= |$)|(?=[ก-ฮ][ก-๎]|[เ-ไ][ก-ฮ]|[A-Za-z]))"
_THAI = re.compile("[ก-๎]")
# Words that belong to the family name behind them; na is ณ in Latin letters.
_PARTICLES = frozenset(
    {"al", "bin", "binte", "binti", "bint", "da", "das", "de", "del", "della", "den", "der", "di"}
    | {"do", "dos", "du", "el", "ibn", "la", "le", "na", "st", "ten", "ter", "van", "von", "zu"}
)


class Titles:
    """The titles that people write before a name."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        """Take a library system's own words beside those of `include/titles.yaml`.

        A word that is not in that file is a title only before a space or a dot.
        """
        listed = _listed()
        ranks, woman = _any(listed["ranks"], _GLUED), f"(?: ?{listed['woman']}{_GLUED})?"
        glued, apart = _any(listed["glued"], _GLUED), _any([*words, *listed["apart"]], _APART)
        self._title = re.compile(
            f"(?:(?:{listed['acting']} ?)?{ranks}{woman}|{glued}|{apart})[ .]*", re.IGNORECASE
        )

    def split(self, name: str) -> tuple[str | None, str]:
        """Return the titles before a cleaned `name` as they are written, or None, and the rest.

        The rest is never empty: who has nothing but a title keeps it as the name. A title is taken
        off a name that is glued to it only where a name can begin (นางสาวสมใจ; not นายิกา), and
        where it also begins names (พระพาย, คุณวุฒิ) only before a space or a dot. นาง before a
        consonant is always the title: women called นางนวล are far rarer than women called นวล.
        """
        rest = name
        while (title := self._title.match(rest)) and title.end() < len(rest):
            rest = rest[title.end() :]
        written = name[: len(name) - len(rest)].strip()
        return written or None, rest


def split_full(name: str) -> tuple[str, str | None]:
    """Return given and family name of a cleaned `name` without titles; one word has no family name.

    A comma stands behind the family name. Else a Thai given name is the first word and all the rest
    the family name (ณ อยุธยา); of other names it is the last word with the particles before it.
    """
    family, _, given = (part.strip() for part in name.partition(","))
    if family and given:
        return given, family
    words = name.replace(",", " ").split()
    first = 1 if _THAI.match(name) else max(1, len(words) - 1)
    while first > 1 and words[first - 1].strip("-.'").casefold() in _PARTICLES:
        first -= 1
    return " ".join(words[:first]), " ".join(words[first:]) or None


@cache
def _listed() -> dict[str, Any]:
    return dict(yaml_file.read(INCLUDE / "titles.yaml"))


def _any(titles: Iterable[str], end: str) -> str:
    """Return the pattern of the longest of `titles` that fits; a dot at its end needs no `end`."""
    longest_first = sorted(filter(None, titles), key=len, reverse=True)
    short = [_abbreviation(word) for word in longest_first if word.endswith(".")]
    words = [re.escape(word) for word in longest_first if not word.endswith(".")]
    return "(?:" + "|".join([*short, f"(?:{'|'.join(words) or '(?!)'}){end}"]) + ")"


def _abbreviation(word: str) -> str:
    """Return the pattern of an abbreviation, which may lack its inner dots or else its last one."""
    letters = [re.escape(part) for part in word[:-1].split(".")]
    complete, incomplete = "".join(letters) + r"\.", r"\. ?".join(letters) + _APART
    return complete if len(letters) == 1 else f"(?:{complete}|{incomplete})"
