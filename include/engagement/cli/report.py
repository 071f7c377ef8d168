"""`engagement report`: the executives' report, and the librarians' lists of work for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engagement.cli.person import login, show_log
from engagement.errors import EngagementError
from engagement.labels import Language

if TYPE_CHECKING:
    from engagement.monitor.archive import Entry

report_app = typer.Typer(no_args_is_help=True, help="The executives' monthly report.")


_Period = Annotated[str, typer.Argument(help="The month, such as 2018-06.")]
_Smtp = Annotated[
    str,
    typer.Option(
        envvar="ENGAGEMENT_SMTP",
        help="The mail server, such as smtps://user:password@host:465?from=address.",
    ),
]


def _went() -> str:
    """Return whither mails go: while the safety catch is on, they reach nobody whom they are for."""
    from engagement.settings import settings

    return (
        "went out"
        if settings().mail == "live"
        else "went to the catch-all address, none to a reader"
    )


@report_app.command()
def preview(
    period: _Period,
    to: Annotated[str, typer.Option(help="Mail it to this address, marked as a preview.")] = "",
    language: Annotated[Language, typer.Option(help="Of the preview that is mailed.")] = "th",
    smtp: _Smtp = "",
) -> None:
    """Make the report from the figures of now, and archive it; it goes to nobody but who stands behind --to."""
    from engagement import address, mail
    from engagement.monitor import archive, release
    from engagement.monitor.distribution import Recipient
    from engagement.period import Period

    month = Period.parse(period)
    if to and address.normal(to) is None:
        raise EngagementError("What stands behind --to is no e-mail address; correct it.")
    server = mail.located(smtp) if to else None
    show_log()
    edition = release.cut(month, "preview")
    typer.echo(archive.folder(month, edition))
    if server is not None:
        release.preview(month, server, edition, Recipient(address=to, language=language, pdf=True))
        typer.echo(f"The preview {_went()}.")


@report_app.command()
def send(
    period: _Period,
    without_review: Annotated[
        bool, typer.Option("--without-review", help="Pass over the reviewer; recorded.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why it goes out without its review.")] = "",
    smtp: _Smtp = "",
) -> None:
    """Mail the report as of now to every recipient who has not had it, however old the month is."""
    from engagement import mail
    from engagement.monitor import release
    from engagement.period import Period

    month, server = Period.parse(period), mail.located(smtp)
    show_log()
    sent = release.send_now(month, server, login(), reason if without_review else "")
    typer.echo(
        f"{sent} mail(s) {_went()}." if sent else "Everybody has had it; nothing was mailed."
    )


@report_app.command()
def resend(
    period: _Period,
    to: Annotated[str, typer.Option(help="One of the recipients.")],
    smtp: _Smtp = "",
) -> None:
    """Mail the edition that went out to one of its recipients once more; what has not reached him is tried again."""
    from engagement import mail
    from engagement.monitor import release
    from engagement.period import Period

    month, server = Period.parse(period), mail.located(smtp)
    show_log()
    is_another = release.resend(month, server, to, login())
    which = "Another mail" if is_another else "The mail before had not reached that recipient; it"
    typer.echo(f"{which} {_went()}.")


@report_app.command(name="list")
def list_reports() -> None:
    """List every edition: when it was made, whether and when it was mailed, and where it is archived."""
    from engagement.monitor import archive

    entries = archive.entries()
    if not entries:
        typer.echo("There is no report yet.")
    for entry in entries:
        typer.echo(
            f"{entry.period}  edition {entry.edition}  made {entry.cut_at:%Y-%m-%d %H:%M}  {_mailed(entry)}  "
            f"{archive.folder(entry.period, entry.edition)}"
        )


def _mailed(entry: Entry) -> str:
    if entry.mailed_at:
        by = f" by {entry.released_by}" if entry.released_by else ""
        return f"mailed {entry.mailed_at:%Y-%m-%d %H:%M}{by}"
    return f"not mailed to {entry.waiting} reader(s) yet" if entry.waiting else "not mailed"


@report_app.command()
def template(
    path: Annotated[Path, typer.Argument(help="Where to write the .xlsx file.")],
) -> None:
    """Write an empty list of work for librarians, with headings, drop-downs, help and an example."""
    from engagement.monitor import work_items

    work_items.write_template(path)
    typer.echo(f"Wrote {path}.")
