"""The simulated library: an invented Walai AutoLib database that stands at June and moves to July.

At 27 June 2018 it holds exactly 60,403 member records, of which exactly 12,083 are real customers, as
Khon Kaen University Library found in 2018. Which ones, and why the others are not, can be seen in the
values only. Everything is drawn from one seed: the same bytes every time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import partial
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL

from engagement import warehouse
from engagement.demo import loans
from engagement.demo.faults import LAPSES, Faults
from engagement.demo.people import COLUMNS, WORDS, Desk, Member, thai_date
from engagement.errors import EngagementError
from engagement.warehouse import Session

Plan = Mapping[str, Sequence[int]]

SEED = 2561
JUNE = datetime(2018, 6, 27, 18, tzinfo=ZoneInfo("Asia/Bangkok"))
JULY = datetime(2018, 7, 31, 18, tzinfo=ZoneInfo("Asia/Bangkok"))

# fmt: off
# How June's 60,403 records split: group by what a record fails first ("real": it fails nothing).
OUTCOMES = ("real", "undecodable", "not_current", "name", "status", "affiliation", "email")
JUNE_PLAN: Plan = {
    "staff":          (2_300,  6,  1_769,  45,   0, 180,   700),  #  5,000
    "undergraduate":  (6_300, 31, 25_172, 210,   0, 420, 2_950),  # 35,083
    "graduate":       (1_900, 12,  6_638,  60,   0, 190,   900),  #  9,700
    "international":  (  350,  2,    401,  22,   0,  30,    95),  #    900
    "alumni_retired": (  480,  4,  2_321,  25,   0, 150,   520),  #  3,500
    "external":       (  430,  3,  2_607,  40,   0, 260,   460),  #  3,800
    "pupil":          (  323,  2,  1_300,  20,   0,  35,   320),  #  2,000
    "unmapped":       (    0,  2,    255,   6, 157,   0,     0),  #    420: an unknown patron type
}
RECORDS, REAL_CUSTOMERS = 60_403, 12_083
# Who enrols in July, split in the same way.
JULY_PLAN: Plan = {
    "staff":          (18, 0, 0, 0, 0,  1,  4),
    "undergraduate": (320, 0, 0, 5, 0, 12, 73),
    "graduate":       (66, 0, 0, 1, 0,  3, 12),
    "international":  (30, 0, 0, 2, 0,  1,  3),
    "alumni_retired": (20, 0, 0, 0, 0,  2,  4),
    "external":       (38, 0, 0, 1, 0,  6, 10),
    "pupil":           (2, 0, 0, 0, 0,  0,  2),
    "unmapped":        (0, 0, 0, 0, 4,  0,  0),
}
# Staff who study have two records: what the one at work fails, what the graduate student's fails.
STUDYING_STAFF = [
    ("real", "real", 120), ("real", "not_current", 60), ("real", "email", 40),
    ("not_current", "real", 20),
]
# Parents and children with one address: the parent's kind, the child's and what its record fails.
FAMILIES = [
    ("staff", "pupil", "real", 70), ("staff", "pupil", "not_current", 50),
    ("external", "alumni_retired", "real", 40),
]
# July: what librarians correct (records, what was wrong, the columns put right), and what else happens.
CORRECTED = [
    (470, "email", ("email",)),
    (60, "name", ("first_name", "last_name")),
    (110, "affiliation", ("faculty_code", "unit_name")),
    (55, "status", ("type_code",)),
    (9, "undecodable", ("first_name", "last_name")),
    (30, "no date", ("expire_date",)),
    (15, "impossible date", ("expire_date",)),
    (10, "odd state", ("member_state",)),
]
RENEWED, SUSPENDED, RELEASED, DELETED = 230, 45, 15, 38
# fmt: on
# Who the records of an unknown type are: the type is what is wrong with them.
UNMAPPED = {"undergraduate": 70, "external": 20, "staff": 10}


def create(url: URL) -> None:
    """Build the library in an existing empty database, standing at 27 June 2018, 18:00.

    Args:
        url: the database; its encoding must be SQL_ASCII, because the values are of several ages.

    Raises:
        EngagementError: the database has another encoding or holds a library already.
    """
    with _session(url) as session:
        _require_empty(session)
        members, _ = june()
        rng = random.Random(SEED + 1)  # noqa: S311
        session.run("demo/create_library")
        session.run("demo/label_library")
        session.run("demo/stand_at", as_of_at=JUNE)
        for table, columns, rows in _code_tables():
            session.copy(table, columns, rows)
        session.copy("autolib.member", COLUMNS, map(_row, members))
        busy: dict[str, int] = {}
        months = (loans.draw(members, month, JUNE, rng, busy) for month in loans.months(JUNE))
        session.copy("autolib.loan", loans.COLUMNS, chain.from_iterable(months))
        session.run("demo/link_loan")
        session.run("demo/index_loan")


def move_to_july(url: URL) -> None:
    """Move the same live library on to 31 July 2018, 18:00, in one transaction.

    New members enrol, memberships run out by the passing of time, others are renewed, suspended or
    deleted, librarians correct faults, items come back and others are lent.

    Args:
        url: the database that `create` built.

    Raises:
        EngagementError: there is no library, or it does not stand at June; nothing was changed.
    """
    with _session(url) as session:
        _require_june(session)
        members, desk = june()
        rng = random.Random(SEED + 2)  # noqa: S311
        changed, deleted = july_changes(members, rng)
        _change(session, changed, deleted)
        desk.rng.seed(SEED + 3)
        desk.enrols_new = True
        session.copy("autolib.member", COLUMNS, map(_row, people(JULY_PLAN, desk)))
        session.run("demo/return_items", until=JULY)
        busy = {
            out.item_barcode: loans.minutes(out.returned_at) if out.returned_at else loans.NEVER
            for out in session.rows("demo/items_out", at=JUNE)
        }
        gone = {id(member) for member in deleted}
        readers = [member for member in members if id(member) not in gone]
        july = loans.draw(readers, (JUNE, JULY, loans.JULY), JULY, rng, busy)
        session.copy("autolib.loan", loans.COLUMNS, july)
        session.run("demo/move_to", as_of_at=JULY)


def june() -> tuple[list[Member], Desk]:
    """Return the 60,403 members of June and the desk that enrolled them.

    Raises:
        EngagementError: the plan does not add up to 60,403 records and 12,083 real customers.
    """
    planned = sum(map(sum, JUNE_PLAN.values())), sum(counts[0] for counts in JUNE_PLAN.values())
    if planned != (RECORDS, REAL_CUSTOMERS):
        raise EngagementError(
            f"JUNE_PLAN gives {planned[0]:,} records and {planned[1]:,} real customers; "
            f"correct it to {RECORDS:,} and {REAL_CUSTOMERS:,}."
        )
    desk = Desk(SEED)
    return people(JUNE_PLAN, desk), desk


def people(plan: Plan, desk: Desk) -> list[Member]:
    """Return the members of a plan in the order of their registration, spoiled as it says."""
    jobs = [
        (group, fails)
        for group, counts in plan.items()
        for fails, count in zip(OUTCOMES, counts, strict=True)
        for _ in range(count)
    ]
    desk.rng.shuffle(jobs)
    kind, lapse = desk.choice(UNMAPPED), desk.choice(LAPSES)
    members = []
    for group, fails in jobs:
        lapsed = fails == "not_current" or (fails == "undecodable" and desk.below(2) == 0)
        person = kind() if group == "unmapped" else group
        member = desk.enrol(person, fails, lapse() if lapsed else "")
        if group == "unmapped":
            member.spoil(type_code=desk.pick(WORDS["unknown_types"]))
        members.append(member)
    if not desk.enrols_new:
        _relate(members, desk)
    faults = Faults(desk)
    for member in members:
        faults.apply(member)
    return sorted(members, key=lambda member: member.registered)


def _relate(members: Sequence[Member], desk: Desk) -> None:
    """Let staff study (two records, one citizen number), and let families share one address."""
    queues: dict[tuple[str, str], Iterator[Member]] = {}

    def take(kind: str, fails: str, count: int) -> list[Member]:
        if (kind, fails) not in queues:
            wanted = kind, fails, "TH"
            found = [m for m in members if (m.kind, m.fails, m.nationality_code) == wanted]
            queues[kind, fails] = iter(found)
        return [next(queues[kind, fails]) for _ in range(count)]

    for at_work, at_school, count in STUDYING_STAFF:
        for worker, student in zip(
            take("staff", at_work, count), take("graduate", at_school, count), strict=True
        ):
            worker.citizen_no = worker.citizen_no or desk.citizen_no()
            student.citizen_no = worker.citizen_no
            student.first_name, student.last_name = worker.first_name, worker.last_name
            student.prefix_code = 1 if worker.prefix_code == 1 else 2
            if desk.below(2):
                student.email = worker.email
    for parent_kind, child_kind, child_fails, count in FAMILIES:
        for parent, child in zip(
            take(parent_kind, "real", count), take(child_kind, child_fails, count), strict=True
        ):
            child.last_name, child.email = parent.last_name, parent.email


def july_changes(
    members: Sequence[Member], rng: random.Random
) -> tuple[list[Member], list[Member]]:
    """Apply July's changes to the members and return who changed and who is deleted."""
    changed: dict[str, Member] = {}
    shuffled = list(members)
    rng.shuffle(shuffled)

    def affected(count: int, whom: Callable[[Member], bool]) -> list[Member]:
        found = [m for m in shuffled if m.member_id not in changed and whom(m)][:count]
        changed.update((m.member_id, m) for m in found)
        return found

    for count, wrong, columns in CORRECTED:
        for member in affected(count, partial(_is_wrong, wrong)):
            member.mend(*columns)
    for member in affected(
        RENEWED, lambda m: m.lapse == "expired" and m.expires > date(2017, 6, 27)
    ):
        member.expires = date(2019, 7, 31)
        member.expire_date = thai_date(member.expires)
    for member in affected(SUSPENDED, lambda m: m.fails == "real" and m.activity > 0):
        member.member_state = "3"
    for member in affected(RELEASED, lambda m: m.lapse == "suspended"):
        member.mend("member_state")
    kept = list(changed.values())
    deleted = affected(DELETED, lambda m: m.fails in ("name", "undecodable") and not m.activity)
    return kept, deleted


