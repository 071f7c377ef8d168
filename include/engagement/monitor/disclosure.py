"""Small numbers: which counts may not stand beside the total of all."""

from __future__ import annotations

from collections.abc import Mapping

SMALL = 4  # 1 to 4 people could be recognised
SHOWN_WHOLE = 100  # among so many, a count of those who have something in common shows nobody


def hidden(counts: Mapping[str, int]) -> frozenset[str]:
    """Return the groups whose count may not be shown beside the total of all.

    Those of 1 to SMALL people, and with them the next larger groups until the total leaves every hidden
    one undetermined (complementary suppression; Hundepool et al., Statistical Disclosure Control, 2012,
    chapter 4). Where no choice of groups does, all are hidden.
    """
    small = [group for group, count in counts.items() if 1 <= count <= SMALL]
    if not small:
        return frozenset()
    larger = sorted((g for g in counts if counts[g] > SMALL), key=lambda g: counts[g])
    for size in range(1, len(larger) + 1):
        beside = larger[:size]
        smallest_shown = counts[larger[size]] if size < len(larger) else None
        hidden_sum = sum(counts[group] for group in (*small, *beside))
        if _undetermined(hidden_sum, len(small), size, smallest_shown):
            return frozenset((*small, *beside))
    return frozenset(counts)


def _undetermined(hidden_sum: int, small: int, larger: int, smallest_shown: int | None) -> bool:
    """Say whether each of the `small` hidden counts could still be anything from 1 to SMALL.

    A reader knows the hidden sum, that each larger count is over SMALL, and that none is larger than
    the smallest one shown.
    """
    could_be_four = hidden_sum - SMALL >= (small - 1) + larger * (SMALL + 1)
    if smallest_shown is None:
        return could_be_four
    return could_be_four and hidden_sum - 1 <= (small - 1) * SMALL + larger * smallest_shown
