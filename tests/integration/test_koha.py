"""Koha on a real MariaDB: who is read from it, which loans, and what is said when it cannot be read."""

import gc
from contextlib import closing
from datetime import datetime
from typing import Any

import psutil
import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from engagement import warehouse
from engagement.database_error import telling
from engagement.errors import EngagementError
from engagement.model import reading, source as sources
from engagement.model.check import check
from engagement.model.extract import extract
from engagement.model.loans import extract as read_loans
from engagement.model.publish import publish
from engagement.monitor.figures import PatronFigures, require
from engagement.period import Period
from engagement.settings import settings

pytest_plugins = ("rig.mariadb", "rig.koha")

JUNE = Period(2018, 6)
MAY_1, JUNE_1, JULY_1, AUGUST_1 = "2018-05-01", "2018-06-01", "2018-07-01", "2018-08-01"
FOREVER = "9999-12-31"
SESAME = "open"


def opened(koha: Any, shard: int = 0, shards: int = 1) -> Any:
    """Open Koha as the product does when it reads the patrons of June 2018."""
    return reading.opened(sources.load("koha"), koha.url, JUNE, shard, shards)


def read(koha: Any, shard: int = 0, shards: int = 1) -> dict[str, list[str | None]]:
    """Return what the product reads of all borrowers: field -> values."""
    found: dict[str, list[str | None]] = {}
    with opened(koha, shard, shards) as library:
        assert library.columns  # asks that each column of the YAML is there once
        count = library.count()
        for records in library.chunks(2):
            for field, values in records.fields.items():
                found.setdefault(field, []).extend(values)
    assert count == len(found.get("source_id", []))
    return found


def only(koha: Any, field: str) -> str | None:
    """Return the only borrower's value; of several columns that are filled the first, which counts."""
    (value,) = read(koha)[field]
    return value[0] if isinstance(value, tuple) else value


# Patrons


def test_a_borrower_is_read_as_koha_holds_it(koha: Any) -> None:
    number = koha.enrol(
        title="นางสาว", firstname="สำรวย", surname="แก้วใส", email="samruay@library.example.com",
        categorycode="MASTER", dateexpiry="2020-02-29",
        AFFIL="คณะแพทยศาสตร์", NATION="LA", CITIZEN="1409900000001",
    )  # fmt: skip
    assert read(koha) == {
        "source_id": [number],
        "prefix": ["นางสาว"],
        "given_name": ["สำรวย"],
        "family_name": ["แก้วใส"],
        "patron_type": ["MASTER"],
        "affiliation": [("คณะแพทยศาสตร์", "คณะวิทยาศาสตร์")],
        "nationality": ["LA"],
        "citizen_id": ["1409900000001"],
        "email": ["samruay@library.example.com"],
        "membership": ["active"],
        "expiry": ["2020-02-29"],
    }


def test_every_letter_arrives_as_it_was_written(koha: Any) -> None:
    koha.enrol(firstname="สมชาย 😀", surname="ส\u0e4d\u0e32รวย")
    assert read(koha)["given_name"] == ["สมชาย 😀"]
    assert read(koha)["family_name"] == ["ส\u0e4d\u0e32รวย"]


@pytest.mark.parametrize(
    ("values", "affiliation"),
    [
        ({"AFFIL": "คณะนิติศาสตร์"}, "คณะนิติศาสตร์"),
        ({"AFFIL": " "}, "คณะวิทยาศาสตร์"),
        ({}, "คณะวิทยาศาสตร์"),
        ({"sort1": "ENG"}, "คณะวิศวกรรมศาสตร์"),
        ({"sort1": None}, None),
        ({"sort1": None, "sort2": "คณะเกษตรศาสตร์"}, None),
    ],
    ids=["attribute", "empty attribute", "statistic", "code of a statistic", "nothing", "other"],
)
def test_the_affiliation_is_the_attribute_else_statistic_1_and_never_the_library(
    koha: Any, values: dict[str, Any], affiliation: str | None
) -> None:
    for category, meaning in (("Bsort1", "คณะวิศวกรรมศาสตร์"), ("Bsort2", "ปีที่ 1")):
        koha.add("authorised_values", category=category, authorised_value="ENG", lib=meaning)
    koha.enrol(**values)
    assert only(koha, "affiliation") == affiliation


