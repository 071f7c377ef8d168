"""What a campaign's figures are, and what they say about everybody who may be written to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from statistics import NormalDist
from typing import Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.groups import GroupCode
from engagement.measure import answers, campaign as campaigns, events
from engagement.measure.answers import Kind
from engagement.measure.events import State
from engagement.settings import settings
from engagement.warehouse import Session

_CONFIDENCE = 0.95
PERCENTAGE_BASE = 30  # below it a percentage says less than the count


@dataclass(frozen=True)
class Counts:
    """What became of the people whom a campaign asked, in people.

    Attributes:
        frame: how many might have been asked.
        invited: to whom an invitation was sent, or tried to be.
        sent: whose invitation the relay took.
        hard_bounced: whose address is dead.
        soft_bounced: whose invitation came back for another reason.
        uncertain: whose invitation may or may not have gone out.
        delivered: whose invitation was taken and did not come back.
        opted_out: who wants no more mail.
        answered: who answered, once and in time, with the own link.
        sampled: of whose invitation it is known whether it arrived: it left our relay, or the address is dead. 0
            while bounces may still come.
    """

    frame: int
    invited: int
    sent: int
    hard_bounced: int
    soft_bounced: int
    uncertain: int
    delivered: int
    opted_out: int
    answered: int
    sampled: int

    @property
    def response_rate(self) -> float | None:
        """Answered of invited: AAPOR RR1, bounces being of unknown eligibility; None below a base of 30."""
        return self.answered / self.invited if self.invited >= PERCENTAGE_BASE else None

    @property
    def response_rate_delivered(self) -> float | None:
        """Answered of delivered; None below a base of 30."""
        return self.answered / self.delivered if self.delivered >= PERCENTAGE_BASE else None


@dataclass(frozen=True)
class Reachable:
    """How many of those who might have been asked a mail would have reached, estimated from the sample.

    It holds for the day of the draw: whom the campaign's own bounces suppress since then is among them.

    Attributes:
        period: the published period whose people are meant.
        drawn_date: when the sample was drawn of them.
        frame: how many they were then, in people, of the groups that were asked.
        share: the estimated share whose address works.
        low: the lower end of its interval at 95 %.
        high: the upper end.
        sampled: the size of the sample that it rests on, in people.
    """

    period: str
    drawn_date: date
    frame: int
    share: float
    low: float
    high: float
    sampled: int

    @property
    def people(self) -> tuple[int, int, int]:
        """The estimate and its interval in people."""
        low, share, high = (round(part * self.frame) for part in (self.low, self.share, self.high))
        return share, low, high


@dataclass(frozen=True)
class Stratum:
    """A group of a stratified random sample: of so many people so many were drawn, and so many of these are hits."""

    people: float
    sampled: int
    hits: int


@dataclass(frozen=True)
class Figures:
    """All figures of a campaign."""

    campaign: str
    frame: str
    counts: Counts
    by_group: Mapping[GroupCode, Counts]
    responses: Mapping[Kind, int]
    answers: Mapping[str, Mapping[str, int]]
    reachable: Reachable | None

    def as_json(self) -> dict[str, Any]:
        """Return the figures for `--json`; rates are shares of 1."""
        reach = self.reachable
        return {
            "campaign": self.campaign,
            "period": self.frame,
            **asdict(self.counts),
            "response_rate": self.counts.response_rate,
            "response_rate_delivered": self.counts.response_rate_delivered,
            "by_group": {group: asdict(counts) for group, counts in self.by_group.items()},
            "responses": dict(self.responses),
            "answers": {question: dict(counts) for question, counts in self.answers.items()},
            "reachable": reach
            and asdict(reach)
            | {"drawn_date": str(reach.drawn_date)}
            | dict(zip(("people", "people_low", "people_high"), reach.people, strict=True)),
        }


def count(name: str) -> None:
    """Count what became of a campaign's people, and keep it in mart; what was counted outlives the people.

    Raises:
        EngagementError: the campaign's file is wrong.
    """
    with warehouse.session() as session:
        events.lock(session, name)
        if not session.scalar("measure/has_invitations", campaign=name):
            return
        people = events.state(session, name).plan.get("people", {})
        now = clock.now()
        session.run("measure/forget_campaign_groups", campaign=name)
        session.run(
            "measure/count_campaign_groups",
            campaign=name,
            groups=list(people),
            frame_counts=list(people.values()),
            wait=campaigns.load(name).waves.wait,
            now=now,
        )
        session.run("measure/forget_campaign_answers", campaign=name)
        session.run("measure/count_campaign_answers", campaign=name, now=now)


def read(name: str) -> Figures:
    """Return a campaign's figures as they were counted last.

    Raises:
        EngagementError: there is no such campaign, or nothing was counted yet.
    """
    campaign = campaigns.load(name)
    with warehouse.session() as session:
        by_group = counted(session, name)
        if not by_group:
            raise EngagementError(
                f"Nothing was counted of the campaign {name} yet; it is planned by measure_dispatch and counted by "
                "measure_collect."
            )
        found: dict[str, dict[str, int]] = {}
        for row in session.rows("measure/campaign_answers", campaign=name):
            found.setdefault(row.question_code, {})[row.option_code] = row.response_count
        state = events.state(session, name)
    return Figures(
        name,
        str(campaign.frame),
        total(list(by_group.values())),
        by_group,
        answers.counts(name),
        found,
        reachable(state, list(by_group.values())),
    )


def counted(session: Session, name: str) -> dict[GroupCode, Counts]:
    """Return what a campaign's figures were by group when they were counted last; empty before they were."""
    rows = session.rows("measure/campaign_groups", campaign=name)
    return {row.group_code: _counts(row) for row in rows}


