"""The published figures of a period, as every report, page and command shows them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from engagement.errors import EngagementError
from engagement.period import Period
from engagement.settings import settings
from engagement.warehouse import Session


@dataclass(frozen=True)
class GroupCount:
    """A group's records: all that were extracted, and the real customers among them."""

    extracted: int
    real_customers: int


@dataclass(frozen=True)
class PatronFigures:
    """One period's patron funnel; every figure counts records but `real_persons`.

    `rejected_by_reason` counts a record under every reason it fails, `rejected_by_first_reason`
    under the first in the fixed order (it sums to `rejected`); both are in that order. `by_group` has the
    seven groups in their order and `unmapped`. `definition` changes when suites or source mapping change.
    """

    period: Period
    extracted: int
    current: int
    real_customers: int
    real_persons: int
    mailable: int
    rejected: int
    rejected_by_reason: dict[str, int]
    rejected_by_first_reason: dict[str, int]
    by_group: dict[str, GroupCount]
    as_of_date: date
    published_at: datetime
    definition: str

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return asdict(self) | {
            "period": str(self.period),
            "as_of_date": self.as_of_date.isoformat(),
            "published_at": self.published_at.isoformat(),
        }


def published(session: Session, period: Period) -> PatronFigures | None:
    """Return the figures published for `period`, or None where nothing is published."""
    funnel = session.one("monitor/patron_funnel", period=str(period))
    if funnel is None:
        return None
    reasons = session.rows("monitor/patron_rejection", period=str(period))
    groups = session.rows("monitor/patron_group", period=str(period))
    return PatronFigures(
        period=period,
        extracted=funnel.extracted_count,
        current=funnel.current_count,
        real_customers=funnel.real_customer_count,
        real_persons=funnel.real_person_count,
        mailable=funnel.mailable_count,
        rejected=funnel.rejected_count,
        rejected_by_reason={r.reason_code: r.record_count for r in reasons},
        rejected_by_first_reason={r.reason_code: r.first_count for r in reasons},
        by_group={
            g.group_code: GroupCount(g.extracted_count, g.real_customer_count) for g in groups
        },
        as_of_date=funnel.as_of_date,
        published_at=funnel.published_at.astimezone(settings().zone),
        definition=funnel.definition_hash,
    )


def require(session: Session, period: Period) -> PatronFigures:
    """Return the figures published for `period`.

    Raises:
        EngagementError: nothing is published for it.
    """
    figures = published(session, period)
    if figures is None:
        raise EngagementError(
            f"No patrons are published for {period}; run model_patrons for that period first."
        )
    return figures
