"""The people of the simulated library, each with a clean record, as at the registration desk."""

from __future__ import annotations

import random
import re
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import yaml
from faker.providers.person.th_TH import Provider as ThaiNames

T = TypeVar("T")
STANDS_AT = date(2018, 6, 27)
NO_FAMILY_NAME: list[str | None] = [None, "", "-"]
MONK = 12  # the prefix of those who may have no family name
WORDS: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("library.yaml").read_text(encoding="utf-8")
)

# fmt: off
PATRON_TYPES: dict[str, dict[str, int]] = {
    "staff": {"01": 42, "02": 6, "03": 52}, "undergraduate": {"11": 1},
    "graduate": {"21": 78, "22": 22}, "international": {"11": 35, "21": 40, "22": 25},
    "alumni_retired": {"31": 70, "32": 30}, "external": {"41": 75, "42": 25}, "pupil": {"51": 1},
}
# Last days of the current memberships, weighted; a kind without one ends on any day of a year.
CURRENT: dict[str, dict[str, int]] = {
    "staff": {
        "2018-09-30": 20, "2019-09-30": 25, "2021-09-30": 25, "2024-09-30": 20, "2030-09-30": 10,
    },
    "undergraduate": {
        "2018-06-30": 5, "2018-09-30": 14, "2019-05-31": 25, "2020-05-31": 27, "2021-05-31": 29,
    },
    "graduate": {
        "2018-06-30": 4, "2018-09-30": 16, "2019-05-31": 30, "2020-05-31": 30, "2021-05-31": 20,
    },
    "pupil": {"2018-06-30": 14, "2019-03-31": 34, "2020-03-31": 30, "2021-03-31": 22},
}
# The last day of those who enrol in July; without one: the same day next year.
NEW = {
    "staff": "2019-09-30", "undergraduate": "2022-05-31", "graduate": "2021-05-31",
    "pupil": "2021-03-31",
}
# Years of a student's membership, and the month in which it begins.
COURSE = {"undergraduate": (4, 8), "graduate": (3, 8), "pupil": (3, 5)}
# Month and day on which old memberships ended, and the first year of which records are left.
ENDED = {
    "staff": (9, 30, 2006), "undergraduate": (5, 31, 2004), "graduate": (5, 31, 2004),
    "pupil": (3, 31, 2010),
}
# Share that borrows at all, and how much such a borrower borrows beside those of other kinds.
BORROWING = {
    "staff": (.55, 1.0), "undergraduate": (.72, 1.0), "graduate": (.70, 1.3),
    "international": (.65, 1.1), "alumni_retired": (.25, .5), "external": (.30, .5),
    "pupil": (.45, .4),
}
COLUMNS = (
    "member_id", "prefix_code", "first_name", "last_name", "type_code", "faculty_code", "unit_name",
    "nationality_code", "citizen_no", "email", "member_state", "registered_date", "expire_date",
)
# fmt: on


@dataclass(slots=True)
class Member:
    """A member record, and beside its columns what only the maker knows."""

    kind: str
    fails: str
    lapse: str
    registered: date
    expires: date
    activity: float
    member_id: str
    prefix_code: int | None
    first_name: str | None
    last_name: str | None
    type_code: str | None
    faculty_code: str | None
    unit_name: str | None
    nationality_code: str | None
    citizen_no: str | None
    email: str | None
    member_state: str | None
    registered_date: str
    expire_date: str | None
    was: dict[str, Any] = field(default_factory=dict)

    def spoil(self, **values: Any) -> None:
        """Overwrite values and remember what they were, so that they can be corrected one day."""
        for name, value in values.items():
            self.was.setdefault(name, getattr(self, name))
            setattr(self, name, value)

    def mend(self, *names: str) -> None:
        """Give the named values back where they were spoiled."""
        for name in names:
            if name in self.was:
                setattr(self, name, self.was.pop(name))


