"""A librarian's list of work: what was typed is read, what cannot be read is named by its cell."""

import csv
import io
import time
import zipfile
from contextlib import suppress
from datetime import date, datetime

import openpyxl
import pytest

from engagement.errors import EngagementError
from engagement.monitor import work_items
from engagement.monitor.work_items import rows, table, template
from engagement.monitor.work_items.table import Unreadable
from engagement.monitor.work_items.vocabulary import clean
from engagement.period import Period

pytestmark = pytest.mark.usefixtures("clock")

JULY = Period(2018, 7)
ROUTINE, FINISHED, ONGOING = "งานประจำ", "งานใหม่ที่ดำเนินการแล้วเสร็จ", "งานที่กำลังดำเนินการ"
HEADINGS = ["รหัส", "ด้าน", "ชื่องาน", "ผู้รับผิดชอบ", "สถานะ", "ความก้าวหน้า (%)", "งวด"]
OF_DECISIONS = [
    "เรื่องที่ขอให้ตัดสินใจ", "ขอผลภายในวันที่", "ผลการตัดสินใจ", "ผู้ตัดสินใจ", "วันที่ตัดสินใจ", "ลิงก์",
]  # fmt: skip
IN_ENGLISH = [
    "ชื่องาน (อังกฤษ)",
    "ผู้รับผิดชอบ (อังกฤษ)",
    "เรื่องที่ขอให้ตัดสินใจ (อังกฤษ)",
    "ผลการตัดสินใจ (อังกฤษ)",
    "ผู้ตัดสินใจ (อังกฤษ)",
]
WANTED = "ขอเพิ่มงบประมาณ"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "งาน.xlsx"


@pytest.fixture
def filed(path):
    """Write rows below the template's headings, as a librarian does, and return the file."""

    def write(*rows, change=lambda sheet: None):
        work_items.write_template(path)
        book = openpyxl.load_workbook(path)
        for row in rows:
            book.worksheets[0].append(row)
        change(book.worksheets[0])
        book.save(path)
        return path

    return write


class Read:
    """What is read from one list."""

    def __init__(self, path):
        filed, self.faults = rows.read(path.name, path.read_bytes())
        self.items = [one.item for one in filed]

    @property
    def cells(self):
        """The cells that the faults name."""
        return [fault.split()[1] for fault in self.faults]


def read(path):
    return Read(path)


def unreadable(path):
    """Return the sentence about a list that cannot be read as a whole."""
    with pytest.raises(Unreadable) as caught:
        rows.read(path.name, path.read_bytes())
    return str(caught.value)


def row(section=ONGOING, title="งาน", status="กำลังดำเนินการ", progress=None, period=None, **more):
    decision = ["wanted", "deadline", "decided", "decided_by", "decided_on", "link"]
    assert set(more) <= set(decision)
    return ["P1", section, title, "งานบริการ", status, progress, period, *map(more.get, decision)]


def titles(work):
    return [item.title for item in work.items]


def test_an_item_is_read_as_it_was_typed(filed):
    work = read(filed(row(title="ระบบ KKUL Digital Badge", progress=60)))
    assert work.faults == ()
    assert work.items == [
        work_items.WorkItem(
            "P1", "ongoing", "ระบบ KKUL Digital Badge", "งานบริการ", "กำลังดำเนินการ", 60, None
        )
    ]


@pytest.mark.parametrize("done", [row(status="แล้วเสร็จ"), row(section=FINISHED, status="")])
def test_work_that_is_done_must_say_in_which_period(filed, done):
    work = read(filed(done, row(title="อื่น")))
    assert titles(work) == ["อื่น"]
    assert work.faults == ("ช่อง G2 ต้องระบุงวด เพราะงานนี้แล้วเสร็จ",)


def test_a_month_that_the_spreadsheet_turned_into_a_date_is_still_the_month(filed):
    work = read(filed(row(period=datetime(2018, 7, 1))))  # noqa: DTZ001
    assert work.faults == ()
    assert [item.period for item in work.items] == [JULY]


@pytest.mark.parametrize("period", ["2561-07", "ก.ค. 61", "2018-13", 7])
def test_a_period_that_is_none_is_named_by_its_cell(filed, period):
    work = read(filed(row(title="ดี"), row(period=period), row(status="แล้วเสร็จ", period=period)))
    assert [item.period for item in work.items] == [None, None]  # shown until somebody mends it
    assert work.cells == ["G3", "G4"]


