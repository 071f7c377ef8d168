"""A bad export ends in one sentence or in quarantine, never in a false figure, and quotes no patron."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from exported import (
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

from engagement import embedded, schema, warehouse
from engagement.errors import EngagementError
from engagement.model import gates
from engagement.model.check import check
from engagement.model.extract import extract
from engagement.model.publish import publish
from engagement.monitor.figures import PatronFigures, require
from engagement.period import Period
from engagement.settings import settings

JUNE = Period(2018, 6)
MEMBERS = [member(number) for number in range(1, 151)]
GOOD = delimited(MEMBERS)
# What a sentence or a line of the log must not say: names, ids, addresses, whatever stands in a cell.
PRIVATE = {"สมชาย", "ใจดี", "57304", "library.example.com", "มนุษยศาสตร์", "31/05/2565", "สมปอง"}
Write = Callable[[Path], Path]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(scope="module")
def shared_store(server_home: Path) -> Iterator[str]:
    """The URL of one warehouse for all tests that leave nothing in it."""
    url = embedded.database("warehouse_of_bad_files")
    told = url.render_as_string(False)
    with pytest.MonkeyPatch.context() as world:
        world.setenv("ENGAGEMENT_WAREHOUSE_URL", told)
        world.setenv("ENGAGEMENT_DEPLOYMENT", "test")
        settings.cache_clear()
        schema.upgrade()
    settings.cache_clear()
    yield told
    warehouse.drop_database(url)


@pytest.fixture
def untouched(shared_store: str, world: pytest.MonkeyPatch) -> Iterator[None]:
    """A warehouse in which the test must leave no record: neither published, nor staged, nor kept."""
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", shared_store)
    world.setenv("ENGAGEMENT_DEPLOYMENT", "test")
    settings.cache_clear()
    yield
    with warehouse.session() as session:
        for table in ("stage.patron", "pii.quarantine", "pii.patron", "mart.patron_funnel"):
            cursor = session.connection.exec_driver_sql(f"SELECT count(*) FROM {table}")  # noqa: S608
            assert cursor.scalar_one() == 0, table
        accepted = session.connection.exec_driver_sql(
            "SELECT count(*) FROM ops.extract WHERE state = 'accepted'"
        )
        assert accepted.scalar_one() == 0


def refusal(path: Path, caplog: pytest.LogCaptureFixture) -> str:
    """Return the sentence in which reading the export ends; neither it nor the log tells of a patron."""
    with pytest.raises(EngagementError) as caught:
        extract(JUNE, file_url(path))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert len(sentence.replace(str(path.parent), "")) < 300
    assert not {value for value in PRIVATE if value in sentence or value in caplog.text}
    assert caught.value.__cause__ is None
    return sentence


def run(path: Path) -> PatronFigures:
    """Run the three steps of the model and return what they published; it must add up."""
    written_at(path, 2018, 6, 30)
    extract(JUNE, file_url(path))
    check(JUNE)
    publish(JUNE)
    with warehouse.session() as session:
        found = require(session, JUNE)
    assert found.extracted == found.real_customers + found.rejected
    return found


def quarantine(store: Any) -> list[tuple[int, str, bytes]]:
    rows = store.do("SELECT record_no, reason_code, record FROM pii.quarantine ORDER BY record_no")
    return [(number, reason, bytes(record)) for number, reason, record in rows]


# Refused whole


def csv_file(content: str | bytes, name: str = "patrons.csv") -> Write:
    """Return what writes an export with this content."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return written_at(path, 2018, 6, 30)

    return write


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("patrons.csv", GOOD)
    return held.getvalue()


def cut_workbook(folder: Path) -> Path:
    path = workbook(folder / "patrons.xlsx", MEMBERS, lambda _, text: text)
    path.write_bytes(path.read_bytes()[:-2_000])
    return written_at(path, 2018, 6, 30)