@pytest.mark.parametrize("column", ["sort2", "branchname"])
def test_a_library_may_name_another_column_for_the_affiliation(
    koha: Any, world: pytest.MonkeyPatch, column: str
) -> None:
    shipped = sources.load("koha")
    assert shipped.database is not None
    named = sources.Database(columns={**shipped.database.columns, "affiliation": (column,)})
    world.setattr(sources, "load", lambda _: shipped.model_copy(update={"database": named}))
    koha.enrol(sort2="สำนักหอสมุด")
    assert only(koha, "affiliation") == "สำนักหอสมุด"


@pytest.mark.parametrize(
    ("values", "email"),
    [
        ({"email": "a@x.example", "emailpro": "b@x.example", "B_email": "c@x.example"}, "a@x.example"),
        ({"email": "", "emailpro": "b@x.example", "B_email": "c@x.example"}, "b@x.example"),
        ({"email": None, "emailpro": None, "B_email": "c@x.example"}, "c@x.example"),
        ({"email": None}, None),
    ],
    ids=["primary", "secondary", "alternate", "none"],
)  # fmt: skip
def test_the_address_is_the_first_that_koha_would_write_to(
    koha: Any, values: dict[str, Any], email: str | None
) -> None:
    koha.enrol(**values)
    assert only(koha, "email") == email


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "active"),
        ({"lost": 0, "gonenoaddress": 0}, "active"),
        ({"debarred": FOREVER}, "debarred"),
        ({"debarred": "2018-01-01"}, "active"),
        ({"lost": 1}, "lost"),
        ({"gonenoaddress": 1}, "gone"),
        ({"lost": 1, "debarred": FOREVER}, "debarred"),
        ({"categorycode": "INHOUSE"}, "statistical"),
        ({"categorycode": "PUPIL"}, "active"),
        ({"dateexpiry": "2018-05-31"}, "active"),  # the date speaks for itself
    ],
)
def test_the_state_of_a_membership_is_one_plain_word_that_the_yaml_knows(
    koha: Any, values: dict[str, Any], state: str
) -> None:
    koha.enrol(**values)
    assert only(koha, "membership") == state
    meaning = sources.load("koha").membership
    assert state in (meaning.active if state == "active" else meaning.suspended)


def test_a_debarment_that_ends_today_is_over_as_it_is_in_koha(koha: Any) -> None:
    koha.enrol(debarred=koha.do("SELECT CURRENT_DATE")[0][0])
    assert only(koha, "membership") == "active"


def test_an_expiry_that_is_missing_or_no_day_is_told_apart(koha: Any) -> None:
    koha.enrol(dateexpiry=None)
    koha.enrol(dateexpiry="0000-00-00")
    assert read(koha)["expiry"] == [None, "0000-00-00"]


def test_who_was_deleted_is_not_read(koha: Any) -> None:
    stays, gone = koha.enrol(), koha.enrol()
    koha.do(
        "INSERT INTO deletedborrowers SELECT * FROM borrowers WHERE borrowernumber = %s", [gone]
    )
    koha.do("DELETE FROM borrowers WHERE borrowernumber = %s", [gone])
    assert read(koha)["source_id"] == [stays]


def test_an_attribute_or_a_meaning_that_stands_twice_makes_no_second_borrower(koha: Any) -> None:
    number = koha.enrol(AFFIL="คณะนิติศาสตร์", sort1="ENG")
    koha.add("borrower_attributes", borrowernumber=number, code="AFFIL", attribute="คณะแพทยศาสตร์")
    for meaning in ("คณะวิศวกรรมศาสตร์", "วิศวะ"):
        koha.add("authorised_values", category="Bsort1", authorised_value="ENG", lib=meaning)
    assert only(koha, "affiliation") == "คณะนิติศาสตร์"


def test_the_shards_together_give_every_borrower_once(koha: Any) -> None:
    koha.enrol(10)
    parts = [read(koha, shard, 3)["source_id"] for shard in range(3)]
    assert [len(part) for part in parts] != [10, 0, 0]
    assert sorted(number for part in parts for number in part) == sorted(read(koha)["source_id"])


