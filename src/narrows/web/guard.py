"""Who may ask: this machine's own page, opened with the token that was printed, and nobody else.

A page from elsewhere can make a browser send requests to a server on the same machine, under a name of its own that it
lets resolve to 127.0.0.1. So the Host must be one that the server was opened as, an Origin must be that same one, and
every request and every WebSocket must bring the token, which the address holds once and a cookie afterwards.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "Guard"]

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
"""Of every response: nothing is loaded from elsewhere, nothing runs that stands in the page, and no page frames it."""

LOCKED = "Open the whole address that `narrows explore` printed, including the part after the question mark."


class Guard:
    """Lets through what comes from the page itself, and sets `HEADERS`.

    Parameters
    ----------
    app
        What is guarded.
    token
        That every request must bring.
    hosts
        What the Host header may say, such as ``"127.0.0.1:8000"``.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str]) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI request or WebSocket, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        answer = self._answer(HTTPConnection(scope))
        if answer is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, _with_headers(send))

    def _answer(self, request: HTTPConnection) -> Response | None:
        """Return what to say instead of handing the request on, or None."""
        headers = request.headers
        if headers.get("host") not in self.hosts:
            return PlainTextResponse("This Host is not the explorer's.", 421)
        if not _from_itself(headers, websocket=request.scope["type"] == "websocket"):
            return PlainTextResponse("This Origin is not the explorer's.", 403)
        given = request.query_params.get("token")
        if given is not None and request.url.path == "/" and self._is_token(given):
            return self._welcome(request.url)
        if not self._is_token(request.cookies.get(_cookie(request.url), "")):
            return PlainTextResponse(LOCKED, 403)
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _welcome(self, url: URL) -> Response:
        """Return the page without the token in its address, which the browser would remember."""
        response = RedirectResponse("/", 303)
        response.set_cookie(_cookie(url), self.token, httponly=True, samesite="strict")
        return response


def _cookie(url: URL) -> str:
    """Return the cookie's name; browsers share cookies among a host's ports, so each port has its own."""
    return f"narrows-{url.port}"


def _from_itself(headers: Headers, *, websocket: bool) -> bool:
    """Return whether the Origin is the page's own; browsers leave it out only of plain requests to their own page."""
    origin = headers.get("origin")
    return not websocket if origin is None else origin in (f"http://{headers['host']}", f"https://{headers['host']}")


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return wrapped
