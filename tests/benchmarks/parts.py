"""The parts of the benchmark: each measures one thing that was promised, and returns its figures."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
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
    """How much is measured.

    Attributes:
        rows: records of the library.
        many: records of a library that must not need more memory.
        mails: of a wave.
        few: bounces, and answers, that come back.
        returned: so many of them that must not need more memory.
    """

    rows: int = 600_000
    many: int = 6_000_000
    mails: int = 2_000
    few: int = 1_000
    returned: int = 100_000


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


def plan(size: Size, _: Path) -> list[Figure]:
    """A campaign of 100,000 invitations: its sample drawn, its mails queued."""
    use_month(size.rows)
    asked = size.rows // 6
    told = process.run("sending", "plan", asked, 1).told
    return [
        figure("plan_100k_s", told["plan"], "s", "100,000 invitations drawn", 20),
        figure("plan_100k_queue_s", told["queue"], "s", "their mails queued"),
    ]


def send(size: Size, _: Path) -> list[Figure]:
    """The outbox against a bare loop of smtplib, by turns; with a slow server; in two processes."""
    use_month(library.RECORDS)
    fast, slow, shared = (
        process.run("sending", way, mails, rounds).told
        for way, mails, rounds in (
            ("fast", size.mails, _ROUNDS),
            ("slow", size.mails // 5, 3),
            ("shards", size.mails, 3),
        )
    )
    loop, reused = "a bare loop of smtplib over one connection", "one reused connection"
    each = f"one of {size.mails:,}"
    return [
        _rate("dispatch", fast["loop"], fast["dispatch"], loop, 0.6),
        _rate("dispatch_1", fast["loop"], fast["dispatch_1"], f"{loop}; ours has one as well"),
        figure("dispatch_loop_ms", _each_ms(fast["loop"], size.mails), "ms", f"{loop}, {each}"),
        _rate("dispatch_20ms", slow["loop"], slow["dispatch"], reused, 6),
        _rate("dispatch_shards_2", shared["one"], shared["two"], "one process"),
        figure("mail_build_ms", _each_ms(fast["build"], size.mails), "ms", each, 2),
    ]


def returns(size: Size, _: Path) -> list[Figure]:
    """What reading bounces and answers holds in memory, and whether it grows with their number."""
    found = []
    for what in ("bounces", "answers"):
        few, many = (_returned(what, count) for count in (size.few, size.returned))
        growth = many.highest_mb / few.highest_mb
        counted = f"{size.few:,} {what}; this is {size.returned:,}"
        found += [
            figure(f"{what}_memory_growth", growth, "times", counted, 1.1),
            figure(f"{what}_memory_mb", many.highest_mb, "MB", f"{size.returned:,} {what}"),
            figure(f"{what}_s", many.told["seconds"], "s", f"{size.returned:,} {what}"),
        ]
    return found


def report(_: Size, __: Path) -> list[Figure]:
    """The report on a month of 60,403 records with a survey: rendered, and mailed to 50."""
    use_month(library.RECORDS)
    process.run("reporting", "prepare")
    rendered = [process.run("reporting", "render").told for _ in range(_ROUNDS)]
    first, again = (statistics.median(one[turn] for one in rendered) for turn in ("first", "again"))
    sent = statistics.median(process.run("reporting", "send", _ROUNDS).told["send"])
    return [
        figure("report_render_s", again, "s", "cut and rendered: two mails, pictures and PDFs", 2),
        figure("report_render_first_s", first, "s", "the same, with what it imports on the way"),
        figure("report_send_50_s", sent, "s", "50 mails built and sent, ten with the PDF", 10),
    ]


def stack(_: Size, home: Path) -> list[Figure]:
    """A month of 60,403 records through Airflow, and each step beside it without Airflow."""
    triggered, tasks = month.timed(home / "stack")
    spent = dict(zip(_STEPS, (report.told for report in first_month(library.RECORDS)), strict=True))
    return month.figures(triggered, tasks, spent)


PARTS: dict[str, Callable[[Size, Path], list[Figure]]] = {
    part.__name__: part
    for part in (model, check, load, shards, memory, stack, plan, send, returns, report)
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


def _rate(
    name: str,
    theirs: Sequence[float],
    ours: Sequence[float],
    against: str,
    least: float | None = None,
) -> Figure:
    """Return how many times as many mails a second are sent, from the seconds of as many mails."""
    ratio = process.median_ratio(theirs, ours)
    return figure(
        name, ratio, "times", f"{against}, mails a second", least, is_least=least is not None
    )


def _each_ms(seconds: Sequence[float], mails: int) -> float:
    return statistics.median(seconds) / mails * 1000


def _returned(what: str, count: int) -> Report:
    """Read so many bounces or answers into a warehouse that knows whom they are of."""
    world.use_warehouse(f"{what}_{count}")
    return process.run("returning", what, count)


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
