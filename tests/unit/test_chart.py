"""The picture of the trend shows what was counted, and its text says the same to who does not see it."""

import io

import numpy as np
import pytest
from PIL import Image

from engagement.monitor import chart
from engagement.monitor.trend import Point
from engagement.period import Period

YEAR = (11_020, 11_300, 11_250, 11_612, 12_900, 12_740, 12_401, 12_390, 12_205, 11_950, 12_083)
WHITE = (255, 255, 255)


def trend(*counts, redefined=()):
    """Return the points up to July 2018; at the indices in `redefined` the definition changed."""
    months = [Period(2018, 7)]
    while len(months) < len(counts):
        months.insert(0, months[0].previous)
    return tuple(
        Point(month, count, at in redefined)
        for at, (month, count) in enumerate(zip(months, counts, strict=True))
    )


def picture(points, language="th"):
    return Image.open(io.BytesIO(chart.draw(points, language))).convert("RGB")


def line(points):
    """Return the rows in which the line of the trend is drawn, by column from the first point to the last."""
    red, green, blue = np.asarray(picture(points)).transpose(2, 0, 1)
    drawn = (red > 110) & (green < 90) & (blue < 90)
    columns = np.flatnonzero(drawn.any(axis=0))
    return [np.flatnonzero(drawn[:, x]) for x in range(columns[0], columns[-1] + 1)]


def test_the_picture_is_sharp_on_a_phone_and_small_in_a_mail():
    drawn = chart.draw(trend(*YEAR, 12_739), "th")
    image = Image.open(io.BytesIO(drawn))
    assert image.size == (2 * chart.WIDTH, 2 * chart.HEIGHT)
    assert len(drawn) < 30_000


def test_the_same_figures_give_the_same_bytes_and_others_give_others():
    points = trend(*YEAR, 12_739)
    assert chart.draw(points, "th") == chart.draw(points, "th")
    assert chart.draw(points, "th") != chart.draw(points, "en")
    assert chart.draw(points, "th") != chart.draw(trend(*YEAR, 12_740), "th")


def test_the_ground_is_white_so_that_a_dark_mail_keeps_it_readable():
    image = picture(trend(*YEAR, 12_739))
    assert {image.getpixel(at) for at in ((0, 0), (1183, 0), (0, 679), (1183, 679))} == {WHITE}
    assert max(image.getcolors(), key=lambda found: found[0])[1] == WHITE


def test_it_is_read_without_colour():
    grey = picture(trend(*YEAR, 12_739)).convert("L")
    for x in range(250, 1050):
        assert grey.crop((x, 0, x + 1, 540)).getextrema()[0] < 128  # the line, far from white


def test_the_axis_begins_at_zero_so_that_half_as_many_are_drawn_half_as_high():
    columns = line(trend(10_000, 5_000, 0))
    top, middle, zero = (columns[at].mean() for at in (0, len(columns) // 2, -1))
    assert middle == pytest.approx((top + zero) / 2, abs=3)
    dark = np.asarray(picture(trend(10_000, 5_000, 0)).convert("L")) < 128
    axis = dark.sum(axis=1).argmax()
    assert axis == pytest.approx(zero, abs=3)


def test_a_month_without_figures_is_a_gap():
    assert all(map(len, line(trend(10_000, 10_000, 10_000))))
    assert not all(map(len, line(trend(10_000, None, 10_000))))


def test_no_line_crosses_a_changed_definition():
    assert all(map(len, line(trend(9_000, 9_000, 10_000, 10_000))))
    assert not all(map(len, line(trend(9_000, 9_000, 10_000, 10_000, redefined=(2,)))))


@pytest.mark.parametrize("counts", [(12_083,), (0,), (0, 0, 0), (12_083, 0), (1,) * 12], ids=str)
def test_few_equal_and_no_real_customers_are_drawn_too(counts):
    for language in ("th", "en"):
        assert min(picture(trend(*counts), language).convert("L").getextrema()) < 60


@pytest.mark.parametrize(
    ("points", "thai", "english"),
    [
        (
            trend(12_083, 12_739),
            "ลูกค้าที่แท้จริงเพิ่มขึ้นจาก 12,083 รายการในเดือนมิถุนายน 2561 เป็น 12,739 รายการในเดือนกรกฎาคม 2561",
            "Real customers rose from 12,083 in June 2018 to 12,739 in July 2018",
        ),
        (
            trend(12_739, 0),
            "ลูกค้าที่แท้จริงลดลงจาก 12,739 รายการในเดือนมิถุนายน 2561 เป็น 0 รายการในเดือนกรกฎาคม 2561",
            "Real customers fell from 12,739 in June 2018 to 0 in July 2018",
        ),
        (
            trend(12_083, None, 12_083),
            "ลูกค้าที่แท้จริงในเดือนกรกฎาคม 2561 เท่ากับเดือนพฤษภาคม 2561 คือ 12,083 รายการ",
            "Real customers are as many in July 2018 as in May 2018: 12,083",
        ),
        (
            trend(*YEAR, 12_739),
            "ลูกค้าที่แท้จริงเพิ่มขึ้นจาก 11,020 รายการในเดือนสิงหาคม 2560 เป็น 12,739 รายการในเดือนกรกฎาคม 2561 "
            "โดยเคยสูงสุด 12,900 รายการในเดือนธันวาคม 2560",
            "Real customers rose from 11,020 in August 2017 to 12,739 in July 2018, "
            "after a high of 12,900 in December 2017",
        ),
        (
            trend(12_083),
            "ลูกค้าที่แท้จริงในเดือนกรกฎาคม 2561 มี 12,083 รายการ เป็นเดือนแรกที่แสดง",
            "12,083 real customers in July 2018, the first of these months",
        ),
        (
            trend(12_083, 9_000, redefined=(1,)),
            "ลูกค้าที่แท้จริงมี 9,000 รายการในเดือนกรกฎาคม 2561 ซึ่งเป็นเดือนแรกหลังเปลี่ยนนิยามของการตรวจ",
            "9,000 real customers in July 2018, the first month since what is checked has changed",
        ),
        (
            trend(20_000, 9_000, 9_500, redefined=(1,)),
            "ลูกค้าที่แท้จริงเพิ่มขึ้นจาก 9,000 รายการในเดือนมิถุนายน 2561 เป็น 9,500 รายการในเดือนกรกฎาคม 2561",
            "Real customers rose from 9,000 in June 2018 to 9,500 in July 2018",
        ),
    ],
    ids=["rise", "fall", "equal", "high", "first", "redefined", "since redefined"],
)
def test_the_picture_is_said_in_one_sentence_that_compares_only_what_may_be(points, thai, english):
    assert chart.statement(points, "th") == thai
    assert chart.statement(points, "en") == english


def test_a_change_that_is_none_to_speak_of_is_not_called_a_rise():
    points = (Point(Period(2018, 6), 12_083), Point(Period(2018, 7), 12_090))
    assert chart.statement(points, "en", 1).startswith("Real customers are about as many")
    assert chart.statement(points, "en", 0.05).startswith("Real customers rose")
