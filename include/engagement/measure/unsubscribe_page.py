"""The page behind the link: shows one button, and takes the click of a person or of a mail program (RFC 8058).

It is a process of its own, the only one that anybody may reach. Whoever has no link that we signed gets no
further than an HMAC.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from functools import cache
from typing import Literal

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from engagement.errors import EngagementError
from engagement.measure import letters, unsubscribe
from engagement.settings import settings

_log = logging.getLogger(__name__)

_LONGEST_BODY = 4096  # bytes; a click's are 26, or some hundred as multipart
_AT_ONCE = 64  # connections; more are told to come again
_LONGEST_REQUEST_S = 10  # from the connection to the request's last byte
_STATUS = {"ask": 200, "done": 200, "unknown": 404, "later": 503}


def app() -> Starlette:
    """Return the page as an ASGI application."""
    return Starlette(
        routes=[
            Route("/{path:path}", _ask, methods=["GET"]),
            Route("/{path:path}", _click, methods=["POST"]),
        ]
    )


def server(host: str, port: int) -> uvicorn.Server:
    """Return the server of the page, to be run.

    Neither a request nor its path is logged: the path is a patron's.

    Raises:
        EngagementError: ENGAGEMENT_UNSUBSCRIBE_URL is not set.
    """
    if settings().unsubscribe_url is None:
        raise EngagementError(
            "ENGAGEMENT_UNSUBSCRIBE_URL is not set, so no mail has a link to this page; set it to the page's "
            "public address, such as https://unsubscribe.library.example."
        )
    return uvicorn.Server(
        uvicorn.Config(
            app(),
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            server_header=False,
            limit_concurrency=_AT_ONCE,
            http=_Impatient,
        )
    )


class _Impatient(H11Protocol):
    """Hangs up on who does not end the request: uvicorn would wait for ever, and nobody else get through."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(_LONGEST_REQUEST_S, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        if self.cycle is None or self.cycle.more_body:
            self.transport.abort()


async def _ask(request: Request) -> Response:
    """Show the button, and change nothing: mail scanners open every link."""
    return _page("ask" if unsubscribe.mail_token(request.url.path) else "unknown")


async def _click(request: Request) -> Response:
    if not await _is_short(request):
        return Response(status_code=413, headers={"Connection": "close"})
    token = unsubscribe.mail_token(request.url.path)
    if token is None:
        return _page("unknown")
    try:
        is_known = await run_in_threadpool(unsubscribe.unsubscribe, token)
    except EngagementError as error:
        _log.error("Nobody can unsubscribe: %s", error)
        return _page("later")
    return _page("done" if is_known else "unknown")


async def _is_short(request: Request) -> bool:
    """Read the body to its end, or to where it is too long; what it says is the same from everybody."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _LONGEST_BODY:
            return False
    return True


@cache
def _page(state: Literal["ask", "done", "unknown", "later"]) -> Response:
    style, _, _ = letters.templates().loader.get_source(  # type: ignore[union-attr]
        letters.templates(), "unsubscribe/page.css"
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    shown = letters.templates().get_template("unsubscribe/page.html.j2")
    return HTMLResponse(
        shown.render(state=state, style=style),
        _STATUS[state],
        {
            "Cache-Control": "no-store",
            "Connection": "close",
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
                "frame-ancestors 'none'"
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        },
    )
