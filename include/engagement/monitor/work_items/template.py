"""The workbook that librarians fill in: headings, drop-downs, help and an example."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.errors import EngagementError
from engagement.monitor.work_items.table import MAX_ROWS
from engagement.monitor.work_items.vocabulary import words

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_WIDTHS = {
    "id": 9,
    "section": 22,
    "title": 34,
    "owner": 24,
    "progress": 13,
    "period": 10,
    "wanted": 34,
    "title_en": 34,
    "owner_en": 24,
    "wanted_en": 34,
}
_WIDTH = 16
_DATES = ("deadline", "decided_on")


def write_template(path: Path) -> None:
    """Write a workbook with the headings, the drop-downs, a sheet of help and one of examples.

    Raises:
        EngagementError: there is a file at `path` already: a librarian's work is not overwritten. Or it cannot
            be written, or would not be read as a workbook by its name.
    """
    if path.suffix.lower() != ".xlsx":
        raise EngagementError(f"{path} is to be an Excel workbook; let its name end in .xlsx.")
    if path.exists():
        raise EngagementError(f"{path} exists already; name another file, or move that one away.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workbook().save(path)
    except OSError as error:
        raise EngagementError(f"{path} cannot be written: {error.strerror}.") from None


def workbook(rows: Iterable[Mapping[str, Any]] = ()) -> Workbook:
    """Return the workbook with `rows`, each by column code, in its sheet of work."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = words()["sheet"]
    _fill(sheet, rows)
    _offer(sheet, "section", list(words()["sections"].values()), is_strict=True)
    _offer(sheet, "status", words()["statuses"], is_strict=False)
    _want_dates(sheet)
    _explain(book.create_sheet(words()["help"]["sheet"]))
    _fill(book.create_sheet(words()["example"]["sheet"]), words()["example"]["rows"])
    return book


def _fill(sheet: Worksheet, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write headings and rows; what begins with = stays text."""
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.append(list(words()["columns"].values()))
    sheet.freeze_panes = "A2"
    sheet.row_dimensions[1].height = 36
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0  # as many pages as it takes, each as wide as the table
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for cell, code in zip(sheet[1], words()["columns"], strict=True):
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="8F2D1F")
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        sheet.column_dimensions[_letter(code)].width = _WIDTHS.get(code, _WIDTH)
    # Text, or the spreadsheet turns 2018-06 into a date.
    sheet.column_dimensions[_letter("period")].number_format = "@"
    for code in _DATES:
        sheet.column_dimensions[_letter(code)].number_format = "yyyy-mm-dd"
    for number, row in enumerate(rows, start=2):
        sheet.row_dimensions[number].height = 30
        for column, code in enumerate(words()["columns"], start=1):
            cell = sheet.cell(number, column, row.get(code))
            cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=True)
            if isinstance(cell.value, str):
                cell.data_type = "s"
            if code in _DATES:
                cell.number_format = "yyyy-mm-dd"


def _offer(sheet: Worksheet, column: str, choices: Sequence[str], *, is_strict: bool) -> None:
    """Give the column a drop-down; only a strict one refuses other words."""
    from openpyxl.worksheet.datavalidation import DataValidation

    rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
    rule.showErrorMessage = is_strict
    _rule(sheet, column, rule)


def _want_dates(sheet: Worksheet) -> None:
    """Let the spreadsheet ask back where a day is no date to it; Thai dates are text there and are taken."""
    from openpyxl.worksheet.datavalidation import DataValidation

    for column in _DATES:
        rule = DataValidation(
            type="date",
            operator="greaterThan",
            formula1="DATE(2000,1,1)",
            allow_blank=True,
        )
        rule.errorStyle = "information"
        rule.showErrorMessage = True
        rule.error = words()["help"]["date"]
        _rule(sheet, column, rule)


def _rule(sheet: Worksheet, column: str, rule: Any) -> None:
    rule.add(f"{_letter(column)}2:{_letter(column)}{MAX_ROWS}")
    sheet.add_data_validation(rule)


def _explain(sheet: Worksheet) -> None:
    from openpyxl.styles import Alignment

    sheet.column_dimensions["A"].width = 85
    for line in words()["help"]["lines"]:
        sheet.append([line])
        sheet.cell(sheet.max_row, 1).alignment = Alignment(vertical="top", wrap_text=True)


def _letter(column: str) -> str:
    from openpyxl.utils import get_column_letter

    return get_column_letter(list(words()["columns"]).index(column) + 1)
