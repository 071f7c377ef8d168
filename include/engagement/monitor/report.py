"""The executives' monthly mail: a report's content put into the templates' words.

What may be said is in `content`; how it is said, in Thai and in English, in `include/templates/report/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from css_inline import CSSInliner

from engagement.labels import Label, Language
from engagement.measure.figures import PERCENTAGE_BASE
from engagement.monitor import chart, disclosure
from engagement.monitor.content import DECISIONS_SHOWN, ITEMS_SHOWN, Content
from engagement.monitor.work_items import words
from engagement.period import Period
from engagement.settings import settings
from engagement.templates import environment
from engagement.wording import whole_in_html, whole_in_text

FAULTS_SHOWN = 3
FINDINGS_SHOWN = 8  # of a survey: the mail has to stay small
CHOICES_SHOWN = 8  # of a question
LONGEST = 100_000  # bytes of HTML; Gmail cuts off what is beyond 102 KB
PICTURE = "trend"  # the Content-ID of the one picture


@dataclass(frozen=True)
class _Page:
    """How much of a survey's findings and of a section of work the HTML shows."""

    findings: int
    items: int


_PAGES = (
    _Page(FINDINGS_SHOWN, ITEMS_SHOWN),
    _Page(FINDINGS_SHOWN, 4),
    _Page(4, 4),
    _Page(2, 2),
    _Page(0, 1),
)


@dataclass(frozen=True)
class Letterhead:
    """Who writes, and who answers: the library and the contact in both languages, an e-mail address."""

    library: Label
    contact: Label
    email: str


@dataclass(frozen=True)
class Report:
    """One edition of the mail; the subject is one line, the text is written for itself.

    The HTML shows the picture PICTURE, and says everything without it.
    """

    subject: str
    html: str
    text: str


def render(content: Content, letterhead: Letterhead, language: Language) -> Report:
    """Return the report in one language; the Thai one has an English summary."""
    values = phrases(content, letterhead, language)
    plain = whole_in_text(_rendered("report.txt.j2", language, values))
    subject, text = plain.split("\n", 1)
    html = _fitting(language, values | {"subject": subject})
    return Report(subject, html, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")


def _fitting(language: Language, values: Mapping[str, Any]) -> str:
    """Return the HTML with as many findings and work items as fit: mail programs cut off what is longer."""
    html = ""
    for page in _PAGES:
        html = whole_in_html(_rendered("report.html.j2", language, {**values, "page": page}))
        html = _inliner().inline(html)
        if len(html.encode()) <= LONGEST:
            break
    return html


def phrases(content: Content, letterhead: Letterhead, language: Language) -> dict[str, Any]:
    """Return what the templates of every edition put into words."""
    patrons, faults, zone = content.patrons, content.work.faults, settings().zone
    values: dict[str, Any] = {
        "c": content,
        "f": patrons,
        "letterhead": letterhead,
        "month_before": patrons.period.previous,
        "cut_at": content.cut_at.astimezone(zone),
        "last_good_at": content.work.last_good_at and content.work.last_good_at.astimezone(zone),
        "published_at": patrons.published_at.astimezone(zone),
        "status_names": words()["statuses_en"] if language == "en" else {},
        "chart_says": chart.statement(content.trend, language, content.same_below_pct),
        "picture": PICTURE,
        "reach_month": content.reachable and Period.parse(content.reachable.period),
        "faults": faults[:FAULTS_SHOWN],
        "more_faults": len(faults[FAULTS_SHOWN:]),
        "more_decisions": max(content.decisions_wanted - DECISIONS_SHOWN, 0),
        "findings_shown": FINDINGS_SHOWN,
        "choices_shown": CHOICES_SHOWN,
        "percentage_base": PERCENTAGE_BASE,
        "small": disclosure.SMALL,
    }
    values["summary"] = _rendered("summary.txt.j2", "en", values) if language == "th" else ""
    return values


def _rendered(name: str, language: Language, values: Mapping[str, Any]) -> str:
    templates = environment("report", language, is_html=name.endswith(".html.j2"))
    return templates.get_template(name).render(values).strip()


@cache
def _inliner() -> CSSInliner:
    """Return what writes the style sheet into the tags: few mail programs read it where it stands."""
    return CSSInliner(keep_at_rules=True, minify_css=True, load_remote_stylesheets=False)
