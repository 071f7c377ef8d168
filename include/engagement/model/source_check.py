"""Shows what a source's YAML would make of a library system, before anything is kept."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy.engine import URL

from engagement import clock, text
from engagement.groups import UNMAPPED
from engagement.labels import labels
from engagement.model import reading, source as sources
from engagement.model.normalise import Normaliser
from engagement.model.reading import Reading
from engagement.model.records import FieldName, Records
from engagement.model.source import Source
from engagement.period import Period
from engagement.settings import settings

ROWS = 1_000
_CODES = 20  # of each kind that are listed
# What is longer and no UUID, an address or a long number was no code, and is perhaps a patron's.
_CODE = re.compile(r"(?!\d{8})[^@]{1,30}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Reason of a rejection -> what must be there, or nobody is a real customer.
_NEEDED = {
    "not_current": "membership",
    "name": "name",
    "status": "status",
    "affiliation": "affiliation",
    "email": "email",
}
# Part of the YAML -> the field whose codes it names.
_CODED: dict[str, FieldName] = {
    "patron_types": "patron_type",
    "groups": "patron_type",
    "membership": "membership",
    "prefixes": "prefix",
    "nationalities": "nationality",
    "lookups": "affiliation",
}
_NO_LOOK_UP = (
    "Mail domains are not asked here: a month takes out the addresses of those that take no mail "
    "(look_up_domains)."
)
# What is looked at -> the fields that it is made of.
_MADE_OF: dict[str, tuple[FieldName, ...]] = {
    "name": ("given_name", "family_name", "full_name"),
    "status": ("patron_type",),
    "affiliation": ("affiliation",),
    "email": ("email",),
    "membership": ("membership", "expiry"),
    "expiry": ("expiry",),
    "prefix": ("prefix",),
    "nationality": ("nationality",),
}

Rows = Mapping[str, list[Any]]  # column of stage.patron -> its values
Faults = list[str | None]  # per record: what is wrong, if anything


@dataclass(frozen=True)
class Filled:
    """How often something is there, in records of those that could be read.

    Attributes:
        columns: where the YAML says that it stands; none: the system does not hold it.
        filled: records in which it is there and means something.
        faults: what is wrong in the others -> records: missing, placeholder, or how else it is invalid.
    """

    columns: tuple[str, ...]
    filled: int
    faults: dict[str, int]


@dataclass(frozen=True)
class Unmapped:
    """Codes that a part of the YAML does not explain, the most frequent first.

    Attributes:
        codes: code -> records; at most 20, and none that does not look like a code.
        more: how many other values there are.
        more_records: in how many records.
    """

    codes: dict[str, int]
    more: int
    more_records: int


@dataclass(frozen=True)
class SourceCheck:
    """What a source's YAML makes of its first records.

    Attributes:
        source_count: records by the system's own count; None of a file, which has to be read for it.
        read_count: records that were looked at, at most ROWS.
        as_of_date: the day that "current" means.
        unreadable: reason -> records that would go to quarantine.
        fields: what is looked at -> how it is filled.
        complete_count: records of current members with everything that makes a real customer.
        explanations: why nobody can be one: sentences, of all records that were read.
        doubts: which column looks like the wrong one: sentences.
        unmapped: part of the YAML -> the codes that are missing there, where there are any.
        groups: group -> records, in the order of every table; unmapped ones last.
        notices: what deserves a look -> records.
        expiry_dates: earliest, median, latest -> that date of those that were read, in ISO; of none nothing.
        wins: past_expiry, no_expiry -> what the YAML lets decide then, state or expiry.
        left_out: what a month asks and this does not: sentences.
    """

    system: str
    label: str
    source_count: int | None
    read_count: int
    as_of_date: date
    unreadable: dict[str, int]
    fields: dict[str, Filled]
    complete_count: int
    explanations: list[str]
    doubts: list[str]
    unmapped: dict[str, Unmapped]
    groups: dict[str, int]
    notices: dict[str, int]
    expiry_dates: dict[str, str]
    wins: dict[str, str]
    left_out: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return asdict(self) | {"as_of_date": self.as_of_date.isoformat()}


def check(system: str, library: URL) -> SourceCheck:
    """Connect, read up to ROWS records, and say what the source's YAML would make of them.

    Nothing is written anywhere, and no warehouse is needed. Of a file only the beginning is read: whether
    it is whole shows when a month is read.

    Args:
        system: the name of its YAML.
        library: where it is; see `reading.opened`. {period} stands for the month before this one.

    Raises:
        EngagementError: there is no such source, or it cannot be read.
    """
    source = sources.load(system)
    now = clock.now()
    with reading.opened(source, library, Period(now.year, now.month).previous) as opened:
        count = None if library.drivername == reading.FILE else _own_count(opened)
        stands_at = opened.as_of
        records = next(opened.chunks(ROWS), Records((), {}))
    day = stands_at.astimezone(settings().zone).date()
    chunk = Normaliser(source, 0, day, secrets.token_bytes(32), carrier=opened.carrier).chunk(
        records
    )
    rows: Rows = chunk.rows.to_pydict()
    faults, unnamed = _faults(rows, source), _unnamed(rows, source)
    doubts = _doubts(unnamed, rows)
    fields = {name: _filled(name, found, source, library) for name, found in faults.items()}
    return SourceCheck(
        system=system,
        label=source.label,
        source_count=count,
        read_count=len(records),
        as_of_date=day,
        unreadable=_counted(reason for _, reason, _ in chunk.quarantined),
        fields=fields,
        complete_count=_complete(faults),
        explanations=_explanations(fields, source) if rows["record_no"] else [],
        doubts=list(doubts.values()),
        unmapped={
            part: _most_frequent(codes, are_codes=part not in doubts)
            for part, codes in unnamed.items()
        },
        groups=_groups(rows),
        notices=_notices(rows),
        expiry_dates=_expiry_dates(rows),
        wins=source.membership.contradiction.model_dump(),
        left_out=[_NO_LOOK_UP] if source.email.look_up_domains else [],
    )


def _own_count(opened: Reading) -> int:
    """Return the system's own count, having seen that its query gives the YAML's columns."""
    _ = opened.columns
    return opened.count()


def _faults(rows: Rows, source: Source) -> dict[str, Faults]:
    """Return per record what is wrong, first with what makes a real customer."""
    prefixes, days = _codes(rows, "prefix"), _codes(rows, "expiry")
    nationalities = _codes(rows, "nationality")
    return {
        "name": rows["name_fault"],
        "status": [
            fault or (None if group else "in no group")
            for fault, group in zip(rows["status_fault"], rows["group_code"], strict=True)
        ],
        "affiliation": rows["affiliation_fault"],
        "email": rows["email_fault"],
        "membership": rows["membership_fault"],
        "expiry": _missing(days, rows["expiry_date"], "no date"),
        "prefix": _missing(prefixes, map(source.prefixes.get, prefixes), "unknown code"),
        "nationality": [_nationality_fault(code, source) for code in nationalities],
    }


def _nationality_fault(code: str, source: Source) -> str | None:
    if not code:
        return "missing"
    if source.placeholders.has("nationality", code):
        return "placeholder"
    return None if source.country(code) else "unknown code"


def _codes(rows: Rows, field: FieldName) -> list[str]:
    """Return the values of a field as they are compared; empty where there is none."""
    return [text.clean(value or "") for value in rows[f"{field}_raw"]]


def _missing(values: list[str], read: Iterable[Any] | None = None, fault: str = "") -> Faults:
    """Return `missing` for what is empty, and `fault` for what could not be read."""
    understood = values if read is None else read
    return [
        "missing" if not value else None if meant else fault
        for value, meant in zip(values, understood, strict=True)
    ]


def _filled(name: str, faults: Faults, source: Source, library: URL) -> Filled:
    part = source.export if library.drivername == reading.FILE else source.database
    named = part.columns if part else {}
    columns = (column for field in _MADE_OF[name] for column in named.get(field, ()))
    return Filled(
        columns=tuple(dict.fromkeys(columns)),
        filled=faults.count(None),
        faults=_counted(filter(None, faults)),
    )


def _complete(faults: Mapping[str, Faults]) -> int:
    records = zip(*(faults[name] for name in _NEEDED.values()), strict=True)
    return sum(not any(record) for record in records)


def _explanations(fields: Mapping[str, Filled], source: Source) -> list[str]:
    return [
        labels().explanation(reason, label=source.label, system=source.system).en
        for reason, name in _NEEDED.items()
        if not fields[name].filled
    ]


def _unnamed(rows: Rows, source: Source) -> dict[str, list[str]]:
    """Return part of the YAML -> the codes that it lacks, one a record."""
    types = _codes(rows, "patron_type")
    states = source.membership.active | source.membership.suspended
    found = {
        "patron_types": _unknown(types, source.patron_types),
        "groups": [
            code
            for code, status, group in zip(types, rows["status"], rows["group_code"], strict=True)
            if status and not group
        ],
        "membership": _unknown(_codes(rows, "membership"), states),
        "prefixes": _unknown(_codes(rows, "prefix"), source.prefixes),
        "nationalities": [
            code
            for code in _codes(rows, "nationality")
            if _nationality_fault(code, source) == "unknown code"
        ],
        "lookups": [
            code
            for code, fault in zip(
                _codes(rows, "affiliation"), rows["affiliation_fault"], strict=True
            )
            if fault == "unknown code"
        ],
    }
    return {part: codes for part, codes in found.items() if codes}


def _doubts(unnamed: Mapping[str, list[str]], rows: Rows) -> dict[str, str]:
    """Return part of the YAML -> a sentence, where it lacks more codes than there can be."""
    doubts = {}
    for part, codes in unnamed.items():
        field = _CODED[part]
        values = list(filter(None, _codes(rows, field)))
        if len(set(codes)) > max(_CODES, len(values) // 10):
            doubts[part] = (
                f"{field} has {len(set(values)):,} different values in {len(values):,} records: is it "
                "the right column?"
            )
    return doubts


def _unknown(codes: list[str], known: Container[str]) -> list[str]:
    return [code for code in codes if code and code not in known]


def _most_frequent(codes: list[str], *, are_codes: bool) -> Unmapped:
    counts = _counted(codes)
    shown = [code for code in counts if are_codes and _CODE.fullmatch(code)][:_CODES]
    listed = {code: counts[code] for code in shown}
    return Unmapped(listed, len(counts) - len(listed), len(codes) - sum(listed.values()))


def _groups(rows: Rows) -> dict[str, int]:
    counts = Counter(group or UNMAPPED for group in rows["group_code"])
    return {group: counts[group] for group in labels().groups}


def _notices(rows: Rows) -> dict[str, int]:
    contradictions = Counter(rows["contradiction"])
    names = zip(rows["name"], rows["family_name"], strict=True)
    return {
        "single_name": sum(bool(name and not family) for name, family in names),
        "past_expiry": contradictions["past_expiry"],
        "no_expiry": contradictions["no_expiry"],
        "likely_typo": sum(map(bool, rows["email_suggestion"])),
    }


def _expiry_dates(rows: Rows) -> dict[str, str]:
    """Return three of the expiry dates: a year of two digits does not tell its era, all of them together do."""
    found = sorted(day.isoformat() for day in rows["expiry_date"] if day is not None)
    if not found:
        return {}
    return {"earliest": found[0], "median": found[len(found) // 2], "latest": found[-1]}


def _counted(values: Iterable[str]) -> dict[str, int]:
    """Return value -> how often, the most frequent first."""
    return dict(Counter(values).most_common())
