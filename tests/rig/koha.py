"""A small Koha on the real MariaDB, with the tables that the product reads."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rig.mariadb import MariaDB
from sqlalchemy.engine import URL

_SCHEMA = Path(__file__).with_suffix(".sql")
_numbers = itertools.count(1)

_CATEGORIES = [
    ("TEACHER", "อาจารย์", "S"),
    ("STAFF", "บุคลากรสายสนับสนุน", "S"),
    ("BACHELOR", "นักศึกษาระดับปริญญาตรี", "A"),
    ("MASTER", "นักศึกษาระดับปริญญาโท", "A"),
    ("ALUMNI", "ศิษย์เก่า", "A"),
    ("EXTERNAL", "บุคคลภายนอก", "P"),
    ("PUPIL", "นักเรียนโรงเรียนสาธิต", "C"),
    ("INHOUSE", "ใช้ภายในห้องสมุด", "X"),
]
_BORROWER = {
    "title": "นาย",
    "firstname": "สมชาย",
    "surname": "ใจดี",
    "branchcode": "CENTRAL",
    "categorycode": "BACHELOR",
    "dateexpiry": "2022-05-31",
    "sort1": "คณะวิทยาศาสตร์",
}


class Koha:
    """A library system that a test fills and breaks behind the product's back."""

    def __init__(self, server: MariaDB, name: str) -> None:
        """Make its database, with its categories and one library."""
        self.server = server
        self.name = name
        self.url: URL = server.url(name)
        server.do(f"CREATE DATABASE {name}")
        for table in _SCHEMA.read_text(encoding="utf-8").split(";\n")[:-1]:
            self.do(table)
        self.add("branches", branchcode="CENTRAL", branchname="สำนักหอสมุด")
        for code, description, kind in _CATEGORIES:
            self.add("categories", categorycode=code, description=description, category_type=kind)

    def do(self, statement: str, values: Any = None) -> Any:
        """Run a statement and return its rows."""
        return self.server.do(statement, values, database=self.name)

    def add(self, table: str, **values: Any) -> Any:
        """Add a row and return its key."""
        marks = ", ".join(["%s"] * len(values))
        into = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks}) RETURNING *"  # noqa: S608
        return self.do(into, list(values.values()))[0][0]

    def enrol(self, count: int = 1, **values: Any) -> str:
        """Add `count` borrowers who pass every check, but for what is given; return the last one's number.

        What Koha keeps as a patron attribute is given by its code, in capitals.
        """
        attributes = {code: values.pop(code) for code in list(values) if code.isupper()}
        for _ in range(count):
            own = {"email": f"p{next(_numbers)}@library.example.com"}
            number = self.add("borrowers", **(_BORROWER | own | values))
            for code, attribute in attributes.items():
                self.add(
                    "borrower_attributes", borrowernumber=number, code=code, attribute=attribute
                )
        return str(number)

    def fill(self, count: int) -> None:
        """Add many borrowers at once."""
        self.do(f"""
            INSERT INTO borrowers
                (title, firstname, surname, email, branchcode, categorycode, dateexpiry, sort1)
            SELECT
                'นาย', 'สมชาย', 'ใจดี', CONCAT('p', seq, '@library.example.com'), 'CENTRAL', 'BACHELOR',
                '2022-05-31', 'คณะวิทยาศาสตร์'
            FROM seq_1_to_{count}
        """)  # noqa: S608

    def lend(self, borrower: str | None, when: str, **values: Any) -> str:
        """Add a loan that began at `when` and return its number; one with a returndate is over."""
        loan = {
            "issue_id": next(_numbers),
            "borrowernumber": borrower,
            "itemnumber": self.add("items", barcode=f"B{next(_numbers)}"),
            "issuedate": when,
            "date_due": "2018-12-31 23:59",
            "timestamp": values.get("returndate") or values.get("lastreneweddate") or when,
        }
        table = "old_issues" if "returndate" in values else "issues"
        return str(self.add(table, **(loan | values)))

    def empty(self) -> None:
        """Take out all borrowers, items and loans."""
        for table in ("issues", "old_issues", "items", "borrower_attributes", "borrowers",
                      "deletedborrowers", "authorised_values"):  # fmt: skip
            self.do(f"DELETE FROM {table}")  # noqa: S608


@pytest.fixture(scope="session")
def shared_koha(mariadb: MariaDB) -> Koha:
    """The Koha that tests share which leave its tables as they are."""
    return Koha(mariadb, "koha")


@pytest.fixture
def koha(shared_koha: Koha) -> Iterator[Koha]:
    """A Koha with nobody in it, whose tables a test leaves as they are."""
    yield shared_koha
    shared_koha.empty()


@pytest.fixture
def own_koha(mariadb: MariaDB) -> Koha:
    """A Koha with nobody in it, whose tables a test may spoil."""
    return Koha(mariadb, f"koha_{next(_numbers)}")