@pytest.mark.parametrize(("typed", "percent"), [(60, 60), ("60%", 60), ("60 %", 60), (0, 0)])
def test_progress_is_a_percentage_however_it_was_typed(filed, typed, percent):
    (item,) = read(filed(row(progress=typed))).items
    assert item.progress_pct == percent


def test_a_cell_that_shows_60_percent_means_60(filed):
    def as_percent(sheet):
        sheet["F2"].number_format = "0%"

    (item,) = read(filed(row(progress=0.6), change=as_percent)).items
    assert item.progress_pct == 60


@pytest.mark.parametrize("typed", ["ครึ่งหนึ่ง", -1, 101, 0.6, "nan", "1e9"])
def test_progress_that_is_no_percentage_is_named_by_its_cell(filed, typed):
    work = read(filed(row(progress=typed)))
    assert [item.progress_pct for item in work.items] == [None]
    assert work.cells == ["F2"]


@pytest.mark.parametrize(
    ("said", "cell"),
    [
        ({"progress": "ครึ่งหนึ่ง"}, "F2"),
        ({"period": "ก.ค. 61"}, "G2"),
        ({"status": "=A1"}, "E2"),
        ({"status": "แล้วเสร็จ"}, "G2"),
        ({"link": "kku.example.com"}, "M2"),
        ({"decided": "อนุมัติ", "decided_by": "ผู้อำนวยการ", "decided_on": "10 ส.ค. 61"}, "L2"),
        ({"decided": "อนุมัติ", "decided_on": "2018-08-10"}, "K2"),
    ],
)
def test_a_mistake_beside_a_decision_takes_it_out_of_no_report(filed, said, cell):
    work = read(filed(row(wanted=WANTED, deadline="2018-08-15", **said)))
    (item,) = work.items
    assert item.is_open
    assert (item.link, item.decided_by, item.decided_on) == ("", "", None)
    assert work.cells == [cell]


def test_an_unknown_section_and_a_missing_title_are_named_and_the_rest_is_shown(filed):
    work = read(filed(row(section="งานลับ"), row(title=None), row(title="ดี")))
    assert titles(work) == ["ดี"]
    assert work.cells == ["B2", "C3"]


def test_a_fault_never_repeats_what_was_typed(filed):
    typed = "somchai@example.org"
    rows = (row(section=typed), row(progress=typed), row(period=typed))
    faults = read(filed(*rows)).faults
    assert len(faults) == 3
    assert typed not in " ".join(faults)


def test_merged_cells_cost_only_the_rows_that_they_empty(filed):
    path = filed(row(title="หนึ่ง"), row(title="สอง"), change=lambda s: s.merge_cells("B2:B3"))
    work = read(path)
    assert titles(work) == ["หนึ่ง"]
    assert work.cells == ["B3"]


def test_headings_are_found_below_a_title_and_in_any_order(path):
    book = openpyxl.Workbook()
    book.active.append(["งานของห้องสมุด"])
    book.active.append([])
    book.active.append(list(reversed(HEADINGS + OF_DECISIONS)))
    book.active.append(list(reversed(row(title="ดี", period="2018-07"))))
    book.active.append(list(reversed(row(section="?"))))
    book.save(path)
    work = read(path)
    assert titles(work) == ["ดี"]
    assert work.cells == ["L5"]


@pytest.mark.parametrize("heading", ["ด้าน", "ชื่องาน", "สถานะ", "งวด"])
def test_without_a_needed_column_the_file_counts_as_unread(path, heading):
    book = openpyxl.Workbook()
    book.active.append([h for h in HEADINGS if h != heading])
    book.active.append(["x"] * 6)
    book.save(path)
    assert unreadable(path) == f"แถวหัวตารางไม่มีคอลัมน์ “{heading}”"


