"""Patron records are read from an Excel workbook as a library system or a person saved it."""

import os
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from engagement.errors import EngagementError
from engagement.model import files
from engagement.model.files import Reading
from engagement.model.source import Export

COLUMNS = {"source_id": "รหัสสมาชิก", "given_name": "ชื่อ", "expiry": "วันหมดอายุ"}
HEADINGS = ["รหัสสมาชิก", "ชื่อ", "วันหมดอายุ"]
PATRONS = [["1", "สมชาย", "30/09/2561"], ["2", "สมหญิง", None], ["3", "มานะ", "31/05/2562"]]
TABLE = [HEADINGS, *PATRONS]

Rows = Sequence[Sequence[Any]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patrons.xlsx"


def save(path: Path, **sheets: Rows) -> Path:
    """Write a workbook by openpyxl: sheets by their names, rows from the first on."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                sheet.cell(number, column, value)
    book.save(path)
    return path


def change(path: Path, member: str, edit: Callable[[str], str]) -> None:
    """Edit one part of a workbook as no program that the tests use would write it."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    edited = edit(parts[member].decode())
    assert edited.encode() != parts[member]
    parts[member] = edited.encode()
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)


def opened(path: Path, **told: Any) -> Reading:
    return files.opened(path, Export(columns=COLUMNS), "Walai AutoLib", **told)


def refusal(path: Path) -> str:
    """Return the sentence that reading ends in; it must be one, and quote nothing."""
    with pytest.raises(EngagementError) as caught:
        rows(opened(path))
    sentence = str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "\n" not in sentence
    assert len(sentence) < 300
    return sentence


def rows(reading: Reading) -> list[tuple[str | None, ...]]:
    """Return the values of all records, and see that they are as many as counted."""
    found: list[tuple[str | None, ...]] = []
    for chunk in reading.chunks(1000):
        assert list(chunk.fields) == list(COLUMNS)
        assert not chunk.malformed
        found += zip(*chunk.fields.values(), strict=True)
    assert reading.count() == len(found)
    return found


def as_read(path: Path, value: Any) -> str | None:
    """Return what a value of a cell is read as."""
    save(path, patrons=[HEADINGS, ["1", value, None]])
    [(_, read, _)] = rows(opened(path))
    return read


# What cells say


def test_the_rows_below_the_headings_are_records(path: Path):
    os.utime(save(path, patrons=TABLE), (1_530_378_000, 1_530_378_000))
    reading = opened(path)
    assert reading.carrier is None
    assert reading.columns == tuple((heading, "text") for heading in sorted(HEADINGS))
    assert reading.as_of == datetime.fromisoformat("2018-06-30T17:00:00+00:00")
    assert rows(reading) == [tuple(row) for row in PATRONS]


def test_columns_are_found_in_any_order_among_others(path: Path):
    table = [["x", *reversed(HEADINGS), None, " "], [9, None, "สมชาย", "1", "?", "?"]]
    reading = opened(save(path, patrons=table))
    assert rows(reading) == [("1", "สมชาย", None)]
    assert [heading for heading, _ in reading.columns] == sorted(["x", *HEADINGS])


def test_headings_are_compared_without_what_cannot_be_seen(path: Path):
    spaced = [[f"{heading}\n " for heading in HEADINGS], *PATRONS]
    assert len(rows(opened(save(path, patrons=spaced)))) == 3


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("007", "007"),
        (" ก  ", " ก  "),
        (5730401234, "5730401234"),
        (1234567890123.0, "1234567890123"),
        (3.5, "3.5"),
        (True, "true"),
        (False, "false"),
        (date(2018, 9, 30), "2018-09-30"),
        (datetime.fromisoformat("2018-09-30"), "2018-09-30"),
        (datetime.fromisoformat("2561-09-30"), "2561-09-30"),
        (datetime.fromisoformat("2018-09-30T16:30"), "2018-09-30T16:30:00"),
        (time(16, 30), "16:30:00"),
    ],
)
def test_a_cell_is_read_as_the_text_that_it_means(path: Path, value: Any, read: str):
    assert as_read(path, value) == read


