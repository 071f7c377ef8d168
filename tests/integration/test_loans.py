"""Loans: read month by month, whatever comes late, twice, in another order or not at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from engagement import embedded, warehouse
from engagement.demo import library as simulated
from engagement.errors import EngagementError
from engagement.model import loans, source as sources
from engagement.model.check import check
from engagement.model.extract import extract as extract_patrons
from engagement.model.publish import publish
from engagement.period import Period
from engagement.settings import INCLUDE

MAY, JUNE, JULY, AUGUST = (Period(2018, month) for month in (5, 6, 7, 8))
FACTS = "SELECT * FROM core.loan ORDER BY loan_id"
FIGURES = "SELECT * FROM mart.loan_month ORDER BY period"


class Desk:
    """The loan desk of the library, in Bangkok's time."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.members = [
            row[0] for row in library.do("SELECT member_id FROM autolib.member ORDER BY member_no")
        ]
        # Some library systems make loans anonymous.
        library.do("ALTER TABLE autolib.loan ALTER member_id DROP NOT NULL")

    def lend(
        self, began: str, back: str | None = None, member: str | None = "", due: str = "2018-08-31"
    ) -> int:
        """Lend an item to a member (the first one when left out), in some cases until it came back."""
        number: int = self._library.value(
            "INSERT INTO autolib.loan (member_id, item_barcode, loaned_at, due_at, returned_at) "
            "VALUES (%s, 'B1', %s::timestamptz, %s::timestamptz, %s::timestamptz) RETURNING loan_id",
            [self.members[0] if member == "" else member, *map(_local, (began, due, back))],
        )
        return number

    def change(self, loan: int, **values: Any) -> None:
        """Change a loan as the library system does."""
        for column, value in values.items():
            self._library.do(
                f"UPDATE autolib.loan SET {column} = %s WHERE loan_id = %s",  # noqa: S608
                [_local(value) if column.endswith("_at") else value, loan],
            )


def _local(instant: str | None) -> str | None:
    return instant and f"{instant} Asia/Bangkok"


def write_plainly(library: Any, loan: int, column: str, instant: str) -> None:
    """Write an instant that has no time zone into the library system."""
    library.do(
        f"UPDATE autolib.loan SET {column} = %s::timestamptz WHERE loan_id = %s",  # noqa: S608
        [instant, loan],
    )


@pytest.fixture
def desk(library: Any) -> Desk:
    """The loan desk; AutoLib's data is of the 31st of August."""
    library.stand_at(2018, 8, 31)
    return Desk(library)


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any) -> None:
    """Every test here has a warehouse, and September has begun."""
    clock.at(2018, 9, 1)


@pytest.fixture
def read(library: Any) -> Any:
    """Read the loans of a period, or of several, as the DAG does; return what was found in the last."""

    def extract(*periods: Period) -> dict[str, int]:
        url = library.url.update_query_dict({"client_encoding": "latin1"})
        return [loans.extract(period, url) for period in periods][-1]

    return extract


def stored(store: Any) -> dict[str, Any]:
    """Return the loans in the warehouse: id -> whose, begin, due, return in Bangkok's time."""
    rows = store.do(
        "SELECT l.loan_id, p.source_id, to_char(l.loaned_at AT TIME ZONE 'Asia/Bangkok', "
        "'YYYY-MM-DD HH24:MI'), (l.due_at AT TIME ZONE 'Asia/Bangkok')::date::text, "
        "(l.returned_at AT TIME ZONE 'Asia/Bangkok')::date::text "
        "FROM core.loan AS l LEFT JOIN pii.patron AS p USING (patron_key)"
    )
    return {row[0]: row[1:] for row in rows}


def month(store: Any, period: Period) -> tuple[int, int, int] | None:
    """Return loans, anonymous ones and borrowers of a month."""
    rows = store.do(
        "SELECT loan_count, anonymous_count, borrower_count FROM mart.loan_month WHERE period = %s",
        [str(period)],
    )
    return rows[0] if rows else None


# What is read


