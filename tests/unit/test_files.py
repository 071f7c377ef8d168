"""Patron records are read from the files that a library system exports; here: finding them, and CSV."""

import csv
import os
import random
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engagement.errors import EngagementError
from engagement.model import files
from engagement.model.files import Reading
from engagement.model.source import Export

COLUMNS = {"source_id": "รหัสสมาชิก", "given_name": "ชื่อ", "email": "อีเมล"}
HEADINGS = "รหัสสมาชิก,ชื่อ,อีเมล"
RECORDS = ["1,สมชาย,somchai@kku.ac.th", "2,สมหญิง,somying@kku.ac.th", "3,มานะ,mana@kku.ac.th"]
SMALL = "\n".join([HEADINGS, *RECORDS]) + "\n"


class Exports:
    """A folder where a library system exports its patrons to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, content: str | bytes, name: str = "patrons.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def opened(self, content: str | bytes, name: str = "patrons.csv", **told: Any) -> Reading:
        return opened(self.write(content, name), **told)

    def refusal(self, content: str | bytes, name: str = "patrons.csv", **told: Any) -> str:
        return refusal(lambda: self.opened(content, name, **told).count())


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    folder = tmp_path / "exports"
    folder.mkdir()
    return Exports(folder)


def opened(
    path: Path, columns: Mapping[str, Any] = COLUMNS, shard: int = 0, shards: int = 1, **export: Any
) -> Reading:
    return files.opened(path, Export(columns=columns, **export), "Walai AutoLib", shard, shards)


def refusal(read: Callable[[], Any]) -> str:
    """Return the sentence that reading ends in; it must be one, and short enough to read."""
    with pytest.raises(EngagementError) as caught:
        read()
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 400
    return sentence


def records(reading: Reading, size: int = 1000) -> list[dict[str, str | None]]:
    """Return all readable records, decoded as UTF-8, and see that they are as many as counted."""
    found: list[dict[str, str | None]] = []
    malformed = 0
    for chunk in reading.chunks(size):
        assert 0 < len(chunk) <= size
        malformed += len(chunk.malformed)
        for values in zip(*chunk.fields.values(), strict=True):
            found.append(dict(zip(chunk.fields, map(decoded(reading), values), strict=True)))
    assert len(found) + malformed == reading.count()
    return found


def decoded(reading: Reading) -> Callable[[str | None], str | None]:
    carrier = reading.carrier
    return lambda value: value.encode(carrier).decode() if carrier and value else value


def names(reading: Reading) -> list[str | None]:
    return [record["given_name"] for record in records(reading)]


def malformed(reading: Reading) -> list[tuple[int, bytes]]:
    return [each for chunk in reading.chunks(1000) for each in chunk.malformed]


# Finding the export


def test_an_export_that_is_not_there_is_said_to_be_missing(exports: Exports):
    sentence = refusal(lambda: opened(exports.folder / "patrons.csv"))
    assert sentence.startswith(f"There is no file {exports.folder}/patrons.csv;")
    assert "Walai AutoLib" in sentence


def test_a_folder_in_place_of_a_file_is_told_apart(exports: Exports):
    assert "is a folder; name the file" in refusal(lambda: opened(exports.folder))


def test_an_empty_file_is_said_to_be_empty(exports: Exports):
    assert "patrons.csv is empty;" in exports.refusal("")
    assert "patrons.xlsx is empty;" in exports.refusal("", "patrons.xlsx")
    assert "holds blank lines only;" in exports.refusal("\n\n\r\n")


def test_a_file_that_cannot_be_opened_is_told_with_the_reason(exports: Exports):
    loop = exports.folder / "loop.csv"
    loop.symlink_to(loop)
    assert "loop.csv cannot be read (Too many levels" in refusal(lambda: opened(loop))


def test_a_file_that_may_not_be_read_is_told_with_the_reason(exports: Exports):
    path = exports.write(SMALL)
    path.chmod(0)
    with rights_of_a_stranger():
        assert "cannot be read (Permission denied)" in refusal(lambda: opened(path))
        assert "cannot be read" in refusal(lambda: opened(exports.folder / "in", records="users"))


@contextmanager
def rights_of_a_stranger() -> Iterator[None]:
    """Root may read everything; anybody else cannot become somebody else, and need not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("name", ["patrons.xls", "patrons.pdf", "patrons"])
