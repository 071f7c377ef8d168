"""What a campaign does next: its waves, the gate between them, its reminders, its end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engagement import address, clock, warehouse
from engagement.errors import EngagementError
from engagement.measure import campaign as campaigns, events, notices, plan
from engagement.measure.campaign import LEAST_FIRST_WAVE, Campaign
from engagement.measure.events import State
from engagement.measure.letters import REMINDER
from engagement.sending import FRESH_ANSWERS
from engagement.settings import settings
from engagement.warehouse import Session

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Evidence:
    """What is known of the waves so far: counts of mails, and instants on the business clock.

    Attributes:
        open: not gone out yet, or not known to have.
        uncertain: not known to have.
        refused_code: the reply with which the relay refused one that is to be tried again, or None.
        sent: that the relay took, or whose address it refused.
        unsent: given up or withdrawn.
        given_up: of these, that a mail server refused for days, whatever the address.
        hard: whose address is dead.
        last_sent_at: when the last one went out.
        read_at: when the mailbox of bounces was read last.
        has_canary: whether the canary's bounce lay in it.
        is_canary_refused: whether the relay knew the canary for dead and took no mail to it.
    """

    open: int
    uncertain: int
    refused_code: int | None
    sent: int
    unsent: int
    given_up: int
    hard: int
    last_sent_at: datetime | None
    read_at: datetime | None
    has_canary: bool
    is_canary_refused: bool

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
        EngagementError: the campaign's file is wrong, or was changed since it was planned.
    """
    campaign = campaigns.load(name)
    with warehouse.session() as session:
        state = events.state(session, name)
        if state.is_closed:
            why = f"; it was stopped: {state.stopped_for}" if state.stopped_for else "."
            return f"It is closed{why}"
        if state.plan_hash is None:
            return _unplanned(campaign)
        if state.decision is None:
            return "It waits for an approver."
        if state.decision != "approved":
            return f"Its plan was {state.decision}."
        plan.require_unchanged(campaign, state)
        if state.stopped_for is not None:
            return f"It is stopped: {state.stopped_for}"
        waits = _waits(session, campaign, state)
    return (
        f"It is approved; {state.wave} of {len(state.plan['waves'])} waves and {state.reminders} reminders are "
        f"opened. {waits or ''}".rstrip()
    )


def stop(name: str, by: str, reason: str) -> None:
    """Stop a campaign within one claim, also one whose file is broken or gone; then its owner is not told.

    Raises:
        EngagementError: no reason is given, or the campaign is closed, was stopped already, or has no plan.
    """
    _require_reason(reason)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        if state.plan_hash is None or state.is_closed or state.stopped_for is not None:
            raise EngagementError(f"The campaign {name} does not run; there is nothing to stop.")
        events.add(session, name, "stopped", plan_hash=state.plan_hash, actor=by, note=reason)
        if (campaign := _readable(name)) is not None:
            notices.queue_stopped(session, campaign, state.stops + 1)


def _readable(name: str) -> Campaign | None:
    try:
        return campaigns.load(name)
    except EngagementError as error:
        _log.warning("%s is stopped, but its owner is not told: %s", name, error)
        return None


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise EngagementError("Say why with --reason: it is recorded with the campaign.")


def resume(name: str, by: str, reason: str) -> None:
    """Let a stopped campaign go on; what has bounced by now is accepted, what follows is not.

    Raises:
        EngagementError: no reason is given, or the campaign is not stopped.
    """
    _require_reason(reason)
    campaign = campaigns.load(name)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        if state.stopped_for is None or state.is_closed:
            raise EngagementError(
                f"The campaign {name} is not stopped; there is nothing to resume."
            )
        evidence = _evidence(session, campaign, state)
        events.add(
            session,
            name,
            "resumed",
            plan_hash=state.plan_hash,
            actor=by,
            counts={"sent": evidence.sent, "hard": evidence.hard},
            note=reason,
        )


def _advance(session: Session, campaign: Campaign, state: State) -> str:
    now = clock.now()
    if state.is_closed:
        return "It is closed."
    if state.plan_hash is None:
        return _unplanned(campaign)
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


def _unplanned(campaign: Campaign) -> str:
    if clock.now() <= campaign.dates.approve_by:
        return "It is not planned yet."
    return (
        f"It was to be approved by {_told(campaign.dates.approve_by)} and was never planned: nothing will be sent; "
        "set later dates."
    )