def test_a_loan_is_kept_with_who_what_and_when(desk: Desk, read: Any, store: Any) -> None:
    out = desk.lend("2018-06-04 09:30", due="2018-06-18")
    back = desk.lend("2018-06-04 09:31", back="2018-06-11 16:00", member=desk.members[1])
    assert read(JUNE) == {
        "read_count": 2, "new_count": 2, "changed_count": 0, "late_count": 0, "misdated_count": 0,
        "unusable_count": 0,
    }  # fmt: skip
    assert stored(store) == {
        str(out): (desk.members[0], "2018-06-04 09:30", "2018-06-18", None),
        str(back): (desk.members[1], "2018-06-04 09:31", "2018-08-31", "2018-06-11"),
    }
    assert store.do("SELECT DISTINCT source, item_id FROM core.loan") == [("autolib", "B1")]


def test_a_month_has_the_loans_that_began_in_it_in_the_librarys_own_time(
    desk: Desk, read: Any, store: Any
) -> None:
    desk.lend("2018-05-31 23:59")
    desk.lend("2018-06-01 00:00")
    desk.lend("2018-06-30 23:59", member=desk.members[1])
    desk.lend("2018-06-30 23:59", member=None)
    desk.lend("2018-07-01 00:00")
    read(MAY, JUNE, JULY)
    assert month(store, MAY) == (1, 0, 1)
    assert month(store, JUNE) == (3, 1, 2)
    assert month(store, JULY) == (1, 0, 1)


def test_a_borrower_has_the_key_of_the_patron(desk: Desk, read: Any, store: Any) -> None:
    before = store.value(
        "INSERT INTO pii.patron (source, source_id, first_seen_at) VALUES ('autolib', %s, now()) "
        "RETURNING patron_key",
        [desk.members[0]],
    )
    desk.lend("2018-06-04")
    read(JUNE)
    assert store.value("SELECT patron_key FROM core.loan") == before


def test_patrons_and_loans_meet_in_one_key_whichever_is_read_first(
    desk: Desk, read: Any, store: Any, library: Any, clock: Any
) -> None:
    library.stand_at(2018, 6, 27)
    clock.at(2018, 7, 1)
    desk.lend("2018-06-04", member=desk.members[7])
    read(JUNE)
    extract_patrons(JUNE, library.url.update_query_dict({"client_encoding": "latin1"}))
    check(JUNE)
    publish(JUNE)
    assert (
        store.value(
            "SELECT count(*) FROM core.loan INNER JOIN core.patron_month USING (patron_key)"
        )
        == 1
    )
    assert store.value("SELECT count(*) FROM pii.patron") == 40


def test_a_patron_whom_somebody_else_is_just_writing_has_one_key(
    desk: Desk, read: Any, store: Any
) -> None:
    desk.lend("2018-06-04")
    plain = store.url.set(drivername="postgresql").render_as_string(False)
    with ThreadPoolExecutor() as pool, psycopg.connect(plain) as other:
        other.execute(warehouse.statement("model/lock_identities"))
        other.execute(
            "INSERT INTO pii.patron (source, source_id, first_seen_at) VALUES ('autolib', %s, now())",
            [desk.members[0]],
        )
        reading = pool.submit(read, JUNE)
        while not store.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert not reading.done()
        other.commit()
        assert reading.result()["new_count"] == 1
    assert store.value("SELECT count(*) FROM core.loan INNER JOIN pii.patron USING (patron_key)")
    assert store.value("SELECT count(*) FROM pii.patron") == 1


def test_who_was_deleted_before_he_was_ever_seen_has_a_key_too(
    desk: Desk, read: Any, store: Any
) -> None:
    desk.lend("2018-06-04", member="GONE")
    desk.lend("2018-06-05", member="GONE")
    read(JUNE)
    assert store.value("SELECT count(*) FROM pii.patron WHERE source_id = 'GONE'") == 1
    assert month(store, JUNE) == (2, 0, 1)


def test_a_member_id_is_read_as_it_is_of_the_patron(
    desk: Desk, read: Any, store: Any, library: Any
) -> None:
    for number in range(2):
        library.do(
            "INSERT INTO autolib.loan (member_id, item_barcode, loaned_at, due_at) "
            "VALUES (convert_from(%s, 'SQL_ASCII'), 'B1', '2018-06-04', '2018-06-18')",
            [["น.1".encode("cp874"), " น.1 ".encode()][number]],
        )
    read(JUNE)
    assert {who for who, *_ in stored(store).values()} == {"น.1"}


