"""Librarians' work items: what they typed is shown, what cannot be read is named by its cell."""

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest

from engagement.demo.work_items import write_demo_work_items
from engagement.errors import EngagementError
from engagement.monitor import work_items
from engagement.period import Period

pytestmark = pytest.mark.usefixtures("clock")

JUNE, JULY = Period(2018, 6), Period(2018, 7)
ROUTINE, FINISHED, ONGOING = "งานประจำ", "งานใหม่ที่ดำเนินการแล้วเสร็จ", "งานที่กำลังดำเนินการ"
HEADINGS = ["รหัส", "ด้าน", "ชื่องาน", "ผู้รับผิดชอบ", "สถานะ", "ความก้าวหน้า (%)", "งวด"]


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


def row(section=ONGOING, title="งาน", status="กำลังดำเนินการ", progress=None, period=None):
    return ["P1", section, title, "งานบริการ", status, progress, period]


def titles(work):
    return [item.title for item in work.items]


def test_an_item_is_read_as_it_was_typed(filed):
    work = work_items.read(filed(row(title="ระบบ KKUL Digital Badge", progress=60)), JULY)
    assert work.faults == ()
    assert work.readable
    (item,) = work.section("ongoing")
    assert item == work_items.WorkItem(
        "P1", "ongoing", "ระบบ KKUL Digital Badge", "งานบริการ", "กำลังดำเนินการ", 60, None
    )
    assert work.section("routine") == work.section("finished") == ()


def test_an_item_of_a_period_is_shown_in_that_period_only(filed):
    path = filed(row(title="มิถุนายน", period="2018-06"), row(title="กรกฎาคม", period="2018-07"))
    assert titles(work_items.read(path, JUNE)) == ["มิถุนายน"]
    assert titles(work_items.read(path, JULY)) == ["กรกฎาคม"]


def test_an_item_without_a_period_is_shown_every_period(filed):
    path = filed(row(section=ROUTINE, status="ตามกำหนด"))
    assert len(work_items.read(path, JUNE).items) == len(work_items.read(path, JULY).items) == 1


@pytest.mark.parametrize("done", [row(status="แล้วเสร็จ"), row(section=FINISHED, status="")])
def test_work_that_is_done_must_say_in_which_period(filed, done):
    work = work_items.read(filed(done, row(title="อื่น")), JULY)
    assert titles(work) == ["อื่น"]
    assert work.faults == ("ช่อง G2 ต้องระบุงวด เพราะงานนี้แล้วเสร็จ",)


def test_a_month_that_the_spreadsheet_turned_into_a_date_is_still_the_month(filed):
    work = work_items.read(filed(row(period=datetime(2018, 7, 1))), JULY)  # noqa: DTZ001
    assert work.faults == ()
    assert [item.period for item in work.items] == [JULY]


@pytest.mark.parametrize("period", ["2561-07", "ก.ค. 61", "2018-13", 7])
def test_a_period_that_is_none_is_named_by_its_cell(filed, period):
    work = work_items.read(filed(row(title="ดี"), row(period=period)), JULY)
    assert titles(work) == ["ดี"]
    assert [fault.split()[1] for fault in work.faults] == ["G3"]


@pytest.mark.parametrize(("typed", "percent"), [(60, 60), ("60%", 60), ("60 %", 60), (0, 0)])
def test_progress_is_a_percentage_however_it_was_typed(filed, typed, percent):
    (item,) = work_items.read(filed(row(progress=typed)), JULY).items
    assert item.progress_pct == percent


def test_a_cell_that_shows_60_percent_means_60(filed):
    def as_percent(sheet):
        sheet["F2"].number_format = "0%"

    (item,) = work_items.read(filed(row(progress=0.6), change=as_percent), JULY).items
    assert item.progress_pct == 60


@pytest.mark.parametrize("typed", ["ครึ่งหนึ่ง", -1, 101, 0.6, "nan", "1e9"])
def test_progress_that_is_no_percentage_is_named_by_its_cell(filed, typed):
    work = work_items.read(filed(row(progress=typed)), JULY)
    assert work.items == ()
    assert [fault.split()[1] for fault in work.faults] == ["F2"]


