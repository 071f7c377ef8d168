"""Runs what is measured in a process of its own, and watches the memory of it and of the server."""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.settings import settings

_SAMPLE_S = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """What a process took, from its start to its end, and what it says of itself.

    Attributes:
        seconds: from its start to its end.
        peak_mb: the most memory that it held itself.
        server_mb: the most private memory that one process of the database server held meanwhile.
        told: what it gave to `tell`.
    """

    seconds: float
    peak_mb: float
    server_mb: float
    told: dict[str, Any]

    @property
    def highest_mb(self) -> float:
        """The most that any one process held: the product's or one of the server's."""
        return max(self.peak_mb, self.server_mb)


def run(module: str, *arguments: object) -> Report:
    """Run `python -m benchmarks.<module>` to its end, in this process's environment.

    Raises:
        subprocess.CalledProcessError: it failed; it said itself why.
    """
    _log.info("  running %s", " ".join(map(str, (module, *arguments))))
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    began = time.perf_counter()
    with _watched_server() as highest:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - began
    told = json.loads(done.stdout.splitlines()[-1])
    return Report(seconds, told.pop("peak_mb"), highest[0], told)


def tell(**told: Any) -> None:
    """Hand over what this process has measured, with the most memory that it held: its last act."""
    status = Path("/proc/self/status").read_text()
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    sys.stdout.write(json.dumps(told | {"peak_mb": peak_kb / 1024}) + "\n")


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios of what was measured side by side."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


@contextmanager
def _watched_server() -> Iterator[list[float]]:
    """Give the block a list whose only item is the highest private memory of a server's process so far."""
    server = (settings().home / "postgres" / "postmaster.pid").read_text().splitlines()[0]
    children = Path(f"/proc/{server}/task/{server}/children")
    highest, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(_SAMPLE_S):
            highest[0] = max(highest[0], *map(_private_mb, children.read_text().split()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield highest
    finally:
        over.set()
        watcher.join()


def _private_mb(pid: str) -> float:
    """Return the memory that a process shares with nobody: shared buffers belong to the server."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0.0  # it has ended
    return (int(resident) - int(shared)) * _PAGE / 1024**2
