"""Writes the workbook from which the counter staff ask current members for what they lack."""

from __future__ import annotations

import logging
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement import text, warehouse
from engagement.errors import EngagementError
from engagement.labels import labels
from engagement.model import extract_state, source as sources
from engagement.model.source import Source
from engagement.period import Period
from engagement.privacy import reads
from engagement.settings import settings
from engagement.warehouse import Session
from engagement.wording import TH

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

Cells = Sequence[str | None]  # of a row
_CHUNK_ROWS = 5_000
SHEET_ROWS = 1_048_575  # that Excel has below the headings
_LONGEST = 1_000  # characters of a cell; one of more than 32,767 would stay empty
_NO_TEXT = re.compile("[\ufffe\uffff]")  # what XML cannot say
_THAI_HEIGHT = 20  # points of a row: vowels and tones stand above each other
_A4 = 9
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_log = logging.getLogger(__name__)


def default_path(period: Period) -> Path:
    """Return where the workbook of a period is written when nobody says otherwise."""
    return settings().home / "exports" / f"rejects-{period}.xlsx"


def export(period: Period, path: Path, by: str) -> int:
    """Write the published rejections of a period as .xlsx; return how many records are to be asked about.

    A sheet of counts, the records by what is to be asked, those that are whole but whose mail came back, and
    those that cannot be read. Who is no current
    member, or objected, is not in it. Every cell is text or a count, never a formula. The file is its
    owner's alone (mode 0600), and so is a folder that has to be made for it.

    Args:
        period: that is published.
        path: of the new file.
        by: who wants it; logged.

    Raises:
        EngagementError: the period is not published as it was last read, its records are kept no more, or
            the file is there already, is to be no .xlsx, or cannot be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise EngagementError(f"{path} is to be an Excel workbook; let its name end in .xlsx.")
    try:
        if path.exists():
            raise EngagementError(
                f"{path} exists already; name another file, or move that one away."
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What the workbook is made of lies in here too.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".rejects-") as folder:
            new = Path(folder, "rejects.xlsx")
            with warehouse.session() as session:
                count = _write(session, period, new)
            with warehouse.session() as session:
                reads.log(session, by, "rejects", f"to ask for what {period} lacks", count)
            new.chmod(0o600)
            new.replace(path)
    except OSError as error:
        raise EngagementError(f"{path} cannot be written: {error.strerror}.") from None
    _log.info("%s exported the %s rejected records of %s.", by, f"{count:,}", period)
    return count


def _write(session: Session, period: Period, path: Path) -> int:
    from xlsxwriter import Workbook

    session.repeatable_read()
    extract, rejected = _published(session, period)
    binds = {"extract_id": extract.extract_id, "period": str(period)}
    source = sources.load(extract.source)
    asked: Counter[str] = Counter()
    with Workbook(str(path), _OPTIONS | {"tmpdir": str(path.parent)}) as book:
        counts = book.add_worksheet(labels().rejects["counts_sheet"])
        records = _counted(map(_asked, _rows(session, "model/rejected_patrons", binds)), asked)
        _add_sheets(book, "records_sheet", "columns", records)
        returned = map(_bounced, _rows(session, "model/bounced_patrons", binds))
        bounced = _add_sheets(book, "bounced_sheet", "bounced_columns", returned)
        broken = (_broken(row, source) for row in _rows(session, "model/unreadable_records", binds))
        unreadable = _add_sheets(book, "unreadable_sheet", "unreadable_columns", broken)
        left_out = rejected - asked.total() - unreadable
        others = {"unreadable": unreadable, "left_out": left_out, "bounced": bounced}
        _fill_counts(book, counts, _title(extract, period), asked, others)
    return asked.total() + bounced


def _published(session: Session, period: Period) -> tuple[Any, int]:
    """Return the period's extract, which is published and still lies in stage, and its rejected records."""
    extract = extract_state.accepted(session, period)
    published = session.one("model/published_extract", period=str(period))
    if published is None or published.extract_id != extract.extract_id:
        raise EngagementError(
            f"{period} is not published as it was last read; run the tasks check and publish of "
            "model_patrons for the period first."
        )
    extract_state.require_staged(session, extract.extract_id, period)
    return extract, int(published.rejected_count)