def test_instants_without_an_offset_are_in_the_librarys_zone(
    desk: Desk, read: Any, store: Any, library: Any
) -> None:
    loan = desk.lend("2018-06-04 01:30", back="2018-06-05 03:00")
    for column in ("loaned_at", "due_at", "returned_at"):
        library.do(
            f"ALTER TABLE autolib.loan ALTER {column} TYPE timestamp "
            f"USING {column} AT TIME ZONE 'Asia/Bangkok'"
        )
    read(JUNE)
    assert stored(store)[str(loan)][1:] == ("2018-06-04 01:30", "2018-08-31", "2018-06-05")


# Again, overlapping, out of order


def test_reading_a_month_again_changes_nothing(desk: Desk, read: Any, store: Any) -> None:
    for day in range(1, 30):
        desk.lend(f"2018-06-{day:02}", member=desk.members[day % 3])
    read(JUNE)
    before = store.do(FACTS), store.do(FIGURES), store.do("SELECT * FROM pii.patron ORDER BY 2")
    again = read(JUNE)
    assert (again["read_count"], again["new_count"], again["changed_count"]) == (29, 0, 0)
    assert before == (
        store.do(FACTS), store.do(FIGURES), store.do("SELECT * FROM pii.patron ORDER BY 2")
    )  # fmt: skip
    assert len(before[0]) == 29
    assert store.value("SELECT count(*) FROM ops.loan_reading") == 1


@pytest.mark.parametrize("order", [(JULY, JUNE, MAY), (JUNE, JULY, MAY, JUNE)])
def test_months_in_any_order_give_the_same_loans_and_figures(
    desk: Desk, read: Any, store: Any, order: tuple[Period, ...]
) -> None:
    for day in range(1, 31):
        desk.lend(f"2018-05-{day:02}", f"2018-06-{day:02}", desk.members[day])
        desk.lend(f"2018-06-{day:02}", None if day % 4 else "2018-07-15", desk.members[day])
        desk.lend(f"2018-07-{day:02}", member=None)
    read(MAY, JUNE, JULY)
    facts = "SELECT * FROM core.loan INNER JOIN pii.patron USING (patron_key) ORDER BY loan_id"
    keys = dict(store.do("SELECT source_id, patron_key FROM pii.patron"))
    before = store.do(FACTS), store.do(FIGURES)
    assert (len(before[0]), len(before[1])) == (90, 3)
    store.do("TRUNCATE core.loan, mart.loan_month, ops.loan_reading")
    read(*order)
    assert (store.do(FACTS), store.do(FIGURES)) == before
    assert dict(store.do("SELECT source_id, patron_key FROM pii.patron")) == keys
    assert len(store.do(facts)) == 60


def test_a_month_that_was_never_read_has_no_figures(desk: Desk, read: Any, store: Any) -> None:
    desk.lend("2018-03-05", back="2018-06-15")
    desk.lend("2018-05-28")
    desk.lend("2018-06-04")
    july = desk.lend("2018-07-01")
    read(JUNE)
    assert len(stored(store)) == 3
    assert str(july) not in stored(store)
    assert store.do("SELECT period FROM mart.loan_month") == [("2018-06",)]


def test_a_month_without_loans_has_figures_that_say_so(desk: Desk, read: Any, store: Any) -> None:
    assert read(JUNE)["read_count"] == 0
    assert month(store, JUNE) == (0, 0, 0)


def test_reading_all_months_leaves_no_loan_of_the_source_out(
    desk: Desk, read: Any, store: Any, library: Any
) -> None:
    for day in range(1, 31):
        for number in (5, 6, 7, 8):
            desk.lend(f"2018-{number:02}-{day:02} 23:{day:02}", member=desk.members[day])
    read(MAY, JUNE, JULY, AUGUST)
    assert len(stored(store)) == library.value("SELECT count(*) FROM autolib.loan") == 120
    assert store.value("SELECT sum(loan_count) FROM mart.loan_month") == 120


# What happens to a loan afterwards


