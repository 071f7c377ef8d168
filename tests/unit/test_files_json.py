"""Patron records are read from JSON pages as FOLIO's API gives them, with groups and departments."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engagement.errors import EngagementError
from engagement.model import files
from engagement.model.files import Reading
from engagement.model.source import Export

COLUMNS = {
    "source_id": "id",
    "given_name": "personal.firstName",
    "patron_type": "patronGroup",
    "affiliation": "departments",
    "membership": "active",
}
LOOKUPS = {
    "patronGroup": {"file": "groups*.json", "records": "usergroups", "value": "group"},
    "departments": {"file": "departments*.json", "records": "departments", "value": "name"},
}
GROUPS = [{"id": "g1", "group": "staff"}, {"id": "g2", "group": "undergraduate"}]
DEPARTMENTS = [{"id": "d1", "name": "คณะวิทยาศาสตร์"}, {"id": "d2", "name": "คณะศึกษาศาสตร์"}]


def user(number: int, **told: Any) -> dict[str, Any]:
    return {
        "id": f"u{number}",
        "active": True,
        "patronGroup": "g1",
        "departments": ["d1"],
        "personal": {"firstName": "สมชาย", "lastName": "ใจดี"},
        **told,
    }


class Folder:
    """The folder that the pages of an API were fetched into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("groups.json", page("usergroups", GROUPS))
        self.write("departments.json", page("departments", DEPARTMENTS))

    def write(self, name: str, content: Mapping[str, Any] | str | bytes) -> Path:
        path = self.path / name
        if isinstance(content, Mapping):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def users(self, *pages: list[Any]) -> None:
        """Write pages of users, each of which says how many there are in all."""
        total = sum(map(len, pages))
        for number, users in enumerate(pages):
            self.write(f"users-{number:03}.json", page("users", users, total))

    def opened(self, path: Path | None = None, **told: Any) -> Reading:
        export = {"columns": COLUMNS, "records": "users", "lookups": LOOKUPS}
        parts = {key: told.pop(key) for key in ("shard", "shards") if key in told}
        described = Export.model_validate({**export, **told})
        return files.opened(path or self.path, described, "FOLIO", **parts)

    def refusal(self, **told: Any) -> str:
        """Return the sentence that counting and reading end in."""
        with pytest.raises(EngagementError) as caught:
            rows(self.opened(**told))
        sentence = str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        assert "\n" not in sentence
        assert len(sentence) < 400
        return sentence


def page(key: str, records: list[Any], total: int | None = None) -> dict[str, Any]:
    return {key: records, "totalRecords": len(records) if total is None else total}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "folio"
    path.mkdir()
    return Folder(path)


def rows(reading: Reading) -> list[tuple[str | None, ...]]:
    """Return the values of all readable records, and see that all records were counted."""
    found: list[tuple[str | None, ...]] = []
    counted, seen = reading.count(), 0
    for chunk in reading.chunks(3):
        seen += len(chunk)
        found += zip(*chunk.fields.values(), strict=True)
    assert seen == counted
    return found


def column(reading: Reading, field: str) -> list[str | None]:
    return [row[list(COLUMNS).index(field)] for row in rows(reading)]


# What users say


def test_the_users_of_all_pages_are_records(folder: Folder):
    folder.users([user(1), user(2, patronGroup="g2")], [user(3, active=False)])
    reading = folder.opened()
    assert reading.carrier is None
    assert rows(reading) == [
        ("u1", "สมชาย", "staff", "คณะวิทยาศาสตร์", "true"),
        ("u2", "สมชาย", "undergraduate", "คณะวิทยาศาสตร์", "true"),
        ("u3", "สมชาย", "staff", "คณะวิทยาศาสตร์", "false"),
    ]


def test_one_file_may_hold_all_users_and_its_folder_the_lookups(folder: Folder):
    path = folder.write("export.json", page("users", [user(1), user(2)]))
    assert column(folder.opened(path), "patron_type") == ["staff", "staff"]


