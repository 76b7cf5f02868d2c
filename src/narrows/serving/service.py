"""The service of some models: what is asked of them, from a request that may be answered to its response."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from narrows.runs.opening import known_labels
from narrows.serving import schemas, writing
from narrows.serving.batching import Batcher
from narrows.serving.bodies import MOST_JSON_BYTES, Bodies
from narrows.serving.images import MOST_BYTES
from narrows.serving.metrics import Metrics
from narrows.serving.reading import NPY, array_of, classes_of, images_of, json_of, kind_of, rows_of_json
from narrows.serving.records import frame_of
from narrows.serving.refusal import Refusal, busy
from narrows.serving.served import Served

__all__ = ["Gone", "Service"]

LOG = logging.getLogger("narrows.serving")

Result = TypeVar("Result")
Array = NDArray[Any]

SMALL_BYTES = 2**16
"""Of a body of numbers that is read where it comes; what takes longer is read in a thread, and holds up nobody."""

UNWATCHED_SECONDS = 0.1
"""After which a client whose answer is not there yet is watched, in case it goes."""


class Gone(Exception):  # noqa: N818 - nobody is left to tell of an error
    """The client has gone."""


class Service:
    """Models, and what is under way.

    Attributes
    ----------
    models
        By name.
    ready
        Whether they are warm.
    """

    def __init__(self, models: list[Served]) -> None:
        self.models = {served.name: served for served in models}
        self.metrics, self.bodies = Metrics(), Bodies()
        self.batcher = Batcher(self.metrics.computed)
        self.ready = False
        self._reader = ThreadPoolExecutor(1, "narrows-reader")

    async def warm(self) -> None:
        """Compute everything once, and then be ready."""
        for served in self.models.values():
            try:
                await self.batcher.before_requests(served.warm)
            except Exception:  # requests that meet it are told, too, and all others are answered
                LOG.exception("%s could not be warmed", served.name)
        self.ready = True

    async def close(self) -> None:
        """Stop computing."""
        self.ready = False
        await self.batcher.close()
        self._reader.shutdown()

    # --- What is asked ----------------------------------------------------------------

    def rows(self, served: Served, verb: str) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers ``verb`` of examples, or of codes."""
        key = "codes" if verb == "decode" else "examples"
        schema = schemas.codes_body(served) if verb == "decode" else schemas.examples_body(served)
        quick = served.quick(verb)

        async def answer(request: Request) -> Response:
            kind = writing.wanted(request.headers.get("accept", ""))
            async with self._body(request) as body:
                rows, y = await self._reading(body, partial(_read, served, key, schema, request, body))
                request.state.examples = len(rows)
                work = self.batcher.together(served.works[verb], rows, y, quick)
                (made,) = await _unless_gone(request, work)
            return _written(served, verb, made, kind)

        return answer

    def impute(self, served: Served) -> Callable[[Request], Awaitable[Response]]:
        """Return what fills missing cells; alone, since what is drawn for a row depends on the rows before."""
        schema = schemas.examples_body(served)

        async def answer(request: Request) -> Response:
            kind = writing.wanted(request.headers.get("accept", ""))
            async with self._body(request) as body:
                X, y = await self._reading(body, partial(_read_gaps, served, schema, request, body))
                request.state.examples = len(X)
                made = await _unless_gone(request, self.batcher.alone(partial(served.estimator.impute, X, y)))
            return writing.examples(served, made, kind)

        return answer

    def sample(self, served: Served) -> Callable[[Request], Awaitable[Response]]:
        """Return what draws new examples."""
        schema = schemas.sample_body(served)

        async def answer(request: Request) -> Response:
            kind = writing.wanted(request.headers.get("accept", ""))
            async with self._body(request) as body:
                if body:
                    _require_json(request)
                asked = json_of(body or b"{}", schema)
            label = getattr(asked, "label", None)
            y = None if label is None else known_labels(served.fitted, [str(label)])[0]
            request.state.examples = asked.n
            draw = partial(served.estimator.sample, asked.n, y, random_state=asked.seed)
            made = await _unless_gone(request, self.batcher.alone(draw))
            return writing.examples(served, made, kind)

        return answer

    def _body(self, request: Request) -> Any:
        """Return the body's reader, or refuse the request before it is read."""
        if not self.ready:
            raise busy("the models are being warmed; try again", unread=True)
        is_json = kind_of(request.headers.get("content-type", ""))[0] == writing.JSON
        return self.bodies.read(request, MOST_JSON_BYTES if is_json else MOST_BYTES)

    async def _reading(self, body: bytes, read: Callable[[], Result]) -> Result:
        if len(body) <= SMALL_BYTES:
            return read()
        return await asyncio.get_running_loop().run_in_executor(self._reader, read)


