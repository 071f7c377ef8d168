"""The report reaches each recipient once, whatever happens to the mail server or to the worker."""

import email
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from engagement import orphans, outbox, warehouse
from engagement.errors import EngagementError
from engagement.mail import MailServer
from engagement.monitor import release
from engagement.period import Period
from engagement.settings import settings

JUNE = Period(2018, 6)
RECIPIENTS = ("director@library.example.com", "dean@library.example.com")


class MailWorld:
    """A real SMTP server that keeps what it takes, and refuses whom it is told to."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.refusals: dict[str, str] = {}
        self.answer_to_text = "250 kept"
        self.silence_s = 0.0

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        import asyncio

        await asyncio.sleep(self.silence_s)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append((envelope.rcpt_tos, message))
        return self.answer_to_text

    def reached(self) -> list[str]:
        """Return every address that a mail was accepted for, in order."""
        return [address for addresses, _ in self.received for address in addresses]


@pytest.fixture
def world_of_mail(listen: Any) -> tuple[MailWorld, MailServer]:
    handler = MailWorld()
    return handler, listen(handler)


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A published June, rendered for two recipients; mail is live for the deployment that owns it."""
    names = "".join(f"  - {address}\n" for address in RECIPIENTS)
    head = Path(settings().report_file).read_text("utf-8").split("recipients:")[0]
    (tmp_path / "report.yaml").write_text(f"{head}recipients:\n{names}", encoding="utf-8")
    world.setenv("ENGAGEMENT_REPORT_FILE", str(tmp_path / "report.yaml"))
    world.setenv("ENGAGEMENT_MAIL", "live")
    world.setenv("ENGAGEMENT_ARCHIVE", str(tmp_path / "archive"))
    settings.cache_clear()
    publish_figures(store, "2018-06", real=12_083)
    release.cut(JUNE, "a run")


def publish_figures(store: Any, period: str, real: int) -> None:
    """Put consistent figures of a period into mart."""
    store.do("DELETE FROM mart.patron_funnel WHERE period = %s", [period])
    store.do("DELETE FROM mart.patron_rejection WHERE period = %s", [period])
    store.do("DELETE FROM mart.patron_group WHERE period = %s", [period])
    store.do(
        "INSERT INTO mart.patron_funnel VALUES (%s, 1, 60403, 20000, %s, 11000, %s, %s, "
        "'2018-06-27', '2018-06-27', 'd', '2018-07-01')",
        [period, real, real, 60_403 - real],
    )
    store.do(
        "INSERT INTO mart.patron_rejection VALUES (%s, 'not_current', 40403, 40403), "
        "(%s, 'email', 30000, %s)",
        [period, period, 20_000 - real],
    )
    store.do(
        "INSERT INTO mart.patron_group SELECT %s, group_code, "
        "CASE rank WHEN 1 THEN 60403 ELSE 0 END, CASE rank WHEN 1 THEN %s ELSE 0 END "
        "FROM core.patron_group",
        [period, real],
    )


def sentence_of(step: Any, *arguments: Any) -> str:
    with pytest.raises(EngagementError) as caught:
        step(*arguments)
    return str(caught.value)


