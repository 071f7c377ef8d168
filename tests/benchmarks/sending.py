"""Sends one wave of mails again and again, from the outbox and without it: `python -m benchmarks.sending <way> <size> <rounds>`."""

from __future__ import annotations

import multiprocessing
import os
import smtplib
import sys
from collections.abc import Callable
from threading import Barrier

import yaml
from benchmarks import process, sink, world
from benchmarks.sink import Sink

from engagement import sending, warehouse
from engagement.mail import MailServer
from engagement.measure import campaign as campaigns, events, plan, run, waves
from engagement.measure.letters import Letters
from engagement.outbox import Batch
from engagement.sending import Message
from engagement.settings import INCLUDE, settings

_SHIPPED = INCLUDE / "campaigns" / "news-2018-07.yaml"
_SENDER = "survey@library.example.com"
_ANSWER_S = 0.02
_MAILS = """
SELECT m.message_id, m.step, m.edition, m.token, a.address, false AS is_caught, i.language, t.token
FROM core.message AS m
INNER JOIN pii.address AS a ON m.recipient_key = a.address_key
INNER JOIN core.invitation AS i ON m.ref = i.campaign AND m.recipient_key = i.address_key
INNER JOIN pii.survey_token AS t ON i.campaign = t.campaign AND i.person_key = t.person_key
WHERE m.ref = %s
"""
UNSEND = """
UPDATE core.message SET state = 'queued', sent_at = NULL, attempt_count = 0 WHERE ref = %s
"""
_SENT = "SELECT count(*) FROM core.message WHERE ref = %s AND state = 'sent'"


class Wave:
    """A campaign like the shipped one, whose only wave is sent again and again."""

    def __init__(self, size: int) -> None:
        """Describe a campaign that asks so many people."""
        self.size = size
        self.name = f"bench-{size}"
        self._batch = Batch("survey", self.name)
        folder = settings().home / "campaigns"
        folder.mkdir(exist_ok=True)
        os.environ |= {
            "ENGAGEMENT_CAMPAIGNS": str(folder),
            "ENGAGEMENT_MAIL": "live",
            "ENGAGEMENT_RETURN_PATH": "bounces@library.example.com",
        }
        settings.cache_clear()
        described = yaml.safe_load(_SHIPPED.read_text(encoding="utf-8"))
        described["campaign"] = self.name
        described["sample"] = {"size": size, "not_asked_for_months": 0}
        described["waves"] |= {"sizes": [size]}
        (folder / f"{self.name}.yaml").write_text(
            yaml.safe_dump(described, allow_unicode=True), encoding="utf-8"
        )

    def plan(self) -> None:
        """Draw the sample."""
        plan.make(self.name)

    def queue(self) -> None:
        """Queue the mails, as is done when the plan was approved and the start has come."""
        with warehouse.session() as session:
            campaign, state = campaigns.load(self.name), events.state(session, self.name)
            waves._open_wave(session, campaign, state, 1)

    def dispatch(self, to: Sink, connections: int = run._CONNECTIONS) -> float:
        """Return how many seconds the outbox takes to send all that is queued."""
        return self._sent(to, lambda: _dispatch(self.name, to.port, connections))

    def dispatch_in(self, processes: int, to: Sink) -> float:
        """Return what `dispatch` does of processes that send at the same time."""
        spawn = multiprocessing.get_context("spawn")
        line = spawn.Barrier(processes + 1)
        for _ in range(processes):
            spawn.Process(target=_dispatch_at, args=(line, self.name, to.port)).start()

        def send() -> None:
            line.wait()
            line.wait()

        line.wait()
        return self._sent(to, send)

    def loop(self, to: Sink) -> float:
        """Return how many seconds the same mails take without an outbox, over one connection."""
        compose = Letters(campaigns.load(self.name)).compose
        messages = self._messages()

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", to.port) as client:
                for one in messages:
                    path = sending.return_path(_SENDER, one.token)
                    client.sendmail(path, one.address, compose(one))

        seconds = process.seconds_of(send)
        _require(to.taken() == self.size)
        return seconds

    def build(self) -> float:
        """Return how many seconds it takes to render and build all the mails."""
        messages = self._messages()
        compose = Letters(campaigns.load(self.name)).compose
        return process.seconds_of(lambda: [compose(one) for one in messages])

    def _messages(self) -> list[Message]:
        with world.connected(warehouse.url()) as connection:
            return [
                Message(self._batch, *row)
                for row in connection.execute(_MAILS, [self.name]).fetchall()
            ]

    def _sent(self, to: Sink, send: Callable[[], object]) -> float:
        """Return how long it takes to send all mails, none of which was sent before."""
        with world.connected(warehouse.url()) as connection:
            connection.execute(UNSEND, [self.name])
            connection.execute("VACUUM ANALYZE core.message")
            connection.execute("CHECKPOINT")
            seconds = process.seconds_of(send)
            _require(connection.execute(_SENT, [self.name]).fetchone() == (self.size,))
        _require(to.taken() == self.size)
        return seconds


def _dispatch(name: str, port: int, connections: int = run._CONNECTIONS) -> None:
    server = MailServer("127.0.0.1", port, _SENDER)
    compose = Letters(campaigns.load(name)).compose
    sending.dispatch(Batch("survey", name), server, compose, connections=connections)


def _dispatch_at(line: Barrier, name: str, port: int) -> None:
    """Dispatch in a process of its own, between the second time that the line is full and the third."""
    settings.cache_clear()
    Letters(campaigns.load(name)).specimen("invite", "th")  # what is read once is read
    line.wait()
    line.wait()
    _dispatch(name, port)
    line.wait()


def _require(is_sent: bool) -> None:
    if not is_sent:
        raise AssertionError("Not every mail was sent once.")


def _plan(wave: Wave, _: int) -> dict[str, float]:
    return {
        "plan": process.seconds_of(wave.plan),
        "queue": process.seconds_of(wave.queue),
    }


def _fast(wave: Wave, rounds: int) -> dict[str, list[float]]:
    with sink.running() as to:
        return _by_turns(
            rounds,
            build=wave.build,
            loop=lambda: wave.loop(to),
            dispatch=lambda: wave.dispatch(to),
            dispatch_1=lambda: wave.dispatch(to, connections=1),
        )


def _slow(wave: Wave, rounds: int) -> dict[str, list[float]]:
    with sink.running(_ANSWER_S) as to:
        return _by_turns(rounds, loop=lambda: wave.loop(to), dispatch=lambda: wave.dispatch(to))


def _shards(wave: Wave, rounds: int) -> dict[str, list[float]]:
    with sink.running() as to:
        return _by_turns(
            rounds, one=lambda: wave.dispatch_in(1, to), two=lambda: wave.dispatch_in(2, to)
        )


def _by_turns(rounds: int, **ways: Callable[[], float]) -> dict[str, list[float]]:
    """Return the seconds of each way in each round."""
    found = [{name: way() for name, way in ways.items()} for _ in range(rounds)]
    return {name: [one[name] for one in found] for name in ways}


def _main(way: str, size: int, rounds: int) -> None:
    wave = Wave(size)
    if way != "plan":
        wave.plan()
        wave.queue()
    process.tell(
        **{"plan": _plan, "fast": _fast, "slow": _slow, "shards": _shards}[way](wave, rounds)
    )


if __name__ == "__main__":
    _main(sys.argv[1], *map(int, sys.argv[2:]))
