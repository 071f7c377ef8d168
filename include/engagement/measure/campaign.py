"""A campaign as data: whom a survey asks, how, when, and who must say yes before."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
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

from engagement import address, yaml_file
from engagement.errors import EngagementError
from engagement.groups import GROUPS, GroupCode
from engagement.labels import Label, Language, require_line, require_words
from engagement.period import Period
from engagement.settings import settings

LEAST_FIRST_WAVE = 100  # fewer bounces than that say too little about the rest
_TOKEN = "{token}"  # noqa: S105 - where the link carries it


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _as_instant(written: Any) -> Any:
    """Read `2018-07-09 08:00` as an instant in the library's zone."""
    if isinstance(written, datetime):
        read = written
    else:
        try:
            read = datetime.strptime(str(written), "%Y-%m-%d %H:%M")  # noqa: DTZ007
        except ValueError:
            raise ValueError("write date and time as 2018-07-09 08:00") from None
    if read.tzinfo is not None:
        raise ValueError("write no zone: the time is the library's, as in 2018-07-09 08:00")
    if read.year >= 2400:
        raise ValueError(f"write the year as {read.year - 543}: dates here are Gregorian")
    return read.replace(tzinfo=settings().zone)


def _as_period(written: Any) -> Any:
    if isinstance(written, Period):
        return written
    if not isinstance(written, str):
        raise ValueError("write year and month, as in 2018-06")
    try:
        return Period.parse(str(written))
    except EngagementError as error:
        raise ValueError(str(error).rstrip(".")) from None


def _require_address(text: str) -> str:
    normal = address.normal(text)
    if normal is None:
        raise ValueError("that is no e-mail address such as library@example.com")
    return normal


def _require_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", text):
        raise ValueError("write small letters, digits and hyphens, as in news-2019-02")
    return text


def _share(
    example: str, *, above: float = 0, below: float = math.nextafter(1, 2)
) -> Callable[[Any], Any]:
    """Return what reads a share of 1: a person writes 5, 5% or 0,05 as easily."""

    def read(written: Any) -> Any:
        is_number = isinstance(written, int | float) and not isinstance(written, bool)
        if not is_number or not above < written < below:
            raise ValueError(f"write it as a share of 1, as in {example}")
        return written

    return read


def _as_allocation(written: Any) -> Any:
    """Read how the sample is shared out; a mistake in it is told in one sentence, not as one of two shapes."""
    if written in ("proportional", "equal"):
        return written
    if not isinstance(written, Mapping):
        raise ValueError(
            "write proportional or equal, or a number for each group, as in {staff: 300, pupil: 50}"
        )
    if strange := [str(group) for group in written if group not in GROUPS]:
        raise ValueError(f"{strange[0]} is none of the groups {', '.join(GROUPS)}")
    for group, number in written.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ValueError(f"write a whole number of people for {group}, as in {group}: 300")
    return written


Instant = Annotated[datetime, BeforeValidator(_as_instant)]
FramePeriod = Annotated[Period, BeforeValidator(_as_period)]
Address = Annotated[str, AfterValidator(_require_address)]
Whole = Annotated[int, Field(strict=True)]
Words = Annotated[Label, AfterValidator(require_words)]
Line = Annotated[Words, AfterValidator(require_line)]


class Sample(_Part):
    """How many are asked, and of which groups.

    Either `size`, or what answers are wanted for: a `margin_of_error` of a share at a `confidence`, and the
    share that is expected to answer. Beside a size the latter only says what margin is to be expected.
    """

    groups: tuple[GroupCode, ...] = GROUPS
    size: Whole | None = Field(default=None, ge=1)
    margin_of_error: (
        Annotated[float, BeforeValidator(_share("0.05 for 5 %, below 0.5", below=0.5))] | None
    ) = None
    confidence: Annotated[
        float, BeforeValidator(_share("0.95 for 95 %, above 0.5 and below 1", above=0.5, below=1))
    ] = 0.95
    expected_response_rate: Annotated[float, BeforeValidator(_share("0.25 for 25 %"))] | None = None
    allocation: Annotated[
        Literal["proportional", "equal"] | Mapping[GroupCode, int], BeforeValidator(_as_allocation)
    ] = "proportional"
    minimum_per_group: Whole = Field(default=0, ge=0)
    not_asked_for_months: Whole = Field(default=6, ge=0)

    @field_validator("groups")
    @classmethod
    def _stand_there_once(cls, groups: tuple[GroupCode, ...]) -> tuple[GroupCode, ...]:
        if not groups or len(set(groups)) < len(groups):
            raise ValueError("name each group once, and at least one, as in [staff, pupil]")
        return groups

    @model_validator(mode="after")
    def _has_one_size(self) -> Sample:
        given = [
            self.size is not None,
            self.margin_of_error is not None,
            isinstance(self.allocation, Mapping),
        ]
        if sum(given) != 1:
            raise ValueError(
                "say how many are asked in one way: as size, as margin_of_error, or as a number for each "
                "group under allocation"
            )
        if self.margin_of_error is not None and self.expected_response_rate is None:
            raise ValueError(
                "margin_of_error needs the share that will answer, as in expected_response_rate: 0.25"
            )
        return self

    @model_validator(mode="after")
    def _numbers_its_groups(self) -> Sample:
        if isinstance(self.allocation, Mapping):
            if set(self.allocation) != set(self.groups):
                raise ValueError(
                    "allocation must give a number to each of the groups, and no other: "
                    f"{', '.join(self.groups)}"
                )
            if not any(self.allocation.values()):
                raise ValueError("allocation asks nobody: not every number can be 0")
            if self.minimum_per_group:
                raise ValueError(
                    "minimum_per_group has no place beside a number for each group under allocation: raise "
                    "the numbers, and take the key away"
                )
        return self


