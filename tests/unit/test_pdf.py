"""The board reads on paper what the mail says, and who does not see it can have it read out."""

import io
import itertools
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape

import pytest
from pdf_text import read
from pypdf import PdfReader
from pypdf.generic import BooleanObject, ContentStream
from reports import (
    DECISIONS,
    JULY,
    JUNE,
    LETTERHEAD,
    NEWS,
    REACHABLE,
    READ_AT,
    STOPPED,
    TREND,
    content_of,
    full,
    item,
    shares_drawn,
    with_groups,
    without_real_customers,
)

from engagement.monitor import pdf, report
from engagement.monitor.statement import Revision
from engagement.monitor.trend import Point
from engagement.monitor.work_items import WorkItems
from engagement.period import Period
from engagement.settings import INCLUDE
from engagement.wording import in_typst

TRACK = "#eceff2"
TYPED = '#x $a$ *b* _c_ [d] "e" \\f `g` <h> @i //j #import("k") #{l} ~m -- = n'


def opened(content, language="th"):
    return PdfReader(io.BytesIO(pdf.render(content, LETTERHEAD, language)))


def text(document):
    return "\n".join(read(page) for page in document.pages)


def numbers(said):
    """Return the numbers that are said, each with its sign and as often as it is said."""
    return Counter(re.findall(r"[+−]?\d+(?:[,.]\d+)*", said))


def titles(content, language):
    html = report.render(content, LETTERHEAD, language).html
    return [unescape(re.sub("<.*?>", "", title)) for title in re.findall("<h2.*?>(.*?)</h2>", html)]


def fallen():
    """Return a month with fewer real customers, a group of one, and a count that was said otherwise before."""
    now = replace(JUNE, period=JULY.period, as_of_date=JULY.as_of_date)
    return content_of(
        with_groups(now, pupil=1),
        replace(JULY, period=JUNE.period),
        DECISIONS,
        surveys=(NEWS,),
        reachable=REACHABLE,
        revisions=(Revision("real_customers", Period(2018, 5), None, 11_080, 11_099),),
    )


def together(said):
    """Return a text without its spaces and breaks, which stand elsewhere on paper."""
    return re.sub(r"\s", "", said)


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize("content", [full(), fallen()], ids=["full", "fallen"])
def test_it_has_the_same_numbers_as_the_mail_and_no_others(content, language):
    on_paper = text(opened(content, language))
    mail = report.render(content, LETTERHEAD, language).text
    pages = {"1", "2", "3", "4"}
    assert numbers(on_paper).keys() - pages == numbers(mail).keys() - pages
    assert len(numbers(mail)) > 90


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize("content", [full(), fallen()], ids=["full", "fallen"])
def test_the_groups_have_the_numbers_and_the_signs_of_the_mail_and_what_is_hidden_is_hidden(
    content, language
):
    _, _, groups, reasons, *_ = titles(content, language)
    on_paper = text(opened(content, language))
    mail = report.render(content, LETTERHEAD, language).text
    footer = re.compile(r"(หน้า|Page) \d (จาก|of) \d")
    said = [
        numbers(footer.sub("", edition).partition(groups)[2].partition(reasons)[0])
        for edition in (on_paper, mail)
    ]
    assert said[0] == said[1]
    assert sum(said[0].values()) > 15


@pytest.mark.parametrize("language", ["th", "en"])
def test_what_the_report_before_said_otherwise_is_told(language):
    mail = report.render(fallen(), LETTERHEAD, language).text
    (line,) = [line for line in mail.splitlines() if "11,080" in line]
    assert together(line) in together(text(opened(fallen(), language)))


def bars(page):
    """Return of each bar, which is 5 pt high, how much of its track is filled, in %."""
    tracks, colour = [], None
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"scn":
            colour = "#" + "".join(f"{round(255 * float(part)):02x}" for part in operands)
        elif operator == b"l" and operands[1] == 5 and operands[0]:
            if colour == TRACK:
                tracks.append([float(operands[0]), 0])
            else:
                tracks[-1][1] = float(operands[0])
    return [100 * filled / track for track, filled in tracks]


def test_every_bar_is_as_long_as_what_it_stands_for():
    drawn = [share for page in opened(full()).pages for share in bars(page)]
    most = max(point.real_customers for point in TREND)
    shares = [*shares_drawn(full()), *(100 * point.real_customers / most for point in TREND)]
    assert len(shares) > 25
    # A bar is drawn in tenths of 1%, at least half of one.
    assert drawn == [pytest.approx(max(share, 0.5) if share else 0, abs=0.1) for share in shares]


@pytest.mark.parametrize("language", ["th", "en"])
def test_it_has_the_same_sections_in_the_same_order(language):
    on_paper = together(text(opened(full(), language)))
    places = [on_paper.find(together(title)) for title in titles(full(), language)]
    assert len(places) > 10
    assert -1 not in places
    assert places == sorted(places)


