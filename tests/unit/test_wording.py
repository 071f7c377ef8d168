"""People read dates in the era of their language, and numbers that do not mislead."""

from datetime import date, datetime

import pytest

from engagement import wording
from engagement.period import Period
from engagement.wording import EN, TH


def test_dates_are_in_words_and_in_the_buddhist_era():
    assert TH.date(date(2018, 6, 27)) == "27 มิถุนายน 2561"
    assert TH.date(date(2020, 2, 29)) == "29 กุมภาพันธ์ 2563"
    assert TH.instant(datetime(2018, 7, 9, 8, 5)) == "9 กรกฎาคม 2561 เวลา 08.05 น."  # noqa: DTZ001


def test_english_readers_get_english_months_and_the_common_era():
    assert EN.date(date(2018, 6, 27)) == "27 June 2018"
    assert EN.month(Period(2018, 12)) == "December 2018"
    assert EN.instant(datetime(2018, 7, 9, 8, 5)) == "9 July 2018, 08:05"  # noqa: DTZ001


def test_every_month_has_its_own_thai_name():
    names = [TH.month(Period(2018, month)) for month in range(1, 13)]
    assert names[0] == "มกราคม 2561"
    assert names[6] == "กรกฎาคม 2561"
    assert names[11] == "ธันวาคม 2561"
    assert len(set(names)) == 12


def test_a_chart_has_room_for_a_short_month():
    assert [TH.short_month(Period(2018, month)) for month in (2, 6, 11)] == ["ก.พ.", "มิ.ย.", "พ.ย."]
    assert [EN.short_month(Period(2018, month)) for month in (2, 6, 11)] == ["Feb", "Jun", "Nov"]


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (999, "999"), (12083, "12,083"), (60403, "60,403")]
)
def test_counts_have_thousands_separators(number, shown):
    assert wording.count(number) == shown


@pytest.mark.parametrize(
    ("change", "shown"), [(1412, "+1,412"), (-1035, "−1,035"), (-1, "−1"), (0, "0")]
)
def test_a_change_shows_its_sign_and_no_change_shows_none(change, shown):
    assert wording.signed(change) == shown


@pytest.mark.parametrize(
    ("percentage", "shown"),
    [
        (0, "0.0"),
        (0.01, "<0.1"),
        (0.05, "0.1"),
        (20.004, "20.0"),
        (16.15, "16.2"),
        (99.99, ">99.9"),
        (100, "100.0"),
    ],
)
def test_a_percentage_reads_as_nothing_or_as_all_only_when_it_is(percentage, shown):
    assert wording.decimal(percentage) == shown


@pytest.mark.parametrize(
    ("points", "shown"), [(0.75, "+0.8"), (-1.2, "−1.2"), (0.04, "0.0"), (-0.04, "0.0")]
)
def test_percentage_points_have_a_sign_unless_they_round_to_nothing(points, shown):
    assert wording.signed_points(points) == shown
