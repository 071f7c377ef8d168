"""The list of work that the demo's librarians file, as it stands when a month has ended."""

from __future__ import annotations

from pathlib import Path

import yaml

from engagement.monitor.work_items import template
from engagement.period import Period

_FILE = "งานของห้องสมุด.xlsx"


def file_work(folder: Path, period: Period) -> None:
    """Write the librarians' list for the report on `period` (2018-06 or 2018-07) into `folder`, over the one before."""
    said = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    template.workbook(said[str(period)]).save(folder / _FILE)