@pytest.mark.parametrize(
    ("category", "nationality", "group"),
    [
        ("TEACHER", None, "staff"), ("STAFF", "LA", "staff"),
        ("BACHELOR", "TH", "undergraduate"), ("BACHELOR", None, "undergraduate"),
        ("MASTER", "TH", "graduate"), ("MASTER", "LA", "international"),
        ("ALUMNI", None, "alumni_retired"), ("EXTERNAL", None, "external"),
        ("PUPIL", None, "pupil"), ("INHOUSE", None, None),
    ],
)  # fmt: skip
def test_a_category_belongs_to_one_of_the_seven_groups(
    category: str, nationality: str | None, group: str | None
) -> None:
    assert sources.load("koha").group(category, nationality) == group


# Loans


def loans(koha: Any, since: str, until: str) -> dict[str, Any]:
    """Return the loans that a reading from `since` until before `until` gives, by their number."""
    span = {"since": datetime.fromisoformat(since), "until": datetime.fromisoformat(until)}
    with warehouse.session(koha.url, name="Koha") as session:
        rows = [row for part in session.chunks("sources/koha/loan", 2, **span) for row in part]
    assert len({row.loan_id for row in rows}) == len(rows)
    return {row.loan_id: row for row in rows}


def test_a_loan_is_read_with_who_what_and_when(koha: Any) -> None:
    borrower = koha.enrol()
    out = koha.lend(borrower, "2018-06-04 09:30")
    back = koha.lend(borrower, "2018-06-04 09:31", returndate="2018-06-20 16:00")
    found = loans(koha, JUNE_1, JULY_1)
    items = {loan: str(item) for loan, item in (
        *koha.do("SELECT CAST(issue_id AS CHAR), itemnumber FROM issues"),
        *koha.do("SELECT CAST(issue_id AS CHAR), itemnumber FROM old_issues"),
    )}  # fmt: skip
    due = datetime.fromisoformat("2018-12-31 23:59")
    assert {loan: tuple(row) for loan, row in found.items()} == {
        out: (out, borrower, items[out], datetime.fromisoformat("2018-06-04 09:30"), due, None),
        back: (
            back, borrower, items[back], datetime.fromisoformat("2018-06-04 09:31"), due,
            datetime.fromisoformat("2018-06-20 16:00"),
        ),
    }  # fmt: skip


def test_a_month_has_the_loans_of_which_something_happened_in_it(koha: Any) -> None:
    borrower = koha.enrol()
    expected = {
        koha.lend(borrower, JUNE_1),
        koha.lend(borrower, "2018-06-30 23:59:59"),
        koha.lend(borrower, "2018-05-20", lastreneweddate=JUNE_1, timestamp=JULY_1),
        koha.lend(borrower, "2018-05-20", returndate=JUNE_1, timestamp=JULY_1),
        koha.lend(borrower, "2018-06-10", returndate=JULY_1),
    }
    koha.lend(borrower, JULY_1)
    koha.lend(borrower, "2018-05-20")
    koha.lend(borrower, "2018-05-20", lastreneweddate=JULY_1)
    koha.lend(borrower, "2018-04-20", returndate="2018-05-31 23:59:59")
    assert loans(koha, JUNE_1, JULY_1).keys() == expected


def test_months_in_a_row_leave_no_loan_out_and_spans_that_overlap_agree(koha: Any) -> None:
    borrower = koha.enrol()
    lent = {koha.lend(borrower, f"2018-{month}-{day}") for month in (5, 6) for day in (1, 15, 30)}
    may, june = loans(koha, MAY_1, JUNE_1), loans(koha, JUNE_1, JULY_1)
    assert may.keys() | june.keys() == lent
    assert not may.keys() & june.keys()
    assert loans(koha, "2018-05-10", JULY_1).items() >= june.items()


def test_a_return_that_is_dated_back_comes_with_the_month_that_recorded_it(koha: Any) -> None:
    """What lay in the book drop overnight is recorded in the morning, as returned the day before."""
    dropped = koha.lend(
        koha.enrol(), "2018-05-20", returndate="2018-06-30 20:00", timestamp="2018-07-01 08:00"
    )
    found = loans(koha, JULY_1, AUGUST_1)
    assert found[dropped].returned_at == datetime.fromisoformat("2018-06-30 20:00")


