"""The last resort of both servers: what no handler has foreseen goes to the log, and the client hears only that."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from narrows.serving.refusal import refusal

__all__ = ["UNFORESEEN", "Unforeseen"]

LOG = logging.getLogger("narrows.serving")

UNFORESEEN = "something unexpected went wrong here; the server's log says what"


class Unforeseen:
    """Answers 500 as all errors are answered, where ``app`` raises, and logs the traceback with the request's path.

    Parameters
    ----------
    app
        What may raise.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI request, or hand on what is none."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception:
            LOG.exception('"%s %s" failed', scope["method"], scope["path"][:200])
            if not begun:  # else uvicorn closes the connection, since the answer is not whole
                await refusal(500, UNFORESEEN)(scope, receive, send)
