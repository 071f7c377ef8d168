"""The archive of the reports, for who missed one: ENGAGEMENT_ARCHIVE, a folder for each edition and an index.

It holds what was mailed, and no recipient.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
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
_FIGURES = "figures.csv"  # written last
# Excel takes what begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TO_NOBODY = "undisclosed-recipients:;"


@dataclass(frozen=True)
class Entry:
    """One edition in the index.

    `released_at` is None where another one, or none, went out; `released_by` where no person let it go.
    """

    period: Period
    edition: int
    languages: Sequence[Language]
    cut_at: datetime
    released_at: datetime | None
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
        try:
            _write_missing(found)
        except OSError as error:
            raise _unwritable(error) from None


def _write_missing(found: Sequence[Entry]) -> None:
    root = settings().archive_folder
    for entry in found:
        if not (root / entry.folder / _FIGURES).exists():
            _write(root / entry.folder, entry)
    _replace(root / "index.html", _index(found))


def forget(before: str) -> int:
    """Delete the months before the period `before`, such as 2018-06; return how many. `keep` mends the index.

    Raises:
        EngagementError: the archive cannot be written.
    """
    root = settings().archive_folder
    months = (
        [path for path in root.iterdir() if _MONTH.fullmatch(path.name)] if root.exists() else []
    )
    old = [path for path in months if path.name < before]
    try:
        for path in old:
            path.rmdir(recursive=True)
    except OSError as error:
        raise _unwritable(error) from None
    return len(old)


def folder(period: Period, edition: int) -> UPath:
    """Return where an edition lies."""
    return settings().archive_folder / str(period) / str(edition)


def _unwritable(error: OSError) -> EngagementError:
    return EngagementError(
        f"The archive of the reports cannot be written ({error.strerror or type(error).__name__}); let "
        "ENGAGEMENT_ARCHIVE be a place that may be written, then run again."
    )


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
                row.released_at and row.released_at.astimezone(zone),
                row.released_by,
                row.has_pdf,
            )
            for row in session.rows("monitor/editions")
        ]


def _write(place: UPath, entry: Entry) -> None:
    """Write an edition's folder: others see it whole or not at all."""
    for left_over in (place.with_name(f".{place.name}.new"), place):
        if left_over.exists():
            left_over.rmdir(recursive=True)
    new = place.with_name(f".{place.name}.new")
    new.mkdir(parents=True)
    for name, written in _files(entry):
        (new / name).write_bytes(written)
    new.move(place)


def _files(entry: Entry) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of an edition's files."""
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
        sender=f'"{said.library.name(language)}" <{said.email}>',
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
    new = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    new.write_bytes(written)
    new.rename(path)
