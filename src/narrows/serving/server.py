"""The service from its start to its end."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial

import torch
import uvicorn

from narrows.data.errors import DataError
from narrows.serving.app import create_app
from narrows.serving.batching import ANSWER_SECONDS
from narrows.serving.patience import Patience
from narrows.serving.served import open_served
from narrows.serving.service import Service

__all__ = ["config_of", "keep_what_stands", "listen", "serve"]

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter, so that a batch does not hold up requests (Python's default is ten times
as long)."""

BACKLOG = 512
"""Connections that the system keeps until they are accepted."""

FEWEST_CHARACTERS = 16
"""Of a token, so that it cannot be guessed."""


def serve(
    models: Sequence[str],
    opened: Callable[[str], object] = print,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    names: Sequence[str] = (),
    token: str | None = None,
) -> None:
    """Serve ``models`` until SIGTERM or Ctrl-C, and then finish what is in flight.

    Parameters
    ----------
    models
        As in `narrows.serving.served.open_served`.
    opened
        Called with the address once it can be asked.
    host, port
        To listen on; 0 takes any port that is free.
    names
        Further Hosts that clients may ask for, such as ``"models.example.org"``.
    token
        As in `narrows.serving.app.create_app`.

    Raises
    ------
    DataError
        If a model cannot be opened, or the token is too short.
    OSError
        If the address cannot be listened on.
    """
    if token is not None and (len(token) < FEWEST_CHARACTERS or not token.isascii() or any(map(str.isspace, token))):
        raise DataError(
            f"the token (--token-file) must have {FEWEST_CHARACTERS} characters or more, of ASCII, without spaces"
        )
    service = Service(open_served(models))
    listener, address, hosts = listen(host, port)
    _log()
    sys.setswitchinterval(SWITCH_SECONDS)
    torch.set_num_threads(1)  # of this thread, which computes small passes itself, as that of all others does
    keep_what_stands()
    opened(address)
    uvicorn.Server(config_of(service, hosts | frozenset(map(str.lower, names)), token)).run([listener])


def keep_what_stands() -> None:
    """Take all objects that there are out of the search for garbage, which stopped answers for a tenth of a second."""
    gc.collect()
    gc.freeze()


def listen(host: str, port: int) -> tuple[socket.socket, str, frozenset[str]]:
    """Return what listens there, its address, and what the Host of a request to it may be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    # asyncio sets it only of sockets that name their protocol; without it, an answer in two parts can wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port, name = listener.getsockname()[1], f"[{host}]" if ":" in host else host
    hosts = {f"{one}:{port}".lower() for one in (name, "localhost", "127.0.0.1", "[::1]")}
    return listener, f"http://{name}:{port}", frozenset(hosts)


def config_of(service: Service, hosts: frozenset[str], token: str | None = None) -> uvicorn.Config:
    """Return how uvicorn is to serve ``service``, with arguments as of `narrows.serving.app.create_app`."""
    return uvicorn.Config(
        create_app(service, hosts, token),
        http=partial(Patience, service.metrics.turned_away),  # type: ignore[arg-type]  # it makes such a protocol
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=int(ANSWER_SECONDS),
    )


def _log() -> None:
    """Write a line for each request, and errors, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for name, level in (("narrows.serving", logging.INFO), ("uvicorn.error", logging.ERROR)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.handlers = [handler]
