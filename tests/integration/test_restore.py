"""After a restore nothing goes out until the ledger knows what the relay has had."""

import email
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from survey import MailWorld, approve, open_wave, publish_people, use_campaigns, write_campaign

from engagement import embedded, ledger, sending, warehouse
from engagement.errors import EngagementError
from engagement.mailbox import Place
from engagement.measure import campaign, run
from engagement.measure.letters import Letters
from engagement.outbox import Batch
from engagement.sending import Message
from engagement.settings import settings


@pytest.fixture
def approved(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> None:
    """A campaign of 100 people whose only wave is due."""
    open_wave(world, clock, store, tmp_path, {"staff": 100})


def restore(store: Any, world: pytest.MonkeyPatch, name: str) -> None:
    """Let the product work in a copy of the warehouse, as from a backup."""
    warehouse._engine(store.url).dispose()
    copy = embedded.database(name, f"TEMPLATE {store.url.database}")
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", copy.render_as_string(False))
    settings.cache_clear()


def test_a_restored_warehouse_mails_nobody_until_it_was_compared_and_then_nobody_twice(
    approved: None, store: Any, world: pytest.MonkeyPatch, mails: MailWorld
) -> None:
    store.do("UPDATE core.message SET due_at = due_at + interval '1 day' WHERE message_id % 2 = 0")
    assert run.send_all(mails.server, None) == 50
    original = settings().warehouse_url
    restore(store, world, "restored_1")  # the backup: half is sent
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", original.get_secret_value())
    settings.cache_clear()
    backup = embedded.database("restored_1")
    for database in (store, type(store)(backup)):
        database.do("UPDATE core.message SET due_at = queued_at WHERE state = 'queued'")
    assert run.send_all(mails.server, None) == 50
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", backup.render_as_string(False))
    settings.cache_clear()
    with pytest.raises(EngagementError, match="restored from a backup"):
        run.send_all(mails.server, None)
    assert mails.count("people") == 100
    assert ledger.compare(Place(f"maildir:{mails.folder / 'journal'}")) == 50
    assert run.send_all(mails.server, None) == 0
    assert mails.count("people") == 100
    warehouse.drop_database(backup)


def test_a_backup_from_before_the_first_mail_knows_the_personal_links_that_were_mailed_since(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> None:
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 100})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"), sample={"size": 100})
    approve()
    restore(store, world, "restored_2")
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", store.url.render_as_string(False))
    settings.cache_clear()
    clock.at(2018, 7, 9, 9)
    run.advance_all()
    assert run.send_all(mails.server, None) == 100
    backup = type(store)(embedded.database("restored_2"))
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", backup.url.render_as_string(False))
    settings.cache_clear()
    ledger.compare(Place(f"maildir:{mails.folder / 'journal'}"))
    run.advance_all()
    assert run.send_all(mails.server, None) == 0
    known = {token for (token,) in backup.do("SELECT token FROM pii.survey_token")}
    assert {link_in(file) for file in (mails.folder / "people" / "new").iterdir()} == known
    assert len(known) == 100
    warehouse.drop_database(backup.url)


def link_in(file: Path) -> str:
    """Return the token of the personal link in a mail."""
    part = email.message_from_bytes(file.read_bytes(), policy=default).get_body(("plain",))
    assert part is not None
    found = re.search(r"survey\?code=(\w+)", part.get_content())
    assert found is not None
    return found[1]


def test_mails_that_the_backup_does_not_know_at_all_are_entered_too(
    approved: None, store: Any, world: pytest.MonkeyPatch, mails: MailWorld
) -> None:
    run.send_all(mails.server, None)
    store.do("DELETE FROM core.message WHERE message_id % 2 = 0")
    store.do("UPDATE ops.identity SET place = 'elsewhere'")
    assert ledger.compare(Place(f"maildir:{mails.folder / 'journal'}")) == 50
    assert store.do("SELECT state, step, count(*) FROM core.message GROUP BY 1, 2") == [
        ("sent", "invite", 100)
    ]


def test_a_journal_that_is_none_of_ours_is_named_and_a_person_can_vouch(
    approved: None, store: Any, mails: MailWorld
) -> None:
    store.do("UPDATE ops.identity SET place = 'elsewhere'")
    with pytest.raises(EngagementError, match="holds none of our mails"):
        ledger.compare(Place(f"maildir:{mails.folder / 'people'}"))
    with pytest.raises(EngagementError, match="restored from a backup"):
        run.send_all(mails.server, None)
    assert ledger.compare(None) == 0
    assert run.send_all(mails.server, None) == 100


ODD = [
    ("X-Engagement-Mail", "hello"),
    ("X-Engagement-Mail", "survey/july"),
    ("X-Engagement-Mail", "survey/ju ly/invite"),
    ("X-Engagement-Token", "=?utf-8?B?PGEAYkB4LmV4YW1wbGU+?="),
    ("X-Engagement-Token", "short"),
    ("To", "undisclosed-recipients:;"),
    ("To", "somebody"),
]


@pytest.mark.parametrize(("header", "value"), ODD)
def test_one_odd_mail_in_the_journal_is_left_out_and_the_others_are_entered(
    approved: None, store: Any, mails: MailWorld, header: str, value: str, caplog: Any
) -> None:
    run.send_all(mails.server, None)
    journal = mails.folder / "journal" / "new"
    spoil(next(iter(sorted(journal.iterdir()))), header, value)
    store.do("UPDATE core.message SET state = 'queued'")
    assert ledger.compare(Place(f"maildir:{journal.parent}")) == 99
    assert "1 mails of the journal bear our headers, but not as we write them" in caplog.text


