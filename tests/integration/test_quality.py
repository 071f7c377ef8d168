"""A suite alone decides who is rejected and why; what it finds adds up, and names no patron anywhere."""

import getpass
import json
import logging
import re
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from engagement import cli, tables, warehouse
from engagement.errors import EngagementError
from engagement.model import check as checking, data_docs, extract_state, source as sources, suites
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish
from engagement.monitor.figures import PatronFigures, require
from engagement.period import Period
from engagement.settings import settings

JUNE, JULY = Period(2018, 6), Period(2018, 7)
NOT_NULL = "expect_column_values_to_not_be_null"
pytestmark = pytest.mark.usefixtures("clock", "store")

Check = dict[str, Any]
AddChecks = Callable[..., None]


def run(library: Any, period: Period = JUNE) -> PatronFigures:
    """Run the three steps of the model and return what they published."""
    extract(period, library.source)
    check(period)
    publish(period)
    return figures(period)


def figures(period: Period = JUNE) -> PatronFigures:
    with warehouse.session() as session:
        return require(session, period)


def expectation(kind: str, reason: str, column: str, **settings: Any) -> Check:
    return {
        "type": f"expect_column_{kind}",
        "kwargs": {"column": column} | settings,
        "meta": {"reason": reason},
    }


@pytest.fixture
def add_checks(tmp_path: Path, world: pytest.MonkeyPatch) -> AddChecks:
    """Let the product use its suite with some expectations more, and nothing else changed."""
    shipped = (suites.FOLDER / "stage_patron.json").read_text()

    def add(*more: Check) -> None:
        suite = json.loads(shipped)
        suite["expectations"] += more
        (tmp_path / "stage_patron.json").write_text(json.dumps(suite))
        world.setattr(suites, "FOLDER", tmp_path)

    return add


@pytest.fixture
def change_source(
    tmp_path: Path, world: pytest.MonkeyPatch
) -> Callable[[Callable[[Any], None]], None]:
    """Let the library keep another YAML of its system."""
    shipped = (sources.INCLUDE / "sources" / "autolib.yaml").read_text()

    def change(edit: Callable[[Any], None]) -> None:
        described = yaml.safe_load(shipped)
        edit(described)
        folder = tmp_path / "include" / "sources"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "autolib.yaml").write_text(yaml.safe_dump(described, allow_unicode=True))
        world.setattr(sources, "INCLUDE", tmp_path / "include")

    return change


# Adding an expectation is all it takes

ADDED = [
    pytest.param(
        expectation("values_to_not_match_regex", "odd", "affiliation", regex=r"^\w+'s %d:x\d+$"),
        [{"faculty_code": None, "unit_name": f"Unit's %d:x{n}"} for n in range(3)],
        id="regex",
    ),
    pytest.param(
        expectation("values_to_not_match_regex", "odd", "affiliation", regex="Unit's"),
        [{"faculty_code": None, "unit_name": "Unit's own"}],
        id="regex with an apostrophe",
    ),
    pytest.param(
        expectation("values_to_not_be_in_set", "odd", "affiliation", value_set=["O'x", "y\u00a0z"]),
        [{"faculty_code": None, "unit_name": "O'x"}],
        id="set with an apostrophe",
    ),
    pytest.param(
        expectation(
            "values_to_not_match_like_pattern", "odd", "affiliation", like_pattern="Un_t's%"
        ),
        [{"faculty_code": None, "unit_name": "Unit's own"}],
        id="pattern with an apostrophe",
    ),
    pytest.param(
        expectation("values_to_be_in_set", "own_staff", "group_code", value_set=["undergraduate"]),
        [{"type_code": "01"}, {"type_code": "51"}],
        id="set",
    ),
    pytest.param(
        expectation("value_lengths_to_be_between", "long", "name", max_value=30),
        [{"first_name": "ก" * 31}],
        id="length",
    ),
    pytest.param(
        expectation("values_to_be_unique", "shared_box", "email"),
        [{"email": "office@library.example.com"}] * 2 + [{"email": "it@library.example.com"}] * 3,
        id="unique",
    ),
    pytest.param(
        expectation("values_to_be_null", "likely_typo", "email_suggestion"),
        [{"email": "somebody@gmial.com"}],
        id="null",
    ),
    pytest.param(
        expectation("values_to_not_be_in_set", "email", "email", value_set=["a@b.com"]),
        [{"email": "a@b.com"}],
        id="another check for a reason that there is",
    ),
]


