"""Writes patrons into files as library systems export them: AutoLib's spreadsheets, the pages of FOLIO's API."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy.engine import URL

# The column of AutoLib's query -> the heading of its export, as include/sources/autolib.yaml has them.
HEADINGS = {
    "member_id": "รหัสสมาชิก",
    "prefix_code": "รหัสคำนำหน้า",
    "first_name": "ชื่อ",
    "last_name": "นามสกุล",
    "type_code": "รหัสประเภทสมาชิก",
    "faculty_name": "คณะ",
    "unit_name": "หน่วยงาน",
    "nationality_code": "สัญชาติ",
    "citizen_no": "เลขประจำตัวประชาชน",
    "email": "อีเมล์",
    "member_state": "สถานะสมาชิก",
    "expire_date": "วันหมดอายุ",
}
FACULTY = "คณะมนุษยศาสตร์และสังคมศาสตร์"

Row = Mapping[str, str | None]


def file_url(path: Path | str) -> URL:
    """Return the export as the product is told of it."""
    return URL.create("file", database=str(path))


def written_at(path: Path, year: int, month: int, day: int, hour: int = 12) -> Path:
    """Let a file, or the files of a folder, have been written at an hour of a day in Bangkok."""
    instant = datetime(year, month, day, hour, tzinfo=ZoneInfo("Asia/Bangkok")).timestamp()
    for file in [path, *path.glob("*")] if path.is_dir() else [path]:
        os.utime(file, (instant, instant))
    return path


# Walai AutoLib


def member(number: int, **values: str | None) -> dict[str, str | None]:
    """Return a member who passes every check, but for the given columns."""
    whole = {
        "member_id": f"57304{number:05}",
        "prefix_code": "1",
        "first_name": "สมชาย",
        "last_name": "ใจดี",
        "type_code": "11",
        "faculty_name": FACULTY,
        "unit_name": None,
        "nationality_code": "TH",
        "citizen_no": None,
        "email": f"p{number}@library.example.com",
        "member_state": "1",
        "expire_date": "31/05/2565",
    }
    return whole | values


def delimited(rows: Iterable[Row], order: Sequence[str] = tuple(HEADINGS)) -> str:
    """Return members as CSV with AutoLib's headings, its columns in the given order."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([HEADINGS.get(column, column) for column in order])
    writer.writerows([[row.get(column) or "" for column in order] for row in rows])
    return text.getvalue()


def workbook(path: Path, rows: Iterable[Row], cell: Callable[[str, str], Any]) -> Path:
    """Write members as an Excel workbook; `cell` makes of column and text what the cell holds."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS.values())
        for line, row in enumerate(rows, 1):
            for place, column in enumerate(HEADINGS):
                value = row[column]
                if value is not None:
                    sheet.write(line, place, cell(column, value))
    return path


# FOLIO


def folio_id(name: str) -> str:
    """Return the UUID of something."""
    return str(uuid5(NAMESPACE_URL, name))


GROUPS = ("faculty", "staff", "undergrad", "graduate", "international", "visitor")
DEPARTMENTS = {"HUSO": FACULTY, "SC": "คณะวิทยาศาสตร์"}


def user(number: int, person: Row | None = None, **values: Any) -> dict[str, Any]:
    """Return a user, as GET /users gives them, who passes every check, but for the given keys.

    `person` has those of the key personal. What is None the user has not.
    """
    personal = {
        "lastName": "ใจดี",
        "firstName": "สมชาย",
        "email": f"p{number}@library.example.com",
        "addresses": [],
        "preferredContactTypeId": "002",
    }
    whole = {
        "username": f"573040{number}",
        "id": folio_id(f"user {number}"),
        "externalSystemId": f"573040{number}-8",
        "barcode": f"2100{number}",
        "active": True,
        "type": "patron",
        "patronGroup": folio_id("undergrad"),
        "departments": [folio_id("HUSO")],
        "proxyFor": [],
        "personal": _filled(personal | dict(person or {})),
        "enrollmentDate": "2014-06-01T00:00:00.000+00:00",
        "expirationDate": "2019-05-31T16:59:59.000+00:00",
        "metadata": {"createdDate": "2014-06-01T04:00:00.000+00:00"},
    }
    return _filled(whole | values)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def pages(folder: Path, *users: Sequence[Mapping[str, Any]], total: int | None = None) -> Path:
    """Write the pages of users, with groups and departments, of 30 June 2018 into a new folder."""
    folder.mkdir()
    in_all = sum(map(len, users)) if total is None else total
    for number, found in enumerate(users):
        _write(folder / f"users-{number:03}.json", users=found, totalRecords=in_all)
    groups = [{"id": folio_id(name), "group": name, "desc": name} for name in GROUPS]
    _write(folder / "groups.json", usergroups=groups, totalRecords=len(groups))
    departments = [
        {"id": folio_id(code), "name": name, "code": code} for code, name in DEPARTMENTS.items()
    ]
    _write(folder / "departments.json", departments=departments, totalRecords=len(departments))
    return written_at(folder, 2018, 6, 30)


def _write(path: Path, **content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
