"""How many are asked, and of whom: what the textbook gives, whole people, and never more than there are."""

import random

import numpy as np
import pytest

from engagement.errors import EngagementError
from engagement.groups import GROUPS
from engagement.measure import sample
from engagement.measure.campaign import Sample

FRAME = dict(
    zip(GROUPS, (2_300, 6_400, 1_800, 350, 470, 410, 290), strict=True)
)  # about the library's own


@pytest.mark.parametrize(
    ("margin", "people", "answers"),
    [
        (0.05, 10**9, 385),
        (0.05, 12_000, 373),
        (0.05, 1_000, 278),
        (0.03, 10_000, 965),
        (0.05, 1, 1),
    ],
)
def test_the_answers_needed_are_those_of_the_textbook(
    margin: float, people: int, answers: int
) -> None:
    assert sample.answers_needed(margin, 0.95, people) == answers


def test_the_size_divides_the_answers_by_the_rate_that_is_expected() -> None:
    wanted = Sample(margin_of_error=0.05, expected_response_rate=0.25)
    found = sample.size(wanted, FRAME)
    assert (found.answers_needed, found.invited) == (373, 1_492)


def test_a_margin_that_needs_more_people_than_there_are_says_so() -> None:
    wanted = Sample(margin_of_error=0.01, expected_response_rate=0.25)
    with pytest.raises(EngagementError, match="ask all of them with size: 12020"):
        sample.size(wanted, FRAME)


def margin_by_trial(frame: dict[str, int], answers: dict[str, int]) -> float:
    """Half the width that holds 95 of 100 estimates of a share of 1/2, each group weighing by its size."""
    dice = np.random.default_rng(20180709)
    people = sum(frame.values())
    estimates = sum(
        frame[group]
        / people
        * dice.hypergeometric(frame[group] // 2, frame[group] - frame[group] // 2, count, 20_000)
        / count
        for group, count in answers.items()
    )
    return float(np.quantile(np.abs(estimates - 0.5), 0.95))


@pytest.mark.parametrize(
    "wanted",
    [
        Sample(margin_of_error=0.05, expected_response_rate=0.25),
        Sample(margin_of_error=0.05, expected_response_rate=0.5, allocation="equal"),
        Sample(margin_of_error=0.05, expected_response_rate=0.5, minimum_per_group=200),
    ],
)
def test_the_margin_holds_for_the_whole_however_the_groups_share_the_sample(wanted: Sample) -> None:
    found = sample.size(wanted, FRAME)
    asked = sample.allocate(wanted, FRAME, found.invited)
    assert sum(asked.values()) == found.invited
    said = sample.margin(wanted, FRAME, asked)
    assert 0.048 < said <= 0.05
    assert found.answers_needed is not None
    assert found.answers_needed >= 373
    assert wanted.expected_response_rate is not None
    answers = {group: round(n * wanted.expected_response_rate) for group, n in asked.items()}
    assert margin_by_trial(FRAME, answers) == pytest.approx(said, rel=0.05)


def test_equal_shares_need_more_answers_than_proportional_ones() -> None:
    wanted = Sample(margin_of_error=0.05, expected_response_rate=0.5, allocation="equal")
    found = sample.size(wanted, FRAME)
    assert (found.invited, found.answers_needed) == (1_807, 904)


def test_the_margin_of_a_size_says_what_its_answers_are_worth() -> None:
    wanted = Sample(size=1_567, expected_response_rate=0.25)
    asked = sample.allocate(wanted, FRAME, 1_567)
    assert sample.margin(wanted, FRAME, asked) == pytest.approx(0.0487, abs=0.0001)
    assert sample.margin(Sample(size=12_020), FRAME, FRAME) == 0  # everybody, and all answer


def test_the_smallest_groups_may_be_left_to_chance() -> None:
    frame = FRAME | {"pupil": 1, "external": 0}
    wanted = Sample(margin_of_error=0.05, expected_response_rate=0.25)
    found = sample.size(wanted, frame)
    assert sample.margin(wanted, frame, sample.allocate(wanted, frame, found.invited)) <= 0.05


def test_nobody_is_asked_who_is_not_there() -> None:
    wanted = Sample(size=50_000)
    asked = sample.allocate(wanted, FRAME, sample.size(wanted, FRAME).invited)
    assert asked == FRAME


def test_proportional_is_rounded_by_largest_remainders() -> None:
    asked = sample.allocate(Sample(size=1_567), FRAME, 1_567)
    assert sum(asked.values()) == 1_567
    for group, count in FRAME.items():
        assert abs(asked[group] - 1_567 * count / 12_020) < 1


def test_equal_gives_what_a_small_group_cannot_take_to_the_others() -> None:
    asked = sample.allocate(Sample(size=3_500, allocation="equal"), FRAME, 3_500)
    assert sum(asked.values()) == 3_500
    assert asked["international"] == 350
    assert asked["pupil"] == 290
    assert asked["staff"] == asked["undergraduate"] == asked["graduate"]


def test_a_minimum_is_kept_and_taken_from_the_large_groups() -> None:
    asked = sample.allocate(Sample(size=500, minimum_per_group=30), FRAME, 500)
    assert sum(asked.values()) == 500
    assert min(asked.values()) == 30
    assert asked["undergraduate"] < 500 * 6_400 / 12_020


def test_minimums_that_add_up_to_more_than_the_sample_are_refused() -> None:
    with pytest.raises(EngagementError, match="minimum_per_group takes 350 people"):
        sample.allocate(Sample(size=300, minimum_per_group=50), FRAME, 300)


def test_own_numbers_are_taken_as_they_are_up_to_what_there_is() -> None:
    numbers = dict.fromkeys(GROUPS, 300)
    wanted = Sample(allocation=numbers)
    assert sample.size(wanted, FRAME).invited == 6 * 300 + 290
    assert sample.allocate(wanted, FRAME, 0) == numbers | {"pupil": 290}


def test_every_allocation_sums_up_and_stays_within_its_bounds() -> None:
    dice = random.Random(20180709)  # noqa: S311
    for _ in range(500):
        frame = {group: dice.choice([0, 1, 7, dice.randrange(10_000)]) for group in GROUPS}
        people = sum(frame.values())
        least = dice.choice([0, 0, 5, 50])
        invited = min(dice.randrange(1, 12_000), people)
        wanted = Sample(
            size=max(invited, 1),
            minimum_per_group=least,
            allocation=dice.choice(["proportional", "equal"]),
        )
        if sum(min(least, count) for count in frame.values()) > invited:
            continue
        asked = sample.allocate(wanted, frame, invited)
        assert sum(asked.values()) == invited, (frame, wanted)
        assert all(min(least, frame[g]) <= asked[g] <= frame[g] for g in GROUPS), (frame, wanted)
