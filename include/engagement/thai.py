"""Numbers and dates as Thai readers write them; years are in the Buddhist era, digits are Arabic."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

from engagement.labels import labels
from engagement.period import Period

BUDDHIST_ERA = 543  # the Gregorian year plus this, since Thailand moved New Year to January (1941)
MINUS = "\N{MINUS SIGN}"


def count(number: int) -> str:
    """Return a count with thousands separators: 60,403."""
    return f"{number:,}".replace("-", MINUS)


def signed(change: int) -> str:
    """Return a change of a count with its sign: +412, −35, and 0 without one."""
    return f"+{change:,}" if change > 0 else count(change)


def decimal(percentage: float) -> str:
    """Return a percentage (0 to 100) without its sign, one decimal.

    What is not quite nothing or not quite everything never reads as 0.0 or 100.0: <0.1, >99.9.
    """
    if 0 < percentage < 0.05:
        return "<0.1"
    if 99.95 <= percentage < 100:
        return ">99.9"
    # As a reader with a calculator rounds: 16.15 is 16.2, though its binary value is a little less.
    return str(Decimal(str(percentage)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def signed_points(points: float) -> str:
    """Return a change of a percentage in percentage points: +0.7, −1.2, 0.0."""
    rounded = round(points, 1)
    if rounded == 0:
        return "0.0"
    return f"{rounded:+.1f}".replace("-", MINUS)


def date(day: dt.date) -> str:
    """Return a date in words: 27 มิถุนายน 2561."""
    return f"{day.day} {labels().months[day.month - 1].th} {day.year + BUDDHIST_ERA}"


def month(period: Period) -> str:
    """Return a period in words: มิถุนายน 2561."""
    return f"{labels().months[period.month - 1].th} {period.year + BUDDHIST_ERA}"
