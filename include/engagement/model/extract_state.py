"""The extract that a period stands on, and where its records lie."""

from __future__ import annotations

from typing import Any

from engagement import clock
from engagement.errors import EngagementError
from engagement.period import Period
from engagement.warehouse import Session

_KEPT = 2  # accepted extracts whose records stay in stage


def table(extract_id: int) -> str:
    """Return the name, within schema stage, of the physical table of an extract."""
    return f"patron_{extract_id}"


def rejections(extract_id: int) -> str:
    """Return the name, within schema stage, of the physical table of what checks found in an extract."""
    return f"rejection_{extract_id}"


def accepted(session: Session, period: Period) -> Any:
    """Return the row of ops.extract that the period stands on.

    Raises:
        EngagementError: there is none.
    """
    row = session.one("model/accepted_extract", period=str(period))
    if row is None:
        raise EngagementError(
            f"Period {period} has no accepted extract; run the task extract of model_patrons for it."
        )
    return row


def require_staged(session: Session, extract_id: int, period: Period) -> None:
    """Raise EngagementError unless the records of the extract still lie in stage."""
    if not session.scalar("model/is_staged", table=f"stage.{table(extract_id)}"):
        raise EngagementError(
            f"The records that were read for {period} are kept no more, so they can be neither checked "
            "nor published again; what is published about the period stays."
        )


def accept(session: Session, extract_id: int, period: Period) -> None:
    """Let the period stand on this extract, in place of the one that it stood on."""
    session.run("model/replace_extract", period=str(period))
    session.run("model/accept_extract", extract_id=extract_id, ended_at=clock.now())


def drop_old(session: Session) -> None:
    """Keep what the last readings staged; personal values of older ones go."""
    session.run("model/abandon_old_extracts", now=clock.now())
    for row in session.rows("model/old_extracts", kept=_KEPT):
        session.drop_table(f"stage.{table(row.extract_id)}")
        session.drop_table(f"stage.{rejections(row.extract_id)}")
        session.run("model/forget_extract_rows", extract_id=row.extract_id)
