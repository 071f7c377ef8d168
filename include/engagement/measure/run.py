"""What the unattended runs do for every campaign; trouble with one holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from engagement import clock, sending, warehouse
from engagement.errors import EngagementError
from engagement.mail import MailServer, Verdict
from engagement.mailbox import Journal, Place
from engagement.measure import (
    answers,
    approval,
    bounce,
    campaign as campaigns,
    collect,
    events,
    figures,
    notices,
    plan,
    suppression,
    waves,
)
from engagement.measure.answers import limesurvey
from engagement.measure.answers.limesurvey import Server
from engagement.measure.campaign import Campaign
from engagement.measure.letters import Letters
from engagement.outbox import Batch
from engagement.sending import Compose
from engagement.settings import settings

_log = logging.getLogger(__name__)

_SURVEY = "survey"
_CONNECTIONS = 8  # each waits for the relay's answers most of the time
_LATE_ANSWERS = timedelta(days=30)
_SECONDS = 600.0  # of sending in one run; the next run goes on
Thing = TypeVar("Thing", bound=Hashable)
Result = TypeVar("Result")


def plan_all() -> None:
    """Plan each campaign that is new or changed.

    Raises:
        EngagementError: a campaign cannot be planned; the others are.
    """
    each(campaigns.names(), _plan)


def _plan(name: str) -> None:
    campaign = campaigns.load(name)
    if clock.now() > campaign.dates.approve_by:
        return  # whether the file still says what was approved is asked before anything is sent
    with warehouse.session() as session:
        if session.one("model/published_extract", period=str(campaign.frame)) is None:
            _log.info("%s waits until %s is published.", name, campaign.frame)
            return
    plan.make(name)


def unasked() -> list[str]:
    """Return the keys of the plans about which nobody was asked yet; a file that is broken hides no other."""
    with warehouse.session() as session:
        states = {name: events.state(session, name) for name in campaigns.names()}
    return [
        approval.key(name, state.plan_hash)
        for name, state in states.items()
        if state.plan_hash is not None and not state.is_asked and state.decision is None
    ]


def advance_all() -> dict[str, str]:
    """Do what is due of each campaign; return where each stands.

    Raises:
        EngagementError: something is wrong with a campaign, or the file of one that is not over was taken away;
            the others go on.
    """
    return each(names(), waves.advance)


def names() -> list[str]:
    """Return the names of all campaigns, in order: of the files, and of those that are open without one."""
    with warehouse.session() as session:
        open_ones = {row.campaign for row in session.rows("measure/open_campaigns")}
    return sorted({*campaigns.names(), *open_ones})


def send_all(server: MailServer, journal: Journal | None) -> int:
    """Send what is due of all campaigns; return how many mails went out.

    Raises:
        EngagementError: the mail server cannot be reached, the safety catch is on and has nowhere to send to,
            or a campaign's file is wrong or gone; the others' mails go out.
    """
    batches = []
    for purpose in (notices.NOTICE, notices.CANARY, _SURVEY):
        with warehouse.session() as session:
            rows = session.rows("outbox/open_batches", purpose=purpose, now=clock.now())
        batches += [Batch(purpose, row.ref) for row in rows]
    return sum(each(batches, partial(_send, server=server, journal=journal)).values())


def _send(batch: Batch, server: MailServer, journal: Journal | None) -> int:
    outcome = sending.dispatch(
        batch,
        server,
        _composer(batch.purpose, batch.ref, server),
        journal=journal,
        is_dead=bounce.is_dead,
        connections=_CONNECTIONS if batch.purpose == _SURVEY else 1,
        seconds=_SECONDS,
    )
    told = ", ".join(f"{n} {v.value}" for v, n in outcome.counts.items() if n)
    _log.info("%s: %s.", batch.ref, told)
    if outcome[Verdict.REFUSED]:
        with warehouse.session() as session:
            session.run("measure/suppress_refused", ref=batch.ref, now=clock.now())
    return outcome[Verdict.ACCEPTED]


def _composer(purpose: str, name: str, server: MailServer) -> Compose:
    campaign = campaigns.load(name)
    if purpose == notices.NOTICE:
        return partial(notices.compose, campaign, server=server)
    with warehouse.session() as session:
        plan.require_unchanged(campaign, events.state(session, name))
    return Letters(campaign).compose


def collect_all(place: Place) -> dict[str, int]:
    """Read the mailbox of bounces, and pause the domains that look broken; return mails by verdict.

    Raises:
        EngagementError: the mailbox cannot be read.
    """
    counts = collect.collect(place)
    each(campaigns.names(), lambda name: suppression.pause_domains(campaigns.load(name)))
    return dict(counts)


def import_all(server: Server | None) -> dict[str, int]:
    """Import the answers that librarians have put into their folder, and those of a LimeSurvey server.

    Args:
        server: the LimeSurvey server, if there is one; asked for the campaigns that name a survey_id.

    Raises:
        EngagementError: a file cannot be read, or the server refuses; the others are imported.
    """
    return each(campaigns.names(), partial(_imported, server=server))


def _imported(name: str, server: Server | None) -> int:
    campaign = campaigns.load(name)
    done = answers.import_folder(campaign, settings().answers_folder / name)
    if server is not None and campaign.survey_id is not None and _is_awaited(campaign):
        done.append(limesurvey.import_limesurvey(campaign, server, campaign.survey_id))
    if problems := [one.problem for one in done if one.problem]:
        raise EngagementError(" ".join(problems))
    return sum(one.new for one in done)


def _is_awaited(campaign: Campaign) -> bool:
    """Return whether answers may be on their way: late ones are counted for a while."""
    return campaign.dates.start <= clock.now() < campaign.dates.end + _LATE_ANSWERS


def count_all() -> None:
    """Count what became of the people whom each campaign asked."""
    each(campaigns.names(), figures.count)


def each(things: Iterable[Thing], do: Callable[[Thing], Result]) -> dict[Thing, Result]:
    """Do something with each thing; return thing -> its result.

    Raises:
        EngagementError: it cannot be done with one; it is done with the others.
    """
    done: dict[Thing, Result] = {}
    problems: dict[str, list[str]] = {}  # a mail server that is down is told once
    for thing in things:
        try:
            done[thing] = do(thing)
        except EngagementError as error:
            problems.setdefault(str(error), []).append(str(thing))
    if problems:
        raise EngagementError(" ".join(f"{', '.join(of)}: {said}" for said, of in problems.items()))
    return done
