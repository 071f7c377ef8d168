"""What the report says about surveys is what was counted of them, and gives away nobody who answered."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from survey import (
    MailWorld,
    answer,
    approve,
    deliver,
    invited,
    publish_people,
    use_campaigns,
    write_answers,
    write_campaign,
)

from engagement import clock as business, warehouse
from engagement.measure import answers, campaign as campaigns, collect, figures, run, waves
from engagement.measure.figures import Reachable
from engagement.monitor import agreement, surveys
from engagement.monitor.findings import Finding
from engagement.monitor.surveys import Survey
from engagement.period import Period
from engagement.settings import INCLUDE, settings

JULY = Period(2018, 7)
GROUP = "สถานภาพของผู้ตอบแบบสอบถาม"
SLOT = "ช่วงเวลาที่ท่านสะดวกในการรับข่าวสาร"
CHANNEL = "ท่านรับรู้ข่าวสารประชาสัมพันธ์ของสำนักหอสมุดผ่านช่องทางใดบ้าง (ตอบได้มากกว่า 1 ข้อ)"
ACCESS = "ความสะดวกในการเข้าถึงข้อมูลประชาสัมพันธ์และข่าวสาร"


@pytest.fixture
def asked(sent: list[Any], clock: Any) -> list[Any]:
    """A survey of 100 that is over."""
    clock.at(2018, 7, 20)
    run.advance_all()
    return sent


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
    late = answer(sent[60][0], ประทับเวลา="19/7/2018, 12:00:00")
    bring_in(tmp_path, *rows, late)
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


def test_a_survey_that_is_planned_and_has_not_begun_is_none_of_the_month(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path
) -> None:
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 100})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"), sample={"size": 100})
    approve()
    figures.count("july")
    assert told() == ()


def test_while_bounces_may_still_come_they_are_counted_and_no_share(
    sent: list[Any], mails: MailWorld, clock: Any
) -> None:
    bounce(mails, sent[:20])
    collect.collect(mails.bounces)
    figures.count("july")
    (survey,) = told()
    bounced, of_delivered = survey.bounced, survey.answered_of_delivered
    assert (bounced.count, bounced.base, bounced.share) == (20, 100, None)
    assert (of_delivered.base, of_delivered.share) == (80, None)
    with warehouse.session() as session:
        assert surveys.reachable(session, business.now()) is None


def test_a_survey_that_is_stopped_says_why_also_after_its_end(
    sent: list[Any], clock: Any, mails: MailWorld
) -> None:
    figures.count("july")
    waves.stop("july", "anna", "the form is wrong")
    (survey,) = told()
    assert (survey.stand, survey.stopped_for) == ("stopped", "the form is wrong")
    clock.at(2018, 7, 20)
    run.advance_all()
    (survey,) = told()
    assert (survey.stand, survey.stopped_for) == ("closed", "the form is wrong")


def test_of_three_answers_it_is_told_that_they_are_three_and_nothing_else(
    asked: list[Any], tmp_path: Path
) -> None:
    bring_in(tmp_path, *(answer(token) for token, *_ in asked[:3]))
    (survey,) = told()
    assert survey.counts.answered == 3
    assert (survey.findings, survey.unshown) == ((), "few")


def test_what_people_said_is_told_once_no_more_may_answer(
    sent: list[Any], clock: Any, tmp_path: Path
) -> None:
    """Else two months' reports would differ in what the one person said who answered between them."""
    clock.at(2018, 7, 15)
    rows = [answer(token) for token, *_ in sent[:66]]
    for row in rows[61:]:
        row[GROUP] = "นักเรียน"
    bring_in(tmp_path, *rows[:65])
    (survey,) = told()
    assert (survey.counts.answered, survey.findings, survey.unshown) == (65, (), "open")
    waves.stop("july", "anna", "the form is wrong")
    (survey,) = told()
    assert (survey.stand, survey.findings, survey.unshown) == ("stopped", (), "open")
    clock.at(2018, 7, 20)
    run.advance_all()
    bring_in(tmp_path, *rows)
    (survey,) = told()
    assert survey.unshown is None
    assert counts(finding(survey, "group"))["School pupils"] == 5


