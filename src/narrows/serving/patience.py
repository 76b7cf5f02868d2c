"""A connection's limits that uvicorn has not: how long a header may be, and how long it or a slow reader may take.

uvicorn waits for a header as long as a client likes, keeps what it has said of it, and answers 400 to a long one;
nothing bounds how long a client may take to read an answer. So a header is held back here until it is whole, and only
then goes to uvicorn's own protocol, whichever parser that has. The other servers for ASGI are no help: hypercorn has a
deadline for headers, but a third of the speed, and answers 400 too; granian has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from narrows.serving.refusal import RETRY_SECONDS

__all__ = ["HEADER_SECONDS", "MOST_CONNECTIONS", "MOST_HEADER_BYTES", "Patience"]

MOST_HEADER_BYTES, HEADER_SECONDS = 16 * 2**10, 5.0
"""Of a request line and its headers, and how long they may take from the connection, or the first byte, on."""

WRITE_SECONDS = 20.0
"""How long a client may leave an answer unread that fills its buffers."""

MOST_CONNECTIONS = 1000
"""At a time; those beyond are answered 503 without being read."""

END = b"\r\n\r\n"

REASONS = {
    408: ("Request Timeout", f"the header was not complete within {HEADER_SECONDS:g} seconds"),
    431: ("Request Header Fields Too Large", f"the header has more than {MOST_HEADER_BYTES // 2**10} KB"),
    503: ("Service Unavailable", f"there are {MOST_CONNECTIONS} connections already; try again"),
}


class Joined:
    """A transport that sends an answer's head with the body, or its first part: uvicorn writes them apart."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport, self.loop = transport, loop
        self.pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        """Send ``data`` with what follows, or by itself if in this turn of the loop nothing does."""
        self.pieces.append(data)
        if len(self.pieces) == 1:
            self.loop.call_soon(self._send)
        else:
            self._send()

    def close(self) -> None:
        """Send what is left, and close."""
        self._send()
        self.transport.close()

    def _send(self) -> None:
        if self.pieces:
            self.transport.write(b"".join(self.pieces))
            self.pieces.clear()


class Patience(asyncio.Protocol):
    """Stands before uvicorn's protocol, made with the arguments that uvicorn gives, and holds a client to the limits.

    ``refused`` is called with the status of each connection that is turned away.
    """

    def __init__(self, refused: Callable[[int], None], **given: Any) -> None:
        self.inner: Any = AutoHTTPProtocol(**given)
        self.refused = refused
        self.loop = asyncio.get_running_loop()
        self.head = bytearray()
        self.before = b""
        self.deadline: asyncio.TimerHandle | None = None
        self.reading: asyncio.TimerHandle | None = None

    # --- A connection -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a header, or turn the connection away."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = Joined(transport, self.loop)
        self.inner.connection_made(self.transport)
        if len(self.inner.connections) > MOST_CONNECTIONS:
            self._refuse(503)
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._wait_no_more()
        self.resume_writing()
        self.inner.connection_lost(exc)

    def eof_received(self) -> None:
        """Hand it on."""
        self.inner.eof_received()

    # --- What is read -----------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Hold back what belongs to a header that is not whole; hand on all else."""
        if self.transport.is_closing():
            return
        if self._in_body():
            self._hand_on(data)
            return
        if self._unread():
            self._wait()
            self.inner.data_received(data)
            if not self._unread():
                self._wait_no_more()
            return
        if not self.head and data.find(END, 0, MOST_HEADER_BYTES) >= 0:
            self._hand_on(data)
            return
        if not self._answering():
            self._wait()
        self.head += data
        end = (self.before + self.head[:MOST_HEADER_BYTES]).find(END)
        if end >= 0:
            whole = bytes(self.head)
            self.head.clear()
            self._hand_on(whole)
        elif len(self.head) > MOST_HEADER_BYTES:
            self._refuse(431)

    def _in_body(self) -> bool:
        return self._answering() and bool(self.inner.cycle.more_body)

    def _unread(self) -> bool:
        """Say whether what comes may be the rest of a body that was answered before it was read; it is dropped."""
        return self.inner.cycle is not None and not self._answering() and bool(self.inner.cycle.more_body)

    def _answering(self) -> bool:
        return self.inner.cycle is not None and not self.inner.cycle.response_complete

    def _hand_on(self, data: bytes) -> None:
        self._wait_no_more()
        self.inner.data_received(data)
        # A client that pipelines may have begun its next header in the same packet, and even split the header's end.
        self.before = data[1 - len(END) :]

    def _wait(self) -> None:
        """Give a header its time; that of a connection that asks nothing more is uvicorn's."""
        self.inner._unset_keepalive_if_required()  # noqa: SLF001
        if self.deadline is None:
            self.deadline = self.loop.call_later(HEADER_SECONDS, self._refuse, 408)

    def _wait_no_more(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _refuse(self, status: int) -> None:
        """Close the connection, and say why where something was asked."""
        self._wait_no_more()
        if self.transport.is_closing():
            return
        self.refused(status)
        if (self.head or status == 503) and not self._answering():
            reason, message = REASONS[status]
            body = f'{{"error":"{message}"}}'
            lines = [
                f"HTTP/1.1 {status} {reason}",
                "content-type: application/json",
                f"content-length: {len(body)}",
                *([f"retry-after: {RETRY_SECONDS}"] if status == 503 else []),
                "connection: close",
            ]
            self.transport.write("\r\n".join([*lines, "", body]).encode())
        self.head.clear()
        self.transport.close()

    # --- What is written --------------------------------------------------------------

    def pause_writing(self) -> None:
        """Begin to wait for a client to read."""
        self.reading = self.loop.call_later(WRITE_SECONDS, self.transport.abort)
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Stop waiting; it has read."""
        if self.reading is not None:
            self.reading.cancel()
            self.reading = None
        self.inner.resume_writing()
