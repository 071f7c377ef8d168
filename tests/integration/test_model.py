"""From the library system to published figures: right when all is well, harmless when it is not."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from engagement import embedded, warehouse
from engagement.errors import EngagementError
from engagement.model import publish as publication, source as source_module, suites
from engagement.model.check import check
from engagement.model.extract import extract
from engagement.model.publish import publish
from engagement.monitor.figures import PatronFigures, require
from engagement.period import Period
from engagement.warehouse import Session

STAGE_OTHER = "CREATE TABLE stage.patron_99 PARTITION OF stage.patron FOR VALUES IN (99)"
WAITING_FOR_STAGE = (
    "SELECT count(*) FROM pg_locks WHERE relation = 'stage.patron'::regclass AND NOT granted"
)
JUNE, JULY, AUGUST = Period(2018, 6), Period(2018, 7), Period(2018, 8)


def run(period: Period, library: Any) -> PatronFigures:
    """Run the three steps of the model and return what they published."""
    extract(period, library.source)
    check(period)
    publish(period)
    return figures(period)


def with_suite(folder: Path, world: pytest.MonkeyPatch, expectation: dict[str, Any]) -> None:
    """Let the product use its suite with one expectation more."""
    suite = json.loads((suites.FOLDER / "stage_patron.json").read_text())
    suite["expectations"].append(expectation)
    (folder / "stage_patron.json").write_text(json.dumps(suite))
    world.setattr(suites, "FOLDER", folder)


def figures(period: Period) -> PatronFigures:
    with warehouse.session() as session:
        return require(session, period)


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any) -> None:
    """Every test here has a clock and a warehouse."""


def test_each_record_is_a_real_customer_or_rejected_with_every_reason(library: Any) -> None:
    library.enrol(2, expire_date="31/05/2560", email=None)
    library.enrol(1, first_name=" \u00a0", email="-")
    library.enrol(1, type_code="99")
    library.enrol(1, faculty_code=None)
    library.enrol(1, email="nobody@@example.com")
    found = run(JUNE, library)
    assert (found.extracted, found.real_customers, found.rejected) == (46, 40, 6)
    assert found.current == 44
    assert found.rejected_by_reason == {
        "not_current": 2, "name": 1, "status": 1, "affiliation": 1, "email": 4,
    }  # fmt: skip
    assert found.rejected_by_first_reason == {
        "not_current": 2, "name": 1, "status": 1, "affiliation": 1, "email": 1,
    }  # fmt: skip
    assert found.as_of_date.isoformat() == "2018-06-27"


def test_groups_add_up_and_every_real_customer_is_in_one(library: Any) -> None:
    library.enrol(3, type_code="01")
    library.enrol(2, type_code="21", nationality_code="LA")
    library.enrol(1, type_code="99")
    found = run(JUNE, library)
    assert sum(g.extracted for g in found.by_group.values()) == found.extracted
    assert sum(g.real_customers for g in found.by_group.values()) == found.real_customers
    assert found.by_group["staff"].real_customers == 3
    assert found.by_group["international"].real_customers == 2
    assert found.by_group["unmapped"].extracted == 1
    assert found.by_group["unmapped"].real_customers == 0
    assert len(found.by_group) == 8


def test_dirty_but_whole_values_pass(library: Any) -> None:
    library.enrol(first_name="ส\u0e4d\u0e32รวย\u200b", last_name="\ufeffแก้ว\u00a0ใส")
    library.enrol(first_name="สุธรรม".encode("cp874").decode("latin-1"), last_name="ดี")
    library.enrol(first_name="Aung", last_name=None, nationality_code="MM")
    library.enrol(email="first@library.example.com, second@library.example.com")
    library.enrol(expire_date="31/05/65")
    assert run(JUNE, library).real_customers == 45


def test_cp874_bytes_are_read_and_broken_bytes_are_kept_in_quarantine(
    library: Any, store: Any
) -> None:
    library.do(
        "UPDATE autolib.member SET first_name = convert_from(%s, 'SQL_ASCII') WHERE member_no = 1",
        ["สุธรรม".encode("cp874")],
    )
    library.enrol(60)
    library.do(
        "UPDATE autolib.member SET first_name = convert_from(%s, 'SQL_ASCII') WHERE member_no = 2",
        ["สมชาย".encode()[:-1]],
    )
    found = run(JUNE, library)
    assert found.rejected_by_reason == {"undecodable": 1}
    assert found.extracted == 100
    assert "สมชาย".encode()[:-1] in bytes(store.value("SELECT record FROM pii.quarantine"))
    assert store.value("SELECT given_name FROM stage.patron WHERE record_no = 1") == "สุธรรม"


def test_records_of_one_person_are_linked_and_both_counted(library: Any) -> None:
    library.enrol(2, citizen_no="1409900000001")
    library.enrol(1, citizen_no="1409900000002")
    found = run(JUNE, library)
    assert found.real_customers == 43
    assert found.real_persons == 42


def test_a_number_that_many_records_share_makes_nobody_one_person(library: Any) -> None:
    library.enrol(9, citizen_no="0000000000000")
    assert run(JUNE, library).real_persons == 49


def test_keys_stay_when_records_come_and_go(library: Any, store: Any) -> None:
    run(JUNE, library)
    before = dict(store.do("SELECT source_id, patron_key FROM pii.patron"))
    clock_to_august(library)
    library.do("DELETE FROM autolib.member WHERE member_no = 1")
    library.enrol(2)
    run(JULY, library)
    after = dict(store.do("SELECT source_id, patron_key FROM pii.patron"))
    assert after.items() >= before.items()
    assert len(after) == len(before) + 2


def test_checking_and_publishing_again_gives_the_same_rows(library: Any, store: Any) -> None:
    library.enrol(3, email=None)
    tables = ("core.patron_month", "core.rejection", "core.person_link", "mart.patron_funnel",
              "mart.patron_rejection", "mart.patron_group", "ops.quality_result")  # fmt: skip
    run(JUNE, library)
    before = {t: store.do(f"SELECT * FROM {t} ORDER BY 1, 2, 3") for t in tables}  # noqa: S608
    library.do("UPDATE autolib.member SET email = NULL")  # the library lives on
    check(JUNE)
    publish(JUNE)
    assert extract(JUNE, library.source) == 1
    assert {t: store.do(f"SELECT * FROM {t} ORDER BY 1, 2, 3") for t in tables} == before  # noqa: S608
    assert len(before["core.patron_month"]) == 43


def test_adding_an_expectation_is_all_it_takes_to_reject_for_a_new_reason(
    library: Any, store: Any, tmp_path: Any, world: pytest.MonkeyPatch
) -> None:
    with_suite(
        tmp_path,
        world,
        {
            "type": "expect_column_values_to_not_match_regex",
            "kwargs": {"column": "email", "regex": "^p1?0@"},
            "meta": {"reason": "numbered"},
        },
    )
    library.enrol(1, email="p0@library.example.com")
    found = run(JUNE, library)
    assert found.rejected_by_reason["numbered"] >= 1
    assert found.extracted == found.real_customers + found.rejected


# What goes wrong


def refusal(period: Period, library: Any) -> str:
    """Return the sentence with which running the period fails."""
    with pytest.raises(EngagementError) as caught:
        run(period, library)
    return str(caught.value)


def clock_to_august(library: Any) -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from engagement import clock
    from engagement.settings import settings

    clock.move(settings().clock_file, datetime(2018, 8, 1, tzinfo=ZoneInfo("Asia/Bangkok")))
    library.stand_at(2018, 7, 31)


def test_a_source_that_cannot_be_reached_is_named(library: Any, tmp_path: Any) -> None:
    nowhere = library.source.update_query_dict({"host": str(tmp_path)})
    with pytest.raises(EngagementError, match=r"Walai AutoLib.*does not answer"):
        extract(JUNE, nowhere)


def test_a_column_that_is_gone_is_named_with_the_query_to_adapt(library: Any, store: Any) -> None:
    run(JUNE, library)
    clock_to_august(library)
    library.do("ALTER TABLE autolib.member RENAME email TO mail")
    assert "m.email does not exist" in (said := refusal(JULY, library))
    assert "include/sql/sources/autolib/" in said
    assert figures(JUNE).real_customers == 40
    library.do("ALTER TABLE autolib.member RENAME mail TO email")
    assert run(JULY, library).real_customers == 40


def test_an_empty_source_stops_the_month_and_a_repeated_run_repairs_it(library: Any) -> None:
    run(JUNE, library)
    clock_to_august(library)
    library.do("ALTER TABLE autolib.member RENAME TO kept")
    library.do("CREATE TABLE autolib.member (LIKE autolib.kept)")
    assert "no patron at all" in refusal(JULY, library)
    assert figures(JUNE).real_customers == 40
    library.do("DROP TABLE autolib.member")
    library.do("ALTER TABLE autolib.kept RENAME TO member")
    assert run(JULY, library).real_customers == 40


def test_a_half_sized_source_stops_the_month_and_a_repeated_run_repairs_it(
    library: Any, store: Any
) -> None:
    run(JUNE, library)
    clock_to_august(library)
    library.do("CREATE TABLE autolib.kept AS SELECT * FROM autolib.member WHERE member_no > 20")
    library.do("DELETE FROM autolib.member WHERE member_no > 20")
    assert "-50%" in refusal(JULY, library)
    assert store.value("SELECT state FROM ops.extract ORDER BY extract_id DESC") == "refused"
    assert "has no accepted extract" in sentence_of(check, JULY)
    library.do("INSERT INTO autolib.member SELECT * FROM autolib.kept")
    assert run(JULY, library).real_customers == 40


def test_one_patron_on_two_rows_stops_the_month(library: Any) -> None:
    library.do("ALTER TABLE autolib.member DROP CONSTRAINT member_member_id_key")
    library.do("UPDATE autolib.member SET member_id = 'M' WHERE member_no IN (1, 2)")
    assert "1 patron ids stand on more than one record" in refusal(JUNE, library)


def test_a_period_that_is_not_over_is_not_read(library: Any) -> None:
    assert "Period 2018-07 is not over" in refusal(JULY, library)


def test_a_period_that_was_missed_cannot_be_reconstructed(library: Any) -> None:
    clock_to_august(library)
    assert "cannot be reconstructed" in refusal(JUNE, library)


def test_a_copy_of_the_library_that_was_not_brought_up_to_date_is_refused(library: Any) -> None:
    clock_to_august(library)
    library.stand_at(2018, 6, 27)
    assert "stands at 2018-06-27, which says nothing about 2018-07" in refusal(JULY, library)


def sentence_of(step: Any, period: Period) -> str:
    with pytest.raises(EngagementError) as caught:
        step(period)
    return str(caught.value)


def test_steps_without_what_they_stand_on_say_what_to_run_first(library: Any) -> None:
    assert "2018-06 has no accepted extract; run the task extract" in sentence_of(check, JUNE)
    assert "2018-06 has no accepted extract; run the task extract" in sentence_of(publish, JUNE)
    assert "No patrons are published for 2018-06; run model_patrons" in sentence_of(figures, JUNE)
    extract(JUNE, library.source)
    assert "was not checked" in sentence_of(publish, JUNE)


def test_a_month_that_does_not_add_up_is_not_published(library: Any, store: Any) -> None:
    run(JUNE, library)
    store.do("UPDATE ops.extract SET source_count = source_count + 1")
    assert "does not add up: 41 extracted, but 40 real" in sentence_of(publish, JUNE)
    assert figures(JUNE).extracted == 40


def test_no_database_error_tells_a_patrons_values(library: Any, store: Any) -> None:
    library.do("UPDATE autolib.member SET first_name = 'SECRETNAME'")
    store.do("ALTER TABLE stage.patron ADD CHECK (given_name <> 'SECRETNAME')")
    with pytest.raises(EngagementError) as caught:
        extract(JUNE, library.source)
    assert "SQLSTATE 23514" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


_KILLED = """
import os, signal
from engagement.model import extract, check, publish
from engagement.warehouse import Session
from engagement.period import Period
from sqlalchemy.engine import make_url
inner = Session.{method}
def killed(self, *args, **binds):
    result = inner(self, *args, **binds)
    if {where!r} in str(args):
        os.kill(os.getpid(), signal.SIGKILL)
    return result
