"""The processes of the demo: PostgreSQL, Airflow's four and a mail server, all on loopback."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from engagement import address, embedded
from engagement.demo import postbox
from engagement.demo.postbox import Fate
from engagement.errors import EngagementError
from engagement.settings import ROOT, settings

DEPLOYMENT = "demo"
LIBRARY_DATABASE = "library"
# The real system holds bytes of several ages; PostgreSQL passes them on as they are.
LIBRARY_OPTIONS = ("TEMPLATE template0", "ENCODING 'SQL_ASCII'", "LOCALE 'C'")
AIRFLOW_DATABASE = "airflow"
_MARK = "ENGAGEMENT_STACK"
_PATIENCE_S = 20
_PATIENCE_WITH_LEFTOVERS_S = 4  # workers without their scheduler ignore a friendly signal
_READY_WITHIN_S = 120
_SERVICES = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


@dataclass(frozen=True)
class Address:
    """Where a running stack is reached; kept in a file for whoever comes later."""

    pid: int
    url: str
    user: str
    password: str


def home() -> Path:
    """Return the folder that holds everything the stack writes."""
    return settings().home


def clock_file() -> Path:
    """Return the file that holds the business clock of the stack."""
    return home() / "clock"


def mail_folder() -> Path:
    """Return the folder of the mails that were received."""
    return home() / "mail"


def work_items_folder() -> Path:
    """Return the folder of the librarians' list of work."""
    return home() / "work-items"


def running() -> Address | None:
    """Return the address of the stack that runs in this checkout, or None."""
    path = _address_file()
    if not path.exists():
        return None
    found = Address(**json.loads(path.read_text()))
    return found if psutil.pid_exists(found.pid) and _is_locked() else None


@contextmanager
def alone() -> Iterator[None]:
    """Own this checkout's stack for the block; processes of a killed owner are ended first.

    Raises:
        EngagementError: another process owns it.
    """
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "stack.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngagementError(
                "The stack of this checkout is running already; `make down` stops it."
            ) from None
        end_leftovers()
        with _signals_unwind():
            try:
                yield
            finally:
                _address_file().unlink(missing_ok=True)
                end_leftovers()
                embedded.stop(home())


@dataclass(frozen=True)
class Services:
    """The running processes, and where they are reached."""

    where: Address
    processes: Mapping[str, subprocess.Popen[bytes]]

    def require_alive(self) -> None:
        """Raise EngagementError when one of Airflow's processes has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise EngagementError(
                    f"Airflow's {name} ended by itself; {home() / 'log' / name}.log says why."
                )


@contextmanager
def services(
    say: Callable[[str], None], fates: Mapping[str, Fate] | None = None
) -> Iterator[Services]:
    """Run Airflow's processes and the mail server for the block; the databases must be there.

    Args:
        say: tells people how it goes.
        fates: what becomes of mail to an address; to others it is delivered.

    Raises:
        EngagementError: a process ended by itself, or the API did not come up.
    """
    with ExitStack() as stack:
        mail_port, api_port = _free_port(), _free_port()
        known = {} if fates is None else fates
        stack.enter_context(
            postbox.receiving(
                mail_folder(), mail_port, lambda address: known.get(address, Fate.DELIVERED)
            )
        )
        where = Address(os.getpid(), f"http://127.0.0.1:{api_port}", "admin", _password())
        environment = airflow_environment(api_port, mail_port)
        processes = {}
        for name, arguments in _SERVICES.items():
            processes[name] = stack.enter_context(_process(name, arguments, environment))
        running = Services(where, processes)
        _wait_until_ready(running, say)
        _write_private(_address_file(), asdict(where))
        yield running


def airflow_environment(api_port: int = 0, mail_port: int = 0) -> dict[str, str]:
    """Return the environment that Airflow's processes run in."""
    folder = home() / "airflow"
    folder.mkdir(parents=True, exist_ok=True)
    metadata = embedded.database(AIRFLOW_DATABASE)
    library = embedded.database(LIBRARY_DATABASE, *LIBRARY_OPTIONS)
    base = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW_", "ENGAGEMENT_"))}
    base.pop("PYTHONDONTWRITEBYTECODE", None)  # every task would compile its imports again
    return base | {
        _MARK: str(home()),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SPT_NOENV": "1",  # a process that renames itself must not overwrite the mark
        "ENGAGEMENT_HOME": str(home()),
        "ENGAGEMENT_DEPLOYMENT": DEPLOYMENT,
        "ENGAGEMENT_WAREHOUSE_URL": embedded.database("warehouse").render_as_string(False),
        "ENGAGEMENT_ADDRESS_KEY": address.secret().decode(),
        "ENGAGEMENT_CLOCK_FILE": str(clock_file()),
        "ENGAGEMENT_WORK_ITEMS": str(work_items_folder()),
        "ENGAGEMENT_MAIL": "live",  # to the demo's own mail server, which delivers nothing
        "ENGAGEMENT_RETURN_PATH": "bounces@library.example.com",
        "AIRFLOW_CONN_BOUNCES": _maildir("bounces"),
        "AIRFLOW_CONN_JOURNAL": _maildir("journal"),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW_CONN_LIBRARY": json.dumps(
            {
                "conn_type": "generic",
                "login": library.username,
                "schema": library.database,
                "extra": {"query": {**library.query, "client_encoding": "latin1"}},
            }
        ),
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(
            {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": mail_port,
                "extra": {
                    "from_email": "engagement@library.example.com",
                    "disable_ssl": True,
                    "disable_tls": True,
                },
            }
        ),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.set(
            drivername="postgresql+psycopg2"
        ).render_as_string(False),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata.render_as_string(False),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api_port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:ADMIN",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(api_port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{api_port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        **_airflow_secrets(folder / "secrets.json"),
    }


