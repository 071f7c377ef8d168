"""One month of 60,403 records on a running stack: where each second goes from trigger to published."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import world
from benchmarks.figures import Figure, figure

from engagement.demo import stack
from engagement.demo.airflow_api import FINAL, Airflow, Run
from engagement.settings import settings

_DAG = "model_patrons"
# The tasks in their order, and what each does.
_DOES = {"extract": "extracting", "check": "checking", "publish": "publishing"}
_SAYS = {
    "waiting": "the scheduler finds it due and hands it out",
    "starting": "Airflow makes a process for it, and reads the DAG's file there",
    "importing": "its code is imported; in `check` that is Great Expectations",
    "extracting": "records are read, cleaned and written to stage, all at once; then the gates",
    "checking": "the suite runs, rejections are written, Data Docs rendered",
    "publishing": "facts and figures are replaced",
    "ending": "Airflow records how it ended",
}
_POLL_S = 0.2


@dataclass(frozen=True)
class Task:
    """The instants of one task: its process began, its own code began and ended, it was over."""

    start: datetime
    own_start: datetime
    own_end: datetime
    end: datetime


class Timekeeper(Airflow):
    """Asks Airflow when everything happened."""

    def tasks_of(self, run: Run) -> dict[str, Task]:
        """Return the tasks of a run by name."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        listed = self._get(path)["task_instances"]
        return {task["task_id"]: self._task(path, task) for task in listed}

    def _task(self, path: str, task: dict[str, Any]) -> Task:
        log = self._get(f"{path}/{task['task_id']}/logs/1", map_index=str(task["map_index"]))
        lines = [
            (line["timestamp"], line["event"]) for line in log["content"] if "timestamp" in line
        ]
        prepared = next(at for at, event in lines if event == "::endgroup::")
        done = next(at for at, event in lines if event.startswith("Done. Returned value"))
        instants = (task["start_date"], prepared, done, task["end_date"])
        return Task(*map(datetime.fromisoformat, instants))


def timed(home: Path) -> tuple[datetime, dict[str, Task]]:
    """Run the month on a stack in the folder `home`; return when it was triggered, and its tasks."""
    with _stack(home) as airflow:
        while not airflow.has_dags(_DAG):
            time.sleep(_POLL_S)
        triggered = datetime.now(UTC)
        run = airflow.trigger(_DAG, str(world.JUNE))
        while (run := airflow.run(_DAG, run.run_id)).state not in FINAL:
            time.sleep(_POLL_S)
        if run.state != "success":
            raise RuntimeError(airflow.failure(run))
        return triggered, airflow.tasks_of(run)


def figures(
    triggered: datetime, tasks: Mapping[str, Task], spent: Mapping[str, Mapping[str, float]]
) -> list[Figure]:
    """Return the month's seconds, all in all and one by one.

    Args:
        triggered: when it began.
        tasks: the instants of its tasks.
        spent: step -> what its process without Airflow spent its time with; "working" is all of it.
    """
    total = _seconds(triggered, tasks["publish"].end)
    found = [
        figure("trigger_to_published_s", total, "s", "60,403 records, all three tasks of the stack")
    ]
    before = triggered
    for name in _DOES:
        for what, seconds in _parts(name, before, tasks[name], spent[name]).items():
            found.append(figure(f"month_{name}_{what}_s", seconds, "s", _SAYS[what]))
        before = tasks[name].end
    return found


def _parts(name: str, before: datetime, task: Task, spent: Mapping[str, float]) -> dict[str, float]:
    """Return what the seconds of a task went into, from the end of the one before it."""
    own = _seconds(task.own_start, task.own_end)
    return {
        "waiting": _seconds(before, task.start),
        "starting": _seconds(task.start, task.own_start),
        "importing": max(own - spent["working"], 0.0),  # of two runs: the other one may be slower
        _DOES[name]: spent["working"],
        "ending": _seconds(task.own_end, task.end),
    }


def _seconds(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds()


@contextmanager
def _stack(home: Path) -> Iterator[Timekeeper]:
    """Let the stack run for the block, as `make up` starts it; this process sees its folder meanwhile."""
    before = os.environ["ENGAGEMENT_HOME"]
    home.mkdir()
    os.environ["ENGAGEMENT_HOME"] = str(home)
    settings.cache_clear()
    try:
        _engagement("up")
        where = stack.running()
        if where is None:
            raise RuntimeError("The stack came up and is gone.")
        yield Timekeeper(stack.Services(where, {}))
    finally:
        _engagement("down")
        os.environ["ENGAGEMENT_HOME"] = before
        settings.cache_clear()


def _engagement(command: str) -> None:
    program = Path(sys.executable).with_name("engagement")
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([program, command], check=True, env=own, stdout=subprocess.DEVNULL)