def test_a_return_and_a_renewal_come_with_the_next_month(desk: Desk, read: Any, store: Any) -> None:
    returned, renewed = desk.lend("2018-05-20"), desk.lend("2018-05-20")
    read(MAY)
    desk.change(returned, returned_at="2018-06-10")
    desk.change(renewed, due_at="2018-09-30")
    found = read(JUNE)
    assert (found["new_count"], found["changed_count"]) == (0, 2)
    assert stored(store)[str(returned)][3] == "2018-06-10"
    assert stored(store)[str(renewed)][2] == "2018-09-30"
    assert month(store, MAY) == (2, 0, 1)


def test_an_older_copy_of_the_library_moves_nothing_back(
    desk: Desk, read: Any, store: Any, library: Any
) -> None:
    loan = desk.lend("2018-06-20", "2018-06-28", desk.members[1], due="2018-09-30")
    missing = desk.lend("2018-06-21", due="2018-06-28")
    library.do("DELETE FROM autolib.loan WHERE loan_id = %s", [missing])
    read(JUNE)
    library.stand_at(2018, 6, 27)
    desk.change(loan, returned_at=None, due_at="2018-06-27", member_id=desk.members[0])
    library.do(
        "INSERT INTO autolib.loan OVERRIDING SYSTEM VALUE "
        "SELECT %s, member_id, 'B2', loaned_at, due_at, NULL FROM autolib.loan",
        [missing],
    )
    found = read(JUNE)
    assert (found["new_count"], found["changed_count"]) == (1, 0)
    assert stored(store)[str(loan)][0] == desk.members[1]
    assert stored(store)[str(loan)][2:] == ("2018-09-30", "2018-06-28")
    assert str(missing) in stored(store)


def test_what_came_back_stays_back_even_if_a_lagging_copy_says_otherwise(
    desk: Desk, read: Any, store: Any
) -> None:
    loan = desk.lend("2018-06-20", back="2018-06-28")
    read(JUNE)
    desk.change(loan, returned_at=None)  # the copy claims to be of the same day
    assert read(JUNE)["changed_count"] == 0
    assert stored(store)[str(loan)][3] == "2018-06-28"


def test_a_correction_in_the_library_moves_a_loan_to_its_month(
    desk: Desk, read: Any, store: Any
) -> None:
    loan = desk.lend("2018-06-29 10:00")
    read(MAY, JUNE)
    desk.change(loan, loaned_at="2018-05-29 10:00")
    read(MAY)
    assert stored(store)[str(loan)][1] == "2018-05-29 10:00"
    assert (month(store, MAY), month(store, JUNE)) == ((1, 0, 1), (0, 0, 0))


def test_a_loan_that_the_library_makes_anonymous_belongs_to_nobody_for_ever(
    desk: Desk, read: Any, store: Any
) -> None:
    loan = desk.lend("2018-06-20", back="2018-06-25")
    read(JUNE)
    assert month(store, JUNE) == (1, 0, 1)
    desk.change(loan, member_id=None)
    assert read(JUNE)["changed_count"] == 1
    assert stored(store)[str(loan)][0] is None
    assert month(store, JUNE) == (1, 1, 0)
    for member in (desk.members[0], "SOMEBODY"):
        desk.change(loan, member_id=member)  # a copy from before, that does not say so
        read(JUNE)
        assert stored(store)[str(loan)][0] is None
    assert store.value("SELECT count(*) FROM pii.patron WHERE source_id = 'SOMEBODY'") == 0


# Late, twice, impossible


def test_a_loan_that_is_handed_in_late_is_taken_and_counted(
    desk: Desk, read: Any, store: Any
) -> None:
    desk.lend("2018-06-10", back="2018-06-12")
    read(JUNE)
    late = desk.lend("2018-06-26", back="2018-06-29", member=desk.members[1])
    desk.lend("2018-07-02")
    found = read(JULY)
    assert (found["new_count"], found["late_count"]) == (2, 1)
    assert str(late) in stored(store)
    assert month(store, JUNE) == (2, 0, 2)