class Waves(_Part):
    """In what portions the mail goes out, and what holds the rest back."""

    sizes: tuple[Whole, ...] = (LEAST_FIRST_WAVE,)
    wait_hours: float = Field(default=24, ge=1, strict=True)
    hard_bounce_limit: Annotated[float, BeforeValidator(_share("0.10 for 10 %"))] = 0.10
    canary: Address

    @field_validator("sizes")
    @classmethod
    def _are_large_enough(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if not sizes or min(sizes) < 1 or sizes[0] < LEAST_FIRST_WAVE:
            raise ValueError(
                f"the first wave takes at least {LEAST_FIRST_WAVE}, each other one 1, as in [160]"
            )
        return sizes

    @property
    def wait(self) -> timedelta:
        """How long after a wave the next may go out at the earliest."""
        return timedelta(hours=self.wait_hours)


class Dates(_Part):
    """When things happen, in the library's zone."""

    approve_by: Instant
    start: Instant
    reminders: tuple[Instant, ...] = Field(default=(), max_length=3)
    end: Instant

    @model_validator(mode="after")
    def _follow_each_other(self) -> Dates:
        order = [self.approve_by, self.start, *self.reminders, self.end]
        if any(later < earlier for earlier, later in pairwise(order)):
            raise ValueError("approve_by, start, the reminders and end must follow each other")
        return self


class Sender(_Part):
    """In whose name the survey is sent, and who answers questions about it."""

    name: Line
    address: Address
    contact: Words


class Letter(_Part):
    """The words of a mail: its subject, and its text in paragraphs with an empty line between."""

    subject: Line
    text: Words


class Languages(_Part):
    """Which language a group is written to in."""

    default: Language = "th"
    groups: Mapping[GroupCode, Language] = {}

    def of(self, group: GroupCode) -> Language:
        """Return the language for a group."""
        return self.groups.get(group, self.default)


class Campaign(_Part):
    """One survey, as `include/campaigns/<name>.yaml` describes it."""

    campaign: Annotated[str, AfterValidator(_require_name)]
    title: Line
    frame: FramePeriod
    form: str
    link: str
    survey_id: Whole | None = Field(default=None, ge=1)
    languages: Languages = Languages()
    sample: Sample
    waves: Waves
    dates: Dates
    sender: Sender
    invitation: Letter
    reminder: Letter | None = None
    lawful_basis: Words
    owner: Address
    approvers: tuple[Annotated[str, Field(min_length=1)], ...]

    @field_validator("approvers")
    @classmethod
    def _names_somebody(cls, approvers: tuple[str, ...]) -> tuple[str, ...]:
        if not approvers:
            raise ValueError("name at least one, by the name for Airflow's login, as in [anna]")
        return approvers

    @field_validator("link")
    @classmethod
    def _carries_the_token(cls, link: str) -> str:
        if not re.match(r"https?://[^/\s]+/\S*$", link) or link.count(_TOKEN) != 1:
            raise ValueError(
                f"write the form's address with {_TOKEN} where the personal code belongs, once, as in "
                f"https://forms.example.com/?code={_TOKEN}"
            )
        return link

    @model_validator(mode="after")
    def _has_reminding_words(self) -> Campaign:
        if self.dates.reminders and self.reminder is None:
            raise ValueError("there are reminders in dates: write what they say under reminder")
        return self

    @model_validator(mode="after")
    def _starts_after_its_frame(self) -> Campaign:
        if self.dates.start < self.frame.end:
            raise ValueError(f"start must be after the frame's period {self.frame} has ended")
        return self

    @cached_property
    def definition_hash(self) -> str:
        """A digest of all that the file says, but for the canary: another one is no other plan."""
        said = self.model_dump(mode="json", exclude={"waves": {"canary"}})
        text = json.dumps(said, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def personal_link(self, token: str) -> str:
        """Return the form's address for the one person who got this token."""
        return self.link.replace(_TOKEN, token)


def names() -> list[str]:
    """Return the names of all campaigns, in order."""
    return sorted(path.stem for path in settings().campaigns.glob("*.yaml"))


def load(name: str) -> Campaign:
    """Return a campaign.

    Raises:
        EngagementError: there is none of that name, or it does not say what it must.
    """
    path = settings().campaigns / f"{name}.yaml"
    if not path.exists():
        raise EngagementError(
            f"There is no campaign {name!r}; there are: {', '.join(names()) or 'none'}. Each is a file in "
            f"{settings().campaigns}."
        )
    described = yaml_file.read(path)
    return yaml_file.validated(path, described, Campaign, named="campaign")
