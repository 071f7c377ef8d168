"""A source record becomes a value or nothing beside each raw value, with the reason why it is nothing."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml

from engagement.errors import EngagementError
from engagement.model.normalise import SCHEMA, Normaliser
from engagement.model.records import FIELDS, Records, first_filled
from engagement.model.source import Source
from engagement.settings import INCLUDE
from engagement.text import clean

TODAY = date(2018, 6, 27)
SHIPPED = yaml.safe_load((INCLUDE / "sources" / "autolib.yaml").read_text(encoding="utf-8"))

COLUMNS = SCHEMA.names
STUDENT = {
    "source_id": "M1",
    "prefix": "1",
    "given_name": "สมชาย",
    "family_name": "ใจดี",
    "full_name": None,
    "patron_type": "11",
    "affiliation": "คณะวิทยาศาสตร์",
    "nationality": "TH",
    "citizen_id": "1409900000001",
    "email": "somchai@library.example.com",
    "membership": "1",
    "expiry": "31/05/2565",
}


def normaliser(key: bytes = b"key", carrier: str | None = None, **changes: Any) -> Normaliser:
    """Return a reader by the shipped rules, with changes; what it reads is text unless it is carried."""
    return Normaliser(Source.model_validate(SHIPPED | changes), 7, TODAY, key, carrier=carrier)


def autolib() -> Normaliser:
    """Return the reader exactly as it is shipped: its driver hands over bytes as Latin-1."""
    return normaliser(carrier="latin-1")


def given(*records: dict[str, Any], first_no: int = 1) -> Records:
    """Return whole records as a source gives them: by field."""
    fields = {field: [record[field] for record in records] for field in FIELDS}
    return Records(range(first_no, first_no + len(records)), fields)


def rows(*records: dict[str, Any], by: Normaliser | None = None) -> list[dict[str, Any]]:
    """Return the normalised rows of records that differ from the student as given."""
    chunk = (by or normaliser()).chunk(given(*(STUDENT | record for record in records)))
    return chunk.rows.to_pylist()


def row(by: Normaliser | None = None, **values: Any) -> dict[str, Any]:
    (only,) = rows(values, by=by)
    return only


def bytewise(encoding: str = "utf-8", **values: Any) -> dict[str, Any]:
    """Return the student's record as the Latin-1 driver hands its bytes over."""
    return {
        field: value.encode(encoding).decode("latin-1") if isinstance(value, str) else value
        for field, value in (STUDENT | values).items()
    }


def test_the_fixture_has_every_field_of_the_contract():
    assert set(STUDENT) == set(FIELDS)


def test_a_whole_record_passes_with_nothing_to_complain_about():
    found = row()
    assert found["title"] == "นาย"
    assert (found["given_name"], found["family_name"]) == ("สมชาย", "ใจดี")
    assert found["name"] == "สมชาย ใจดี"
    assert found["status"] == "นักศึกษาระดับปริญญาตรี"
    assert found["affiliation"] == "คณะวิทยาศาสตร์"
    assert found["email"] == "somchai@library.example.com"
    assert found["membership"] == "current"
    assert found["expiry_date"] == date(2022, 5, 31)
    assert found["group_code"] == "undergraduate"
    faults = {c: found[c] for c in COLUMNS if c.endswith("_fault")}
    assert faults == dict.fromkeys(faults)
    assert len(faults) == 5


def test_the_raw_values_stay_as_they_came():
    found = row(given_name=" สม\u200bชาย ", expiry="31/05/65", patron_type=None)
    assert found["given_name_raw"] == " สม\u200bชาย "
    assert found["given_name"] == "สมชาย"
    assert found["expiry_raw"] == "31/05/65"
    assert found["patron_type_raw"] is None


def test_no_citizen_number_is_staged_neither_raw_nor_cleaned():
    assert not any("citizen" in column for column in COLUMNS)
    assert "1409900000001" not in str(row())


# Names


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u00a0", "\u200b", "-", ".", "???", "ไม่ระบุ",
                                     "(ไม่มี)", "ทดสอบ", "TEST", "N/A", "null", "XXX"])  # fmt: skip
