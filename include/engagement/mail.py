"""Mail itself: how a message is built and handed to a mail server. The only place that speaks SMTP."""

from __future__ import annotations

import re
import smtplib
import ssl
from base64 import encodebytes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from enum import Enum
from html import escape
from socket import socket
from typing import cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from engagement import address, clock
from engagement.errors import EngagementError

TOKEN_HEADER = "X-Engagement-Token"  # noqa: S105 - a header's name
NAME_HEADER = "X-Engagement-Mail"
TIMEOUT_S = 30  # per answer of the server
# Many look through a mail before they take it: RFC 5321, section 4.5.3.2.6.
TEXT_TIMEOUT_S = 600
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
DIALOGUE_S = 3 * TIMEOUT_S + TEXT_TIMEOUT_S  # of one message: MAIL, RCPT, DATA and the text
_URL_SETTING = "--smtp or ENGAGEMENT_SMTP"
_DONE, _FORWARDED, _GO_ON = 250, 251, 354
_NO_SUCH_NAME = 553  # RFC 5321: mailbox name not allowed
# RFC 3463, section 2, at the beginning of a reply's text.
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)  # RFC 5321, 4.5.2: a line's first dot is doubled


@dataclass(frozen=True)
class MailServer:
    """The server that takes our mail, in whose name it is sent, and what a person sets it by."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    is_ssl: bool = False
    is_starttls: bool = False
    setting: str = "the connection smtp_default"

    def __repr__(self) -> str:
        return f"{self.host}:{self.port}"


def located(url: str) -> MailServer:
    """Return the mail server that a URL names: scheme://user:password@host:port?from=address.

    The scheme is smtps (TLS from the start), smtp+starttls, or smtp (no encryption); of user, password and
    port none need be named.

    Raises:
        EngagementError: it is no such URL, or names no sender.
    """
    try:
        parts = urlsplit(url)
        sender = dict(parse_qsl(parts.query)).get("from", "")
        default_port = _PORTS[parts.scheme]
        port = parts.port or default_port
    except (ValueError, KeyError):
        sender = ""
    if address.normal(parseaddr(sender)[1]) is None or not parts.hostname:
        raise EngagementError(
            f"The mail server ({_URL_SETTING}) is no URL such as "
            "smtps://user:password@mail.library.example:465?from=reports@library.example; correct it."
        )
    return MailServer(
        host=parts.hostname,
        port=port,
        sender=sender,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        is_ssl=parts.scheme == "smtps",
        is_starttls=parts.scheme == "smtp+starttls",
        setting=_URL_SETTING,
    )


class Verdict(Enum):
    """What became of a message that was handed over."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Handover:
    """The server's answer to one message.

    Attributes:
        verdict: what it means.
        code: the reply, such as 550; None when the line broke.
        text: the reply's words; they may name the recipient.
        is_of_recipient: whether it was the recipient that the server answered so, not the sender or the text.
    """

    verdict: Verdict
    code: int | None
    text: str = ""
    is_of_recipient: bool = False

    @property
    def status(self) -> str | None:
        """The reply's enhanced status code, such as 5.1.1, or None."""
        found = _STATUS.match(self.text)
        return found[0] if found else None


@dataclass(frozen=True)
class Attachment:
    """A PDF that goes along with a letter.

    Attributes:
        name: as the recipient sees it, in any letters.
        plain_name: the same in ASCII, for mail programs that read no other.
        content: the file.
    """

    name: str
    plain_name: str
    content: bytes

    @property
    def part(self) -> bytes:
        """The part of a mail that carries it; its name is written as RFC 2231 has it."""
        head = (
            f'Content-Type: application/pdf; name="{self.plain_name}"\r\n'
            "Content-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment;\r\n filename*=UTF-8''{quote(self.name, safe='')}\r\n\r\n"
        )
        return head.encode("ascii") + _base64(self.content)


