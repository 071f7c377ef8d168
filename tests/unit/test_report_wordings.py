"""What the executives' mail says when there is something to decide, to compare or to ask, and when there is not."""

import re
from dataclasses import replace
from datetime import date, datetime

import pytest
from reports import (
    CUT_AT,
    DECISIONS,
    JULY,
    JUNE,
    LETTERHEAD,
    NEWS,
    REACHABLE,
    SAID,
    STOPPED,
    WORK,
    content_of,
    decision,
    full,
    item,
    without_real_customers,
)
from test_report import both

from engagement.labels import Label
from engagement.monitor import report, statement
from engagement.monitor.distribution import Targets
from engagement.monitor.figures import GroupCount
from engagement.monitor.findings import Choice, Finding
from engagement.monitor.statement import Revision
from engagement.monitor.trend import Point
from engagement.monitor.work_items import LIMITS, WorkItems
from engagement.period import Period
from engagement.settings import INCLUDE


def said_of(content, language="th"):
    return both(report.render(content, LETTERHEAD, language))


def july(work=WORK, said=SAID, **more):
    return content_of(JULY, JUNE, work, said, **more)


def in_order(said, *words):
    places = [said.index(word) for word in words]
    assert places == sorted(places)


def test_the_report_keeps_its_order_from_the_finding_to_the_contact():
    for said in said_of(full()):
        in_order(
            said[said.index("ประจำเดือนกรกฎาคม 2561") :],
            "ยังไม่ถึงเป้าหมาย",
            "1. คงเวลาโพสต์",
            "จากสมาชิกทั้งหมดถึงผู้ที่ส่งอีเมลหาได้",
            "ลูกค้าที่แท้จริง แยกตามกลุ่ม",
            "สาเหตุที่ระเบียนไม่ผ่านการตรวจ",
            "แบบสำรวจการรับรู้ข่าวสาร",
            "แบบสำรวจเวลาเปิดบริการ",
            "อีเมลถึงผู้รับจริงเท่าใด",
            "ลูกค้าที่แท้จริงย้อนหลัง 12 เดือน",
            "งานใหม่ที่ดำเนินการแล้วเสร็จ",
            "คุณภาพของข้อมูล",
            "English summary In July",
            "รอบการทำงาน test",
        )


def test_the_subject_names_the_result_and_how_many_decisions_are_wanted():
    assert report.render(july(DECISIONS), LETTERHEAD, "th").subject == (
        "ลูกค้าที่แท้จริง 12,783 รายการ (+700) · เรื่องที่ขอให้ตัดสินใจ 3 เรื่อง – รายงานเดือนกรกฎาคม 2561"
    )
    assert report.render(july(DECISIONS), LETTERHEAD, "en").subject == (
        "12,783 real customers (+700) · Decisions wanted: 3 – report for July 2018"
    )


def test_decisions_have_owner_and_deadline_and_the_overdue_comes_first():
    for said in said_of(july(DECISIONS)):
        in_order(
            said[said.index("1. ") :],
            "1. คงเวลาโพสต์ 16.00-20.00 น. ตลอดภาคการศึกษาหรือไม่",
            "ขอผลภายในวันที่ 3 สิงหาคม 2561 เลยกำหนดมา 4 วัน",
            "ผู้รับผิดชอบ ภารกิจประชาสัมพันธ์",
            "รอพิจารณามา 34 วัน",
            "2. เปิดให้สมาชิกที่อีเมลตีกลับ",
            "ขอผลภายในวันที่ 15 สิงหาคม 2561",
            "3. เปิดใช้ระบบ KKUL Digital Badge",
            "ขอผลภายในวันที่ 31 สิงหาคม 2561",
            "แจ้งผลการพิจารณาที่ report@library.example.org",
        )


def test_of_more_than_three_decisions_three_are_shown_and_the_rest_counted():
    many = [decision(n, f"เรื่องที่ {n}.", date(2018, 9, n)) for n in range(1, 7)]
    content = july(WorkItems(tuple(reversed(many)), (), CUT_AT))
    for said in said_of(content):
        assert "เรื่องที่ขอให้ตัดสินใจ 6 เรื่อง" in said
        in_order(said, "1. เรื่องที่ 1.", "2. เรื่องที่ 2.", "3. เรื่องที่ 3.", "และอีก 3 รายการ")
        assert "เรื่องที่ 4." not in said


