"""`engagement patron`: what one patron may ask of the library."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from engagement.cli.person import login
from engagement.errors import EngagementError
from engagement.settings import settings

patron_app = typer.Typer(no_args_is_help=True, help="What one patron may ask of the library.")

LibraryId = Annotated[str, typer.Argument(help="The id that the library system has for him.")]

# What no command reaches.
_LEFT = (
    "The library system itself: erase him there too, else each month meets him and leaves him out.",
    "Mailboxes: the journal, the mailbox of bounces, his own, and what the mail server keeps.",
    "Backups: delete those from before today, or erase him again after a restore.",
    "Files that were copied out of var/exports, and the form's own answers where it was made.",
    "Deleted rows on the disk: run VACUUM ANALYZE in the warehouse; its write-ahead log follows.",
)


@patron_app.command()
def export(library_id: LibraryId) -> None:
    """Write all that is held of a patron into one JSON file, for himself; that it was done is logged."""
    from engagement.privacy.export import export

    path = export(library_id, login())
    if path is None:
        raise _unknown()
    typer.echo(f"Wrote {path}. Hand it to him alone, and delete it.")


@patron_app.command()
def erase(
    library_id: LibraryId,
    reason: Annotated[
        Literal["erased", "objected"],
        typer.Option(help="He wants to be erased, or objects to the use of his data; recorded."),
    ],
) -> None:
    """Erase a patron from every table and file; from then on his records are left out as objected."""
    from engagement.privacy.erasure import erase

    erased = erase(library_id, reason, login())
    if erased is None:
        raise _unknown()
    typer.echo("He was erased before; this is what came since:" if erased.was_erased else "Erased:")
    for place, count in erased.rows.items():
        if count:
            typer.echo(f"  {place}: {count:,}")
    typer.echo(f"  files: {erased.files:,}")
    if erased.other_records:
        typer.echo(
            f"The library has {erased.other_records} other records of the same person. They stay; each has an id "
            "of its own by which it can be erased."
        )
    typer.echo("What only you can reach:")
    for place in _LEFT:
        typer.echo(f"  {place}")


def _unknown() -> EngagementError:
    return EngagementError(
        f"Nothing is held of a patron with that id in {settings().source}; see how the library system "
        "writes it, with its zeros and capital letters."
    )