def test_thai_can_be_searched_for_and_copied():
    said = together(text(opened(full())))
    for word in ("สำนักหอสมุด", "นักศึกษาระดับปริญญาตรี", "ที่กำลังดำเนินการ", "เพิ่มขึ้น", "ทั้งหมด"):
        assert word in said
    work = WorkItems((item("น้ำ ปู่ ที่ ญู ฐานข้อมูล กตัญญู"),), (), READ_AT)
    assert "น้ำปู่ที่ญูฐานข้อมูลกตัญญู" in together(text(opened(content_of(JULY, JUNE, work))))


def test_thai_lines_break_between_words():
    words = [
        "ปรับปรุง",
        "ระบบ",
        "สืบค้น",
        "ทรัพยากร",
        "สาร",
        "สนเทศ",
        "ของ",
        "สำนัก",
        "หอสมุด",
        "ให้",
        "รอง",
        "รับ",
        "การ",
        "ใช้",
        "งาน",
        "บน",
        "โทรศัพท์",
        "มือถือ",
        "และ",
        "คอมพิวเตอร์",
    ] * 3
    sentence = "".join(words)
    said = text(opened(content_of(JULY, JUNE, WorkItems((item(sentence),), (), READ_AT))))
    lines = said[said.index(words[0]) :].splitlines()
    ends = set(itertools.accumulate(len(word) for word in words))
    broken_at = set(itertools.accumulate(len(line) for line in lines)) & set(range(len(sentence)))
    assert len(broken_at) > 2
    assert broken_at <= ends


@pytest.mark.parametrize(
    ("language", "title"), [("th", "รายงานลูกค้าที่แท้จริง"), ("en", "Report on the real customers")]
)
def test_it_is_tagged_and_says_its_title_and_language(language, title):
    document = opened(full(), language)
    root = document.trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"] == BooleanObject(True)
    assert document.metadata.title.startswith(title)
    assert {"/H1", "/H2", "/H3", "/Table", "/TH"} <= tags(root["/StructTreeRoot"])
    assert b"pdfuaid" in root["/Metadata"].get_data()


def tags(node):
    """Return the kinds of the structure's elements."""
    node = node.get_object()
    if not hasattr(node, "get"):
        return set()
    kids = node.get("/K", [])
    below = kids if isinstance(kids, list) else [kids]
    return {node.get("/S")} | {
        kind for kid in below for kind in tags(kid) if hasattr(kid, "get_object")
    }


def test_a_passage_in_the_other_language_says_so():
    document = opened(full(), "en")
    assert b"/Lang(th)" in document.pages[0].get_contents().get_data()


def test_the_decisions_stand_on_page_one_and_every_page_says_which_it_is():
    document = opened(full())
    assert "เรื่องที่ขอให้ตัดสินใจ3เรื่อง" in together(read(document.pages[0]))
    for wanted in full().decisions:
        assert together(wanted.item.wanted) in together(read(document.pages[0]))
    last = len(document.pages)
    for number, page in enumerate(document.pages, 1):
        assert f"หน้า{number}จาก{last}" in together(read(page))


@pytest.mark.parametrize(
    ("language", "before"), [("th", "English summary"), ("en", "Records are counted")]
)
def test_the_last_lines_stand_on_no_page_alone(language, before):
    for works in range(3):  # so that one of the pages ends there
        work = WorkItems((*DECISIONS.items, *[item("งาน", "routine")] * works), (), READ_AT)
        content = content_of(JULY, JUNE, work, surveys=(NEWS,), reachable=REACHABLE)
        last = together(read(opened(content, language).pages[-1]))
        assert together(before) in last
        assert LETTERHEAD.email in last


def test_a_long_list_begins_on_the_page_that_has_room_for_it_and_a_short_one_stays_whole():
    first, second, third = [together(read(page)) for page in opened(full(), "en").pages][:3]
    assert "Realcustomersbygroup" in first
    assert "Alumniandretired" in first
    assert "Unmapped" in second
    times = ["16:00-20:00", "12:00-16:00", "20:00-24:00", "08:00-12:00"]
    assert any(all(time in page for time in times) for page in (second, third))


def test_it_is_on_a4_with_the_shipped_font_alone():
    document = opened(full())
    for page in document.pages:
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
        names = {font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()}
        assert {name.partition("+")[2].partition("-")[0] for name in names} == {"Sarabun"}


@pytest.mark.parametrize("language", ["th", "en"])
def test_what_a_librarian_types_is_text_and_no_markup(language):
    work = replace(
        DECISIONS, items=(replace(DECISIONS.items[2], wanted=TYPED, title=TYPED, owner=TYPED),)
    )
    said = together(text(opened(content_of(JULY, JUNE, work), language)))
    assert said.count(together(TYPED)) == 4


