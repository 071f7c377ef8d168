"""Every library system gives the same kind of month: AutoLib's exports, FOLIO's pages, one never heard of."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import psycopg
import pytest
from exported import (
    FACULTY,
    HEADINGS,
    delimited,
    file_url,
    folio_id,
    member,
    pages,
    user,
    workbook,
    written_at,
)
from sqlalchemy.engine import URL

from engagement import embedded, warehouse
from engagement.dates import Era, Order
from engagement.errors import EngagementError
from engagement.groups import GROUPS
from engagement.model import loans, reading, source as sources, source_check
from engagement.model.check import check
from engagement.model.extract import extract
from engagement.model.normalise import Normaliser
from engagement.model.publish import publish
from engagement.model.records import FIELDS
from engagement.monitor.figures import PatronFigures, require
from engagement.period import Period
from engagement.settings import INCLUDE, ROOT, settings

JUNE = Period(2018, 6)
pytestmark = pytest.mark.usefixtures("clock")


def run(library: URL, shards: int = 1) -> PatronFigures:
    """Run the three steps of the model and return what they published; it must add up."""
    for shard in range(shards):
        extract(JUNE, library, shard=shard, shards=shards)
    check(JUNE)
    publish(JUNE)
    with warehouse.session() as session:
        found = require(session, JUNE)
    assert found.extracted == found.real_customers + found.rejected
    assert sum(found.rejected_by_first_reason.values()) == found.rejected
    assert sum(group.extracted for group in found.by_group.values()) == found.extracted
    return found


def refusal(library: URL) -> str:
    with pytest.raises(EngagementError) as caught:
        extract(JUNE, library)
    return str(caught.value)


def outcome(found: PatronFigures) -> dict[str, Any]:
    """Return the figures that tell a month apart from another."""
    groups = {code: count.real_customers for code, count in found.by_group.items()}
    return {
        "extracted": found.extracted,
        "current": found.current,
        "real": (found.real_customers, found.real_persons),
        "rejected": found.rejected_by_reason,
        "groups": {code: count for code, count in groups.items() if count},
    }


def normalised(library: URL, shards: int = 1) -> list[dict[str, Any]]:
    """Return what the product makes of each record of the source, in the order of their ids."""
    source = sources.load(settings().source)
    rows: list[dict[str, Any]] = []
    for shard in range(shards):
        with reading.opened(source, library, JUNE, shard, shards) as opened:
            normaliser = Normaliser(source, 1, date(2018, 6, 27), b"key", carrier=opened.carrier)
            for records in opened.chunks(10):
                chunk = normaliser.chunk(records)
                assert not chunk.quarantined
                rows += chunk.rows.to_pylist()
    told = [
        {k: v for k, v in row.items() if k != "record_no" and not k.endswith("_raw")}
        for row in rows
    ]
    return sorted(told, key=lambda row: row["source_id"])


# Walai AutoLib: its database and its exports

MEMBERS = [
    *(member(n) for n in range(1, 31)),
    member(31, last_name='"ใหญ่" ณ อยุธยา'),
    member(32, faculty_name=None, unit_name="สำนักหอสมุด, ชั้น 2\nอาคาร 1", type_code="03"),
    member(33, prefix_code="12", first_name="สุธรรม", last_name=None),
    member(34, type_code="21", nationality_code="LA"),
    member(35, type_code="22", citizen_no="1409900000001"),
    member(36, type_code="01", citizen_no="1409900000001", email="P36@Library.Example.com"),
    member(37, expire_date="31/05/2560"),
    member(38, member_state="2"),
    member(39, expire_date="30/06/2561"),
    member(40, email=None),
    member(41, email="-", last_name="ไม่ระบุ"),
    member(42, type_code="99"),
    member(43, faculty_name="ไม่ทราบ"),
    member(44, expire_date=None),
]
OUTCOME = {
    "extracted": 44,
    "current": 41,
    "real": (37, 36),
    "rejected": {"not_current": 3, "name": 1, "status": 1, "affiliation": 1, "email": 2},
    "groups": {"staff": 2, "undergraduate": 33, "graduate": 1, "international": 1},
}
NUMBERS = {"member_id", "prefix_code", "citizen_no", "member_state"}


@pytest.fixture
def autolib(library: Any) -> URL:
    """Return AutoLib's database with the members in it, as the product connects to it."""
    rows = [row | {"faculty_code": row["faculty_name"]} for row in MEMBERS]
    columns = ", ".join({*rows[0]} - {"faculty_name"})
    library.do("DELETE FROM autolib.member")
    for faculty in filter(None, {row["faculty_name"] for row in MEMBERS}):
        library.do("INSERT INTO autolib.faculty VALUES (%s, %s)", [faculty, faculty])
    library.do(
        f"INSERT INTO autolib.member ({columns}) "  # noqa: S608 - the columns are ours
        f"SELECT {columns} FROM json_populate_recordset(NULL::autolib.member, %s)",
        [json.dumps(rows, ensure_ascii=False)],
    )
    url: URL = library.url
    return url.update_query_dict({"client_encoding": "latin1"})