@pytest.mark.parametrize(
    ("written", "read"), [("1.0", "1"), ("5.730401234E9", "5730401234"), ("1e-1", "0.1")]
)
def test_a_number_is_read_however_a_program_writes_it(path: Path, written: str, read: str):
    save(path, patrons=[HEADINGS, ["1", 77, None]])
    change(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(">77<", f">{written}<"))
    assert rows(opened(path)) == [("1", read, None)]


@pytest.mark.parametrize("written", ["1.2345678901234567E19", "1234567890123456.0"])
def test_a_long_id_that_excel_took_for_a_number_is_no_id_instead_of_a_wrong_one(
    path: Path, written: str
):
    save(path, patrons=[HEADINGS, ["1", 77, None]])
    change(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(">77<", f">{written}<"))
    assert rows(opened(path)) == [("1", None, None)]


@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#VALUE!", "#NAME?", "=A1", None])
def test_an_error_and_a_formula_that_was_never_worked_out_are_null(path: Path, value: Any):
    assert as_read(path, value) is None


def test_a_formula_counts_by_the_value_that_was_worked_out_last(path: Path):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_string(1, 0, "1")
        sheet.write_formula(1, 1, '="สม"&"ชาย"', value="สมชาย")
    assert rows(opened(path)) == [("1", "สมชาย", None)]


def test_a_date_beyond_the_calendar_is_null_and_nobody_is_told_its_value(
    path: Path, recwarn: pytest.WarningsRecorder
):
    save(path, patrons=[HEADINGS, ["1", date(2018, 9, 30), None]])
    change(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(">43373<", ">99999999<"))
    assert rows(opened(path)) == [("1", None, None)]
    assert not [warning for warning in recwarn if "99999999" in str(warning.message)]


# Which rows are records


def test_empty_rows_are_no_records(path: Path):
    spaced = [[], HEADINGS, [], PATRONS[0], [None, None], PATRONS[1], [], []]
    assert rows(opened(save(path, patrons=spaced))) == [tuple(row) for row in PATRONS[:2]]


def test_rows_that_only_have_a_colour_are_no_records(path: Path):
    with xlsxwriter.Workbook(path) as book:
        sheet, yellow = book.add_worksheet(), book.add_format({"bg_color": "yellow"})
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, PATRONS[0])
        for row in range(2, 50):
            sheet.write_blank(row, 0, None, yellow)
    assert rows(opened(path)) == [tuple(PATRONS[0])]


def test_a_row_with_a_value_in_any_column_is_a_record(path: Path):
    table = [[*HEADINGS, "หมายเหตุ"], [None, None, None, "x"], ["#N/A"], PATRONS[0]]
    assert rows(opened(save(path, patrons=table))) == [
        (None, None, None),
        (None, None, None),
        tuple(PATRONS[0]),
    ]


def test_all_rows_are_read_although_the_sheet_says_it_is_smaller(path: Path):
    save(path, patrons=TABLE)
    change(path, "xl/worksheets/sheet1.xml", lambda xml: re.sub('ref="A1:C4"', 'ref="A1"', xml))
    assert rows(opened(path)) == [tuple(row) for row in PATRONS]


def test_text_that_is_written_into_the_cells_themselves_is_read(path: Path):
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(TABLE):
            sheet.write_row(number, 0, row)
    with zipfile.ZipFile(path) as book:
        assert b'"inlineStr"' in book.read("xl/worksheets/sheet1.xml")
    assert rows(opened(path)) == [tuple(row) for row in PATRONS]


def test_what_is_read_is_what_an_independent_pass_counts_whatever_the_cells_hold(path: Path):
    chance = random.Random(2561)  # noqa: S311
    values = [None, None, None, "", " ", 0, 1.5, True, "ก", "#N/A", "=A1", date(2018, 9, 30)]
    for _ in range(15):
        table = [chance.choices(values, k=3) for _ in range(20)]
        save(path, patrons=[HEADINGS, *table])
        assert 10 < len(rows(opened(path))) <= 20
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([HEADINGS, *table]):
                sheet.write_row(number, 0, row)
        assert 10 < len(rows(opened(path))) <= 20


