"""A form as data: its questions and options, and how they are called in an export of the answers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from engagement import yaml_file
from engagement.dates import Order
from engagement.errors import EngagementError
from engagement.groups import GROUPS
from engagement.labels import Label, labels
from engagement.settings import INCLUDE, settings
from engagement.text import clean

System = Literal["google-forms", "limesurvey", "microsoft-forms", "table"]
Kind = Literal["scale", "choice", "choices", "group", "text"]

OTHER = "other"  # words of one's own where the form asks for them
UNKNOWN = "unknown"  # an answer that the form does not have

_ALIKE = {
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣"), "-"),
    **dict.fromkeys(map(ord, "‘’‛"), "'"),
    **dict.fromkeys(map(ord, "“”„"), '"'),
    **{0x0E50 + digit: str(digit) for digit in range(10)},  # Thai digits
}
# How a point of a scale is written with its number: 5 - Very good, Very good (5).
_NUMBERED = (
    "{0}{1}",
    "{0}-{1}",
    "{0}={1}",
    "{0}.{1}",
    "{0}:{1}",
    "{0}({1})",
    "{1}({0})",
    "{1}={0}",
)


def folded(text: str) -> str:
    """Return `text` in the form in which headings and options are compared.

    Case, white space, width, the kinds of dashes and quotes, and the script of the digits do not matter.
    """
    return "".join(clean(text).casefold().translate(_ALIKE).split())


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _as_list(written: Any) -> Any:
    """Let one text stand for a list of one."""
    return [written] if isinstance(written, str) else written


def _require_text(text: str) -> str:
    if not text.strip():
        raise ValueError("write something there")
    return text


def _require_code(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", text):
        raise ValueError("write small letters, digits, hyphens and underscores, as in time_slot")
    return text


Text = Annotated[str, AfterValidator(_require_text)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list)]
Code = Annotated[str, AfterValidator(_require_code)]


class Option(_Part):
    """What may be ticked, in both languages, how else an export may write it, and how a report calls it."""

    th: Text
    en: Text
    also: Texts = ()
    short: Label | None = None

    @property
    def label(self) -> Label:
        """What a report calls it: its short name, else its words."""
        return self.short or Label(self.th, self.en)

    @property
    def spellings(self) -> tuple[str, ...]:
        """All that stands for it in a cell."""
        return (self.th, self.en, *self.also)


class Scale(_Part):
    """The points of a scale, by their numbers, and which end is the good one."""

    points: Mapping[int, Option] = Field(min_length=2)
    best: int = Field(strict=True)

    @model_validator(mode="after")
    def _is_one_scale(self) -> Scale:
        low, high = min(self.points), max(self.points)
        if len(self.points) != high - low + 1:
            raise ValueError(f"number the points from {low} to {high} without a gap")
        if self.best not in (low, high):
            raise ValueError(f"best must be {low} or {high}, the end that is good")
        return self

    @cached_property
    def options(self) -> Mapping[str, Option]:
        """The points in their order, by number as text; an export may write number, words, or both."""
        return {
            str(number): point.model_copy(
                update={"also": (str(number), *point.also, *_numbered(number, point))}
            )
            for number, point in sorted(self.points.items())
        }


def _numbered(number: int, point: Option) -> Iterator[str]:
    for form in _NUMBERED:
        for words in dict.fromkeys((point.th, point.en)):
            yield form.format(number, words)


_HAS: Mapping[str, tuple[str, ...]] = {
    "scale": ("scale",),
    "choice": ("options", "other"),
    "choices": ("options", "other"),
    "group": ("options", "other"),
    "text": (),
}
_NEEDS = {"scale": "scale", "choice": "options", "choices": "options"}


class Question(_Part):
    """One question.

    `column` names its heading in an export where that is not its title in either language, or its code.
    """

    code: Code
    kind: Kind
    title: Label
    column: Texts = ()
    options: Mapping[Code, Option] = {}
    other: Option | None = None
    scale: str | None = None

    @field_validator("options")
    @classmethod
    def _leave_codes_free(cls, options: Mapping[str, Option]) -> Mapping[str, Option]:
        if taken := {OTHER, UNKNOWN} & set(options):
            raise ValueError(
                f"{taken.pop()} is no code for an option; words of one's own go under the key other "
                "beside options"
            )
        return options

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Question:
        given = {key for key in ("options", "other", "scale") if getattr(self, key)}
        if extra := given - set(_HAS[self.kind]):
            raise ValueError(f"{self.code} is of the kind {self.kind}, which has no {extra.pop()}")
        needed = _NEEDS.get(self.kind)
        if needed and needed not in given:
            raise ValueError(f"{self.code} is of the kind {self.kind}: name its {needed}")
        if self.kind == "group" and (strange := set(self.options) - set(GROUPS)):
            raise ValueError(
                f"{self.code} asks for the group: {', '.join(sorted(strange))} is none of "
                f"{', '.join(GROUPS)}"
            )
        return self

    @property
    def headings(self) -> tuple[str, ...]:
        """How an export may call it."""
        return self.column or (self.title.th, self.title.en, self.code)


class Columns(_Part):
    """How an export calls what is no question; left out, what the system calls it by itself."""

    timestamp: Texts = ()
    token: Texts = ()
    language: Texts = ()


class _Usage(Columns):
    """What a system calls its own columns, and what stands between several answers in one cell."""

    separators: str


@cache
def _usages() -> Mapping[str, _Usage]:
    path = INCLUDE / "form_systems.yaml"
    written = yaml_file.read(path)
    return {
        system: yaml_file.validated(path, written[system], _Usage) for system in get_args(System)
    }


class Form(_Part):
    """One form, as `<campaigns>/forms/<name>.yaml` or `include/forms/<name>.yaml` describes it."""

    form: Code
    title: Label
    system: System
    columns: Columns = Columns()
    separators: str | None = Field(default=None, min_length=1)
    order: Order = "day/month/year"
    timezone: str | None = None
    scales: Mapping[str, Scale] = {}
    questions: tuple[Question, ...] = Field(min_length=1)

    @field_validator("separators")
    @classmethod
    def _are_marks(cls, marks: str | None) -> str | None:
        if marks and any(mark.isalnum() for mark in marks):
            raise ValueError('write the marks between several answers together, as in ",;"')
        return marks

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError("that is no time zone such as Asia/Bangkok or UTC")
        return name

    @model_validator(mode="after")
    def _can_be_dated(self) -> Form:
        if not self.headings("timestamp"):
            raise ValueError(
                f"columns: name the timestamp, the column that says when a row was answered; {self.system} "
                "has no heading of its own for it"
            )
        return self

    @model_validator(mode="after")
    def _asks_each_question_once(self) -> Form:
        codes = [question.code for question in self.questions]
        if twice := {code for code in codes if codes.count(code) > 1}:
            raise ValueError(f"two questions have the code {twice.pop()}")
        for question in self.questions:
            if question.scale is not None and question.scale not in self.scales:
                raise ValueError(
                    f"{question.code} is on the scale {question.scale}, which scales lacks"
                )
        return self

    @model_validator(mode="after")
    def _tells_columns_apart(self) -> Form:
        taken: dict[str, str] = {}
        for what in Columns.model_fields:
            taken |= {folded(heading): what for heading in self.headings(what)}
        for question in self.questions:
            for heading in {folded(heading) for heading in question.headings}:
                if heading in taken:
                    raise ValueError(
                        f"{taken[heading]} and {question.code} would be read from the same column; name "
                        "another one under column"
                    )
                taken[heading] = question.code
        return self

    @model_validator(mode="after")
    def _tells_options_apart(self) -> Form:
        for question in self.questions:
            codes: dict[str, str] = {}
            for code, option in self.answers(question).items():
                for key in {self.key(spelling) for spelling in option.spellings}:
                    if key in codes:
                        raise ValueError(
                            f"{question.code}: the options {codes[key]} and {code} are written alike"
                        )
                    codes[key] = code
            if question.kind == "choices":
                self._require_undivided(question, codes)
        return self

    def _require_undivided(self, question: Question, codes: Mapping[str, str]) -> None:
        """Refuse an option that reads like two others that were ticked together."""
        for code, option in self.answers(question).items():
            for spelling in option.spellings:
                parts = {codes.get(self.key(part)) for part in self.parts(spelling)}
                if len(parts) > 1 and None not in parts:
                    raise ValueError(
                        f"{question.code}: the option {code} is written like others that were ticked "
                        "together; change its words in the form"
                    )

    def parts(self, cell: str) -> list[str]:
        """Return what stands between the separators of a cell with several answers."""
        separators = self.separators or _usages()[self.system].separators
        return re.split(f"[{re.escape(separators)}]", cell)

    def key(self, text: str) -> str:
        """Return `text` folded and without separators: what answers are compared by."""
        return "".join(map(folded, self.parts(text)))

    def headings(self, what: str) -> tuple[str, ...]:
        """Return how an export may call the timestamp, the token or the language; () where it has none."""
        own: tuple[str, ...] = getattr(self.columns, what)
        return own or getattr(_usages()[self.system], what)

    def answers(self, question: Question) -> Mapping[str, Option]:
        """Return the answers that a question offers, by code and in their order; none for free text.

        `other` is among them where the form has it. `unknown` is not: no form offers that.
        """
        if question.scale is not None:
            return self.scales[question.scale].options
        options = dict(question.options)
        if question.kind == "group" and not options:
            options = {
                code: Option(th=name.th, en=name.en)
                for code in GROUPS
                for name in (labels().group(code),)
            }
        return options | ({OTHER: question.other} if question.other else {})

    @property
    def zone(self) -> ZoneInfo:
        """The zone of timestamps that name none."""
        return ZoneInfo(self.timezone) if self.timezone else settings().zone

    @cached_property
    def form_hash(self) -> str:
        """A digest of what people are asked: questions, their words, options, scales.

        Figures are never compared across it. How an export calls and writes things is no part of it.
        """
        asked = [
            [
                question.code,
                question.kind,
                question.title.th,
                question.title.en,
                [[code, o.th, o.en] for code, o in self.answers(question).items()],
                self.scales[question.scale].best if question.scale else None,
            ]
            for question in self.questions
        ]
        return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()


def _folders() -> tuple[Path, Path]:
    """Return where forms lie: a deployment's own first."""
    return settings().campaigns / "forms", INCLUDE / "forms"


def names() -> list[str]:
    """Return the names of all forms, in order."""
    return sorted({path.stem for folder in _folders() for path in folder.glob("*.yaml")})


def load(name: str) -> Form:
    """Return a form: the deployment's own, in the folder forms beside its campaigns, or one that is shipped.

    Raises:
        EngagementError: there is none of that name, or it does not say what it must.
    """
    if name not in names():
        raise EngagementError(
            f"There is no form {name!r}; there are: {', '.join(names()) or 'none'}. Each is a file in "
            f"{_folders()[0]}."
        )
    path = next(path for folder in _folders() if (path := folder / f"{name}.yaml").exists())
    return yaml_file.validated(path, yaml_file.read(path), Form, named="form")
