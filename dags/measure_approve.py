"""# Measure: a person says yes.

Nothing goes out before. One run per plan of a campaign, its partition key. Whoever is named in the campaign's
file under `approvers` finds the question under **Required Actions**: how many people of each group, the mails as they
will read, and what stops the mailing by itself. No answer by `approve_by` means that nothing is sent.

| task | what it does | when it fails |
|---|---|---|
| ask | shows the plan and waits for an approver | read the sentence: the plan has changed, or its time is over |
| decide | writes the answer down | clear it: writing it again changes nothing |

A changed file makes a new plan and a new question; the older ones stay until `approve_by`, and a yes to them is refused:
answer the newest. Clearing takes back nothing that was approved. Starts by itself when measure_dispatch has planned a campaign.
"""

from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, task

from engagement_airflow import assets
from engagement_airflow.operators import PlanApproval, plan_key


@dag(
    schedule=PartitionedAssetTimetable(assets=assets.plans),
    catchup=False,
    # A file that was changed leaves the question about its older plan parked until approve_by: a task's token lets
    # it answer none but its own. As many must fit beside each other, or a new plan would be asked about too late.
    max_active_runs=256,
    doc_md=__doc__,
    tags=["measure", "survey"],
    default_args={"owner": "data", "retries": 0},
)
def measure_approve() -> None:
    ask = PlanApproval(task_id="ask", doc_md="Show the plan, and wait for an approver.")

    @task
    def decide(answer: dict[str, Any]) -> str:
        """Write down what the approver said; return it."""
        from engagement.measure import approval, options

        by = answer["responded_by_user"]
        return approval.decide(
            *approval.parsed(plan_key()),
            is_approved=answer["chosen_options"] == [options.APPROVE],
            by=by and by["name"],
        )

    decide(ask.output)


measure_approve()
