"""Requests share passes, and nobody notices: not in the answer, not in another's mistake, not when another goes."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from narrows.serving import batching
from narrows.serving.batching import Batcher
from narrows.serving.refusal import Refusal
from serving.conftest import DIGITS


def run(scenario):
    async def whole():
        batcher = Batcher()
        try:
            return await scenario(batcher)
        finally:
            await batcher.close()

    with ThreadPoolExecutor(1) as thread:  # of its own, since a browser's tests leave a loop in theirs
        return thread.submit(lambda: asyncio.run(whole())).result()


class Held:
    """Work that waits until it is let go, and notes how many rows each batch has."""

    def __init__(self, error=ValueError):
        self.go, self.begun, self.batches, self.error = threading.Event(), threading.Event(), [], error

    def __call__(self, rows, _):
        self.begun.set()
        assert self.go.wait(60)
        self.batches.append(len(rows))
        if (rows < 0).any():
            raise self.error(f"row {int((rows < 0).argmax())} is negative")
        return (rows + 1,)


async def begun(work):
    await asyncio.to_thread(work.begun.wait, 60)


async def behind(batcher, work, rows):
    """Let requests gather behind a first one, and return all answers."""
    first = asyncio.create_task(batcher.together(work, np.zeros((1, 1)), None))
    await begun(work)
    others = [asyncio.create_task(batcher.together(work, np.full((1, 1), row), None)) for row in rows]
    await asyncio.sleep(0)
    work.go.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_what_waits_together_is_one_batch_and_each_gets_its_own():
    work = Held()
    answers = run(lambda batcher: behind(batcher, work, [5.0, 6.0, 7.0]))
    assert work.batches == [1, 3]
    assert [float(answer[0][0, 0]) for answer in answers] == [1, 6, 7, 8]


@pytest.mark.parametrize("error", [ValueError, RuntimeError])
def test_a_mistake_is_its_own_alone(error):
    work = Held(error)
    answers = run(lambda batcher: behind(batcher, work, [5.0, -1.0, 7.0]))
    assert [str(answer) for answer in answers if isinstance(answer, Exception)] == ["row 0 is negative"]
    assert [float(answer[0][0, 0]) for answer in answers if not isinstance(answer, Exception)] == [1, 6, 8]


def test_who_gives_up_frees_its_place_and_is_not_computed():
    work = Held()

    async def scenario(batcher):
        first = asyncio.create_task(batcher.together(work, np.zeros((1, 1)), None))
        await begun(work)
        gone = asyncio.create_task(batcher.together(work, np.ones((1, 1)), None))
        await asyncio.sleep(0)
        assert batcher.waiting == 2
        gone.cancel()
        await asyncio.wait({gone})
        assert batcher.waiting == 1
        work.go.set()
        await first

    run(scenario)
    assert work.batches == [1]


def test_the_queue_is_bounded_and_nobody_waits_for_ever(monkeypatch):
    monkeypatch.setattr(batching, "MOST_WAITING", 2)
    monkeypatch.setattr(batching, "ANSWER_SECONDS", 0.02)
    work = Held()

    async def scenario(batcher):
        ask = [asyncio.create_task(batcher.together(work, np.zeros((1, 1)), None)) for _ in range(3)]
        found = await asyncio.gather(*ask, return_exceptions=True)
        assert [error.status for error in found if isinstance(error, Refusal)] == [503] * 3
        assert "waiting already" in found[2].message
        assert "no answer within" in found[0].message
        assert batcher.waiting == 0
        work.go.set()

    run(scenario)


@pytest.mark.parametrize("verb", ["encode", "reconstruct", "score", "anomalies"])
@pytest.mark.parametrize("name", ["digits", "classes"])
def test_an_answer_does_not_depend_on_who_shares_the_batch(models, name, verb):
    """Within the tolerance of docs/exactness.md: 128 spacings of 32-bit numbers at the result's largest."""
    work, rows = models[name].works[verb], DIGITS[:100].reshape(100, -1)
    y = np.arange(100) % 10 if name == "classes" else None
    (together,) = work(rows, y)
    for row in (0, 31, 32, 99):
        (alone,) = work(rows[[row]], None if y is None else y[[row]])
        spacing = np.spacing(np.float32(np.abs(together).max()))
        np.testing.assert_allclose(together[[row]], alone, rtol=0, atol=128 * spacing)


def test_a_small_model_answers_the_same_without_the_thread(models):
    """Its passes are computed between two requests where they have few rows, and in the thread where they have more."""
    served = models["digits"]
    most, rows = served.quick("encode"), DIGITS[:100].reshape(100, -1)
    assert most >= 32
    assert served.quick("score") == models["people"].quick("encode") == 0

    async def scenario(batcher):
        work = served.works["encode"]
        asked = [batcher.together(work, rows[i : i + 25], None, 60) for i in range(0, 100, 25)]
        return await asyncio.gather(batcher.together(work, rows, None, 60), *asked)

    (whole,), *parts = run(scenario)
    np.testing.assert_allclose(np.concatenate([part for (part,) in parts]), whole, atol=1e-5)