def test_a_month_without_decisions_says_so_and_its_subject_keeps_silent():
    for said in said_of(july()):
        assert "เดือนนี้ไม่มีเรื่องที่ขอให้ตัดสินใจ" in said
    assert "ตัดสินใจ" not in report.render(july(), LETTERHEAD, "th").subject


def test_what_was_decided_stands_beside_its_work():
    taken = item(
        "เวลาเปิดห้องอ่าน",
        "routine",
        decided="เปิดถึงเที่ยงคืน",
        decided_by="ผู้อำนวยการ",
        decided_on=date(2018, 7, 20),
    )
    for said in said_of(july(WorkItems((taken,), (), CUT_AT))):
        assert "ตัดสินใจแล้ว: เปิดถึงเที่ยงคืน (ผู้อำนวยการ 20 กรกฎาคม 2561)" in said


def test_a_survey_has_its_own_funnel_rates_and_findings():
    for said in said_of(july(surveys=(NEWS,))):
        assert "ตั้งแต่วันที่ 9 กรกฎาคม 2561 ถึงวันที่ 18 กรกฎาคม 2561 ปิดแล้ว" in said
        assert "ที่อยู่อีเมลใช้ไม่ได้แล้ว 893 คน, ส่งไม่ถึงเพราะเหตุอื่น 3 คน" in said
        assert "ไม่แน่ชัด" not in said
        assert "57.0% (893 จากอีเมลที่ส่ง 1,567), ช่วงความเชื่อมั่น 95% 54.6 ถึง 59.4" in said
        assert "25.4% (398 จากผู้ได้รับเชิญ 1,567)" in said
        assert "59.3% (398 จากผู้ที่อีเมลส่งถึง 671)" in said
        assert "ไม่รวมผลจากผู้ที่ไม่ตอบ" in said
        for finding in (
            "นักศึกษาระดับปริญญาตรี 51.8%",
            "อินเทอร์เน็ตและสื่อสังคมออนไลน์ 75.1%",
            "สื่อวิทยุ 0.3%",
            "16.00-20.00 น. 45.5%",
        ):
            assert finding in said
        assert "80.7%" in said  # who are satisfied


def test_the_survey_is_among_the_three_figures_on_top_and_in_the_finding():
    html, text = said_of(july(surveys=(NEWS,)))
    assert "อีเมลตีกลับ 57.0% 893 จากอีเมลที่ส่ง 1,567" in html
    assert "ตอบแบบสำรวจ 25.4% 398 จากผู้ได้รับเชิญ 1,567" in html
    for said in (html, text):
        assert "จากผู้ได้รับเชิญตอบแบบสำรวจ 1,567 คน อีเมลตีกลับถาวร 893 คน และตอบ 398 คน" in said


def test_a_survey_that_nobody_answered_takes_one_line():
    for said in said_of(july(surveys=(STOPPED,))):
        assert "ได้รับเชิญ 100 คน อีเมลส่งถึง 39 คน ไม่มีผู้ตอบ" in said
        assert "กลุ่มที่ใช้สุ่ม" not in said
        assert "ตอบแบบสำรวจ: " not in said


def test_once_it_is_measured_the_finding_says_how_many_mail_reaches():
    for said in said_of(july(surveys=(NEWS,), reachable=REACHABLE)):
        assert "mail reaches an estimated 43.0%." in said
        assert "อีเมลส่งถึงจริงประมาณร้อยละ 43.0 (40.7 ถึง 45.3) ของผู้ที่ส่งอีเมลหาได้" in said


def test_a_stopped_survey_is_called_stopped_and_an_open_one_open():
    for said in said_of(july(surveys=(STOPPED,))):
        assert "เริ่มวันที่ 9 กรกฎาคม 2561 และหยุดส่งไว้" in said
    for said in said_of(july(surveys=(replace(NEWS, stand="open"),))):
        assert "ยังไม่ปิด ตัวเลขจะเปลี่ยนอีก" in said
    for said in said_of(july(surveys=(replace(STOPPED, stand="closed"),))):
        assert "ปิดแล้ว หลังจากหยุดส่งก่อนกำหนด" in said


def test_a_survey_with_three_answers_shows_how_many_and_nothing_that_they_said():
    few = replace(NEWS, counts=replace(NEWS.counts, answered=3), findings=(), unshown="few")
    for said in said_of(july(surveys=(few,))):
        assert "ผู้ตอบมีน้อยเกินกว่าจะแสดงคำตอบได้" in said