class Letter:
    """A mail to many: a text and an HTML part that are written once, addressed to each recipient."""

    def __init__(
        self,
        *,
        sender: str,
        subject: str,
        text: str,
        html: str,
        language: str,
        pictures: Mapping[str, bytes] | None = None,
        attachment: Attachment | None = None,
    ) -> None:
        """Take what all its mails share.

        Args:
            sender: name and address, as in `Library <engagement@library.example.com>`.
            subject: one line.
            text: the text part.
            html: the HTML part.
            language: of both, such as th.
            pictures: name -> PNG, which the HTML shows as `cid:name`.
            attachment: what goes along.
        """
        head = EmailMessage(policy=SMTP)
        head["From"] = sender
        head["Subject"] = subject
        self._head = head.as_bytes().rstrip() + b"\r\n"
        self._domain = sender.rpartition("@")[2].strip("<> ")
        shown = []
        for name, picture in (pictures or {}).items():
            # RFC 2392: a content id is as unlike all others as a Message-ID.
            html = html.replace(f"cid:{name}", f"cid:{name}@{self._domain}")
            shown.append(self._picture(name, picture))
        self._parts = (("plain", text), ("html", html))
        self._language = language
        attached = [] if attachment is None else [attachment.part]
        # What encloses the two parts, from the inside out; RFC 2387 wants to know of which type the first is.
        self._around = [
            (kind, more, parts)
            for kind, more, parts in (
                ("related", '; type="multipart/alternative"', shown),
                ("mixed", "", attached),
            )
            if parts
        ]

    def addressed(
        self,
        recipient: str,
        token: str,
        values: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the mail to one recipient, its lines ended by CRLF.

        Thai is sent in base64: every relay passes it on unharmed.

        Args:
            recipient: an address.
            token: tells this mail from all others; stands in its Message-ID and in a header of our own.
            values: mark -> what is written in its place, in both parts.
            headers: more headers, in ASCII.
        """
        kind, body = self._body(token, values or {})
        own = {
            "To": recipient,
            "Date": format_datetime(clock.now()),
            "Message-ID": f"<{token}@{self._domain}>",
            TOKEN_HEADER: token,
            "Auto-Submitted": "auto-generated",
            **(headers or {}),
            "MIME-Version": "1.0",
            "Content-Type": kind,
            "Content-Language": self._language,
        }
        for name, value in own.items():
            if "\r" in value or "\n" in value:
                raise ValueError(f"a line break in the header {name}")
        lines = [
            self._head,
            *(f"{name}: {value}\r\n".encode("ascii") for name, value in own.items()),
        ]
        return b"".join(lines) + body

    def _body(self, token: str, values: Mapping[str, str]) -> tuple[str, bytes]:
        """Return content type and body of the mail; the body begins with the line that ends the headers."""
        boundary = f"=_{token}"
        lines = []
        for kind, text in self._parts:
            filled = text.replace("\r\n", "\n")
            for mark, value in values.items():
                filled = filled.replace(mark, escape(value) if kind == "html" else value)
            lines.append(
                f"\r\n--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n".encode("ascii")
            )
            lines.append(_base64(filled.encode()))
        lines.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
        body = b"".join(lines)
        content_type = f'multipart/alternative; boundary="{boundary}"'
        for kind, more, parts in self._around:
            boundary = f"=_{kind}{token}"
            body = b"".join(
                [
                    f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n".encode("ascii"),
                    body,
                    *(f"\r\n--{boundary}\r\n".encode("ascii") + part for part in parts),
                    f"\r\n--{boundary}--\r\n".encode("ascii"),
                ]
            )
            content_type = f'multipart/{kind}; boundary="{boundary}"{more}'
        return content_type, body

    def _picture(self, name: str, content: bytes) -> bytes:
        head = (
            f'Content-Type: image/png; name="{name}.png"\r\n'
            "Content-Transfer-Encoding: base64\r\n"
            f"Content-ID: <{name}@{self._domain}>\r\n"
            f'Content-Disposition: inline; filename="{name}.png"\r\n\r\n'
        )
        return head.encode("ascii") + _base64(content)


def _base64(content: bytes) -> bytes:
    return encodebytes(content).rstrip().replace(b"\n", b"\r\n")


class Connection:
    """An open dialogue with a mail server."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client

    def hand_over(self, message: bytes, return_path: str, recipient: str) -> Handover:
        """Give one message, its lines ended by CRLF, to the server and return what it said.

        UNCERTAIN only when the line broke after the text had begun: the server may have taken it.
        """
        try:
            code, said = self._client.docmd(f"MAIL FROM:<{return_path}>")
            if code != _DONE:
                return self._not_taken(code, said)
            code, said = self._client.docmd(f"RCPT TO:<{recipient}>")
            if code not in (_DONE, _FORWARDED):
                return replace(self._not_taken(code, said), is_of_recipient=True)
            code, said = self._client.docmd("data")
            if code != _GO_ON:
                return self._not_taken(code, said)
        except UnicodeError:
            return self._not_taken(_NO_SUCH_NAME, b"")
        except (smtplib.SMTPException, OSError):
            return Handover(Verdict.LATER, None)
        try:
            self._client.send(_with_dots(message).rstrip() + b"\r\n.\r\n")
            with self._patience():
                code, said = self._client.getreply()
        except (smtplib.SMTPException, OSError):
            return Handover(Verdict.UNCERTAIN, None)
        return _answered(code, said)

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Let the server take its time for what comes in the block."""
        line = cast(socket, self._client.sock)
        line.settimeout(TEXT_TIMEOUT_S)
        yield
        line.settimeout(TIMEOUT_S)

    def _not_taken(self, code: int, said: bytes) -> Handover:
        """Return the server's answer; it may have hung up with it (RFC 5321, section 3.8)."""
        with suppress(smtplib.SMTPException, OSError):
            self._client.rset()
        return _answered(code, said)


def _with_dots(message: bytes) -> bytes:
    """Return a message with the first dot of each line doubled; hardly any has one."""
    return _LEADING_DOT.sub(b"..", message) if b"\n." in message else message


def _answered(code: int, said: bytes) -> Handover:
    verdict = Verdict.REFUSED if code >= 500 else Verdict.LATER
    text = said.decode("utf-8", "replace")
    return Handover(Verdict.ACCEPTED if code == _DONE else verdict, code, text)


@contextmanager
def connect(server: MailServer) -> Iterator[Connection]:
    """Open a dialogue with the mail server and close it at the end of the block.

    Raises:
        EngagementError: the server does not answer, or does not take the login.
    """
    try:
        client = _open(server)
    except smtplib.SMTPAuthenticationError:
        raise EngagementError(
            f"The mail server {server} does not take the login; correct {server.setting}."
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise EngagementError(
            f"The mail server {server} does not answer ({type(error).__name__}); nothing was sent. "
            f"See that it runs and that {server.setting} is right, then run again."
        ) from None
    try:
        yield Connection(client)
    finally:
        try:
            client.quit()
        except (smtplib.SMTPException, OSError):
            client.close()


def _open(server: MailServer) -> smtplib.SMTP:
    safe = ssl.create_default_context()
    if server.is_ssl:
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_S, context=safe
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        client.ehlo_or_helo_if_needed()
        if server.is_starttls:
            client.starttls(context=safe)
            client.ehlo()
        if server.user:
            client.login(server.user, server.password or "")
    except (smtplib.SMTPException, OSError):
        client.close()
        raise
    return client
