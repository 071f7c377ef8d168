"""Who may say yes to a plan, where Airflow's users live in its database."""

from __future__ import annotations

from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User


class ApproversByName(FabAuthManager):
    """FAB's users, known to a question by their login name.

    A campaign's file says `approvers: [anna]`; FAB itself would compare that with the number of her row.
    """

    def is_authorized_hitl_task(self, *, assigned_users: set[str], user: User) -> bool:
        """Return whether `user` is one of those who were asked."""
        return user.get_name() in assigned_users
