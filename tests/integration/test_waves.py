"""A survey goes out in waves: after a yes, and only while what comes back is good news."""

import email
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from survey import (
    MailWorld,
    approve,
    planned_key,
    publish_people,
    quarter_of_an_hour,
    use_campaigns,
    write_campaign,
)

from engagement import outbox, warehouse
from engagement.errors import EngagementError
from engagement.measure import approval, collect, events, run
from engagement.settings import settings


@pytest.fixture(autouse=True)
def planned(world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path) -> None:
    """A thousand people of June, of whom 200 are to be asked in two waves; it is the second of July."""
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 300, "undergraduate": 600, "international": 100})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"))


def test_nothing_goes_out_before_somebody_named_said_yes(mails: MailWorld, clock: Any) -> None:
    assert quarter_of_an_hour(mails) == "It waits for an approver until 2018-07-08 18:00."
    clock.at(2018, 7, 9, 9)
    assert quarter_of_an_hour(mails) == "Nobody approved it in time: nothing is sent."
    assert mails.count("journal") == 0


def test_a_no_is_a_no(mails: MailWorld, clock: Any) -> None:
    name, plan_hash = planned_key()
    assert approval.decide(name, plan_hash, is_approved=False, by="anna") == "rejected"
    assert approval.decide(name, plan_hash, is_approved=True, by="anna") == "rejected"
    clock.at(2018, 7, 9, 9)
    assert quarter_of_an_hour(mails) == "Its plan was rejected: nothing is sent."
    assert mails.count("journal") == 0


def test_who_is_not_named_cannot_approve(mails: MailWorld) -> None:
    plan = planned_key()
    with pytest.raises(EngagementError, match="bob is none of the approvers"):
        approval.decide(*plan, is_approved=True, by="bob")


def test_a_question_that_a_newer_one_has_replaced_takes_no_yes_and_runs_out_in_peace(
    mails: MailWorld, tmp_path: Path
) -> None:
    older = planned_key()
    write_campaign(tmp_path / "campaigns", waves__hard_bounce_limit=0.9)
    newer = planned_key()
    with pytest.raises(EngagementError, match="july has another plan by now"):
        approval.decide(*older, is_approved=True, by="anna")
    assert approval.decide(*older, is_approved=False, by=None) == "expired"
    assert approval.decide(*newer, is_approved=True, by="anna") == "approved"


def test_a_changed_plan_needs_a_new_yes(mails: MailWorld, clock: Any, tmp_path: Path) -> None:
    approve()
    write_campaign(tmp_path / "campaigns", waves__hard_bounce_limit=0.9)
    assert quarter_of_an_hour(mails) == "It waits for an approver until 2018-07-08 18:00."


def test_the_approver_reads_whom_what_and_the_limits(mails: MailWorld) -> None:
    asked = approval.request(*planned_key())
    assert run.unasked() == []
    assert asked.approvers == ("anna",)
    for words in (
        "200 คน",
        "| บุคลากร | 300 | 60 |",
        "ขอเชิญตอบแบบสำรวจ",
        "Please answer our survey",
        "ร้อยละ 10",
    ):
        assert words in asked.body
    assert "person-" not in asked.body
    assert asked.body.index("| บุคลากร") < asked.body.index("| นักศึกษาระดับปริญญาตรี")
    assert asked.body.index("ขอเชิญตอบแบบสำรวจ") < asked.body.index("Please answer our survey")


def test_the_rest_follows_when_the_first_wave_was_good_news(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    mails.kill(store, 9)
    assert quarter_of_an_hour(mails) == "It is approved and starts at 2018-07-09 08:00."
    clock.at(2018, 7, 9, 9)
    assert quarter_of_an_hour(mails) == "Wave 1 of 2 is opened: 100 mails."
    assert (mails.count("people"), mails.count("bounces")) == (91, 10)  # nine, and the canary's
    assert "bounces are waited for until 2018-07-10 09:00" in quarter_of_an_hour(mails)
    clock.at(2018, 7, 10, 10)
    assert "the mailbox of bounces was not read since" in run.advance_all()["july"]
    collect.collect(mails.bounces)
    assert quarter_of_an_hour(mails) == "Wave 2 of 2 is opened: 100 mails."
    assert mails.count("people") == 191
    assert quarter_of_an_hour(mails) == "Its mails have been handed out; answers are waited for."
    assert store.value("SELECT count(*) FROM core.suppression WHERE kind = 'hard_bounce'") == 9


def test_it_stops_by_itself_when_too_many_bounce_and_a_person_lets_it_go_on(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    mails.kill(store, 10)
    clock.at(2018, 7, 9, 9)
    quarter_of_an_hour(mails)
    said = quarter_of_an_hour(mails)
    assert said == "It is stopped: 10 of 100 mails bounced for good (10.0%), the limit is 10%."
    clock.at(2018, 7, 11)
    collect.collect(mails.bounces)
    assert quarter_of_an_hour(mails) == said
    notice = (mails.folder / "01.eml").read_text()
    assert "owner@library.example.com" in notice
    with warehouse.session() as session:
        events.add(session, "july", "resumed", plan_hash=None, actor="anna", note="looked at it")
    assert quarter_of_an_hour(mails) == "Wave 2 of 2 is opened: 100 mails."


def test_without_the_canarys_bounce_the_rest_is_held_back(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    mails.fates.clear()
    clock.at(2018, 7, 9, 9)
    quarter_of_an_hour(mails)
    clock.at(2018, 7, 10, 10)
    collect.collect(mails.bounces)
    assert "the mail to nobody@kku.example.com has not bounced" in quarter_of_an_hour(mails)
    assert mails.count("people") == 101


def test_mails_stopped_by_a_person_wait_and_go_out_after(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    assert outbox.stop("anna", "the relay's list is wrong")
    run.send_all(mails.server, None)
    assert mails.count("journal") == 0
    assert outbox.start("anna")
    run.send_all(mails.server, None)
    assert mails.count("people") == 100
    run.send_all(mails.server, None)
    assert mails.count("people") == 100


def test_who_said_no_a_moment_ago_is_left_out_at_the_claim(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    store.do(
        "INSERT INTO core.suppression_event (patron_key, kind, event_at, recorded_at) "
        "SELECT person_key, 'opt_out', now(), now() FROM core.invitation WHERE wave = 1 LIMIT 3"
    )
    run.send_all(mails.server, None)
    assert mails.count("people") == 97
    assert store.do(
        "SELECT withdrawn_for, count(*) FROM core.message WHERE state = 'withdrawn' GROUP BY 1"
    ) == [("suppressed", 3)]


def test_a_mail_that_only_reached_the_catch_all_address_can_do_nothing_in_its_recipients_name(
    mails: MailWorld, clock: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    world.setenv("ENGAGEMENT_MAIL", "caught")
    world.setenv("ENGAGEMENT_MAIL_CATCH_ALL", "engineer@library.example.com")
    settings.cache_clear()
    run.send_all(mails.server, None)
    tokens = [
        token
        for pair in store.do(
            "SELECT m.token, t.token FROM core.message AS m, pii.survey_token AS t"
        )
        for token in pair
    ]
    kept = list((mails.folder / "people" / "new").iterdir())
    assert len(kept) == 101
    for path in kept[:10]:
        mail = email.message_from_bytes(path.read_bytes(), policy=default)
        assert mail["To"] == "engineer@library.example.com"
        assert "[catch-all]" in mail["Subject"]
        said = str(mail["List-Unsubscribe"]) + "".join(
            part.get_content() for part in mail.iter_parts()
        )
        assert not any(token in said for token in tokens)
