"""What stops a month until a person accepts it, and what nobody can accept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from months import JULY, JUNE, described, extracts, refusal, run

from engagement.errors import EngagementError
from engagement.model import gates, source as sources
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish

pytestmark = pytest.mark.usefixtures("clock", "store")


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
    extract(JULY, library.source)
    assert extracts(store)[-1] == (2, "2018-07", "accepted")


def hold_by_share(library: Any, july: Any) -> None:
    """Let July have half the share of real customers that June has, so that it is not published."""
    run(JUNE, library)
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    extract(JULY, library.source)
    check(JULY)
    with pytest.raises(gates.Refused):
        publish(JULY)


def test_a_share_of_real_customers_far_from_the_last_stops_publishing(
    library: Any, july: Any, store: Any
):
    run(JUNE, library)
    july()
    library.do("UPDATE autolib.member SET email = NULL WHERE member_no > 20")
    extract(JULY, library.source)
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
    hold_by_share(library, july)
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
    extract(JULY, library.source, reread=Reread("the addresses are back", "anna"))
    check(JULY)
    with pytest.raises(gates.Refused, match=r"100.0% would be .* against 0.0% of 2018-06"):
        publish(JULY)


def test_a_share_that_is_usual_again_holds_nothing_any_more(
    library: Any, july: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    hold_by_share(library, july)
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


def test_a_library_with_a_wider_limit_may_lose_half_of_its_records(
    library: Any, july: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    described(world, tmp_path, gates={"row_change_limit": 0.6})
    run(JUNE, library)
    july()
    library.do("DELETE FROM autolib.member WHERE member_no > 20")
    assert run(JULY, library) == 20


def test_a_library_with_a_narrower_limit_is_held_when_a_tenth_is_gone(
    library: Any, july: Any, world: pytest.MonkeyPatch, tmp_path: Path
):
    described(world, tmp_path, gates={"row_change_limit": 0.05})
    run(JUNE, library)
    july()
    library.do("DELETE FROM autolib.member WHERE member_no > 36")
    assert "36 records for 2018-07, -10% against 40 of 2018-06, beyond the limit of 5%" in refusal(
        JULY, library
    )


def test_what_cannot_be_published_cannot_be_accepted(library: Any):
    library.do("ALTER TABLE autolib.member DROP CONSTRAINT member_member_id_key")
    library.do("UPDATE autolib.member SET member_id = 'M' WHERE member_no IN (1, 2)")
    refusal(JUNE, library)
    with pytest.raises(EngagementError, match="cannot be accepted: 1 patron ids stand on more"):
        gates.accept(JUNE, "It is so.", "anna")


def test_what_is_not_the_whole_library_cannot_be_accepted(
    library: Any, queries: Callable[..., None]
):
    queries("abs(mod(m.member_no, :shards))", "mod(m.member_no, :shards)")
    library.do("UPDATE autolib.member SET member_no = -member_no WHERE member_no <= 7")
    extract(JUNE, library.source, shard=0, shards=2)
    assert "hold 36 records together" in refusal(JUNE, library, shard=1, shards=2)
    with pytest.raises(EngagementError, match="cannot be accepted: The shards of Walai AutoLib"):
        gates.accept(JUNE, "It is so.", "anna")


def test_a_failed_reading_does_not_keep_a_person_from_accepting_what_the_period_stands_on(
    library: Any, july: Any
):
    hold_by_share(library, july)
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
