"""Who may ask: what comes to a server of this project under its own name, from its own pages or from none.

A page from elsewhere can make a browser send requests to a server on the same machine, under a name of its own that it
lets resolve to 127.0.0.1. So the Host must be one that the server was opened as, and an Origin must be that same one.
What else a request must bring is a subclass's to say.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "Guard", "equal"]

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

RAW_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class Guard(ABC):
    """Lets through what may ask, and sets `HEADERS`.

    Parameters
    ----------
    app
        What is guarded.
    hosts
        What the Host header may say, such as ``"127.0.0.1:8000"``.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    @abstractmethod
    def answer(self, request: HTTPConnection) -> Response | None:
        """Return what to say instead of handing on a request under a right Host and Origin, or None."""

    @abstractmethod
    def refusal(self, status: int, message: str) -> Response:
        """Return a response that says why there is no answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI request or WebSocket, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        answer = self._of_elsewhere(request) or self.answer(request)
        if answer is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, _with_headers(send))

    def _of_elsewhere(self, request: HTTPConnection) -> Response | None:
        headers = request.headers
        if headers.get("host", "").lower() not in self.hosts:
            return self.refusal(421, f"This server is not called that; it is {' or '.join(sorted(self.hosts))}.")
        if not _from_itself(headers, websocket=request.scope["type"] == "websocket"):
            return self.refusal(403, "This Origin is not the server's.")
        return None


def equal(given: str, token: str) -> bool:
    """Say whether a token is the right one, in a time that does not tell how nearly."""
    return hmac.compare_digest(given.encode(), token.encode())


def _from_itself(headers: Headers, *, websocket: bool) -> bool:
    """Return whether the Origin is the page's own; browsers leave it out only of plain requests to their own page."""
    origin = headers.get("origin")
    return not websocket if origin is None else origin in (f"http://{headers['host']}", f"https://{headers['host']}")


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *RAW_HEADERS]
        await send(message)

    return wrapped