LINES = GOOD.splitlines(keepends=True)
REFUSED = {
    "a quote that never closes": (
        csv_file("".join([*LINES[:70], LINES[70].replace("สมชาย", '"สมชาย'), *LINES[71:]])),
        "cannot be split into records: record 70 does not end, as after a quote that never closes",
    ),
    "cut within quotes": (
        csv_file("".join(LINES[:-1]) + '5730400150,1,"สมปอง'),
        "cannot be split into records: record 150 does not end",
    ),
    "semicolons": (csv_file(GOOD.replace(",", ";")), "its values are not separated by ','"),
    "tabs": (csv_file(GOOD.replace(",", "\t"), "patrons.txt"), "not separated by ','"),
    "a heading twice": (
        csv_file(GOOD.replace("หน่วยงาน", "คณะ", 1)),
        "patrons.csv has no column หน่วยงาน; export it too",
    ),
    "one heading more, twice": (
        csv_file(GOOD.replace("อีเมล์", "อีเมล์,อีเมล์", 1).replace("\n5", "\n,5")),
        "patrons.csv has the column อีเมล์ more than once",
    ),
    "headings of another language": (
        csv_file(delimited([], ["id", "name"])),
        "patrons.csv has no column รหัสสมาชิก",
    ),
    "no headings": (csv_file("".join(LINES[1:])), "patrons.csv has no column รหัสสมาชิก"),
    "empty": (csv_file(""), "patrons.csv is empty; let Walai AutoLib export its patrons again"),
    "blank lines": (csv_file("\n\r\n"), "patrons.csv holds blank lines only"),
    "not there": (lambda folder: folder / "patrons.csv", "There is no file"),
    "a folder": (lambda folder: folder, "is a folder; name the file that Walai AutoLib exported"),
    "another kind": (csv_file(GOOD, "patrons.pdf"), "save it as .csv, .xlsx or .json"),
    "utf-16": (csv_file(GOOD.encode("utf-16")), "is no text in UTF-8 or cp874"),
    "utf-16 without its mark": (csv_file(GOOD.encode("utf-16-le")), "is no text in UTF-8"),
    "an old .xls": (
        csv_file(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), "patrons.xlsx"),
        "an old .xls; open it in Excel",
    ),
    "named .xls": (csv_file(GOOD, "patrons.xls"), "save it as .csv, .xlsx or .json"),
    "a zip that is no workbook": (csv_file(zipped(), "patrons.xlsx"), "no whole Excel workbook"),
    "text named .xlsx": (csv_file(GOOD, "patrons.xlsx"), "is no whole Excel workbook"),
    "a workbook named .csv": (csv_file(zipped()), "is no text in UTF-8 or cp874"),
    "a workbook cut off": (cut_workbook, "is no whole Excel workbook; export it again"),
    "json of autolib": (csv_file('{"users": []}', "patrons.json"), "set the key records of export"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_export_is_refused_in_one_sentence(
    name: str, untouched: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write, told = REFUSED[name]
    assert told in refusal(write(tmp_path), caplog)


def test_an_export_of_headings_alone_is_an_empty_library(
    untouched: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sentence = refusal(csv_file(LINES[0])(tmp_path), caplog)
    assert sentence.startswith("Walai AutoLib gave no patron at all for 2018-06")
    with pytest.raises(EngagementError, match="cannot be accepted"):
        gates.accept(JUNE, "the library is new", "anna")


# Put into quarantine


def bad_record(text: str) -> str:
    """Return the good export with one record, the 70th, changed."""
    return "".join([*LINES[:70], text, *LINES[71:]])


def test_a_file_that_was_cut_off_loses_its_last_record_only(store: Any, tmp_path: Path) -> None:
    cut = LINES[150][: LINES[150].index("library")]
    found = run(csv_file("".join(LINES[:150]) + cut)(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 149)
    assert found.rejected_by_reason == {"malformed": 1}
    assert quarantine(store) == [(150, "malformed", cut.encode())]


@pytest.mark.parametrize("kept", ["31/05/25", "31/05/2565", ""])
def test_a_file_that_was_cut_within_its_last_date_gives_no_other_date(
    kept: str, store: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = LINES[150].rstrip("\r\n")
    cut = whole.removesuffix("31/05/2565") + kept
    found = run(csv_file("".join(LINES[:150]) + cut)(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 149)
    assert quarantine(store) == [(150, "malformed", cut.encode())]
    assert store.value("SELECT count(*) FROM stage.patron WHERE expiry_date < '2022-05-31'") == 0
    assert "its last record may be cut off" in caplog.text


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(LINES[70].replace(",", ",,", 1), id="one value more"),
        pytest.param(LINES[70].replace(",", "", 1), id="one value less"),
        pytest.param("สมปอง\r\n", id="one value"),
        pytest.param(f"{',' * 40}\r\n", id="nothing but delimiters"),
    ],
)
def test_a_record_of_another_width_is_kept_as_it_is(
    record: str, store: Any, tmp_path: Path
) -> None:
    found = run(csv_file(bad_record(record))(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 149)
    assert quarantine(store) == [(70, "malformed", record.strip("\r\n").encode())]


def test_ten_megabytes_in_one_field_are_no_name(store: Any, tmp_path: Path) -> None:
    long = LINES[70].replace("สมชาย", "ก" * 3_500_000)
    found = run(csv_file(bad_record(long))(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 149)
    ((number, reason, record),) = quarantine(store)
    assert (number, reason) == (70, "malformed")
    assert record == long.rstrip("\r\n").encode()
    assert len(record) > 10_000_000


def test_an_id_too_long_for_one_rejects_its_record_and_the_others_are_published(
    store: Any, tmp_path: Path
) -> None:
    # At random: what repeats itself is compressed and fits into an index at any length.
    swallowed = "".join(random.Random(1).choices("กขคงจฉชซดตถทนบปผพฟมยรลวสหอ", k=20_000))  # noqa: S311
    found = run(csv_file(bad_record(LINES[70].replace("5730400070", swallowed)))(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 149)
    assert found.rejected_by_reason == {"malformed": 1}


def test_a_record_of_mixed_up_bytes_is_kept_as_it_is(store: Any, tmp_path: Path) -> None:
    mixed = b"".join(
        line.encode("cp874" if number % 3 else "utf-8") for number, line in enumerate(LINES)
    )
    good = LINES[72].encode()
    bad = good.replace("สมชาย".encode(), "สมชาย".encode()[:-1])
    broken = mixed.replace(good, bad)
    found = run(csv_file(broken)(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 149)
    assert found.rejected_by_reason == {"undecodable": 1}
    ((number, reason, record),) = quarantine(store)
    assert (number, reason) == (72, "undecodable")
    assert record.split(b"\x1f")[0] == b"5730400072"
    assert "สมชาย".encode()[:-1] in record
    assert "สมชาย".encode() not in record


def test_too_many_records_that_cannot_be_read_stop_the_month(
    store: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = b"".join(line.encode() for line in LINES[:140])
    bad = b"".join(line.encode().replace("สมชาย".encode(), b"\xff\xfe") for line in LINES[140:])
    assert refusal(csv_file(good + bad)(tmp_path), caplog).startswith(
        "11 of 150 records cannot be read in utf-8, cp874, more than the limit of 1.0%"
    )
    assert store.value("SELECT count(*) FROM mart.patron_funnel") == 0
    gates.accept(JUNE, "They are of one faculty, whose copy is damaged.", "anna")
    found = run(tmp_path / "patrons.csv")
    assert (found.extracted, found.real_customers) == (150, 139)
    assert found.rejected_by_reason == {"undecodable": 11}


def test_too_many_records_that_came_apart_stop_the_month_until_a_person_accepts_them(
    store: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = "".join(line.replace(",", ",,", 1) for line in LINES[101:])
    path = csv_file("".join(LINES[:101]) + bad)(tmp_path)
    assert refusal(path, caplog).startswith(
        "50 of 150 records of Walai AutoLib are malformed, without an id, with one of more than 500 "
        "characters, or not to be split into its columns, more than the limit of 1.0%; have it exported again"
    )
    assert store.do("SELECT gate_code FROM ops.gate") == [("malformed",)]
    assert store.value("SELECT count(*) FROM mart.patron_funnel") == 0
    gates.accept(JUNE, "They are of a branch that will be exported anew.", "anna")
    found = run(path)
    assert (found.extracted, found.real_customers) == (150, 100)
    assert found.rejected_by_reason == {"malformed": 50}


def test_bytes_of_zero_are_taken_out(store: Any, tmp_path: Path) -> None:
    found = run(csv_file(GOOD.replace("สมชาย", "สม\0ชาย"))(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 150)
    assert store.value("SELECT DISTINCT given_name FROM stage.patron") == "สมชาย"


def test_surplus_columns_do_no_harm(store: Any, tmp_path: Path) -> None:
    order = [*HEADINGS, *(f"column {number}" for number in range(200))]
    found = run(csv_file(delimited(MEMBERS, order))(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 150)


# The pages of FOLIO

USERS = [user(number) for number in range(30)]


@pytest.fixture
def folio(world: pytest.MonkeyPatch) -> None:
    world.setenv("ENGAGEMENT_SOURCE", "folio")
    settings.cache_clear()


def page_cut(folder: Path) -> Path:
    page = folder / "users-001.json"
    page.write_bytes(page.read_bytes()[:-500])
    return folder


def page_of_an_error(folder: Path) -> Path:
    (folder / "users-001.json").write_text('{"errors": [{"message": "สมชาย"}]}', encoding="utf-8")
    return folder


def page_missing(folder: Path) -> Path:
    (folder / "users-001.json").unlink()
    return folder


def no_groups(folder: Path) -> Path:
    (folder / "groups.json").unlink()
    return folder


def html(folder: Path) -> Path:
    (folder / "users-000.json").write_text("<html>สมชาย</html>", encoding="utf-8")
    return folder


PAGES_REFUSED = {
    "cut in the middle": (page_cut, "users-001.json is no whole JSON in UTF-8; fetch it again."),
    "an answer that is an error": (page_of_an_error, "users-001.json is no page of users"),
    "a page that is not there": (page_missing, "The pages of users hold 20 of 30 records"),
    "no groups": (no_groups, "groups*.json; fetch it from FOLIO."),
    "a page of the web": (html, "users-000.json is no whole JSON"),
}


@pytest.mark.parametrize("name", PAGES_REFUSED)
def test_pages_that_are_not_whole_are_refused_in_one_sentence(
    name: str, folio: None, untouched: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil, told = PAGES_REFUSED[name]
    folder = spoil(pages(tmp_path / "folio", USERS[:10], USERS[10:20], USERS[20:]))
    assert told in refusal(written_at(folder, 2018, 6, 30), caplog)


def test_a_page_that_was_fetched_twice_stops_the_month(
    folio: None, store: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = pages(tmp_path / "folio", USERS[:20], USERS[10:20], USERS[20:], total=30)
    sentence = refusal(folder, caplog)
    assert sentence.startswith("10 patron ids stand on more than one record of FOLIO")
    assert store.do("SELECT state FROM ops.extract") == [("refused",)]
    assert store.value("SELECT count(*) FROM mart.patron_funnel") == 0


def test_a_user_of_another_shape_is_kept_as_it_is(folio: None, store: Any, tmp_path: Path) -> None:
    users = [user(number) for number in range(300)]
    odd = user(999, {"firstName": {"th": "สมปอง"}})
    found = run(pages(tmp_path / "folio", [*users, odd, "สมปอง", user(998, id=None)]))
    assert (found.extracted, found.real_customers) == (303, 300)
    assert found.rejected_by_reason == {"malformed": 3}
    kept = quarantine(store)
    assert [(number, reason) for number, reason, _ in kept] == [
        (301, "malformed"), (302, "malformed"), (303, "malformed"),
    ]  # fmt: skip
    assert json.loads(kept[0][2]) == odd
    assert folio_id("undergrad") not in str(found)


# Afterwards


def test_a_good_export_after_a_bad_one_is_read_as_if_nothing_had_been(
    store: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refusal(csv_file(f'{GOOD}"')(tmp_path), caplog)
    refusal(csv_file(LINES[0])(tmp_path), caplog)
    found = run(csv_file(GOOD)(tmp_path))
    assert (found.extracted, found.real_customers) == (150, 150)
