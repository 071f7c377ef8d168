"""A program that sends a batch, and is killed where the test says: `dispatcher.py '{"batch": ...}'`.

It is a process of its own, so that SIGKILL takes it like a power failure: nothing is cleaned up.
"""

import json
import os
import signal
import smtplib
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from engagement import orphans, outbox, sending
from engagement.errors import EngagementError
from engagement.mail import Connection, Letter, MailServer
from engagement.mailbox import Journal, Place

_END_OF_TEXT = b"\r\n.\r\n"


def die(*_: object) -> None:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, count: int) -> None:
    """Die as soon as a method has returned for the `count`th time."""
    method = getattr(owner, name)
    left = count

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        result = method(*arguments, **named)
        left -= 1
        if not left:
            die()
        return result

    setattr(owner, name, wrapped)


def answered(verb: str, count: int) -> None:
    """Die as soon as the `count`th command of a kind was answered."""
    command = smtplib.SMTP.docmd
    left = count

    def wrapped(client: smtplib.SMTP, words: str, *arguments: str) -> Any:
        nonlocal left
        result = command(client, words, *arguments)
        left -= words.upper().startswith(verb)
        if not left:
            die()
        return result

    smtplib.SMTP.docmd = wrapped  # type: ignore[method-assign]


def in_text(then: Callable[[smtplib.SMTP, bytes], object], count: int) -> None:
    """Do `then` in place of sending the `count`th text, and die."""
    send = smtplib.SMTP.send
    left = count

    def wrapped(client: smtplib.SMTP, what: Any) -> None:
        nonlocal left
        if isinstance(what, bytes) and what.endswith(_END_OF_TEXT):
            left -= 1
            if not left:
                then(client, what)
                die()
        send(client, what)

    smtplib.SMTP.send = wrapped  # type: ignore[method-assign]


def send_half(client: smtplib.SMTP, text: bytes) -> None:
    """Send the first half of a text."""
    assert client.sock is not None
    client.sock.sendall(text[: len(text) // 2])


def send_all(client: smtplib.SMTP, text: bytes) -> None:
    """Send a text with its final dot."""
    assert client.sock is not None
    client.sock.sendall(text)


# Where a worker dies, by the name of the point, while it sends its mail of a number.
POINTS: dict[str, Callable[[int], None]] = {
    "connect": lambda _: after(smtplib.SMTP, "connect", 1),
    "MAIL": lambda count: answered("MAIL", count),
    "RCPT": lambda count: answered("RCPT", count),
    "DATA accepted": lambda count: answered("DATA", count),
    "mid-body": lambda count: in_text(send_half, count),
    "final dot sent": lambda count: in_text(send_all, count),
    "250 read": lambda count: after(Connection, "hand_over", count),
    "committed": lambda count: after(sending._Worker, "_claim", count + 1),
}


def send(told: dict[str, Any]) -> None:
    """Send what is due of a batch, with a line on the standard output for each mail that is begun.

    Args:
        told: batch (purpose and ref), host and port of the relay, journal (a URL, or empty) and settle_s,
            connections, seconds (None: until nothing is due).

    Raises:
        EngagementError: something of it is left to do.
    """
    server = MailServer(told["host"], told["port"], "Library <survey@library.example.com>")
    letter = Letter(
        sender=server.sender, subject="A mail", text="text", html="<p>text</p>", language="en"
    )
    settle = timedelta(seconds=told["settle_s"])
    batch = outbox.Batch(*told["batch"])

    def compose(message: sending.Message) -> bytes:
        sys.stdout.write("sending\n")
        sys.stdout.flush()
        return letter.addressed(message.address, message.token, headers=message.headers)

    outcome = sending.dispatch(
        batch,
        server,
        compose,
        journal=Journal(Place(told["journal"]), settle) if told["journal"] else None,
        connections=told["connections"],
        seconds=told["seconds"],
    )
    sending.require_done(batch, server, outcome)


def main(told: dict[str, Any]) -> None:
    """Send a batch as a worker that dies: `lease_s` stands for the longest dialogue."""
    orphans.LEASE = timedelta(seconds=told["lease_s"])
    if told["dies_at"]:
        POINTS[told["dies_at"]](told["dies_in"])
    try:
        send(told)
    except EngagementError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
