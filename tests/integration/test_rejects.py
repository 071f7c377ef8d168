"""The counter staff get a workbook of whom to ask for what, and what they mend counts next time."""

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from engagement import warehouse
from engagement.errors import EngagementError
from engagement.labels import labels
from engagement.model import rejects
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish
from engagement.monitor.figures import PatronFigures, require
from engagement.period import Period

JUNE, JULY = Period(2018, 6), Period(2018, 7)
WORDS = labels().rejects
pytestmark = pytest.mark.usefixtures("clock", "store")

# Texts that a spreadsheet would run, open or read as a number, if it were let.
LIVE = [
    "=cmd|'/c calc'!A0",
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(1)",
    "\t=2+2",
    "{=1+1}",
    "https://example.com/",
    "mailto:a@b.com",
    "0012",
]


def run(library: Any, period: Period = JUNE, reread: Reread | None = None) -> PatronFigures:
    extract(period, library.source, reread=reread)
    check(period)
    publish(period)
    with warehouse.session() as session:
        return require(session, period)


def exported(folder: Path, period: Period = JUNE) -> dict[str, list[tuple[Any, ...]]]:
    """Export a period and return its sheets: name -> rows."""
    path = folder / f"{period}.xlsx"
    rejects.export(period, path, "anna")
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.values) for sheet in book.worksheets}


def records(sheets: dict[str, list[tuple[Any, ...]]]) -> list[dict[str, Any]]:
    headings, *rows = sheets[WORDS["records_sheet"]]
    return [dict(zip(headings, row, strict=True)) for row in rows]


def test_records_stand_together_by_what_has_to_be_asked_and_the_counts_are_the_published_ones(
    library: Any, tmp_path: Path
) -> None:
    library.enrol(3, email=None)
    library.enrol(2, last_name=None, email="-")
    library.enrol(1, type_code="99", faculty_code=None)
    library.enrol(1, last_name=None)
    library.enrol(2, expire_date="31/05/2560", email=None)
    found = run(library)
    sheets = exported(tmp_path)
    asked = [record["ต้องถามเรื่อง"] for record in records(sheets)]
    assert asked == [
        *["อีเมล"] * 3, *["ชื่อ-นามสกุล + อีเมล"] * 2, "ชื่อ-นามสกุล", "สถานภาพ + สังกัด",
    ]  # fmt: skip
    asks = WORDS["asks"]
    published = {
        " + ".join(asks[reason] for reason in reasons): count
        for reasons, count in found.by_combination.items()
        if "not_current" not in reasons
    }
    assert Counter(asked) == published
    counts = dict(row for row in sheets[WORDS["counts_sheet"]] if isinstance(row[1], int))
    assert counts == published | {
        WORDS["total"]: 7, WORDS["unreadable"]: 0, WORDS["left_out"]: 2, WORDS["bounced"]: 0,
    }  # fmt: skip
    assert counts[WORDS["total"]] + counts[WORDS["left_out"]] == found.rejected


def test_members_whose_mail_came_back_stand_on_a_sheet_of_their_own(
    library: Any, store: Any, tmp_path: Path
) -> None:
    library.enrol(member_id="B1", email="dead@library.example.com")
    library.enrol(member_id="B2", email="doubted@library.example.com")
    library.enrol(member_id="B3", email="objecting@library.example.com")
    run(library)
    for name, kind, is_provisional in (
        ("dead", "hard_bounce", False), ("doubted", "hard_bounce", True), ("objecting", "opt_out", False),
    ):  # fmt: skip
        store.do(
            "INSERT INTO core.suppression_event (address_key, kind, is_provisional, event_at, recorded_at) "
            "SELECT address_key, %s, %s, '2018-07-10', '2018-07-10' FROM pii.address WHERE address = %s",
            [kind, is_provisional, f"{name}@library.example.com"],
        )
    sheets = exported(tmp_path)
    headings, *rows = sheets[WORDS["bounced_sheet"]]
    found = [dict(zip(headings, row, strict=True)) for row in rows]
    assert [(row["เลขสมาชิก"], row["อีเมลที่ตีกลับ"], row["ตีกลับเมื่อ"]) for row in found] == [
        ("B1", "dead@library.example.com", "10 กรกฎาคม 2561")
    ]


