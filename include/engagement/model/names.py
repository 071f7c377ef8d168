"""Takes written titles off names, and names that stand in one field apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from engagement import yaml_file
from engagement.settings import INCLUDE

_APART = r"(?:\.|(?= |$))"
# A title without a space ends where a name can begin: two letters, the first no mark, or Latin.
_GLUED = r"(?:\.|(?= |$)|(?=[ก-ฮ][ก-๎]|[เ-ไ][ก-ฮ]|[A-Za-z(]))"
_BEGINS = r"(?:\.|(?= |$)|(?=[ก-๎]))"  # a Thai word may be but the beginning of a name
_THAI = re.compile("[ก-๎]")
_THAI_WORDS = re.compile("[\u0e00-\u0e7f]+ [\u0e00-\u0e7f]")
_HAN, _HANGUL = "\u3400-\u4dbf\u4e00-\u9fff", "\uac00-\ud7a3"
_EAST_ASIAN = re.compile(f"[{_HAN}{_HANGUL}\u3005\u3040-\u30ff ]+")
_CHINESE_OR_KOREAN = re.compile(f"[{_HAN}]+|[{_HANGUL}]+")
_TWO_LETTER_FAMILIES = re.compile(
    "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|司徒|东方|東方|皇甫|尉迟|尉遲|公孙|公孫|令狐|慕容|夏侯"
    "|남궁|황보|제갈|사공|선우|서문|독고"
)
# Words that belong to the family name behind them; na is ณ in Latin letters.
_PARTICLES = frozenset(
    {"al", "bin", "binte", "binti", "bint", "da", "das", "de", "del", "della", "den", "der", "di"}
    | {"do", "dos", "du", "el", "ibn", "la", "le", "na", "st", "ten", "ter", "van", "von", "zu"}
)


class Titles:
    """The titles that people write before a name."""

    def __init__(self, words: Iterable[str] = (), single: Iterable[str] = ()) -> None:
        """Take a library system's own words beside those of `include/titles.yaml`.

        A word that is not in that file is a title only before a space or a dot.

        Args:
            words: its titles.
            single: those of its titles whose bearers need no family name.
        """
        listed = definition()
        alone, single = listed["single"], tuple(single)
        glued = _any([*listed["glued"], *alone["glued"]], _GLUED)
        apart = _any([*words, *single, *listed["apart"], *alone["apart"]], _APART)
        self._title = re.compile(f"(?:{_ranked(listed)}|{glued}|{apart})[ .]*", re.IGNORECASE)
        self._single = re.compile(
            _any([*single, *chain.from_iterable(alone.values())], _BEGINS), re.IGNORECASE
        )
        self._lay = re.compile(_any(listed["lay"], _GLUED), re.IGNORECASE)
        self._names = frozenset(listed["names"])
        self._names_behind_lay = self._names | frozenset(listed["names_behind_lay"])

    def split(self, name: str) -> tuple[str | None, str]:
        """Return the titles before a cleaned `name` as they are written, or None, and the rest.

        The rest is never empty: who has nothing but a title keeps it as the name. A title is taken
        off a name that is glued to it only where a name can begin (นางสาวสมใจ; not นายิกา), and
        where it also begins names (พระพาย, คุณวุฒิ) only before a space or a dot. นาง before a
        consonant is always the title: women called นางนวล are far rarer than women called นวล.
        """
        *_, rest = self._rests(name)
        written = name[: len(name) - len(rest)].strip()
        return written or None, rest

    def split_full(self, name: str) -> tuple[str | None, str, str | None]:
        """Return the titles, given and family name of a cleaned `name`; see `split_full` below.

        Where but one word is left behind a title that is a given name too (พันเอก ใจดี, นายสมเด็จ ใจดี),
        it is one.
        """
        title, rest = self.split(name)
        given, family = split_full(rest)
        if title is None:  # Smith, Dr. John
            return *self.split(given), family
        if family is None and (called := self._called(name)):
            return title.removesuffix(called).strip() or None, called, given
        return title, given, family

    def needs_no_family_name(self, name: str) -> bool:
        """Return whether a name with its titles is that of a monk, nun, novice or prince.

        Any of the titles tells it, also one glued to a name that `split` keeps whole (พระสมชาย).
        """
        return any(map(self._single.match, self._rests(name)))

    def _rests(self, name: str) -> Iterator[str]:
        """Yield the name, then what is left of it behind each of its titles."""
        yield name
        while (title := self._title.match(name)) and title.end() < len(name):
            name = name[title.end() :]
            yield name

    def _called(self, name: str) -> str | None:
        """Return the last title of `name` if it stands apart and is a given name too."""
        *_, before, rest = self._rests(name)
        last = before.removesuffix(rest)
        called = last.strip().rpartition(".")[2]  # ผศ.พิเศษ ใจดี
        is_lay = before != name and self._lay.match(name)
        names = self._names_behind_lay if is_lay else self._names
        return called if last.endswith(" ") and called in names else None


def split_full(name: str) -> tuple[str, str | None]:
    """Return given and family name of a cleaned `name` without titles; one word has no family name.

    A comma stands behind the family name. Else a Thai given name is the first word and all the rest
    the family name (ณ อยุธยา); of other names it is the last word with the particles before it. What
    stands behind a name (Jr., Ph.D.) is in neither. Chinese, Japanese and Korean names in their own
    letters begin with the family name; without a space one or two of their letters are it, but a
    Japanese name, whose parts nobody can tell, stays whole where it is longer or has kana in it.
    """
    if _EAST_ASIAN.fullmatch(name):
        return _split_east_asian(name)
    first, *others = (part.strip() for part in name.split(","))
    others = [part for part in others if part and not _is_behind(part, first)]
    if first and others:
        return " ".join(others), " ".join(_without_behind(first.split(), least=1))
    words = _without_behind([*first.split(), *others], least=2)
    at = 1 if _THAI.match(name) else max(1, len(words) - 1)
    while at > 1 and words[at - 1].strip("-.'").casefold() in _PARTICLES:
        at -= 1
    return " ".join(words[:at]), " ".join(words[at:]) or None


def may_hold_both(name: str) -> bool:
    """Return whether what stands in the field of the given name may be given and family name.

    Several words in Latin letters may be given names all of them.
    """
    return bool(_THAI_WORDS.match(name) or _EAST_ASIAN.fullmatch(name))


@cache
def definition() -> dict[str, Any]:
    """Return what `include/titles.yaml` says: it decides what a name means."""
    return dict(yaml_file.read(INCLUDE / "titles.yaml"))


def _split_east_asian(name: str) -> tuple[str, str | None]:
    family, _, given = name.partition(" ")
    if given:
        return given, family
    at = 2 if _TWO_LETTER_FAMILIES.match(name) else 1
    if len(name) - at not in (1, 2) or not _CHINESE_OR_KOREAN.fullmatch(name):
        return name, None
    return name[at:], name[:at]


def _is_behind(part: str, first: str) -> bool:
    """Return whether a part of a name behind a comma is no name; but who is Rahman, Md is called so."""
    is_called_so = " " not in first and part.strip(".").casefold() == "md"
    return _behind().fullmatch(part) is not None and not is_called_so


def _without_behind(words: Sequence[str], least: int) -> Sequence[str]:
    while len(words) > least and _behind().fullmatch(words[-1]):
        words = words[:-1]
    return words


@cache
def _behind() -> re.Pattern[str]:
    return re.compile(_any(definition()["behind"], _APART), re.IGNORECASE)


def _ranked(listed: dict[str, Any]) -> str:
    """Return the pattern of titles that may have a word behind them: ร.ต.หญิง, ศ.พิเศษ, ศ.(พิเศษ).

    A kind behind which nothing comes is the name.
    """
    rank = f"(?:{listed['acting']} ?)?{_any(listed['ranks'], _GLUED)}"
    noble = _any([*listed["noble"], *listed["single"]["noble"]], _GLUED)
    woman = f"(?: ?{listed['woman']}{_GLUED})?"
    kinds = "|".join(listed["kinds"])
    kind = f"(?: ?\\((?:{kinds})\\)|(?:{kinds}){_GLUED}(?=[ .]*[^ .]))?"
    return f"(?:(?:{rank}|{noble}){woman}|{_any(listed['academic'], _GLUED)}){kind}"


def _any(titles: Iterable[str], end: str) -> str:
    """Return the pattern of the longest of `titles` that fits; a dot at its end needs no `end`."""
    longest_first = sorted(filter(None, titles), key=len, reverse=True)
    short = [_abbreviation(word) for word in longest_first if word.endswith(".")]
    words = [re.escape(word) for word in longest_first if not word.endswith(".")]
    return "(?:" + "|".join([*short, f"(?:{'|'.join(words) or '(?!)'}){end}"]) + ")"


def _abbreviation(word: str) -> str:
    """Return the pattern of an abbreviation, which may lack inner dots or else its last one."""
    letters = [re.escape(part) for part in word[:-1].split(".")]
    complete, incomplete = r"\.?".join(letters) + r"\.", r"\. ?".join(letters) + _APART
    return complete if len(letters) == 1 else f"(?:{complete}|{incomplete})"
