"""Mails about a campaign that are no part of its sample: canaries, and word to its owner."""

from __future__ import annotations

from typing import Any

from engagement import outbox, warehouse
from engagement.mail import Letter, MailServer
from engagement.measure.campaign import Campaign
from engagement.outbox import Batch
from engagement.sending import Message
from engagement.warehouse import Session

NOTICE, CANARY = "notice", "canary"


def queue_canary(session: Session, campaign: Campaign, step: str) -> None:
    """Queue a mail to an address that is known to be dead: its bounce proves that bounces reach us."""
    outbox.add(session, Batch(CANARY, campaign.campaign), step, None, [campaign.waves.canary])


def queue_stopped(session: Session, campaign: Campaign, number: int) -> None:
    """Queue word to the owner that the campaign was stopped."""
    outbox.add(
        session, Batch(NOTICE, campaign.campaign), f"stopped-{number}", None, [campaign.owner]
    )


def compose(campaign: Campaign, message: Message, server: MailServer) -> bytes:
    """Return the mail to the owner: why the campaign is stopped, and what to do, in both languages."""
    with warehouse.session() as session:
        why: Any = session.scalar("measure/newest_stop", campaign=campaign.campaign)
    text = _WORDS.format(
        th=campaign.title.th, en=campaign.title.en, name=campaign.campaign, why=why
    )
    html = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    letter = Letter(
        sender=server.sender,
        subject=f"หยุดส่งแบบสำรวจ / Survey stopped: {campaign.title.th}",
        text=text,
        html=html,
        language="th",
    )
    return letter.addressed(message.address, message.token, headers=message.headers)


_WORDS = """\
การส่งแบบสำรวจ “{th}” ถูกหยุดไว้โดยอัตโนมัติ ยังไม่มีอีเมลใดส่งออกไปอีก

The survey “{en}” was stopped by itself; no more mail goes out.

{why}

ตรวจสอบที่อยู่อีเมลของกลุ่มตัวอย่างและกล่องรับอีเมลตีกลับก่อน จากนั้นผู้รับผิดชอบจึงสั่งให้ส่งต่อได้ด้วยคำสั่งด้านล่าง \
Look at the addresses of the sample and at the mailbox of bounces first. Then a person may let it go on with:

engagement campaign resume {name} --reason "..."
"""