def test_one_person_of_a_group_is_hidden_below_a_hundred_answers_and_shown_from_there_on(
    asked: list[Any], tmp_path: Path
) -> None:
    rows = [answer(token) for token, *_ in asked]
    for row in rows[:30]:
        row[GROUP] = "นักศึกษาระดับปริญญาตรี"
    rows[30][GROUP] = "นักเรียน"
    bring_in(tmp_path, *rows[:99])
    (survey,) = told()
    shown = counts(finding(survey, "group"))
    assert (shown["Staff"], shown["School pupils"], shown["Undergraduates"]) == (68, None, None)
    bring_in(tmp_path, *rows)
    (survey,) = told()
    shown = counts(finding(survey, "group"))
    assert (shown["Staff"], shown["School pupils"], shown["Undergraduates"]) == (69, 1, 30)
    assert list(shown)[:3] == ["Staff", "Undergraduates", "School pupils"]


def test_a_question_is_counted_on_those_who_answered_it(asked: list[Any], tmp_path: Path) -> None:
    rows = [answer(token) for token, *_ in asked[:60]]
    for row in rows[:20]:
        row[SLOT] = ""
    for row in rows[20:30]:
        row[SLOT] = "at night"
    bring_in(tmp_path, *rows)
    (survey,) = told()
    slot = finding(survey, "time_slot")
    assert slot.base == 40  # ten of them with an answer that the form does not have
    assert (slot.choices[0].count, slot.choices[0].share) == (30, 75)


def test_a_survey_whose_file_is_gone_is_told_under_its_name_without_findings(
    asked: list[Any], tmp_path: Path
) -> None:
    bring_in(tmp_path, *(answer(token) for token, *_ in asked[:40]))
    (tmp_path / "campaigns" / "july.yaml").unlink()
    (survey,) = told()
    assert (survey.title.th, survey.title.en) == ("july", "july")
    assert (survey.ends, survey.findings, str(survey.frame_period)) == (None, (), "2018-06")
    assert survey.unshown == "changed"
    assert (survey.answered.count, survey.answered.share) == (40, 0.4)


def test_a_broken_file_stops_no_report(sent: list[Any], tmp_path: Path) -> None:
    figures.count("july")
    (tmp_path / "campaigns" / "july.yaml").write_text("campaign: [", encoding="utf-8")
    (survey,) = told()
    assert survey.title.en == "july"


def test_answers_are_not_told_in_words_that_were_not_asked(
    asked: list[Any], tmp_path: Path
) -> None:
    bring_in(tmp_path, *(answer(token) for token, *_ in asked[:40]))
    change_form()
    (survey,) = told()
    assert (survey.counts.answered, survey.findings, survey.unshown) == (40, (), "changed")


def change_form() -> None:
    """Let the form ask something else from now on."""
    own = settings().campaigns / "forms"
    own.mkdir()
    text = (INCLUDE / "forms" / "kkul-news-2018.yaml").read_text("utf-8")
    assert "en: Radio" in text
    changed = text.replace("en: Radio", "en: Radio and podcasts")
    (own / "kkul-news-2018.yaml").write_text(changed, encoding="utf-8")


AUGUST = {
    "approve_by": "2018-08-08 18:00",
    "start": "2018-08-09 08:00",
    "end": "2018-08-19 00:00",
}


