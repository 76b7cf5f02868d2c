"""One thread for all models' passes, and requests that wait for it together share one; the smallest need no thread.

Nothing waits for company: whatever has come while the last batch was computed is the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from narrows.serving.refusal import busy

__all__ = ["ANSWER_SECONDS", "MOST_WAITING", "Batcher", "Work"]

MOST_WAITING = 256
"""Requests that wait for their answers; the next is sent away."""

ROWS_TOGETHER = 256
"""In a batch of several requests; what is alone may have more."""

ANSWER_SECONDS = 30.0
"""After which a request that still waits is sent away."""

Work = Callable[[NDArray[Any], "NDArray[Any] | None"], tuple[NDArray[Any], ...]]
"""Of rows (n, …), and their classes if the model needs them, makes arrays of n rows, each of which follows from one."""


@dataclass(slots=True, eq=False)
class _Job:
    work: Any
    rows: NDArray[Any] | None
    y: NDArray[Any] | None
    future: asyncio.Future[Any]
    quick: int = 0


class Batcher:
    """Takes work from the event loop's requests to a thread.

    Parameters
    ----------
    computed
        Called with the number of requests and the seconds of each batch.
    """

    def __init__(self, computed: Callable[[int, float], None] = lambda _requests, _seconds: None) -> None:
        self.computed = computed
        self.jobs = deque[_Job]()
        self.waiting = 0
        self._pool = ThreadPoolExecutor(1, "narrows-passes", partial(torch.set_num_threads, 1))
        self._runner: asyncio.Task[None] | None = None

    async def together(
        self, work: Work, rows: NDArray[Any], y: NDArray[Any] | None, quick: int = 0
    ) -> tuple[NDArray[Any], ...]:
        """Return what ``work`` makes of ``rows`` (n, …), perhaps in one batch with other requests' rows.

        Up to ``quick`` rows are computed between two requests, since it would take as long to hand them to the thread.

        Raises
        ------
        Refusal
            If too many wait already, or it took too long.
        """
        answer: tuple[NDArray[Any], ...] = await self._ask(work, rows, y, quick)
        return answer

    async def alone(self, work: Callable[[], Any]) -> Any:
        """Return what ``work`` returns, computed when its turn comes; raises as `together`."""
        return await self._ask(work, None, None)

    async def before_requests(self, work: Callable[[], None]) -> None:
        """Do ``work`` in the thread, however long it takes."""
        await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        """Stop."""
        if self._runner is not None:
            self._runner.cancel()
            with suppress(asyncio.CancelledError):
                await self._runner
        self._pool.shutdown()

    async def _ask(self, work: Any, rows: NDArray[Any] | None, y: NDArray[Any] | None, quick: int = 0) -> Any:
        if self.waiting >= MOST_WAITING:
            raise busy(f"{MOST_WAITING} requests are waiting already; try again")
        loop = asyncio.get_running_loop()
        job = _Job(work, rows, y, loop.create_future(), quick)
        self.waiting += 1
        self.jobs.append(job)
        if self._runner is None or self._runner.done():
            self._runner = loop.create_task(self._run())
        late = loop.call_later(ANSWER_SECONDS, _send_away, job.future)
        try:
            return await job.future
        finally:
            late.cancel()
            job.future.cancel()  # of a request that was given up: it frees its place
            self.waiting -= 1

    async def _run(self) -> None:
        """Compute batches until nothing waits."""
        loop = asyncio.get_running_loop()
        while batch := self._next():
            began = loop.time()
            if sum(1 if job.rows is None else len(job.rows) for job in batch) <= batch[0].quick:
                answers = _computed(batch)
                await asyncio.sleep(0)  # others' requests are read meanwhile, and make the next batch
            else:
                answers = await loop.run_in_executor(self._pool, _computed, batch)
            self.computed(len(batch), loop.time() - began)
            for job, answer in zip(batch, answers, strict=True):
                if job.future.done():
                    continue
                if isinstance(answer, Exception):
                    job.future.set_exception(answer)
                else:
                    job.future.set_result(answer)

    def _next(self) -> list[_Job]:
        """Take what has waited longest, and others of its kind, from those that still want an answer."""
        self.jobs = deque(job for job in self.jobs if not job.future.done())
        if not self.jobs:
            return []
        first = self.jobs.popleft()
        if first.rows is None:
            return [first]
        batch, rows, others = [first], len(first.rows), deque[_Job]()
        for job in self.jobs:
            fits = job.rows is not None and job.work == first.work and rows + len(job.rows) <= ROWS_TOGETHER
            if fits:
                assert job.rows is not None
                rows += len(job.rows)
                batch.append(job)
            else:
                others.append(job)
        self.jobs = others
        return batch


def _send_away(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(busy(f"there was no answer within {ANSWER_SECONDS:g} seconds; try again"))


def _computed(batch: list[_Job]) -> list[Any]:
    """Return each job's answer, or the error that it alone is to blame for."""
    if len(batch) == 1:
        return [_one(batch[0])]
    rows = np.concatenate([job.rows for job in batch if job.rows is not None])
    given = [job.y for job in batch if job.y is not None]
    try:
        made = batch[0].work(rows, np.concatenate(given) if given else None)
    except Exception:  # noqa: BLE001 - one request's rows cannot be worked on, which is nothing to the others
        return [_one(job) for job in batch]
    ends = accumulate(len(job.rows) for job in batch if job.rows is not None)
    return [tuple(array[begin:end] for array in made) for begin, end in pairwise([0, *ends])]


def _one(job: _Job) -> Any:
    try:
        return job.work() if job.rows is None else job.work(job.rows, job.y)
    except Exception as error:  # noqa: BLE001 - is raised where the request waits for it
        return error
