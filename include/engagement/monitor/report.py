"""The executives' monthly mail: what the figures say, put into the templates' words.

Here is decided what may be said (bases, comparisons, small numbers); how it is said, in Thai and in English,
is in `include/templates/report/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from css_inline import CSSInliner

from engagement.errors import EngagementError
from engagement.labels import Label, Language, labels
from engagement.monitor.figures import GroupCount, PatronFigures
from engagement.monitor.work_items import WorkItem, WorkItems, words
from engagement.settings import settings
from engagement.templates import environment
from engagement.wording import whole_in_html, whole_in_text

PERCENTAGE_BASE = 30  # below it a count says more than a percentage
SMALL = 4  # 1 to 4 people could be recognised
ITEMS_SHOWN = 8  # per section of work; the rest is a number
FAULTS_SHOWN = 3
# Reasons that are no gap in a current member's data: such a record asks nobody for data.
NO_DATA_FAULT = ("undecodable", "malformed", "objected", "not_current")

Comparison = Literal["compared", "first", "redefined"]


@dataclass(frozen=True)
class Letterhead:
    """Who writes, and who answers: the library and the contact in both languages, an e-mail address."""

    library: Label
    contact: Label
    email: str


@dataclass(frozen=True)
class Report:
    """One edition of the mail; the subject is one line, the text is written for itself."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Figure:
    """A count of records, its share of a base in per cent, and both compared with the month before.

    `share` is None where the base is under PERCENTAGE_BASE, `change` (records) where nothing may be
    compared, `points` (percentage points) where either month has no share.
    """

    count: int
    base: int
    share: float | None
    change: int | None
    points: float | None


@dataclass(frozen=True)
class Group:
    """A row of the group table; `figure` counts real customers on the group's records.

    It is None where the row is hidden because it, or what it gives away, is a handful of people.
    """

    label: Label
    figure: Figure | None


@dataclass(frozen=True)
class Rejection:
    """A row of the rejections: records that fail for this reason first, and for it at all."""

    label: Label
    first: int
    every: int


@dataclass(frozen=True)
class Section:
    """One section of the librarians' work; `more` is how many items are not listed."""

    title: str
    items: tuple[WorkItem, ...]
    more: int