def _maildir(name: str) -> str:
    return json.dumps({"conn_type": "generic", "extra": {"maildir": str(mail_folder() / name)}})


def run_airflow(*arguments: str) -> None:
    """Run one Airflow command to its end.

    Raises:
        EngagementError: it failed; names its log.
    """
    log = home() / "log" / f"{arguments[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("airflow")), *arguments]
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603
            command, env=airflow_environment(), stdout=output, stderr=subprocess.STDOUT
        )
    if done.returncode:
        raise EngagementError(f"`airflow {' '.join(arguments)}` failed; {log} says why.")


def end_leftovers() -> None:
    """End the processes of this checkout's stack that a killed owner left behind."""
    left = _own_processes()
    for process in left:
        with suppress(psutil.NoSuchProcess):  # the one before took it along
            process.terminate()
    psutil.wait_procs(left, timeout=_PATIENCE_WITH_LEFTOVERS_S)
    while left := _own_processes():  # again: a dying scheduler may still have made a worker
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_PATIENCE_WITH_LEFTOVERS_S)


def _own_processes() -> list[psutil.Process]:
    sessions = {int(path.read_text()) for path in (home() / "log").glob("*.pid")}
    return [p for p in psutil.process_iter() if p.pid != os.getpid() and _is_own(p, sessions)]


def _is_own(process: psutil.Process, sessions: set[int]) -> bool:
    """Return whether a process has the stack's mark, or hides its environment in one of its sessions.

    Airflow's workers hide it from everybody but root.
    """
    try:
        try:
            return process.environ().get(_MARK) == str(home())
        except (psutil.AccessDenied, PermissionError):
            is_airflow = "airflow" in " ".join(process.cmdline())
            return is_airflow and os.getsid(process.pid) in sessions
    except (psutil.Error, OSError):
        return False


@contextmanager
def _process(
    name: str, arguments: list[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    log = home() / "log" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("airflow")), *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is ours alone to pass on
        )
    log.with_suffix(".pid").write_text(str(process.pid))
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(services: Services, say: Callable[[str], None]) -> None:
    import httpx

    say("Starting Airflow ...")
    end = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < end:
        services.require_alive()
        try:
            # Whatever proxy the machine uses, it does not lead to this machine itself.
            health = httpx.get(
                f"{services.where.url}/api/v2/monitor/health", timeout=5, trust_env=False
            ).json()
            if all(
                health[part]["status"] == "healthy"
                for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")
            ):
                return
        except (httpx.HTTPError, ValueError, KeyError):
            pass
        time.sleep(0.3)
    raise EngagementError(
        f"Airflow was not ready after {_READY_WITHIN_S} s; the logs in {home() / 'log'} say why."
    )


def _airflow_secrets(path: Path) -> dict[str, str]:
    """Return the secrets that Airflow's processes share, made once."""
    if not path.exists():
        made = {
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        }
        _write_private(path, made)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def _password() -> str:
    path = home() / "airflow" / "passwords.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _write_private(path, {"admin": secrets.token_urlsafe(9)})
    return str(json.loads(path.read_text())["admin"])


def _write_private(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file that only its owner reads, and others see whole or not at all."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(values, file)
    new.replace(path)


def _address_file() -> Path:
    return home() / "stack.json"


def _is_locked() -> bool:
    with (home() / "stack.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """Turn a signal to stop into an exit that unwinds every block; more of them change nothing."""
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def leave(number: int, _: FrameType | None) -> None:
        for one in stopping:
            signal.signal(one, signal.SIG_IGN)
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in stopping}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