def test_without_a_lesser_column_the_items_are_shown_and_the_column_is_named(path):
    book = openpyxl.Workbook()
    book.active.append(["ด้าน", "ชื่องาน", "สถานะ", "งวด", "รหัส", "ผู้รับผิดชอบ"])
    book.active.append([ONGOING, "ดี", "กำลังดำเนินการ"])
    book.save(path)
    work = read(path)
    assert titles(work) == ["ดี"]
    assert work.faults == ("แถวหัวตารางไม่มีคอลัมน์ “ความก้าวหน้า (%)”",)


def zipped(name, content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"PK", b"\xd0\xcf\x11\xe0 old or locked", b"a;b;c\n", zipped("x.xml", "<x>")],
    ids=["cut off", "old format", "csv", "other zip"],
)
def test_a_broken_file_is_said_to_be_unreadable_and_stops_nothing(path, content):
    path.write_bytes(content)
    assert unreadable(path) == "เปิดไฟล์ไม่ได้ โปรดบันทึกใหม่เป็น .xlsx แบบไม่มีรหัสผ่าน"


def test_a_workbook_damaged_inside_is_said_to_be_unreadable(filed):
    path = filed(row())
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    members["xl/worksheets/sheet1.xml"] = members["xl/worksheets/sheet1.xml"][:-40]
    with zipfile.ZipFile(path, "w") as book:
        for name, content in members.items():
            book.writestr(name, content)
    assert "เปิดไฟล์ไม่ได้" in unreadable(path)


def test_a_small_file_that_unpacks_into_a_huge_one_is_not_unpacked(path):
    path.write_bytes(zipped("xl/workbook.xml", b" " * (table.MAX_BYTES + 1)))
    assert path.stat().st_size < 100_000
    assert "ใหญ่เกินไป" in unreadable(path)


def test_two_thousand_rows_are_read_and_rows_past_the_limit_are_owned_up_to(filed, monkeypatch):
    many = (row(title=f"งาน {n}", wanted=WANTED, deadline="15 ส.ค. 2561") for n in range(2000))
    path = filed(*many)
    began = time.process_time()
    work = read(path)
    assert time.process_time() - began < 2
    assert len(work.items) == 2000
    assert work.faults == ()
    monkeypatch.setattr(table, "MAX_ROWS", 101)
    work = read(path)
    assert len(work.items) == 100
    assert len(work.faults) == 1


def patched(path, before, after, member="xl/worksheets/sheet1.xml"):
    """Put other bytes into a part of a workbook, as somebody who means harm does."""
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    assert before in members[member]
    members[member] = members[member].replace(before, after, 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in members.items():
            book.writestr(name, content)
    assert path.stat().st_size < 60_000


def seconds(path):
    """Return how long a list takes to be read, or to be refused."""
    began = time.process_time()
    with suppress(Unreadable):
        read(path)
    return time.process_time() - began


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "' + b"A" * 7_000_000 + b'">]>'


@pytest.mark.parametrize(
    ("before", "after", "member"),
    [
        (b"</worksheet>", b"<!--" + b"<c " * 100_000 + b"--></worksheet>", "sheet"),
        (b"</worksheet>", b"<!--" + b"<mergeCell " * 100_000 + b"--></worksheet>", "sheet"),
        (b"</sheetData>", b"</sheetData><mergeCells>" + b'<mergeCell ref="A1:XFD1048576"/>' * 9_000 + b"</mergeCells>", "sheet"),
        (b"</sheetData>", b"</sheetData><dataValidations>" + b'<dataValidation sqref="A1"/>' * 250_000 + b"</dataValidations>", "sheet"),
        (b"</cellXfs>", b"<xf/>" * 1_500_000 + b"</cellXfs>", "styles"),
        (b"<worksheet ", ENTITIES + b"<worksheet ", "sheet"),
    ],
    ids=["cells", "merge tags", "merges", "rules", "styles", "entities"],
)  # fmt: skip
def test_a_small_file_that_means_harm_costs_seconds_at_most(filed, before, after, member):
    path = filed(row())
    parts = {"sheet": "xl/worksheets/sheet1.xml", "styles": "xl/styles.xml"}
    patched(path, before, after, parts[member])
    assert seconds(path) < 2


def test_a_whole_table_full_of_merges_is_read_in_time_and_every_one_is_named(filed):
    def merges(sheet):
        for number in range(2, 4_000, 4):
            sheet.merge_cells(f"B{number}:B{number + 1}")

    path = filed(*[row(title=f"งาน {n}") for n in range(4_000)], change=merges)
    began = time.process_time()
    work = read(path)
    assert time.process_time() - began < 2
    assert len(work.items) == 3_000
    assert "B3999" in work.cells