@pytest.mark.parametrize(("added", "failing"), ADDED)
def test_an_expectation_in_the_file_is_all_it_takes_to_count_keep_and_leave_out_its_records(
    added: Check, failing: list[Any], library: Any, store: Any, add_checks: AddChecks
) -> None:
    for number, member in enumerate(failing):
        library.enrol(**{"member_id": f"X{number}"} | member)
    assert run(library).real_customers == 40 + len(failing)
    add_checks(added)
    check(JUNE)
    publish(JUNE)
    reason, count = added["meta"]["reason"], len(failing)
    counted = store.value(
        "SELECT unexpected_count FROM ops.quality_result ORDER BY check_no DESC LIMIT 1"
    )
    kept = store.do(
        "SELECT p.source_id FROM core.rejection AS r "
        "INNER JOIN stage.patron AS p ON r.record_no = p.record_no WHERE r.reason_code = %s",
        [reason],
    )
    left_out = store.do(
        "SELECT k.source_id FROM core.patron_month AS m "
        "INNER JOIN pii.patron AS k ON m.patron_key = k.patron_key WHERE NOT m.is_real_customer"
    )
    assert counted == count
    assert {found for (found,) in kept} == {f"X{number}" for number in range(count)}
    assert sorted(kept) == sorted(left_out)
    assert store.do("SELECT reason_code, record_count FROM mart.patron_rejection") == [
        (reason, count)
    ]
    found = figures()
    assert found.rejected_by_reason == found.rejected_by_first_reason == {reason: count}
    assert found.by_combination == {(reason,): count}
    assert (found.extracted, found.real_customers) == (40 + count, 40)


def test_reasons_of_a_suites_own_come_after_the_sources_four(
    library: Any, add_checks: AddChecks
) -> None:
    add_checks(
        expectation("values_to_not_match_regex", "all of them", "affiliation", regex="คณะ"),
        expectation("values_to_not_match_regex", "a box", "email", regex="."),
    )
    library.enrol(2, last_name=None, email=None)
    found = run(library)
    assert found.rejected_by_first_reason == {"name": 2, "email": 0, "a box": 40, "all of them": 0}
    assert found.by_combination == {
        ("a box", "all of them"): 40,
        ("name", "email", "all of them"): 2,
    }


def test_a_record_that_fails_twice_for_one_reason_is_rejected_once_for_it(
    library: Any, store: Any, add_checks: AddChecks
) -> None:
    add_checks(
        expectation("values_to_not_match_regex", "box", "email", regex="office"),
        expectation("value_lengths_to_be_between", "box", "email", max_value=40),
    )
    library.enrol(1, email=f"office.{'x' * 40}@library.example.com")
    assert run(library).rejected_by_reason == {"box": 1}
    assert store.value("SELECT count(*) FROM core.rejection") == 1


KWARGS = {  # of each kind; those without need none
    "value_lengths_to_be_between": {"max_value": 3},
    "value_lengths_to_equal": {"value": 3},
    "value_z_scores_to_be_less_than": {"column": "record_no", "threshold": 1, "double_sided": True},
    "values_to_be_between": {"column": "record_no", "max_value": 30},
    "values_to_be_in_set": {"value_set": ["p1"]},
    "values_to_be_in_type_list": {"type_list": ["TEXT"]},
    "values_to_be_of_type": {"type_": "TEXT"},
    "values_to_match_json_schema": {"json_schema": {}},
    "values_to_match_like_pattern": {"like_pattern": "%1%"},
    "values_to_match_like_pattern_list": {"like_pattern_list": ["%1%", "%2%"]},
    "values_to_match_regex": {"regex": "1"},
    "values_to_match_regex_list": {"regex_list": ["1", "2"]},
    "values_to_match_strftime_format": {"strftime_format": "%Y"},
    "values_to_not_be_in_set": {"value_set": ["p1"]},
    "values_to_not_be_outliers": {"column": "record_no", "method": "iqr", "multiplier": 0.1},
    "values_to_not_match_like_pattern": {"like_pattern": "%1%"},
    "values_to_not_match_like_pattern_list": {"like_pattern_list": ["%1%", "%2%"]},
    "values_to_not_match_regex": {"regex": "1"},
    "values_to_not_match_regex_list": {"regex_list": ["1", "2"]},
}