def test_every_recipient_gets_the_report_once_however_often_it_is_sent(world_of_mail: Any) -> None:
    mails, server = world_of_mail
    assert release.send(JUNE, server, 1) == 2
    assert release.send(JUNE, server, 1) == 0
    assert sorted(mails.reached()) == sorted(RECIPIENTS)
    _, message = mails.received[0]
    assert "12,083" in message["Subject"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "th"
    for part in (message.get_body(("plain",)), message.get_body(("html",))):
        assert part is not None
        assert "สำนักหอสมุด" in part.get_content()


def test_message_ids_tell_nothing_about_the_recipient(world_of_mail: Any) -> None:
    mails, server = world_of_mail
    release.send(JUNE, server, 1)
    ids = [message["Message-ID"] for _, message in mails.received]
    assert len(set(ids)) == 2
    assert not any(name in i for i in ids for name in ("director", "dean"))


def test_a_month_published_again_makes_a_new_edition_and_mails_nothing(
    world_of_mail: Any, store: Any
) -> None:
    mails, server = world_of_mail
    release.send(JUNE, server, 1)
    assert release.cut(JUNE, "a run") == 1  # it says the same
    publish_figures(store, "2018-06", real=12_084)
    assert release.cut(JUNE, "a run") == 2
    assert release.send(JUNE, server, 2) == 0
    assert len(mails.received) == 2


def test_a_mail_server_that_does_not_answer_is_named_and_nothing_is_lost(
    world_of_mail: Any,
) -> None:
    _, server = world_of_mail
    closed = MailServer("127.0.0.1", 1, server.sender)
    assert "127.0.0.1:1 does not answer" in sentence_of(release.send, JUNE, closed, 1)
    assert release.send(JUNE, server, 1) == 2


def test_a_temporary_refusal_keeps_the_mail_queued_and_a_repeated_run_sends_it(
    world_of_mail: Any,
) -> None:
    mails, server = world_of_mail
    mails.refusals[RECIPIENTS[0]] = "451 4.3.0 try later"
    said = sentence_of(release.send, JUNE, server, 1)
    assert "did not take 1 mail(s) of report 2018-06 for now (reply 451)" in said
    assert "@" not in said
    assert mails.reached() == [RECIPIENTS[1]]
    mails.refusals.clear()
    assert release.send(JUNE, server, 1) == 1
    assert sorted(mails.reached()) == sorted(RECIPIENTS)


def test_one_recipient_refused_for_good_does_not_keep_it_from_the_others(
    world_of_mail: Any,
) -> None:
    mails, server = world_of_mail
    mails.refusals[RECIPIENTS[1]] = "550 5.1.1 no such user"
    said = sentence_of(release.send, JUNE, server, 1)
    assert "refused 1 mail(s) of report 2018-06 for good (reply 550)" in said
    assert mails.reached() == [RECIPIENTS[0]]
    assert "refused 1 mail(s)" in sentence_of(release.send, JUNE, server, 1)  # still in the list
    take_off_the_list(RECIPIENTS[1])
    assert release.send(JUNE, server, 1) == 0
    assert mails.reached() == [RECIPIENTS[0]]


def take_off_the_list(recipient: str) -> None:
    path = settings().report_file
    path.write_text(path.read_text().replace(f"  - {recipient}\n", ""))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  - no address\n", "recipients.number 3.address: that is no e-mail address"),
        ("  - ผู้อำนวยการ@library.example.com\n", "number 3.address: that is no e-mail address"),
        (f"  - {RECIPIENTS[0].upper()}\n", "number 3 stands there twice"),
        ('  - "director@library.example.com\n', "no valid YAML at line"),
    ],
)
def test_a_mistake_in_the_list_of_recipients_is_told_without_an_address(
    world_of_mail: Any, line: str, said: str
) -> None:
    mails, server = world_of_mail
    path = settings().report_file
    path.write_text(path.read_text() + line)
    with pytest.raises(EngagementError, match=said) as caught:
        release.send(JUNE, server, 1)
    assert "example.com" not in str(caught.value).replace(str(path), "")
    assert mails.received == []


def test_a_server_that_refuses_the_text_gets_it_again_later(world_of_mail: Any) -> None:
    mails, server = world_of_mail
    mails.answer_to_text = "452 4.3.1 disk full"
    assert "(reply 452)" in sentence_of(release.send, JUNE, server, 1)
    mails.received.clear()
    mails.answer_to_text = "250 kept"
    assert release.send(JUNE, server, 1) == 2