def csv_in(*encodings: str) -> Callable[[Path], Path]:
    """Return what writes the members as CSV, the encodings taking turns from record to record."""

    def write(folder: Path) -> Path:
        headings = delimited([])
        records = [headings, *(delimited([row]).removeprefix(headings) for row in MEMBERS)]
        coded = (text.encode(encodings[n % len(encodings)]) for n, text in enumerate(records))
        path = folder / "patrons.csv"
        path.write_bytes(b"".join(coded))
        return path

    return write


def csv_of_another_order(folder: Path) -> Path:
    path = folder / "patrons.txt"
    order = ["ที่อยู่", *reversed(HEADINGS), "หมายเหตุ"]
    path.write_text(delimited(MEMBERS, order), encoding="utf-8-sig", newline="")
    return path


def excel_of_text_dates(folder: Path) -> Path:
    def cell(column: str, value: str) -> Any:
        return int(value) if column in NUMBERS else value

    return workbook(folder / "patrons.xlsx", MEMBERS, cell)


def excel_of_real_dates(folder: Path) -> Path:
    def cell(column: str, value: str) -> Any:
        if column != "expire_date":
            return value
        day, month, year = map(int, value.split("/"))
        return datetime(year - 543, month, day, tzinfo=UTC).replace(tzinfo=None)

    return workbook(folder / "patrons.xlsx", MEMBERS, cell)


EXPORTS: dict[str, Callable[[Path], Path]] = {
    "csv in utf-8": csv_in("utf-8"),
    "csv in cp874": csv_in("cp874"),
    "csv, mixed": csv_in("cp874", "utf-8", "utf-8"),
    "csv, marked, another order, surplus columns": csv_of_another_order,
    "excel, ids as numbers, dates as text": excel_of_text_dates,
    "excel, real dates": excel_of_real_dates,
}


@pytest.mark.parametrize("shards", [1, 2])
def test_every_export_holds_the_same_patrons_as_the_database(
    shards: int, autolib: URL, tmp_path: Path
) -> None:
    held = normalised(autolib)
    assert len(held) == len(MEMBERS)
    for name, write in EXPORTS.items():
        assert normalised(file_url(write(tmp_path)), shards) == held, name


def test_autolibs_database_gives_these_real_customers(autolib: URL, store: Any) -> None:
    assert outcome(run(autolib)) == OUTCOME


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_gives_the_same_real_customers(name: str, store: Any, tmp_path: Path) -> None:
    export = written_at(EXPORTS[name](tmp_path), 2018, 6, 27)
    assert outcome(run(file_url(export), shards=2)) == OUTCOME