def test_a_placeholder_is_no_name(nothing):
    is_written = bool(clean(nothing or ""))
    first = row(given_name=nothing)
    assert (first["name"], first["given_name"]) == (None, None)
    assert first["name_fault"] == ("placeholder" if is_written else "no given name")
    last = row(family_name=nothing)
    assert (last["name"], last["family_name"]) == (None, None)
    assert last["name_fault"] == ("placeholder" if is_written else "no family name")


@pytest.mark.parametrize(
    ("given", "family"),
    [("เก่งๆ", "ณ อยุธยา"), ("น้ำ", "คำ"), ("ณ", "ก"), ("O", "A."),
     ("ปรากฏ", "ฐิติพันธุ์"), ("Testa", "Nonez"), ("ไม่ระบุตัวตน", "มีไม่มี"), ("Anna-Lena", "d'Arc")],
)  # fmt: skip
def test_a_name_that_only_resembles_a_placeholder_or_a_mark_is_a_name(given, family):
    found = row(given_name=given, family_name=family)
    assert found["name"] == f"{given} {family}"
    assert found["name_fault"] is None


@pytest.mark.parametrize(
    ("prefix", "nationality", "passes"),
    [("12", "TH", True), ("1", "ID", True), ("1", "MM", True), (None, "MM", True), ("12", None, True),
     ("1", "TH", False), ("1", "LA", False), (None, None, False), ("112", "TH", False)],
)  # fmt: skip
def test_a_single_name_passes_for_monks_and_where_it_is_the_custom(prefix, nationality, passes):
    found = row(prefix=prefix, nationality=nationality, family_name=None, given_name="ปัญญา")
    assert found["name"] == ("ปัญญา" if passes else None)
    assert found["name_fault"] == (None if passes else "no family name")


def test_a_family_name_alone_is_no_single_name():
    assert row(prefix="12", given_name=None)["name_fault"] == "no given name"


@pytest.mark.parametrize(
    "record",
    [
        {"given_name": "พระมหา ดร. สมชาย"},
        {"given_name": "พระมหาสมชาย"},
        {"given_name": "พระสมชาย"},
        {"given_name": "แม่ชีสุดา"},
        {"given_name": "สามเณร สมชาย"},
        {"given_name": "พระองค์เจ้าสุดา"},
        {"given_name": "สมเด็จพระพุฒาจารย์"},
        {"given_name": "Phra Somchai"},
        {"given_name": "สมชาย", "prefix": "12"},
        {"given_name": "ดร. สมชาย", "prefix": "12"},
        {"full_name": "พระมหา ดร. สมชาย"},
        {"full_name": "แม่ชี สุดา"},
    ],
)
def test_nobody_who_bears_no_family_name_is_rejected_for_that(record):
    found = row(**({"prefix": None, "given_name": None, "family_name": None} | record))
    assert found["name_fault"] is None
    assert found["name"] == found["given_name"]
    assert found["family_name"] is None


def test_a_library_says_who_of_its_members_bears_no_family_name():
    hill_tribes = {"titles": ["นอว์", "หะยี"]}
    for name in ("นอว์เอมู", "หะยีอาแว"):
        assert row(given_name=name, family_name=None)["name_fault"] == "no family name"
        found = row(normaliser(single_name=hill_tribes), given_name=name, family_name="-")
        assert (found["name"], found["name_fault"]) == (name, None)


@pytest.mark.parametrize("nothing", ["-", "ไม่ระบุ", ".", "N/A"])
def test_what_stands_for_no_name_hides_none_that_is_in_another_field(nothing):
    found = row(given_name=nothing, family_name=nothing, full_name="นาย สมชาย ใจดี")
    assert (found["title"], found["name"], found["name_fault"]) == ("นาย", "สมชาย ใจดี", None)
    found = row(given_name="สมชาย ใจดี", family_name=nothing)
    assert (found["name"], found["family_name"]) == ("สมชาย ใจดี", "ใจดี")
    for given_name in (nothing, None):
        found = row(given_name=given_name, family_name=None, full_name=nothing)
        assert (found["name"], found["name_fault"]) == (None, "placeholder")


def test_a_given_name_alone_leaves_the_word_to_the_whole_name():
    found = row(given_name="สมชาย", family_name=None, full_name="สมชาย ใจดี")
    assert (found["given_name"], found["family_name"]) == ("สมชาย", "ใจดี")


