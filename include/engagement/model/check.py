"""Runs the suites inside PostgreSQL and keeps which records fail, and why."""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.model import data_docs, extract_state, suites
from engagement.model.suites import Suite
from engagement.period import Period
from engagement.warehouse import Session

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
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


def check(period: Period, read: Collection[int] | None = None) -> int:
    """Check the period's accepted extract; return how often a record fails a check.

    The rejections of an earlier check of the extract are replaced; published ones stay as they are.

    Args:
        period: whose extract.
        read: the extracts that the shards before this check say they have read; None where nobody
            has read just now.

    Raises:
        EngagementError: the period has no extract, or stands on another one than was read; a suite
            cannot be used, a check raised, or the rows found are not those counted.
    """
    suite = suites.load(PATRON_SUITE)
    with warehouse.session() as session:
        extract_id = extract_state.accepted(session, period).extract_id
        _require_read(read, extract_id, period)
        extract_state.require_staged(session, extract_id, period)
    validated = _validate(suite, extract_state.table(extract_id))
    data_docs.write(validated, suite, extract_id, period)
    with warehouse.session() as session:
        session.run("model/lock_publish", period=str(period))
        session.run("model/work_in_bulk", helpers=1)
        session.run("model/forget_checks", extract_id=extract_id)
        for result in validated.results:
            _keep(session, extract_id, suite, result)
        found = _write(session, extract_id, suite, validated.results)
    _log.info("Records of extract %s fail checks %s times.", extract_id, f"{found:,}")
    return found


def _require_read(read: Collection[int] | None, extract_id: int, period: Period) -> None:
    """Let nobody take for checked what was read and then refused, or read by a part of the shards only."""
    if read is not None and set(read) != {extract_id}:
        told = " and ".join(map(str, sorted(set(read))))
        raise EngagementError(
            f"Period {period} stands on extract {extract_id}, but what was read here is extract {told}; "
            "clear all parts of the task extract together, then they are read as one."
        )


def _validate(suite: Suite, table: str) -> ExpectationSuiteValidationResult:
    """Let Great Expectations judge one physical table of schema stage.

    Raises:
        EngagementError: it does not understand the suite, or could not begin.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    expectations = suite.expectations()
    try:
        return _run(suite.name, expectations, table)
    except Exception as error:  # its text, and those of its causes, may quote a patron
        raise EngagementError(
            f"Great Expectations could not run {suite.name}.json on stage.{table} "
            f"({type(error).__name__}), so nothing is known and nothing is published; see that the "
            "warehouse runs, and check again."
        ) from None


def _run(name: str, expectations: ExpectationSuite, table: str) -> ExpectationSuiteValidationResult:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.metrics import util

    gc.freeze()  # a quarter of a million objects of its modules, which live as long as we do, need no looking through
    # Into the query that finds the failing rows it writes values as Python does, which makes "Unit's" a
    # name and stumbles over a backslash; told that they are missing, it lets SQLAlchemy write them.
    util._substitute_pyformat_parameters = lambda query_template, compiled: query_template
    util._check_has_unsubstituted_params = lambda *_: True
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    connection = warehouse.url().render_as_string(hide_password=False)
    # It would rather have its PostgreSQL source, which refuses a socket's URL, and the schema in the
    # URL, where its query for the failing rows would lose it.
    with warnings.catch_warnings(action="ignore"):
        source = context.data_sources.add_sql("warehouse", connection_string=connection)
        asset = source.add_table_asset(name, table_name=table, schema_name="stage")
    try:
        batch = asset.add_batch_definition_whole_table("whole").get_batch()
        return batch.validate(expectations, result_format=_RESULT_FORMAT)
    finally:
        source.get_execution_engine().close()


def _keep(session: Session, extract_id: int, suite: Suite, result: Any) -> None:
    """Write what one expectation has counted."""
    found = suite.check_of(result)
    # One that raised has no counts; how it tells so differs from kind to kind.
    if "unexpected_count" not in result.result:
        raise EngagementError(
            f"{suite.name}.json, expectation {found.number} ({found.kind} of {found.column}) could not "
            "be run, so nothing is known and nothing is published; correct it and check again."
        )
    unexpected = int(result.result["unexpected_count"])
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


def _write(session: Session, extract_id: int, suite: Suite, results: Iterable[Any]) -> int:
    """Write which records fail which expectation, in place of what was found before; return how many.

    Raises:
        EngagementError: the query of an expectation finds other records than it has counted.
    """
    counted = {suite.check_of(one): one.result for one in results}
    found: list[tuple[str, dict[str, int | str]]] = [
        (
            told["unexpected_index_query"],
            {"extract_id": extract_id, "check_no": check.number, "reason_code": check.reason},
        )
        for check, told in counted.items()
        if told["unexpected_count"]
    ]
    name = extract_state.rejections(extract_id)
    session.drop_table(f"stage.{name}")
    if not found:
        session.add_partition("stage.rejection", name, extract_id)
        return 0
    session.create_found(f"stage.{name}", found)
    session.attach("stage.rejection", name, extract_id)
    rows = session.rows("model/count_found", extract_id=extract_id)
    written = {row.check_no: row.record_count for row in rows}
    for check, told in counted.items():
        if written.get(check.number, 0) != told["unexpected_count"]:
            raise EngagementError(
                f"{suite.name}.json, expectation {check.number}: {told['unexpected_count']:,} records fail "
                f"but its query finds {written.get(check.number, 0):,}; nothing is published until the two "
                "agree."
            )
    return sum(written.values())
