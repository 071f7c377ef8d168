"""The seven groups of patrons that every figure, sample and mail is told by."""

from __future__ import annotations

from typing import Literal, get_args

GroupCode = Literal[
    "staff", "undergraduate", "graduate", "international", "alumni_retired", "external", "pupil"
]
GROUPS: tuple[GroupCode, ...] = get_args(GroupCode)  # in the order of the source
UNMAPPED = "unmapped"