@pytest.mark.parametrize("field", ["given_name", "full_name"])
def test_a_name_of_another_alphabet_in_one_field_is_split(field):
    empty = {"given_name": None, "family_name": None}
    chinese = row(**(empty | {field: "王小明"}))
    assert (chinese["given_name"], chinese["family_name"]) == ("小明", "王")
    korean = row(**(empty | {field: "김철수"}))
    assert (korean["given_name"], korean["family_name"]) == ("철수", "김")
    officer = row(**(empty | {field: "พันเอก ใจดี"}))
    assert (officer["given_name"], officer["family_name"]) == ("พันเอก", "ใจดี")


def test_a_japanese_name_without_a_space_is_kept_whole_and_passes_where_the_library_says_so():
    japanese = {"given_name": None, "family_name": None, "full_name": "田中太郎"}
    japanese |= {"nationality": "JP"}
    assert row(**japanese)["name_fault"] == "no family name"
    assert row(**japanese)["given_name"] == "田中太郎"
    allowed = normaliser(single_name={"nationalities": ["JP"]})
    assert row(allowed, **japanese)["name"] == "田中太郎"


def test_an_unknown_prefix_costs_the_title_and_not_the_name():
    found = row(prefix="99")
    assert found["title"] is None
    assert found["name"] == "สมชาย ใจดี"


# Status, affiliation


@pytest.mark.parametrize(
    ("code", "fault"), [(None, "missing"), (" ", "missing"), ("99", "unknown code"), ("1", "unknown code")]
)  # fmt: skip
def test_a_status_is_known_or_it_is_no_status(code, fault):
    found = row(patron_type=code)
    assert (found["status"], found["status_fault"]) == (None, fault)
    assert found["group_code"] is None


def test_a_code_with_spaces_around_it_is_that_code():
    assert row(patron_type=" 11\u00a0")["status"] == "นักศึกษาระดับปริญญาตรี"


@pytest.mark.parametrize(
    ("value", "fault"),
    [(None, "missing"), ("\u200b ", "missing"), ("-", "placeholder"), ("อื่น ๆ", "placeholder"),
     ("อื่นๆ", "placeholder"), ("Other.", "placeholder"), ("ไม่ระบุ", "placeholder")],
)  # fmt: skip
def test_a_placeholder_is_no_affiliation(value, fault):
    found = row(affiliation=value)
    assert (found["affiliation"], found["affiliation_fault"]) == (None, fault)


def test_what_is_a_placeholder_in_one_field_may_be_a_value_in_another():
    assert row(affiliation="ทดสอบ")["affiliation"] == "ทดสอบ"
    assert row(given_name="Other")["given_name"] == "Other"


# E-mail


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a.b+c@library.example.com", "a.b+c@library.example.com"),
        ("  a@library.example.com\u200b", "a@library.example.com"),
        ("a@Library.Example.COM", "a@library.example.com"),
        ("first@x.example.com, second@y.example.com", "first@x.example.com"),
        ("first@x.example.com;second@y.example.com", "first@x.example.com"),
        ("first@x.example.com / second@y.example.com", "first@x.example.com"),
        ("; first@x.example.com", "first@x.example.com"),
        ("first@x.example.com ไม่มี", "first@x.example.com"),
        ("somchai_k@kku.ac.th", "somchai_k@kku.ac.th"),
    ],
)
def test_the_first_address_of_the_field_is_the_address(written, read):
    found = row(email=written)
    assert (found["email"], found["email_fault"]) == (read, None)


@pytest.mark.parametrize(
    ("written", "fault"),
    [(None, "missing"), (" \u00a0", "missing"), ("-", "placeholder"), ("ไม่มี", "placeholder"),
     ("N/A", "placeholder"), ("no", "placeholder"), ("No@Email.com", "placeholder"),
     ("(test@test.com)", "placeholder"), ("somchai", "no address"), ("a@", "no address"),
     ("@example.com", "no address"), ("a@b@example.com", "no address"), ("a@localhost", "no address"),
     ("a..b@example.com", "no address"), ("สมชาย@example.com", "no address"), (",", "placeholder"),
     ("a@exa mple.com", "no address"), ("a@example,com", "no address"), ("043-202-000", "no address")],
)  # fmt: skip
def test_what_is_no_address_is_not_made_into_one(written, fault):
    found = row(email=written)
    assert (found["email"], found["email_fault"]) == (None, fault)
    assert found["address_key"] is None


