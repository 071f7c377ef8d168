"""What the demo asks of Airflow's REST API: start a month, and tell how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from engagement.demo.stack import Services, home
from engagement.errors import EngagementError

FINAL = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})
_AT_REST = timedelta(seconds=3)  # quicker than that no person reads


@dataclass(frozen=True)
class TaskState:
    """One task of a run as it stands; `seconds` is None until it has ended."""

    task_id: str
    map_index: int
    state: str
    seconds: float | None


@dataclass(frozen=True)
class Run:
    """One DAG run as it stands."""

    dag_id: str
    run_id: str
    state: str
    seconds: float | None


class Airflow:
    """A logged-in client of a running stack.

    Each call raises EngagementError when a process of the stack has ended, or Airflow does not answer.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        where = services.where
        self._client = httpx.Client(base_url=where.url, timeout=30, trust_env=False)
        login = {"username": where.user, "password": where.password}
        token = self._ask("POST", "/auth/token", json=login)["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def has_dags(self, *dag_ids: str) -> bool:
        """Return whether Airflow has read all these DAGs."""
        found = {dag["dag_id"] for dag in self._get("/dags")["dags"]}
        return found >= set(dag_ids)

    def trigger(self, dag_id: str, period: str | None, name: str | None = None) -> Run:
        """Start the run `demo__<name>` of `dag_id` and return it; the name of a period's run is the period."""
        run = {"dag_run_id": f"demo__{name or period}", "logical_date": None}
        if period is not None:
            run["partition_key"] = period
        return _run(self._ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=run))

    def run(self, dag_id: str, run_id: str) -> Run:
        """Return a run as it stands."""
        return _run(self._get(f"/dags/{dag_id}/dagRuns/{run_id}"))

    def waiting(self, dag_id: str) -> list[tuple[str, str]]:
        """Return run and task of each question that waits for a person.

        One that was asked a moment ago is left out. A task that is answered before Airflow has heard that the
        process which asked has ended is resumed, and then fails for that process's end.
        """
        listed = self._get(f"/dags/{dag_id}/dagRuns/~/hitlDetails", response_received="false")
        asked = [
            detail["task_instance"]
            for detail in listed["hitl_details"]
            if datetime.now(UTC) - datetime.fromisoformat(detail["created_at"]) >= _AT_REST
        ]
        parked = [task for task in asked if task["state"] == "awaiting_input"]
        return [(task["dag_run_id"], task["task_id"]) for task in parked]

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """Answer such a question, as the logged-in user."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self._ask("PATCH", path, json={"chosen_options": [option], "params_input": {}})

    def newest_run(self, dag_id: str, period: str) -> Run | None:
        """Return the newest run of `dag_id` for `period`, or None."""
        runs = self._get(f"/dags/{dag_id}/dagRuns", order_by="-id", limit="50")["dag_runs"]
        return next((_run(r) for r in runs if r["partition_key"] == period), None)

    def tasks(self, run: Run) -> list[TaskState]:
        """Return the run's tasks in the order in which they start."""
        listed = self._get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances")
        started = sorted(listed["task_instances"], key=lambda t: t["start_date"] or "9999")
        return [
            TaskState(t["task_id"], t["map_index"], t["state"] or "waiting", t["duration"])
            for t in started
        ]

    def failure(self, run: Run) -> str:
        """Return why a run failed: its first failed task, and the sentence of that task's log."""
        for task in self.tasks(run):
            if task.state == "failed":
                log = self._get(
                    f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/1",
                    map_index=str(task.map_index),
                )
                return f"{run.dag_id}.{task.task_id}: {_last_error(log['content'])}"
        return f"{run.dag_id} failed before a task of it had begun."

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        return self._ask("GET", f"/api/v2{path}", params=query)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        self._services.require_alive()
        try:
            answer = self._client.request(method, path, **more)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise EngagementError(
                f"Airflow does not answer {method} {path} ({type(error).__name__}); "
                f"{home() / 'log'} holds api-server.log, which says why."
            ) from None
        found: dict[str, Any] = answer.json()
        return found


def _run(values: dict[str, Any]) -> Run:
    return Run(values["dag_id"], values["dag_run_id"], values["state"], values["duration"])


def _last_error(lines: list[dict[str, Any]]) -> str:
    for line in reversed(lines):
        for detail in line.get("error_detail") or []:
            return str(detail["exc_value"])
    return "its log says why."
