"""A library system as data: its YAML says what its columns and codes mean."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from engagement import warehouse, yaml_file
from engagement.dates import Era, Order
from engagement.errors import EngagementError
from engagement.groups import GroupCode
from engagement.model import countries, names
from engagement.model.records import FIELDS, FieldName
from engagement.settings import INCLUDE
from engagement.text import bare, clean


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gates(_Part):
    """What stops an extract from being published, as shares."""

    row_change_limit: float = Field(default=0.30, gt=0)
    real_share_change_limit: float = Field(default=0.30, gt=0)
    undecodable_limit: float = Field(default=0.01, ge=0, le=1)
    malformed_limit: float = Field(default=0.01, ge=0, le=1)


def _require_encoding(name: str) -> str:
    try:
        "a".encode(name)
    except LookupError:
        raise ValueError(f"{name} is no encoding such as utf-8 or cp874") from None
    return name


def _as_it_is_read(code: str) -> str:
    """Bring a code into the form in which records' codes are compared."""
    if not clean(code):
        raise ValueError("a code that is empty fits no record")
    return clean(code)


Code = Annotated[str, AfterValidator(_as_it_is_read)]


def _has_an_id(columns: Any) -> Any:
    if "source_id" not in columns:
        raise ValueError("name the column that tells patrons apart as source_id")
    return columns


def _as_columns(columns: Any) -> Any:
    """Let one column stand for a list of one."""
    if not isinstance(columns, Mapping):
        return columns
    return {field: [name] if isinstance(name, str) else name for field, name in columns.items()}


FieldColumns = Annotated[
    Mapping[
        FieldName, Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    ],
    BeforeValidator(_as_columns),
    AfterValidator(_has_an_id),
]


class Database(_Part):
    """How the queries in include/sql/sources/<system>/ are read."""

    columns: FieldColumns
    driver_encoding: Literal["latin-1"] | None = None  # the only one that carries every byte


class Lookup(_Part):
    """Where a JSON value's meaning stands: in the records of another file."""

    file: str
    records: str
    key: str = "id"
    value: str


class Export(_Part):
    """How exported files are read; a file's ending tells what it is: .csv, .txt, .xlsx or .json."""

    columns: FieldColumns
    delimiter: str = Field(default=",", pattern=r"^[\t!#-/:-@\[-`{-~]$")
    records: str | None = Field(default=None, min_length=1)
    lookups: Mapping[str, Lookup] = {}


class Dates(_Part):
    """How the system writes dates."""

    order: Order = "day/month/year"
    era: Era


class Contradiction(_Part):
    """Which of the two wins where the state says active and the expiry date is past or missing."""

    past_expiry: Literal["expiry", "state"] = "expiry"
    no_expiry: Literal["expiry", "state"] = "expiry"


class Membership(_Part):
    """Which states mean what; any other state contradicts itself."""

    active: frozenset[Code]
    suspended: frozenset[Code] = frozenset()
    contradiction: Contradiction = Contradiction()

    @model_validator(mode="after")
    def _means_one_thing(self) -> Membership:
        if both := self.active & self.suspended:
            raise ValueError(f"both active and suspended: {', '.join(sorted(both))}")
        return self


def _require_country(code: str) -> str:
    if code not in countries.codes():
        raise ValueError("name countries by their two letters of ISO 3166, such as TH")
    return code


Country = Annotated[str, AfterValidator(_require_country)]


