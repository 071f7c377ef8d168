"""What a library system gave, before anybody asks what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

# What a patron record says, all as text; a source's YAML names the column of each.
FieldName = Literal[
    "source_id",
    "prefix",
    "given_name",
    "family_name",
    "full_name",
    "patron_type",
    "affiliation",
    "nationality",
    "citizen_id",
    "email",
    "membership",
    "expiry",
]
FIELDS: tuple[str, ...] = get_args(FieldName)

# Field -> its column; of several the first one counts that holds a value and no placeholder.
Columns = Mapping[FieldName, tuple[str, ...]]
# Where several columns of a field are filled, all of them in their order.
Value = str | tuple[str, ...] | None
Values = list[Value]
# Characters; what is longer is no patron's name or address but what a lost quote has swallowed.
LONGEST_VALUE = 65_536
LONGEST_ID = 500  # an entry of an index takes 2.7 kB


@dataclass(frozen=True)
class Records:
    """Some records of a source.

    Attributes:
        numbers: each record's number in the source, from 1; with those of `malformed` without a gap.
        fields: field of FIELDS -> its values in the order of `numbers`; None is NULL. A field that the
            source does not hold is not there.
        malformed: number and bytes of records that could not be split into fields.
        unknown: field -> those of its values that the lookup of their column does not explain.
    """

    numbers: Sequence[int]
    fields: Mapping[str, Values]
    malformed: Sequence[tuple[int, bytes]] = ()
    unknown: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many records these are, malformed ones included."""
        return len(self.numbers) + len(self.malformed)


def first_filled(columns: Sequence[Values]) -> Values:
    """Return per record the value that is more than spaces; of several all, or None.

    Which of several is a placeholder is known when they are text: see `Normaliser`.
    """
    if len(columns) == 1:
        return columns[0]
    return [_one_or_all(values) for values in zip(*columns, strict=True)]


def _one_or_all(values: Sequence[Value]) -> Value:
    filled = tuple([value for value in values if isinstance(value, str) and value.strip()])
    return filled if len(filled) > 1 else filled[0] if filled else None
