"""The executives' mail says what the figures say, and nothing that they do not."""

import io
import itertools
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from operator import itemgetter

import pdf_text
import pytest
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract
from pypdf import PdfReader
from reports import (
    JULY,
    JUNE,
    LETTERHEAD,
    READ_AT,
    WORK,
    content_of,
    item,
    with_groups,
    without_real_customers,
)

from engagement.errors import EngagementError
from engagement.labels import labels
from engagement.monitor import agreement, disclosure, pdf, report, statement
from engagement.monitor.content import ITEMS_SHOWN, percentage
from engagement.monitor.figures import GroupCount
from engagement.monitor.trend import Point
from engagement.monitor.work_items import LIMITS, WorkItems
from engagement.period import Period
from engagement.settings import INCLUDE


class Page(HTMLParser):
    """What a reader sees, the tags that were left open, and what a mail program would fetch."""

    VOID = ("meta", "br", "img", "link", "hr", "input")

    def __init__(self, html):
        super().__init__()
        self.words, self.open, self.links, self.tags, self.widths = [], [], [], set(), []
        self.feed(html)
        self.seen = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.add(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "background") and v]
        if {"main", "other"} & set((values.get("class") or "").split()):
            self.widths.append(values["width"])
        if tag in ("p", "td", "th", "h1", "h2", "br"):
            self.words.append(" ")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open and "title" not in self.open:
            self.words.append(data)


def render(figures, previous=None, work=WORK, language="th", **more):
    return report.render(content_of(figures, previous, work, **more), LETTERHEAD, language)


def both(mail):
    """Return what the HTML and what the text part say, each on one line."""
    return Page(mail.html).seen, " ".join(mail.text.split())


def test_the_subject_is_the_result_of_the_month_on_one_line():
    assert render(JULY, JUNE).subject == (
        "ลูกค้าที่แท้จริง 12,783 รายการ (+700) – รายงานเดือนกรกฎาคม 2561"
    )


def test_the_finding_names_the_base_the_share_and_the_change():
    for said in both(render(JULY, JUNE)):
        assert (
            "ลูกค้าที่แท้จริงมี 12,783 รายการ หรือร้อยละ 21.0 ของระเบียนสมาชิก 61,003 รายการ "
            "เพิ่มขึ้น 700 รายการจากเดือนมิถุนายน 2561"
        ) in said


def test_a_fall_is_called_a_fall():
    fewer = replace(JUNE, period=Period(2018, 7))
    more = replace(JULY, period=Period(2018, 6))
    for said in both(render(fewer, more)):
        assert "ลดลง 700 รายการจากเดือนมิถุนายน 2561" in said
        assert "เพิ่มขึ้น" not in said


def test_an_unchanged_month_is_called_unchanged():
    mail = render(replace(JUNE, period=Period(2018, 7)), JUNE)
    assert "(" not in mail.subject
    for said in both(mail):
        assert "เท่ากับเดือนมิถุนายน 2561" in said
        assert "Compared with June 2018: no change" in said


def test_complete_is_not_taken_for_reachable_and_that_is_said_once_in_each_language():
    for said in both(render(JULY, JUNE)):
        assert said.count("ยังไม่ได้วัด") == 1
        assert said.count("not been measured yet") == 1
        assert "ติดต่อได้" not in said


def test_the_three_figures_have_their_base_and_change():
    html, text = both(render(JULY, JUNE))
    assert "12,783 21.0% จาก 61,003 ระเบียน +700 จากเดือนก่อน" in html
    assert "+700 จากเดือนก่อน (+1.0 จุดร้อยละ)" in text
    assert "12,771 99.9% ของลูกค้าที่แท้จริง 12,783 รายการ +688 จากเดือนก่อน" in html
    assert "4,588 26.4% ของสมาชิกปัจจุบัน 17,371 รายการ −200 จากเดือนก่อน" in html
    assert "ส่งอีเมลหาได้ 12,771 รายการ (99.9% ของลูกค้าที่แท้จริง 12,783 รายการ) +688" in text
    assert "4,588 รายการ (26.4% ของสมาชิกปัจจุบัน 17,371 รายการ) −200" in text


