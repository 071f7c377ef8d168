"""JSON: pages as the API of a library system gives them, such as FOLIO's users, groups and departments."""

from __future__ import annotations

import codecs
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from engagement.errors import EngagementError
from engagement.model.files.base import Reading, as_text, last_written, require_file
from engagement.model.records import Records
from engagement.model.source import Export, Lookup

# Python makes no number of more than 4,300 digits, and ijson dies of that; half of so many stand in one block.
_NINES = bytes.maketrans(b"012345678", b"999999999")
_TOO_MANY = b"9" * 2_000
# Of each event ijson makes the whole path: of a block of brackets gigabytes.
_DEEPEST = 100
_STEPS = dict(zip(b"[{]}", (1, 1, -1, -1), strict=True))
_NO_MARKS = bytes(set(range(256)) - {*_STEPS, *b'"'})
# A surrogate without the other one of its pair (RFC 8259, chapter 8.2): ijson makes a question mark of it.
_HALF = re.compile(
    rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F])"
)
# The end of a block where an escape, or a pair of them, may go on in the next one.
_UNFINISHED = re.compile(rb"(?:\\u[dD][89abAB]\w\w)?(?:\\(?:u\w{0,3})?)?\Z")


class Pages(Reading):
    """The patrons of one JSON file, or of the pages in a folder that begin with the name of their key.

    A value is found by its dotted path; of a list the first value counts, or the first one that the
    lookup of its path knows. A value that its lookup does not know stays as it is, and is told as
    unknown: what that means is for who knows the fields.
    """

    def __init__(self, path: Path, export: Export, label: str, shard: int, shards: int) -> None:
        """Find the pages and read the lookups.

        Raises:
            EngagementError: pages or lookups are missing or cannot be read.
        """
        if export.records is None:
            raise EngagementError(
                f"{path.name} is JSON; set the key records of export in the YAML of {label} to the key "
                "that its patrons stand under."
            )
        super().__init__(export, shard, shards)
        if unknown := sorted(set(export.lookups) - set(self._names)):
            raise EngagementError(
                f"The YAML of {label} looks up {', '.join(unknown)}, which is none of the columns of export; "
                "name the column there."
            )
        folder, pages = path.parent, [path]
        if path.is_dir():
            folder, pages = path, _found(path, f"{export.records}*.json", label)
        listings = {
            column: _Listing(_found(folder, lookup.file, label), lookup.records)
            for column, lookup in export.lookups.items()
        }
        self._patrons = _Listing(pages, export.records)
        self._meanings = {
            column: _meanings(listings[column], lookup) for column, lookup in export.lookups.items()
        }
        self._unknown: defaultdict[str, set[str]] = defaultdict(set)
        self._paths = [(name, name.split(".")) for name in self._names]
        self.as_of = last_written(
            *pages, *(file for each in listings.values() for file in each.pages)
        )

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """The paths of the YAML that at least one patron has, sorted; FOLIO leaves out what is empty."""
        _, found = self._survey
        return tuple((path, "text") for path in sorted(found))

    def _count(self) -> int:
        records, _ = self._survey
        return records

    @cached_property
    def _survey(self) -> tuple[int, set[str]]:
        records, found = self._patrons.survey(self._names)
        names = self._fields["source_id"]  # another field may really be empty in every record
        if records and found.isdisjoint(names):
            raise EngagementError(
                f"No record of {self._patrons.key} has {' or '.join(names)}; correct the columns of "
                "export in the YAML."
            )
        return records, found

    def _records(self) -> Iterator[Any]:
        return iter(self._patrons)

    def _chunk(self, records: Iterator[Any], numbers: Iterator[int]) -> Records:
        self._unknown.clear()
        chunk = super()._chunk(records, numbers)
        unknown: dict[str, frozenset[str]] = {
            field: frozenset().union(*(self._unknown.get(name, ()) for name in names))
            for field, names in self._fields.items()
        }
        return replace(chunk, unknown=unknown)

    def _values(self, record: Any) -> Sequence[str | None] | bytes:
        if isinstance(record, dict):
            found = [(name, _at(record, path)) for name, path in self._paths]
            if all(_is_plain(value) for _, value in found):
                return [self._meaning(name, value) for name, value in found]
        return json.dumps(record, default=str).encode()

    def _meaning(self, column: str, value: Any) -> str | None:
        values = [text for part in _parts(value) if (text := as_text(part)) is not None]
        if values and column in self._meanings:
            return self._looked_up(column, values)
        return values[0] if values else None

    def _looked_up(self, column: str, values: Sequence[str]) -> str:
        known = self._meanings[column]
        for value in values:
            if value in known:
                return known[value]
        self._unknown[column].add(values[0])
        return values[0]