def test_loans_that_were_made_anonymous_are_read_and_belong_to_nobody(koha: Any) -> None:
    borrower, nobody = koha.enrol(), koha.enrol(categorycode="INHOUSE")
    anonymous = [
        koha.lend(None, "2018-06-04", returndate="2018-06-05"),
        koha.lend(nobody, "2018-06-04", returndate="2018-06-05"),
        koha.lend(borrower, "2018-06-04", returndate="2018-06-05"),
    ]
    koha.do("DELETE FROM borrowers WHERE borrowernumber = %s", [borrower])
    found = loans(koha, JUNE_1, JULY_1)
    assert {loan: row.source_id for loan, row in found.items()} == dict.fromkeys(anonymous)


# From Koha to published figures


@pytest.fixture
def ready(clock: Any, store: Any, world: pytest.MonkeyPatch) -> None:
    """A warehouse whose library system is Koha, on 1 July 2018."""
    world.setenv("ENGAGEMENT_SOURCE", "koha")
    settings.cache_clear()


def run(koha: Any) -> PatronFigures:
    """Run the steps of the model over June 2018 and return what they published."""
    extract(JUNE, koha.url)
    check(JUNE)
    publish(JUNE)
    with warehouse.session() as session:
        return require(session, JUNE)


@pytest.mark.usefixtures("ready")
def test_every_borrower_is_a_real_customer_or_rejected_with_the_reasons(koha: Any) -> None:
    koha.enrol(30)
    koha.enrol(2, debarred=FOREVER)
    koha.enrol(1, lost=1, email=None)
    koha.enrol(3, dateexpiry="2018-05-31")
    koha.enrol(1, dateexpiry=None)
    koha.enrol(1, categorycode="INHOUSE", firstname=None, surname="Statistical", email=None)
    koha.enrol(2, email=None)
    koha.enrol(1, firstname="", surname="ไม่ระบุ")
    koha.enrol(1, sort1="-")
    found = run(koha)
    assert (found.extracted, found.current, found.real_customers) == (42, 34, 30)
    first_reasons = {reason: n for reason, n in found.rejected_by_first_reason.items() if n}
    assert first_reasons == {"not_current": 8, "name": 1, "affiliation": 1, "email": 2}


@pytest.mark.usefixtures("ready")
def test_real_customers_stand_in_their_groups_and_staff_who_study_are_one_person(koha: Any) -> None:
    koha.enrol(categorycode="STAFF", firstname="สุดา", email="suda@library.example.com")
    koha.enrol(categorycode="MASTER", firstname="สุดา", email="Suda@Library.Example.com")
    koha.enrol(2, categorycode="PUPIL", CITIZEN="1409900000001")
    koha.enrol(categorycode="MASTER", firstname="Aung", surname=None, NATION="MM")
    koha.enrol(categorycode="STAFF", title="พระ", firstname="สุธรรม", surname=None)
    koha.enrol(3)
    found = run(koha)
    assert {group: counts.real_customers for group, counts in found.by_group.items()} == {
        "staff": 2, "graduate": 1, "pupil": 2, "international": 1, "undergraduate": 3,
        "alumni_retired": 0, "external": 0, "unmapped": 0,
    }  # fmt: skip
    assert (found.real_customers, found.real_persons) == (9, 7)


@pytest.mark.usefixtures("ready")
def test_koha_read_in_shards_gives_what_it_gives_at_once(koha: Any) -> None:
    koha.enrol(7)
    koha.enrol(2, email=None)
    for shard in (2, 0, 1):
        extract(JUNE, koha.url, shard, 3)
    found = run(koha)
    assert (found.extracted, found.real_customers) == (9, 7)


def month(store: Any, period: Period) -> tuple[int, int, int]:
    """Return how many loans began in a month, how many are nobody's, and how many patrons borrowed."""
    return store.do(
        "SELECT loan_count, anonymous_count, borrower_count FROM mart.loan_month WHERE period = %s",
        [str(period)],
    )[0]


