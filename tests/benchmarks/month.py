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

_DAG, _TASKS = "model_patrons", ("extract", "check", "publish")
_POLL_S = 0.2


@dataclass(frozen=True)
class Task:
    """The instants of one task: its process began, its own code began and ended, it was over."""

    start: datetime
    own_start: datetime
    own_end: datetime
    end: datetime


class Clerk(Airflow):
    """Asks Airflow when everything happened."""

    def task(self, run: Run, task: dict[str, Any]) -> Task:
        """Return the instants of a task, as the API and the task's log tell them."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task['task_id']}/logs/1"
        log = self._get(path, map_index=str(task["map_index"]))["content"]
        lines = [(_instant(line["timestamp"]), line["event"]) for line in log if "timestamp" in line]
        return Task(
            start=_instant(task["start_date"]),
            own_start=next(at for at, event in lines if event == "::endgroup::"),
            own_end=next(at for at, event in lines if event.startswith("Done. Returned value")),
            end=_instant(task["end_date"]),
        )

    def tasks_of(self, run: Run) -> dict[str, Task]:
        """Return the tasks of a run by name."""
        listed = self._get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances")
        return {task["task_id"]: self.task(run, task) for task in listed["task_instances"]}


def timed(home: Path) -> tuple[datetime, dict[str, Task]]:
    """Run the month on a stack in the folder `home`; return when it was triggered, and its tasks."""
    with _stack(home):
        airflow = Clerk(stack.Services(_require_running(), {}))
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
        spent: what each step spent its time with, in a process without Airflow beside it.
    """
    total = tasks["publish"].end - triggered
    said = "60,403 records on a running stack, from trigger to published"
    found = [figure("trigger_to_published_s", total.total_seconds(), "s", said)]
    before = triggered
    for name in _TASKS:
        task = tasks[name]
        for what, seconds in _parts(before, task, spent[name]):
            found.append(figure(f"month_{name}_{what.split()[0]}_s", seconds, "s", f"{name}: {what}"))
        before = task.end
    return found


def _parts(
    before: datetime, task: Task, spent: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """Yield what a task's seconds went into, from the end of the one before it on."""
    yield "waits for the scheduler", (task.start - before).total_seconds()
    yield "starts: Airflow makes a process and reads the DAG", _seconds(task.start, task.own_start)
    doing = {what: seconds for what, seconds in spent.items() if what not in _WHOLE}
    doing["working"] = spent["working"] - sum(doing.values())
    own = _seconds(task.own_start, task.own_end)
    yield "imports", own - spent["working"]
    yield from doing.items()
    yield "ends: Airflow records it", _seconds(task.own_end, task.end)
