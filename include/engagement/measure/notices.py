"""Mails about a campaign that are no part of its sample: canaries, and word to its owner."""

from __future__ import annotations

from html import escape

from engagement import outbox, warehouse
from engagement.mail import Letter, MailServer
from engagement.measure.campaign import Campaign
from engagement.outbox import Batch
from engagement.sending import Message
from engagement.warehouse import Session

NOTICE, CANARY = "notice", "canary"
_ANSWERS = "answers-"


def queue_canary(session: Session, campaign: Campaign, step: str) -> None:
    """Queue a mail to an address that is known to be dead: its bounce proves that bounces reach us."""
    outbox.add(session, Batch(CANARY, campaign.campaign), step, None, [campaign.waves.canary])


def queue_stopped(session: Session, campaign: Campaign, number: int) -> None:
    """Queue word to the owner that the campaign was stopped."""
    outbox.add(
        session, Batch(NOTICE, campaign.campaign), f"stopped-{number}", None, [campaign.owner]
    )


def queue_answers_wanted(session: Session, campaign: Campaign, reminder: int) -> None:
    """Queue word to the owner that a reminder waits for answers to be imported; once for each reminder."""
    step = f"{_ANSWERS}{reminder}"
    outbox.add(session, Batch(NOTICE, campaign.campaign), step, None, [campaign.owner])


def compose(campaign: Campaign, message: Message, server: MailServer) -> bytes:
    """Return the mail to the owner: what holds the campaign up, and what to do, in both languages."""
    if message.step.startswith(_ANSWERS):
        subject, words, why = "รอนำเข้าคำตอบ / Answers wanted", _ANSWERS_WORDS, None
    else:
        subject, words = "หยุดส่งแบบสำรวจ / Survey stopped", _STOPPED_WORDS
        with warehouse.session() as session:
            why = session.scalar("measure/newest_stop", campaign=campaign.campaign)
    text = words.format(th=campaign.title.th, en=campaign.title.en, name=campaign.campaign, why=why)
    letter = Letter(
        sender=server.sender,
        subject=f"{subject}: {campaign.title.th}",
        text=text,
        html="".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n")),
        language="th",
    )
    return letter.addressed(message.address, message.token, headers=message.headers)


_STOPPED_WORDS = """\
การส่งแบบสำรวจ “{th}” ถูกหยุดไว้ ยังไม่มีอีเมลใดส่งออกไปอีก

The survey “{en}” was stopped; no more mail goes out.

{why}

ตรวจสอบที่อยู่อีเมลของกลุ่มตัวอย่างและกล่องรับอีเมลตีกลับก่อน จากนั้นผู้รับผิดชอบจึงสั่งให้ส่งต่อได้ด้วยคำสั่งด้านล่าง \
Look at the addresses of the sample and at the mailbox of bounces first. Then a person may let it go on with:

engagement campaign resume {name} --reason "..."
"""

_ANSWERS_WORDS = """\
อีเมลเตือนของแบบสำรวจ “{th}” ยังไม่ส่ง รอการนำเข้าคำตอบที่มีอายุไม่เกิน 24 ชั่วโมง เพื่อไม่ให้เตือนผู้ที่ตอบแล้ว

The reminder of the survey “{en}” waits for answers that are not older than 24 hours, so that nobody is reminded who has answered.

ส่งออกคำตอบจากแบบฟอร์มแล้ววางไฟล์ในโฟลเดอร์คำตอบของแบบสำรวจ หากไม่มีผู้ตอบภายใน 24 ชั่วโมงที่ผ่านมา ให้ใช้คำสั่งด้านล่าง \
และระบุวันเวลาที่ส่งออกด้วย --exported-at เพราะมิฉะนั้นไฟล์จะนับตามเวลาของคำตอบล่าสุดในไฟล์

Export the form's answers and put the file into the survey's folder of answers. Where nobody has answered for 24 hours, run the \
command below and say with --exported-at when you exported it; else a file counts as old as its newest answer.

engagement answers import {name} FILE --exported-at "YYYY-MM-DD HH:MM"
"""
