"""Librarians' lists of work: from a folder or a store into the report, and back to them by mail."""

import email
import logging
from datetime import date
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from survey import write_campaign
from upath import UPath

from engagement import warehouse
from engagement.demo.work_items import file_work
from engagement.mail import MailServer
from engagement.monitor import work_items
from engagement.monitor.work_items import WorkItems, rows, template
from engagement.period import Period
from engagement.privacy import retention
from engagement.settings import settings

NO_LIST = "ไม่มีไฟล์ .xlsx หรือ .csv ในโฟลเดอร์รายการงาน ถ้าเดือนนี้ไม่มีงาน โปรดวางแบบฟอร์มเปล่าไว้"
JUNE, JULY, AUGUST = Period(2018, 6), Period(2018, 7), Period(2018, 8)
CELL = "ช่อง B2 ไม่ใช่ด้านหนึ่งในสามด้าน"


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any) -> None:
    """Every test here has a warehouse and a clock, at the end of July 2018."""
    clock.at(2018, 8, 1)


@pytest.fixture
def folder(world: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder in which the librarians keep their lists."""
    made = tmp_path / "work"
    made.mkdir()
    look_in(world, made)
    return made


def look_in(world: pytest.MonkeyPatch, place: object) -> None:
    """Let the product find the lists at `place`."""
    world.setenv("ENGAGEMENT_WORK_ITEMS", str(place))
    settings.cache_clear()


def row(item_id: str, **more: Any) -> dict[str, Any]:
    usual = {"section": "งานประจำ", "title": f"งาน {item_id}", "status": "ตามกำหนด"}
    return {"id": item_id, **usual, **more}


def wanted(item_id: str, deadline: str = "2018-08-15", **more: Any) -> dict[str, Any]:
    return row(item_id, wanted="ขออนุมัติ", deadline=deadline, **more)


def file(path: Any, *filed: dict[str, Any]) -> None:
    """Write a list with these rows, as a librarian's spreadsheet or a store does."""
    if str(path).endswith(".csv"):
        codes = list(work_items.words()["columns"])
        lines = [
            work_items.words()["columns"].values(),
            *([r.get(c, "") for c in codes] for r in filed),
        ]
        path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")
        return
    with path.open("wb") as opened:
        template.workbook(filed).save(opened)


def read(period: Period = JULY) -> WorkItems:
    with warehouse.session() as session:
        return work_items.read(session, period)


def ids(work: WorkItems) -> list[str]:
    return [item.item_id for item in work.items]


# Where the lists lie


def test_every_list_of_the_folder_counts_and_nothing_else_does(folder: Path) -> None:
    file(folder / "บริการ.xlsx", row("A"))
    file(folder / "อาคาร.csv", row("B"))
    for name in ("~$บริการ.xlsx", ".hidden.xlsx", "proposals-2018-07.xlsx"):
        file(folder / name, row("X"))
    (folder / "อ่านก่อน.txt").write_text("…")
    work = read()
    assert ids(work) == ["A", "B"]
    assert (work.faults, work.readable, work.last_good_at) == ((), True, None)


def test_the_place_may_be_one_file(folder: Path, world: pytest.MonkeyPatch) -> None:
    file(folder / "one.xlsx", row("A"))
    file(folder / "other.xlsx", row("B"))
    look_in(world, folder / "one.xlsx")
    assert ids(read()) == ["A"]


def test_the_place_may_be_the_folder_of_an_object_store(world: pytest.MonkeyPatch) -> None:
    store = UPath("memory://library/work")
    store.mkdir(parents=True, exist_ok=True)
    file(store / "a.xlsx", row("A"))
    file(store / "b.csv", row("B"))
    look_in(world, "memory://library/work")
    assert ids(read()) == ["A", "B"]
    store.fs.rm(store.path, recursive=True)
    gone = read()
    assert gone.stale_faults == ("ไม่พบโฟลเดอร์รายการงาน work",)
    assert ids(gone) == ["A", "B"]


@pytest.mark.parametrize("place", ["nosuchstore://bucket/work", "sftp://127.0.0.1:1/work"])
def test_a_store_that_does_not_answer_stops_nothing(world: pytest.MonkeyPatch, place: str) -> None:
    look_in(world, place)
    work = read()
    assert not work.readable
    (fault,) = work.faults
    assert "เปิดที่เก็บรายการงานไม่ได้" in fault


def test_a_store_that_breaks_is_shown_as_it_was_last_good(world: pytest.MonkeyPatch) -> None:
    store = UPath("memory://breaking/work")
    store.mkdir(parents=True, exist_ok=True)
    file(store / "a.xlsx", row("A"))
    look_in(world, "memory://breaking/work")
    good = read()

    def broken(*_: Any, **__: Any) -> None:
        raise ConnectionError("https://key:secret@store.example.com")

    world.setattr(MemoryFileSystem, "_open", broken)
    assert read().items == good.items
    why = "a.xlsx: เปิดไฟล์ไม่ได้ โปรดบันทึกใหม่เป็น .xlsx แบบไม่มีรหัสผ่าน"
    assert read().stale_faults == (why,)
    world.setattr(MemoryFileSystem, "ls", broken)
    assert read().items == good.items
    assert read().last_good_at == good.read_at
    why = "เปิดที่เก็บรายการงานไม่ได้ (ConnectionError) โปรดแจ้งผู้ดูแลระบบ"
    assert (read().stale_faults, read().faults) == ((why,), ())


def test_without_a_place_or_a_list_no_items_is_no_statement_about_the_work(
    folder: Path, world: pytest.MonkeyPatch
) -> None:
    assert read().faults == (NO_LIST,)
    assert not read().readable
    look_in(world, "")
    assert read().faults == ("ยังไม่ได้กำหนดที่เก็บรายการงาน (ENGAGEMENT_WORK_ITEMS)",)
    assert not read().readable
    look_in(world, folder / "gone.xlsx")
    assert read().faults == ("gone.xlsx: ไม่พบไฟล์นี้",)


def test_a_folder_that_is_called_like_a_list_is_said_to_be_unreadable(folder: Path) -> None:
    (folder / "x.xlsx").mkdir()
    file(folder / "a.xlsx", row("A"))
    work = read()
    assert ids(work) == ["A"]
    assert [fault.split(":")[0] for fault in work.faults] == ["x.xlsx"]


def test_a_spreadsheet_of_another_kind_in_the_folder_is_told(folder: Path) -> None:
    (folder / "เก่า.xls").write_bytes(b"something")
    assert read().faults == ("เก่า.xls: อ่านไฟล์ชนิดนี้ไม่ได้ โปรดบันทึกเป็น .xlsx หรือ .csv",)


def test_of_two_lists_whose_names_look_the_same_the_second_is_told(folder: Path) -> None:
    file(folder / "งาน 1.xlsx", row("A"))
    file(folder / "งาน\u200b 1.xlsx", row("B"))
    file(folder / "งาน  1.xlsx", row("C"))
    work = read()
    assert ids(work) == ["C"]
    why = "ไม่ได้อ่าน เพราะชื่อต่างจากไฟล์อื่นเพียงช่องว่างหรืออักขระที่มองไม่เห็น โปรดเปลี่ยนชื่อ"
    assert work.faults == (f"งาน 1.xlsx: {why}",) * 2


def test_faults_name_file_and_cell_and_are_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file(folder / "a.xlsx", row("A", section="somchai"), row("B"))
    assert read().faults == (f"a.xlsx: {CELL}",)
    assert f"Work items: a.xlsx: {CELL}" in caplog.messages
    assert "somchai" not in caplog.text


# Which items are shown


def test_an_id_stands_once_in_all_lists_and_a_fault_names_both_cells(folder: Path) -> None:
    file(folder / "a.xlsx", row("A"), row("B"))
    file(folder / "b.xlsx", row("C"), row("A", title="อีกงาน"))
    work = read()
    assert [item.title for item in work.items] == ["งาน A", "งาน B", "งาน C"]
    assert work.faults == ("b.xlsx: ช่อง A3 มีรหัสซ้ำกับช่อง A2 ของไฟล์ a.xlsx",)


def test_work_is_shown_in_its_period_and_work_without_one_every_period(folder: Path) -> None:
    file(
        folder / "a.xlsx", row("JUNE", period="2018-06"), row("JULY", period="2018-07"), row("ALL")
    )
    assert ids(read(JUNE)) == ["JUNE", "ALL"]
    assert ids(read(JULY)) == ["JULY", "ALL"]


def test_an_open_decision_is_carried_over_until_it_is_decided(folder: Path) -> None:
    file(folder / "a.xlsx", wanted("A", period="2018-06"))
    assert ids(read(AUGUST)) == ["A"]
    taken = {"decided": "อนุมัติ", "decided_by": "ผู้อำนวยการ", "decided_on": "2018-08-02"}
    file(folder / "a.xlsx", wanted("A", period="2018-06", **taken))
    assert ids(read(AUGUST)) == []
    assert ids(read(JUNE)) == ["A"]
    assert read(JUNE).open_decisions() == ()


def test_the_overdue_decisions_come_first(folder: Path) -> None:
    file(
        folder / "a.xlsx",
        wanted("LATER", "2018-08-31"),
        row("NONE"),
        wanted("OVERDUE", "2018-07-20"),
    )
    file(folder / "b.xlsx", wanted("SOON", "2018-08-05"))
    assert [item.item_id for item in read().open_decisions()] == ["OVERDUE", "SOON", "LATER"]


def test_a_decision_is_as_old_as_the_day_on_which_it_was_first_read(
    folder: Path, clock: Any
) -> None:
    file(folder / "a.xlsx", row("A"))
    assert read().first_filed == {}
    file(folder / "a.xlsx", wanted("A"))
    assert read().first_filed == {"A": date(2018, 8, 1)}
    clock.at(2018, 9, 3)
    file(folder / "a.xlsx", wanted("A"), wanted("B"))
    assert read(AUGUST).first_filed == {"A": date(2018, 8, 1), "B": date(2018, 9, 3)}


def test_another_question_under_the_same_id_is_as_old_as_itself(folder: Path, clock: Any) -> None:
    file(folder / "a.xlsx", wanted("A"))
    read()
    taken = {"decided": "อนุมัติ", "decided_by": "ผู้อำนวยการ", "decided_on": "2018-08-02"}
    clock.at(2018, 8, 3)
    file(folder / "a.xlsx", wanted("A", **taken))
    assert read().first_filed == {"A": date(2018, 8, 1)}  # it is still the same
    clock.at(2018, 9, 3)
    file(folder / "a.xlsx", wanted("A", "2018-10-01"))
    read()
    clock.at(2018, 9, 4)
    assert read().first_filed == {"A": date(2018, 9, 3)}


# A list that breaks


def test_a_list_that_breaks_is_shown_as_it_was_last_good_and_says_from_when(
    folder: Path, clock: Any
) -> None:
    file(
        folder / "a.xlsx",
        wanted("A", progress=60, link="https://kku.example.com/"),
        row("?", section="?"),
    )
    file(folder / "b.xlsx", row("B"))
    good = read()
    assert len(good.faults) == 1  # a fault of a row makes no list bad
    began = clock.at(2018, 8, 1)
    clock.at(2018, 9, 1)
    (folder / "a.xlsx").write_bytes(b"PK torn")
    work = read(AUGUST)
    assert sorted(work.items, key=lambda i: i.item_id) == list(good.items)
    assert work.last_good_at == began
    assert work.readable
    assert work.stale == ("a.xlsx",)  # b.xlsx says what it says today
    why = "a.xlsx: เปิดไฟล์ไม่ได้ โปรดบันทึกใหม่เป็น .xlsx แบบไม่มีรหัสผ่าน"
    assert (work.stale_faults, work.faults) == ((why,), ())  # what is shown is not called hidden
    file(folder / "a.xlsx", row("NEW"))
    assert (ids(read()), read().last_good_at) == (["NEW", "B"], None)


def test_a_place_that_is_set_no_more_shows_nothing_of_what_lay_there(
    folder: Path, world: pytest.MonkeyPatch
) -> None:
    file(folder / "a.xlsx", row("A"))
    assert ids(read()) == ["A"]
    look_in(world, "")
    assert ids(read()) == []
    assert not read().readable


def test_a_list_that_was_never_good_shows_nothing_and_hides_nothing(folder: Path) -> None:
    (folder / "a.xlsx").write_bytes(b"PK torn")
    assert not read().readable
    file(folder / "b.xlsx", row("B"))
    assert ids(read()) == ["B"]
    assert read().last_good_at is None


def test_a_list_that_was_taken_away_is_gone_with_its_work(folder: Path) -> None:
    file(folder / "a.xlsx", row("A"))
    file(folder / "b.xlsx", row("B"))
    read()
    (folder / "a.xlsx").unlink()
    assert ids(read()) == ["B"]
    folder.rename(
        folder.with_name("away")
    )  # what is shown while a place breaks is what lay there last
    assert ids(read()) == ["B"]


def test_a_folder_without_any_list_is_one_whose_disk_is_away(folder: Path, clock: Any) -> None:
    began = clock.at(2018, 8, 1)
    file(folder / "a.xlsx", row("A"))
    file(folder / "b.xlsx", row("B"))
    read()
    clock.at(2018, 8, 7)
    disk = folder.rename(folder.with_name("disk"))
    folder.mkdir()
    for _ in range(2):
        away = read()
        assert ids(away) == ["A", "B"]
        assert (away.last_good_at, away.stale) == (began, ("a.xlsx", "b.xlsx"))
        assert (away.stale_faults, away.faults) == ((NO_LIST,), ())
    folder.rmdir()
    disk.rename(folder)
    assert read().stale == ()


def test_a_form_without_a_row_says_that_there_is_no_work(folder: Path) -> None:
    file(folder / "a.xlsx", row("A"))
    read()
    (folder / "a.xlsx").unlink()
    file(folder / "form.xlsx")
    assert (ids(read()), read().readable, read().stale_faults) == ([], True, ())


def test_what_is_kept_of_lists_that_are_gone_goes_after_three_years(
    folder: Path, store: Any, clock: Any
) -> None:
    file(folder / "a.xlsx", wanted("A"))
    read()
    clock.at(2021, 7, 1)
    file(folder / "b.xlsx", wanted("B"))
    (folder / "a.xlsx").write_bytes(b"PK torn")
    read()
    clock.at(2021, 9, 2)
    counts = retention.keep_patrons()
    assert (counts["ops.work_file"], counts["ops.work_item_filed"]) == (1, 0)
    assert store.do("SELECT file FROM ops.work_file") == [("b.xlsx",)]


# What the product proposes


@pytest.fixture
def campaign(store: Any, world: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A campaign that went out in July; of 200 mails 30 bounced, and its limit is 10 %."""
    world.setenv("ENGAGEMENT_CAMPAIGNS", str(tmp_path / "campaigns"))
    settings.cache_clear()
    name = write_campaign(tmp_path / "campaigns")
    happen(store, name, "wave opened", "2018-07-09")
    store.do(
        "INSERT INTO mart.campaign_group VALUES "
        "(%s, 'staff', 500, 200, 200, 30, 0, 0, 170, 0, 50, 200, '2018-07-31')",
        [name],
    )
    return name


def happen(store: Any, campaign: str, kind: str, day: str, actor: str | None = None) -> None:
    store.do(
        "INSERT INTO ops.campaign_event (campaign, kind, actor, counts, event_at) "
        'VALUES (%s, %s, %s, \'{"wave": 1, "sent": 200, "hard": 30}\', %s)',
        [campaign, kind, actor, day],
    )


def proposed(period: Period = JULY) -> list[str]:
    with warehouse.session() as session:
        return [item.item_id for item in work_items.proposals(session, period)]


def test_a_campaign_whose_mails_bounce_too_often_is_proposed(
    campaign: str, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with warehouse.session() as session:
        (item,) = work_items.proposals(session, JULY)
    assert item.item_id == "P-bounced-july"
    assert item.title == "อีเมลแบบสำรวจ “แบบสำรวจข่าวสาร” ตีกลับ 15.0% ของที่ส่ง"
    assert item.is_open
    assert item.deadline == date(2018, 8, 15)
    assert proposed(JUNE) == []
    report = settings().report_file.read_text(encoding="utf-8")
    is_proposed = ["P-bounced-july"]
    for target, own_limit, found in [(20, 0.5, []), (14, 0.5, is_proposed), (20, 0.1, is_proposed)]:
        write_campaign(tmp_path / "campaigns", waves__hard_bounce_limit=own_limit)
        own = tmp_path / "report.yaml"
        own.write_text(report.replace("bounced_pct: 5", f"bounced_pct: {target}"), encoding="utf-8")
        world.setenv("ENGAGEMENT_REPORT_FILE", str(own))
        settings.cache_clear()
        assert proposed() == found


def test_a_campaign_that_stopped_itself_is_proposed_until_a_person_lets_it_go_on(
    campaign: str, store: Any, tmp_path: Path
) -> None:
    happen(store, campaign, "stopped", "2018-07-10")
    assert proposed() == ["P-stopped-july"]
    (tmp_path / "campaigns" / "july.yaml").unlink()  # its name says enough then
    assert proposed() == ["P-stopped-july"]
    happen(store, campaign, "resumed", "2018-07-11", "anna")
    assert "P-stopped-july" not in proposed()
    happen(store, campaign, "stopped", "2018-07-12", "anna")  # a person has decided already
    assert "P-stopped-july" not in proposed()


def test_a_campaign_that_was_over_before_is_not_proposed(campaign: str, store: Any) -> None:
    happen(store, campaign, "closed", "2018-07-31 23:00+07")
    assert proposed() == ["P-bounced-july"]
    assert proposed(AUGUST) == []


def test_a_gate_that_holds_the_period_is_proposed_until_somebody_accepts_it(store: Any) -> None:
    store.do(
        "INSERT INTO ops.extract (source, period, as_of_at, as_of_date, state, source_count, mapping_hash, "
        "started_at) VALUES ('autolib', '2018-07', '2018-07-31', '2018-07-31', 'refused', 9, 'h', '2018-08-01')"
    )
    store.do(
        "INSERT INTO ops.gate SELECT extract_id, 'row_count', 'Too few.', '2018-08-01' FROM ops.extract"
    )
    assert proposed() == ["P-gate-2018-07"]
    store.do(
        "UPDATE ops.gate SET accepted_at = '2018-08-01', accepted_by = 'anna', accept_reason = 'r'"
    )
    assert proposed() == []


# The mail to who keeps the lists


class Postbox:
    """A real SMTP server that keeps what it takes, or puts it off."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.reply = "250 kept"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.reply.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=default)
            assert isinstance(message, EmailMessage)
            self.received.append((envelope.rcpt_tos, message))
        return self.reply

    def texts(self) -> list[str]:
        """Return the text part of every mail."""
        bodies = [message.get_body(("plain",)) for _, message in self.received]
        return [body.get_content() for body in bodies if body]


@pytest.fixture
def postbox(listen: Any, world: pytest.MonkeyPatch) -> tuple[Postbox, MailServer]:
    world.setenv("ENGAGEMENT_MAIL", "live")
    settings.cache_clear()
    handler = Postbox()
    return handler, listen(handler)


def test_who_keeps_the_lists_is_told_by_file_and_cell_and_of_the_same_once(
    folder: Path, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox
    file(folder / "a.xlsx", row("A"))
    assert work_items.tell_faults(JULY, server) == 0
    file(folder / "<b>.xlsx", row("B", section="?"))
    assert work_items.tell_faults(JULY, server) == 1
    assert work_items.tell_faults(JULY, server) == 0
    ((to, message),) = mails.received
    assert to == ["work-items@library.example.com"]
    assert message["Subject"] == "รายการงานงวด กรกฎาคม 2561 มีเรื่องให้ตรวจสอบ"
    assert f"- <b>.xlsx: {CELL}\n" in mails.texts()[0]
    html = message.get_body(("html",))
    assert html is not None
    assert f"- &lt;b&gt;.xlsx: {CELL}" in html.get_content()
    file(folder / "a.xlsx", row("A"), row("C", progress="?"))
    assert work_items.tell_faults(JULY, server) == 1
    assert "ช่อง F3" in mails.texts()[1]


def test_a_list_of_faults_that_waited_is_not_sent_beside_a_newer_one(
    folder: Path, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox
    file(folder / "a.xlsx", row("A", section="?"))
    mails.reply = "451 later"
    with pytest.raises(Exception, match="still queued"):
        work_items.tell_faults(JULY, server)
    mails.reply = "250 kept"
    file(folder / "a.xlsx", row("A", progress="?"))
    assert work_items.tell_faults(JULY, server) == 1
    (text,) = mails.texts()
    assert "ช่อง F2" in text
    assert "ช่อง B2" not in text


def test_who_mends_one_fault_after_the_other_is_not_mailed_the_rest_again(
    folder: Path, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox

    def told(*wrong: int) -> int:
        """File 120 rows, some of them wrong; return how many mails went."""
        said = [row(f"A{n}", section="?" if n in wrong else "งานประจำ") for n in range(120)]
        file(folder / "a.xlsx", *said)
        return work_items.tell_faults(JULY, server)

    assert told(*range(120)) == 1
    assert mails.texts()[0].count("ช่อง") == 51  # the sentence above them has the word too
    assert "และอีก 70 แห่ง" in mails.texts()[0]
    assert told(*range(1, 120)) == told(*range(49, 120)) == 0
    assert told(*range(50, 120)) == 1  # of those that were named none is left
    assert "ช่อง B52 " in mails.texts()[1]
    assert told(0, *range(60, 120)) == 1
    assert told(*range(60, 120)) == 0


def test_a_fault_that_comes_back_after_all_was_right_is_told_again(
    folder: Path, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox
    for is_wrong in (True, False, True):
        file(folder / "a.xlsx", row("A", section="?" if is_wrong else "งานประจำ"))
        assert work_items.tell_faults(JULY, server) == is_wrong
    assert len(mails.received) == 2


def test_a_fault_that_was_mended_while_its_mail_waited_is_not_told(
    folder: Path, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox
    file(folder / "a.xlsx", row("A", section="?"))
    mails.reply = "451 later"
    with pytest.raises(Exception, match="still queued"):
        work_items.tell_faults(JULY, server)
    mails.reply = "250 kept"
    file(folder / "a.xlsx", row("A"))
    assert work_items.tell_faults(JULY, server) == 0
    assert mails.received == []


def test_who_is_told_of_a_list_that_is_shown_as_it_was(
    folder: Path, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox
    file(folder / "a.xlsx", row("A"))
    read()
    (folder / "a.xlsx").write_bytes(b"PK torn")
    assert work_items.tell_faults(JULY, server) == 1
    assert "- a.xlsx: เปิดไฟล์ไม่ได้" in mails.texts()[0]


def test_what_is_filed_later_is_told_until_the_report_has_gone_out(
    folder: Path, postbox: tuple[Postbox, MailServer], store: Any
) -> None:
    _, server = postbox
    file(folder / "a.xlsx", row("A"))
    assert work_items.tell_in_time(server) == 0
    file(folder / "a.xlsx", row("A", progress="?"))
    assert work_items.tell_in_time(server) == 1
    assert work_items.tell_in_time(server) == 0
    file(folder / "a.xlsx", row("A", section="?"))
    store.do("INSERT INTO ops.report_release VALUES ('2018-07', 1, NULL, '2018-08-07')")
    assert work_items.tell_in_time(server) == 0


def test_proposed_rows_are_written_beside_the_lists_and_told_until_they_are_adopted(
    folder: Path, campaign: str, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox
    file(folder / "a.xlsx", row("A"))
    assert work_items.tell_faults(JULY, server) == 1
    (text,) = mails.texts()
    assert "proposals-2018-07.xlsx" in text
    assert "P-bounced-july: อีเมลแบบสำรวจ" in text
    written = folder / "proposals-2018-07.xlsx"
    (one,), faults = rows.read(written.name, written.read_bytes())
    assert faults == ()
    with warehouse.session() as session:
        assert [one.item] == work_items.proposals(session, JULY)
    assert ids(read()) == ["A"]  # nothing of it is work by itself
    (folder / "ours.xlsx").write_bytes(written.read_bytes())
    assert work_items.tell_faults(JULY, server) == 0
    assert ids(read()) == ["A", "P-bounced-july"]
    assert not written.exists()


def test_a_place_that_cannot_be_written_to_is_told_what_is_proposed_all_the_same(
    world: pytest.MonkeyPatch, campaign: str, postbox: tuple[Postbox, MailServer]
) -> None:
    mails, server = postbox
    look_in(world, "nosuchstore://bucket/work")
    assert work_items.tell_faults(JULY, server) == 1
    (text,) = mails.texts()
    assert "P-bounced-july" in text
    assert "proposals-2018-07.xlsx" not in text


def test_proposals_go_to_the_store_and_beside_a_single_file(
    folder: Path, world: pytest.MonkeyPatch, campaign: str, postbox: tuple[Postbox, MailServer]
) -> None:
    store = UPath("memory://other/work")
    store.mkdir(parents=True, exist_ok=True)
    look_in(world, "memory://other/work")
    work_items.tell_faults(JULY, postbox[1])
    assert (store / "proposals-2018-07.xlsx").exists()
    file(folder / "one.xlsx", row("A"))
    look_in(world, folder / "one.xlsx")
    work_items.tell_faults(JULY, postbox[1])
    assert (folder / "proposals-2018-07.xlsx").exists()


# The demo


def test_the_demos_july_wants_three_decisions_and_shows_what_became_of_junes(
    folder: Path, clock: Any
) -> None:
    clock.at(2018, 7, 1)
    file_work(folder, JUNE)
    june = read(JUNE)
    assert [item.item_id for item in june.open_decisions()] == ["N3"]
    assert "AR Brochure" in june.section("finished")[0].title
    clock.at(2018, 8, 1)
    file_work(folder, JULY)
    july = read(JULY)
    assert june.faults == july.faults == ()
    assert [len(july.section(s)) for s in ("routine", "finished", "ongoing")] == [2, 2, 2]
    decisions = july.open_decisions()
    assert [str(item.deadline) for item in decisions] == ["2018-08-10", "2018-08-15", "2018-08-31"]
    for item, words in zip(decisions, ("893", "16.00-20.00", "KKUL Digital Badge"), strict=True):
        assert words in item.wanted
        assert item.owner
    (decided,) = [item for item in july.items if item.decided]
    assert decided.decided_by == "ผู้อำนวยการสำนักหอสมุด"
    assert decided.decided_on == date(2018, 7, 5)
    assert july.first_filed["N3"] == date(2018, 7, 1)
