"""Answers are brought in once, whatever the export, and only those of whom was asked, in time, count."""

import base64
import codecs
import csv
import io
import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
import yaml

from engagement.errors import EngagementError
from engagement.measure import answers, form as forms
from engagement.measure.answers import Imported, import_file, import_folder
from engagement.measure.answers.limesurvey import Server, import_limesurvey
from engagement.measure.campaign import Campaign
from engagement.settings import settings

BANGKOK = ZoneInfo("Asia/Bangkok")
END = datetime(2018, 7, 18, 23, 59, tzinfo=BANGKOK)
FORM = forms.load("kkul-news-2018")
# Question -> heading, as Google writes them in Thai; token stands for the prefilled question.
HEADINGS = {
    "timestamp": "ประทับเวลา",
    "token": "รหัสแบบสอบถาม (โปรดอย่าแก้ไข)",
    **{question.code: question.title.th for question in FORM.questions},
}
THAI = {
    question.code: {code: option.th for code, option in FORM.answers(question).items()}
    for question in FORM.questions
}
INTERNET = THAI["channel"]["internet"]
PRINT = THAI["channel"]["print"]  # with commas in it
RADIO = THAI["channel"]["radio"]

Cells = Mapping[str, str]


def filled(number: int = 0, **cells: str) -> dict[str, str]:
    """Return a row of the export: somebody's answers, but for the given cells."""
    at = datetime(2018, 7, 9, 9, 0) + timedelta(minutes=number)  # noqa: DTZ001 - on the wall
    return {
        "timestamp": f"{at.day}/{at.month}/{at.year}, {at:%H:%M:%S}",
        "token": f"token{number}",
        "group": THAI["group"]["undergraduate"],
        "channel": INTERNET,
        "time_slot": THAI["time_slot"]["16-20"],
        "access": "5",
        "needs": "4",
        "interest": "4",
        "variety": "3",
        "suggestion": "",
    } | cells


def as_csv(
    rows: Sequence[Cells], delimiter: str = ",", headings: Mapping[str, str] = HEADINGS
) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(headings.values())
    writer.writerows([[row[column] for column in headings] for row in rows])
    return text.getvalue()


@pytest.fixture
def campaign(clock: Any) -> Campaign:
    """A campaign that ends on 18 July 2018; it is the 20th."""
    clock.at(2018, 7, 20)
    return made()


def made(name: str = "news", form: str = "kkul-news-2018") -> Campaign:
    both = {"th": "ก", "en": "a"}
    return Campaign.model_validate(
        {
            "campaign": name,
            "title": both,
            "frame": "2018-06",
            "form": form,
            "link": "https://forms.example.com/f?code={token}",
            "sample": {"size": 398},
            "waves": {"canary": "canary@dead.example.com"},
            "dates": {
                "approve_by": "2018-07-08 12:00",
                "start": "2018-07-09 08:00",
                "end": "2018-07-18 23:59",
            },
            "sender": {"name": both, "address": "library@kku.example.com", "contact": both},
            "invitation": {"subject": both, "text": both},
            "lawful_basis": both,
            "owner": "library@kku.example.com",
            "approvers": ["somsri"],
        }
    )


@pytest.fixture
def asked(store: Any, campaign: Campaign) -> Callable[..., None]:
    """Ask so many people of a group for answers; their tokens are token0, token1 ..."""
    before = [0]

    def ask(count: int, group: str = "undergraduate") -> None:
        span = {"first": before[0], "last": before[0] + count - 1, "group": group}
        before[0] += count
        store.do(
            "INSERT INTO core.invitation (campaign, person_key, address_key, period, group_code, "
            "inclusion_probability, seed, drawn_at, wave, language) "
            "SELECT 'news', lpad(n::text, 32, '0')::uuid, int4send(n), '2018-06', %(group)s::text, 0.1, 1, now(), "
            "1, 'th' FROM generate_series(%(first)s::integer, %(last)s::integer) AS n",
            span,
        )
        store.do(
            "INSERT INTO pii.survey_token SELECT 'token' || n, 'news', lpad(n::text, 32, '0')::uuid "
            "FROM generate_series(%(first)s::integer, %(last)s::integer) AS n",
            span,
        )

    return ask


