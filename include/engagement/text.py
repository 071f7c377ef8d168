"""Reads Thai text as library systems really hold it: bytes of several ages, and marks out of place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Controls that are no white space, soft hyphen, joiners, zero-width, bidi, byte order mark.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_SPACES = re.compile(r"\s+")
_FULL_WIDTH = re.compile("[\uff01-\uff5e]")
_TO_ASCII = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # ！ to ～ are ! to ~
# UTF-8 Thai read as cp874 gives เธ? or เน? for every letter; no Thai word looks like that twice.
_UTF8_AS_CP874 = re.compile("(?:เ[ธน].){2}|เ[ธน].เ[ธน]?$", re.DOTALL)
# Foreign letters alone, which bytes of cp874 also make when they happen to be valid UTF-8: ส and ด are ʴ, แ, ด
# and ง are ᴧ. Chinese is left out: its bytes are Thai words far more rarely than its words are names.
_FOREIGN_ALONE = re.compile("[\u0080-\u0dff\u0e80-\u4dff][\u0080-\u0dff\u0e80-\u4dff .-]*")
_LAO_AS_CP874 = re.compile("(?:เ[บป].[ .-]*){2,}")
_THAI_WORD = "[\u0e01-\u0e2e\u0e40-\u0e44][\u0e01-\u0e4e]*"
_THAI_WORDS = re.compile(f"{_THAI_WORD}(?:[ .-]+{_THAI_WORD})*")
# What stands over and under a Thai letter, in the order in which it is stored.
_VOWEL, _TONE, _LAST = "\u0e31\u0e34-\u0e3a\u0e47", "\u0e48-\u0e4b", "\u0e4c-\u0e4e"
_RANK = dict.fromkeys("\u0e48\u0e49\u0e4a\u0e4b", 1) | dict.fromkeys("\u0e4c\u0e4d\u0e4e", 2)
_MARKS = re.compile(f"[{_VOWEL}{_TONE}{_LAST}]{{2,}}")
# A tone behind the vowel that follows its letter: มา้ is ม้า, นำ้ is น้ำ.
_LATE_TONE = re.compile(f"[\u0e30\u0e32\u0e33][\u0e30-\u0e3a\u0e47-\u0e4e]*[{_TONE}]")
# A font that draws sara am in two pieces leaves "ท า"; no Thai word begins with sara aa or am.
_BROKEN_SARA_AM = re.compile(f"(?<=[\u0e01-\u0e2e{_TONE}]) [\u0e32\u0e33]")
# Thai and ASCII with nothing to mend but what _DOUBLE_E finds; the marks on a letter are in order.
_LETTER = "!-~\u0e01-\u0e2f\u0e3f-\u0e46\u0e4f-\u0e5b"
_WHOLE = re.compile(
    f"(?:[{_LETTER}]++[{_VOWEL}]?+[{_TONE}]?+\u0e4c?+[\u0e30\u0e32\u0e33]*+"
    f"(?: (?=[{_LETTER}]))?+)*+"
)
_DOUBLE_E = "\u0e40\u0e40"  # looks like แ
_OUTER_PUNCTUATION = " .,;:-_/\\'\"()[]{}*#?!+=~<>|"


def decode(value: bytes, encodings: Sequence[str]) -> str | None:
    """Return `value` as text in the first of `encodings` that fits it strictly, or None."""
    for encoding in encodings:
        try:
            text = value.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp874" and _UTF8_AS_CP874.search(text):
            continue
        if encoding == "utf-8" and "cp874" in encodings and _FOREIGN_ALONE.fullmatch(text):
            return _thai_words(value) or text
        return text
    return None


def _thai_words(value: bytes) -> str | None:
    """Return the Thai words that `value` is in cp874, or None."""
    try:
        words = value.decode("cp874")
    except UnicodeDecodeError:
        return None
    if _LAO_AS_CP874.fullmatch(words):
        return None
    return words if _THAI_WORDS.fullmatch(words.strip(" .-")) else None


def clean(text: str) -> str:
    """Return `text` in NFC as it was meant: nothing unseen, single spaces, Thai marks in their places.

    Full-width forms become ASCII. Never NFKC: it takes sara am (U+0E33) apart. Cleaning twice is
    cleaning once. The order of the marks is that of WTT 2.0 (Thai API Consortium).
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    if _WHOLE.fullmatch(text) and _DOUBLE_E not in text:
        return text
    text = _FULL_WIDTH.sub(lambda letter: _TO_ASCII[letter[0]], _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFC", text)
    return _mended(_SPACES.sub(" ", text).strip())


def _mended(text: str) -> str:
    """Return `text` with each Thai mark once and in its place, sara am and sara ae whole."""
    text = _MARKS.sub(_in_order, _LATE_TONE.sub(_tones_first, text))
    text = text.replace("\u0e4d\u0e32", "\u0e33").replace(_DOUBLE_E, "\u0e41")
    return _BROKEN_SARA_AM.sub("\u0e33", text)


def _tones_first(cluster: re.Match[str]) -> str:
    return "".join(sorted(cluster[0], key=lambda sign: _RANK.get(sign) != 1))


def _in_order(marks: re.Match[str]) -> str:
    """Return the marks of one letter, each once: vowels, then tones, then the rest."""
    ordered = sorted(dict.fromkeys(marks[0]), key=lambda mark: _RANK.get(mark, 0))
    return unicodedata.normalize("NFC", "".join(ordered))


def bare(text: str) -> str:
    """Return cleaned `text` without outer punctuation and case: what placeholders are compared by."""
    return text.strip(_OUTER_PUNCTUATION).casefold()