def test_the_funnel_narrows_from_all_records_in_full_width():
    mail = render(JULY, JUNE)
    assert Page(mail.html).widths[:4] == ["100%", "28%", "21%", "21%"]
    html, text = both(mail)
    for step in (
        "ระเบียนสมาชิกทั้งหมด 61,003 · 100.0%",
        "สมาชิกปัจจุบัน 17,371 · 28.5%",
        "ลูกค้าที่แท้จริง 12,783 · 21.0%",
        "ส่งอีเมลหาได้ 12,771 · 20.9%",
    ):
        assert step in html
        assert step in text


def test_every_group_has_its_records_its_real_customers_its_share_and_its_change():
    html, text = both(render(JULY, JUNE))
    assert "นักศึกษาระดับปริญญาตรี 7,000 จาก 25,100 ระเบียน · 27.9% +700" in html
    assert "ศิษย์เก่าและผู้เกษียณอายุราชการ 460 จาก 13,890 ระเบียน · 3.3% −20" in html
    assert "นักศึกษานานาชาติ 350 จาก 903 ระเบียน · 38.8% เท่าเดิม" in html
    for code, group in JULY.by_group.items():
        row = f"{labels().group(code).th} {group.real_customers:,} จาก {group.extracted:,} ระเบียน"
        assert row in html
        assert row in text


def test_unmapped_is_shown_only_where_there_are_any():
    groups = JUNE.by_group | {"unmapped": GroupCount(0, 0), "staff": GroupCount(5_510, 2_300)}
    assert "ยังจัดกลุ่มไม่ได้" in render(JUNE).text
    assert "ยังจัดกลุ่มไม่ได้" not in render(replace(JUNE, by_group=groups)).text


def test_first_reasons_sum_to_the_rejected_and_stand_beside_every_reason():
    html, text = both(render(JULY, JUNE))
    assert "ชื่อ-นามสกุลไม่ครบ 512 3,120" in html
    assert "ชื่อ-นามสกุลไม่ครบ 512 (นับทุกเหตุ 3,120)" in text
    assert "รวม 48,220" in html
    assert "รวม 48,220" in text


def test_a_reason_that_has_no_name_shows_its_code():
    first = JUNE.rejected_by_first_reason | {"email": 4_275, "phone_number": 1}
    every = JUNE.rejected_by_reason | {"phone_number": 40}
    said = both(render(replace(JUNE, rejected_by_first_reason=first, rejected_by_reason=every)))
    assert "phone_number 1 40" in said[0]
    assert "phone_number 1 (นับทุกเหตุ 40)" in said[1]


def test_all_named_groups_and_reasons_are_there_in_both_languages_in_the_fixed_order():
    assert list(labels().groups) == [
        *("staff", "undergraduate", "graduate", "international", "alumni_retired"),
        *("external", "pupil", "unmapped"),
    ]
    assert list(labels().reasons) == [
        *("undecodable", "malformed", "objected", "not_current"),
        *("name", "status", "affiliation", "email"),
    ]
    for label in (*labels().groups.values(), *labels().reasons.values()):
        assert re.search("[ก-ฮ]", label.name("th"))
        assert label.name("en").isascii()


def test_the_quality_note_reconciles_and_says_when_the_data_were_read_and_published():
    for said in both(render(JUNE)):
        assert "60,403 = 12,083 + 48,320" in said
        assert "ณ วันที่ 27 มิถุนายน 2561" in said
        assert "เผยแพร่วันที่ 1 กรกฎาคม 2561 เวลา 00.09 น." in said  # in the library's zone


def test_a_first_month_says_that_there_is_nothing_to_compare_with_and_shows_no_change():
    mail = render(JUNE)
    assert mail.subject == "ลูกค้าที่แท้จริง 12,083 รายการ – รายงานเดือนมิถุนายน 2561"
    for said in both(mail):
        assert "ยังไม่มีตัวเลขของเดือนพฤษภาคม 2561 ให้เปรียบเทียบ" in said
        assert "no figures for May 2018 to compare with" in said
        assert_no_change(said)


def test_a_changed_definition_is_named_and_nothing_is_compared():
    mail = render(replace(JULY, definition="b"), JUNE)
    assert mail.subject == "ลูกค้าที่แท้จริง 12,783 รายการ – รายงานเดือนกรกฎาคม 2561"
    for said in both(mail):
        assert "นิยามของการตรวจเปลี่ยนไปจากเดือนมิถุนายน 2561" in said
        assert "The definition changed since June" in said
        assert_no_change(said)