def render(
    figures: PatronFigures,
    previous: PatronFigures | None,
    work: WorkItems,
    *,
    letterhead: Letterhead,
    language: Language = "th",
) -> Report:
    """Return the report on `figures.period` in one language; the Thai one has an English summary.

    Args:
        figures: the period's figures.
        previous: those of the month before, or None where none are published.
        work: what the librarians' spreadsheet says for the period.
        letterhead: the library, and whom to ask.
        language: of the edition.

    Raises:
        EngagementError: figures contradict each other, or `previous` is another month than the one before.
    """
    require_agreement(figures)
    if previous is not None:
        require_agreement(previous)
    values = _values(figures, previous, work) | {"letterhead": letterhead}
    values["summary"] = _rendered("summary.txt.j2", "en", values) if language == "th" else ""
    plain = whole_in_text(_rendered("report.txt.j2", language, values))
    subject, text = plain.split("\n", 1)
    html = whole_in_html(_rendered("report.html.j2", language, values | {"subject": subject}))
    return Report(subject, _inliner().inline(html), re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")


def _rendered(name: str, language: Language, values: Mapping[str, Any]) -> str:
    return environment("report", language).get_template(name).render(values).strip()


@cache
def _inliner() -> CSSInliner:
    """Return what writes the style sheet into the tags: few mail programs read it where it stands."""
    return CSSInliner(keep_at_rules=True, minify_css=True, load_remote_stylesheets=False)


def require_agreement(figures: PatronFigures) -> None:
    """Raise EngagementError, naming the first totals that contradict each other, unless all agree."""
    f, groups = figures, figures.by_group.values()
    first, every = f.rejected_by_first_reason, f.rejected_by_reason
    totals = {
        "real customers and rejected records": (f.real_customers + f.rejected, f.extracted),
        "first reasons": (sum(first.values()), f.rejected),
        "the groups' records": (sum(g.extracted for g in groups), f.extracted),
        "the groups' real customers": (sum(g.real_customers for g in groups), f.real_customers),
    }
    for name, (found, expected) in totals.items():
        if found != expected:
            raise _contradiction(figures, f"{name} sum to {found:,}, not to {expected:,}")
    steps = (f.mailable, f.real_customers, f.current, f.extracted)
    if list(steps) != sorted(steps) or f.real_persons > f.real_customers:
        raise _contradiction(figures, "a later step of the funnel is larger than an earlier one")
    if _incomplete(f) > f.current - f.real_customers:
        raise _contradiction(figures, "more members lack data than are no real customers")
    if any(count > every.get(reason, 0) for reason, count in first.items()):
        raise _contradiction(figures, "a first reason counts more records than the reason itself")
    if any(g.real_customers > g.extracted for g in groups):
        raise _contradiction(figures, "a group has more real customers than records")


def _contradiction(figures: PatronFigures, what: str) -> EngagementError:
    return EngagementError(
        f"The figures of {figures.period} contradict each other: {what}; no report was made. "
        "Publish the period again with model_patrons."
    )


def hidden_groups(counts: Mapping[str, int]) -> frozenset[str]:
    """Return the groups whose count may not be shown beside the total of all.

    Those of 1 to SMALL people, and with them the next larger groups until the total leaves every hidden
    one undetermined (complementary suppression; Hundepool et al., Statistical Disclosure Control, 2012,
    chapter 4). Where no choice of groups does, all are hidden.
    """
    small = [group for group, count in counts.items() if 1 <= count <= SMALL]
    if not small:
        return frozenset()
    larger = sorted((g for g in counts if counts[g] > SMALL), key=lambda g: counts[g])
    for size in range(1, len(larger) + 1):
        beside = larger[:size]
        smallest_shown = counts[larger[size]] if size < len(larger) else None
        hidden_sum = sum(counts[group] for group in (*small, *beside))
        if _undetermined(hidden_sum, len(small), size, smallest_shown):
            return frozenset((*small, *beside))
    return frozenset(counts)


def _undetermined(hidden_sum: int, small: int, larger: int, smallest_shown: int | None) -> bool:
    """Say whether each of the `small` hidden counts could still be anything from 1 to SMALL.

    A reader knows the hidden sum, that each larger count is over SMALL, and that none is larger than
    the smallest one shown.
    """
    could_be_four = hidden_sum - SMALL >= (small - 1) + larger * (SMALL + 1)
    if smallest_shown is None:
        return could_be_four
    return could_be_four and hidden_sum - 1 <= (small - 1) * SMALL + larger * smallest_shown


def _values(
    figures: PatronFigures, previous: PatronFigures | None, work: WorkItems
) -> dict[str, Any]:
    """Return what the templates may say."""
    comparison = _comparison(figures, previous)
    before = previous if comparison == "compared" else None
    return {
        "f": figures,
        "comparison": comparison,
        "month_before": figures.period.previous,
        "published_at": figures.published_at.astimezone(settings().zone),
        "headline": _headline(figures, before),
        "funnel": _funnel(figures, before),
        "groups": _groups(figures, before),
        "rejections": _rejections(figures),
        "work": work,
        "sections": _sections(work),
        "faults": work.faults[:FAULTS_SHOWN],
        "more_faults": len(work.faults[FAULTS_SHOWN:]),
        "percentage_base": PERCENTAGE_BASE,
        "small": SMALL,
    }


def _comparison(figures: PatronFigures, previous: PatronFigures | None) -> Comparison:
    if previous is None:
        return "first"
    if previous.period != figures.period.previous:
        raise EngagementError(
            f"The report on {figures.period} is compared with {figures.period.previous} or with "
            f"nothing, not with {previous.period}."
        )
    return "compared" if previous.definition == figures.definition else "redefined"


def figure(count: int, base: int, before: tuple[int, int] | None) -> Figure:
    """Return a count on its base, compared with `before`: the count and the base of the month before."""
    share = _share(count, base)
    if before is None:
        return Figure(count, base, share, None, None)
    share_before = _share(*before)
    points = None if share is None or share_before is None else share - share_before
    return Figure(count, base, share, count - before[0], points)


def _share(count: int, base: int) -> float | None:
    return 100 * count / base if base >= PERCENTAGE_BASE else None


def _headline(figures: PatronFigures, before: PatronFigures | None) -> dict[str, Figure]:
    """Return the three figures on top: who counts, whom we may write to, whose data to mend."""
    then = {} if before is None else _top_counts(before)
    return {name: figure(*counts, then.get(name)) for name, counts in _top_counts(figures).items()}


def _top_counts(figures: PatronFigures) -> dict[str, tuple[int, int]]:
    """Return count and base of the three figures on top."""
    return {
        "real_customers": (figures.real_customers, figures.extracted),
        "mailable": (figures.mailable, figures.real_customers),
        "incomplete": (_incomplete(figures), figures.current),
    }


def _incomplete(figures: PatronFigures) -> int:
    """Return how many records of current members fail a check of their data."""
    first = figures.rejected_by_first_reason
    return sum(count for reason, count in first.items() if reason not in NO_DATA_FAULT)


def _funnel(figures: PatronFigures, before: PatronFigures | None) -> dict[str, Figure]:
    """Return the steps from all records to those we may write to, each on all records."""
    return {
        step: figure(
            getattr(figures, step),
            figures.extracted,
            None if before is None else (getattr(before, step), before.extracted),
        )
        for step in ("extracted", "current", "real_customers", "mailable")
    }


def _groups(figures: PatronFigures, before: PatronFigures | None) -> list[Group]:
    """Return the groups in their order, the unmapped only where there are any.

    What is hidden in either month has no change: the shown month would give the hidden one away.
    """
    hidden = _hidden(figures)
    incomparable = hidden if before is None else hidden | _hidden(before)
    rows = []
    for code, group in figures.by_group.items():
        if code == "unmapped" and not group.extracted:
            continue
        old = None if before is None or code in incomparable else before.by_group.get(code)
        shown = (
            None
            if code in hidden
            else figure(*_counts(group), None if old is None else _counts(old))
        )
        rows.append(Group(labels().group(code), shown))
    return rows


def _counts(group: GroupCount) -> tuple[int, int]:
    return group.real_customers, group.extracted


def _hidden(figures: PatronFigures) -> frozenset[str]:
    return hidden_groups({code: g.real_customers for code, g in figures.by_group.items()})


def _rejections(figures: PatronFigures) -> list[Rejection]:
    """Return the reasons that occurred, in their fixed order."""
    return [
        Rejection(labels().reason(code), figures.rejected_by_first_reason.get(code, 0), every)
        for code, every in figures.rejected_by_reason.items()
        if every
    ]


def _sections(work: WorkItems) -> list[Section]:
    sections = []
    for code, title in words()["sections"].items():
        items = work.section(code)
        sections.append(Section(title, items[:ITEMS_SHOWN], len(items[ITEMS_SHOWN:])))
    return sections
