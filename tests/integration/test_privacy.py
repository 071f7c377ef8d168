"""Personal values stay where docs/privacy.md says that they lie: not in figures, logs, mails or errors."""

import email
import logging
import re
import traceback
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engagement.mail import MailServer
from engagement.model.check import check
from engagement.model.extract import extract
from engagement.model.publish import publish
from engagement.monitor import release
from engagement.period import Period
from engagement.privacy import retention
from engagement.privacy.erasure import erase
from engagement.settings import ROOT, settings

JUNE = Period(2018, 6)
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
PLACES = set(re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE))

# One value per column that a person is known by, each unlike anything else that is written anywhere.
WHO = {
    "first_name": "Qwanchai",
    "last_name": "นามสกุลลับเจ็ดหนึ่ง",
    "member_id": "ZX735173",
    "citizen_no": "1409973517351",
    "email": "qwanchai.zx@library.example.com",
}
UNIT = "หน่วยของนายลับเจ็ดสอง"  # typed into a field of its own: no list says what may stand there


class Postbox:
    """A real SMTP server that keeps what it takes; it may name the recipient when it refuses."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.refusal = ""

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.refusal:
            return self.refusal.format(address)
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.received.append(envelope.content)
        return "250 kept"


@pytest.fixture
def postbox(listen: Any) -> tuple[Postbox, MailServer]:
    """A mail server on loopback, and what it received."""
    handler = Postbox()
    return handler, listen(handler)


@pytest.fixture(autouse=True)
def ready(clock: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test here has a clock, a warehouse and mail that leaves."""
    world.setenv("ENGAGEMENT_MAIL", "live")
    world.setenv("ENGAGEMENT_ARCHIVE", str(tmp_path / "archive"))
    settings.cache_clear()


@pytest.fixture
def marked(library: Any) -> Any:
    """The library with a person who is on record in every way: whole, twice, rejected and unreadable."""
    library.enrol(60)  # so that one unreadable record stays under the gate's limit
    library.enrol(**WHO)
    library.enrol(**WHO | {"member_id": "ZX735173-2", "faculty_code": None, "unit_name": UNIT})
    library.enrol(**WHO | {"member_id": "ZX735173-3", "email": "qwanchai.zx@@", "type_code": "99"})
    library.enrol(**WHO | {"member_id": "ZX735173-4", "expire_date": "31/05/2560"})
    library.enrol(**WHO | {"member_id": "ZX735173-5"})
    library.do(
        "UPDATE autolib.member SET first_name = first_name || convert_from(%s, 'SQL_ASCII') "
        "WHERE member_id = 'ZX735173-5'",
        ["ลับ".encode()[:-1]],
    )
    return library


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every line that the product and Great Expectations write, down to DEBUG."""
    import great_expectations  # noqa: F401  # its loggers must be there to be set

    caplog.set_level(logging.INFO)  # what a task's log takes from anybody
    for name in list(logging.root.manager.loggerDict):
        # The parts of Great Expectations too: its own logger is quieted by the product.
        if name.split(".")[0] in ("engagement", "great_expectations"):
            caplog.set_level(logging.DEBUG, name)
    return caplog


def run(library: Any, server: MailServer) -> None:
    """Run the month from the library system to the executives' mailboxes."""
    read(library)
    check(JUNE)
    publish(JUNE)
    release.send(JUNE, server, release.cut(JUNE, "a run"))


def read(library: Any) -> None:
    extract(JUNE, library.url.update_query_dict({"client_encoding": "latin1"}))


def tables(store: Any) -> dict[str, str]:
    """Return every table and view of the warehouse by name, each with the table it is a part of."""
    return dict(
        store.do(
            "SELECT c.oid::regclass::text, coalesce(i.inhparent, c.oid)::regclass::text "
            "FROM pg_class AS c LEFT JOIN pg_inherits AS i ON c.oid = i.inhrelid "
            "WHERE c.relkind IN ('r', 'p', 'v', 'm') "
            "AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'"
        )
    )


def found_in(text: str, values: Any) -> set[str]:
    """Return which of the values the text holds, as letters or as the hexadecimal of their bytes."""
    text = text.casefold()
    return {v for v in values if v.casefold() in text or v.encode().hex() in text}


