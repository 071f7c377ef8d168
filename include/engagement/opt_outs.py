"""The clicks of people who want no more mail, noted outside the warehouse: after a restore nothing else knows them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from engagement import clock
from engagement.settings import settings
from engagement.warehouse import Session

_log = logging.getLogger(__name__)

# At the end of a line: half of another, left by a crash, may stand before it.
_CLICK = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]{8,15}[+-]\d\d:\d\d) ([0-9a-f]{32})$", re.ASCII)


def folder() -> Path:
    """Return where the clicks are noted, in a file for each month."""
    return settings().home / "opt-outs"


def note(token: str) -> None:
    """Note that the recipient of a mail said no by a click; where that fails, the log says so.

    Args:
        token: the mail's own.
    """
    now = clock.now()
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder() / f"{now:%Y-%m}.log"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w") as file:
            # A line of its own, whatever a crash has left of the one before.
            file.write(f"\n{now.isoformat()} {token}\n")
            file.flush()
            os.fsync(handle)
    except OSError as error:
        _log.error(
            "A click holds, but is not noted for a restore: %s: %s.", folder(), error.strerror
        )


def enter_again(session: Session) -> int:
    """Enter the clicks that a restored warehouse does not know; return how many those are."""
    entered = unknown = 0
    for said_at, token in _noted():
        found = session.one("measure/lock_mail", token=token)
        if found is None:
            unknown += 1
        elif not session.scalar("outbox/has_opted_out", message_id=found.message_id):
            session.run(
                "measure/suppress_objecting",
                mail_ids=[],
                message_ids=[found.message_id],
                now=said_at,
            )
            entered += 1
    if unknown:
        _log.warning("%s clicks are of mails that the ledger does not know.", f"{unknown:,}")
    return entered


def _noted() -> Iterator[tuple[datetime, str]]:
    for path in sorted(folder().glob("*.log")):
        unreadable = 0
        for line in filter(None, path.read_text(errors="replace").splitlines()):
            click = _click(line)
            if click is None:
                unreadable += 1
            else:
                yield click
        if unreadable:
            _log.warning("%s lines of %s are no whole clicks.", f"{unreadable:,}", path)


def _click(line: str) -> tuple[datetime, str] | None:
    found = _CLICK.search(line)
    try:
        return (datetime.fromisoformat(found[1]), found[2]) if found else None
    except ValueError:
        return None
