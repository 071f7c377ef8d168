"""A period is a Gregorian month in the library's zone; whoever writes it otherwise is told how."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engagement.errors import EngagementError
from engagement.period import Period
from engagement.settings import settings


def refusal(key: str) -> str:
    with pytest.raises(EngagementError) as caught:
        Period.parse(key)
    return str(caught.value)


def test_a_period_is_written_as_it_is_read():
    assert Period.parse("2018-06") == Period(2018, 6)
    assert str(Period(2018, 6)) == "2018-06"


@pytest.mark.parametrize(
    "key",
    ["", "2018", "2018-6", "2018-00", "2018-13", "06-2018", "2018-06-01", " 2018-06", "2018-06\n",
     "2018/06", "June 2018"],
)  # fmt: skip
def test_what_is_no_period_is_repeated_with_an_example(key):
    assert refusal(key) == f"{key!r} is no period; write year and month, such as 2018-06."


def test_a_buddhist_year_is_answered_with_the_gregorian_one():
    assert refusal("2561-06") == (
        "'2561-06' is in the Buddhist era; periods are Gregorian: 2018-06."
    )


def test_the_year_zero_is_no_year():
    with pytest.raises(EngagementError, match="is no period"):
        _ = Period.parse("0000-01").start


def test_months_follow_each_other_across_the_year():
    june, december, january = Period(2018, 6), Period(2018, 12), Period(2019, 1)
    assert june.next == Period(2018, 7)
    assert june.previous == Period(2018, 5)
    assert december.next == january
    assert january.previous == december
    assert sorted([january, june, december]) == [june, december, january]


def test_a_period_begins_and_ends_at_midnight_in_bangkok():
    june = Period(2018, 6)
    bangkok = ZoneInfo("Asia/Bangkok")
    assert june.start == datetime(2018, 6, 1, tzinfo=bangkok)
    assert june.start.utcoffset() == timedelta(hours=7)
    assert june.end == datetime(2018, 7, 1, tzinfo=bangkok) == june.next.start


def test_another_library_has_another_midnight(world):
    world.setenv("ENGAGEMENT_TIMEZONE", "Europe/Berlin")
    settings.cache_clear()
    assert Period(2018, 6).start.utcoffset() == timedelta(hours=2)


def test_a_month_may_be_run_from_its_last_instant_on(clock):
    clock.at(2018, 6, 30, 23)
    sentence = (
        "Period 2018-06 is not over: it ends at 2018-07-01 00:00 (Asia/Bangkok); run it after that."
    )
    with pytest.raises(EngagementError, match=re.escape(sentence)):
        Period(2018, 6).require_over()
    clock.at(2018, 7, 1)
    Period(2018, 6).require_over()