def _is_wrong(what: str, member: Member) -> bool:
    """Say whether this is wrong with the record; the school looks after its pupils' records itself."""
    return what in (member.fails, member.lapse) and member.kind != "pupil"


def _session(url: URL) -> AbstractContextManager[Session]:
    """Open a transaction through which every byte passes as the Latin-1 character of its number."""
    raw = url.update_query_dict({"client_encoding": "latin1"})
    return warehouse.session(raw, name="simulated library")


def _require_empty(session: Session) -> None:
    database = session.rows("demo/database")[0]
    encoding = database.database_encoding
    if encoding != "SQL_ASCII":
        raise EngagementError(
            f"The simulated library needs a database in SQL_ASCII, this one is in {encoding}; "
            "create it with ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0."
        )
    if database.has_library:
        raise EngagementError(
            "The database holds a library already; drop its schema autolib to build it anew."
        )


def _require_june(session: Session) -> None:
    if not session.rows("demo/database")[0].has_library:
        raise EngagementError("The database holds no simulated library; create it first.")
    stands = session.scalar("demo/lock_state").astimezone(JUNE.tzinfo)
    if stands != JUNE:
        raise EngagementError(
            f"The simulated library stands at {stands:%Y-%m-%d}, and only from {JUNE:%Y-%m-%d} can it "
            "be moved to July; create it anew."
        )