def test_what_is_handed_in_later_than_that_comes_by_reading_its_month_again(
    desk: Desk, read: Any, store: Any
) -> None:
    read(JUNE)
    late = desk.lend("2018-06-20", back="2018-06-22")
    assert read(JULY)["new_count"] == 0
    found = read(JUNE)
    assert (found["new_count"], found["late_count"]) == (1, 1)
    assert str(late) in stored(store)
    assert month(store, JUNE) == (1, 0, 1)


def test_the_first_month_that_is_read_has_nothing_late(desk: Desk, read: Any) -> None:
    desk.lend("2018-05-28")
    desk.lend("2018-02-01", back="2018-06-04")
    assert read(JUNE)["late_count"] == 0


def test_what_a_copy_did_not_hold_yet_comes_with_the_next_month_and_is_not_late(
    desk: Desk, read: Any, store: Any, library: Any
) -> None:
    library.stand_at(2018, 6, 12)
    desk.lend("2018-06-11", back="2018-06-12")
    read(JUNE)
    library.stand_at(2018, 8, 1)
    desk.lend("2018-06-13", back="2018-06-14")  # far more than a week before July
    desk.lend("2018-06-06", back="2018-06-07")  # handed in late, within a week of where June ended
    found = read(JULY)
    assert (found["new_count"], found["late_count"]) == (2, 1)
    assert month(store, JUNE) == (3, 0, 1)


def test_a_loan_that_came_back_before_it_began_counts_as_back_at_once(
    desk: Desk, read: Any, store: Any
) -> None:
    loan = desk.lend("2018-06-04 10:00", back="2018-06-03 20:00")
    assert read(JUNE)["misdated_count"] == 1
    assert store.value("SELECT returned_at = loaned_at FROM core.loan")
    desk.change(loan, returned_at="2018-06-09")
    read(JUNE)
    assert stored(store)[str(loan)][3] == "2018-06-09"


def test_a_loan_that_came_back_after_the_day_of_the_data_counts_as_back_at_once(
    desk: Desk, read: Any, store: Any
) -> None:
    mistyped = desk.lend("2018-06-04 10:00", back="2081-06-09")
    desk.lend("2018-06-04 10:00", back="2018-08-31 18:01")  # the data is of 18:00
    in_time = desk.lend("2018-06-04 10:00", back="2018-08-31 18:00")
    assert read(JUNE)["misdated_count"] == 2
    assert store.do("SELECT loan_id FROM core.loan WHERE returned_at != loaned_at") == [
        (str(in_time),)
    ]
    assert month(store, JUNE) == (3, 0, 1)
    desk.change(mistyped, returned_at="2018-06-09")
    assert read(JUNE)["misdated_count"] == 1
    assert stored(store)[str(mistyped)][3] == "2018-06-09"


@pytest.fixture(params=["infinity", "-infinity", "0001-01-01 BC", "0018-06-04", "20180-06-04"])
def impossible(request: pytest.FixtureRequest) -> str:
    """An instant that a library system can hold, and that can be none of a loan."""
    instant: str = request.param
    return instant


@pytest.mark.parametrize("column", ["due_at", "returned_at"])
def test_an_impossible_due_date_or_return_stops_no_month_and_counts_as_none(
    desk: Desk, read: Any, store: Any, library: Any, column: str, impossible: str
) -> None:
    loan, other = desk.lend("2018-06-04", back="2018-06-09"), desk.lend("2018-06-04")
    write_plainly(library, loan, column, impossible)
    found = read(JUNE)
    assert (found["new_count"], found["misdated_count"], found["unusable_count"]) == (2, 0, 0)
    due, back = stored(store)[str(loan)][2:]
    assert (due, back) == ((None, "2018-06-09") if column == "due_at" else ("2018-08-31", None))
    assert stored(store)[str(other)][2:] == ("2018-08-31", None)


def test_an_impossible_beginning_stops_no_month_and_is_in_none(
    desk: Desk, read: Any, store: Any, library: Any, impossible: str
) -> None:
    wrong, right = desk.lend("2018-06-04"), desk.lend("2018-06-04")
    write_plainly(library, wrong, "loaned_at", impossible)
    to_come = impossible in ("infinity", "20180-06-04")  # after all data, and so never read
    for period in (JUNE, JULY):
        assert read(period)["unusable_count"] == (0 if to_come else 1)
    assert list(stored(store)) == [str(right)]