def test_an_address_is_recognised_by_its_key_whatever_the_case_and_by_nobody_without_the_secret():
    one, same, other = rows(
        {"email": "Somchai@kku.ac.th"}, {"email": " somchai@KKU.ac.th;"}, {"email": "suda@kku.ac.th"}
    )  # fmt: skip
    assert one["address_key"] == same["address_key"] != other["address_key"]
    assert len(one["address_key"]) == 32
    foreign = row(normaliser(key=b"another"), email="Somchai@kku.ac.th")
    assert foreign["address_key"] != one["address_key"]


def test_the_outbox_and_the_patrons_know_an_address_by_the_same_key():
    from engagement import address

    found = row(email="Somchai@KKU.ac.th")
    assert found["address_key"] == address.digest(found["email"], b"key")


# Membership


@pytest.mark.parametrize(
    ("state", "expiry", "fault"),
    [
        ("1", "31/05/2565", None),
        ("1", "27/06/2561", None),  # the last day is a day of membership
        ("1", "26/06/2561", "expired"),
        ("1", "31/05/2560", "expired"),
        ("1", "31/05/60", "expired"),
        ("1", None, "contradictory"),
        ("1", "31/02/2565", "contradictory"),
        ("1", "ตลอดชีพ", "contradictory"),
        ("2", "31/05/2565", "suspended"),
        ("3", "31/05/2560", "suspended"),
        ("2", None, "suspended"),
        ("0", "31/05/2565", "contradictory"),
        (None, "31/05/2565", "contradictory"),
        (" 1 ", "31/05/2565", None),
    ],
)
def test_a_member_is_current_by_state_and_by_date(state, expiry, fault):
    found = row(membership=state, expiry=expiry)
    assert found["membership_fault"] == fault
    assert found["membership"] == (None if fault else "current")


def test_where_the_library_says_so_no_expiry_date_means_no_expiry():
    endless = SHIPPED["membership"] | {"contradiction": {"no_expiry": "state"}}
    assert row(normaliser(membership=endless), expiry=None)["membership"] == "current"
    assert row(normaliser(membership=endless), expiry="31/05/2560")["membership"] is None


def test_where_the_library_says_so_an_active_state_outlives_its_expiry_date():
    lasting = SHIPPED["membership"] | {"contradiction": {"past_expiry": "state"}}
    assert row(normaliser(membership=lasting), expiry="31/05/2560")["membership"] == "current"
    assert row(normaliser(membership=lasting), expiry=None)["membership"] is None


@pytest.mark.parametrize("wins", ["state", "expiry"])
@pytest.mark.parametrize(
    ("state", "expiry", "contradiction"),
    [("1", "31/05/2560", "past_expiry"), ("1", None, "no_expiry"), ("1", "31/05/2565", None),
     ("2", "31/05/2560", None), ("0", None, None), ("1", "31/02/2565", None)],
)  # fmt: skip
def test_a_record_is_told_whose_verdict_the_library_chose(wins, state, expiry, contradiction):
    chosen = SHIPPED["membership"] | {"contradiction": {"past_expiry": wins, "no_expiry": wins}}
    found = row(normaliser(membership=chosen), membership=state, expiry=expiry)
    assert found["contradiction"] == contradiction


def test_a_date_that_cannot_be_read_is_not_a_missing_one():
    endless = SHIPPED["membership"] | {"contradiction": {"no_expiry": "state"}}
    found = row(normaliser(membership=endless), expiry="31/02/2560")
    assert found["membership_fault"] == "contradictory"


def test_not_current_hides_none_of_the_other_faults():
    found = row(membership="2", given_name="-", email=None, patron_type="99", affiliation=None)
    assert {c for c in COLUMNS if c.endswith("_fault") and found[c]} == {
        "membership_fault", "name_fault", "email_fault", "status_fault", "affiliation_fault",
    }  # fmt: skip


# Groups


def test_groups_are_given_in_the_order_of_the_rules():
    students = {"group": "undergraduate", "patron_type": ["11"]}
    foreigners = {"group": "international", "patron_type": ["11"], "nationality_not": ["TH"]}
    lao = {"nationality": "LA"}
    assert row(normaliser(groups=[students, foreigners]), **lao)["group_code"] == "undergraduate"
    assert row(normaliser(groups=[foreigners, students]), **lao)["group_code"] == "international"
    assert row(normaliser(groups=[foreigners]))["group_code"] is None


