"""Understands the rows of an export as filled-in forms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from engagement.errors import EngagementError
from engagement.measure.answers import instants
from engagement.measure.answers.cells import Answer, Meaning
from engagement.measure.answers.files import Table
from engagement.measure.form import OTHER, UNKNOWN, Form, Question, folded
from engagement.text import clean

_ROWS_NAMED = 10
_COLUMNS_NAMED = 3
# In a column of an option's own: what is written where it was not ticked.
_NOT_TICKED = {"", "n", "no", "0", "false", "-", "ไม่", "ไม่ใช่"}
_OPTION_COLUMN = re.compile(r"(.+)\[([^\[\]]+)\]")  # LimeSurvey: channel[line], channel[other]


@dataclass(frozen=True)
class Response:
    """One filled-in form.

    Attributes:
        answered_at: when, in UTC.
        token: of the personal link, or None.
        language: th, en or None.
        answers: by question, in the order of the form.
    """

    answered_at: datetime
    token: str | None
    language: str | None
    answers: dict[str, Answer]


class _Column:
    """Where the answers to a question stand, and what they mean."""

    def __init__(self, form: Form, question: Question, headings: Sequence[str]) -> None:
        self.question = question
        self._meaning = Meaning(form, question)
        self._places = _places(headings, question.headings)
        self._ticks: dict[int, str] = {}
        self._words: list[int] = []
        if question.kind in ("choice", "choices", "group"):
            self._find_option_columns(headings)
        self.places = {*self._places, *self._ticks, *self._words}

    def _find_option_columns(self, headings: Sequence[str]) -> None:
        wanted = {folded(heading) for heading in self.question.headings}
        for place, heading in enumerate(headings):
            found = _OPTION_COLUMN.fullmatch(folded(heading))
            if found is None or found[1] not in wanted:
                continue
            option = self._meaning.option(found[2])
            if OTHER in (option, found[2]):
                self._words.append(place)
            elif option is not None:
                self._ticks[place] = option

    def answer(self, row: Sequence[str]) -> Answer:
        """Return what a row says to the question."""
        found = self._meaning.answer(_first(row, self._places))
        if not self._ticks and not self._words:
            return found
        ticked = [option for place, option in self._ticks.items() if _is_ticked(row[place])]
        words = clean(_first(row, self._words))
        options = [*found.options, *ticked, *([self._meaning.rest] if words else [])]
        return Answer(
            tuple(dict.fromkeys(options)),
            ", ".join(filter(None, (found.words, words))) or None,
            "".join([found.key, *ticked, folded(words)]),
        )


def _is_ticked(cell: str) -> bool:
    return folded(cell) not in _NOT_TICKED


def _first(row: Sequence[str], places: Iterable[int]) -> str:
    """Return the first cell that is filled: a form in two languages may ask in two columns."""
    return next((row[place] for place in places if row[place].strip()), "")


def _places(headings: Sequence[str], wanted: Sequence[str]) -> list[int]:
    known = {folded(heading) for heading in wanted}
    return [place for place, heading in enumerate(headings) if folded(heading) in known]


class Responses:
    """The filled-in forms of an export.

    Attributes:
        ignored: headings of columns that are none of the form's.
        rows: how many rows were read so far.
        unusable: how many of them say not when they were answered, or have another number of cells
            than headings.
        unusable_rows: the first of these, as a spreadsheet counts them (headings are row 1, blank rows
            do not count).
        unknown: question -> in how many rows it has an answer that the form does not have.
        newest: when the last of them was answered.
    """

    def __init__(self, form: Form, table: Table, file: str, until: datetime) -> None:
        """Find the columns.

        Args:
            form: what they are called.
            table: the export.
            file: its name, for sentences.
            until: nothing was answered after this.

        Raises:
            EngagementError: one of them is missing.
        """
        self._form, self._table, self._until = form, table, until
        self._columns = [_Column(form, question, table.headings) for question in form.questions]
        own = {
            what: _places(table.headings, form.headings(what))
            for what in ("timestamp", "token", "language")
        }
        self._timestamp, self._token, self._language = own.values()
        self._require_columns(file)
        taken = {
            place
            for places in (*own.values(), *(c.places for c in self._columns))
            for place in places
        }
        self.ignored = tuple(
            clean(heading)
            for place, heading in enumerate(table.headings)
            if place not in taken and heading.strip()
        )
        self.rows = 0
        self.unusable = 0
        self.unusable_rows: list[int] = []
        self.unknown: Counter[str] = Counter()
        self.newest: datetime | None = None

    def _require_columns(self, file: str) -> None:
        own = {"timestamp": self._timestamp, "token": self._token}
        missing = [
            self._form.headings(what)[0]
            for what, places in own.items()
            if self._form.headings(what) and not places
        ]
        missing += [c.question.headings[0] for c in self._columns if not c.places]
        if missing:
            named = ", ".join(f"“{heading}”" for heading in missing[:_COLUMNS_NAMED])
            more = len(missing) - _COLUMNS_NAMED
            raise EngagementError(
                f"{file} has no column {named}{f' and {more} more' if more > 0 else ''}; it is an export of "
                f"another form, or name the column in {self._form.form}.yaml as the export has it."
            )

    def chunks(self, size: int) -> Iterator[list[Response]]:
        """Yield the usable rows, at most `size` at a time.

        Raises:
            EngagementError: the file turns out to be unreadable on the way.
        """
        responses = self._responses()
        while chunk := list(islice(responses, size)):
            yield chunk

    def _responses(self) -> Iterator[Response]:
        for row in self._table.rows:
            self.rows += 1
            at = row and instants.parse(
                _first(row, self._timestamp), self._form.order, self._form.zone, self._until
            )
            if not row or not at:
                self.unusable += 1
                if len(self.unusable_rows) < _ROWS_NAMED:
                    self.unusable_rows.append(self.rows + 1)
                continue
            self.newest = max(at, self.newest or at)
            yield self._response(row, at)

    def _response(self, row: Sequence[str], at: datetime) -> Response:
        answers = {column.question.code: column.answer(row) for column in self._columns}
        self.unknown.update(code for code, said in answers.items() if UNKNOWN in said.options)
        language = clean(_first(row, self._language)).casefold().partition("-")[0]
        return Response(
            answered_at=at,
            token=clean(_first(row, self._token)) or None,
            language=language if language in ("th", "en") else None,
            answers=answers,
        )


def fit(form: Form, headings: Sequence[str]) -> int:
    """Return how many of the headings that a form knows are among those of a table."""
    known = {
        folded(heading)
        for headings in (
            *(form.headings(what) for what in ("timestamp", "token", "language")),
            *(question.headings for question in form.questions),
        )
        for heading in headings
    }
    return sum(folded(heading) in known for heading in headings)
