"""A place on disk where a training leaves all that it needs to go on, to the last bit, after a crash."""

from __future__ import annotations

import glob
import json
import os
import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from narrows.storage import write_atomically

__all__ = ["Checkpoint", "CheckpointError"]


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or of another training than this one; the message says which."""


State = TypeVar("State")


class Checkpoint:
    """One safe file (safetensors, no pickle), replaced as a whole every now and then.

    Parameters
    ----------
    path
        Of the file; there need be none yet.
    identity
        What the training depends on, by name: another one is not gone on with.
    every
        Seconds from one writing to the next.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], identity: Mapping[str, Any], every: float = 30.0) -> None:
        self.path, self.every = Path(path), every
        self.identity = json.loads(json.dumps({**identity, "torch": torch.__version__}))
        if not os.access(self.path.parent, os.W_OK):
            raise OSError(f"checkpoint {self.path}: its folder does not exist or cannot be written")
        for half in self.path.parent.glob(f".{glob.escape(self.path.name)}.*.tmp"):
            half.unlink()  # what a killed writer left
        self.written = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self.written >= self.every

    def write(self, state: object) -> None:
        """Put the ``state`` of a training, a dataclass, in the place of what was there, whole or not at all.

        Raises
        ------
        OSError
            If it cannot be written, as on a full disk; the checkpoint before is then still there.
        """
        tensors: dict[str, Tensor] = {}
        facts = _packed(state, "state", tensors)
        header = json.dumps({"identity": self.identity, "facts": facts})
        data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"narrows": header})
        write_atomically(self.path, data)
        self.written = time.monotonic()

    def read(self, kind: type[State]) -> State | None:
        """Return the state last written, a dataclass of this ``kind``, or None where there is no file yet.

        Raises
        ------
        CheckpointError
            If the file is damaged, or of another training.
        OSError
            If it cannot be read.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                header = json.loads(file.metadata()["narrows"])
            identity, facts = header["identity"], header["facts"]
            # Copies: what is mapped would change with the file, which the next checkpoint takes the place of.
            tensors = {name: tensor.clone() for name, tensor in load_file(self.path).items()}
            state = _unpacked(kind, facts, tensors)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{self.path} is no checkpoint, or damaged ({error}); remove it to begin anew"
            ) from error
        for name in identity | self.identity:
            before, now = identity.get(name), self.identity.get(name)
            if before != now:
                raise CheckpointError(
                    f"{self.path} is of another training: {name} was {before!r} and is {now!r} now; "
                    "train as then, or remove the file to begin anew"
                )
        return cast("State", state)


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
        return {key: _packed(part, f"{name}.{key}", tensors) for key, part in value.items()}
    if isinstance(value, list):
        return [_packed(part, f"{name}.{number}", tensors) for number, part in enumerate(value)]
    return value


def _unpacked(kind: Any, value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return what `_packed` was given, of which ``kind`` is the type."""
    if kind is Tensor:
        return tensors[value]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _unpacked(hints[name], part, tensors) for name, part in value.items()})
    if get_origin(kind) is dict:
        return {key: _unpacked(get_args(kind)[1], part, tensors) for key, part in value.items()}
    if get_origin(kind) is list:
        return [_unpacked(get_args(kind)[0], part, tensors) for part in value]
    return value
