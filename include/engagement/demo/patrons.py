"""What the simulated patrons do with a survey: their mailboxes exist or not, and some of them answer.

The numbers are those of the library's own survey of 9 to 18 July 2018: of 1,567 invitations 893 came back and 671
were delivered; 398 answered. The 3 that its report leaves unexplained are full mailboxes here: an assumption.
"""

from __future__ import annotations

import csv
import email
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from engagement import warehouse
from engagement.demo.postbox import Fate
from engagement.measure import campaign as campaigns, form as forms

_INVITED, _DEAD, _FULL = 1_567, 893, 3
ANSWERED, _UNDERGRADUATES = 398, 206
EARLY = 262  # of them before the reminder
_APART = timedelta(minutes=20)
# Of all answers, how many name what; the first three are published, the rest of the form's options is invented.
_CHANNELS = {"internet": 299, "people": 60, "print": 38, "radio": 1}
_TIME_SLOTS = {"16-20": 181, "08-12": 92, "12-16": 75, "20-24": 50}
_SCALES = {
    "access": {5: 140, 4: 178, 3: 62, 2: 14, 1: 4},
    "needs": {5: 126, 4: 181, 3: 70, 2: 16, 1: 5},
    "interest": {5: 131, 4: 176, 3: 68, 2: 18, 1: 5},
    "variety": {5: 118, 4: 172, 3: 80, 2: 21, 1: 7},
}
_WISHES = ("อยากให้แจ้งข่าวทาง Line", "ขอบคุณค่ะ", "อยากได้ข่าวสั้น ๆ ตอนเย็น")
_TOKEN = re.compile(r"entry\.1000001=([0-9a-z]+)")


def fates(campaign: str) -> dict[str, Fate]:
    """Return what becomes of mail to each address of a planned campaign.

    In every wave, and at every domain of it, in the same shares: no part of the sample is better than another.
    """
    with warehouse.session() as session:
        rows = session.rows("demo/sample", campaign=campaign)
    found = {campaigns.load(campaign).waves.canary: Fate.UNKNOWN}
    full = 0
    for number, row in enumerate(sorted(rows, key=_wave_and_domain)):
        if _share(_DEAD, number + 1) > _share(_DEAD, number):
            found[row.address] = Fate.UNKNOWN
        elif _share(_FULL, number + 1) > full:
            found[row.address], full = Fate.FULL, full + 1
        else:
            found[row.address] = Fate.DELIVERED
    return found


def _wave_and_domain(row: Any) -> tuple[int, str]:
    return row.wave, row.address.rpartition("@")[2]


def _share(of_invited: int, count: int) -> int:
    return round(of_invited * count / _INVITED)


class Respondents:
    """Those of a campaign's sample who answer, and the form in which they do."""

    def __init__(self, name: str, postbox: Path) -> None:
        """Choose them among those who got the invitation.

        Args:
            name: of the campaign whose mails have been delivered.
            postbox: the folder of the mailboxes.
        """
        campaign = campaigns.load(name)
        self._form, self._dates = forms.load(campaign.form), campaign.dates
        tokens = dict(_received(postbox / "people"))
        with warehouse.session() as session:
            rows = [
                row for row in session.rows("demo/sample", campaign=name) if row.address in tokens
            ]
        students = [row for row in rows if row.group_code == "undergraduate"][:_UNDERGRADUATES]
        others = [row for row in rows if row.group_code != "undergraduate"]
        chosen = students + others[: ANSWERED - len(students)]
        self._chosen = [(tokens[row.address], row.group_code) for row in _mixed(chosen)]

    def export(self, path: Path, count: int) -> None:
        """Write the first `count` responses as Google Forms exports them: all, whenever it is asked."""
        headings = ["ประทับเวลา", self._form.headings("token")[0]]
        headings += [question.headings[0] for question in self._form.questions]
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow(headings)
            answers = zip(self._chosen, _answers(), strict=True)
            for number, ((token, group), answer) in enumerate(islice(answers, count)):
                at = self._answered_at(number)
                written = f"{at.day}/{at.month}/{at.year}, {at:%H:%M:%S}"
                table.writerow([written, token, *self._cells(answer | {"group": group})])

    def _answered_at(self, number: int) -> datetime:
        """Return when a respondent answers: the early ones after the second wave, the others reminded."""
        if number < EARLY:
            return self._dates.start + timedelta(hours=26) + number * _APART
        return self._dates.reminders[0] + timedelta(hours=1) + (number - EARLY) * _APART

    def _cells(self, answer: Mapping[str, str]) -> Iterator[str]:
        for question in self._form.questions:
            code = answer.get(question.code, "")
            if question.kind == "text":
                yield code
            else:
                yield self._form.answers(question)[code].th


def _received(people: Path) -> Iterator[tuple[str, str]]:
    """Yield address and personal token of each invitation in the mailboxes."""
    for path in sorted((people / "new").iterdir()):
        mail = email.message_from_bytes(path.read_bytes(), policy=default)
        text = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) else None
        if text is not None and (token := _TOKEN.search(text.get_content())):
            yield str(mail["To"]), token[1]


def _mixed(rows: Sequence[Any]) -> list[Any]:
    """Return the rows in another order, so that groups do not answer one after the other."""
    return sorted(rows, key=lambda row: hash_of(row.address))


def hash_of(text: str) -> str:
    """Return a digest that orders by chance, the same every time."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def _answers() -> Iterator[dict[str, str]]:
    """Yield what each respondent says; all together it is what was published."""
    columns = {"channel": _spread(_CHANNELS, 1), "time_slot": _spread(_TIME_SLOTS, 2)}
    columns |= {code: _spread(points, 3 + n) for n, (code, points) in enumerate(_SCALES.items())}
    columns["suggestion"] = islice(cycle([*_WISHES, *[""] * 37]), ANSWERED)
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, map(str, values), strict=True))


def _spread(counts: Mapping[Any, int], seed: int) -> Iterable[Any]:
    """Return each value as often as it was named, in an order that depends on the seed alone."""
    values = [value for value, count in counts.items() for _ in range(count)]
    order = sorted(range(len(values)), key=lambda place: hash_of(f"{seed} {place}"))
    return [values[place] for place in order]
