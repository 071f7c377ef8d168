"""Which mail domains take mail: asked of the DNS, and remembered for a month."""

from __future__ import annotations

from datetime import timedelta

from engagement import clock, warehouse
from engagement.model import emails

_REMEMBERED = timedelta(days=30)


def take_mail(domains: set[str]) -> dict[str, bool]:
    """Return of each domain that is known whether it takes mail; those that cannot be asked are left out."""
    now = clock.now()
    with warehouse.session() as session:
        rows = session.rows(
            "model/mail_domains", domains=sorted(domains), since_at=now - _REMEMBERED
        )
    known = {row.domain: bool(row.takes_mail) for row in rows}
    asked = emails.accept_mail(sorted(domains - known.keys()))
    found = {domain: answer for domain, answer in asked.items() if answer is not None}
    with warehouse.session() as session:
        for domain, answer in sorted(found.items()):
            session.run("model/remember_mail_domain", domain=domain, takes_mail=answer, now=now)
    return known | found
