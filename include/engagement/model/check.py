"""Runs the suites inside PostgreSQL and keeps which records fail, and why."""

from __future__ import annotations

import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.model import suites
from engagement.model.extract import accepted, require_staged, stage_table
from engagement.model.suites import Suite
from engagement.period import Period
from engagement.warehouse import Session

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )

PATRON_SUITE = "stage_patron"
_log = logging.getLogger(__name__)

# Counts and the query that finds the failing rows, but none of their values.
_RESULT_FORMAT = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "unexpected_index_column_names": ["record_no"],
    "return_unexpected_index_query": True,
}


def check(period: Period) -> int:
    """Check the period's accepted extract; return how many records are rejected.

    The rejections of an earlier check of the extract are replaced; published ones stay as they are.

    Raises:
        EngagementError: the period has no extract, a suite cannot be used, a check raised, or the rows
            found are not those counted.
    """
    suite = suites.load(PATRON_SUITE)
    with warehouse.session() as session:
        extract_id = accepted(session, period).extract_id
        require_staged(session, extract_id, period)
    validated = _validate(suite, stage_table(extract_id))
    with warehouse.session() as session:
        session.run("model/forget_checks", extract_id=extract_id)
        for result in validated.results:
            _keep(session, extract_id, suite, result)
        rejected = int(session.scalar("model/count_rejected", extract_id=extract_id))
    _log.info("%s records of extract %s are rejected.", f"{rejected:,}", extract_id)
    return rejected


def _validate(suite: Suite, table: str) -> ExpectationSuiteValidationResult:
    """Let Great Expectations run the suite on one physical table of schema stage."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    connection = warehouse.url().render_as_string(hide_password=False)
    # It would rather have its PostgreSQL source, which refuses a socket's URL, and the schema in the
    # URL, where its query for the failing rows would lose it.
    with warnings.catch_warnings(action="ignore"):
        source = context.data_sources.add_sql("warehouse", connection_string=connection)
        asset = source.add_table_asset(suite.name, table_name=table, schema_name="stage")
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    try:
        expectations = suite.expectations()
        _require_row_checks(suite, expectations)
        return batch.validate(expectations, result_format=_RESULT_FORMAT)
    finally:
        source.get_execution_engine().close()


def _require_row_checks(suite: Suite, expectations: Any) -> None:
    """Raise EngagementError for an expectation that judges something else than single rows."""
    from great_expectations.expectations.expectation import ColumnMapExpectation

    for number, expectation in enumerate(expectations.expectations, 1):
        if not isinstance(expectation, ColumnMapExpectation):
            raise EngagementError(
                f"{suite.name}.json, expectation {number}: {expectation.expectation_type} judges no "
                "single rows, so nobody can be rejected by it; use a column-map expectation."
            )


def _keep(session: Session, extract_id: int, suite: Suite, result: Any) -> None:
    """Write one expectation's result and the records that fail it."""
    found = suite.checks[result.expectation_config.meta["number"] - 1]
    # One that raised has no counts; how it tells so differs from kind to kind.
    if "unexpected_count" not in result.result:
        raise EngagementError(
            f"{suite.name}.json, expectation {found.number} ({found.kind} of {found.column}) could not "
            "be run, so nothing is known and nothing is published; correct it and check again."
        )
    unexpected = int(result.result["unexpected_count"])
    if unexpected:
        written = session.insert_found(
            "model/reject_found",
            result.result["unexpected_index_query"],
            extract_id=extract_id,
            reason_code=found.reason,
        )
        if written != unexpected:
            raise EngagementError(
                f"{suite.name}.json, expectation {found.number}: {unexpected:,} records fail but its "
                f"query finds {written:,}; nothing is published until the two agree."
            )
    _log.info(
        "%s: %s records fail %s of %s.", found.reason, f"{unexpected:,}", found.kind, found.column
    )
    session.run(
        "model/add_quality_result",
        extract_id=extract_id,
        suite=suite.name,
        check_no=found.number,
        check_name=found.kind,
        column_name=found.column,
        reason_code=found.reason,
        element_count=int(result.result["element_count"]),
        unexpected_count=unexpected,
        suite_hash=suite.hash,
        checked_at=clock.now(),
    )