@pytest.mark.parametrize(
    ("nationality", "group"),
    [("th", "undergraduate"), ("THA", "undergraduate"), ("ไทย", "undergraduate"), ("-", "undergraduate"),
     ("ไม่ระบุ", "undergraduate"), ("N/A", "undergraduate"), (None, "undergraduate"), ("la", "international"),
     ("LA", "international"), ("ลาว", "international"), ("Lao", "international"), ("พม่า", "international"),
     ("chn", "international"), ("Vietnam", "international"), ("เวียดนาม", "international"),
     ("Thailand", "undergraduate"), ("ไทน", "undergraduate"), ("ไมย", "undergraduate"),
     ("Buddhist", "undergraduate"), ("01", "undergraduate"), ("สมชาย", "undergraduate"),
     ("NA", "undergraduate"), ("NO", "undergraduate"), ("Namibia", "international"), ("เมียนมาร์", "international")],
)  # fmt: skip
def test_nobody_is_made_a_foreigner_by_how_his_nationality_is_written(nationality, group):
    assert row(nationality=nationality)["group_code"] == group


def test_a_library_names_its_own_codes_of_nationalities():
    own = normaliser(nationalities={"01": "TH", "02": "LA", "03": "MM"})
    assert row(own, nationality="01")["group_code"] == "undergraduate"
    assert row(own, nationality="02")["group_code"] == "international"
    assert row(own, nationality="04")["group_code"] == "undergraduate"
    burmese = row(own, nationality="03", given_name="Aung", family_name=None)
    assert (burmese["name"], burmese["group_code"]) == ("Aung", "international")


def test_every_record_of_a_chunk_gets_its_own_group():
    found = rows(*({"patron_type": code} for code in ("11", "01", "51", "99", "11")))
    assert [r["group_code"] for r in found] == [
        "undergraduate", "staff", "pupil", None, "undergraduate",
    ]  # fmt: skip


# Fields of several columns


def read_from_several(field: str, *values: str | None, by: Normaliser | None = None) -> Any:
    """Return the row of the student whose field stands in several columns."""
    whole = given(STUDENT)
    several = first_filled([[value] for value in values])
    chunk = (by or normaliser()).chunk(Records([1], {**whole.fields, field: several}))
    (only,) = chunk.rows.to_pylist()
    return only


@pytest.mark.parametrize("nothing", ["-", "ไม่ระบุ", "อื่น ๆ", "\u200b", " ", "", None])
def test_of_several_columns_the_first_counts_that_says_something(nothing):
    found = read_from_several("affiliation", nothing, "หอสมุด", "คณะวิทยาศาสตร์")
    assert (found["affiliation"], found["affiliation_raw"]) == ("หอสมุด", "หอสมุด")
    assert read_from_several("affiliation", "หอสมุด", nothing)["affiliation"] == "หอสมุด"


def test_columns_that_all_say_nothing_say_it_as_one_does():
    assert read_from_several("affiliation", "-", "ไม่ระบุ")["affiliation_fault"] == "placeholder"
    assert read_from_several("affiliation", "-", "ไม่ระบุ")["affiliation_raw"] == "-"
    assert read_from_several("affiliation", None, " ")["affiliation_fault"] == "missing"


def test_what_a_lookup_does_not_explain_is_no_affiliation_and_stays_in_the_raw_value():
    records = given(
        *(STUDENT | {"affiliation": value} for value in (" d8\u200b", "หอสมุด", "-", None))
    )
    unknown = {"affiliation": frozenset({" d8\u200b", "-"})}
    found = normaliser().chunk(replace(records, unknown=unknown)).rows.to_pylist()
    assert [(row["affiliation"], row["affiliation_fault"]) for row in found] == [
        (None, "unknown code"), ("หอสมุด", None), (None, "placeholder"), (None, "missing"),
    ]  # fmt: skip
    assert found[0]["affiliation_raw"] == " d8\u200b"


