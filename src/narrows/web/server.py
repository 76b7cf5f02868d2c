"""The server: files of the page, a WebSocket for questions, and a door for images, all behind `PageGuard`.

An answer is worked out in a thread of its own, so that a slow one holds up no other; torch has one thread in each,
since on one small example more of them would only wait for each other.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import logging
import mimetypes
import pkgutil
import re
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import ConfigDict, ValidationError, validate_call
from starlette.types import ASGIApp

from narrows.arguments import choice
from narrows.serving.bodies import Bodies
from narrows.serving.images import MOST_BYTES, read_image
from narrows.serving.patience import Patience
from narrows.serving.refusal import Refusal, Refused
from narrows.serving.unforeseen import UNFORESEEN, Unforeseen
from narrows.web import questions, sharing
from narrows.web.guard import PageGuard
from narrows.web.library import Library
from narrows.web.questions import inputs
from narrows.web.uploads import prepare
from narrows.web.wire import pack, pack_refusal

__all__ = ["QUESTIONS", "answer", "config_of", "create_app", "serve"]

LOG = logging.getLogger("narrows.serving")

STATIC = Path(__file__).parent / "static"

QUESTIONS_AT_ONCE, MOST_BYTES_OF_A_QUESTION = 4, 2**20
"""Questions of one page that are worked on at the same time, and bytes of one."""

ORDER = re.compile(r'"ask":\s*"(train|steer)"')
"""What a question has that changes the training, so that its place among others of its kind matters."""

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter, so that training does not hold up answers (Python's default is ten times
as long)."""

QUESTIONS: dict[str, Callable[..., Any]] = {
    name: validate_call(config=ConfigDict(arbitrary_types_allowed=True))(getattr(module, name))
    for found in pkgutil.iter_modules(questions.__path__, f"{questions.__name__}.")
    for module in [importlib.import_module(found.name)]
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
}
"""What the page may ask, by name; the arguments are checked against the functions' hints."""


def answer(library: Library, message: str) -> bytes:
    """Return the frame that answers a question, ``{"id": …, "ask": name, …its arguments}``, or says why none does."""
    number, name = 0, ""
    try:
        question = json.loads(message)
        number = int(question.pop("id"))
        name = question.pop("ask")
        return pack(QUESTIONS[choice("ask", name, QUESTIONS)](library, **question), number)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        return pack_refusal(f"{where}: {first['msg']}; it is {first['input']!r}"[:300], number)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        return pack_refusal(str(error) or type(error).__name__, number)
    except Exception:
        LOG.exception("question %s failed", name)
        return pack_refusal(UNFORESEEN, number)


def create_app(library: Library, token: str, hosts: frozenset[str]) -> ASGIApp:
    """Return the guarded server of ``library``; ``token`` and ``hosts`` as in `PageGuard`."""
    mimetypes.add_type("text/javascript", ".js")  # a machine's own table may say otherwise
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Unforeseen)
    bodies = Bodies()
    pool = ThreadPoolExecutor(QUESTIONS_AT_ONCE, initializer=partial(torch.set_num_threads, 1))

    async def work(function: Callable[..., bytes], *arguments: Any) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *arguments))

    async def page() -> Response:
        return FileResponse(STATIC / "index.html")

    async def upload(request: Request, model: str) -> Response:
        try:
            async with bodies.read(request, MOST_BYTES) as body:
                frame = await work(_prepared, library, model, body)
        except Refusal as found:
            return Refused(found, pack_refusal(found.message))
        return Response(frame, media_type="application/octet-stream")

    async def share(*, data: bool = True) -> Response:
        try:
            html = await work(_shared, library, data)
        except ValueError as error:
            return Response(str(error), 422, media_type="text/plain")
        return Response(html, media_type="text/html", headers={"content-disposition": "attachment"})

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await _converse(socket, partial(work, answer, library))

    app.get("/")(page)
    app.post("/upload")(upload)
    app.get("/share")(share)
    app.websocket("/live")(live)
    app.mount("/static", StaticFiles(directory=STATIC))
    return PageGuard(app, token, hosts)


def _prepared(library: Library, model: str, body: bytes) -> bytes:
    """Return the frame with an uploaded image as an input of ``model``, or with why it is none."""
    try:
        entry = library[model]
        return pack(inputs.Prepared(entry.levels(prepare(read_image(body), entry))))
    except ValueError as error:
        return pack_refusal(str(error))


def _shared(library: Library, data: bool) -> bytes:
    """Return a page with the library's models, which needs no server."""
    return sharing.share(sharing.thinned(library, data=data)).encode()


async def _converse(socket: WebSocket, reply: Callable[[str], Awaitable[bytes]]) -> None:
    """Answer each message of a page, a few at the same time, until it goes; what is an order is obeyed in its turn."""
    room, turn = asyncio.Semaphore(QUESTIONS_AT_ONCE), asyncio.Lock()

    async def one(message: str) -> None:
        try:
            async with turn if ORDER.search(message) else nullcontext():
                frame = await reply(message)
            with suppress(WebSocketDisconnect, RuntimeError):  # the page has gone in the meantime
                await socket.send_bytes(frame)
        finally:
            room.release()

    async with asyncio.TaskGroup() as tasks:
        with suppress(WebSocketDisconnect):
            while True:
                message = await socket.receive_text()
                await room.acquire()
                tasks.create_task(one(message))


def serve(library: Library, opened: Callable[[str], object], *, host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve ``library`` until Ctrl-C.

    Parameters
    ----------
    library
        Closed at the end.
    opened
        Called with the page's address, token and all, once it can be opened.
    host
        The address to listen on; others than loopback let other machines ask, if they have the token.
    port
        0 takes any that is free.

    Raises
    ------
    OSError
        If the address cannot be listened on.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # asyncio sets it only of sockets that name their protocol; without it, an answer in two parts can wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
    name = f"[{host}]" if ":" in host else host
    app = create_app(library, token, frozenset({f"{name}:{port}", f"localhost:{port}"}))
    opened(f"http://{name}:{port}/?token={token}")
    try:
        uvicorn.Server(config_of(app)).run([listener])
    finally:
        library.close()


def config_of(app: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn is to serve ``app``, as of `create_app`."""
    return uvicorn.Config(
        app,
        http=partial(Patience, lambda _status: None),  # type: ignore[arg-type]  # it makes such a protocol
        log_level="warning",
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=MOST_BYTES_OF_A_QUESTION,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )
