"""The suites of expectations/: which records are rejected, and for which reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.errors import EngagementError
from engagement.settings import ROOT

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

FOLDER = ROOT / "expectations"
_NOT_NULL = "expect_column_values_to_not_be_null"
_NULL = "expect_column_values_to_be_null"
# The kinds whose failing rows Great Expectations finds by a query in PostgreSQL. Written out, because
# asking it takes seconds; tests/integration/test_quality.py holds the list against it.
ROW_KINDS = frozenset(
    {
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_value_z_scores_to_be_less_than",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        _NULL,
        "expect_column_values_to_be_unique",
        "expect_column_values_to_match_like_pattern",
        "expect_column_values_to_match_like_pattern_list",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_not_be_in_set",
        _NOT_NULL,
        "expect_column_values_to_not_be_outliers",
        "expect_column_values_to_not_match_like_pattern",
        "expect_column_values_to_not_match_like_pattern_list",
        "expect_column_values_to_not_match_regex",
        "expect_column_values_to_not_match_regex_list",
    }
)

# Reasons that stand before any check: nobody can fail one for them.
_NO_REASONS_OF_CHECKS = ("undecodable", "malformed", "objected")


@dataclass(frozen=True)
class Check:
    """One expectation of a suite, without its library: what it says and what failing it means."""

    number: int
    kind: str
    column: str
    reason: str


@dataclass(frozen=True)
class Suite:
    """A suite as its JSON file holds it; `hash` changes when anything in the file does."""

    name: str
    table: str
    checks: tuple[Check, ...]
    hash: str
    definition: dict[str, Any]

    def expectations(self) -> ExpectationSuite:
        """Return the suite for Great Expectations (imports it); each result's meta has the number.

        Raises:
            EngagementError: it does not know an expectation with these arguments.
        """
        from great_expectations import ExpectationSuite

        numbered = [
            item | {"meta": item["meta"] | {"number": number}}
            for number, item in enumerate(self.definition["expectations"], 1)
        ]
        try:
            return ExpectationSuite(**self.definition | {"expectations": numbered})
        except Exception as error:  # whatever it raises is about the file, which holds no patron
            words = " ".join(str(error).split())
            raise EngagementError(f"{self.name}.json is not understood: {words}.") from None

    def check_of(self, result: ExpectationValidationResult) -> Check:
        """Return the check whose result this is, of one of `expectations()`."""
        if result.expectation_config is None:
            raise LookupError("expectation_config")
        return self.checks[int(result.expectation_config.meta["number"]) - 1]


def load(name: str, folder: Path | None = None) -> Suite:
    """Return the suite of the file `<name>.json`, such as stage_patron for table stage.patron.

    Raises:
        EngagementError: the file is no suite, or holds an expectation whose failing rows cannot be
            counted and written: each must be of ROW_KINDS with a column and a reason, without condition
            or tolerance, and a column that may be NULL must be expected not to be.
    """
    try:
        text = ((folder or FOLDER) / f"{name}.json").read_text(encoding="utf-8")
    except OSError:
        raise EngagementError(f"{name}.json is missing in expectations/; bring it back.") from None
    try:
        definition = json.loads(text)
        listed = definition["expectations"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise EngagementError(f"{name}.json is no suite of expectations: {error!r}.") from None
    if not listed:
        raise EngagementError(f"{name}.json expects nothing: everybody would be a real customer.")
    checks = tuple(_check(name, number, item) for number, item in enumerate(listed, 1))
    required = {check.column for check in checks if check.kind == _NOT_NULL}
    for check in checks:
        if check.column not in required and check.kind != _NULL:
            raise EngagementError(
                f"{name}.json, expectation {check.number}: NULL passes {check.kind}; add "
                f"{_NOT_NULL} for the column {check.column}."
            )
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Suite(name, name.replace("_", ".", 1), checks, digest, definition)


def _check(name: str, number: int, item: Any) -> Check:
    where = f"{name}.json, expectation {number}"
    kind, settings, meta = _parts(where, item)
    if settings.get("column") == "record_no":
        raise EngagementError(
            f"{where}: record_no is our own number of a record, not the library's; expect something of "
            "another column."
        )
    if kind not in ROW_KINDS:
        raise EngagementError(
            f"{where}: {kind} finds no single records in PostgreSQL, so nobody can be rejected by it; "
            "use a kind that does, such as expect_column_values_to_match_regex."
        )
    reason, column = _reason(where, meta), settings.get("column")
    if not isinstance(column, str):
        raise EngagementError(
            f"{where}: {kind} looks at no single column, so it rejects no record."
        )
    for forbidden in ("row_condition", "mostly", "condition_parser"):
        if forbidden in settings:
            raise EngagementError(
                f"{where}: {forbidden} is not allowed; it would miscount records."
            )
    if "$PARAMETER" in json.dumps(settings):
        raise EngagementError(
            f"{where}: nobody gives a value for its $PARAMETER; write the value into the file."
        )
    return Check(number, kind, column, reason)


def _reason(where: str, meta: Mapping[str, Any]) -> str:
    reason = meta.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise EngagementError(
            f'{where}: say for which reason it rejects: "meta": {{"reason": ...}}.'
        )
    if reason != reason.strip() or reason in _NO_REASONS_OF_CHECKS:
        raise EngagementError(
            f"{where}: {reason!r} is no reason that a check may have; write it without spaces around it, and "
            f"as none of {', '.join(_NO_REASONS_OF_CHECKS)}, which are found before any check."
        )
    return reason


def _parts(where: str, item: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return type, kwargs and meta of an expectation as the file has it."""
    match item:
        case {"type": str(kind), "kwargs": dict(settings)}:
            meta = item.get("meta")
            if meta is None or isinstance(meta, dict):
                return kind, settings, meta or {}
    raise EngagementError(f"{where}: it must have type (a word), kwargs and meta (objects).")
