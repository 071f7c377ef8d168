"""Mailboxes that are read: over IMAP, or as a Maildir folder. The only place that speaks IMAP."""

from __future__ import annotations

import imaplib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from engagement.errors import EngagementError
from engagement.mail import TOKEN_HEADER

_TIMEOUT_S = 30
_AT_ONCE = 10_000  # numbers asked for in one command
_LARGEST = 1 << 20  # bytes read of one mail; no report says anything behind them
_INTERNAL_DATE = re.compile(rb'INTERNALDATE "([^"]+)"')


@dataclass(frozen=True)
class Mail:
    """A mail as it came: its mark in the mailbox, when it arrived there, and its first bytes."""

    mark: str
    received_at: datetime
    content: bytes


class Mailbox(Protocol):
    """An open mailbox; nothing in it is changed."""

    def marks(self) -> Iterator[list[str]]:
        """Yield what tells its mails apart, for ever, in lists of bounded length."""

    def read(self, mark: str) -> Mail | None:
        """Return a mail, or None where it has gone."""

    def holds(self, token: str) -> bool:
        """Return whether it holds one of our mails, by the token that the mail carries."""


@dataclass(frozen=True)
class Place:
    """Where a mailbox is: `imap://user:password@host:143/INBOX`, `imaps://...`, or `maildir:/path`."""

    url: str

    def __repr__(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}:{parts.path}" if parts.scheme == "maildir" else f"{parts.hostname}"


@dataclass(frozen=True)
class Journal:
    """The mailbox in which the relay keeps a copy of every mail that it takes.

    `settle` is how long a mail may be on its way there.
    """

    place: Place
    settle: timedelta = timedelta(minutes=1)


@contextmanager
def opened(place: Place) -> Iterator[Mailbox]:
    """Open a mailbox for the block.

    Raises:
        EngagementError: there is none, its server does not answer, or does not take the login.
    """
    parts = urlsplit(place.url)
    if parts.scheme == "maildir":
        with _telling(place):
            yield _Maildir(Path(unquote(parts.path)))
        return
    if parts.scheme not in ("imap", "imaps"):
        raise EngagementError(
            "A mailbox is imap://user@host/INBOX, imaps://user@host/INBOX or maildir:/path; correct the "
            "connection that names it."
        )
    client = _logged_in(place)
    try:
        with _telling(place):
            yield _Imap(client)
    finally:
        client.shutdown()


@contextmanager
def _telling(place: Place) -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        raise EngagementError(
            f"The mailbox at {place} could not be read to its end ({type(error).__name__}); run again."
        ) from None


def _logged_in(place: Place) -> imaplib.IMAP4:
    parts = urlsplit(place.url)
    folder = unquote(parts.path.lstrip("/")) or "INBOX"
    try:
        client: imaplib.IMAP4 = (
            imaplib.IMAP4_SSL(parts.hostname or "", parts.port or 993, timeout=_TIMEOUT_S)
            if parts.scheme == "imaps"
            else imaplib.IMAP4(parts.hostname or "", parts.port or 143, timeout=_TIMEOUT_S)
        )
    except (imaplib.IMAP4.error, OSError, socket.gaierror) as error:
        raise EngagementError(
            f"The mailbox at {place} does not answer ({type(error).__name__}); see that its server runs, "
            "and that its connection is right, then run again."
        ) from None
    try:
        client.login(unquote(parts.username or ""), unquote(parts.password or ""))
        state, _ = client.select(f'"{folder}"', readonly=True)
    except (imaplib.IMAP4.error, OSError):
        client.shutdown()
        raise EngagementError(
            f"The mailbox at {place} does not take the login; correct its connection."
        ) from None
    if state != "OK":
        client.shutdown()
        raise EngagementError(
            f"The mailbox at {place} has no folder {folder}; correct its connection."
        )
    return client


class _Imap:
    """A mailbox on an IMAP server; a mark is UIDVALIDITY and UID (RFC 3501, section 2.3.1.1)."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._client = client
        self._validity = self._said("UIDVALIDITY")
        self._next = int(self._said("UIDNEXT"))

    def _said(self, what: str) -> str:
        return (self._client.response(what)[1] or [b"0"])[0].decode() or "0"

    def marks(self) -> Iterator[list[str]]:
        for first in range(1, self._next, _AT_ONCE):
            numbers = self._search("UID", f"{first}:{min(first + _AT_ONCE, self._next) - 1}")
            if numbers:
                yield [f"{self._validity}:{number}" for number in numbers]

    def read(self, mark: str) -> Mail | None:
        validity, _, number = mark.partition(":")
        if validity != self._validity:  # the folder was made again; the number is another mail's
            return None
        found = self._uid("FETCH", number, f"(INTERNALDATE BODY.PEEK[]<0.{_LARGEST}>)")
        for part in found:
            if isinstance(part, tuple):
                told = _INTERNAL_DATE.search(
                    b"".join(p for p in found if isinstance(p, bytes)) + part[0]
                )
                return Mail(mark, _instant(told[1].decode() if told else ""), part[1])
        return None

    def holds(self, token: str) -> bool:
        return bool(self._search("HEADER", TOKEN_HEADER, token))

    def _search(self, *criteria: str) -> list[str]:
        self._client.noop()  # lets the server say what has arrived since
        found = self._uid("SEARCH", *criteria)
        return found[0].decode().split() if found and found[0] else []

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        state, found = self._client.uid(command, *arguments)
        if state != "OK":  # neither yes nor no
            raise self._client.error(f"{command}: {state}")
        return found


def _instant(told: str) -> datetime:
    """Return the instant of an IMAP date-time such as ` 9-Jul-2018 08:00:00 +0700`."""
    try:
        return parsedate_to_datetime(told.strip().replace("-", " ", 2))
    except ValueError:
        return datetime.now(UTC)


class _Maildir:
    """A Maildir (D. J. Bernstein); a mark is a file's name without the flags behind the colon."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "new").is_dir():
            raise EngagementError(
                f"{folder} is no Maildir: it has no folder `new`; correct the connection that names it."
            )
        self._folder = folder
        self._places: dict[str, str] = {}

    def _look(self) -> list[str]:
        """Note where every mail's file is now, and return their marks."""
        self._places = {
            name.partition(":")[0]: f"{part}/{name}"
            for part in ("new", "cur")
            for name in sorted(path.name for path in (self._folder / part).iterdir())
        }
        return list(self._places)

    def marks(self) -> Iterator[list[str]]:
        names = self._look()
        for first in range(0, len(names), _AT_ONCE):
            yield names[first : first + _AT_ONCE]

    def read(self, mark: str) -> Mail | None:
        for _ in range(2):
            if (place := self._places.get(mark)) is not None:
                with suppress(FileNotFoundError), (self._folder / place).open("rb") as file:
                    received = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                    return Mail(mark, received, file.read(_LARGEST))
            self._look()  # a mail program has moved it, or it has gone
        return None

    def holds(self, token: str) -> bool:
        line = re.compile(rf"^{TOKEN_HEADER}: *{re.escape(token)}\s*$".encode(), re.M | re.I)
        mails = map(self.read, self._look())
        return any(mail is not None and line.search(mail.content) for mail in mails)