@pytest.mark.parametrize("size", ["A1", "A1:R1", "A1:XFD1048576"])
def test_a_sheet_that_lies_about_its_size_is_read_whole(filed, size):
    path = filed(row(title="หนึ่ง"), row(title="สอง"))
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    members["xl/worksheets/sheet1.xml"] = sheet.replace(b'ref="A1:R3"', f'ref="{size}"'.encode())
    assert members["xl/worksheets/sheet1.xml"] != sheet
    with zipfile.ZipFile(path, "w") as book:
        for name, content in members.items():
            book.writestr(name, content)
    assert titles(read(path)) == ["หนึ่ง", "สอง"]


def test_text_is_one_line_without_invisible_characters():
    assert clean(" ก\r\nข\t\x00\x1b[31mค\u202e\u200b\ufeff ") == "ก ข [31mค"
    assert clean("ทํางาน") == "ทํางาน"  # marks are never guessed at
    assert clean("👩\u200d💻 <b>=1+1</b>") == "👩\u200d💻 <b>=1+1</b>"
    assert clean("ย" * 81, limit=80) == "ย" * 79 + "…"
    assert clean("ย" * 80, limit=80) == "ย" * 80


def test_what_is_read_from_the_file_is_cleaned_and_kept_short(filed):
    long = "ย" * 1000
    (item,) = read(filed(row(title=" ก\nข\u202e", status=long))).items
    assert item.title == "ก ข"
    assert len(item.status) == work_items.LIMITS["status"]


def test_a_formula_that_was_never_calculated_or_failed_is_named_not_shown(filed):
    def formulas(sheet):
        sheet["C2"] = '=HYPERLINK("https://evil.example.org","งาน")'
        sheet["C3"].value, sheet["C3"].data_type = "#REF!", "e"

    work = read(filed(row(), row(), row(title="ดี"), change=formulas))
    assert titles(work) == ["ดี"]
    assert work.cells == ["C2", "C3"]


