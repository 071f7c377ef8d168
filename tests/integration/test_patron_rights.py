"""A patron gets all that is held of him, and is gone from every place when the library says so."""

import json
import shutil
import stat
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL
from survey import (
    MailWorld,
    answer,
    approve,
    deliver,
    use_campaigns,
    write_answers,
    write_campaign,
)
from test_privacy import found_in, tables_with
from typer.testing import CliRunner

from engagement import address, cli, warehouse
from engagement.cli import patron as commands
from engagement.demo.postbox import Fate
from engagement.errors import EngagementError
from engagement.measure import answers, campaign as campaigns, collect, figures, run as surveys
from engagement.model import loans, rejects, source as sources
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.normalise import Normaliser
from engagement.model.publish import publish
from engagement.model.records import Records
from engagement.monitor.figures import PatronFigures, require
from engagement.period import Period
from engagement.privacy import tombstone
from engagement.privacy.erasure import Erased, erase
from engagement.privacy.export import export
from engagement.settings import settings

JUNE, JULY, AUGUST = Period(2018, 6), Period(2018, 7), Period(2018, 8)

# One value per column that a person is known by, each unlike anything else that is written anywhere.
ID = "ZX735173"
WHO = {
    "first_name": "Qwanchai",
    "last_name": "นามสกุลลับเจ็ดหนึ่ง",
    "member_id": ID,
    "citizen_no": "1409973517351",
    "email": "qwanchai.zx@zx735173.example.com",
}
WORDS = "ปิดเสียงเพลงชั้นเจ็ดสาม"
ITEM = "B735173"
HELD = [*(value for column, value in WHO.items() if column != "citizen_no"), WORDS, ITEM]


def read(library: Any, period: Period, reason: str = "") -> None:
    url = library.url.update_query_dict({"client_encoding": "latin1"})
    extract(period, url, reread=Reread(reason, "anna") if reason else None)
    check(period)
    publish(period)


def published(period: Period) -> PatronFigures:
    with warehouse.session() as session:
        return require(session, period)


@pytest.fixture
def home(world: pytest.MonkeyPatch, store: Any, library: Any, tmp_path: Path) -> Path:
    """The folder in which the product keeps its files, of this test alone."""
    folder = tmp_path / "var"
    folder.mkdir()
    world.setenv("ENGAGEMENT_HOME", str(folder))
    settings.cache_clear()
    return folder


class Kept:
    """A warehouse, a library system and a folder, planted once, of which tests get copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.databases: dict[str, URL] = {}

    def keep(self, home: Path, **databases: URL) -> None:
        """Take copies of what was planted."""
        shutil.copytree(home, self.folder)
        for name, url in databases.items():
            self.databases[name] = url.set(database=f"kept_{name}")
            _copy(url, self.databases[name])

    def give(self, home: Path, **databases: URL) -> None:
        """Put the copies in place of what a test has."""
        shutil.copytree(self.folder, home, dirs_exist_ok=True)
        for name, url in databases.items():
            warehouse.drop_database(url)
            _copy(self.databases[name], url)


def _copy(url: URL, to: URL) -> None:
    plain = url.set(drivername="postgresql", database="postgres", query={})
    plain = plain.update_query_dict({k: v for k, v in url.query.items() if k == "host"})
    with psycopg.connect(plain.render_as_string(False), autocommit=True) as server:
        server.execute(  # nobody may be connected to what is copied
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [url.database],
        )
    warehouse.create_database(to, f"TEMPLATE {url.database}")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """What is planted once for all tests of this file."""
    made = Kept(tmp_path_factory.mktemp("kept") / "var")
    yield made
    for url in made.databases.values():
        warehouse.drop_database(url)


@pytest.fixture
def known(
    home: Path,
    world: pytest.MonkeyPatch,
    clock: Any,
    store: Any,
    library: Any,
    mails: MailWorld,
    kept: Kept,
) -> list[str]:
    """A patron who is on record in every way; returns what only he is known by.

    June: a real customer, with a loan, who is asked in a survey, answers it in his own words, says no to
    more, and whose mail came back. July: his record cannot be read. It is the first of August.
    """
    databases = {"warehouse": store.url, "library": library.url}
    if kept.databases:
        kept.give(home, **databases)
        use_campaigns(world, home / "campaigns")
        clock.at(2018, 8, 1)
    else:
        _plant(home, world, clock, store, library, mails)
        kept.keep(home, **databases)
    key = address.digest(WHO["email"], address.secret()).hex()
    token = store.value(
        "SELECT token FROM pii.survey_token WHERE person_key = %s", [patron_key(store)]
    )
    return [*HELD, str(patron_key(store)), token, key]


def _plant(home: Path, world: Any, clock: Any, store: Any, library: Any, mails: MailWorld) -> None:
    library.enrol(110)
    library.enrol(**WHO)
    library.do(
        "INSERT INTO autolib.loan (member_id, item_barcode, loaned_at, due_at) "
        "VALUES (%s, %s, '2018-06-20 09:00+07', '2018-09-20 09:00+07')",
        [ID, ITEM],
    )
    clock.at(2018, 7, 1)
    read(library, JUNE)
    store.do(
        "INSERT INTO pii.mail_domain VALUES (%s, true, '2018-07-01')",
        [WHO["email"].partition("@")[2]],
    )
    library.stand_at(2018, 7, 1)
    loans.extract(JUNE, library.url)
    _survey(home, world, clock, store, mails)
    clock.at(2018, 8, 1)
    library.stand_at(2018, 7, 31)
    library.do(
        "UPDATE autolib.member SET first_name = first_name || convert_from(%s, 'SQL_ASCII') "
        "WHERE member_id = %s",
        ["ลับ".encode()[:-1], ID],
    )
    read(library, JULY)


def _survey(home: Path, world: Any, clock: Any, store: Any, mails: MailWorld) -> None:
    clock.at(2018, 7, 2)
    write_campaign(
        use_campaigns(world, home / "campaigns"), sample={"size": 151}, waves__sizes=[151]
    )
    mails.fates[WHO["email"]] = Fate.FULL
    approve()
    clock.at(2018, 7, 9, 9)
    surveys.advance_all()
    surveys.send_all(mails.server, None)
    collect.collect(mails.bounces)
    token, mail_token = store.do(
        "SELECT t.token, m.token FROM pii.survey_token AS t INNER JOIN core.invitation AS i "
        "USING (campaign, person_key) INNER JOIN core.message AS m ON m.recipient_key = i.address_key "
        "WHERE t.person_key = %s",
        [patron_key(store)],
    )[0]
    said = answer(token, **{"ข้อเสนอแนะเพิ่มเติม": WORDS})
    write_answers(home / "answers" / "july" / "answers.csv", said)
    clock.at(2018, 7, 11)
    answers.import_file(campaigns.load("july"), home / "answers" / "july" / "answers.csv")
    deliver(
        mails,
        f"bounces+unsubscribe-{mail_token}@bounce.kku.example.com",
        "unsubscribe",
        sender=WHO["email"],
    )
    collect.collect(mails.bounces)
    figures.count("july")


def patron_key(store: Any) -> Any:
    return store.value("SELECT patron_key FROM pii.patron WHERE source_id = %s", [ID])


def files_with(folder: Path, values: Any) -> dict[str, set[str]]:
    texts = {
        str(path.relative_to(folder)): path.read_bytes().decode("utf-8", "replace")
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {name: held for name, text in texts.items() if (held := found_in(text, values))}


def erased(reason: Any = "erased", library_id: str = ID) -> Erased:
    found = erase(library_id, reason, "anna")
    assert found is not None
    return found


def test_an_export_tells_a_patron_all_that_is_held_of_him(
    known: list[str], store: Any, home: Path
) -> None:
    path = export(f" {ID} ", "anna")
    assert path is not None
    text = path.read_text("utf-8")
    assert found_in(text, known) == set(known)
    told = json.loads(text)
    assert [one["of_month"] for one in told["months"]] == ["2018-06"]
    assert told["months"][0]["reasons_why_incomplete"] == []
    assert [one["item"] for one in told["loans"]] == [ITEM]
    assert [one["came_back_as"] for one in told["mails_sent"]] == ["soft", "opt-out"]
    assert len(told["mails_that_came_back"]) == 2
    (given,) = told["answers_given"]
    assert given["own_words"] == {"suggestion": WORDS}
    assert given["answers"]["channel"] == ["radio"]
    assert given["personal_link"] == told["surveys_asked"][0]["personal_link"]
    assert {one["what"] for one in told["not_to_be_mailed"]} == {"opt_out", "soft_bounce"}
    assert len(told["records_that_cannot_be_read"]) == 1


def test_an_export_is_its_owners_alone_and_is_logged_without_the_id(
    known: list[str], store: Any, home: Path
) -> None:
    path = export(ID, "anna")
    assert path is not None
    assert path.parent == home / "exports"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert ID not in path.name
    ((actor, command, count, key),) = store.do(
        "SELECT actor, command, row_count, tombstone_key FROM ops.pii_read"
    )
    assert (actor, command, count > 5) == ("anna", "patron export", True)
    assert key == tombstone.digest("autolib", ID, address.secret())


def test_an_erasure_leaves_a_digest_and_what_keeps_mail_away_and_nothing_else(
    known: list[str], store: Any, home: Path
) -> None:
    assert export(ID, "anna") is not None
    before = tables_with(store, known)
    # All of it is there to be erased: the search is not blind.
    assert {
        "pii.patron", "pii.address", "pii.quarantine", "pii.answer_text", "pii.returned_mail",
        "pii.survey_token", "pii.response_token", "pii.mail_domain", "stage.patron", "core.patron_month", "core.loan", "core.invitation",
        "core.message", "core.bounce", "core.suppression_event",
    } <= set(before)  # fmt: skip
    assert set(files_with(home, known)) > {"answers/july/answers.csv"}
    erased()
    *values, address_digest = known
    # Which item was lent stays in core.loan: nobody's.
    assert tables_with(store, [value for value in values if value != ITEM]) == {}
    assert set(tables_with(store, [address_digest])) == {
        "core.suppression_event",
        "core.suppression",
    }
    assert files_with(home, known) == {}
    assert store.do("SELECT patron_key FROM core.loan") == [(None,)]
    ((key, reason),) = store.do("SELECT tombstone_key, reason FROM pii.tombstone")
    assert (key, reason) == (tombstone.digest("autolib", ID, address.secret()), "erased")


def test_who_said_no_is_not_mailed_after_he_is_erased_either(known: list[str], store: Any) -> None:
    store.do("DELETE FROM core.suppression_event WHERE address_key IS NOT NULL")  # only as a person
    erased()
    assert store.do(
        "SELECT kind, encode(address_key, 'hex'), patron_key FROM core.suppression"
    ) == [("opt_out", known[-1], None)]


def test_what_was_published_stays_and_the_survey_counts_the_same_people(
    known: list[str], store: Any
) -> None:
    months = [published(JUNE), published(JULY)]
    survey = figures.read("july").counts
    erased()
    assert [published(JUNE), published(JULY)] == months
    figures.count("july")
    assert figures.read("july").counts == survey
    assert survey.invited == 151
    assert survey.answered == survey.opted_out == survey.soft_bounced == 1


def test_a_mail_that_waits_for_him_is_not_sent(known: list[str], store: Any, mails: Any) -> None:
    store.do("DELETE FROM core.suppression_event")
    store.do("UPDATE core.message SET state = 'queued', sent_at = NULL WHERE purpose = 'survey'")
    erased()
    states = store.do(
        "SELECT state, withdrawn_for, count(*) FROM core.message WHERE purpose = 'survey' GROUP BY 1, 2"
    )
    assert sorted(states, key=str) == [("queued", None, 150), ("withdrawn", "erased", 1)]


def test_a_month_can_be_published_again_without_him_and_adds_up(
    known: list[str], store: Any
) -> None:
    before = published(JUNE)
    erased()
    for period in (JUNE, JULY):
        check(period)
        publish(period)
        now = published(period)
        assert now.extracted == 151 == now.real_customers + now.rejected
        assert now.rejected_by_reason == {"objected": 1}
    assert published(JUNE).real_customers == before.real_customers - 1
    assert tables_with(store, [value for value in known[:-1] if value != ITEM]) == {}


def test_the_next_months_meet_the_tombstone_and_take_nothing_of_him(
    known: list[str], store: Any, library: Any, clock: Any
) -> None:
    erased("objected")
    for period, instant, broken in ((JULY, "2018-07-31", True), (AUGUST, "2018-08-31", False)):
        clock.at(2018, period.month + 1, 1)
        library.stand_at(*map(int, instant.split("-")))
        if not broken:  # first his record cannot be read, then it can
            library.do(
                "UPDATE autolib.member SET first_name = %s WHERE member_id = %s",
                [WHO["first_name"], ID],
            )
        library.do(
            "INSERT INTO autolib.loan (member_id, item_barcode, loaned_at, due_at, returned_at) "
            "VALUES (%s, 'B2', %s::timestamptz, '2018-12-01 09:00+07', NULL)",
            [ID, f"{instant} 09:00+07"],
        )
        read(library, period, reason="again" if broken else "")
        loans.extract(period, library.url)
        found = published(period)
        assert found.extracted == 151 == found.real_customers + found.rejected
        assert found.rejected_by_reason == {"objected": 1}
        assert found.rejected_by_first_reason == {"objected": 1}
        values = [value for value in known[:-1] if value != ITEM]
        assert tables_with(store, [*values, WHO["citizen_no"]]) == {}
        assert (
            store.value("SELECT count(*) FROM core.patron_month WHERE period = %s", [str(period)])
            == 150
        )
    assert store.value("SELECT count(*) FROM core.loan WHERE patron_key IS NULL") == 3
    assert store.value("SELECT count(*) FROM pii.quarantine WHERE record != ''") == 0


def test_nobody_is_asked_for_the_data_of_an_erased_patron(
    known: list[str], store: Any, home: Path
) -> None:
    import openpyxl

    erased()
    check(JULY)
    publish(JULY)
    path = rejects.default_path(JULY)
    assert rejects.export(JULY, path, "anna") == 0
    cells = [str(row) for sheet in openpyxl.load_workbook(path).worksheets for row in sheet.values]
    assert found_in("\n".join(cells), known) == set()
    assert len(openpyxl.load_workbook(path).worksheets[2]["A"]) == 1  # headings alone


def test_a_workbook_of_rejects_is_logged_as_a_reading(known: list[str], store: Any) -> None:
    rejects.export(JULY, rejects.default_path(JULY), "anna")
    assert store.do("SELECT actor, command, row_count, tombstone_key FROM ops.pii_read") == [
        ("anna", "rejects", 0, None)
    ]


def test_to_erase_again_does_no_harm_and_takes_what_came_since(
    known: list[str], store: Any, home: Path
) -> None:
    assert erased().was_erased is False
    (home / "exports").mkdir(exist_ok=True)
    (home / "exports" / "again.txt").write_text(ID)
    first = store.do("SELECT * FROM pii.tombstone")
    again = erased("objected")
    assert again.was_erased
    assert set(again.rows.values()) == {0}
    assert files_with(home, [ID]) == {}
    assert store.do("SELECT * FROM pii.tombstone") == first


def test_an_id_that_nobody_has_ends_in_a_sentence_without_it(known: list[str]) -> None:
    assert erase("ZX999999", "erased", "anna") is None
    assert export("ZX999999", "anna") is None
    for command in (commands.export, lambda who: commands.erase(who, "erased")):
        with pytest.raises(
            EngagementError, match="Nothing is held of a patron with that id"
        ) as said:
            command("ZX999999")
        assert "ZX999999" not in str(said.value)


def test_the_command_says_what_it_did_and_what_only_a_person_can_reach(
    known: list[str],
) -> None:
    done = CliRunner().invoke(cli.app, ["patron", "erase", ID, "--reason", "erased"])
    assert done.exit_code == 0
    said = done.output
    for words in ("core.patron_month: 1", "pii.returned_mail: 2", "files: 1", "Backups", "VACUUM"):
        assert words in said
    assert found_in(said, known) == set()


def test_nobody_is_erased_while_the_library_system_is_being_read(known: list[str]) -> None:
    with ThreadPoolExecutor(1) as other:
        with warehouse.session() as reading:
            assert tombstone.met_by(reading, "autolib") is None
            waiting = other.submit(erase, ID, "erased", "anna")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=1)
        assert waiting.result(timeout=30) is not None


def test_who_was_incomplete_is_rejected_as_objected_and_for_nothing_else(
    home: Path, clock: Any, store: Any, library: Any
) -> None:
    clock.at(2018, 7, 1)
    library.enrol(60)
    library.enrol(**WHO | {"email": None, "last_name": None})
    read(library, JUNE)
    assert published(JUNE).rejected_by_reason == {"name": 1, "email": 1}
    erased()
    publish(JUNE)
    assert published(JUNE).rejected_by_reason == {"objected": 1}


# Other records of the same person


@pytest.fixture
def two_records(home: Path, clock: Any, store: Any, library: Any) -> Any:
    """A person who works at the university and studies there: two records, one e-mail address."""
    clock.at(2018, 7, 1)
    library.enrol(60)
    library.enrol(**WHO)
    library.enrol(**WHO | {"member_id": "ZX2", "type_code": "21"})
    read(library, JUNE)
    return {
        row[0]: row[1]
        for row in store.do("SELECT source_id, patron_key FROM pii.patron WHERE source_id ~ '^ZX'")
    }


def test_other_records_of_the_person_stay_and_are_a_person_of_their_own(
    two_records: Any, store: Any
) -> None:
    first, second = two_records[ID], two_records["ZX2"]
    persons = "SELECT DISTINCT person_key FROM core.patron_month WHERE patron_key = ANY(%s)"
    (person,) = store.do(persons, [[first, second]])[0]
    gone, other = (ID, second) if person == first else ("ZX2", first)
    assert erased(library_id=gone).other_records == 1
    assert store.do(persons, [[first, second]]) == [(other,)]
    assert set(tables_with(store, [str(person)])) == set()
    # The address is the other record's too.
    assert WHO["email"] in {a for (a,) in store.do("SELECT address FROM pii.address")}


def test_a_no_of_the_person_goes_over_to_the_other_records(two_records: Any, store: Any) -> None:
    first, second = two_records[ID], two_records["ZX2"]
    store.do(
        "INSERT INTO core.suppression_event (patron_key, kind, event_at, recorded_at) "
        "VALUES (%s, 'opt_out', '2018-07-01', '2018-07-01')",
        [first],
    )
    erased()
    assert (second,) in store.do("SELECT patron_key FROM core.suppression")
    assert (
        store.value("SELECT count(*) FROM core.mailable_person WHERE patron_key = %s", [second])
        == 0
    )


def test_somebody_elses_records_are_left_alone(two_records: Any, store: Any) -> None:
    others = "SELECT * FROM core.patron_month WHERE patron_key != ALL(%s) ORDER BY record_no"
    keys = list(two_records.values())
    before = store.do(others, [keys])
    staged = store.value("SELECT count(*) FROM stage.patron")
    erased()
    assert store.do(others, [keys]) == before
    assert store.value("SELECT count(*) FROM stage.patron") == staged - 1


def test_what_is_about_somebody_with_a_similar_address_or_another_link_is_left_alone(
    known: list[str], store: Any, home: Path
) -> None:
    other = write_answers(home / "answers" / "july" / "other.csv", answer("k0123456789abcdef"))
    mails = [f"To: <x{WHO['email']}>", f"To: <{WHO['email']}.la>"]
    for mark, content in enumerate(mails):
        store.do(
            "INSERT INTO pii.returned_mail (mailbox, mark, content, received_at, kept_at) "
            "VALUES ('bounces', %s, %s, now(), now())",
            [f"other {mark}", content.encode()],
        )
    erased()
    kept = store.do("SELECT content FROM pii.returned_mail WHERE mark ~ 'other' ORDER BY mark")
    assert [bytes(content).decode() for (content,) in kept] == mails
    assert other.exists()


def test_a_record_that_does_not_come_apart_is_recognised_by_the_id_in_it() -> None:
    lines = {2: f"1;{ID};Qwanchai".encode(), 3: f"1;{ID}-2;Somchai".encode()}
    records = Records(range(1, 1), {"source_id": []}, malformed=list(lines.items()))
    normaliser = Normaliser(
        sources.load("autolib"), 1, date(2018, 6, 27), b"key", is_erased=lambda found: found == ID
    )
    assert normaliser.chunk(records).quarantined == [
        (2, "objected", b""),
        (3, "malformed", lines[3]),
    ]


def test_what_cannot_be_deleted_ends_in_a_sentence_and_can_be_run_again(
    known: list[str], store: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = export(ID, "anna")
    assert path is not None

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(EngagementError, match="cannot be written: Permission denied"):
            erase(ID, "erased", "anna")
    assert path.exists()
    assert patron_key(store) is not None
    assert erased().files == 2
    assert not path.exists()


def damaged(path: Path) -> None:
    """Pack answers, and let what is unpacked be something else than what was packed."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("answers.csv", "token,answer")
    path.write_bytes(path.read_bytes().replace(b"token,answer", b"token,ANSWER"))


def locked(path: Path) -> None:
    """Pack answers, and say of them that a password is needed (APPNOTE.TXT, 4.4.4: bit 0)."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("answers.csv", "token,answer")
    content = path.read_bytes()
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        flags = content.index(mark) + at
        content = content[:flags] + b"\x01" + content[flags + 1 :]
    path.write_bytes(content)


@pytest.mark.parametrize("break_", [damaged, locked])
def test_an_export_that_nobody_can_look_into_is_named_before_anything_is_erased(
    known: list[str], store: Any, home: Path, break_: Any
) -> None:
    path = export(ID, "anna")
    broken = home / "answers" / "july" / "answers.zip"
    broken.parent.mkdir(parents=True, exist_ok=True)
    break_(broken)
    with pytest.raises(EngagementError, match=r"answers\.zip cannot be looked into: .* delete it"):
        erase(ID, "erased", "anna")
    assert path is not None
    assert path.exists()
    assert patron_key(store) is not None
    broken.unlink()
    assert erased().files == 2