def _rows(session: Session, name: str, binds: dict[str, Any]) -> Iterator[Any]:
    for chunk in session.chunks(name, _CHUNK_ROWS, **binds):
        yield from chunk


def _asked(row: Any) -> Cells:
    """Return the cells of a record."""
    asks = labels().rejects["asks"]
    faults = (_fault(row, reason, asks) for reason in row.reason_codes)
    return (
        " + ".join(asks.get(reason, reason) for reason in row.reason_codes),
        row.source_id,
        row.title,
        row.whole_name,
        row.patron_type,
        row.affiliation,
        row.email,
        "; ".join(faults),
        row.email_suggestion,
    )


def _fault(row: Any, reason: str, asks: dict[str, str]) -> str:
    """Say what is wrong; a check of the suite may reject for a reason where a value is no fault itself."""
    fault = getattr(row, f"{reason}_fault", None)
    if fault is None:
        return labels().reason(reason).th
    return f"{asks[reason]}: {labels().fault(fault).th}"


def _bounced(row: Any) -> Cells:
    """Return the cells of a member whose mail came back."""
    since = TH.date(row.bounced_at.astimezone(settings().zone).date())
    return (*row[:-1], since)


def _broken(row: Any, source: Source) -> Cells:
    """Return the cells of a record that cannot be read."""
    source_id = None if row.source_id is None else text.decode(row.source_id, source.encodings)
    return f"{row.record_no}", source_id or "", labels().reason(row.reason_code).th


def _counted(rows: Iterable[Cells], counts: Counter[str]) -> Iterator[Cells]:
    """Yield the rows, counting them by their first cell."""
    for row in rows:
        counts[row[0] or ""] += 1
        yield row


def _add_sheets(book: Workbook, name: str, columns: str, rows: Iterable[Cells]) -> int:
    """Add as many sheets as the rows fill, at least one; return how many rows there are."""
    words = labels().rejects
    headings: dict[str, int] = words[columns]
    sheet = _add_sheet(book, words[name], headings)
    count = place = 0
    for row in rows:
        if place == SHEET_ROWS:
            sheet.autofilter(0, 0, place, len(headings) - 1)
            sheet, place = _add_sheet(book, f"{words[name]} {count // SHEET_ROWS + 1}", headings), 0
        count, place = count + 1, place + 1
        sheet.write_row(place, 0, [value and _NO_TEXT.sub("", value)[:_LONGEST] for value in row])
    sheet.autofilter(0, 0, place, len(headings) - 1)
    return count


def _add_sheet(book: Workbook, name: str, headings: dict[str, int]) -> Worksheet:
    # As text a cell stays text, and an id keeps its zeros, also when somebody edits it.
    cells = book.add_format({"num_format": "@", "valign": "vcenter"})
    bold = book.add_format({"bold": True, "bottom": 1, "valign": "vcenter"})
    sheet = book.add_worksheet(name)
    sheet.set_default_row(_THAI_HEIGHT)
    for place, width in enumerate(headings.values()):
        sheet.set_column(place, place, width, cells)
    sheet.write_row(0, 0, headings, bold)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    return sheet


def _title(extract: Any, period: Period) -> str:
    title: str = labels().rejects["title"]
    return title.format(month=TH.month(period), date=TH.date(extract.as_of_date))


def _fill_counts(
    book: Workbook, sheet: Worksheet, title: str, asked: Counter[str], others: Mapping[str, int]
) -> None:
    """Fill the first sheet: how many records lack what, and how many the other sheets or none have."""
    words = labels().rejects
    bold = book.add_format({"bold": True, "num_format": "#,##0"})
    number = book.add_format({"num_format": "#,##0"})
    sheet.set_default_row(_THAI_HEIGHT)
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 1, 16, number)
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    headings = (next(iter(words["columns"])), words["count"])
    totals = (
        (words["total"], asked.total()),
        *((words[name], count) for name, count in others.items()),
    )
    rows = [
        ((title,), bold),
        *(((note,), None) for note in words["notes"]),
        ((), None),
        (headings, bold),
        *((row, None) for row in asked.most_common()),
        *((row, bold) for row in totals),
    ]
    for place, (cells, style) in enumerate(rows):
        sheet.write_row(place, 0, cells, style)
