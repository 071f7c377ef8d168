"""The names that people read for the codes that the product keeps, from `include/labels.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

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


def require_words(label: Label) -> Label:
    """Return what somebody wrote; raises ValueError where a language is left empty."""
    if not (label.th.strip() and label.en.strip()):
        raise ValueError("write something in both languages")
    return label


def require_line(label: Label) -> Label:
    """Return what somebody wrote, without blanks around it; raises ValueError where it has several lines."""
    if len(label.th.strip().splitlines()) > 1 or len(label.en.strip().splitlines()) > 1:
        raise ValueError("write it in one line")
    return Label(label.th.strip(), label.en.strip())


@dataclass(frozen=True)
class Labels:
    """All names; the dictionaries are in the order in which tables list them."""

    groups: dict[str, Label]
    reasons: dict[str, Label]
    notices: dict[str, Label]
    faults: dict[str, Label]
    explanations: dict[str, Label]
    months: tuple[Label, ...]
    rejects: Mapping[
        str, Any
    ]  # the words of the workbook of rejected records, as the file has them

    def group(self, code: str) -> Label:
        """Return the group's name, or its code in both languages where it has none."""
        return self.groups.get(code, Label(code, code))

    def reason(self, code: str) -> Label:
        """Return the rejection reason's name, or its code in both languages where it has none."""
        return self.reasons.get(code, Label(code, code))

    def fault(self, code: str) -> Label:
        """Return what is wrong with a value, or the code in both languages where it has no name."""
        return self.faults.get(code, Label(code, code))

    def explanation(self, reason: str, **words: str) -> Label:
        """Return the sentence why nobody is a real customer: every record fails `reason`.

        Args:
            reason: a rejection reason, perhaps a suite's own.
            words: label and system of the source.
        """
        said = self.explanations.get(reason, self.explanations["other"])
        words["reason"] = reason
        return Label(said.th.format(**words), said.en.format(**words))


@cache
def labels() -> Labels:
    """Return the names in `include/labels.yaml`, read once."""
    raw = yaml.safe_load((INCLUDE / "labels.yaml").read_text(encoding="utf-8"))
    named = {
        part: {code: Label(**names) for code, names in raw[part].items()}
        for part in ("groups", "reasons", "notices", "faults", "explanations")
    }
    months = tuple(Label(**names) for names in raw["months"])
    return Labels(**named, months=months, rejects=raw["rejects"])