def assert_no_change(said):
    for word in ("จากเดือนก่อน", "เท่าเดิม", "เพิ่มขึ้น", "ลดลง", "−"):
        assert word not in said
    assert not re.search(r"\+\d", said)


def test_another_month_than_the_one_before_is_not_compared_with():
    with pytest.raises(EngagementError, match="2018-06 or with nothing, not with 2018-05"):
        render(JULY, replace(JUNE, period=Period(2018, 5)))


def test_a_month_without_real_customers_is_said_plainly_and_shows_no_share_of_nobody():
    mail = render(without_real_customers(JULY), JUNE)
    assert mail.subject == "ไม่มีลูกค้าที่แท้จริง – รายงานเดือนกรกฎาคม 2561"
    for said in both(mail):
        assert "เดือนนี้ไม่มีลูกค้าที่แท้จริง ระเบียนสมาชิกทั้ง 61,003 รายการไม่ผ่านการตรวจ" in said
        assert "จากลูกค้าที่แท้จริง 0 รายการ" in said
        assert "none of the 61,003 patron records passed" in said
        assert "61,003 = 0 + 61,003" in said


CONTRADICTIONS = {
    "real customers and rejected": {"extracted": 60_404},
    "first reasons": {"rejected_by_first_reason": JUNE.rejected_by_first_reason | {"name": 511}},
    "the groups' records": {"by_group": JUNE.by_group | {"staff": GroupCount(5_011, 2_300)}},
    "the groups' real customers": {"by_group": JUNE.by_group | {"staff": GroupCount(5_010, 2_301)}},
    "lack data": {"current": 40_000},
    "a later step": {"mailable": 12_084},
    "larger than an earlier": {"real_persons": 12_084},
    "12,083 real customers are no persons": {"real_persons": 0},
    "than the reason itself": {"rejected_by_reason": JUNE.rejected_by_reason | {"name": 511}},
    "more records than were rejected": {
        "rejected_by_reason": JUNE.rejected_by_reason | {"email": 48_321}
    },
    "more real customers than records": {
        "by_group": JUNE.by_group
        | {"unmapped": GroupCount(499, 500), "staff": GroupCount(5_011, 1_800)}
    },
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_totals_that_contradict_each_other_make_no_report_but_one_sentence(what):
    wrong = replace(JUNE, **CONTRADICTIONS[what])
    with pytest.raises(EngagementError, match=what) as raised:
        render(wrong)
    assert "2018-06" in str(raised.value)
    with pytest.raises(EngagementError, match="2018-06"):
        render(JULY, wrong)


@pytest.mark.parametrize(
    "points",
    [
        (),
        (Point(Period(2018, 5), 12_083),),
        (Point(Period(2018, 6), None),),
        (Point(Period(2018, 5), 12_083), Point(Period(2018, 6), 12_084)),
    ],
)
def test_a_trend_that_does_not_end_with_the_months_real_customers_makes_no_report(points):
    agreement.require_trend((Point(Period(2018, 5), None), Point(Period(2018, 6), 12_083)), JUNE)
    said = "2018-06 contradict each other: the trend does not end with its 12,083 real customers"
    with pytest.raises(EngagementError, match=said):
        agreement.require_trend(points, JUNE)


def test_a_group_of_one_person_is_hidden_and_cannot_be_worked_out_from_the_rest():
    html, text = both(render(with_groups(JULY, pupil=1), JUNE))
    assert "นักเรียน ไม่แสดง" in html
    assert "นักเรียน ไม่แสดง" in text
    assert "นักศึกษานานาชาติ ไม่แสดง" in text  # the next larger: 350
    assert html.count("ไม่แสดง") == text.count("ไม่แสดง") == 3  # and the sentence that explains it
    assert "2,000" not in text  # nor do the group's records bound it


def test_a_group_that_was_hidden_last_month_shows_no_change_that_gives_it_away():
    text = render(JULY, with_groups(JUNE, pupil=1)).text
    (pupil,) = (line for line in text.splitlines() if line.startswith("- นักเรียน"))
    assert pupil == "- นักเรียน 323 จาก 2,000 ระเบียน · 16.2%"
    assert "- บุคลากร 2,320 จาก 5,010 ระเบียน · 46.3% +20" in text.splitlines()


def test_groups_that_nobody_could_be_recognised_in_are_all_shown():
    assert disclosure.hidden({"a": 0, "b": 5, "c": 6_000}) == frozenset()
    assert "ไม่แสดง" not in render(JULY, JUNE).text.replace("ไม่แสดงการเปลี่ยนแปลง", "")


def test_even_a_reader_who_knows_the_rule_cannot_work_out_a_small_group():
    """Every table of four groups up to 13: what is visible fits at least two sizes of each hidden group."""
    possible = {}
    for counts in itertools.product(range(14), repeat=4):
        hidden = disclosure.hidden(dict(enumerate(counts)))
        shown = tuple(None if i in hidden else n for i, n in enumerate(counts))
        possible.setdefault((shown, sum(counts)), []).append(counts)
    checked = 0
    for (shown, _), tables in possible.items():
        for group, count in enumerate(shown):
            sizes = {table[group] for table in tables}
            if count is None and min(sizes) <= disclosure.SMALL:
                checked += 1
                assert len(sizes) > 1, (shown, tables)
    assert checked > 100


def test_a_group_is_hidden_too_where_a_handful_of_its_records_are_no_real_customers():
    groups = {"pupil": GroupCount(1, 0), "external": GroupCount(431, 430)}
    groups |= {"unmapped": GroupCount(500 + 1_999 + 1_969, 323)}
    content = content_of(replace(JULY, by_group=JULY.by_group | groups))
    shown = {row.code: row.figure for row in content.groups}
    assert shown["pupil"] is None
    assert shown["external"] is None
    assert shown["international"] is None  # beside them: 553 others
    assert shown["staff"] is not None
    told = {row.about for row in statement.rows(content)}
    assert not told & {"2018-07 pupil", "2018-07 external", "2018-07 international"}


def test_no_handful_of_a_group_can_be_worked_out_from_its_real_customers_others_or_records():
    """Every library of three groups: what is visible fits at least two sizes of each hidden handful."""
    cells = list(itertools.product(range(8), repeat=2))  # real customers and others of a group
    rows = {real: _hidden_of(real) for real in itertools.product(range(8), repeat=3)}
    possible = {}
    for groups in itertools.product(cells, repeat=3):
        real, others = zip(*groups, strict=True)
        hidden = rows[real] | rows[others]
        shown = tuple(None if i in hidden else group for i, group in enumerate(groups))
        possible.setdefault((shown, sum(real), sum(others)), []).append(groups)
    for (shown, *_), libraries in possible.items():
        for place, group in enumerate(shown):
            if group is not None:
                assert not any(1 <= count <= disclosure.SMALL for count in (*group, sum(group)))
                continue
            for count in (itemgetter(0), itemgetter(1), sum):
                sizes = {count(library[place]) for library in libraries}
                assert len(sizes) > 1 or not 1 <= sizes.pop() <= disclosure.SMALL, libraries


def _hidden_of(counts):
    return disclosure.hidden(dict(enumerate(counts)))


def small_library(*, lacking=(1, 0)):
    """Return a library of 50: nobody can be found among its groups; of these lack a name, an e-mail address."""
    first = {"objected": 5, "not_current": 8, "name": lacking[0], "email": lacking[1]}
    rejected = sum(first.values())
    return replace(
        JUNE,
        extracted=50,
        current=37,
        real_customers=50 - rejected,
        real_persons=50 - rejected,
        mailable=50 - rejected,
        rejected=rejected,
        rejected_by_first_reason=first,
        rejected_by_reason=first,
        by_group={code: GroupCount(0, 0) for code in JUNE.by_group}
        | {"staff": GroupCount(50, 50 - rejected)},
    )


def test_in_a_small_library_a_handful_hides_how_many_fail_for_each_reason():
    content = content_of(small_library(lacking=(6, 1)))
    reasons = [(row.code, row.first, row.every) for row in content.rejections]
    assert reasons == [(c, None, None) for c in ("objected", "not_current", "name", "email")]
    assert not [row for row in statement.rows(content) if row.name.startswith("rejected_")]
    assert pdf_says(content).count("not shown") == 8


def test_reasons_are_shown_where_there_is_no_handful_or_the_library_is_large():
    enough = content_of(small_library(lacking=(6, 7))).rejections
    assert [row.first for row in enough] == [5, 8, 6, 7]
    first = JUNE.rejected_by_first_reason | {"name": 1, "email": 4_787}
    large = content_of(replace(JUNE, rejected_by_first_reason=first)).rejections
    assert [row.first for row in large] == [61, 43_471, 1, 4_787]


def pdf_says(content):
    pages = PdfReader(io.BytesIO(pdf.render(content, LETTERHEAD, "en"))).pages
    return " ".join(" ".join(pdf_text.read(page) for page in pages).split())


def test_a_percentage_needs_a_base_of_thirty():
    assert percentage(10, 29) is None
    assert percentage(10, 30) == pytest.approx(33.33, abs=0.01)
    groups = JUNE.by_group | {"pupil": GroupCount(29, 12), "staff": GroupCount(6_981, 2_611)}
    for said in both(render(replace(JUNE, by_group=groups))):
        assert re.search(r"นักเรียน 12 จาก 29 ระเบียน (?!·)", said)
        assert "กลุ่มที่มีไม่ถึง 30 ระเบียนแสดงเป็นจำนวน" in said


def test_work_items_stand_in_their_section_with_owner_status_and_progress():
    work = WorkItems(
        (
            item("ตรวจคุณภาพข้อมูล", "routine", "ตามกำหนด"),
            item("AR Brochure", "finished", "แล้วเสร็จ", 100),
            item("KKUL Digital Badge", progress=60, owner="งานบริการ"),
        ),
        (),
        READ_AT,
    )
    html, text = both(render(JUNE, work=work))
    for said in (html, text):
        places = [
            said.index(word)
            for word in (
                *("งานประจำ", "ตรวจคุณภาพข้อมูล", "งานใหม่ที่ดำเนินการแล้วเสร็จ", "AR Brochure"),
                *("งานที่กำลังดำเนินการ", "KKUL Digital Badge", "คุณภาพของข้อมูล"),
            )
        ]
        assert places == sorted(places)
        assert "100%" not in said.split("AR Brochure")[1]
    assert "KKUL Digital Badge งานบริการ กำลังดำเนินการ ก้าวหน้า 60%" in html
    assert "KKUL Digital Badge: กำลังดำเนินการ ก้าวหน้า 60% (งานบริการ)" in text


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}",
        '=HYPERLINK("https://evil.example.org")',
        "</td></table>",
    ],
)
def test_what_a_librarian_types_stays_text(typed):
    fields = {"title": typed, "status": typed, "owner": typed}
    fields |= {"decided": typed, "decided_by": typed, "decided_on": date(2018, 7, 5)}
    mail = render(JUNE, work=WorkItems((item(**fields),), (typed,), READ_AT))
    page = Page(mail.html)
    assert page.seen.count(typed) == 6
    assert page.open == []
    assert not page.tags & {"script", "img"}
    assert mail.text.count(typed) == 6


