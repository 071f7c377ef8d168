"""Who is asked is drawn at random and written down; nothing changes what was approved."""

from pathlib import Path
from typing import Any

import pytest
from survey import add_person, publish_people, use_campaigns, write_campaign

from engagement import address, survey_tables, warehouse
from engagement.errors import EngagementError
from engagement.measure import events, plan

GROUPS = {"staff": 100, "undergraduate": 600, "graduate": 200, "external": 100}


@pytest.fixture
def folder(world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path) -> Path:
    """A thousand people of June, and an empty folder of campaigns; it is the second of July."""
    clock.at(2018, 7, 2)
    publish_people(store, GROUPS)
    return use_campaigns(world, tmp_path / "campaigns")


def sentence_of(step: Any, *arguments: Any) -> str:
    with pytest.raises(EngagementError) as caught:
        step(*arguments)
    return str(caught.value)


def asked(store: Any) -> dict[str, int]:
    return dict(store.do("SELECT group_code, count(*) FROM core.invitation GROUP BY 1"))


def suppress(store: Any, kind: str, **key: Any) -> int:
    (column, value), *_ = key.items()
    store.do(
        f"INSERT INTO core.suppression_event ({column}, kind, event_at, recorded_at) "  # noqa: S608
        "VALUES (%s, %s, '2018-07-01', '2018-07-01')",
        [value, kind],
    )
    return int(store.value("SELECT max(event_id) FROM core.suppression_event"))


def test_a_check_shows_who_would_be_asked_and_keeps_nothing(folder: Path, store: Any) -> None:
    name = write_campaign(folder)
    found = plan.check(name)
    assert found.asked == {
        "staff": 20,
        "undergraduate": 120,
        "graduate": 40,
        "international": 0,
        "alumni_retired": 0,
        "external": 20,
        "pupil": 0,
    }
    assert (found.invited, found.waves) == (200, (100, 100))
    assert store.value("SELECT count(*) FROM core.invitation") == 0
    assert store.value("SELECT count(*) FROM ops.campaign_event") == 0


def test_a_check_names_a_form_that_is_missing(folder: Path) -> None:
    said = sentence_of(plan.check, write_campaign(folder, form="nothing"))
    assert "There is no form 'nothing'; there are: kkul-news-2018" in said


def test_a_check_says_which_margin_of_error_the_sample_gives(folder: Path, capsys: Any) -> None:
    numbers = dict.fromkeys(GROUPS, 50)
    sample = {"groups": list(GROUPS), "allocation": numbers}
    survey_tables.show_plan(plan.check(write_campaign(folder, sample=sample)))
    # Cochran 5.6: 1.96 * sqrt(sum of (N_h / N)^2 / 4 * (1 / n_h - 1 / N_h)); one for all would give 6.2 %.
    said = "Margin of error for all together: 8.4% at 95%, if everybody answers"
    assert said in " ".join(capsys.readouterr().out.split())
    sample |= {"expected_response_rate": 0.25}
    survey_tables.show_plan(plan.check(write_campaign(folder, sample=sample)))
    said = "Margin of error for all together: 17.7% at 95%, if 25% answer."
    assert said in " ".join(capsys.readouterr().out.split())


def test_the_drawn_list_is_kept_with_seed_stratum_and_inclusion_probability(
    folder: Path, store: Any
) -> None:
    plan.make(write_campaign(folder))
    assert asked(store) == {"staff": 20, "undergraduate": 120, "graduate": 40, "external": 20}
    assert store.do("SELECT DISTINCT inclusion_probability, period FROM core.invitation") == [
        (0.2, "2018-06")
    ]
    assert store.value("SELECT count(DISTINCT seed) FROM core.invitation") == 1
    assert store.do("SELECT wave, count(*) FROM core.invitation GROUP BY 1 ORDER BY 1") == [
        (1, 100),
        (2, 100),
    ]


