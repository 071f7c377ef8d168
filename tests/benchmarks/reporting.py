"""Makes the report on a full month, and mails it to 50: `python -m benchmarks.reporting prepare|render|send`."""

from __future__ import annotations

import csv
import os
import sys
from datetime import datetime

import yaml
from benchmarks import process, sending, sink, world
from benchmarks.sending import Wave

from engagement import clock, warehouse
from engagement.demo import work_items
from engagement.mail import MailServer
from engagement.measure import answers, campaign as campaigns, figures, form as forms, waves
from engagement.monitor import editions, release
from engagement.period import Period
from engagement.settings import INCLUDE, settings

_JULY = Period(2018, 7)
_SHIPPED = INCLUDE / "report.yaml"
_ASKED, _ANSWERED = 1_567, 398
_RECIPIENTS = 50
# June's figures stand for those of the year before and of July.
_MONTHS = [
    *(f"2017-{month:02}" for month in range(8, 13)),
    *(f"2018-{month:02}" for month in (1, 2, 3, 4, 5, 7)),
]
_COPIED = (
    "patron_funnel", "patron_group", "patron_rejection", "patron_rejection_set", "patron_group_rejection", "patron_notice",
)  # fmt: skip
_COPY = """
INSERT INTO mart.{table}
SELECT (jsonb_populate_record(f, jsonb_build_object('period', month))).*
FROM mart.{table} AS f, unnest(%s::text[]) AS month
WHERE f.period = '2018-06'
"""
_GO_OUT = "UPDATE core.message SET state = 'sent', sent_at = %s WHERE ref = %s"
_TOKENS = "SELECT token FROM pii.survey_token WHERE campaign = %s ORDER BY token LIMIT %s"
_BOUNCE = """
UPDATE mart.campaign_group SET
    sampled_count = sent_count, hard_bounced_count = sent_count / 2, delivered_count = sent_count - sent_count / 2
WHERE campaign = %s
"""


_SAID = "SELECT text FROM ops.report WHERE period = %s AND language = 'en' ORDER BY edition DESC LIMIT 1"


class Month:
    """July with all that a report can show: a year before it, a survey, decisions that are wanted."""

    def __init__(self) -> None:
        """Let this process see it."""
        home = settings().home
        self._clock = home / "report-clock"
        self._wave = Wave(_ASKED)
        os.environ |= {
            "ENGAGEMENT_CLOCK_FILE": str(self._clock),
            "ENGAGEMENT_REPORT_FILE": str(home / "report.yaml"),
            "ENGAGEMENT_WORK_ITEMS": str(home / "work-items"),
        }
        settings.cache_clear()

    def prepare(self) -> None:
        """Let it happen."""
        with world.connected(warehouse.url()) as connection:
            for table in _COPIED:
                connection.execute(_COPY.format(table=table).encode(), [_MONTHS])
        self._ask()
        self._describe()
        work_items.file_work(settings().home / "work-items", _JULY)
        self._move(8, 7, 8)

    def _ask(self) -> None:
        """Hold the survey, from its plan to its figures."""
        name = self._wave.name
        self._move(7, 1)
        self._wave.plan()
        self._move(7, 9, 8)
        self._wave.queue()
        with world.connected(warehouse.url()) as connection:
            connection.execute(_GO_OUT, [clock.now(), name])
            tokens = [token for (token,) in connection.execute(_TOKENS, [name, _ANSWERED])]
            self._move(7, 19)
            self._answer(tokens)
            waves.advance(name)
            figures.count(name)
            connection.execute(_BOUNCE, [name])

    def _answer(self, tokens: list[str]) -> None:
        """Bring in an answer with each of these tokens, all of them the same."""
        campaign = campaigns.load(self._wave.name)
        form = forms.load(campaign.form)
        first = [next(iter(form.answers(question).values()), None) for question in form.questions]
        path = settings().home / "answers.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            titles = [question.title.th for question in form.questions]
            writer.writerow([form.headings("timestamp")[0], form.columns.token[0], *titles])
            for token in tokens:
                cells = ["" if option is None else option.th for option in first]
                writer.writerow(["10/7/2018, 12:00:00", token, *cells])
        answers.import_file(campaign, path)

    def _describe(self) -> None:
        """Write to whom the report goes: every second in English, every fifth with the PDF."""
        recipients = [
            {
                "address": f"executive-{n}@library.example.com",
                "language": "en" if n % 2 else "th",
                "pdf": n % 5 == 0,
            }
            for n in range(_RECIPIENTS)
        ]
        described = yaml.safe_load(_SHIPPED.read_text(encoding="utf-8")) | {
            "recipients": recipients
        }
        settings().report_file.write_text(
            yaml.safe_dump(described, allow_unicode=True), encoding="utf-8"
        )

    def _move(self, month: int, day: int, hour: int = 0) -> None:
        clock.move(self._clock, datetime(2018, month, day, hour, tzinfo=settings().zone))

    def render(self) -> int:
        """Return the report's edition, cut and rendered anew."""
        return editions.make(_JULY, "benchmark")

    def send(self, to: sink.Sink) -> float:
        """Return how many seconds it takes to mail the report to all, none of whom has had it."""
        server = MailServer("127.0.0.1", to.port, "Library <engagement@library.example.com>")
        edition = self.render()
        with world.connected(warehouse.url()) as connection:
            connection.execute(sending.UNSEND, [str(_JULY)])
        seconds = process.seconds_of(lambda: release.send(_JULY, server, edition))
        if to.taken() != _RECIPIENTS:
            raise AssertionError("Not everybody was mailed the report once.")
        return seconds


def _render(month: Month) -> dict[str, float]:
    """Measure it as a new process does it, what it imports on the way included, and once more."""
    seconds = {turn: process.seconds_of(month.render) for turn in ("first", "again")}
    with world.connected(warehouse.url()) as connection:
        ((said,),) = connection.execute(_SAID, [str(_JULY)])
    if not all(part in said for part in (f"{_ASKED:,}", f"{_ANSWERED}", "Decisions wanted")):
        raise AssertionError("The report does not show all that a report can.")
    return seconds


def _send(month: Month, rounds: int) -> dict[str, list[float]]:
    with sink.running() as to:
        return {"send": [month.send(to) for _ in range(rounds)]}


if __name__ == "__main__":
    _month = Month()
    if sys.argv[1] == "prepare":
        _month.prepare()
        process.tell()
    elif sys.argv[1] == "render":
        process.tell(**_render(_month))
    else:
        process.tell(**_send(_month, int(sys.argv[2])))
