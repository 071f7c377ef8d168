"""Who is left in peace, and who may be written to again."""

from __future__ import annotations

import logging

from engagement import address, clock, warehouse
from engagement.errors import EngagementError

_log = logging.getLogger(__name__)


def lift(email: str, by: str, reason: str, *, is_objection_too: bool) -> int:
    """Let mail go to an address again; return how many suppressions that lifts.

    Args:
        email: the address.
        by: who says so; logged.
        reason: why; recorded.
        is_objection_too: lift what the person said as well: an opt-out, a complaint.

    Raises:
        EngagementError: that is no address, no reason is given, or nothing is suppressed there.
    """
    normal = address.normal(email.strip())
    if normal is None:
        raise EngagementError("That is no e-mail address; write the one that is to get mail again.")
    if not reason.strip():
        raise EngagementError("Say why with --reason: it is recorded beside what is lifted.")
    with warehouse.session() as session:
        count = session.run(
            "measure/lift_suppressions",
            address_key=address.digest(normal, address.secret()),
            note=reason.strip(),
            is_objection_too=is_objection_too,
            now=clock.now(),
        )
    if not count:
        raise EngagementError(
            "Nothing is suppressed there that this lifts; what a person said is lifted with --objection only."
        )
    _log.info("%s lifted %s suppressions.", by, count)
    return count