def test_a_suite_may_use_every_kind_whose_failing_records_are_found_and_no_other(
    library: Any, store: Any
) -> None:
    from great_expectations.expectations.expectation import ColumnMapExpectation
    from great_expectations.expectations.registry import (
        get_expectation_impl,
        list_registered_expectation_implementations,
    )

    library.enrol(1, email=None)
    extract_id = extract(JUNE, library.source)
    kinds = [
        kind
        for kind in list_registered_expectation_implementations()
        if issubclass(get_expectation_impl(kind), ColumnMapExpectation)
    ]
    listed = [
        expectation(kind, "r", **{"column": "email"} | KWARGS.get(kind, {}))
        for kind in (kind.removeprefix("expect_column_") for kind in kinds)
    ]
    of_all = replace(
        suites.load("stage_patron"),
        checks=tuple(suites.Check(n, kind, "", "r") for n, kind in enumerate(kinds, 1)),
        definition={"name": "stage_patron", "expectations": listed},
    )
    found = set()
    for result in checking._validate(of_all, extract_state.table(extract_id)).results:
        if "unexpected_count" in result.result:
            rows = store.do(result.result["unexpected_index_query"])
            assert len(rows) == result.result["unexpected_count"], result.expectation_config
            found.add(of_all.check_of(result).kind)
    assert found == suites.ROW_KINDS
    assert len(kinds) > len(found)


# A check that cannot be used stops the month


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(expectation("values_to_not_be_null", "r", "shoe_size"), id="no such column"),
        pytest.param(expectation("values_to_match_regex", "r", "email", regex="(@"), id="regex"),
        pytest.param(expectation("values_to_be_between", "r", "email", max_value=3), id="type"),
        pytest.param(expectation("values_to_be_in_set", "r", "expiry_date", value_set=["soon"]), id="value"),
    ],
)  # fmt: skip
def test_a_check_that_raises_is_a_gate_and_not_nobody_rejected(
    wrong: Check, library: Any, store: Any, add_checks: AddChecks
) -> None:
    column = wrong["kwargs"]["column"]
    not_null = [expectation("values_to_not_be_null", "r", column)]
    add_checks(*(not_null if column == "expiry_date" else []), wrong)
    extract(JUNE, library.source)
    with pytest.raises(EngagementError) as caught:
        check(JUNE)
    assert str(caught.value).startswith("stage_patron.json, expectation ")
    assert f"({wrong['type']} of {column}) could not be run" in str(caught.value)
    assert store.value("SELECT count(*) FROM stage.rejection") == 0
    assert store.value("SELECT count(*) FROM ops.quality_result") == 0
    with pytest.raises(EngagementError, match="was not checked with"):
        publish(JUNE)
    assert store.value("SELECT count(*) FROM mart.patron_funnel") == 0


def test_a_suite_that_cannot_reject_is_refused_before_anything_is_touched(
    library: Any, store: Any, add_checks: AddChecks
) -> None:
    library.enrol(1, email=None)
    run(library)
    kept = store.do("SELECT * FROM stage.rejection")
    add_checks(expectation("min_to_be_between", "r", "email", min_value=1))
    with pytest.raises(EngagementError, match="finds no single records"):
        check(JUNE)
    add_checks(expectation("values_to_match_regex", "r", "email", pattern="@"))
    with pytest.raises(EngagementError, match=r"stage_patron\.json is not understood"):
        check(JUNE)
    assert store.do("SELECT * FROM stage.rejection") == kept != []
    add_checks()
    check(JUNE)


