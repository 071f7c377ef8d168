"""What one mail says of the address that a survey was sent to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["hard", "soft", "auto-reply", "complaint", "unknown"]


@dataclass(frozen=True)
class Reading:
    """How one mail is read.

    Attributes:
        verdict: "hard" (the address is dead: suppress it), "soft" (this mail failed),
            "auto-reply" (what a machine says that is nothing against the address; receipts, reports of
            success and of delays too: a mail that is late still arrives, or fails in another report), "complaint" (the patron objects), "unknown" (for a person).
        recipient: the address that it is about, in its normal form, if it names one.
        status: the enhanced status code (RFC 3463); None where there is only a bare reply code.
        rule: what decided: a rule of `include/bounces.yaml`, or one that the code names.
        message_ids: the Message-IDs of the original that it quotes or answers.
        tokens: those of ours in what it quotes of the original: in the addresses that it came from and
            offered, then in X-Engagement-Token.
        is_report: it is a report with fields for machines (RFC 3464).
    """

    verdict: Verdict
    recipient: str | None
    status: str | None
    rule: str
    message_ids: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    is_report: bool = False
