"""One step of a month in a process of its own: `python -m benchmarks.step extract | check | publish`."""

from __future__ import annotations

import os
import sys

from benchmarks import process
from benchmarks.world import JUNE


def _run(step: str, *numbers: int) -> int:
    """Run a step as its Airflow task does; imports are part of it."""
    if step == "extract":
        from sqlalchemy.engine import make_url

        from engagement.model.extract import extract

        return extract(JUNE, make_url(os.environ["ENGAGEMENT_LIBRARY"]), *numbers)
    if step == "check":
        from engagement.model.check import check

        return check(JUNE)
    from engagement.model.publish import publish

    return publish(JUNE)


if __name__ == "__main__":
    process.tell(result=_run(sys.argv[1], *map(int, sys.argv[2:])))
