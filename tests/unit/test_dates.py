"""Dates are read in the era they were written in, and never as another day."""

from datetime import date, timedelta

import pytest

from engagement.dates import parse
from engagement.labels import labels

EVERY_DAY = [date(1950, 1, 1) + timedelta(days=n) for n in range(151 * 365 + 37)]
ABBREVIATED = (
    "ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.",
)  # fmt: skip
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
# How a day is written; y is the year of either era.
FORMS = {
    "day first": lambda d, y: f"{d.day:02}/{d.month:02}/{y}",
    "day first, no zeros": lambda d, y: f"{d.day}-{d.month}-{y}",
    "day first, with dots": lambda d, y: f"{d.day}. {d.month}. {y}",
    "day first, with spaces": lambda d, y: f"{d.day:02} {d.month:02} {y}",
    "day first, Thai digits": lambda d, y: f"{d.day}/{d.month}/{y}".translate(THAI_DIGITS),
    "ISO": lambda d, y: f"{y}-{d.month:02}-{d.day:02}",
    "ISO with a time": lambda d, y: f"{y}-{d.month:02}-{d.day:02}T23:59:59",
    "year first, with slashes": lambda d, y: f"{y}/{d.month:02}/{d.day:02}",
    "year first, no separators": lambda d, y: f"{y}{d.month:02}{d.day:02}",
    "Thai month": lambda d, y: f"{d.day} {labels().months[d.month - 1].th} {y}",
    "Thai month, abbreviated": lambda d, y: f"{d.day} {ABBREVIATED[d.month - 1]} {y}",
    "English month, abbreviated": lambda d, y: f"{d.day:02}-{d:%b}-{y}",
}


