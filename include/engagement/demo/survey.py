"""The demo's surveys: the source's own of July 2018 from approval to answers, and one that stops itself."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console

from engagement import clock, survey_tables
from engagement.demo import patrons, stack
from engagement.demo.airflow_api import Airflow, Run
from engagement.demo.postbox import Fate
from engagement.errors import EngagementError
from engagement.measure import campaign as campaigns, figures, waves
from engagement.measure.options import APPROVE

REPLAYED, STOPPED = "news-2018-07", "hours-2018-07"
_ASKED_WITHIN_S = 60
Say = Callable[[str], None]
Wait = Callable[[Run], object]  # returns when the run has succeeded


def replay(airflow: Airflow, wait: Wait, fates: MutableMapping[str, Fate], say: Say) -> None:
    """Let both campaigns happen on the business clock, from plan to end.

    Args:
        airflow: of the running stack.
        wait: follows a run to its end.
        fates: where the mail server looks up what becomes of mail to an address; filled here.
        say: tells people how it goes.

    Raises:
        EngagementError: a run failed, or nobody was asked for approval.
    """

    def step(dag_id: str, name: str) -> None:
        wait(airflow.trigger(dag_id, None, name))

    dates = campaigns.load(REPLAYED).dates
    say("\nSurveys: two campaigns are planned and wait for an approver.")
    step("measure_dispatch", "plan")
    _approve(airflow, wait)
    for name in (REPLAYED, STOPPED):
        fates.update(patrons.fates(name))
    _move(dates.start, "the first waves go out", say)
    step("measure_dispatch", "wave-1")
    _move(dates.start + timedelta(hours=25), "bounces are read, then the gate is asked", say)
    step("measure_collect", "wave-1")
    step("measure_dispatch", "wave-2")
    respondents = patrons.Respondents(REPLAYED, stack.mail_folder())
    _move(dates.reminders[0], "answers are brought in, then the rest is reminded", say)
    respondents.export(_answers(), patrons.EARLY)
    step("measure_collect", "answers-1")
    step("measure_dispatch", "reminder")
    _move(dates.end, "the surveys end", say)
    respondents.export(_answers(), patrons.ANSWERED)
    step("measure_collect", "answers-2")
    step("measure_dispatch", "end")


def show(console: Console) -> None:
    """Print what came of the campaigns."""
    survey_tables.show_figures(figures.read(REPLAYED))
    console.print(f"{STOPPED}: {waves.stands(STOPPED)}", soft_wrap=True)


def _answers() -> Path:
    return stack.home() / "answers" / REPLAYED / "answers.csv"


def _move(instant: datetime, what: str, say: Say) -> None:
    clock.move(stack.clock_file(), instant)
    say(f"\n{instant:%Y-%m-%d %H:%M}: {what}.")


def _approve(airflow: Airflow, wait: Wait) -> None:
    """Say yes to both plans, as the person would in Airflow's page."""
    end = time.monotonic() + _ASKED_WITHIN_S
    while len(asked := airflow.waiting("measure_approve")) < 2:
        if time.monotonic() > end:
            raise EngagementError("measure_approve asked nobody; see the log of the scheduler.")
        time.sleep(0.2)
    for run_id, task_id in asked:
        airflow.answer("measure_approve", run_id, task_id, APPROVE)
    for run_id, _ in asked:
        wait(airflow.run("measure_approve", run_id))