def test_a_record_is_shown_as_the_library_has_it_with_what_is_wrong_and_what_may_be_meant(
    library: Any, tmp_path: Path
) -> None:
    library.enrol(
        member_id="S1", prefix_code=2, first_name=" สมหญิง ", last_name="ไม่ระบุ",
        type_code="21", email="somying@gmial.com",
    )  # fmt: skip
    library.enrol(member_id="S2", prefix_code=1, type_code="99", faculty_code=None, email="ไม่มี")
    run(library)
    one, two = records(exported(tmp_path))
    assert one == {
        "ต้องถามเรื่อง": "ชื่อ-นามสกุล",
        "เลขสมาชิก": "S1",
        "คำนำหน้า": "นางสาว",
        "ชื่อ-นามสกุลตามระบบ": " สมหญิง  ไม่ระบุ",
        "ประเภทสมาชิก": "นักศึกษาระดับปริญญาโท",
        "สังกัดตามระบบ": "คณะมนุษยศาสตร์และสังคมศาสตร์",
        "อีเมลตามระบบ": "somying@gmial.com",
        "สิ่งที่ต้องแก้ไข": "ชื่อ-นามสกุล: กรอกคำแทน ไม่ใช่ข้อมูลจริง",
        "อีเมลที่น่าจะถูก": "somying@gmail.com",
    }
    assert two["ประเภทสมาชิก"] == "99"
    assert two["อีเมลตามระบบ"] == "ไม่มี"
    assert two["สิ่งที่ต้องแก้ไข"].split("; ") == [
        "สถานภาพ: ไม่รู้จักรหัส",
        "สังกัด: ไม่ได้กรอก",
        "อีเมล: กรอกคำแทน ไม่ใช่ข้อมูลจริง",
    ]


def test_who_is_no_current_member_is_not_in_it(library: Any, tmp_path: Path) -> None:
    library.enrol(1, member_id="GONE1", expire_date="31/05/2560", email=None)
    library.enrol(1, member_id="GONE2", member_state="2", last_name=None)
    library.enrol(1, member_id="GONE3", expire_date=None)
    library.enrol(1, member_id="HERE", email=None)
    run(library)
    sheets = exported(tmp_path)
    assert [record["เลขสมาชิก"] for record in records(sheets)] == ["HERE"]
    assert "GONE" not in str(sheets)


@pytest.mark.parametrize("column", ["member_id", "first_name", "unit_name", "email", "type_code"])
def test_nothing_that_a_patron_has_typed_is_a_formula_a_link_or_a_number(
    column: str, library: Any, tmp_path: Path
) -> None:
    for text in LIVE:
        own = {"type_code": "98", "last_name": None, "faculty_code": None}
        library.enrol(1, **own | {column: text})
    run(library)
    rejects.export(JUNE, tmp_path / "june.xlsx", "anna")
    counts, *sheets = openpyxl.load_workbook(tmp_path / "june.xlsx").worksheets
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert {type(cell.value) for cell in cells} == {str, type(None)}
    assert {cell.data_type for row in counts.iter_rows() for cell in row} == {"s", "n"}
    assert {cell.data_type for cell in cells if cell.value} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    values = [str(cell.value).strip() for cell in cells]
    assert {text.strip() for text in LIVE} <= set(values)
    # Whoever edits such a cell does not wake it up: it is one of text.
    assert {cell.number_format for cell in cells if cell.row > 1 and cell.value} == {"@"}


def test_characters_and_lengths_that_a_workbook_cannot_hold_do_not_spoil_it(
    library: Any, tmp_path: Path
) -> None:
    library.enrol(1, email="\x01\x0b\ufffe\uffff😀", member_id="ODD")
    library.enrol(1, email="x" * 40_000, member_id="LONG")
    run(library)
    odd, long = records(exported(tmp_path))
    assert odd["เลขสมาชิก"] == "ODD"
    assert odd["อีเมลตามระบบ"].endswith("😀")
    assert long["อีเมลตามระบบ"] == "x" * 1_000


