"""Deletes what is kept long enough, by `include/retention.yaml`, and counts it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated

from pydantic import Field, RootModel, model_validator

from engagement import clock, opt_outs, warehouse, yaml_file
from engagement.monitor import archive
from engagement.privacy import files
from engagement.settings import INCLUDE, settings
from engagement.warehouse import Session

_log = logging.getLogger(__name__)

# What a place is called in the file -> what deletes there, or empties, what is older.
_SURVEYS = {
    "pii.response_token": "privacy/forget_response_tokens",
    "pii.survey_token": "privacy/forget_survey_tokens",
    "pii.answer_text": "privacy/forget_answer_texts",
    "pii.returned_mail": "privacy/forget_returned_mails",
    "core.suppression_event": "privacy/forget_soft_bounces",
}
# Who was asked, and what he was sent: in this order, for the next refers to the one before.
_CAMPAIGNS = {
    "core.bounce": "privacy/forget_bounces",
    "core.message": "privacy/forget_messages",
    "core.invitation": "privacy/forget_invitations",
}
_PATRONS = {
    "core.loan": "privacy/forget_loans",
    "pii.mail_domain": "privacy/forget_mail_domains",
    "ops.report": "privacy/forget_reports",
    "ops.work_file": "privacy/forget_work_files",
    "ops.work_item_filed": "privacy/forget_filed_work_items",
    "ops.pii_read": "privacy/forget_reads",
}
_PARTS = {
    "core.patron_month": "privacy/count_old_months",
    "core.rejection": "privacy/count_old_rejections",
}
# What goes when nothing refers to it any more.
_LEFT_OVER = {
    "pii.patron": "privacy/forget_identities",
    "pii.address": "privacy/forget_addresses",
}


_FILES = ("var/exports", "var/answers", "var/opt-outs")
_PLACES = {*_SURVEYS, *_PATRONS, *_FILES, "core.patron_month", "core.invitation"}


class _Days(RootModel[dict[str, Annotated[int, Field(ge=1)]]]):
    """Place -> for how many days what lies there is kept."""

    @model_validator(mode="after")
    def _names_each_place(self) -> _Days:
        if wrong := sorted(_PLACES ^ self.root.keys()):
            raise ValueError(f"it must name each place once and no other: see {', '.join(wrong)}")
        return self


@cache
def days() -> dict[str, int]:
    """Return for how many days what lies in a place is kept, read once.

    Raises:
        EngagementError: the file does not say what it must.
    """
    path = INCLUDE / "retention.yaml"
    return yaml_file.validated(path, yaml_file.read(path), _Days).root


def keep_surveys() -> dict[str, int]:
    """Delete what surveys leave behind; return how many rows went, by place."""
    with warehouse.session() as session:
        return _recorded(session, _forget(session, _SURVEYS) | _forget_campaigns(session))


def keep_patrons() -> dict[str, int]:
    """Delete old months of patrons, and whom and what they leave over; return how many rows, by place."""
    with warehouse.session() as session:
        session.run("model/lock_identities")  # who publishes writes identities and addresses
        counts = _forget(session, _PATRONS) | _forget_months(session)
        counts |= {place: session.run(name) for place, name in _LEFT_OVER.items()}
        return _recorded(session, counts)


def keep_files() -> dict[str, int]:
    """Delete old exports, those of answers to closed campaigns, noted clicks, and old months of the archive.

    Returns:
        How many files, of the archive how many months, by place.

    Raises:
        EngagementError: one cannot be deleted.
    """
    before = _before("var/answers")
    with warehouse.session() as session:
        closed = session.rows("privacy/closed_campaigns", before=before)
        folders = [settings().answers_folder / row.campaign for row in closed]
        counts = {
            "var/exports": files.delete_older(files.exports_folder(), _before("var/exports")),
            "var/opt-outs": files.delete_older(opt_outs.folder(), _before("var/opt-outs")),
            "var/answers": sum(files.delete_older(folder, before) for folder in folders),
            "archive": archive.forget(f"{_before('ops.report'):%Y-%m}"),
        }
        return _recorded(session, counts)


def _before(place: str) -> datetime:
    return clock.now() - timedelta(days=days()[place])


def _forget(session: Session, statements: dict[str, str]) -> dict[str, int]:
    counts = {}
    for place, name in statements.items():
        before = _before(place)
        counts[place] = session.run(name, before=before, period=f"{before:%Y-%m}")
    return counts


def _forget_campaigns(session: Session) -> dict[str, int]:
    before = _before("core.invitation")
    return {place: session.run(name, before=before) for place, name in _CAMPAIGNS.items()}


def _forget_months(session: Session) -> dict[str, int]:
    period = f"{_before('core.patron_month'):%Y-%m}"
    counts = {place: int(session.scalar(name, period=period)) for place, name in _PARTS.items()}
    for row in session.rows("privacy/old_parts", period=period):
        session.drop_table(row.part)
    return counts | {"core.person_link": session.run("privacy/forget_links", period=period)}


def _recorded(session: Session, counts: dict[str, int]) -> dict[str, int]:
    for place, count in counts.items():
        session.run("privacy/log_retention", place=place, deleted_count=count, run_at=clock.now())
        _log.info("%s: %s deleted.", place, f"{count:,}")
    return counts
