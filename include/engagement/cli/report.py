"""`engagement report`: the executives' report, and the librarians' lists of work for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

report_app = typer.Typer(no_args_is_help=True, help="The executives' monthly report.")


@report_app.command()
def template(
    path: Annotated[Path, typer.Argument(help="Where to write the .xlsx file.")],
) -> None:
    """Write an empty list of work for librarians, with headings, drop-downs, help and an example."""
    from engagement.monitor import work_items

    work_items.write_template(path)
    typer.echo(f"Wrote {path}.")