def test_a_survey_that_is_open_says_when_it_shows_what_people_said():
    for said in said_of(july(surveys=(replace(NEWS, stand="open", findings=(), unshown="open"),))):
        assert "คำตอบจะแสดงเมื่อแบบสำรวจปิดแล้ว" in said
        assert "ผู้ตอบมีน้อยเกินกว่า" not in said


def test_what_was_asked_in_other_words_is_not_shown_and_nobody_reads_that_few_answered():
    for said in said_of(july(surveys=(replace(NEWS, findings=(), unshown="changed"),))):
        assert "ไม่แสดงคำตอบ เพราะคำอธิบายแบบสำรวจหรือแบบฟอร์มไม่มีอยู่แล้ว" in said
        assert "ผู้ตอบมีน้อยเกินกว่า" not in said


def test_hidden_answers_and_small_bases_show_no_percentage():
    choices = (
        Choice(Label("ก", "a"), 15, None),
        Choice(Label("ข", "b"), None, None),
    )
    finding = Finding("q", "choice", Label("คำถาม", "Question"), 20, choices)
    for said in said_of(july(surveys=(replace(NEWS, findings=(finding,)),))):
        assert "ก 15" in said
        assert "ข ไม่แสดง" in said


def test_a_scale_of_three_points_shows_its_points():
    points = (Choice(Label("ดี", "Good"), 60, 60.0), Choice(Label("แย่", "Bad"), 40, 40.0))
    finding = Finding("q", "scale", Label("บริการ", "Service"), 100, points)
    for said in said_of(july(surveys=(replace(NEWS, findings=(finding,)),))):
        assert "ดี 60.0%" in said
        assert "แย่ 40.0%" in said


def test_a_change_of_the_survey_is_shown_only_where_it_is_one():
    other = Label("แบบสำรวจปีก่อน", "Last year's survey")
    changed = replace(NEWS, before=other, bounced=replace(NEWS.bounced, points=-4.2))
    for said in said_of(july(surveys=(changed,))):
        assert said.count("(−4.2 จุดร้อยละ)") == 2  # on top, and with the survey
        assert "การเปลี่ยนแปลงเทียบกับ “แบบสำรวจปีก่อน”" in said


def test_a_month_without_a_survey_says_so_and_has_the_patrons_figures_on_top():
    for said in said_of(july()):
        assert "เดือนนี้ไม่มีแบบสำรวจ" in said
        assert "ข้อมูลครบไม่ได้หมายความว่าอีเมลส่งถึงผู้รับ ซึ่งยังไม่ได้วัด" in said
        assert "ผู้ได้รับเชิญ" not in said


def test_who_is_reached_is_an_estimate_with_interval_sample_and_date():
    for said in said_of(july(surveys=(NEWS,), reachable=REACHABLE)):
        assert (
            "อีเมลส่งถึงประมาณ 5,146 คน (ช่วงความเชื่อมั่น 95% 4,871 ถึง 5,422) จากกลุ่มที่ใช้สุ่ม 11,968 คน ของเดือนมิถุนายน 2561"
        ) in said
        assert "ของตัวอย่าง 1,567 คน ที่สุ่มเมื่อวันที่ 8 กรกฎาคม 2561" in said
        assert "ยังไม่ได้วัด" not in said


def test_a_change_below_the_librarys_threshold_is_called_about_the_same_and_still_counted():
    calm = SAID.model_copy(update={"about_the_same_pct": 10})
    for said in said_of(july(said=calm)):
        assert "ใกล้เคียงกับเดือนมิถุนายน 2561 (+700)" in said
        assert "ใกล้เคียงเดือนก่อน (+700)" in said
        assert "เพิ่มขึ้น 700" not in said
        assert "คือการเปลี่ยนแปลงไม่ถึง 10%" in said


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ({"real_customers_pct": 25}, "ยังไม่ถึงเป้าหมาย (ตั้งไว้ 25% ขึ้นไป)"),
        ({"real_customers_pct": 20}, "ถึงเป้าหมายแล้ว (ตั้งไว้ 20% ขึ้นไป)"),
        ({"bounced_pct": 5}, "สูงกว่าเกณฑ์ (กำหนดไม่เกิน 5%)"),
        ({"bounced_pct": 60}, "อยู่ในเกณฑ์ (กำหนดไม่เกิน 60%)"),
        ({"answered_pct": 25.4}, "ถึงเป้าหมายแล้ว (ตั้งไว้ 25.4% ขึ้นไป)"),
    ],
)
def test_a_target_is_said_in_words_met_or_not(targets, words):
    said = SAID.model_copy(update={"targets": Targets(**targets)})
    for part in said_of(july(said=said, surveys=(NEWS,))):
        assert words in part
        assert part.count("(ตั้งไว้") + part.count("(กำหนด") == 1


