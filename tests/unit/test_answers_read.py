"""Cells and instants of exports mean what the people at the form meant, however a system writes them down."""

import codecs
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engagement.measure import form as forms
from engagement.measure.answers import cells, files, instants
from engagement.measure.answers.cells import Meaning
from engagement.measure.answers.responses import Responses, fit

FORM = forms.load("kkul-news-2018")
GROUP, CHANNEL, SLOT, ACCESS, SUGGESTION = (FORM.questions[n] for n in (0, 1, 2, 3, 7))
INTERNET, PRINT, PEOPLE, RADIO = (
    FORM.answers(CHANNEL)[code].th for code in ("internet", "print", "people", "radio")
)
UNTIL = datetime(2018, 7, 20, tzinfo=UTC)
BANGKOK = ZoneInfo("Asia/Bangkok")


# Several answers in one cell


@pytest.mark.parametrize(
    ("cell", "options", "words"),
    [
        ("", (), None),
        (RADIO, ("radio",), None),
        (PRINT, ("print",), None),
        (f"{PRINT}, {PEOPLE}", ("print", "people"), None),
        (f"{INTERNET};{PRINT};{RADIO}", ("internet", "print", "radio"), None),
        (f"{RADIO}, เพื่อน", ("radio", "other"), "เพื่อน"),
        (f"เพื่อน, ญาติ, {PRINT}, ป้าย", ("print", "other"), "เพื่อน, ญาติ, ป้าย"),
        (f"{RADIO}, {RADIO}", ("radio",), None),
        ("แผ่นพับ, โปสเตอร์", ("other",), "แผ่นพับ, โปสเตอร์"),
        ("อื่นๆ", ("other",), None),
        (f"{RADIO}, ", ("radio",), None),
        (", ;", (), None),
        ("RADIO;print ( leaflets,posters, signs )", ("radio", "print"), None),
    ],
)
def test_several_answers_in_a_cell_are_told_apart(cell, options, words):
    answer = Meaning(FORM, CHANNEL).answer(cell)
    assert (answer.options, answer.words) == (options, words)


def test_the_longest_option_that_fits_is_taken():
    form = FORM.model_copy(
        update={
            "questions": (
                CHANNEL.model_validate(
                    {
                        "code": "c",
                        "kind": "choices",
                        "title": {"th": "ก", "en": "c"},
                        "options": {
                            "short": {"th": "ข่าว", "en": "News"},
                            "long": {"th": "ข่าว, ทางไลน์", "en": "News, by Line"},
                        },
                    }
                ),
            )
        }
    )
    several = Meaning(form, form.questions[0])
    assert several.answer("News, by Line, News").options == ("long", "short")
    assert several.answer("News, by post").options == ("short", "unknown")
    assert several.answer("News, by post").words == "by post"


@pytest.mark.parametrize(
    "cell",
    [
        "16.00-20.00 น.", "16.00 - 20.00 น.", "16.00–20.00น.", "16:00—20:00", "๑๖.๐๐-๒๐.๐๐ น.",
        "１６.００－２０.００ น.", "\u200b16.00-20.00\u00a0น.",
    ],
)  # fmt: skip
def test_an_option_is_known_whatever_its_width_dashes_and_spaces(cell):
    assert Meaning(FORM, SLOT).answer(cell).options == ("16-20",)


@pytest.mark.parametrize(
    ("cell", "point"),
    [("5", "5"), ("มากที่สุด", "5"), ("4 - มาก", "4"), ("มาก (4)", "4"), ("very satisfied", "5"), ("1=น้อยที่สุด", "1")],
)  # fmt: skip
def test_a_point_of_a_scale_is_known_by_number_words_or_both(cell, point):
    assert Meaning(FORM, ACCESS).answer(cell).options == (point,)


@pytest.mark.parametrize("cell", ["6", "0", "55", "ดี"])
def test_what_is_no_point_of_the_scale_is_unknown(cell):
    answer = Meaning(FORM, ACCESS).answer(cell)
    assert (answer.options, answer.words) == (("unknown",), cell)


# Instants


