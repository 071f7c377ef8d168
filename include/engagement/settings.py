"""What a deployment may set, each as the environment variable ENGAGEMENT_<NAME>."""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engagement.errors import EngagementError

if TYPE_CHECKING:
    from upath import UPath

ROOT = Path(__file__).parents[2]
INCLUDE = ROOT / "include"
# RFC 5321, section 4.5.3.1.1: 64 octets before the @; less `+unsubscribe-` and a token of 32.
_LONGEST_MAILBOX = 19


class Settings(BaseSettings):
    """The deployment's settings; `.env.example` lists them with what they are for."""

    model_config = SettingsConfigDict(env_prefix="ENGAGEMENT_", env_ignore_empty=True)

    home: Path = ROOT / "var"
    deployment: str = "laptop"
    timezone: str = "Asia/Bangkok"
    source: str = "autolib"
    warehouse_url: SecretStr | None = None
    address_key: SecretStr | None = None
    clock_file: Path | None = None
    mail: Literal["caught", "live"] = "caught"
    mail_catch_all: str | None = None
    mail_per_second: float | None = Field(default=None, gt=0)
    mail_per_domain_per_second: float | None = Field(default=None, gt=0)
    return_path: str | None = None
    unsubscribe_url: str | None = None
    report_file: Path = INCLUDE / "report.yaml"
    work_items: str | None = None
    campaigns: Path = INCLUDE / "campaigns"
    answers: Path | None = None
    archive: str | None = None

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("no time zone such as Asia/Bangkok")
        return name

    @field_validator("mail_catch_all", "return_path")
    @classmethod
    def _is_an_address(cls, text: str | None) -> str | None:
        from engagement import address

        if text is not None and address.normal(text) is None:
            raise ValueError("no e-mail address")
        return text

    @field_validator("return_path")
    @classmethod
    def _leaves_room_for_a_token(cls, text: str | None) -> str | None:
        if text is not None and len(text.rpartition("@")[0]) > _LONGEST_MAILBOX:
            raise ValueError(
                f"before the @ it may have {_LONGEST_MAILBOX} characters at most: every mail's own token follows it"
            )
        return text

    @field_validator("unsubscribe_url")
    @classmethod
    def _is_a_public_page(cls, text: str | None) -> str | None:
        if text is None:
            return None
        if re.fullmatch(r"https://[\w.-]+(:\d+)?(/[\w.~-]+)*/?", text, re.ASCII) is None:
            raise ValueError("no address such as https://unsubscribe.library.example")
        return text.rstrip("/")

    @property
    def answers_folder(self) -> Path:
        """Where librarians put exported answers, a folder for each campaign."""
        return self.answers or self.home / "answers"

    @property
    def archive_folder(self) -> "UPath":
        """Where the reports lie for who missed them: a folder, or a place of an object store."""
        from upath import UPath

        return UPath(self.archive or self.home / "archive")

    @property
    def zone(self) -> ZoneInfo:
        """The library's time zone: every date and period is in it."""
        return ZoneInfo(self.timezone)


@cache
def settings() -> Settings:
    """Return the settings of this process, read once.

    Raises:
        EngagementError: a variable says something that it cannot.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        variable = f"ENGAGEMENT_{'.'.join(map(str, first['loc']))}".upper()
        raise EngagementError(f"{variable} is wrong: {first['msg']}; see .env.example.") from None
