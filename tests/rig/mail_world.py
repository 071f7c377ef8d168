"""A real mail world for the tests: a relay, a remote side with mailboxes and bad manners, IMAP and a closed DNS."""

import imaplib
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from engagement.mail import TOKEN_HEADER, MailServer
from engagement.mailbox import Place

# Debian keeps servers where an ordinary user does not look.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
_NEEDED = {
    "postfix": "postfix",
    "dovecot": "dovecot-imapd",
    "unbound": "unbound",
}
_OWN_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_STOP_SECONDS = 10
_MAILBOXES = ("bounces", "journal", "people")
_TOKEN = re.compile(rb"^%s: *(\S+)" % TOKEN_HEADER.encode(), re.IGNORECASE | re.MULTILINE)
_RELAY_ID = re.compile(rb"by relay\.kku\.example\.com [^;]* id (\w+)")


class MailWorld:
    """A running mail world; `README.md` says who is delivered there and who bounces how."""

    def __init__(self, network: str, process: int) -> None:
        """Take its addresses, such as 127.25.7, and the first process of its namespaces."""
        self._host = f"{network}.1"
        self._process = process
        self._listening = {"relay": (self._host, 10025), "remote": (f"{network}.10", 10026)}
        self.server = MailServer(self._host, 10025, "Library <survey@library.example.com>")
        self.bounces, self.journal, self.people = map(self.place, _MAILBOXES)

    def place(self, mailbox: str, folder: str = "INBOX") -> Place:
        """Return where a mailbox is: bounces, journal or people."""
        return Place(f"imap://{mailbox}:rig@{self._host}:10143/{folder}")

    @contextmanager
    def imap(self, mailbox: str) -> Iterator[imaplib.IMAP4]:
        """Log in to a mailbox, to see and to change what is in it."""
        with imaplib.IMAP4(self._host, 10143, timeout=30) as client:
            client.login(mailbox, "rig")
            client.select("INBOX")
            yield client

    def count(self, mailbox: str) -> int:
        """Return how many mails lie in a mailbox."""
        with self.imap(mailbox) as client:
            return len(client.search(None, "ALL")[1][0].split())

    def tokens(self, mailbox: str) -> list[str]:
        """Return our own header's token of every mail in a mailbox that has one: a copy each."""
        return [_first(_TOKEN, header) for header in self._headers(mailbox)]

    def taken(self, mailbox: str) -> list[str]:
        """Return what `tokens` does, once for each time that the relay took the mail.

        A relay that is stopped between a delivery and its own note of it delivers again (RFC 1047).
        """
        headers = self._headers(mailbox)
        taken = {(_first(_TOKEN, header), _first(_RELAY_ID, header)) for header in headers}
        return [token for token, _ in taken]

    def _headers(self, mailbox: str) -> list[bytes]:
        """Return token and way of every mail that has a token."""
        with self.imap(mailbox) as client:
            if not client.search(None, "ALL")[1][0]:
                return []
            _, parts = client.fetch("1:*", f"(BODY.PEEK[HEADER.FIELDS ({TOKEN_HEADER} Received)])")
        headers = [part[1] for part in parts if isinstance(part, tuple)]
        return [header for header in headers if _TOKEN.search(header)]

    def is_idle(self) -> bool:
        """Return whether no mail is on its way: both queues are empty."""
        return not any(
            self.run("postqueue", "-c", f"/var/mail/{name}", "-j") for name in ("relay", "remote")
        )

    def wait_until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Wait until a condition holds; fail with what the servers wrote if it does not in time."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"It did not happen in {seconds} s. The servers wrote:\n{self.log()}")
            time.sleep(0.1)

    def clear(self) -> None:
        """Empty the queues and the mailboxes."""
        for name in ("relay", "remote"):
            self.run("postsuper", "-c", f"/var/mail/{name}", "-d", "ALL")
        for mailbox in _MAILBOXES:
            with self.imap(mailbox) as client:
                if client.search(None, "ALL")[1][0]:
                    client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
                client.expunge()

    def stop(self, server: str) -> None:
        """Take the relay or the remote side down as an operator would: its queue stays."""
        self.run("postfix", "-c", f"/var/mail/{server}", "stop")

    def start(self, server: str) -> None:
        """Bring the relay or the remote side back."""
        self.run("postfix", "-c", f"/var/mail/{server}", "start")
        self.wait_until(lambda: self._does_answer(server))

    def _does_answer(self, server: str) -> bool:
        with socket.socket() as client:
            return client.connect_ex(self._listening[server]) == 0

    def relay_answers(self, reply: str | None) -> None:
        """Let the relay answer every recipient with a reply such as `450 4.3.0 Later`, after a new start.

        Told to read its settings again, a relay may take one more client with the old ones.
        """
        access = f"check_recipient_access static:{{{reply}}}" if reply else ""
        self.run("postconf", "-c", "/var/mail/relay", f"smtpd_recipient_restrictions={access}")
        self.stop("relay")
        self.start("relay")

    def log(self) -> str:
        """Return the ends of the servers' logs."""
        return self.run("sh", "-c", "tail -n 30 /var/mail/log/*")

    def run(self, *command: str) -> str:
        """Run a command inside the world, where its folders and processes are; return its output."""
        inside = ["nsenter", f"--target={self._process}", "--mount", "--pid", *command]
        done = subprocess.run(
            inside,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PATH": _PATH},
        )
        if done.returncode:
            pytest.fail(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout


def _first(pattern: re.Pattern[bytes], header: bytes) -> str:
    found = pattern.search(header)
    assert found is not None, header
    return found[1].decode()


@pytest.fixture(scope="session")
def mail_world() -> Iterator[MailWorld]:
    """The mail world of this test process; what one test left in it the next one clears."""
    _require_programs()
    with _network() as network, _running(network) as process:
        yield MailWorld(network, process)


def _require_programs() -> None:
    missing = [
        package for program, package in _NEEDED.items() if not shutil.which(program, path=_PATH)
    ]
    sentence = None
    if missing:
        packages = " ".join(missing)
        sentence = f"The mail world needs: apt-get install --no-install-recommends {packages}"
    elif subprocess.run([*_OWN_NAMESPACES, "true"], capture_output=True).returncode:
        sentence = (
            "The mail world needs namespaces of its own: run the tests as root (CAP_SYS_ADMIN)."
        )
    if sentence and os.environ.get("LIBRARY_RIG") == "required":
        pytest.fail(sentence)
    if sentence:
        pytest.skip(sentence)


@contextmanager
def _network() -> Iterator[str]:
    """Take 256 addresses of loopback which no other world uses meanwhile."""
    for number in random.sample(range(256), 256):
        network = f"127.25.{number}"
        with socket.socket() as claim:
            try:
                claim.bind((f"{network}.1", 1))
            except OSError:
                continue
            yield network
            return
    pytest.fail("256 mail worlds are running; end some.")


@contextmanager
def _running(network: str) -> Iterator[int]:
    """Run the servers; yield the first process of their namespaces, which ends when we do, however that is."""
    program = Path(__file__).with_name("mail_servers.py")
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [*_OWN_NAMESPACES, sys.executable, str(program), network],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the tests, which end the world themselves
            env=os.environ | {"PATH": _PATH},
        ) as world,
    ):
        assert world.stdin is not None
        assert world.stdout is not None
        try:
            if world.stdout.readline() != "up\n":
                errors.seek(0)
                pytest.fail(f"The mail world did not start: {errors.read()[-3000:]}")
            yield psutil.Process(world.pid).children()[0].pid
        finally:
            world.stdin.close()
            try:
                world.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                world.kill()
