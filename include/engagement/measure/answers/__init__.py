"""Answers: reads what people filled in out of exports, and brings it into the warehouse once."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from engagement import address, clock, warehouse
from engagement.database_error import DatabaseError
from engagement.errors import EngagementError
from engagement.measure import form as forms
from engagement.measure.answers import files
from engagement.measure.answers.responses import Response, Responses, fit
from engagement.measure.campaign import Campaign
from engagement.measure.form import Form
from engagement.settings import settings
from engagement.warehouse import Session

Kind = Literal["counted", "late", "doubled", "tokenless", "unknown token"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_OURS: tuple[Kind, ...] = ("counted", "doubled", "late")  # with a link of the campaign

_CHUNK_ROWS = 2_000
_TOLD_ROWS = 100_000
_LINKED_ROWS = (
    50_000  # at once: until a statement ends, the server remembers each row that refers to another
)
_CLOCKS_DIFFER = timedelta(minutes=5)  # the form's system has a clock of its own
_RESPONSE = ("row_no", "response_key", "token", "form_language", "answered_at")
_ANSWER = ("row_no", "question_code", "option_code")
_TEXT = ("row_no", "question_code", "answer")
_READ = ("pg_temp.read_response", "pg_temp.read_answer", "pg_temp.read_text")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Imported:
    """What a file held, and what became of it.

    Attributes:
        file: its name.
        rows: how many filled rows it has below the headings.
        new: how many of them were not known yet.
        kinds: how many of its rows now are of each kind; with `unusable` these are all rows.
        unusable: rows that do not say when they were answered, say it of a time that is to come, or do
            not have a cell for each heading.
        unusable_rows: the numbers of the first ten of these, as a spreadsheet counts.
        unknown: question -> in how many rows it has an answer that the form does not have.
        ignored_columns: headings that the form does not name.
        exported_at: until when the file vouches that nobody else has answered; None where no answer in it came
            with a link of the campaign.
        problem: why the file could not be read, in one sentence; then nothing of it was written.
    """

    file: str
    rows: int = 0
    new: int = 0
    kinds: Mapping[Kind, int] = field(default_factory=dict)
    unusable: int = 0
    unusable_rows: tuple[int, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)
    ignored_columns: tuple[str, ...] = ()
    exported_at: datetime | None = None
    problem: str | None = None


def import_file(campaign: Campaign, path: Path, exported_at: datetime | None = None) -> Imported:
    """Bring the answers of an export into the warehouse; what is there already stays, and comes once.

    A response is known again by when it was given and its token, one without a token also by what it
    says, whatever the file is called, its format and the order of its columns and rows. Whose it is is
    told by its token alone:

    * `counted`: the first response with a token that was given to somebody, in time. Only these enter
      rates: a person who was sampled is one case with one outcome (AAPOR, Standard Definitions), and
      what came first cannot have been made by somebody to whom a link was passed on afterwards.
    * `doubled`: each later one with that token, also one that its author edited. If a file brings an
      earlier one than was known, that one counts from then on.
    * `late`: the first one, but after the end of the campaign.
    * `tokenless`, `unknown token`: nobody knows whose it is.

    Answers that the form does not have are kept as `unknown`. Once its YAML names them, or a column that
    it did not, importing the file again reads them anew.

    Args:
        campaign: whose answers these are; its form says how they are read.
        path: the export, as CSV (also zipped) or .xlsx.
        exported_at: when it was made, by whoever made it. Else it vouches for no more than its newest
            answer: the time of the file is that of its last copy, and a later one would let people be
            reminded who have answered since.

    Raises:
        EngagementError: the file is no export of the campaign's form, or holds no answers; nothing was
            written.
    """
    form = forms.load(campaign.form)
    now = clock.now()
    table = files.opened(path, partial(fit, form))
    responses = Responses(form, table, path.name, until=now + _CLOCKS_DIFFER)
    with warehouse.session() as session:
        _lock(session, campaign, form)
        _stage(session, campaign, responses)
        _require_answers(responses, path.name, form, exported_at)
        vouched: datetime | None = _vouched(responses, path.name, exported_at, now)
        new = _merge(session, campaign, form, responses.rows, now)
        kinds = dict.fromkeys(KINDS, 0) | _kinds(session, "measure/count_read_response")
        if exported_at is None and not any(kinds[kind] for kind in _OURS):
            vouched = None  # with no link of ours in it, it may be of another campaign
        imported = Imported(
            file=path.name,
            rows=responses.rows,
            new=new,
            kinds=kinds,
            unusable=responses.unusable,
            unusable_rows=tuple(responses.unusable_rows),
            unknown=dict(responses.unknown),
            ignored_columns=responses.ignored,
            exported_at=vouched,
        )
        session.run(
            "measure/keep_answer_import",
            campaign=campaign.campaign,
            file_hash=_digest(path),
            row_count=imported.rows,
            new_count=imported.new,
            unusable_count=imported.unusable,
            exported_at=imported.exported_at,
            now=now,
        )
    _log.info(
        "Answers to %s: rows %s, new %s, unusable %s, %s.",
        campaign.campaign,
        f"{imported.rows:,}",
        f"{imported.new:,}",
        f"{imported.unusable:,}",
        ", ".join(f"{kind} {count:,}" for kind, count in imported.kinds.items()),
    )
    return imported


def import_folder(campaign: Campaign, folder: Path) -> list[Imported]:
    """Bring in each file of a folder whose content was not imported yet, the oldest first.

    A file that cannot be read keeps no other one from being imported; its `problem` says why. Hidden
    files and those that Excel leaves beside an open one are none.

    Raises:
        DatabaseError: the warehouse does not answer: that is no fault of a file.
    """
    found = [
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.is_file() and not path.name.startswith((".", "~$"))
    ]
    found.sort(key=lambda path: (path.stat().st_mtime, path.name))
    return [_tried(campaign, path) for path in found if not _is_known(campaign, path)]


def _tried(campaign: Campaign, path: Path) -> Imported:
    try:
        return import_file(campaign, path)
    except DatabaseError:
        raise
    except EngagementError as error:
        return Imported(path.name, problem=str(error))


def _is_known(campaign: Campaign, path: Path) -> bool:
    with warehouse.session() as session:
        known: bool = session.scalar(
            "measure/is_answer_file_known", campaign=campaign.campaign, file_hash=_digest(path)
        )
    return known


def counts(campaign: str) -> dict[Kind, int]:
    """Return how many responses of each kind a campaign has."""
    with warehouse.session() as session:
        return dict.fromkeys(KINDS, 0) | _kinds(
            session, "measure/count_response", campaign=campaign
        )


def _kinds(session: Session, query: str, **binds: Any) -> dict[Kind, int]:
    return {row.kind: row.response_count for row in session.rows(query, **binds)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lock(session: Session, campaign: Campaign, form: Form) -> None:
    """Let one import of the campaign run at a time, and of one form only.

    Raises:
        EngagementError: the campaign has answers to a form that was asked differently.
    """
    session.run("measure/lock_answers", campaign=campaign.campaign)
    if session.scalar(
        "measure/has_other_form", campaign=campaign.campaign, form_hash=form.form_hash
    ):
        raise EngagementError(
            f"Questions or options of {form.form}.yaml have changed since answers to {campaign.campaign} were "
            "imported; take that back, and write what an export spells differently under column or also."
        )


def _stage(session: Session, campaign: Campaign, responses: Responses) -> None:
    """Bring what the file says into temporary tables, chunk by chunk."""
    for create in (
        "measure/create_read_response",
        "measure/create_read_answer",
        "measure/create_read_text",
    ):
        session.run(create)
    key = address.secret()
    number = 0
    for chunk in responses.chunks(_CHUNK_ROWS):
        numbered = list(enumerate(chunk, start=number))
        number += len(chunk)
        session.copy(
            _READ[0],
            _RESPONSE,
            (
                (n, _response_key(campaign, one, key), one.token, one.language, one.answered_at)
                for n, one in numbered
            ),
        )
        session.copy(_READ[1], _ANSWER, _options(numbered))
        session.copy(_READ[2], _TEXT, _words(numbered))
        if number % _TOLD_ROWS == 0:
            _log.info("Answers to %s: %s rows read.", campaign.campaign, f"{number:,}")


def _response_key(campaign: Campaign, response: Response, key: bytes) -> bytes:
    """Return the HMAC-SHA-256 by which a response is known again.

    What it says is part of it only where there is no token: another spelling or column in the form's YAML
    must not make another response of it.
    """
    told = [campaign.campaign, response.answered_at.astimezone(UTC).isoformat(), response.token]
    if response.token is None:
        told += [answer.key for answer in response.answers.values()]
    return hmac.digest(key, json.dumps(told, ensure_ascii=False).encode(), hashlib.sha256)


def _options(numbered: Iterable[tuple[int, Response]]) -> Iterable[tuple[int, str, str]]:
    for number, response in numbered:
        for question, answer in response.answers.items():
            for option in answer.options:
                yield number, question, option


def _words(numbered: Iterable[tuple[int, Response]]) -> Iterable[tuple[int, str, str]]:
    for number, response in numbered:
        for question, answer in response.answers.items():
            if answer.words is not None:
                yield number, question, answer.words


def _require_answers(
    responses: Responses, file: str, form: Form, exported_at: datetime | None
) -> None:
    if responses.rows == 0 and exported_at is None:
        raise EngagementError(
            f"{file} holds no answers; if nobody has answered yet, say when it was exported."
        )
    if responses.rows and responses.rows == responses.unusable:
        raise EngagementError(
            f"None of the {responses.rows:,} rows of {file} says when it was answered in a way that can be read, "
            f"and of a time that is over; correct columns, order or timezone in {form.form}.yaml."
        )


def _vouched(
    responses: Responses, file: str, exported_at: datetime | None, now: datetime
) -> datetime:
    """Return until when the file vouches that nobody else has answered.

    Raises:
        EngagementError: the file cannot have been exported when somebody says that it was.
    """
    newest = responses.newest or exported_at or now
    vouched = exported_at or newest
    if vouched > now + _CLOCKS_DIFFER or newest > vouched + _CLOCKS_DIFFER:
        raise EngagementError(
            f"{file} was not exported at {vouched:%Y-%m-%d %H:%M}: that is to come, or it holds an answer of "
            f"{newest.astimezone(settings().zone):%Y-%m-%d %H:%M}; correct the time, or leave it out."
        )
    return min(vouched, now)


def _merge(session: Session, campaign: Campaign, form: Form, rows: int, now: datetime) -> int:
    """Write what is new or reads differently now of so many rows, judge all anew; return how many are new."""
    for table in _READ:
        session.analyze(table)
    binds = {"campaign": campaign.campaign, "end_at": campaign.dates.end}
    session.run("measure/number_read_response")
    session.run("measure/find_response", campaign=campaign.campaign)
    session.run("measure/forget_answer")
    session.run("measure/forget_answer_text")
    new = session.run("measure/add_response", form_hash=form.form_hash, now=now, **binds)
    session.analyze(_READ[0])  # which of them are written is known now
    for first in range(0, rows, _LINKED_ROWS):
        some = {"first": first, "until": first + _LINKED_ROWS}
        session.run("measure/add_answer", **some)
        session.run("measure/add_answer_text", **some)
        session.run("measure/add_response_token", campaign=campaign.campaign, **some)
    session.run("measure/judge_response", **binds)
    for table in ("core.response", "core.answer", "pii.response_token"):
        session.analyze(table)
    return new
