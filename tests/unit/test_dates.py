"""Dates are read in the era they were written in, and never as another day."""

from datetime import date

import pytest

from engagement.model.dates import parse


@pytest.mark.parametrize(
    "written",
    ["30/09/2561", "30-09-2561", "30.09.2561", "30/9/2561", "30/09/2018", "2561-09-30",
     "2018-09-30", "2018-09-30 00:00:00", "2018-09-30T00:00:00+07:00", "30/09/61", "๓๐/๐๙/๒๕๖๑"],
)  # fmt: skip
def test_one_day_is_read_however_it_is_written(written):
    assert parse(written, "buddhist") == date(2018, 9, 30)


def test_four_digits_tell_their_era_by_themselves():
    assert parse("31/05/2565", "gregorian") == date(2022, 5, 31)
    assert parse("31/05/2022", "buddhist") == date(2022, 5, 31)


@pytest.mark.parametrize(
    ("era", "read"), [("buddhist", date(2022, 5, 31)), ("gregorian", date(2065, 5, 31))]
)
def test_two_digits_are_of_the_era_that_the_source_names(era, read):
    assert parse("31/05/65", era) == read


def test_the_day_comes_first():
    assert parse("02/03/2561", "buddhist") == date(2018, 3, 2)
    assert parse("13/12/2561", "buddhist") == date(2018, 12, 13)
    assert parse("12/13/2561", "buddhist") is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("29/02/2559", date(2016, 2, 29)),  # 2016 was a leap year, 2559 is none
        ("29/02/59", date(2016, 2, 29)),
        ("29/02/2560", None),
        ("29/02/2568", None),  # pandas accepts it: 2568 is a leap year when read as Gregorian
        ("31/12/2300", date(1757, 12, 31)),
        ("31/12/2299", date(2299, 12, 31)),
    ],
)
def test_leap_days_are_those_of_the_real_year(written, read):
    assert parse(written, "buddhist") == read


@pytest.mark.parametrize(
    "written",
    ["", "-", "31/04/2561", "00/01/2561", "01/00/2561", "30/09/256", "30/09/25610", "30/09/0000",
     "9999-99-99", "00/00/0000", "ตลอดชีพ", "30 ก.ย. 2561", "30092561", "30/09", "1/1/1/61"],
)  # fmt: skip
def test_what_is_no_day_is_no_date(written):
    assert parse(written, "buddhist") is None
