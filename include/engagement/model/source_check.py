"""Shows what a source's YAML would make of a library system, before anything is kept."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd
from sqlalchemy.engine import URL

from engagement import clock
from engagement.model import reading, source as sources, text
from engagement.model.normalise import Normaliser
from engagement.model.source import UNMAPPED, Source
from engagement.period import Period

ROWS = 1_000
# Normalised column -> the source's fields that it is made of, and the column that says what is wrong.
_COLUMNS = {
    "name": (("given_name", "family_name", "full_name"), "name_fault"),
    "status": (("patron_type",), "status_fault"),
    "affiliation": (("affiliation",), "affiliation_fault"),
    "email": (("email",), "email_fault"),
    "membership": (("membership", "expiry"), "membership_fault"),
}
_CODES = ("patron_type", "membership", "prefix")


@dataclass
class Filled:
    """How often a field says something: in records of those that were read.

    Attributes:
        is_held: whether the YAML names a column for it at all.
        faults: what is wrong -> records.
    """

    is_held: bool
    filled: int = 0
    faults: dict[str, int] = field(default_factory=dict)


@dataclass
class SourceCheck:
    """What a source's YAML makes of its first records.

    Attributes:
        source_count: records by the system's own count.
        read_count: records that were looked at, at most ROWS.
        unreadable: reason -> records that would go to quarantine.
        fields: what the checks look at -> how it is filled.
        unmapped: field -> code that the YAML does not name -> records.
        groups: group -> records; unmapped ones included.
        contradictions: past_expiry, no_expiry -> records whose membership the YAML's choice decides.
    """

    system: str
    label: str
    source_count: int
    read_count: int
    unreadable: dict[str, int]
    fields: dict[str, Filled]
    unmapped: dict[str, dict[str, int]]
    groups: dict[str, int]
    contradictions: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain dictionaries."""
        return asdict(self)


def check(system: str, library: URL) -> SourceCheck:
    """Connect, read up to ROWS records, and say what the source's YAML would make of them.

    Nothing is written anywhere.

    Raises:
        EngagementError: there is no such source, or it cannot be read.
    """
    source = sources.load(system)
    now = clock.now()
    with reading.opened(source, library, Period(now.year, now.month).previous) as opened:
        known = dict(opened.columns)  # also sees that the YAML's columns are there
        count = opened.count()
        normaliser = Normaliser(
            source, 0, now.date(), secrets.token_bytes(32), carrier=opened.carrier
        )
        chunk = next((normaliser.chunk(records) for records in opened.chunks(ROWS)), None)
    rows = pd.DataFrame() if chunk is None or not known else chunk.rows.to_pandas()
    return SourceCheck(
        system=system,
        label=source.label,
        source_count=count,
        read_count=0 if chunk is None else len(rows) + len(chunk.quarantined),
        unreadable=_counted(reason for _, reason, _ in (chunk.quarantined if chunk else ())),
        fields={name: _filled(rows, name, _held(source, library)) for name in _COLUMNS},
        unmapped={name: _unmapped(rows, name, source) for name in _CODES},
        groups=_counted(_column(rows, "group_code", UNMAPPED)),
        contradictions=_counted(filter(None, _column(rows, "contradiction", ""))),
    )


def _held(source: Source, library: URL) -> set[str]:
    """Return the fields for which the YAML names a column of what is read."""
    part = source.export if library.drivername == reading.FILE else source.database
    return {str(field) for field in part.columns} if part else set()


def _filled(rows: pd.DataFrame, name: str, held: set[str]) -> Filled:
    fields, fault = _COLUMNS[name]
    faults = _counted(filter(None, _column(rows, fault, "")))
    return Filled(
        is_held=bool(held & set(fields)), filled=len(rows) - sum(faults.values()), faults=faults
    )


def _unmapped(rows: pd.DataFrame, name: str, source: Source) -> dict[str, int]:
    known = {
        "patron_type": set(source.patron_types),
        "membership": source.membership.active | source.membership.suspended,
        "prefix": set(source.prefixes),
    }[name]
    codes = (text.clean(code) for code in _column(rows, f"{name}_raw", ""))
    return _counted(code for code in codes if code and code not in known)


def _column(rows: pd.DataFrame, name: str, missing: str) -> list[str]:
    return [] if rows.empty else list(rows[name].fillna(missing))


def _counted(values: Any) -> dict[str, int]:
    """Return value -> how often, the most frequent first."""
    return dict(Counter(values).most_common())