def test_what_is_not_there_or_null_or_an_empty_list_is_null(folder: Folder):
    folder.users([user(1), {"id": "u2"}, user(3, personal=None, departments=[], active=None)])
    assert rows(folder.opened())[1:] == [
        ("u2", None, None, None, None),
        ("u3", None, "staff", None, None),
    ]


def test_numbers_are_text(folder: Folder):
    numbers = [5730401234, 0, 3.5, 12345678901234567890123]
    folder.users([user(1, personal={"firstName": number}) for number in numbers])
    assert column(folder.opened(), "given_name") == [
        "5730401234",
        "0",
        "3.5",
        "12345678901234567890123",
    ]


def test_of_a_users_departments_the_first_one_that_is_known_counts(folder: Folder):
    folder.users([user(1, departments=[None, "gone", "d2", "d1"]), user(2, departments="d2")])
    assert column(folder.opened(), "affiliation") == ["คณะศึกษาศาสตร์", "คณะศึกษาศาสตร์"]


def test_what_a_lookup_does_not_know_stays_as_it_is_and_is_told_as_unknown(folder: Folder):
    folder.users([user(1, patronGroup="g9", departments=["d8", "d9"]), user(2), user(3, active=7)])
    assert column(folder.opened(), "patron_type") == ["g9", "staff", "staff"]
    assert column(folder.opened(), "affiliation")[:1] == ["d8"]
    first, rest = folder.opened().chunks(2)
    assert {field: set(values) for field, values in first.unknown.items() if values} == {
        "patron_type": {"g9"},
        "affiliation": {"d8"},
    }
    assert not any(rest.unknown.values())


def test_of_several_columns_the_unknown_values_of_each_are_told(folder: Folder):
    columns = {**COLUMNS, "affiliation": ["departments", "faculty"]}
    folder.users([user(1, departments=["d8"], faculty="อักษรศาสตร์")])
    (chunk,) = folder.opened(columns=columns).chunks(10)
    assert chunk.fields["affiliation"] == [("d8", "อักษรศาสตร์")]
    assert chunk.unknown["affiliation"] == {"d8"}


def test_a_list_without_a_lookup_gives_its_first_value(folder: Folder):
    folder.users([user(1, departments=[None, "a", "b"])])
    assert column(folder.opened(lookups={}), "affiliation") == ["a"]


def test_lookups_may_come_in_pages_too(folder: Folder):
    folder.write("groups.json", page("usergroups", GROUPS[:1], 2))
    folder.write("groups-2.json", page("usergroups", GROUPS[1:], 2))
    folder.users([user(1), user(2, patronGroup="g2")])
    assert column(folder.opened(), "patron_type") == ["staff", "undergraduate"]


def test_the_same_user_on_two_pages_makes_two_records(folder: Folder):
    folder.users([user(1), user(2)], [user(2)])
    assert column(folder.opened(), "source_id") == ["u1", "u2", "u2"]


@pytest.mark.parametrize(
    "strange", [None, "u9", 7, ["u9"], [], user(9, personal={"firstName": {"th": "ก"}})]
)
def test_a_user_that_is_no_object_of_plain_values_is_malformed_and_kept(
    folder: Folder, strange: Any
):
    folder.users([user(1), strange], [user(3)])
    reading = folder.opened()
    assert column(reading, "source_id") == ["u1", "u3"]
    [(number, data)] = [each for chunk in reading.chunks(10) for each in chunk.malformed]
    assert number == 2
    assert json.loads(data) == strange


def test_every_user_is_in_one_shard_with_its_number_across_the_pages(folder: Folder):
    users = [user(number) for number in range(1, 12)]
    folder.users(users[:4], users[4:])
    seen: list[int] = []
    for shard in range(3):
        reading = folder.opened(shard=shard, shards=3)
        for chunk in reading.chunks(2):
            assert chunk.fields["source_id"] == [f"u{number}" for number in chunk.numbers]
            assert {number % 3 for number in chunk.numbers} == {shard}
            seen += chunk.numbers
        assert len(rows(reading)) == reading.count()
    assert sorted(seen) == list(range(1, 12))