def test_records_that_cannot_be_read_have_a_sheet_with_number_and_id(
    library: Any, tmp_path: Path
) -> None:
    library.enrol(300)
    library.enrol(1, member_id="BROKEN")
    library.enrol(1, member_id="")
    library.do(
        "UPDATE autolib.member SET first_name = convert_from(%s, 'SQL_ASCII') "
        "WHERE member_id = 'BROKEN'",
        ["สมชาย".encode()[:-1]],
    )
    library.do(
        "UPDATE autolib.member SET member_id = convert_from(%s, 'SQL_ASCII') WHERE member_no = 7",
        ["รหัส".encode()[:-1]],
    )
    found = run(library)
    assert found.rejected_by_reason == {"undecodable": 2, "malformed": 1}
    sheets = exported(tmp_path)
    assert sheets[WORDS["unreadable_sheet"]][1:] == [
        ("7", None, "ตัวอักษรเสียหาย อ่านไม่ได้"),
        ("341", "BROKEN", "ตัวอักษรเสียหาย อ่านไม่ได้"),
        ("342", None, "แถวข้อมูลผิดรูปแบบ"),
    ]
    assert records(sheets) == []


def test_a_reason_of_the_suites_own_is_asked_by_its_name(
    library: Any, tmp_path: Path, world: pytest.MonkeyPatch
) -> None:
    import json

    from engagement.model import suites

    suite = json.loads((suites.FOLDER / "stage_patron.json").read_text())
    for reason, pattern in (("kku_mail", "@kku"), ("email", "no@")):
        suite["expectations"].append(
            {
                "type": "expect_column_values_to_not_match_regex",
                "kwargs": {"column": "email", "regex": pattern},
                "meta": {"reason": reason},
            }
        )
    (tmp_path / "stage_patron.json").write_text(json.dumps(suite))
    world.setattr(suites, "FOLDER", tmp_path)
    library.enrol(1, email="a@kku.ac.th", last_name=None)
    library.enrol(1, email="no@library.example.com")
    run(library)
    assert {r["ต้องถามเรื่อง"]: r["สิ่งที่ต้องแก้ไข"] for r in records(exported(tmp_path))} == {
        "ชื่อ-นามสกุล + kku_mail": "ชื่อ-นามสกุล: ไม่มีนามสกุล; kku_mail",
        "อีเมล": "ไม่มีอีเมลหรืออีเมลผิดรูปแบบ",
    }


def test_every_fault_that_a_record_can_have_is_said_in_thai(
    library: Any, store: Any, tmp_path: Path
) -> None:
    library.enrol(1, first_name=None, last_name=None)
    library.enrol(1, first_name="ทดสอบ", last_name="ทดสอบ")
    library.enrol(1, first_name=None)
    library.enrol(1, last_name=None)
    library.enrol(1, type_code=None, faculty_code=None, email=None)
    library.enrol(1, type_code="99", faculty_code=None, unit_name="ไม่มี", email="ไม่มี")
    library.enrol(1, email="nobody@@")
    run(library)
    faults = {
        fault
        for field in ("name", "status", "affiliation", "email")
        for (fault,) in store.do(f"SELECT DISTINCT {field}_fault FROM stage.patron")  # noqa: S608
        if fault
    }
    of_the_membership = {"expired", "suspended", "contradictory", "no date", "in no group"}
    assert faults == set(labels().faults) - {"domain takes no mail"} - of_the_membership
    said = "\n".join(record["สิ่งที่ต้องแก้ไข"] for record in records(exported(tmp_path)))
    assert {fault for fault in faults if labels().fault(fault).th not in said} == set()


def test_a_sheet_that_is_full_goes_on_in_another(
    library: Any, tmp_path: Path, world: pytest.MonkeyPatch
) -> None:
    world.setattr(rejects, "SHEET_ROWS", 3)
    library.enrol(7, email=None)
    run(library)
    sheets = exported(tmp_path)
    name = WORDS["records_sheet"]
    assert [(title, len(rows) - 1) for title, rows in sheets.items() if name in title] == [
        (name, 3), (f"{name} 2", 3), (f"{name} 3", 1),
    ]  # fmt: skip