def _waits(session: Session, campaign: Campaign, state: State) -> str | None:
    """Return what a running campaign waits for, or None where the next run has something to do."""
    if clock.now() < campaign.dates.start:
        return f"It starts at {_told(campaign.dates.start)}."
    if state.wave == 0:
        return None
    evidence = _evidence(session, campaign, state)
    if _is_over_limit(campaign, state, evidence):
        return None
    if state.wave < len(state.plan["waves"]):
        return _waits_at_gate(campaign, state, evidence)
    return _waits_for_time(session, campaign, state) or _waits_for_answers(session, campaign)


def _waits_at_gate(campaign: Campaign, state: State, evidence: _Evidence) -> str | None:
    held = _held_back(campaign, evidence)
    return None if held is None else f"After wave {state.wave} the rest is held back: {held}"


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
    if settings().mail == "live":
        session.run("measure/requeue_caught", campaign=campaign.campaign, now=clock.now())
    evidence = _evidence(session, campaign, state)
    # Before anything is waited for: every mail to a dead address harms the library's name as a sender.
    if _is_over_limit(campaign, state, evidence):
        return _stop(session, campaign, state, evidence)
    if state.wave < len(state.plan["waves"]):
        if not evidence.has_canary and not evidence.is_canary_refused:
            notices.queue_canary(
                session, campaign, _canary(state.wave)
            )  # another one may stand there now
        if (waits := _waits_at_gate(campaign, state, evidence)) is not None:
            return waits
        counts = {"wave": state.wave, "sent": evidence.sent, "hard": evidence.hard}
        events.add(
            session, campaign.campaign, "gate passed", plan_hash=state.plan_hash, counts=counts
        )
        return _open_wave(session, campaign, state, state.wave + 1)
    return _remind(session, campaign, state)


def _evidence(session: Session, campaign: Campaign, state: State) -> _Evidence:
    row: Any = session.one(
        "measure/gate_figures",
        campaign=campaign.campaign,
        canary=_canary(state.wave),
        canary_key=address.digest(campaign.waves.canary, address.secret()),
    )
    return _Evidence(
        row.open_count,
        row.uncertain_count,
        row.refused_code,
        row.sent_count,
        row.unsent_count,
        row.given_up_count,
        row.hard_count,
        row.last_sent_at,
        row.read_at,
        row.has_canary,
        row.is_canary_refused,
    )


def _is_over_limit(campaign: Campaign, state: State, evidence: _Evidence) -> bool:
    is_enough = evidence.sent >= LEAST_FIRST_WAVE or (evidence.sent > 0 and not evidence.open)
    return is_enough and evidence.hard_share >= _limit(campaign, state)


def _limit(campaign: Campaign, state: State) -> float:
    """Return the share of hard bounces that stops a campaign.

    A person who lets it go on accepts the share of that hour; it may grow by the limit once more.
    """
    limit = campaign.waves.hard_bounce_limit
    return state.accepted + limit if state.accepted >= limit else limit


def _held_back(campaign: Campaign, evidence: _Evidence) -> str | None:
    """Return what evidence is missing before the next wave may go out, or None."""
    return _not_gone_out(campaign, evidence) or _not_come_back(campaign, evidence)


def _not_gone_out(campaign: Campaign, evidence: _Evidence) -> str | None:
    if evidence.uncertain:
        return f"{evidence.uncertain} mails may or may not have arrived; `engagement mail uncertain` lists them."
    if evidence.open:
        why = (
            f"; the mail server refuses some of them (reply {evidence.refused_code})"
            if evidence.refused_code
            else ""
        )
        return f"{evidence.open} of its mails have not gone out yet{why}."
    if evidence.last_sent_at is None:
        return (
            f"none of its mails has gone out: {evidence.unsent} were given up or withdrawn; "
            f"`engagement campaign requeue {campaign.campaign}` tries those again."
        )
    tried = evidence.sent + evidence.given_up
    if evidence.given_up and evidence.given_up >= campaign.waves.hard_bounce_limit * tried:
        return (
            f"{evidence.given_up} of its {tried} mails were given up: a mail server refuses them, and nothing is "
            f"known of their addresses; `engagement campaign requeue {campaign.campaign}` tries them again."
        )
    return None


