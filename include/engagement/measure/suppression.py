"""Who is left in peace, and who may be written to again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engagement import address, clock, warehouse
from engagement.errors import EngagementError
from engagement.measure.campaign import Campaign
from engagement.privacy import reads

_log = logging.getLogger(__name__)

_JUMP_OF = 50  # mails to a domain within an hour, of which
_JUMP_SHARE = 0.30  # bounced for good


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
        reads.log(session, by, "suppression lift", "to let mail go to an address again", count)
    if not count:
        raise EngagementError(
            "Nothing is suppressed there that this lifts; what a person said is lifted with --objection only."
        )
    _log.info("%s lifted %s suppressions.", by, count)
    return count


def lift_bounces(
    by: str,
    reason: str,
    *,
    since: datetime,
    until: datetime,
    campaign: str | None = None,
    domain: str | None = None,
) -> int:
    """Let mail go again where it bounced for a fault of the relay; return how many suppressions that lifts.

    What people said themselves is not lifted.

    Args:
        by: who says so; logged.
        reason: why; recorded beside each.
        since: from which instant on they were suppressed.
        until: and before which.
        campaign: whose mails bounced; None: those of any.
        domain: the mail domain of the addresses; None: any.

    Raises:
        EngagementError: neither campaign nor domain or no reason is given, or nothing is suppressed there.
    """
    if not reason.strip():
        raise EngagementError("Say why with --reason: it is recorded beside what is lifted.")
    if campaign is None and domain is None:
        raise EngagementError("Say whose bounces are lifted: with --campaign, --domain or both.")
    with warehouse.session() as session:
        count = session.run(
            "measure/lift_bounces",
            campaign=campaign,
            domain_key=domain and address.digest(domain.strip().lower(), address.secret()),
            since=since,
            until=until,
            note=reason.strip(),
            now=clock.now(),
        )
        reads.log(session, by, "suppression lift-bounces", reason.strip(), count)
    if not count:
        raise EngagementError(
            "Nothing is suppressed there that this lifts: no address of that campaign or domain bounced then."
        )
    _log.info("%s lifted %s suppressions.", by, count)
    return count


def pause_domains(campaign: Campaign) -> int:
    """Pause the domains whose hard bounces have jumped in a campaign; return how many are new.

    Nothing more goes to such a domain, and its suppressions are provisional, until a person has looked. A
    campaign that allows more bounces than the usual limit is not paused below its own.
    """
    with warehouse.session() as session:
        paused = session.run(
            "measure/pause_domains",
            campaign=campaign.campaign,
            least=_JUMP_OF,
            share=max(_JUMP_SHARE, campaign.waves.hard_bounce_limit),
            now=clock.now(),
        )
        session.run("measure/doubt_suppressions")
    if paused:
        _log.warning(
            "%s mail domain(s) paused: too many of their addresses bounced within an hour; "
            "`engagement suppression domains` lists them.",
            paused,
        )
    return paused


def paused_domains(by: str) -> Sequence[Any]:
    """Return the domains that are paused: mail_domain, campaign, mail_count, hard_count, paused_at.

    Args:
        by: who looks; logged, because the names stand in people's addresses only.
    """
    with warehouse.session() as session:
        rows = session.rows("measure/paused_domains")
        reads.log(session, by, "suppression domains", "to look into paused domains", len(rows))
    return rows


def judge_domain(domain: str, by: str, reason: str, *, is_dead: bool) -> None:
    """Let mail go to a paused domain again, and believe its bounces or not.

    Args:
        domain: its name.
        by: who has looked.
        reason: what he found; recorded.
        is_dead: its addresses are dead indeed; else their suppressions are lifted.

    Raises:
        EngagementError: it is not paused, or no reason is given.
    """
    if not reason.strip():
        raise EngagementError("Say why with --reason: it is recorded beside what is decided.")
    domain_key = address.digest(domain.strip().lower(), address.secret())
    with warehouse.session() as session:
        ended = session.run(
            "measure/end_domain_pause",
            domain_key=domain_key,
            by=by,
            is_dead=is_dead,
            reason=reason.strip(),
            now=clock.now(),
        )
        if not ended:
            raise EngagementError(
                "That domain is not paused; `engagement suppression domains` lists those that are."
            )
        if is_dead:
            session.run("measure/confirm_suppressions", domain_key=domain_key)
        else:
            session.run(
                "measure/lift_provisional",
                domain_key=domain_key,
                note=reason.strip(),
                now=clock.now(),
            )
