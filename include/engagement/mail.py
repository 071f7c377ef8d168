"""Mail itself: how a message is built and handed to a mail server. The only place that speaks SMTP."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from enum import Enum

from engagement import clock
from engagement.errors import EngagementError

TIMEOUT_S = 30  # per answer of the server
DIALOGUE_S = 4 * TIMEOUT_S  # of one message: MAIL, RCPT, DATA and the text
_GO_ON = 354
_NO_SUCH_NAME = 553  # RFC 5321: mailbox name not allowed
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)  # RFC 5321, 4.5.2: a line's first dot is doubled


@dataclass(frozen=True)
class MailServer:
    """The server that takes our mail, and in whose name it is sent."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    is_ssl: bool = False
    is_starttls: bool = False

    def __repr__(self) -> str:
        return f"{self.host}:{self.port}"


class Verdict(Enum):
    """What became of a message that was handed over."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Handover:
    """The server's answer to one message; `code` is its SMTP reply, None when the line broke."""

    verdict: Verdict
    code: int | None


def build(
    *,
    sender: str,
    recipient: str,
    subject: str,
    text: str,
    html: str,
    language: str,
    token: str,
) -> EmailMessage:
    """Return a message of a text and an HTML part; only `token` tells it from its copies.

    Thai is sent in base64: every relay passes it on unharmed.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = clock.now()
    message["Message-ID"] = f"<{token}@{sender.rpartition('@')[2].strip('<> ')}>"
    message["X-Engagement-Token"] = token
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="base64")
    message.add_alternative(html, subtype="html", cte="base64")
    message["Content-Language"] = (
        language  # last: a Content- header set before goes to the text part
    )
    return message


class Connection:
    """An open dialogue with a mail server."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client

    def hand_over(self, message: EmailMessage, return_path: str, recipient: str) -> Handover:
        """Give one message to the server and return what it said.

        UNCERTAIN only when the line broke after the text had begun: the server may have taken it.
        """
        try:
            for command, argument in (("mail", return_path), ("rcpt", recipient)):
                code, _ = getattr(self._client, command)(argument)
                if code not in (250, 251):
                    self._client.rset()
                    return Handover(_refusal(code), code)
            code, _ = self._client.docmd("data")
            if code != _GO_ON:
                self._client.rset()
                return Handover(_refusal(code), code)
        except UnicodeError:
            self._client.rset()
            return Handover(Verdict.REFUSED, _NO_SUCH_NAME)
        except (smtplib.SMTPException, OSError):
            return Handover(Verdict.LATER, None)
        try:
            self._client.send(_LEADING_DOT.sub(b"..", message.as_bytes()).rstrip() + b"\r\n.\r\n")
            code, _ = self._client.getreply()
        except (smtplib.SMTPException, OSError):
            return Handover(Verdict.UNCERTAIN, None)
        return Handover(Verdict.ACCEPTED if code == 250 else _refusal(code), code)


def _refusal(code: int) -> Verdict:
    return Verdict.REFUSED if code >= 500 else Verdict.LATER


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
            f"The mail server {server} does not take the login; correct the connection smtp_default."
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise EngagementError(
            f"The mail server {server} does not answer ({type(error).__name__}); nothing was sent. "
            "See that it runs and that the connection smtp_default is right, then run again."
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
