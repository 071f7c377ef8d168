"""A published period whose people a test asks, and a campaign of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from engagement import address, warehouse
from engagement.demo.postbox import Fate
from engagement.mail import MailServer
from engagement.mailbox import Place
from engagement.measure import approval, collect, run
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
