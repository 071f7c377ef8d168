"""Editions of the report: a cut of the figures, rendered in every language and kept as it was."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from engagement import mail, warehouse, wording
from engagement.labels import Language
from engagement.mail import Attachment
from engagement.monitor import content, distribution, report, statement
from engagement.monitor.content import Content
from engagement.monitor.report import PICTURE, Letterhead, Report
from engagement.period import Period
from engagement.settings import settings
from engagement.templates import environment
from engagement.warehouse import Session

LANGUAGES: tuple[Language, ...] = get_args(Language)
_FIGURES = (
    "period", "edition", "figure_no", "name", "about", "unit", "value", "base", "low", "high", "source",
)  # fmt: skip
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Rendering:
    """The report in one language: the mail, its picture (PNG) and the board's edition (PDF)."""

    report: Report
    chart: bytes
    pdf: bytes


def make(period: Period, run: str) -> int:
    """Cut the figures of a published period now, render the report in every language, and keep it.

    What says the same as the newest edition is that edition.

    Args:
        period: what the report is on.
        run: what made it, as a data engineer finds it again.

    Returns:
        The edition.

    Raises:
        EngagementError: nothing is published for the period, or its figures contradict each other.
    """
    said = distribution.read()
    with warehouse.session() as session:
        session.scalar("model/lock_publish", period=str(period))  # figures of one publication
        cut = content.gather(session, period, said, run)
    letterhead = Letterhead(said.library, said.contact, said.email)
    made = {language: _render(cut, letterhead, language) for language in LANGUAGES}
    with warehouse.session() as session:
        edition = _keep(session, cut, made)
    _log.info("The report on %s is edition %s.", period, edition)
    return edition


def _render(cut: Content, letterhead: Letterhead, language: Language) -> _Rendering:
    from engagement.monitor import chart, pdf

    return _Rendering(
        report.render(cut, letterhead, language),
        chart.draw(cut.trend, language),
        pdf.render(cut, letterhead, language),
    )


def _keep(session: Session, cut: Content, made: Mapping[Language, _Rendering]) -> int:
    period = str(cut.patrons.period)
    digest = _digest(cut, [one.report for one in made.values()])
    session.scalar("monitor/lock_report", period=period)
    newest = session.one("monitor/newest_report", period=period)
    if newest is not None and newest.content_hash == digest:
        return int(newest.edition)
    edition = 1 if newest is None else int(newest.edition) + 1
    for language, one in made.items():
        session.run(
            "monitor/keep_report",
            period=period,
            edition=edition,
            language=language,
            subject=one.report.subject,
            html=one.report.html,
            text=one.report.text,
            chart=one.chart,
            pdf=one.pdf,
            content_hash=digest,
            run=cut.run,
            cut_at=cut.cut_at,
        )
    rows = (
        (period, edition, number, *(getattr(row, column) for column in _FIGURES[3:]))
        for number, row in enumerate(statement.rows(cut), 1)
    )
    session.copy("ops.report_figure", _FIGURES, rows)
    return edition


def _digest(cut: Content, reports: Sequence[Report]) -> str:
    """Return what is equal for two cuts that say the same, whenever and by whichever run they were made."""
    said = "\0".join(text for one in reports for text in (one.subject, one.text))
    cut_at = cut.cut_at.astimezone(settings().zone)
    for changing in (cut.run, wording.TH.instant(cut_at), wording.EN.instant(cut_at)):
        said = said.replace(changing, "")
    return hashlib.sha256(f"{said}{statement.rows(cut)}".encode()).hexdigest()


def newest(session: Session, period: Period) -> int | None:
    """Return the newest edition of the report on `period`, or None where there is none."""
    row = session.one("monitor/newest_report", period=str(period))
    return None if row is None else int(row.edition)


def letter(
    period: Period,
    edition: int,
    language: Language,
    *,
    sender: str,
    has_pdf: bool,
    mark: str = "",
) -> mail.Letter:
    """Return an edition as a mail to many.

    Args:
        period: what it is on.
        edition: which it is.
        language: of the mail.
        sender: in whose name it is sent.
        has_pdf: whether the board's edition goes along.
        mark: what stands before the subject.

    Raises:
        LookupError: it is not kept.
    """
    kept = read(period, edition, language)
    is_shown = kept.chart is not None and f"cid:{PICTURE}" in kept.html
    return mail.Letter(
        sender=sender,
        subject=mark + kept.subject,
        text=kept.text,
        html=kept.html,
        language=language,
        pictures={PICTURE: bytes(kept.chart)} if is_shown else None,
        attachment=_attached(period, language, kept.pdf) if has_pdf and kept.pdf else None,
    )


def read(period: Period, edition: int, language: Language) -> Any:
    """Return what is kept of an edition in one language: subject, html, text, chart, pdf.

    Raises:
        LookupError: it is not kept.
    """
    with warehouse.session() as session:
        kept = session.one("monitor/report", period=str(period), edition=edition, language=language)
    if kept is None:
        raise LookupError(f"edition {edition} of {period} in {language}")
    return kept


def _attached(period: Period, language: Language, pdf: bytes) -> Attachment:
    name = environment("release", language).get_template("file.txt.j2").render(period=period)
    return Attachment(f"{name}.pdf", f"report-{period}.pdf", pdf)