def test_less_than_a_tenth_of_a_per_cent_is_text_in_the_page_too():
    first = {"not_current": 48_315, "email": 5}
    every = JUNE.rejected_by_reason | {"not_current": 48_315}
    figures = replace(JUNE, current=12_088, rejected_by_reason=every)
    mail = render(replace(figures, rejected_by_first_reason=first))
    assert "5 <0.1% ของสมาชิกปัจจุบัน" in Page(mail.html).seen
    assert "&lt;0.1%" in mail.html
    assert "<0.1%" in mail.text


def test_a_section_without_work_says_so():
    for said in both(render(JUNE)):
        assert said.count("ไม่มีรายการในเดือนนี้") == 3


def test_work_that_could_not_be_read_is_not_called_no_work():
    work = WorkItems((), ("ไม่พบไฟล์รายการงาน งาน.xlsx",), READ_AT, readable=False)
    for said in both(render(JUNE, work=work)):
        assert "เดือนนี้อ่านรายการงานไม่ได้" in said
        assert "ไม่พบไฟล์รายการงาน งาน.xlsx" in said
        assert "ไม่มีรายการในเดือนนี้" not in said


def test_a_file_name_stays_text():
    work = WorkItems((), ("ไม่พบไฟล์รายการงาน <b>.xlsx",), READ_AT, readable=False)
    assert "ไม่พบไฟล์รายการงาน <b>.xlsx" in Page(render(JUNE, work=work).html).seen


