"""Reads the files that a library system exports: CSV, an Excel workbook, or the JSON of its API."""

from __future__ import annotations

from pathlib import Path

from engagement.errors import EngagementError
from engagement.model.files.base import Reading, require_file
from engagement.model.files.delimited import DelimitedText
from engagement.model.files.pages import Pages
from engagement.model.files.workbook import Workbook
from engagement.model.source import Export

__all__ = ["Reading", "opened"]

_KINDS: dict[str, type[DelimitedText | Workbook | Pages]] = {
    ".csv": DelimitedText,
    ".txt": DelimitedText,
    ".xlsx": Workbook,
    ".json": Pages,
}


def opened(path: Path, export: Export, label: str, shard: int = 0, shards: int = 1) -> Reading:
    """Return the patron records of an export, ready to be counted and read.

    Args:
        path: the file; for JSON also the folder of its pages.
        export: which columns are what, as the source's YAML says.
        label: the library system's name, for the sentences.
        shard: which part is read: the records whose number modulo `shards` is this.
        shards: of how many parts.

    Raises:
        EngagementError: the file is not there, is of no kind that can be read, or has not the columns.
    """
    if export.records is not None and _is_folder(path):
        return Pages(path, export, label, shard, shards)
    require_file(path, label)
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise EngagementError(
            f"{path.name} is no export that can be read: save it as .csv, .xlsx or .json."
        )
    return kind(path, export, label, shard, shards)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # nobody may look there; `require_file` says so
        return False
