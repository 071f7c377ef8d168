"""A warehouse and a small library system for a test, on the real PostgreSQL."""

import itertools
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from aiosmtpd.controller import Controller
from psycopg import sql
from sqlalchemy.engine import URL

from engagement import embedded, schema, warehouse
from engagement.mail import MailServer
from engagement.settings import INCLUDE, settings

_numbers = itertools.count(1)

MEMBER = {
    "member_id": "",
    "prefix_code": 1,
    "first_name": "สมชาย",
    "last_name": "ใจดี",
    "type_code": "11",
    "faculty_code": "HUSO",
    "nationality_code": "TH",
    "citizen_no": None,
    "email": "",
    "member_state": "1",
    "expire_date": "31/05/2565",
}


class Database:
    """A database that a test reads and breaks behind the product's back."""

    def __init__(self, url: URL) -> None:
        self.url = url

    def do(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own and return its rows."""
        plain = self.url.set(drivername="postgresql").render_as_string(False)
        with psycopg.connect(plain) as connection, connection.cursor() as cursor:
            cursor.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, values: Any = None) -> Any:
        """Return the only value of a query."""
        return self.do(statement, values)[0][0]


class Library(Database):
    """A small library system with the tables of the simulated AutoLib."""

    @property
    def source(self) -> URL:
        """Where the product reads it."""
        return self.url.difference_update_query(["client_encoding"])

    def stand_at(self, year: int, month: int, day: int) -> None:
        """Say that the data is of this day."""
        instant = datetime(year, month, day, 18, tzinfo=ZoneInfo("Asia/Bangkok"))
        self.do("DELETE FROM autolib.data_state")
        self.do("INSERT INTO autolib.data_state VALUES (%s)", [instant])

    def enrol(self, count: int = 1, **values: Any) -> None:
        """Add `count` members who pass every check, but for the given columns."""
        columns = sql.SQL(", ").join(map(sql.Identifier, MEMBER | values))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(MEMBER | values))
        into = sql.SQL("INSERT INTO autolib.member ({}) VALUES ({})").format(columns, marks)
        plain = self.url.set(drivername="postgresql").render_as_string(False)
        with psycopg.connect(plain) as connection, connection.cursor() as cursor:
            for _ in range(count):
                number = next(_numbers)
                own = {"member_id": f"M{number}", "email": f"p{number}@library.example.com"}
                cursor.execute(into, list((MEMBER | own | values).values()))


def _copy_of(template: str) -> tuple[str, str]:
    """Return how a small database is copied fastest."""
    return f"TEMPLATE {template}", "STRATEGY FILE_COPY"


@pytest.fixture(scope="session")
def migrated(server_home: Path) -> str:
    """The name of a warehouse of the newest schema, empty, of which tests get copies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGAGEMENT_HOME", str(server_home))
        settings.cache_clear()
        made = embedded.database("warehouse_migrated")
        patch.setenv("ENGAGEMENT_WAREHOUSE_URL", made.render_as_string(False))
        patch.setenv("ENGAGEMENT_DEPLOYMENT", "test")
        settings.cache_clear()
        schema.upgrade()
        warehouse._engine(made).dispose()  # nobody may be connected to what is copied
    settings.cache_clear()
    return "warehouse_migrated"


@pytest.fixture
def store(world: pytest.MonkeyPatch, migrated: str) -> Iterator[Database]:
    """A warehouse of the newest schema, empty."""
    made = embedded.database(f"warehouse_{next(_numbers)}", *_copy_of(migrated))
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", made.render_as_string(False))
    world.setenv("ENGAGEMENT_DEPLOYMENT", "test")
    settings.cache_clear()
    yield Database(made)
    warehouse.drop_database(made)


@pytest.fixture(scope="session")
def enrolled(server_home: Path) -> str:
    """The name of a library system's database, of which tests get copies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGAGEMENT_HOME", str(server_home))
        settings.cache_clear()
        made = embedded.database(
            "library_enrolled", "TEMPLATE template0", "ENCODING 'SQL_ASCII'", "LOCALE 'C'"
        )
    created = made.update_query_dict({"client_encoding": "latin1"})
    with warehouse.session(created) as session:
        session.run("demo/create_library")
    warehouse._engine(created).dispose()  # nobody may be connected to what is copied
    system = Library(made.update_query_dict({"client_encoding": "utf8"}))
    system.do("INSERT INTO autolib.faculty VALUES ('HUSO', 'คณะมนุษยศาสตร์และสังคมศาสตร์')")
    system.stand_at(2018, 6, 27)
    system.enrol(40)
    settings.cache_clear()
    return "library_enrolled"


@pytest.fixture
def library(world: pytest.MonkeyPatch, enrolled: str) -> Iterator[Library]:
    """A library system of 40 members who are real customers, as of 27 June 2018."""
    made = embedded.database(f"library_{next(_numbers)}", *_copy_of(enrolled))
    yield Library(made.update_query_dict({"client_encoding": "utf8"}))
    warehouse.drop_database(made)


@pytest.fixture
def listen() -> Iterator[Callable[[Any], MailServer]]:
    """Start a real SMTP server on loopback that answers as the given handler says."""
    controllers = []

    def start(handler: Any) -> MailServer:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(handler, hostname="127.0.0.1", port=port)
        controller.start()
        controllers.append(controller)
        return MailServer("127.0.0.1", port, "Library <engagement@library.example.com>")

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def july(library: Any, clock: Any) -> Any:
    """Move on to the first of August, with a copy of the library of the end of July; call it when due."""

    def move() -> None:
        clock.at(2018, 8, 1)
        library.stand_at(2018, 7, 31)

    return move


@pytest.fixture
def queries(world: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Replace words in AutoLib's queries of the patrons, and of how many they are."""
    shipped = INCLUDE
    own = tmp_path / "sql" / "sources" / "autolib"
    own.mkdir(parents=True)
    for path in (shipped / "sql").iterdir():
        if path.name != "sources":
            (tmp_path / "sql" / path.name).symlink_to(path)
    for path in (shipped / "sql" / "sources" / "autolib").iterdir():
        (own / path.name).write_text(path.read_text("utf-8"), encoding="utf-8")

    def replace(old: str, new: str, *names: str) -> None:
        for name in names or ("patron", "patron_count"):
            text = (own / f"{name}.sql").read_text("utf-8")
            assert old in text
            (own / f"{name}.sql").write_text(text.replace(old, new), encoding="utf-8")
        warehouse.statement.cache_clear()

    world.setattr(warehouse, "INCLUDE", tmp_path)
    warehouse.statement.cache_clear()
    yield replace
    warehouse.statement.cache_clear()


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[Any]:
    """A relay on loopback with mailboxes behind it, as the demo has one."""
    from survey import MailWorld

    from engagement.demo import postbox
    from engagement.demo.postbox import Fate

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        made = MailWorld(tmp_path / "mail", probe.getsockname()[1])
    port = made.server.port
    with postbox.receiving(
        made.folder, port, lambda address: made.fates.get(address, Fate.DELIVERED)
    ):
        yield made


@pytest.fixture
def send(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: Any
) -> Callable[..., list[Any]]:
    """Send the only wave of 100 of a campaign; returns token, mail token, address, person."""
    from survey import invited, open_wave

    from engagement.measure import run

    def go(**changes: Any) -> list[Any]:
        open_wave(world, clock, store, tmp_path, {"staff": 40, "undergraduate": 60}, **changes)
        run.send_all(mails.server, None)
        assert mails.count("people") == 100
        return invited(store)

    return go


@pytest.fixture
def sent(send: Callable[..., list[Any]]) -> list[Any]:
    """A campaign whose only wave of 100 has just gone out."""
    return send()