Session.{method} = killed
extract.extract(Period(2018, 6), make_url({url!r}))
check.check(Period(2018, 6))
publish.publish(Period(2018, 6))
"""


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("add_partition", "stage.patron"),
        ("load", "stage.patron_1"),
        ("run", "model/end_shard"),
        ("run", "model/accept_extract"),
        ("create_found", "stage.rejection_1"),
        ("run", "model/add_quality_result"),
        ("run", "model/publish_patron_month"),
        ("drop_key", "core.rejection_2018_06"),
        ("run", "model/publish_patron_group"),
    ],
)
def test_killed_in_the_middle_nothing_is_half_and_a_repeated_run_repairs_it(
    library: Any, store: Any, method: str, where: str
) -> None:
    library.enrol(3, email=None)
    url = library.source.render_as_string(False)
    code = _KILLED.format(method=method, where=where, url=url)
    done = subprocess.run([sys.executable, "-c", code], env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert store.value("SELECT count(*) FROM mart.patron_funnel") == 0
    assert store.value("SELECT count(*) FROM core.patron_month") == 0
    found = run(JUNE, library)
    assert (found.extracted, found.real_customers) == (43, 40)


def test_publishing_and_a_run_that_waits_to_stage_records_never_wait_for_each_other(
    library: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    extract(JUNE, library.source)
    check(JUNE)
    store.do(f"ALTER DATABASE {store.url.database} SET lock_timeout TO '10s'")
    is_waiting = threading.Event()
    create, between = Session.create_table, publication._found_between

    def created(self: Session, table: str, name: str, **binds: Any) -> None:
        create(self, table, name, **binds)
        if (
            table == "stage.record"
        ):  # publishing has a lock on stage.patron now, and the other run waits
            staging.append(pool.submit(store.do, STAGE_OTHER))
            until(lambda: store.value(WAITING_FOR_STAGE) == 1)
            is_waiting.set()

    def found(*told: Any) -> Any:
        assert is_waiting.wait(10)
        return between(*told)

    world.setattr(Session, "create_table", created)
    world.setattr(publication, "_found_between", found)
    staging: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:
        assert publish(JUNE) == 40
    staging[0].result()


def test_a_warehouse_that_was_never_set_up_says_what_to_run(store: Any, library: Any) -> None:
    store.do("DROP SCHEMA mart CASCADE")
    assert "run `engagement migrate`" in sentence_of(figures, JUNE)
    store.do("DROP SCHEMA ops CASCADE")
    assert "run `engagement migrate`" in refusal(JUNE, library)


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        (
            {
                "type": "expect_column_values_to_not_be_null",
                "kwargs": {"column": "shoe_size"},
                "meta": {"reason": "shoes"},
            },
            "not_be_null of shoe_size) could not be run",
        ),
        (
            {
                "type": "expect_column_min_to_be_between",
                "kwargs": {"column": "name", "min_value": 1},
                "meta": {"reason": "first"},
            },
            "expect_column_min_to_be_between finds no single records",
        ),
    ],
)
def test_a_check_that_cannot_judge_records_stops_the_month(
    library: Any, tmp_path: Any, world: pytest.MonkeyPatch, expectation: Any, said: str
) -> None:
    with_suite(tmp_path, world, expectation)
    assert said in refusal(JUNE, library)
    assert "No patrons are published" in sentence_of(figures, JUNE)


def test_a_library_whose_database_has_an_encoding_is_read_as_it_is(
    library: Any, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    modern = embedded.database(f"{library.url.database}_utf8")
    system = type(library)(modern)
    with warehouse.session(modern) as session:
        session.run("demo/create_library")
    system.do("INSERT INTO autolib.faculty VALUES ('HUSO', 'คณะมนุษยศาสตร์')")
    system.stand_at(2018, 6, 27)
    system.enrol(3, first_name="น้ำผึ้ง")
    folder = tmp_path / "include" / "sources"
    folder.mkdir(parents=True)
    shipped = (source_module.INCLUDE / "sources" / "autolib.yaml").read_text()
    (folder / "autolib.yaml").write_text(shipped.replace("  driver_encoding: latin-1\n", ""))
    assert "driver_encoding" in refusal_of_reading(modern)
    world.setattr(source_module, "INCLUDE", tmp_path / "include")
    extract(JUNE, modern)
    check(JUNE)
    publish(JUNE)
    assert figures(JUNE).real_customers == 3
    warehouse.drop_database(modern)


def refusal_of_reading(database: URL) -> str:
    with pytest.raises(EngagementError) as caught:
        extract(JUNE, database)
    return str(caught.value)


def test_a_column_of_another_type_is_named_and_not_taken_for_its_codes(library: Any) -> None:
    run(JUNE, library)
    clock_to_august(library)
    library.do("ALTER TABLE autolib.member ALTER type_code TYPE integer USING type_code::integer")
    assert "gives type_code as int, not as text" in refusal(JULY, library)
    assert figures(JUNE).real_customers == 40
    library.do("ALTER TABLE autolib.member ALTER type_code TYPE text")
    assert run(JULY, library).real_customers == 40


def test_an_old_month_whose_records_are_gone_stays_published_as_it_is(
    library: Any, store: Any
) -> None:
    run(JUNE, library)
    store.do("DROP TABLE stage.patron_1")
    for step in (check, publish):
        assert "are kept no more" in sentence_of(step, JUNE)
    assert figures(JUNE).real_customers == 40


def test_who_must_not_be_mailed_is_a_real_customer_and_not_mailable(
    library: Any, store: Any
) -> None:
    run(JUNE, library)
    people = store.do("SELECT address_key, person_key FROM core.patron_month ORDER BY record_no")
    event = (
        "INSERT INTO core.suppression_event (address_key, patron_key, kind, event_at, recorded_at) "
        "VALUES (%s, %s, %s, '2018-06-30', '2018-06-30')"
    )
    store.do(event, [people[0][0], None, "hard_bounce"])
    store.do(event, [None, people[1][1], "opt_out"])
    store.do(event, [people[2][0], people[2][1], "complaint"])
    store.do(event, [people[3][0], None, "hard_bounce"])
    store.do(
        "INSERT INTO core.suppression_event (address_key, kind, lifts_event_id, event_at, recorded_at) "
        "SELECT address_key, 'lifted', max(event_id), now(), now() FROM core.suppression_event "
        "WHERE address_key = %s GROUP BY 1",
        [people[3][0]],
    )
    publish(JUNE)
    assert (figures(JUNE).real_customers, figures(JUNE).mailable) == (40, 37)
