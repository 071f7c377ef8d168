"""The simulated library holds what it promises; judged by rules written here a second time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from email_validator import EmailNotValidError, validate_email
from psycopg.rows import dict_row
from sqlalchemy.engine import URL

from engagement import embedded, warehouse
from engagement.demo import library, loans
from engagement.errors import EngagementError
from engagement.settings import INCLUDE, settings

JUNE, JULY = date(2018, 6, 27), date(2018, 7, 31)
SOURCE = yaml.safe_load((INCLUDE / "sources" / "autolib.yaml").read_text(encoding="utf-8"))
REASONS = ("undecodable", "not_current", "name", "status", "affiliation", "email")
RESERVED = re.compile(r"(?:[a-z0-9-]+\.)*example\.(?:com|net|org)")


# --- the rules, once more ---------------------------------------------------------------------------


def decoded(value: str | None) -> str | None:
    """Read a value that came through Latin-1: UTF-8, else code page 874, else it raises."""
    if value is None:
        return None
    raw = value.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp874")


@cache
def clean(value: str | None) -> str:
    visible = "".join(c for c in value or "" if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFC", visible).split())


@cache
def bare(value: str | None) -> str:
    """Return what is left of a value between outer spaces and punctuation, without case."""
    text = clean(value)
    letters = [
        i for i, c in enumerate(text) if not (c.isspace() or unicodedata.category(c)[0] == "P")
    ]
    return text[letters[0] : letters[-1] + 1].casefold() if letters else ""


def is_missing(value: str | None, field: str) -> bool:
    return bare(value) in nothing(field)


@cache
def nothing(field: str) -> frozenset[str]:
    """Return what stands for no value in a field."""
    return frozenset({"", *map(bare, SOURCE["placeholders"][field])})


@cache
def day(written: str | None) -> date | None:
    match = re.fullmatch(r"(\d\d)/(\d\d)/(\d\d|\d{4})", clean(written))
    if match is None:
        return None
    year = int(match[3])
    gregorian = year + 1957 if year < 100 else year - 543 if year > 2400 else year
    try:
        return date(gregorian, int(match[2]), int(match[1]))
    except ValueError:
        return None


@cache
def is_address(written: str) -> bool:
    try:
        validate_email(written, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def first_address(written: str | None) -> str:
    return re.split(r"[\s,;/]+", clean(written))[0]


@dataclass(frozen=True)
class Judged:
    """A record as the product is to judge it; `reasons` is empty for a real customer."""

    group: str
    reasons: tuple[str, ...]
    values: dict[str, Any]


def judge(raw: dict[str, Any], on: date) -> Judged:
    try:
        row = {name: decoded(v) if isinstance(v, str) else v for name, v in raw.items()}
    except UnicodeDecodeError:
        return Judged("unmapped", ("undecodable",), raw)
    return Judged(
        group(row), tuple(reason for reason in REASONS[1:] if fails(row, reason, on)), row
    )


def fails(row: dict[str, Any], reason: str, on: date) -> bool:
    if reason == "not_current":
        expires = day(row["expiry"])
        return row["membership"] != "1" or expires is None or expires < on
    if reason == "name":
        given, family = (
            is_missing(row["given_name"], "name"),
            is_missing(row["family_name"], "name"),
        )
        alone = row["prefix"] == "12" or row["nationality"] in ("ID", "MM")
        return (given and family) if alone else (given or family)
    if reason == "status":
        return row["patron_type"] not in SOURCE["patron_types"]
    if reason == "affiliation":
        return is_missing(row["affiliation"], "affiliation")
    return is_missing(row["email"], "email") or not is_address(first_address(row["email"]))


def group(row: dict[str, Any]) -> str:
    kind = row["patron_type"] or ""
    if kind in ("11", "21", "22") and row["nationality"] != "TH":
        return "international"
    of_type = {
        "01": "staff", "02": "staff", "03": "staff", "11": "undergraduate", "21": "graduate", "22": "graduate",
        "31": "alumni_retired", "32": "alumni_retired", "41": "external", "42": "external", "51": "pupil",
    }  # fmt: skip
    return of_type.get(kind, "unmapped")


# --- the libraries ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Libraries:
    """Two libraries, made by two processes; the second was moved to July after its digest was taken."""

    june: URL
    july: URL
    digests: tuple[dict[str, str], dict[str, str]]


def connect(url: URL) -> psycopg.Connection[Any]:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, client_encoding="latin1", autocommit=True)


def rows(url: URL, query: str) -> list[dict[str, Any]]:
    with connect(url) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def one(url: URL, query: str) -> Any:
    return next(iter(rows(url, query)[0].values()))


def source_sql(name: str) -> str:
    """Return a query of the source for all records; of `patron` with the fields that the YAML names."""
    text = (INCLUDE / "sql" / "sources" / "autolib" / f"{name}.sql").read_text(encoding="utf-8")
    query = text.replace(":shards", "1").replace(":shard", "0")
    if name != "patron":
        return query
    named = {
        field: columns if isinstance(columns, str) else f"coalesce({', '.join(columns)})"
        for field, columns in SOURCE["database"]["columns"].items()
    }
    fields = ", ".join(f"{columns} AS {field}" for field, columns in named.items())
    return f"SELECT {fields} FROM ({query}) AS patron"  # noqa: S608


def digests(url: URL) -> dict[str, str]:
    """Return a digest of the rows of each table, keys that the database gave included."""
    tables = rows(url, "SELECT tablename AS t FROM pg_tables WHERE schemaname = 'autolib'")
    every_row = "SELECT md5(string_agg(x::text, '|' ORDER BY x::text)) FROM autolib.{} AS x"
    return {table["t"]: one(url, every_row.format(table["t"])) for table in tables}


@pytest.fixture(scope="module")
def server(server_home: Path) -> Iterator[URL]:
    """The maintenance database of the tests' server; what the module makes there it drops."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGAGEMENT_HOME", str(server_home))
        settings.cache_clear()
        url = embedded.database("postgres")
    settings.cache_clear()
    yield url
    for name in ("first", "second", "nothing", "modern"):
        warehouse.drop_database(url.set(database=f"library_{name}"))


