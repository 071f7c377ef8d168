"""A campaign's figures say what became of everybody, and what that says of those who were not asked."""

from pathlib import Path
from typing import Any

import pytest
from survey import (
    MailWorld,
    Refusing,
    answer,
    approve,
    counted,
    deliver,
    open_wave,
    publish_people,
    suppressed,
    use_campaigns,
    write_answers,
    write_campaign,
)

from engagement.measure import answers, campaign as campaigns, collect, figures, run
from engagement.measure.figures import Counts


def test_the_figures_say_what_became_of_everybody(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any, tmp_path: Path
) -> None:
    for number, (_, mail_token, email, _) in enumerate(sent[:25]):
        said = "550 5.1.1 User unknown" if number < 20 else "552 5.2.2 Mailbox full"
        deliver(
            mails,
            f"bounces+{mail_token}@bounce.kku.example.com",
            "Undelivered Mail Returned to Sender",
            f"<{email}>: {said}",
            sender="MAILER-DAEMON@mx.example.com",
        )
    clock.at(2018, 7, 20)
    collect.collect(mails.bounces)
    rows = [answer(token) for token, *_ in sent[25:55]]
    late = answer(sent[60][0], ประทับเวลา="19/7/2018, 12:00:00")
    twice = answer(sent[25][0], ประทับเวลา="11/7/2018, 12:00:00")
    path = write_answers(tmp_path / "a.csv", *rows, late, twice, answer(""), answer("k" + "0" * 32))
    answers.import_file(campaigns.load("july"), path)
    found = counted()
    assert found == Counts(100, 100, 100, 20, 5, 0, 75, 0, 30, 100)
    assert found.response_rate == 0.30
    assert found.response_rate_delivered == 0.40
    read = figures.read("july")
    assert read.responses == {
        "counted": 30,
        "late": 1,
        "doubled": 1,
        "tokenless": 1,
        "unknown token": 1,
    }
    assert read.answers["time_slot"] == {"16-20": 30}
    assert read.reachable is not None
    assert read.reachable.share == pytest.approx(0.75)
    assert read.reachable.low == read.reachable.high == pytest.approx(0.75)  # everybody was asked


def test_the_dead_are_taken_off_once_from_those_who_might_have_been_asked(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any
) -> None:
    for _, mail_token, email, _ in sent[:50]:
        deliver(
            mails,
            f"bounces+{mail_token}@bounce.kku.example.com",
            "Undelivered Mail Returned to Sender",
            f"<{email}>: 550 5.1.1 User unknown",
            sender="MAILER-DAEMON@mx.example.com",
        )
    clock.at(2018, 7, 10, 10)
    collect.collect(mails.bounces)
    assert suppressed(store) == {"hard_bounce": 50}
    figures.count("july")
    assert figures.read("july").as_json()["reachable"] == {
        "period": "2018-06",
        "drawn_date": "2018-07-02",
        "frame": 100,
        "share": pytest.approx(0.5),
        "low": pytest.approx(0.5),
        "high": pytest.approx(0.5),
        "sampled": 100,
        "people": 50,
        "people_low": 50,
        "people_high": 50,
    }


def test_who_is_reachable_is_not_measured_before_the_bounces_had_time_to_come_and_were_read(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any
) -> None:
    def is_measured() -> bool:
        figures.count("july")
        return figures.read("july").reachable is not None

    assert not is_measured()
    collect.collect(mails.bounces)
    assert not is_measured()
    clock.at(2018, 7, 10, 10)
    assert not is_measured()
    store.do(
        "UPDATE core.message SET state = 'queued' WHERE recipient_key = (SELECT max(recipient_key) FROM core.message)"
    )
    collect.collect(mails.bounces)
    assert not is_measured()
    store.do("UPDATE core.message SET state = 'sent' WHERE state = 'queued'")
    assert is_measured()


def test_who_is_reachable_is_not_measured_while_bounces_do_not_reach_the_mailbox(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> None:
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 300})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"))
    del mails.fates["nobody@kku.example.com"]
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    run.send_all(mails.server, None)
    clock.at(2018, 7, 10, 10)
    collect.collect(mails.bounces)
    assert counted().sampled == 0
    assert figures.read("july").reachable is None


def test_what_our_own_relay_refuses_says_nothing_about_who_is_reachable(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld, listen: Any
) -> None:
    def reply(recipient: str) -> str | None:
        number = int(recipient.partition("@")[0].removeprefix("person-"))
        if number <= 40:
            return "554 5.7.1 Relay access denied"
        return "550 5.1.1 User unknown" if number <= 60 else None

    open_wave(world, clock, store, tmp_path, {"staff": 100})
    relay = listen(Refusing(reply))
    run.send_all(relay, None)
    clock.at(2018, 7, 13, 10)
    run.send_all(relay, None)  # those that it refuses are given up
    collect.collect(mails.bounces)
    found = counted()
    assert (found.invited, found.delivered, found.sampled) == (100, 40, 60)
    reach = figures.read("july").reachable
    assert reach is not None
    assert reach.share == pytest.approx(2 / 3)
    assert reach.low < reach.share < reach.high


def test_a_mail_refused_at_once_for_a_dead_address_is_a_hard_bounce(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, listen: Any
) -> None:
    replies = {
        "person-1": "550 5.1.1 User unknown",
        "person-2": "550 5.7.1 Message rejected as spam",
    }
    open_wave(world, clock, store, tmp_path, {"staff": 9})
    relay = listen(Refusing(lambda recipient: replies.get(recipient.partition("@")[0])))
    run.send_all(relay, None)
    assert suppressed(store) == {"hard_bounce": 1}
    found = counted()
    assert (found.invited, found.sent, found.hard_bounced, found.soft_bounced) == (8, 7, 1, 0)


@pytest.mark.parametrize(("base", "share"), [(29, None), (30, 0.5)])
def test_a_rate_needs_a_base_of_thirty(base: int, share: float | None) -> None:
    counts = Counts(100, base, base, 0, 0, 0, base, 0, 15, base)
    assert (counts.response_rate, counts.response_rate_delivered) == (share, share)
