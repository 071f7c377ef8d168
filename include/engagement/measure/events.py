"""What happened to a campaign; its state is the fold of that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from engagement import clock
from engagement.warehouse import Session

Kind = Literal[
    "planned",
    "asked",
    "approved",
    "rejected",
    "expired",
    "wave opened",
    "gate passed",
    "stopped",
    "resumed",
    "requeued",
    "reminder opened",
    "closed",
]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: what.
        plan_hash: the plan that it is about.
        actor: who did it; None where the product did by itself.
        counts: its figures.
        note: a reason, or a sentence.
        event_at: when, on the business clock.
    """

    kind: Kind
    plan_hash: str | None
    actor: str | None
    counts: Mapping[str, Any]
    note: str | None
    event_at: datetime


@dataclass(frozen=True)
class State:
    """Where a campaign stands.

    Attributes:
        plan_hash: of its newest plan; None before there is one.
        plan: the figures of that plan.
        planned_at: when it was made.
        is_asked: whether the approvers were asked about it.
        decision: what was decided about that plan; None while nobody has.
        wave: the wave that was opened last; 0 before the first.
        wave_opened_at: when.
        gate_passed: the last wave after which the rest was let go on.
        reminders: how many reminders were opened.
        stops: how often it was stopped.
        stopped_for: why it is stopped, or None.
        accepted: the share of hard bounces with which a person let it go on last; 0 where nobody did.
        reminder_opened_at: when the last reminder was opened.
        is_closed: whether it is over.
    """

    plan_hash: str | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)
    planned_at: datetime | None = None
    is_asked: bool = False
    decision: Kind | None = None
    wave: int = 0
    wave_opened_at: datetime | None = None
    gate_passed: int = 0
    reminders: int = 0
    stops: int = 0
    stopped_for: str | None = None
    accepted: float = 0.0
    reminder_opened_at: datetime | None = None
    is_closed: bool = False

    @property
    def has_begun(self) -> bool:
        """Whether mail of it may have gone out: its plan cannot change any more."""
        return self.wave > 0


def lock(session: Session, campaign: str) -> None:
    """Let no other transaction change the campaign until this one ends."""
    session.run("measure/lock_campaign", campaign=campaign)


def read(session: Session, campaign: str) -> list[Event]:
    """Return what happened to a campaign, in order."""
    return [
        Event(row.kind, row.plan_hash, row.actor, row.counts or {}, row.note, row.event_at)
        for row in session.rows("measure/campaign_events", campaign=campaign)
    ]


def state(session: Session, campaign: str) -> State:
    """Return where a campaign stands."""
    return fold(read(session, campaign))


def add(
    session: Session,
    campaign: str,
    kind: Kind,
    *,
    plan_hash: str | None,
    actor: str | None = None,
    counts: Mapping[str, Any] | None = None,
    note: str | None = None,
) -> None:
    """Write down what happened just now."""
    session.run(
        "measure/add_campaign_event",
        campaign=campaign,
        kind=kind,
        plan_hash=plan_hash,
        actor=actor,
        counts=json.dumps(counts or {}, ensure_ascii=False),
        note=note,
        now=clock.now(),
    )


def fold(events: Iterable[Event]) -> State:
    """Return the state that the events, in order, lead to."""
    found = State()
    for event in events:
        found = _AFTER[event.kind](found, event)
    return found


def _decided(state: State, event: Event) -> State:
    if event.plan_hash != state.plan_hash:  # a decision about a plan that there is no more
        return state
    return replace(state, decision=event.kind)


_AFTER: Mapping[Kind, Callable[[State, Event], State]] = {
    "planned": lambda state, e: replace(
        state,
        plan_hash=e.plan_hash,
        plan=e.counts,
        planned_at=e.event_at,
        is_asked=False,
        decision=None,
    ),
    "asked": lambda state, e: replace(state, is_asked=e.plan_hash == state.plan_hash),
    "approved": _decided,
    "rejected": _decided,
    "expired": _decided,
    "wave opened": lambda state, e: replace(
        state, wave=e.counts["wave"], wave_opened_at=e.event_at
    ),
    "gate passed": lambda state, e: replace(state, gate_passed=e.counts["wave"]),
    "reminder opened": lambda state, e: replace(
        state, reminders=e.counts["reminder"], reminder_opened_at=e.event_at
    ),
    "stopped": lambda state, e: replace(state, stops=state.stops + 1, stopped_for=e.note),
    "resumed": lambda state, e: replace(
        state, stopped_for=None, accepted=e.counts["hard"] / (e.counts["sent"] or 1)
    ),
    "requeued": lambda state, _: state,
    "closed": lambda state, _: replace(state, is_closed=True),
}
