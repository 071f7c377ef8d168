"""The published figures of a period, as every report, page and command shows them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from engagement.errors import EngagementError
from engagement.labels import Label, labels
from engagement.model import source as sources
from engagement.period import Period
from engagement.settings import settings
from engagement.warehouse import Session

# Of these records nothing is known, so no other reason counts them.
_UNREADABLE = ("undecodable", "malformed")
# Reasons that are no gap in a current member's data: such a record asks nobody for data.
_NO_DATA_FAULT = (*_UNREADABLE, "objected", "not_current")


@dataclass(frozen=True)
class GroupCount:
    """A group's records: all that were extracted, and the real customers among them."""

    extracted: int
    real_customers: int


@dataclass(frozen=True)
class ReasonCount:
    """A group's records that fail a reason, and those among them that fail it first."""

    records: int
    first: int


@dataclass(frozen=True)
class PatronFigures:
    """One period's patron funnel; every figure counts records but `real_persons`.

    `rejected_by_reason` counts a record under every reason it fails, `rejected_by_first_reason`
    under the first in the fixed order (it sums to `rejected`); both are in that order. `by_group` has the
    seven groups in their order and `unmapped`. `definition` changes when suites or source mapping change.
    `by_combination` counts each rejected record once, under all its reasons, the largest combination first;
    `rejected_by_group` has group -> reason -> counts, where there are any. `notices` counts what deserves a
    look, whatever the verdict. All of these, and the two hashes, are empty for periods that were published
    before they were counted.
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
    by_combination: dict[tuple[str, ...], int] = field(default_factory=dict)
    rejected_by_group: dict[str, dict[str, ReasonCount]] = field(default_factory=dict)
    notices: dict[str, int] = field(default_factory=dict)
    mapping_hash: str | None = None
    suite_hash: str | None = None

    @property
    def incomplete(self) -> int:
        """How many records of current members fail a check of their data."""
        first = self.rejected_by_first_reason
        return sum(count for reason, count in first.items() if reason not in _NO_DATA_FAULT)

    @property
    def explanation(self) -> Label | None:
        """The sentence why nobody is a real customer, where one reason rejects every readable record."""
        readable = self.extracted - sum(self.rejected_by_reason.get(r, 0) for r in _UNREADABLE)
        if not readable:
            return None
        for reason, count in self.rejected_by_reason.items():
            if count == readable and reason not in _UNREADABLE:
                source = sources.load(settings().source)
                return labels().explanation(reason, label=source.label, system=source.system)
        return None

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        explanation = self.explanation
        return asdict(self) | {
            "period": str(self.period),
            "by_combination": [
                {"reasons": list(reasons), "records": count}
                for reasons, count in self.by_combination.items()
            ],
            "explanation": explanation and asdict(explanation),
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
    combinations = session.rows("monitor/patron_rejection_set", period=str(period))
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
        by_combination={tuple(c.reason_codes): c.record_count for c in combinations},
        rejected_by_group=_by_group(session, period),
        notices=_notices(session, period),
        mapping_hash=funnel.mapping_hash,
        suite_hash=funnel.suite_hash,
    )


def _by_group(session: Session, period: Period) -> dict[str, dict[str, ReasonCount]]:
    found: dict[str, dict[str, ReasonCount]] = defaultdict(dict)
    for row in session.rows("monitor/patron_group_rejection", period=str(period)):
        found[row.group_code][row.reason_code] = ReasonCount(row.record_count, row.first_count)
    return dict(found)


def _notices(session: Session, period: Period) -> dict[str, int]:
    """Return the notices in the order of their labels."""
    rows = session.rows("monitor/patron_notice", period=str(period))
    found = {row.notice_code: row.record_count for row in rows}
    return {code: found[code] for code in labels().notices if code in found}


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
