"""Files that hold values of patrons, and how long."""

from __future__ import annotations

import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from engagement.errors import EngagementError
from engagement.settings import settings

# What packed files raise that are damaged, protected by a password, or packed in a way that Python does not know.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
)
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")  # of addresses and links, which are ASCII


def exports_folder() -> Path:
    """Return where workbooks and exports of one patron are written; they are deleted after use."""
    return settings().home / "exports"


def write(content: bytes, *, prefix: str, suffix: str) -> Path:
    """Write a new file into var/exports, its owner's alone (mode 0600); return it.

    Raises:
        EngagementError: it cannot be written.
    """
    folder = exports_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=prefix, suffix=suffix)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        raise EngagementError(f"{folder} cannot be written: {error.strerror}.") from None
    return Path(name)


def erase(words: Iterable[str]) -> int:
    """Delete every file of var/exports, and the exports of answers in which a word occurs; return how many.

    Raises:
        EngagementError: one cannot be looked into; then none is deleted. Or one cannot be deleted.
    """
    named = [word.casefold().encode(code) for word in words for code in _ENCODINGS]
    with _told(answers := settings().answers_folder):
        naming = [path for path in _files(answers) if _names(path, named)]
    with _told(exports_folder()):
        count = _delete(list(_files(exports_folder())))
    with _told(answers):
        return count + _delete(naming)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngagementError(
            f"{error.filename or folder} cannot be written: {error.strerror}; let the product's user read and "
            "delete what lies there, and run this again."
        ) from None


def delete_older(folder: Path, before: datetime) -> int:
    """Delete the files below a folder that were written before an instant; return how many.

    Raises:
        EngagementError: one cannot be deleted.
    """
    instant = before.timestamp()
    with _told(folder):
        return _delete([path for path in _files(folder) if path.stat().st_mtime < instant])


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _delete(paths: list[Path]) -> int:
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _names(path: Path, words: list[bytes]) -> bool:
    """Say whether a word occurs in a file, or in a part of one that is packed, as workbooks are."""
    try:
        return any(word in part.lower() for part in _parts(path) for word in words)
    except _UNREADABLE:
        raise EngagementError(
            f"{path} cannot be looked into: it is damaged, or protected by a password; delete it or export it "
            "again, and run this again."
        ) from None


def _parts(path: Path) -> Iterator[bytes]:
    if not zipfile.is_zipfile(path):
        yield path.read_bytes()
        return
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            yield packed.read(name)
