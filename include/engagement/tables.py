"""Figures as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engagement import wording
from engagement.labels import labels
from engagement.model import source as sources
from engagement.monitor.figures import PatronFigures, ReasonCount
from engagement.settings import settings

_COMBINATIONS_SHOWN = 10
_PERCENTAGE_BASE = 30  # below it a percentage says less than the count
_HASH_SHOWN = 12
_FALL = ("", "records", "share", "fail it at all")


def show_figures(figures: PatronFigures) -> None:
    """Print the waterfall of a period, its combinations of reasons, its groups and its notices."""
    console = Console()
    if figures.explanation is not None:
        console.print(escape(figures.explanation.en), style="bold red")
    for table in _tables(figures):
        console.print(table)
    console.print(
        f"As of {figures.as_of_date}, published {figures.published_at:%Y-%m-%d %H:%M} "
        f"({settings().timezone}). Compare it only with periods of the same mapping "
        f"({_short(figures.mapping_hash)}) and suite ({_short(figures.suite_hash)})."
    )


def _short(digest: str | None) -> str:
    return "not kept" if digest is None else digest[:_HASH_SHOWN]


def _tables(figures: PatronFigures) -> Iterator[Table]:
    yield _waterfall(figures)
    if figures.by_combination:
        yield _combinations(figures)
    yield _groups(figures)
    if figures.notices:
        yield _notices(figures)


def funnel(*periods: PatronFigures) -> Table:
    """Return a table of the patron funnel with a column per period."""
    table = Table(title="Patron records")
    table.add_column("")
    for figures in periods:
        table.add_column(str(figures.period), justify="right")
    for name, field in (
        ("extracted", "extracted"),
        ("current members", "current"),
        ("real customers", "real_customers"),
        ("of them persons", "real_persons"),
        ("mailable", "mailable"),
        ("rejected", "rejected"),
    ):
        table.add_row(name, *(f"{getattr(figures, field):,}" for figures in periods))
    return table


def _waterfall(figures: PatronFigures) -> Table:
    """From all records to the real customers, each rejected record under its first reason."""
    table = _table(f"Patron records, {figures.period}", *_FALL)
    counts = {
        code: ReasonCount(figures.rejected_by_reason[code], first)
        for code, first in figures.rejected_by_first_reason.items()
    }
    _fall(table, "extracted", figures.extracted, counts, figures.real_customers)
    table.add_row(
        "    mailable", f"{figures.mailable:,}", _share(figures.mailable, figures.extracted)
    )
    table.add_row("    persons behind them", f"{figures.real_persons:,}")
    return table


def _groups(figures: PatronFigures) -> Table:
    """The same waterfall for each group."""
    table = _table("The same by group", *_FALL)
    for code, count in figures.by_group.items():
        found = figures.rejected_by_group.get(code, {})
        _fall(table, labels().group(code).en, count.extracted, found, count.real_customers)
        table.add_section()
    return table


def _fall(
    table: Table, name: str, extracted: int, counts: Mapping[str, ReasonCount], real: int
) -> None:
    """Add the rows from some records to the real customers among them."""
    table.add_row(f"[bold]{name}", f"[bold]{extracted:,}")
    for code, count in counts.items():
        table.add_row(
            f"  {_reason(code)}",
            wording.signed(-count.first),
            _share(count.first, extracted),
            f"{count.records:,}",
        )
    table.add_row("  real customers", f"[bold]{real:,}", _share(real, extracted))


def _combinations(figures: PatronFigures) -> Table:
    """Each rejected record once, under all its reasons."""
    table = _table("Rejected, by all their reasons together", "", "records", "of the rejected")
    listed = list(figures.by_combination.items())
    for codes, count in listed[:_COMBINATIONS_SHOWN]:
        name = " + ".join(_reason(code) for code in codes)
        table.add_row(name, f"{count:,}", _share(count, figures.rejected))
    rest = listed[_COMBINATIONS_SHOWN:]
    if rest:
        count = sum(count for _, count in rest)
        table.add_row(f"{len(rest):,} more", f"{count:,}", _share(count, figures.rejected))
    return table


def _notices(figures: PatronFigures) -> Table:
    """What deserves a look; where status and expiry contradict each other, which one the YAML lets win."""
    table = _table("Worth a look, whatever the verdict", "", "records", "decided by")
    chosen = _chosen(figures)
    for code, count in figures.notices.items():
        table.add_row(labels().notices[code].en, f"{count:,}", chosen.get(code, ""))
    return table


def _chosen(figures: PatronFigures) -> Mapping[str, str]:
    """Return the choices of the source's YAML, unless it has changed since the period was read."""
    source = sources.load(settings().source)
    choices = source.membership.contradiction.model_dump()
    if source.mapping_hash != figures.mapping_hash:
        return dict.fromkeys(choices, f"{source.system}.yaml, changed since")
    return {code: f"contradiction.{code}: {wins}" for code, wins in choices.items()}


def _table(title: str, *headings: str) -> Table:
    """Return a table whose first column is words and whose others are numbers."""
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    return table


def _reason(code: str) -> str:
    """Return the reason's name; a suite's own may be any text."""
    return escape(labels().reason(code).en)


def _share(count: int, base: int) -> str:
    return f"{wording.decimal(100 * count / base)} %" if base >= _PERCENTAGE_BASE else ""
