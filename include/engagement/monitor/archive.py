"""The archive of the reports, for who missed one: ENGAGEMENT_ARCHIVE, a folder for each edition and an index.

It holds what was mailed, and no recipient.
"""

from __future__ import annotations

import base64
import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import quote
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement import warehouse, wording
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.monitor import distribution, editions
from engagement.monitor.report import PICTURE
from engagement.period import Period
from engagement.settings import settings
from engagement.templates import environment

if TYPE_CHECKING:
    from upath import UPath

_COLUMNS = ("period", "edition", "name", "about", "unit", "value", "base", "low", "high", "source")
_MONTH = re.compile(r"\d{4}-\d{2}")
_FIGURES = "figures.csv"  # written last: where it lies, the edition is whole
# Excel takes what begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TO_NOBODY = "undisclosed-recipients:;"


@dataclass(frozen=True)
class Entry:
    """One edition in the index.

    `mailed_at` is None where another one, or none, went out to all its readers; `waiting` mails of it have reached
    nobody yet. `released_by` is None where no person let it go.
    """

    period: Period
    edition: int
    languages: Sequence[Language]
    cut_at: datetime
    mailed_at: datetime | None
    waiting: int
    released_by: str | None
    has_pdf: bool

    @property
    def folder(self) -> str:
        """Where it lies in the archive."""
        return f"{self.period}/{self.edition}"


def keep() -> None:
    """Write each edition that the archive lacks, and its index.

    Raises:
        EngagementError: the archive cannot be written.
    """
    with warehouse.session() as session:
        session.scalar("monitor/lock_archive")
        found = entries()
        root = _root()
        for entry in found:
            with _told():
                is_whole = (root / entry.folder / _FIGURES).exists()
            if not is_whole:
                _write(root / entry.folder, list(_files(entry)))
        _replace(root / "index.html", _index(found))


def forget(before: str) -> int:
    """Delete the months before the period `before`, such as 2018-06; return how many. `keep` mends the index.

    Raises:
        EngagementError: the archive cannot be written.
    """
    root = _root()
    with _told():
        months = (
            [path for path in root.iterdir() if _MONTH.fullmatch(path.name)]
            if root.exists()
            else []
        )
        old = [path for path in months if path.name < before]
        for path in old:
            path.rmdir(recursive=True)
    return len(old)


def folder(period: Period, edition: int) -> UPath:
    """Return where an edition lies.

    Raises:
        EngagementError: ENGAGEMENT_ARCHIVE is a store of an unknown kind.
    """
    return _root() / str(period) / str(edition)


def _root() -> UPath:
    with _told():
        return settings().archive_folder


@contextmanager
def _told() -> Iterator[None]:
    """Say in our words that the archive failed: every store fails in its own, which may hold a key to it."""
    try:
        yield
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number else type(error).__name__
        raise EngagementError(
            f"The archive of the reports cannot be written ({reason}); let ENGAGEMENT_ARCHIVE be a place that "
            "may be written, then run again."
        ) from None


def entries() -> list[Entry]:
    """Return every edition, the newest first."""
    zone = settings().zone
    with warehouse.session() as session:
        return [
            Entry(
                Period.parse(row.period),
                row.edition,
                row.languages,
                row.cut_at.astimezone(zone),
                row.mailed_at and row.mailed_at.astimezone(zone),
                row.waiting_count,
                row.released_by,
                row.has_pdf,
            )
            for row in session.rows("monitor/editions")
        ]


def _write(place: UPath, files: Sequence[tuple[str, bytes]]) -> None:
    """Write an edition's folder; where it is broken off, the file that is written last is missing.

    On a disk others see it whole or not at all. In an object store a move is a copy, file by file in any order.
    """
    new = place.with_name(f".{place.name}.new") if isinstance(place, Path) else place
    with _told():
        for left_over in {new, place}:
            if left_over.exists():
                left_over.rmdir(recursive=True)
        new.mkdir(parents=True, exist_ok=True)
        for name, written in files:
            (new / name).write_bytes(written)
        if new != place:
            new.move(place)


def _files(entry: Entry) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of an edition's files, in the order in which they are written."""
    for language in entry.languages:
        kept = editions.read(entry.period, entry.edition, language)
        html = kept.html
        if kept.chart is not None:
            inline = base64.b64encode(kept.chart).decode()
            html = html.replace(f"cid:{PICTURE}", f"data:image/png;base64,{inline}")
        yield f"report-{language}.html", html.encode()
        yield f"report-{language}.eml", _mail(entry, language)
        if kept.pdf is not None:
            yield f"report-{language}.pdf", bytes(kept.pdf)
    yield _FIGURES, _figures(entry)


def _mail(entry: Entry, language: Language) -> bytes:
    said = distribution.read()
    letter = editions.letter(
        entry.period,
        entry.edition,
        language,
        sender=f'"{quote(said.library.name(language))}" <{said.email}>',
        has_pdf=True,
    )
    return letter.addressed(_TO_NOBODY, f"report-{entry.period}-{entry.edition}-{language}")


def _figures(entry: Entry) -> bytes:
    """Return what an edition says, figure by figure, as Excel opens it: a table of UTF-8 with its mark."""
    with warehouse.session() as session:
        rows = session.rows(
            "monitor/report_figures", period=str(entry.period), edition=entry.edition
        )
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([str(entry.period), entry.edition, *map(_written, row)])
    return table.getvalue().encode("utf-8-sig")


def _written(value: Any) -> Any:
    """Return a value as a table holds it: counts without a fraction, and no text that is a formula to Excel."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _index(entries: Sequence[Entry]) -> bytes:
    template = environment("archive").get_template("index.html.j2")
    months = [list(of_month) for _, of_month in groupby(entries, lambda entry: entry.period)]
    return template.render(
        library=distribution.read().library, months=months, en=wording.EN
    ).encode()


def _replace(path: UPath, written: bytes) -> None:
    new = path.with_name(f".{path.name}.new") if isinstance(path, Path) else path
    with _told():
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(written)
        if new != path:
            new.rename(path)
