"""One step of a month in a process of its own: `python -m benchmarks.step extract | check | publish`."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import process
from benchmarks.world import JUNE

# What a step imports before it can begin; Great Expectations alone takes seconds, whatever is checked.
IMPORTS = {
    "extract": ("engagement.model.extract", "pandas", "pyarrow", "pgpq"),
    "check": (
        "engagement.model.check",
        "great_expectations",
        "great_expectations.render.renderer.page_renderer",
        "great_expectations.render.view.view",
    ),
    "publish": ("engagement.model.publish",),
}
_spent: Counter[str] = Counter()  # what is done -> seconds


def _run(step: str, *numbers: int) -> int:
    """Run a step as its Airflow task does."""
    if step == "extract":
        from sqlalchemy.engine import make_url

        from engagement.model import extract

        _watch_extract()
        return extract.extract(JUNE, make_url(os.environ["ENGAGEMENT_LIBRARY"]), *numbers)
    if step == "check":
        from engagement.model import check

        return check.check(JUNE)
    from engagement.model import publish

    return publish.publish(JUNE)


def _watch_extract() -> None:
    """Let the three things that an extract does in turn tell how long they take."""
    from engagement.model.normalise import Normaliser
    from engagement.model.reading import DatabaseReading
    from engagement.warehouse import Session

    _watch(Normaliser, "chunk", "normalising")
    _watch(Session, "load", "writing")
    _watch(Session, "copy", "writing")
    read = DatabaseReading.chunks

    def chunks(self: DatabaseReading, size: int) -> Iterator[Any]:
        found = read(self, size)
        while True:
            with _spending("reading"):
                records = next(found, None)
            if records is None:
                return
            yield records

    DatabaseReading.chunks = chunks  # type: ignore[method-assign]


def _watch(owner: type, name: str, doing: str) -> None:
    does: Callable[..., Any] = getattr(owner, name)

    def watched(*arguments: Any) -> Any:
        with _spending(doing):
            return does(*arguments)

    setattr(owner, name, watched)


@contextmanager
def _spending(doing: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    _spent[doing] += time.perf_counter() - began


def _main(step: str, *numbers: str) -> None:
    with _spending("importing"):
        for name in IMPORTS[step]:
            importlib.import_module(name)
    with _spending("working"):
        result = _run(step, *map(int, numbers))
    process.tell(result=result, **_spent)


if __name__ == "__main__":
    _main(*sys.argv[1:])
