"""A period stands on one reading of the library: whole, of one instant, and changed by a person only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import URL

from engagement.errors import EngagementError
from engagement.model import extract as extraction, gates, source as sources
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish
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


def test_an_order_that_was_carried_out_is_not_carried_out_again(library: Any, store: Any):
    run(JUNE, library)
    order = Reread("the codes were mended", "anna")
    assert extract(JUNE, source(library), reread=order) == 2
    assert extract(JUNE, source(library), reread=order) == 2
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


def test_a_share_of_real_customers_far_from_the_last_stops_publishing(
    library: Any, july: Any, store: Any
):
    run(JUNE, library)
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    extract(JULY, source(library))
    check(JULY)
    with pytest.raises(
        gates.Refused, match=r"50.0% would be real customers in 2018-07, -50% against 100.0%"
    ):
        publish(JULY)
    assert store.do("SELECT period FROM mart.patron_funnel") == [("2018-06",)]
    gates.accept(JULY, "The mail server was emptied.", "anna")
    assert publish(JULY) == 20
    assert store.value("SELECT accepted_by FROM ops.gate WHERE gate_code = 'real_share'") == "anna"


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
