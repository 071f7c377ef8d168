"""What was kept long enough goes, from tables, old months and files; what is still needed stays."""

import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engagement import address, warehouse
from engagement.errors import EngagementError
from engagement.measure import figures
from engagement.privacy import retention
from engagement.settings import settings

BANGKOK = ZoneInfo("Asia/Bangkok")
CLOSED = datetime(2018, 7, 19, tzinfo=BANGKOK)


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any) -> None:
    """Every test here has a warehouse and a clock."""


@pytest.fixture
def home(world: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder in which the product keeps its files, of this test alone."""
    folder = tmp_path / "var"
    world.setenv("ENGAGEMENT_HOME", str(folder))
    settings.cache_clear()
    return folder


def key_of(email: str) -> bytes:
    return address.digest(email, address.secret())


def close(store: Any, campaign: str) -> None:
    store.do(
        "INSERT INTO ops.campaign_event (campaign, kind, event_at) VALUES (%s, 'closed', %s)",
        [campaign, CLOSED],
    )


def respond(store: Any, campaign: str, token: str) -> int:
    """Let somebody be invited and answer with his token, in his own words."""
    person = uuid.uuid4()
    store.do(
        "INSERT INTO core.invitation (campaign, person_key, address_key, period, group_code, wave, language, "
        "inclusion_probability, seed, drawn_at) VALUES (%s, %s, %s, '2018-06', 'staff', 1, 'th', 1, 1, %s)",
        [campaign, person, key_of(f"{token}@kku.example.com"), CLOSED],
    )
    store.do("INSERT INTO pii.survey_token VALUES (%s, %s, %s)", [token, campaign, person])
    number: int = store.value(
        "INSERT INTO core.response (campaign, response_key, form_hash, kind, answered_at, imported_at) "
        "VALUES (%s, %s, 'h', 'counted', %s, %s) RETURNING response_id",
        [campaign, token.encode(), CLOSED, CLOSED],
    )
    store.do("INSERT INTO pii.response_token VALUES (%s, %s)", [number, token])
    store.do("INSERT INTO pii.answer_text VALUES (%s, 'suggestion', 'words')", [number])
    return number


def come_back(store: Any, kept_at: datetime, mark: str) -> int:
    """Keep a returned mail, and what it was taken for."""
    number: int = store.value(
        "INSERT INTO pii.returned_mail (mailbox, mark, content, received_at, kept_at) "
        "VALUES ('bounces', %s, 'a mail', %s, %s) RETURNING mail_id",
        [mark, kept_at, kept_at],
    )
    store.do(
        "INSERT INTO core.bounce (mail_id, verdict, rule, recorded_at) VALUES (%s, 'hard', 'r', %s)",
        [number, kept_at],
    )
    return number


def publish(store: Any, period: str, *emails: str) -> list[uuid.UUID]:
    """Publish a month of patrons with these addresses; return their keys."""
    name = period.replace("-", "_")
    with warehouse.session() as session:
        session.add_partition("core.patron_month", f"patron_month_{name}", period)
        session.add_partition("core.rejection", f"rejection_{name}", period)
    keys = []
    for number, email in enumerate(emails, 1):
        key = store.value(
            "INSERT INTO pii.patron (source, source_id, first_seen_at) VALUES ('autolib', %s, now()) "
            "ON CONFLICT (source, source_id) DO UPDATE SET source = excluded.source RETURNING patron_key",
            [email],
        )
        keys.append(key)
        store.do(
            "INSERT INTO core.patron_month VALUES (%s, %s, %s, true, true, 'staff', %s, %s)",
            [period, key, number, key, key_of(email)],
        )
        store.do("INSERT INTO core.rejection VALUES (%s, %s, 'email', true)", [period, number])
        store.do("INSERT INTO core.person_link VALUES (%s, %s, %s, 1)", [period, key, key])
        store.do(
            "INSERT INTO pii.address VALUES (%s, %s) ON CONFLICT DO NOTHING", [key_of(email), email]
        )
    return keys


def lend(store: Any, patron: Any, loan: str, began: str, back: str | None) -> None:
    store.do(
        "INSERT INTO core.loan (source, loan_id, patron_key, loaned_at, returned_at, as_of_at) "
        "VALUES ('autolib', %s, %s, %s, %s, %s)",
        [loan, patron, began, back, began],
    )


def column(store: Any, query: str) -> list[Any]:
    return [row[0] for row in store.do(query)]


# Surveys


def test_whose_link_a_token_is_is_forgotten_thirty_days_after_the_campaign_was_closed(
    store: Any, clock: Any
) -> None:
    respond(store, "july", "k1")
    respond(store, "august", "k2")
    close(store, "july")
    tokens = "SELECT token FROM pii.survey_token UNION ALL SELECT token FROM pii.response_token"
    clock.at(2018, 8, 18)
    retention.keep_surveys()
    assert sorted(column(store, tokens)) == ["k1", "k1", "k2", "k2"]
    clock.at(2018, 8, 20)
    assert retention.keep_surveys()["pii.survey_token"] == 1
    assert column(store, tokens) == ["k2", "k2"]  # one that is open keeps its own
    assert store.value("SELECT count(*) FROM core.response") == 2


def test_what_people_wrote_goes_after_a_year_and_what_they_ticked_stays(
    store: Any, clock: Any
) -> None:
    number = respond(store, "july", "k1")
    store.do("INSERT INTO core.answer VALUES (%s, 'channel', 'radio')", [number])
    clock.at(2019, 7, 18)
    assert retention.keep_surveys()["pii.answer_text"] == 0
    clock.at(2019, 7, 20)
    assert retention.keep_surveys()["pii.answer_text"] == 1
    assert store.value("SELECT count(*) FROM core.answer") == 1


def test_a_returned_mail_is_emptied_after_half_a_year_and_never_read_again(
    store: Any, clock: Any
) -> None:
    come_back(store, CLOSED, "1")
    come_back(store, datetime(2019, 1, 10, tzinfo=BANGKOK), "2")
    clock.at(2019, 1, 20)
    assert retention.keep_surveys()["pii.returned_mail"] == 1
    assert store.do("SELECT mark, content FROM pii.returned_mail ORDER BY mark") == [
        ("1", b""),
        ("2", b"a mail"),
    ]
    assert column(store, "SELECT verdict FROM core.bounce") == ["hard", "hard"]
    with warehouse.session() as session:
        new = session.rows("measure/new_marks", mailbox="bounces", marks=["1", "2", "3"])
        unread = session.rows("measure/unread_returned_mail", after=0, size=9)
    assert [row.mark for row in new] == ["3"]
    assert unread == []


def test_a_no_and_a_dead_address_have_no_end_but_a_soft_bounce_has(store: Any, clock: Any) -> None:
    kinds = ("soft_bounce", "hard_bounce", "opt_out", "complaint", "soft_bounces")
    for kind in kinds:
        store.do(
            "INSERT INTO core.suppression_event (address_key, kind, event_at, recorded_at) "
            "VALUES ('\\x01', %s, %s, %s)",
            [kind, CLOSED, CLOSED],
        )
    clock.at(2030, 1, 1)
    assert retention.keep_surveys()["core.suppression_event"] == 1
    assert set(column(store, "SELECT kind FROM core.suppression_event")) == set(kinds) - {
        "soft_bounce"
    }


def test_who_was_asked_is_forgotten_three_years_after_the_campaign_was_closed_and_its_figures_stay(
    store: Any, clock: Any
) -> None:
    for campaign in ("july", "august"):
        respond(store, campaign, f"{campaign}@kku.example.com")
        message = store.value(
            "INSERT INTO core.message (purpose, ref, recipient_key, step, token, state, queued_at, due_at) "
            "VALUES ('survey', %s, %s, 'invite', %s, 'sent', %s, %s) RETURNING message_id",
            [campaign, key_of(f"{campaign}@kku.example.com"), campaign, CLOSED, CLOSED],
        )
        number = come_back(store, CLOSED, campaign)
        store.do(
            "UPDATE core.bounce SET message_id = %s, address_key = '\x01' WHERE mail_id = %s",
            [message, number],
        )
        store.do(
            "INSERT INTO mart.campaign_group VALUES (%s, 'staff', 10, 1, 1, 1, 0, 0, 0, 0, 1, 1, %s)",
            [campaign, CLOSED],
        )
    close(store, "july")
    clock.at(2021, 7, 18)
    assert retention.keep_surveys()["core.invitation"] == 0
    clock.at(2021, 7, 20)
    counts = retention.keep_surveys()
    assert [counts[place] for place in ("core.bounce", "core.message", "core.invitation")] == [
        1
    ] * 3
    assert column(store, "SELECT campaign FROM core.invitation") == ["august"]
    assert column(store, "SELECT ref FROM core.message") == ["august"]
    assert store.value("SELECT count(*) FROM core.bounce WHERE verdict = 'hard'") == 2
    assert store.value("SELECT count(*) FROM core.bounce WHERE address_key IS NULL") == 1
    figures.count("july")
    assert store.do("SELECT campaign, invited_count FROM mart.campaign_group ORDER BY 1") == [
        ("august", 1),
        ("july", 1),
    ]


# Patrons


def test_months_go_after_three_years_with_their_tables_and_the_figures_stay(
    store: Any, clock: Any
) -> None:
    publish(store, "2015-05", "old@kku.example.com", "both@kku.example.com")
    publish(store, "2015-06", "both@kku.example.com")
    store.do(
        "INSERT INTO mart.patron_funnel VALUES ('2015-05', 1, 2, 2, 2, 2, 2, 0, "
        "'2015-05-31', '2015-05-31', 'd', '2015-06-01')"
    )
    clock.at(2018, 6, 30)  # three years after the last day of June 2015: not yet
    counts = retention.keep_patrons()
    assert (counts["core.patron_month"], counts["core.rejection"], counts["core.person_link"]) == (
        2,
        2,
        2,
    )
    for table in ("core.patron_month", "core.rejection", "core.person_link"):
        assert set(column(store, f"SELECT period FROM {table}")) == {"2015-06"}  # noqa: S608
    assert store.value("SELECT to_regclass('core.patron_month_2015_05')") is None
    assert store.value("SELECT to_regclass('core.rejection_2015_05')") is None
    assert column(store, "SELECT period FROM mart.patron_funnel") == ["2015-05"]


def test_whom_nothing_refers_to_any_more_is_forgotten_with_his_address(
    store: Any, clock: Any
) -> None:
    publish(store, "2015-05", "old@kku.example.com", "both@kku.example.com")
    publish(store, "2018-05", "both@kku.example.com")
    clock.at(2018, 7, 2)
    counts = retention.keep_patrons()
    assert (counts["pii.patron"], counts["pii.address"]) == (1, 1)
    assert column(store, "SELECT source_id FROM pii.patron") == ["both@kku.example.com"]
    assert column(store, "SELECT address FROM pii.address") == ["both@kku.example.com"]


def test_whoever_said_no_or_has_an_item_or_waits_for_a_mail_is_not_forgotten(
    store: Any, clock: Any
) -> None:
    emails = [f"{what}@kku.example.com" for what in ("no", "item", "mail", "sample", "gone")]
    no, item, *_ = publish(store, "2015-05", *emails)
    store.do(
        "INSERT INTO core.suppression_event (patron_key, kind, event_at, recorded_at) "
        "VALUES (%s, 'opt_out', '2015-06-01', '2015-06-01')",
        [no],
    )
    lend(store, item, "L1", "2015-05-02", None)
    store.do(
        "INSERT INTO core.message (purpose, ref, recipient_key, step, token, state, queued_at, due_at) "
        "VALUES ('report', '2018-06', %s, 'v1', 't', 'queued', '2018-07-01', '2018-07-01')",
        [key_of("mail@kku.example.com")],
    )
    respond(store, "open", "sample")
    clock.at(2018, 7, 2)
    retention.keep_patrons()
    assert set(column(store, "SELECT patron_key FROM pii.patron")) == {no, item}
    assert set(column(store, "SELECT address FROM pii.address")) == {
        "mail@kku.example.com",
        "sample@kku.example.com",
    }


def test_an_old_loan_is_nobodys_once_the_item_came_back(store: Any, clock: Any) -> None:
    (patron,) = publish(store, "2018-05", "a@kku.example.com")
    lend(store, patron, "came back", "2015-03-02", "2015-04-02")
    lend(store, patron, "still out", "2015-03-02", None)
    lend(store, patron, "came back late", "2015-03-02", "2018-04-02")
    clock.at(2018, 7, 2)
    assert retention.keep_patrons()["core.loan"] == 1
    assert column(store, "SELECT loan_id FROM core.loan WHERE patron_key IS NULL") == ["came back"]
    assert store.value("SELECT count(*) FROM core.loan") == 3


def test_reports_and_the_log_of_readings_go_after_three_years(store: Any, clock: Any) -> None:
    for period in ("2015-05", "2018-05"):
        store.do(
            "INSERT INTO ops.report VALUES (%s, 1, 'th', 's', 'h', 't', 'c', '2018-07-01')",
            [period],
        )
        store.do(
            "INSERT INTO ops.pii_read (read_at, actor, command, purpose, row_count) "
            "VALUES (%s, 'anna', 'rejects', 'p', 1)",
            [f"{period}-10"],
        )
    clock.at(2018, 7, 2)
    counts = retention.keep_patrons()
    assert (counts["ops.report"], counts["ops.pii_read"]) == (1, 1)
    assert column(store, "SELECT period FROM ops.report") == ["2018-05"]


# Files


def written(path: Path, year: int, month: int, day: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("values of patrons")
    instant = datetime(year, month, day, tzinfo=BANGKOK).timestamp()
    os.utime(path, (instant, instant))
    return path


def test_exports_are_deleted_after_thirty_days_also_what_a_killed_one_left(
    home: Path, clock: Any
) -> None:
    old = written(home / "exports" / "rejects-2018-05.xlsx", 2018, 6, 1)
    left = written(home / "exports" / ".rejects-x" / "sheet1.xml", 2018, 6, 1)
    new = written(home / "exports" / "rejects-2018-06.xlsx", 2018, 6, 20)
    clock.at(2018, 7, 2)
    assert retention.keep_files() == {
        "var/exports": 2, "var/opt-outs": 0, "var/answers": 0, "archive": 0,
    }  # fmt: skip
    assert [path.exists() for path in (old, left, new)] == [False, False, True]


def test_answers_with_their_links_are_deleted_thirty_days_after_the_campaign_was_closed(
    home: Path, store: Any, clock: Any
) -> None:
    closed = written(home / "answers" / "july" / "a.csv", 2018, 7, 15)
    late = written(home / "answers" / "july" / "late.csv", 2018, 8, 30)
    still_open = written(home / "answers" / "august" / "b.csv", 2018, 7, 15)
    close(store, "july")
    clock.at(2018, 9, 2)
    assert retention.keep_files()["var/answers"] == 1
    assert [path.exists() for path in (closed, late, still_open)] == [False, True, True]


def test_clicks_are_forgotten_three_years_after_their_month(
    home: Path, store: Any, clock: Any
) -> None:
    old = written(home / "opt-outs" / "2018-06.log", 2018, 6, 30)
    new = written(home / "opt-outs" / "2018-07.log", 2018, 7, 31)
    clock.at(2021, 7, 2)
    assert retention.keep_files()["var/opt-outs"] == 1
    assert [path.exists() for path in (old, new)] == [False, True]


def test_months_leave_the_archive_with_the_reports(home: Path, store: Any, clock: Any) -> None:
    old = written(home / "archive" / "2015-05" / "1" / "report-th.html", 2015, 6, 8)
    new = written(home / "archive" / "2015-07" / "1" / "report-th.html", 2015, 8, 8)
    index = written(home / "archive" / "index.html", 2015, 8, 8)
    clock.at(2018, 7, 2)
    assert retention.keep_files()["archive"] == 1
    assert [path.exists() for path in (old.parents[1], new, index)] == [False, True, True]


# How


def test_each_deletion_is_written_down_with_its_count(store: Any, home: Path, clock: Any) -> None:
    clock.at(2019, 9, 2)
    come_back(store, CLOSED, "1")
    counts = retention.keep_surveys() | retention.keep_patrons() | retention.keep_files()
    runs = store.do("SELECT place, deleted_count, run_at FROM ops.retention_run")
    assert {place: count for place, count, _ in runs} == counts
    assert counts["pii.returned_mail"] == 1
    assert set(retention.days()) <= set(counts)
    assert {at.astimezone(BANGKOK).year for _, _, at in runs} == {2019}


def test_a_second_run_deletes_nothing(store: Any, home: Path, clock: Any) -> None:
    publish(store, "2015-05", "old@kku.example.com")
    come_back(store, CLOSED, "1")
    clock.at(2019, 9, 2)
    first = retention.keep_surveys() | retention.keep_patrons() | retention.keep_files()
    assert sum(first.values()) > 4
    again = retention.keep_surveys() | retention.keep_patrons() | retention.keep_files()
    assert set(again.values()) == {0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pii.survey_token: 30", "it must name each place once and no other"),
        ("pii.survey_token: never", "pii.survey_token: "),
        ("pii.survey_token: 0", "pii.survey_token: "),
    ],
)
def test_a_file_of_days_that_says_something_else_ends_in_a_sentence(
    text: str, said: str, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "retention.yaml").write_text(text)
    world.setattr(retention, "INCLUDE", tmp_path)
    retention.days.cache_clear()
    try:
        with pytest.raises(EngagementError, match=r"retention\.yaml: ") as caught:
            retention.keep_surveys()
    finally:
        retention.days.cache_clear()
    assert said in str(caught.value)
