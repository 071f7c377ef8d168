"""Shows what came back to a person, who may understand what no rule did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engagement import warehouse
from engagement.errors import EngagementError
from engagement.privacy import files, reads


def unknown() -> Sequence[Any]:
    """Return the mails that were not understood and are still kept: mail_id, received_at, rule."""
    with warehouse.session() as session:
        return session.rows("measure/unknown_mails")


def write(mail_id: int, by: str) -> Path:
    """Write a mail that came back into var/exports, as it came; return the file, its owner's alone.

    Args:
        mail_id: its number.
        by: who wants it; logged.

    Raises:
        EngagementError: no such mail is kept, or the file cannot be written.
    """
    with warehouse.session() as session:
        kept = session.one("measure/returned_mail", mail_id=mail_id)
        if kept is None:
            raise EngagementError(
                f"No mail {mail_id} is kept; `engagement bounce unknown` lists those that were not understood."
            )
        reads.log(session, by, "bounce show", "to find out what a returned mail says", 1)
    return files.write(bytes(kept.content), prefix=f"mail-{mail_id}-", suffix=".eml")
