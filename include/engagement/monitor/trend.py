"""How the real customers developed over the last periods."""

from __future__ import annotations

from dataclasses import dataclass

from engagement.period import Period
from engagement.warehouse import Session

PERIODS = 12


@dataclass(frozen=True)
class Point:
    """A period's real customers; None where nothing is published for it.

    `is_redefined`: what is checked has changed since the last published period before it.
    """

    period: Period
    real_customers: int | None
    is_redefined: bool = False


def read(session: Session, last: Period) -> tuple[Point, ...]:
    """Return the points of the PERIODS periods up to `last`, from the first that is published on."""
    months = [last]
    while len(months) < PERIODS:
        months.insert(0, months[0].previous)
    rows = {
        row.period: row
        for row in session.rows("monitor/trend", first=str(months[0]), last=str(last))
    }
    points: list[Point] = []
    definition: str | None = None
    for month in months:
        row = rows.get(str(month))
        if row is None:
            if points:
                points.append(Point(month, None))
            continue
        changed = definition is not None and definition != row.definition_hash
        points.append(Point(month, row.real_customer_count, changed))
        definition = row.definition_hash
    return tuple(points)