def test_exactly_the_librarys_threshold_is_a_change():
    at = SAID.model_copy(update={"about_the_same_pct": 100 * 700 / 12_083})
    assert "เพิ่มขึ้น 700 รายการ" in report.render(july(said=at), LETTERHEAD, "th").text


def test_a_missing_month_is_no_first_month():
    points = (
        Point(Period(2018, 5), 11_900),
        Point(Period(2018, 6), None),
        Point(JULY.period, 12_783),
    )
    for said in said_of(content_of(JULY, points=points)):
        assert "ไม่มีตัวเลขของเดือนมิถุนายน 2561" in said
        assert "The figures for June 2018 are missing, so nothing is compared." in said
        assert "ยังไม่มีตัวเลข" not in said
        assert "จากเดือนก่อน" not in said
        assert "มิถุนายน 2561 ไม่มีการเผยแพร่" in said


def test_what_an_earlier_report_said_otherwise_is_named():
    late = Revision("answered", None, NEWS.title, 380, 398)
    again = Revision("real_customers", Period(2018, 6), None, 12_080, 12_083)
    names = ("extracted", "current", "mailable", "incomplete", "hard_bounced", "delivered")
    others = (Revision(name, JUNE.period, None, 1, 2) for name in names)
    for said in said_of(july(revisions=(late, again, *others))):
        assert "ข้อมูลยังไม่ครบ มิถุนายน 2561 คือ 2 ไม่ใช่ 1" in said
        assert "ตอบแบบสำรวจ แบบสำรวจการรับรู้ข่าวสารของสำนักหอสมุด คือ 398 ไม่ใช่ 380" in said
        assert "ลูกค้าที่แท้จริง มิถุนายน 2561 คือ 12,083 ไม่ใช่ 12,080" in said


def test_the_report_before_is_held_against_what_is_published_now():
    told = {
        ("trend_real_customers", "2018-05"): 12_000.0,
        ("trend_real_customers", "2018-06"): 12_083.0,
        ("incomplete", "2018-06"): 4_780.0,
        ("answered", NEWS.campaign): 380.0,
    }
    may, june = Point(Period(2018, 5), 11_000), Point(JUNE.period, 12_083)
    campaigns = {NEWS.campaign: (NEWS.title, NEWS.counts)}
    assert statement.revisions(told, JUNE, (may, june), campaigns) == (
        Revision("real_customers", Period(2018, 5), None, 12_000, 11_000),
        Revision("incomplete", JUNE.period, None, 4_780, 4_788),
        Revision("answered", None, NEWS.title, 380, 398),
    )
    assert statement.revisions({}, JUNE, (may, june), {}) == ()


def test_where_the_list_could_not_be_read_nobody_is_told_that_nothing_is_to_decide():
    unread = WorkItems((), ("ไม่พบไฟล์",), CUT_AT, readable=False)
    half = WorkItems((), ("ช่อง H4 ไม่ใช่วันที่",), CUT_AT)
    for said in said_of(july(unread)):
        assert "ไม่ทราบว่ามีเรื่องที่ขอให้ตัดสินใจหรือไม่" in said
        assert "ไม่มีเรื่องที่ขอให้ตัดสินใจ" not in said
    for said in said_of(july(half)):
        assert "ไม่พบเรื่องที่ขอให้ตัดสินใจ แต่อ่านรายการงานได้ไม่ครบ" in said
    for said in said_of(july(half), "en"):
        assert "Places that could not be read: 1." in said
        assert "ช่อง H4" not in said


def test_one_day_is_one_day():
    late = WorkItems((decision(1, "Go on?", date(2018, 8, 6)),), (), CUT_AT)
    late = replace(late, first_filed={"D1": date(2018, 8, 6)})
    for said in said_of(july(late), "en"):
        assert "was due on 6 August 2018, overdue for 1 day " in said
        assert "open for 1 day" in said
        assert "1 days" not in said