def new_database(server: URL, name: str, encoding: str = "SQL_ASCII") -> URL:
    url = server.set(database=f"library_{name}")
    warehouse.create_database(url, f"TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    return url


@pytest.fixture(scope="module")
def libraries(server: URL) -> Libraries:
    june, july = new_database(server, "first"), new_database(server, "second")
    code = (
        "import sys; from sqlalchemy import make_url; from engagement.demo import library;"
        "library.create(make_url(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "2561", "PYTHONPATH": str(INCLUDE)}
    command = [sys.executable, "-c", code, june.render_as_string(hide_password=False)]
    subprocess.run(command, check=True, env=environment)
    library.create(july)
    found = digests(june), digests(july)
    library.move_to_july(july)
    return Libraries(june, july, found)


@pytest.fixture(scope="module")
def in_june(libraries: Libraries) -> list[Judged]:
    return [judge(row, JUNE) for row in rows(libraries.june, source_sql("patron"))]


@pytest.fixture(scope="module")
def in_july(libraries: Libraries) -> list[Judged]:
    return [judge(row, JULY) for row in rows(libraries.july, source_sql("patron"))]


@pytest.fixture(scope="module")
def members(libraries: Libraries) -> list[dict[str, Any]]:
    """June's member table as it is, each text read as far as it can be."""
    columns = rows(libraries.june, "SELECT * FROM autolib.member ORDER BY member_no")
    return [
        {n: readable(v) if isinstance(v, str) else v for n, v in row.items()} for row in columns
    ]


def real_by_group(judged: list[Judged]) -> dict[str, int]:
    return dict(Counter(record.group for record in judged if not record.reasons))


def first_reasons(judged: list[Judged]) -> dict[str, int]:
    return dict(Counter(record.reasons[0] for record in judged if record.reasons))


# --- June -------------------------------------------------------------------------------------------


def test_june_holds_60403_records_of_which_12083_are_real_customers(
    libraries: Libraries, in_june: list[Judged]
) -> None:
    assert one(libraries.june, source_sql("patron_count")) == len(in_june) == 60_403
    assert real_by_group(in_june) == {
        "staff": 2_300,
        "undergraduate": 6_300,
        "graduate": 1_900,
        "international": 350,
        "alumni_retired": 480,
        "external": 430,
        "pupil": 323,
    }
    assert sum(real_by_group(in_june).values()) == 12_083


def test_every_other_record_fails_first_what_the_plan_says(in_june: list[Judged]) -> None:
    planned = Counter[str]()
    for counts in library.JUNE_PLAN.values():
        planned.update(dict(zip(library.OUTCOMES, counts, strict=True)))
    del planned["real"]
    assert first_reasons(in_june) == dict(planned)
    assert sum(len(record.reasons) > 1 for record in in_june) > 15_000


def test_a_plan_that_does_not_add_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "REAL_CUSTOMERS", 12_084)
    with pytest.raises(EngagementError, match="12,083 real customers"):
        library.june()


def test_two_creations_give_the_same_rows_in_every_table(libraries: Libraries) -> None:
    first, second = libraries.digests
    assert first == second
    assert set(first) == {"data_state", "patron_type", "prefix", "faculty", "member", "loan"}


def test_the_library_stands_at_the_evening_of_27_june_and_says_that_it_is_invented(
    libraries: Libraries,
) -> None:
    assert one(libraries.june, source_sql("as_of")).isoformat() == "2018-06-27T11:00:00+00:00"
    comment = one(libraries.june, "SELECT obj_description('autolib'::regnamespace)")
    assert comment.startswith("INVENTED")


def test_the_library_explains_every_code_that_the_source_file_maps(libraries: Libraries) -> None:
    types = rows(libraries.june, "SELECT type_code, type_name FROM autolib.patron_type")
    prefixes = rows(libraries.june, "SELECT prefix_code::text, prefix_name FROM autolib.prefix")
    assert {r["type_code"]: decoded(r["type_name"]) for r in types} == SOURCE["patron_types"]
    assert {r["prefix_code"]: decoded(r["prefix_name"]) for r in prefixes} == SOURCE["prefixes"]


def test_no_column_betrays_the_verdict(
    in_june: list[Judged], members: list[dict[str, Any]]
) -> None:
    assert set(members[0]) == {
        "member_no", "member_id", "prefix_code", "first_name", "last_name", "type_code", "faculty_code",
        "unit_name", "nationality_code", "citizen_no", "email", "member_state", "registered_date",
        "expire_date",
    }  # fmt: skip
    real = {record.values["source_id"] for record in in_june if not record.reasons}
    signs: dict[tuple[str, Any], list[bool]] = defaultdict(list)
    for row in members:
        for name in ("member_no", "member_id", "citizen_no"):
            signs[name, str(row[name])[-1]].append(row["member_id"] in real)
        for name in ("prefix_code", "nationality_code", "faculty_code"):
            signs[name, row[name]].append(row["member_id"] in real)
        signs["registered", row["registered_date"][-4:]].append(row["member_id"] in real)
        signs["a run of numbers", row["member_no"] // 1_000].append(row["member_id"] in real)
    shares = {sign: sum(v) / len(v) for sign, v in signs.items() if len(v) >= 500}
    without_a_name = {("faculty_code", code) for code in ("00", "98", "99")}
    old = {sign for sign in shares if sign[0] in ("registered", "a run of numbers")}
    assert {s for s, share in shares.items() if share == 0} <= without_a_name | old
    assert max(shares.values()) < 0.75
    digits = [share for (name, _), share in shares.items() if name in ("member_no", "citizen_no")]
    assert max(digits) - min(digits) < 0.05


def test_no_address_can_reach_anybody(libraries: Libraries) -> None:
    for url in (libraries.june, libraries.july):
        found = rows(url, "SELECT email FROM autolib.member WHERE email LIKE '%@%'")
        domains = {
            domain.strip(".")
            for row in found
            for domain in re.findall(r"@\s*([\w.-]+)", clean(readable(row["email"])).casefold())
        }
        complete = {domain for domain in domains if "." in domain and "ใ" not in domain}
        assert len(complete) >= 5
        assert {domain for domain in complete if not RESERVED.fullmatch(domain)} == set()


# --- the dirt ---------------------------------------------------------------------------------------

# What is wrong or odd with June's member records, and how many show it: all, and real customers.
DIRT = {
    "active, but ended more than a year ago": (29_434, 0),
    "no address": (14_904, 0),
    "faculty in no table": (3_639, 364),
    "no affiliation": (3_086, 0),
    "placeholder address": (5_925, 0),
    "faculty without a name": (1_566, 0),
    "suspended": (3_610, 0),
    "code page 874": (2_270, 250),
    "byte order mark": (442, 85),
    "zero-width space": (1_272, 101),
    "unknown type": (420, 0),
    "two spaces": (711, 144),
    "space in the address": (1_872, 0),
    "year of two digits": (1_861, 385),
    "no at sign": (1_868, 0),
    "no-break space": (1_659, 158),
    "Thai letters in the address": (1_206, 0),
    "a name is a placeholder": (641, 0),
    "several addresses": (788, 308),
    "dot at the beginning": (641, 0),
    "Gregorian year": (1_695, 352),
    "zero-width joiner": (377, 73),
    "sara am broken by a space": (1_574, 287),
    "capitals": (377, 113),
    "sara am in two characters": (1_657, 332),
    "two at signs": (612, 0),
    "one name, other": (531, 0),
    "a name is empty": (1_165, 102),
    "one name, monk": (241, 43),
    "one name, Burmese": (112, 37),
    "soft hyphen": (378, 89),
    "one name, Indonesian": (51, 22),
    "a character cut in two": (62, 0),
    "no last day": (808, 0),
    "impossible last day": (814, 0),
    "unknown state": (805, 0),
    "ends today": (9, 3),
}


def test_every_kind_of_dirt_is_there(libraries: Libraries, in_june: list[Judged]) -> None:
    real = {record.values["source_id"] for record in in_june if not record.reasons}
    known = {r["faculty_code"] for r in rows(libraries.june, "SELECT * FROM autolib.faculty")}
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for raw in rows(libraries.june, "SELECT * FROM autolib.member"):
        for sign in signs_of_dirt(raw, known):
            found[sign][0] += 1
            found[sign][1] += raw["member_id"] in real
    assert {sign: tuple(counts) for sign, counts in found.items()} == DIRT


def test_names_of_faculties_are_damaged_too(libraries: Libraries) -> None:
    found = rows(libraries.june, "SELECT faculty_name FROM autolib.faculty")
    signs = Counter(
        sign for row in found for sign in signs_of_characters(decoded(row["faculty_name"]) or "")
    )
    assert signs == {"sara am broken by a space": 1, "sara am in two characters": 1}


def signs_of_dirt(raw: dict[str, Any], faculties: set[str]) -> set[str]:
    texts = {name: value for name, value in raw.items() if isinstance(value, str)}
    row = {**raw, **{name: readable(value) for name, value in texts.items()}}
    signs = set[str]()
    signs.update(*(signs_of_bytes(value) for value in texts.values()))
    signs.update(signs_of_characters("|".join(row[name] for name in texts)))
    signs.update(signs_of_names(row))
    signs.update(signs_of_membership(row))
    signs.update(signs_of_affiliation(row, faculties))
    signs.update(signs_of_address(row["email"] or ""))
    if row["type_code"] not in SOURCE["patron_types"]:
        signs.add("unknown type")
    return signs


def readable(value: str) -> str:
    raw = value.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp874", "replace")


def signs_of_bytes(value: str) -> Iterator[str]:
    raw = value.encode("latin-1")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        old = raw.decode("cp874", "replace")
        cut = raw.decode("utf-8", "ignore") and "\ufffd" in old
        yield "a character cut in two" if cut else "code page 874"


def signs_of_characters(text: str) -> Iterator[str]:
    named = {
        "no-break space": "\u00a0", "zero-width space": "\u200b", "zero-width joiner": "\u200d",
        "byte order mark": "\ufeff", "soft hyphen": "\u00ad", "two spaces": "  ",
        "sara am in two characters": "\u0e4d\u0e32",
    }  # fmt: skip
    yield from (name for name, sign in named.items() if sign in text)
    if re.search("[ก-ฮ][่-๋]? า", text):
        yield "sara am broken by a space"


def signs_of_names(row: dict[str, Any]) -> Iterator[str]:
    names = [bare(row["first_name"]), bare(row["last_name"])]
    if "" in names:
        yield "a name is empty"
    if nothing("name") - {""} & set(names):
        yield "a name is a placeholder"
    if is_missing(row["last_name"], "name") and not is_missing(row["first_name"], "name"):
        who = {"ID": "Indonesian", "MM": "Burmese"}.get(row["nationality_code"], "other")
        yield f"one name, {'monk' if row['prefix_code'] == 12 else who}"


def signs_of_membership(row: dict[str, Any]) -> Iterator[str]:
    written, expires = row["expire_date"] or "", day(row["expire_date"])
    if expires is None:
        yield "impossible last day" if any(map(str.isdigit, written)) else "no last day"
    elif len(written) == 8:
        yield "year of two digits"
    elif int(written[6:]) < 2400:
        yield "Gregorian year"
    if row["member_state"] in ("2", "3"):
        yield "suspended"
    elif row["member_state"] != "1":
        yield "unknown state"
    elif expires and expires < date(2017, 6, 27):
        yield "active, but ended more than a year ago"
    if expires == JUNE:
        yield "ends today"


def signs_of_affiliation(row: dict[str, Any], faculties: set[str]) -> Iterator[str]:
    if row["faculty_code"] is not None and row["faculty_code"] not in faculties:
        yield "faculty in no table"
    if row["faculty_code"] in ("00", "98", "99"):
        yield "faculty without a name"
    if row["faculty_code"] not in faculties and is_missing(row["unit_name"], "affiliation"):
        yield "no affiliation"


def signs_of_address(email: str) -> Iterator[str]:
    address = clean(email)
    if is_missing(address, "email"):
        yield "placeholder address" if address else "no address"
        return
    yield from (
        sign
        for sign, pattern in {
            "no at sign": "[^@]*",
            "two at signs": "[^,;/ ]*@[^,;/ ]*@.*",
            "dot at the beginning": r"\..*",
            "space in the address": "[^,;/]* [^,;/]*@[^,;/]*|[^,;/@]*@[^,;/]* [^,;/]*[^ ,;/]",
            "Thai letters in the address": ".*[ก-๙].*",
            "several addresses": r"[^,;/]+@[^,;/]+\.[^,;/]+[,;/].+@.+",
            "capitals": ".*[A-Z].*@.*",
        }.items()
        if re.fullmatch(pattern, address)
    )


def test_staff_who_study_have_two_records_and_half_of_them_are_real_twice(
    in_june: list[Judged],
) -> None:
    people = defaultdict(list)
    for record in in_june:
        if record.values["citizen_id"] and record.reasons != ("undecodable",):
            people[record.values["citizen_id"]].append(record)
    twice = [records for records in people.values() if len(records) > 1]
    assert len(twice) == 240
    assert all({r.group for r in records} == {"staff", "graduate"} for records in twice)
    assert sum(not any(r.reasons for r in records) for records in twice) == 120


def test_some_families_share_one_address(in_june: list[Judged]) -> None:
    sharing = defaultdict(set)
    for record in in_june:
        if not {"undecodable", "email"} & set(record.reasons):
            person = record.values["citizen_id"] or record.values["source_id"]
            sharing[first_address(record.values["email"]).casefold()].add(person)
    assert sum(len(persons) == 2 for persons in sharing.values()) == 134
    assert max(len(persons) for persons in sharing.values()) == 2


# --- the loans --------------------------------------------------------------------------------------


def test_loans_are_skewed_as_their_module_says(libraries: Libraries) -> None:
    query = "".join(re.findall("\n    .*", str(loans.__doc__)))
    skew = rows(libraries.june, query)[0]
    assert round(skew["gini"], 2) == Decimal("0.60")
    assert round(skew["top_fifth_share"], 2) == Decimal("0.65")


def test_loans_follow_the_term_and_undergraduates_borrow_most(libraries: Libraries) -> None:
    months = rows(
        libraries.june,
        "SELECT to_char(loaned_at AT TIME ZONE 'Asia/Bangkok', 'YYYY-MM') AS month, count(*) AS loans "
        "FROM autolib.loan GROUP BY 1",
    )
    assert {row["month"]: row["loans"] for row in months} == loans.MONTHS
    assert sum(loans.MONTHS.values()) == 150_000
    assert one(
        libraries.june,
        "SELECT avg((m.type_code = '11')::int) FROM autolib.loan AS l "
        "JOIN autolib.member AS m USING (member_id)",
    ) > Decimal("0.5")


def test_nobody_borrows_after_the_last_day_and_some_borrowers_have_expired(
    libraries: Libraries,
) -> None:
    last_loans = rows(
        libraries.june,
        "SELECT m.expire_date, max(l.loaned_at AT TIME ZONE 'Asia/Bangkok')::date AS last_day "
        "FROM autolib.loan AS l JOIN autolib.member AS m USING (member_id) GROUP BY m.member_no",
    )
    ends = [(day(row["expire_date"]), row["last_day"]) for row in last_loans]
    assert all(last <= end for end, last in ends if end)
    assert sum(end < JUNE for end, _ in ends if end) > 1_000


def test_no_item_is_lent_to_two_at_once(libraries: Libraries) -> None:
    query = (
        "SELECT count(*) FROM (SELECT coalesce(returned_at, 'infinity') AS back_at, "
        "lead(loaned_at) OVER (PARTITION BY item_barcode ORDER BY loaned_at) AS next_at "
        "FROM autolib.loan) AS l WHERE next_at < back_at"
    )
    assert one(libraries.june, query) == one(libraries.july, query) == 0


# --- July -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Month:
    """June's and July's judgements by source_id."""

    before: dict[str, Judged]
    after: dict[str, Judged]

    def count(self, was: Callable[[Judged], bool], became: Callable[[Judged], bool]) -> int:
        """Return how many of the records that are in both were one thing and became another."""
        both = self.before.keys() & self.after.keys()
        return sum(was(self.before[key]) and became(self.after[key]) for key in both)


@pytest.fixture(scope="module")
def month(in_june: list[Judged], in_july: list[Judged]) -> Month:
    before, after = ({r.values["source_id"]: r for r in judged} for judged in (in_june, in_july))
    return Month(before, after)


def is_real(record: Judged) -> bool:
    return not record.reasons


def fails_only(reason: str) -> Callable[[Judged], bool]:
    return lambda record: record.reasons == (reason,)


def test_july_holds_more_records_and_more_real_customers_but_fewer_pupils(
    libraries: Libraries, in_june: list[Judged], in_july: list[Judged]
) -> None:
    assert one(libraries.july, source_sql("as_of")).isoformat() == "2018-07-31T11:00:00+00:00"
    assert one(libraries.july, source_sql("patron_count")) == len(in_july) == 61_005
    before, after = real_by_group(in_june), real_by_group(in_july)
    assert after == {
        "staff": 2_388,
        "undergraduate": 6_680,
        "graduate": 1_992,
        "international": 377,
        "alumni_retired": 518,
        "external": 495,
        "pupil": 289,
    }
    assert 12_500 <= sum(after.values()) <= 12_900
    assert {group for group in after if after[group] < before[group]} == {"pupil"}


def test_fewer_records_of_july_fail_for_what_librarians_can_correct(
    in_june: list[Judged], in_july: list[Judged]
) -> None:
    before, after = first_reasons(in_june), first_reasons(in_july)
    assert after == {
        "undecodable": 47,
        "not_current": 41_144,
        "name": 333,
        "status": 101,
        "affiliation": 1_174,
        "email": 5_467,
    }
    assert {reason for reason in after if after[reason] >= before[reason]} == {"not_current"}


def test_july_enrols_corrects_renews_suspends_and_deletes(month: Month) -> None:
    assert {
        "enrolled": len(month.after.keys() - month.before.keys()),
        "deleted": len(month.before.keys() - month.after.keys()),
        "address put right": month.count(fails_only("email"), is_real),
        "name put right": month.count(fails_only("name"), is_real),
        "affiliation put right": month.count(fails_only("affiliation"), is_real),
        "type put right": month.count(fails_only("status"), is_real),
        "bytes put right": month.count(fails_only("undecodable"), is_real),
        "current again": month.count(fails_only("not_current"), is_real),
        "suspended": month.count(is_real, lambda r: r.values["membership"] == "3"),
        "run out": month.count(
            is_real, lambda r: r.values["membership"] == "1" and bool(r.reasons)
        ),
    } == {
        "enrolled": 640,
        "deleted": 38,
        "address put right": 455,
        "name put right": 34,
        "affiliation put right": 63,
        "type put right": 24,
        "bytes put right": 3,
        "current again": 149,
        "suspended": 45,
        "run out": 521,
    }


def test_memberships_run_out_by_the_passing_of_time_alone(month: Month) -> None:
    ran_out = [
        key
        for key, record in month.after.items()
        if key in month.before and is_real(month.before[key]) and record.values["membership"] == "1"
        if not is_real(record)
    ]
    assert ran_out
    assert all(month.before[key].values == month.after[key].values for key in ran_out)


def test_july_lends_9000_items_and_takes_others_back(libraries: Libraries) -> None:
    lent = "SELECT count(*) FROM autolib.loan WHERE loaned_at >= timestamptz '2018-06-27 18:00+07'"
    assert one(libraries.june, lent) == 0
    assert one(libraries.july, lent) == 9_000
    out = "SELECT count(*) FROM autolib.loan WHERE returned_at IS NULL AND loan_id <= 150000"
    assert one(libraries.july, out) < one(libraries.june, out) / 2
    backwards = "SELECT count(*) FROM autolib.loan WHERE returned_at <= loaned_at"
    assert one(libraries.july, backwards) == 0
    latest = "SELECT max(greatest(loaned_at, returned_at)) FROM autolib.loan"
    assert one(libraries.july, latest) <= one(libraries.july, source_sql("as_of"))


def test_a_library_that_stands_at_july_is_left_as_it_is(libraries: Libraries) -> None:
    before = digests(libraries.july)
    with pytest.raises(EngagementError, match="stands at 2018-07-31"):
        library.move_to_july(libraries.july)
    assert digests(libraries.july) == before


def test_a_library_is_not_built_over_another(libraries: Libraries) -> None:
    with pytest.raises(EngagementError, match="holds a library already"):
        library.create(libraries.july)


def test_a_database_without_a_library_is_not_moved(server: URL) -> None:
    with pytest.raises(EngagementError, match="holds no simulated library"):
        library.move_to_july(new_database(server, "nothing"))


def test_a_database_that_would_refuse_old_bytes_is_refused(server: URL) -> None:
    with pytest.raises(EngagementError, match="this one is in UTF8"):
        library.create(new_database(server, "modern", "UTF8"))