@pytest.mark.parametrize(
    "written",
    [
        "9/7/2018, 16:05:06", "9/7/2561, 16:05:06", "09/07/2018 16:05:06",
        "2018/07/09 4:05:06 หลังเที่ยง GMT+7", "2018/07/09 4:05:06 PM GMT+7",
        "2018/07/09 4:05:06\u202fp.m. GMT+07:00", "2018/07/09 9:05:06 ก่อนเที่ยง UTC",
        "2018-07-09T16:05:06+07:00", "2018-07-09T09:05:06Z", "2018-07-09 16:05:06", "20180709T16:05:06",
        "2018-07-09T16:05:05.999997", "43290.67020833333", "9 ก.ค. 2561 16:05:06", "9 July 2018 16.05.06 น.",
        "9/7/18 16:05:06", "9/7/61 16:05:06", "2018-07-09 05:35:06 GMT-3:30",
    ],
)  # fmt: skip
def test_an_instant_is_read_in_every_way_in_which_forms_write_it(written):
    found = instants.parse(written, "day/month/year", BANGKOK, UNTIL)
    assert found == datetime(2018, 7, 9, 16, 5, 6, tzinfo=BANGKOK)


@pytest.mark.parametrize(
    "written",
    [
        "", "เมื่อวาน", "9/7/2018, 25:00:00", "9/7/2018, 16:61", "31/6/2018, 16:05:06", "9/7/2018 14:05 PM",
        "1980-01-01 00:00:00", "21/7/2018, 16:05:06", "2018-07-09 16:05 abc", "9999-12-31T23:59:59Z",
        "2018-07-09 16:05:06 GMT+99", "99999", "-1", "=NOW()",
    ],
)  # fmt: skip
def test_what_is_no_instant_or_one_that_is_to_come_is_none(written):
    assert instants.parse(written, "day/month/year", BANGKOK, UNTIL) is None


@pytest.mark.parametrize(
    ("written", "hour"),
    [("12:05 AM", 0), ("0:05 ก่อนเที่ยง", 0), ("12:05 PM", 12), ("11:05 หลังเที่ยง", 23)],
)
def test_midnight_and_noon_are_where_they_belong(written, hour):
    found = instants.parse(f"9/7/2018 {written}", "day/month/year", BANGKOK, UNTIL)
    assert found == datetime(2018, 7, 9, hour, 5, tzinfo=BANGKOK)


def test_the_form_says_which_number_is_the_day_and_which_zone_its_system_is_in():
    american = instants.parse("7/9/2018 9:05:06", "month/day/year", UTC, UNTIL)
    assert american == datetime(2018, 7, 9, 16, 5, 6, tzinfo=BANGKOK)


# Long files


def export(path: Path, rows: int) -> Path:
    headings = ["ประทับเวลา", FORM.headings("token")[0], *(q.title.th for q in FORM.questions)]
    answers = f'บุคลากร,"{PRINT}, คนที่ {{0}} บอก",16.00-20.00 น.,5,4,3,2,"เรื่องที่ {{0}}, ยาว"'
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f'"{heading}"' for heading in headings) + "\n")
        for n in range(rows):
            file.write(f'"9/7/2018, 16:05:{n % 60:02}",token{n},{answers.format(n)}\n')
    return path


def read(path: Path) -> Iterator[int]:
    responses = Responses(FORM, files.opened(path, partial(fit, FORM)), path.name, UNTIL)
    return (len(chunk) for chunk in responses.chunks(100))


def peak(path: Path) -> int:
    tracemalloc.start()
    try:
        assert sum(read(path)) > 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_export_needs_no_more_memory_than_a_short_one(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "_KNOWN_CELLS", 100)
    short, long = export(tmp_path / "short.csv", 500), export(tmp_path / "long.csv", 2_500)
    peak(short)  # what is loaded once
    assert peak(long) < 1.2 * peak(short)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp874"])
def test_a_character_on_the_border_of_two_blocks_is_read(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(files, "_BLOCK", 7)
    path = export(tmp_path / "a.csv", 3)
    path.write_text(path.read_text("utf-8"), encoding)
    assert sum(read(path)) == 3


def test_utf8_that_was_damaged_is_not_taken_for_thai_in_cp874(tmp_path):
    path = export(tmp_path / "a.csv", 3)
    path.write_bytes(path.read_bytes() + "ก".encode()[:2] + b"\n")
    with pytest.raises(forms.EngagementError, match="is no text in UTF-8, UTF-16 or cp874"):
        sum(read(path))


def test_a_mark_of_utf8_before_something_else_is_told(tmp_path):
    path = export(tmp_path / "a.csv", 3)
    path.write_bytes(codecs.BOM_UTF8 + path.read_text("utf-8").encode("cp874"))
    with pytest.raises(forms.EngagementError, match="is no text in UTF-8, UTF-16 or cp874"):
        sum(read(path))