@pytest.fixture
def bring(store: Any, campaign: Campaign, tmp_path: Path) -> Callable[..., Imported]:
    """Import rows, or the text or bytes of a file."""

    def import_(
        content: Sequence[Cells] | str | bytes, name: str = "answers.csv", **options: Any
    ) -> Imported:
        text = content if isinstance(content, str | bytes) else as_csv(content)
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_file(campaign, path, **options)

    return import_


def kinds(store: Any) -> dict[str, int]:
    return dict(store.do("SELECT kind, count(*) FROM core.response GROUP BY kind"))


def said(store: Any, question: str) -> dict[str, int]:
    """Return how often each option of a question was given in responses that count."""
    return dict(
        store.do(
            "SELECT a.option_code, count(*) FROM core.answer AS a JOIN core.response AS r USING (response_id) "
            "WHERE a.question_code = %s AND r.kind = 'counted' GROUP BY a.option_code",
            [question],
        )
    )


def texts(store: Any) -> dict[str, str]:
    return dict(store.do("SELECT question_code, answer FROM pii.answer_text"))


def everything(store: Any) -> list[Any]:
    """Return all that answers consist of, without the numbers that the warehouse gives."""
    return store.do(
        "SELECT r.response_key, r.kind, r.group_code, r.answered_at, t.token, "
        "(SELECT array_agg((a.question_code, a.option_code) ORDER BY 1) FROM core.answer AS a "
        "WHERE a.response_id = r.response_id), "
        "(SELECT array_agg((x.question_code, x.answer) ORDER BY 1) FROM pii.answer_text AS x "
        "WHERE x.response_id = r.response_id) "
        "FROM core.response AS r LEFT JOIN pii.response_token AS t USING (response_id) ORDER BY 1"
    )


# The survey of 2018


def survey_of_2018() -> list[dict[str, str]]:
    """398 answers with the published counts: 206 undergraduates, 299 internet, 1 radio, 181 at 16 to 20."""
    others = ["graduate", "staff", "international", "external", "pupil", "alumni_retired"]
    slots = ["08-12", "12-16", "20-24"]
    rows = []
    for n in range(398):
        group = "undergraduate" if n < 206 else others[n % 6]
        ticked = [INTERNET] if n < 299 else []
        ticked += [PRINT] if n % 3 == 0 or n >= 299 else []
        ticked += [RADIO] if n == 150 else []
        ticked += ["เพื่อนบอก, ป้ายหน้าตึก"] if n == 151 else []
        slot = "16-20" if n % 398 >= 217 else slots[n % 3]
        rows.append(
            filled(
                n,
                group=THAI["group"][group],
                channel=", ".join(ticked),
                time_slot=THAI["time_slot"][slot],
                access=str(1 + n % 5),
                suggestion="เยี่ยมมาก" if n == 7 else "",
            )
        )
    return rows


def test_the_survey_of_2018_gives_its_published_counts(store, asked, bring):
    asked(398)
    imported = bring(survey_of_2018())
    assert (imported.rows, imported.new, imported.unusable) == (398, 398, 0)
    assert imported.kinds["counted"] == 398
    assert said(store, "group")["undergraduate"] == 206
    assert sum(said(store, "group").values()) == 398
    channels = said(store, "channel")
    assert (channels["internet"], channels["radio"], channels["other"]) == (299, 1, 1)
    assert said(store, "time_slot")["16-20"] == 181
    assert imported.unknown == {}
    assert texts(store) == {"channel": "เพื่อนบอก, ป้ายหน้าตึก", "suggestion": "เยี่ยมมาก"}


def test_a_response_tells_the_group_of_the_invitation_and_nothing_of_who_gave_it(
    store, asked, bring
):
    asked(1, "staff")
    bring([filled(0)])
    assert store.do("SELECT group_code FROM core.response") == [("staff",)]
    whole = store.value("SELECT row_to_json(r)::text FROM core.response AS r")
    assert "token0" not in whole
    assert str(UUID(int=0)) not in whole


# Once


def test_importing_again_adds_nothing(store, asked, bring):
    asked(3)
    first = bring([filled(n) for n in range(3)])
    before = everything(store)
    again = bring([filled(n) for n in range(3)], name="copy.csv")
    assert (first.new, again.new) == (3, 0)
    assert again.kinds == first.kinds
    assert everything(store) == before