def test_cells_that_could_not_be_read_are_named_and_many_are_counted():
    work = WorkItems((), tuple(f"ช่อง B{n} ไม่ใช่ด้าน" for n in range(2, 8)), READ_AT)
    for said in both(render(JUNE, work=work)):
        assert "ช่อง B4 ไม่ใช่ด้าน" in said
        assert "ช่อง B5" not in said
        assert "และอีก 3 แห่ง" in said


def test_a_long_list_of_work_is_cut_and_the_rest_counted():
    work = WorkItems(tuple(item(f"งานที่ {n}.") for n in range(1, 2001)), (), READ_AT)
    mail = render(JUNE, work=work)
    for said in both(mail):
        assert "งานที่ 8." in said
        assert "งานที่ 9." not in said
        assert "และอีก 1,992 รายการ" in said


def test_the_mail_fetches_nothing_fits_and_is_marked_as_thai():
    full = tuple(
        item("&" * LIMITS["title"], section, "&" * LIMITS["status"], 50, "&" * LIMITS["owner"])
        for section in ("routine", "finished", "ongoing")
        for _ in range(ITEMS_SHOWN + 1)
    )
    work = WorkItems(full, ("ค" * 100,) * 9, READ_AT)
    mail = render(JULY, JUNE, work)
    page = Page(mail.html)
    assert page.open == []
    assert page.links == ["cid:trend", "mailto:report@library.example.org"]  # its own picture
    assert "url(" not in mail.html
    assert "@import" not in mail.html
    assert mail.html.startswith("<!DOCTYPE html>")
    assert '<html lang="th"' in mail.html
    assert len(mail.html.encode()) < 102_400


