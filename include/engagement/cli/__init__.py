"""The command line: `engagement --help` lists what a person can do without Airflow's UI."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from engagement.cli import mail, patron, report, survey
from engagement.cli.person import login, show_log
from engagement.errors import EngagementError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
period_app = typer.Typer(no_args_is_help=True, help="What a person decides about a period.")
source_app = typer.Typer(
    no_args_is_help=True, help="Library systems, and what a YAML makes of them."
)
app.add_typer(survey.answers_app, name="answers")
app.add_typer(survey.bounce_app, name="bounce")
app.add_typer(survey.campaign_app, name="campaign")
app.add_typer(mail.mail_app, name="mail")
app.add_typer(patron.patron_app, name="patron")
app.add_typer(period_app, name="period")
app.add_typer(report.report_app, name="report")
app.add_typer(source_app, name="source")
app.add_typer(survey.suppression_app, name="suppression")


@app.callback()
def engagement() -> None:
    """Find a library's real customers every month, survey them, and report to its executives."""


@app.command()
def migrate() -> None:
    """Bring the warehouse to the newest schema; a new one is made and marked as this deployment's."""
    from engagement import schema

    schema.upgrade()
    typer.echo("The warehouse has the newest schema.")


@app.command()
def figures(
    period: Annotated[str, typer.Option(help="The month, such as 2018-06.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the published figures of a period."""
    from engagement import tables, warehouse
    from engagement.monitor.figures import require
    from engagement.period import Period

    with warehouse.session() as session:
        published = require(session, Period.parse(period))
    if as_json:
        typer.echo(json.dumps(published.as_json(), ensure_ascii=False, indent=2))
    else:
        tables.show_figures(published)


@app.command()
def extract(
    period: Annotated[str, typer.Argument(help="The month, such as 2018-06.")],
    library: Annotated[
        str,
        typer.Option(
            envvar="ENGAGEMENT_LIBRARY",
            help="Its database's URL, or file:/path/patrons-{period}.csv of an export.",
        ),
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Read it although it was read.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why it is read again; recorded.")] = "",
) -> None:
    """Read the patrons of a period out of the library system; prints the id of the extract."""
    from engagement.model import reading
    from engagement.model.extract import Reread, extract
    from engagement.period import Period

    if replace != bool(reason.strip()):
        raise EngagementError("A period is read again with both: --replace --reason 'why'.")
    reread = Reread(reason.strip(), login()) if replace else None
    show_log()
    typer.echo(extract(Period.parse(period), reading.located(library), reread=reread))


@app.command()
def rejects(
    period: Annotated[str, typer.Argument(help="The month, such as 2018-06.")],
    out: Annotated[Path | None, typer.Option(help="The .xlsx file; else in var/exports.")] = None,
) -> None:
    """Write the current members whose data is incomplete into a workbook for the counter staff."""
    from engagement.model import rejects
    from engagement.period import Period

    month = Period.parse(period)
    path = out or rejects.default_path(month)
    show_log()
    count = rejects.export(month, path, login())
    typer.echo(f"Wrote {path}: {count:,} records to ask about. Delete it when it is used up.")


@source_app.command(name="check")
def check_source(
    system: Annotated[str, typer.Argument(help="The name of its YAML in include/sources/.")],
    library: Annotated[
        str,
        typer.Option(
            envvar="ENGAGEMENT_LIBRARY",
            help="Its database's URL, or file:/path/patrons-{period}.csv of an export.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read the first 1,000 patrons and show what the YAML makes of them; nothing is kept."""
    from engagement import source_tables
    from engagement.model import reading, source_check

    checked = source_check.check(system, reading.located(library))
    if as_json:
        typer.echo(json.dumps(checked.as_json(), ensure_ascii=False, indent=2))
    else:
        source_tables.show(checked)


@period_app.command()
def accept(
    period: Annotated[str, typer.Argument(help="The month, such as 2018-06.")],
    reason: Annotated[str, typer.Option(help="Why the extract is right all the same; recorded.")],
    by: Annotated[str, typer.Option(help="Who says so; your login name if left out.")] = "",
) -> None:
    """Accept what a gate has stopped, for the period's newest extract only."""
    from engagement.model import gates
    from engagement.period import Period

    for sentence in gates.accept(Period.parse(period), reason, by.strip() or login()):
        typer.echo(f"Accepted: {sentence}")
    typer.echo(f"Now clear the failed task of model_patrons for {period}, with downstream.")


@app.command()
def demo() -> None:
    """Run June and July 2018 of a simulated library through Airflow, and show what comes out."""
    from engagement.demo import run

    run.demo()


@app.command()
def up() -> None:
    """Start the stack of the demo and leave it running; prints the address and the login."""
    from engagement.demo import run

    run.up()


@app.command()
def down() -> None:
    """Stop the stack that `up` left running, and whatever a killed run left behind."""
    from engagement.demo import run

    run.down()


def main() -> None:
    """Run the command line; what a person can put right ends in one sentence and exit code 1."""
    try:
        app()
    except EngagementError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(1)
