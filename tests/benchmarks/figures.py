"""What was measured: figures with their limits, kept in var/bench.json, told on docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from jinja2 import Environment, StrictUndefined

_TEMPLATE = Path(__file__).with_name("page.md.j2")
_PRODUCTS = ("apache-airflow", "great-expectations", "pandas", "pyarrow", "psycopg", "sqlalchemy")
_DIGITS = {"times": 2, "ms": 2, "s": 1, "MB": 0}


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        name: by which it is known from run to run.
        value: rounded as its unit is; what is written is what is judged.
        limit: the most that it may be, or None where it is only reported.
        unit: times, ms, s or MB.
        against: what it is a multiple of, or what it counts.
        is_least: whether the limit is the least that it may be instead.
    """

    name: str
    value: float
    limit: float | None
    unit: str
    against: str
    is_least: bool = False

    @property
    def is_beyond(self) -> bool:
        """Whether the value is more than it may be, or less."""
        if self.limit is None:
            return False
        return self.value < self.limit if self.is_least else self.value > self.limit

    @property
    def bound(self) -> str:
        """The limit in words, or nothing."""
        if self.limit is None:
            return ""
        return f"{'at least ' if self.is_least else ''}{self.limit} {self.unit}"


def figure(
    name: str,
    value: float,
    unit: str,
    against: str,
    limit: float | None = None,
    *,
    is_least: bool = False,
) -> Figure:
    """Return a figure whose value is rounded as its unit is."""
    return Figure(name, round(value, _DIGITS[unit]), limit, unit, against, is_least)


def read(path: Path) -> list[Figure]:
    """Return the figures of the last runs, or none where nothing was measured yet."""
    return [Figure(**item) for item in json.loads(path.read_text())] if path.exists() else []


def merged(old: Iterable[Figure], new: Iterable[Figure]) -> list[Figure]:
    """Return all figures; of those that were measured again the new ones, in their old places."""
    return list(({one.name: one for one in old} | {one.name: one for one in new}).values())


def write(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures as a list of JSON objects."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in figures], indent=2) + "\n")


def page(figures: Sequence[Figure], measured_on: Mapping[str, str], server: str) -> str:
    """Return docs/benchmarks.md.

    Args:
        figures: all of them.
        measured_on: the day on which each part of the benchmark was run last; empty where it was not.
        server: the version of PostgreSQL.
    """
    environment = Environment(  # noqa: S701 - Markdown
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["number"] = _number
    environment.filters["day"] = lambda day: f"run on {day}" if day else "not run yet"
    steps = [one for one in figures if one.name.startswith("month_")]
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        figures=[one for one in figures if one not in steps],
        steps=steps,
        measured_on=measured_on,
        machine=_machine(),
        versions=[f"PostgreSQL {server}", *(f"{name} {version(name)}" for name in _PRODUCTS)],
    )


def _machine() -> str:
    memory = psutil.virtual_memory().total / 1024**3
    cores, python = os.cpu_count(), platform.python_version()
    return f"{cores} cores ({platform.machine()}), {memory:.0f} GB, {platform.system()}, Python {python}"


def _number(one: Figure) -> str:
    return f"{one.value:,.{_DIGITS[one.unit]}f}"
