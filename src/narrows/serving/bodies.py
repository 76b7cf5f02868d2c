"""A request's body, read within limits of length and time that hold before it is read, also where it says no length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from narrows.serving.images import MOST_BYTES
from narrows.serving.refusal import Refusal, busy

__all__ = ["BODY_SECONDS", "MOST_BYTES_AT_ONCE", "MOST_JSON_BYTES", "Bodies"]

MOST_JSON_BYTES = 2 * 2**20
"""Of a body of JSON, which takes many times as much memory as the numbers in it, and holds up all others meanwhile."""

MOST_BYTES_AT_ONCE = 2 * MOST_BYTES
"""Of all bodies that are read, or wait for their answers."""

BODY_SECONDS = 15.0
"""In which a body must have come."""


class Bodies:
    """The bodies of all requests under way."""

    def __init__(self) -> None:
        self.bytes = 0

    @asynccontextmanager
    async def read(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """Give the body of ``request``, of at most that many bytes, which count as long as they are used.

        Raises
        ------
        Refusal
            If it is longer, or too slow, or there is no room for it now.
        """
        told = request.headers.get("content-length", "")
        held = int(told) if told.isdecimal() else 0
        _check(held, most)
        self._reserve(held)
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    async for chunk in request.stream():
                        body += chunk
                        _check(len(body), most)
                        more = max(0, len(body) - held)
                        self._reserve(more)
                        held += more
            except TimeoutError:
                told = f"the body was not complete within {BODY_SECONDS:g} seconds"
                raise Refusal(408, told, unread=True) from None
            except ClientDisconnect:
                raise Refusal(400, "the body is incomplete") from None
            yield bytes(body)
        finally:
            self.bytes -= held

    def _reserve(self, more: int) -> None:
        if self.bytes + more > MOST_BYTES_AT_ONCE:
            raise busy("too much is being read; try again", unread=True)
        self.bytes += more


def _check(length: int, most: int) -> None:
    if length > most:
        raise Refusal(413, f"the body has more than {most / 2**20:g} MB", unread=True)
