"""Who repairs and who answers for the report hears that it failed or is late; its readers only if it stays so."""

import json
from email.message import EmailMessage
from pathlib import Path
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
DIRECTOR, DEAN, DEPUTY = (f"{who}@library.example.com" for who in ("director", "dean", "deputy"))


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


def had_may(store: Any) -> None:
    """Let the report on May have reached somebody."""
    store.do(
        "INSERT INTO core.message (purpose, ref, step, recipient_key, token, state, queued_at, due_at) "
        "VALUES ('report', '2018-05', 'report-v1', '', '', 'sent', '2018-06-08', '2018-06-08')"
    )


def failed(
    dag_id: str, task_id: str, run_id: str = "run 1", period: str | None = "2018-06"
) -> None:
    run = SimpleNamespace(dag_id=dag_id, run_id=run_id, partition_key=period)
    callbacks.task_failed({"dag_run": run, "ti": SimpleNamespace(task_id=task_id)})


def stuck(dag_id: str) -> None:
    run = {"dag_id": dag_id, "dag_run_id": "run 1", "partition_key": "2018-06"}
    callbacks.run_is_stuck({"dag_run": run})


@pytest.fixture
def own(world: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of recipients that may be edited."""
    path = tmp_path / "report.yaml"
    path.write_bytes(settings().report_file.read_bytes())
    world.setenv("ENGAGEMENT_REPORT_FILE", str(path))
    settings.cache_clear()
    return path


def subjects_to(mails: MailWorld, address: str) -> list[str]:
    return [
        message["Subject"].split(" / ")[-1] for to, message in mails.received if to == [address]
    ]


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
    had_may(store)
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


def test_a_report_that_the_relay_did_not_take_is_late_and_its_mails_are_counted(
    mails: MailWorld, server: MailServer, clock: Any, store: Any
) -> None:
    had_may(store)
    publish_figures(store, "2018-06", real=12_083)
    clock.at(2018, 7, 6, 8)
    for to in (DEAN, DEPUTY):
        mails.refusals[to] = "450 4.2.0 later"
    sentence_of(release.send, JUNE, server, release.cut(JUNE, "a run"))
    clock.at(2018, 7, 6, 9)
    assert alerts.look() == ["late"]
    assert alerts.send(server) == 2
    assert "2 of its mails wait for the mail server" in text(mails.received[-1][1])
    mails.refusals.clear()
    clock.at(2018, 7, 9, 8)
    assert alerts.look() == ["readers"]
    alerts.send(server)
    late = [
        to[0] for to, message in mails.received if message["Subject"].endswith(("late", "ล่าช้า"))
    ]
    assert sorted(late) == [DEAN, DEPUTY]  # the director has the report


def test_a_report_that_only_the_catch_all_address_had_is_late(
    mails: MailWorld, server: MailServer, clock: Any, store: Any, world: pytest.MonkeyPatch
) -> None:
    publish_figures(store, "2018-06", real=12_083)
    clock.at(2018, 7, 6, 8)
    with world.context() as testing:
        testing.setenv("ENGAGEMENT_MAIL", "caught")
        testing.setenv("ENGAGEMENT_MAIL_CATCH_ALL", "all@library.example.com")
        settings.cache_clear()
        release.send(JUNE, server, release.cut(JUNE, "a run"))
    settings.cache_clear()
    clock.at(2018, 7, 9, 9)
    assert alerts.look() == ["late"]  # and nobody has ever had a report
    alerts.send(server)
    assert "3 of its mails went to the catch-all address alone" in text(mails.received[-1][1])
    release.send(JUNE, server, 1)
    clock.at(2018, 7, 20)
    assert alerts.look() == []


def test_one_refused_reader_makes_no_report_late(
    mails: MailWorld, server: MailServer, clock: Any, store: Any
) -> None:
    publish_figures(store, "2018-06", real=12_083)
    mails.refusals[DEAN] = "550 5.1.1 no such user"
    sentence_of(release.send, JUNE, server, release.cut(JUNE, "a run"))
    clock.at(2018, 7, 30)
    assert alerts.look() == []


def test_nobody_reads_that_a_report_is_late_once_it_is_out(
    mails: MailWorld, server: MailServer, clock: Any, store: Any
) -> None:
    had_may(store)
    publish_figures(store, "2018-06", real=12_083)
    clock.at(2018, 7, 9, 8)
    assert alerts.look() == ["late", "readers"]
    release.send(JUNE, server, release.cut(JUNE, "a run"))
    assert alerts.send(server) == 0
    assert sorted(mails.reached()) == [DEAN, DEPUTY, DIRECTOR]


def test_who_has_never_had_a_report_is_not_told_that_one_is_late(clock: Any) -> None:
    clock.at(2018, 7, 20)
    assert alerts.look() == ["late"]


def test_each_failed_task_of_a_run_is_told_once_and_so_is_a_run_that_hangs(
    mails: MailWorld, server: MailServer
) -> None:
    for _ in range(2):
        failed("monitor_report", "render")
        failed("monitor_report", "send")
    failed("monitor_report", "send", "manual__2018-07-07T00:00:00+00:00")
    failed("model_patrons", "extract")
    for _ in range(2):
        stuck("model_patrons")
    alerts.send(server)
    assert subjects_to(mails, OWNER) == [
        *["monitor_report failed for June 2018"] * 3,
        "model_patrons failed for June 2018",
        "model_patrons has not ended for June 2018",
    ]
    said = [text(message) for to, message in mails.received if to == [OWNER]]
    assert "The task render of monitor_report failed." in said[0]
    assert "The task send of monitor_report failed." in said[1]


def test_a_failure_is_mailed_at_once_where_there_is_a_mail_server_and_else_by_the_watch(
    mails: MailWorld, server: MailServer, world: pytest.MonkeyPatch
) -> None:
    failed("model_patrons", "extract")
    assert mails.received == []
    relay = {"conn_type": "smtp", "host": "127.0.0.1", "port": 1}
    relay["extra"] = {"from_email": server.sender, "disable_ssl": True, "disable_tls": True}
    world.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(relay))
    failed("model_patrons", "check")  # nothing answers there
    assert mails.received == []
    relay["port"] = server.port
    world.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(relay))
    stuck("model_patrons")
    assert len(subjects_to(mails, OWNER)) == 3
    assert alerts.send(server) == 0


@pytest.mark.parametrize("key", [None, "june"])
def test_a_run_without_a_period_tells_nobody_but_who_started_it(store: Any, key: Any) -> None:
    failed("model_patrons", "extract", period=key)
    assert store.value("SELECT count(*) FROM core.message") == 0


def test_a_mistake_in_the_file_of_recipients_is_told_to_whom_it_named_last_and_silences_no_alert(
    mails: MailWorld, server: MailServer, clock: Any, own: Path
) -> None:
    clock.at(2018, 7, 6, 7)
    alerts.look()
    right = own.read_text("utf-8")
    own.write_text(right.replace("working_day: 5", "workingday: 5"), "utf-8")
    failed("monitor_report", "wait")
    for _ in range(2):
        assert "workingday" in sentence_of(alerts.look)
    assert alerts.send(server) == 4
    assert subjects_to(mails, ENGINEER) == subjects_to(mails, OWNER)
    assert subjects_to(mails, OWNER) == [
        "monitor_report failed for June 2018",
        "The file of the report's recipients is wrong",
    ]
    clock.at(2018, 7, 7, 7)
    sentence_of(alerts.look)
    assert alerts.send(server) == 2
    own.write_text(right.replace("data@library.example.com", "new@library.example.com"), "utf-8")
    alerts.look()
    own.write_text("recipients: [", "utf-8")
    failed("monitor_report", "send")
    alerts.send(server)
    assert sorted(set(mails.reached())) == sorted([OWNER, ENGINEER, "new@library.example.com"])
    assert len(subjects_to(mails, ENGINEER)) == 3


def test_a_report_that_is_late_is_told_though_the_file_is_wrong_by_now(
    mails: MailWorld, server: MailServer, clock: Any, own: Path
) -> None:
    clock.at(2018, 7, 6, 9)
    assert alerts.look() == ["late"]
    own.write_text("recipients: [", "utf-8")
    assert alerts.send(server) == 2
    assert "It was due" not in text(mails.received[0][1])


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
    alerts.tell_of_run(JUNE, "failed", "model_patrons", "a run", "extract")
    assert "did not take 1 mail(s) of alert 2018-06" in sentence_of(alerts.send, server)
    mails.refusals.clear()
    from datetime import timedelta

    from engagement import clock as business

    business.move(settings().clock_file, business.now() + timedelta(hours=1))  # type: ignore[arg-type]
    assert alerts.send(server) == 1
    assert sorted(mails.reached()) == [OWNER, ENGINEER]
