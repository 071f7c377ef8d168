"""Dates as library systems write them: of either era, in digits, in words, or for never."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from typing import Literal

from engagement.labels import labels
from engagement.settings import settings

Era = Literal["buddhist", "gregorian"]
Order = Literal["day/month/year", "month/day/year"]

_BUDDHIST_OFFSET = 543  # พ.ศ. 2561 is 2018
_FIRST_YEAR = 1900
_GREGORIAN = range(_FIRST_YEAR, 2200)
_BUDDHIST = range(_FIRST_YEAR + _BUDDHIST_OFFSET, 2200 + _BUDDHIST_OFFSET)
_WRITTEN_ERAS: dict[str | None, Era] = {"พ": "buddhist", "ค": "gregorian"}
_SHORT_MONTHS = ("มค", "กพ", "มีค", "เมย", "พค", "มิย", "กค", "สค", "กย", "ตค", "พย", "ธค")

_DAY, _MONTH = r"(?P<day>\d\d?)", r"(?P<month>\d\d?)"
_NAMED_MONTH = "(?P<month>[ก-ฮเ][ก-๎. ]*?|[A-Za-z]{3,9})"
_ERA = r"(?:(?P<era>[พค])\.? ?ศ\.? ?)?"
_YEAR, _WHOLE_YEAR = _ERA + r"(?P<year>\d{4}|\d\d)", _ERA + r"(?P<year>\d{4})"
_GAP = "(?: ?[/.-] ?| )"
_TIME = r"(?:(?:T| +)(?P<time>\d\d?[:.]\d\d.*))?"
_IN_DIGITS: dict[Order, re.Pattern[str]] = {
    "day/month/year": re.compile(_DAY + _GAP + _MONTH + _GAP + _YEAR + _TIME),
    "month/day/year": re.compile(_MONTH + _GAP + _DAY + _GAP + _YEAR + _TIME),
}
_OTHERWISE = (
    re.compile(_WHOLE_YEAR + _GAP + _MONTH + _GAP + _DAY + _TIME),
    re.compile(f"{_DAY}{_GAP}?{_NAMED_MONTH}{_GAP}?{_YEAR}{_TIME}"),
    re.compile(_WHOLE_YEAR + r"(?P<month>\d\d)(?P<day>\d\d)(?:[T ]?(?P<time>\d\d:?\d\d.*))?"),
)
_ZONED = re.compile(r"(\d\d):?(\d\d).*?(Z|[+-]\d\d(?::?\d\d)?)")


def parse(text: str, era: Era, order: Order = "day/month/year") -> date | None:
    """Return the date that cleaned `text` writes, or None where there is no such day.

    A year of four digits tells its era by its size; one that fits in neither, such as the 2999 and
    9999 that systems write for "never", is of `era`. So are two digits: 61 is 2561 or 2061, and in
    the Gregorian era 69 to 99 are 1969 to 1999 (POSIX, strptime). An era that is written out must
    not contradict the year. Nothing is before 1900. What puts the year first or names the month
    needs no `order`. A time may follow; with a zone it is the date of that instant in the library.
    """
    for form in (_IN_DIGITS[order], *_OTHERWISE):
        if found := form.fullmatch(text):
            break
    else:
        return None
    year, month, day, time, written = found.group("year", "month", "day", "time", "era")
    try:
        read = date(_year(year, _WRITTEN_ERAS.get(written), era), _month(month), int(day))
        return _in_library(read, time) if time else read
    except ValueError:
        return None


def _year(digits: str, written: Era | None, era: Era) -> int:
    """Return the Gregorian year; raises ValueError where it cannot be meant."""
    year = int(digits)
    told: Era
    if len(digits) == 2:
        told = written or era
        year += 2500 if told == "buddhist" else 1900 if year >= 69 else 2000
    elif year in _GREGORIAN:
        told = "gregorian"
    elif year in _BUDDHIST:
        told = "buddhist"
    else:
        told = written or era
    if told == "buddhist":
        year -= _BUDDHIST_OFFSET
    if year < _FIRST_YEAR or (written and written != told):
        raise ValueError
    return year


def _month(written: str) -> int:
    """Return the month's number; 0 for what is no month."""
    if written.isdigit():
        return int(written)
    return _months().get(re.sub("[. ]", "", written).casefold(), 0)


@cache
def _months() -> dict[str, int]:
    return {
        name.casefold(): number
        for number, (month, short) in enumerate(zip(labels().months, _SHORT_MONTHS, strict=True), 1)
        for name in (month.th, short, month.en, month.en[:3])
    }


def _in_library(day: date, time: str) -> date:
    """Return the date that the library had at `time` of `day`, where `time` names a zone."""
    zoned = _ZONED.fullmatch(time)
    if zoned is None:
        return day
    hour, minute, offset = zoned.groups()
    instant = datetime.fromisoformat(f"{day}T{hour}:{minute}{offset}")
    try:
        return instant.astimezone(settings().zone).date()
    except OverflowError:  # 9999-12-31T23:59:59Z
        return day
