"""A period: one calendar month in the library's zone, written 2018-06."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from engagement import clock
from engagement.errors import EngagementError
from engagement.settings import settings


@dataclass(frozen=True, order=True)
class Period:
    """A calendar month; periods compare and sort by time."""

    year: int
    month: int

    @classmethod
    def parse(cls, key: str) -> Period:
        """Return the period written as `key`, such as 2018-06.

        Raises:
            EngagementError: `key` is no month of the Gregorian calendar, or is in the Buddhist era.
        """
        match = re.fullmatch(r"([12]\d{3})-(0[1-9]|1[0-2])", key)
        if match is None:
            raise EngagementError(f"{key!r} is no period; write year and month, such as 2018-06.")
        year = int(match[1])
        if year >= 2400:
            raise EngagementError(
                f"{key!r} is in the Buddhist era; periods are Gregorian: {year - 543}-{match[2]}."
            )
        return cls(year, int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def start(self) -> datetime:
        """The period's first instant."""
        return datetime(self.year, self.month, 1, tzinfo=settings().zone)

    @property
    def end(self) -> datetime:
        """The first instant after the period."""
        return self.next.start

    @property
    def next(self) -> Period:
        """The month after."""
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> Period:
        """The month before."""
        return Period(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def require_over(self) -> None:
        """Raise EngagementError unless the period is over on the business clock."""
        if clock.now() < self.end:
            raise EngagementError(
                f"Period {self} is not over: it ends at {self.end:%Y-%m-%d %H:%M} "
                f"({settings().timezone}); run it after that."
            )
