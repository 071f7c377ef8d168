"""Who would be asked: a campaign's frame, its sample, and the plan that approvers decide on."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.groups import GroupCode
from engagement.measure import campaign as campaigns, events, form as forms, letters, sample
from engagement.measure.campaign import Campaign
from engagement.measure.events import State
from engagement.warehouse import Session

_FRAME = "stage.frame"


@dataclass(frozen=True)
class Frame:
    """The people behind a period's real customers, by group.

    Attributes:
        people: who may be asked.
        left_out: why others may not -> how many of each group.
    """

    people: Mapping[GroupCode, int]
    left_out: Mapping[str, Counter[str]]


@dataclass(frozen=True)
class Plan:
    """What a campaign is going to do; approved by its hash.

    Attributes:
        campaign: what its file says.
        plan_hash: a digest of the drawn list, of the letters, and of all that the file says.
        frame: who might have been asked.
        asked: how many of each group are.
        answers_needed: what the margin of error wants, or None.
        waves: how many people each wave takes.
        margin: to within what a share of all is estimated, at the sample's confidence and expected response rate.
    """

    campaign: Campaign
    plan_hash: str
    frame: Frame
    asked: Mapping[GroupCode, int]
    answers_needed: int | None
    waves: tuple[int, ...]
    margin: float

    @property
    def invited(self) -> int:
        """How many people are asked."""
        return sum(self.asked.values())

    def as_json(self) -> dict[str, Any]:
        """Return the plan's figures, for people and for JSON."""
        return {
            "campaign": self.campaign.campaign,
            "frame": str(self.campaign.frame),
            "plan_hash": self.plan_hash,
            "people": dict(self.frame.people),
            "left_out": {reason: dict(counts) for reason, counts in self.frame.left_out.items()},
            "asked": dict(self.asked),
            "invited": self.invited,
            "answers_needed": self.answers_needed,
            "waves": list(self.waves),
            "margin_of_error": self.margin,
        }


def check(name: str) -> Plan:
    """Return what a campaign would do if it were planned now; nothing is kept.

    Raises:
        EngagementError: the campaign's file or its form's is wrong, its frame is not published, or nobody may be
            asked.
    """
    campaign = campaigns.load(name)
    forms.load(campaign.form)
    with warehouse.session() as session, _frame(session, campaign, seed=0) as frame:
        return _planned(campaign, frame, "")


def make(name: str) -> str:
    """Draw a campaign's sample unless the plan that stands was made of the same; return the plan's hash.

    Raises:
        EngagementError: the campaign's file is wrong or was changed after mail of it went out, its frame is
            not published, or nobody may be asked.
    """
    campaign = campaigns.load(name)
    definition = letters.definition_hash(campaign)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        if state.plan_hash is not None and state.plan.get("definition_hash") == definition:
            return state.plan_hash
        if state.has_begun:
            require_unchanged(campaign, state)
        _require_time_left(campaign)
        plan = _draw(session, campaign, definition)
        events.add(
            session,
            name,
            "planned",
            plan_hash=plan.plan_hash,
            counts=plan.as_json() | {"definition_hash": definition},
        )
    return plan.plan_hash


def require_unchanged(campaign: Campaign, state: State) -> None:
    """Raise EngagementError where a campaign says something else than its plan was made of."""
    if state.plan.get("definition_hash") != letters.definition_hash(campaign):
        raise EngagementError(
            f"The file, form or template of the campaign {campaign.campaign} was changed since it was planned; "
            "take the change back, or describe another campaign in a file of its own."
        )


def _require_time_left(campaign: Campaign) -> None:
    if clock.now() > campaign.dates.approve_by:
        raise EngagementError(
            f"The campaign {campaign.campaign} was to be approved by "
            f"{campaign.dates.approve_by:%Y-%m-%d %H:%M}, which is over; set later dates."
        )