def test_an_export_is_as_of_when_the_newest_of_its_files_was_written(folder: Folder):
    folder.users([user(1)], [user(2)])
    for path in folder.path.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert folder.opened().as_of == datetime.fromtimestamp(1_000_000_000, UTC)
    os.utime(folder.path / "departments.json", (1_530_378_000, 1_530_378_000))
    assert folder.opened().as_of == datetime.fromtimestamp(1_530_378_000, UTC)


# The shape of the users


def test_the_shape_is_the_columns_that_at_least_one_user_has(folder: Folder):
    columns = {**COLUMNS, "email": ["personal.email", "personal.otherEmail"]}
    folder.users([user(1, extra=1), user(2, personal={"firstName": "ก", "email": None})])
    assert folder.opened(columns=columns).columns == (
        ("active", "text"),
        ("departments", "text"),
        ("id", "text"),
        ("patronGroup", "text"),
        ("personal.email", "text"),
        ("personal.firstName", "text"),
    )


def test_an_id_that_no_user_has_is_named(folder: Folder):
    folder.users([user(1)])
    sentence = folder.refusal(columns={**COLUMNS, "source_id": ["barcode", "uuid"]})
    assert "No record of users has barcode or uuid;" in sentence


def test_a_field_that_no_user_has_is_empty_in_all_of_them(folder: Folder):
    folder.users([user(1), user(2)])
    read = folder.opened(columns={**COLUMNS, "email": ["personal.mail", "mail"]})
    assert [chunk.fields["email"] for chunk in read.chunks(10)] == [[None, None]]


def test_a_page_without_users_is_a_page(folder: Folder):
    folder.users([])
    assert rows(folder.opened()) == []
    folder.users([user(1)], [])
    assert column(folder.opened(), "source_id") == ["u1"]


# What is no complete export


def test_fewer_users_than_the_total_says_are_a_partial_export(folder: Folder):
    folder.users([user(1), user(2)], [user(3), user(4)], [user(5)])
    (folder.path / "users-001.json").unlink()
    assert folder.refusal().startswith("The pages of users hold 3 of 5 records;")


def test_a_total_that_is_only_estimated_on_full_pages_is_no_fault(folder: Folder):
    folder.write("users-1.json", page("users", [user(1), user(2)], 4000))
    folder.write("users-2.json", page("users", [user(3)], 3))
    folder.write("users-3.json", page("users", [], 4000))
    assert len(rows(folder.opened())) == 3


def test_the_total_on_the_shortest_page_counts_as_the_others_may_estimate_too_few(folder: Folder):
    folder.write("users-1.json", page("users", [user(1), user(2)], 2))
    folder.write("users-3.json", page("users", [user(5)], 5))
    assert folder.refusal().startswith("The pages of users hold 3 of 5 records;")


def test_more_users_than_the_total_says_and_pages_without_a_total_are_no_fault(folder: Folder):
    folder.write("users-1.json", page("users", [user(1), user(2)], 1))
    folder.write("users-2.json", {"users": [user(3)]})
    assert len(rows(folder.opened())) == 3


def test_lookups_that_are_not_complete_are_refused(folder: Folder):
    folder.users([user(1)])
    folder.write("groups.json", page("usergroups", GROUPS, 3))
    assert folder.refusal().startswith("The pages of usergroups hold 2 of 3 records;")


def test_a_truncated_page_is_named(folder: Folder):
    folder.users([user(1)], [user(2), user(3)])
    whole = (folder.path / "users-001.json").read_bytes()
    folder.write("users-001.json", whole[:-30])
    assert folder.refusal() == "users-001.json is no whole JSON in UTF-8; fetch it again."
    with pytest.raises(EngagementError, match=r"users-001\.json is no whole JSON"):
        list(folder.opened().chunks(10))


