"""Rates of a survey's sample, as shares with intervals, and when two of them differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engagement.measure.figures import PERCENTAGE_BASE, Stratum, estimate

_VISIBLE = 0.0005  # a tenth of a per cent is shown


@dataclass(frozen=True)
class Rate:
    """A share of people, 0 to 1, and its interval at 95 %, which does not count that some do not answer.

    Attributes:
        count: how many it counts.
        base: of how many.
        share: count on base; None where the base is under 30 or not known yet, and then there is no interval.
        low: the lower end; None where there is no interval.
        high: the upper end.
        points: the change from the survey before in percentage points; None where the interval of the
            difference holds 0, or there is nothing that it may be compared with.
    """

    count: int
    base: int
    share: float | None
    low: float | None = None
    high: float | None = None
    points: float | None = None


def rate(count: int, base: int, strata: Sequence[Stratum]) -> Rate:
    """Return the share of `base` that `count` is, with the interval that the sample gives it.

    What is shown is what became of the people who were asked; the interval is that of all who might have been,
    each group weighing as much as it has people. Where the sample was drawn in proportion both shares are the
    same but for the rounding to whole people. Where some groups were asked so much more than others that the
    share shown lies outside of the interval, the two say different things, and there is no interval.

    Args:
        count: people, of those in the sample.
        base: people in the sample.
        strata: the same by group.
    """
    if base < PERCENTAGE_BASE or not _agree(count, base, strata):
        return Rate(count, base, None)
    share = count / base
    _, low, high = estimate(strata) or (share, share, share)
    if not low - _VISIBLE <= share <= high + _VISIBLE:
        return Rate(count, base, share)
    return Rate(count, base, share, min(low, share), max(high, share))


def _agree(count: int, base: int, strata: Sequence[Stratum]) -> bool:
    """Say whether they are shares: figures that contradict each other are told so elsewhere."""
    return count <= base and all(one.hits <= one.sampled <= one.people for one in strata)


def points(now: Rate, before: Rate) -> float | None:
    """Return by how many percentage points a rate differs from that of an earlier survey.

    It is None unless the interval of the difference leaves out 0: Newcombe's hybrid of the two intervals
    (Statistics in Medicine, 1998, method 10) for independent samples; that it holds for any two intervals is
    shown by Zou and Donner (Statistics in Medicine, 2008).
    """
    if now.share is None or now.low is None or now.high is None:
        return None
    if before.share is None or before.low is None or before.high is None:
        return None
    difference = now.share - before.share
    low = difference - math.hypot(now.share - now.low, before.high - before.share)
    high = difference + math.hypot(now.high - now.share, before.share - before.low)
    return 100 * difference if low > 0 or high < 0 else None