def test_what_a_lookup_does_not_explain_hides_no_affiliation_of_the_next_column():
    def read(*values: str) -> Any:
        fields = given(STUDENT).fields | {"affiliation": [values]}
        records = Records([1], fields, unknown={"affiliation": frozenset({"d8"})})
        (only,) = normaliser().chunk(records).rows.to_pylist()
        return only["affiliation"], only["affiliation_raw"], only["affiliation_fault"]

    assert read("d8", "หอสมุด") == ("หอสมุด", "หอสมุด", None)
    assert read("หอสมุด", "d8") == ("หอสมุด", "หอสมุด", None)
    assert read("d8", "ไม่ระบุ") == (None, "d8", "unknown code")


def test_of_several_addresses_a_placeholder_is_none():
    found = read_from_several("email", "ไม่มี", "somchai@kku.ac.th", "other@kku.ac.th")
    assert (found["email"], found["email_fault"]) == ("somchai@kku.ac.th", None)


@pytest.mark.parametrize("no_address", ["no mail", "ไม่มีอีเมล", "somchai@", "-"])
def test_of_several_addresses_the_first_that_is_one_counts(no_address):
    found = read_from_several("email", no_address, "somchai@kku.ac.th")
    assert (found["email"], found["email_fault"]) == ("somchai@kku.ac.th", None)


def test_of_several_columns_each_is_read_as_its_own_bytes():
    whole = {field: [value] for field, value in bytewise().items()}
    nothing, unit = (
        "ไม่ระบุ".encode("cp874").decode("latin-1"),
        "หอสมุด".encode().decode("latin-1"),
    )
    several = first_filled([[nothing], [unit]])
    (found,) = autolib().chunk(Records([1], whole | {"affiliation": several})).rows.to_pylist()
    assert found["affiliation"] == "หอสมุด"
    broken = first_filled([["-"], ["สมชาย".encode()[:-1].decode("latin-1")], [unit]])
    kept = autolib().chunk(Records([1], whole | {"affiliation": broken})).quarantined
    ((_, reason, data),) = kept
    assert reason == "undecodable"
    assert "หอสมุด".encode() in data.split(b"\x1f")


# Identity


def test_two_ids_that_differ_only_in_what_cannot_be_seen_are_two():
    one, other = rows({"source_id": "M1"}, {"source_id": "M\u200b1"})
    assert (one["source_id"], other["source_id"]) == ("M1", "M\u200b1")
    assert row(source_id=" \u00a0M1\t")["source_id"] == "M1"


# One person, several records


def marks(*records: dict[str, Any], by: Normaliser | None = None) -> list[list[int | None]]:
    return [found["same_person"] for found in rows(*records, by=by)]


def test_records_of_one_citizen_carry_one_mark():
    one, same, other = marks({}, {"patron_type": "01", "citizen_id": " 1409900000001 "},
                             {"citizen_id": "1409900000002"})  # fmt: skip
    assert one[0] == same[0] != other[0]


def test_the_second_rule_needs_name_and_address_together():
    one, same, renamed, moved, nameless, unreachable = marks(
        {},
        {"citizen_id": None, "email": "SOMCHAI@library.example.com"},
        {"given_name": "สมหญิง"},
        {"email": "other@library.example.com"},
        {"given_name": "-"},
        {"email": "-"},
    )
    assert one[1] == same[1]
    assert same[0] is None
    assert len({one[1], renamed[1], moved[1]}) == 3
    assert nameless[1] is None
    assert unreachable[1] is None


def test_fields_that_flow_into_each_other_make_no_one_person():
    one, other = marks({"given_name": "สมชาย", "family_name": "ใจดี"},
                       {"given_name": "สมชายใจ", "family_name": "ดี"})  # fmt: skip
    assert one[1] != other[1]


@pytest.mark.parametrize("nothing", [None, "", " ", "\u200b"])
def test_who_has_no_citizen_number_is_the_same_person_as_nobody(nothing):
    assert [mark[0] for mark in marks({"citizen_id": nothing}, {"citizen_id": nothing})] == [
        None
    ] * 2


@pytest.mark.parametrize("nothing", ["-", ".", "?", "ไม่มี"])
def test_what_stands_for_no_citizen_number_makes_nobody_one_person(nothing):
    assert [mark[0] for mark in marks({"citizen_id": nothing}, {"citizen_id": nothing})] == [
        None
    ] * 2


def test_a_mark_does_not_tell_the_number_to_who_has_no_key():
    assert marks({})[0] != marks({}, by=normaliser(key=b"another"))[0]


