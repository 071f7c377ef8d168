"""A library system is read as its YAML says: its states, its encodings, its past, its login."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from months import JULY, JUNE, described, refusal, run
from sqlalchemy.engine import URL

from engagement import embedded, warehouse
from engagement.errors import EngagementError
from engagement.model import source as sources
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish
from engagement.monitor.figures import require

pytestmark = pytest.mark.usefixtures("clock", "store")

# What the source's YAML decides


def test_the_yaml_says_which_of_state_and_expiry_wins_and_the_choice_is_counted(
    library: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    library.enrol(3, expire_date="31/05/2550")
    library.enrol(2, expire_date=None)
    assert run(JUNE, library) == 40
    counted = "SELECT notice_code, record_count FROM mart.patron_notice WHERE record_count > 0"
    assert dict(store.do(counted)) == {"past_expiry": 3, "no_expiry": 2}
    membership = {
        "active": ["1"],
        "contradiction": {"past_expiry": "state", "no_expiry": "state"},
    }
    described(world, tmp_path, membership=membership)
    extract(JUNE, library.source, reread=Reread("the state wins now", "anna"))
    check(JUNE)
    assert publish(JUNE) == 45
    assert dict(store.do(counted)) == {"past_expiry": 3, "no_expiry": 2}


def test_a_system_without_affiliations_gives_an_honest_nothing_and_another_column_can_be_named(
    library: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    shipped = sources.load("autolib").database.columns
    columns = {field: list(names) for field, names in shipped.items() if field != "affiliation"}
    described(world, tmp_path, database={"columns": columns, "driver_encoding": "latin-1"})
    assert run(JUNE, library) == 0
    assert store.do("SELECT reason_code, record_count FROM mart.patron_rejection") == [
        ("affiliation", 40)
    ]
    named = columns | {"affiliation": "nationality_code"}
    described(world, tmp_path, database={"columns": named, "driver_encoding": "latin-1"})
    extract(JUNE, library.source, reread=Reread("another column", "anna"))
    check(JUNE)
    assert publish(JUNE) == 40


def test_a_column_that_the_query_does_not_give_is_named(
    library: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    columns = dict(sources.load("autolib").database.columns) | {"email": ["mail_box"]}
    described(world, tmp_path, database={"columns": columns, "driver_encoding": "latin-1"})
    assert "autolib.yaml takes email from the column mail_box" in refusal(JUNE, library)


def test_a_source_names_the_encodings_that_its_bytes_are_read_in(
    world: pytest.MonkeyPatch, tmp_path: Path
):
    described(world, tmp_path, encodings=[])
    with pytest.raises(EngagementError, match=r"encodings: .*name at least one, such as utf-8"):
        sources.load("autolib")


# A library that can say how a past month was


@pytest.fixture
def remembering(
    library: Any, world: pytest.MonkeyPatch, tmp_path: Path, queries: Callable[..., None]
) -> Any:
    """AutoLib with the time for which each of its member records held."""
    library.do(
        "ALTER TABLE autolib.member ADD valid_from timestamptz NOT NULL DEFAULT '2010-01-01', "
        "ADD valid_until timestamptz"
    )
    queries(
        "= :shard",
        "= :shard AND m.valid_from <= :as_of_at "
        "AND (m.valid_until IS NULL OR m.valid_until > :as_of_at)",
    )
    described(world, tmp_path, history=True, as_of="now")
    library.do(
        "UPDATE autolib.member SET valid_until = '2018-06-30 23:59:59.5+07' WHERE member_no <= 4"
    )
    library.enrol(9)
    library.do("UPDATE autolib.member SET valid_from = '2018-07-01 00:00+07' WHERE member_no > 40")
    return library


def test_a_month_that_is_long_past_gives_what_held_then(remembering: Any, store: Any, clock: Any):
    clock.at(2018, 12, 24)
    assert run(JULY, remembering) == 45
    assert run(JUNE, remembering) == 40
    told = store.do(
        "SELECT period, as_of_at, as_of_date::text FROM ops.extract ORDER BY extract_id"
    )
    assert told == [
        ("2018-07", datetime.fromisoformat("2018-07-31T23:59:59+07:00"), "2018-07-31"),
        ("2018-06", datetime.fromisoformat("2018-06-30T23:59:59+07:00"), "2018-06-30"),
    ]
    with warehouse.session() as session:
        assert require(session, JUNE).as_of_date.isoformat() == "2018-06-30"


def test_a_past_month_is_read_again_and_gives_what_was_corrected_of_it(
    remembering: Any, store: Any, clock: Any
):
    clock.at(2018, 12, 24)
    assert (run(JUNE, remembering), run(JULY, remembering)) == (40, 45)
    remembering.do("UPDATE autolib.member SET valid_from = '2018-06-15' WHERE member_no > 47")
    order = Reread("two who came in June were recorded late", "anna")
    assert extract(JUNE, remembering.source, reread=order) == 3
    check(JUNE)
    assert publish(JUNE) == 42
    assert store.do("SELECT period, real_customer_count FROM mart.patron_funnel ORDER BY period") == [
        ("2018-06", 42), ("2018-07", 45),
    ]  # fmt: skip


def test_a_copy_of_a_library_with_a_history_says_nothing_of_what_came_after_it(
    remembering: Any, world: pytest.MonkeyPatch, tmp_path: Path, clock: Any, store: Any
):
    described(world, tmp_path, history=True, as_of="source")
    clock.at(2018, 12, 24)
    assert run(JUNE, remembering) == 40
    assert store.value("SELECT as_of_date::text FROM ops.extract") == "2018-06-27"
    assert "stands at 2018-06-27, which says nothing about 2018-07" in refusal(JULY, remembering)


@pytest.mark.parametrize("spoilt", ["patron", "patron_count"])
def test_a_history_that_a_query_does_not_ask_for_is_refused(
    remembering: Any, spoilt: str, queries: Callable[..., None]
):
    queries(":as_of_at", "now()", spoilt)
    assert refusal(JUNE, remembering).startswith(
        "autolib.yaml says history: true, but include/sql/sources/autolib/"
        f"{spoilt}.sql does not ask for :as_of_at"
    )


def test_a_query_that_asks_of_when_belongs_to_a_source_with_a_history(
    remembering: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    described(world, tmp_path, history=False)
    assert "says history: false, but include/sql/sources/autolib/patron.sql asks for" in refusal(
        JUNE, remembering
    )


def test_an_export_has_no_history(world: pytest.MonkeyPatch, tmp_path: Path):
    described(world, tmp_path, history=True)
    with pytest.raises(
        EngagementError, match="history: true, but an export holds only the present"
    ):
        extract(JUNE, URL.create("file", database=str(tmp_path / "patrons.csv")))


# The encoding of the library's database


@pytest.mark.parametrize("told", [{}, {"client_encoding": "SQL_ASCII"}], ids=["nothing", "none"])
def test_a_database_without_an_encoding_needs_no_word_about_it_in_its_connection(
    told: dict[str, str], library: Any, store: Any
):
    library.do(
        r"UPDATE autolib.member SET first_name = E'\xca\xc1\xaa\xd2\xc2' WHERE member_no = 1"
    )
    plain = library.url.difference_update_query(["client_encoding"]).update_query_dict(told)
    assert extract(JUNE, plain) == 1
    assert store.do("SELECT given_name, count(*) FROM stage.patron GROUP BY 1") == [("สมชาย", 40)]


def test_a_database_without_an_encoding_whose_yaml_does_not_say_so_ends_in_a_sentence(
    library: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    columns = dict(sources.load("autolib").database.columns)
    described(world, tmp_path, database={"columns": columns})
    plain = library.url.difference_update_query(["client_encoding"])
    library.do(r"UPDATE autolib.member SET first_name = E'\xca\xc1\xaa' WHERE member_no = 1")
    with pytest.raises(EngagementError, match=r"set driver_encoding: latin-1 in autolib\.yaml"):
        extract(JUNE, plain)


def test_a_database_with_an_encoding_is_not_taken_for_one_without(store: Any, library: Any):
    made = embedded.database("library_in_utf8")
    try:
        with warehouse.session(made) as session:
            session.run("demo/create_library")
        other = type(library)(made)
        other.stand_at(2018, 6, 27)
        other.enrol(1, faculty_code=None)
        with pytest.raises(
            EngagementError, match="has an encoding and does not carry text as bytes"
        ):
            extract(JUNE, made)
    finally:
        warehouse.drop_database(made)


# What the library's database gives


def test_a_date_beyond_the_calendar_is_not_taken_for_a_server_that_is_down(library: Any):
    library.do("UPDATE autolib.data_state SET as_of_at = 'infinity'")
    assert refusal(JUNE, library).endswith(
        "in the Walai AutoLib: it gives a value that Python cannot hold, as a date beyond the year 9999; correct "
        "it there, or let the query give NULL in its place."
    )


def test_a_database_that_cannot_be_read_at_one_instant_is_refused(library: Any):
    with pytest.raises(
        EngagementError, match=r"^Walai AutoLib cannot be read from sqlite, only from"
    ):
        extract(JUNE, URL.create("sqlite", database="patrons.db"))


# The login of the library's database


@pytest.fixture
def guarded(library: Any, server_home: Path) -> Iterator[URL]:
    """The library with a reader who needs a password: the right one."""
    rules = server_home / "postgres" / "pg_hba.conf"
    before = rules.read_text("utf-8")
    library.do("CREATE ROLE reader LOGIN PASSWORD 'right'")
    rules.write_text(f"local all reader scram-sha-256\n{before}", encoding="utf-8")
    library.do("SELECT pg_reload_conf()")
    reader = library.url.set(username="reader")
    for _ in range(100):  # the server takes its time
        try:
            psycopg.connect(reader.set(drivername="postgresql").render_as_string(False)).close()
        except psycopg.OperationalError:
            break
        time.sleep(0.05)
    yield reader
    rules.write_text(before, encoding="utf-8")
    library.do("SELECT pg_reload_conf()")
    library.do("DROP ROLE reader")


def test_a_wrong_password_of_the_library_is_said_to_be_refused_and_not_shown(
    guarded: URL, store: Any
):
    for password in ("secret", None):
        with pytest.raises(EngagementError) as caught:
            extract(JUNE, guarded.set(password=password))
        assert str(caught.value) == (
            "Connecting failed in the Walai AutoLib: it refuses the login; correct user and password of "
            "the connection."
        )
    with pytest.raises(EngagementError, match="lacks a right"):
        extract(JUNE, guarded.set(password="right"))  # noqa: S106 - may log in, and not read


def test_a_user_and_a_database_that_there_are_not_are_told_apart(library: Any, store: Any):
    with pytest.raises(EngagementError, match="it refuses the login; correct user and password"):
        extract(JUNE, library.url.set(username="nobody"))
    with pytest.raises(EngagementError, match="its server has no such database"):
        extract(JUNE, library.url.set(database="nowhere"))