def test_the_month_stands_in_the_name_of_its_file(store: Any, tmp_path: Path) -> None:
    csv_in("utf-8")(tmp_path).rename(written_at(tmp_path, 2018, 6, 30) / "patrons-2018-06.csv")
    written_at(tmp_path, 2018, 6, 30)
    assert "patrons-2018-06.txt" in refusal(file_url(tmp_path / "patrons-{period}.txt"))
    assert extract(JUNE, file_url(tmp_path / "patrons-{period}.csv"))


def test_the_files_own_time_says_of_when_its_data_is(store: Any, tmp_path: Path) -> None:
    path = csv_in("utf-8")(tmp_path)
    written_at(path, 2018, 5, 31)
    assert refusal(file_url(path)) == (
        "Walai AutoLib stands at 2018-05-31, which says nothing about 2018-06; bring its copy up to "
        "date, then run the period again."
    )
    written_at(path, 2018, 7, 1)
    found = run(file_url(path))
    assert found.as_of_date == date(2018, 7, 1)
    # Whose membership ended with June is not current on the first of July.
    assert found.rejected_by_reason["not_current"] == OUTCOME["rejected"]["not_current"] + 1


def test_the_day_of_a_file_is_the_librarys(store: Any, tmp_path: Path) -> None:
    path = written_at(csv_in("utf-8")(tmp_path), 2018, 7, 1, hour=3)
    assert run(file_url(path)).as_of_date == date(2018, 7, 1)


def test_an_export_holds_no_loans(store: Any, tmp_path: Path) -> None:
    with pytest.raises(loans.NoLoans, match="an export of its patrons, which has no loans"):
        loans.extract(JUNE, file_url(csv_in("utf-8")(tmp_path)))


def test_airflows_connection_may_name_a_file(world: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    (told,) = re.findall("AIRFLOW_CONN_LIBRARY='(.*)'", page)
    world.setenv("AIRFLOW_CONN_LIBRARY", told)
    from engagement_airflow import connections

    assert connections.library() == file_url("/srv/autolib/patrons-{period}.csv")


# FOLIO: the pages of its API

UTC_END_OF_JUNE_IN_BANGKOK = "2018-06-30T16:59:59.000+00:00"
PLAIN = [user(number) for number in range(1, 21)]
OTHERS = [
    user(21, expirationDate=None),
    user(22, expirationDate=None, patronGroup=folio_id("faculty")),
    user(23, patronGroup=folio_id("graduate"), departments=[folio_id("SC"), folio_id("HUSO")]),
    user(24, patronGroup=folio_id("international")),
    user(25, {"firstName": None, "lastName": "พระมหาสุธรรม"}),
    user(26, departments=[]),
    user(27, departments=None),
    user(28, patronGroup=folio_id("a group that was deleted")),
    user(29, patronGroup=folio_id("visitor")),
    user(30, patronGroup=None),
    user(31, active=False, expirationDate="2017-05-31T16:59:59.000+00:00"),
    user(32, active=False, expirationDate=None),
    user(33, expirationDate="2018-05-31T16:59:59.000+00:00"),
    user(34, expirationDate=UTC_END_OF_JUNE_IN_BANGKOK),
]
LAST = [
    user(35, {"email": "p1@library.example.com"}, patronGroup=folio_id("staff")),
    user(36, {"email": None}),
    user(37, {"email": "-"}),
    user(38, {"firstName": None, "lastName": "System", "email": None}, type="system",
         patronGroup=None, departments=[], expirationDate=None),
    user(39, {"firstName": None, "lastName": "DCB", "email": None}, type="dcb",
         departments=None, expirationDate=None),
]  # fmt: skip


@pytest.fixture
def folio(world: pytest.MonkeyPatch) -> None:
    """Let FOLIO be the source."""
    world.setenv("ENGAGEMENT_SOURCE", "folio")
    settings.cache_clear()


@pytest.mark.parametrize("shards", [1, 2])
def test_folios_users_are_counted_by_group_department_and_expiration(
    shards: int, folio: None, store: Any, tmp_path: Path
) -> None:
    fetched = pages(tmp_path / "2018-06", PLAIN, OTHERS, LAST)
    found = run(file_url(fetched.with_name("{period}")), shards)
    assert outcome(found) == {
        "extracted": 39,
        "current": 36,
        "real": (27, 26),  # the second record of one person is a record, not a person
        "rejected": {"not_current": 3, "name": 2, "status": 4, "affiliation": 4, "email": 4},
        "groups": {"staff": 2, "undergraduate": 23, "graduate": 1, "international": 1},
    }
    assert found.notices["no_expiry"] == 4
    assert found.notices["single_name"] == 1
    named = "SELECT affiliation FROM stage.patron WHERE source_id = %s"
    assert store.value(named, [folio_id("user 23")]) == "คณะวิทยาศาสตร์"


def test_folio_without_departments_gives_an_honest_nothing_and_another_field_can_be_named(
    folio: None, store: Any, tmp_path: Path, world: pytest.MonkeyPatch
) -> None:
    users = [user(n, departments=[], customFields={"faculty": FACULTY}) for n in range(9)]
    export = file_url(pages(tmp_path / "folio", users))
    found = run(export)
    assert outcome(found)["real"] == (0, 0)
    assert found.rejected_by_reason == {"affiliation": 9}
    assert found.explanation.en == (
        "No record has an affiliation: FOLIO holds none where it is read; name another column as "
        "affiliation in folio.yaml."
    )
    shipped = (INCLUDE / "sources" / "folio.yaml").read_text(encoding="utf-8")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "folio.yaml").write_text(
        shipped.replace("affiliation: departments", "affiliation: customFields.faculty").replace(
            "    departments: {file", "    # departments: {file"
        ),
        encoding="utf-8",
    )
    world.setattr(sources, "INCLUDE", tmp_path)
    again = source_check.check("folio", export)
    assert (again.complete_count, again.explanations) == (9, [])


