"""A remote mail server that behaves badly, each recipient in a way of its own: his local part says which."""

import asyncio
import smtplib
import threading
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from aiosmtpd.controller import Controller

_AT_RCPT = {
    "nouser": "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
    "550 5.1.1 double-checking the recipient's email address for typos",
    "full": "452-4.2.2 The recipient's inbox is out of storage space.\r\n452 4.2.2 gsmtp",
    "disabled": "550 5.2.1 The email account that you tried to reach is disabled. gsmtp",
    "busy": "421 4.7.0 Try again later, closing connection.",
}
_AFTER_DATA = {
    "spam": "550-5.7.1 Our system has detected that this message is likely unsolicited mail.\r\n"
    "550 5.7.1 gsmtp",
    "spf": "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n"
    "550 5.7.26 gsmtp",
}
_GREY_S = 6
_SLOW_S = 8


class OddRemote:
    """Answers for gmail.example.com."""

    def __init__(self, back: tuple[str, int]) -> None:
        """Take the server to which automatic replies go."""
        self._back = back
        self._first_seen: dict[str, float] = {}

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Refuse for good or for now, by the recipient."""
        name = address.partition("@")[0]
        if name in _AT_RCPT:
            return _AT_RCPT[name]
        now = time.monotonic()
        if name == "grey" and now < self._first_seen.setdefault(address, now) + _GREY_S:
            return "450 4.7.1 Greylisted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take the text; answer late, not at all, or by a reply of its own."""
        to = envelope.rcpt_tos[0]
        name = to.partition("@")[0]
        if name == "slow":
            await asyncio.sleep(_SLOW_S)
        if name == "dropafterdata":
            server.transport.abort()  # it has the mail, and the sender cannot know
        if name == "vacation":
            threading.Thread(target=self._reply, args=(to, envelope.mail_from)).start()
        return _AFTER_DATA.get(name, "250 2.0.0 OK gsmtp")

    def _reply(self, sender: str, to: str) -> None:
        """Send an automatic reply (RFC 3834) to the return path."""
        mail = EmailMessage()
        mail["From"] = sender
        mail["To"] = to
        mail["Subject"] = "Automatic reply: out of office"
        mail["Auto-Submitted"] = "auto-replied"
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(domain="gmail.example.com")
        mail.set_content("I am away.")
        with smtplib.SMTP(*self._back, timeout=20) as client:
            client.send_message(mail, "", [to])


def start(host: str, port: int, back: tuple[str, int]) -> None:
    """Let it listen on `host` as long as the process lives; automatic replies go to `back`."""
    Controller(
        OddRemote(back), hostname=host, port=port, server_hostname="mx.gmail.example.com"
    ).start()
