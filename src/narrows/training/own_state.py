"""torch's global settings, which are the user's: inside ours they are what results depend on, and outside as they were.

Default type and device, gradients or inference mode, automatic mixed precision, and deterministic algorithms, of which
those used here are deterministic anyway. How many threads there are is `narrows.training.processor.limited_threads`'.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from itertools import islice
from threading import Lock
from typing import ParamSpec, TypeVar

import torch

__all__ = ["in_own_state", "own_state", "steps_in_own_state"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LOCK, _INSIDE = Lock(), list[tuple[torch.dtype, bool, bool]]()
"""What is the process's is given back by the last one inside, as the first one found it."""


class own_state:  # noqa: N801 - used as a function; a generator would take longer
    """Let torch's settings be ours inside, and as they were afterwards; where they are, it takes no time.

    A thread that only computes meanwhile, with the default type changed, would see ours: that is the process's.
    """

    __slots__ = ("changes",)

    def __enter__(self) -> None:
        self.changes: ExitStack | None = None
        if _INSIDE or not _is_ours():
            with ExitStack() as changes:
                _change(changes)
                self.changes = changes.pop_all()

    def __exit__(self, *_: object) -> None:
        if self.changes is not None:
            self.changes.close()


def in_own_state(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let ``function`` work in `own_state`."""

    @wraps(function)
    def inside(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with own_state():
            return function(*args, **kwargs)

    return inside


def steps_in_own_state(steps: Generator[Result]) -> Generator[Result]:
    """Take each of ``steps`` in `own_state`; whoever takes them has settings of their own between."""
    ours = own_state()
    try:
        while True:
            with ours:
                step = list(islice(steps, 1))
            if not step:
                return
            yield step[0]
    finally:
        if _is_ours is not None:  # at its end Python takes modules apart, once the training has been closed (atexit)
            with ours:
                steps.close()


def _is_ours() -> bool:
    return (
        torch.get_default_dtype() is torch.float32
        and torch.is_grad_enabled()
        and not torch.is_inference_mode_enabled()
        and not torch.are_deterministic_algorithms_enabled()
        # What is public takes longer than all else: asking for each device, and for the default one, which is a mode.
        and not torch._C._is_any_autocast_enabled()  # noqa: SLF001
        and (not torch._C._len_torch_function_stack() or torch.get_default_device().type == "cpu")  # noqa: SLF001
    )


def _change(changes: ExitStack) -> None:
    """Make the settings ours until ``changes`` are undone."""
    changes.enter_context(_of_the_process())
    changes.enter_context(torch.inference_mode(mode=False))
    changes.enter_context(torch.enable_grad())
    for kind in ("cpu", "cuda"):
        if torch.is_autocast_enabled(kind):
            changes.enter_context(torch.autocast(kind, enabled=False))
    if torch.get_default_device().type != "cpu":
        changes.enter_context(torch.device("cpu"))


@contextmanager
def _of_the_process() -> Iterator[None]:
    """Change what all threads share."""
    with _LOCK:
        found = (
            torch.get_default_dtype(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        _INSIDE.append(_INSIDE[0] if _INSIDE else found)
        torch.set_default_dtype(torch.float32)
        torch.use_deterministic_algorithms(mode=False)
    try:
        yield
    finally:
        with _LOCK:
            dtype, deterministic, warn_only = _INSIDE.pop()
            if not _INSIDE:
                torch.set_default_dtype(dtype)
                torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
