"""Who repairs and who answers for the report hears that it failed or is late; its readers only if it stays so."""

from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest
from test_report_mail import MailWorld, publish_figures, sentence_of

from engagement.mail import MailServer
from engagement.monitor import alerts, release
from engagement.period import Period
from engagement.settings import settings
from engagement_airflow import alerts as callbacks

MAY, JUNE = Period(2018, 5), Period(2018, 6)
OWNER, ENGINEER = "customer-relations@library.example.com", "data@library.example.com"


@pytest.fixture
def mails() -> MailWorld:
    return MailWorld()


@pytest.fixture
def server(mails: MailWorld, listen: Any) -> MailServer:
    made: MailServer = listen(mails)
    return made


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A warehouse of an empty month, and the shipped list of people; the report on June is due on 6 July at 8."""
    world.setenv("ENGAGEMENT_MAIL", "live")
    world.setenv("ENGAGEMENT_ARCHIVE", str(tmp_path / "archive"))
    settings.cache_clear()


def text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_month_that_was_never_run_is_told_to_engineer_and_owner_an_hour_late_and_once(
    mails: MailWorld, server: MailServer, clock: Any
) -> None:
    clock.at(2018, 7, 6, 8)
    assert alerts.look() == []
    clock.at(2018, 7, 6, 9)
    assert alerts.look() == ["late"]
    assert alerts.send(server) == 2
    assert alerts.look() == []
    assert alerts.send(server) == 0
    assert sorted(mails.reached()) == [OWNER, ENGINEER]
    message = mails.received[0][1]
    assert message["Subject"] == (
        "รายงานประจำเดือนมิถุนายน 2561 ยังไม่ได้ส่ง / The report for June 2018 has not gone out"
    )
    said = text(message)
    assert "It was due on 6 July 2018, 08:00." in said
    assert "whether model_patrons has run" in said
    assert "กำหนดส่ง 6 กรกฎาคม 2561 เวลา 08.00 น." in said


def test_a_report_that_waits_for_its_approver_is_told_as_that(
    mails: MailWorld, server: MailServer, clock: Any, store: Any
) -> None:
    publish_figures(store, "2018-06", real=12_083)
    release.cut(JUNE, "a run")
    clock.at(2018, 7, 6, 9)
    alerts.look()
    alerts.send(server)
    assert "an approver is asked under Required Actions" in text(mails.received[0][1])


def test_a_report_that_went_out_is_never_late(server: MailServer, clock: Any, store: Any) -> None:
    publish_figures(store, "2018-06", real=12_083)
    release.send(JUNE, server, release.cut(JUNE, "a run"))
    clock.at(2018, 7, 30)
    assert alerts.look() == []


def test_readers_get_one_line_in_their_language_when_it_stays_late_until_the_next_working_day(
    mails: MailWorld, server: MailServer, clock: Any, store: Any
) -> None:
    store.do("INSERT INTO ops.report_release VALUES ('2018-05', 1, NULL, '2018-06-08')")
    clock.at(2018, 7, 9, 7)  # the 7th and 8th are Saturday and Sunday
    assert alerts.look() == ["late"]
    clock.at(2018, 7, 9, 8)
    assert alerts.look() == ["readers"]
    assert alerts.look() == []
    alerts.send(server)
    got = {to[0]: text(message) for to, message in mails.received}
    assert got["dean@library.example.com"] == (
        "The report for June 2018 is late; the library works on it.\n"
    )
    assert got["director@library.example.com"].startswith("รายงานประจำเดือนมิถุนายน 2561 ล่าช้า")
    assert got["director@library.example.com"].count("\n") == 1


def test_who_has_never_had_a_report_is_not_told_that_one_is_late(clock: Any) -> None:
    clock.at(2018, 7, 20)
    assert alerts.look() == ["late"]


def test_a_failed_run_is_told_once_for_each_month_and_dag(
    mails: MailWorld, server: MailServer
) -> None:
    run = SimpleNamespace(dag_id="model_patrons", partition_key="2018-06")
    for _ in range(2):
        callbacks.task_failed({"dag_run": run})
        alerts.send(server)
    run.dag_id = "monitor_report"
    callbacks.task_failed({"dag_run": run})
    alerts.send(server)
    callbacks.run_is_stuck({"dag_run": {"dag_id": "model_patrons", "partition_key": "2018-06"}})
    alerts.send(server)
    subjects = [message["Subject"] for to, message in mails.received if to == [OWNER]]
    assert [subject.split(" / ")[1] for subject in subjects] == [
        "model_patrons failed for June 2018",
        "monitor_report failed for June 2018",
        "model_patrons has not ended for June 2018",
    ]


@pytest.mark.parametrize("key", [None, "june"])
def test_a_run_without_a_period_tells_nobody_but_who_started_it(store: Any, key: Any) -> None:
    run = SimpleNamespace(dag_id="model_patrons", partition_key=key)
    callbacks.task_failed({"dag_run": run})
    assert store.value("SELECT count(*) FROM core.message") == 0


def test_who_is_refused_is_not_tried_again_every_quarter_of_an_hour(
    mails: MailWorld, server: MailServer, clock: Any
) -> None:
    clock.at(2018, 7, 6, 9)
    mails.refusals[ENGINEER] = "550 5.1.1 no such user"
    assert alerts.look() == ["late"]
    assert "refused 1 mail(s) of alert 2018-06" in sentence_of(alerts.send, server)
    mails.refusals.clear()
    assert alerts.look() == []
    assert alerts.send(server) == 0
    assert mails.reached() == [OWNER]


def test_an_alert_that_the_mail_server_did_not_take_goes_out_with_a_later_look(
    mails: MailWorld, server: MailServer
) -> None:
    mails.refusals[ENGINEER] = "450 4.2.0 later"
    alerts.tell_of_run(JUNE, "failed", "model_patrons")
    assert "did not take 1 mail(s) of alert 2018-06" in sentence_of(alerts.send, server)
    mails.refusals.clear()
    from datetime import timedelta

    from engagement import clock as business

    business.move(settings().clock_file, business.now() + timedelta(hours=1))  # type: ignore[arg-type]
    assert alerts.send(server) == 1
    assert sorted(mails.reached()) == [OWNER, ENGINEER]