# Openlib: a system that nobody has heard of, added as docs/sources.md says

PAGE = ROOT / "docs" / "sources.md"
OPENLIB = """
CREATE SCHEMA openlib
CREATE TABLE dept (dept_id int PRIMARY KEY, dept_name text)
CREATE TABLE person (
    person_id int PRIMARY KEY, full_name text, cat text, dept_id int, country text, mail text, st text,
    valid_to text
)
CREATE TABLE loan (
    loan_no int PRIMARY KEY, person_id int, copy_no int, out_at timestamptz, due_at timestamptz,
    in_at timestamptz
);
INSERT INTO openlib.dept VALUES (1, 'Faculty of Arts'), (2, 'N/A');
INSERT INTO openlib.loan VALUES
    (1, 1, 7, '2018-06-02', '2018-06-16', NULL),
    (2, 1, 8, '2018-05-02', '2018-05-16', '2018-05-09'),
    (3, 2, 9, '2018-07-02', '2018-07-16', NULL)
"""
PEOPLE = [
    *(
        (n, "John Smith", "ST", 1, "US", f"s{n}@example.com", "OK", "12/31/2018")
        for n in range(1, 21)
    ),
    (21, "de la Cruz, Maria", "TE", 1, "PH", "maria@example.com", "OK", "07/01/2018"),
    (22, "Cher", "ST", 1, "US", "cher@example.com", "OK", "12/31/2018"),
    (23, "Jane Roe", "GU", 1, "US", "jane@example.com", "OK", "12/31/2018"),
    (24, "Jane Roe", "ST", 2, "US", "jane@example.com", "OK", "12/31/2018"),
    (25, "Jane Roe", "ST", None, "US", "jane@example.com", "OK", "12/31/2018"),
    (26, "Jane Roe", "ST", 1, "US", "jane at example", "OK", "12/31/2018"),
    (27, "Jane Roe", "ST", 1, "US", "jane@example.com", "BL", "12/31/2018"),
    (28, "Jane Roe", "ST", 1, "US", "jane@example.com", "ZZ", "12/31/2018"),
    (29, "Jane Roe", "ST", 1, "US", "jane@example.com", "OK", "05/31/2018"),
    (30, "Jane Roe", "ST", 1, "US", "jane@example.com", "OK", "13/31/2018"),
]


