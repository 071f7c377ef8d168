"""The report goes out on a working day that people can count to on a calendar."""

import logging
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from engagement.errors import EngagementError
from engagement.monitor import distribution, rhythm
from engagement.monitor.distribution import Distribution, SendAfter
from engagement.period import Period
from engagement.settings import settings

BANGKOK = ZoneInfo("Asia/Bangkok")


def said(*holidays: date, **send_after: object) -> Distribution:
    return distribution.read().model_copy(
        update={"holidays": frozenset(holidays), "send_after": SendAfter(**send_after)}
    )


@pytest.mark.parametrize(
    ("period", "day"),
    [
        (Period(2018, 6), date(2018, 7, 6)),  # the 1st is a Sunday
        (Period(2018, 7), date(2018, 8, 7)),  # the 1st is a Wednesday
        (Period(2018, 12), date(2019, 1, 7)),
        (Period(2026, 12), date(2027, 1, 8)),  # New Year's Day is a Friday
        (Period(2026, 4), date(2026, 5, 11)),  # Labour Day and Coronation Day
    ],
)
def test_the_shipped_list_sends_it_on_the_fifth_working_day_at_eight(world, period, day):
    at = rhythm.send_at(period, distribution.read())
    assert at == datetime(day.year, day.month, day.day, 8, tzinfo=BANGKOK)


def test_the_first_working_day_is_the_first_of_the_month_where_that_is_one(world):
    day = rhythm.send_at(Period(2018, 7), said(working_day=1, time="13:30"))
    assert day == datetime(2018, 8, 1, 13, 30, tzinfo=BANGKOK)


def test_a_holiday_moves_it_by_a_day(world):
    assert rhythm.send_at(Period(2018, 7), said(date(2018, 8, 3))).date() == date(2018, 8, 8)


def test_it_is_eight_in_the_library_wherever_that_is(world):
    world.setenv("ENGAGEMENT_TIMEZONE", "Europe/Lisbon")
    settings.cache_clear()
    at = rhythm.send_at(Period(2018, 7), said())
    assert at.astimezone(UTC).hour == 7


def test_a_year_whose_holidays_nobody_named_is_logged(world, caplog):
    with caplog.at_level(logging.WARNING):
        rhythm.send_at(Period(2018, 7), distribution.read())
        assert caplog.messages == []
        rhythm.send_at(Period(2019, 7), distribution.read())
    assert caplog.messages == [
        "No holiday of 2019 is named in the report's file; every weekday counts as a working day."
    ]


def test_the_latest_closed_period_is_the_month_before_in_the_librarys_zone(world):
    assert rhythm.latest_closed(datetime(2018, 7, 31, 23, tzinfo=BANGKOK)) == Period(2018, 6)
    assert rhythm.latest_closed(datetime(2018, 7, 31, 17, tzinfo=UTC)) == Period(2018, 7)


@pytest.mark.parametrize(
    ("time", "read"),
    [
        ("14:30", (14, 30)),
        ("8:00", (8, 0)),
        ('"8:05"', (8, 5)),
        ("23:59", (23, 59)),
        ("0:00", (0, 0)),
    ],
)
def test_a_time_is_read_as_it_is_typed_with_quotes_and_without(world, tmp_path, time, read):
    text = settings().report_file.read_text("utf-8").replace('"08:00"', time)
    (tmp_path / "report.yaml").write_text(text, encoding="utf-8")
    world.setenv("ENGAGEMENT_REPORT_FILE", str(tmp_path / "report.yaml"))
    settings.cache_clear()
    at = rhythm.send_at(Period(2018, 6), distribution.read())
    assert (at.hour, at.minute) == read


def test_a_name_that_yaml_writes_as_a_block_is_one_line(world, tmp_path):
    text = settings().report_file.read_text("utf-8")
    block = "contact:\n  th: |\n    งานลูกค้าสัมพันธ์\n  en: >\n    Customer\n    Relations\n"
    text = text.replace("contact: {th: งานลูกค้าสัมพันธ์, en: Customer Relations}\n", block)
    (tmp_path / "report.yaml").write_text(text, encoding="utf-8")
    world.setenv("ENGAGEMENT_REPORT_FILE", str(tmp_path / "report.yaml"))
    settings.cache_clear()
    said = distribution.read().contact
    assert (said.th, said.en) == ("งานลูกค้าสัมพันธ์", "Customer Relations")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "  - deputy@library.example.com",
            "  - no address",
            "recipients.number 3.address: that is no",
        ),
        ("  - deputy@library.example.com", "  - dean@library.example.com", "number 3 stands there"),
        (
            "language: en}",
            "language: fr}",
            "recipients.number 2.language: write 'th' or 'en' there",
        ),
        ("2018-01-02", "tomorrow", "holidays.number 2: write a day there, as in 2018-07-27."),
        ("2018-01-02", "27/07/2018", "holidays.number 2: write a day there, as in 2018-07-27."),
        ("2018-01-02", "20180727", "holidays.number 2: write a day there, as in 2018-07-27."),
        ("2018-01-02", "2018-07-27 10:00:00", "holidays.number 2: write a day there, as in"),
        ("2018-01-02", "2561-07-27", "holidays.number 2: write the year as 2018: dates here are"),
        *(
            (
                'time: "08:00"',
                f"time: {time}",
                "send_after.time: write hour and minute there, as in",
            )
            for time in (
                "eight",
                "8",
                "0800",
                "1430",
                "870",
                "08.30",
                "24:00",
                '"8"',
                '"25:00"',
                '"08:00:59"',
                '"08:00+02:00"',
                "-1:30",
            )
        ),
        ("working_day: 5", "working_day: 40", "send_after.working_day: write 10 or less"),
        (
            "working_day: 5",
            "working_day: yes",
            "send_after.working_day: write a whole number there",
        ),
        ("real_customers_pct: 25", "real_customers_pct: yes", "real_customers_pct: write a number"),
        (
            "th: สำนักหอสมุด มหาวิทยาลัยขอนแก่น",
            '"th": "สำนักหอสมุด\\nมหาวิทยาลัยขอนแก่น"',
            "library: write it in one line",
        ),
        (
            "en: Khon Kaen University Library",
            'en: ""',
            "library: write something in both languages",
        ),
        (
            "owner:\n",
            "review: {reviewer: a@library.example.com, approvers: [' ']}\nowner:\n",
            "review.approvers.number 1: write something there",
        ),
    ],
)
def test_a_mistake_in_the_list_is_told_by_its_place_as_people_count(
    world, tmp_path, old, new, sentence
):
    text = settings().report_file.read_text("utf-8")
    assert old in text
    path = tmp_path / "report.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    world.setenv("ENGAGEMENT_REPORT_FILE", str(path))
    settings.cache_clear()
    with pytest.raises(EngagementError) as caught:
        distribution.read()
    assert sentence in str(caught.value)
    assert "@" not in str(caught.value)