# The file


def test_the_file_and_its_folder_are_their_owners_alone_and_nothing_else_is_left(
    library: Any, tmp_path: Path
) -> None:
    run(library)
    path = tmp_path / "exports" / "rejects-2018-06.xlsx"
    rejects.export(JUNE, path, "anna")
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert oct(path.parent.stat().st_mode)[-3:] == "700"
    assert list(path.parent.iterdir()) == [path]


def test_the_headings_stay_in_sight_and_can_be_filtered(library: Any, tmp_path: Path) -> None:
    library.enrol(4, email=None)
    run(library)
    rejects.export(JUNE, tmp_path / "june.xlsx", "anna")
    sheet = openpyxl.load_workbook(tmp_path / "june.xlsx")[WORDS["records_sheet"]]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:I5"
    assert sheet.column_dimensions["H"].width > 40


def test_an_export_is_logged_with_who_wanted_it_and_without_a_patron(
    library: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "engagement")
    library.enrol(1, member_id="ZQ771", email="zq771@@")
    run(library)
    caplog.clear()
    assert rejects.export(JUNE, tmp_path / "june.xlsx", "anna") == 1
    assert caplog.messages == ["anna exported the 1 rejected records of 2018-06."]


def test_a_file_in_which_somebody_may_have_noted_something_is_not_overwritten(
    library: Any, tmp_path: Path
) -> None:
    run(library)
    with pytest.raises(
        EngagementError, match=r"june\.csv is to be an Excel workbook; let its name"
    ):
        rejects.export(JUNE, tmp_path / "june.csv", "anna")
    (tmp_path / "june.xlsx").write_text("notes")
    with pytest.raises(EngagementError, match=r"june\.xlsx exists already; name another file"):
        rejects.export(JUNE, tmp_path / "june.xlsx", "anna")
    assert (tmp_path / "june.xlsx").read_text() == "notes"


def test_a_place_that_cannot_be_written_is_one_sentence(library: Any, tmp_path: Path) -> None:
    run(library)
    (tmp_path / "file").write_text("")
    with pytest.raises(EngagementError, match=r"june\.xlsx cannot be written: "):
        rejects.export(JUNE, tmp_path / "file" / "june.xlsx", "anna")


def test_what_is_not_published_as_it_was_read_is_not_exported(library: Any, tmp_path: Path) -> None:
    with pytest.raises(EngagementError, match="has no accepted extract"):
        exported(tmp_path)
    library.enrol(1, email=None)
    run(library)
    extract(JUNE, library.source, reread=Reread("read again", "anna"))
    with pytest.raises(
        EngagementError, match="is not published as it was last read; run the tasks"
    ):
        exported(tmp_path)
    assert list(tmp_path.glob("*.xlsx")) == []


def test_an_old_month_whose_records_are_gone_is_not_exported(
    library: Any, store: Any, tmp_path: Path
) -> None:
    run(library)
    store.do("DROP TABLE stage.patron_1")
    with pytest.raises(EngagementError, match="are kept no more"):
        exported(tmp_path)


# The round trip


def test_a_row_that_is_corrected_in_the_library_counts_at_the_next_reading(
    library: Any, clock: Any, tmp_path: Path
) -> None:
    library.enrol(1, member_id="MEND", email=None)
    library.enrol(1, member_id="LATER", email=None)
    june = run(library)
    assert {r["เลขสมาชิก"] for r in records(exported(tmp_path))} == {"MEND", "LATER"}
    library.do("UPDATE autolib.member SET email = 'm@library.example.com' WHERE member_id = 'MEND'")
    clock.at(2018, 8, 1)
    library.stand_at(2018, 7, 31)
    july = run(library, JULY)
    assert (june.real_customers, july.real_customers) == (40, 41)
    assert [r["เลขสมาชิก"] for r in records(exported(tmp_path, JULY))] == ["LATER"]