def test_without_live_mail_only_the_catch_all_address_is_reached(
    world_of_mail: Any, world: pytest.MonkeyPatch
) -> None:
    mails, server = world_of_mail
    world.setenv("ENGAGEMENT_MAIL", "caught")
    settings.cache_clear()
    assert "ENGAGEMENT_MAIL_CATCH_ALL" in sentence_of(release.send, JUNE, server, 1)
    world.setenv("ENGAGEMENT_MAIL_CATCH_ALL", "engineer@library.example.com")
    settings.cache_clear()
    assert release.send(JUNE, server, 1) == 2
    assert set(mails.reached()) == {"engineer@library.example.com"}
    assert all("director" not in str(m) and "dean@" not in str(m) for _, m in mails.received)
    assert release.send(JUNE, server, 1) == 0


def test_what_was_caught_is_mailed_when_the_catch_is_taken_off(
    world_of_mail: Any, world: pytest.MonkeyPatch
) -> None:
    mails, server = world_of_mail
    world.setenv("ENGAGEMENT_MAIL", "caught")
    world.setenv("ENGAGEMENT_MAIL_CATCH_ALL", "engineer@library.example.com")
    settings.cache_clear()
    release.send(JUNE, server, 1)
    mails.received.clear()
    world.setenv("ENGAGEMENT_MAIL", "live")
    settings.cache_clear()
    assert release.send(JUNE, server, 1) == 2
    assert release.send(JUNE, server, 1) == 0
    assert sorted(mails.reached()) == sorted(RECIPIENTS)


def test_a_copy_of_the_warehouse_elsewhere_mails_nobody(
    world_of_mail: Any, world: pytest.MonkeyPatch
) -> None:
    mails, server = world_of_mail
    world.setenv("ENGAGEMENT_DEPLOYMENT", "a copy")
    settings.cache_clear()
    assert "belongs to the deployment 'test'" in sentence_of(release.send, JUNE, server, 1)
    assert mails.received == []


def test_a_run_that_ends_while_another_one_sends_does_not_call_it_done(
    world_of_mail: Any, store: Any
) -> None:
    _, server = world_of_mail
    release.send(JUNE, server, 1)
    with warehouse.session() as another:
        another.run("outbox/lock_worker", worker_lock=7)
        store.do("UPDATE core.message SET state = 'sending', worker_lock = 7, claimed_at = now()")
        assert "are being sent by another run" in sentence_of(release.send, JUNE, server, 1)


def test_who_is_taken_off_the_list_gets_no_mail_that_still_waits(world_of_mail: Any) -> None:
    mails, server = world_of_mail
    mails.refusals[RECIPIENTS[1]] = "450 4.2.0 greylisted"
    sentence_of(release.send, JUNE, server, 1)
    mails.refusals.clear()
    take_off_the_list(RECIPIENTS[1])
    assert release.send(JUNE, server, 1) == 0
    assert mails.reached() == [RECIPIENTS[0]]
    path = settings().report_file
    path.write_text(path.read_text() + f"  - {RECIPIENTS[1]}\n")
    assert release.send(JUNE, server, 1) == 1
    assert sorted(mails.reached()) == sorted(RECIPIENTS)