def test_the_template_has_thai_headings_and_offers_the_three_sections(path):
    work_items.write_template(path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert [cell.value for cell in sheet[1]] == HEADINGS + OF_DECISIONS + IN_ENGLISH
    lists = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    sections = lists["B2:B5000"]
    assert sections.formula1 == f'"{ROUTINE},{FINISHED},{ONGOING}"'
    assert sections.showErrorMessage
    assert not lists["E2:E5000"].showErrorMessage
    assert sheet.column_dimensions["G"].number_format == "@"
    for column in "IL":
        assert sheet.column_dimensions[column].number_format == "yyyy-mm-dd"
        assert lists[f"{column}2:{column}5000"].errorStyle == "information"  # Thai dates are taken


def test_the_template_explains_itself_and_its_examples_are_right_and_not_read(path):
    work_items.write_template(path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["รายการงาน", "วิธีกรอก", "ตัวอย่าง"]
    explained = "\n".join(cell.value for (cell,) in book["วิธีกรอก"].iter_rows())
    for heading in ("งวด", "ขอผลภายในวันที่", "ผลการตัดสินใจ", "ลิงก์"):
        assert heading in explained
    book.move_sheet("ตัวอย่าง", -2)
    book["รายการงาน"].title = "งานเดือนนี้"
    book.save(path)
    assert (read(path).items, read(path).faults) == ([], ())
    del book["งานเดือนนี้"], book["วิธีกรอก"]
    book.save(path)
    assert unreadable(path) == "ไม่มีแผ่นงาน “รายการงาน”"
    book["ตัวอย่าง"].title = "งานเดือนนี้"
    book.save(path)
    assert read(path).faults == ()
    assert [item.is_open for item in read(path).items] == [False, False, True, False]


def test_a_fresh_template_reads_as_no_work_and_no_fault(path):
    work_items.write_template(path)
    work = read(path)
    assert (work.items, work.faults) == ([], ())


def test_the_template_never_overwrites_a_librarians_file(filed):
    path = filed(row(title="ดี"))
    with pytest.raises(EngagementError, match="exists already"):
        work_items.write_template(path)
    assert titles(read(path)) == ["ดี"]


def test_the_sheet_of_work_is_read_wherever_it_stands(filed):
    path = filed(row(title="ดี"))
    book = openpyxl.load_workbook(path)
    book.move_sheet("รายการงาน", offset=2)
    book.save(path)
    assert titles(read(path)) == ["ดี"]


def test_a_sheet_with_another_name_is_read_by_its_headings(filed):
    path = filed(row(title="ดี"))
    book = openpyxl.load_workbook(path)
    book.move_sheet("วิธีกรอก", -1)
    book["รายการงาน"].title = "ก.ค."
    book.save(path)
    assert titles(read(path)) == ["ดี"]


def test_work_on_a_second_sheet_is_told_by_the_name_of_the_sheet(filed):
    path = filed(row(title="ดี"))
    book = openpyxl.load_workbook(path)
    book.copy_worksheet(book["รายการงาน"]).title = "ก.ค."
    book.save(path)
    assert titles(read(path)) == ["ดี"]
    assert read(path).faults == (
        "แผ่นงาน “ก.ค.” มีหัวตารางแต่ไม่ได้อ่าน โปรดย้ายงานไปไว้ในแผ่นงาน “รายการงาน”",
    )


# Decisions


def test_a_decision_that_is_wanted_and_one_that_was_taken_are_read(filed):
    path = filed(
        row(wanted=WANTED, deadline=datetime(2018, 8, 15), link="https://kku.example.com/a?b=1"),  # noqa: DTZ001
        row(
            wanted=WANTED,
            deadline="15 สิงหาคม 2561",
            decided="อนุมัติ",
            decided_by="ผู้อำนวยการ",
            decided_on="2018-08-10",
        ),
    )
    work = read(path)
    assert work.faults == ()
    wanted, taken = work.items
    assert wanted.is_open
    assert (wanted.wanted, wanted.deadline) == (WANTED, date(2018, 8, 15))
    assert wanted.link == "https://kku.example.com/a?b=1"
    assert not taken.is_open
    assert (taken.decided, taken.decided_by, taken.decided_on) == (
        "อนุมัติ",
        "ผู้อำนวยการ",
        date(2018, 8, 10),
    )


@pytest.mark.parametrize(
    ("said", "cells", "shown"),
    [
        ({"wanted": WANTED}, ["I2"], []),
        ({"deadline": "2018-08-15"}, ["H2"], []),
        ({"wanted": WANTED, "deadline": "2018-08-15", "decided": "อนุมัติ"}, ["L2", "K2"], [""]),
        ({"decided_by": "ผู้อำนวยการ", "decided_on": "2018-08-10"}, ["J2"], [""]),
    ],
)
def test_half_a_decision_is_named_by_the_cell_that_is_empty(filed, said, cells, shown):
    work = read(filed(row(**said)))
    assert [item.decided for item in work.items] == shown
    assert sorted(work.cells) == sorted(cells)


def test_a_decision_needs_an_id_and_other_work_does_not(filed):
    def without_ids(sheet):
        sheet["A2"] = sheet["A3"] = None

    asked = row(title="ขอ", wanted=WANTED, deadline="2018-08-15")
    work = read(filed(asked, row(title="ดี"), change=without_ids))
    assert titles(work) == ["ดี"]
    assert work.cells == ["A2"]


@pytest.mark.parametrize(
    "typed",
    [
        "15 ส.ค. 2561",
        "15 สิงหาคม 2561",
        "15 สิงหาคม พ.ศ. 2561",
        "15/8/2561",
        "15/08/2018",
        "2018-08-15",
        "2561-08-15",
        "๑๕ ส.ค. ๒๕๖๑",
        "15 August 2018",
        datetime(2561, 8, 15),  # noqa: DTZ001 - what Excel makes of 15/8/2561
    ],
)
def test_a_day_is_understood_in_both_eras_and_in_thai(filed, typed):
    (item,) = read(filed(row(wanted=WANTED, deadline=typed))).items
    assert item.deadline == date(2018, 8, 15)


@pytest.mark.parametrize(
    "typed",
    [
        "15/08/61",
        "15 ส.ค. 61",
        "๑๕/๘/๖๑",
        "31/2/2561",
        "30 กุมภาพันธ์ 2561",
        "เร็ว ๆ นี้",
        43327,
        "15/8/9999",
    ],
)
def test_a_day_that_is_none_or_has_a_year_of_two_digits_is_named_by_its_cell(filed, typed):
    work = read(filed(row(wanted=WANTED, deadline=typed), row(title="ดี")))
    assert titles(work) == ["ดี"]
    assert work.cells == ["I2"]
    assert "ไม่ใช่วันที่" in work.faults[0]


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        "ftp://kku.example.com",
        "kku.example.com",
        "https://",
        "https://kku.example.com@evil.example.org/",
        "https://kku.example.com/<script>",
        "https://kku.example.com/ a",
        f"https://kku.example.com/{'a' * 500}",
    ],
)
def test_a_link_is_of_the_web_or_named_by_its_cell(filed, typed):
    work = read(filed(row(link=typed)))
    assert [item.link for item in work.items] == [""]
    assert work.cells == ["M2"]


