"""`engagement campaign`, `answers`, `bounce`, `suppression`: surveys, for librarians and engineers."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from engagement.cli.person import login, show_log
from engagement.errors import EngagementError

campaign_app = typer.Typer(no_args_is_help=True, help="Surveys, one file each.")
answers_app = typer.Typer(no_args_is_help=True, help="What people answered.")
bounce_app = typer.Typer(no_args_is_help=True, help="What came back.")
suppression_app = typer.Typer(no_args_is_help=True, help="Who is left in peace.")

Name = Annotated[str, typer.Argument(help="The name of its file, without .yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@campaign_app.command()
def check(name: Name, as_json: AsJson = False) -> None:
    """Show whom a campaign would ask if it were planned now; nothing happens."""
    from engagement import survey_tables
    from engagement.measure import plan

    found = plan.check(name)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        survey_tables.show_plan(found)


@campaign_app.command()
def status(
    name: Annotated[str, typer.Argument(help="One campaign; all if left out.")] = "",
) -> None:
    """Say where each campaign stands."""
    from engagement.measure import run, waves

    run.each([name] if name else run.names(), lambda one: typer.echo(f"{one}: {waves.stands(one)}"))


@campaign_app.command()
def figures(name: Name, as_json: AsJson = False) -> None:
    """Show what became of a campaign's mails, and who answered; exact, also where only few are behind a number."""
    from engagement import survey_tables
    from engagement.measure import figures

    figures.count(name)
    found = figures.read(name)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        survey_tables.show_figures(found)


@campaign_app.command()
def stop(name: Name, reason: Annotated[str, typer.Option(help="Why; recorded.")]) -> None:
    """Stop a campaign: what has not gone out waits until a person lets it go on."""
    from engagement.measure import waves

    waves.stop(name, login(), reason)
    typer.echo(f"{name} is stopped.")


@campaign_app.command()
def resume(
    name: Name, reason: Annotated[str, typer.Option(help="Why it may go on; recorded.")]
) -> None:
    """Let a stopped campaign go on; look at its bounces first."""
    from engagement.measure import waves

    waves.resume(name, login(), reason)
    typer.echo(f"{name} goes on with the next run.")


@campaign_app.command()
def requeue(
    name: Name, reason: Annotated[str, typer.Option(help="Why they may go out now; recorded.")]
) -> None:
    """Try the mails again that were given up, or refused for no fault of their recipients."""
    from engagement.measure import waves

    count = waves.requeue(name, login(), reason)
    typer.echo(f"{count:,} mails of {name} go out with the next run.")


@answers_app.command(name="import")
def import_answers(
    name: Name,
    file: Annotated[Path, typer.Argument(help="An export of the form: .csv or .xlsx.")],
    exported_at: Annotated[
        str,
        typer.Option(
            help="When it was exported, as 2018-07-14 08:00; else that of its newest answer."
        ),
    ] = "",
) -> None:
    """Bring in the answers of an export; what is there already stays, and comes once."""
    from engagement import survey_tables
    from engagement.measure import answers, campaign as campaigns

    show_log()
    instant = _instant(exported_at) if exported_at else None
    survey_tables.show_import(answers.import_file(campaigns.load(name), file, instant))


def _instant(written: str) -> datetime:
    from engagement.settings import settings

    try:
        read = datetime.strptime(written, "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError:
        raise EngagementError(
            f"{written!r} is no instant; write date and time as 2018-07-14 08:00."
        ) from None
    return read.replace(tzinfo=settings().zone)


@bounce_app.command()
def explain(
    files: Annotated[list[Path], typer.Argument(help="Files with one e-mail each.")],
) -> None:
    """Say how returned mails are read: one line of JSON a file, with the rule that decided."""
    from engagement.measure import bounce

    for file in files:
        typer.echo(json.dumps(bounce.explain(file), ensure_ascii=False))


@bounce_app.command()
def unknown() -> None:
    """List the mails that came back and were not understood, as long as they are kept."""
    from engagement.measure import returned
    from engagement.settings import settings

    rows = returned.unknown()
    for row in rows:
        received = row.received_at.astimezone(settings().zone)
        typer.echo(f"{row.mail_id}  {received:%Y-%m-%d %H:%M}  {row.rule}")
    typer.echo(
        f"{len(rows):,} mails. `engagement bounce show NUMBER` writes one into a file."
        if rows
        else "Everything that came back was understood."
    )


@bounce_app.command()
def show(
    number: Annotated[int, typer.Argument(help="Of a mail, from `engagement bounce unknown`.")],
) -> None:
    """Write a mail that came back into a file, for `engagement bounce explain` and to be read."""
    from engagement.measure import returned

    path = returned.write(number, login())
    typer.echo(f"{path}: delete it when you have read it.")


@suppression_app.command()
def lift(
    email: Annotated[str, typer.Argument(help="The address.")],
    reason: Annotated[str, typer.Option(help="Why mail may go there again; recorded.")],
    objection: Annotated[
        bool,
        typer.Option("--objection", help="Lift what the person said too: an opt-out, a complaint."),
    ] = False,
) -> None:
    """Let mail go to an address again: it works by now, or the person asks for mail."""
    from engagement.measure import suppression

    count = suppression.lift(email, login(), reason, is_objection_too=objection)
    typer.echo(f"{count} suppressions are lifted.")


@suppression_app.command(name="lift-bounces")
def lift_bounces(
    reason: Annotated[str, typer.Option(help="What was wrong with the relay; recorded.")],
    since: Annotated[str, typer.Option(help="From when on, as 2018-07-09 08:00.")],
    until: Annotated[str, typer.Option(help="Until when; else until now.")] = "",
    campaign: Annotated[str, typer.Option(help="Whose mails bounced.")] = "",
    domain: Annotated[str, typer.Option(help="The mail domain of the addresses.")] = "",
) -> None:
    """Let mail go again to all addresses that bounced for a fault of the relay; objections stay."""
    from engagement import clock
    from engagement.measure import suppression

    count = suppression.lift_bounces(
        login(),
        reason,
        since=_instant(since),
        until=_instant(until) if until else clock.now(),
        campaign=campaign or None,
        domain=domain or None,
    )
    typer.echo(f"{count:,} suppressions are lifted.")


@suppression_app.command()
def serve(
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="And on which port.")] = 8090,
) -> None:
    """Serve the page on which people unsubscribe by a click; a reverse proxy with TLS belongs in front."""
    from engagement.measure import unsubscribe_page

    unsubscribe_page.server(host, port).run()


@suppression_app.command()
def domains() -> None:
    """List the mail domains that are paused: their hard bounces have jumped."""
    from engagement.measure import suppression

    rows = suppression.paused_domains(login())
    for row in rows:
        typer.echo(
            f"{row.mail_domain}: {row.hard_count:,} of {row.mail_count:,} mails of {row.campaign} bounced for good"
        )
    typer.echo(
        "Find out whether the addresses are dead or the domain refuses us; then `engagement suppression judge`."
        if rows
        else "No domain is paused."
    )


@suppression_app.command()
def judge(
    domain: Annotated[str, typer.Argument(help="A paused domain.")],
    dead: Annotated[
        bool, typer.Option("--dead/--alive", help="What you found its addresses to be.")
    ],
    reason: Annotated[str, typer.Option(help="How you know; recorded.")],
) -> None:
    """Let mail go to a paused domain again; of one that is alive the bounces are taken back."""
    from engagement.measure import suppression

    suppression.judge_domain(domain, login(), reason, is_dead=dead)
    typer.echo(
        "Its bounces stand." if dead else "Its bounces are taken back; mail goes there again."
    )
