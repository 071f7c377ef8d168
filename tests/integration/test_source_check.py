"""`engagement source check` says what a YAML makes of a library system, before anything is kept."""

import json
import re
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from exported import delimited, file_url, member, pages, user, written_at

from engagement import source_tables
from engagement.errors import EngagementError
from engagement.labels import labels
from engagement.model import source as sources
from engagement.model.source_check import ROWS, SourceCheck, Unmapped, check

pytestmark = pytest.mark.usefixtures("clock")
Describe = Callable[[Callable[[dict[str, Any]], Any]], None]


@pytest.fixture
def describe(tmp_path: Path, world: pytest.MonkeyPatch) -> Describe:
    """Let AutoLib be described with a change of the shipped YAML."""
    shipped = (sources.INCLUDE / "sources" / "autolib.yaml").read_text(encoding="utf-8")
    (tmp_path / "sources").mkdir()
    world.setattr(sources, "INCLUDE", tmp_path)

    def change(how: Callable[[dict[str, Any]], Any]) -> None:
        described = yaml.safe_load(shipped)
        how(described)
        written = yaml.safe_dump(described, allow_unicode=True)
        (tmp_path / "sources" / "autolib.yaml").write_text(written, encoding="utf-8")

    return change


def shown(found: SourceCheck, capsys: pytest.CaptureFixture[str], world: pytest.MonkeyPatch) -> str:
    """Return what is printed, without the frames of the tables."""
    world.setenv("COLUMNS", "160")
    source_tables.show(found)
    return re.sub(" +", " ", re.sub("[│┃]", " | ", capsys.readouterr().out))


# What is in the records


def test_each_field_says_what_is_filled_missing_a_placeholder_or_otherwise_wrong(
    library: Any,
) -> None:
    library.enrol(2, first_name=None, last_name=None)
    library.enrol(3, first_name="ทดสอบ", email="-")
    library.enrol(4, last_name=None, email="nobody@@example.com")
    library.enrol(5, type_code="99", faculty_code=None)
    library.enrol(6, email=None, expire_date="31/05/2560")
    library.enrol(1, email=None)
    library.enrol(7, expire_date="31/31/2565", prefix_code=77, nationality_code=None)
    library.enrol(8, member_state="2", unit_name="ไม่ระบุ", faculty_code=None, prefix_code=None)
    found = check("autolib", library.source)
    assert (found.source_count, found.read_count, found.complete_count) == (76, 76, 40)
    assert {name: (field.filled, field.faults) for name, field in found.fields.items()} == {
        "name": (67, {"no family name": 4, "placeholder": 3, "missing": 2}),
        "status": (71, {"unknown code": 5}),
        "affiliation": (63, {"placeholder": 8, "missing": 5}),
        "email": (62, {"missing": 7, "no address": 4, "placeholder": 3}),
        "membership": (55, {"suspended": 8, "contradictory": 7, "expired": 6}),
        "expiry": (69, {"no date": 7}),
        "prefix": (61, {"missing": 8, "unknown code": 7}),
        "nationality": (69, {"missing": 7}),
    }
    for field in found.fields.values():
        assert field.filled + sum(field.faults.values()) == found.read_count
    assert found.fields["affiliation"].columns == ("faculty_name", "unit_name")
    assert found.explanations == []


def test_codes_that_the_yaml_does_not_name_are_listed_with_their_counts(library: Any) -> None:
    library.enrol(3, type_code="99", member_state="7")
    library.enrol(1, type_code=" 98 ", prefix_code=0)
    library.enrol(1, type_code=None)
    found = check("autolib", library.source)
    assert found.unmapped == {
        "patron_types": Unmapped({"99": 3, "98": 1}, more=0, more_records=0),
        "membership": Unmapped({"7": 3}, more=0, more_records=0),
        "prefixes": Unmapped({"0": 1}, more=0, more_records=0),
    }


def test_a_type_that_no_rule_places_is_listed_as_missing_among_the_groups(
    library: Any, describe: Describe
) -> None:
    describe(lambda y: y["patron_types"].update({"98": "ผู้เยี่ยมชม"}))
    library.enrol(2, type_code="98")
    found = check("autolib", library.source)
    assert found.unmapped == {"groups": Unmapped({"98": 2}, more=0, more_records=0)}
    assert found.fields["status"].faults == {"in no group": 2}
    assert found.complete_count == 40