def _read(
    served: Served, key: str, schema: type[BaseModel], request: Request, body: bytes
) -> tuple[Array, Array | None]:
    """Return the rows in a body, and their classes."""
    kind, boundary = kind_of(request.headers.get("content-type", ""))
    labels: Any = request.query_params.getlist("label")
    if kind == writing.JSON:
        asked = json_of(body, schema)
        found = getattr(asked, key)
        rows = np.array(found, np.float64) if key == "codes" else rows_of_json(served, found)
        labels = [*labels, *getattr(asked, "labels", [])]
    elif kind == NPY and key == "codes":
        rows = array_of(body, (served.fitted.latent_dim,))
    elif kind == NPY and served.fitted.table is None:
        rows = array_of(body, served.fitted.input_shape)
    elif key == "examples" and (kind.startswith("image/") or kind == "multipart/form-data"):
        rows = images_of(served, body, boundary)
    else:
        raise Refusal(415, _taken(served, key, kind))
    return rows, classes_of(served, labels, len(rows))


def _read_gaps(served: Served, schema: type[BaseModel], request: Request, body: bytes) -> tuple[Any, Array | None]:
    """Return a table as it is in a body, and its rows' classes."""
    _require_json(request)
    asked: Any = json_of(body, schema)
    table = served.fitted.table
    assert table is not None
    X = np.array(asked.examples, np.float64) if table.library == "numpy" else frame_of(table, asked.examples)
    return X, classes_of(served, getattr(asked, "labels", None), len(X))


def _require_json(request: Request) -> None:
    kind = kind_of(request.headers.get("content-type", ""))[0]
    if kind != writing.JSON:
        raise Refusal(415, f"Content-Type {writing.JSON} is expected, not {kind!r:.80}")


def _taken(served: Served, key: str, kind: str) -> str:
    taken = [writing.JSON]
    if served.fitted.table is None or key == "codes":
        taken.append(NPY)
    if served.is_of_images and key == "examples":
        taken += ["image/png (or another image file)", "multipart/form-data"]
    return f"Content-Type {' or '.join(taken)} is expected, not {kind!r:.80}"


def _written(served: Served, verb: str, made: Array, kind: str) -> Response:
    if verb == "encode":
        return writing.arrays("codes", made, kind)
    if verb == "score":
        return writing.arrays("scores", made, kind)
    if verb == "anomalies":
        return writing.anomalies(made, served.threshold, kind)
    return writing.examples(served, writing.examples_of_rows(served, made), kind)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return what ``work`` comes to; it is given up, and frees its place, as soon as the client has gone."""
    loop, asking = asyncio.get_running_loop(), asyncio.current_task()
    assert asking is not None
    watching: asyncio.Task[None] | None = None

    def watch() -> None:
        nonlocal watching
        watching = loop.create_task(_cancelled_when_gone(request, asking))

    timer = loop.call_later(UNWATCHED_SECONDS, watch)
    try:
        return await work
    except asyncio.CancelledError:
        if watching is None or not watching.done():
            raise
        asking.uncancel()
        raise Gone from None
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()


async def _cancelled_when_gone(request: Request, asking: asyncio.Task[Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    asking.cancel()