@pytest.mark.parametrize(
    "content",
    [
        "<html>สมชาย</html>",
        " ",
        '{"users": [NaN]}',
        '{"users": [1e99999999999999999999]}',
        f'{{"users": [{"7" * 4301}]}}',
        f'{{"users": [{{"id": {"7" * 200_000}}}]}}',
        '{"users": []} สมชาย',
        '{"users": ["สมชาย"]}'.encode("cp874"),
        '{"users": []}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_in_utf_8_is_named_and_not_quoted(folder: Folder, content: str | bytes):
    folder.write("users.json", content)
    assert folder.refusal() == "users.json is no whole JSON in UTF-8; fetch it again."


def test_a_number_of_a_thousand_digits_is_text_wherever_it_stands_in_the_page(folder: Folder):
    many = int("1234567890" * 100)
    users = [user(number, active=many) for number in range(200)]
    folder.users(users)
    assert (folder.path / "users-000.json").stat().st_size > 3 * 65_536
    assert set(column(folder.opened(), "membership")) == {str(many)}


BROKEN = "users.json is no whole JSON in UTF-8; fetch it again."


def nested(levels: int, key: str = "users") -> str:
    """Return a page of that many levels, of lists and objects."""
    deep = "[" * (levels - 4) + '{"a": {}}' + "]" * (levels - 4)
    return f'{{"{key}": [{{"id": "u1"}}, {deep}], "totalRecords": 2}}'


def test_a_page_that_is_nested_without_end_is_refused_before_it_fills_the_memory(folder: Folder):
    folder.write("users.json", nested(100))
    assert rows(folder.opened())
    for levels in (101, 100_000):
        folder.write("users.json", nested(levels))
        assert folder.refusal() == BROKEN
        with pytest.raises(EngagementError, match="is no whole JSON"):
            list(folder.opened().chunks(10))
    folder.write("users.json", '{"users": [' + '{"a": ' * 100_000)
    assert folder.refusal() == BROKEN


def test_a_lookup_that_is_nested_without_end_is_refused_too(folder: Folder):
    folder.users([user(1)])
    folder.write("groups.json", nested(100_000, "usergroups"))
    assert folder.refusal() == BROKEN.replace("users", "groups")


def test_brackets_in_a_text_nest_nothing_wherever_it_stands_in_the_page(folder: Folder):
    text = r'[[["{{{\\' * 20 + "]]"
    folder.users([user(number, note=text, departments=[]) for number in range(500)])
    assert (folder.path / "users-000.json").stat().st_size > 3 * 65_536
    assert len(rows(folder.opened())) == 500
    closing = json.dumps([user(number, note="]}" * 90) for number in range(500)])
    folder.write("users-000.json", f'{{"users": {closing}, "x": {"[" * 100}1{"]" * 100}}}')
    assert folder.refusal() == "users-000.json is no whole JSON in UTF-8; fetch it again."


@pytest.mark.parametrize(
    "half",
    [r"\ud800x", r"\uDBFF", r"\udc00", r"\uD83D\n\uDE00", r"\ud83d\ud83d\ude00", r"\ud83d\ude00\uDFFF",
     r"\\\ud800", r"\ud83d\\\ude00"],
)  # fmt: skip
def test_half_a_character_is_refused_with_the_place_where_it_stands(folder: Folder, half: str):
    folder.write("users.json", f'{{"users": [{{"id": "u1", "name": "สมชาย{half}"}}]}}')
    sentence = folder.refusal()
    assert sentence.startswith("users.json holds half a character")
    assert "สมชาย" not in sentence
    assert refused_at(folder, sentence).lower().startswith(rb"\ud")


def refused_at(folder: Folder, sentence: str) -> bytes:
    """Return what stands in the page where the sentence says."""
    at = int(sentence.split("behind byte ")[1].split(";")[0].replace(",", ""))
    return (folder.path / "users.json").read_bytes()[at : at + 6]


def test_half_a_character_is_found_where_the_page_is_read_in_two_blocks(folder: Folder):
    for cut in range(14):
        before = '{"users": [{"id": "u1", "name": "'.ljust(65_536 - cut, "x")
        folder.write("users.json", f'{before}\\\\\\ud83dx"}}]}}')
        assert refused_at(folder, folder.refusal()) == rb"\ud83d"
        folder.write("users.json", f'{before}\\ud83d\\ude00\\ude00"}}]}}')
        assert refused_at(folder, folder.refusal()) == rb"\ude00"


def test_a_whole_character_and_an_escaped_backslash_are_text_wherever_they_stand(folder: Folder):
    columns = {**COLUMNS, "given_name": "name"}
    for cut in range(20):
        before = '{"users": [{"id": "u1", "note": "'.ljust(65_533 - cut, "x")
        folder.write(
            "users.json", before + r'", "name": "\ud83d\uDE00\\ud800\\\uD83D\ude00\u0e01"}]}'
        )
        assert column(folder.opened(columns=columns), "given_name") == [r"😀\ud800\😀ก"]


def test_a_total_that_is_no_whole_number_is_none(folder: Folder):
    folder.write("users.json", '{"users": [{"id": "u1"}], "totalRecords": 1e999999999}')
    assert len(rows(folder.opened())) == 1


def test_a_mark_at_the_beginning_of_a_page_is_no_fault(folder: Folder):
    folder.write("users.json", "\ufeff" + json.dumps(page("users", [user(1)])))
    assert len(rows(folder.opened())) == 1


@pytest.mark.parametrize(
    "content",
    ['{"errors": [{"message": "สมชาย"}]}', "[]", '{"users": {"id": "u1"}}', '{"users": null}'],
)
def test_a_page_without_a_list_of_users_is_named(folder: Folder, content: str):
    folder.users([user(1)])
    folder.write("users-error.json", content)
    assert "users-error.json is no page of users:" in folder.refusal()


def test_a_folder_without_pages_is_told_with_their_name(folder: Folder):
    assert folder.refusal().startswith(f"There is no file {folder.path}/users*.json;")


def test_a_lookup_that_is_not_there_is_told_with_its_name(folder: Folder):
    folder.users([user(1)])
    (folder.path / "departments.json").unlink()
    assert folder.refusal().startswith(f"There is no file {folder.path}/departments*.json;")


@pytest.mark.parametrize("pattern", ["", ".", "/srv/folio/groups*.json", "**groups.json"])
def test_a_lookup_whose_file_is_no_pattern_below_the_folder_is_told_so(
    folder: Folder, pattern: str
):
    folder.users([user(1)])
    lookups = {"patronGroup": {**LOOKUPS["patronGroup"], "file": pattern}}
    assert f"{pattern!r} names no file in {folder.path};" in folder.refusal(lookups=lookups)


def test_an_empty_page_is_said_to_be_empty(folder: Folder):
    folder.write("users.json", "")
    assert "users.json is empty;" in folder.refusal()


def test_a_lookup_of_what_is_no_column_is_named(folder: Folder):
    folder.users([user(1)])
    lookups = {"type": LOOKUPS["patronGroup"]}
    assert "The YAML of FOLIO looks up type, which" in folder.refusal(lookups=lookups)


def test_a_lookup_whose_records_have_not_its_keys_is_named(folder: Folder):
    folder.users([user(1)])
    lookups = {"patronGroup": {**LOOKUPS["patronGroup"], "value": "name"}}
    assert "No record of usergroups has id and name;" in folder.refusal(lookups=lookups)


def test_json_without_the_key_of_its_records_says_which_key_to_set(folder: Folder):
    path = folder.write("users.json", page("users", [user(1)]))
    with pytest.raises(EngagementError, match="set the key records of export in the YAML of FOLIO"):
        folder.opened(path, records=None)


def test_a_folder_says_that_pages_need_the_key_of_their_records(folder: Folder):
    with pytest.raises(EngagementError, match=r"is a folder; .* set the key records of export"):
        folder.opened(records=None)
