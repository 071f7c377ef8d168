"""Measures what a month takes: `make bench`, or a part of it again: `make bench ONLY=check`.

Every figure comes from the machine at hand and from one run, most as a multiple of something else that is done by
turns with it, so that a slow or busy machine does not change it. Exits with 1 where a figure is beyond its limit.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import figures, world
from benchmarks.figures import Figure
from benchmarks.parts import PARTS, Size

from engagement.demo import library
from engagement.settings import ROOT

_log = logging.getLogger("benchmarks.run")  # run by name


def main(parts: Sequence[str], size: Size) -> int:
    """Measure parts one after the other; return 1 where a figure is beyond its limit, else 0."""
    found = []
    with world.made() as home:
        for part in parts:
            _log.info("Measuring %s: %s", part, PARTS[part].__doc__)
            measured = PARTS[part](size, home)
            for one in measured:
                _log.info("  %s", line(one))
            found += measured
            if size == Size():
                keep(ROOT, part, measured, world.server_version())
    return judged(found)


def keep(root: Path, part: str, measured: Sequence[Figure], server: str) -> None:
    """Write a part's figures over those of its last run, and the page, which names what was not run."""
    kept, days = root / "var" / "bench.json", root / "var" / "bench-days.json"
    known = figures.merged(figures.read(kept), measured)
    figures.write(kept, known)
    measured_on = json.loads(days.read_text()) if days.exists() else {}
    measured_on[part] = f"{datetime.now(UTC):%Y-%m-%d}"
    days.write_text(json.dumps(measured_on))
    page = root / "docs" / "benchmarks.md"
    page.write_text(
        figures.page(known, dict.fromkeys(PARTS, "") | measured_on, server), encoding="utf-8"
    )


def judged(found: Sequence[Figure]) -> int:
    """Name the figures that are beyond their limits; return 1 where there are any, else 0."""
    beyond = [one for one in found if one.is_beyond]
    for one in beyond:
        _log.error("BEYOND ITS LIMIT: %s", line(one))
    return 1 if beyond else 0


def line(one: Figure) -> str:
    """Return a figure in one line."""
    limit = (
        "" if one.limit is None else f" ({'at least' if one.is_least else 'limit'} {one.limit:g})"
    )
    return f"{one.name} {one.value:g} {one.unit}{limit}, {one.against}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="all when left out")
    parser.add_argument("--rows", type=int, help="a trial with so many records; nothing is kept")
    asked = parser.parse_args()
    for part in asked.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    if asked.rows is not None and asked.rows < library.RECORDS:
        parser.error(
            f"--rows takes {library.RECORDS:,} or more: that many the simulated library has"
        )
    return asked


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("benchmarks").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the server must not outlive the run
    _asked = _arguments()
    _size = Size(_asked.rows, 10 * _asked.rows) if _asked.rows else Size()
    sys.exit(main(_asked.parts or list(PARTS), _size))
