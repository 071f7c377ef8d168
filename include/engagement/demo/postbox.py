"""The demo's mail server: keeps every mail that it receives, and delivers none."""

from __future__ import annotations

import email
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _Postbox:
    """Writes each mail as an .eml file, and its HTML part beside it to be opened in a browser."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        number = len(list(self._folder.glob("*.eml"))) + 1
        path = self._folder / f"{number:02d}.eml"
        path.write_bytes(raw)
        message = email.message_from_bytes(raw, policy=default)
        html = message.get_body(("html",)) if isinstance(message, EmailMessage) else None
        if html is not None:
            path.with_suffix(".html").write_text(html.get_content(), encoding="utf-8")
        return "250 kept"


@contextmanager
def receiving(folder: Path, port: int) -> Iterator[None]:
    """Receive mail on 127.0.0.1:`port` into `folder` until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(_Postbox(folder), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()