def test_every_wrong_cell_of_a_row_is_named_at_once(filed):
    work = read(filed(row(section="?", progress="?", wanted=WANTED)))
    assert sorted(work.cells) == ["B2", "F2", "I2"]


def test_a_list_from_before_there_were_decisions_is_read_as_it_is(path):
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    book.active.append(row()[:7])
    book.save(path)
    assert read(path).faults == ()
    assert len(read(path).items) == 1


def test_a_misspelt_heading_of_decisions_is_named(path):
    book = openpyxl.Workbook()
    book.active.append([*HEADINGS, "เรื่องที่ขอให้ตัดสินใจ", "กำหนด"])
    book.active.append([*row()[:7], WANTED, "2018-08-15"])
    book.save(path)
    work = read(path)
    assert work.items == []
    assert "แถวหัวตารางไม่มีคอลัมน์ “ขอผลภายในวันที่”" in work.faults


# What spreadsheets do


def test_a_cell_that_a_merge_hides_is_named_even_where_it_may_be_empty(filed):
    path = filed(
        row(title="หนึ่ง"),
        row(title="สอง", wanted=WANTED, deadline="2018-08-15"),
        change=lambda sheet: sheet.merge_cells("H2:I3"),
    )
    work = read(path)
    assert work.items == []
    assert {"I2", "H3", "I3"} == set(work.cells)


def test_a_merged_title_above_the_table_and_merged_empty_rows_harm_nothing(path):
    book = openpyxl.Workbook()
    book.active.append(["งานของห้องสมุด"])
    book.active.append(HEADINGS)
    book.active.append(row(title="ดี")[:7])
    for merged in ("A1:G1", "A4:G9"):
        book.active.merge_cells(merged)
    book.save(path)
    assert titles(read(path)) == ["ดี"]
    assert read(path).faults == ()


def calculated(path, cell, kind, value):
    """Write what Excel writes beside a formula when it has worked it out."""
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    before = members[name]
    at = before.index(f'<c r="{cell}"'.encode())
    end = before.index(b"</c>", at)
    new = f'<c r="{cell}" t="{kind}"><f>A1</f><v>{value}</v>'.encode()
    members[name] = before[:at] + new + before[end:]
    with zipfile.ZipFile(path, "w") as book:
        for member, content in members.items():
            book.writestr(member, content)


def test_a_formula_counts_by_what_was_worked_out_last(filed):
    path = filed(row(title="=A1", progress="=A1"))
    calculated(path, "C2", "str", "ชื่อจากสูตร")
    calculated(path, "F2", "n", "40")
    (item,) = read(path).items
    assert (item.title, item.progress_pct) == ("ชื่อจากสูตร", 40)


def test_a_formula_that_was_worked_out_to_nothing_is_an_empty_cell(filed):
    path = filed(row(wanted="=A1"))
    calculated(path, "H2", "str", "")
    (item,) = read(path).items
    assert item.wanted == ""


def test_a_formula_that_nobody_worked_out_is_named_even_where_the_cell_may_be_empty(filed):
    work = read(filed(row(wanted="=A1", deadline="=A1")))
    assert work.items == []
    assert set(work.cells) == {"H2", "I2"}


