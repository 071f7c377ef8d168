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
from typer.testing import CliRunner

from engagement import cli, outbox
from engagement.demo.postbox import Fate
from engagement.errors import EngagementError
from engagement.measure import approval, collect, run, waves
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


def test_where_it_stands_says_what_it_waits_for_as_the_run_does(
    mails: MailWorld, clock: Any
) -> None:
    approve()
    opened = "It is approved; {} of 2 waves and 0 reminders are opened. {}"
    assert waves.stands("july") == opened.format(0, "It starts at 2018-07-09 08:00.")
    clock.at(2018, 7, 9, 9)
    assert waves.stands("july") == opened.format(0, "").rstrip()
    quarter_of_an_hour(mails)
    waits = "After wave 1 the rest is held back: bounces are waited for until 2018-07-10 09:00."
    assert quarter_of_an_hour(mails) == waits
    assert waves.stands("july") == opened.format(1, waits)
    clock.at(2018, 7, 10, 10)
    collect.collect(mails.bounces)
    assert waves.stands("july") == opened.format(1, "").rstrip()
    quarter_of_an_hour(mails)
    said = quarter_of_an_hour(mails)
    assert waves.stands("july") == opened.format(2, said)


def test_what_will_never_be_planned_says_so(clock: Any) -> None:
    assert waves.stands("july") == "It is not planned yet."
    clock.at(2018, 7, 8, 19)
    said = "It was to be approved by 2018-07-08 18:00 and was never planned: nothing will be sent; set later dates."
    assert waves.stands("july") == said
    assert run.advance_all()["july"] == said


def test_a_campaign_whose_file_is_broken_or_gone_hides_no_other_from_whoever_asks_where_all_stand(
    mails: MailWorld, tmp_path: Path
) -> None:
    folder = tmp_path / "campaigns"
    write_campaign(folder, campaign="gone", sample={"size": 200, "not_asked_for_months": 0})
    run.plan_all()
    (folder / "gone.yaml").unlink()
    (folder / "broken.yaml").write_text("campaign: [")
    asked = CliRunner().invoke(cli.app, ["campaign", "status"])
    assert asked.output == "july: It waits for an approver.\n"
    assert asked.exit_code == 1
    assert isinstance(asked.exception, EngagementError)
    assert "broken.yaml is no valid YAML" in str(asked.exception)
    assert "gone: There is no campaign 'gone'" in str(asked.exception)


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
    waves.resume("july", "anna", "looked at it")
    assert quarter_of_an_hour(mails) == "Wave 2 of 2 is opened: 100 mails."