def written_down() -> dict[str, str]:
    """Return the files that the page tells to write: name -> what stands in them."""
    blocks = re.findall(r"```(?:sql|yaml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return {re.split(r"\s+", block, maxsplit=2)[1]: block for block in blocks}


@pytest.fixture
def openlib(world: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[URL]:
    """Add Openlib to the product by the files of the page alone; return its database."""
    (tmp_path / "include" / "sql").mkdir(parents=True)
    for path in INCLUDE.glob("sql/*"):
        if path.name != "sources":
            (tmp_path / "include" / "sql" / path.name).symlink_to(path)
    for name, block in written_down().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(block, encoding="utf-8")
    world.setattr(sources, "INCLUDE", tmp_path / "include")
    world.setattr(warehouse, "INCLUDE", tmp_path / "include")
    world.setattr(loans, "ROOT", tmp_path)
    world.setenv("ENGAGEMENT_SOURCE", "openlib")
    settings.cache_clear()
    warehouse.statement.cache_clear()
    url = embedded.database("openlib")
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(False)) as connection:
        connection.execute(OPENLIB)
        connection.cursor().executemany(
            "INSERT INTO openlib.person VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", PEOPLE
        )
    yield url
    warehouse.drop_database(url)
    warehouse.statement.cache_clear()


def test_a_system_is_added_with_one_yaml_and_its_sql_alone(openlib: URL, store: Any) -> None:
    found = run(openlib, shards=2)
    assert outcome(found) == {
        "extracted": 30,
        "current": 26,
        "real": (21, 21),
        "rejected": {"not_current": 4, "name": 1, "status": 1, "affiliation": 2, "email": 1},
        "groups": {"staff": 1, "undergraduate": 20},
    }
    maria = "SELECT given_name, family_name FROM stage.patron WHERE source_id = '21'"
    assert store.do(maria) == [("Maria", "de la Cruz")]
    assert loans.extract(JUNE, openlib)["read_count"] == 1


def test_the_check_says_of_the_new_system_what_the_month_will_say(openlib: URL) -> None:
    found = source_check.check("openlib", openlib)
    assert (found.source_count, found.read_count, found.complete_count) == (30, 30, 21)
    assert {part: missing.codes for part, missing in found.unmapped.items()} == {
        "patron_types": {"GU": 1},
        "membership": {"ZZ": 1},
    }
    assert found.fields["expiry"].faults == {"no date": 1}
    assert found.fields["affiliation"].faults == {"missing": 1, "placeholder": 1}


@pytest.mark.parametrize("query", ["patron", "patron_count"])
def test_a_query_that_was_not_written_is_named(query: str, openlib: URL, tmp_path: Path) -> None:
    (tmp_path / f"include/sql/sources/openlib/{query}.sql").unlink()
    with pytest.raises(EngagementError, match=f"no include/sql/sources/openlib/{query}.sql"):
        source_check.check("openlib", openlib)


QUERY = "include/sql/sources/openlib/patron.sql"


def test_a_query_that_an_editor_marked_as_utf_8_is_read_like_any_other(
    openlib: URL, tmp_path: Path
) -> None:
    query = tmp_path / QUERY
    query.write_text(query.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert source_check.check("openlib", openlib).complete_count == 21


def test_a_query_that_a_thai_editor_saved_in_its_own_encoding_is_named(
    openlib: URL, tmp_path: Path
) -> None:
    query = tmp_path / QUERY
    query.write_text(f"-- สมาชิก\n{query.read_text(encoding='utf-8')}", encoding="cp874")
    with pytest.raises(EngagementError) as caught:
        source_check.check("openlib", openlib)
    assert str(caught.value) == (f"{QUERY} is no text in UTF-8; save it in the encoding UTF-8.")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("patron", "= :shard", "= :shrd", ":shrd, but there is :shard, :shards;"),
        ("patron_count", "= :shard", "= :shrd", ":shrd, but there is :shard, :shards;"),
        ("patron", "SELECT", "-- those :see below\nSELECT", ":see, but there is :shard, :shards;"),
        ("loan", "< :until", "< :untill", ":untill, but there is :since, :until;"),
    ],
)
def test_a_bind_that_there_is_not_is_named_with_those_that_there_are(
    file: str, old: str, new: str, said: str, openlib: URL, store: Any, tmp_path: Path
) -> None:
    query = tmp_path / f"include/sql/sources/openlib/{file}.sql"
    query.write_text(query.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EngagementError) as caught:
        (loans.extract if file == "loan" else extract)(JUNE, openlib)
    assert f"include/sql/sources/openlib/{file}.sql names the bind {said}" in str(caught.value)