def test_a_longer_export_adds_only_what_is_new(store, asked, bring):
    asked(5)
    bring([filled(n) for n in range(3)])
    longer = bring([filled(n) for n in range(5)])
    assert (longer.rows, longer.new) == (5, 2)
    assert kinds(store) == {"counted": 5}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows[::-1], id="another order of rows"),
        pytest.param(
            lambda rows: [row | {"channel": row["channel"].replace(", ", ";")} for row in rows],
            id="the downloaded CSV instead of the sheet",
        ),
        pytest.param(
            lambda rows: [
                row | {"timestamp": row["timestamp"].replace("2018", "2561")} for row in rows
            ],
            id="Buddhist years",
        ),
        pytest.param(
            lambda rows: [{k: f" {v} " for k, v in row.items()} for row in rows], id="more spaces"
        ),
    ],
)
def test_the_same_answers_in_another_export_are_the_same_answers(store, asked, bring, change):
    asked(2)
    at_once = filled(0)["timestamp"]
    rows = [
        filled(0, channel=f"{PRINT}, {RADIO}"),
        filled(1, timestamp=at_once, access="1", suggestion="ดี, มาก"),
        filled(0, timestamp=at_once, token="", suggestion="ดี; มาก"),
    ]
    bring(rows)
    before = everything(store)
    assert bring(change(rows)).new == 0
    assert everything(store) == before
    assert kinds(store) == {"counted": 2, "tokenless": 1}


def test_two_who_say_the_same_in_the_same_second_without_a_token_are_two(store, bring):
    twins = [filled(0, token="")] * 2
    assert bring(twins).new == 2
    assert bring([*twins, filled(1, token="")]).new == 1
    assert kinds(store) == {"tokenless": 3}


