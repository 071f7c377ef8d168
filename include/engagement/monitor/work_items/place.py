"""Where the lists lie: a file, a folder, or the folder of an object store (ENGAGEMENT_WORK_ITEMS)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engagement.monitor.work_items.table import KINDS, MAX_BYTES, Unreadable
from engagement.period import Period
from engagement.settings import settings

if TYPE_CHECKING:
    from upath import UPath

# A librarian who saves one of these beside the lists is told; anything else is no list.
_OTHER_KINDS = {".xls", ".xlsm", ".xlsb", ".ods"}
_OURS = re.compile(r"proposals-\d{4}-\d\d\.xlsx")


def files() -> list[UPath]:
    """Return the lists in the order of their names.

    Raises:
        Unreadable: the place is not set, is not there, has no list, or does not answer.
    """
    path = _path()
    try:
        if _is_file(path):
            return [path]
        found = [file for file in path.iterdir() if _is_list(file.name)]
    except (FileNotFoundError, NotADirectoryError):
        raise Unreadable("no_folder", folder=path.name) from None
    except Exception as error:
        # Every store fails in its own way; none of them may stop the report.
        raise Unreadable("no_answer", kind=type(error).__name__) from None
    if not found:  # it may be a folder over which its disk is not mounted
        raise Unreadable("empty_folder")
    return sorted(found, key=lambda file: file.name)


def content(file: UPath) -> bytes:
    """Return what a list holds.

    Raises:
        Unreadable: it is not there, too large, or cannot be read.
    """
    try:
        with file.open("rb") as opened:
            read: bytes = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Unreadable("missing") from None
    except Exception:
        # Every store fails in its own way; none of them may stop the report.
        raise Unreadable("unreadable") from None
    if len(read) > MAX_BYTES:
        raise Unreadable("too_large")
    return read


def proposals_file(period: Period) -> UPath:
    """Return where the rows that the product proposes are written, which are never read as work.

    Raises:
        Unreadable: the place is not set.
    """
    path = _path()
    return (path.parent if _is_file(path) else path) / f"proposals-{period}.xlsx"


def _path() -> UPath:
    from upath import UPath

    place = settings().work_items
    if place is None:
        raise Unreadable("not_set")
    try:
        return UPath(place)
    except Exception as error:
        # A store of an unknown kind, or one whose driver is not installed.
        raise Unreadable("no_answer", kind=type(error).__name__) from None


def _is_file(path: UPath) -> bool:
    return path.suffix.lower() in KINDS and not path.is_dir()


def _is_list(name: str) -> bool:
    if name.startswith((".", "~$")) or _OURS.fullmatch(name):
        return False
    return name.lower().endswith((*KINDS, *_OTHER_KINDS))
