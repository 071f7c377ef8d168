"""The parts of the benchmark: each measures one thing that was promised, and returns its figures."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks import month, process, world
from benchmarks.figures import Figure, figure
from benchmarks.process import Report

from engagement.demo import library

_ROUNDS = 5
_STEPS = ("extract", "check", "publish")
_CORES = 2  # what is promised is promised for so many; a large library is read in as many shards


@dataclass(frozen=True)
class Size:
    """How much is measured: 600,000 records, and 6,000,000 where memory must not grow with them."""

    rows: int = 600_000
    many: int = 6_000_000


def model(size: Size, _: Path) -> list[Figure]:
    """A first month in two shards, each step from the start of its processes to their end."""
    steps = dict(zip(_STEPS, first_month(size.rows, _CORES), strict=True))
    spent = steps["extract"].told
    seconds = {name: report.seconds for name, report in steps.items()}
    total = sum(seconds.values())
    return [
        figure("model_600k_s", total, "s", "two shards, imports included, nobody known", 45),
        *(figure(f"model_600k_{step}_s", seconds[step], "s", "of these") for step in _STEPS),
        *(
            figure(f"model_600k_{doing}_s", spent[doing], "s", "of both shards together")
            for doing in ("reading", "normalising", "writing")
        ),
    ]


def check(size: Size, _: Path) -> list[Figure]:
    """The suite against one plain statement a check, by turns."""
    use_month(size.rows)
    orders = ["plain first", "check first"] * _ROUNDS
    told = [process.run("checking", order).told for order in orders[:_ROUNDS]]
    ours, plain = ([one[way] for one in told] for way in ("check", "plain"))
    ratio = process.median_ratio(ours, plain)
    return [
        figure("check", ratio, "times", "one plain SQL statement a check", 1.5),
        figure("check_plain_s", statistics.median(plain), "s", "the plain statements"),
    ]


def load(size: Size, _: Path) -> list[Figure]:
    """Writing to stage, and publishing, against a raw text COPY of the same rows, by turns."""
    use_month(size.rows)
    told = process.run("writing", _ROUNDS).told
    text, staged = told["text"], told["load"]
    known, first = (
        [sum(pair) for pair in zip(staged, told[name], strict=True)]
        for name in ("publish", "publish_first")
    )
    raw = "a raw text COPY of the same rows"
    return [
        figure("load_staged", process.median_ratio(staged, text), "times", raw, 1.0),
        figure("load_published", process.median_ratio(known, text), "times", raw, 2.0),
        figure(
            "load_published_first", process.median_ratio(first, text), "times", f"{raw}; all new"
        ),
        figure("load_text_s", statistics.median(text), "s", "the raw text COPY"),
    ]


def shards(size: Size, _: Path) -> list[Figure]:
    """Two processes with half of the library each against one with all of it, by turns."""
    world.use_library(size.rows)
    alone, together = [], []
    for number in range(3):
        world.use_warehouse(f"one_{number}")
        alone.append(_extract(shards=1).seconds)
        world.use_warehouse(f"two_{number}")
        together.append(_extract(shards=2).seconds)
    ratio = process.median_ratio(together, alone)
    return [
        figure("shards_2", ratio, "times", "one process that reads all"),
        figure("shards_1_s", statistics.median(alone), "s", "one process that reads all"),
    ]


def memory(size: Size, _: Path) -> list[Figure]:
    """What any one process holds at most, the server's among them, and whether it grows with the rows."""
    usual, large = first_month(size.rows, _CORES), first_month(size.many, _CORES)
    (_, small_check, _), (_, large_check, _) = usual, large
    growth = large_check.highest_mb / small_check.highest_mb
    return [
        figure("check_memory_mb", small_check.highest_mb, "MB", "600,000 rows", 350),
        figure("check_memory_6m_mb", large_check.highest_mb, "MB", "6,000,000 rows", 350),
        figure("check_memory_growth", growth, "times", "600,000 rows", 1.1),
        figure("model_memory_mb", max(r.highest_mb for r in large), "MB", "6,000,000 rows", 500),
        *(
            figure(f"model_6m_{name}_mb", report.highest_mb, "MB", f"of these {name}")
            for name, report in zip(_STEPS, large, strict=True)
        ),
        figure("model_6m_s", sum(report.seconds for report in large), "s", "6,000,000 rows"),
    ]


def stack(_: Size, home: Path) -> list[Figure]:
    """A month of 60,403 records through Airflow, and each step beside it without Airflow."""
    triggered, tasks = month.timed(home / "stack")
    spent = dict(zip(_STEPS, (report.told for report in first_month(library.RECORDS)), strict=True))
    return month.figures(triggered, tasks, spent)


PARTS: dict[str, Callable[[Size, Path], list[Figure]]] = {
    part.__name__: part for part in (model, check, load, shards, memory, stack)
}


@cache
def first_month(rows: int, shards: int = 1) -> tuple[Report, ...]:
    """Run a month through its three steps, into a warehouse of its own: nobody was known before."""
    world.use_library(rows)
    world.use_warehouse(_month(rows, shards))
    reports = (_extract(shards), *(process.run("step", name) for name in _STEPS[1:]))
    share = reports[-1].told["result"] / rows
    usual = library.REAL_CUSTOMERS / library.RECORDS
    if abs(share - usual) > 0.001:
        raise AssertionError(f"{share:.1%} are real customers, not {usual:.1%} as in the library.")
    return reports


def use_month(rows: int) -> None:
    """Work in the warehouse in which the first month of `rows` records is published, read as one."""
    first_month(rows)
    world.use_library(rows)
    world.use_warehouse(_month(rows))


def _month(rows: int, shards: int = 1) -> str:
    return f"month_{rows}_in_{shards}"


def _extract(shards: int) -> Report:
    """Read the library, each shard in a process of its own, all at the same time."""
    with ThreadPoolExecutor() as pool:
        began = time.perf_counter()
        reports = list(
            pool.map(lambda shard: process.run("step", "extract", shard, shards), range(shards))
        )
        seconds = time.perf_counter() - began
    spent = sum((Counter(report.told) for report in reports), Counter())
    return Report(
        seconds,
        max(report.peak_mb for report in reports),
        max(report.server_mb for report in reports),
        dict(spent),
    )