def test_of_many_codes_the_twenty_most_frequent_are_listed(
    library: Any, capsys: pytest.CaptureFixture[str], world: pytest.MonkeyPatch
) -> None:
    library.enrol(300)
    for number in range(25):
        library.enrol(1, type_code=f"X{number:02}")
    library.enrol(2, type_code="VIP")
    library.enrol(2, type_code="somebody@library.example.com")
    found = check("autolib", library.source)
    listed = found.unmapped["patron_types"]
    assert len(listed.codes) == 20
    assert next(iter(listed.codes.items())) == ("VIP", 2)
    assert (listed.more, listed.more_records, found.doubts) == (7, 8, [])
    assert "| and 7 more codes in 8 records |" in shown(found, capsys, world)
    assert found.as_json()["unmapped"]["patron_types"]["more_records"] == 8


@pytest.mark.parametrize(
    "value",
    [
        "somebody@library.example.com",
        "1409900000001",
        "๑๔๐๙๙๐๐๐๐๐๐๐๑",
        "นางสาวสมหญิง ผู้มีนามสกุลยาวมากจริง ๆ",
    ],
)
def test_what_is_no_code_is_counted_and_not_shown(
    value: str,
    library: Any,
    capsys: pytest.CaptureFixture[str],
    world: pytest.MonkeyPatch,
) -> None:
    library.enrol(2, type_code=value)
    library.enrol(1, type_code="99")
    found = check("autolib", library.source)
    assert found.unmapped == {"patron_types": Unmapped({"99": 1}, more=1, more_records=2)}
    assert value[:6] not in shown(found, capsys, world)


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("patron_type", "patron_types"),
        ("membership", "membership"),
        ("prefix", "prefixes"),
        ("nationality", "nationalities"),
    ],
)
def test_a_field_that_is_read_from_the_names_is_doubted_and_shows_nobodys_name(
    field: str,
    part: str,
    library: Any,
    describe: Describe,
    capsys: pytest.CaptureFixture[str],
    world: pytest.MonkeyPatch,
) -> None:
    describe(lambda y: y["database"]["columns"].update({field: "first_name"}))
    library.do("DELETE FROM autolib.member")
    for number in range(30):
        library.enrol(1, first_name=f"สมชาย{chr(ord('ก') + number)}")
    found = check("autolib", library.source)
    assert found.doubts == [
        f"{field} has 30 different values in 30 records: is it the right column?"
    ]
    assert found.unmapped[part] == Unmapped({}, more=30, more_records=30)
    assert "สมชาย" not in shown(found, capsys, world) + json.dumps(
        found.as_json(), ensure_ascii=False
    )


def test_a_nationality_that_nobody_knows_is_listed_and_makes_no_foreigner(library: Any) -> None:
    library.enrol(3, nationality_code="ไทน")
    library.enrol(2, nationality_code="01")
    library.enrol(1, nationality_code="ลาว")
    library.enrol(1, nationality_code="ไม่ระบุ")
    found = check("autolib", library.source)
    assert found.unmapped == {
        "nationalities": Unmapped({"ไทน": 3, "01": 2}, more=0, more_records=0)
    }
    assert found.fields["nationality"].faults == {"unknown code": 5, "placeholder": 1}
    assert (found.groups["international"], found.groups["undergraduate"]) == (1, 46)


def test_groups_stand_in_the_order_of_every_table_and_add_up(library: Any) -> None:
    library.enrol(3, type_code="51")
    library.enrol(2, type_code="01")
    library.enrol(1, type_code="21", nationality_code="LA")
    library.enrol(1, type_code="99")
    found = check("autolib", library.source)
    assert list(found.groups.items()) == [
        ("staff", 2), ("undergraduate", 40), ("graduate", 0), ("international", 1),
        ("alumni_retired", 0), ("external", 0), ("pupil", 3), ("unmapped", 1),
    ]  # fmt: skip
    assert list(found.groups) == list(labels().groups)


def test_contradictions_are_counted_and_who_wins_is_told(
    library: Any,
    describe: Describe,
    capsys: pytest.CaptureFixture[str],
    world: pytest.MonkeyPatch,
) -> None:
    describe(lambda y: y["membership"]["contradiction"].update(no_expiry="state"))
    library.enrol(2, expire_date="31/05/2560")
    library.enrol(3, expire_date=None)
    library.enrol(1, prefix_code=12, last_name=None)
    library.enrol(4, email="somebody@gmial.com")
    found = check("autolib", library.source)
    assert found.notices == {"single_name": 1, "past_expiry": 2, "no_expiry": 3, "likely_typo": 4}
    assert found.wins == {"past_expiry": "expiry", "no_expiry": "state"}
    assert found.complete_count == 48
    printed = shown(found, capsys, world)
    assert (
        "| Active, but the expiry date is past | 2 | contradiction.past_expiry: expiry |" in printed
    )
    assert "| Active, but there is no expiry date | 3 | contradiction.no_expiry: state |" in printed
    assert "gmial" not in printed


