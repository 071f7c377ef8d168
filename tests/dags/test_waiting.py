"""A report waits for its day without a worker, and for a person where the library wants it so."""

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from engagement.measure.options import APPROVE, REJECT
from engagement_airflow import operators, triggers
from engagement_airflow.operators import ReportReview, UntilSendAt
from engagement_airflow.triggers import BusinessClock

EIGHT = datetime(2018, 7, 6, 8, tzinfo=ZoneInfo("Asia/Bangkok"))


def test_the_trigger_fires_when_the_clock_is_moved_and_not_before(clock: Any, world: Any) -> None:
    world.setattr(triggers, "_LOOK_EVERY_S", 0.02)
    fired: list[Any] = []

    async def wait() -> None:
        async for event in BusinessClock(EIGHT.isoformat()).run():
            fired.append(event.payload)

    async def run() -> None:
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.2)
        assert fired == []
        clock.at(2018, 7, 6, 8)
        await asyncio.wait_for(waiting, 5)

    asyncio.run(run())
    assert fired == ["2018-07-06T08:00:00+07:00"]


def test_the_triggerer_can_make_the_trigger_again(clock: Any) -> None:
    from airflow.sdk._shared.module_loading import import_string

    path, words = BusinessClock(EIGHT.isoformat()).serialize()
    assert import_string(path)(**words).until == EIGHT.isoformat()


@pytest.fixture
def wait(world: Any, clock: Any) -> UntilSendAt:
    from engagement.period import Period

    world.setattr(operators.periods, "current", lambda: Period(2018, 6))
    return UntilSendAt(task_id="wait")


def test_before_its_day_the_task_is_handed_to_the_triggerer(wait: UntilSendAt) -> None:
    with pytest.raises(TaskDeferred) as parked:
        wait.execute({})
    assert parked.value.trigger.until == EIGHT.isoformat()
    wait.resume({}, EIGHT.isoformat())


def test_from_its_day_on_the_task_passes_at_once(wait: UntilSendAt, clock: Any) -> None:
    clock.at(2018, 7, 6, 8)
    wait.execute({})


def answer(option: str) -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {},
        "responded_at": EIGHT,
        "responded_by_user": {"id": "anna", "name": "anna"},
    }


def test_who_approves_the_report_is_handed_on_as_who_let_it_go() -> None:
    review = ReportReview(task_id="review", edition=1)
    assert review.execute_complete({}, answer(APPROVE)) == "anna"


def test_a_no_skips_what_follows_and_fails_nothing() -> None:
    review = ReportReview(task_id="review", edition=1)
    with pytest.raises(AirflowSkipException, match="it goes to nobody"):
        review.execute_complete({}, answer(REJECT))


def test_silence_counts_as_a_no() -> None:
    assert ReportReview(task_id="review", edition=1).defaults == [REJECT]