def test_a_loan_with_an_impossible_return_is_still_out_and_read_every_month(
    desk: Desk, read: Any, store: Any, library: Any, impossible: str
) -> None:
    loan = desk.lend("2018-03-05")
    write_plainly(library, loan, "returned_at", impossible)
    read(JUNE)
    desk.change(loan, due_at="2018-09-30")
    assert read(JULY)["changed_count"] == 1
    assert stored(store)[str(loan)][2:] == ("2018-09-30", None)


def test_of_a_loan_that_comes_twice_the_row_that_knows_most_is_kept_and_the_other_counted(
    desk: Desk, read: Any, store: Any, library: Any
) -> None:
    loan = desk.lend("2018-06-04")
    library.do("ALTER TABLE autolib.loan DROP CONSTRAINT loan_pkey")
    for back in ("2018-06-09 12:00+07", None):
        library.do(
            "INSERT INTO autolib.loan OVERRIDING SYSTEM VALUE SELECT loan_id, member_id, "
            "item_barcode, loaned_at, due_at, %s::timestamptz FROM autolib.loan LIMIT 1",
            [back],
        )
    for _ in range(2):
        found = read(JUNE)
        assert (found["read_count"], found["unusable_count"]) == (3, 2)
        assert stored(store)[str(loan)][3] == "2018-06-09"
    assert found["changed_count"] == 0


def test_a_loan_without_an_id_or_a_beginning_is_left_out_and_counted(
    desk: Desk, read: Any, store: Any, library: Any, world: pytest.MonkeyPatch
) -> None:
    desk.lend("2018-06-04")
    desk.lend("2018-06-05")
    desk.lend("2018-06-06")
    answering(
        world,
        "SELECT nullif(loan_id, 1) AS loan_id, member_id AS source_id, item_barcode AS item_id, "
        "CASE WHEN loan_id != 2 THEN loaned_at END AS loaned_at, due_at, returned_at "
        "FROM autolib.loan WHERE loaned_at < :until AND loaned_at >= :since",
    )
    found = read(JUNE)
    assert (found["read_count"], found["new_count"], found["unusable_count"]) == (3, 1, 2)
    assert list(stored(store)) == ["3"]


