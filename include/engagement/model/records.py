"""What a library system gave, before anybody asks what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

# Field -> its column; of several the first one that is filled counts.
Columns = Mapping[FieldName, tuple[str, ...]]
Values = list[str | None]


@dataclass(frozen=True)
class Records:
    """Some records of a source.

    Attributes:
        numbers: each record's number in the source, from 1; with those of `malformed` without a gap.
        fields: field of FIELDS -> its values in the order of `numbers`; None is NULL. A field that the
            source does not hold is not there.
        malformed: number and bytes of records that could not be split into fields.
    """

    numbers: Sequence[int]
    fields: Mapping[str, Values]
    malformed: Sequence[tuple[int, bytes]] = ()

    def __len__(self) -> int:
        """Return how many records these are, malformed ones included."""
        return len(self.numbers) + len(self.malformed)


def first_filled(columns: Sequence[Values]) -> Values:
    """Return per record the first value that is more than spaces, else None."""
    if len(columns) == 1:
        return columns[0]
    return [
        next((value for value in values if value and not value.isspace()), None)
        for values in zip(*columns, strict=True)
    ]
