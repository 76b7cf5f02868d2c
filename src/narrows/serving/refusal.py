"""Why a request gets no answer: a status, and one line that names what was wrong and never a path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["RETRY_SECONDS", "Refusal", "Refused", "busy", "first_of", "refusal"]

RETRY_SECONDS = 1
"""After which a client that found no room may try again."""

LINGER_SECONDS = 1.0
"""How long what follows a refusal is read and dropped: a client that is still writing would else not see it."""


class Refusal(Exception):  # noqa: N818 - a client's mistake, not the server's error
    """Raised anywhere while a request is read or answered; `refusal` makes the response of it."""

    def __init__(self, status: int, message: str, *, unread: bool = False) -> None:
        super().__init__(message)
        self.status, self.message, self.unread = status, message, unread


def busy(message: str, *, unread: bool = False) -> Refusal:
    """Return a 503, which says when to try again; ``unread`` if the request's body was not read to its end."""
    return Refusal(503, message, unread=unread)


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return ``{"error": message}`` as a response."""
    if status == 503:
        headers = {**(headers or {}), "retry-after": str(RETRY_SECONDS)}
    line = " ".join(message.split())[:500]
    return Response(to_json({"error": line}), status, headers, "application/json")


def first_of(error: ValidationError) -> str:
    """Return the first thing wrong with a JSON body, in one line."""
    first: Any = error.errors(include_url=False, include_context=False)[0]
    *outer, last = ["body", *map(str, first["loc"])]
    inside = ".".join(outer[1:]) or "body"
    if first["type"] == "missing":
        return f"{inside} lacks {last!r}"
    if first["type"] == "extra_forbidden":
        return f"{inside} has {last!r}, which is unknown here; leave it out"
    found = f"; it is {first['input']!r:.80}" if isinstance(first["input"], str | int | float | None) else ""
    return f"{'.'.join([*outer[1:], last])}: {first['msg']}{found}"


class Refused(Response):
    """The response to a request that was refused; if its body was not read, the connection is closed after it.

    Parameters
    ----------
    found
        Why.
    body
        That says so; by default as `refusal` does.
    """

    def __init__(self, found: Refusal, body: bytes | None = None) -> None:
        self.unread = found.unread
        headers = {"connection": "close"} if found.unread else None
        made = refusal(found.status, found.message, headers) if body is None else Response(body, found.status, headers)
        super().__init__(made.body, made.status_code, dict(made.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and where a body is still coming drop that for a while, so that the client can see the answer."""
        if not self.unread:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        end = time.monotonic() + LINGER_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while time.monotonic() < end:  # a client that writes without a pause leaves the timeout no turn
                    message = await receive()
                    if message["type"] == "http.disconnect" or not message.get("more_body"):
                        break
        await send({"type": "http.response.body", "body": b"", "more_body": False})