def test_the_days_are_those_from_1950_to_2100():
    assert (EVERY_DAY[0], EVERY_DAY[-1]) == (date(1950, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("era", "offset"), [("buddhist", 543), ("gregorian", 0)])
def test_every_day_comes_back_from_each_form_whatever_the_era_of_the_system(form, era, offset):
    # In steps of eight days each day of the month, month and year comes up.
    days = EVERY_DAY[::8] + [day for day in EVERY_DAY if day.month == 2 and day.day > 27]
    written = {day: FORMS[form](day, day.year + offset) for day in days}
    other = "gregorian" if era == "buddhist" else "buddhist"
    assert [day for day, text in written.items() if parse(text, era) != day] == []
    assert [day for day, text in written.items() if parse(text, other) != day] == []


@pytest.mark.parametrize(
    ("era", "first", "offset"), [("buddhist", 1957, 543), ("gregorian", 1969, 0)]
)
def test_two_digits_of_the_year_are_the_hundred_years_of_the_era(era, first, offset):
    days = [day for day in EVERY_DAY[::5] if first <= day.year < first + 100]
    assert len(days) > 7000
    read = {day: parse(f"{day:%d/%m}/{(day.year + offset) % 100:02}", era) for day in days}
    assert [day for day in days if read[day] != day] == []


def test_an_impossible_day_is_no_day_in_any_form():
    impossible = [
        "31/04",
        "31/06",
        "31/09",
        "31/11",
        "30/02",
        "31/02",
        "32/01",
        "00/01",
        "01/00",
        "01/13",
    ]
    years = [2500, 2560, 2561, 2018, 2020, 2643, 2100]
    assert [parse(f"{day}/{year}", "buddhist") for day in impossible for year in years] == [
        None
    ] * 70
    turned = ["-".join(reversed(day.split("/"))) for day in impossible]
    assert [parse(f"{year}-{day}", "gregorian") for day in turned for year in years] == [None] * 70


def test_a_29_february_is_a_day_only_in_a_leap_year_of_its_own_era():
    leap = {year for year in range(1950, 2101) if parse(f"29/02/{year}", "gregorian")}
    assert leap == set(range(1952, 2097, 4))  # 2100 is none
    assert {year for year in range(2493, 2644) if parse(f"29/02/{year}", "buddhist")} == {
        year + 543 for year in leap
    }


@pytest.mark.parametrize(
    "written",
    ["30/09/2561", "30-09-2561", "30.09.2561", "30 / 09 / 2561", "30/9/2561", "30/09/2018", "2561-09-30",
     "2018-09-30 00:00:00", "30/09/2561 00:00:00", "30/9/2561 0:00", "30/09/61 10.30 น.",
     "30/09/61", "๓๐/๐๙/๒๕๖๑", "20180930", "25610930", "20180930120000", "20180930T120000", "25610930 12:00",
     "30 ก.ย. 2561", "30 ก.ย 2561", "30 กย 61", "30ก.ย.61", "30-ก.ย.-2561", "30 ก. ย. 2561", "30 ก.ย. 61 08:00",
     "30 กันยายน 2561", "30 กันยายน 2018", "30 กันยายน พ.ศ. 2561", "30 กันยายน พ.ศ.๒๕๖๑", "30 กันยายน พศ 2561",
     "30 กันยายน ค.ศ. 2018", "30 ก.ย. พ.ศ. 61", "30/09/พ.ศ. 2561",
     "30 September 2018", "30 sep 2018", "30-SEP-2018", "30 September 2561"],
)  # fmt: skip
def test_one_day_is_read_however_it_is_written(written):
    assert parse(written, "buddhist") == date(2018, 9, 30)


@pytest.mark.parametrize("month", range(1, 13))
def test_names_of_months_need_no_order(month):
    for name in (
        ABBREVIATED[month - 1],
        labels().months[month - 1].th,
        labels().months[month - 1].en,
    ):
        assert parse(f"5 {name} 2561", "buddhist", "month/day/year") == date(2018, month, 5)
        assert parse(f"5{name}2018", "gregorian", "day/month/year") == date(2018, month, 5)


def test_four_digits_tell_their_era_by_themselves():
    assert parse("31/05/2565", "gregorian") == date(2022, 5, 31)
    assert parse("31/05/2022", "buddhist") == date(2022, 5, 31)


@pytest.mark.parametrize(
    ("written", "buddhist", "gregorian"),
    [
        ("2999-12-31", date(2456, 12, 31), date(2999, 12, 31)),
        ("9999-12-31", date(9456, 12, 31), date(9999, 12, 31)),
        ("31/12/3000", date(2457, 12, 31), date(3000, 12, 31)),
        ("31/12/2299", None, date(2299, 12, 31)),
        ("2099-12-31", date(2099, 12, 31), date(2099, 12, 31)),
        ("2642-12-31", date(2099, 12, 31), date(2099, 12, 31)),
        ("9999-12-31T23:59:59Z", date(9457, 1, 1), date(9999, 12, 31)),
    ],
)
def test_what_systems_write_for_never_is_the_far_future(written, buddhist, gregorian):
    assert parse(written, "buddhist") == buddhist
    assert parse(written, "gregorian") == gregorian


@pytest.mark.parametrize(
    "written",
    ["01/01/0061", "01/01/1018", "30/09/0000", "0061-01-01", "1018-01-01", "10180101", "01/01/1475", "31/12/1899",
     "31/12/2442", "01/01/1753"],
)  # fmt: skip
def test_a_year_that_nobody_can_mean_is_no_year(written):
    assert parse(written, "buddhist") is None


@pytest.mark.parametrize(
    "written",
    ["30 กันยายน ค.ศ. 2561", "30 กันยายน พ.ศ. 2018", "30/09/ค.ศ.2561"],
)
@pytest.mark.parametrize("era", ["buddhist", "gregorian"])
def test_an_era_that_contradicts_its_year_is_a_fault(written, era):
    assert parse(written, era) is None


@pytest.mark.parametrize(
    ("era", "read"), [("buddhist", date(2022, 5, 31)), ("gregorian", date(2065, 5, 31))]
)
def test_two_digits_are_of_the_era_that_the_source_names(era, read):
    assert parse("31/05/65", era) == read
    assert parse("31 พ.ค. พ.ศ. 65", era) == date(2022, 5, 31)
    assert parse("31 พ.ค. ค.ศ. 65", era) == date(2065, 5, 31)


def test_day_and_month_come_in_the_order_that_the_source_names():
    assert parse("02/03/2561", "buddhist") == date(2018, 3, 2)
    assert parse("02/03/2561", "buddhist", "month/day/year") == date(2018, 2, 3)
    assert parse("12/13/2018", "gregorian", "month/day/year") == date(2018, 12, 13)
    assert parse("2018-03-02", "gregorian", "month/day/year") == date(2018, 3, 2)


def test_a_day_in_the_other_order_is_not_guessed_at():
    assert parse("13/12/2561", "buddhist") == date(2018, 12, 13)
    assert parse("12/13/2561", "buddhist") is None
    assert parse("13/12/2561", "buddhist", "month/day/year") is None
    assert parse("20122018", "gregorian") is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2018-09-30T00:00:00+07:00", date(2018, 9, 30)),
        ("2018-09-29T17:00:00.000+00:00", date(2018, 9, 30)),
        ("2018-09-30T16:59:59.000+0000", date(2018, 9, 30)),
        ("2018-09-30T17:00:00Z", date(2018, 10, 1)),
        ("2018-09-29 17:00:00+00", date(2018, 9, 30)),
        ("2561-09-29T17:00Z", date(2018, 9, 30)),
        ("20180929T170000Z", date(2018, 9, 30)),
        ("2018-09-29T17:00:00", date(2018, 9, 29)),
        ("2018-09-29T25:00:00Z", None),
    ],
)
def test_an_instant_with_a_zone_is_the_day_that_the_library_had(written, read):
    assert parse(written, "gregorian") == read


@pytest.mark.parametrize(
    "written",
    ["", "-", "31/04/2561", "00/01/2561", "01/00/2561", "30/09/256", "30/09/25610", "9999-99-99", "00/00/0000",
     "ตลอดชีพ", "30092561", "30/09", "1/1/1/61", "ก.ย. 2561", "30 ก.ก. 2561", "30 Foo 2018", "30/ก.ย./",
     "43373", "1538265600", "1538265600000", "30/09/2561 ตลอดชีพ", "ถึง 30/09/2561", "2561", "²/9/2561"],
)  # fmt: skip
def test_what_is_no_day_is_no_date(written):
    assert parse(written, "buddhist") is None