def test_an_unknown_section_and_a_missing_title_are_named_and_the_rest_is_shown(filed):
    work = work_items.read(filed(row(section="งานลับ"), row(title=None), row(title="ดี")), JULY)
    assert titles(work) == ["ดี"]
    assert [fault.split()[1] for fault in work.faults] == ["B2", "C3"]
    assert work.readable


def test_a_fault_never_repeats_what_was_typed(filed):
    typed = "somchai@example.org"
    rows = (row(section=typed), row(progress=typed), row(period=typed))
    faults = work_items.read(filed(*rows), JULY).faults
    assert len(faults) == 3
    assert typed not in " ".join(faults)


def test_merged_cells_cost_only_the_rows_that_they_empty(filed):
    path = filed(row(title="หนึ่ง"), row(title="สอง"), change=lambda s: s.merge_cells("B2:B3"))
    work = work_items.read(path, JULY)
    assert titles(work) == ["หนึ่ง"]
    assert [fault.split()[1] for fault in work.faults] == ["B3"]


def test_headings_are_found_below_a_title_and_in_any_order(path):
    book = openpyxl.Workbook()
    book.active.append(["งานของห้องสมุด"])
    book.active.append([])
    book.active.append(list(reversed(HEADINGS)))
    book.active.append(list(reversed(row(title="ดี", period="2018-07"))))
    book.active.append(list(reversed(row(section="?"))))
    book.save(path)
    work = work_items.read(path, JULY)
    assert titles(work) == ["ดี"]
    assert [fault.split()[1] for fault in work.faults] == ["F5"]


@pytest.mark.parametrize("heading", ["ด้าน", "ชื่องาน", "สถานะ", "งวด"])
def test_without_a_needed_column_the_file_counts_as_unread(path, heading):
    book = openpyxl.Workbook()
    book.active.append([h for h in HEADINGS if h != heading])
    book.active.append(["x"] * 6)
    book.save(path)
    work = work_items.read(path, JULY)
    assert not work.readable
    assert work.faults == (f"แถวหัวตารางไม่มีคอลัมน์ “{heading}”",)


def test_without_a_lesser_column_the_items_are_shown_and_the_column_is_named(path):
    book = openpyxl.Workbook()
    book.active.append(["ด้าน", "ชื่องาน", "สถานะ", "งวด", "รหัส", "ผู้รับผิดชอบ"])
    book.active.append([ONGOING, "ดี", "กำลังดำเนินการ"])
    book.save(path)
    work = work_items.read(path, JULY)
    assert titles(work) == ["ดี"]
    assert work.faults == ("แถวหัวตารางไม่มีคอลัมน์ “ความก้าวหน้า (%)”",)


def test_no_file_is_no_statement_about_the_work(tmp_path):
    for path, named in [
        (None, "ENGAGEMENT_WORK_ITEMS_FILE"),
        (tmp_path / "gone.xlsx", "gone.xlsx"),
    ]:
        work = work_items.read(path, JULY)
        assert not work.readable
        assert work.items == ()
        (fault,) = work.faults
        assert named in fault


def zipped(name, content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"\xd0\xcf\x11\xe0 old or locked", b"a;b;c\n", zipped("x.xml", "<x>")],
    ids=["empty", "cut off", "old format", "csv", "other zip"],
)
def test_a_broken_file_is_said_to_be_unreadable_and_stops_nothing(path, content):
    path.write_bytes(content)
    work = work_items.read(path, JULY)
    assert not work.readable
    assert work.faults == (f"เปิดไฟล์รายการงาน {path.name} ไม่ได้ โปรดบันทึกใหม่เป็น .xlsx แบบไม่มีรหัสผ่าน",)


def test_a_workbook_damaged_inside_is_said_to_be_unreadable(filed):
    path = filed(row())
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    members["xl/worksheets/sheet1.xml"] = members["xl/worksheets/sheet1.xml"][:-40]
    with zipfile.ZipFile(path, "w") as book:
        for name, content in members.items():
            book.writestr(name, content)
    assert not work_items.read(path, JULY).readable


def test_a_small_file_that_unpacks_into_a_huge_one_is_not_unpacked(path):
    path.write_bytes(zipped("xl/workbook.xml", b" " * (work_items.MAX_BYTES + 1)))
    assert path.stat().st_size < 100_000
    (fault,) = work_items.read(path, JULY).faults
    assert "ใหญ่เกินไป" in fault


