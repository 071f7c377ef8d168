"""A published period whose people a test asks, and a campaign of its own."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import yaml

from engagement import address, warehouse
from engagement.demo.postbox import Fate
from engagement.mail import MailServer
from engagement.mailbox import Place
from engagement.measure import approval, collect, figures, run
from engagement.measure.figures import Counts
from engagement.settings import settings

# A campaign that passes every check, of the people of June; the tests' clock stands in July 2018.
CAMPAIGN: dict[str, Any] = {
    "campaign": "july",
    "title": {"th": "แบบสำรวจข่าวสาร", "en": "Survey on our news"},
    "frame": "2018-06",
    "form": "kkul-news-2018",
    "link": "https://forms.example.com/survey?code={token}&lang=th",
    "languages": {"default": "th", "groups": {"international": "en"}},
    "sample": {"size": 200},
    "waves": {"sizes": [100], "wait_hours": 24, "canary": "nobody@kku.example.com"},
    "dates": {
        "approve_by": "2018-07-08 18:00",
        "start": "2018-07-09 08:00",
        "reminders": ["2018-07-14 08:00"],
        "end": "2018-07-19 00:00",
    },
    "sender": {
        "name": {"th": "สำนักหอสมุด", "en": "The Library"},
        "address": "survey@library.example.com",
        "contact": {"th": "งานลูกค้าสัมพันธ์", "en": "Customer Relations"},
    },
    "invitation": {
        "subject": {"th": "ขอเชิญตอบแบบสำรวจ", "en": "Please answer our survey"},
        "text": {"th": "เรียน ผู้ใช้บริการ\n\nน้ำที่นี่", "en": "Dear reader,\n\nplease answer."},
    },
    "reminder": {
        "subject": {"th": "ยังตอบได้", "en": "Still time"},
        "text": {"th": "ยังตอบได้", "en": "There is still time."},
    },
    "lawful_basis": {"th": "ประโยชน์โดยชอบด้วยกฎหมาย", "en": "Legitimate interest."},
    "owner": "owner@library.example.com",
    "approvers": ["anna"],
}


_INVITED = (
    "SELECT t.token, m.token AS mail_token, a.address, i.person_key "
    "FROM core.invitation AS i "
    "INNER JOIN core.message AS m ON m.ref = i.campaign AND m.recipient_key = i.address_key AND m.step = 'invite' "
    "INNER JOIN pii.survey_token AS t ON t.campaign = i.campaign AND t.person_key = i.person_key "
    "INNER JOIN pii.address AS a ON a.address_key = i.address_key ORDER BY a.address"
)
# A row of what Google Forms exports of the shipped form.
ANSWER = {
    "ประทับเวลา": "10/7/2018, 12:00:00",
    "รหัสแบบสอบถาม (โปรดอย่าแก้ไข)": "",
    "สถานภาพของผู้ตอบแบบสอบถาม": "บุคลากร",
    "ท่านรับรู้ข่าวสารประชาสัมพันธ์ของสำนักหอสมุดผ่านช่องทางใดบ้าง (ตอบได้มากกว่า 1 ข้อ)": "สื่อวิทยุ",
    "ช่วงเวลาที่ท่านสะดวกในการรับข่าวสาร": "16.00-20.00 น.",
    "ความสะดวกในการเข้าถึงข้อมูลประชาสัมพันธ์และข่าวสาร": "มาก",
    "ข้อมูลที่ได้รับตรงต่อความต้องการ": "มาก",
    "ข้อมูลข่าวสารน่าสนใจและมีประโยชน์": "มาก",
    "ช่องทางการประชาสัมพันธ์มีความหลากหลาย": "มาก",
    "ข้อเสนอแนะเพิ่มเติม": "",
}


def write_campaign(folder: Path, **changes: Any) -> str:
    """Write a campaign's file with some keys changed; return its name. Keys of a part: waves__sizes."""
    described = yaml.safe_load(yaml.safe_dump(CAMPAIGN))
    for key, value in changes.items():
        *parts, last = key.split("__")
        place = described
        for part in parts:
            place = place[part]
        place[last] = value
    folder.mkdir(exist_ok=True)
    path = folder / f"{described['campaign']}.yaml"
    path.write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    return str(described["campaign"])


def publish_people(store: Any, groups: Mapping[str, int], domain: str = "kku.example.com") -> None:
    """Publish real customers of June, each a person with an address of his own: person-1@..., person-2@..."""
    with warehouse.session() as session:
        session.add_partition("core.patron_month", "patron_month_2018_06", "2018-06")
    people = [group for group, count in groups.items() for _ in range(count)]
    _add(store, [(f"person-{n}@{domain}", group, None) for n, group in enumerate(people, 1)])
    store.do(
        "INSERT INTO mart.patron_funnel VALUES ('2018-06', 1, %s, %s, %s, %s, %s, 0, "
        "'2018-06-27', '2018-06-27', 'd', '2018-07-01')",
        [len(people)] * 5,
    )


def add_person(store: Any, email: str, group: str = "staff", *, person: str | None = None) -> str:
    """Publish one more record of June; return its patron_key. `person`: that of another record."""
    return _add(store, [(email, group, person)])[0]