def test_html_and_text_give_the_same_numbers():
    mail = render(JULY, JUNE)
    html, text = both(mail)
    numbers = re.compile(r"\d{1,3}(?:,\d{3})+|\d+\.\d%")
    assert len(set(numbers.findall(text))) > 30
    assert set(numbers.findall(text)) == set(numbers.findall(html))


def test_thai_is_spelled_with_whole_letters_and_reads_without_markup():
    mail = render(JULY, JUNE)
    for said in (mail.subject, mail.html, mail.text):
        assert "\u0e4d" not in said  # a sara am broken into nikhahit and sara aa
        assert not re.search("[ก-ฮ] า", said)
    assert "<" not in mail.text
    assert "&" not in mail.text
    assert "None" not in mail.html + mail.text


def test_the_same_figures_and_work_make_the_same_mail_on_any_day():
    later = replace(WORK, read_at=datetime(2018, 9, 1, tzinfo=UTC))
    assert render(JULY, JUNE, WORK) == render(JULY, JUNE, later)


def test_every_sentence_of_the_templates_is_in_the_thai_catalogue_and_no_other():
    options = {"trimmed": "true", "newstyle_gettext": "true"}
    used = {
        sentence if isinstance(sentence, str) else sentence[0]
        for path in (INCLUDE / "templates").glob("*/*.j2")
        for _, _, sentence, _ in babel_extract(
            path.open("rb"), ["gettext", "_", "ngettext"], [], options
        )
    }
    for path in (INCLUDE / "engagement" / "monitor").glob("*.py"):
        used |= {found[2] for found in extract_python(path.open("rb"), ["gettext"], [], {})}
    with (INCLUDE / "locales" / "th.po").open("rb") as file:
        known = {
            message.id[0] if message.pluralizable else message.id: message.string
            for message in read_po(file)
            if message.id
        }
    assert len(used) > 50
    assert used == known.keys()
    assert all(known.values())


def test_the_english_edition_says_the_same_in_english():
    mail = render(JULY, JUNE, language="en")
    assert mail.subject == "12,783 real customers (+700) – report for July 2018"
    for said in both(mail):
        assert "12,783 real customers, 21.0% of 61,003 patron records" in said
        assert "700 more than in June 2018" in said
        assert "99.9% of 12,783 real customers" in said
        assert "English summary" not in said
    counts = [set(re.findall(r"\d+,\d{3}", one.text)) for one in (mail, render(JULY, JUNE))]
    assert counts[0] == counts[1]


def test_a_number_is_not_parted_from_what_it_counts_and_no_mark_of_that_is_left():
    mail = render(JULY, JUNE)
    assert re.search(r'nowrap;?">ร้อยละ 21\.0</span>', mail.html)
    for part in (mail.subject, mail.text, mail.html):
        assert not re.search("[\ue000-\uf8ff⟦⟧]", part)
