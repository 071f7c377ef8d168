"""The loans of the simulated library.

Few borrow much: every borrower has an activity of about 1 / (0.015 + u), u uniform, by which the loans
of a month are drawn among those who are members then. What comes of it is measured, not set:

    WITH borrower AS (SELECT count(*) AS loans FROM autolib.loan GROUP BY member_id),
    ranked AS (
        SELECT loans, row_number() OVER (ORDER BY loans) AS i, count(*) OVER () AS n,
               ntile(5) OVER (ORDER BY loans DESC) AS fifth
        FROM borrower)
    SELECT 2 * sum(i * loans) / (max(n) * sum(loans)) - (max(n) + 1.0) / max(n) AS gini,
           sum(loans) FILTER (WHERE fifth = 1) / sum(loans) AS top_fifth_share
    FROM ranked

gives, over those who borrowed at all by June 2018, a Gini coefficient of 0.60, and the most active fifth
has 65 % of the loans.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate

from engagement.demo.people import Member

COLUMNS = ("member_id", "item_barcode", "loaned_at", "due_at", "returned_at")
# Loans per month: term 2/2560 (January to May 2018), and the eleven months before it as history.
MONTHS = {
    "2017-02": 9_900, "2017-03": 10_100, "2017-04": 6_300, "2017-05": 8_000, "2017-06": 6_600,
    "2017-07": 7_900, "2017-08": 9_600, "2017-09": 11_200, "2017-10": 8_300, "2017-11": 11_300,
    "2017-12": 6_300, "2018-01": 9_300, "2018-02": 10_600, "2018-03": 10_900, "2018-04": 6_600,
    "2018-05": 8_700, "2018-06": 8_400,
}  # fmt: skip
JULY = 9_000
ITEMS = 180_000
# Weight of the hours from 8:00 to 19:59, and of the days from Monday to Sunday.
HOURS = dict(zip(range(8, 20), (2, 5, 8, 9, 9, 10, 10, 9, 12, 8, 5, 3), strict=True))
WEEKDAYS = (11, 11, 11, 10, 9, 5, 4)
# Days that a loan may last, by kind of member; 14 for all others.
TERM = {"staff": 60, "graduate": 30, "pupil": 7}
NEVER = 10**12
DAY = 24 * 60
CLOCK = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(DAY)]
SPRING = date(2018, 3, 31)


def months(until: datetime) -> list[tuple[datetime, datetime, int]]:
    """Return (from, to, loans) of every month up to `until`."""
    found = []
    for month, loans in MONTHS.items():
        start = datetime.fromisoformat(f"{month}-01").replace(tzinfo=until.tzinfo)
        found.append((start, min((start + timedelta(days=32)).replace(day=1), until), loans))
    return found


def draw(
    members: Sequence[Member],
    span: tuple[datetime, datetime, int],
    until: datetime,
    rng: random.Random,
    busy: dict[str, int],
) -> Iterator[tuple[str | None, ...]]:
    """Yield the loans of one span of time in order, as values of COLUMNS.

    Args:
        members: all of them; who borrows in the span must be a member from its begin to its end.
        span: first and last instant, and the number of loans.
        until: returns after this instant have not happened yet.
        rng: the stream of chance.
        busy: barcode -> when the item comes back, in minutes; read and written.
    """
    start, end, count = span
    first, last, now = start.date(), end.date(), minutes(until)
    borrowers = [m for m in members if m.activity and m.registered <= first and _until(m) >= last]
    weights = list(accumulate(m.activity for m in borrowers))
    chosen = rng.choices(borrowers, cum_weights=weights, k=count)
    for member, moment in zip(chosen, _moments(start, end, count, rng), strict=True):
        day = moment // DAY
        term = TERM.get(member.kind, 14)
        back = _return(day, term, rng)
        item = _item(moment, rng, busy)
        busy[item] = back
        due = f"{_iso(day + term)} 20:00+07"
        yield member.member_id, item, _text(moment), due, _text(back) if back <= now else None


def _until(member: Member) -> date:
    """Return the last day on which the member may borrow; the suspended stopped in spring."""
    return member.expires if member.member_state == "1" else min(member.expires, SPRING)


def _moments(start: datetime, end: datetime, count: int, rng: random.Random) -> list[int]:
    """Return `count` instants within the opening hours, sorted."""
    first, last = minutes(start), minutes(end)
    hours = {
        day * DAY + hour * 60: WEEKDAYS[(day - 1) % 7] * weight
        for day in range(first // DAY, last // DAY + 1)
        for hour, weight in HOURS.items()
        if first <= day * DAY + hour * 60 < last
    }
    chosen = rng.choices(list(hours), cum_weights=list(accumulate(hours.values())), k=count)
    return sorted(hour + int(rng.random() * 60) for hour in chosen)


def _return(day: int, term: int, rng: random.Random) -> int:
    """Return when an item lent on `day` comes back: mostly in time, some late, a few never."""
    kind = rng.random()
    if kind < 0.87:
        day += 1 + int(rng.random() * term)
    elif kind < 0.985:
        day += term + 1 + int(rng.random() * rng.random() * 40)
    else:
        return NEVER
    return day * DAY + 8 * 60 + int(rng.random() * 12 * 60)


def _item(moment: int, rng: random.Random, busy: dict[str, int]) -> str:
    """Return the barcode of an item that is on the shelf; some are asked for more than others."""
    while True:
        wanted = rng.random()
        item = f"B{int(ITEMS * wanted * wanted):08}"
        if busy.get(item, 0) < moment:
            return item


def minutes(instant: datetime) -> int:
    """Return an instant of local time as minutes since the year 1, as `busy` counts them."""
    return instant.toordinal() * DAY + instant.hour * 60 + instant.minute


@cache
def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _text(moment: int) -> str:
    day, minute = divmod(moment, DAY)
    return f"{_iso(day)} {CLOCK[minute]}+07"