def _add(store: Any, records: list[tuple[str, str, str | None]]) -> list[str]:
    secret = address.secret()
    first = store.value("SELECT coalesce(max(record_no), 0) + 1 FROM core.patron_month")
    emails, groups, persons = zip(*records, strict=True)
    patrons = [str(uuid.uuid4()) for _ in records]
    keys = [address.digest(email, secret) for email in emails]
    store.do(
        "INSERT INTO core.patron_month (period, record_no, is_current, is_real_customer, patron_key, "
        "group_code, person_key, address_key) SELECT '2018-06', %s - 1 + row_number() OVER (), true, true, f.* "
        "FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::bytea[]) AS f",
        [
            first,
            patrons,
            list(groups),
            [p or own for p, own in zip(persons, patrons, strict=True)],
            keys,
        ],
    )
    store.do(
        "INSERT INTO pii.address SELECT * FROM unnest(%s::bytea[], %s::text[]) ON CONFLICT DO NOTHING",
        [keys, list(emails)],
    )
    return patrons


def use_campaigns(world: Any, folder: Path) -> Path:
    """Let the product find its campaigns in `folder`, and send for real to who it is given."""
    world.setenv("ENGAGEMENT_CAMPAIGNS", str(folder))
    world.setenv("ENGAGEMENT_MAIL", "live")
    world.setenv("ENGAGEMENT_RETURN_PATH", "bounces@bounce.kku.example.com")
    settings.cache_clear()
    return folder


def open_wave(
    world: Any, clock: Any, store: Any, tmp_path: Path, groups: Mapping[str, int], **changes: Any
) -> None:
    """Plan, approve and open the only wave of a campaign that asks all these people."""
    clock.at(2018, 7, 2)
    publish_people(store, groups)
    folder = use_campaigns(world, tmp_path / "campaigns")
    write_campaign(folder, sample={"size": sum(groups.values())}, **changes)
    approve()
    clock.at(2018, 7, 9, 9)
    run.advance_all()


def invited(store: Any) -> list[Any]:
    """Return token, mail token, address and person of everybody who is invited."""
    return list(store.do(_INVITED))


class MailWorld:
    """A relay on loopback with mailboxes behind it; `fates` says which addresses do not take mail."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.server = MailServer("127.0.0.1", port, "Library <library@library.example.com>")
        self.bounces = Place(f"maildir:{folder / 'bounces'}")
        self.fates: dict[str, Fate] = {"nobody@kku.example.com": Fate.UNKNOWN}

    def count(self, mailbox: str) -> int:
        return len(list((self.folder / mailbox / "new").iterdir()))

    def kill(self, store: Any, count: int, fate: Fate = Fate.UNKNOWN, wave: int = 1) -> None:
        """Let so many addresses of a wave be dead."""
        rows = store.do(
            "SELECT a.address FROM core.invitation AS i INNER JOIN pii.address AS a USING (address_key) "
            "WHERE i.wave = %s ORDER BY 1 LIMIT %s",
            [wave, count],
        )
        assert len(rows) == count
        self.fates |= dict.fromkeys((address for (address,) in rows), fate)


def quarter_of_an_hour(mails: MailWorld) -> str:
    """Do what the two unattended DAGs do; return where the campaign stands."""
    run.plan_all()
    stands = run.advance_all()["july"]
    run.send_all(mails.server, None)
    collect.collect(mails.bounces)
    return stands


def approve() -> None:
    approval.decide(*planned_key(), is_approved=True, by="anna")


def planned_key() -> tuple[str, str]:
    """Plan the campaign; return its name and its plan, as measure_approve is told."""
    run.plan_all()
    (key,) = run.unasked()
    return approval.parsed(key)


def deliver(mails: MailWorld, to: str, subject: str, text: str = "", **headers: str) -> None:
    """Put a mail into the mailbox of bounces, as whoever writes to it does."""
    mail = EmailMessage()
    mail["From"] = headers.pop("sender", "somebody@gmail.example.com")
    mail["To"] = to
    mail["Subject"] = subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text or subject)
    (mails.folder / "bounces" / "new" / f"{mails.count('bounces')}.given").write_bytes(bytes(mail))


def write_answers(path: Path, *rows: dict[str, str]) -> Path:
    """Write a file of answers, as Google Forms exports it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ANSWER)
        table.writeheader()
        table.writerows(ANSWER | row for row in rows)
    return path


def answer(token: str, **changes: str) -> dict[str, str]:
    """Return a row with whose link it was filled in."""
    return {"รหัสแบบสอบถาม (โปรดอย่าแก้ไข)": token} | changes


def suppressed(store: Any) -> dict[str, int]:
    """Return how many suppressions there are of each kind."""
    return dict(store.do("SELECT kind, count(*) FROM core.suppression GROUP BY 1"))


def counted() -> Counts:
    """Count the campaign and return its figures."""
    figures.count("july")
    return figures.read("july").counts


class Refusing:
    """A relay that keeps every mail but refuses the recipients for whom `reply` has a word."""

    def __init__(self, reply: Callable[[str], str | None]) -> None:
        self._reply = reply

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, recipient: str, options: Any
    ) -> str:
        refusal = self._reply(recipient)
        if refusal is None:
            envelope.rcpt_tos.append(recipient)
        return refusal or "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return "250 kept"
