"""`engagement mail`: stops all mail, and settles what only a person can know."""

from __future__ import annotations

from typing import Annotated

import typer

from engagement.cli.person import login, show_log
from engagement.errors import EngagementError

mail_app = typer.Typer(no_args_is_help=True, help="All mail that goes out.")


@mail_app.command()
def stop(
    reason: Annotated[str, typer.Option(help="Why; recorded, and told to whoever asks.")],
) -> None:
    """Stop all mail, reports too, within one claim. What was not sent waits."""
    from engagement import outbox

    is_new = outbox.stop(login(), reason)
    typer.echo("All mail is stopped." if is_new else "All mail was stopped already.")


@mail_app.command()
def start() -> None:
    """Let mail go out again."""
    from engagement import outbox

    was_stopped = outbox.start(login())
    typer.echo("Mail goes out again with the next run." if was_stopped else "Mail was not stopped.")


@mail_app.command()
def uncertain() -> None:
    """List the mails of which nobody knows whether they went out, and to whom; logged."""
    from engagement import outbox

    rows = outbox.uncertain(login())
    for row in rows:
        to = "the catch-all address" if row.is_caught else row.address or "somebody who was erased"
        typer.echo(
            f"{row.message_id}  {row.purpose} {row.ref} {row.step}  begun {row.claimed_at:%Y-%m-%d %H:%M}  "
            f"to {to}  header X-Engagement-Token: {row.token}"
        )
    typer.echo(
        f"{len(rows)} mails. Look for the header in the recipient's mailbox or the relay's log, then run "
        "`engagement mail settle NUMBER --arrived` or `--not-arrived`."
        if rows
        else "No mail is uncertain."
    )


@mail_app.command()
def settle(
    message_id: Annotated[int, typer.Argument(help="The number in the task's sentence.")],
    arrived: Annotated[bool, typer.Option("--arrived/--not-arrived", help="What you found.")],
) -> None:
    """Say what became of a mail whose sender died in the middle; one that is missing is sent again."""
    from engagement import outbox

    outbox.settle(message_id, is_delivered=arrived)
    typer.echo(
        f"Mail {message_id} is recorded as sent."
        if arrived
        else f"Mail {message_id} is queued again; clear the task that sends it."
    )


@mail_app.command()
def compare(
    journal: Annotated[
        str,
        typer.Option(
            envvar="ENGAGEMENT_JOURNAL",
            help="The mailbox of the relay's copies: imaps://user:password@host/INBOX, or maildir:/path.",
        ),
    ] = "",
    nothing_was_sent: Annotated[
        bool,
        typer.Option("--nothing-was-sent", help="There is no journal; no mail went out since."),
    ] = False,
) -> None:
    """After a restore: enter what went out since the backup into the ledger, and let mail go out again."""
    from engagement import ledger
    from engagement.mailbox import Place

    if bool(journal) == nothing_was_sent:
        raise EngagementError("Name the journal with --journal, or vouch with --nothing-was-sent.")
    show_log()
    entered = ledger.compare(Place(journal) if journal else None)
    typer.echo(
        f"{entered:,} mails were missing in the ledger and are entered. Mail goes out again."
    )