def tables_with(store: Any, values: Any) -> dict[str, set[str]]:
    """Return every table that holds one of the values, whatever the column, with those it holds."""
    found: dict[str, set[str]] = {}
    for name, whole in tables(store).items():
        rows = "\n".join(row for (row,) in store.do(f"SELECT t::text FROM {name} AS t"))  # noqa: S608
        if held := found_in(rows, values):
            found[whole] = found.get(whole, set()) | held
    return found


def test_the_page_lists_every_table_of_pii_and_stage_and_no_table_that_is_gone(store: Any) -> None:
    whole = {name.replace('"', "") for name in tables(store).values()}
    personal = {name for name in whole if name.startswith(("pii.", "stage."))}
    assert len(personal) >= 5
    assert personal - PLACES == set()
    listed = {place for place in PLACES if place.startswith(("pii.", "stage.", "core.", "ops."))}
    assert listed - whole == set()


def test_the_page_lists_every_table_that_holds_a_pseudonym(store: Any) -> None:
    pseudonymous = {
        f"{schema}.{table}"
        for schema, table in store.do(
            "SELECT table_schema, table_name FROM information_schema.columns "
            "WHERE column_name IN ('patron_key', 'person_key', 'address_key', 'recipient_key', "
            "'record_no', 'source_id')"
        )
    }
    assert "core.message" in pseudonymous
    assert pseudonymous - PLACES == set()


def test_who_analyses_can_read_neither_pii_nor_stage(library: Any, store: Any) -> None:
    read(library)
    readable = {
        schema: store.value(
            "SELECT count(*) FROM pg_class AS c WHERE c.relkind IN ('r', 'p') "
            "AND c.relnamespace = %(s)s::regnamespace "
            "AND (has_schema_privilege('engagement_reader', %(s)s, 'USAGE') "
            "OR has_table_privilege('engagement_reader', c.oid, 'SELECT'))",
            {"s": schema},
        )
        for schema in ("core", "mart", "ops", "pii", "stage")
    }
    assert readable["pii"] == readable["stage"] == 0
    assert min(readable["core"], readable["mart"], readable["ops"]) > 0
    # The planner's statistics quote frequent names.
    statistics = "SELECT schemaname FROM pg_stats WHERE schemaname IN ('pii', 'stage')"
    assert store.do(statistics)
    plain = store.url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(plain) as connection:
        connection.execute("SET ROLE engagement_reader")
        assert connection.execute(statistics.encode()).fetchall() == []
        assert connection.execute("SELECT schemaname FROM pg_stats").fetchall()


def test_a_month_leaves_no_patrons_values_outside_pii_and_stage(
    marked: Any, store: Any, postbox: Any, everything_logged: Any, capfd: Any
) -> None:
    mails, server = postbox
    run(marked, server)
    values = (*WHO.values(), UNIT)
    holding = tables_with(store, values)
    inside = {
        name: holding.pop(name) for name in list(holding) if name.startswith(("pii", "stage"))
    }
    # All of them are found where they belong: the search is not blind.
    assert inside["stage.patron"] == set(values) - {WHO["citizen_no"]}
    assert inside["pii.quarantine"] == set(WHO.values())
    assert WHO["member_id"] in inside["pii.patron"]
    assert WHO["email"] in inside["pii.address"]
    # Outside lies, at the most, what was typed as the name of a unit, and only where the page says so.
    assert holding == {}
    assert "Read 105 of 105 records." in everything_logged.text
    assert any(r.name.startswith("great_expectations.") for r in everything_logged.records)
    assert found_in(everything_logged.text + "".join(capfd.readouterr()), values) == set()
    assert len(mails.received) == 3
    for raw in mails.received:
        assert "102" in letter(raw)
        assert found_in(letter(raw) + raw.decode(), values) == set()
    archived = [path for path in settings().archive_folder.rglob("*") if path.is_file()]
    assert len(archived) == 8
    for path in archived:
        assert found_in(path.read_bytes().decode("utf-8", "replace"), values) == set()


def letter(raw: bytes) -> str:
    """Return a mail as its reader sees it: all headers and both parts."""
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    parts = [message.get_body(("plain",)), message.get_body(("html",))]
    return "\n".join([*map(str, message.values()), *(part.get_content() for part in parts if part)])


