"""What the DAGs hand to one another: tables, by period."""

from airflow.sdk import Asset

patrons = Asset("warehouse://core/patron_month")
"""A period's patrons, each with verdict and group, and the figures about them.

Emitted by model_patrons; consumed by monitor_report.
"""

loans = Asset("warehouse://core/loan")
"""A period's loans, and how many there are by month.

Emitted by model_usage; consumed by no DAG.
"""

plans = Asset("warehouse://ops/campaign_event")
"""Plans of campaigns that wait for an approver, by campaign and plan.

Emitted by measure_dispatch; consumed by measure_approve.
"""
