"""Work that threads do some items ahead of whoever takes the results, which come in order."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import starmap
from threading import Lock, get_ident
from typing import Any, Generic, TypeVar

__all__ = ["Interruptible", "in_order"]

Result = TypeVar("Result")


def in_order(
    function: Callable[..., Result],
    items: Iterable[tuple[Any, ...]],
    workers: int,
    ahead: int,
    ended: Callable[[], None] = lambda: None,
) -> Generator[Result]:
    """Yield ``function`` of each item's parts, in order, worked out by threads; an error comes in its item's place.

    Parameters
    ----------
    function, items
        What is done, and with what. Items are taken in the caller's thread, as there is room for them.
    workers
        Threads. If it is one, there is none but the caller's.
    ahead
        Items that wait, are worked at or are done, besides the one whose result is taken next.
    ended
        Called at the end, by whatever it comes, before it is waited for what threads are still at.
    """
    if workers == 1:
        yield from starmap(function, items)
        return
    pool, pending = ThreadPoolExecutor(workers), deque[Future[Result]]()
    try:
        for future in _begun(pool, function, items):
            pending.append(future)
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        ended()
        pool.shutdown(cancel_futures=True)


def _begun(
    pool: ThreadPoolExecutor, function: Callable[..., Result], items: Iterable[tuple[Any, ...]]
) -> Iterator[Future[Result]]:
    """Yield what is to come of each item; of one that cannot be taken its error."""
    try:
        for item in items:
            yield pool.submit(function, *item)
    except Exception as error:  # noqa: BLE001 - it is raised when those before it are taken
        broken = Future[Result]()
        broken.set_exception(error)
        yield broken


class Interruptible(Generic[Result]):
    """A ``function`` that can be interrupted in all threads that are at it, once and for all.

    Ctrl-C is told to a process's first thread alone, and what others are at may take minutes.
    """

    def __init__(self, function: Callable[..., Result]) -> None:
        self.function, self.interrupted = function, False
        self._lock, self._busy = Lock(), set[int]()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in each thread that is at it, as soon as that comes back to Python."""
        with self._lock:  # under which none leaves the function, so that nothing else is interrupted
            self.interrupted = True
            for thread in self._busy:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))

    def __call__(self, *args: Any) -> Result:
        """Call the function, unless it was interrupted."""
        with self._lock:
            if self.interrupted:
                raise CancelledError
            self._busy.add(get_ident())
        try:
            return self.function(*args)
        finally:
            with self._lock:
                self._busy.discard(get_ident())
