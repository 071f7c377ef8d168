"""A suite whose failing rows could not be counted and written is refused when it is loaded."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engagement.errors import EngagementError
from engagement.model import suites

NOT_NULL = "expect_column_values_to_not_be_null"
REGEX = "expect_column_values_to_match_regex"


def not_null(column: str = "email", **more: Any) -> dict[str, Any]:
    """Return the plainest check that there is."""
    return {"type": NOT_NULL, "kwargs": {"column": column}, "meta": {"reason": "email"}} | more


def written(folder: Path, *checks: Any) -> suites.Suite:
    text = json.dumps({"name": "stage_patron", "expectations": list(checks)})
    (folder / "stage_patron.json").write_text(text, encoding="utf-8")
    return suites.load("stage_patron", folder)


def refusal(folder: Path, *checks: Any) -> str:
    with pytest.raises(EngagementError) as caught:
        written(folder, *checks)
    return str(caught.value)


# What is shipped


def test_the_shipped_suite_asks_for_the_sources_four_checks_of_current_members():
    shipped = suites.load("stage_patron")
    assert shipped.table == "stage.patron"
    asked = {(check.column, check.reason) for check in shipped.checks}
    assert asked == {
        ("membership", "not_current"), ("name", "name"), ("status", "status"),
        ("group_code", "status"), ("affiliation", "affiliation"), ("email", "email"),
    }  # fmt: skip
    assert [check.number for check in shipped.checks] == [1, 2, 3, 4, 5, 6]


def test_a_check_added_to_the_file_is_a_check_more(tmp_path: Path):
    regex = {"type": REGEX, "kwargs": {"column": "email", "regex": "@"}, "meta": {"reason": "kku"}}
    found = written(tmp_path, not_null(), regex)
    assert found.checks[1] == suites.Check(2, REGEX, "email", "kku")


def test_the_hash_changes_with_anything_in_the_file_and_with_nothing_else(tmp_path: Path):
    first = written(tmp_path, not_null())
    assert written(tmp_path, not_null()).hash == first.hash
    others = [
        written(tmp_path, not_null(meta={"reason": "name"})),
        written(tmp_path, not_null("name")),
        written(tmp_path, not_null(), not_null()),
        written(tmp_path, not_null(kwargs={"column": "email", "regex": "@"})),
    ]
    assert len({first.hash, *(other.hash for other in others)}) == 5


def test_great_expectations_is_told_the_number_of_each_check(tmp_path: Path):
    found = written(tmp_path, not_null("name"), not_null("email"))
    given = found.expectations()
    assert [item.meta["number"] for item in given.expectations] == [1, 2]
    assert [item.meta["reason"] for item in given.expectations] == ["email", "email"]
    assert [item.column for item in given.expectations] == ["name", "email"]


# What is refused


def test_a_suite_without_expectations_would_make_everybody_a_real_customer(tmp_path: Path):
    assert refusal(tmp_path) == (
        "stage_patron.json expects nothing: everybody would be a real customer."
    )


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '"x"', '{"expectation": []}'])
def test_a_file_that_is_no_suite_is_named(tmp_path: Path, content):
    (tmp_path / "stage_patron.json").write_text(content)
    with pytest.raises(EngagementError, match=r"^stage_patron\.json is no suite of expectations: "):
        suites.load("stage_patron", tmp_path)


@pytest.mark.parametrize(
    "meta",
    [{}, {"reason": ""}, {"reason": " "}, {"reason": None}, {"reason": 7}, {"Reason": "email"}],
)
def test_a_check_must_say_for_which_reason_it_rejects(tmp_path: Path, meta):
    assert refusal(tmp_path, not_null(), not_null(meta=meta)) == (
        'stage_patron.json, expectation 2: say for which reason it rejects: "meta": {"reason": ...}.'
    )


@pytest.mark.parametrize("reason", [" email", "email ", "undecodable", "malformed", "objected"])
def test_a_reason_that_no_check_may_have_is_refused(tmp_path: Path, reason: str):
    assert refusal(tmp_path, not_null(meta={"reason": reason})) == (
        f"stage_patron.json, expectation 1: {reason!r} is no reason that a check may have; write it without "
        "spaces around it, and as none of undecodable, malformed, objected, which are found before any check."
    )


def test_a_value_that_nobody_gives_is_asked_for_when_the_suite_is_loaded(tmp_path: Path):
    check = {
        "type": "expect_column_value_lengths_to_be_between",
        "kwargs": {"column": "email", "max_value": {"$PARAMETER": "longest"}},
        "meta": {"reason": "email"},
    }
    assert refusal(tmp_path, not_null(), check) == (
        "stage_patron.json, expectation 2: nobody gives a value for its $PARAMETER; write the value into the "
        "file."
    )


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        pytest.param("expect_table_row_count_to_be_between", {"min_value": 1}, id="of the table"),
        pytest.param("expect_column_min_to_be_between", {"column": "email"}, id="of a column"),
        pytest.param("expect_column_pair_values_to_be_equal", {"column_A": "name"}, id="of a pair"),
        pytest.param("unexpected_rows_expectation", {"unexpected_rows_query": ""}, id="a query"),
        pytest.param("expect_column_values_to_be_of_type", {"column": "email"}, id="of a type"),
        pytest.param("expect_column_values_to_match_regexp", {"column": "email"}, id="misspelt"),
        pytest.param("", {"column": "email"}, id="nothing"),
    ],
)
def test_a_kind_whose_failing_records_cannot_be_found_rejects_nobody_and_is_refused(
    tmp_path: Path, kind: str, kwargs: dict[str, Any]
):
    check = {"type": kind, "kwargs": kwargs, "meta": {"reason": "email"}}
    assert refusal(tmp_path, not_null(), check) == (
        f"stage_patron.json, expectation 2: {kind} finds no single records in PostgreSQL, so nobody can be "
        "rejected by it; use a kind that does, such as expect_column_values_to_match_regex."
    )


def test_a_suite_is_refused_without_waiting_for_great_expectations(tmp_path: Path):
    (tmp_path / "stage_patron.json").write_text(json.dumps({"expectations": [not_null(type="x")]}))
    code = (
        "import sys\nfrom pathlib import Path\nfrom engagement.model import suites\n"
        f"try: suites.load('stage_patron', Path({str(tmp_path)!r}))\n"
        "except Exception as error: print(error)\n"
        "print('great_expectations' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, is_imported = done.stdout.splitlines()
    assert "finds no single records" in said
    assert is_imported == "False"


@pytest.mark.parametrize("kwargs", [{"column": ["name", "email"]}, {"column": None}, {}])
def test_what_looks_at_no_single_column_is_refused(tmp_path: Path, kwargs: dict[str, Any]):
    assert refusal(tmp_path, not_null(), not_null(kwargs=kwargs)) == (
        f"stage_patron.json, expectation 2: {NOT_NULL} looks at no single column, so it rejects no record."
    )


@pytest.mark.parametrize(
    ("argument", "value"),
    [("mostly", 0.95), ("mostly", 1.0), ("row_condition", "name IS NULL"), ("row_condition", None),
     ("condition_parser", "great_expectations")],
)  # fmt: skip
def test_conditions_and_tolerances_would_miscount(tmp_path: Path, argument, value):
    check = not_null(kwargs={"column": "email", argument: value})
    assert refusal(tmp_path, check) == (
        f"stage_patron.json, expectation 1: {argument} is not allowed; it would miscount records."
    )


def test_a_column_that_may_be_null_must_be_expected_not_to_be(tmp_path: Path):
    regex = {"type": REGEX, "kwargs": {"column": "name", "regex": "."}, "meta": {"reason": "name"}}
    assert refusal(tmp_path, not_null("email"), regex) == (
        f"stage_patron.json, expectation 2: NULL passes {REGEX}; add {NOT_NULL} for the column name."
    )
    assert len(written(tmp_path, regex, not_null("name")).checks) == 2  # the order does not matter


def test_a_column_that_must_be_empty_may_be(tmp_path: Path):
    null = not_null("email_suggestion", type="expect_column_values_to_be_null")
    assert written(tmp_path, null).checks[0].column == "email_suggestion"


@pytest.mark.parametrize(
    "checks",
    [
        pytest.param([not_null(meta=None)], id="meta is null"),
        pytest.param([not_null(kwargs=None)], id="kwargs is null"),
        pytest.param(["expect_column_values_to_not_be_null"], id="a word"),
        pytest.param([not_null(meta=["email"])], id="meta is a list"),
    ],
)
def test_a_check_of_another_shape_is_named(tmp_path: Path, checks):
    assert refusal(tmp_path, *checks).startswith("stage_patron.json, expectation 1")


def test_a_suite_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(EngagementError, match=re.escape("stage_patron.json")):
        suites.load("stage_patron", tmp_path)


@pytest.mark.parametrize("wrong", [{"regexp": "@"}, {"regex": 7, "flags": "i"}])
def test_an_argument_that_a_check_does_not_have_is_named_in_one_sentence(tmp_path: Path, wrong):
    check = {"type": REGEX, "kwargs": {"column": "email"} | wrong, "meta": {"reason": "kku"}}
    with pytest.raises(EngagementError) as caught:
        written(tmp_path, not_null(), check).expectations()
    assert str(caught.value).startswith("stage_patron.json is not understood: ")
    assert "\n" not in str(caught.value)