def test_a_row_that_the_reading_would_lose_shows_in_the_count(path: Path):
    save(path, patrons=TABLE)
    change(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace('<row r="4"', '<row r="3"'))
    reading = opened(path)
    assert sum(map(len, reading.chunks(10))) == 2
    assert reading.count() == 3


def test_every_row_is_in_one_shard_with_its_number(path: Path):
    save(path, patrons=[HEADINGS, *([str(n), "ก", None] for n in range(1, 12))])
    seen: list[int] = []
    for shard in range(3):
        reading = opened(path, shard=shard, shards=3)
        for chunk in reading.chunks(2):
            assert chunk.fields["source_id"] == [str(number) for number in chunk.numbers]
            assert {number % 3 for number in chunk.numbers} == {shard}
            seen += chunk.numbers
    assert sorted(seen) == list(range(1, 12))


# Which sheet


def test_of_several_sheets_with_the_headings_none_is_taken_for_the_whole(path: Path):
    save(path, this=TABLE, old=[HEADINGS, ["9", "เก่า", None]])
    assert "the same headings on several sheets (this, old);" in refusal(path)


def test_the_only_sheet_with_the_headings_is_read_wherever_it_stands(path: Path):
    save(path, cover=[["รายงาน"]], empty=[], patrons=TABLE)
    assert len(rows(opened(path))) == 3


def test_two_sheets_with_the_headings_behind_another_one_are_not_chosen_between(path: Path):
    save(path, cover=[["รายงาน"]], this=TABLE, old=TABLE)
    assert "the same headings on several sheets (this, old);" in refusal(path)


def test_a_column_that_no_sheet_has_is_named(path: Path):
    save(path, patrons=[["รหัสสมาชิก", "somchai"], ["1", "x"]], other=[["ชื่อ"]])
    sentence = refusal(path)
    assert "patrons.xlsx has no column ชื่อ, วันหมดอายุ;" in sentence
    assert "somchai" not in sentence


def test_a_named_column_that_stands_twice_is_named(path: Path):
    save(path, patrons=[[*HEADINGS, "ชื่อ"], [*PATRONS[0], "x"]])
    assert "has the column ชื่อ more than once;" in refusal(path)


# What is no workbook


def test_a_truncated_workbook_is_refused(path: Path):
    save(path, patrons=TABLE)
    path.write_bytes(path.read_bytes()[:-2000])
    assert refusal(path) == "patrons.xlsx is no whole Excel workbook; export it again as .xlsx."


@pytest.mark.parametrize("cut", ['r="A4"', "</row></sheetData>"])
def test_a_workbook_whose_sheet_ends_early_is_refused_by_reading_and_by_counting(
    path: Path, cut: str
):
    save(path, patrons=TABLE)
    change(path, "xl/worksheets/sheet1.xml", lambda xml: xml[: xml.index(cut)])
    assert "is no whole Excel workbook" in refusal(path)
    with pytest.raises(EngagementError, match="is no whole Excel workbook"):
        opened(path).count()


def test_a_damaged_cell_is_not_quoted(path: Path):
    save(path, patrons=[HEADINGS, [1, "สมชาย", None]])
    change(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace("<v>1<", "<v>1 สมชาย<"))
    assert refusal(path) == "patrons.xlsx is no whole Excel workbook; export it again as .xlsx."


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"a,b\n1,2\n", b"\xff\xfe<\0h\0t\0m\0l\0"])
def test_another_file_with_the_ending_of_excel_is_refused(path: Path, content: bytes):
    path.write_bytes(content)
    assert "is no whole Excel workbook" in refusal(path)


def test_a_workbook_with_a_password_is_told_apart(path: Path):
    path.write_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(4096))  # what Excel encrypts into
    assert "take the password off and save it as .xlsx." in refusal(path)
