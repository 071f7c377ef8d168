"""After a restore nothing goes out until the ledger knows what the relay has had."""

from pathlib import Path
from typing import Any

import pytest
from survey import MailWorld, approve, publish_people, use_campaigns, write_campaign

from engagement import embedded, ledger, warehouse
from engagement.errors import EngagementError
from engagement.mailbox import Place
from engagement.measure import run
from engagement.settings import settings


@pytest.fixture
def approved(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> None:
    """A campaign of 100 people whose only wave is due."""
    clock.at(2018, 7, 2)
    publish_people(store, {"staff": 100})
    write_campaign(use_campaigns(world, tmp_path / "campaigns"), sample={"size": 100})
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()


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
