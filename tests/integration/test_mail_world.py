"""The mail world of the tests does what its table says: who is delivered, who bounces, and how."""

import os
import signal
import smtplib
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from engagement.mail import TOKEN_HEADER
from engagement.mailbox import opened

pytest_plugins = ("rig.mail_world",)

DELIVERED = (
    "ok@kku.example.com",
    "ok2@kku.example.com",
    "ok@kkumail.example.com",
    "executive@kku.example.com",
    "person-4711@kku.example.com",
)
BOUNCED_AT_ONCE = {
    "nobody@kku.example.com": "5.1.1",
    "disabled@kku.example.com": "5.2.1",
    "full@kku.example.com": "5.2.2",
    "policy@kku.example.com": "5.7.1",
    "x@nullmx.example.com": "5.1.0",
    "ok@nosuchdomain.example.com": "5.4.4",
    "nouser@gmail.example.com": "5.1.1",
    "disabled@gmail.example.com": "5.2.1",
    "spam@gmail.example.com": "5.7.1",
    "spf@gmail.example.com": "5.7.26",
    "x@late.example.com": "5.1.1",
}
BOUNCED_WHEN_EXPIRED = {
    "grey@kku.example.com": "4.2.0",
    "full@gmail.example.com": "4.2.2",
    "busy@gmail.example.com": "4.7.0",
    "x@dead.example.com": "4.4.1",
    "dropafterdata@gmail.example.com": "4.4.2",
}


@pytest.fixture
def mails(mail_world: Any) -> Any:
    mail_world.clear()
    return mail_world


def send(mails: Any, *recipients: str) -> None:
    with smtplib.SMTP(mails.server.host, mails.server.port, timeout=30) as client:
        for number, recipient in enumerate(recipients):
            text = f"{TOKEN_HEADER}: token-{number}\r\nSubject: A survey\r\n\r\nDear reader"
            client.sendmail(f"bounces+token-{number}@bounce.kku.example.com", [recipient], text)


def reports(mails: Any) -> list[str]:
    """Return the text of every mail that came to the return path."""
    with opened(mails.bounces) as box:
        marks = [mark for chunk in box.marks() for mark in chunk]
        return [box.read(mark).content.decode() for mark in marks]


def test_mail_to_people_arrives_and_every_mail_is_copied_to_the_journal(mails: Any) -> None:
    tokens = [f"token-{n}" for n in range(len(DELIVERED))]
    send(mails, *DELIVERED)
    mails.wait_until(mails.is_idle)
    assert sorted(mails.tokens("people")) == tokens
    assert sorted(mails.tokens("journal")) == tokens
    assert mails.count("bounces") == 0


def test_mail_that_cannot_be_delivered_comes_back_to_its_own_return_path(mails: Any) -> None:
    told = BOUNCED_AT_ONCE | BOUNCED_WHEN_EXPIRED
    send(mails, *told, "vacation@gmail.example.com", "grey@gmail.example.com")
    mails.wait_until(lambda: mails.count("bounces") == len(told) + 1, 40)
    returned = reports(mails)
    for number, (address, status) in enumerate(told.items()):
        (report,) = [text for text in returned if f"bounces+token-{number}@" in text]
        assert f"\nStatus: {status}" in report.replace("\r", ""), f"{address}: {report}"
    (reply,) = [text for text in returned if "vacation@gmail" in text]
    assert "Auto-Submitted: auto-replied" in reply
    assert mails.count("people") == 0


def test_a_world_ends_without_a_trace_when_its_tests_are_killed() -> None:
    """Whatever a kill leaves behind would be in the way of the next run."""
    code = """
import time
from rig import mail_world
with mail_world._network() as network, mail_world._running(network) as process:
    print(network, process, flush=True)
    time.sleep(60)
"""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        network, process = tests.stdout.readline().split()
        servers = psutil.Process(int(process)).children(recursive=True)
        assert {"master", "dovecot", "unbound"} <= {server.name() for server in servers}
        assert f"{network}.1" in {listener.laddr.ip for listener in psutil.net_connections("tcp")}
        os.kill(tests.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(servers, timeout=5)
    assert alive == []
