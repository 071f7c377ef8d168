"""What a campaign does next: its waves, the gate between them, its reminders, its end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engagement import address, clock, warehouse
from engagement.errors import EngagementError
from engagement.measure import campaign as campaigns, events, notices, plan
from engagement.measure.campaign import LEAST_FIRST_WAVE, Campaign
from engagement.measure.events import State
from engagement.measure.letters import REMINDER
from engagement.settings import settings
from engagement.warehouse import Session

_log = logging.getLogger(__name__)

_FRESH_ANSWERS = timedelta(hours=24)


@dataclass(frozen=True)
class _Evidence:
    """What is known of the waves so far: counts of mails, and instants on the business clock."""

    open: int
    uncertain: int
    sent: int
    hard: int
    last_sent_at: datetime | None
    read_at: datetime | None
    has_canary: bool

    @property
    def hard_share(self) -> float:
        """Hard bounces per mail sent."""
        return self.hard / self.sent if self.sent else 0.0


def advance(name: str) -> str:
    """Do what is due of a campaign; return in one sentence where it stands.

    Raises:
        EngagementError: the campaign's file is wrong.
    """
    campaign = campaigns.load(name)
    with warehouse.session() as session:
        events.lock(session, name)
        sentence = _advance(session, campaign, events.state(session, name))
    _log.info("%s: %s", name, sentence)
    return sentence


def stands(name: str) -> str:
    """Return in one sentence where a campaign stands; nothing is done.

    Raises:
        EngagementError: the campaign's file is wrong.
    """
    campaigns.load(name)
    with warehouse.session() as session:
        state = events.state(session, name)
    if state.is_closed:
        why = f"; it was stopped: {state.stopped_for}" if state.stopped_for else "."
        return f"It is closed{why}"
    if state.plan_hash is None:
        return "It is not planned yet."
    if state.decision is None:
        return "It waits for an approver."
    if state.decision != "approved":
        return f"Its plan was {state.decision}."
    if state.stopped_for is not None:
        return f"It is stopped: {state.stopped_for}"
    waves = len(state.plan["waves"])
    return (
        f"It is approved; {state.wave} of {waves} waves and {state.reminders} reminders are opened."
    )


def stop(name: str, by: str, reason: str) -> None:
    """Stop a campaign within one claim.

    Raises:
        EngagementError: it is closed, was stopped already, or has no plan.
    """
    campaigns.load(name)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        if state.plan_hash is None or state.is_closed or state.stopped_for is not None:
            raise EngagementError(f"The campaign {name} does not run; there is nothing to stop.")
        events.add(session, name, "stopped", plan_hash=state.plan_hash, actor=by, note=reason)


def resume(name: str, by: str, reason: str) -> None:
    """Let a stopped campaign go on.

    Raises:
        EngagementError: it is not stopped.
    """
    campaigns.load(name)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        if state.stopped_for is None or state.is_closed:
            raise EngagementError(
                f"The campaign {name} is not stopped; there is nothing to resume."
            )
        events.add(session, name, "resumed", plan_hash=state.plan_hash, actor=by, note=reason)


def _advance(session: Session, campaign: Campaign, state: State) -> str:
    now = clock.now()
    if state.is_closed:
        return "It is closed."
    if state.plan_hash is None:
        return "It was never planned." if now >= campaign.dates.end else "It is not planned yet."
    if now >= campaign.dates.end:
        return _close(session, campaign, state)
    if state.decision is None:
        return _await_approval(session, campaign, state)
    if state.decision != "approved":
        return f"Its plan was {state.decision}: nothing is sent."
    plan.require_unchanged(campaign, state)
    if state.stopped_for is not None:
        return f"It is stopped: {state.stopped_for}"
    if now < campaign.dates.start:
        return f"It is approved and starts at {campaign.dates.start:%Y-%m-%d %H:%M}."
    return _go_on(session, campaign, state)


def _close(session: Session, campaign: Campaign, state: State) -> str:
    events.add(session, campaign.campaign, "closed", plan_hash=state.plan_hash)
    withdrawn = session.run("measure/withdraw_campaign", campaign=campaign.campaign)
    return f"It is over; {withdrawn:,} mails that had not gone out are withdrawn."


def _await_approval(session: Session, campaign: Campaign, state: State) -> str:
    if clock.now() <= campaign.dates.approve_by:
        return f"It waits for an approver until {campaign.dates.approve_by:%Y-%m-%d %H:%M}."
    events.add(session, campaign.campaign, "expired", plan_hash=state.plan_hash)
    return "Nobody approved it in time: nothing is sent."


def _go_on(session: Session, campaign: Campaign, state: State) -> str:
    if state.wave == 0:
        return _open_wave(session, campaign, state, 1)
    evidence = _evidence(session, campaign, state)
    # Before anything is waited for: every mail to a dead address harms the library's name as a sender.
    if _is_over_limit(campaign, evidence) and not _was_resumed_since(state):
        return _stop(session, campaign, state, evidence)
    if state.wave < len(state.plan["waves"]):
        held = _held_back(campaign, evidence)
        if held is not None:
            return f"After wave {state.wave} the rest is held back: {held}"
        counts = {"wave": state.wave, "sent": evidence.sent, "hard": evidence.hard}
        events.add(
            session, campaign.campaign, "gate passed", plan_hash=state.plan_hash, counts=counts
        )
        return _open_wave(session, campaign, state, state.wave + 1)
    return _remind(session, campaign, state)


def _evidence(session: Session, campaign: Campaign, state: State) -> _Evidence:
    row: Any = session.one(
        "measure/gate_figures", campaign=campaign.campaign, canary=_canary(state.wave)
    )
    return _Evidence(
        row.open_count,
        row.uncertain_count,
        row.sent_count,
        row.hard_count,
        row.last_sent_at,
        row.read_at,
        row.has_canary,
    )


def _is_over_limit(campaign: Campaign, evidence: _Evidence) -> bool:
    return (
        evidence.sent >= LEAST_FIRST_WAVE
        and evidence.hard_share >= campaign.waves.hard_bounce_limit
    )


def _was_resumed_since(state: State) -> bool:
    """Return whether a person let the campaign go on after its newest wave had been opened."""
    return (
        state.resumed_at is not None
        and state.wave_opened_at is not None
        and state.resumed_at >= state.wave_opened_at
    )


def _held_back(campaign: Campaign, evidence: _Evidence) -> str | None:
    """Return what evidence is missing before the next wave may go out, or None."""
    if evidence.uncertain:
        return f"{evidence.uncertain} mails may or may not have arrived; `engagement mail uncertain` lists them."
    if evidence.open or evidence.last_sent_at is None:
        return f"{evidence.open} of its mails have not gone out yet."
    over = evidence.last_sent_at + campaign.waves.wait
    if clock.now() < over:
        return f"bounces are waited for until {_told(over)}."
    if evidence.read_at is None or evidence.read_at < over:
        return "the mailbox of bounces was not read since; see that measure_collect runs."
    if not evidence.has_canary:
        return (
            f"the mail to {campaign.waves.canary} has not bounced: bounces do not reach the mailbox, or that "
            "address exists."
        )
    return None


def _told(instant: datetime) -> str:
    """Return an instant of the warehouse as the library's clocks show it."""
    return f"{instant.astimezone(settings().zone):%Y-%m-%d %H:%M}"