@pytest.mark.usefixtures("ready")
def test_loans_are_counted_in_the_month_of_the_library_in_which_they_began(
    koha: Any, store: Any
) -> None:
    first, second = koha.enrol(), koha.enrol()
    koha.lend(first, JUNE_1)
    koha.lend(first, "2018-06-30 23:59:59")
    koha.lend(second, "2018-06-04", lastreneweddate="2018-06-11")
    koha.lend(None, "2018-06-04", returndate="2018-06-05")
    koha.lend(second, "2018-05-31 23:59:59")
    koha.lend(second, JULY_1)
    found = read_loans(JUNE, koha.url)
    assert month(store, JUNE) == (4, 1, 2)
    assert found["new_count"] == 5  # the one of May came with the week before June
    assert read_loans(JUNE, koha.url)["new_count"] == 0
    assert month(store, JUNE) == (4, 1, 2)


@pytest.mark.usefixtures("ready")
def test_a_loan_that_comes_back_and_is_made_anonymous_later_is_both_in_the_warehouse(
    clock: Any, koha: Any, store: Any
) -> None:
    number = koha.lend(koha.enrol(), "2018-06-04")
    read_loans(JUNE, koha.url)
    koha.do("INSERT INTO old_issues SELECT * FROM issues")
    koha.do("DELETE FROM issues")
    koha.do(
        "UPDATE old_issues SET borrowernumber = NULL, returndate = '2018-06-30 20:00', "
        "timestamp = '2018-07-20 03:00'"
    )
    clock.at(2018, 8, 1)
    read_loans(Period(2018, 7), koha.url)
    assert store.do("SELECT loan_id, patron_key, returned_at FROM core.loan") == [
        (number, None, datetime.fromisoformat("2018-06-30 20:00+07:00"))
    ]


@pytest.mark.usefixtures("ready")
def test_a_loan_of_which_koha_does_not_know_when_it_began_is_counted_as_unusable(
    koha: Any, store: Any
) -> None:
    koha.lend(koha.enrol(), "2018-06-04", issuedate=None)
    assert read_loans(JUNE, koha.url)["unusable_count"] == 1
    assert store.value("SELECT count(*) FROM core.loan") == 0


@pytest.fixture(params=["", "TRADITIONAL", "ALLOW_INVALID_DATES"])
def lenient_or_strict(koha: Any, request: pytest.FixtureRequest) -> URL:
    """Where Koha is, for a reading in each of the ways in which MariaDB takes dates that are none."""
    return koha.url.update_query_dict({"init_command": f"SET sql_mode = '{request.param}'"})


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("none", ["0000-00-00 00:00:00", "2018-06-00 00:00:00", "0018-06-04 09:30"])
def test_dates_of_koha_that_are_none_stop_no_month_and_count_as_missing(
    koha: Any, store: Any, lenient_or_strict: URL, none: str
) -> None:
    borrower = koha.enrol()
    koha.lend(borrower, "2018-06-04", issuedate=none)
    never_due = koha.lend(borrower, "2018-06-04", date_due=none)
    out = koha.lend(borrower, "2018-06-04", returndate=none, timestamp="2018-06-04")
    whole = koha.lend(borrower, "2018-06-04", returndate="2018-06-20 16:00")
    found = read_loans(JUNE, lenient_or_strict)
    assert (found["read_count"], found["new_count"], found["unusable_count"]) == (4, 3, 1)
    assert store.do(
        "SELECT loan_id, due_at IS NULL, returned_at IS NULL FROM core.loan ORDER BY loan_id::int"
    ) == [(never_due, True, True), (out, False, True), (whole, False, False)]
    assert month(store, JUNE) == (3, 0, 1)


# One instant, and bounded memory


def test_count_and_rows_are_of_one_instant_whatever_happens_at_the_desk(koha: Any) -> None:
    leaver = koha.enrol(5)
    committed = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"  # as a server may have it
    url = koha.url.update_query_dict({"init_command": committed})
    with reading.opened(sources.load("koha"), url, JUNE) as library:
        assert library.count() == 5
        koha.enrol(3)
        koha.do("UPDATE borrowers SET surname = 'เปลี่ยนแล้ว'")
        koha.do("DELETE FROM borrowers WHERE borrowernumber = %s", [leaver])
        names = [name for part in library.chunks(2) for name in part.fields["family_name"]]
    assert names == ["ใจดี"] * 5
    assert read(koha)["family_name"] == ["เปลี่ยนแล้ว"] * 7