def test_a_small_librarys_reasons_are_not_shown_where_a_handful_has_one():
    small = replace(
        JUNE, extracted=60, current=40, real_customers=30, real_persons=30, mailable=30, rejected=30,
        rejected_by_reason={"not_current": 20, "name": 2, "email": 10},
        rejected_by_first_reason={"not_current": 20, "name": 2, "email": 8},
        by_group={code: GroupCount(0, 0) for code in JUNE.by_group} | {"staff": GroupCount(60, 30)},
    )  # fmt: skip
    html, text = said_of(content_of(small))
    assert "ชื่อ-นามสกุลไม่ครบ ไม่แสดง ไม่แสดง" in html
    assert "ชื่อ-นามสกุลไม่ครบ ไม่แสดง -" in text


def test_a_month_in_which_nothing_was_read_says_so():
    nothing = replace(
        without_real_customers(JULY),
        extracted=0, current=0, rejected=0, rejected_by_reason={}, rejected_by_first_reason={},
        by_group={code: GroupCount(0, 0) for code in JULY.by_group},
    )  # fmt: skip
    for said in said_of(content_of(nothing)):
        assert "เดือนนี้ไม่มีระเบียนสมาชิกที่อ่านได้" in said
        assert "ไม่มีระเบียนให้ตรวจ" in said
        assert "ทุกระเบียนผ่านการตรวจ" not in said


def test_nobody_a_real_customer_for_one_reason_is_explained():
    every = {"email": JULY.extracted}
    nobody = replace(
        without_real_customers(JULY), rejected_by_reason=every, rejected_by_first_reason=every,
        current=JULY.extracted, rejected=JULY.extracted,
    )  # fmt: skip
    for said in said_of(content_of(nobody, surveys=(NEWS,), reachable=REACHABLE), "en"):
        assert "No record has" in said
        assert ".;" not in said


def test_a_list_that_cannot_be_read_now_is_shown_as_it_was_read_last():
    read_at = datetime(2018, 7, 20, 9, tzinfo=CUT_AT.tzinfo)
    broken = replace(DECISIONS, stale=("<b>.xlsx",), last_good_at=read_at)
    for said in said_of(july(broken)):
        assert "อ่านไฟล์รายการงาน <b>.xlsx ไม่ได้" in said
        assert "ไม่ได้แสดงข้างต้น" not in said
        assert "เมื่อวันที่ 20 กรกฎาคม 2561 เวลา 16.00 น." in said
        assert "1. คงเวลาโพสต์" in said
    for said in said_of(july(replace(broken, items=())), "en"):
        assert "No decision was found, and part of the list of work could not be read." in said
    for said in said_of(july(replace(broken, stale=("ก.xlsx", "ข.xlsx")))):
        assert "อ่านไฟล์รายการงานเหล่านี้ไม่ได้: ก.xlsx, ข.xlsx ที่แสดง" in said
        assert "เก่าที่สุดเมื่อวันที่ 20 กรกฎาคม 2561" in said


def test_months_before_a_changed_definition_are_marked_in_the_trend():
    points = (
        Point(Period(2018, 5), 11_900),
        Point(JUNE.period, 12_083),
        Point(JULY.period, 12_783, True),
    )
    for said in said_of(july(points=points)):
        assert "≠ กรกฎาคม 2561 12,783" in said
        assert "ตั้งแต่เดือนที่มีเครื่องหมาย ≠" in said


def test_every_count_of_the_mail_is_kept_as_a_figure_with_its_source_once():
    content = full()
    rows = statement.rows(content)
    assert len({(row.name, row.about) for row in rows}) == len(rows)
    assert all(row.source for row in rows)
    kept = {
        f"{number:,.0f}" for row in rows for number in (row.value, row.base) if number is not None
    }
    changes = {f"{abs(f.change):,}" for f in content.funnel.values() if f.change is not None}
    changes |= {f"{abs(g.figure.change):,}" for g in content.groups if g.figure and g.figure.change}
    changes |= {f"{abs(content.incomplete.change):,}"} | {f"{n:,}" for n in REACHABLE.people}
    shown = set(
        re.findall(
            r"(?<![\d.])\d{1,3}(?:,\d{3})+(?!\d)", report.render(content, LETTERHEAD, "en").text
        )
    )
    assert len(shown) > 20
    assert shown - kept <= changes


