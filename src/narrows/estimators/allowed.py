"""What an option may be, said where the option stands: as its field's metadata.

``beta: float = field(default=1.0, metadata=at_least(0))``. What several options must be together is a rule of the class
that has them: a function in its ``_rules``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from narrows.arguments import choice, integer, rate, real

__all__ = [
    "Rules",
    "above",
    "at_least",
    "checked",
    "checks_of",
    "fraction",
    "one_of",
    "rules_of",
    "true_or_false",
    "whole",
]

Check = Callable[[str, Any], object]
Metadata = Mapping[str, Check]
Rules = tuple[Callable[[Any], None], ...]


def checked(check: Check, *words: str) -> Metadata:
    """Return the metadata of an option that is one of ``words``, or passes ``check``, which gets its name and value."""

    def check_value(name: str, value: Any) -> None:
        if not (isinstance(value, str) and value in words):
            check(name, value)

    return {"check": check_value}


def whole(low: int, high: int | None = None, *words: str) -> Metadata:
    """Whole numbers in [low, high], or ``words``."""
    return checked(partial(integer, low=low, high=high), *words)


def at_least(low: float, high: float = math.inf) -> Metadata:
    """Real numbers in [low, high]."""
    return checked(partial(real, low=low, high=high))


def above(low: float, *words: str) -> Metadata:
    """Real numbers above ``low``, or ``words``."""
    return checked(partial(real, low=low, low_included=False), *words)


def fraction() -> Metadata:
    """Real numbers in (0, 1)."""
    return checked(rate)


def one_of(names: Iterable[str]) -> Metadata:
    """One of ``names``."""
    return checked(partial(choice, options=names))


def true_or_false() -> Metadata:
    """Truth values."""
    return checked(_truth)


def _truth(name: str, value: object) -> None:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}={value!r} must be True or False")


def checks_of(kind: type) -> dict[str, Check]:
    """Return what checks each option of a class, by name: a subclass that only has another default keeps the check."""
    fields = (field for base in reversed(kind.__mro__) for field in _fields(base))
    return {field.name: field.metadata["check"] for field in fields if "check" in field.metadata}


def _fields(kind: type) -> Iterable[Any]:
    own: dict[str, Any] = vars(kind).get("__dataclass_fields__", {})
    return own.values()


def rules_of(kind: type) -> Iterable[Callable[[Any], None]]:
    """Return the rules of a class and of those it comes from."""
    return (rule for base in reversed(kind.__mro__) for rule in vars(base).get("_rules", ()))