def test_a_reading_cannot_change_koha(koha: Any) -> None:
    koha.enrol()
    with (
        reading.connected(sources.load("koha"), koha.url) as session,
        pytest.raises(sa.exc.OperationalError, match="READ ONLY"),
    ):
        session.connection.execute(sa.text("DELETE FROM borrowers"))
    assert koha.do("SELECT COUNT(*) FROM borrowers") == ((1,),)


def test_300000_borrowers_pass_through_bounded_memory(koha: Any) -> None:
    koha.fill(300_000)
    process = psutil.Process()
    with opened(koha) as library:
        before, seen, growth = process.memory_info().rss, 0, 0
        for records in library.chunks(20_000):
            seen += len(records)
            growth = max(growth, process.memory_info().rss - before)
    assert seen == 300_000
    assert growth < 100 * 2**20  # all at once they take about 400 MiB


# What is said


def read_through(url: URL) -> None:
    with reading.opened(sources.load("koha"), url, JUNE) as library:
        assert library.columns
        library.count()
        list(library.chunks(100))


def refusal(url: URL) -> str:
    """Return the sentence that reading the patrons ends in; nothing of the driver's may hang on it."""
    with pytest.raises(EngagementError) as caught:
        read_through(url)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return str(caught.value)


def connections(koha: Any) -> list[int]:
    """Return the numbers of the connections to this Koha that are not the test's own."""
    return [
        number
        for (number,) in koha.server.do(
            "SELECT id FROM information_schema.processlist WHERE db = %s", [koha.name]
        )
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"query": {"unix_socket": "/nowhere/mariadb.sock"}},
        {"query": {}, "host": "127.0.0.1", "port": 1},
        {"query": {}, "host": "koha.invalid"},
    ],
    ids=["no socket", "no port", "no host"],
)
def test_a_server_that_is_down_is_named_with_what_to_do(koha: Any, change: dict[str, Any]) -> None:
    assert refusal(koha.url.set(**change)) == (
        "Connecting failed in the Koha: it does not answer; see that it runs and is reachable."
    )


@pytest.mark.parametrize("login", ["BY 'closed'", "VIA unix_socket"])
def test_a_wrong_login_is_told_from_a_server_that_is_down(koha: Any, login: str) -> None:
    koha.do(f"CREATE OR REPLACE USER reader@localhost IDENTIFIED {login}")
    assert refusal(koha.url.set(username="reader", password=SESAME)) == (
        "Connecting failed in the Koha: it refuses the login; correct user and password of the "
        "connection."
    )


def test_a_wrong_name_of_the_database_is_told(koha: Any) -> None:
    assert refusal(koha.url.set(database="kohadb")) == (
        "Connecting failed in the Koha: its server has no such database; correct the name in the "
        "connection."
    )


@pytest.mark.parametrize(
    "right", ["USAGE ON *.*", "SELECT ON categories", "SELECT (borrowernumber) ON borrowers"]
)
def test_a_user_without_the_rights_is_told_to_have_them_granted(koha: Any, right: str) -> None:
    koha.do(f"CREATE OR REPLACE USER reader@localhost IDENTIFIED BY '{SESAME}'")
    koha.do(f"GRANT {right} TO reader@localhost")
    said = refusal(koha.url.set(username="reader", password=SESAME))
    assert "the user of the connection lacks a right" in said
    assert "have it granted" in said
    assert "has no longer" not in said


def test_select_on_the_seven_tables_is_all_that_the_user_needs(koha: Any) -> None:
    koha.do(f"CREATE OR REPLACE USER engagement@localhost IDENTIFIED BY '{SESAME}'")
    for table in (
        "borrowers", "categories", "branches", "borrower_attributes", "authorised_values",
        "issues", "old_issues",
    ):  # fmt: skip
        koha.do(f"GRANT SELECT ON {table} TO engagement@localhost")
    borrower = koha.enrol()
    koha.lend(borrower, JUNE_1)
    url = koha.url.set(username="engagement", password=SESAME)
    read_through(url)
    with warehouse.session(url, name="Koha") as session:
        span = {"since": datetime.fromisoformat(JUNE_1), "until": datetime.fromisoformat(JULY_1)}
        assert len(session.rows("sources/koha/loan", **span)) == 1