def test_an_id_too_long_for_one_is_as_if_it_were_missing(
    desk: Desk, read: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    for day in (4, 5, 6):
        desk.lend(f"2018-06-0{day}")
    # At random: what repeats itself is compressed and fits into an index at any length.
    letters = (
        "(SELECT string_agg(chr(65 + (random() * 25)::int), '') FROM generate_series(1, 20000))"
    )
    answering(
        world,
        f"SELECT CASE WHEN loan_id = 1 THEN {letters} ELSE loan_id::text END AS loan_id, "  # noqa: S608
        f"CASE WHEN loan_id = 2 THEN {letters} ELSE member_id END AS source_id, item_barcode AS item_id, "
        "loaned_at, due_at, returned_at "
        "FROM autolib.loan WHERE loaned_at < :until AND loaned_at >= :since",
    )
    found = read(JUNE)
    assert (found["read_count"], found["new_count"], found["unusable_count"]) == (3, 2, 1)
    assert {loan: told[0] for loan, told in stored(store).items()} == {
        "2": None,
        "3": desk.members[0],
    }


def test_a_character_that_the_warehouse_cannot_hold_is_no_part_of_an_id() -> None:
    autolib = sources.load("autolib")
    assert loans._id("12\0 34\0", autolib) == "12 34"
    assert loans._id("\0", autolib) is None


# What goes wrong


def answering(world: pytest.MonkeyPatch, query: str) -> None:
    """Let the library's own loan query be another one."""
    real = warehouse.statement
    world.setattr(
        warehouse,
        "statement",
        lambda name: query if name == "sources/autolib/loan" else real(name),
    )


def refusal(read: Any, period: Period = JUNE) -> str:
    with pytest.raises(EngagementError) as caught:
        read(period)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_month_that_is_not_over_is_not_read(desk: Desk, read: Any) -> None:
    assert "Period 2018-09 is not over" in refusal(read, Period(2018, 9))


def test_a_copy_of_the_library_that_ends_before_the_month_is_refused(
    desk: Desk, read: Any, store: Any, library: Any
) -> None:
    library.stand_at(2018, 6, 27)
    assert "stands at 2018-06-27, which says nothing about the loans of 2018-07" in refusal(
        read, JULY
    )
    assert store.do(FIGURES) == []


def test_a_source_that_cannot_be_reached_is_named(desk: Desk, library: Any, tmp_path: Any) -> None:
    nowhere = library.url.update_query_dict({"host": str(tmp_path)})
    with pytest.raises(EngagementError, match=r"Walai AutoLib.*does not answer"):
        loans.extract(JUNE, nowhere)


@pytest.mark.parametrize("change", ["RENAME due_at TO due", "RENAME TO lending"])
def test_a_table_or_column_that_is_gone_is_named_with_the_query_to_adapt(
    desk: Desk, read: Any, library: Any, change: str
) -> None:
    library.do(f"ALTER TABLE autolib.loan {change}")
    said = refusal(read)
    assert "include/sql/sources/autolib/" in said
    assert "sources/autolib/loan failed" in said
    assert "does not exist" in said


def test_a_query_with_other_columns_says_which_it_must_give(
    desk: Desk, read: Any, world: pytest.MonkeyPatch
) -> None:
    desk.lend("2018-06-04")
    answering(
        world,
        "SELECT loan_id, member_id, item_barcode AS item_id, loaned_at, due_at, returned_at "
        "FROM autolib.loan WHERE loaned_at < :until AND loaned_at >= :since",
    )
    assert "loan.sql must give loan_id, source_id, item_id" in refusal(read)


def test_what_is_no_date_and_time_is_not_guessed_and_not_shown(
    desk: Desk, read: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    desk.lend("2018-06-04")
    answering(
        world,
        "SELECT loan_id, member_id AS source_id, item_barcode AS item_id, loaned_at, "
        "'18/06/2561' AS due_at, returned_at FROM autolib.loan "
        "WHERE loaned_at < :until AND loaned_at >= :since",
    )
    said = refusal(read)
    assert "gives due_at as str, not as date and time; cast it" in said
    assert "2561" not in said
    assert store.do(FACTS) == []


@pytest.mark.parametrize("column", ["loaned_at", "due_at", "returned_at"])
def test_a_column_of_autolib_that_became_text_is_not_guessed_and_not_shown(
    desk: Desk, read: Any, store: Any, library: Any, column: str
) -> None:
    desk.lend("2018-06-04")
    library.do(f"ALTER TABLE autolib.loan ALTER {column} TYPE text USING '18/06/2561'")
    said = refusal(read)
    assert "sources/autolib/loan" in said
    assert "text >= timestamp with time zone" in said
    assert "2561" not in said
    assert store.do(FACTS) == []


def test_a_source_read_from_an_export_has_no_loans_and_says_so(store: Any) -> None:
    with pytest.raises(loans.NoLoans, match="an export of its patrons, which has no loans"):
        loans.extract(JUNE, make_url("file:////exports/patrons-{period}.csv"))
    assert store.do("SELECT * FROM ops.loan_reading") == []


def test_a_source_without_a_query_for_loans_has_none_and_says_which_file_is_missing(
    read: Any, desk: Desk, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (INCLUDE / "sql" / "sources" / "autolib" / "loan.sql").exists()
    world.setattr(loans, "ROOT", tmp_path)
    with pytest.raises(loans.NoLoans, match=r"no include/sql/sources/autolib/loan\.sql"):
        read(JUNE)


_KILLED = """
import os, signal
from engagement.model import loans
from engagement.period import Period
from engagement.warehouse import Session
from sqlalchemy.engine import make_url
inner = Session.{method}
def killed(self, *args, **binds):
    result = inner(self, *args, **binds)
    if args[0] == {where!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
Session.{method} = killed
loans.extract(Period(2018, 7), make_url({url!r}))
"""


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("copy", "pg_temp.read_loan"),
        ("run", "model/merge_loan"),
        ("run", "model/publish_loan_month"),
    ],
)
def test_killed_in_the_middle_nothing_is_half_and_a_repeated_run_repairs_it(
    desk: Desk, read: Any, store: Any, library: Any, method: str, where: str
) -> None:
    desk.lend("2018-06-28")
    read(JUNE)
    before = store.do(FACTS), store.do(FIGURES), store.do("SELECT * FROM ops.loan_reading")
    desk.lend("2018-06-29", member="LATE")
    desk.lend("2018-07-04")
    url = library.url.update_query_dict({"client_encoding": "latin1"}).render_as_string(False)
    code = _KILLED.format(method=method, where=where, url=url)
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert before == (
        store.do(FACTS), store.do(FIGURES), store.do("SELECT * FROM ops.loan_reading")
    )  # fmt: skip
    assert store.value("SELECT count(*) FROM pii.patron WHERE source_id = 'LATE'") == 0
    assert read(JULY)["new_count"] == 2
    assert (month(store, JUNE), month(store, JULY)) == ((2, 0, 2), (1, 0, 1))


def test_neither_what_is_logged_nor_what_is_returned_has_a_word_of_a_patron(
    desk: Desk, read: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "engagement")
    desk.lend("2018-06-04", member="ZX735173")
    counts = read(JUNE)
    assert {type(value) for value in counts.values()} == {int}
    assert "Loans of 2018-06" in caplog.text
    assert "ZX735173" not in caplog.text + str(counts)


# Many


_MEASURED = """
import resource
from engagement.model import loans
from engagement.period import Period
from sqlalchemy.engine import make_url
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
found = loans.extract(Period(2018, 6), make_url({url!r}))
print(found["new_count"], peak() - before)
"""


def test_two_hundred_thousand_loans_are_read_in_little_memory(
    library: Any, desk: Desk, store: Any
) -> None:
    library.do(
        "INSERT INTO autolib.loan (member_id, item_barcode, loaned_at, due_at) "
        "SELECT 'P' || i %% 20000, 'B' || i, '2018-06-01 08:00+07'::timestamptz "
        "+ i * interval '12 seconds', '2018-07-31' FROM generate_series(1, %s) AS i",
        [200_000],
    )
    url = library.url.update_query_dict({"client_encoding": "latin1"}).render_as_string(False)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(url=url)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, megabytes = map(float, done.stdout.split())
    assert count == 200_000
    assert megabytes < 60
    assert month(store, JUNE) == (200_000, 0, 20_000)


@pytest.fixture
def autolib(world: pytest.MonkeyPatch, store: Any) -> Iterator[Any]:
    """The simulated library, as of 27 June 2018."""
    made = embedded.database(
        "library_of_loans", "TEMPLATE template0", "ENCODING 'SQL_ASCII'", "LOCALE 'C'"
    )
    simulated.create(made)
    yield type(store)(made.update_query_dict({"client_encoding": "latin1"}))
    warehouse.drop_database(made)


def test_of_the_simulated_library_every_loan_is_read_and_counted_as_it_counts_itself(
    autolib: Any, store: Any
) -> None:
    counted = (
        "SELECT to_char(loaned_at AT TIME ZONE 'Asia/Bangkok', 'YYYY-MM'), count(*), "
        "count(DISTINCT member_id), count(returned_at), max(loaned_at), max(due_at), max(returned_at) "
        "FROM autolib.loan WHERE loaned_at >= '2018-04-01+07' GROUP BY 1 ORDER BY 1"
    )
    kept = (
        counted.replace(
            "autolib.loan", "core.loan INNER JOIN pii.patron USING (source, patron_key)"
        )
    ).replace("member_id", "source_id")
    for period in (Period(2018, 4), MAY, JUNE):
        loans.extract(period, autolib.url)
    assert len(autolib.do(counted)) == 3
    assert store.do(kept) == autolib.do(counted)
    simulated.move_to_july(autolib.url)
    found = loans.extract(JULY, autolib.url)
    assert found["changed_count"] > 1_000  # items that came back since
    assert found["late_count"] == 0
    assert len(autolib.do(counted)) == 4
    assert store.do(kept) == autolib.do(counted)
    assert [row[:3] for row in autolib.do(counted)] == store.do(
        "SELECT period, loan_count, borrower_count FROM mart.loan_month ORDER BY period"
    )