def test_what_looks_like_a_formula_or_html_stays_text(filed):
    typed = '=cmd|"/C calc"!A1 <b>&amp; 👩\u200d💻'

    def as_text(sheet):
        sheet["C2"].data_type = "s"

    assert titles(read(filed(row(title=typed), change=as_text))) == [typed]


def test_a_row_that_the_product_writes_is_text_whatever_it_begins_with(path):
    said = {"section": ROUTINE, "title": "=1+1", "status": "@SUM(A1)"}
    template.workbook([said]).save(path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert "f" not in {cell.data_type for cell in sheet[2]}
    assert titles(read(path)) == ["=1+1"]


@pytest.mark.parametrize("name", ["งาน.xls", "งาน.ods", "งาน.xlsm"])
def test_a_spreadsheet_of_another_kind_is_asked_for_as_xlsx_or_csv(tmp_path, name):
    (tmp_path / name).write_bytes(b"something")
    assert unreadable(tmp_path / name) == "อ่านไฟล์ชนิดนี้ไม่ได้ โปรดบันทึกเป็น .xlsx หรือ .csv"


@pytest.mark.parametrize("name", ["งาน.xlsx", "งาน.csv"])
def test_an_empty_file_is_said_to_be_empty(tmp_path, name):
    (tmp_path / name).write_bytes(b"\r\n")
    assert unreadable(tmp_path / name) == "ไฟล์ว่างเปล่า"


# CSV


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp874"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_every_encoding_and_with_every_delimiter(tmp_path, encoding, delimiter):
    path = tmp_path / "งาน.CSV"
    typed = row(
        title='งาน; "ด่วน", ต่อ\nบรรทัดสอง', progress="60%", wanted=WANTED, deadline="15/8/2561"
    )
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerows([HEADINGS + OF_DECISIONS, typed, row(section="?")])
    work = read(path)
    assert work.cells == ["B3"]
    (item,) = work.items
    assert item.title == 'งาน; "ด่วน", ต่อ บรรทัดสอง'
    assert (item.progress_pct, item.deadline) == (60, date(2018, 8, 15))


def test_a_failed_formula_that_was_saved_as_csv_is_named(tmp_path):
    path = tmp_path / "งาน.csv"
    path.write_text("\n".join([",".join(HEADINGS), f"A,{ROUTINE},#REF!,,ตามกำหนด,,"]), "utf-8")
    assert read(path).items == []
    assert read(path).faults == ("ช่อง C2 เป็นสูตรที่คำนวณไม่ได้",)


def test_csv_in_an_encoding_that_nobody_can_tell_is_asked_for_in_utf_8(tmp_path):
    path = tmp_path / "งาน.csv"
    path.write_text(",".join(HEADINGS), encoding="utf-16")
    assert "CSV UTF-8" in unreadable(path)


def test_csv_whose_quote_never_closes_costs_no_more_than_its_own_list(tmp_path):
    path = tmp_path / "งาน.csv"
    path.write_text(",".join(HEADINGS) + '\n"' + "ก" * 40_000, encoding="utf-8")
    assert "เปิดไฟล์ไม่ได้" in unreadable(path)


@pytest.mark.parametrize(
    "ending",
    ["C,งานประ", f'C,{ROUTINE},"งาน', f'C,{ROUTINE},"งาน,,,,\n', "\0" * 512],
    ids=["field", "quote", "quote and line end", "room"],
)
def test_csv_that_is_half_written_counts_as_unread(tmp_path, ending):
    path = tmp_path / "งาน.csv"
    whole = "".join(
        f"{line}\n" for line in [",".join(HEADINGS), f"A,{ROUTINE},ก,,,,", f"B,{ROUTINE}"]
    )
    path.write_text(whole, "utf-8")
    assert titles(read(path)) == ["ก"]
    path.write_text(whole + ending, "utf-8")
    assert unreadable(path) == "ไฟล์ไม่ครบ อาจยังบันทึกไม่เสร็จ โปรดบันทึกใหม่"


def test_csv_without_a_last_line_end_is_whole(tmp_path):
    path = tmp_path / "งาน.csv"
    path.write_text("\n".join([",".join(HEADINGS), f"A,{ROUTINE},ก,,,,"]), "utf-8")
    assert titles(read(path)) == ["ก"]