# The funnel


def a_library_with_everything(library: Any) -> None:
    """Enrol 20 more: expired, contradictory, nameless, and so on, in three groups."""
    library.enrol(3, expire_date="31/05/2560", email=None)
    library.enrol(2, expire_date="31/05/2560")
    library.enrol(2, expire_date=None, type_code="01")
    library.enrol(1, member_state="2")
    library.enrol(2, last_name=None, email="-", type_code="01")
    library.enrol(1, last_name=None)
    library.enrol(1, type_code="99", faculty_code=None)
    library.enrol(4, email=None, type_code="51")
    library.enrol(1, prefix_code=12, last_name=None)
    library.enrol(1, email="somebody@gmial.com")
    library.enrol(2, email="office@library.example.com")


def test_the_funnel_adds_up_by_first_reason_by_combination_and_by_group(library: Any) -> None:
    a_library_with_everything(library)
    found = run(library)
    assert (found.extracted, found.current, found.real_customers) == (60, 52, 44)
    assert found.rejected_by_reason == {
        "not_current": 8, "name": 3, "status": 1, "affiliation": 1, "email": 9,
    }  # fmt: skip
    assert found.rejected_by_first_reason == {
        "not_current": 8, "name": 3, "status": 1, "affiliation": 0, "email": 4,
    }  # fmt: skip
    assert found.by_combination == {
        ("not_current",): 5, ("email",): 4, ("not_current", "email"): 3, ("name", "email"): 2,
        ("name",): 1, ("status", "affiliation"): 1,
    }  # fmt: skip
    assert list(found.by_combination.values()) == [5, 4, 3, 2, 1, 1]
    assert sum(found.by_combination.values()) == found.rejected
    every: Counter[str] = Counter()
    for group, reasons in found.rejected_by_group.items():
        lost = sum(count.first for count in reasons.values())
        assert found.by_group[group].extracted - lost == found.by_group[group].real_customers
        every.update({reason: count.records for reason, count in reasons.items()})
    assert every == found.rejected_by_reason
    assert list(found.rejected_by_group) == ["staff", "undergraduate", "pupil", "unmapped"]
    staff = found.rejected_by_group["staff"]
    assert {r: (c.records, c.first) for r, c in staff.items()} == {
        "not_current": (2, 2), "name": (2, 2), "email": (2, 0),
    }  # fmt: skip


def test_records_that_cannot_be_read_stand_in_the_funnel_as_unmapped(library: Any) -> None:
    library.enrol(60)
    library.do(
        "UPDATE autolib.member SET first_name = convert_from(%s, 'SQL_ASCII') WHERE member_no = 2",
        ["สมชาย".encode()[:-1]],
    )
    found = run(library)
    assert found.by_combination == {("undecodable",): 1}
    assert found.rejected_by_group["unmapped"]["undecodable"].first == 1
    assert found.by_group["unmapped"].extracted == 1


def test_what_deserves_a_look_is_counted_whatever_the_verdict(library: Any) -> None:
    a_library_with_everything(library)
    assert run(library).notices == {
        "single_name": 1, "past_expiry": 5, "no_expiry": 2, "likely_typo": 1, "shared_address": 2,
    }  # fmt: skip


def test_the_records_that_a_choice_of_the_yaml_decides_are_the_difference_that_it_makes(
    library: Any, change_source: Any
) -> None:
    a_library_with_everything(library)
    expiry_wins = run(library)

    def let_the_state_win(described: Any) -> None:
        described["membership"]["contradiction"]["past_expiry"] = "state"

    change_source(let_the_state_win)
    extract(JUNE, library.source, reread=Reread("the YAML lets the state win now", "anna"))
    check(JUNE)
    publish(JUNE)
    state_wins = figures()
    assert state_wins.notices == expiry_wins.notices
    assert state_wins.current - expiry_wins.current == expiry_wins.notices["past_expiry"]
    assert state_wins.mapping_hash != expiry_wins.mapping_hash
    assert state_wins.suite_hash == expiry_wins.suite_hash


