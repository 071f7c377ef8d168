"""A mail that the relay does not take for now is tried again, ever more seldom, and given up in the end."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from engagement import clock as business, mail, outbox, sending
from engagement.cli.mail import mail_app
from engagement.cli.person import login
from engagement.mail import MailServer, Verdict
from engagement.outbox import Batch
from engagement.sending import Message
from engagement.settings import settings

BATCH = Batch("report", "2018-06")
ANNA, BERT = "anna@library.example.com", "bert@library.example.com"


class Relay:
    """A real SMTP server that answers each recipient as it is told."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.took: list[str] = []

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, recipient: str, options: Any
    ) -> str:
        if recipient in self.replies:
            return self.replies[recipient]
        envelope.rcpt_tos.append(recipient)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.took += envelope.rcpt_tos
        return "250 kept"


@pytest.fixture
def relay(
    clock: Any, store: Any, world: pytest.MonkeyPatch, listen: Any
) -> tuple[Relay, MailServer]:
    """A relay, and two queued mails; it is nine in the morning of 9 July 2018."""
    world.setenv("ENGAGEMENT_MAIL", "live")
    settings.cache_clear()
    clock.at(2018, 7, 9, 9)
    outbox.queue(BATCH, "report-v1", 1, [ANNA, BERT])
    handler = Relay()
    return handler, listen(handler)


def compose(message: Message) -> bytes:
    letter = mail.Letter(
        sender="Library <a@library.example.com>",
        subject="Report",
        text="Text\n",
        html="<p>Text</p>",
        language="en",
    )
    return letter.addressed(message.address, message.token, headers=message.headers)


def send(server: MailServer) -> int:
    return sending.dispatch(BATCH, server, compose)[Verdict.ACCEPTED]


def due(store: Any) -> datetime:
    found: datetime = store.value("SELECT due_at FROM core.message WHERE state = 'queued'")
    return found


def go_to(instant: datetime) -> None:
    path = settings().clock_file
    assert path is not None
    business.move(path, instant)


def test_it_waits_twice_as_long_each_time_and_four_hours_at_most(relay: Any, store: Any) -> None:
    handler, server = relay
    handler.replies[ANNA] = "450 4.2.0 greylisted"
    assert send(server) == 1
    waits = []
    for _ in range(8):
        waited = due(store) - business.now()
        waits.append(waited.total_seconds() / 60)
        assert send(server) == 0  # not due: nobody is asked
        go_to(due(store))
        assert send(server) == 0
    assert waits == [5, 10, 20, 40, 80, 160, 240, 240]
    handler.replies.clear()
    go_to(due(store))
    assert send(server) == 1
    assert sorted(handler.took) == [ANNA, BERT]


def test_after_three_days_it_is_given_up_with_the_last_reply(
    relay: Any, store: Any, clock: Any
) -> None:
    handler, server = relay
    handler.replies[ANNA] = "452 4.3.1 disk full"
    assert send(server) == 1
    clock.at(2018, 7, 12, 10)
    assert send(server) == 0
    assert store.do(
        "SELECT state, smtp_code, smtp_status FROM core.message WHERE state != 'sent'"
    ) == [("given up", 452, "4.3.1")]
    assert send(server) == 0


def test_who_asks_again_need_not_wait(relay: Any, store: Any) -> None:
    handler, server = relay
    handler.replies[ANNA] = "450 4.2.0 greylisted"
    assert send(server) == 1
    handler.replies.clear()
    assert outbox.queue(BATCH, "report-v1", 1, [ANNA, BERT]) == 0
    assert send(server) == 1


def test_each_mail_says_in_its_headers_what_it_is(relay: Any, store: Any) -> None:
    assert store.value("SELECT count(*) FROM core.message") == 2
    message = Message(BATCH, 1, "report-v1", 1, "t" * 32, ANNA, False, None, None)
    assert b"\r\nX-Engagement-Mail: report/2018-06/report-v1\r\n" in compose(message)


def test_a_relay_may_look_long_through_a_text_before_it_takes_it(
    relay: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    handler, server = relay
    world.setattr(mail, "TIMEOUT_S", 0.5)

    async def slowly(server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(1)
        handler.took += envelope.rcpt_tos
        return "250 kept"

    handler.handle_DATA = slowly
    assert send(server) == 2
    assert sorted(handler.took) == [ANNA, BERT]


def test_whose_an_uncertain_mail_is_says_a_command_that_writes_down_who_looked(
    relay: Any, store: Any
) -> None:
    store.do("UPDATE core.message SET state = 'uncertain', claimed_at = queued_at")
    store.do("UPDATE core.message SET is_caught = true WHERE message_id = 2")
    said = CliRunner().invoke(mail_app, ["uncertain"]).output
    assert (f"to {ANNA}  header" in said, "to the catch-all address  header" in said) == (
        True,
        True,
    )
    assert BERT not in said
    assert store.do("SELECT actor, command, row_count FROM ops.pii_read") == [
        (login(), "mail uncertain", 2)
    ]
