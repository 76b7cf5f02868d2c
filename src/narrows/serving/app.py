"""The application: a path for each thing that a model can, behind the guard, every request counted and logged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from narrows.serving.described import SUMMARIES, operation
from narrows.serving.guard import Guard, equal
from narrows.serving.refusal import Refusal, Refused, refusal
from narrows.serving.served import Served
from narrows.serving.service import Gone, Service
from narrows.serving.unforeseen import Unforeseen
from narrows.serving.writing import json

__all__ = ["create_app"]

LOG = logging.getLogger("narrows.serving")

Answer = Callable[[Request], Awaitable[Response]]

BUSY_SECONDS = 0.1
"""After which a client is told that there is no room, so that those that ask again at once leave time to others."""

OPEN = ("/health/live", "/health/ready")
"""What needs no token: whoever runs the service asks for it, and it says nothing."""


def create_app(service: Service, hosts: frozenset[str], token: str | None = None) -> ASGIApp:
    """Return the guarded application of ``service``.

    Parameters
    ----------
    service
        Warmed, and closed, by the application.
    hosts
        As in `Guard`.
    token
        That requests must bring as ``Authorization: Bearer …``, all but those for health; None if they need none.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(service.warm())
        yield
        warming.cancel()
        await service.close()

    app = FastAPI(
        title="narrows",
        version=version("narrows"),
        description="Models with a bottleneck: encode, decode, reconstruct, denoise, sample, score, find anomalies.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(Unforeseen)
    app.router.route_class = Direct
    answers: dict[str, Answer] = {}
    app.exception_handler(HTTPException)(_unknown(service))
    _add_health(app, service)
    for served in service.models.values():
        answers |= _add_model(app, service, served)
    return Recorded(ApiGuard(Unforeseen(Shortcut(app, answers)), hosts, token), service)


def _add_health(app: FastAPI, service: Service) -> None:
    @app.get("/health/live", tags=["health"], summary="Whether the process is alive")
    async def live(_: Request) -> Response:
        return json({"live": True})

    @app.get("/health/ready", tags=["health"], summary="Whether the models are loaded and warm")
    async def ready(_: Request) -> Response:
        return json({"ready": True}) if service.ready else refusal(503, "the models are being warmed")

    @app.get(
        "/metrics",
        tags=["health"],
        summary="Counts and times, as Prometheus reads them",
        response_class=PlainTextResponse,
    )
    async def metrics(_: Request) -> Response:
        text = service.metrics.text(waiting=service.batcher.waiting, held=service.bodies.bytes, ready=service.ready)
        return Response(text, media_type="text/plain; version=0.0.4")

    @app.get("/models", tags=["models"], summary="The models, and what each takes and can")
    async def models(_: Request) -> Response:
        return json({"models": [_told(served) for served in service.models.values()]})


def _told(served: Served) -> dict[str, Any]:
    fitted = served.fitted
    return {
        "name": served.name,
        "kind": fitted.kind,
        "latent_dim": fitted.latent_dim,
        "input_shape": fitted.input_shape,
        "columns": served.names,
        "classes": None if fitted.classes is None else fitted.classes.tolist(),
        "needs_labels": fitted.conditional,
        "verbs": [*served.works, "sample", *(["impute"] if served.imputes else [])],
    }


def _add_model(app: FastAPI, service: Service, served: Served) -> dict[str, Answer]:
    """Describe what is asked of a model, and return what answers, by path."""
    found: dict[str, Answer] = {verb: service.rows(served, verb) for verb in served.works}
    found["sample"] = service.sample(served)
    if served.imputes:
        found["impute"] = service.impute(served)
    answers = {}
    for verb, work in found.items():
        path = f"/models/{served.name}/{verb}"
        answers[path] = _answering(served, verb, work)
        told = operation(served, verb)
        app.post(path, tags=[served.name], summary=SUMMARIES[verb], openapi_extra=told)(answers[path])
    return answers


def _answering(served: Served, verb: str, work: Answer) -> Answer:
    async def answer(request: Request) -> Response:
        request.state.asked = served.name, verb
        try:
            return await work(request)
        except Refusal as found:
            if found.status == 503:
                await asyncio.sleep(BUSY_SECONDS)
            return Refused(found)
        except Gone:
            return Response(status_code=499)  # nobody reads it; nginx logs such requests so
        except (ValueError, TypeError) as error:
            return refusal(422, str(error))

    return answer


def _unknown(service: Service) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        told = str(error.detail)
        if error.status_code == 404:
            told = f"there is nothing here; models are {', '.join(service.models)}, and /models says what each can"
        return refusal(error.status_code, told, error.headers)

    return handle


class Direct(APIRoute):
    """A path whose function takes the request and returns the response, so that nothing is left to be worked out."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function itself."""
        return self.endpoint


class Shortcut:
    """Answers what is asked of models without FastAPI, whose way to a function takes as long as most passes.

    Parameters
    ----------
    app
        Asked for all else.
    answers
        What answers POST, by path.
    """

    def __init__(self, app: ASGIApp, answers: Mapping[str, Answer]) -> None:
        self.app, self.answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI request, or hand it on."""
        answer = self.answers.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if answer is None:
            await self.app(scope, receive, send)
        else:
            response = await answer(Request(scope, receive))
            await response(scope, receive, send)


class ApiGuard(Guard):
    """Lets through what brings the token, if there is one.

    Parameters
    ----------
    app, hosts
        As of `Guard`.
    token
        As of `create_app`.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], token: str | None) -> None:
        super().__init__(app, hosts)
        self.token = token

    def answer(self, request: HTTPConnection) -> Response | None:
        """Return that the token is needed, where it is."""
        if self.token is None or request.url.path in OPEN:
            return None
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and equal(given.strip(), self.token):
            return None
        return self.refusal(401, "the token is missing or wrong; send it as Authorization: Bearer TOKEN")

    def refusal(self, status: int, message: str) -> Response:
        """Return ``message`` as JSON."""
        return refusal(status, message, {"www-authenticate": "Bearer"} if status == 401 else None)


class Recorded:
    """Counts and logs requests; what is in their bodies is nobody's business.

    Parameters
    ----------
    app
        What is asked.
    service
        Whose metrics they are.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        state = scope.setdefault("state", {})

        async def recorded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, recorded)
        finally:
            seconds = time.perf_counter() - began
            model, verb = state.get("asked", ("", ""))
            self.service.metrics.answered(model, verb, status, seconds, state.get("examples", 0))
            LOG.info(
                '%s "%s %s" %d %.1f ms',
                (scope.get("client") or ("-",))[0],
                scope["method"],
                scope.get("raw_path", b"").decode("ascii", "replace")[:200],
                status,
                1000 * seconds,
            )
