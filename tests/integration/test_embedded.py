"""The project's own PostgreSQL starts with its first user and stops with its last, however they end."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

# One user of the server. It tells the server's process id and ends when its input does.
_USER = """
import os, sys
from pathlib import Path
from engagement import embedded, warehouse
url = embedded.database("shared")
pid = (Path(os.environ["ENGAGEMENT_HOME"]) / "postgres" / "postmaster.pid").read_text().split()[0]
print(pid, flush=True)
for word in sys.stdin:
    with warehouse.session(url) as session:
        session.run("schema/create_ops")
        print(session.scalar("schema/has_identity"), flush=True)
"""
_STOP = """
import os
from pathlib import Path
from engagement import embedded
embedded.stop(Path(os.environ["ENGAGEMENT_HOME"]))
"""


class User:
    """A process that uses the server below `home`."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER],
            env=os.environ | {"ENGAGEMENT_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def server(self) -> int:
        """Wait until the server is up and return its process id."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return int(line)

    def asks(self) -> str:
        """Let the process run a query and return the answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("ask\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def ends(self) -> None:
        _, errors = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, errors

    def dies(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        assert self.process.returncode == -number


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of the test's own; outside pytest's, which it shuts to the server's user."""
    folder = Path(tempfile.mkdtemp(prefix="engagement-embedded-"))
    yield folder
    pid_file = folder / "postgres" / "postmaster.pid"
    if pid_file.exists():
        left = int(pid_file.read_text().split()[0])
        os.kill(left, signal.SIGQUIT)
        psutil.wait_procs([psutil.Process(left)] if psutil.pid_exists(left) else [], timeout=10)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def user(home: Path) -> Iterator[Callable[[], User]]:
    """Starts a user of the server; none outlives the test."""
    started: list[User] = []

    def start() -> User:
        started.append(User(home))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def stop(home: Path) -> None:
    environment = os.environ | {"ENGAGEMENT_HOME": str(home)}
    subprocess.run([sys.executable, "-c", _STOP], env=environment, check=True, timeout=60)


def lives(server: int, within_s: float = 5) -> bool:
    """Return whether the server still runs; wait for its end as long as it takes to stop."""
    end = time.monotonic() + within_s
    while psutil.pid_exists(server) and time.monotonic() < end:
        time.sleep(0.05)
    return psutil.pid_exists(server)


def test_the_server_stops_with_its_only_user(user, home):
    only = user()
    server = only.server()
    assert psutil.pid_exists(server)
    assert only.asks() == "False"
    only.ends()
    assert not lives(server)
    assert not (home / "postgres" / "postmaster.pid").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_user_leaves_the_server_and_the_next_one_finds_and_stops_it(user, number):
    killed = user()
    server = killed.server()
    killed.dies(number)
    assert lives(server, within_s=0.5)
    after = user()
    assert after.server() == server
    assert after.asks() == "False"
    after.ends()
    assert not lives(server)


def test_two_users_share_the_server_and_the_last_one_stops_it(user):
    one = user()
    server = one.server()
    other = user()
    assert other.server() == server
    one.ends()
    assert lives(server, within_s=0.5)
    assert other.asks() == "False"
    other.ends()
    assert not lives(server)


def test_a_user_that_is_killed_beside_another_does_not_keep_the_server_for_ever(user):
    living = user()
    server = living.server()
    killed = user()
    assert killed.server() == server
    killed.dies(signal.SIGKILL)
    assert living.asks() == "False"
    living.ends()
    if lives(server, within_s=0.5):  # it may take a next user to notice
        after = user()
        assert after.server() == server
        after.ends()
    assert not lives(server)


def test_what_was_written_is_there_after_the_server_was_killed_too(user):
    one = user()
    server = one.server()
    assert one.asks() == "False"
    one.dies(signal.SIGKILL)
    os.kill(server, signal.SIGQUIT)  # as a machine that is switched off
    assert not lives(server)
    after = user()
    assert after.server() != server
    assert after.asks() == "False"
    after.ends()


def test_stopping_ends_what_a_killed_user_left(user, home):
    killed = user()
    server = killed.server()
    killed.dies(signal.SIGKILL)
    stop(home)
    assert not lives(server)


def test_stopping_leaves_the_server_to_who_still_uses_it(user, home):
    living = user()
    server = living.server()
    stop(home)
    assert lives(server, within_s=0.5)
    assert living.asks() == "False"
    living.ends()
    assert not lives(server)


def test_stopping_where_nothing_runs_starts_nothing(home):
    stop(home)
    assert not (home / "postgres").exists()


def test_two_checkouts_have_two_servers(user):
    other_home = Path(tempfile.mkdtemp(prefix="engagement-embedded-"))
    try:
        one, other = user(), User(other_home)
        server = one.server()
        assert other.server() != server
        one.ends()
        assert not lives(server)
        assert other.asks() == "False"
        other.ends()
    finally:
        shutil.rmtree(other_home, ignore_errors=True)


def test_a_folder_in_which_it_cannot_start_is_named(home, world):
    from engagement import embedded
    from engagement.errors import EngagementError
    from engagement.settings import settings

    world.setenv("ENGAGEMENT_HOME", str(home / "my library"))
    settings.cache_clear()
    with pytest.raises(EngagementError, match=r"my library.*because of the space in the path"):
        embedded.database("warehouse")
    assert not (home / "my library").exists()


def test_users_who_come_first_at_once_all_get_the_database():
    from engagement import embedded, warehouse

    new = embedded.database("postgres").set(database="wanted_by_many")
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(warehouse.create_database, [new] * 8))
    finally:
        warehouse.drop_database(new)
