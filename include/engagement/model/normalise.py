"""Turns source records into the columns that the checks see: a value or NULL, and why it is NULL."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from engagement import address
from engagement.errors import EngagementError
from engagement.model import dates, text
from engagement.model.source import FIELDS, Source

# stage.patron, in this order; the first two are set by the extract.
COLUMNS = (
    "extract_id",
    "record_no",
    "source_id",
    *(f"{field}_raw" for field in FIELDS if field not in ("source_id", "citizen_id")),
    "title",
    "given_name",
    "family_name",
    "name",
    "name_fault",
    "status",
    "status_fault",
    "affiliation",
    "affiliation_fault",
    "email",
    "email_fault",
    "membership",
    "membership_fault",
    "expiry_date",
    "group_code",
    "address_key",
    "same_person",
)

Quarantined = tuple[int, str, bytes]


@dataclass(frozen=True)
class Chunk:
    """Normalised rows in the order of COLUMNS, and the records that cannot be read."""

    rows: list[tuple[Any, ...]]
    quarantined: list[Quarantined]


class Normaliser:
    """Reads one extract's records by the rules of its source, as of one day."""

    def __init__(self, source: Source, extract_id: int, as_of: date, key: bytes) -> None:
        """Take the source's rules, the day that "current" means, and the key of the HMACs."""
        self._source = source
        self._extract_id = extract_id
        self._as_of = as_of
        self._key = key

    def chunk(self, records: Sequence[dict[str, Any]], first_no: int) -> Chunk:
        """Return the records, numbered from `first_no`, as rows for stage and for quarantine."""
        readable: list[dict[str, Any]] = []
        quarantined: list[Quarantined] = []
        for record_no, record in enumerate(records, first_no):
            decoded = self._decode(record)
            if decoded is None:
                quarantined.append((record_no, "undecodable", self._as_bytes(record)))
            elif not text.clean(decoded["source_id"] or ""):
                quarantined.append((record_no, "malformed", self._as_bytes(record)))
            else:
                readable.append(decoded | {"record_no": record_no})
        if not readable:
            return Chunk([], quarantined)
        frame = pd.DataFrame(readable, columns=["record_no", *FIELDS], dtype=object)
        return Chunk(list(_rows(self._columns(frame))), quarantined)

    def _decode(self, record: dict[str, Any]) -> dict[str, Any] | None:
        decoded: dict[str, Any] = {}
        for field in FIELDS:
            value = record[field]
            if isinstance(value, str) and self._source.driver_encoding and not value.isascii():
                value = self._carried(value)
            if isinstance(value, bytes):
                value = text.decode(value, self._source.encodings)
                if value is None:
                    return None
            if value is not None and not isinstance(value, str):
                raise EngagementError(
                    f"{self._source.label} gives {field} as {type(value).__name__}, not as text: its column "
                    f"was changed. See that its codes are still those of {self._source.system}.yaml, then "
                    f"cast it to text in include/sql/sources/{self._source.system}/patron.sql."
                )
            decoded[field] = None if value is None else value.replace("\0", "")
        return decoded

    def _carried(self, value: str) -> bytes:
        """Return the bytes that the driver carried as text."""
        encoding = self._source.driver_encoding or ""
        try:
            return value.encode(encoding)
        except UnicodeEncodeError:
            raise EngagementError(
                f"The connection to {self._source.label} does not carry text as {encoding}; set its "
                f"client encoding to that, or take driver_encoding out of {self._source.system}.yaml."
            ) from None

    def _as_bytes(self, record: dict[str, Any]) -> bytes:
        """Return what the source gave, field by field, separated by the unit separator."""
        encoding = self._source.driver_encoding or "utf-8"
        values = ("" if record[field] is None else record[field] for field in FIELDS)
        return b"\x1f".join(
            value if isinstance(value, bytes) else str(value).encode(encoding) for value in values
        )

    def _columns(self, raw: pd.DataFrame) -> pd.DataFrame:
        out = pd.DataFrame({"extract_id": self._extract_id, "record_no": raw["record_no"]})
        clean = {field: _map(raw[field], _cleaned) for field in FIELDS}
        out["source_id"] = clean["source_id"]
        for field in FIELDS:
            out[f"{field}_raw"] = raw[field]
        out["title"] = _map(clean["prefix"], self._source.prefixes.get)
        out["given_name"] = _map(clean["given_name"], self._name_part)
        out["family_name"] = _map(clean["family_name"], self._name_part)
        out["name"], out["name_fault"] = self._names(out, clean)
        out["status"] = _map(clean["patron_type"], self._source.patron_types.get)
        out["status_fault"] = _fault(clean["patron_type"], out["status"], "unknown code")
        out["affiliation"] = _map(clean["affiliation"], self._affiliation)
        out["affiliation_fault"] = _fault(clean["affiliation"], out["affiliation"], "placeholder")
        out["email"] = _map(clean["email"], self._email)
        out["email_fault"] = _fault(clean["email"], out["email"], "no address")
        self._add_membership(out, clean)
        out["group_code"] = self._groups(clean)
        out["address_key"] = _map(out["email"], lambda email: self._digest(email.lower()))
        out["same_person"] = self._same_person(out, clean)
        return out[list(COLUMNS)]

    def _name_part(self, value: str) -> str | None:
        word = text.bare(value)
        return None if not word or word in self._source.placeholders.name else value

    def _affiliation(self, value: str) -> str | None:
        word = text.bare(value)
        return None if not word or word in self._source.placeholders.affiliation else value

    def _email(self, value: str) -> str | None:
        """Return the first address of the field in its normal form, or None."""
        first = value.replace(";", " ").replace(",", " ").replace("/", " ").split()[:1]
        if not first or text.bare(first[0]) in self._source.placeholders.email:
            return None
        return address.normal(first[0])

    def _names(
        self, out: pd.DataFrame, clean: dict[str, pd.Series]
    ) -> tuple[list[str | None], list[str | None]]:
        names: list[str | None] = []
        faults: list[str | None] = []
        rule = self._source.single_name
        for given, family, prefix, nationality in _zip(
            out["given_name"], out["family_name"], clean["prefix"], clean["nationality"]
        ):
            may_be_single = prefix in rule.prefixes or nationality in rule.nationalities
            if given and (family or may_be_single):
                names.append(f"{given} {family}" if family else given)
                faults.append(None)
            else:
                names.append(None)
                faults.append("no given name" if not given else "no family name")
        return names, faults

    def _add_membership(self, out: pd.DataFrame, clean: dict[str, pd.Series]) -> None:
        expiry = _map(clean["expiry"], lambda value: dates.parse(value, self._source.dates.era))
        faults = [
            self._not_current(state, written, day)
            for state, written, day in _zip(clean["membership"], clean["expiry"], expiry)
        ]
        out["membership"] = [None if fault else "current" for fault in faults]
        out["membership_fault"] = faults
        out["expiry_date"] = expiry

    def _not_current(
        self, state: str | None, written: str | None, expiry: date | None
    ) -> str | None:
        """Return why the membership is not current on the extract's day, or None."""
        rule = self._source.membership
        if state in rule.suspended:
            return "suspended"
        if state not in rule.active:
            return "contradictory"
        if written is None and rule.missing_expiry == "current":
            return None
        if expiry is None:  # missing, or no day of the calendar
            return "contradictory"
        return "expired" if expiry < self._as_of else None

    def _groups(self, clean: dict[str, pd.Series]) -> list[str | None]:
        known: dict[tuple[Any, ...], str | None] = {}
        pairs = list(_zip(clean["patron_type"], clean["nationality"]))
        for pair in set(pairs):
            known[pair] = self._source.group(*pair)
        return [known[pair] for pair in pairs]

    def _same_person(
        self, out: pd.DataFrame, clean: dict[str, pd.Series]
    ) -> list[list[bytes | None]]:
        """Return per record one mark a rule: equal marks are one person, None marks nobody."""
        clean = clean | {"citizen_id": _map(clean["citizen_id"], self._citizen_id)}
        marks = []
        for rule in self._source.same_person:
            fields = [out[f] if f in out else clean[f] for f in rule]
            marks.append(
                [
                    self._digest("\0".join(values).casefold()) if all(values) else None
                    for values in _zip(*fields)
                ]
            )
        return [list(record) for record in zip(*marks, strict=True)] or [[]] * len(out)

    def _citizen_id(self, value: str) -> str | None:
        word = text.bare(value)
        return None if not word or word in self._source.placeholders.citizen_id else value

    def _digest(self, value: str) -> bytes:
        return hmac.digest(self._key, value.encode(), hashlib.sha256)


def _cleaned(value: str) -> str | None:
    return text.clean(value) or None


def _map(values: pd.Series, read: Callable[[str], Any]) -> pd.Series:
    """Return `read` of each value, worked out once per distinct value; missing stays missing."""
    known = {value: read(value) for value in values.dropna().unique()}
    return pd.Series([known.get(value) for value in values], index=values.index, dtype=object)


def _fault(found: pd.Series, kept: pd.Series, fault: str) -> list[str | None]:
    """Return per record: nothing where a value was kept, `missing` or `fault` where not."""
    return [
        None if value is not None else "missing" if raw is None else fault
        for raw, value in _zip(found, kept)
    ]


def _zip(*series: pd.Series) -> Iterator[tuple[Any, ...]]:
    return zip(*series, strict=True)


def _rows(columns: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    return columns.astype(object).where(columns.notna(), None).itertuples(index=False, name=None)
