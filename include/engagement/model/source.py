"""A library system as data: its YAML says what its columns and codes mean."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from engagement import warehouse, yaml_file
from engagement.errors import EngagementError
from engagement.model.dates import Era
from engagement.model.text import bare, clean
from engagement.settings import INCLUDE

# What include/sql/sources/<system>/patron.sql must give, all as text.
FIELDS = (
    "source_id",
    "prefix",
    "given_name",
    "family_name",
    "patron_type",
    "affiliation",
    "nationality",
    "citizen_id",
    "email",
    "membership",
    "expiry",
)

GroupCode = Literal[
    "staff", "undergraduate", "graduate", "international", "alumni_retired", "external", "pupil"
]
UNMAPPED = "unmapped"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gates(_Part):
    """What stops an extract from being accepted, as shares of the records."""

    row_change_limit: float = Field(default=0.30, gt=0)
    undecodable_limit: float = Field(default=0.01, ge=0, le=1)


class Dates(_Part):
    """How the system writes dates."""

    order: Literal["day/month/year"] = "day/month/year"
    era: Era


class Membership(_Part):
    """Which states mean what; an active member's expiry date still decides."""

    active: frozenset[str]
    suspended: frozenset[str] = frozenset()
    missing_expiry: Literal["contradictory", "current"] = "contradictory"


class GroupRule(_Part):
    """One rule: fits when every condition that is given fits."""

    group: GroupCode
    patron_type: frozenset[str] | None = None
    nationality_not: frozenset[str] | None = None

    def fits(self, patron_type: str | None, nationality: str | None) -> bool:
        """Return whether a record with these cleaned codes belongs to the group."""
        if self.patron_type is not None and patron_type not in self.patron_type:
            return False
        # Who has no nationality on record is not shown to be a foreigner.
        return self.nationality_not is None or (
            nationality is not None and nationality not in self.nationality_not
        )


class SingleName(_Part):
    """Who may have no family name."""

    prefixes: frozenset[str] = frozenset()
    nationalities: frozenset[str] = frozenset()


class Placeholders(_Part):
    """Words that stand where a value should be, cleaned and bared for comparison."""

    name: frozenset[str] = frozenset()
    affiliation: frozenset[str] = frozenset()
    email: frozenset[str] = frozenset()
    citizen_id: frozenset[str] = frozenset()

    def model_post_init(self, _: Any) -> None:
        """Bring the words into the form that values are compared in."""
        for field in type(self).model_fields:
            words = frozenset(bare(clean(word)) for word in getattr(self, field))
            object.__setattr__(self, field, words)


class Source(_Part):
    """One library system, as `include/sources/<system>.yaml` describes it."""

    system: str
    label: str
    history: bool = False
    as_of: Literal["now", "source"] = "now"
    driver_encoding: str | None = None
    encodings: tuple[str, ...] = ("utf-8", "cp874")
    gates: Gates = Gates()
    dates: Dates
    membership: Membership
    prefixes: Mapping[str, str] = {}
    patron_types: Mapping[str, str]
    groups: tuple[GroupRule, ...]
    single_name: SingleName = SingleName()
    placeholders: Placeholders = Placeholders()
    same_person: tuple[tuple[str, ...], ...] = ()

    @field_validator("system")
    @classmethod
    def _is_named_like_its_file(cls, system: str, info: ValidationInfo) -> str:
        expected = (info.context or {}).get("system", system)
        if system != expected:
            raise ValueError(f"the file is that of {expected}")
        return system

    @field_validator("encodings", "driver_encoding")
    @classmethod
    def _are_encodings(cls, names: Any) -> Any:
        for name in [names] if isinstance(names, str) else names or []:
            try:
                codecs.lookup(name)
            except LookupError:
                raise ValueError(f"{name} is no encoding such as utf-8 or cp874") from None
        return names

    @field_validator("same_person")
    @classmethod
    def _are_fields(cls, rules: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        unknown = {field for rule in rules for field in rule} - set(FIELDS)
        if unknown:
            raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
        return rules

    @cached_property
    def mapping_hash(self) -> str:
        """A digest of all that decides what a record means: the YAML and its patron query."""
        yaml_text = (INCLUDE / "sources" / f"{self.system}.yaml").read_text(encoding="utf-8")
        query = warehouse.statement(f"sources/{self.system}/patron")
        return hashlib.sha256(f"{yaml_text}\0{query}".encode()).hexdigest()

    def group(self, patron_type: str | None, nationality: str | None) -> str | None:
        """Return the group of the first rule that fits, or None."""
        for rule in self.groups:
            if rule.fits(patron_type, nationality):
                return rule.group
        return None


def load(system: str) -> Source:
    """Return the description of a library system.

    Raises:
        EngagementError: there is none of that name, or it does not say what it must.
    """
    path = INCLUDE / "sources" / f"{system}.yaml"
    try:
        return Source.model_validate(yaml_file.read(path), context={"system": system})
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise EngagementError(
            f"There is no source {system!r}; set ENGAGEMENT_SOURCE to one of: {known}."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise EngagementError(f"{path.name}: {where}: {first['msg']}.") from None
