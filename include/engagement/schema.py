"""The warehouse's tables: created and brought up to date by Alembic."""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from engagement import warehouse
from engagement.database_error import telling
from engagement.errors import EngagementError
from engagement.settings import INCLUDE, settings
from engagement.warehouse import Session


def upgrade() -> None:
    """Bring the warehouse to the newest schema and write whose it is.

    Raises:
        EngagementError: the warehouse belongs to another deployment, or cannot be changed.
    """
    config = Config()
    config.set_main_option("script_location", str(INCLUDE / "migrations"))
    with warehouse.session() as session:
        if session.scalar("schema/has_identity"):
            _require_own(session)
        session.run("schema/create_ops")
        config.attributes["connection"] = session.connection
        with telling("Bringing the schema up to date", session.name):
            command.upgrade(config, "head")
        session.run("schema/claim_identity", deployment=settings().deployment)


def require_own() -> None:
    """Raise EngagementError unless the warehouse says that it belongs to this deployment."""
    with warehouse.session() as session:
        _require_own(session)


def _require_own(session: Session) -> None:
    owner = session.scalar("schema/identity")
    if owner != settings().deployment:
        raise EngagementError(
            f"This warehouse belongs to the deployment {owner!r}, not to "
            f"{settings().deployment!r}; correct ENGAGEMENT_WAREHOUSE_URL or ENGAGEMENT_DEPLOYMENT."
        )
