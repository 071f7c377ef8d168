"""Figures as tables in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from engagement.labels import labels
from engagement.monitor.figures import PatronFigures
from engagement.settings import settings


def show_figures(figures: PatronFigures) -> None:
    """Print the funnel, the groups and the rejections of a period."""
    console = Console()
    for table in (funnel(figures), _groups(figures), _rejections(figures)):
        console.print(table)
    console.print(
        f"As of {figures.as_of_date}, published {figures.published_at:%Y-%m-%d %H:%M} "
        f"({settings().timezone})."
    )


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


def _groups(figures: PatronFigures) -> Table:
    table = Table("group", title="Groups")
    for name in ("extracted", "real customers"):
        table.add_column(name, justify="right")
    for code, count in figures.by_group.items():
        table.add_row(labels().group(code).en, f"{count.extracted:,}", f"{count.real_customers:,}")
    return table


def _rejections(figures: PatronFigures) -> Table:
    table = Table("reason", title="Rejected records")
    for name in ("for this reason first", "for this reason at all"):
        table.add_column(name, justify="right")
    for code, first in figures.rejected_by_first_reason.items():
        table.add_row(
            labels().reason(code).en, f"{first:,}", f"{figures.rejected_by_reason[code]:,}"
        )
    return table
