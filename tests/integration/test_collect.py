"""What comes back is counted right: dead addresses, full mailboxes, noes, complaints, answers."""

import csv
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from survey import (
    MailWorld,
    approve,
    publish_people,
    quarter_of_an_hour,
    use_campaigns,
    write_campaign,
)

from engagement import address
from engagement.errors import EngagementError
from engagement.measure import answers, campaign as campaigns, collect, figures, run, suppression
from engagement.measure.figures import Counts

TOKENS = (
    "SELECT t.token, m.token AS mail_token, a.address, i.person_key "
    "FROM core.invitation AS i "
    "INNER JOIN core.message AS m ON m.ref = i.campaign AND m.recipient_key = i.address_key AND m.step = 'invite' "
    "INNER JOIN pii.survey_token AS t ON t.campaign = i.campaign AND t.person_key = i.person_key "
    "INNER JOIN pii.address AS a ON a.address_key = i.address_key ORDER BY a.address"
)
ANSWER = {
    "ประทับเวลา": "10/7/2018, 12:00:00",
    "รหัสแบบสอบถาม (โปรดอย่าแก้ไข)": "",
    "สถานภาพของผู้ตอบแบบสอบถาม": "บุคลากร",
    "ท่านรับรู้ข่าวสารประชาสัมพันธ์ของสำนักหอสมุดผ่านช่องทางใดบ้าง (ตอบได้มากกว่า 1 ข้อ)": "สื่อวิทยุ",
    "ช่วงเวลาที่ท่านสะดวกในการรับข่าวสาร": "16.00-20.00 น.",
    "ความสะดวกในการเข้าถึงข้อมูลประชาสัมพันธ์และข่าวสาร": "มาก",
    "ข้อมูลที่ได้รับตรงต่อความต้องการ": "มาก",
    "ข้อมูลข่าวสารน่าสนใจและมีประโยชน์": "มาก",
    "ช่องทางการประชาสัมพันธ์มีความหลากหลาย": "มาก",
    "ข้อเสนอแนะเพิ่มเติม": "",
}


@pytest.fixture
def sent(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> list[Any]:
    """A campaign whose only wave of 100 has just gone out; returns token, mail token, address, person."""
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 40, "undergraduate": 60})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"), sample={"size": 100})
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    run.send_all(mails.server, None)
    assert mails.count("people") == 100
    return list(store.do(TOKENS))


def deliver(mails: MailWorld, to: str, subject: str, text: str = "", **headers: str) -> None:
    """Put a mail into the mailbox of bounces, as whoever writes to it does."""
    mail = EmailMessage()
    mail["From"] = headers.pop("sender", "somebody@gmail.example.com")
    mail["To"] = to
    mail["Subject"] = subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text or subject)
    (mails.folder / "bounces" / "new" / f"{mails.count('bounces')}.given").write_bytes(bytes(mail))


def write_answers(path: Path, *rows: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ANSWER)
        table.writeheader()
        table.writerows(ANSWER | row for row in rows)
    return path


def answer(token: str, **changes: str) -> dict[str, str]:
    return {"รหัสแบบสอบถาม (โปรดอย่าแก้ไข)": token} | changes


def suppressed(store: Any) -> dict[str, int]:
    return dict(store.do("SELECT kind, count(*) FROM core.suppression GROUP BY 1"))


def counted() -> Counts:
    figures.count("july")
    return figures.read("july").counts


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
        )
        collect.collect(mails.bounces)

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


def test_only_people_without_an_answer_are_reminded_and_only_after_a_fresh_import(
    sent: list[Any], mails: MailWorld, store: Any, clock: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 14, 9)
    assert "import the answers" in quarter_of_an_hour(mails)
    rows = [answer(token, ประทับเวลา="14/7/2018, 08:30:00") for token, *_ in sent[:30]]
    answers.import_file(campaigns.load("july"), write_answers(tmp_path / "a.csv", *rows))
    assert quarter_of_an_hour(mails) == "Reminder 1 is opened: 70 mails."
    assert mails.count("people") == 170
    assert quarter_of_an_hour(mails) == "Its mails have been handed out; answers are waited for."
    assert mails.count("people") == 170


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
    class Relay:
        async def handle_RCPT(
            self, server: Any, session: Any, envelope: Any, recipient: str, options: Any
        ) -> str:
            number = int(recipient.partition("@")[0].removeprefix("person-"))
            if number <= 40:
                return "554 5.7.1 Relay access denied"
            if number <= 60:
                return "550 5.1.1 User unknown"
            envelope.rcpt_tos.append(recipient)
            return "250 ok"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            return "250 kept"

    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 100})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"), sample={"size": 100})
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    run.send_all(listen(Relay()), None)
    clock.at(2018, 7, 10, 10)
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
    class Relay:
        async def handle_RCPT(
            self, server: Any, session: Any, envelope: Any, recipient: str, options: Any
        ) -> str:
            if recipient.startswith("person-1"):
                return "550 5.1.1 User unknown"
            if recipient.startswith("person-2"):
                return "550 5.7.1 Message rejected as spam"
            envelope.rcpt_tos.append(recipient)
            return "250 ok"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            return "250 kept"

    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 9})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"), sample={"size": 9})
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    run.send_all(listen(Relay()), None)
    assert suppressed(store) == {"hard_bounce": 1}
    found = counted()
    assert (found.invited, found.sent, found.hard_bounced, found.soft_bounced) == (9, 7, 1, 1)


@pytest.mark.parametrize(("base", "share"), [(29, None), (30, 0.5)])
def test_a_rate_needs_a_base_of_thirty(base: int, share: float | None) -> None:
    counts = Counts(100, base, base, 0, 0, 0, base, 0, 15, base)
    assert (counts.response_rate, counts.response_rate_delivered) == (share, share)