def test_a_letter_that_the_font_has_not_stops_no_report():
    work = WorkItems((item("ป้าย 😀 图书馆 Библиотека เสร็จ"),), (), READ_AT)
    document = opened(content_of(JULY, JUNE, work))
    assert "เสร็จ" in text(document)
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"] == BooleanObject(True)
    assert b"pdfuaid" not in document.trailer["/Root"]["/Metadata"].get_data()


def test_all_that_the_template_puts_in_is_made_text_first():
    source = (INCLUDE / "templates" / "report" / "report.typ.j2").read_text(encoding="utf-8")
    # These two say words, which are made text where they are used; the others write markup.
    source = re.sub(r"{% macro (change|of_base)\(.*?endmacro %}", "", source)
    put_in = re.findall(r"{{ (.*?) }}", source)
    markup = re.compile(
        r"(row|bar|thai|typed|top|caller|say\.tongue)\(.*\)|language|kind|\[\[share.*round\(1\).*"
    )
    assert len(put_in) > 100
    assert [e for e in put_in if not e.endswith("| typst") and not markup.fullmatch(e)] == []
    used = re.findall(r"\b(?:change|of_base)\([^{]*?}}", source)
    assert used
    assert all(use.endswith("| typst }}") for use in used)


@pytest.mark.parametrize("name", ["report.typ.j2", "report.html.j2", "report.txt.j2"])
def test_every_edition_asks_only_for_sentences_that_there_are(name):
    source = (INCLUDE / "templates" / "report" / name).read_text(encoding="utf-8")
    sentences = (INCLUDE / "templates" / "report" / "sentences.j2").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bsay\.(\w+)", source))
    assert len(asked) > 20
    assert asked <= set(re.findall(r"{% macro (\w+)", sentences))


def test_a_text_is_quoted_for_typst_and_kept_whole_where_it_is():
    assert in_typst('a "b" \\c') == '#"a \\"b\\" \\\\c";'
    assert in_typst("จาก \ue00012 คน\ue001 ที่") == '#"จาก ";#box("12 คน");#" ที่";'
    assert in_typst("") == ""
    assert in_typst("งาน 👩\u200d💻☀\ufe0f 20° ≠ 21°") == '#"งาน  20° ≠ 21°";'


@pytest.mark.parametrize(
    "content",
    [
        content_of(JUNE),
        content_of(JULY, JUNE, surveys=(replace(NEWS, findings=(), unshown="changed"), STOPPED)),
        content_of(JULY, replace(JUNE, definition="b")),
        content_of(without_real_customers(JULY), JUNE),
        content_of(JULY, JUNE, WorkItems((), ("แผ่นงานเสียหาย",), READ_AT, readable=False)),
        content_of(JULY, JUNE, points=(*(Point(Period(2018, m), None if m == 3 else 100 * m, m == 5) for m in range(1, 7)), Point(JULY.period, 12_783))),
        content_of(JULY, JUNE, WorkItems((item("งาน", decided="เปิด", decided_by="ผู้อำนวยการ", decided_on=date(2018, 8, 1)),), ("แถว 4",) * 5, READ_AT, stale=("งาน.xlsx",), last_good_at=datetime(2018, 8, 1, tzinfo=UTC))),
    ],
    ids=["first", "no findings", "redefined", "nobody", "unreadable", "trend", "decided"],
)  # fmt: skip
def test_a_month_that_is_unlike_others_is_made_too(content):
    for language in ("th", "en"):
        mail = report.render(content, LETTERHEAD, language).text
        assert numbers(mail).keys() <= numbers(text(opened(content, language))).keys()


@pytest.mark.parametrize("language", ["th", "en"])
def test_an_address_and_a_link_are_copied_whole_and_can_be_followed(language):
    email = "customer-relations@library.example.com"
    link = "https://library.example.com/documents/2018/a-decision-on-addresses?id=4711"
    work = replace(DECISIONS, items=(replace(DECISIONS.items[2], link=link),))
    content = content_of(JULY, JUNE, work)
    made = pdf.render(content, replace(LETTERHEAD, email=email), language)
    document = PdfReader(io.BytesIO(made))
    said = text(document)
    assert said.count(email) == 2
    assert said.count(link) == 1
    assert "\u200b" not in said
    followed = [
        note.get_object()["/A"]["/URI"]
        for page in document.pages
        for note in page.annotations or ()
    ]
    assert followed == [link, f"mailto:{email}", f"mailto:{email}"]


def test_a_word_without_an_end_stays_on_the_paper_and_is_copied_whole():
    endless = "Wide" * 60
    said = text(opened(content_of(JULY, JUNE, WorkItems((item(endless),), (), READ_AT))))
    assert "\u200b" not in said
    assert endless in together(said)


def test_the_same_content_has_the_same_bytes():
    assert pdf.render(full(), LETTERHEAD, "th") == pdf.render(full(), LETTERHEAD, "th")