def _change(session: Session, changed: Sequence[Member], deleted: Sequence[Member]) -> None:
    """Write the changed records over the old ones and take the deleted ones out.

    Raises:
        EngagementError: a record of June is missing.
    """
    session.run("demo/create_change")
    session.copy("pg_temp.change", COLUMNS, map(_row, changed))
    found = session.run("demo/change_member")
    found += session.run("demo/delete_member", member_ids=[m.member_id for m in deleted])
    if found != len(changed) + len(deleted):
        raise EngagementError(
            "Records of June are missing from the simulated library; create it anew."
        )


def _row(member: Member) -> list[Any]:
    return [_bytes(getattr(member, column)) for column in COLUMNS]


def _bytes(value: Any) -> Any:
    """Return text as its UTF-8 bytes (damaged ones as they are), each as a Latin-1 character."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def _code_tables() -> Iterator[tuple[str, tuple[str, str], list[tuple[Any, str]]]]:
    """Yield table, columns and rows of the tables that explain codes."""
    named = {code: name for code, (name, _) in WORDS["faculties"].items()}
    faculties = named | WORDS["offices"] | WORDS["faculties_without_name"]
    for table, codes in [
        ("patron_type", WORDS["patron_types"]),
        ("prefix", WORDS["prefixes"]),
        ("faculty", faculties),
    ]:
        column = table.removeprefix("patron_")
        rows = [(code, _bytes(name)) for code, name in codes.items()]
        yield f"autolib.{table}", (f"{column}_code", f"{column}_name"), rows