def test_a_kept_figure_has_its_base_its_interval_and_a_statement_that_there_is():
    rows = {(row.name, row.about): row for row in statement.rows(full())}
    staff = rows["group_real_customers", "2018-07 staff"]
    assert (staff.value, staff.base, staff.unit) == (2_320, 5_010, "records")
    lacking = rows["incomplete", "2018-07"]
    assert (lacking.value, lacking.base) == (4_588, 17_371)
    assert rows["rejected_first", "2018-07 email"].base == 61_003
    assert rows["answered", "news-2018-07"].base == 1_567
    bounced = rows["bounced_share", "news-2018-07"]
    assert (bounced.base, bounced.low, bounced.high) == (1_567, 0.546, 0.594)
    assert rows["chosen", "news-2018-07 needs Very satisfied + Satisfied"].value == 321
    reached = rows["reachable_people", "2018-06"]
    assert (reached.low, reached.value, reached.high) == (4_871, 5_146, 5_422)
    for row in rows.values():
        assert (INCLUDE / "sql" / f"{row.source}.sql").exists()
        assert row.low is None or row.low <= row.value <= row.high


def test_what_is_hidden_is_not_kept_either():
    from reports import with_groups

    names = {row.about for row in statement.rows(content_of(with_groups(JULY, pupil=1)))}
    assert "2018-07 staff" in names
    assert "2018-07 pupil" not in names
    assert "2018-07 international" not in names  # hidden beside it


def test_the_english_edition_is_english_but_for_what_librarians_typed():
    english = report.render(july(surveys=(NEWS, STOPPED), reachable=REACHABLE), LETTERHEAD, "en")
    body = english.text.replace(f"{LETTERHEAD.contact.th} {LETTERHEAD.library.th}", "")
    assert not re.search("[ก-๛]", body)
    assert "Wanted" not in body
    assert "57.0% (893 of 1,567 mails sent), 95% interval 54.6 to 59.4" in body
    assert "Mail reaches about 5,146 people" in body
    assert "No decision is wanted this month." in body


def test_the_english_edition_shows_the_english_words_that_librarians_gave():
    translated = replace(
        decision(1, "ให้โพสต์ต่อไปหรือไม่", date(2018, 8, 15)),
        title_en="Posting hours",
        owner_en="Public Relations",
        wanted_en="Go on posting?",
    )
    content = july(WorkItems((translated,), (), CUT_AT))
    for said in said_of(content, "en"):
        assert "1. Go on posting? by 15 August 2018 · owner: Public Relations" in said
        assert "Posting hours" in said
        assert "in progress" in said
        assert "ให้โพสต์" not in said
    for said in said_of(content):
        assert "1. ให้โพสต์ต่อไปหรือไม่" in said
        assert "Go on posting?" not in said


def test_a_decision_taken_is_told_in_english_where_librarians_gave_it():
    taken = item(
        "เวลา", "routine", decided="เปิด", decided_by="ผู้อำนวยการ", decided_on=date(2018, 7, 20),
        title_en="Hours", decided_en="Open late", decided_by_en="Director",
    )  # fmt: skip
    for said in said_of(july(WorkItems((taken,), (), CUT_AT)), "en"):
        assert "Decided: Open late (Director, 20 July 2018)" in said


def test_the_thai_edition_has_an_english_summary_with_the_survey_and_the_decisions():
    summary = report.render(full(), LETTERHEAD, "th").text.split("English summary\n")[1]
    assert "of 1,567 people invited, the mail of 893 bounced for good" in summary
    assert "Decisions wanted: 3" in summary


def test_a_full_mail_leaves_out_findings_and_work_until_it_is_short_enough_and_says_so():
    long = tuple(
        replace(
            item("&" * LIMITS["title"], section),
            status="&" * LIMITS["status"],
            owner="&" * LIMITS["owner"],
        )
        for section in ("routine", "finished", "ongoing")
        for _ in range(9)
    )
    work = replace(DECISIONS, items=(*DECISIONS.items, *long), faults=("ค" * 100,) * 9)
    points = tuple(
        Point(Period(2018 - (m > 7), m), 100 * m) for m in (8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6)
    )
    content = replace(
        full(), work=work, surveys=(NEWS, NEWS, replace(NEWS, title=Label("ก" * 80, "a" * 80))),
        sections=content_of(JULY, JUNE, work).sections, trend=(*points, Point(JULY.period, 12_783)),
    )  # fmt: skip
    for language in ("th", "en"):
        mail = report.render(content, LETTERHEAD, language)
        assert 40_000 < len(mail.html.encode()) <= 100_000
        assert mail.html.endswith("</html>")
    assert "คำถามที่แสดงเฉพาะใน PDF" in report.render(content, LETTERHEAD, "th").html
    small = report.render(full(), LETTERHEAD, "th").html
    assert "คำถามที่แสดงเฉพาะใน PDF" not in small
