"""Which edition of the report reaches whom, in which language, and what lies in the archive for who missed it."""

import csv
import email
import io
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from test_report_mail import MailWorld, publish_figures, sentence_of

from engagement import outbox
from engagement.mail import MailServer
from engagement.monitor import archive, distribution, release
from engagement.period import Period
from engagement.settings import settings

JUNE = Period(2018, 6)
DIRECTOR, DEAN, DEPUTY = (f"{who}@library.example.com" for who in ("director", "dean", "deputy"))


@pytest.fixture
def mails() -> MailWorld:
    return MailWorld()


@pytest.fixture
def server(mails: MailWorld, listen: Any) -> MailServer:
    made: MailServer = listen(mails)
    return made


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A published June, and the shipped list of recipients: Thai with PDF, English, Thai."""
    own = tmp_path / "report.yaml"
    own.write_bytes(settings().report_file.read_bytes())
    world.setenv("ENGAGEMENT_REPORT_FILE", str(own))
    world.setenv("ENGAGEMENT_ARCHIVE", str(tmp_path / "archive"))
    world.setenv("ENGAGEMENT_MAIL", "live")
    settings.cache_clear()
    publish_figures(store, "2018-06", real=12_083)


def cut() -> int:
    return release.cut(JUNE, "run 1")


def by_recipient(mails: MailWorld) -> dict[str, EmailMessage]:
    return {to[0]: message for to, message in mails.received}


def recipients(*lines: str) -> None:
    path = settings().report_file
    text = path.read_text("utf-8")
    head, tail = text.split("recipients:\n")
    rest = tail[tail.index("\n\n") :]
    path.write_text(head + "recipients:\n" + "".join(f"  - {x}\n" for x in lines) + rest, "utf-8")


def with_reviewer() -> None:
    path = settings().report_file
    reviewer = "review: {reviewer: anna@library.example.com, approvers: [anna, bert]}\n"
    path.write_text(path.read_text("utf-8") + reviewer, "utf-8")


# Who gets what


def test_each_recipient_gets_his_language_and_the_pdf_only_where_he_wants_it(
    mails: MailWorld, server: MailServer
) -> None:
    assert release.send(JUNE, server, cut()) == 3
    got = by_recipient(mails)
    assert [got[to]["Content-Language"] for to in (DIRECTOR, DEAN, DEPUTY)] == ["th", "en", "th"]
    types = {to: [p.get_content_type() for p in got[to].iter_attachments()] for to in got}
    assert "application/pdf" in types[DIRECTOR]
    assert "application/pdf" not in types[DEAN] + types[DEPUTY]
    (pdf,) = (p for p in got[DIRECTOR].iter_attachments() if p.get_content_subtype() == "pdf")
    assert pdf.get_filename() == "ลูกค้าที่แท้จริง มิถุนายน 2561.pdf"
    html = got[DEAN].get_body(("html",))
    assert html is not None
    assert "Khon Kaen University Library" in html.get_content()


def test_the_picture_travels_inside_the_mail(
    mails: MailWorld, server: MailServer, store: Any
) -> None:
    publish_figures(store, "2018-05", real=12_000)
    release.send(JUNE, server, cut())
    message = by_recipient(mails)[DEPUTY]
    (picture,) = (p for p in message.walk() if p.get_content_maintype() == "image")
    html = message.get_body(("html",))
    assert html is not None
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html.get_content()


def test_a_change_of_language_or_pdf_holds_for_the_mail_that_waits(
    mails: MailWorld, server: MailServer
) -> None:
    mails.refusals[DEPUTY] = mails.refusals[DIRECTOR] = "450 4.2.0 greylisted"
    sentence_of(release.send, JUNE, server, cut())
    mails.refusals.clear()
    recipients(DIRECTOR, DEAN, f"{{address: {DEPUTY}, language: en, pdf: true}}")
    assert release.send(JUNE, server, 1) == 2
    got = by_recipient(mails)
    types = {to: [p.get_content_type() for p in got[to].iter_attachments()] for to in got}
    assert got[DEPUTY]["Content-Language"] == "en"
    assert "application/pdf" in types[DEPUTY]
    assert "application/pdf" not in types[DIRECTOR]


def test_a_mail_that_was_not_tried_yet_takes_the_newer_edition_and_one_that_was_stays_itself(
    mails: MailWorld, server: MailServer, store: Any
) -> None:
    mails.refusals[DEAN] = "450 4.2.0 greylisted"
    sentence_of(release.send, JUNE, server, cut())
    outbox.stop("anna", "a wrong word")
    recipients(DIRECTOR, DEAN, DEPUTY, "rector@library.example.com")
    sentence_of(release.send, JUNE, server, 1)  # the rector's waits, and nobody tried it
    mails.refusals.clear()
    publish_figures(store, "2018-06", real=12_084)
    cut()
    outbox.start("anna")
    assert release.send_now(JUNE, server, "anna") == 2
    got = by_recipient(mails)
    assert "12,083" in got[DEAN]["Subject"]
    assert "12,084" in got["rector@library.example.com"]["Subject"]


# Editions


def test_a_cut_that_says_the_same_is_the_same_edition_whenever_it_was_made(
    clock: Any, store: Any
) -> None:
    assert cut() == 1
    clock.at(2018, 7, 6, 8)
    assert release.cut(JUNE, "another run") == 1
    assert store.value("SELECT count(*) FROM ops.report") == 2  # languages
    publish_figures(store, "2018-06", real=12_084)
    assert release.cut(JUNE, "another run") == 2
    assert store.value("SELECT count(DISTINCT edition) FROM ops.report_figure") == 2


def test_a_month_published_again_is_archived_and_mails_nobody_not_even_who_is_new(
    mails: MailWorld, server: MailServer, store: Any, clock: Any, tmp_path: Path
) -> None:
    release.send(JUNE, server, cut())
    publish_figures(store, "2018-06", real=12_084)
    recipients(DIRECTOR, DEAN, DEPUTY, "rector@library.example.com")
    said = sentence_of(release.cut_to_send, JUNE, "run 2")
    assert said == (
        "Edition 2 of the report on 2018-06 is archived and not mailed: edition 1 went out. "
        "`engagement report send 2018-06` mails it to who has had none."
    )
    assert release.send(JUNE, server, 2) == 0
    assert len(mails.received) == 3
    assert (tmp_path / "archive" / "2018-06" / "2" / "report-th.html").exists()


def test_what_the_last_report_said_is_corrected_in_the_next_one(
    server: MailServer, store: Any, tmp_path: Path
) -> None:
    release.send(JUNE, server, cut())
    publish_figures(store, "2018-06", real=12_080)
    assert cut() == 2  # nobody was mailed this one: what was said is 12,083
    publish_figures(store, "2018-07", real=12_100)
    edition = release.cut(JUNE.next, "run 2")
    html = (tmp_path / "archive" / "2018-07" / str(edition) / "report-en.html").read_text("utf-8")
    assert "Real customers, June 2018: 12,080, not 12,083 as reported then." in html
    assert "All patron records, June 2018" not in html


def test_the_edition_that_went_out_reaches_who_is_new_when_its_task_is_cleared(
    mails: MailWorld, server: MailServer
) -> None:
    release.send(JUNE, server, cut())
    recipients(DIRECTOR, DEAN, DEPUTY, "rector@library.example.com")
    assert release.send(JUNE, server, 1) == 1
    assert mails.reached()[-1] == "rector@library.example.com"


def test_readers_whom_the_relay_let_wait_get_the_edition_of_the_others_though_the_month_was_run_again(
    mails: MailWorld, server: MailServer, store: Any, clock: Any
) -> None:
    mails.refusals[DEAN] = "450 4.2.0 later"
    sentence_of(release.send, JUNE, server, release.cut_to_send(JUNE, "run 1"))
    publish_figures(store, "2018-06", real=12_084)
    clock.at(2018, 7, 1, 9)
    mails.refusals.clear()
    edition = release.cut_to_send(JUNE, "run 2")
    assert edition == 1
    assert release.send(JUNE, server, edition) == 1
    assert "12,083" in by_recipient(mails)[DEAN]["Subject"]
    assert store.value("SELECT max(edition) FROM ops.report") == 2
    assert "Edition 2 of the report" in sentence_of(release.cut_to_send, JUNE, "run 3")


def test_only_the_latest_closed_month_goes_out_by_itself(clock: Any) -> None:
    clock.at(2018, 8, 1)
    said = sentence_of(release.cut_to_send, JUNE, "run 1")
    assert said.startswith("The report on 2018-06 is archived and not mailed: only that on the")
    clock.at(2018, 7, 31)
    assert release.cut_to_send(JUNE, "run 1") == 1


def test_a_release_that_could_not_queue_its_mails_is_none(
    mails: MailWorld, server: MailServer, store: Any, world: pytest.MonkeyPatch
) -> None:
    edition = cut()
    with world.context() as broken:
        broken.setattr(release.outbox, "add", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            release.send(JUNE, server, edition)
    assert store.value("SELECT count(*) FROM ops.report_release") == 0
    assert release.send(JUNE, server, edition) == 3


def test_one_reader_who_is_refused_keeps_the_report_from_no_other_and_out_of_no_index(
    mails: MailWorld, server: MailServer, tmp_path: Path
) -> None:
    mails.refusals[DEAN] = "550 5.1.1 no such user"
    assert "refused 1 mail(s)" in sentence_of(release.send, JUNE, server, cut())
    assert sorted(mails.reached()) == [DEPUTY, DIRECTOR]
    assert "Edition 1, mailed" in (tmp_path / "archive" / "index.html").read_text("utf-8")


# What people ask for


def test_a_person_mails_an_older_month_to_who_has_had_none_and_is_written_down(
    mails: MailWorld, server: MailServer, store: Any, clock: Any
) -> None:
    clock.at(2018, 10, 1)
    cut()
    assert release.send_now(JUNE, server, "anna") == 3
    assert release.send_now(JUNE, server, "bert") == 0
    assert store.do("SELECT edition, released_by FROM ops.report_release") == [(1, "anna")]


def test_what_a_person_mails_is_of_now(mails: MailWorld, server: MailServer, store: Any) -> None:
    cut()
    publish_figures(store, "2018-06", real=12_084)
    release.send_now(JUNE, server, "anna")
    assert "12,084" in by_recipient(mails)[DIRECTOR]["Subject"]


def test_a_person_passes_over_the_reviewer_with_a_reason_only_and_it_is_written_down(
    mails: MailWorld, server: MailServer, store: Any
) -> None:
    with_reviewer()
    said = sentence_of(release.send_now, JUNE, server, "anna", " ")
    assert said.startswith("The report on 2018-06 goes out when an approver has answered")
    assert mails.received == []
    assert release.send_now(JUNE, server, "anna", "the rector asked for it") == 3
    released = store.do("SELECT released_by, reason FROM ops.report_release")
    assert released == [("anna", "the rector asked for it")]
    recipients(DIRECTOR, DEAN, DEPUTY, "rector@library.example.com")
    assert release.send_now(JUNE, server, "bert") == 1  # it was let go before


def test_a_recipient_who_lost_the_report_gets_it_again_and_it_is_written_down_by_whom(
    mails: MailWorld, server: MailServer, store: Any
) -> None:
    edition = cut()
    said = sentence_of(release.resend, JUNE, server, DEAN, "anna")
    assert (
        said
        == "The report on 2018-06 has not gone out yet; `engagement report send 2018-06` mails it."
    )
    release.send(JUNE, server, edition)
    for _ in range(2):
        assert release.resend(JUNE, server, DEAN.upper(), "anna") == 1
    assert mails.reached()[-2:] == [DEAN, DEAN]
    assert mails.received[-1][1]["Content-Language"] == "en"
    assert store.do("SELECT edition, resent_by FROM ops.report_resend") == [(1, "anna")] * 2


def test_who_asks_again_for_what_has_not_reached_him_gets_it_once(
    mails: MailWorld, server: MailServer, store: Any
) -> None:
    mails.refusals = {DEAN: "450 4.2.0 greylisted", DEPUTY: "550 5.1.1 no such user"}
    sentence_of(release.send, JUNE, server, cut())
    assert "are still queued" in sentence_of(release.resend, JUNE, server, DEAN, "anna")
    assert "are still queued" in sentence_of(release.resend, JUNE, server, DEPUTY, "anna")
    mails.refusals.clear()
    assert release.resend(JUNE, server, DEAN, "anna") is False
    assert release.resend(JUNE, server, DEPUTY, "anna") is False
    assert release.send(JUNE, server, 1) == 0
    assert sorted(mails.reached()) == [DEAN, DEPUTY, DIRECTOR]
    assert store.value("SELECT count(*) FROM ops.report_resend") == 4


def test_a_second_mail_that_waits_is_not_joined_by_a_third(
    mails: MailWorld, server: MailServer
) -> None:
    release.send(JUNE, server, cut())
    mails.refusals[DEAN] = "450 4.2.0 greylisted"
    assert "are still queued" in sentence_of(release.resend, JUNE, server, DEAN, "anna")
    mails.refusals.clear()
    assert release.resend(JUNE, server, DEAN, "anna") is False
    assert mails.reached().count(DEAN) == 2


def test_who_is_new_and_is_mailed_by_hand_is_not_mailed_again_by_the_task(
    mails: MailWorld, server: MailServer
) -> None:
    release.send(JUNE, server, cut())
    rector = "rector@library.example.com"
    recipients(DIRECTOR, DEAN, DEPUTY, rector)
    assert release.resend(JUNE, server, rector, "anna") is False
    assert release.send(JUNE, server, 1) == 0
    assert mails.reached().count(rector) == 1


def test_it_is_sent_again_to_nobody_else(mails: MailWorld, server: MailServer) -> None:
    release.send(JUNE, server, cut())
    said = sentence_of(release.resend, JUNE, server, "stranger@library.example.com", "anna")
    assert said.startswith("That address is none of the recipients in report.yaml; add it there")
    assert len(mails.received) == 3


def test_a_preview_is_marked_and_is_no_release(
    mails: MailWorld, server: MailServer, store: Any
) -> None:
    edition = cut()
    for language in ("th", "en"):
        to = distribution.Recipient(address="anna@library.example.com", language=language)
        assert release.preview(JUNE, server, edition, to) == 1
    subjects = [message["Subject"] for _, message in mails.received]
    assert subjects[0].startswith("[ตัวอย่าง] ")
    assert subjects[1].startswith("[Preview] ")
    assert store.value("SELECT count(*) FROM ops.report_release") == 0
    assert release.send(JUNE, server, edition) == 3


def test_where_a_reviewer_is_named_he_gets_it_first_and_once(
    mails: MailWorld, server: MailServer
) -> None:
    edition = cut()
    assert release.ask(JUNE, server, edition) is None
    with_reviewer()
    for _ in range(2):
        asked = release.ask(JUNE, server, edition)
        assert asked is not None
        assert asked.approvers == ("anna", "bert")
        assert "12,083" in asked.subject
        assert "3 คน" in asked.body
        assert asked.time_left.days == 37  # until the report on July is due
    assert mails.reached() == ["anna@library.example.com"]
    release.send(JUNE, server, edition, approved_by="bert")
    assert release.ask(JUNE, server, edition) is None


# The archive


def test_the_archive_holds_the_mail_the_pdf_and_the_figures_in_both_languages(
    store: Any, tmp_path: Path
) -> None:
    publish_figures(store, "2018-05", real=12_000)
    cut()
    folder = tmp_path / "archive" / "2018-06" / "1"
    assert {path.name for path in folder.iterdir()} == {
        "report-th.html", "report-th.eml", "report-th.pdf",
        "report-en.html", "report-en.eml", "report-en.pdf", "figures.csv",
    }  # fmt: skip
    html = (folder / "report-th.html").read_text("utf-8")
    assert "data:image/png;base64," in html
    assert "cid:" not in html
    assert (folder / "report-en.pdf").read_bytes().startswith(b"%PDF-")
    mail = email.message_from_bytes((folder / "report-th.eml").read_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)
    assert "12,083" in mail["Subject"]
    raw = (folder / "figures.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    found = {(row["name"], row["about"]): row for row in rows}
    real = found["real_customers", "2018-06"]
    assert (float(real["value"]), float(real["base"])) == (12_083, 60_403)


def test_a_figure_that_excel_would_work_out_stays_text(store: Any, tmp_path: Path) -> None:
    cut()
    store.do("UPDATE ops.report_figure SET about = '=1+1' WHERE figure_no = 1")
    (tmp_path / "archive" / "2018-06" / "1" / "figures.csv").unlink()
    archive.keep()
    assert "'=1+1" in (tmp_path / "archive" / "2018-06" / "1" / "figures.csv").read_text("utf-8")


def test_the_index_names_every_month_and_which_edition_was_mailed(
    server: MailServer, store: Any, tmp_path: Path
) -> None:
    index = tmp_path / "archive" / "index.html"
    release.send(JUNE, server, cut())
    publish_figures(store, "2018-06", real=12_084)
    cut()
    page = " ".join(index.read_text("utf-8").split())
    assert "มิถุนายน 2561 · June 2018" in page
    assert "Edition 1, mailed on 1 July 2018" in page
    assert "Edition 2, made on 1 July 2018, 00:00, not mailed" in page
    for link in ("2018-06/1/report-th.html", "2018-06/2/report-en.pdf", "2018-06/1/figures.csv"):
        assert f'href="{link}"' in page
        assert (tmp_path / "archive" / link).exists()


def test_an_archive_that_was_lost_is_written_again_and_nothing_half_is_left(
    server: MailServer, tmp_path: Path
) -> None:
    cut()
    root = tmp_path / "archive"
    (root / "2018-06" / "1" / "figures.csv").unlink()  # written last: the folder is not whole
    (root / "2018-06" / "1" / "report-th.pdf").write_bytes(b"half")
    (root / "2018-06" / ".1.new").mkdir()
    cut()
    assert (root / "2018-06" / "1" / "report-th.pdf").read_bytes().startswith(b"%PDF-")
    assert sorted(path.name for path in (root / "2018-06").iterdir()) == ["1"]


def test_months_that_are_archived_at_once_do_not_get_into_each_others_way(
    store: Any, tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from shutil import rmtree

    cut()
    for _ in range(5):
        rmtree(tmp_path / "archive")
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(archive.keep) for _ in range(4)]:
                done.result()
    assert (tmp_path / "archive" / "2018-06" / "1" / "figures.csv").exists()


def test_the_archive_may_lie_in_an_object_store(world: pytest.MonkeyPatch) -> None:
    from upath import UPath

    world.setenv("ENGAGEMENT_ARCHIVE", "memory://reports")
    settings.cache_clear()
    cut()
    cut()
    assert (UPath("memory://reports") / "2018-06" / "1" / "report-en.eml").exists()
    assert (UPath("memory://reports") / "index.html").exists()


class _StoreError(Exception):
    """What no other store would raise."""


def break_store(broken: pytest.MonkeyPatch, at: str) -> None:
    """Let the object store fail in its own way where a file of that name is written."""
    from fsspec.implementations.memory import MemoryFileSystem

    opened = MemoryFileSystem._open

    def fail(self: Any, path: str, mode: str = "rb", **more: Any) -> Any:
        if path.endswith(at) and "r" not in mode:
            raise _StoreError("https://key:secret@store.example.com")
        return opened(self, path, mode, **more)

    broken.setattr(MemoryFileSystem, "_open", fail)


@pytest.mark.parametrize("at", ["report-th.html", "report-en.pdf", "figures.csv"])
def test_an_object_store_that_broke_half_way_is_whole_after_the_next_run(
    world: pytest.MonkeyPatch, at: str
) -> None:
    from upath import UPath

    world.setenv("ENGAGEMENT_ARCHIVE", f"memory://half-{at}")
    settings.cache_clear()
    with world.context() as broken:
        break_store(broken, at)
        said = sentence_of(cut)
    assert said.startswith("The archive of the reports cannot be written (_StoreError); let")
    assert "secret" not in said
    left_over = UPath(f"memory://half-{at}/2018-06/1/left-over")
    left_over.write_bytes(b"")
    cut()
    assert sorted(path.name for path in UPath(f"memory://half-{at}/2018-06/1").iterdir()) == [
        "figures.csv", "report-en.eml", "report-en.html", "report-en.pdf",
        "report-th.eml", "report-th.html", "report-th.pdf",
    ]  # fmt: skip
    names = sorted(path.name for path in UPath(f"memory://half-{at}").iterdir())
    assert names == ["2018-06", "index.html"]


def test_an_archive_that_cannot_be_written_is_one_sentence(
    world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    world.setenv("ENGAGEMENT_ARCHIVE", str(tmp_path / "file" / "archive"))
    settings.cache_clear()
    said = sentence_of(cut)
    assert said.startswith("The archive of the reports cannot be written (Not a directory)")


def test_a_store_of_an_unknown_kind_is_one_sentence(world: pytest.MonkeyPatch) -> None:
    world.setenv("ENGAGEMENT_ARCHIVE", "nostore://reports")
    settings.cache_clear()
    for ask in (cut, lambda: archive.folder(JUNE, 1), lambda: archive.forget("2018-06")):
        said = sentence_of(ask)
        assert said.startswith("The archive of the reports cannot be written (ValueError); let")


def test_a_library_with_quotes_and_commas_in_its_name_is_the_archived_mails_sender(
    tmp_path: Path,
) -> None:
    path = settings().report_file
    name = """en: 'Library \\ "Phra Thep", <north>'"""
    path.write_text(
        path.read_text("utf-8").replace("en: Khon Kaen University Library", name), "utf-8"
    )
    settings.cache_clear()
    cut()
    mail = email.message_from_bytes(
        (tmp_path / "archive" / "2018-06" / "1" / "report-en.eml").read_bytes(), policy=default
    )
    (sender,) = mail["From"].addresses
    assert sender.display_name == 'Library \\ "Phra Thep", <north>'
    assert sender.addr_spec == "engagement@library.example.com"


def test_an_archive_that_cannot_be_written_keeps_the_report_from_nobody(
    mails: MailWorld, server: MailServer, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    world.setenv("ENGAGEMENT_ARCHIVE", str(tmp_path / "file" / "archive"))
    settings.cache_clear()
    edition = release.cut_to_send(JUNE, "run 1")
    assert sentence_of(release.send, JUNE, server, edition).startswith("The archive of the reports")
    assert sorted(mails.reached()) == [DEAN, DEPUTY, DIRECTOR]


def test_the_index_says_of_a_report_that_some_have_not_got_it(
    mails: MailWorld, server: MailServer, tmp_path: Path
) -> None:
    mails.refusals[DEAN] = "450 4.2.0 later"
    sentence_of(release.send, JUNE, server, cut())
    page = (tmp_path / "archive" / "index.html").read_text("utf-8")
    assert "not mailed to everybody yet" in page
    assert "mailed on" not in page


def test_no_recipient_is_named_in_the_archive(server: MailServer, tmp_path: Path) -> None:
    release.send(JUNE, server, cut())
    files = [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
    assert len(files) == 8
    for path in files:
        text = path.read_bytes()
        if path.suffix == ".eml":
            message = email.message_from_bytes(text, policy=default)
            assert message["To"] == "undisclosed-recipients:;"
            text += b"".join(p.get_payload(decode=True) or b"" for p in message.walk())
        assert not [to for to in (DIRECTOR, DEAN, DEPUTY) if to.encode() in text]
