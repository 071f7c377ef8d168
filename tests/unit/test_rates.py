"""A rate is what became of the people asked; its interval and its changes are what that says of everybody."""

from dataclasses import replace

import numpy as np
import pytest

from engagement.measure.figures import Stratum
from engagement.monitor.rates import Rate, points, rate

FRAME = (2_300, 6_400, 1_800, 350, 470, 410, 290)  # about the library's own groups


def whole(hits: int, sampled: int, people: int = 12_000) -> Rate:
    return rate(hits, sampled, [Stratum(people, sampled, hits)])


def wilson(hits: int, base: int) -> Rate:
    """Return the rate of a simple sample of very many, as Newcombe has them."""
    z, share = 1.959964, hits / base
    middle = (share + z**2 / (2 * base)) / (1 + z**2 / base)
    half = z / (1 + z**2 / base) * (share * (1 - share) / base + z**2 / (4 * base**2)) ** 0.5
    return Rate(hits, base, share, middle - half, middle + half)


def test_the_rate_of_a_survey_of_1567_is_known_to_within_a_few_points() -> None:
    found = whole(398, 1_567)
    assert found.share == pytest.approx(0.254, abs=5e-4)
    assert found.low is not None
    assert found.high is not None
    # The textbook's: 1.96 * sqrt(p (1 - p) / n * (1 - n / N)).
    assert (found.high - found.low) / 2 == pytest.approx(0.0201, abs=2e-4)


@pytest.mark.parametrize(("base", "share"), [(29, None), (30, 0.5)])
def test_a_rate_needs_a_base_of_thirty(base: int, share: float | None) -> None:
    found = whole(15, base)
    assert found.share == share
    assert (found.low is None) is (share is None)


def test_nobody_reads_a_share_over_a_hundred_per_cent() -> None:
    """Whose invitation came back may answer a reminder."""
    assert whole(41, 40) == Rate(41, 40, None)


def test_figures_that_contradict_each_other_have_no_rate_until_that_is_told() -> None:
    assert rate(40, 60, [Stratum(0, 30, 10), Stratum(100, 30, 30)]) == Rate(40, 60, None)
    assert rate(40, 60, [Stratum(90, 10, 20), Stratum(100, 50, 20)]) == Rate(40, 60, None)


def test_where_everybody_was_asked_nothing_is_estimated() -> None:
    strata = [Stratum(40, 40, 13), Stratum(60, 60, 20)]
    found = rate(33, 100, strata)
    assert found.low == found.high == found.share == 0.33


def test_where_the_groups_were_asked_out_of_proportion_no_interval_stands_beside_another_share() -> (
    None
):
    """A tenth of the people were half of those asked, and answer nine times as often."""
    strata = [Stratum(1_000, 200, 180), Stratum(9_000, 200, 20)]
    assert rate(200, 400, strata) == Rate(200, 400, 0.5)


def test_the_interval_holds_the_share_of_all_in_95_of_100_samples() -> None:
    dice = np.random.default_rng(20180709)
    truth = [
        round(n * share)
        for n, share in zip(FRAME, (0.5, 0.2, 0.3, 0.1, 0.4, 0.3, 0.2), strict=True)
    ]
    sizes = [round(n * 0.06) for n in FRAME]
    held = 0
    for _ in range(2_000):
        hits = [
            int(dice.hypergeometric(t, n - t, size))
            for t, n, size in zip(truth, FRAME, sizes, strict=True)
        ]
        found = rate(
            sum(hits), sum(sizes), [Stratum(*one) for one in zip(FRAME, sizes, hits, strict=True)]
        )
        assert found.low is not None
        assert found.high is not None
        held += found.low <= sum(truth) / sum(FRAME) <= found.high
    assert held / 2_000 == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        (wilson(56, 70), wilson(48, 80), 20.0),  # 0.0524 to 0.3339, Newcombe 1998, table II
        (wilson(48, 80), wilson(56, 70), -20.0),
        (wilson(9, 10), wilson(3, 10), 60.0),  # 0.1705 to 0.8090
        (wilson(5, 56), wilson(0, 29), None),  # -0.0381 to 0.1926
        (wilson(0, 10), wilson(0, 20), None),
    ],
)
def test_a_rate_has_changed_only_where_the_interval_of_the_difference_leaves_out_0(
    now: Rate, before: Rate, change: float | None
) -> None:
    assert points(now, before) == (change and pytest.approx(change))


def test_equal_surveys_are_told_to_differ_in_5_of_100_at_the_most() -> None:
    dice = np.random.default_rng(20180709)
    pairs = dice.hypergeometric(3_000, 9_000, 400, (2_000, 2))
    alarms = sum(points(whole(int(a), 400), whole(int(b), 400)) is not None for a, b in pairs)
    assert 0.03 < alarms / 2_000 < 0.06


@pytest.mark.parametrize("missing", ["share", "low", "high"])
def test_a_rate_that_is_not_known_has_not_changed(missing: str) -> None:
    few = replace(wilson(10, 100), **{missing: None})
    assert points(few, wilson(90, 100)) is None
    assert points(wilson(90, 100), few) is None
