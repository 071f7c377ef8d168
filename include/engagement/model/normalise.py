"""Turns source records into the columns that the checks see: a value or NULL, and why it is NULL."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from engagement import address, dates, text
from engagement.errors import EngagementError
from engagement.model import emails, names
from engagement.model.records import FIELDS, LONGEST_ID, LONGEST_VALUE, Records, Value
from engagement.model.source import Source

# Identity is kept as source_id, and of the citizen number only a digest.
_RAW_FIELDS = tuple(field for field in FIELDS if field not in ("source_id", "citizen_id"))
# The columns of stage.patron.
SCHEMA = pa.schema(
    [
        ("extract_id", pa.int32()),
        ("record_no", pa.int64()),
        ("source_id", pa.string()),
        *((f"{field}_raw", pa.string()) for field in _RAW_FIELDS),
        ("title", pa.string()),
        ("given_name", pa.string()),
        ("family_name", pa.string()),
        ("name", pa.string()),
        ("name_fault", pa.string()),
        ("status", pa.string()),
        ("status_fault", pa.string()),
        ("affiliation", pa.string()),
        ("affiliation_fault", pa.string()),
        ("email", pa.string()),
        ("email_fault", pa.string()),
        ("email_suggestion", pa.string()),
        ("membership", pa.string()),
        ("membership_fault", pa.string()),
        ("contradiction", pa.string()),
        ("expiry_date", pa.date32()),
        ("group_code", pa.string()),
        ("address_key", pa.binary()),
        ("same_person", pa.list_(pa.int64())),
    ]
)
_SEPARATOR = b"\x1f"
_ERASED = "objected"  # the reason for which an erased patron's record is rejected
_WORD = re.compile(rb"[\w./-]+")
_NO_EMAIL = (None, None, "missing")

Quarantined = tuple[int, str, bytes]
Objects = np.ndarray[Any, Any]  # of objects
Frame = dict[str, Objects]


@dataclass(frozen=True)
class Chunk:
    """Normalised rows with the columns of SCHEMA, and the records that cannot be read."""

    rows: pa.RecordBatch
    quarantined: list[Quarantined]


class Normaliser:
    """Reads one extract's records by the rules of its source, as of one day."""

    def __init__(
        self,
        source: Source,
        extract_id: int,
        as_of: date,
        key: bytes,
        *,
        first_no: int = 0,
        carrier: str | None = None,
        takes_mail: Callable[[set[str]], Mapping[str, bool | None]] | None = None,
        is_erased: Callable[[str], bool] | None = None,
    ) -> None:
        """Take what all records have in common.

        Args:
            source: the rules.
            extract_id: whose rows these are.
            as_of: the day that "current" means.
            key: of the HMACs.
            first_no: what is added to the records' numbers.
            carrier: the encoding as which the source's bytes came as text, or None where text is text.
            takes_mail: says of mail domains whether they take mail (None: not known), or None where
                the source does not ask that.
            is_erased: says of an id whether it is an erased patron's, or None where nobody is erased.
        """
        self._source = source
        self._extract_id = extract_id
        self._as_of = as_of
        self._key = key
        self._mark_key = hashlib.sha256(key).digest()
        self._first_no = first_no
        self._carrier = carrier
        self._takes_mail = takes_mail
        self._is_erased = is_erased
        self._titles = names.Titles(source.prefixes.values(), source.single_name.titles)
        self._domains = emails.known_domains() | set(source.email.own_domains)

    def chunk(self, records: Records) -> Chunk:
        """Return the records as rows for stage and for quarantine.

        Of an erased patron's record nothing is kept but its number.
        """
        numbers = np.asarray(records.numbers, dtype=np.int64) + self._first_no
        found = {field: _objects(records.fields.get(field), records) for field in FIELDS}
        unknown = frozenset(map(text.clean, records.unknown.get("affiliation", ())))
        raw, reasons = self._decode(found, unknown)
        self._leave_out_erased(raw["source_id"], reasons)
        unread = np.flatnonzero(reasons != None)  # noqa: E711 - element by element
        quarantined = [
            *(self._malformed(number, data) for number, data in records.malformed),
            *(self._unread(int(numbers[at]), reasons[at], found, int(at)) for at in unread),
        ]
        kept = np.flatnonzero(reasons == None)  # noqa: E711
        columns = self._columns({field: values[kept] for field, values in raw.items()}, unknown)
        columns["record_no"] = numbers[kept]
        columns["extract_id"] = np.full(len(kept), self._extract_id, dtype=np.int32)
        arrays = [pa.array(columns[field.name], type=field.type) for field in SCHEMA]
        return Chunk(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA), quarantined)

    def _leave_out_erased(self, source_ids: Objects, reasons: Objects) -> None:
        """Put erased patrons' records aside, whether they can be read or not."""
        if self._is_erased is not None:
            for at, value in enumerate(source_ids):
                if isinstance(value, str) and self._is_erased(value.strip()):
                    reasons[at] = _ERASED

    def _malformed(self, number: int, data: bytes) -> Quarantined:
        """Return a record that did not come apart; an erased patron's has his id as a word of it."""
        is_erased = self._is_erased
        if is_erased and any(
            is_erased(word.decode(errors="replace")) for word in _WORD.findall(data)
        ):
            return self._first_no + number, _ERASED, b""
        return self._first_no + number, "malformed", data

    def _unread(self, number: int, reason: str, found: Frame, at: int) -> Quarantined:
        return number, reason, b"" if reason == _ERASED else self._bytes(found, at)

    def _decode(self, found: Frame, unknown: frozenset[str]) -> tuple[Frame, Objects]:
        """Return the values as text, and per record why it goes to quarantine, or None."""
        raw = {}
        reasons = np.full(len(found["source_id"]), None, dtype=object)
        for field, values in found.items():
            codes, distinct = pd.factorize(values)
            read = [
                self._decoded(value)
                if isinstance(value, str)
                else self._chosen(field, value, unknown)
                for value in distinct
            ]
            raw[field] = _array([*read, None])[codes]
            for code, value in enumerate(read):
                if isinstance(value, _Unreadable):
                    reasons[codes == code] = value.reason
        no_id = _map(raw["source_id"], lambda value: value if _may_be_id(value) else None)
        reasons[(no_id == None) & (reasons == None)] = "malformed"  # noqa: E711 - element by element
        return raw, reasons

    def _chosen(
        self, field: str, values: tuple[str, ...], unknown: frozenset[str]
    ) -> str | _Unreadable:
        """Return the first of several columns that says something, else the first."""
        read = [self._decoded(value) for value in values]
        return next((value for value in read if self._counts(field, value, unknown)), read[0])

    def _counts(self, field: str, value: str | _Unreadable, unknown: frozenset[str]) -> bool:
        """Return whether it is an address, a known affiliation, or of other fields no placeholder."""
        if isinstance(value, _Unreadable):
            return True
        cleaned = text.clean(value)
        if field == "email":
            return self._email(cleaned)[0] is not None
        if field == "affiliation":
            return self._affiliation_fault(unknown, cleaned) is None
        return not self._source.placeholders.has(field, cleaned)

    def _decoded(self, value: str) -> str | _Unreadable:
        """Return what the source's value says, without NUL, which PostgreSQL cannot hold."""
        if len(value) > LONGEST_VALUE:
            return _Unreadable("malformed")
        if value.isascii():
            return value.replace("\0", "") if "\0" in value else value
        read = self._carried(value) if self._carrier else _whole(value)
        return _Unreadable("undecodable") if read is None else read.replace("\0", "")

    def _carried(self, value: str) -> str | None:
        """Return what the bytes say that came as text, or None.

        Raises:
            EngagementError: they did not come as the source's YAML says.
        """
        try:
            carried = value.encode(self._carrier or "")
        except UnicodeEncodeError:
            raise EngagementError(
                f"The connection to {self._source.label} does not carry text as {self._carrier}; set "
                f"its client encoding to that, or take driver_encoding out of {self._source.system}.yaml."
            ) from None
        return text.decode(carried, self._source.encodings)

    def _bytes(self, found: Frame, at: int) -> bytes:
        """Return what the source gave, field by field, separated by the unit separator."""
        encoding = self._carrier or "utf-8"
        return _SEPARATOR.join(
            value.encode(encoding, "surrogatepass")
            for field in FIELDS
            for value in _each(found[field][at])
        )

    def _columns(self, raw: Frame, unknown: frozenset[str]) -> Frame:
        clean = {field: _map(raw[field], _cleaned) for field in FIELDS if field != "source_id"}
        clean["nationality"] = _map(clean["nationality"], self._country)
        out = {f"{field}_raw": raw[field] for field in _RAW_FIELDS}
        # As the system holds it: two ids that differ in what cannot be seen are two.
        out["source_id"] = _array(map(str.strip, raw["source_id"]))
        self._add_names(out, clean)
        out["status"] = _map(clean["patron_type"], self._source.patron_types.get)
        out["status_fault"] = _faults(clean["patron_type"], out["status"], "unknown code")
        self._add_affiliation(out, clean["affiliation"], unknown)
        self._add_email(out, clean["email"])
        self._add_membership(out, clean)
        out["group_code"] = _pairs(
            clean["patron_type"], clean["nationality"], read=self._source.group
        )
        out["same_person"] = self._same_person(out, clean)
        return out

    def _add_names(self, out: Frame, clean: Frame) -> None:
        found = [
            self._name(*record)
            for record in zip(
                _map(clean["given_name"], self._first),
                _map(clean["family_name"], self._part),
                _map(clean["full_name"], self._whole),
                _map(clean["prefix"], self._source.prefixes.get),
                clean["prefix"],
                clean["nationality"],
                strict=True,
            )
        ]
        columns = zip(*found, strict=True) if found else [()] * 5
        for column, values in zip(
            ("title", "given_name", "family_name", "name", "name_fault"), columns, strict=True
        ):
            out[column] = _array(values)

    def _part(self, value: str | None) -> str | None:
        """Return a part of a name, empty where it is a placeholder."""
        return "" if value and self._source.placeholders.has("name", value) else value

    def _first(self, value: str) -> tuple[_Name, _Name | None]:
        """Return what the field of the given name says, and what if it also holds the family name."""
        title, given = self._titles.split(value)
        both = self._whole(value) if names.may_hold_both(value) else None
        return _Name(title, self._part(given), None), both

    def _whole(self, value: str) -> _Name:
        title, given, family = self._titles.split_full(value)
        return _Name(title, self._part(given), self._part(family))

    def _name(
        self,
        first: tuple[_Name, _Name | None] | None,
        family: str | None,
        whole: _Name | None,
        coded: str | None,
        prefix: str | None,
        nationality: str | None,
    ) -> tuple[str | None, ...]:
        """Return title, given and family name, the whole name or None, and what is wrong with it."""
        (title, given, _), both = first or _NO_NAME
        if not (given and family):
            read = [_Name(title, given, family), *filter(None, (both, whole))]
            title, given, family = max(read, key=_worth)
        if given and family:
            return title or coded, given, family, f"{given} {family}", None
        if given and self._may_be_single(
            " ".join(filter(None, (coded, title, given))), prefix, nationality
        ):
            return title or coded, given, None, given, None
        return title or coded, given or None, family or None, None, _name_fault(given, family)

    def _may_be_single(self, name: str, prefix: str | None, nationality: str | None) -> bool:
        rule = self._source.single_name
        return (
            prefix in rule.prefixes
            or nationality in rule.nationalities
            or self._titles.needs_no_family_name(name)
        )

    def _told(self, field: str, value: str) -> str | None:
        return None if self._source.placeholders.has(field, value) else value

    def _country(self, value: str) -> str | None:
        """Return the country, or None where the value stands for nothing or nobody knows it."""
        return None if self._told("nationality", value) is None else self._source.country(value)

    def _add_affiliation(self, out: Frame, clean: Objects, unknown: frozenset[str]) -> None:
        faults = _map(clean, partial(self._affiliation_fault, unknown))
        faults[clean == None] = "missing"  # noqa: E711 - element by element
        out["affiliation"] = clean.copy()
        out["affiliation"][faults != None] = None  # noqa: E711
        out["affiliation_fault"] = faults

    def _affiliation_fault(self, unknown: frozenset[str], value: str) -> str | None:
        if self._told("affiliation", value) is None:
            return "placeholder"
        return "unknown code" if value in unknown else None

    def _add_email(self, out: Frame, clean: Objects) -> None:
        read = _map(clean, self._email)
        columns = (
            zip(*(found or _NO_EMAIL for found in read), strict=True) if len(read) else [()] * 3
        )
        for column, values in zip(
            ("email", "email_suggestion", "email_fault"), columns, strict=True
        ):
            out[column] = _array(values)
        if self._takes_mail is not None:
            self._drop_dead(out, self._takes_mail)
        out["address_key"] = _map(out["email"], lambda email: address.digest(email, self._key))

    def _email(self, value: str) -> tuple[str | None, str | None, str | None]:
        """Return the field's first address in its normal form, what it may have meant, and the fault."""
        email = emails.first_address(value)
        if self._source.placeholders.has("email", email or value):
            return None, None, "placeholder"
        if email is None:
            return None, None, "no address"
        return email, emails.suggestion(email, self._domains), None

    def _drop_dead(
        self, out: Frame, takes_mail: Callable[[set[str]], Mapping[str, bool | None]]
    ) -> None:
        """Take out the addresses of domains that surely take no mail."""
        domains = _map(out["email"], lambda email: email.rpartition("@")[2])
        known = takes_mail({domain for domain in domains if domain is not None})
        for at, domain in enumerate(domains):
            if domain is not None and known.get(domain) is False:
                out["email"][at], out["email_fault"][at] = None, "domain takes no mail"

    def _add_membership(self, out: Frame, clean: Frame) -> None:
        found = _pairs(clean["membership"], clean["expiry"], read=self._membership)
        out["membership_fault"] = _array([fault for fault, _, _ in found])
        out["membership"] = _array([None if fault else "current" for fault, _, _ in found])
        out["contradiction"] = _array([contradiction for _, contradiction, _ in found])
        out["expiry_date"] = _array([expiry for _, _, expiry in found])

    def _membership(
        self, state: str | None, written: str | None
    ) -> tuple[str | None, str | None, date | None]:
        """Return why the membership is not current, which contradiction decided that, and its last day."""
        rule = self._source.dates
        expiry = None if written is None else dates.parse(written, rule.era, rule.order)
        return *self._not_current(state, written, expiry), expiry

    def _not_current(
        self, state: str | None, written: str | None, expiry: date | None
    ) -> tuple[str | None, str | None]:
        """Return why the membership is not current, or None, and which contradiction decided that.

        Contradictory is also a state that the source does not name, and an active one with an expiry
        that is no day of the calendar: no rule of the source speaks for those.
        """
        rule = self._source.membership
        if state in rule.suspended:
            return "suspended", None
        if state not in rule.active or (written is not None and expiry is None):
            return "contradictory", None
        if expiry is None:
            return (
                None if rule.contradiction.no_expiry == "state" else "contradictory"
            ), "no_expiry"
        if expiry < self._as_of:
            return (None if rule.contradiction.past_expiry == "state" else "expired"), "past_expiry"
        return None, None

    def _same_person(self, out: Frame, clean: Frame) -> Objects:
        """Return per record one mark a rule: equal marks are one person, None marks nobody."""
        clean = clean | {"citizen_id": _map(clean["citizen_id"], partial(self._told, "citizen_id"))}
        rules = [
            [out[field] if field in out else clean[field] for field in rule]
            for rule in self._source.same_person
        ]
        marks = [
            _map(rule[0], partial(self._mark, number))
            if len(rule) == 1
            else [
                None if None in values else self._mark(number, *values)
                for values in zip(*rule, strict=True)
            ]
            for number, rule in enumerate(rules)
        ]
        count = len(out["source_id"])
        return _array(map(list, zip(*marks, strict=True)) if marks else ([] for _ in range(count)))

    def _mark(self, rule: int, *values: str) -> int:
        """Return 64 bits of a keyed digest: among ten million records two agree by chance once in 10^6."""
        joined = "\0".join((str(rule), *values)).casefold()
        digest = hashlib.blake2b(joined.encode(), key=self._mark_key, digest_size=8).digest()
        return int.from_bytes(digest, signed=True)