class _Listing:
    """The records that stand under one key, in the order of the pages."""

    def __init__(self, pages: Sequence[Path], key: str) -> None:
        self.key = key
        self.pages = pages
        self._item = f"{key}.item"

    def __iter__(self) -> Iterator[Any]:
        import ijson

        for page in self.pages:
            with _json(page) as file:
                yield from ijson.items(file, self._item)

    def survey(self, paths: Sequence[str]) -> tuple[int, set[str]]:
        """Return how many records there are, and which of the paths at least one of them has.

        Raises:
            EngagementError: a page is no such page, or there are fewer records than were to be there.
        """
        found: set[str] = set()
        pages = [self._survey_page(page, paths, found) for page in self.pages]
        records = sum(held for held, _ in pages)
        # FOLIO only estimates the total, but for the last page, which is the shortest (RMB-591).
        _, _, total = min((held == 0, held, total) for held, total in pages)
        if records < total:
            raise EngagementError(
                f"The pages of {self.key} hold {records:,} of {total:,} records; fetch those that are "
                "missing, or all anew with totalRecords=exact."
            )
        return records, found

    def _survey_page(self, page: Path, paths: Sequence[str], found: set[str]) -> tuple[int, int]:
        """Return how many records the page holds and how many it says there are; add to `found`."""
        import ijson

        wanted = {f"{self._item}.{path}": path for path in paths}
        ends = ("end_map", "end_array", "map_key")
        is_page, held, total = False, 0, 0
        with _json(page) as file:
            for prefix, event, value in ijson.parse(file):
                if prefix in wanted:
                    found.add(wanted[prefix])
                elif prefix == self._item:
                    held += event not in ends
                elif prefix == self.key:
                    is_page = is_page or event == "start_array"
                elif prefix == "totalRecords" and isinstance(value, int):
                    total = value
        if not is_page:
            raise EngagementError(
                f"{page.name} is no page of {self.key}: it holds no list of that name; fetch it again."
            )
        return held, total


class _Page:
    """An open page, as ijson reads it: block by block, without what ijson cannot bear or falsifies."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._rest = b""  # of the last block: the beginning of an escape
        self._in_string = False
        self._depth = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            ValueError: they hold a number of no end, or a list in a list in a list.
            EngagementError: they hold half a character.
        """
        block = self._file.read(size)
        if _TOO_MANY in block.translate(_NINES):
            raise ValueError
        # Without escaped backslashes each of the others begins an escape.
        text = (self._rest + block).replace(b"\\\\", b"__")
        unfinished = _UNFINISHED.search(text, len(text) - 11)
        self._rest = unfinished[0] if unfinished else b""
        text = text.removesuffix(self._rest)
        self._require_whole_characters(text)
        self._require_shallow(text)
        return block

    def _require_whole_characters(self, text: bytes) -> None:
        if half := _HALF.search(text):
            at = self._file.tell() - len(self._rest) - len(text) + half.start()
            raise EngagementError(
                f"{self._name} holds half a character (an escape from \\ud800 to \\udfff without its other "
                f"half) behind byte {at:,}; correct that record in the library system, and fetch the page "
                "again."
            )

    def _require_shallow(self, text: bytes) -> None:
        # Two quotes with nothing between them change nothing for what stands around them.
        marks = text.replace(b'\\"', b"").translate(None, _NO_MARKS).replace(b'""', b"")
        pieces = (b'"' * self._in_string + marks).split(b'"')
        self._in_string = len(pieces) % 2 == 0
        brackets = b"".join(pieces[::2])
        depths = [*accumulate(map(_STEPS.__getitem__, brackets), initial=self._depth)]
        if max(depths) > _DEEPEST:
            raise ValueError
        self._depth = depths[-1]


@contextmanager
def _json(page: Path) -> Iterator[_Page]:
    """Open a page; say so where it turns out to be no whole JSON."""
    import ijson

    with page.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        try:
            yield _Page(file, page.name)
        except (ijson.JSONError, ValueError, ArithmeticError):
            # What was raised may quote the page.
            raise EngagementError(
                f"{page.name} is no whole JSON in UTF-8; fetch it again."
            ) from None


def _found(folder: Path, pattern: str, label: str) -> list[Path]:
    try:
        files = sorted(folder.glob(pattern))
    except (NotImplementedError, ValueError, IndexError):  # absolute; empty; of dots alone
        raise EngagementError(
            f"{pattern!r} names no file in {folder}; write a pattern such as groups*.json there, in the "
            f"lookups of export in the YAML of {label}."
        ) from None
    if not files:
        raise EngagementError(f"There is no file {folder / pattern}; fetch it from {label}.")
    for file in files:
        require_file(file, label)
    return files


def _meanings(listing: _Listing, lookup: Lookup) -> Mapping[str | None, str]:
    """Return what each key of a lookup means."""
    records, found = listing.survey((lookup.key, lookup.value))
    if records and len(found) < 2:
        raise EngagementError(
            f"No record of {lookup.records} has {lookup.key} and {lookup.value}; correct the lookups of "
            "export in the YAML."
        )
    known = ((_at(record, [lookup.key]), _at(record, [lookup.value])) for record in listing)
    return {as_text(key): str(value) for key, value in known if value is not None}


def _at(record: Any, path: Sequence[str]) -> Any:
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _parts(value: Any) -> list[Any]:
    """Return the values of a list, or the one value, without NULL."""
    return [part for part in (value if isinstance(value, list) else [value]) if part is not None]


def _is_plain(value: Any) -> bool:
    """Return whether it is text, a number, a boolean or NULL, or a list of such."""
    return not any(isinstance(part, (dict, list)) for part in _parts(value))
