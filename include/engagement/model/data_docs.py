"""Writes what the checks of an extract found as a page for engineers: counts and rules, no values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement import clock
from engagement.errors import EngagementError
from engagement.model.suites import Suite
from engagement.period import Period
from engagement.settings import INCLUDE, settings

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )


def path(suite: Suite, period: Period) -> Path:
    """Return where the page of a period lies."""
    return settings().home / "data-docs" / str(period) / f"{suite.name}.html"


def write(
    validated: ExpectationSuiteValidationResult, suite: Suite, extract_id: int, period: Period
) -> None:
    """Write the page of a period anew, whole or not at all.

    It is rendered by Great Expectations into a page of our own, which loads nothing from elsewhere.

    Args:
        validated: counts only; what exceptions say is taken out of it, as they quote patrons.
        suite: that it was checked with.
        extract_id: that was checked.
        period: whose extract it is.

    Raises:
        EngagementError: the page cannot be written.
    """
    page = path(suite, period)
    new = page.with_suffix(f".{os.getpid()}")
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(_html(validated, suite, extract_id, period), encoding="utf-8")
        new.replace(page)
    except OSError as error:
        raise EngagementError(
            f"{page} cannot be written: {error.strerror}; make room there, or let the product's user "
            "write there, and check again."
        ) from None


def _html(
    validated: ExpectationSuiteValidationResult, suite: Suite, extract_id: int, period: Period
) -> str:
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    found = {}  # expectation's number -> failing records, or None where it raised
    for result in validated.results:
        count = result.result.get("unexpected_count")
        found[suite.check_of(result).number] = count
        if count is None:
            result.exception_info = {
                "raised_exception": True,
                "exception_message": "What the database said is left out: it may quote a patron.",
                "exception_traceback": "",
            }
    document = ValidationResultsPageRenderer(run_info_at_end=True).render(validated)
    view: Any = DefaultJinjaPageView(
        custom_views_directory=str(INCLUDE / "templates" / "data_docs")
    )
    html: str = view.render(
        document,
        template="validation.html",
        suite=suite,
        found=found,
        extract_id=extract_id,
        period=period,
        checked_at=f"{clock.now():%Y-%m-%d %H:%M}",
    )
    return html
