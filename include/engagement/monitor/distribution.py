"""Who writes the monthly report, who receives it, in which edition, and when: ENGAGEMENT_REPORT_FILE."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from engagement import address, yaml_file
from engagement.errors import EngagementError
from engagement.labels import Label, Language, require_line, require_words
from engagement.settings import settings

_TIME = re.compile(r"(2[0-3]|[01]?\d):[0-5]\d", re.ASCII)
_BUDDHIST_FROM = 2400  # a year from here on is one of the Buddhist era


def _is_address(text: str) -> str:
    normal = address.normal(text)
    if normal is None:
        raise ValueError("that is no e-mail address")
    return normal


def _time(written: object) -> object:
    if isinstance(written, str) and _TIME.fullmatch(written):
        return dt.time.fromisoformat(written.zfill(5))
    raise ValueError("write hour and minute there, as in 08:00")


def _day(written: object) -> object:
    read = written
    if isinstance(written, str):
        with suppress(ValueError):
            read = dt.date.fromisoformat(written)
    if not isinstance(read, dt.date) or isinstance(read, dt.datetime):
        raise ValueError("write a day there, as in 2018-07-27")
    if read.year >= _BUDDHIST_FROM:
        raise ValueError(f"write the year as {read.year - 543}: dates here are Gregorian")
    return read


Address = Annotated[str, AfterValidator(_is_address)]
Login = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[Label, AfterValidator(require_words), AfterValidator(require_line)]
Percentage = Annotated[float, Field(ge=0, le=100, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipient(_Part):
    """Who is mailed the report: an address, or one with a language and the PDF edition."""

    address: Address
    language: Language = "th"
    pdf: bool = False


class SendAfter(_Part):
    """From when on the report goes out: a working day of the month after the period, and a time of day there."""

    working_day: int = Field(default=5, ge=1, le=10, strict=True)
    time: Annotated[dt.time, BeforeValidator(_time)] = dt.time(8)


class Targets(_Part):
    """What the library wants to reach, in per cent; None where it set itself no target.

    Attributes:
        real_customers_pct: of all patron records, at least.
        mailable_pct: of the real customers, those who may be mailed, at least.
        incomplete_pct: of current members, those whose data is incomplete, at most.
        bounced_pct: of the survey mails sent, those that came back for good, at most.
        answered_pct: of the people invited, at least.
    """

    real_customers_pct: Percentage | None = None
    mailable_pct: Percentage | None = None
    incomplete_pct: Percentage | None = None
    bounced_pct: Percentage | None = None
    answered_pct: Percentage | None = None


class Person(_Part):
    """Somebody who is told by name."""

    name: Name
    address: Address


class Review(_Part):
    """Who reads the report before all others, and who may then let it go in Airflow."""

    reviewer: Recipient
    approvers: Annotated[tuple[Login, ...], Field(min_length=1)]

    @field_validator("reviewer", mode="before")
    @classmethod
    def _may_be_plain(cls, value: object) -> object:
        return _recipient(value)


def _recipient(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


class Distribution(_Part):
    """What ENGAGEMENT_REPORT_FILE says.

    Attributes:
        library: who writes.
        contact: who answers questions, and at which address.
        email: that address.
        recipients: who receives it.
        send_after: from when on.
        holidays: days that are no working days, beside Saturdays and Sundays.
        review: who reads and approves it first; None where it goes out by itself.
        owner: who answers for the report going out; told when it is late.
        engineers: who repair it; told when it is late or a run failed.
        filed_by: who keeps the list of work; told by cell what could not be read.
        targets: what the figures are held against.
        about_the_same_pct: changes of a count by less than so many per cent are called "about the same".
    """

    library: Name
    contact: Name
    email: Address
    recipients: tuple[Recipient, ...]
    send_after: SendAfter = SendAfter()
    holidays: frozenset[Annotated[dt.date, BeforeValidator(_day)]] = frozenset()
    review: Review | None = None
    owner: Person | None = None
    engineers: tuple[Address, ...] = ()
    filed_by: Address | None = None
    targets: Targets = Targets()
    about_the_same_pct: Percentage = 0.0

    @field_validator("recipients", mode="before")
    @classmethod
    def _may_be_plain(cls, value: object) -> object:
        """Let a recipient be an address alone."""
        return [_recipient(one) for one in value] if isinstance(value, list) else value

    @field_validator("recipients")
    @classmethod
    def _stand_there_once(cls, recipients: tuple[Recipient, ...]) -> tuple[Recipient, ...]:
        """Say which stands there twice by its place in the list."""
        seen: set[str] = set()
        for number, one in enumerate(recipients, 1):
            if one.address.lower() in seen:
                raise ValueError(f"number {number} stands there twice")
            seen.add(one.address.lower())
        return recipients


def read() -> Distribution:
    """Return the report's distribution.

    Raises:
        EngagementError: the file is missing, or says something else than it must.
    """
    path = settings().report_file
    try:
        said = yaml_file.read(path)
    except FileNotFoundError:
        raise EngagementError(
            f"{path} does not exist; write who receives the report there, or correct "
            "ENGAGEMENT_REPORT_FILE."
        ) from None
    found = yaml_file.validated(path, said, Distribution)
    if not found.recipients:
        raise EngagementError(f"{path} names no recipients; the report would reach nobody.")
    return found