@pytest.mark.parametrize(
    "date", ["yesterday", "Mon, 9 Jul 2018 08:00:00 -0000", "9 Jul 99999 08:00:00 +0700", ""]
)
def test_a_mail_with_an_odd_date_is_entered_all_the_same(
    approved: None, store: Any, mails: MailWorld, date: str
) -> None:
    run.send_all(mails.server, None)
    journal = mails.folder / "journal" / "new"
    spoil(next(iter(sorted(journal.iterdir()))), "Date", date)
    store.do("UPDATE core.message SET state = 'queued'")
    assert ledger.compare(Place(f"maildir:{journal.parent}")) == 100


def test_a_mail_that_went_to_the_catch_all_address_is_entered_as_caught(
    approved: None, store: Any, mails: MailWorld
) -> None:
    run.send_all(mails.server, None)
    journal = mails.folder / "journal" / "new"
    spoil(next(iter(sorted(journal.iterdir()))), "To", "all@library.example.com")
    store.do("UPDATE core.message SET state = 'queued'")
    assert ledger.compare(Place(f"maildir:{journal.parent}")) == 100
    states = "SELECT state, count(*) FROM core.message GROUP BY 1 ORDER BY 1"
    assert store.do(states) == [("caught", 1), ("sent", 99)]


def spoil(file: Path, header: str, value: str) -> None:
    """Write something else into a header of a mail."""
    old = file.read_bytes()
    new = re.sub(rf"(?m)^{header}: .*?(\r?)$".encode(), f"{header}: {value}".encode() + rb"\1", old)
    assert new != old
    file.write_bytes(new)


_PART = """
import sys
from engagement import ledger, outbox, schema
from engagement.errors import EngagementError

schema.upgrade()
try:
    ledger.count_dispatch()
    outbox.queue(outbox.Batch("report", "2018-06"), "report-v1", 1, sys.argv[1:])
except EngagementError as error:
    print(error)
"""


def dispatch_from(home: Path, *recipients: str) -> str:
    """Begin a dispatch in a process of its own, whose server stops with it; return what it refuses with."""
    own = {"ENGAGEMENT_HOME": str(home), "ENGAGEMENT_DEPLOYMENT": "test"}
    clean = {name: text for name, text in os.environ.items() if not name.startswith("ENGAGEMENT_")}
    return subprocess.run(
        [sys.executable, "-c", _PART, *recipients],
        env=clean | own,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_files_of_the_server_that_are_put_back_are_noticed() -> None:
    with tempfile.TemporaryDirectory(prefix="engagement-restore-") as folder:
        home, data = Path(folder), Path(folder) / "postgres"
        assert dispatch_from(home, "a@library.example.com") == ""
        subprocess.run(["cp", "-a", data, home / "backup"], check=True)
        assert dispatch_from(home, "b@library.example.com") == ""
        shutil.rmtree(data)
        (home / "backup").rename(data)
        assert "restored from a backup" in dispatch_from(home)


def test_a_copy_taken_while_mail_goes_out_lacks_the_rest_and_is_noticed(
    approved: None, store: Any, mails: MailWorld
) -> None:
    count = "SELECT dispatch_count FROM ops.identity"
    copied = []
    batch = Batch("survey", "july")
    compose = Letters(campaign.load("july")).compose

    def compose_and_copy(message: Message) -> bytes:
        copied.append(store.value(count))
        return compose(message)

    sending.dispatch(batch, mails.server, compose_and_copy)
    assert len(copied) == 100
    store.do("UPDATE ops.identity SET dispatch_count = %s", [copied[-1]])
    with pytest.raises(EngagementError, match="restored from a backup"):
        ledger.count_dispatch()


def test_files_that_are_put_back_while_mail_goes_out_are_noticed_at_its_end(
    store: Any, world: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        ledger.count_dispatch()
    store.do("UPDATE ops.identity SET dispatch_count = 1")
    for _ in ("the end of the dispatch", "the next one"):
        with pytest.raises(EngagementError, match="restored from a backup"):
            ledger.count_dispatch()


def test_two_dispatches_at_once_and_one_that_died_before_its_note_hold_up_nobody(
    store: Any, world: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(8) as threads:
        for begun in [threads.submit(ledger.count_dispatch) for _ in range(40)]:
            begun.result()
    assert store.value("SELECT dispatch_count FROM ops.identity") == 40
    store.do("UPDATE ops.identity SET dispatch_count = dispatch_count + 1")
    ledger.count_dispatch()
    store.do("UPDATE ops.identity SET dispatch_count = dispatch_count - 1")
    with pytest.raises(EngagementError, match="restored from a backup"):
        ledger.count_dispatch()
    ledger.compare(None)
    ledger.count_dispatch()


def test_where_the_count_of_dispatches_has_gone_nobody_is_mailed_until_somebody_has_compared(
    store: Any, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.setenv("ENGAGEMENT_HOME", str(tmp_path / "var"))
    settings.cache_clear()
    ledger.count_dispatch()
    (tmp_path / "var").rename(tmp_path / "lost")
    with pytest.raises(EngagementError, match="file that counts its dispatches has gone"):
        ledger.count_dispatch()
    ledger.compare(None)
    ledger.count_dispatch()


def test_a_folder_in_which_dispatches_cannot_be_counted_is_named(
    store: Any, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "var").write_text("")
    world.setenv("ENGAGEMENT_HOME", str(tmp_path / "var"))
    settings.cache_clear()
    with pytest.raises(EngagementError, match=r"var/dispatches/.* cannot be written"):
        ledger.count_dispatch()
