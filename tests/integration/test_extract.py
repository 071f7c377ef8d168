"""A period stands on one reading of the library: whole, of one instant, and changed by a person only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from months import JULY, JUNE, described, extracts, refusal, run

from engagement import warehouse
from engagement.errors import EngagementError
from engagement.model import extract as extraction, gates, reading, source as sources
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish

pytestmark = pytest.mark.usefixtures("clock", "store")

# One instant


def test_count_and_records_are_of_one_instant_whatever_happens_at_the_desk(library: Any):
    ids = "SELECT member_id FROM autolib.member ORDER BY member_no"
    before = [row[0] for row in library.do(ids)]
    with reading.opened(sources.load("autolib"), library.source, JUNE) as opened:
        assert opened.count() == len(before) == 40
        library.do("DELETE FROM autolib.member WHERE member_no <= 7")
        library.enrol(3)
        read = [who for part in opened.chunks(10) for who in part.fields["source_id"]]
    assert sorted(read) == sorted(before)
    assert library.value("SELECT count(*) FROM autolib.member") == 36


def test_a_query_that_would_change_the_library_system_is_refused_and_changes_nothing(
    library: Any, queries: Callable[..., None]
):
    queries(
        "SELECT count(*) FROM autolib.member",
        "WITH member AS (DELETE FROM autolib.member RETURNING *) SELECT count(*) FROM member",
        "patron_count",
    )
    with (
        pytest.raises(EngagementError, match="SQLSTATE 25006"),
        reading.opened(sources.load("autolib"), library.source, JUNE) as opened,
    ):
        opened.count()
    assert library.value("SELECT count(*) FROM autolib.member") == 40


# Shards


def test_shards_are_read_one_by_one_and_the_last_one_makes_the_extract(library: Any, store: Any):
    library.enrol(3, email=None)
    url = library.source
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
    url = library.source
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
    url = library.source
    extract(JUNE, url, shard=0, shards=2)
    library.stand_at(2018, 6, 28)
    extract(JUNE, url, shard=1, shards=2)
    assert extracts(store) == [(1, "2018-06", "abandoned"), (2, "2018-06", "reading")]
    extract(JUNE, url, shard=0, shards=2)
    assert extracts(store)[1] == (2, "2018-06", "accepted")


def test_a_shard_that_is_read_again_replaces_its_quarantine_too(library: Any, store: Any):
    library.do(r"UPDATE autolib.member SET first_name = E'\xe0\xb8\xaa\xe0'")
    url = library.source
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
            extract(JUNE, library.source)
        return found

    world.setattr(extraction, "_begin", overtaken)
    with pytest.raises(EngagementError, match="was finished by another run"):
        extract(JUNE, library.source)
    assert extracts(store) == [(1, "2018-06", "accepted")]
    assert store.value("SELECT count(*) FROM stage.patron") == 40


def test_a_condition_that_loses_records_in_every_shard_stops_the_month(
    library: Any, store: Any, queries: Callable[..., None]
):
    queries("abs(mod(m.member_no, :shards))", "mod(m.member_no, :shards)")
    library.do("UPDATE autolib.member SET member_no = -member_no WHERE member_no <= 7")
    extract(JUNE, library.source, shard=0, shards=2)
    with pytest.raises(gates.Refused) as caught:
        extract(JUNE, library.source, shard=1, shards=2)
    assert str(caught.value).startswith(
        "The shards of Walai AutoLib hold 36 records together, the whole of it 40 to 40: correct the "
        "condition with :shard of its queries"
    )
    assert store.value("SELECT gate_code FROM ops.gate") == "shards"
    assert extract(JUNE, library.source) == 2
    assert store.value("SELECT staged_count FROM ops.extract WHERE extract_id = 2") == 40


def test_numbers_below_zero_are_in_a_shard_like_all_others(library: Any, store: Any):
    library.do("UPDATE autolib.member SET member_no = -member_no WHERE member_no <= 7")
    for shard in range(3):
        extract(JUNE, library.source, shard=shard, shards=3)
    assert store.do("SELECT state, staged_count FROM ops.extract") == [("accepted", 40)]


@pytest.mark.parametrize(
    "change", ["DELETE FROM autolib.member WHERE member_no IN (1, 2)", None], ids=["less", "more"]
)
def test_a_library_that_changes_between_its_shards_is_read_all_the_same(
    library: Any, store: Any, change: str | None
):
    extract(JUNE, library.source, shard=0, shards=2)
    library.do(change) if change else library.enrol(2)
    extract(JUNE, library.source, shard=1, shards=2)
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
                extract(JUNE, library.source, shard=shard, shards=2)
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
            extract(JUNE, library.source, shard=1, shards=2)

    world.setattr(extraction, "_read", overtaken)
    assert "was given up by another run" in refusal(JUNE, library, shard=0, shards=2)
    assert extracts(store) == [(1, "2018-06", "abandoned"), (2, "2018-06", "reading")]


def test_what_is_being_read_stays_when_another_month_is_finished(
    library: Any, store: Any, clock: Any, july: Any
):
    extract(JUNE, library.source, shard=0, shards=2)
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
    assert extract(JUNE, library.source, reread=order) == 2
    assert extracts(store) == [(1, "2018-06", "replaced"), (2, "2018-06", "accepted")]
    told = store.do("SELECT reread_reason, reread_by FROM ops.extract WHERE extract_id = 2")
    assert told == [("two members came late", "anna")]
    check(JUNE)
    assert publish(JUNE) == 42


def test_a_refused_reading_of_which_one_part_is_read_again_never_passes_for_the_period(
    library: Any,
):
    url = library.source
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
    assert extract(JUNE, library.source, reread=order) == 2
    for same in (order, Reread(" the codes were mended ", "bob")):
        caplog.clear()
        assert extract(JUNE, library.source, reread=same) == 2
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
    extract(JUNE, library.source, reread=order)
    july()
    extract(JULY, library.source)
    assert "cannot be reconstructed" in refusal(JUNE, library, reread=Reread("later", "anna"))


def test_what_was_staged_is_kept_of_the_last_two_readings(library: Any, store: Any):
    run(JUNE, library)
    for reason in ("one", "two", "three"):
        extract(JUNE, library.source, reread=Reread(reason, "anna"))
        check(JUNE)
    kept = store.do(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'stage'::regnamespace "
        "ORDER BY relname"
    )
    assert [name for (name,) in kept] == [
        "patron_3", "patron_4", "rejection_3", "rejection_4",
    ]  # fmt: skip