class GroupRule(_Part):
    """One rule: fits when every condition that is given fits."""

    group: GroupCode
    patron_type: Annotated[frozenset[Code], Field(min_length=1)] | None = None
    nationality_not: Annotated[frozenset[Country], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> GroupRule:
        if self.patron_type is None and self.nationality_not is None:
            raise ValueError(
                "name a patron_type, a nationality_not, or both; a rule that takes everybody would hide "
                "the codes that nobody mapped"
            )
        return self

    def fits(self, patron_type: str | None, nationality: str | None) -> bool:
        """Return whether a record with this cleaned code, of a member of this country, belongs to it."""
        if self.patron_type is not None and patron_type not in self.patron_type:
            return False
        # Who has no nationality on record is not shown to be a foreigner.
        return self.nationality_not is None or (
            nationality is not None and nationality not in self.nationality_not
        )


class SingleName(_Part):
    """Who may have no family name."""

    prefixes: frozenset[Code] = frozenset()
    titles: frozenset[str] = frozenset()
    nationalities: frozenset[Country] = frozenset()


class Email(_Part):
    """What else is asked about addresses."""

    own_domains: tuple[str, ...] = ()
    look_up_domains: bool = False


class Placeholders(_Part):
    """Words that stand where a value should be, cleaned and bared for comparison."""

    name: frozenset[str] = frozenset()
    affiliation: frozenset[str] = frozenset()
    email: frozenset[str] = frozenset()
    citizen_id: frozenset[str] = frozenset()
    nationality: frozenset[str] = frozenset()

    def model_post_init(self, _: Any) -> None:
        """Bring the words into the form that values are compared in."""
        for field in type(self).model_fields:
            words = frozenset(bare(clean(word)) for word in getattr(self, field))
            object.__setattr__(self, field, words)

    def has(self, field: str, value: str) -> bool:
        """Return whether a cleaned value of a record's field holds punctuation only, or such a word."""
        word = bare(value)
        part = "name" if field.endswith("_name") else field
        return not word or word in getattr(self, part, ())


class Source(_Part):
    """One library system, as `include/sources/<system>.yaml` describes it."""

    system: str
    label: str
    history: bool = False
    as_of: Literal["now", "source"] = "now"
    database: Database | None = None
    export: Export | None = None
    encodings: tuple[str, ...] = ("utf-8", "cp874")
    gates: Gates = Gates()
    dates: Dates
    membership: Membership
    prefixes: Mapping[Code, str] = {}
    patron_types: Mapping[Code, str]
    nationalities: Mapping[str, Country] = {}
    groups: tuple[GroupRule, ...]
    single_name: SingleName = SingleName()
    email: Email = Email()
    placeholders: Placeholders = Placeholders()
    same_person: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()

    @field_validator("encodings")
    @classmethod
    def _are_encodings(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("name at least one, such as utf-8")
        for name in names:
            _require_encoding(name)
        return names

    @field_validator("same_person")
    @classmethod
    def _are_fields(cls, rules: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        unknown = {field for rule in rules for field in rule} - set(FIELDS)
        if unknown:
            raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
        return rules

    @model_validator(mode="after")
    def _names_known_types(self) -> Source:
        named = {code for rule in self.groups for code in rule.patron_type or ()}
        if unknown := named - set(self.patron_types):
            raise ValueError(f"groups name {', '.join(sorted(unknown))}, which patron_types lacks")
        return self

    @model_validator(mode="after")
    def _can_be_read(self) -> Source:
        if self.database is None and self.export is None:
            raise ValueError("say how it is read: under database, under export, or both")
        return self

    @cached_property
    def mapping_hash(self) -> str:
        """A digest of all that decides what a record means.

        That is the YAML but for its limits, the query, the titles and the countries. Mail domains are
        none of it: they only make suggestions.
        """
        rules = self.model_dump(exclude={"label", "gates", "history", "as_of"})
        del rules["email"]["own_domains"]
        query = warehouse.statement(f"sources/{self.system}/patron") if self.database else ""
        known = [rules, names.definition(), countries.known()]
        text = json.dumps(known, ensure_ascii=False, sort_keys=True, default=_as_list)
        return hashlib.sha256(f"{text}\0{query}".encode()).hexdigest()

    def country(self, nationality: str) -> str | None:
        """Return the code of the country that a cleaned nationality means, or None where nobody knows."""
        word = countries.compared(nationality)
        return self._own_nationalities.get(word) or countries.known().get(word)

    @cached_property
    def _own_nationalities(self) -> Mapping[str, str]:
        return {countries.compared(word): code for word, code in self.nationalities.items()}

    def group(self, patron_type: str | None, nationality: str | None) -> str | None:
        """Return the group of the first rule that fits a patron type and a country, or None."""
        for rule in self.groups:
            if rule.fits(patron_type, nationality):
                return rule.group
        return None


def _as_list(rule: Any) -> list[Any]:
    """Return a set in one order, and a mapping that JSON does not know as its pairs."""
    return sorted(rule.items() if isinstance(rule, Mapping) else rule)


def load(system: str) -> Source:
    """Return the description of a library system.

    Raises:
        EngagementError: there is none of that name, or it does not say what it must.
    """
    path = INCLUDE / "sources" / f"{system}.yaml"
    known = sorted(p.stem for p in (INCLUDE / "sources").glob("*.yaml"))
    if system not in known:
        raise EngagementError(
            f"There is no source {system!r}; set ENGAGEMENT_SOURCE to one of: {', '.join(known)}."
        )
    described = yaml_file.read(path)
    if not isinstance(described, dict):
        raise EngagementError(
            f"{path.name}: it describes no library system; write system, label, dates, membership and "
            "the other keys of docs/sources.md into it, each with a colon and its value."
        )
    return yaml_file.validated(path, described, Source, named="system")