class _Name(NamedTuple):
    """One reading of a name; a part that is a placeholder is empty."""

    title: str | None
    given: str | None
    family: str | None


_NO_NAME = _Name(None, None, None), None


@dataclass(frozen=True)
class _Unreadable:
    """Stands where a value cannot be read; its record goes to quarantine for this reason."""

    reason: str


def _each(value: Value) -> Sequence[str]:
    return value if isinstance(value, tuple) else (value or "",)


def _may_be_id(value: str | _Unreadable) -> bool:
    if isinstance(value, _Unreadable):
        return True
    return bool(text.clean(value)) and len(value.strip()) <= LONGEST_ID


def _worth(name: _Name) -> tuple[bool, bool, bool]:
    """Return what the readings of a name are compared by: the whole one, one with a given name, any."""
    given, family = name.given, name.family
    return bool(given and family), bool(given), given is not None or family is not None


def _name_fault(given: str | None, family: str | None) -> str:
    if given is None and family is None:
        return "missing"
    if "" in (given, family):
        return "placeholder"
    return "no family name" if given else "no given name"


def _whole(value: str) -> str | None:
    """Return the text unless half a character stands in it, as JSON can spell it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def _cleaned(value: str) -> str | None:
    return text.clean(value) or None


def _objects(values: Sequence[Value] | None, records: Records) -> Objects:
    if values is None:
        return np.full(len(records.numbers), None, dtype=object)
    return _array(values)


def _array(values: Any) -> Objects:
    """Return the values as an array of objects, lists and tuples among them as they are."""
    return np.fromiter(values, dtype=object)


def _map(values: Objects, read: Callable[[Any], Any]) -> Objects:
    """Return `read` of each value, worked out once per distinct value; missing stays missing."""
    codes, distinct = pd.factorize(values)  # missing is -1: the last
    return _array([*map(read, distinct), None])[codes]


def _pairs(left: Objects, right: Objects, read: Callable[[Any, Any], Any]) -> Objects:
    """Return `read` of each pair, worked out once per distinct pair."""
    pairs = list(zip(left, right, strict=True))
    known = {pair: read(*pair) for pair in set(pairs)}
    return _array([known[pair] for pair in pairs])


def _faults(found: Objects, kept: Objects, fault: str) -> Objects:
    """Return per record: nothing where a value was kept, `missing` or `fault` where not."""
    return _array(
        [
            None if value is not None else "missing" if raw is None else fault
            for raw, value in zip(found, kept, strict=True)
        ]
    )
