"""A period stands on one reading of the library: whole, of one instant, and changed by a person only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy.engine import URL

from engagement import embedded, warehouse
from engagement.errors import EngagementError
from engagement.model import extract as extraction, gates, source as sources
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish
from engagement.monitor.figures import require
from engagement.period import Period

JUNE, JULY = Period(2018, 6), Period(2018, 7)
pytestmark = pytest.mark.usefixtures("clock", "store")


def source(library: Any) -> URL:
    return library.url.update_query_dict({"client_encoding": "latin1"})


def run(period: Period, library: Any) -> int:
    extract(period, source(library))
    check(period)
    return publish(period)


def refusal(period: Period, library: Any, **order: Any) -> str:
    with pytest.raises(EngagementError) as caught:
        extract(period, source(library), **order)
    return str(caught.value)


def extracts(store: Any) -> list[tuple[int, str, str]]:
    return store.do("SELECT extract_id, period, state FROM ops.extract ORDER BY extract_id")


@pytest.fixture
def july(library: Any, clock: Any) -> Any:
    """Move on to the first of August, with a copy of the library of the end of July; call it when due."""

    def move() -> None:
        clock.at(2018, 8, 1)
        library.stand_at(2018, 7, 31)

    return move


# Shards


def test_shards_are_read_one_by_one_and_the_last_one_makes_the_extract(library: Any, store: Any):
    library.enrol(3, email=None)
    url = source(library)
    first = extract(JUNE, url, shard=0, shards=3)
    assert extract(JUNE, url, shard=2, shards=3) == first
    assert extracts(store) == [(1, "2018-06", "reading")]
    with pytest.raises(EngagementError, match="has no accepted extract"):
        check(JUNE)
    assert extract(JUNE, url, shard=1, shards=3) == first
    assert extracts(store) == [(1, "2018-06", "accepted")]
    check(JUNE)
    assert publish(JUNE) == 40
    by_shard = store.do("SELECT shard, source_count FROM ops.extract_shard ORDER BY shard")
    assert sum(count for _, count in by_shard) == 43
    assert [shard for shard, _ in by_shard] == [0, 1, 2]
    assert store.value("SELECT count(DISTINCT record_no) FROM stage.patron") == 43


def test_a_shard_that_is_read_again_replaces_its_own_records_only(library: Any, store: Any):
    url = source(library)
    extract(JUNE, url, shard=0, shards=2)
    extract(JUNE, url, shard=0, shards=2)
    library.do("UPDATE autolib.member SET first_name = 'อำนวย'")
    extract(JUNE, url, shard=1, shards=2)
    assert extracts(store) == [(1, "2018-06", "accepted")]
    names = store.do(
        "SELECT record_no / 1000000000, given_name, count(*) FROM stage.patron GROUP BY 1, 2 ORDER BY 1"
    )
    assert names == [(0, "สมชาย", 20), (1, "อำนวย", 20)]


def test_shards_of_two_days_are_never_one_extract(library: Any, store: Any, clock: Any):
    url = source(library)
    extract(JUNE, url, shard=0, shards=2)
    library.stand_at(2018, 6, 28)
    extract(JUNE, url, shard=1, shards=2)
    assert extracts(store) == [(1, "2018-06", "abandoned"), (2, "2018-06", "reading")]
    extract(JUNE, url, shard=0, shards=2)
    assert extracts(store)[1] == (2, "2018-06", "accepted")


def test_a_shard_that_is_read_again_replaces_its_quarantine_too(library: Any, store: Any):
    library.do(r"UPDATE autolib.member SET first_name = E'\xe0\xb8\xaa\xe0'")
    url = source(library)
    for _ in range(2):
        extract(JUNE, url, shard=0, shards=2)
    assert store.value("SELECT count(*) FROM pii.quarantine") == 20
    assert store.value("SELECT count(*) FROM stage.patron") == 0


def test_a_run_that_comes_late_changes_nothing_of_what_another_has_finished(
    library: Any, store: Any, world: pytest.MonkeyPatch
):
    begin = extraction._begin

    def overtaken(*told: Any) -> int:
        found = begin(*told)
        with world.context() as alone:
            alone.setattr(extraction, "_begin", begin)
            told[0].connection.commit()
            extract(JUNE, source(library))
        return found

    world.setattr(extraction, "_begin", overtaken)
    with pytest.raises(EngagementError, match="was finished by another run"):
        extract(JUNE, source(library))
    assert extracts(store) == [(1, "2018-06", "accepted")]
    assert store.value("SELECT count(*) FROM stage.patron") == 40


@pytest.fixture
def queries(world: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Replace words in AutoLib's queries of the patrons, and of how many they are."""
    shipped = sources.INCLUDE
    own = tmp_path / "sql" / "sources" / "autolib"
    own.mkdir(parents=True)
    for path in (shipped / "sql").iterdir():
        if path.name != "sources":
            (tmp_path / "sql" / path.name).symlink_to(path)
    for path in (shipped / "sql" / "sources" / "autolib").iterdir():
        (own / path.name).write_text(path.read_text("utf-8"), encoding="utf-8")

    def replace(old: str, new: str, *names: str) -> None:
        for name in names or ("patron", "patron_count"):
            text = (own / f"{name}.sql").read_text("utf-8")
            assert old in text
            (own / f"{name}.sql").write_text(text.replace(old, new), encoding="utf-8")
        warehouse.statement.cache_clear()

    world.setattr(warehouse, "INCLUDE", tmp_path)
    warehouse.statement.cache_clear()
    yield replace
    warehouse.statement.cache_clear()