def test_a_colon_within_a_word_or_behind_one_of_a_comment_is_no_bind(
    openlib: URL, tmp_path: Path
) -> None:
    query = tmp_path / QUERY
    query.write_text(f"-- note:see, and see: below\n{query.read_text('utf-8')}", encoding="utf-8")
    assert source_check.check("openlib", openlib).complete_count == 21


@pytest.mark.parametrize("given", ["date '2018-06-30'", "'2018-06-30'", "NULL::timestamptz"])
def test_an_as_of_that_is_no_instant_is_told(given: str, openlib: URL, tmp_path: Path) -> None:
    described = tmp_path / "include/sources/openlib.yaml"
    described.write_text(f"as_of: source\n{described.read_text('utf-8')}", encoding="utf-8")
    query = tmp_path / "include/sql/sources/openlib/as_of.sql"
    query.write_text(f"SELECT {given}", encoding="utf-8")
    with pytest.raises(EngagementError, match=r"openlib/as_of\.sql"):
        source_check.check("openlib", openlib)


def test_the_page_tells_each_file_of_a_system() -> None:
    assert set(written_down()) == {
        "include/sources/openlib.yaml",
        "include/sql/sources/openlib/patron.sql",
        "include/sql/sources/openlib/patron_count.sql",
        "include/sql/sources/openlib/loan.sql",
    }


def test_the_page_names_every_key_field_and_group() -> None:
    named = set(re.findall("`([^`\n]+)`", PAGE.read_text(encoding="utf-8")))
    models = [model for model in vars(sources).values() if hasattr(model, "model_fields")]
    keys = {key for model in models for key in model.model_fields}
    assert len(keys) > 40
    assert keys - named == set()
    assert set(FIELDS) - named == set()
    assert {*GROUPS, *get_args(Era), *get_args(Order)} - named == set()


def test_the_page_names_no_key_that_there_is_not() -> None:
    """Each first cell of its table of keys is a key of the YAML."""
    table = PAGE.read_text(encoding="utf-8").split("| key | says |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = {key for cell in cells for key in re.findall("`(.*?)`", cell)}
    models = [model for model in vars(sources).values() if hasattr(model, "model_fields")]
    assert len(named) > 15
    assert named - {key for model in models for key in model.model_fields} == set()


# What is shipped


@pytest.mark.parametrize("system", ["autolib", "koha", "folio"])
def test_every_shipped_system_reaches_all_seven_groups_and_places_each_of_its_types(
    system: str,
) -> None:
    source = sources.load(system)
    found = {source.group(code, nation) for code in source.patron_types for nation in ("TH", "LA")}
    assert found == set(GROUPS)
