"""What Airflow's connections say, in the domain's own terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Connection

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from engagement.mail import MailServer
    from engagement.mailbox import Journal, Place
    from engagement.measure.answers.limesurvey import Server


def library() -> URL:
    """Return where the library system is, its database or its export: the connection `library`.

    Its extra names the SQLAlchemy driver as `drivername`, and what belongs into the URL as `query`. Of an
    export the driver is `file`, and the schema is the path of the file or of the folder of its pages.
    """
    from sqlalchemy.engine import URL

    connection = Connection.get("library")
    extra = connection.extra_dejson
    return URL.create(
        extra.get("drivername", "postgresql+psycopg"),
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query=extra.get("query", {}),
    )


def mail_server() -> MailServer:
    """Return the mail server of the connection `smtp_default`, read as Airflow's SMTP provider does.

    Raises:
        EngagementError: the connection does not say in whose name mail is sent.
    """
    from email.utils import parseaddr

    from engagement import address
    from engagement.errors import EngagementError
    from engagement.mail import MailServer

    connection = Connection.get("smtp_default")
    extra = connection.extra_dejson
    if address.normal(parseaddr(extra.get("from_email", ""))[1]) is None:
        raise EngagementError(
            "The connection smtp_default names no sender; add an address as from_email to its extra."
        )
    is_ssl = not _is_set(extra.get("disable_ssl"))
    return MailServer(
        host=connection.host or "localhost",
        port=connection.port or (465 if is_ssl else 25),
        sender=extra["from_email"],
        user=connection.login,
        password=connection.password,
        is_ssl=is_ssl,
        is_starttls=not is_ssl and not _is_set(extra.get("disable_tls")),
    )


def bounces() -> Place | None:
    """Return the mailbox that bounces come to: the connection `bounces`; None where there is none."""
    return _place("bounces")


def journal() -> Journal | None:
    """Return the mailbox in which the relay keeps a copy of every mail: the connection `journal`, if any.

    Raises:
        EngagementError: it is the mailbox of bounces, whose probes prove nothing.
    """
    from engagement.errors import EngagementError
    from engagement.mailbox import Journal

    place = _place("journal")
    if place is not None and place == _place("bounces"):
        raise EngagementError(
            "The connections journal and bounces name the same mailbox; the journal is one of its own, into "
            "which the relay copies every mail."
        )
    return None if place is None else Journal(place)


def limesurvey() -> Server | None:
    """Return the LimeSurvey server of the connection `limesurvey`, if there is one.

    Its host is the address of the API, https://survey.example.com/index.php/admin/remotecontrol.
    """
    from airflow.sdk.exceptions import AirflowNotFoundException

    from engagement.measure.answers.limesurvey import Server

    try:
        connection = Connection.get("limesurvey")
    except AirflowNotFoundException:
        return None
    return Server(connection.host or "", connection.login or "", connection.password or "")


def _place(name: str) -> Place | None:
    """Return the mailbox of a connection: `imap` with host, port, login, password, and the folder as schema.

    Its extra turns TLS off with disable_ssl; with `maildir` it names a folder of this machine instead.
    """
    from urllib.parse import quote

    from airflow.sdk.exceptions import AirflowNotFoundException

    from engagement.mailbox import Place

    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        return None
    extra = connection.extra_dejson
    if extra.get("maildir"):
        return Place(f"maildir:{quote(extra['maildir'])}")
    is_plain = _is_set(extra.get("disable_ssl"))
    login = ":".join(quote(part or "", safe="") for part in (connection.login, connection.password))
    port = connection.port or (143 if is_plain else 993)
    folder = quote(connection.schema or "INBOX")
    scheme = "imap" if is_plain else "imaps"
    return Place(f"{scheme}://{login}@{connection.host}:{port}/{folder}")


def _is_set(value: object) -> bool:
    return str(value).lower() in ("true", "1")
