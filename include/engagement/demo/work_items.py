"""The spreadsheet that the demo's librarians filed for June and July 2018."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import yaml

from engagement.monitor import work_items


def write_demo_work_items(path: Path) -> None:
    """Write the demo's work items to `path` (.xlsx), replacing an earlier demo's file."""
    rows = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    path.unlink(missing_ok=True)
    work_items.write_template(path)
    book = openpyxl.load_workbook(path)
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
