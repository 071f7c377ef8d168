"""Recognises complaints: feedback reports (RFC 5965), and the forms of before."""

from __future__ import annotations

import re

from engagement.measure.bounce import addresses, patterns
from engagement.measure.bounce.letter import Letter
from engagement.measure.bounce.verdict import Reading

_TYPE = re.compile(r"^feedback-type\s{0,9}:\s{0,9}([\w-]{1,40})", re.IGNORECASE | re.MULTILINE)
_COMPLAINANT = re.compile(
    r"^(?:original-rcpt-to|x-hmxmroriginalrecipient|removal-recipient):(.{1,500})",
    re.IGNORECASE | re.MULTILINE,
)
# RFC 6430 (praise), RFC 6591 (what a machine found), RFC 5965, section 7.3 (virus).
_NO_COMPLAINT = ("not-spam", "auth-failure", "dkim", "virus")


def read(letter: Letter) -> Reading | None:
    """Return the complaint that a mail is, or None; feedback that is no complaint is "unknown"."""
    if not _is_feedback(letter):
        return None
    text = f"{letter.feedback or letter.words}\n{letter.original}"
    complainant = _COMPLAINANT.search(text)
    recipient = addresses.first(complainant[1]) if complainant else None
    recipient = recipient or addresses.written_to(letter.original)
    kind = _TYPE.search(text)
    if kind and kind[1].lower().startswith(_NO_COMPLAINT):
        return Reading("unknown", recipient, None, "feedback-no-complaint")
    return Reading("complaint", recipient, None, "complaint")


def _is_feedback(letter: Letter) -> bool:
    book = patterns.book()
    return (
        letter.feedback is not None
        or letter.report_type == "feedback-report"
        or patterns.normal(letter.header("subject")).strip().startswith(book.complaint_subjects)
        or book.complaint_words.in_(patterns.normal(letter.words[:1000]))
    )
