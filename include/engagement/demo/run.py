"""The demo: two months of the simulated library through the real scheduler; and the same stack to keep."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psutil
from rich.console import Console
from rich.table import Table

from engagement import clock, embedded, schema, tables, warehouse
from engagement.database_error import WAREHOUSE
from engagement.demo import library, stack, survey
from engagement.demo.airflow_api import FINAL, Airflow, Run, TaskState
from engagement.demo.postbox import Fate
from engagement.demo.work_items import file_work
from engagement.errors import EngagementError
from engagement.monitor import distribution, figures, rhythm
from engagement.period import Period
from engagement.settings import settings

_JUNE, _JULY = Period(2018, 6), Period(2018, 7)
_DAGS = (
    "model_patrons",
    "model_usage",
    "monitor_report",
    "measure_approve",
    "measure_dispatch",
    "measure_collect",
    "watch_runs",
)
_RUN_WITHIN_S = 300
_UP_WITHIN_S = 180
_DATABASES = (WAREHOUSE, stack.LIBRARY_DATABASE, stack.AIRFLOW_DATABASE)

_console = Console(highlight=False)


def demo() -> None:
    """Run both periods from nothing, show runs, figures and mails, and stop everything again.

    Raises:
        EngagementError: the stack runs already, a run failed, or the warehouse is not the demo's.
    """
    began = time.monotonic()
    with _own_world(), stack.alone():
        _start_afresh()
        fates: dict[str, Fate] = {}
        with stack.services(_say, fates) as services:
            airflow = _log_in(services)
            runs = list(_run_month(airflow, _JUNE))
            survey.replay(airflow, lambda run: _follow(airflow, run), fates, _say)
            runs += _run_month(airflow, _JULY)
        _show(runs)
    _say(f"Everything is stopped again. It took {time.monotonic() - began:.0f} s.")


def up() -> None:
    """Start the stack in the background and print where it is.

    Raises:
        EngagementError: it did not come up; names its log.
    """
    if (where := stack.running()) is None:
        log = stack.home() / "log" / "stack.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "engagement.demo.run"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _say("Starting; this takes about half a minute ...")
        where = _wait_for_stack(process, str(log))
    _say(f"Airflow:  {where.url}")
    _say(f"Login:    {where.user} / {where.password}")
    _say(f"Mails:    {stack.mail_folder()}")
    _say("`make down` stops it.")


def down() -> None:
    """Stop the stack, and whatever a killed one left behind."""
    if (where := stack.running()) is not None:
        with suppress(psutil.Error):
            owner = psutil.Process(where.pid)
            owner.terminate()
            owner.wait(_UP_WITHIN_S)
    with _own_world(), stack.alone():
        pass
    _say("Nothing of the stack is running.")


def serve() -> None:
    """Run the stack until a signal comes; what `up` starts in the background."""
    with _own_world(), stack.alone():
        if not clock_is_set():
            _start_afresh()
        with stack.services(_say) as services:
            while True:
                services.require_alive()
                time.sleep(1)


def clock_is_set() -> bool:
    """Return whether the demo's world has been made: its clock stands somewhere."""
    return stack.clock_file().exists()


@contextmanager
def _own_world() -> Iterator[None]:
    """Let this process see the demo's deployment only, whatever the environment names."""
    keep = {"ENGAGEMENT_HOME"}
    for name in [n for n in os.environ if n.startswith("ENGAGEMENT_") and n not in keep]:
        del os.environ[name]
    os.environ["ENGAGEMENT_DEPLOYMENT"] = stack.DEPLOYMENT
    os.environ["ENGAGEMENT_CLOCK_FILE"] = str(stack.clock_file())
    settings.cache_clear()
    yield


def _start_afresh() -> None:
    """Empty the demo's databases and folders, and let the library stand at June."""
    _require_demo_warehouse()
    stack.clock_file().unlink(missing_ok=True)
    written = (
        stack.mail_folder(),
        stack.work_items_folder(),
        stack.home() / "answers",
        stack.home() / "archive",
        stack.home() / "airflow" / "logs",
    )
    for folder in written:
        shutil.rmtree(folder, ignore_errors=True)
    for name in _DATABASES:
        warehouse.drop_database(embedded.database(name))
    stack.airflow_environment()  # makes the databases, in this thread alone
    with ThreadPoolExecutor() as pool:
        _say("Making Airflow's database and a library of 60,403 records ...")
        migration = pool.submit(stack.run_airflow, "db", "migrate")
        schema.upgrade()
        library.create(embedded.database(stack.LIBRARY_DATABASE))
        migration.result()
    file_work(stack.work_items_folder(), _JUNE)
    clock.move(stack.clock_file(), _JUNE.end)


def _require_demo_warehouse() -> None:
    """Raise EngagementError where the warehouse of this checkout is somebody's real one."""
    with warehouse.session() as session:
        if not session.scalar("schema/has_identity"):
            return
        owner = session.scalar("schema/identity")
    if owner != stack.DEPLOYMENT:
        raise EngagementError(
            f"The warehouse below {stack.home()} belongs to the deployment {owner!r}, and the demo would "
            "empty it; give the demo a folder of its own, such as ENGAGEMENT_HOME=$HOME/demo."
        )


