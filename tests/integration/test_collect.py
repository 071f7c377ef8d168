"""What comes back is counted right: dead addresses, full mailboxes, noes, complaints, answers."""

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from survey import (
    MailWorld,
    approve,
    counted,
    deliver,
    publish_people,
    quarter_of_an_hour,
    suppressed,
    use_campaigns,
    write_campaign,
)
from typer.testing import CliRunner

from engagement import address, cli
from engagement.errors import EngagementError
from engagement.measure import (
    bounce,
    campaign as campaigns,
    collect,
    returned,
    run,
    suppression,
)
from engagement.settings import settings


def put(mails: MailWorld, name: str, raw: bytes) -> None:
    """Put a mail into the mailbox of bounces as it is, under a name."""
    (mails.folder / "bounces" / "new" / name).write_bytes(raw)


def test_who_writes_to_the_unsubscribe_address_is_left_in_peace_as_a_person_and_at_the_address(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    _, mail_token, email, person = sent[0]
    deliver(mails, f"bounces+unsubscribe-{mail_token}@bounce.kku.example.com", "unsubscribe")
    assert collect.collect(mails.bounces) == {"opt-out": 1}
    key = address.digest(email, address.secret())
    assert store.do(
        "SELECT kind, address_key, patron_key::text FROM core.suppression ORDER BY 3 NULLS FIRST"
    ) == [
        ("opt_out", key, None),
        ("opt_out", None, str(person)),
    ]
    assert counted().opted_out == 1


def test_whatever_comes_to_the_unsubscribe_address_is_a_no_but_a_delivery_report(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    written = [
        b"From: a@gmail.com\nAuto-Submitted: auto-generated\nSubject: unsubscribe\n\nGenerated.\n",
        b"From: a@gmail.com\nReturn-Path: <>\nSubject: x\nX-Auto-Response-Suppress: All\n\nx\n",
        b"From: postmaster <postmaster@kku.ac.th>\nSubject: unsubscribe\n\nno such user\n",
        b"From: a@gmail.com\nPrecedence: bulk\nSubject: Out of office\n\nno more\n",
        b"From: a@gmail.com\nX-Engagement-Token: x\nSubject: Fwd: survey\n\nno more\n",
    ]
    report = (
        b"From: MAILER-DAEMON@x.example\nSubject: Undelivered Mail Returned to Sender\n\n"
        b"Final-Recipient: rfc822; %s\nAction: failed\nStatus: 5.1.1\n" % sent[9][2].encode()
    )
    for number, raw in enumerate([*written, report]):
        to = f"To: bounces+unsubscribe-{sent[number][1].upper()}@bounce.kku.example.com\n"
        put(mails, f"{number}", to.encode() + raw)
    assert collect.collect(mails.bounces) == {"opt-out": 5, "hard": 1}
    assert counted().opted_out == 5


def test_a_mail_of_ours_that_is_handed_on_is_no_no(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    offered = (
        f"List-Unsubscribe:\n <mailto:bounces+unsubscribe-{sent[0][1]}@bounce.kku.example.com>\n"
    )
    put(mails, "1", f"{offered}From: anna@kku.ac.th\nSubject: survey\n\nIs that yours?\n".encode())
    assert collect.collect(mails.bounces) == {"unknown": 1}
    assert suppressed(store) == {}


def test_a_complaint_of_which_only_the_return_path_is_left_opts_the_patron_out(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    verp = [f"bounces+{token}@bounce.kku.example.com" for _, token, *_ in sent[:2]]
    for name, feedback, original in (
        ("feedback", f"Original-Mail-From: <{verp[0]}>\n", ""),
        ("original", "", f"Return-Path: <{verp[1]}>\n"),
    ):
        put(
            mails,
            name,
            (
                "From: feedback@yahoo.example\nTo: bounces@bounce.kku.example.com\nSubject: FW: survey\n"
                'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="J"\n\n'
                "--J\nContent-Type: text/plain\n\nThis is an abuse report\n"
                f"--J\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n{feedback}\n"
                f"--J\nContent-Type: message/rfc822\n\n{original}To: redacted@yahoo.example\n\nx\n--J--\n"
            ).encode(),
        )
    assert collect.collect(mails.bounces) == {"complaint": 2}
    assert suppressed(store) == {"complaint": 4}


def test_a_complaint_opts_the_patron_out_and_is_no_bounce(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    _, mail_token, _, _ = sent[0]
    report = EmailMessage()
    report["From"] = "feedback@gmail.example.com"
    report["To"] = f"bounces+{mail_token}@bounce.kku.example.com"
    report["Subject"] = "complaint"
    report["MIME-Version"] = "1.0"
    report["Content-Type"] = 'multipart/report; report-type=feedback-report; boundary="b"'
    report.set_payload(
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is spam.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n\r\n--b--\r\n"
    )
    (mails.folder / "bounces" / "new" / "arf").write_bytes(report.as_bytes())
    assert collect.collect(mails.bounces) == {"complaint": 1}
    assert suppressed(store) == {"complaint": 2}
    assert counted().hard_bounced == 0


def test_an_auto_reply_says_nothing_against_the_address(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    _, mail_token, _, _ = sent[0]
    deliver(
        mails,
        f"bounces+{mail_token}@bounce.kku.example.com",
        "ตอบกลับอัตโนมัติ: ลาพักร้อน",
        Auto_Submitted="auto-replied",
    )
    assert collect.collect(mails.bounces) == {"auto-reply": 1}
    assert suppressed(store) == {}
    assert counted().delivered == 100


def test_a_delay_is_no_bounce_the_mail_is_on_its_way(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any
) -> None:
    _, mail_token, email, _ = sent[0]
    for day in (9, 10, 11, 12, 13):
        clock.at(2018, 7, day, 10)
        text = f"THIS IS A WARNING ONLY.\n\nFinal-Recipient: rfc822; {email}\nAction: delayed\nStatus: 4.4.1\n"
        deliver(
            mails,
            f"bounces+{mail_token}@bounce.kku.example.com",
            "Delayed Mail (still being retried)",
            f"{text}Diagnostic-Code: X-Postfix; day {day}: connect to mx: Connection timed out",
            sender="MAILER-DAEMON@mx.example.com",
        )
        assert collect.collect(mails.bounces) == {"auto-reply": 1}
    assert store.value("SELECT count(*) FROM core.suppression_event") == 0
    assert counted().delivered == 100


def test_a_forged_bounce_without_our_token_suppresses_nobody_whom_no_mail_went_to(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    deliver(
        mails,
        "bounces@bounce.kku.example.com",
        "Undelivered Mail Returned to Sender",
        "<stranger@kku.example.com>: 550 5.1.1 User unknown",
        sender="MAILER-DAEMON@mx.example.com",
    )
    collect.collect(mails.bounces)
    assert suppressed(store) == {}


def test_whatever_arrives_is_kept_and_shown_and_stops_nothing(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    (mails.folder / "bounces" / "new" / "broken").write_bytes(b"\xff\x00" * 5_000)
    (mails.folder / "bounces" / "new" / "empty").write_bytes(b"")
    assert collect.collect(mails.bounces) == {"unknown": 2}
    assert collect.collect(mails.bounces) == {}
    assert store.value("SELECT count(*) FROM pii.returned_mail") == 2


REPORT = b"From: MAILER-DAEMON@x.example\nSubject: failure notice\n"
BELOW = b"hello\n--- Below this line is a copy of the message.\n"
POISON = {
    "a zero byte in the references": REPORT
    + b"References: =?utf-8?B?%s?=\n\nhello\n" % base64.b64encode(b"<a\0b@x.example>"),
    "half a character in the references": REPORT
    + b"References: =?utf-7?Q?<a+2AA-b@x>?= \xff\n\nx\n",
    "a zero byte in the text": REPORT
    + b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
    + base64.b64encode(
        BELOW + b"Message-ID: <ab\0c@x.example>\nX-Engagement-Token: ab\0cd\nStatus: 5.1.\0\n"
    ),
    "half a character in the text": REPORT
    + b"Content-Type: text/plain; charset=utf-7\n\n\xff"
    + BELOW
    + b"X-Engagement-Token: a+2AA-b\nMessage-ID: <a+2AA-b@x.example>\n",
    "half a character that is escaped": REPORT
    + b"Content-Type: text/plain; charset=unicode_escape\n\nhello \xff\nX-Engagement-Token: a\\ud800b\n",
}


def dead(email: str) -> bytes:
    """Return what qmail says of an address that is dead."""
    text = f"This is the qmail-send program\n<{email}>:\nSorry, no mailbox here by that name. (#5.1.1)\n"
    return REPORT + b"\n" + text.encode()


def test_a_mail_that_no_database_takes_keeps_none_behind_it_from_being_read(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    for number, raw in enumerate(POISON.values()):
        put(mails, f"1-{number}", raw)
    put(mails, "2", dead(sent[0][2]))
    assert collect.collect(mails.bounces)["hard"] == 1
    assert suppressed(store) == {"hard_bounce": 1}
    assert collect.collect(mails.bounces) == {}


def test_what_nobody_understood_is_listed_and_written_into_a_file_of_its_owners_alone(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    put(mails, "1", dead(sent[0][2]))
    assert CliRunner().invoke(cli.app, ["bounce", "unknown"]).stdout.startswith("Everything")
    raw = b"From: a@b.example\nSubject: hello\n\nWho are you? \xff\0\n"
    put(mails, "2", raw)
    collect.collect(mails.bounces)
    listed = CliRunner().invoke(cli.app, ["bounce", "unknown"])
    ((number, received),) = store.do(
        "SELECT mail_id, received_at FROM pii.returned_mail WHERE mark = '2'"
    )
    line, total = listed.stdout.splitlines()
    assert (
        line == f"{number}  {received.astimezone(settings().zone):%Y-%m-%d %H:%M}  not-understood"
    )
    assert total.startswith("1 mails. ")
    shown = CliRunner().invoke(cli.app, ["bounce", "show", str(number)])
    path = Path(shown.stdout.partition(":")[0])
    assert path.parent == settings().home / "exports"
    assert path.read_bytes() == raw
    assert path.stat().st_mode & 0o777 == 0o600
    assert bounce.explain(path)["rule"] == "not-understood"
    assert store.do("SELECT command, row_count, tombstone_key FROM ops.pii_read") == [
        ("bounce show", 1, None)
    ]
    store.do("UPDATE pii.returned_mail SET content = ''")  # as when its time is over
    assert CliRunner().invoke(cli.app, ["bounce", "unknown"]).stdout.startswith("Everything")
    with pytest.raises(EngagementError, match=f"No mail {number} is kept"):
        returned.write(number, "anna")
    assert store.value("SELECT count(*) FROM ops.pii_read") == 1


def test_a_value_that_nobody_thought_of_makes_its_mail_unreadable_and_stops_no_other(
    sent: list[Any], mails: MailWorld, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = bounce.read
    for odd in ("a\0b", "a\ud800b"):
        store.do("DELETE FROM core.suppression_event")
        monkeypatch.setattr(
            bounce,
            "read",
            lambda raw, *more, odd=odd: replace(
                found := read(raw, *more), tokens=(odd,) if b"odd" in raw else found.tokens
            ),
        )
        name = str(ord(odd[1]))
        put(mails, f"{name}-1", REPORT + b"\nodd " + name.encode())
        put(mails, f"{name}-2", dead(sent[0][2]) + name.encode())
        assert collect.collect(mails.bounces) == {"unknown": 1, "hard": 1}
        assert suppressed(store) == {"hard_bounce": 1}
    assert (
        store.do("SELECT verdict, rule FROM core.bounce WHERE verdict = 'unknown'")
        == [("unknown", "unreadable")] * 2
    )


def test_trouble_with_the_warehouse_is_no_mails_fault(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    put(mails, "1", dead(sent[0][2]))
    store.do("ALTER TABLE core.bounce RENAME COLUMN status TO other")
    with pytest.raises(EngagementError, match="record_bounces failed"):
        collect.collect(mails.bounces)
    store.do("ALTER TABLE core.bounce RENAME COLUMN other TO status")
    assert collect.collect(mails.bounces) == {"hard": 1}


def test_soft_bounces_count_once_a_day_fade_and_suppress_in_the_end(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any
) -> None:
    _, mail_token, email, _ = sent[0]

    def full() -> None:
        deliver(
            mails,
            f"bounces+{mail_token}@bounce.kku.example.com",
            "Undelivered Mail Returned to Sender",
            f"<{email}>: 552 5.2.2 Mailbox full",
            sender="MAILER-DAEMON@mx.example.com",
            Message_ID=f"<{mails.count('bounces')}@mx.example.com>",
        )
        assert collect.collect(mails.bounces) == {"soft": 1}

    for _ in range(5):
        full()  # of one day
    assert store.value("SELECT count(*) FROM core.suppression_event") == 1
    for day in (10, 11):
        clock.at(2018, 7, day, 9)
        full()
    assert suppressed(store) == {}  # the first is not worth a whole one any more
    clock.at(2018, 7, 12, 9)
    full()
    assert suppressed(store) == {"soft_bounces": 1}
    assert suppression.lift(email, "anna", "the mailbox was emptied", is_objection_too=False) == 1
    assert suppressed(store) == {}
    clock.at(2018, 7, 13, 9)
    full()
    assert suppressed(store) == {}


def test_a_person_lifts_a_suppression_with_a_reason_and_what_was_said_only_when_asked(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    _, mail_token, email, _ = sent[0]
    deliver(mails, f"bounces+unsubscribe-{mail_token}@bounce.kku.example.com", "no")
    collect.collect(mails.bounces)
    with pytest.raises(EngagementError, match="--objection only"):
        suppression.lift(email, "anna", "a mistake", is_objection_too=False)
    with pytest.raises(EngagementError, match="Say why"):
        suppression.lift(email, "anna", " ", is_objection_too=True)
    assert suppression.lift(email, "anna", "she asked for it", is_objection_too=True) == 2
    assert suppressed(store) == {}


def test_a_mailbox_that_was_moved_brings_back_nothing_that_a_person_has_lifted(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any
) -> None:
    raw = dead(sent[0][2])
    put(mails, "before", raw)
    assert collect.collect(mails.bounces) == {"hard": 1}
    clock.at(2018, 7, 10, 9)
    suppression.lift(sent[0][2], "anna", "it works again", is_objection_too=False)
    store.do("UPDATE pii.returned_mail SET content = ''")  # as when its time is over
    put(mails, "after", raw)
    assert collect.collect(mails.bounces) == {}
    assert store.value("SELECT new_count FROM ops.mailbox_reading") == 0
    assert suppressed(store) == {}
    put(mails, "later", raw + b"another one\n")
    assert collect.collect(mails.bounces) == {"hard": 1}
    assert suppressed(store) == {"hard_bounce": 1}


def test_what_came_before_a_person_lifted_it_does_not_suppress_again_but_what_else_was_said_does(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any
) -> None:
    _, token, email, _ = sent[0]
    no = f"From: a@b.example\nTo: bounces+unsubscribe-{token}@bounce.kku.example.com\n\n".encode()
    put(mails, "1", dead(email))
    collect.collect(mails.bounces)
    clock.at(2018, 7, 10, 9)
    suppression.lift(email, "anna", "it works again", is_objection_too=True)
    clock.at(2018, 7, 11, 9)
    for name, raw in (("2", dead(email) + b"read late\n"), ("3", no)):
        put(mails, name, raw)
        at = datetime(2018, 7, 9, 10, tzinfo=UTC).timestamp()
        os.utime(mails.folder / "bounces" / "new" / name, (at, at))
    assert collect.collect(mails.bounces) == {"hard": 1, "opt-out": 1}
    assert suppressed(store) == {"opt_out": 2}
    assert store.value("SELECT max(event_at) FROM core.suppression") == datetime(
        2018, 7, 9, 10, tzinfo=UTC
    )
    suppression.lift(email, "anna", "a mistake", is_objection_too=True)
    put(mails, "4", no + b"read late\n")
    os.utime(mails.folder / "bounces" / "new" / "4", (at, at))
    assert collect.collect(mails.bounces) == {"opt-out": 1}
    assert suppressed(store) == {}


def test_soft_bounces_of_several_days_that_are_read_at_once_count_on_their_own_days(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any
) -> None:
    clock.at(2018, 7, 13, 9)
    for name, day in (("1", 9), ("2", 9), ("3", 10), ("4", 11)):
        put(
            mails,
            name,
            dead(sent[0][2]).replace(
                b"no mailbox here by that name. (#5.1.1)", b"quota " + name.encode()
            ),
        )
        at = datetime(2018, 7, day, 10, tzinfo=UTC).timestamp()
        os.utime(mails.folder / "bounces" / "new" / name, (at, at))
    assert collect.collect(mails.bounces) == {"soft": 4}
    days = "SELECT extract(day FROM event_at)::int FROM core.suppression_event ORDER BY 1"
    assert [day for (day,) in store.do(days)] == [9, 10, 11]


def test_a_domain_whose_bounces_jump_is_paused_until_a_person_has_looked(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> None:
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 300})
    write_campaign(
        use_campaigns(world, tmp_path / "campaigns"),
        waves__hard_bounce_limit=0.29,
        sample={"size": 200},
    )
    approve()
    mails.kill(store, 40)
    clock.at(2018, 7, 9, 9)
    quarter_of_an_hour(mails)
    run.collect_all(mails.bounces)
    (paused,) = suppression.paused_domains("anna")
    assert (paused.mail_domain, paused.mail_count, paused.hard_count) == (
        "kku.example.com",
        100,
        40,
    )
    assert store.do("SELECT DISTINCT is_provisional FROM core.suppression") == [(True,)]
    suppression.judge_domain("KKU.example.com", "anna", "our relay was blocked", is_dead=False)
    assert suppressed(store) == {}
    run.collect_all(mails.bounces)
    assert list(suppression.paused_domains("anna")) == []


def test_an_hour_of_bounces_is_any_hour_and_none_of_the_clock(
    sent: list[Any], mails: MailWorld, store: Any
) -> None:
    for _, _, email, _ in sent[:90]:
        put(mails, email, dead(email))
    collect.collect(mails.bounces)
    july = campaigns.load("july")
    third = "UPDATE core.message SET sent_at = %s WHERE purpose = 'survey' AND message_id %% 3 = %s"
    for times, paused in ((("08:29", "09:30", "10:31"), 0), (("08:59", "09:01", "12:30"), 1)):
        for part, time in enumerate(times):
            store.do(third, [f"2018-07-09 {time}+07", part])
        assert suppression.pause_domains(july) == paused