def _counts(row: Any) -> Counts:
    return Counts(
        row.frame_count,
        row.invited_count,
        row.sent_count,
        row.hard_bounced_count,
        row.soft_bounced_count,
        row.uncertain_count,
        row.delivered_count,
        row.opted_out_count,
        row.answered_count,
        row.sampled_count,
    )


def total(counts: Sequence[Counts]) -> Counts:
    """Return the sum of several groups."""
    return Counts(
        *(sum(parts) for parts in zip(*(vars(one).values() for one in counts), strict=True))
    )


def reachable(state: State, groups: Sequence[Counts]) -> Reachable | None:
    """Return how many of its frame a campaign's sample says that mail reaches; None while nothing is measured.

    What our own relay refused, or may not have sent, says nothing about an address and is not in the sample.
    That some do not read their mail is not in the interval.

    Args:
        state: of a campaign that was planned.
        groups: its figures.
    """
    estimated = estimate([Stratum(one.frame, one.sampled, one.delivered) for one in groups])
    if estimated is None:
        return None
    assert state.planned_at is not None  # noqa: S101 - who was counted was drawn
    of = total([group for group in groups if group.sampled])
    day = state.planned_at.astimezone(settings().zone).date()
    return Reachable(state.plan["frame"], day, of.frame, *estimated, of.sampled)


def estimate(strata: Sequence[Stratum]) -> tuple[float, float, float] | None:
    """Return what share of all a stratified random sample says to be hits, and its interval at 95 %.

    It is None where nobody is in the sample; strata of which nobody is are left out. The strata's shares are
    weighted with their size; variance with finite population correction (Cochran, Sampling Techniques, 1977,
    5.6). The interval is Wilson's at the effective size of the sample (Korn and Graubard 1998), so that it
    never leaves 0 to 1.
    """
    sampled = [stratum for stratum in strata if stratum.sampled]
    people = sum(stratum.people for stratum in sampled)
    if not people:
        return None
    share = sum(one.people / people * one.hits / one.sampled for one in sampled)
    variance = sum(_variance(stratum, people) for stratum in sampled)
    size = sum(stratum.sampled for stratum in sampled)
    if size >= people:
        return share, share, share  # nothing is estimated
    # Where all or none are hits, the strata's variances say nothing.
    effective = share * (1 - share) / variance if variance else size / (1 - size / people)
    return share, *_wilson(share, effective)


def _variance(stratum: Stratum, people: float) -> float:
    share = stratum.hits / stratum.sampled
    not_sampled = max(1 - stratum.sampled / stratum.people, 0.0)
    spread = share * (1 - share) / max(stratum.sampled - 1, 1)
    return (stratum.people / people) ** 2 * not_sampled * spread


def _wilson(share: float, size: float) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * math.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)
