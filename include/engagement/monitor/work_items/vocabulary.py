"""The words of the lists, and what is typed there made fit to be shown."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

import yaml

from engagement.settings import INCLUDE


@cache
def words() -> dict[str, Any]:
    """Return the lists' words, as `include/work_items.yaml` has them."""
    raw: dict[str, Any] = yaml.safe_load((INCLUDE / "work_items.yaml").read_text(encoding="utf-8"))
    return raw


def sentence(name: str, **parts: str) -> str:
    """Return the sentence about a fault."""
    return str(words()["faults"][name]).format(**parts)


def clean(text: str, limit: int = 80) -> str:
    """Return `text` on one line without control and invisible characters, at most `limit` long.

    Joiners stay, because emoji and some scripts are spelled with them. Text that looks like a formula
    or like HTML stays what it is: text.
    """
    visible = (
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace()
        or character in "\u200c\u200d"
        or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs")
    )
    line = re.sub(r" +", " ", "".join(visible)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