def test_the_limit_holds_too_where_few_of_the_first_wave_were_left_to_be_asked(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    mails.kill(store, 100)
    store.do(
        "INSERT INTO core.suppression_event (patron_key, kind, event_at, recorded_at) "
        "SELECT person_key, 'opt_out', now(), now() FROM core.invitation WHERE wave = 1 LIMIT 10"
    )
    clock.at(2018, 7, 9, 9)
    quarter_of_an_hour(mails)
    clock.at(2018, 7, 10, 10)
    collect.collect(mails.bounces)
    assert quarter_of_an_hour(mails).startswith("It is stopped: 90 of 90 mails bounced for good")


def test_who_lets_a_campaign_go_on_before_anything_bounced_has_accepted_nothing(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    mails.kill(store, 100)
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    waves.stop("july", "anna", "a typo?")
    waves.resume("july", "anna", "none")
    quarter_of_an_hour(mails)
    assert quarter_of_an_hour(mails).startswith("It is stopped: 100 of 100 mails bounced for good")


def test_who_lets_a_campaign_go_on_accepts_what_has_bounced_and_not_what_follows(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    mails.kill(store, 10)
    mails.kill(store, 60, wave=2)
    clock.at(2018, 7, 9, 9)
    quarter_of_an_hour(mails)
    quarter_of_an_hour(mails)
    waves.resume("july", "anna", "known addresses")
    clock.at(2018, 7, 11)
    collect.collect(mails.bounces)
    assert quarter_of_an_hour(mails) == "Wave 2 of 2 is opened: 100 mails."
    said = quarter_of_an_hour(mails)
    assert said == "It is stopped: 70 of 200 mails bounced for good (35.0%), the limit is 20%."


def test_a_person_who_stops_a_campaign_has_its_owner_told(
    mails: MailWorld, clock: Any, store: Any
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    waves.stop("july", "anna", "a wrong link")
    run.send_all(mails.server, None)
    mail = email.message_from_bytes((mails.folder / "01.eml").read_bytes(), policy=default)
    assert mail["To"] == "owner@library.example.com"
    assert "a wrong link" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize("content", ["campaign: [", None])
def test_a_campaign_whose_file_is_broken_or_gone_can_be_stopped(
    mails: MailWorld, clock: Any, store: Any, tmp_path: Path, caplog: Any, content: str | None
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    path = tmp_path / "campaigns" / "july.yaml"
    good = path.read_text(encoding="utf-8")
    path.unlink()
    if content is not None:
        path.write_text(content)
    waves.stop("july", "anna", "a wrong link")
    assert "july is stopped, but its owner is not told: " in caplog.text
    path.write_text(good, encoding="utf-8")
    run.send_all(mails.server, None)
    assert mails.count("people") == 0
    assert invitations(store) == {"queued": 100}
    assert waves.stands("july") == "It is stopped: a wrong link"


def test_what_was_never_a_campaign_cannot_be_stopped(mails: MailWorld) -> None:
    with pytest.raises(EngagementError, match="The campaign mayhem does not run"):
        waves.stop("mayhem", "anna", "a typo")


@pytest.mark.parametrize(
    "command",
    [["mail", "stop"], *(["campaign", verb, "july"] for verb in ("stop", "resume", "requeue"))],
    ids=" ".join,
)
def test_whoever_stops_mail_or_lets_it_go_on_says_why(
    mails: MailWorld, clock: Any, store: Any, command: list[str]
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    asked = CliRunner().invoke(cli.app, [*command, "--reason", " "])
    assert "Say why with --reason" in str(asked.exception)
    run.send_all(mails.server, None)
    assert mails.count("people") == 100


def test_a_campaign_whose_file_was_changed_or_lost_holds_up_no_other(
    mails: MailWorld, clock: Any, store: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "campaigns"
    write_campaign(folder, campaign="zulu", sample={"size": 200, "not_asked_for_months": 0})
    write_campaign(folder, campaign="mike", sample={"size": 200, "not_asked_for_months": 0})
    run.plan_all()
    for key in run.unasked():
        approval.decide(*approval.parsed(key), is_approved=True, by="anna")
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    write_campaign(folder, owner="other@library.example.com")
    (folder / "mike.yaml").unlink()
    with pytest.raises(
        EngagementError, match=r"survey july: .*was changed.*survey mike: There is no"
    ):
        run.send_all(mails.server, None)
    assert store.do(
        "SELECT ref, count(*) FROM core.message WHERE purpose = 'survey' AND state = 'sent' GROUP BY 1"
    ) == [("zulu", 100)]
    with pytest.raises(EngagementError, match="mike"):  # nobody forgets that it is open
        run.advance_all()


class Relay:
    """A relay that answers as it is told to, to each recipient, sender or text."""

    def __init__(self, **replies: str) -> None:
        self._replies = replies

    async def handle_MAIL(self, *_: Any) -> str:
        return self._say("MAIL", _[2], _[3], "mail_from")

    async def handle_RCPT(self, *_: Any) -> str:
        return self._say("RCPT", _[2], _[3], "rcpt_tos")

    async def handle_DATA(self, *_: Any) -> str:
        return self._replies.get("DATA", "250 kept")

    def _say(self, command: str, envelope: Any, address: str, place: str) -> str:
        said = self._replies.get(address) or self._replies.get(command, "250 ok")
        if said.startswith("250") and place == "rcpt_tos":
            envelope.rcpt_tos.append(address)
        if said.startswith("250") and place == "mail_from":
            envelope.mail_from = address
        return said


def invitations(store: Any) -> dict[str, int]:
    """Return how many invitations are in which state."""
    return dict(
        store.do("SELECT state, count(*) FROM core.message WHERE purpose = 'survey' GROUP BY 1")
    )


@pytest.mark.parametrize(
    "replies",
    [
        {"MAIL": "550 5.1.1 User unknown"},
        {"MAIL": "550 No such user here"},
        {"DATA": "554 5.7.1 The message contains an unknown user link"},
        {"RCPT": "554 5.7.1 Relay access denied"},
    ],
)
def test_a_fault_of_the_relay_makes_no_address_dead_and_uses_nobody_up(
    mails: MailWorld, clock: Any, store: Any, listen: Any, replies: dict[str, str]
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    run.send_all(listen(Relay(**replies)), None)
    assert invitations(store) == {"queued": 100}
    assert store.value("SELECT count(*) FROM core.suppression") == 0
    code = next(iter(replies.values()))[:3]
    assert run.advance_all()["july"] == (
        "After wave 1 the rest is held back: 100 of its mails have not gone out yet; the mail server refuses some "
        f"of them (reply {code})."
    )
    clock.at(2018, 7, 9, 10)
    quarter_of_an_hour(mails)
    assert invitations(store) == {"sent": 100}


def test_mails_that_waited_long_are_not_given_up_at_their_first_try(
    mails: MailWorld, clock: Any, store: Any, listen: Any
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    clock.at(2018, 7, 13, 9)
    greylisting = listen(Relay(RCPT="451 4.7.1 Try again later"))
    run.send_all(greylisting, None)
    assert invitations(store) == {"queued": 100}
    clock.at(2018, 7, 17, 9)
    run.send_all(greylisting, None)
    assert invitations(store) == {"given up": 100}
    assert "none of its mails has gone out: 100 were given up" in run.advance_all()["july"]
    assert waves.requeue("july", "anna", "the relay is ours again") == 100
    quarter_of_an_hour(mails)
    assert invitations(store) == {"sent": 100}
    with pytest.raises(EngagementError, match="nothing to try again"):
        waves.requeue("july", "anna", "again")


def test_where_most_of_a_wave_was_given_up_the_rest_is_held_back(
    world: Any, mails: MailWorld, clock: Any, store: Any, tmp_path: Path
) -> None:
    write_campaign(use_campaigns(world, tmp_path / "campaigns"))
    approve()
    clock.at(2018, 7, 9, 9)
    quarter_of_an_hour(mails)
    ups = {"few": 9, "many": 10}
    for how_many, stands in (
        ("many", "10 of its 100 mails were given up"),
        ("few", "bounces are waited for"),
    ):
        store.do("UPDATE core.message SET state = 'sent' WHERE purpose = 'survey'")
        store.do(
            "UPDATE core.message SET state = 'given up' WHERE message_id IN "
            "(SELECT message_id FROM core.message WHERE purpose = 'survey' ORDER BY 1 LIMIT %s)",
            [ups[how_many]],
        )
        assert stands in run.advance_all()["july"]


def test_what_was_sent_while_mail_was_caught_goes_out_when_it_is_live(
    mails: MailWorld, clock: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    world.setenv("ENGAGEMENT_MAIL", "caught")
    world.setenv("ENGAGEMENT_MAIL_CATCH_ALL", "engineer@library.example.com")
    settings.cache_clear()
    quarter_of_an_hour(mails)
    assert invitations(store) == {"caught": 100}
    world.setenv("ENGAGEMENT_MAIL", "live")
    settings.cache_clear()
    quarter_of_an_hour(mails)
    assert invitations(store) == {"sent": 100}
    clock.at(2018, 7, 10, 10)
    collect.collect(mails.bounces)
    assert quarter_of_an_hour(mails) == "Wave 2 of 2 is opened: 100 mails."


def test_a_canary_that_the_relay_refuses_at_once_is_told_and_another_one_will_do(
    mails: MailWorld, clock: Any, store: Any, listen: Any, tmp_path: Path
) -> None:
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    run.send_all(listen(Relay(**{"nobody@kku.example.com": "550 5.1.1 User unknown"})), None)
    clock.at(2018, 7, 10, 10)
    collect.collect(mails.bounces)
    assert "refused the mail to nobody@kku.example.com at once" in run.advance_all()["july"]
    mails.fates["gone@other.example.com"] = Fate.UNKNOWN
    write_campaign(tmp_path / "campaigns", waves__canary="gone@other.example.com")
    assert "has not bounced" in quarter_of_an_hour(mails)
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