def test_each_period_keeps_its_figures_and_the_definition_that_they_stand_on(
    library: Any, store: Any, clock: Any, add_checks: AddChecks
) -> None:
    library.enrol(2, email=None)
    june = run(library)
    clock.at(2018, 8, 1)
    library.stand_at(2018, 7, 31)
    add_checks(expectation("value_lengths_to_be_between", "long", "name", max_value=30))
    july = run(library, JULY)
    assert july.definition != june.definition
    assert july.suite_hash != june.suite_hash
    assert july.mapping_hash == june.mapping_hash
    assert figures(JUNE) == june
    history = store.do(
        "SELECT e.period, q.suite_hash, count(*), sum(q.unexpected_count)::int "
        "FROM ops.quality_result AS q INNER JOIN ops.extract AS e ON q.extract_id = e.extract_id "
        "GROUP BY e.period, q.suite_hash ORDER BY e.period"
    )
    assert history == [("2018-06", june.suite_hash, 6, 2), ("2018-07", july.suite_hash, 7, 2)]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("affiliation", "No record has an affiliation: Walai AutoLib holds none where it is read"),
        ("email", "No record has an e-mail address: Walai AutoLib holds none where it is read"),
        ("patron_type", "No record has a known patron status: Walai AutoLib holds no known code"),
        ("given_name", "No record has a whole name: Walai AutoLib holds none where it is read"),
        ("membership", "No record is a current member's: all of Walai AutoLib are expired"),
    ],
)
def test_a_system_that_holds_no_such_field_has_honestly_no_customer_and_one_sentence_why(
    field: str, said: str, library: Any, change_source: Any
) -> None:
    library.enrol(60)
    library.do(
        "UPDATE autolib.member SET first_name = convert_from(%s, 'SQL_ASCII') WHERE member_no = 2",
        ["สมชาย".encode()[:-1]],
    )
    change_source(lambda described: described["database"]["columns"].pop(field))
    found = run(library)
    assert (found.extracted, found.real_customers, found.rejected) == (100, 0, 100)
    assert found.explanation is not None
    assert found.explanation.en.startswith(said)
    assert "autolib.yaml" in found.explanation.en
    assert "Walai AutoLib" in found.explanation.th
    assert found.as_json()["explanation"]["en"] == found.explanation.en


def test_a_check_of_the_suite_that_rejects_everybody_is_named(
    library: Any, add_checks: AddChecks, capsys: Any
) -> None:
    add_checks(expectation("values_to_match_regex", "[b]kku", "email", regex="@kku"))
    found = run(library)
    assert found.explanation is not None
    assert found.explanation.en.startswith("Every record of Walai AutoLib is rejected for [b]kku;")
    tables.show_figures(found)
    shown = capsys.readouterr().out
    assert " ".join(shown.split()).startswith(found.explanation.en)
    assert "│   [b]kku " in shown


def test_figures_with_customers_or_without_one_reason_need_no_explanation(
    library: Any, store: Any
) -> None:
    library.enrol(1, email=None)
    assert run(library).explanation is None
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no % 2 = 0")
    library.do("UPDATE autolib.member SET last_name = NULL WHERE member_no % 2 = 1")
    extract(JUNE, library.source, reread=Reread("half of each", "anna"))
    check(JUNE)
    store.do("UPDATE ops.gate SET accepted_at = now()")
    store.do("DELETE FROM mart.patron_funnel")
    publish(JUNE)
    assert figures().real_customers == 0
    assert figures().explanation is None


# A person at the command line


