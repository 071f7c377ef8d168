"""Dates as Thai library systems write them: either era, two or four digits of the year."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

Era = Literal["buddhist", "gregorian"]

_BUDDHIST_OFFSET = 543  # พ.ศ. 2561 is 2018
_FIRST_BUDDHIST_YEAR = 2300
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?")


def parse(text: str, era: Era) -> date | None:
    """Return the date that cleaned `text` writes, or None where there is no such day.

    A four-digit year tells its era by its size. A two-digit year is of `era`: 61 is 2561 or 2061.
    """
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year = match.groups()
    elif match := _YEAR_FIRST.fullmatch(text):
        year, month, day = match.groups()
    else:
        return None
    number = int(year)
    if len(year) == 2:
        number += 2500 if era == "buddhist" else 2000
    if number >= _FIRST_BUDDHIST_YEAR:
        number -= _BUDDHIST_OFFSET
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None