def test_the_command_erases_every_record_of_a_patron_and_the_figures_stay(
    marked: Any, store: Any, postbox: Any
) -> None:
    run(marked, postbox[1])
    before = store.do("SELECT * FROM mart.patron_funnel")
    for (member_id,) in marked.do("SELECT member_id FROM autolib.member WHERE member_id ~ '^ZX'"):
        assert erase(member_id, "erased", "anna") is not None
    assert tables_with(store, [*WHO.values(), UNIT]) == {}
    assert store.value("SELECT count(*) FROM stage.patron") == 100
    assert store.do("SELECT * FROM mart.patron_funnel") == before


def test_the_page_tells_the_days_of_each_place_as_they_are_set() -> None:
    told = dict(re.findall(r"^\| `([^`]+)`.*? \| .*? \| .*? \| (.*?) \| ", PAGE, re.MULTILINE))
    assert len(retention.days()) > 8
    wrong = {
        place: told.get(place)
        for place, days in retention.days().items()
        if f"{days} days" not in told.get(place, "")
    }
    assert wrong == {}


# What goes wrong


def checks_raise(library: Any, store: Any) -> None:
    """Let a column of the extract fail to be worked out, with a text that quotes the patron."""
    read(library)
    columns = store.do(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'stage.patron_1'::regclass AND attnum > 0"
    )
    broken = "(name || email)::integer::text AS name"
    listed = ", ".join(broken if name == "name" else name for (name,) in columns)
    store.do("ALTER TABLE stage.patron_1 RENAME TO kept")
    store.do(
        f"CREATE VIEW stage.patron_1 AS SELECT {listed} FROM stage.kept "  # noqa: S608
        f"WHERE source_id = '{WHO['member_id']}'"
    )
    check(JUNE)


def source_fails(library: Any, store: Any) -> None:
    """Let the library system itself quote the patron in an error."""
    library.do("DROP TABLE autolib.faculty")
    library.do(
        "CREATE VIEW autolib.faculty AS SELECT (first_name || email)::integer::text AS faculty_code, "
        "''::text AS faculty_name FROM autolib.member WHERE member_id = 'ZX735173'"
    )
    read(library)


def gate_refuses(library: Any, store: Any) -> None:
    """Let the patron stand on two records of the source."""
    library.do("ALTER TABLE autolib.member DROP CONSTRAINT member_member_id_key")
    library.do("UPDATE autolib.member SET member_id = 'ZX735173' WHERE member_id ~ '^ZX'")
    read(library)


def loading_fails(library: Any, store: Any) -> None:
    """Let the warehouse refuse the patron's row while it is loaded."""
    store.do(f"ALTER TABLE stage.patron ADD CHECK (given_name <> '{WHO['first_name']}')")
    read(library)


def publishing_fails(library: Any, store: Any) -> None:
    """Let a constraint quote the patron's address while it is published."""
    store.do(f"ALTER TABLE pii.address ADD CHECK (address <> '{WHO['email']}')")
    read(library)
    check(JUNE)
    publish(JUNE)


@pytest.mark.parametrize(
    "wrong",
    [checks_raise, source_fails, gate_refuses, loading_fails, publishing_fails],
    ids=lambda wrong: wrong.__name__,
)
def test_no_failure_of_the_model_tells_a_patrons_values(
    wrong: Any, marked: Any, store: Any, everything_logged: Any
) -> None:
    said = told(wrong, marked, store)
    assert found_in(said + everything_logged.text, [*WHO.values(), UNIT]) == set()


@pytest.mark.parametrize("reply", ["550 5.1.1 <{}>: unknown", "451 4.2.1 <{}>: try again later"])
def test_no_refused_mail_tells_its_recipient(
    reply: str,
    library: Any,
    postbox: Any,
    everything_logged: Any,
    world: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    mails, server = postbox
    own = settings().report_file.read_text().split("recipients:")[0]
    (tmp_path / "report.yaml").write_text(f"{own}recipients: [{WHO['email']}]\n")
    world.setenv("ENGAGEMENT_REPORT_FILE", str(tmp_path / "report.yaml"))
    settings.cache_clear()
    mails.refusal = reply
    said = told(run, library, server)
    assert reply[:3] in said
    ours = "\n".join(r.getMessage() for r in everything_logged.records if r.name != "mail.log")
    assert found_in(said + ours, WHO.values()) == set()


def told(step: Any, *arguments: Any) -> str:
    """Return what is printed of the failure of a step: its trace, with causes and contexts."""
    try:
        step(*arguments)
    except Exception as error:
        return "".join(traceback.format_exception(error))
    pytest.fail(f"{step.__name__} did not fail")
