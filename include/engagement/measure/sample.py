"""How many are asked, and how many of each group."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from engagement.errors import EngagementError
from engagement.groups import GroupCode
from engagement.measure.campaign import Sample

Counts = Mapping[GroupCode, int]
_HALF = 0.5  # the share whose estimate is least sure


@dataclass(frozen=True)
class Size:
    """How many are asked, and where that number comes from.

    Attributes:
        invited: people asked, all groups together.
        answers_needed: what the margin of error wants, or None where the size was given outright.
    """

    invited: int
    answers_needed: int | None


def size(sample: Sample, frame: Counts) -> Size:
    """Return how many of a frame are asked.

    Args:
        sample: what the campaign says.
        frame: people who may be asked, by group.

    Raises:
        EngagementError: more answers would be needed than there are people to ask.
    """
    people = sum(frame.values())
    if isinstance(sample.allocation, Mapping):
        return Size(sum(min(n, frame[group]) for group, n in sample.allocation.items()), None)
    if sample.size is not None:
        return Size(min(sample.size, people), None)
    assert sample.margin_of_error is not None  # noqa: S101 - see Sample
    assert sample.expected_response_rate is not None  # noqa: S101
    rate, wanted = sample.expected_response_rate, sample.margin_of_error
    needed = answers_needed(wanted, sample.confidence, people)
    least = max(math.ceil(needed / rate), sum(_least(sample, frame).values()))
    # What the groups' unequal shares cost: the fewest people whose answers keep the margin for the whole.
    numbers = range(least, people + 1)
    place = bisect_left(
        numbers,
        True,
        key=lambda invited: margin(sample, frame, allocate(sample, frame, invited)) <= wanted,
    )
    if place == len(numbers):
        raise EngagementError(
            f"A margin_of_error of {wanted:.1%} at a response rate of {rate:.0%} needs more than the {people:,} people "
            f"who may be asked; allow a wider one, or ask all of them with size: {people}."
        )
    invited = numbers[place]
    return Size(invited, needed if invited == least else math.ceil(invited * rate))


def margin(sample: Sample, frame: Counts, asked: Counts) -> float:
    """Return to within what the answers of those asked estimate any share of all groups that are asked.

    Half the interval of a stratified sample at a share of 1/2 in every group (Cochran, Sampling Techniques, 1977,
    5.6), finite population correction included: the groups weigh by their size in the frame, so that unequal
    chances widen it by Kish's design effect of weighting (Survey Sampling, 1965, 11.7).

    Args:
        sample: for its confidence, and the share that answers; everybody where it names none.
        frame: people who may be asked, by group.
        asked: how many of each group are.
    """
    rate = sample.expected_response_rate or 1.0
    people = sum(frame[group] for group, count in asked.items() if count)
    variance = sum(
        (frame[group] / people) ** 2 * _HALF * (1 - _HALF) * (1 / (count * rate) - 1 / frame[group])
        for group, count in asked.items()
        if count
    )
    return _deviations(sample.confidence) * math.sqrt(variance)


def answers_needed(margin: float, confidence: float, people: int) -> int:
    """Return how many answers estimate any share to within `margin` at `confidence`.

    Cochran, Sampling Techniques (1977), 4.4: z^2 p q / d^2 at p = 1/2, with the finite population
    correction n / (1 + (n - 1) / N).
    """
    if people == 0:
        return 0
    infinite = _deviations(confidence) ** 2 * _HALF * (1 - _HALF) / margin**2
    return math.ceil(infinite / (1 + (infinite - 1) / people))


def _deviations(confidence: float) -> float:
    """Return how many standard deviations to both sides hold so much of a normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def allocate(sample: Sample, frame: Counts, invited: int) -> dict[GroupCode, int]:
    """Return how many of each group are asked; their sum is `invited`.

    A group gets its share, but at least the minimum of the sample and at most everybody it has; what one
    group cannot take goes to the others. Rounded by largest remainders.

    Raises:
        EngagementError: the minimum of all groups is more than are asked in all.
    """
    if isinstance(sample.allocation, Mapping):
        return {group: min(n, frame[group]) for group, n in sample.allocation.items()}
    least = _least(sample, frame)
    if sum(least.values()) > invited:
        raise EngagementError(
            f"minimum_per_group takes {sum(least.values()):,} people for all groups together, more than the "
            f"{invited:,} of the sample; lower it, or ask more people."
        )
    weights = dict(frame) if sample.allocation == "proportional" else dict.fromkeys(frame, 1)
    exact = {
        group: min(max(part, least[group]), frame[group])
        for group, part in _filled(weights, least, frame, invited).items()
    }
    return _rounded(exact, frame, invited)


def _least(sample: Sample, frame: Counts) -> dict[GroupCode, int]:
    return {group: min(sample.minimum_per_group, count) for group, count in frame.items()}


def _filled(weights: Counts, least: Counts, most: Counts, total: int) -> dict[GroupCode, float]:
    """Return weights times the one factor at which the parts, kept within their bounds, sum to `total`."""
    low, high = 0.0, float(max(most.values(), default=0) + 1)
    for _ in range(100):  # halved until a double can be halved no more
        factor = (low + high) / 2
        parts = (min(max(factor * weights[g], least[g]), most[g]) for g in weights)
        low, high = (factor, high) if sum(parts) < total else (low, factor)
    return {group: high * weight for group, weight in weights.items()}


def _rounded(exact: Mapping[GroupCode, float], most: Counts, total: int) -> dict[GroupCode, int]:
    found = {group: math.floor(part + 1e-9) for group, part in exact.items()}
    by_rest = sorted(exact, key=lambda group: found[group] - exact[group])
    for group in [g for g in by_rest if found[g] < most[g]][: total - sum(found.values())]:
        found[group] += 1
    return found