def _not_come_back(campaign: Campaign, evidence: _Evidence) -> str | None:
    assert evidence.last_sent_at is not None  # noqa: S101 - what has not gone out cannot come back
    over = evidence.last_sent_at + campaign.waves.wait
    if clock.now() < over:
        return f"bounces are waited for until {_told(over)}."
    if evidence.read_at is None or evidence.read_at < over:
        return "the mailbox of bounces was not read since; see that measure_collect runs."
    if evidence.is_canary_refused:
        return (
            f"the mail server refused the mail to {campaign.waves.canary} at once, so no bounce will show that "
            "bounces arrive; name a dead address at another domain as canary."
        )
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
    queued = session.run(
        "measure/queue_wave",
        campaign=name,
        wave=wave,
        domains=domains,
        domain_keys=[address.digest(domain, key) for domain in domains],
        now=now,
    )
    session.analyze("core.message")
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
        f"{_limit(campaign, state):.0%}."
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
    due = _due_reminders(campaign)
    if (waits := _waits_for_time(session, campaign, state)) is not None:
        return waits
    if (waits := _waits_for_answers(session, campaign)) is not None:
        notices.queue_answers_wanted(session, campaign, due)
        return waits
    if due <= state.reminders:
        return f"{_waiting_reminders(session, campaign)} mails of reminder {due} go out."
    session.run("measure/withdraw_reminders", campaign=campaign.campaign)
    queued = session.run(
        "measure/queue_reminder",
        campaign=campaign.campaign,
        step=f"{REMINDER}{due}",
        now=clock.now(),
    )
    session.analyze("core.message")
    counts = {"reminder": due, "mails": queued}
    events.add(
        session, campaign.campaign, "reminder opened", plan_hash=state.plan_hash, counts=counts
    )
    return f"Reminder {due} is opened: {queued:,} mails."


def _due_reminders(campaign: Campaign) -> int:
    return sum(at <= clock.now() for at in campaign.dates.reminders)


def _waiting_reminders(session: Session, campaign: Campaign) -> int:
    waiting: int = session.scalar("measure/count_waiting_reminders", campaign=campaign.campaign)
    return waiting


def _waits_for_time(session: Session, campaign: Campaign, state: State) -> str | None:
    due = _due_reminders(campaign)
    if due <= state.reminders and not _waiting_reminders(session, campaign):
        return "Its mails have been handed out; answers are waited for."
    if (not_before := _reminder_not_before(campaign, state, due)) > clock.now():
        return f"Reminder {due} waits until {_told(not_before)}: the one before went out late."
    return None


def _waits_for_answers(session: Session, campaign: Campaign) -> str | None:
    imported_at = session.scalar("measure/newest_import", campaign=campaign.campaign)
    if imported_at is not None and imported_at >= clock.now() - FRESH_ANSWERS:
        return None
    return (
        f"Reminder {_due_reminders(campaign)} waits: import the answers (the newest are "
        f"{f'of {_told(imported_at)}' if imported_at else 'none'}), or people who have answered "
        "would be asked again. Where nobody has answered lately, say with --exported-at when they were exported."
    )


def _reminder_not_before(campaign: Campaign, state: State, number: int) -> datetime:
    """Return when a reminder may go out: as long after the one before as was planned, however late that was."""
    dates = campaign.dates.reminders
    if state.reminder_opened_at is None or number <= state.reminders:
        return dates[number - 1]
    return state.reminder_opened_at + (dates[number - 1] - dates[state.reminders - 1])


def requeue(name: str, by: str, reason: str) -> int:
    """Let the mails of a running campaign that were given up or refused be tried again; return how many.

    Raises:
        EngagementError: no reason is given, the campaign is over, or none of its mails was given up.
    """
    _require_reason(reason)
    campaigns.load(name)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        count = (
            0 if state.is_closed else session.run("measure/requeue", campaign=name, now=clock.now())
        )
        if not count:
            raise EngagementError(
                f"No mail of the campaign {name} was given up; there is nothing to try again."
            )
        events.add(
            session,
            name,
            "requeued",
            plan_hash=state.plan_hash,
            actor=by,
            counts={"mails": count},
            note=reason,
        )
    return count
