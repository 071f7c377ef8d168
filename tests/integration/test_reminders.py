"""Reminders go only to who has not answered, as far as is known now."""

from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from survey import MailWorld, answer, quarter_of_an_hour, write_answers
from typer.testing import CliRunner

from engagement import cli, sending
from engagement.measure import answers, campaign as campaigns, run, waves
from engagement.measure.letters import Letters
from engagement.outbox import Batch
from engagement.sending import Message


def test_only_people_without_an_answer_are_reminded_and_only_after_a_fresh_import(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    assert "import the answers" in quarter_of_an_hour(mails)
    assert "import the answers" in quarter_of_an_hour(mails)
    (notice,) = mails.folder.glob("*.eml")  # the owner is told once
    told = message_from_bytes(notice.read_bytes(), policy=default)
    assert told["To"] == "owner@library.example.com"
    words = told.get_body(("plain",)).get_content()
    assert 'engagement answers import july FILE --exported-at "YYYY-MM-DD HH:MM"' in words
    rows = [answer(token, ประทับเวลา="14/7/2018, 08:30:00") for token, *_ in sent[:30]]
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "a.csv", *rows))
    assert quarter_of_an_hour(mails) == "Reminder 1 is opened: 70 mails."
    assert mails.count("people") == 170
    assert quarter_of_an_hour(mails) == "Its mails have been handed out; answers are waited for."
    assert mails.count("people") == 170


def test_where_nobody_has_answered_lately_each_word_about_it_names_what_lets_the_reminder_go(
    sent: list[Any], mails: MailWorld, clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    path = write_answers(tmp_path / "a.csv", answer(sent[0][0]))  # of the tenth, at noon
    command = ["answers", "import", "july", str(path)]
    said = " ".join(CliRunner().invoke(cli.app, command).output.split())
    assert "It tells who had answered by 2018-07-10 12:00, more than a day ago" in said
    assert "import it again with --exported-at" in said
    waits = quarter_of_an_hour(mails)
    assert waits.startswith(
        "Reminder 1 waits: import the answers (the newest are of 2018-07-10 12:00)"
    )
    assert "say with --exported-at when they were exported" in waits
    assert waves.stands("july").endswith(f"are opened. {waits}")
    said = CliRunner().invoke(cli.app, [*command, "--exported-at", "2018-07-14 08:50"]).output
    assert "--exported-at" not in said
    assert quarter_of_an_hour(mails) == "Reminder 1 is opened: 99 mails."


def test_an_import_without_a_link_of_the_campaign_says_that_no_reminder_goes_out_by_it(
    sent: list[Any], clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    path = write_answers(tmp_path / "a.csv", answer("ofanothercampaign"))
    said = CliRunner().invoke(cli.app, ["answers", "import", "july", str(path)]).output
    assert "No answer in it came with a link of this campaign" in said


def test_who_answers_between_the_reminder_and_its_claim_gets_none(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    path = tmp_path / "a.csv"
    first = answer(sent[0][0], ประทับเวลา="14/7/2018, 08:30:00")
    answers.import_file(campaigns.load("july"), write_answers(path, first))
    assert run.advance_all()["july"] == "Reminder 1 is opened: 99 mails."
    later = [answer(token, ประทับเวลา="14/7/2018, 08:45:00") for token, *_ in sent[1:11]]
    answers.import_file(campaigns.load("july"), write_answers(path, first, *later))
    run.send_all(mails.server, None)
    assert mails.count("people") == 189


def test_reminders_that_waited_need_answers_that_are_fresh_when_they_go_out(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    row = answer(sent[0][0], ประทับเวลา="14/7/2018, 08:30:00")
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "a.csv", row))
    assert run.advance_all()["july"] == "Reminder 1 is opened: 99 mails."
    clock.at(2018, 7, 17, 9)  # all mail was stopped meanwhile, say
    assert "Reminder 1 waits: import the answers" in quarter_of_an_hour(mails)
    assert mails.count("people") == 100
    rows = [answer(token, ประทับเวลา="17/7/2018, 08:30:00") for token, *_ in sent[1:31]]
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "b.csv", row, *rows))
    assert quarter_of_an_hour(mails) == "99 mails of reminder 1 go out."
    assert mails.count("people") == 169


def test_answers_that_grow_stale_while_reminders_go_out_end_that(
    sent: list[Any], mails: MailWorld, clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    row = answer(sent[0][0], ประทับเวลา="14/7/2018, 08:30:00")
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "a.csv", row))
    assert run.advance_all()["july"] == "Reminder 1 is opened: 99 mails."
    compose = Letters(campaigns.load("july")).compose

    def compose_until_the_next_day(message: Message) -> bytes:
        if mails.count("people") == 109:
            clock.at(2018, 7, 15, 9)
        return compose(message)

    sending.dispatch(Batch("survey", "july"), mails.server, compose_until_the_next_day)
    assert mails.count("people") == 110


def test_who_has_not_got_one_reminder_when_the_next_is_due_gets_the_next_one_alone(
    send: Callable[..., list[Any]], mails: MailWorld, clock: Any, tmp_path: Path
) -> None:
    sent = send(dates__reminders=["2018-07-12 08:00", "2018-07-15 08:00"])
    clock.at(2018, 7, 12, 9)
    row = answer(sent[0][0], ประทับเวลา="12/7/2018, 08:50:00")
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "a.csv", row))
    assert run.advance_all()["july"] == "Reminder 1 is opened: 99 mails."
    clock.at(2018, 7, 16, 9)
    later = answer(sent[1][0], ประทับเวลา="16/7/2018, 08:50:00")
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "b.csv", row, later))
    assert quarter_of_an_hour(mails) == "Reminder 2 is opened: 98 mails."
    assert mails.count("people") == 198


def test_answers_to_another_campaign_of_the_same_form_let_nobody_be_reminded(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    row = answer("ofanothercampaign", ประทับเวลา="14/7/2018, 08:30:00")
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "a.csv", row))
    assert "import the answers (the newest are none)" in quarter_of_an_hour(mails)
    assert mails.count("people") == 100


def test_a_late_reminder_keeps_its_distance_from_the_next_one(
    send: Callable[..., list[Any]], mails: MailWorld, clock: Any, tmp_path: Path
) -> None:
    sent = send(dates__reminders=["2018-07-12 08:00", "2018-07-15 08:00"])
    clock.at(2018, 7, 15, 7)
    row = answer(sent[0][0], ประทับเวลา="15/7/2018, 06:50:00")
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "a.csv", row))
    assert quarter_of_an_hour(mails) == "Reminder 1 is opened: 99 mails."
    clock.at(2018, 7, 15, 9)
    said = quarter_of_an_hour(mails)
    assert said == "Reminder 2 waits until 2018-07-18 07:00: the one before went out late."
    assert mails.count("people") == 199
