"""What becomes of a record over the years: faults that reject it, and wear that a reader sees through."""

from __future__ import annotations

from datetime import date

from engagement.demo.people import MONK, WORDS, Desk, Member

# fmt: off
# Why a membership is not current, and in how many of a hundred cases.
LAPSES: dict[str, float] = {
    "expired": 85, "expired, suspended": 4, "suspended": 5, "no date": 2,
    "impossible date": 2, "odd state": 2,
}
# Chance of further faults (name, affiliation, e-mail) beside the first one.
FURTHER = {
    "undecodable": (0, .10, .40), "not_current": (.02, .08, .55), "name": (0, .15, .35),
    "status": (0, .30, .40), "affiliation": (0, 0, .35),
}
# fmt: on
INVISIBLE = ["\u200b", "\u200d", "\ufeff", "\u00ad"]
KEYBOARD = str.maketrans(WORDS["keyboard"]["latin"], WORDS["keyboard"]["thai"])


class Faults:
    """Spoils and wears records; draws from the desk's own stream of chance."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.kinds = {"name": self.name, "affiliation": self.affiliation, "email": self.email}

    def apply(self, member: Member) -> None:
        """Make the record fail what it is to fail, perhaps more, and wear it."""
        self.wear(member)
        if member.lapse:
            self.membership(member)
        for fault, chance in zip(self.kinds, FURTHER.get(member.fails, (0, 0, 0)), strict=True):
            if self._happens(chance):
                self.kinds[fault](member)
        if member.fails == "undecodable":
            self.truncate(member)
        elif member.fails in self.kinds:
            self.kinds[member.fails](member)

    def membership(self, member: Member) -> None:
        """Let the membership be not current for the reason `member.lapse`."""
        if "suspended" in member.lapse:
            member.spoil(member_state=self.desk.pick(["2", "2", "3"]))
        elif member.lapse == "no date":
            member.spoil(expire_date=self.desk.pick([None, "", "-"]))
        elif member.lapse == "impossible date":
            member.spoil(expire_date=self.desk.pick(WORDS["impossible_dates"]))
        elif member.lapse == "odd state":
            member.spoil(member_state=self.desk.pick(WORDS["unknown_states"]))

    def name(self, member: Member) -> None:
        """Take the name away, or a part of it that nobody may be without."""
        kind = self.desk.rng.random()
        pick = self.desk.pick
        if member.prefix_code == MONK or member.nationality_code in ("ID", "MM") or kind < 0.25:
            member.spoil(first_name=pick(WORDS["no_name"]), last_name=pick(WORDS["no_family_name"]))
        elif kind < 0.35:
            first, last = pick(WORDS["test_names"])
            member.spoil(first_name=first, last_name=last)
        elif kind < 0.55:
            member.spoil(first_name=pick(WORDS["no_name"]))
        else:
            member.spoil(last_name=pick(WORDS["no_family_name"]))

    def affiliation(self, member: Member) -> None:
        """Take the affiliation away: no faculty, one without a name, or one that is in no table."""
        codes = [None, None, *WORDS["faculties_without_name"], *WORDS["faculties_in_no_table"]]
        member.spoil(faculty_code=self.desk.pick(codes), unit_name=self.desk.pick(WORDS["no_unit"]))

    def email(self, member: Member) -> None:
        """Take the address away, or break it."""
        kind = self.desk.rng.random()
        if kind < 0.50:
            member.spoil(email=self.desk.pick([None, None, ""]))
        elif kind < 0.72:
            member.spoil(email=self.desk.pick(WORDS["no_email"]))
        else:
            member.spoil(email=self._broken(member.email or ""))

    def truncate(self, member: Member) -> None:
        """Cut a name inside a character, as a column that counts bytes does."""
        column = self.desk.pick(["first_name", "last_name"])
        name = self.desk.family()
        while (cut := _damaged(name.encode()[: -1 - self.desk.below(2)])) is None:
            name = self.desk.family()
        member.spoil(**{column: cut})

    def wear(self, member: Member) -> None:
        """Leave the marks of keyboards, imports and code pages on values that stay readable."""
        for column in ("first_name", "last_name", "unit_name"):
            value = getattr(member, column)
            if value and len(value) > 2:
                setattr(member, column, self._worn(value, member.registered))
        if member.email:
            member.email = self._worn_address(member.email)
        if member.expire_date:
            member.expire_date = self._other_year(member.expire_date, member.expires)
        if member.prefix_code != MONK and self._happens(0.01):
            member.prefix_code = self.desk.pick([None, 0, 99])

    def _worn(self, value: str, registered: date) -> str:
        if "ำ" in value and self._happens(0.25):
            value = value.replace("ำ", self.desk.pick(["ํา", " า"]))
        if self._happens(0.08 if registered.year < 2008 else 0.005):
            return _old_code_page(value)
        if self._happens(0.012):
            at = 1 + self.desk.below(len(value) - 1)
            value = value[:at] + self.desk.pick(INVISIBLE) + value[at:]
        if self._happens(0.012):
            space = self.desk.pick(["\u00a0", "  "])
            value = value.replace(" ", space) if " " in value else value + space
        return value

    def _worn_address(self, address: str) -> str:
        kind = self.desk.rng.random()
        if kind < 0.025:
            local = address.split("@")[0]
            other = f"{local}@{self.desk.pick(WORDS['second_domains'])}"
            return address + self.desk.pick([", ", " / ", "; ", ","]) + other
        if kind < 0.035:
            return address.upper() if kind < 0.03 else address.capitalize()
        if kind < 0.045:
            shape: str = self.desk.pick(["\u00a0{}", "{} ", "{}\u200b", "\ufeff{}", " {}"])
            return shape.format(address)
        return address

    def _broken(self, address: str) -> str:
        local, domain = address.replace("\u00a0", "").split("@")[:2]
        domain = domain.split(",")[0].split(" ")[0].split(";")[0]
        shapes = [
            f"{local}.{domain}",
            f"{local}@@{domain}",
            f".{local}@{domain}",
            f"{local}@{domain.replace('.', ' .', 1)}",
            f"{local}@ {domain}",
            f"{local} @{domain}",
            f"{local}@{domain.replace('.', ',')}",
            f"{local}@",
            f"@{domain}",
            f"{local}@{domain.split('.')[0]}",
            f"{local}@{domain.replace('.', 'ใ')}",
            f"{local}@{domain}".lower().translate(KEYBOARD),
            str(self.desk.pick(WORDS["not_an_email"])).format(local=local),
        ]
        return self.desk.pick(shapes)

    def _other_year(self, written: str, day: date) -> str:
        kind = self.desk.rng.random()
        if kind < 0.03:
            return f"{written[:6]}{written[8:]}"
        if kind < 0.06:
            return f"{written[:6]}{day.year}"
        return written

    def _happens(self, chance: float) -> bool:
        return self.desk.rng.random() < chance


def _old_code_page(value: str) -> str:
    """Return the value as the bytes of code page 874, where those cannot be taken for UTF-8."""
    try:
        old = value.encode("cp874")
        old.decode()
    except UnicodeEncodeError:
        return value
    except UnicodeDecodeError:
        return old.decode("utf-8", "surrogateescape")
    return value


def _damaged(raw: bytes) -> str | None:
    """Return bytes that neither UTF-8 nor code page 874 can read, as text with surrogates."""
    for encoding in ("utf-8", "cp874"):
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None
    return raw.decode("utf-8", "surrogateescape")
