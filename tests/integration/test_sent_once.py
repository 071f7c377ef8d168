"""Every mail is sent once, whoever dies in the middle: copies are counted where they arrive."""

import json
import random
import signal
import smtplib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rig import dispatcher
from survey import publish_people, use_campaigns, write_campaign

from engagement import orphans, outbox, warehouse
from engagement.errors import EngagementError
from engagement.mail import MailServer
from engagement.mailbox import Journal, Place
from engagement.measure import approval, plan, run, waves
from engagement.outbox import Batch
from engagement.settings import settings

pytest_plugins = ("rig.mail_world",)

LEASE_S = 0.5
CONNECTIONS = 4


class Sending:
    """A batch of mails in the mail world, and the processes that send it."""

    def __init__(self, mails: Any, store: Any) -> None:
        self.mails = mails
        self.store = store
        self.server = mails.server
        self.batch = Batch("report", "2018-06")
        self.journal: Place | None = mails.journal
        self.settle_s = 1.0

    def queue(self, count: int, domain: str = "kku.example.com") -> int:
        """Queue a mail to each of so many people who have none yet; return how many are new."""
        people = [f"person-{number}@{domain}" for number in range(count)]
        return outbox.queue(self.batch, domain, None, people)

    def told(
        self,
        connections: int = CONNECTIONS,
        seconds: float | None = None,
        dies_at: str = "",
        dies_in: int = 1,
    ) -> dict[str, Any]:
        """Return what a dispatcher is told."""
        return {
            "batch": [self.batch.purpose, self.batch.ref],
            "host": self.server.host,
            "port": self.server.port,
            "journal": self.journal.url if self.journal else "",
            "settle_s": self.settle_s,
            "lease_s": LEASE_S,
            "connections": connections,
            "seconds": seconds,
            "dies_at": dies_at,
            "dies_in": dies_in,
        }

    @contextmanager
    def dispatcher(self, **told: Any) -> Iterator[subprocess.Popen[str]]:
        """Run a dispatcher of its own process; it has ended, or is killed, at the end of the block."""
        with subprocess.Popen(
            [sys.executable, dispatcher.__file__, json.dumps(self.told(**told))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def die(self, point: str, dies_in: int) -> None:
        """Let a dispatcher send until it dies at a point, at its mail of this number."""
        with self.dispatcher(connections=1, dies_at=point, dies_in=dies_in) as process:
            _, said = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, said

    def dispatch(self, **told: Any) -> str:
        """Send what is due; return the sentence that says what is left to do, if any."""
        try:
            dispatcher.send(self.told(**told))
        except EngagementError as error:
            return str(error)
        return ""

    def wait_for(self, sent: int) -> None:
        """Wait until so many mails are recorded as sent."""
        self.mails.wait_until(lambda: self.states().get("sent", 0) >= sent)

    def rows(self, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Return columns of the batch's mails."""
        rows: list[tuple[Any, ...]] = self.store.do(
            f"SELECT {columns} FROM core.message WHERE purpose = %s AND {where}",  # noqa: S608
            [self.batch.purpose],
        )
        return rows

    def states(self) -> Counter[str]:
        """Return how many mails are in which state."""
        return Counter(state for (state,) in self.rows("state"))

    def copies(self) -> Counter[str]:
        """Return how many copies of each mail arrived, when nothing is on its way any more."""
        self.mails.wait_until(self.mails.is_idle)
        return Counter(self.mails.tokens("people"))

    def require_once(self, count: int, hint: str = "", copies: Counter[str] | None = None) -> None:
        """Require that so many mails are recorded as sent, and each has arrived once."""
        copies = copies or self.copies()
        tokens = {token for (token,) in self.rows("token")}
        lost = len(tokens - copies.keys())
        twice = sum(copies[token] > 1 for token in tokens)
        assert (self.states(), lost, twice) == ({"sent": count}, 0, 0), hint
        assert copies.total() == count

    def settle_uncertain(self) -> None:
        """Do what a person does about what is uncertain: look where it went, and say so."""
        copies = self.copies()
        for number, token in self.rows("message_id, token", "state = 'uncertain'"):
            outbox.settle(number, is_delivered=token in copies)


@pytest.fixture
def sending(mail_world: Any, store: Any, clock: Any, world: pytest.MonkeyPatch) -> Sending:
    """Mail is live, and comes back to the mailbox of bounces."""
    mail_world.clear()
    world.setattr(orphans, "LEASE", timedelta(seconds=LEASE_S))
    world.setenv("ENGAGEMENT_MAIL", "live")
    world.setenv("ENGAGEMENT_RETURN_PATH", "bounces@bounce.kku.example.com")
    settings.cache_clear()
    return Sending(mail_world, store)


# A kill at each point


@pytest.mark.parametrize("point", dispatcher.POINTS)
def test_with_a_journal_a_kill_at_any_point_loses_nothing_and_sends_nothing_twice(
    sending: Sending, point: str
) -> None:
    sending.queue(5)
    sending.die(point, dies_in=3)
    assert sending.dispatch() == ""
    sending.require_once(5)


def test_without_a_journal_each_dead_worker_leaves_one_mail_at_the_most_for_a_person_to_settle(
    sending: Sending,
) -> None:
    sending.journal = None
    sending.queue(100)
    with ThreadPoolExecutor() as threads:
        for died in [threads.submit(sending.die, point, dies_in=3) for point in dispatcher.POINTS]:
            died.result()
    said = sending.dispatch()
    assert sending.states()["uncertain"] == len(dispatcher.POINTS.keys() - {"connect"})
    first = min(number for (number,) in sending.rows("message_id", "state = 'uncertain'"))
    assert f"7 mail(s) of report 2018-06 may or may not have arrived, first number {first}" in said
    assert f"`engagement mail settle {first} --arrived` or `--not-arrived`" in said
    sending.settle_uncertain()
    assert sending.dispatch() == ""
    sending.require_once(100)


def test_a_journal_that_is_late_is_waited_for(sending: Sending) -> None:
    """The relay has the mail, and nobody can see that yet."""
    sending.queue(5)
    sending.mails.stop("remote")
    try:
        sending.die("final dot sent", dies_in=3)
        end = time.monotonic() + LEASE_S + 2 * sending.settle_s
        while time.monotonic() < end:
            assert "1 mail(s) of report 2018-06 are being sent" in sending.dispatch(seconds=0.5)
            time.sleep(0.2)
    finally:
        sending.mails.start("remote")
    assert sending.dispatch() == ""
    sending.require_once(5)


def test_a_journal_that_does_not_keep_our_mail_proves_nothing(
    sending: Sending, world: pytest.MonkeyPatch
) -> None:
    world.setattr(orphans, "_PROOF_WITHIN", timedelta(seconds=2))
    sending.journal = sending.mails.place("nothing")
    sending.queue(5)
    sending.die("final dot sent", dies_in=3)
    assert "may or may not have arrived" in sending.dispatch()
    assert sending.states() == {"sent": 4, "uncertain": 1}
    sending.settle_uncertain()
    assert sending.dispatch() == ""
    sending.require_once(5)


def test_clearing_and_running_again_sends_nothing_twice(sending: Sending) -> None:
    for _ in range(3):
        sending.queue(20)
        with ThreadPoolExecutor(2) as threads:
            for again in [threads.submit(sending.dispatch) for _ in range(2)]:
                assert again.result() == "" or "by another run" in again.result()
    assert sending.queue(21) == 1
    assert sending.dispatch() == ""
    sending.require_once(21)


def test_a_survey_is_sent_once_when_its_dispatcher_dies(
    sending: Sending, store: Any, clock: Any, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 200})
    folder = use_campaigns(world, tmp_path / "campaigns")
    name = write_campaign(folder, sample__size=100)
    approval.decide(name, plan.make(name), is_approved=True, by="anna")
    clock.at(2018, 7, 9, 9)
    waves.advance(name)
    sending.batch = Batch("survey", name)
    sending.die("final dot sent", dies_in=40)
    sending.die("mid-body", dies_in=60)  # the last one: nothing is queued any more
    journal = Journal(sending.mails.journal, timedelta(seconds=sending.settle_s))
    end = time.monotonic() + 20
    while sending.states() != {"sent": 100} and time.monotonic() < end:
        run.send_all(sending.mails.server, journal)  # as the task does, every quarter of an hour
        time.sleep(0.5)
    sending.require_once(100)


# Kills at random times


def kill_at_random(sending: Sending, kills: int, seed: int) -> int:
    """Let two dispatchers send at once, each killed so many times; return how many mails they were at."""

    def one(chance: random.Random) -> None:
        for _ in range(kills):
            # Not to the end: it leaves orphans to the next one until it can be known what became of them.
            with sending.dispatcher(seconds=60) as process:
                assert process.stdout is not None
                process.stdout.readline()  # it has begun
                time.sleep(chance.uniform(0, 0.4))
            process.wait()
            with warehouse.session() as session:
                found = session.rows(
                    "outbox/orphans", purpose=sending.batch.purpose, ref=sending.batch.ref
                )
                interrupted.update((row.message_id, row.claimed_at) for row in found)

    interrupted: set[tuple[int, datetime]] = set()
    with ThreadPoolExecutor(2) as threads:
        for killed in [
            threads.submit(one, random.Random(seed + slot))  # noqa: S311
            for slot in range(2)
        ]:
            killed.result()
    return len(interrupted)


@pytest.mark.parametrize("seed", [2018])
def test_a_thousand_mails_are_sent_once_by_two_dispatchers_killed_again_and_again(
    sending: Sending, seed: int
) -> None:
    sending.settle_s = 2.0
    sending.queue(1_000)
    interrupted = kill_at_random(sending, 6, seed)
    assert interrupted > 6, f"seed {seed}: the kills came when nothing was sent"
    assert sending.dispatch() == "", f"seed {seed}"
    sending.require_once(1_000, f"seed {seed}")


@pytest.mark.parametrize("seed", [2561])
def test_without_a_journal_random_kills_leave_one_mail_a_worker_to_settle_and_nothing_goes_twice(
    sending: Sending, seed: int
) -> None:
    sending.journal = None
    sending.queue(500)
    kill_at_random(sending, 3, seed)
    sending.dispatch()
    assert 0 < sending.states()["uncertain"] <= 2 * 3 * CONNECTIONS, f"seed {seed}"
    sending.settle_uncertain()
    assert sending.dispatch() == ""
    sending.require_once(500, f"seed {seed}")


# A relay in trouble


class HangsUp:
    """Hands every mail on to the relay, and the first time hangs up instead of saying so."""

    def __init__(self, relay: MailServer) -> None:
        self._relay = relay
        self._has_hung_up = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        with smtplib.SMTP(self._relay.host, self._relay.port) as client:
            client.sendmail(envelope.mail_from, envelope.rcpt_tos, envelope.content)
        if not self._has_hung_up:
            self._has_hung_up = True
            server.transport.abort()
        return "250 taken"


def test_a_line_that_breaks_after_the_text_sends_no_mail_twice(
    sending: Sending, listen: Any
) -> None:
    sending.server = listen(HangsUp(sending.mails.server))
    sending.queue(5)
    assert "1 mail(s) of report 2018-06 are being sent" in sending.dispatch()
    assert sending.dispatch() == ""
    sending.require_once(5)


def test_without_a_journal_a_line_that_breaks_after_the_text_leaves_one_mail_to_settle(
    sending: Sending, listen: Any
) -> None:
    sending.journal = None
    sending.server = listen(HangsUp(sending.mails.server))
    sending.queue(5)
    assert "1 mail(s) of report 2018-06 may or may not have arrived" in sending.dispatch()
    sending.settle_uncertain()
    assert sending.dispatch() == ""
    sending.require_once(5)


def test_a_relay_that_goes_down_in_the_middle_costs_no_mail(sending: Sending) -> None:
    sending.queue(300)
    with sending.dispatcher() as process:
        sending.wait_for(sent=30)
        sending.mails.stop("relay")
        try:
            _, said = process.communicate(timeout=30)
            assert "does not answer" in said
            assert "does not answer" in sending.dispatch()
            assert sending.states()["sent"] < 300
        finally:
            sending.mails.start("relay")
    assert sending.queue(300) == 0  # whoever runs the task again wants them now
    assert sending.dispatch() == ""
    sending.mails.wait_until(sending.mails.is_idle)
    sending.require_once(300, copies=Counter(sending.mails.taken("people")))


@pytest.mark.parametrize("reply", ["450 4.3.0 Try again later", "421 4.3.2 Shutting down"])
def test_a_relay_that_takes_nothing_for_a_while_gets_it_later(
    sending: Sending, clock: Any, reply: str
) -> None:
    sending.queue(10)
    sending.mails.relay_answers(reply)
    try:
        said = sending.dispatch()
    finally:
        sending.mails.relay_answers(None)
    assert "did not take 10 mail(s) of report 2018-06 for now" in said
    assert f"(reply {reply[:3]})" in said
    assert sending.copies().total() == 0
    clock.at(2018, 7, 1, 1)
    assert sending.dispatch() == ""
    sending.require_once(10)


class NeverAnswers:
    """Hangs up on every mail before it says anything of it."""

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        server.transport.abort()
        return "250 ok"


def test_a_line_that_breaks_without_an_answer_is_no_try_of_the_mail(
    sending: Sending, listen: Any
) -> None:
    sending.server = listen(NeverAnswers())
    sending.queue(5)
    for _ in range(3):
        assert "5 mail(s) of report 2018-06" in sending.dispatch()
    waits = "SELECT DISTINCT attempt_count, due_at <= queued_at FROM core.message"
    assert sending.store.do(waits) == [(0, True)]


def test_stopping_all_mail_halts_it_within_one_claim(sending: Sending) -> None:
    sending.queue(400)
    with sending.dispatcher() as first, sending.dispatcher() as second:
        sending.wait_for(sent=30)
        assert outbox.stop("anna", "a wrong link")
        before = sending.states()["sent"]
        for process in (first, second):
            _, said = process.communicate(timeout=30)
            assert "All mail was stopped by anna" in said
    after = sending.states()
    assert after == {"sent": after["sent"], "queued": 400 - after["sent"]}
    assert after["queued"] > 0
    assert after["sent"] - before <= 2 * CONNECTIONS
    assert sending.copies().total() == after["sent"]
    assert "All mail was stopped by anna" in sending.dispatch()
    assert outbox.start("anna")
    assert sending.dispatch() == ""
    sending.require_once(400)


# Rates


def claims(sending: Sending, domain: str) -> list[datetime]:
    """Return when each mail to a domain was begun, in order."""
    rows = sending.rows("claimed_at", f"step = '{domain}'")
    return sorted(instant for (instant,) in rows)


def send_with_two(sending: Sending) -> None:
    """Let two dispatchers send at once, until nothing is left."""
    with sending.dispatcher() as first, sending.dispatcher() as second:
        for process in (first, second):
            _, said = process.communicate(timeout=30)
            assert said == "" or "are being sent by another run" in said


def test_the_rate_holds_over_all_dispatchers(sending: Sending, world: pytest.MonkeyPatch) -> None:
    rate, count = 25, 125
    world.setenv("ENGAGEMENT_MAIL_PER_SECOND", str(rate))
    settings.cache_clear()
    sending.queue(count)
    send_with_two(sending)
    begun = claims(sending, "kku.example.com")
    # What was not used in the last second may be caught up, hence a second's share more.
    for start in begun:
        assert sum(start <= other < start + timedelta(seconds=1) for other in begun) <= 2 * rate + 1
    took = (begun[-1] - begun[0]).total_seconds()
    assert 0.9 * (count / rate - 1) <= took <= 2 * count / rate
    sending.require_once(count)


def test_a_domain_that_takes_little_does_not_hold_up_the_others(
    sending: Sending, world: pytest.MonkeyPatch
) -> None:
    rate = 10
    world.setenv("ENGAGEMENT_MAIL_PER_DOMAIN_PER_SECOND", str(rate))
    settings.cache_clear()
    sending.queue(60)
    sending.queue(15, "kkumail.example.com")
    send_with_two(sending)
    slow, fast = claims(sending, "kku.example.com"), claims(sending, "kkumail.example.com")
    assert (slow[-1] - slow[0]).total_seconds() >= 0.9 * (60 / rate - 1)
    assert (fast[-1] - slow[0]).total_seconds() <= 3
    sending.require_once(75)
