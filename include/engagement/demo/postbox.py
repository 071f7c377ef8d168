"""The demo's mail world: a relay that keeps a journal, mailboxes that exist or do not, real delivery reports."""

from __future__ import annotations

import email
import itertools
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage, Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import default
from email.utils import formatdate, make_msgid
from enum import Enum
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_NAME = "mx.postbox.example.com"
_MAILBOXES = ("bounces", "journal", "people")


class Fate(Enum):
    """What becomes of mail to an address: enhanced status (RFC 3463) and what its server says."""

    DELIVERED = ("2.0.0", "250 2.0.0 kept")
    UNKNOWN = ("5.1.1", "550 5.1.1 The email account that you tried to reach does not exist.")
    DISABLED = ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled.")
    FULL = ("5.2.2", "552 5.2.2 The recipient's mailbox is full.")


Fates = Callable[[str], Fate]


class Postbox:
    """Takes every mail. Surveys are delivered or bounce; reports are kept for people to open."""

    def __init__(self, folder: Path, fates: Fates) -> None:
        self._folder = folder
        self._fates = fates
        self._numbers = itertools.count(1)
        for name in _MAILBOXES:
            for part in ("tmp", "new", "cur"):
                (folder / name / part).mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self._keep("journal", raw)
        mail = email.message_from_bytes(raw, policy=default)
        for recipient in envelope.rcpt_tos:
            if "List-Unsubscribe" in mail:
                self._deliver(mail, raw, recipient, envelope.mail_from or "")
            else:
                self._show(mail, raw)
        return "250 2.0.0 kept"

    def _deliver(self, mail: Message, raw: bytes, recipient: str, return_path: str) -> None:
        fate = self._fates(recipient)
        if fate is Fate.DELIVERED:
            self._keep("people", raw)
        elif return_path:
            self._keep("bounces", _report(mail, recipient, return_path, fate))

    def _keep(self, mailbox: str, raw: bytes) -> None:
        name = f"{time.time_ns()}.{next(self._numbers)}.postbox"
        written = self._folder / mailbox / "tmp" / name
        written.write_bytes(raw)
        written.rename(self._folder / mailbox / "new" / name)

    def _show(self, mail: Message, raw: bytes) -> None:
        """Write a mail as an .eml file, and its HTML part beside it to be opened in a browser."""
        number = len(list(self._folder.glob("*.eml"))) + 1
        path = self._folder / f"{number:02d}.eml"
        path.write_bytes(raw)
        html = mail.get_body(("html",)) if isinstance(mail, EmailMessage) else None
        if html is not None:
            page = _with_pictures(html.get_content(), mail)
            path.with_suffix(".html").write_text(page, encoding="utf-8")


def _with_pictures(page: str, mail: Message) -> str:
    """Return a mail's HTML with its pictures inside, for a browser."""
    for part in mail.walk():
        if isinstance(part, EmailMessage) and part.get_content_maintype() == "image":
            name = part["Content-ID"].strip("<>")
            content = b64encode(part.get_content()).decode()
            page = page.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{content}")
    return page


def _report(mail: Message, recipient: str, return_path: str, fate: Fate) -> bytes:
    """Return the delivery status notification of a mail that could not be delivered: RFC 3464."""
    status, said = fate.value
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{_NAME}>"
    report["To"] = return_path
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = formatdate()
    report["Message-ID"] = make_msgid(domain=_NAME)
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(f"Your message could not be delivered.\n\n<{recipient}>: {said}\n"))
    told = {
        "Final-Recipient": f"rfc822; {recipient}",
        "Action": "failed",
        "Status": status,
        "Diagnostic-Code": f"smtp; {said}",
    }
    blocks = Message()
    blocks["Content-Type"] = "message/delivery-status"
    blocks.set_payload([_headers({"Reporting-MTA": f"dns; {_NAME}"}), _headers(told)])
    report.attach(blocks)
    report.attach(MIMEMessage(_headers(dict(mail.items()))))
    return report.as_bytes()


def _headers(values: Mapping[str, str]) -> Message:
    block = Message()
    for name, value in values.items():
        block[name] = value
    return block


@contextmanager
def receiving(folder: Path, port: int, fates: Fates = lambda _: Fate.DELIVERED) -> Iterator[None]:
    """Receive mail on 127.0.0.1:`port` into `folder` until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(Postbox(folder, fates), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()