def test_two_imports_at_once_add_each_answer_once(store, asked, campaign, tmp_path):
    asked(50)
    path = tmp_path / "answers.csv"
    path.write_text(as_csv([filled(n) for n in range(50)]), encoding="utf-8")
    found: list[Imported] = []
    both = [
        threading.Thread(target=lambda: found.append(import_file(campaign, path))) for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(imported.new for imported in found) == [0, 50]
    assert kinds(store) == {"counted": 50}


# Whose, and when


def test_only_the_first_answer_with_a_token_counts(store, asked, bring):
    asked(1)
    rows = [filled(0, access="5"), filled(0, access="1", timestamp="9/7/2018, 10:00:00")]
    imported = bring(rows)
    assert imported.kinds["counted"] == 1
    assert imported.kinds["doubled"] == 1
    assert said(store, "access") == {"5": 1}


def test_an_earlier_answer_counts_though_a_later_file_brings_it(store, asked, bring):
    asked(1)
    bring([filled(0, access="1", timestamp="10/7/2018, 10:00:00")])
    assert said(store, "access") == {"1": 1}
    bring([filled(0, access="5", timestamp="9/7/2018, 10:00:00")], name="branch.csv")
    assert said(store, "access") == {"5": 1}
    assert kinds(store) == {"counted": 1, "doubled": 1}


def test_an_answer_after_the_end_is_late_and_one_at_the_end_is_not(store, asked, bring):
    asked(2)
    bring(
        [
            filled(0, timestamp="18/7/2018, 23:59:00"),
            filled(1, timestamp="18/7/2018, 23:59:01"),
        ]
    )
    assert kinds(store) == {"counted": 1, "late": 1}


def test_without_a_token_or_with_one_that_nobody_was_given_an_answer_does_not_count(
    store, asked, bring
):
    asked(1)
    imported = bring([filled(0), filled(1, token=""), filled(2, **{"token": "tokem0"})])
    assert imported.kinds == {
        "counted": 1, "late": 0, "doubled": 0, "tokenless": 1, "unknown token": 1,
    }  # fmt: skip
    assert store.do("SELECT token FROM pii.response_token") == [("token0",)]
    assert store.do("SELECT DISTINCT group_code FROM core.response WHERE kind != 'counted'") == [
        (None,)
    ]


def test_a_token_of_another_campaign_is_unknown(store, asked, bring):
    asked(1)
    store.do("INSERT INTO pii.survey_token VALUES ('elsewhere', 'other', %s)", [UUID(int=0)])
    bring([filled(0, **{"token": "elsewhere"})])
    assert kinds(store) == {"unknown token": 1}


def test_the_campaigns_counts_are_those_of_all_its_imports(store, asked, bring):
    asked(2)
    bring([filled(0)])
    bring([filled(1), filled(2, token="")])
    assert answers.counts("news") == {
        "counted": 2, "late": 0, "doubled": 0, "tokenless": 1, "unknown token": 0,
    }  # fmt: skip


def test_after_the_tokens_are_deleted_what_counted_still_counts(store, asked, bring):
    asked(2)
    rows = [filled(0), filled(1), filled(1, timestamp="9/7/2018, 11:00:00")]
    bring(rows)
    store.do("DELETE FROM pii.response_token")
    store.do("DELETE FROM pii.survey_token")
    assert bring(rows, name="again.csv").new == 0
    after = bring([*rows, filled(3, timestamp="19/7/2018, 11:00:00"), filled(4)])
    assert after.kinds == {
        "counted": 2, "late": 1, "doubled": 1, "tokenless": 0, "unknown token": 1,
    }  # fmt: skip
    assert store.value("SELECT count(*) FROM core.response WHERE group_code IS NOT NULL") == 3


# What people say


def test_an_answer_that_the_form_does_not_have_is_kept_as_unknown_and_counted(store, asked, bring):
    asked(2)
    imported = bring([filled(0, time_slot="ตีสอง", access="6"), filled(1)])
    assert imported.unknown == {"time_slot": 1, "access": 1}
    assert said(store, "time_slot") == {"unknown": 1, "16-20": 1}
    assert texts(store) == {"time_slot": "ตีสอง", "access": "6"}


def test_what_was_unknown_is_read_anew_once_the_form_names_it(store, asked, bring, own_form):
    asked(2)
    rows = [filled(0, time_slot="บ่ายแก่", suggestion="ดี"), filled(1)]
    bring(rows)
    own_form(lambda y: y["questions"][2]["options"]["16-20"].update(also="บ่ายแก่"))
    again = bring(rows)
    assert (again.new, again.unknown) == (0, {})
    assert said(store, "time_slot") == {"16-20": 2}
    assert texts(store) == {"suggestion": "ดี"}


def test_answers_of_a_column_that_was_named_wrongly_are_read_anew_and_no_doubles(
    store, asked, bring, own_form
):
    asked(2)
    rows = [filled(0, access="5", needs="1"), filled(1, access="5", needs="1")]
    titles = [HEADINGS["access"], HEADINGS["needs"]]
    own_form(
        lambda y: [
            q.update(column=t) for q, t in zip(y["questions"][3:5], titles[::-1], strict=True)
        ]
    )
    bring(rows)
    assert (said(store, "access"), said(store, "needs")) == ({"1": 2}, {"5": 2})
    own_form(lambda y: None)
    assert bring(rows).kinds == {
        "counted": 2, "late": 0, "doubled": 0, "tokenless": 0, "unknown token": 0,
    }  # fmt: skip
    assert (said(store, "access"), said(store, "needs")) == ({"5": 2}, {"1": 2})


def test_a_form_in_two_languages_may_ask_in_two_columns(store, asked, bring):
    asked(2)
    english = "Ease of access to information and news"
    rows = [filled(0, english=""), filled(1, access="", english="Very satisfied")]
    bring(as_csv(rows, headings=HEADINGS | {"english": english}))
    assert said(store, "access") == {"5": 2}


def test_a_form_whose_questions_changed_takes_no_more_answers_of_the_campaign(
    store, asked, bring, own_form
):
    asked(2)
    bring([filled(0)])
    own_form(lambda y: y["questions"][3]["title"].update(en="How easy is it?"))
    with pytest.raises(EngagementError, match=r"Questions or options of kkul-news-2018.yaml"):
        bring([filled(0), filled(1)])
    assert kinds(store) == {"counted": 1}


@pytest.fixture
def own_form(world: Any, tmp_path: Path) -> Callable[..., None]:
    """Give the deployment a changed form of its own."""

    def change(what: Callable[[dict[str, Any]], Any]) -> None:
        shipped = yaml.safe_load(
            (forms.INCLUDE / "forms" / "kkul-news-2018.yaml").read_text(encoding="utf-8")
        )
        what(shipped)
        (tmp_path / "campaigns" / "forms").mkdir(parents=True, exist_ok=True)
        (tmp_path / "campaigns" / "forms" / "kkul-news-2018.yaml").write_text(
            yaml.safe_dump(shipped, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        world.setenv("ENGAGEMENT_CAMPAIGNS", str(tmp_path / "campaigns"))
        settings.cache_clear()

    return change


def test_text_that_looks_like_a_formula_or_a_page_is_kept_as_text(store, asked, bring):
    asked(1)
    wild = '=HYPERLINK("http://x")<script>alert(1)</script>\x00\u202e\n@SUM(1)\n\nห้องสมุดดี'
    bring([filled(0, suggestion=wild)])
    assert texts(store)["suggestion"] == (
        '=HYPERLINK("http://x")<script>alert(1)</script>\n@SUM(1)\nห้องสมุดดี'
    )


def test_words_of_peoples_own_lie_in_pii_alone_and_in_no_log(store, asked, bring, caplog):
    asked(1)
    caplog.set_level("DEBUG")
    word = "โทรหาผมที่0812345678"
    bring([filled(0, suggestion=word, time_slot=word, channel=f"{RADIO}, {word}")])
    tables = store.do(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema IN ('core', 'mart', 'ops', 'pii', 'stage')"
    )
    holding = {
        table
        for (table,) in tables
        if any(word in row for (row,) in store.do(f"SELECT t::text FROM {table} AS t"))  # noqa: S608
    }
    assert holding == {"pii.answer_text"}
    assert word not in caplog.text
    assert "token0" not in caplog.text


# Files


def workbook(rows: Sequence[Cells], tmp_path: Path, native: bool) -> bytes:
    """Return the rows as .xlsx, with a note on a sheet before them; natively dates and numbers are such."""
    path = tmp_path / "made.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("หมายเหตุ").write(0, 0, "ส่งออกโดยสมศรี")
        sheet = book.add_worksheet("การตอบแบบฟอร์ม 1")
        sheet.write_row(0, 0, list(HEADINGS.values()))
        for at, row in enumerate(rows, start=1):
            for column, cell in enumerate(row.values()):
                if native and column == 0:
                    when = datetime.strptime(cell, "%d/%m/%Y, %H:%M:%S")  # noqa: DTZ007
                    sheet.write_datetime(
                        at, column, when, book.add_format({"num_format": "d/m/yyyy h:mm"})
                    )
                elif native and cell.isdigit():
                    sheet.write_number(at, column, int(cell))
                else:
                    sheet.write_string(at, column, cell)
    return path.read_bytes()


def zipped(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("แบบสำรวจ.csv", text)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("as_file", "name"),
    [
        pytest.param(
            lambda rows, _: codecs.BOM_UTF8 + as_csv(rows).encode(),
            "a.csv",
            id="UTF-8 with mark",
        ),
        pytest.param(
            lambda rows, _: as_csv(rows, "\t").encode("utf-16"), "a.txt", id="Unicode text"
        ),
        pytest.param(
            lambda rows, _: as_csv(rows, ";").encode("cp874"),
            "a.csv",
            id="cp874, semicolons",
        ),
        pytest.param(lambda rows, _: zipped(as_csv(rows)), "a.csv.zip", id="zipped by Google"),
        pytest.param(
            lambda rows, tmp_path: workbook(rows, tmp_path, native=True),
            "a.xlsx",
            id="Excel",
        ),
        pytest.param(
            lambda rows, tmp_path: workbook(rows, tmp_path, native=False), "a.xlsx", id="Excel text"
        ),
    ],
)
def test_the_same_answers_come_in_from_any_file(store, asked, bring, tmp_path, as_file, name):
    asked(2)
    rows = [
        filled(0, channel=f"{PRINT}, {RADIO}", suggestion="ดี; มาก\nเลย"),
        filled(1, timestamp="9/7/2018, 16:04:05"),
    ]
    bring(rows)
    before = everything(store)
    other = bring(as_file(rows, tmp_path), name=name)
    assert (other.rows, other.new, other.unusable, other.unknown) == (2, 0, 0, {})
    assert everything(store) == before
    assert kinds(store) == {"counted": 2}


def test_columns_may_stand_in_another_order_and_others_are_named_but_not_read(store, asked, bring):
    asked(1)
    headings = dict(reversed(HEADINGS.items())) | {"mail": "ที่อยู่อีเมล", "points": "คะแนน"}
    row = filled(0, mail="somchai@kku.example.com", points="3")
    imported = bring(as_csv([row], headings=headings))
    assert imported.ignored_columns == ("ที่อยู่อีเมล", "คะแนน")
    assert kinds(store) == {"counted": 1}


def test_rows_that_say_not_when_or_are_not_whole_are_counted_and_named_by_number(
    store, asked, bring
):
    asked(4)
    rows = [
        filled(0),
        filled(1, timestamp="เมื่อวาน"),
        filled(2),
        filled(3, timestamp="2/8/2018, 10:00:00"),
    ]
    text = as_csv(rows).replace("token2,", "")
    longer = as_csv([filled(4)]).splitlines()[1]
    imported = bring(f"{text}{longer},more\n{longer.replace('token4', 'token5')},\n")
    assert (imported.rows, imported.unusable, imported.new) == (6, 4, 2)
    assert imported.unusable_rows == (3, 4, 5, 6)
    assert store.do("SELECT row_count, new_count, unusable_count FROM ops.answer_import") == [
        (6, 2, 4)
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("\n\n", "has no column"),
        (as_csv([]), "holds no answers"),
        (as_csv([filled(0)]).replace(HEADINGS["access"], "ความสะดวก"), "has no column “ความสะดวกในการ"),
        (as_csv([filled(0)]).replace(HEADINGS["token"], "x"), "has no column “รหัสแบบสอบถาม"),
        ("ชื่อ,นามสกุล\nสมชาย,ใจดี\n", "and 7 more; it is an export of another form"),
        (as_csv([filled(0, timestamp="ไม่ทราบ")]), "None of the 1 rows"),
        (as_csv([]) + '"ไม่จบ', "cannot be split into rows behind row 1"),
        (b"PK\x03\x04broken", "is not whole"),
        (bytes.fromhex("D0CF11E0A1B11AE1") + b"x", "an old .xls"),
        (zipped("x").replace(b".csv", b".txt"), "does not hold one .csv but 0"),
        (b"\x00\x01\x02" * 9, "is no text in UTF-8, UTF-16 or cp874"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_export_of_the_form_ends_in_a_sentence_and_writes_nothing(
    store, asked, bring, content, sentence
):
    asked(1)
    with pytest.raises(EngagementError) as caught:
        bring(content)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not {"สมชาย", "ใจดี", "ไม่ทราบ", "token0"} & set(str(caught.value).split())
    assert kinds(store) == {}
    assert store.value("SELECT count(*) FROM ops.answer_import") == 0


def test_what_a_file_breaks_off_with_does_not_undo_what_was_there(store, asked, bring):
    asked(3000)
    bring([filled(0)])
    with pytest.raises(EngagementError, match="cannot be split into rows behind row 2,5"):
        bring(as_csv([filled(n) for n in range(2500)]) + '"ค้าง')
    assert kinds(store) == {"counted": 1}


# Until when an export vouches


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2018, 7, day, hour, minute, tzinfo=BANGKOK)


def vouched(store: Any) -> datetime:
    return store.value("SELECT max(exported_at) FROM ops.answer_import")


def test_a_file_vouches_for_no_more_than_its_newest_answer_however_late_it_was_copied(
    store, asked, bring
):
    asked(2)
    imported = bring([filled(0), filled(1)])
    assert imported.exported_at == vouched(store) == at(9, 9, 1)


def test_who_exported_it_may_say_when(store, asked, bring):
    asked(1)
    bring([filled(0)], exported_at=at(12, 8))
    assert vouched(store) == at(12, 8)
    bring(as_csv([]), exported_at=at(13, 8))
    assert vouched(store) == at(13, 8)


@pytest.mark.parametrize("said_at", [at(21, 8), at(9, 8)])
def test_an_export_of_the_future_or_older_than_its_answers_is_refused(store, asked, bring, said_at):
    asked(1)
    with pytest.raises(EngagementError, match="was not exported at 2018-07-"):
        bring([filled(0)], exported_at=said_at)
    assert kinds(store) == {}


# A folder


def test_a_folder_is_brought_in_oldest_first_and_each_file_once(store, asked, campaign, tmp_path):
    asked(3)
    folder = tmp_path / "inbox"
    folder.mkdir()
    for age, (name, rows) in enumerate(
        {"b.csv": [filled(0)], "a.csv": [filled(0), filled(1)], "same.csv": [filled(0)]}.items()
    ):
        (folder / name).write_text(as_csv(rows), encoding="utf-8")
        os.utime(folder / name, (1000 + age, 1000 + age))
    (folder / "broken.csv").write_text("ชื่อ\nสมชาย\n", encoding="utf-8")
    (folder / ".hidden.csv").write_text("x")
    (folder / "~$b.xlsx").write_text("x")
    found = import_folder(campaign, folder)
    assert [(one.file, one.new) for one in found if one.problem is None] == [
        ("b.csv", 1), ("a.csv", 1),
    ]  # fmt: skip
    assert [one.file for one in found if one.problem] == ["broken.csv"]
    assert kinds(store) == {"counted": 2}
    assert [one.file for one in import_folder(campaign, folder)] == ["broken.csv"]


def test_a_folder_that_is_not_there_holds_nothing(store, campaign, tmp_path):
    assert import_folder(campaign, tmp_path / "nowhere") == []


# Other systems


@pytest.fixture
def described(world: Any, tmp_path: Path) -> Callable[..., Campaign]:
    """Describe a small form of another system, and the campaign that asks it."""

    def describe(system: str, **keys: Any) -> Campaign:
        folder = tmp_path / "campaigns" / "forms"
        folder.mkdir(parents=True)
        described = {
            "form": "small",
            "title": {"th": "ก", "en": "a"},
            "system": system,
            "questions": [
                {
                    "code": "channel",
                    "kind": "choices",
                    "title": {"th": "ช่องทาง", "en": "Channel"},
                    "options": {
                        "line": {"th": "ไลน์", "en": "Line", "also": ["SQ001"]},
                        "mail": {"th": "อีเมล", "en": "E-mail, at work", "also": ["SQ002"]},
                    },
                    "other": {"th": "อื่น ๆ", "en": "Other"},
                },
                {
                    "code": "slot",
                    "kind": "choice",
                    "title": {"th": "เวลา", "en": "Time"},
                    "options": {
                        "am": {"th": "เช้า", "en": "Morning", "also": ["A1"]},
                        "pm": {"th": "บ่าย", "en": "Afternoon", "also": ["A2"]},
                    },
                    "other": {"th": "อื่น ๆ", "en": "Other"},
                },
            ],
            **keys,
        }
        (folder / "small.yaml").write_text(
            yaml.safe_dump(described, allow_unicode=True), encoding="utf-8"
        )
        world.setenv("ENGAGEMENT_CAMPAIGNS", str(tmp_path / "campaigns"))
        settings.cache_clear()
        return made(form="small")

    return describe


LIMESURVEY = (
    '"id";"submitdate";"lastpage";"startlanguage";"token";"channel[SQ001]";"channel[SQ002]";'
    '"channel[other]";"slot";"slot[other]"\n'
    '"1";"2018-07-10 09:00:00";"2";"th";"token0";"Y";"";"";"A2";""\n'
    '"2";"2018-07-10 09:05:00";"2";"en";"token1";"Y";"Y";"ป้าย, ใหญ่";"-oth-";"เที่ยงคืน"\n'
    '"3";"2018-07-10 09:06:00";"2";"de";"token2";"N";"N";"";"A1";""\n'
)
OF_LIMESURVEY = {"line": 2, "mail": 1, "other": 1}


class RemoteControl(BaseHTTPRequestHandler):
    """LimeSurvey's JSON-RPC, as its manual describes it."""

    calls: list[Any]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.calls.append([asked["method"], *asked["params"]])
        match asked["method"], asked["params"]:
            case "get_session_key", ["librarian", "right", *_]:
                result: Any = "the-session"
            case "get_session_key", _:
                result = {"status": "Invalid user name or password"}
            case "export_responses", ["the-session", 1234, "csv", *_]:
                result = base64.b64encode(LIMESURVEY.encode()).decode()
            case "export_responses", _:
                result = {"status": "No survey with that ID"}
            case _:
                result = "OK"
        body = json.dumps({"id": asked["id"], "result": result, "error": None}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def limesurvey() -> Iterator[str]:
    """A server that speaks LimeSurvey's API on loopback."""
    RemoteControl.calls = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), RemoteControl)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.php/admin/remotecontrol"
    server.shutdown()
    server.server_close()


def test_answers_are_fetched_from_limesurvey_and_vouched_for_until_now(
    store, asked, described, limesurvey
):
    asked(3)
    campaign = described("limesurvey")
    imported = import_limesurvey(campaign, Server(limesurvey, "librarian", "right"), 1234)
    assert imported.kinds["counted"] == 3
    assert said(store, "channel") == OF_LIMESURVEY
    assert said(store, "slot") == {"pm": 1, "other": 1, "am": 1}
    assert texts(store) == {"channel": "ป้าย, ใหญ่", "slot": "เที่ยงคืน"}
    assert store.do("SELECT language FROM core.response ORDER BY answered_at") == [
        ("th",), ("en",), (None,),
    ]  # fmt: skip
    assert imported.exported_at == vouched(store) == at(20, 0)
    assert [call[0] for call in RemoteControl.calls] == [
        "get_session_key", "export_responses", "release_session_key",
    ]  # fmt: skip
    assert "complete" in RemoteControl.calls[1]


@pytest.mark.parametrize(
    ("password", "survey", "sentence"),
    [("wrong", 1234, "Invalid user name or password"), ("right", 1, "No survey with that ID")],
)
def test_what_limesurvey_refuses_is_told_without_the_password(
    store, described, limesurvey, clock, password, survey, sentence
):
    clock.at(2018, 7, 20)
    campaign = described("limesurvey")
    with pytest.raises(EngagementError, match=sentence) as caught:
        import_limesurvey(campaign, Server(limesurvey, "librarian", password), survey)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("http://127.0.0.1:1/index.php", "does not answer"), ("nonsense", "does not answer")],
)
def test_a_limesurvey_that_cannot_be_reached_is_told_in_a_sentence(
    store, described, clock, path, sentence
):
    clock.at(2018, 7, 20)
    campaign = described("limesurvey")
    with pytest.raises(EngagementError, match=sentence):
        import_limesurvey(campaign, Server(path, "librarian", "right"), 1)


def test_a_file_that_limesurvey_exported_is_read_as_its_api_is(store, asked, described, tmp_path):
    asked(3)
    path = tmp_path / "results-survey1234.csv"
    path.write_bytes(codecs.BOM_UTF8 + LIMESURVEY.encode())
    campaign = described("limesurvey")
    assert import_file(campaign, path).kinds["counted"] == 3
    assert said(store, "channel") == OF_LIMESURVEY


def test_microsoft_forms_excel_is_read(store, asked, described, tmp_path):
    asked(1)
    campaign = described("microsoft-forms", columns={"token": "Code"})
    path = tmp_path / "แบบสำรวจ(1-1).xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(
            0, 0, ["Id", "Start time", "Completion time", "Email", "Code", "ช่องทาง", "เวลา"]
        )
        when = book.add_format({"num_format": "m/d/yy h:mm:ss"})
        sheet.write_number(1, 0, 1)
        sheet.write_datetime(1, 1, datetime(2018, 7, 10, 16, 0), when)  # noqa: DTZ001
        sheet.write_datetime(1, 2, datetime(2018, 7, 10, 16, 4, 5), when)  # noqa: DTZ001
        sheet.write_row(1, 3, ["anonymous", "token0", "ไลน์;E-mail, at work;ป้าย, ใหญ่;", "บ่าย"])
    imported = import_file(campaign, path)
    assert imported.kinds["counted"] == 1
    assert imported.exported_at == datetime(2018, 7, 10, 16, 4, 5, tzinfo=BANGKOK)
    assert imported.ignored_columns == ("Id", "Start time", "Email")
    assert said(store, "channel") == {"line": 1, "mail": 1, "other": 1}
    assert said(store, "slot") == {"pm": 1}
    assert texts(store) == {"channel": "ป้าย, ใหญ่"}


def test_any_table_is_read_as_its_yaml_says(store, asked, described, tmp_path):
    asked(2)
    campaign = described(
        "table",
        columns={"timestamp": "When", "token": ["Ref"]},
        separators="/",
        order="month/day/year",
        timezone="UTC",
    )
    path = tmp_path / "table.txt"
    path.write_text(
        "Ref|Channel|Time|When\ntoken0|Line / E-mail, at work|Morning|7/10/2018 9:00 AM\n"
        "token1|Line|Evening|7/18/2018 5:00 PM\n",
        encoding="utf-8",
    )
    assert import_file(campaign, path).kinds["counted"] == 1
    assert said(store, "channel") == {"line": 1, "mail": 1}
    assert store.do("SELECT kind, answered_at FROM core.response ORDER BY answered_at") == [
        ("counted", at(10, 16)),
        ("late", at(19, 0)),
    ]
