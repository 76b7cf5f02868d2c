"""A file in which a training leaves all that it needs to go on, to the last bit, after a crash."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from itertools import count, takewhile
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from narrows.pages import Helped
from narrows.storage import halves, write_atomically

__all__ = ["Checkpoint", "CheckpointError", "kept_seeds"]

HASHED = ("data", "clean examples", "numbers", "labels", "sample weights", "first weights")
"""What is known of a training by a hash alone, which says nothing to anyone."""


class CheckpointError(Helped, ValueError):
    """A file that is no checkpoint, damaged, or of another training than this one; the message says which."""

    page = "machines"


State = TypeVar("State")


class Checkpoint:
    """One safe file (safetensors, no pickle), replaced as a whole every now and then.

    Parameters
    ----------
    path
        Of the file; there need be none yet.
    identity
        What the training depends on, by name: another one is not gone on with. NumPy's numbers and Python's are equal,
        as are tuples and lists. Of ``epochs`` there may be more than before.
    every
        Seconds from one writing to the next.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written.
    CheckpointError
        If a folder, a pipe or a device has this name.
    """

    def __init__(self, path: str | os.PathLike[str], identity: Mapping[str, Any], every: float = 30.0) -> None:
        self.path, self.every = Path(path), every
        own = {"narrows": version("narrows"), "torch": torch.__version__}
        self.identity = json.loads(json.dumps({**identity, **own}, default=_plain))
        _refuse_no_file(self.path)
        if not os.access(self.path.parent, os.W_OK):
            raise OSError(f"checkpoint {self.path}: its folder does not exist or cannot be written")
        written = Path(os.path.realpath(self.path))
        for half in halves(written.parent, written.name):
            half.unlink()
        self.written = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self.written >= self.every

    def write(self, state: object) -> None:
        """Put the ``state`` of a training, a dataclass, in place of what was there, whole or not at all.

        Raises
        ------
        OSError
            If it cannot be written, as on a full disk; the checkpoint before is then still there.
        """
        tensors: dict[str, Tensor] = {}
        header = json.dumps({"identity": self.identity, "facts": _packed(state, "state", tensors)})
        data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"narrows": header})
        write_atomically(self.path, data)
        self.written = time.monotonic()

    def read(self, kind: type[State]) -> State | None:
        """Return the state last written, a dataclass of this ``kind``, or None where there is no file yet.

        Raises
        ------
        CheckpointError
            If the file is no checkpoint, damaged, or of another training.
        OSError
            If it cannot be read.
        """
        if not self.path.exists():
            return None
        header = _header(self.path)
        with _damage_named(self.path):
            difference = _difference(header["identity"], self.identity)
        if difference:
            raise CheckpointError(
                f"{self.path} is of another training: {difference}; train as before, or name another file to begin anew"
            )
        with _damage_named(self.path):
            # Copies: what is mapped would change with the file, which the next checkpoint replaces.
            tensors = {name: tensor.clone() for name, tensor in load_file(self.path).items()}
            return cast("State", _unpacked(kind, header["facts"], tensors))


def kept_seeds(path: str | os.PathLike[str] | None) -> list[int]:
    """Return the seeds of the models whose training is in the checkpoint at ``path``, or in its -1, -2 … files.

    There are none where there is no file.

    Raises
    ------
    CheckpointError
        If it is no checkpoint, or damaged.
    """
    if path is None:
        return []
    path = Path(path)
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(1))
    files = [path] if path.exists() else takewhile(Path.exists, numbered)
    return [seed for file in files for seed in _header(file)["identity"]["random_state"]]


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return the first thing that two trainings differ in, in words, or None."""
    retyped = before.get("type") != now.get("type") and before.get("numbers") == now.get("numbers")
    if retyped and before.get("data") != now.get("data"):
        return f"the data are the same numbers, but were {before['type']} and are {now['type']} now"
    for name in {**before, **now}:
        one, other = before.get(name), now.get(name)
        if one == other or (name == "epochs" and one is not None and one < other):
            continue
        return f"the {name} are others" if name in HASHED else f"{name} was {one!r} and is {other!r} now"
    return None


def _header(path: Path) -> dict[str, Any]:
    """Return what the checkpoint at ``path`` says of itself."""
    _refuse_no_file(path)
    with _damage_named(path):
        with safe_open(path, "pt") as file:
            header: dict[str, Any] = json.loads(file.metadata()["narrows"])
        if "estimator" not in header:
            return {name: header[name] for name in ("identity", "facts")}
    raise CheckpointError(f"checkpoint {path} is a fitted model, for narrows.load; name another file for the training")


def _refuse_no_file(path: Path) -> None:
    if path.is_dir():
        raise CheckpointError(f"checkpoint {path} is a folder; name a file, such as {path / 'training.checkpoint'}")
    if path.exists() and not path.is_file():
        raise CheckpointError(f"checkpoint {path} is a pipe or a device; name a file")


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Say of a file that cannot be read as a checkpoint that it is none."""
    try:
        yield
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint, or is damaged ({error}); name another file to begin anew"
        ) from error


def _plain(value: Any) -> Any:
    """Return what stands for ``value`` in JSON, where that has no such thing itself."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def _packed(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Return ``value``, a dataclass of dataclasses, lists, dicts, plain values and tensors, as JSON has it.

    What it has of tensors goes into ``tensors``, and its name stands in its place.
    """
    if isinstance(value, Tensor):
        tensors[name] = value
        return name
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _packed(item, f"{name}.{key}", tensors) for key, item in value.items()}
    if isinstance(value, list):
        return [_packed(item, f"{name}.{number}", tensors) for number, item in enumerate(value)]
    return value


def _unpacked(kind: Any, value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return what `_packed` was given, of which ``kind`` is the type."""
    if kind is Tensor:
        return tensors[value]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _unpacked(hints[name], item, tensors) for name, item in value.items()})
    if get_origin(kind) is dict:
        return {key: _unpacked(get_args(kind)[1], item, tensors) for key, item in value.items()}
    if get_origin(kind) is list:
        return [_unpacked(get_args(kind)[0], item, tensors) for item in value]
    return value
