"""A real MariaDB for the tests of library systems that run on it, in a folder and a socket of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy.engine import URL

# Debian keeps the server where an ordinary user does not look.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
_START_SECONDS = 30
_OPTIONS = (
    "--skip-networking",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    # Nothing here outlives the tests; a power failure may take it.
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-log-file-size=32M",
    "--innodb-fast-shutdown=2",
)


class MariaDB:
    """A running server, reached as its administrator through a socket."""

    def __init__(self, socket: Path) -> None:
        """Take the socket on which it listens."""
        self.socket = socket

    def url(self, database: str, user: str = "root", password: str | None = None) -> URL:
        """Return the URL by which the product connects to a database."""
        return URL.create(
            "mysql+pymysql",
            username=user,
            password=password,
            host="localhost",
            database=database,
            query={"unix_socket": str(self.socket)},
        )

    def connect(self, database: str | None = None) -> pymysql.Connection:
        """Return a connection that commits every statement."""
        return pymysql.connect(
            user="root", unix_socket=str(self.socket), database=database, autocommit=True
        )

    def do(
        self, statement: str, values: Any = None, database: str | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """Run one statement on a connection of its own and return its rows."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """The one MariaDB server that all tests share."""
    program = shutil.which("mariadbd", path=_PATH)
    if program is None:
        sentence = (
            "MariaDB is not installed: apt-get install --no-install-recommends mariadb-server"
        )
        if os.environ.get("LIBRARY_RIG") == "required":
            pytest.fail(sentence)
        pytest.skip(sentence)
    with tempfile.TemporaryDirectory(prefix="mariadb-") as folder:
        home = Path(folder)
        user = _user(home)
        _install(home, user)
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    program,
                    "--no-defaults",
                    f"--datadir={home / 'data'}",
                    f"--socket={home / 'socket'}",
                    f"--pid-file={home / 'pid'}",
                    *user,
                    *_OPTIONS,
                ],
                stderr=log,
            )
            try:
                yield _started(server, home)
            finally:
                server.terminate()
                server.wait(_START_SECONDS)


def _user(home: Path) -> list[str]:
    """Hand the folder to the user that the package made for the server, which refuses to run as root."""
    if os.geteuid() != 0:
        return []
    shutil.chown(home, "mysql")
    return ["--user=mysql"]


def _install(home: Path, user: list[str]) -> None:
    done = subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={home / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *user,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"MariaDB could not be installed in {home}: {done.stdout}{done.stderr}")


def _started(server: subprocess.Popen[bytes], home: Path) -> MariaDB:
    """Return the server as soon as it answers."""
    made = MariaDB(home / "socket")
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            made.connect().close()
        except pymysql.OperationalError:
            time.sleep(0.05)
        else:
            return made
    pytest.fail(f"MariaDB did not start: {(home / 'log').read_text(errors='replace')[-2000:]}")
