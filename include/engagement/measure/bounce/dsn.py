"""Reads the fields of a delivery status (RFC 3464, RFC 6533), wherever they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engagement.measure.bounce import addresses

_FIELDS = frozenset(
    {
        "original-recipient",
        "final-recipient",
        "x-actual-recipient",
        "action",
        "status",
        "diagnostic-code",
        "x-supplementary-info",
        "remote-mta",
        "last-attempt-date",
        "will-retry-until",
        "final-log-id",
    }
)
_MOST = 50  # recipients
_CODE = r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![\d.]*\d)"
_STATUS = re.compile(rf"(?<![\d.]){_CODE}")
# A code in running text stands behind a reply code, a # or a bracket: else it may be a version.
_STATUS_IN_TEXT = re.compile(
    rf"(?:\A\s*|\b[245]\d\d[ -]{{1,3}}#?|#|\(|\[|\bstatus(?: code)?:? ?|smtp; ?){_CODE}",
    re.IGNORECASE,
)
_TYPE = re.compile(r"\A\s*[\w-]{1,20}\s*;\s*")


@dataclass(frozen=True)
class Fate:
    """What a report says of one recipient."""

    recipient: str | None
    action: str  # "failed", "delayed", "delivered"..., or empty
    status: str | None  # the field's, or the more telling one in the diagnostic
    said: str  # in the words of the server that refused


def fates(text: str) -> list[Fate]:
    """Return what the fields say of each recipient, in their order; nothing if there are none."""
    groups: list[dict[str, str]] = []
    for name, value in _fields(text):
        # Blank lines part the recipients (RFC 3464, section 2.3), but not all systems set them right.
        if not groups or name in groups[-1]:
            groups.append({})
        groups[-1][name] = value
    return [_fate(group) for group in groups[:_MOST] if _tells(group)]


def status_in(text: str) -> str | None:
    """Return the first enhanced status code (RFC 3463) in running text, or None."""
    match = _STATUS_IN_TEXT.search(text)
    return match[1] if match else None


def _fields(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    open_field = False
    for line in text.splitlines():
        if open_field and line[:1] in (" ", "\t") and line.strip():
            name, value = found[-1]
            found[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.strip(" \t>*").partition(":")
        open_field = bool(colon) and name.lower() in _FIELDS
        if open_field:
            found.append((name.lower(), value.strip()))
    return found


def _tells(group: dict[str, str]) -> bool:
    if "final-recipient" in group or "original-recipient" in group:
        return True
    return "diagnostic-code" in group or ("action" in group and "status" in group)


def _fate(group: dict[str, str]) -> Fate:
    said = _TYPE.sub("", group.get("diagnostic-code", ""))
    said = " ".join(filter(None, [said, group.get("x-supplementary-info", "")]))
    action = group.get("action", "").lower().split(" ")[0].strip("().;")
    return Fate(_recipient(group), action, _status(group.get("status", ""), said), said)


def _recipient(group: dict[str, str]) -> str | None:
    """Return whom we wrote to: the original recipient, where the report knows it."""
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        if recipient := addresses.whole(_TYPE.sub("", group.get(name, ""))):
            return recipient
    return None


def _status(field: str, said: str) -> str | None:
    match = _STATUS.search(field)
    own = match[1] if match else None
    if own is None or own.endswith(".0.0"):
        return status_in(said) or own
    return own
