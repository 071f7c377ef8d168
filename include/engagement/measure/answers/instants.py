"""Instants as forms write them: of either era and any of their formats, with or without a zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

from engagement import dates
from engagement.dates import Order
from engagement.text import clean

_FIRST_YEAR = 2000  # LimeSurvey writes 1980-01-01 where it was told to keep no time
_HOUR = r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d(?:\.\d+)?))?"
_HALF = r"(?: ?(?P<half>[AaPp]\.?[Mm]\.?|ก่อนเที่ยง|หลังเที่ยง))?"
_ZONE = r"(?: ?(?:GMT|UTC)?(?P<zone>Z|[+-]\d{1,2}(?::?\d\d)?)|(?: ?(?P<utc>GMT|UTC)))?"
_INSTANT = re.compile(rf"(?P<day>.+?)(?:,? |T|, ?){_HOUR}{_HALF}(?: ?น\.)?{_ZONE}")
_SERIAL = re.compile(r"[3-9]\d{4}(?:\.\d+)?")  # Excel's days: 30000 is 1982, 99999 is 2173
_SERIAL_BEGINS = datetime(1899, 12, 30)  # noqa: DTZ001 - a date on the wall


def parse(text: str, order: Order, zone: tzinfo, until: datetime) -> datetime | None:
    """Return the instant that a cell writes, in UTC and to the second, or None where it says none.

    Known are what Google Forms and its sheets write in Thai and English, ISO 8601, what Excel shows
    for a date and the number that it keeps for it. A date without a time is its midnight.

    Args:
        text: the cell.
        order: of day and month, where the year is last.
        zone: where `text` names none.
        until: nothing is answered after this; a later instant is none.
    """
    written = clean(text)
    try:
        found = _serial(written) or _written(written, order, until)
        if found is None:
            return None
        rounded = (found + timedelta(milliseconds=500)).replace(microsecond=0)
        instant = (rounded if rounded.tzinfo else rounded.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant if instant.year >= _FIRST_YEAR and instant <= until else None


def _serial(text: str) -> datetime | None:
    return _SERIAL_BEGINS + timedelta(days=float(text)) if _SERIAL.fullmatch(text) else None


def _written(text: str, order: Order, until: datetime) -> datetime | None:
    """Return date and time, with a zone where one is written; raises ValueError for an odd time."""
    found = _INSTANT.fullmatch(text)
    if found is None and ":" in text:
        return None  # a time that is not understood is not midnight
    day = _day(found["day"] if found else text, order, until.year)
    if day is None:
        return None
    if found is None:
        return datetime.combine(day, time.min)
    hour, second = _hour(int(found["hour"]), found["half"]), float(found["second"] or 0)
    at = datetime.combine(day, time(hour, int(found["minute"])), _zone(found))
    if second >= 60:
        raise ValueError
    return at + timedelta(seconds=second)


@lru_cache(maxsize=4096)
def _day(text: str, order: Order, last_year: int) -> date | None:
    """Return the date; a year of two digits is of the era in which it is neither long ago nor to come."""
    for era in ("gregorian", "buddhist"):
        day = dates.parse(text.strip(), era, order)
        if day is not None and _FIRST_YEAR <= day.year <= last_year:
            return day
    return None


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if hour > 12:
        raise ValueError
    is_afternoon = half[0] in "Ppห"
    return hour % 12 + 12 * is_afternoon


def _zone(found: re.Match[str]) -> tzinfo | None:
    if found["utc"] or found["zone"] == "Z":
        return UTC
    if found["zone"] is None:
        return None
    sign = -1 if found["zone"][0] == "-" else 1
    digits = found["zone"][1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, 0)
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