class Desk:
    """The registration desk: enrols people one after the other, the same ones every time."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311
        self.enrols_new = False
        self._serials: Counter[str] = Counter()
        self._locals: Counter[str] = Counter()
        names = WORDS["common"]
        self.male = self.choice(_ranked([*names["male"], *ThaiNames.first_names_male]))
        self.female = self.choice(_ranked([*names["female"], *ThaiNames.first_names_female]))
        self.family = self.choice(_ranked([*names["last"], *ThaiNames.last_names]))
        self.nation = self.choice({code: n["share"] for code, n in WORDS["nations"].items()})
        self.faculty = self.choice({code: share for code, (_, share) in WORDS["faculties"].items()})
        self.domain = {who: self.choice(shares) for who, shares in WORDS["mail_domains"].items()}
        self.patron_type = {kind: self.choice(types) for kind, types in PATRON_TYPES.items()}
        self.last_day = {kind: self.choice(days) for kind, days in CURRENT.items()}
        self.ended = {
            kind: self.choice({year: year - first + 2 for year in range(first, 2019)})
            for kind, (_, _, first) in ENDED.items()
        }

    def choice(self, weights: Mapping[T, float]) -> Callable[[], T]:
        """Return a function that draws one of the keys by weight."""
        values, cumulated = list(weights), list(accumulate(weights.values()))
        total, last = cumulated[-1], len(values) - 1
        return lambda: values[bisect(cumulated, self.rng.random() * total, 0, last)]

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to limit - 1."""
        return int(self.rng.random() * limit)

    def pick(self, values: list[T]) -> T:
        """Return one of the values, each as likely as the next."""
        return values[self.below(len(values))]

    def serial(self, series: str) -> int:
        """Return the next number of a series, from 1."""
        self._serials[series] += 1
        return self._serials[series]

    def enrol(self, kind: str, fails: str, lapse: str) -> Member:
        """Return a new member with a clean record.

        Args:
            kind: one of the seven groups.
            fails: what the record is going to fail, kept for the faults; changes nothing here.
            lapse: why the membership is not current; "expired" and the like give a past last day.
        """
        type_code = self.patron_type[kind]()
        registered, expires = self._dates(kind, lapse)
        nationality = self._nationality(kind)
        prefix, first, last = self._name(kind, type_code, nationality)
        faculty, unit = self._affiliation(kind)
        share, factor = BORROWING[kind]
        return Member(
            kind=kind,
            fails=fails,
            lapse=lapse,
            registered=registered,
            expires=expires,
            activity=factor / (0.015 + self.rng.random()) if self.rng.random() < share else 0,
            member_id=self._member_id(kind, type_code, faculty, registered),
            prefix_code=prefix,
            first_name=first,
            last_name=last,
            type_code=type_code,
            faculty_code=faculty,
            unit_name=unit,
            nationality_code=nationality,
            citizen_no=self.citizen_no(nationality) if self.rng.random() < 0.94 else None,
            email=self._email(kind, first, last),
            member_state="1",
            registered_date=thai_date(registered),
            expire_date=thai_date(expires),
        )

    def citizen_no(self, nationality: str = "TH") -> str:
        """Return a number nobody has: Thai citizen numbers never begin with 9."""
        if nationality == "TH":
            return f"9{self.below(10_000):04}{self.serial('citizen') * 7_919 % 10**8:08}"
        return f"Z{self.serial('passport'):07}"

    def _nationality(self, kind: str) -> str:
        foreign = {"international": 1.0, "staff": 0.02, "external": 0.01}.get(kind, 0.0)
        return self.nation() if self.rng.random() < foreign else "TH"

    def _name(self, kind: str, type_code: str, nationality: str) -> tuple[int, str, str | None]:
        man = self.rng.random() < 0.44
        if nationality != "TH":
            nation = WORDS["nations"][nationality]
            named_once = not nation["family"] or (nationality == "ID" and self.rng.random() < 0.5)
            last = self.pick(NO_FAMILY_NAME if named_once else nation["family"])
            return 13 if man else 14, self.pick(nation["given"]), last
        if man and kind in ("undergraduate", "graduate", "external") and self.rng.random() < 0.02:
            last = self.pick(NO_FAMILY_NAME if self.rng.random() < 0.6 else WORDS["common"]["monk"])
            return MONK, self.male(), last
        given = self.male() if man else self.female()
        return self._prefix(kind, type_code, man), given, self.family()

    def _prefix(self, kind: str, type_code: str, man: bool) -> int:
        if kind == "pupil" and self.rng.random() < 0.6:
            return 10 if man else 11
        if type_code == "01" and self.rng.random() < 0.8:
            return 4 + self.below(6)
        unmarried = kind in ("undergraduate", "pupil") or self.rng.random() < 0.6
        return 1 if man else 2 if unmarried else 3

    def _dates(self, kind: str, lapse: str) -> tuple[date, date]:
        """Return the days of registration and of expiry."""
        kind = "undergraduate" if kind == "international" else kind
        if self.enrols_new:
            registered = STANDS_AT + timedelta(days=2 + self.below(32))
            year_later = registered.replace(year=registered.year + 1).isoformat()
            return registered, date.fromisoformat(NEW.get(kind, year_later))
        expires = self._past(kind) if lapse.startswith("expired") else self._to_come(kind)
        if kind in COURSE:
            years, month = COURSE[kind]
            registered = date(expires.year - years, month, 1) + timedelta(days=self.below(25))
        else:
            back = 2_000 if lapse.startswith("expired") else 5_000
            registered = min(expires, STANDS_AT) - timedelta(days=30 + self.below(back))
        if registered >= STANDS_AT:
            registered = date(2018, 1, 8) + timedelta(days=self.below(60))
        return registered, expires

    def _past(self, kind: str) -> date:
        if kind not in ENDED:
            ago = 1 + int(4_400 * self.rng.random() * self.rng.random())
            return STANDS_AT - timedelta(days=ago)
        month, day, _ = ENDED[kind]
        year = self.ended[kind]()
        return date(year if month < 6 else min(year, 2017), month, day)

    def _to_come(self, kind: str) -> date:
        if kind in self.last_day:
            return date.fromisoformat(self.last_day[kind]())
        if self.rng.random() < 0.01:
            return date(2020, 2, 29)
        return STANDS_AT + timedelta(days=self.below(365))

    def _affiliation(self, kind: str) -> tuple[str | None, str | None]:
        """Return faculty code and unit; often only one of them is there."""
        if kind == "pupil":
            return None, self.pick(WORDS["schools"])
        if kind == "external":
            return None, self.pick(WORDS["units"])
        if kind == "staff" and self.rng.random() < 0.4:
            return self.pick(list(WORDS["offices"])), None
        faculty = self.faculty()
        if self.rng.random() < 0.04:
            name, _ = WORDS["faculties"][faculty]
            return self.pick([None, *WORDS["faculties_in_no_table"]]), name
        return faculty, None

    def _member_id(self, kind: str, type_code: str, faculty: str | None, registered: date) -> str:
        year = f"{(registered.year + 543) % 100:02}"
        level = {"11": 3, "21": 5, "22": 7}.get(type_code)
        if level is None:
            letter = {"staff": "S", "alumni_retired": "A", "external": "X", "pupil": "P"}[kind]
            return f"{letter}{year}{self.serial(letter + year):05}"
        series = f"{year}{level}{faculty if faculty in WORDS['faculties'] else '90'}"
        number = self.serial(series)
        return f"{series}{number:04}-{number * 7 % 10}"

    def _email(self, kind: str, first: str, last: str | None) -> str:
        local = ".".join(filter(None, [roman(first), roman(last or "")[:2]]))
        self._locals[local] += 1
        number = self._locals[local]
        who = {"staff": "staff", "alumni_retired": "other", "external": "other"}
        return f"{local}{number if number > 1 else ''}@{self.domain[who.get(kind, 'student')]()}"


def thai_date(day: date) -> str:
    """Return the day as AutoLib keeps it: 27/06/2561."""
    return f"{day.day:02}/{day.month:02}/{day.year + 543}"


@cache
def roman(name: str) -> str:
    """Return a name in Latin letters a to z, as in the local part of an address."""
    spoken = re.sub("([เแโใไ])(.)", r"\2\1", name).translate(str.maketrans(WORDS["roman"]))
    return re.sub("[^a-z]", "", unicodedata.normalize("NFD", spoken).lower())


def _ranked(names: Iterable[str]) -> dict[str, float]:
    """Weigh names by their rank: a few are common, most are rare."""
    return {name: 1 / (rank + 12) for rank, name in enumerate(dict.fromkeys(names))}
