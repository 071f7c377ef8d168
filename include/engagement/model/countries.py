"""Knows a country by what people write for a nationality."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import chain

from engagement import yaml_file
from engagement.settings import INCLUDE
from engagement.text import bare, clean

# Codes beside those of countries.
_NONE = {"AC", "CP", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
_WORDS = {
    "NA",
    "NO",
}  # who writes these for a nationality says that there is none, not Namibia nor Norway


@cache
def codes() -> frozenset[str]:
    """Return the countries' codes of two letters (ISO 3166-1 alpha-2)."""
    return frozenset(known().values())


@cache
def known() -> Mapping[str, str]:
    """Return word -> code: of the codes of ISO 3166-1, names in Thai and English, and nationalities.yaml.

    The words are as `compared` gives them; the names are those of the Unicode CLDR.
    """
    from babel import Locale
    from babel.core import get_global

    territories = [Locale(language).territories for language in ("en", "th")]
    countries = {
        str(code) for code in territories[0] if re.fullmatch("[A-Z]{2}", str(code))
    } - _NONE
    words = {compared(code): code for code in countries - _WORDS}
    for alias, (code, *_) in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and code in countries:
            words[compared(alias)] = code
    for code, name in chain.from_iterable(names.items() for names in territories):
        if code in countries:  # Myanmar (Burma)
            words |= {compared(word): code for word in (name, *name.split("("))}
    for code, written in yaml_file.read(INCLUDE / "nationalities.yaml").items():
        words |= {compared(word): code for word in written}
    return words


def compared(word: str) -> str:
    """Return a word in the form that nationalities are compared in."""
    return bare(clean(word))
