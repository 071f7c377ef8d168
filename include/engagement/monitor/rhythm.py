"""When a month's report is due, by the library's working days."""

from __future__ import annotations

import datetime as dt
import logging

from engagement.monitor.distribution import Distribution
from engagement.period import Period
from engagement.settings import settings

_SATURDAY = 5
_log = logging.getLogger(__name__)


def latest_closed(now: dt.datetime) -> Period:
    """Return the last period that was over at `now`, an instant."""
    here = now.astimezone(settings().zone)
    return Period(here.year, here.month).previous


def send_at(period: Period, said: Distribution) -> dt.datetime:
    """Return from when on the report on `period` goes out: an instant in the library's zone.

    It is the working day that `said.send_after` counts to, in the month after the period, at its time. Saturdays,
    Sundays and `said.holidays` are no working days; a year without holidays is logged as one that was forgotten.
    """
    day = period.end.date()
    if day.year not in {holiday.year for holiday in said.holidays}:
        _log.warning(
            "No holiday of %s is named in the report's file; every weekday counts as a working day.",
            day.year,
        )
    left = said.send_after.working_day - is_working_day(day, said)
    while left:
        day = working_day_after(day, said)
        left -= 1
    return dt.datetime.combine(day, said.send_after.time, settings().zone)


def working_day_after(day: dt.date, said: Distribution) -> dt.date:
    """Return the first working day after `day`."""
    day += dt.timedelta(days=1)
    while not is_working_day(day, said):
        day += dt.timedelta(days=1)
    return day


def is_working_day(day: dt.date, said: Distribution) -> bool:
    """Return whether people of the library work on `day`."""
    return day.weekday() < _SATURDAY and day not in said.holidays