def test_two_thousand_rows_are_read_and_rows_past_the_limit_are_owned_up_to(filed, monkeypatch):
    path = filed(*(row(title=f"งาน {n}") for n in range(2000)))
    work = work_items.read(path, JULY)
    assert len(work.items) == 2000
    assert work.faults == ()
    monkeypatch.setattr(work_items, "MAX_ROWS", 101)
    work = work_items.read(path, JULY)
    assert len(work.items) == 100
    assert len(work.faults) == 1


@pytest.mark.parametrize("size", ["A1", "A1:G1", "A1:XFD1048576"])
def test_a_sheet_that_lies_about_its_size_is_read_whole(filed, size):
    path = filed(row(title="หนึ่ง"), row(title="สอง"))
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    members["xl/worksheets/sheet1.xml"] = sheet.replace(b'ref="A1:G3"', f'ref="{size}"'.encode())
    assert members["xl/worksheets/sheet1.xml"] != sheet
    with zipfile.ZipFile(path, "w") as book:
        for name, content in members.items():
            book.writestr(name, content)
    assert titles(work_items.read(path, JULY)) == ["หนึ่ง", "สอง"]


def test_text_is_one_line_without_invisible_characters():
    assert work_items.clean(" ก\r\nข\t\x00\x1b[31mค\u202e\u200b\ufeff ") == "ก ข [31mค"
    assert work_items.clean("ทํางาน") == "ทํางาน"  # marks are never guessed at
    assert work_items.clean("👩\u200d💻 <b>=1+1</b>") == "👩\u200d💻 <b>=1+1</b>"
    assert work_items.clean("ย" * 81, limit=80) == "ย" * 79 + "…"
    assert work_items.clean("ย" * 80, limit=80) == "ย" * 80


def test_what_is_read_from_the_file_is_cleaned_and_kept_short(filed):
    long = "ย" * 1000
    (item,) = work_items.read(filed(row(title=" ก\nข\u202e", status=long)), JULY).items
    assert item.title == "ก ข"
    assert len(item.status) == work_items.LIMITS["status"]


def test_a_formula_that_was_never_calculated_or_failed_is_named_not_shown(filed):
    def formulas(sheet):
        sheet["C2"] = '=HYPERLINK("https://evil.example.org","งาน")'
        sheet["C3"].value, sheet["C3"].data_type = "#REF!", "e"

    work = work_items.read(filed(row(), row(), row(title="ดี"), change=formulas), JULY)
    assert titles(work) == ["ดี"]
    assert [fault.split()[1] for fault in work.faults] == ["C2", "C3"]


def test_it_is_known_when_the_file_was_read(filed, clock):
    instant = clock.at(2018, 8, 7, 8)
    assert work_items.read(filed(row()), JULY).read_at == instant


def test_the_template_has_thai_headings_and_offers_the_three_sections(path):
    work_items.write_template(path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert [cell.value for cell in sheet[1]] == HEADINGS
    lists = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    sections = lists["B2:B5000"]
    assert sections.formula1 == f'"{ROUTINE},{FINISHED},{ONGOING}"'
    assert sections.showErrorMessage
    assert not lists["E2:E5000"].showErrorMessage
    assert sheet.column_dimensions["G"].number_format == "@"


def test_a_fresh_template_reads_as_no_work_and_no_fault(path):
    work_items.write_template(path)
    work = work_items.read(path, JULY)
    assert work.readable
    assert (work.items, work.faults) == ((), ())


def test_the_template_never_overwrites_a_librarians_file(filed):
    path = filed(row(title="ดี"))
    with pytest.raises(EngagementError, match="is there already"):
        work_items.write_template(path)
    assert titles(work_items.read(path, JULY)) == ["ดี"]


def test_the_demo_file_has_work_of_every_section_in_both_months(path):
    write_demo_work_items(path)
    write_demo_work_items(path)  # a second demo works over the first one's file
    june, july = work_items.read(path, JUNE), work_items.read(path, JULY)
    assert june.faults == july.faults == ()
    for work in (june, july):
        assert [len(work.section(s)) for s in ("routine", "finished", "ongoing")] == [2, 1, 2]
    assert "AR Brochure" in june.section("finished")[0].title
    assert "16.00-20.00" in july.section("finished")[0].title
