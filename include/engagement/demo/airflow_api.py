"""What the demo asks of Airflow's REST API: start a month, and tell how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from engagement.demo.stack import Address
from engagement.errors import EngagementError

FINAL = frozenset({"success", "failed"})


@dataclass(frozen=True)
class TaskState:
    """One task of a run as it stands; `seconds` is None until it has ended."""

    task_id: str
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
    """A logged-in client of a running stack."""

    def __init__(self, where: Address) -> None:
        answer = httpx.post(
            f"{where.url}/auth/token", json={"username": where.user, "password": where.password}
        )
        answer.raise_for_status()
        self._client = httpx.Client(
            base_url=f"{where.url}/api/v2",
            headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
            timeout=30,
        )

    def has_dags(self, *dag_ids: str) -> bool:
        """Return whether Airflow has read all these DAGs."""
        return all(self._client.get(f"/dags/{dag_id}").status_code == 200 for dag_id in dag_ids)

    def trigger(self, dag_id: str, period: str) -> Run:
        """Start the run `demo__<period>` of `dag_id` and return it."""
        answer = self._client.post(
            f"/dags/{dag_id}/dagRuns",
            json={
                "dag_run_id": f"demo__{period}",
                "logical_date": None,
                "partition_key": period,
            },
        )
        if answer.is_error:
            raise EngagementError(f"Airflow did not start {dag_id} for {period}: {answer.text}")
        return _run(answer.json())

    def run(self, dag_id: str, run_id: str) -> Run:
        """Return a run as it stands."""
        return _run(self._get(f"/dags/{dag_id}/dagRuns/{run_id}"))

    def newest_run(self, dag_id: str, period: str) -> Run | None:
        """Return the newest run of `dag_id` for `period`, or None."""
        runs = self._get(f"/dags/{dag_id}/dagRuns", order_by="-id", limit="50")["dag_runs"]
        return next((_run(r) for r in runs if r["partition_key"] == period), None)

    def tasks(self, run: Run) -> list[TaskState]:
        """Return the run's tasks in the order in which they start."""
        listed = self._get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances")
        started = sorted(listed["task_instances"], key=lambda t: t["start_date"] or "9999")
        return [TaskState(t["task_id"], t["state"] or "waiting", t["duration"]) for t in started]

    def failure(self, run: Run) -> str:
        """Return why a run failed: its first failed task, and the sentence of that task's log."""
        for task in self.tasks(run):
            if task.state == "failed":
                log = self._get(
                    f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/1"
                )
                return f"{run.dag_id}.{task.task_id}: {_last_error(log['content'])}"
        return f"{run.dag_id} failed before a task of it had begun."

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._client.get(path, params=query)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _run(values: dict[str, Any]) -> Run:
    return Run(values["dag_id"], values["dag_run_id"], values["state"], values["duration"])


def _last_error(lines: list[dict[str, Any]]) -> str:
    for line in reversed(lines):
        for detail in line.get("error_detail") or []:
            return str(detail["exc_value"])
    return "its log says why."
