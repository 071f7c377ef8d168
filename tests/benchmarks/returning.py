"""Reads what comes back from a survey, many or few: `python -m benchmarks.returning bounces|answers <count>`."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from benchmarks import process, world

from engagement import clock, mailbox, warehouse
from engagement.demo import postbox
from engagement.demo.postbox import Fate
from engagement.mailbox import Mail, Place
from engagement.measure import answers, campaign as campaigns, collect, form as forms
from engagement.settings import settings

_CAMPAIGN = "news-2018-07"
_TOKEN, _PERSON = "0" * 32, "person-0000000"
_ASK = """
WITH asked AS (
    INSERT INTO core.invitation
    (campaign, person_key, address_key, period, group_code, inclusion_probability, seed, wave, language, drawn_at)
    SELECT %(campaign)s, gen_random_uuid(), int8send(n), '2018-06', 'staff', 1, 1, 1, 'th', %(now)s
    FROM generate_series(1, %(count)s) AS n
    RETURNING *
), linked AS (
    INSERT INTO pii.survey_token
    SELECT 'k' || encode(address_key, 'hex'), campaign, person_key FROM asked
)
INSERT INTO core.message
(purpose, ref, step, recipient_key, domain_key, token, state, queued_at, due_at, claimed_at, sent_at)
SELECT 'survey', campaign, 'invite', address_key, 'x', lpad(encode(address_key, 'hex'), 32, '0'), 'sent',
    %(now)s, %(now)s, %(now)s, %(now)s
FROM asked
"""


class _Mailbox:
    """A mailbox with the bounces of so many mails, none of which lies anywhere."""

    def __init__(self, count: int) -> None:
        self._count = count
        mail = EmailMessage()
        mail["Subject"] = "Survey"
        mail["X-Engagement-Token"] = _TOKEN
        path, person = f"bounces+{_TOKEN}@library.example.com", f"{_PERSON}@kku.example.com"
        self._report = postbox._report(mail, person, path, Fate.UNKNOWN)

    def marks(self) -> Iterator[list[str]]:
        for first in range(1, self._count + 1, mailbox._AT_ONCE):
            yield [str(n) for n in range(first, min(first + mailbox._AT_ONCE, self._count + 1))]

    def read(self, mark: str) -> Mail:
        token, person = f"{int(mark):032x}", f"person-{int(mark):07}"
        content = self._report.replace(_TOKEN.encode(), token.encode())
        return Mail(mark, clock.now(), content.replace(_PERSON.encode(), person.encode()))

    def holds(self, token: str) -> bool:
        return int(token, 16) <= self._count


def _bounces(count: int) -> int:
    """Read the bounces of so many mails."""
    mailbox.opened = lambda place: nullcontext(_Mailbox(count))  # type: ignore[assignment]
    return collect.collect(Place("maildir:/nowhere"))["hard"]


def _answers(count: int) -> int:
    """Import so many answers from one file."""
    form = forms.load("kkul-news-2018")
    first = {q.code: next(iter(form.answers(q).values()), None) for q in form.questions}
    cells = ["" if option is None else option.th for option in first.values()]
    path = settings().home / f"answers-{count}.csv"
    began = datetime(2018, 7, 9, tzinfo=UTC)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ประทับเวลา", form.columns.token[0], *(q.title.th for q in form.questions)])
        for n in range(1, count + 1):
            at = began + timedelta(seconds=n // 2)
            said = f"{at.day}/{at.month}/{at.year}, {at:%H:%M:%S}"
            writer.writerow([said, f"k{n:016x}", *cells])
    return answers.import_file(campaigns.load(_CAMPAIGN), path).new


def _main(what: str, count: int) -> None:
    later = settings().home / "later"
    os.environ |= {
        "ENGAGEMENT_RETURN_PATH": "bounces@library.example.com",
        "ENGAGEMENT_CLOCK_FILE": str(later),
    }
    settings.cache_clear()
    clock.move(later, datetime(2018, 7, 19, tzinfo=settings().zone))
    with world.connected(warehouse.url()) as connection:
        asked = {"campaign": _CAMPAIGN, "count": count, "now": clock.now()}
        connection.execute(_ASK, asked)
        connection.execute("VACUUM ANALYZE core.message, core.invitation, pii.survey_token")
    read = {"bounces": _bounces, "answers": _answers}[what]
    found = 0

    def work() -> None:
        nonlocal found
        found = read(count)

    seconds = process.seconds_of(work)
    if found != count:
        raise AssertionError(f"{found} of {count} {what} were read.")
    process.tell(seconds=seconds)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