def test_a_condition_that_loses_records_in_every_shard_stops_the_month(
    library: Any, store: Any, queries: Callable[..., None]
):
    queries("abs(mod(m.member_no, :shards))", "mod(m.member_no, :shards)")
    library.do("UPDATE autolib.member SET member_no = -member_no WHERE member_no <= 7")
    extract(JUNE, source(library), shard=0, shards=2)
    with pytest.raises(gates.Refused) as caught:
        extract(JUNE, source(library), shard=1, shards=2)
    assert str(caught.value).startswith(
        "The shards of Walai AutoLib hold 36 records together, the whole of it 40 to 40: correct the "
        "condition with :shard of its queries"
    )
    assert store.value("SELECT gate_code FROM ops.gate") == "shards"
    assert extract(JUNE, source(library)) == 2
    assert store.value("SELECT staged_count FROM ops.extract WHERE extract_id = 2") == 40


def test_numbers_below_zero_are_in_a_shard_like_all_others(library: Any, store: Any):
    library.do("UPDATE autolib.member SET member_no = -member_no WHERE member_no <= 7")
    for shard in range(3):
        extract(JUNE, source(library), shard=shard, shards=3)
    assert store.do("SELECT state, staged_count FROM ops.extract") == [("accepted", 40)]


@pytest.mark.parametrize(
    "change", ["DELETE FROM autolib.member WHERE member_no IN (1, 2)", None], ids=["less", "more"]
)
def test_a_library_that_changes_between_its_shards_is_read_all_the_same(
    library: Any, store: Any, change: str | None
):
    extract(JUNE, source(library), shard=0, shards=2)
    library.do(change) if change else library.enrol(2)
    extract(JUNE, source(library), shard=1, shards=2)
    assert store.do("SELECT state FROM ops.extract") == [("accepted",)]


# Two runs at once


