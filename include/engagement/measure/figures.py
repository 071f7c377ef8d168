"""What a campaign's figures are, and what they say about everybody who may be written to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from statistics import NormalDist
from typing import Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.groups import GroupCode
from engagement.measure import answers, campaign as campaigns, events
from engagement.measure.answers import Kind
from engagement.measure.campaign import Campaign
from engagement.settings import settings

_CONFIDENCE = 0.95
_PERCENTAGE_BASE = 30  # below it a percentage says less than the count


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
        return self.answered / self.invited if self.invited >= _PERCENTAGE_BASE else None

    @property
    def response_rate_delivered(self) -> float | None:
        """Answered of delivered; None below a base of 30."""
        return self.answered / self.delivered if self.delivered >= _PERCENTAGE_BASE else None


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
        by_group = {
            row.group_code: _counts(row)
            for row in session.rows("measure/campaign_groups", campaign=name)
        }
        if not by_group:
            raise EngagementError(
                f"Nothing was counted of the campaign {name} yet; it is planned by measure_dispatch and counted by "
                "measure_collect."
            )
        found: dict[str, dict[str, int]] = {}
        for row in session.rows("measure/campaign_answers", campaign=name):
            found.setdefault(row.question_code, {})[row.option_code] = row.response_count
        drawn_at = events.state(session, name).planned_at
        assert drawn_at is not None  # noqa: S101 - who was counted was drawn
    return Figures(
        name,
        str(campaign.frame),
        total(list(by_group.values())),
        by_group,
        answers.counts(name),
        found,
        _reachable(campaign, drawn_at, list(by_group.values())),
    )


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


def _reachable(
    campaign: Campaign, drawn_at: datetime, groups: Sequence[Counts]
) -> Reachable | None:
    estimated = estimate(groups)
    if estimated is None:
        return None
    of = total([group for group in groups if group.sampled])
    day = drawn_at.astimezone(settings().zone).date()
    return Reachable(str(campaign.frame), day, of.frame, *estimated, of.sampled)


def estimate(groups: Sequence[Counts]) -> tuple[float, float, float] | None:
    """Return the share of the frame that mail reaches, and its interval at 95 %; None while nothing is measured.

    A stratified random sample: the groups' shares, weighted with their size in the frame; variance with
    finite population correction (Cochran, Sampling Techniques, 1977, 5.6). The interval is Wilson's at the
    effective size of the sample (Korn and Graubard 1998), so that it never leaves 0 to 1. What our own relay
    refused, or may not have sent, says nothing about an address and is not in the sample. That some do not
    read their mail is not in the interval.
    """
    sampled = [group for group in groups if group.sampled]
    frame = sum(group.frame for group in sampled)
    if not frame:
        return None
    share = sum(group.frame / frame * group.delivered / group.sampled for group in sampled)
    variance = sum(_variance(group, frame) for group in sampled)
    size = sum(group.sampled for group in sampled)
    if size >= frame:
        return share, share, share  # nothing is estimated
    # Where all or none arrived, the groups' variances say nothing.
    effective = share * (1 - share) / variance if variance else size / (1 - size / frame)
    return share, *_wilson(share, effective)


def _variance(group: Counts, frame: int) -> float:
    share = group.delivered / group.sampled
    not_sampled = max(1 - group.sampled / group.frame, 0.0)
    spread = share * (1 - share) / max(group.sampled - 1, 1)
    return (group.frame / frame) ** 2 * not_sampled * spread


def _wilson(share: float, size: float) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * math.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)