def test_a_source_without_rules_links_nobody():
    assert marks({}, {}, by=normaliser(same_person=[])) == [[], []]


# Bytes of several ages


@pytest.mark.parametrize("encoding", ["utf-8", "cp874"])
def test_the_latin_1_driver_hands_over_bytes_of_both_ages(encoding):
    found = row(autolib(), **bytewise(encoding, given_name="สุธรรม"))
    assert found == row(given_name="สุธรรม")


def test_one_record_may_hold_fields_of_both_ages():
    old = bytewise("cp874")["affiliation"]
    found = row(autolib(), **bytewise() | {"affiliation": old})
    assert (found["name"], found["affiliation"]) == ("สมชาย ใจดี", "คณะวิทยาศาสตร์")


def quarantine(**values: Any) -> list[tuple[int, str, bytes]]:
    found = autolib().chunk(given(bytewise() | values, first_no=101))
    assert found.rows.num_rows == 0
    return found.quarantined


def test_an_unreadable_record_is_quarantined_with_its_bytes_and_the_others_pass():
    broken = "สมชาย".encode()[:-1].decode("latin-1")
    records = [bytewise(), bytewise() | {"email": broken}, bytewise() | {"family_name": broken},
               bytewise()]  # fmt: skip
    found = autolib().chunk(given(*records, first_no=101))
    assert [(number, reason) for number, reason, _ in found.quarantined] == [
        (102, "undecodable"), (103, "undecodable"),
    ]  # fmt: skip
    for _, _, kept in found.quarantined:
        assert broken.encode("latin-1") in kept.split(b"\x1f")
        assert "คณะวิทยาศาสตร์".encode() in kept.split(b"\x1f")
    assert found.rows["record_no"].to_pylist() == [101, 104]
    assert set(found.rows["extract_id"].to_pylist()) == {7}


@pytest.mark.parametrize("nothing", [None, "", " ", "\u200b".encode().decode("latin-1")])
def test_a_record_without_an_id_is_malformed_and_kept(nothing):
    ((number, reason, kept),) = quarantine(source_id=nothing)
    assert (number, reason) == (101, "malformed")
    assert "คณะวิทยาศาสตร์".encode() in kept.split(b"\x1f")


def test_an_id_of_more_than_500_characters_is_malformed_and_kept():
    at_random = "".join(random.Random(1).choices("กขคงจฉชซดตถทนบปผพฟมยรลวสหอ", k=501))  # noqa: S311
    assert row(source_id=f" {at_random[1:]} ")["source_id"] == at_random[1:]
    ((number, reason, kept),) = quarantine(**bytewise(source_id=at_random))
    assert (number, reason) == (101, "malformed")
    assert kept.split(b"\x1f")[0] == at_random.encode()


def test_a_record_that_could_not_be_split_is_kept_as_it_came_under_its_own_number():
    records = Records([1, 3], {field: [STUDENT[field]] * 2 for field in FIELDS}, [(2, b"a;b")])
    shifted = Normaliser(Source.model_validate(SHIPPED), 7, TODAY, b"key", first_no=1_000)
    found = shifted.chunk(records)
    assert found.quarantined == [(1_002, "malformed", b"a;b")]
    assert found.rows["record_no"].to_pylist() == [1_001, 1_003]


def test_a_value_of_ten_megabytes_is_no_name_and_its_record_is_kept_whole():
    ((number, reason, kept),) = quarantine(given_name="x" * 10_000_000)
    assert (number, reason) == (101, "malformed")
    assert b"x" * 10_000_000 in kept


def test_half_a_character_makes_a_record_undecodable_and_is_kept():
    found = normaliser().chunk(given(STUDENT | {"family_name": "\ud83d"}))
    ((_, reason, kept),) = found.quarantined
    assert reason == "undecodable"
    assert "สมชาย".encode() in kept


def test_a_nul_is_no_part_of_a_value():
    assert row(given_name="สม\0ชาย")["given_name"] == "สมชาย"
    assert row(family_name="Smi\0th")["family_name_raw"] == "Smith"


def test_a_malformed_record_is_kept_readable_whatever_the_driver():
    found = normaliser().chunk(given(STUDENT | {"source_id": None}))
    assert "สมชาย".encode() in found.quarantined[0][2]