def test_a_run_whose_extract_another_run_has_given_up_says_so(
    library: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    begin = extraction._begin

    def overtaken(*told: Any) -> int:
        found = begin(*told)
        with world.context() as alone:
            alone.setattr(extraction, "_begin", begin)
            told[0].connection.commit()
            described(alone, tmp_path, same_person=[["email"]])
            for shard in range(2):
                extract(JUNE, source(library), shard=shard, shards=2)
        return found

    world.setattr(extraction, "_begin", overtaken)
    sentence = refusal(JUNE, library, shard=1, shards=2)
    assert sentence.startswith("Extract 1 was given up by another run, which reads the period with")
    assert "migrate" not in sentence
    assert extracts(store) == [(1, "2018-06", "abandoned"), (2, "2018-06", "accepted")]


def test_a_shard_whose_extract_was_given_up_while_it_read_does_not_end_as_if_it_counted(
    library: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    read = extraction._read

    def overtaken(*told: Any) -> None:
        read(*told)
        told[0].connection.commit()
        with world.context() as alone:
            alone.setattr(extraction, "_read", read)
            described(alone, tmp_path, same_person=[["email"]])
            extract(JUNE, source(library), shard=1, shards=2)

    world.setattr(extraction, "_read", overtaken)
    assert "was given up by another run" in refusal(JUNE, library, shard=0, shards=2)
    assert extracts(store) == [(1, "2018-06", "abandoned"), (2, "2018-06", "reading")]


def test_what_is_being_read_stays_when_another_month_is_finished(
    library: Any, store: Any, clock: Any, july: Any
):
    extract(JUNE, source(library), shard=0, shards=2)
    clock.at(2018, 8, 1)
    library.stand_at(2018, 7, 1)  # which says something about both months
    store.do("UPDATE ops.extract SET started_at = '2018-07-31 12:00+07'")
    library.do("CREATE TABLE autolib.kept AS TABLE autolib.member")
    library.do("DELETE FROM autolib.member")
    assert "gave no patron" in refusal(JULY, library)
    tables = "SELECT relname::text FROM pg_class WHERE relname LIKE 'patron_1' AND relkind = 'r'"
    assert store.do(tables) == [("patron_1",)]
    clock.at(2018, 8, 2)
    assert "gave no patron" in refusal(JULY, library)
    assert store.do(tables) == []
    assert extracts(store)[0] == (1, "2018-06", "abandoned")


def test_the_records_of_an_extract_that_another_run_took_away_are_no_old_schema(store: Any):
    with pytest.raises(EngagementError) as caught, warehouse.session() as session:
        session.analyze("stage.patron_99")
    assert "another run has given up this extract, or a newer one took its place" in str(
        caught.value
    )
    assert "migrate" not in str(caught.value)


# Reading again


def test_a_period_is_read_again_only_on_order_and_the_order_is_recorded(library: Any, store: Any):
    assert run(JUNE, library) == 40
    library.enrol(2)
    assert run(JUNE, library) == 40
    order = Reread("two members came late", "anna")
    assert extract(JUNE, source(library), reread=order) == 2
    assert extracts(store) == [(1, "2018-06", "replaced"), (2, "2018-06", "accepted")]
    told = store.do("SELECT reread_reason, reread_by FROM ops.extract WHERE extract_id = 2")
    assert told == [("two members came late", "anna")]
    check(JUNE)
    assert publish(JUNE) == 42


def test_a_refused_reading_of_which_one_part_is_read_again_never_passes_for_the_period(
    library: Any,
):
    url = source(library)
    stands_on = extract(JUNE, url)
    library.do("DELETE FROM autolib.member")
    order = Reread("the library tidied up", "Nid")
    first = extract(JUNE, url, 0, 2, order)
    with pytest.raises(gates.Refused):
        extract(JUNE, url, 1, 2, order)
    second = extract(JUNE, url, 1, 2, order)  # only the part that failed was cleared
    assert second != first
    with pytest.raises(
        EngagementError, match=f"stands on extract {stands_on}, .* {first} and {second}; clear all"
    ):
        check(JUNE, {first, second})
    check(JUNE, {stands_on})


def test_an_order_that_was_carried_out_is_not_carried_out_again_and_says_so(
    library: Any, store: Any, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "engagement")
    run(JUNE, library)
    order = Reread("the codes were mended", "anna")
    assert extract(JUNE, source(library), reread=order) == 2
    for same in (order, Reread(" the codes were mended ", "bob")):
        caplog.clear()
        assert extract(JUNE, source(library), reread=same) == 2
        assert caplog.messages == [
            "Period 2018-06 was read again for this reason already: extract 2; give another reason to "
            "read it once more."
        ]
    assert len(extracts(store)) == 2


def test_a_period_stays_on_its_extract_when_reading_it_again_fails(library: Any, store: Any):
    run(JUNE, library)
    library.do("DELETE FROM autolib.member")
    assert "gave no patron at all" in refusal(JUNE, library, reread=Reread("to see", "anna"))
    assert extracts(store) == [(1, "2018-06", "accepted"), (2, "2018-06", "refused")]
    check(JUNE)
    assert publish(JUNE) == 40


def test_a_period_is_not_read_again_once_the_next_one_was_read(library: Any, july: Any):
    run(JUNE, library)
    library.stand_at(2018, 7, 20)
    order = Reread("too late", "anna")
    extract(JUNE, source(library), reread=order)
    july()
    extract(JULY, source(library))
    assert "cannot be reconstructed" in refusal(JUNE, library, reread=Reread("later", "anna"))


def test_what_was_staged_is_kept_of_the_last_two_readings(library: Any, store: Any):
    run(JUNE, library)
    for reason in ("one", "two", "three"):
        extract(JUNE, source(library), reread=Reread(reason, "anna"))
        check(JUNE)
    kept = store.do(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'stage'::regnamespace "
        "ORDER BY relname"
    )
    assert [name for (name,) in kept] == [
        "patron_3", "patron_4", "rejection_3", "rejection_4",
    ]  # fmt: skip


# Gates


def test_a_column_that_changed_its_type_stops_the_month_until_a_person_accepts_it(
    library: Any, july: Any, store: Any
):
    run(JUNE, library)
    july()
    library.do("ALTER TABLE autolib.member ALTER type_code TYPE varchar(10)")
    assert "type_code was text and is varchar(10)" in refusal(JULY, library)
    assert gates.accept(JULY, "The vendor shortened it; codes compared.", "anna") == [
        store.value("SELECT sentence FROM ops.gate")
    ]
    assert store.do("SELECT gate_code, accepted_by, accept_reason FROM ops.gate") == [
        ("columns", "anna", "The vendor shortened it; codes compared.")
    ]
    assert run(JULY, library) == 40
    assert extracts(store)[-1] == (2, "2018-07", "accepted")


def test_a_gate_is_accepted_for_one_extract_only(library: Any, july: Any):
    run(JUNE, library)
    july()
    library.do("ALTER TABLE autolib.member ALTER type_code TYPE varchar(10)")
    refusal(JULY, library)
    gates.accept(JULY, "compared", "anna")
    library.do("ALTER TABLE autolib.member ALTER member_state TYPE varchar(3)")
    again = refusal(JULY, library, reread=Reread("once more", "anna"))
    assert "member_state was text and is varchar(3)" in again


def test_editing_the_yaml_does_not_open_the_gate_of_the_columns(
    library: Any, july: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    run(JUNE, library)
    july()
    library.do("ALTER TABLE autolib.member ALTER type_code TYPE varchar(10)")
    described(world, tmp_path, placeholders={"name": ["nobody"]})
    assert "type_code was text and is varchar(10)" in refusal(JULY, library)


def test_a_yaml_that_takes_a_field_from_another_column_needs_nobody_to_accept_it(
    library: Any, july: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path,
    queries: Callable[..., None],
):  # fmt: skip
    run(JUNE, library)
    july()
    queries("    m.unit_name,", "    m.member_id AS home,", "patron")
    columns = dict(sources.load("autolib").database.columns) | {"affiliation": ["home"]}
    described(world, tmp_path, database={"columns": columns, "driver_encoding": "latin-1"})
    extract(JULY, source(library))
    assert extracts(store)[-1] == (2, "2018-07", "accepted")


def test_a_share_of_real_customers_far_from_the_last_stops_publishing(
    library: Any, july: Any, store: Any
):
    run(JUNE, library)
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    extract(JULY, source(library))
    check(JULY)
    with pytest.raises(
        gates.Refused, match=r"50.0% would be real customers in 2018-07, against 100.0% of 2018-06"
    ):
        publish(JULY)
    assert store.do("SELECT period FROM mart.patron_funnel") == [("2018-06",)]
    gates.accept(JULY, "The mail server was emptied.", "anna")
    assert publish(JULY) == 20
    assert store.value("SELECT accepted_by FROM ops.gate WHERE gate_code = 'real_share'") == "anna"


def test_who_accepts_a_share_accepts_that_share_and_no_other(library: Any, july: Any, store: Any):
    run(JUNE, library)
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    extract(JULY, source(library))
    check(JULY)
    with pytest.raises(gates.Refused):
        publish(JULY)
    gates.accept(JULY, "The mail server was emptied.", "anna")
    store.do("UPDATE stage.patron SET name = NULL")
    check(JULY)
    with pytest.raises(gates.Refused, match=r"0.0% would be real customers in 2018-07"):
        publish(JULY)
    gates.accept(JULY, "So were the names.", "ben")
    assert publish(JULY) == 0
    accepted = "SELECT accepted_by, accept_reason FROM ops.gate ORDER BY accepted_by"
    assert store.do(accepted) == [
        ("anna", "The mail server was emptied."),
        ("ben", "So were the names."),
    ]


def test_real_customers_after_a_month_without_any_stop_publishing_too(library: Any, july: Any):
    library.do("UPDATE autolib.member SET email = NULL")
    assert run(JUNE, library) == 0
    july()
    assert run(JULY, library) == 0
    library.do("UPDATE autolib.member SET email = 'somchai@kku.ac.th'")
    extract(JULY, source(library), reread=Reread("the addresses are back", "anna"))
    check(JULY)
    with pytest.raises(gates.Refused, match=r"100.0% would be .* against 0.0% of 2018-06"):
        publish(JULY)


def test_a_share_that_is_usual_again_holds_nothing_any_more(
    library: Any, july: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    run(JUNE, library)
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    extract(JULY, source(library))
    check(JULY)
    with pytest.raises(gates.Refused):
        publish(JULY)
    described(world, tmp_path, gates={"real_share_change_limit": 0.6})
    assert publish(JULY) == 20
    with pytest.raises(EngagementError, match="No gate holds"):
        gates.accept(JULY, "It was the mail server.", "anna")


def test_the_share_is_compared_with_no_period_of_another_definition(
    library: Any, july: Any, store: Any
):
    run(JUNE, library)
    store.do("UPDATE mart.patron_funnel SET definition_hash = 'of another suite'")
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    assert run(JULY, library) == 20


def test_a_row_count_far_from_the_last_can_be_accepted(library: Any, july: Any):
    run(JUNE, library)
    july()
    library.do("DELETE FROM autolib.member WHERE member_no > 20")
    assert "-50%" in refusal(JULY, library)
    gates.accept(JULY, "Alumni were moved to another system.", "anna")
    assert run(JULY, library) == 20


def test_what_cannot_be_published_cannot_be_accepted(library: Any):
    library.do("ALTER TABLE autolib.member DROP CONSTRAINT member_member_id_key")
    library.do("UPDATE autolib.member SET member_id = 'M' WHERE member_no IN (1, 2)")
    refusal(JUNE, library)
    with pytest.raises(EngagementError, match="cannot be accepted: 1 patron ids stand on more"):
        gates.accept(JUNE, "It is so.", "anna")


def test_a_failed_reading_does_not_keep_a_person_from_accepting_what_the_period_stands_on(
    library: Any, july: Any
):
    run(JUNE, library)
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    extract(JULY, source(library))
    check(JULY)
    with pytest.raises(gates.Refused):
        publish(JULY)
    library.do("CREATE TABLE autolib.kept AS TABLE autolib.member")
    library.do("DELETE FROM autolib.member")
    assert "gave no patron" in refusal(JULY, library, reread=Reread("to see", "anna"))
    gates.accept(JULY, "The addresses are really gone.", "anna")
    assert publish(JULY) == 20


def test_accepting_needs_a_reason_and_something_to_accept(library: Any):
    with pytest.raises(EngagementError, match="Say why"):
        gates.accept(JUNE, "  ", "anna")
    with pytest.raises(EngagementError, match="No gate holds the newest extract of 2018-06"):
        gates.accept(JUNE, "because", "anna")
    run(JUNE, library)
    with pytest.raises(EngagementError, match="nothing to accept"):
        gates.accept(JUNE, "because", "anna")


# What the source's YAML decides


def described(world: pytest.MonkeyPatch, folder: Path, **changes: Any) -> None:
    """Let AutoLib be described with changes of the shipped YAML."""
    shipped = yaml.safe_load((sources.INCLUDE / "sources" / "autolib.yaml").read_text("utf-8"))
    (folder / "sources").mkdir(exist_ok=True)
    text = yaml.safe_dump(shipped | changes, allow_unicode=True)
    (folder / "sources" / "autolib.yaml").write_text(text, encoding="utf-8")
    world.setattr(sources, "INCLUDE", folder)


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
    extract(JUNE, source(library), reread=Reread("the state wins now", "anna"))
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
    extract(JUNE, source(library), reread=Reread("another column", "anna"))
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
    assert extract(JUNE, source(remembering), reread=order) == 3
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