def test_records_that_cannot_be_read_are_counted_by_reason(
    library: Any, capsys: pytest.CaptureFixture[str], world: pytest.MonkeyPatch
) -> None:
    library.do(r"UPDATE autolib.member SET first_name = E'\xe0\xb8\xaa\xe0' WHERE member_no <= 3")
    library.enrol(1, member_id=" ")
    found = check("autolib", library.source)
    assert found.unreadable == {"undecodable": 3, "malformed": 1}
    assert (found.read_count, found.fields["name"].filled) == (41, 37)
    assert "| Unreadable text | 3 |" in shown(found, capsys, world)


@pytest.mark.parametrize("looks_up", [True, False])
def test_it_is_told_where_a_month_asks_for_mail_domains_and_the_check_does_not(
    looks_up: bool,
    library: Any,
    describe: Describe,
    capsys: pytest.CaptureFixture[str],
    world: pytest.MonkeyPatch,
) -> None:
    describe(lambda y: y["email"].update(look_up_domains=looks_up))
    found = check("autolib", library.source)
    sentence = (
        "Mail domains are not asked here: a month takes out the addresses of those that take no mail "
        "(look_up_domains)."
    )
    assert found.left_out == ([sentence] if looks_up else [])
    assert (sentence in shown(found, capsys, world)) is looks_up


# What the system does not hold


@pytest.mark.parametrize("field", ["affiliation", "email"])
def test_a_system_without_a_field_is_told_in_one_sentence(
    field: str,
    library: Any,
    describe: Describe,
    capsys: pytest.CaptureFixture[str],
    world: pytest.MonkeyPatch,
) -> None:
    describe(lambda y: y["database"]["columns"].pop(field))
    found = check("autolib", library.source)
    (sentence,) = found.explanations
    assert sentence.endswith(f"name another column as {field} in autolib.yaml.")
    assert found.complete_count == 0
    assert found.fields[field].columns == ()
    printed = shown(found, capsys, world)
    assert f"Nobody would be a real customer. {sentence}" in printed
    assert f"| {field} | 0 | 40 | 0 | | nothing: the YAML names no column |" in printed


def test_a_column_that_is_always_empty_is_told_as_well(library: Any) -> None:
    library.do("UPDATE autolib.member SET email = '-', type_code = 'A'")
    found = check("autolib", library.source)
    assert [sentence.split(":")[0] for sentence in found.explanations] == [
        "No record has a known patron status",
        "No record has an e-mail address",
    ]


def test_an_empty_library_is_told_and_has_no_tables(
    library: Any, capsys: pytest.CaptureFixture[str], world: pytest.MonkeyPatch
) -> None:
    library.do("DELETE FROM autolib.member")
    found = check("autolib", library.source)
    assert (found.source_count, found.read_count, found.explanations) == (0, 0, [])
    assert shown(found, capsys, world) == (
        "Walai AutoLib holds no patron record; see that the right database or file is named.\n"
    )


# How it reads


def test_a_copy_is_judged_by_the_day_that_it_was_taken(library: Any, clock: Any) -> None:
    library.enrol(1, expire_date="30/06/2561")
    clock.at(2018, 7, 20)
    found = check("autolib", library.source)
    assert found.as_of_date == date(2018, 6, 27)
    assert found.complete_count == 41