@pytest.mark.parametrize(
    ("spoil", "missing"),
    [
        (["DROP TABLE borrower_attributes"], "borrower_attributes' doesn't exist"),
        (["ALTER TABLE borrowers DROP COLUMN sort1"], "Unknown column 'b.sort1'"),
        (
            [
                "RENAME TABLE authorised_values TO lists",
                "CREATE VIEW authorised_values AS SELECT * FROM lists",
                "DROP TABLE lists",
            ],
            "error 1356",
        ),
    ],
    ids=["table", "column", "table of a view"],
)
def test_a_table_or_column_that_is_gone_is_named_with_the_query_to_adapt(
    own_koha: Any, spoil: list[str], missing: str
) -> None:
    own_koha.enrol()
    for statement in spoil:
        own_koha.do(statement)
    said = refusal(own_koha.url)
    assert said.startswith(
        "Koha has no longer the columns that include/sql/sources/koha/ asks for; adapt the query"
    )
    assert missing in said


def test_a_query_that_was_adapted_wrongly_is_told(koha: Any, world: pytest.MonkeyPatch) -> None:
    shipped = warehouse.statement
    world.setattr(warehouse, "statement", lambda name: shipped(name).replace("SELECT", "SELEC"))
    said = refusal(koha.url)
    assert "sources/koha/patron" in said
    assert said.endswith("SQLSTATE 42601, error 1064.")


def test_a_database_that_is_no_koha_is_told(mariadb: Any) -> None:
    mariadb.do("CREATE DATABASE IF NOT EXISTS website")
    assert "has no longer the columns" in refusal(mariadb.url("website"))


ENDED = "the server ended the connection; see that it runs, then start again."
HELD_UP = "others held it up for too long; start again when less goes on there."


@pytest.mark.parametrize(("kill", "told"), [("KILL", ENDED), ("KILL QUERY", HELD_UP)])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_reading_that_is_killed_on_the_way_ends_in_a_sentence(
    koha: Any, kill: str, told: str
) -> None:
    koha.fill(20_000)  # more than a socket holds

    def read_until_killed() -> None:
        with opened(koha) as library:
            for _ in library.chunks(100):
                for number in connections(koha):
                    koha.do(f"{kill} {number}")

    with pytest.raises(EngagementError) as caught:
        read_until_killed()
    said = str(caught.value)
    del caught
    gc.collect()  # here, not in a later test, the driver may stumble over what it can read no more
    assert said == f"Query sources/koha/patron failed in the Koha: {told}"


def test_a_lock_that_somebody_holds_for_too_long_ends_in_a_sentence(koha: Any) -> None:
    url = koha.url.update_query_dict({"init_command": "SET lock_wait_timeout = 1"})
    with closing(koha.server.connect(koha.name)) as upgrade, upgrade.cursor() as cursor:
        cursor.execute("LOCK TABLES borrowers WRITE")
        assert refusal(url).endswith(HELD_UP)


def test_a_query_that_the_server_gives_no_more_time_ends_in_a_sentence(koha: Any) -> None:
    koha.fill(20_000)
    url = koha.url.update_query_dict({"init_command": "SET max_statement_time = 0.001"})
    assert refusal(url).endswith(HELD_UP)


def test_no_value_of_a_patron_gets_into_a_sentence(koha: Any) -> None:
    koha.enrol(cardnumber="1409900000001")
    insert = "INSERT INTO borrowers (cardnumber, branchcode, categorycode) VALUES ({}, 'CENTRAL', 'STAFF')"
    with pytest.raises(pymysql.IntegrityError, match="1409900000001"):
        koha.do(insert.format("%s"), ["1409900000001"])
    with (
        warehouse.session(koha.url, name="Koha") as session,
        pytest.raises(EngagementError) as caught,
        telling("Loading", "Koha"),
    ):
        session.connection.execute(sa.text(insert.format(":card")), {"card": "1409900000001"})
    assert str(caught.value) == "Loading failed in the Koha: SQLSTATE HY000, error 1062."
