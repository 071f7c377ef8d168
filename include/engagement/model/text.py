"""Reads Thai text as library systems really hold it: bytes of several ages, and marks out of place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_INVISIBLE = re.compile("[\u0000\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")
# UTF-8 Thai read as cp874 gives เธ? or เน? for every letter; no Thai word looks like that twice.
_UTF8_AS_CP874 = re.compile("(?:เ[ธน].){2}|เ[ธน].เ[ธน]?$", re.DOTALL)
# Foreign letters alone, which bytes of cp874 also make when they happen to be valid UTF-8: ส and ด are ʴ.
_FOREIGN_ALONE = re.compile("[\u0080-\u07ff][\u0080-\u07ff .-]*")
_THAI_WORD = "[\u0e01-\u0e2e\u0e40-\u0e44][\u0e01-\u0e4e]*"
_THAI_WORDS = re.compile(f"{_THAI_WORD}(?:[ .-]+{_THAI_WORD})*")
_SPLIT_SARA_AM = re.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32")
# A font that draws sara am in two pieces leaves "ท า"; no Thai syllable begins with sara aa.
_BROKEN_SARA_AM = re.compile("(?<=[\u0e01-\u0e2e\u0e48-\u0e4b]) \u0e32")
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
    return words if _THAI_WORDS.fullmatch(words.strip(" .-")) else None


def clean(text: str) -> str:
    """Return `text` in NFC, without what cannot be seen, with single spaces and whole sara am.

    Never NFKC: it takes sara am (U+0E33) apart.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    text = _SPACES.sub(" ", text).strip()
    text = _SPLIT_SARA_AM.sub("\\1\u0e33", text)
    return _BROKEN_SARA_AM.sub("\u0e33", text)


def bare(text: str) -> str:
    """Return cleaned `text` without outer punctuation and case: what placeholders are compared by."""
    return text.strip(_OUTER_PUNCTUATION).casefold()