def test_an_uncertain_mail_that_was_only_caught_still_goes_out_when_mail_is_live(
    world_of_mail: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    mails, server = world_of_mail
    world.setenv("ENGAGEMENT_MAIL", "caught")
    world.setenv("ENGAGEMENT_MAIL_CATCH_ALL", "engineer@library.example.com")
    settings.cache_clear()
    code = _KILLED.format(setup=_AFTER_SMTP, port=server.port)
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode != 0
    world.setattr(orphans, "LEASE", timedelta(seconds=0.1))
    sentence_of(release.send, JUNE, server, 1)
    number = store.value("SELECT message_id FROM core.message WHERE state = 'uncertain'")
    outbox.settle(number, is_delivered=True)
    mails.received.clear()
    world.setenv("ENGAGEMENT_MAIL", "live")
    settings.cache_clear()
    assert release.send(JUNE, server, 1) == 2
    assert sorted(mails.reached()) == sorted(RECIPIENTS)


def test_a_mail_that_could_not_be_written_stays_queued(
    world_of_mail: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    mails, server = world_of_mail
    kept = release._Letters.compose
    world.setattr(release._Letters, "compose", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        release.send(JUNE, server, 1)
    assert store.do("SELECT DISTINCT state FROM core.message") == [("queued",)]
    world.setattr(release._Letters, "compose", kept)
    assert release.send(JUNE, server, 1) == 2
    assert sorted(mails.reached()) == sorted(RECIPIENTS)


def test_a_recipient_whose_address_was_erased_keeps_the_mail_from_nobody_else(
    world_of_mail: Any, store: Any
) -> None:
    mails, server = world_of_mail
    mails.refusals[RECIPIENTS[0]] = "450 4.2.0 greylisted"
    mails.refusals[RECIPIENTS[1]] = "450 4.2.0 greylisted"
    sentence_of(release.send, JUNE, server, 1)
    mails.refusals.clear()
    take_off_the_list(RECIPIENTS[1])
    store.do("UPDATE core.message SET state = 'queued'")
    store.do("DELETE FROM pii.address WHERE address = %s", [RECIPIENTS[1]])
    assert release.send(JUNE, server, 1) == 1
    assert mails.reached() == [RECIPIENTS[0]]


def test_without_a_rendered_report_nothing_is_sent(world_of_mail: Any) -> None:
    said = sentence_of(release.send, JUNE.next, world_of_mail[1], 1)
    assert "no report on 2018-07 yet; `engagement report preview 2018-07`" in said


_KILLED = """
import os, signal
from engagement import outbox, sending
from engagement.mail import Connection, MailServer
from engagement.monitor import release
from engagement.period import Period
def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
{setup}
release.send(Period(2018, 6), MailServer("127.0.0.1", {port}, "engagement@library.example.com"), 1)
"""
_BEFORE_SMTP = "Connection.hand_over = kill"
_AFTER_SMTP = "sending._Sending.count = kill"


@pytest.mark.parametrize(("setup", "arrived"), [(_BEFORE_SMTP, False), (_AFTER_SMTP, True)])
def test_a_worker_killed_while_sending_leaves_one_mail_that_a_person_settles(
    world_of_mail: Any, store: Any, world: pytest.MonkeyPatch, setup: str, arrived: bool
) -> None:
    from datetime import timedelta

    mails, server = world_of_mail
    code = _KILLED.format(setup=setup, port=server.port)
    done = subprocess.run([sys.executable, "-c", code], env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert len(mails.received) == arrived
    world.setattr(orphans, "LEASE", timedelta(seconds=0.1))
    said = sentence_of(release.send, JUNE, server, 1)
    assert "1 mail(s) of report 2018-06 may or may not have arrived" in said
    assert len(mails.received) == 1 + arrived  # the other recipient's
    number = store.value("SELECT message_id FROM core.message WHERE state = 'uncertain'")
    assert f"engagement mail settle {number}" in said
    outbox.settle(number, is_delivered=arrived)
    assert release.send(JUNE, server, 1) == (0 if arrived else 1)
    assert sorted(mails.reached()) == sorted(RECIPIENTS)
    assert "nothing to settle" in sentence_of(_settle_again, number)


def _settle_again(number: int) -> None:
    outbox.settle(number, is_delivered=True)


def test_a_living_worker_is_not_taken_for_a_dead_one(world_of_mail: Any, store: Any) -> None:
    mails, server = world_of_mail
    mails.silence_s = 2
    code = _KILLED.format(setup="", port=server.port)
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ) as other:
        end = time.monotonic() + 20
        while not store.value("SELECT count(*) FROM core.message WHERE state = 'sending'"):
            assert time.monotonic() < end
            time.sleep(0.05)
        with warehouse.session() as session:
            assert session.rows("outbox/orphans", purpose="report", ref="2018-06") == []
        with suppress(EngagementError):  # whoever ends first sees the other at work
            release.send(JUNE, server, 1)
        other.wait(30)
    assert release.send(JUNE, server, 1) == 0
    assert sorted(mails.reached()) == sorted(RECIPIENTS)