def test_the_range_of_the_expiry_dates_shows_two_digits_read_in_the_wrong_era(
    library: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    library.do("UPDATE autolib.member SET expire_date = '31/05/18' WHERE member_no <= 30")
    library.do("UPDATE autolib.member SET expire_date = '-' WHERE member_no > 39")
    found = check("autolib", library.source)
    assert found.expiry_dates == {
        "earliest": "1975-05-31",
        "median": "1975-05-31",
        "latest": "2022-05-31",
    }
    source_tables.show(found)
    assert "from 1975-05-31 to 2022-05-31" in capsys.readouterr().out


def test_of_a_large_library_only_the_first_thousand_are_read(library: Any) -> None:
    library.do("DELETE FROM autolib.member")
    library.do(
        "INSERT INTO autolib.member (member_id, first_name, last_name, type_code, unit_name, email, "
        "member_state, expire_date) SELECT 'M' || n, 'Somchai', 'Jaidee', '11', 'Science', "
        "'p' || n || '@library.example.com', '1', '31/05/2565' FROM generate_series(1, 300000) AS n"
    )
    # Who reads on to these bytes as UTF-8, which they are not, fails.
    library.do(r"UPDATE autolib.member SET last_name = E'\xff' WHERE member_no % 10000 = 7777")
    began = time.monotonic()
    found = check("autolib", library.url)
    assert time.monotonic() - began < 20  # reading all of them takes minutes
    assert (found.source_count, found.read_count, found.complete_count) == (300_000, ROWS, ROWS)


def test_of_a_file_only_the_beginning_is_read(tmp_path: Path) -> None:
    text = delimited(member(number) for number in range(2 * ROWS))
    path = tmp_path / "patrons-2018-06.csv"
    path.write_text(f'{text}"a quote that never closes', encoding="utf-8")
    written_at(path, 2018, 6, 30)
    found = check("autolib", file_url(tmp_path / "patrons-{period}.csv"))
    assert (found.source_count, found.read_count, found.complete_count) == (None, ROWS, ROWS)
    assert found.fields["affiliation"].columns == ("คณะ", "หน่วยงาน")


def test_of_folios_pages_only_the_first_are_read(tmp_path: Path) -> None:
    folder = pages(tmp_path / "folio", [user(n) for n in range(700)], [user(n) for n in range(700)])
    (folder / "users-002.json").write_text('{"users": [', encoding="utf-8")
    written_at(folder, 2018, 6, 30)
    found = check("folio", file_url(folder))
    assert (found.read_count, found.complete_count) == (ROWS, ROWS)
    assert found.fields["name"].columns == ("personal.firstName", "personal.lastName")


GONE, OTHER = "12345678-0000-4000-8000-00000000000A", "0b9a4f0e-5d0c-4b6e-9d2a-3c1f5e7d9b11"


def test_a_department_that_no_lookup_knows_is_listed_and_makes_nobody_a_real_customer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], world: pytest.MonkeyPatch
) -> None:
    known = [user(number) for number in range(5)]
    lost = [user(10 + number, departments=[GONE if number else OTHER]) for number in range(4)]
    found = check("folio", file_url(pages(tmp_path / "folio", known + lost)))
    assert (found.read_count, found.complete_count) == (9, 5)
    assert found.fields["affiliation"].faults == {"unknown code": 4}
    assert found.unmapped == {"lookups": Unmapped({GONE: 3, OTHER: 1}, more=0, more_records=0)}
    printed = shown(found, capsys, world)
    assert f"| lookups | 3 | {GONE} |" in printed
    assert "| affiliation | 5 | 0 | 0 | 4 unknown code | departments |" in printed


def test_a_group_that_no_lookup_knows_is_listed_by_its_id(tmp_path: Path) -> None:
    folder = pages(tmp_path / "folio", [user(1), user(2, patronGroup=GONE)])
    found = check("folio", file_url(folder))
    assert found.unmapped == {"patron_types": Unmapped({GONE: 1}, more=0, more_records=0)}


def test_a_column_that_the_query_does_not_give_is_named(library: Any, describe: Describe) -> None:
    describe(lambda y: y["database"]["columns"].update(email="mail_box"))
    with pytest.raises(EngagementError, match="takes email from the column mail_box"):
        check("autolib", library.source)


def test_a_system_that_nobody_described_is_told(library: Any) -> None:
    with pytest.raises(EngagementError, match=r"no source 'alma'.*autolib, folio, koha"):
        check("alma", library.source)
    with pytest.raises(EngagementError, match=r"^There is no source '../titles'"):
        check("../titles", library.source)


# How it is told


def test_it_is_printed_without_a_value_of_a_patron(
    library: Any, capsys: pytest.CaptureFixture[str], world: pytest.MonkeyPatch
) -> None:
    library.enrol(2, type_code="[red]99", email=None)
    printed = shown(check("autolib", library.source), capsys, world)
    assert printed.startswith(
        "Walai AutoLib, as of 2018-06-27: the first 42 of 42 records, and what autolib.yaml makes of "
        "them.\n"
    )
    assert "| email | 40 | 2 | 0 | | email |" in printed
    assert "| status | 40 | 0 | 0 | 2 unknown code | type_code |" in printed
    assert "| complete, and current | 40 |" in printed
    assert "| patron_types | 2 | [red]99 |" in printed
    assert "| Undergraduates | 40 |" in printed
    for value in ("สมชาย", "ใจดี", "@library.example.com", "M1"):
        assert value not in printed


def test_it_can_be_had_as_json(library: Any) -> None:
    told = json.loads(json.dumps(check("autolib", library.source).as_json()))
    assert told["as_of_date"] == "2018-06-27"
    assert told["fields"]["affiliation"] == {
        "columns": ["faculty_name", "unit_name"], "filled": 40, "faults": {},
    }  # fmt: skip
    assert told["groups"]["undergraduate"] == 40
    assert set(told) == set(SourceCheck.__dataclass_fields__)


def test_it_keeps_nothing(library: Any, world: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It runs where there is no warehouse, and with a user who may only read."""
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    read_only = library.source.update_query_dict({"options": "-c default_transaction_read_only=on"})
    assert check("autolib", read_only).complete_count == 40
