"""Plans and figures of surveys as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from engagement import clock
from engagement.labels import labels
from engagement.measure.answers import Imported
from engagement.measure.figures import Counts, Figures, Reachable
from engagement.measure.plan import Plan
from engagement.sending import FRESH_ANSWERS
from engagement.settings import settings


def show_plan(plan: Plan) -> None:
    """Print whom a campaign would ask, by group, and who is left out."""
    table = _table(f"{plan.campaign.campaign}: people of {plan.campaign.frame}", "group")
    reasons = list(plan.frame.left_out)
    for heading in ("may be asked", "are asked", *(f"left out: {reason}" for reason in reasons)):
        table.add_column(heading, justify="right")
    for group, count in plan.asked.items():
        left_out = (plan.frame.left_out[reason][group] for reason in reasons)
        _add(table, labels().group(group).en, (plan.frame.people[group], count, *left_out))
    totals = (sum(plan.frame.left_out[reason].values()) for reason in reasons)
    _add(table, "all", (sum(plan.frame.people.values()), plan.invited, *totals))
    console = Console()
    console.print(table)
    console.print(f"Waves: {' + '.join(f'{size:,}' for size in plan.waves)} people.")
    if plan.answers_needed is not None:
        console.print(f"Answers needed for the margin of error: {plan.answers_needed:,}.")
    wanted = plan.campaign.sample
    answering = (
        "everybody answers; fewer answers widen it (expected_response_rate)"
        if wanted.expected_response_rate is None
        else f"{wanted.expected_response_rate:.0%} answer"
    )
    console.print(
        f"Margin of error for all together: {plan.margin:.1%} at {wanted.confidence:.0%}, if {answering}."
    )


def show_figures(figures: Figures) -> None:
    """Print what became of a campaign's mails, by group, its rates, and who could be reached."""
    table = _table(f"{figures.campaign}: invitations, bounces and answers, in people", "group")
    columns = ("invited", "sent", "hard", "soft", "unsure", "delivered", "no more")
    for heading in (*columns, "answered"):
        table.add_column(heading, justify="right")
    for group in labels().groups:
        for counts in [c for code, c in figures.by_group.items() if code == group]:
            _add(table, labels().group(group).en, _row(counts))
    _add(table, "all", _row(figures.counts))
    console = Console()
    console.print(table)
    counts = figures.counts
    for rate, base, name in (
        (counts.response_rate, counts.invited, "invited (AAPOR RR1)"),
        (counts.response_rate_delivered, counts.delivered, "delivered"),
    ):
        share = f": {rate:.1%}" if rate is not None else ""
        console.print(f"Answered of {name}: {counts.answered:,} of {base:,}{share}")
    others = {
        kind: count for kind, count in figures.responses.items() if count and kind != "counted"
    }
    if others:
        console.print(
            "Not counted: " + ", ".join(f"{count:,} {kind}" for kind, count in others.items()) + "."
        )
    console.print(f"Reachable, estimated: {_reachable(figures.reachable)}")


def _reachable(reach: Reachable | None) -> str:
    if reach is None:
        return "not measured yet; its mails must be out, wait_hours over, and the bounces read, the canary's too."
    people, low, high = reach.people
    return (
        f"{people:,} of the {reach.frame:,} people of {reach.period} who might have been asked on {reach.drawn_date} "
        f"({reach.share:.1%}; 95 %: {low:,} to {high:,}; sample of {reach.sampled:,}). That some do not read their mail "
        "is not in it."
    )


def show_import(done: Imported) -> None:
    """Print what an export of answers held."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in done.kinds.items() if count)
    lines = [f"{done.file}: {done.rows:,} rows, {done.new:,} new; all told {kinds or 'none'}."]
    if done.unusable:
        rows = ", ".join(map(str, done.unusable_rows))
        lines.append(f"{done.unusable:,} rows cannot be used, first of them row {rows}.")
    for question, count in done.unknown.items():
        lines.append(f"{question}: {count:,} answers that the form does not have.")
    if done.ignored_columns:
        lines.append(f"Columns that the form does not name: {', '.join(done.ignored_columns)}.")
    if done.exported_at is None or done.exported_at < clock.now() - FRESH_ANSWERS:
        lines.append(f"{_vouched(done.exported_at)}, and no reminder goes out by it.")
        lines.append("If it was exported later, import it again with --exported-at.")
    Console(highlight=False).print("\n".join(lines), markup=False)


def _vouched(until: datetime | None) -> str:
    if until is None:
        return (
            "No answer in it came with a link of this campaign: it does not tell who has answered"
        )
    instant = until.astimezone(settings().zone)
    return f"It tells who had answered by {instant:%Y-%m-%d %H:%M}, more than a day ago"


def _row(counts: Counts) -> tuple[int, ...]:
    return (
        counts.invited,
        counts.sent,
        counts.hard_bounced,
        counts.soft_bounced,
        counts.uncertain,
        counts.delivered,
        counts.opted_out,
        counts.answered,
    )


def _table(title: str, first: str) -> Table:
    """Return a table so narrow that all of it fits a terminal of 80 columns."""
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=0, show_edge=False)
    table.add_column(first, no_wrap=True)
    return table


def _add(table: Table, name: str, counts: Iterable[int]) -> None:
    table.add_row(name, *(f"{count:,}" for count in counts))
