"""Who has read patrons' values by a command, and what for."""

from __future__ import annotations

from engagement import clock
from engagement.warehouse import Session


def log(
    session: Session,
    actor: str,
    command: str,
    purpose: str,
    row_count: int,
    tombstone_key: bytes | None = None,
) -> None:
    """Write down that a person's command reads values of patrons; it holds none itself.

    Args:
        session: in which it is written: where it cannot be, nothing is handed out.
        actor: who runs the command.
        command: its name, such as `patron export`.
        purpose: what the values are for.
        row_count: how many rows are handed out.
        tombstone_key: of one patron, the digest of his id.
    """
    session.run(
        "privacy/log_read",
        read_at=clock.now(),
        actor=actor,
        command=command,
        purpose=purpose,
        row_count=row_count,
        tombstone_key=tombstone_key,
    )
