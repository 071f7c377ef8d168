"""What approvers are shown, and what is written down of their answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.groups import GROUPS
from engagement.labels import Language, labels
from engagement.measure import campaign as campaigns, events, letters
from engagement.measure.campaign import Campaign
from engagement.measure.events import Kind, State
from engagement.measure.letters import INVITE, REMINDER

# Why people of the frame are left out, as the approver reads it.
_LEFT_OUT = {
    "suppressed": "อีเมลใช้ไม่ได้หรือไม่ประสงค์รับ",
    "other group": "กลุ่มที่ไม่ได้สำรวจ",
    "asked lately": "เพิ่งได้รับแบบสำรวจอื่น",
    "shared address": "ใช้อีเมลร่วมกับผู้อื่น",
}
_LETTERS: dict[Language, str] = {"th": "ภาษาไทย", "en": "ภาษาอังกฤษ"}


@dataclass(frozen=True)
class Request:
    """What an approver is asked: a headline, the particulars in Markdown, who may answer, and how long."""

    subject: str
    body: str
    approvers: tuple[str, ...]
    time_left: timedelta


def key(campaign: str, plan_hash: str) -> str:
    """Return what the one run of a plan's approval is known by."""
    return f"{campaign}:{plan_hash}"


def parsed(key: str) -> tuple[str, str]:
    """Return campaign and plan of such a key.

    Raises:
        EngagementError: it is none.
    """
    campaign, colon, plan_hash = key.partition(":")
    if not (campaign and colon and plan_hash):
        raise EngagementError(
            f"{key!r} names no plan; measure_dispatch starts this by itself when a campaign is planned."
        )
    return campaign, plan_hash


def request(name: str, plan_hash: str) -> Request:
    """Return what the approvers of a plan are asked, and write down that they were.

    Raises:
        EngagementError: the plan is no longer the campaign's, was decided about, or its time is over.
    """
    campaign = campaigns.load(name)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        _require_undecided(campaign, state, plan_hash)
        events.add(session, name, "asked", plan_hash=plan_hash)
    return Request(
        f"อนุมัติการส่งแบบสำรวจ: {campaign.title.th}",
        _body(campaign, state),
        campaign.approvers,
        campaign.dates.approve_by - clock.now(),
    )


def decide(name: str, plan_hash: str, *, is_approved: bool, by: str | None) -> Kind:
    """Write down what was decided about a plan; return it. Deciding again changes nothing.

    Args:
        name: the campaign.
        plan_hash: the plan that the approver saw.
        is_approved: what he said.
        by: his login name; None where nobody answered.

    Raises:
        EngagementError: the plan is no longer the campaign's, or he is none of its approvers.
    """
    campaign = campaigns.load(name)
    with warehouse.session() as session:
        events.lock(session, name)
        state = events.state(session, name)
        if state.plan_hash == plan_hash and state.decision is not None:
            return state.decision
        if state.plan_hash != plan_hash and by is None:
            return "expired"  # nobody missed a question that a newer one has replaced
        _require_plan(campaign, state, plan_hash)
        if by is None or clock.now() > campaign.dates.approve_by:
            kind: Kind = "expired"
        elif by not in campaign.approvers:
            raise EngagementError(f"{by} is none of the approvers that {name}.yaml names.")
        else:
            kind = "approved" if is_approved else "rejected"
        events.add(session, name, kind, plan_hash=plan_hash, actor=by)
    return kind


def _require_undecided(campaign: Campaign, state: State, plan_hash: str) -> None:
    _require_plan(campaign, state, plan_hash)
    if state.decision is not None:
        raise EngagementError(
            f"The plan of {campaign.campaign} was {state.decision} already; a changed file makes a new plan."
        )
    if clock.now() > campaign.dates.approve_by:
        raise EngagementError(
            f"The plan of {campaign.campaign} was to be approved by "
            f"{campaign.dates.approve_by:%Y-%m-%d %H:%M}, which is over."
        )


def _require_plan(campaign: Campaign, state: State, plan_hash: str) -> None:
    if state.plan_hash != plan_hash:
        raise EngagementError(
            f"The campaign {campaign.campaign} has another plan by now; decide about that one, in its own run."
        )


def _body(campaign: Campaign, state: State) -> str:
    written = letters.Letters(campaign)
    groups = [group for group in GROUPS if group in state.plan["asked"]]  # JSON keeps no order
    spoken = {campaign.languages.of(group) for group in groups}
    used = [language for language in _LETTERS if language in spoken]
    steps = [INVITE, *([f"{REMINDER}1"] if campaign.dates.reminders else [])]
    shown = [
        {
            "title": f"{'อีเมลเชิญ' if step == INVITE else 'อีเมลเตือน'} ({_LETTERS[language]})",
            "subject": (specimen := written.specimen(step, language)).subject,
            "text": specimen.text,
        }
        for step in steps
        for language in used
    ]
    return (
        letters.templates()
        .get_template("approval.md.j2")
        .render(
            campaign=campaign,
            plan=SimpleNamespace(**state.plan),
            groups=groups,
            plan_hash=state.plan_hash,
            people=sum(state.plan["people"].values()),
            labels=labels(),
            reasons=_LEFT_OUT,
            letters=shown,
        )
    )