def _open_wave(session: Session, campaign: Campaign, state: State, wave: int) -> str:
    name, now = campaign.campaign, clock.now()
    key = address.secret()
    domains = [
        row.mail_domain for row in session.rows("measure/sample_domains", campaign=name, wave=wave)
    ]
    session.run("measure/give_tokens", campaign=name, wave=wave)
    queued = session.run(
        "measure/queue_wave",
        campaign=name,
        wave=wave,
        domains=domains,
        domain_keys=[address.digest(domain, key) for domain in domains],
        now=now,
    )
    if wave < len(state.plan["waves"]):
        notices.queue_canary(session, campaign, _canary(wave))
    events.add(
        session,
        name,
        "wave opened",
        plan_hash=state.plan_hash,
        counts={"wave": wave, "mails": queued},
    )
    return f"Wave {wave} of {len(state.plan['waves'])} is opened: {queued:,} mails."


def _canary(wave: int) -> str:
    return f"canary-{wave}"


def _stop(session: Session, campaign: Campaign, state: State, evidence: _Evidence) -> str:
    sentence = (
        f"{evidence.hard} of {evidence.sent} mails bounced for good ({evidence.hard_share:.1%}), the limit is "
        f"{campaign.waves.hard_bounce_limit:.0%}."
    )
    counts = {"wave": state.wave, "sent": evidence.sent, "hard": evidence.hard}
    events.add(
        session,
        campaign.campaign,
        "stopped",
        plan_hash=state.plan_hash,
        counts=counts,
        note=sentence,
    )
    notices.queue_stopped(session, campaign, state.stops + 1)
    return f"It is stopped: {sentence}"


def _remind(session: Session, campaign: Campaign, state: State) -> str:
    due = [at for at in campaign.dates.reminders if at <= clock.now()]
    if len(due) <= state.reminders:
        return "Its mails have been handed out; answers are waited for."
    imported_at = session.scalar("measure/newest_import", campaign=campaign.campaign)
    if imported_at is None or imported_at < clock.now() - _FRESH_ANSWERS:
        return (
            f"Reminder {len(due)} waits: import the answers (the newest are "
            f"{f'of {_told(imported_at)}' if imported_at else 'none'}), or people who have answered "
            "would be asked again."
        )
    queued = session.run(
        "measure/queue_reminder",
        campaign=campaign.campaign,
        step=f"{REMINDER}{len(due)}",
        now=clock.now(),
    )
    counts = {"reminder": len(due), "mails": queued}
    events.add(
        session, campaign.campaign, "reminder opened", plan_hash=state.plan_hash, counts=counts
    )
    return f"Reminder {len(due)} is opened: {queued:,} mails."