@pytest.fixture
def command(world: pytest.MonkeyPatch, capsys: Any, library: Any) -> Callable[..., str]:
    """Run a command and return what it prints; it must succeed."""
    world.setenv("ENGAGEMENT_LIBRARY", library.source.render_as_string(hide_password=False))

    def call(*words: str) -> str:
        world.setattr(sys, "argv", ["engagement", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        assert ended.value.code == 0, shown.err
        return str(shown.out)

    return call


def test_a_held_period_is_accepted_with_a_reason_and_can_then_be_published(
    library: Any, store: Any, clock: Any, command: Callable[..., str]
) -> None:
    run(library)
    clock.at(2018, 8, 1)
    library.stand_at(2018, 7, 31)
    library.do("DELETE FROM autolib.member WHERE member_no > 20")
    with pytest.raises(EngagementError, match="-50%"):
        extract(JULY, library.source)
    said = command("period", "accept", "2018-07", "--reason", "alumni were archived")
    assert said.startswith("Accepted: Walai AutoLib holds 20 records for 2018-07, -50%")
    assert "Now clear the failed task of model_patrons for 2018-07" in said
    assert store.do("SELECT gate_code, accepted_by, accept_reason FROM ops.gate") == [
        ("row_count", getpass.getuser(), "alumni were archived")
    ]
    assert run(library, JULY).real_customers == 20


def test_a_period_is_read_and_read_again_by_a_named_person(
    library: Any, store: Any, command: Callable[..., str]
) -> None:
    assert command("extract", "2018-06") == "1\n"
    assert command("extract", "2018-06") == "1\n"
    library.enrol(1)
    assert command("extract", "2018-06", "--replace", "--reason", "a late import") == "2\n"
    assert store.do("SELECT reread_reason, reread_by FROM ops.extract WHERE extract_id = 2") == [
        ("a late import", getpass.getuser())
    ]


def test_the_workbook_for_the_counter_lies_in_the_private_exports(
    library: Any, command: Callable[..., str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    library.enrol(2, email=None)
    run(library)
    path = settings().home / "exports" / "rejects-2018-06.xlsx"
    said = command("rejects", "2018-06")
    assert said == f"Wrote {path}: 2 records to ask about. Delete it when it is used up.\n"
    assert oct(path.stat().st_mode)[-3:] == "600"
    path.unlink()
    assert f"{getpass.getuser()} exported the 2 rejected records of 2018-06." in caplog.messages
    command("rejects", "2018-06", "--out", str(tmp_path / "june.xlsx"))
    assert (tmp_path / "june.xlsx").stat().st_size > 0


# No patron's value in what engineers read

MARKED = {  # a value in every column of the source, unlike anything else that is written anywhere
    "member_id": "ZQ771001",
    "first_name": "ชื่อลับเจ็ดเจ็ดหนึ่ง",
    "last_name": "สกุลลับเจ็ดเจ็ดสอง",
    "type_code": "ZQ771004",
    "faculty_code": None,
    "unit_name": "หน่วยลับเจ็ดเจ็ดห้า",
    "nationality_code": "ZQ771006",
    "citizen_no": "7710077100771",
    "email": "zq771008@library.example.com",
    "member_state": "ZQ771009",
    "expire_date": "27/07/2571",
}
VALUES = [value for value in MARKED.values() if value]


def told(text: str) -> set[str]:
    """Return which marked values a text has, as letters, entities or the hexadecimal of their bytes."""
    spelt = {
        value: (
            value,
            value.encode().hex(),
            value.encode("ascii", "xmlcharrefreplace").decode(),
            value.encode("unicode_escape").decode(),
        )
        for value in VALUES
    }
    return {
        value for value, ways in spelt.items() if any(way.lower() in text.lower() for way in ways)
    }


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every line that reaches the log of a task, were it set to DEBUG."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def marked(library: Any) -> Any:
    """The library with a patron who fails, twice, whatever a suite asks."""
    library.enrol(**MARKED)
    library.enrol(**MARKED | {"member_id": "ZQ771001-2"})
    return library


def that_all_fail(store: Any) -> list[Check]:
    """Return checks of every text column of stage.patron that every record fails."""
    columns = [
        column
        for (column,) in store.do(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'stage' "
            "AND table_name = 'patron' AND data_type = 'text' ORDER BY 1"
        )
    ]
    assert {"source_id", "email_raw", "citizen_no"} - set(columns) == {"citizen_no"}
    return [
        check
        for column in columns
        for check in (
            expectation("values_to_not_be_null", f"{column} is there", column),
            expectation("value_lengths_to_equal", f"{column} is long", column, value=999),
            expectation("values_to_match_regex", f"{column} is like it", column, regex="^never$"),
            expectation("values_to_be_in_set", f"{column} is known", column, value_set=["never"]),
            expectation("values_to_be_unique", f"{column} is unique", column),
        )
    ]


def test_the_page_for_engineers_says_what_each_check_found_and_names_no_patron(
    marked: Any, store: Any, add_checks: AddChecks, everything_logged: Any, capfd: Any
) -> None:
    more = that_all_fail(store)
    add_checks(*more)
    found = run(marked)
    assert (found.extracted, found.real_customers) == (42, 0)
    staged = store.value("SELECT string_agg(p::text, '') FROM stage.patron AS p")
    assert told(staged) == set(VALUES) - {MARKED["citizen_no"]}  # the search is not blind
    page = data_docs.path(suites.load("stage_patron"), JUNE).read_text()
    assert page.count("<tr>") > 2 * len(more)
    assert re.search(r"<td>source_id is known</td>\s*<td class=\"count\">42</td>", page)
    assert told(page) == set()
    assert "fail checks" in everything_logged.text
    assert told(everything_logged.text + "".join(capfd.readouterr())) == set()


def test_the_page_calls_nobody_and_is_whole(library: Any) -> None:
    library.enrol(3, email=None)
    run(library)
    path = settings().home / "data-docs" / "2018-06" / "stage_patron.html"
    page = path.read_text()
    assert re.search(r"<td>email</td>\s*<td>email</td>\s*<td class=\"count\">3</td>", page)
    assert "values must never be null" in page
    assert page.endswith("</html>\n") or page.endswith("</html>")
    assert not re.search(r"https?:|<script|<link|\bsrc=", page)
    assert [file.name for file in path.parent.iterdir()] == ["stage_patron.html"]


def test_a_page_that_cannot_be_written_stops_the_check_with_a_sentence(
    library: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    extract(JUNE, library.source)
    (tmp_path / "data-docs").write_text("a file")
    world.setenv("ENGAGEMENT_HOME", str(tmp_path))
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", store.url.render_as_string(False))
    settings.cache_clear()
    with pytest.raises(EngagementError, match=r"stage_patron\.html cannot be written: "):
        check(JUNE)


def raises_in_a_check(store: Any) -> None:
    """Let a column be worked out of the patron's values, which fails with a text that quotes them."""
    columns = store.do(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'stage.patron_1'::regclass AND attnum > 0"
    )
    quoting = "(concat_ws(' ', source_id, given_name, email, affiliation))::integer::text AS name"
    listed = ", ".join(quoting if name == "name" else name for (name,) in columns)
    store.do("ALTER TABLE stage.patron_1 RENAME TO kept")
    store.do(
        f"CREATE VIEW stage.patron_1 AS SELECT {listed} FROM stage.kept "  # noqa: S608
        "WHERE source_id = 'ZQ771001'"
    )


def raises_at_once(store: Any) -> None:
    """Let the table fail to be read at all, with a text that quotes the patron."""
    store.do("ALTER TABLE stage.patron_1 RENAME TO kept")
    store.do(
        "CREATE VIEW stage.patron_1 AS SELECT * FROM stage.kept "
        "WHERE (concat_ws(' ', source_id, given_name, email, affiliation))::integer > 0 "
        "AND source_id = 'ZQ771001'"
    )


@pytest.mark.parametrize("broken", [raises_in_a_check, raises_at_once])
def test_a_check_that_raises_quotes_no_patron_on_the_page_nor_in_the_log_nor_in_its_trace(
    broken: Any, marked: Any, store: Any, everything_logged: Any, capfd: Any
) -> None:
    extract(JUNE, marked.source)
    broken(store)
    page = data_docs.path(suites.load("stage_patron"), JUNE)
    page.unlink(missing_ok=True)  # of another test
    with pytest.raises(EngagementError) as caught:
        check(JUNE)
    trace = "".join(traceback.format_exception(caught.value))
    written = page.read_text() if page.exists() else ""
    assert ("not run" in written) == (broken is raises_in_a_check)
    assert told(trace + written + everything_logged.text + "".join(capfd.readouterr())) == set()
