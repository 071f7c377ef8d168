"""What the report says about surveys is what was counted of them, and gives away nobody who answered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from survey import (
    MailWorld,
    answer,
    deliver,
    write_answers,
)

from engagement import clock as business, warehouse
from engagement.measure import answers, campaign as campaigns, collect, figures, run
from engagement.monitor import agreement, surveys
from engagement.monitor.findings import Finding
from engagement.monitor.surveys import Survey
from engagement.period import Period

JULY = Period(2018, 7)
GROUP = "สถานภาพของผู้ตอบแบบสอบถาม"
SLOT = "ช่วงเวลาที่ท่านสะดวกในการรับข่าวสาร"
CHANNEL = "ท่านรับรู้ข่าวสารประชาสัมพันธ์ของสำนักหอสมุดผ่านช่องทางใดบ้าง (ตอบได้มากกว่า 1 ข้อ)"
ACCESS = "ความสะดวกในการเข้าถึงข้อมูลประชาสัมพันธ์และข่าวสาร"


def told(period: Period = JULY) -> tuple[Survey, ...]:
    """Return what the report on a period says now; its totals agree."""
    with warehouse.session() as session:
        found = surveys.of_period(session, period, business.now())
    agreement.require_surveys(found)
    return found


def bounce(mails: MailWorld, sent: Sequence[Any]) -> None:
    """Let these invitations come back for a dead address."""
    for _, mail_token, email, _ in sent:
        deliver(
            mails,
            f"bounces+{mail_token}@bounce.kku.example.com",
            "Undelivered Mail Returned to Sender",
            f"<{email}>: 550 5.1.1 User unknown",
            sender="MAILER-DAEMON@mx.example.com",
        )


def bring_in(folder: Path, *rows: dict[str, str], name: str = "july") -> None:
    """Bring in the answers of a campaign, and count it."""
    path = write_answers(folder / f"{name}.csv", *rows)
    answers.import_file(campaigns.load(name), path)
    figures.count(name)


def finding(survey: Survey, code: str) -> Finding:
    return next(one for one in survey.findings if one.code == code)


def counts(found: Finding) -> dict[str, int | None]:
    return {choice.label.en: choice.count for choice in found.choices}


def test_a_month_without_a_survey_has_none(store: Any, clock: Any) -> None:
    assert told() == ()
    with warehouse.session() as session:
        assert surveys.reachable(session, business.now()) is None


def test_a_survey_is_told_with_its_funnel_its_rates_and_what_was_found(
    sent: list[Any], mails: MailWorld, clock: Any, tmp_path: Path
) -> None:
    bounce(mails, sent[:20])
    clock.at(2018, 7, 20)
    collect.collect(mails.bounces)
    run.advance_all()
    rows = [answer(token) for token, *_ in sent[20:60]]
    for row in rows[:10]:
        row[CHANNEL] = "สื่อวิทยุ, บุคคล เช่น บรรณารักษ์, อาจารย์, เพื่อน"
        row[ACCESS] = "มากที่สุด"
    bring_in(tmp_path, *rows)
    (survey,) = told()
    assert (survey.campaign, survey.title.en) == ("july", "Survey on our news")
    assert (survey.stand, survey.stopped_for, survey.before) == ("closed", None, None)
    assert [str(survey.began), str(survey.ends)] == ["2018-07-09", "2018-07-18"]
    assert str(survey.frame_period) == "2018-06"
    assert (survey.counts.invited, survey.counts.delivered, survey.counts.answered) == (100, 80, 40)
    assert (survey.bounced.count, survey.bounced.base, survey.bounced.share) == (20, 100, 0.2)
    assert (survey.answered.count, survey.answered.base, survey.answered.share) == (40, 100, 0.4)
    of_delivered = survey.answered_of_delivered
    assert (of_delivered.count, of_delivered.base, of_delivered.share) == (40, 80, 0.5)
    codes = ["group", "channel", "time_slot", "access", "needs", "interest", "variety"]
    assert [one.code for one in survey.findings] == codes  # no free text
    channel = finding(survey, "channel")
    assert channel.base == 40  # people, not ticks
    assert list(counts(channel).items())[:2] == [
        ("Radio", 40),
        ("People", 10),
    ]
    assert [choice.share for choice in channel.choices][:2] == [100, 25]
    access = finding(survey, "access")
    assert [choice.count for choice in access.choices] == [10, 30, 0, 0, 0]  # from best to worst
    assert access.choices[0].label.en == "Very satisfied"
    assert access.satisfied is not None
    assert (access.satisfied.label.en, access.satisfied.count, access.satisfied.share) == (
        "Very satisfied + Satisfied",
        40,
        100,
    )
    assert finding(survey, "group").choices[0].label.en == "Staff"


def test_a_survey_belongs_to_each_month_in_which_it_was_open(
    sent: list[Any], clock: Any, mails: MailWorld
) -> None:
    figures.count("july")
    assert told(Period(2018, 6)) == ()
    assert [one.stand for one in told(JULY)] == ["open"]
    assert len(told(Period(2018, 8))) == 1  # nobody has closed it
    clock.at(2018, 7, 20)
    run.advance_all()
    assert [one.stand for one in told(JULY)] == ["closed"]
    assert told(Period(2018, 8)) == ()
