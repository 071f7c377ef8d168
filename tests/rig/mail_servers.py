"""The program that runs a mail world: `mail_servers.py 127.25.7`, until its standard input is closed.

It is the first process of a PID namespace and a mount namespace of its own (`unshare` makes them): what it
mounts nobody else sees, and when it ends the kernel ends every server that it started.
"""

import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import odd_remote

_CONFIGS = Path(__file__).parent / "mail"
_HOME = Path("/var/mail")  # in every Debian, and nothing of ours lies there: it is hidden
_START_SECONDS = 30
_IMAP, _SUBMIT, _SMTP = 10143, 10025, 10026


def run(*command: str) -> None:
    """Run a command to its end; what it says belongs to the errors."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def write(name: str, path: str, network: str) -> None:
    """Write a configuration for the world's addresses."""
    told = (_CONFIGS / name).read_text().replace("NETWORK", network)
    (_HOME / path).write_text(told)


def start_postfix(name: str, listens_on: str, network: str) -> None:
    """Start one of the two Postfix servers."""
    home = _HOME / name
    (home / "queue").mkdir(parents=True)
    (home / "data").mkdir()
    shutil.chown(home / "data", "postfix")
    for file in ("mailboxes", "refusals", "no_user.sh"):
        write(file, f"{name}/{file}", network)
    for part in ("common.cf", f"{name}.cf"):
        told = (_CONFIGS / part).read_text().replace("NETWORK", network)
        with (home / "main.cf").open("a") as config:
            config.write(told)
    services = (_CONFIGS / "master.cf").read_text()
    (home / "master.cf").write_text(f"{listens_on} inet n - n - - smtpd\n{services}")
    run("postfix", "-c", str(home), "start")


def wait_for(host: str, port: int, end: float) -> None:
    """Wait until something listens."""
    while True:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def main(network: str) -> None:
    """Start everything on the addresses of `network`, say `up`, and stay until nobody wants it any more."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(_HOME))
    for folder in ("log", "boxes", "dovecot", "dovecot-state"):
        (_HOME / folder).mkdir()
    shutil.chown(_HOME / "boxes", 65534, 65534)
    for name in ("unbound.conf", "dovecot.conf"):
        write(name, name, network)
    (_HOME / "resolv.conf").write_text(f"nameserver {network}.53\n")
    run("mount", "--bind", str(_HOME / "resolv.conf"), "/etc/resolv.conf")
    with ThreadPoolExecutor() as threads:  # together: each takes a second or two
        started = [
            threads.submit(run, "unbound", "-c", str(_HOME / "unbound.conf")),
            threads.submit(run, "dovecot", "-c", str(_HOME / "dovecot.conf")),
            threads.submit(start_postfix, "relay", f"{network}.1:{_SUBMIT}", network),
            threads.submit(start_postfix, "remote", f"{network}.10:{_SMTP}", network),
        ]
    for one in started:
        one.result()
    odd_remote.start(f"{network}.20", _SMTP, (f"{network}.10", _SMTP))
    end = time.monotonic() + _START_SECONDS
    for host, port in ((1, _SUBMIT), (1, _IMAP), (10, _SMTP), (20, _SMTP)):
        wait_for(f"{network}.{host}", port, end)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # servers that end are nobody else's children
    sys.stdout.write("up\n")
    sys.stdout.flush()
    sys.stdin.read()


main(sys.argv[1])