@pytest.fixture
def two_surveys(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> Any:
    """Hold a survey of 100 of 1,000 in July and one in August; returns what lets so many bounce and answer."""

    def hold(july: tuple[int, int], august: tuple[int, int], *, is_changed: bool = False) -> None:
        clock.at(2018, 7, 2)
        publish_people(store, {"staff": 400, "undergraduate": 600})
        folder = use_campaigns(world, tmp_path / "campaigns")
        write_campaign(folder, sample={"size": 100})
        asked = _hold("july", 7, *july, {})
        if is_changed:
            change_form()
        clock.at(2018, 8, 2)
        write_campaign(
            folder,
            campaign="august",
            title={"th": "อีกครั้ง", "en": "Once more"},
            sample={"size": 100, "not_asked_for_months": 0},
            dates=AUGUST,
        )
        (folder / "july.yaml").rename(
            tmp_path / "july.yaml"
        )  # it would be planned anew where its form changed
        _hold("august", 8, *august, asked)
        (tmp_path / "july.yaml").rename(folder / "july.yaml")

    def _hold(name: str, month: int, bounced: int, answered: int, before: Mapping[str, Any]) -> Any:
        approve()
        clock.at(2018, month, 9, 9)
        run.advance_all()
        run.send_all(mails.server, None)
        people = {row[1]: row for row in invited(store)}
        new = [row for mail_token, row in people.items() if mail_token not in before]
        assert len(new) == 100
        bounce(mails, new[:bounced])
        clock.at(2018, month, 21)
        collect.collect(mails.bounces)
        run.advance_all()
        when = {"ประทับเวลา": f"10/{month}/2018, 12:00:00"}
        rows = [answer(token, **when) for token, *_ in new[-answered:]]
        bring_in(tmp_path, *rows, name=name)
        return people

    return hold


def changes(survey: Survey) -> list[int | None]:
    rates = (survey.bounced, survey.answered, survey.answered_of_delivered)
    return [one.points and round(one.points) for one in rates]


def test_rates_are_compared_with_the_survey_before_where_chance_does_not_explain_the_change(
    two_surveys: Any,
) -> None:
    two_surveys((20, 60), (60, 20))
    (august,) = told(Period(2018, 8))
    assert august.before is not None
    assert august.before.en == "Survey on our news"
    assert changes(august) == [40, -40, -25]
    (july,) = told()
    assert (july.before, changes(july)) == (None, [None, None, None])
    rate = july.answered
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 0.6 < rate.high


def test_a_change_that_chance_may_explain_is_none(two_surveys: Any) -> None:
    two_surveys((20, 50), (26, 43))
    (august,) = told(Period(2018, 8))
    assert august.before is not None
    assert changes(august) == [None, None, None]


def test_answers_are_not_compared_across_a_changed_form_and_bounces_are(two_surveys: Any) -> None:
    two_surveys((20, 60), (60, 20), is_changed=True)
    (august,) = told(Period(2018, 8))
    assert changes(august) == [40, None, None]


@pytest.mark.parametrize(("definition", "points"), [("d", 40), ("e", None), (None, None)])
def test_nothing_is_compared_where_other_checks_or_another_mapping_found_the_people(
    two_surveys: Any, store: Any, definition: str | None, points: int | None
) -> None:
    two_surveys((20, 60), (60, 20))
    store.do(
        'UPDATE ops.campaign_event SET counts = counts || \'{"frame": "2018-07"}\' '
        "WHERE campaign = 'august' AND kind = 'planned'"
    )
    if definition is None:
        store.do("DELETE FROM mart.patron_funnel")  # of neither it is known any more
    else:
        store.do(
            "INSERT INTO mart.patron_funnel SELECT (jsonb_populate_record(f, jsonb_build_object("
            "'period', '2018-07', 'definition_hash', %s::text))).* FROM mart.patron_funnel AS f",
            [definition],
        )
    (august,) = told(Period(2018, 8))
    assert str(august.frame_period) == "2018-07"
    assert changes(august)[0] == points
    assert (august.before is not None) is (points is not None)


def test_answers_are_not_compared_while_more_may_come(two_surveys: Any, store: Any) -> None:
    two_surveys((20, 60), (60, 20))
    store.do("DELETE FROM ops.campaign_event WHERE campaign = 'august' AND kind = 'closed'")
    (august,) = told(Period(2018, 8))
    assert changes(august) == [40, None, None]


def test_who_is_reachable_is_told_by_the_newest_sample_that_has_measured_it(
    two_surveys: Any, store: Any, clock: Any
) -> None:
    def told_at(month: int, day: int) -> Reachable | None:
        with warehouse.session() as session:
            return surveys.reachable(session, clock.at(2018, month, day))

    two_surveys((20, 60), (60, 20))
    newest, before = told_at(9, 1), told_at(8, 1)
    assert newest is not None
    assert before is not None
    assert (str(newest.drawn_date), round(newest.share, 1)) == ("2018-08-02", 0.4)
    assert (str(before.drawn_date), round(before.share, 1)) == ("2018-07-02", 0.8)
    store.do("UPDATE mart.campaign_group SET sampled_count = 0 WHERE campaign = 'august'")
    assert told_at(9, 1) == before