def test_a_file_of_another_kind_is_refused_with_the_kinds_that_are_read(
    exports: Exports, name: str
):
    assert "save it as .csv, .xlsx or .json." in exports.refusal(SMALL, name)


def test_the_ending_may_be_txt_or_in_capitals(exports: Exports):
    assert names(exports.opened(SMALL, "patrons.txt")) == ["สมชาย", "สมหญิง", "มานะ"]
    assert names(exports.opened(SMALL, "PATRONS.CSV")) == ["สมชาย", "สมหญิง", "มานะ"]


def test_an_export_is_as_of_when_its_file_was_written(exports: Exports):
    path = exports.write(SMALL)
    written = datetime(2018, 6, 30, 17, 0, tzinfo=UTC)
    os.utime(path, (written.timestamp(), written.timestamp()))
    assert opened(path).as_of == written


# The headings of a CSV file


def test_columns_are_found_by_their_thai_headings_in_any_order(exports: Exports):
    reading = exports.opened("อีเมล,รหัสสมาชิก,ชื่อ\nmana@kku.ac.th,3,มานะ\n")
    assert records(reading) == [{"source_id": "3", "given_name": "มานะ", "email": "mana@kku.ac.th"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp874"])
def test_headings_in_utf8_with_and_without_bom_and_in_cp874_are_understood(
    exports: Exports, encoding: str
):
    reading = exports.opened(SMALL.encode(encoding))
    assert reading.count() == 3
    assert [heading for heading, _ in reading.columns] == sorted(HEADINGS.split(","))
    [chunk] = reading.chunks(10)
    assert chunk.fields["source_id"] == ["1", "2", "3"]
    given = chunk.fields["given_name"][0]
    assert given is not None
    assert given.encode("latin-1").decode("cp874" if encoding == "cp874" else "utf-8") == "สมชาย"


def test_quoted_headings_behind_a_bom_are_understood(exports: Exports):
    quoted = ",".join(f'"{heading}"' for heading in HEADINGS.split(","))
    assert names(exports.opened(f"\ufeff{quoted}\n{RECORDS[0]}\n")) == ["สมชาย"]


def test_headings_are_compared_without_what_cannot_be_seen(exports: Exports):
    spaced = "รหัสสมาชิก , ชื่อ\u200b,อีเมล"
    columns = {**COLUMNS, "email": "\u200bอีเมล "}
    assert names(exports.opened(f"{spaced}\n{RECORDS[0]}\n", columns=columns)) == ["สมชาย"]


def test_surplus_columns_are_no_fault_and_belong_to_the_shape(exports: Exports):
    reading = exports.opened(f"หมายเหตุ,{HEADINGS},หมายเหตุ\n,{RECORDS[0]},\n")
    assert reading.columns == (
        ("ชื่อ", "text"),
        ("รหัสสมาชิก", "text"),
        ("หมายเหตุ", "text"),
        ("หมายเหตุ", "text"),
        ("อีเมล", "text"),
    )
    assert list(records(reading)[0]) == ["source_id", "given_name", "email"]


def test_a_missing_column_is_named_and_no_value_is_quoted(exports: Exports):
    sentence = exports.refusal("รหัสสมาชิก,somchai@kku.ac.th\n1,2\n")
    assert "patrons.csv has no column ชื่อ, อีเมล;" in sentence
    assert "somchai" not in sentence


def test_headings_are_told_apart_by_case(exports: Exports):
    columns = {"source_id": "ID", "given_name": "Name"}
    assert "has no column ID;" in exports.refusal("id,Name\n1,Mana\n", columns=columns)


def test_a_named_column_that_stands_twice_is_named(exports: Exports):
    sentence = exports.refusal(f"{HEADINGS},ชื่อ\n{RECORDS[0]},x\n")
    assert "has the column ชื่อ more than once;" in sentence


def test_another_delimiter_is_told_with_the_key_that_sets_it(exports: Exports):
    semicolons = SMALL.replace(",", ";")
    sentence = exports.refusal(semicolons)
    assert "has only one column" in sentence
    assert "key delimiter" in sentence
    assert "Walai AutoLib" in sentence
    assert names(exports.opened(semicolons, delimiter=";")) == ["สมชาย", "สมหญิง", "มานะ"]


@pytest.mark.parametrize("delimiter", ["\t", "|", "^", "-", "]", "\\"])
def test_any_delimiter_can_be_set(exports: Exports, delimiter: str):
    reading = exports.opened(SMALL.replace(",", delimiter), delimiter=delimiter)
    assert len(records(reading)) == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_with_the_word_to_save_as_utf_8(exports: Exports, encoding: str):
    assert "save it as “CSV UTF-8”." in exports.refusal(SMALL.encode(encoding))


def test_of_several_columns_of_a_field_all_that_are_filled_are_read_in_their_order(
    exports: Exports,
):
    columns = {"source_id": "id", "email": ["work", "home"]}
    reading = exports.opened("id,home,work\n1,h1,w1\n2,h2, \n3,,\n", columns=columns)
    (chunk,) = reading.chunks(10)
    assert chunk.fields["email"] == [("w1", "h1"), "h2", None]


# The records of a CSV file


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(exports: Exports, end: str):
    assert names(exports.opened(SMALL.replace("\n", end))) == ["สมชาย", "สมหญิง", "มานะ"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("kept", [1, 3])
def test_a_last_record_whose_line_does_not_end_may_be_cut_off_and_is_kept_aside(
    exports: Exports, end: str, kept: int, caplog: pytest.LogCaptureFixture
):
    path = exports.write(end.join([HEADINGS, *RECORDS[:kept]])[:-3])
    seen = []
    for shard in range(2):
        reading = opened(path, shard=shard, shards=2)
        seen += names(reading)
        assert malformed(reading) in ([], [(kept, RECORDS[kept - 1][:-3].encode())])
    assert sorted(filter(None, seen)) == sorted(["สมชาย", "สมหญิง", "มานะ"][: kept - 1])
    assert "patrons.csv does not end with the end of a line: its last record may be" in caplog.text
    assert "mana" not in caplog.text


@pytest.mark.parametrize("last", ['3,มานะ,"mana@kku.ac.th"', '3,มานะ,""'])
def test_a_last_value_in_quotes_is_whole_without_the_end_of_its_line(exports: Exports, last: str):
    assert names(exports.opened("\n".join([HEADINGS, *RECORDS[:2], last]))) == [
        "สมชาย",
        "สมหญิง",
        "มานะ",
    ]


def test_a_line_that_was_cut_between_its_carriage_return_and_line_feed_is_whole(exports: Exports):
    reading = exports.opened(SMALL.replace("\n", "\r\n")[:-1])
    assert names(reading) == ["สมชาย", "สมหญิง", "มานะ"]


def test_blank_lines_are_no_records(exports: Exports):
    assert names(exports.opened("\n" + SMALL.replace("\n", "\r\n\n"))) == [
        "สมชาย",
        "สมหญิง",
        "มานะ",
    ]


def test_a_quoted_value_may_hold_delimiters_quotes_and_line_ends(exports: Exports):
    reading = exports.opened(f'{HEADINGS}\r\n1,"ใจ, ""ดี""\r\nมาก",x\r\n{RECORDS[1]}\r\n')
    assert names(reading) == ['ใจ, "ดี"\r\nมาก', "สมหญิง"]


def test_a_lost_quote_makes_no_name_of_the_records_that_it_swallows(exports: Exports):
    swallowing = f'{HEADINGS}\n1,"สมชาย,x\n2,สมหญิง,x\n3,"สมศรี,x\n{RECORDS[1]}\n'
    reading = exports.opened(swallowing)
    (found,) = reading.chunks(10)
    (name,) = found.fields["given_name"]
    assert name.encode("latin-1").decode() == "สมหญิง"
    ((number, kept),) = found.malformed
    assert number == 1
    assert "สมศรี".encode() in kept


@pytest.mark.parametrize(
    "name",
    ["ใจ,ดี,มาก\nจริง", "ใจ\nดี,มาก,จริง", "ใจ,ดี\nมาก\nจริง,ๆ"],
    ids=["commas above", "commas below", "a line between"],
)
def test_a_value_of_several_lines_with_commas_is_no_swallowed_record(exports: Exports, name: str):
    assert names(exports.opened(f'{HEADINGS}\n1,"{name}",x\n{RECORDS[1]}\n')) == [name, "สมหญิง"]


def test_a_quote_within_a_value_is_text(exports: Exports):
    assert names(exports.opened(f'{HEADINGS}\n1,สมชาย "หนุ่ย" ใจดี,x\n{RECORDS[1]}\n')) == [
        'สมชาย "หนุ่ย" ใจดี',
        "สมหญิง",
    ]


def test_encodings_may_be_mixed_as_every_byte_is_kept(exports: Exports):
    every_byte = bytes(byte for byte in range(256) if byte not in b'\n\r,"')
    content = f"{HEADINGS}\n1,สมชาย,x\n2,".encode() + "สมหญิง".encode("cp874") + b",x\n3,"
    reading = exports.opened(content + every_byte + b",x\n")
    assert reading.carrier == "latin-1"
    [chunk] = reading.chunks(10)
    assert [(value or "").encode("latin-1") for value in chunk.fields["given_name"]] == [
        "สมชาย".encode(),
        "สมหญิง".encode("cp874"),
        every_byte,
    ]
    assert reading.count() == 3


def test_a_record_with_too_few_or_too_many_values_is_malformed_and_kept(exports: Exports):
    reading = exports.opened(f"{HEADINGS}\n1,สมชาย\n{RECORDS[1]}\n3,มานะ,x,y\nมั่ว\n")
    assert names(reading) == ["สมหญิง"]
    assert malformed(reading) == [
        (1, "1,สมชาย".encode()),
        (3, "3,มานะ,x,y".encode()),
        (4, "มั่ว".encode()),
    ]
    assert reading.count() == 4
    assert [chunk.numbers for chunk in reading.chunks(10)] == [[2]]


def test_ten_megabytes_in_one_value_make_one_malformed_record_that_is_kept_whole(exports: Exports):
    huge = b"x" * 10_000_000
    reading = exports.opened(f"{HEADINGS}\n{RECORDS[0]}\n2,".encode() + huge + b',"a\nb"\n3,a,b\n')
    assert reading.count() == 3
    assert malformed(reading) == [(2, b"2," + huge + b",a\nb")]
    assert names(reading) == ["สมชาย", "a"]


def test_a_value_of_64_ki_is_the_longest_that_is_read(exports: Exports):
    longest = "x" * 65_536
    reading = exports.opened(f"{HEADINGS},note\n1,{longest},x,\n2,สมหญิง,x,{longest}y\n")
    assert names(reading) == [longest]
    assert [number for number, _ in malformed(reading)] == [2]


def test_a_truncated_file_leaves_its_last_record_malformed(exports: Exports):
    reading = exports.opened(SMALL.encode().split("านะ".encode())[0])
    assert reading.count() == 3
    assert names(reading) == ["สมชาย", "สมหญิง"]


def test_a_quote_that_never_closes_refuses_the_file_and_names_the_record(exports: Exports):
    sentence = exports.refusal(f'{HEADINGS}\n{RECORDS[0]}\n2,"สมหญิง,x\n{RECORDS[2]}\n')
    assert "cannot be split into records: record 2 does not end" in sentence
    assert "สมหญิง" not in sentence


def test_a_quote_that_never_closes_is_found_without_reading_the_rest_of_the_file(exports: Exports):
    path = exports.write(f'{HEADINGS}\n{RECORDS[0]}\n2,"')
    os.truncate(path, 80_000_000)  # what follows are zeros that take no room
    assert "record 2 does not end" in refusal(lambda: with_peak(opened(path).count, 130_000_000))


def test_a_record_that_swallows_the_file_is_refused_by_the_reading_too(exports: Exports):
    path = exports.write(f'{HEADINGS}\n1,"'.encode() + b"3,a,b\n" * 6_000_000)
    assert "some record does not end" in refusal(lambda: list(opened(path).chunks(10)))


def test_headings_that_never_end_are_refused(exports: Exports):
    assert "the headings do not end" in exports.refusal(f'"{HEADINGS}\n' + SMALL * 1000)


def test_a_file_without_records_holds_none(exports: Exports):
    assert records(exports.opened(HEADINGS)) == []
    assert exports.opened(HEADINGS).count() == 0


def test_what_is_read_is_what_an_independent_scan_counts_whatever_the_file_holds(exports: Exports):
    chance = random.Random(2561)  # noqa: S311
    refused = 0
    for _ in range(600):
        content = "id,b\n" + "".join(chance.choices('",\n\rx\0 ', [4, 3, 2, 2, 4, 1, 1], k=60))
        path = exports.write(content)
        reading = opened(path, {"source_id": "id"})
        if ends_in_an_open_quote(content):
            refused += 1
            assert "does not end" in refusal(reading.count)
        else:
            assert reading.count() == sum(len(chunk) for chunk in reading.chunks(7))
    assert 100 < refused < 500


def ends_in_an_open_quote(content: str) -> bool:
    rows = list(csv.reader((content + "\nlast,row").splitlines(keepends=True)))
    return rows[-1] != ["last", "row"]


def test_records_that_lie_across_the_blocks_of_the_scan_are_counted_once(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
):
    content = f'{HEADINGS}\r\n1,"a ""b"", c\r\n\r\nd",x\r\n\r\n{RECORDS[1]}\r\n'
    path = exports.write(content)
    for block in range(1, 40):
        monkeypatch.setattr("engagement.model.files.delimited._BLOCK", block)
        assert opened(path).count() == 2


# Chunks and shards


def test_records_come_in_chunks_with_their_numbers(exports: Exports):
    reading = exports.opened(f"{HEADINGS}\n" + "".join(f"{n},a,b\n" for n in range(1, 2346)))
    chunks = list(reading.chunks(1000))
    assert [len(chunk) for chunk in chunks] == [1000, 1000, 345]
    for chunk in chunks:
        assert chunk.fields["source_id"] == [str(number) for number in chunk.numbers]


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_every_record_is_in_one_shard_and_keeps_its_number(exports: Exports, shards: int):
    lines = [f"{n},a,b" if n % 4 else f"{n},a" for n in range(1, 51)]  # every fourth is malformed
    path = exports.write("\n".join([HEADINGS, *lines, ""]))
    seen: list[int] = []
    for shard in range(shards):
        reading = opened(path, shard=shard, shards=shards)
        numbers = []
        for chunk in reading.chunks(4):
            assert chunk.fields["source_id"] == [str(number) for number in chunk.numbers]
            assert all(data == f"{number},a".encode() for number, data in chunk.malformed)
            numbers += [*chunk.numbers, *(number for number, _ in chunk.malformed)]
        assert {number % shards for number in numbers} == {shard}
        assert reading.count() == len(numbers)
        seen += numbers
    assert sorted(seen) == list(range(1, 51))


def test_reading_holds_a_chunk_and_not_the_file(exports: Exports):
    path = exports.write(f"{HEADINGS}\n" + "12345,สมชาย ใจดี,somchai@kku.ac.th\n" * 40_000)
    assert path.stat().st_size > 2_000_000
    reading = opened(path)
    assert with_peak(lambda: sum(map(len, reading.chunks(1000))), 1_000_000) == 40_000


def with_peak(work: Callable[[], Any], most: int) -> Any:
    """Do the work and see that it never held more than so many bytes."""
    tracemalloc.start()
    try:
        return work()
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < most