def _log_in(services: stack.Services) -> Airflow:
    airflow = Airflow(services)
    end = time.monotonic() + _UP_WITHIN_S
    while not airflow.has_dags(*_DAGS):
        if time.monotonic() > end:
            raise EngagementError("Airflow has not read the DAGs; see the log of dag-processor.")
        time.sleep(0.3)
    return airflow


def _run_month(airflow: Airflow, period: Period) -> Iterator[tuple[Period, Run, list[TaskState]]]:
    """Let the month end and the day of its report come, and yield its runs when they have succeeded."""
    clock.move(stack.clock_file(), period.end)
    if period == _JULY:
        file_work(stack.work_items_folder(), period)
        library.move_to_july(embedded.database(stack.LIBRARY_DATABASE))
    _say(f"\n{period}: the clock stands at {period.end:%Y-%m-%d %H:%M}.")
    began = time.monotonic()
    first = airflow.trigger("model_patrons", str(period))
    yield period, *_follow(airflow, first)
    report = _fired_run(airflow, "monitor_report", period)
    _until_deferred(airflow, report)
    goes_out = rhythm.send_at(period, distribution.read())
    clock.move(stack.clock_file(), goes_out)
    _say(f"  {goes_out:%Y-%m-%d %H:%M}: the report goes out.")
    yield period, *_follow(airflow, report)
    _say(f"  from trigger to sent report {time.monotonic() - began:.1f} s")
    yield period, *_follow(airflow, airflow.trigger("model_usage", str(period)))


def _fired_run(airflow: Airflow, dag_id: str, period: Period) -> Run:
    """Return the run that the published patrons start by themselves."""
    end = time.monotonic() + _RUN_WITHIN_S
    while time.monotonic() < end:
        if (run := airflow.newest_run(dag_id, str(period))) is not None:
            return run
        time.sleep(0.2)
    raise EngagementError(f"{dag_id} did not start for {period}; see the log of the scheduler.")


def _until_deferred(airflow: Airflow, run: Run) -> None:
    """Wait until a task of the run has been handed to the triggerer."""
    end = time.monotonic() + _RUN_WITHIN_S
    while not any(task.state == "deferred" for task in airflow.tasks(run)):
        if airflow.run(run.dag_id, run.run_id).state == "failed":
            raise EngagementError(airflow.failure(run))
        if time.monotonic() > end:
            raise EngagementError(f"{run.dag_id} did not come to wait for its day; see its log.")
        time.sleep(0.3)


def _follow(airflow: Airflow, run: Run) -> tuple[Run, list[TaskState]]:
    """Say how each task of the run ends, and return the run when it has succeeded."""
    said: set[str] = set()
    began = time.monotonic()
    with _console.status("") as status:
        while (passed := time.monotonic() - began) < _RUN_WITHIN_S:
            tasks = airflow.tasks(run)
            at_work = ", ".join(task.task_id for task in tasks if task.state == "running")
            status.update(f"{run.dag_id} {at_work or 'waits'}, {passed:.0f} s")
            for task in tasks:
                if task.state in FINAL and task.task_id not in said:
                    said.add(task.task_id)
                    name = f"{run.dag_id}.{task.task_id}"
                    _say(f"  {name:<24} {task.state:<8} {task.seconds or 0:5.1f} s")
            if not tasks or any(task.state not in FINAL for task in tasks):
                time.sleep(0.3)  # Airflow's own work is most of what an answer costs
                continue
            now = airflow.run(run.dag_id, run.run_id)
            if now.state == "failed":
                raise EngagementError(airflow.failure(now))
            if now.state == "success":
                return now, tasks
            time.sleep(0.1)
    raise EngagementError(f"{run.dag_id} did not end within {_RUN_WITHIN_S} s.")


def _show(runs: list[tuple[Period, Run, list[TaskState]]]) -> None:
    table = Table("period", "DAG", "state", title="Runs")
    table.add_column("seconds", justify="right")
    for period, run, _ in runs:
        table.add_row(str(period), run.dag_id, run.state, f"{run.seconds or 0:.1f}")
    _console.print(table)
    with warehouse.session() as session:
        _console.print(tables.funnel(*(figures.require(session, p) for p in (_JUNE, _JULY))))
    survey.show(_console)
    _say("Received reports (.eml is the mail as it came; open the .html in a browser):")
    for mail in sorted(stack.mail_folder().glob("*.*ml")):
        _say(f"  {mail}")
    _say(f"Archive of the reports: {settings().archive_folder / 'index.html'}")


def _wait_for_stack(process: subprocess.Popen[bytes], log: str) -> stack.Address:
    end = time.monotonic() + _UP_WITHIN_S
    while process.poll() is None and time.monotonic() < end:
        if (where := stack.running()) is not None:
            return where
        time.sleep(0.3)
    raise EngagementError(f"The stack did not come up; {log} says why.")


def _say(line: str) -> None:
    _console.print(line, soft_wrap=True)


if __name__ == "__main__":
    serve()