def test_a_plan_stands_until_the_campaign_says_something_else(folder: Path, store: Any) -> None:
    name = write_campaign(folder)
    first = plan.make(name)
    assert plan.make(name) == first
    write_campaign(folder, sample__size=150)
    assert plan.make(name) != first
    assert sum(asked(store).values()) == 150
    with warehouse.session() as session:
        assert events.state(session, name).decision is None
    unasked = "SELECT count(*), count(i.person_key) FROM pii.survey_token AS t LEFT JOIN core.invitation AS i "
    assert store.do(f"{unasked} USING (campaign, person_key)") == [(150, 150)]


def test_two_samples_are_not_the_same_people(folder: Path, store: Any) -> None:
    write_campaign(folder)
    plan.make("july")
    first = {key for (key,) in store.do("SELECT person_key FROM core.invitation")}
    write_campaign(folder, title={"th": "อีกครั้ง", "en": "Again"})
    plan.make("july")
    second = {key for (key,) in store.do("SELECT person_key FROM core.invitation")}
    assert len(first) == len(second) == 200
    assert 10 < len(first & second) < 90  # 40 by chance, of a thousand


def test_the_first_wave_is_a_random_part_of_every_group(folder: Path, store: Any) -> None:
    plan.make(write_campaign(folder, sample__size=500, waves__sizes=[250]))
    waves = store.do(
        "SELECT group_code, count(*) FILTER (WHERE wave = 1), count(*) FROM core.invitation GROUP BY 1"
    )
    assert len(waves) == 4
    for _, first, count in waves:
        assert 0.2 < first / count < 0.8


def test_who_objected_or_whose_address_is_dead_is_left_out_and_counted(
    folder: Path, store: Any
) -> None:
    key = address.secret()
    suppress(store, "hard_bounce", address_key=address.digest("person-1@kku.example.com", key))
    patron = store.value("SELECT patron_key FROM core.patron_month WHERE record_no = 2")
    suppress(store, "opt_out", patron_key=patron)
    lifted = suppress(
        store, "complaint", address_key=address.digest("person-3@kku.example.com", key)
    )
    store.do(
        "INSERT INTO core.suppression_event (address_key, kind, lifts_event_id, event_at, recorded_at) "
        "VALUES (%s, 'lifted', %s, '2018-07-01', '2018-07-01')",
        [address.digest("person-3@kku.example.com", key), lifted],
    )
    frame = plan.check(write_campaign(folder)).frame
    assert frame.left_out == {"suppressed": {"staff": 2}}
    assert frame.people["staff"] == 98


def test_an_objection_holds_for_all_records_of_the_person(folder: Path, store: Any) -> None:
    first = add_person(store, "two-records@kku.example.com", "staff")
    second = add_person(store, "other@kku.example.com", "graduate", person=first)
    suppress(store, "opt_out", patron_key=second)
    frame = plan.check(write_campaign(folder)).frame
    assert frame.left_out == {"suppressed": {"staff": 1}}


def test_a_person_with_two_records_is_asked_at_the_address_that_takes_mail(
    folder: Path, store: Any
) -> None:
    first = add_person(store, "dead@kku.example.com", "staff")
    add_person(store, "alive@kku.example.com", "graduate", person=first)
    suppress(
        store, "hard_bounce", address_key=address.digest("dead@kku.example.com", address.secret())
    )
    plan.make(write_campaign(folder, sample__size=1001))
    found = store.do(
        "SELECT a.address, i.group_code FROM core.invitation AS i "
        "INNER JOIN pii.address AS a USING (address_key) WHERE i.person_key = %s",
        [first],
    )
    assert found == [("alive@kku.example.com", "graduate")]


def test_of_people_who_share_an_address_one_is_asked_and_weighs_for_all(
    folder: Path, store: Any
) -> None:
    for _ in range(3):
        add_person(store, "shared@kku.example.com", "pupil")
    plan.make(write_campaign(folder, sample__size=1001))
    assert asked(store)["pupil"] == 1
    assert store.value(
        "SELECT inclusion_probability FROM core.invitation WHERE group_code = 'pupil'"
    ) == pytest.approx(1 / 3)
    assert plan.check("july").frame.left_out == {"shared address": {"pupil": 2}}


