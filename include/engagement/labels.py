"""The names that people read for groups, reasons and months, from `include/labels.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import yaml

from engagement.settings import INCLUDE

Language = Literal["th", "en"]


@dataclass(frozen=True)
class Label:
    """One thing's name in both languages."""

    th: str
    en: str

    def name(self, language: Language) -> str:
        """Return the name in `language`."""
        return self.th if language == "th" else self.en


@dataclass(frozen=True)
class Labels:
    """All names; the dictionaries are in the order in which tables list them."""

    groups: dict[str, Label]
    reasons: dict[str, Label]
    months: tuple[Label, ...]

    def group(self, code: str) -> Label:
        """Return the group's name, or its code in both languages where it has none."""
        return self.groups.get(code, Label(code, code))

    def reason(self, code: str) -> Label:
        """Return the rejection reason's name, or its code in both languages where it has none."""
        return self.reasons.get(code, Label(code, code))


@cache
def labels() -> Labels:
    """Return the names in `include/labels.yaml`, read once."""
    raw = yaml.safe_load((INCLUDE / "labels.yaml").read_text(encoding="utf-8"))
    return Labels(
        groups={code: Label(**names) for code, names in raw["groups"].items()},
        reasons={code: Label(**names) for code, names in raw["reasons"].items()},
        months=tuple(Label(**names) for names in raw["months"]),
    )
