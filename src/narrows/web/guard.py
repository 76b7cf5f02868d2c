"""Who may ask the explorer: this machine's own page, opened with the token that was printed, and nobody else.

Every request and every WebSocket must bring the token, which the address holds once and a cookie afterwards; Host and
Origin are `narrows.serving.guard`'s.
"""

from __future__ import annotations

from starlette.datastructures import URL
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from narrows.serving.guard import Guard, equal

__all__ = ["PageGuard"]

LOCKED = "Open the whole address that `narrows explore` printed, including the part after the question mark."


class PageGuard(Guard):
    """Lets through what comes from the page itself.

    Parameters
    ----------
    app, hosts
        As of `Guard`.
    token
        That every request must bring.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str]) -> None:
        super().__init__(app, hosts)
        self.token = token

    def answer(self, request: HTTPConnection) -> Response | None:
        """Return the page's address without the token, or that it is needed, or None where the cookie has it."""
        given = request.query_params.get("token")
        if given is not None and request.url.path == "/" and equal(given, self.token):
            return self._welcome(request.url)
        if not equal(request.cookies.get(_cookie(request.url), ""), self.token):
            return self.refusal(403, LOCKED)
        return None

    def refusal(self, status: int, message: str) -> Response:
        """Return ``message`` as plain text."""
        return PlainTextResponse(message, status)

    def _welcome(self, url: URL) -> Response:
        """Return the page without the token in its address, which the browser would remember."""
        response = RedirectResponse("/", 303)
        response.set_cookie(_cookie(url), self.token, httponly=True, samesite="strict")
        return response


def _cookie(url: URL) -> str:
    """Return the cookie's name; browsers share cookies among a host's ports, so each port has its own."""
    return f"narrows-{url.port}"