def test_who_was_asked_lately_is_left_in_peace(folder: Path, store: Any) -> None:
    plan.make(write_campaign(folder, campaign="before", sample__size=300))
    store.do(
        "INSERT INTO core.message (purpose, ref, step, recipient_key, token, state, queued_at, due_at, sent_at) "
        "SELECT 'survey', campaign, 'invite', address_key, gen_random_uuid()::text, 'sent', drawn_at, drawn_at, "
        "CASE WHEN wave = 1 THEN timestamptz '2018-02-02' ELSE '2017-12-31' END FROM core.invitation"
    )
    frame = plan.check(write_campaign(folder)).frame
    assert (
        sum(frame.left_out["asked lately"].values()) == 100
    )  # those of February; six months are over since 2017
    assert sum(frame.people.values()) == 900


def test_who_is_on_the_list_of_another_campaign_is_left_out_unless_that_one_was_refused(
    folder: Path,
) -> None:
    name = write_campaign(folder, campaign="other", sample__size=300)
    plan_hash = plan.make(name)
    assert sum(plan.check(write_campaign(folder)).frame.people.values()) == 700
    with warehouse.session() as session:
        events.add(session, name, "rejected", plan_hash=plan_hash, actor="anna")
    assert sum(plan.check("july").frame.people.values()) == 1000


@pytest.mark.parametrize(
    ("state", "end", "count"),
    [
        ("queued", None, 300),
        ("queued", "closed", 0),
        ("sending", "closed", 300),
        ("uncertain", "closed", 300),
        ("caught", "closed", 0),
        ("withdrawn", "closed", 0),
    ],
)
def test_whose_mail_of_another_campaign_is_on_its_way_or_may_have_arrived_was_asked(
    folder: Path, store: Any, state: str, end: Any, count: int
) -> None:
    name = write_campaign(folder, campaign="before", sample__size=300)
    plan_hash = plan.make(name)
    claimed = None if state in ("queued", "withdrawn") else "2018-07-01"
    store.do(
        "INSERT INTO core.message (purpose, ref, step, recipient_key, token, state, queued_at, due_at, claimed_at, "
        "sent_at) SELECT 'survey', campaign, 'invite', address_key, gen_random_uuid()::text, %s, '2018-07-01', "
        "'2018-07-01', %s, %s FROM core.invitation",
        [state, claimed, "2018-07-01" if state == "caught" else None],
    )
    if end is not None:
        with warehouse.session() as session:
            events.add(session, name, end, plan_hash=plan_hash)
    left_out = plan.check(write_campaign(folder)).frame.left_out
    assert sum(left_out.get("asked lately", {}).values()) == count


def test_whose_mail_may_have_arrived_long_ago_may_be_asked_again(folder: Path, store: Any) -> None:
    name = write_campaign(folder, campaign="before", sample__size=300)
    plan_hash = plan.make(name)
    store.do(
        "INSERT INTO core.message (purpose, ref, step, recipient_key, token, state, queued_at, due_at, claimed_at) "
        "SELECT 'survey', campaign, 'invite', address_key, gen_random_uuid()::text, 'uncertain', '2017-12-31', "
        "'2017-12-31', '2017-12-31' FROM core.invitation"
    )
    with warehouse.session() as session:
        events.add(session, name, "closed", plan_hash=plan_hash)
    assert plan.check(write_campaign(folder)).frame.left_out == {}


def test_a_frame_that_is_not_published_is_named(folder: Path) -> None:
    said = sentence_of(plan.check, write_campaign(folder, frame="2018-05"))
    assert "asks people of 2018-05, of which nothing is published yet" in said


def test_a_plan_cannot_be_made_when_its_approval_is_over(folder: Path, clock: Any) -> None:
    clock.at(2018, 7, 8, 19)
    said = sentence_of(plan.make, write_campaign(folder))
    assert "was to be approved by 2018-07-08 18:00, which is over" in said


def test_what_has_begun_cannot_be_changed(folder: Path, store: Any) -> None:
    name = write_campaign(folder)
    plan_hash = plan.make(name)
    with warehouse.session() as session:
        events.add(session, name, "wave opened", plan_hash=plan_hash, counts={"wave": 1})
    write_campaign(folder, sample__size=199)
    assert "of the campaign july was changed since it was planned" in sentence_of(plan.make, name)