def _draw(session: Session, campaign: Campaign, definition: str) -> Plan:
    seed = secrets.randbits(62)
    with _frame(session, campaign, seed) as frame:
        plan = _planned(campaign, frame, "")
        session.run("measure/forget_sample", campaign=campaign.campaign)
        session.run(
            "measure/draw",
            campaign=campaign.campaign,
            period=str(campaign.frame),
            seed=seed,
            groups=list(plan.asked),
            quotas=list(plan.asked.values()),
            languages=[campaign.languages.of(group) for group in plan.asked],
            wave_starts=[ends + 1 for ends in accumulate(plan.waves[:-1])],
            now=clock.now(),
        )
    for table in ("core.invitation", "pii.survey_token"):
        session.analyze(table)
    listed = session.scalar("measure/digest_sample", campaign=campaign.campaign)
    told = json.dumps([definition, listed, seed])
    return _planned(campaign, frame, hashlib.sha256(told.encode()).hexdigest())


def _planned(campaign: Campaign, frame: Frame, plan_hash: str) -> Plan:
    if not any(frame.people.values()):
        why = ", ".join(f"{sum(n.values()):,} {reason}" for reason, n in frame.left_out.items())
        raise EngagementError(
            f"Nobody of {campaign.frame} may be asked by the campaign {campaign.campaign}: {why or 'no people'}."
        )
    wanted = sample.size(campaign.sample, frame.people)
    asked = sample.allocate(campaign.sample, frame.people, wanted.invited)
    waves = _waves(campaign.waves.sizes, sum(asked.values()))
    margin = sample.margin(campaign.sample, frame.people, asked)
    return Plan(campaign, plan_hash, frame, asked, wanted.answers_needed, waves, margin)


def _waves(sizes: tuple[int, ...], invited: int) -> tuple[int, ...]:
    """Return how many each wave takes; the last one takes whoever is left."""
    found: list[int] = []
    for size in (*sizes, invited):
        taken = min(size, invited - sum(found))
        if taken:
            found.append(taken)
    return tuple(found)


@contextmanager
def _frame(session: Session, campaign: Campaign, seed: int) -> Iterator[Frame]:
    """Give the block the frame, with the people themselves in a scratch table."""
    _require_published(session, campaign)
    events.lock(session, _FRAME)  # there is one scratch table
    groups = campaign.sample.groups
    session.drop_table(_FRAME)
    session.create_table(
        _FRAME,
        "measure/find_frame",
        period=str(campaign.frame),
        campaign=campaign.campaign,
        groups=",".join(groups),
        asked_since=str(_months_before(clock.now(), campaign.sample.not_asked_for_months)),
        going_to_ask=",".join(_going_to_ask(session, campaign.campaign)),
        seed=str(seed),
    )
    people: dict[GroupCode, int] = dict.fromkeys(groups, 0)
    left_out: dict[str, Counter[str]] = {}
    for row in session.rows("measure/count_frame"):
        if row.left_out_for is None:
            people[row.group_code] = row.person_count
        else:
            left_out.setdefault(row.left_out_for, Counter())[row.group_code] = row.person_count
    yield Frame(people, left_out)
    session.drop_table(_FRAME)


def _going_to_ask(session: Session, but: str) -> list[str]:
    """Return the other campaigns whose plans have been neither refused nor ended."""
    names = [
        row.campaign for row in session.rows("measure/planned_campaigns") if row.campaign != but
    ]
    states = {name: events.state(session, name) for name in names}
    return [
        name
        for name, state in states.items()
        if state.decision in (None, "approved") and not state.is_closed
    ]


def _require_published(session: Session, campaign: Campaign) -> None:
    if session.one("model/published_extract", period=str(campaign.frame)) is None:
        raise EngagementError(
            f"The campaign {campaign.campaign} asks people of {campaign.frame}, of which nothing is published "
            "yet; run model_patrons for it first, or name another frame."
        )


def _months_before(instant: datetime, months: int) -> datetime:
    """Return the same day and time so many months before, or the last day where there is none."""
    count = instant.year * 12 + instant.month - 1 - months
    year, month = divmod(count, 12)
    for day in (instant.day, 30, 29, 28):
        try:
            return instant.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