def test_a_connection_that_forgot_the_drivers_encoding_is_told_so():
    with pytest.raises(EngagementError, match="latin-1"):
        autolib().chunk(given(STUDENT))


def test_nothing_read_gives_nothing():
    found = normaliser().chunk(given())
    assert (found.rows.num_rows, found.quarantined) == (0, [])
    assert found.rows.schema == SCHEMA


def test_a_field_that_the_system_does_not_hold_is_missing_in_every_record():
    fields = {field: [STUDENT[field]] for field in FIELDS if field not in ("affiliation", "email")}
    (found,) = normaliser().chunk(Records([1], fields)).rows.to_pylist()
    assert (found["affiliation"], found["affiliation_fault"]) == (None, "missing")
    assert (found["email"], found["email_fault"]) == (None, "missing")
    assert found["name"] == "สมชาย ใจดี"


@pytest.mark.parametrize(
    "change",
    [lambda r: r, lambda r: dict.fromkeys(FIELDS) | {"source_id": r["source_id"]}],
    ids=["whole", "all but empty"],
)
def test_a_row_has_a_value_or_none_and_nothing_between(change: Callable[[Any], Any]):
    (found,) = normaliser().chunk(given(change(STUDENT))).rows.to_pylist()
    assert list(found) == COLUMNS
    assert all(value == value for value in found.values())  # NaN is no NULL


# Written titles, names in one field, addresses that were meant otherwise


@pytest.mark.parametrize(
    ("prefix", "written", "title", "name"),
    [("2", "นางสาวสมศรี", "นางสาว", "สมศรี"), ("1", "ม.ร.ว. กิติวัฒนา", "ม.ร.ว.", "กิติวัฒนา"),
     (None, "ผศ.ดร. สมชาย", "ผศ.ดร.", "สมชาย"),
     ("99", "นาย สมชาย", "นาย", "สมชาย"), ("1", "สมชาย", "นาย", "สมชาย"), (None, "สมชาย", None, "สมชาย")],
)  # fmt: skip
def test_a_title_written_before_the_name_is_split_off(prefix, written, title, name):
    found = row(prefix=prefix, given_name=written)
    assert (found["title"], found["given_name"], found["name"]) == (title, name, f"{name} ใจดี")
    assert found["given_name_raw"] == written


@pytest.mark.parametrize(
    ("whole", "name", "family"),
    [("นายสมชาย ใจดี", "สมชาย ใจดี", "ใจดี"), ("สมชาย ณ อยุธยา", "สมชาย ณ อยุธยา", "ณ อยุธยา"),
     ("Smith, John", "John Smith", "Smith"), ("Smith, Dr. John", "John Smith", "Smith"), ("Dr. Ludwig van Beethoven", "Ludwig van Beethoven", "van Beethoven")],
)  # fmt: skip
def test_a_name_in_one_field_is_split(whole, name, family):
    found = row(given_name=None, family_name=None, full_name=whole)
    assert (found["name"], found["family_name"]) == (name, family)


def test_a_thai_name_typed_whole_into_the_first_field_is_split_and_two_foreign_given_names_are_not():
    assert row(given_name="สมชาย ใจดี", family_name=None)["family_name"] == "ใจดี"
    assert row(given_name="Mary Ann", family_name=None)["name_fault"] == "no family name"


def test_a_likely_typo_is_pointed_out_and_the_address_stays():
    found = row(email="somchai@gmial.com")
    assert found["email"] == "somchai@gmial.com"
    assert found["email_suggestion"] == "somchai@gmail.com"
    assert row(email="somchai@kkumail.com")["email_suggestion"] is None


def test_an_address_of_a_domain_without_mail_is_no_address_and_one_of_an_unknown_domain_is():
    def takes_mail(domains: set[str]) -> dict[str, bool | None]:
        assert domains == {"dead.example.com", "slow.example.com"}
        return {"dead.example.com": False, "slow.example.com": None}

    by = Normaliser(Source.model_validate(SHIPPED), 7, TODAY, b"key", takes_mail=takes_mail)
    dead, slow = rows({"email": "a@dead.example.com"}, {"email": "a@slow.example.com"}, by=by)
    assert (dead["email"], dead["email_fault"]) == (None, "domain takes no mail")
    assert dead["address_key"] is None
    assert slow["email"] == "a@slow.example.com"
