"""Runs months of a small library, and describes its system otherwise than it is shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from engagement.errors import EngagementError
from engagement.model import source as sources
from engagement.model.check import check
from engagement.model.extract import extract
from engagement.model.publish import publish
from engagement.period import Period

JUNE, JULY = Period(2018, 6), Period(2018, 7)


def run(period: Period, library: Any) -> int:
    """Run the three steps; return how many real customers were published."""
    extract(period, library.source)
    check(period)
    return publish(period)


def refusal(period: Period, library: Any, **order: Any) -> str:
    """Return the sentence with which reading ends."""
    with pytest.raises(EngagementError) as caught:
        extract(period, library.source, **order)
    return str(caught.value)


def extracts(store: Any) -> list[tuple[int, str, str]]:
    """Return number, period and state of all extracts."""
    return store.do("SELECT extract_id, period, state FROM ops.extract ORDER BY extract_id")


def described(world: pytest.MonkeyPatch, folder: Path, **changes: Any) -> None:
    """Let AutoLib be described with changes of the shipped YAML."""
    shipped = yaml.safe_load((sources.INCLUDE / "sources" / "autolib.yaml").read_text("utf-8"))
    (folder / "sources").mkdir(exist_ok=True)
    text = yaml.safe_dump(shipped | changes, allow_unicode=True)
    (folder / "sources" / "autolib.yaml").write_text(text, encoding="utf-8")
    world.setattr(sources, "INCLUDE", folder)
