"""One safe file a model: safetensors, typed metadata and a digest over every byte; no pickle, no code, no class path.

The file is checked before it is believed: its size, its header, each tensor's place, the digest, the metadata's types.
It is written under another name and moved when it is whole, so that a crash leaves the old file or the new one.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import secrets
import stat
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from narrows.pages import Helped

__all__ = [
    "Metadata",
    "ModelFileError",
    "Tensors",
    "halves",
    "read_model",
    "versions",
    "write_atomically",
    "write_model",
]

Tensors = dict[str, NDArray[Any]]

ModelFile: TypeAlias = "str | os.PathLike[str] | BinaryIO"
"""Where a model is written to or read from: a path, or an open binary file, seekable or not."""

BYTES_AT_ONCE = 2**24

LARGEST_HEADER = 16 * 2**20
LARGEST_FILE = 32 * 2**30
MOST_TENSORS = 10_000
MOST_ITEMS = 2**19
"""In a header: lists, objects and what they hold, each of which takes up to a hundred bytes once it is parsed."""

DTYPES = ("F32", "F64", "BOOL", "I64")
"""Of nets, of the scaling, and of the masks and orders in a normalising flow."""

WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

BLANK = "0" * 64
"""What the digest's own place holds while the digest is taken."""


class ModelFileError(Helped, ValueError):
    """A file that is no whole, unchanged model of narrows; the message says what is wrong with it.

    Examples
    --------
    >>> import tempfile
    >>> import narrows
    >>> path = tempfile.mkdtemp() + '/model.safetensors'
    >>> with open(path, 'wb') as file:
    ...     _ = file.write(b'no model')
    >>> try:
    ...     narrows.load(path)
    ... except narrows.ModelFileError as error:
    ...     print('refused')
    refused
    """

    page = "reliability"


Positive = Annotated[int, Field(ge=1)]


class Metadata(BaseModel):
    """What a model file says about its model, in addition to the tensors.

    Attributes
    ----------
    sha256
        The digest of the whole file with 64 zeros in the digest's own place.
    estimator, parameters
        A public class of narrows by its bare name, and its constructor's options.
    input_shape
        The shape of one example: (features,), (H, W) or (H, W, C).
    feature_names
        The training table's column names, if it had any.
    frame, dtypes
        Whose data frame it was, if it was one, and each column's type; the first files of format 5 do not say.
    scaling
        The kind of the scaling whose offset and scale are among the tensors.
    classes
        The labels that the prior, and a conditional model's nets, tell apart, in order.
    prior, components
        The prior's kind by its name, and, of a mixture, how many components a class has.
    seed
        The one that the weights came from.
    history, validation_error
        A row per epoch; mean and standard error of the squared error per feature on held-out examples (scaled units).
    versions
        Of narrows, torch, NumPy and scikit-learn when the model was written.
    table
        What its columns are, where they are not numbers alone; the first files of format 5 do not say.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    # First, so that its place in the file is the first that looks like it.
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = BLANK
    format: Literal[5] = 5
    estimator: str
    parameters: dict[str, JsonValue]
    input_shape: Annotated[list[Positive], Field(min_length=1, max_length=3)]
    feature_names: list[str] | None
    frame: Literal["pandas", "polars"] | None = None
    dtypes: list[Literal["float32", "float64"]] | None = None
    scaling: Literal["global", "feature"]
    classes: Annotated[list[bool] | list[int] | list[str], Field(min_length=1)] | None
    prior: str
    components: Positive
    seed: Annotated[int, Field(ge=0)]
    history: list[dict[str, float]]
    validation_error: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    versions: dict[str, str]
    table: dict[str, JsonValue] | None = None


def versions() -> dict[str, str]:
    """Return the versions of narrows and of what its results depend on, by name."""
    return {name: version(name) for name in ("narrows", "torch", "numpy", "scikit-learn")}


def write_model(file: ModelFile, metadata: Metadata, tensors: Tensors) -> None:
    """Write ``metadata`` and ``tensors`` to ``file``: to a path whole or not at all, to an open one from where it is.

    Raises
    ------
    TypeError
        If ``file`` is open as text.
    OSError
        If it cannot be written; a file that was there before, at a path, is then untouched.
    """
    header = {"narrows": metadata.model_copy(update={"sha256": BLANK}).model_dump_json()}
    data = safetensors.save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, header)
    data = data.replace(BLANK.encode(), _digest(data, BLANK).encode(), 1)
    if isinstance(file, str | os.PathLike):
        write_atomically(file, data)
        return
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"{named(file)} is open as text; a model needs a binary file, such as open(path, 'wb') gives")
    left = memoryview(data)
    while left:
        written = file.write(left)
        if written is None and isinstance(file, io.RawIOBase):
            raise BlockingIOError(f"{named(file)} accepts no bytes now; a model needs a file that blocks until it does")
        left = left[len(left) if written is None else written :]  # an unbuffered file takes a part


def named(file: ModelFile) -> str:
    """Return what an error calls ``file``: its path, or an open one's name."""
    return os.fspath(file) if isinstance(file, str | os.PathLike) else str(getattr(file, "name", type(file).__name__))


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path`` through a temporary file next to it, synced to the disk before and after the move.

    A link is followed to what it leads to, and a file that was there before keeps its mode.

    Raises
    ------
    OSError
        If it cannot be written, or is there and read-only; a file that was there before is then untouched, and no
        temporary one is left.
    """
    try:
        _write_aside(Path(path), data)
    except OSError as error:  # whose file is the temporary one, or none
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def halves(folder: Path, name: str | None = None) -> list[Path]:
    """Return what `write_atomically` has left in a ``folder`` where its process was killed, or of the file ``name``."""
    return sorted(folder.glob(f".narrows-{'*' if name is None else _short(name)}-*.tmp"))


def _short(name: str) -> str:
    """Return what stands for a file's name, which may itself be as long as a name can be."""
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


def _write_aside(path: Path, data: bytes) -> None:
    target = Path(os.path.realpath(path))  # as `resolve`, but without a RuntimeError for links in a circle
    old = target.stat() if target.exists() else None
    if old is not None and not stat.S_ISREG(old.st_mode):
        path.write_bytes(data)  # a device or a pipe, in whose place no file may come
        return
    # Also root, who could, does not overwrite what is marked as read-only.
    if old is not None and not (old.st_mode & WRITABLE and os.access(target, os.W_OK)):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    temporary = target.with_name(f".narrows-{_short(target.name)}-{secrets.token_hex(4)}.tmp")
    try:
        # Not tempfile's 0600: a new file gets the mode that the user's umask gives to any other, an old one keeps its.
        with open(temporary, "xb", opener=partial(os.open, mode=0o666 if old is None else 0o600)) as file:
            if old is not None:
                temporary.chmod(stat.S_IMODE(old.st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_model(file: ModelFile) -> tuple[Metadata, Tensors]:
    """Return the metadata and tensors of the model in ``file``, an open one from where it is to its end.

    Raises
    ------
    TypeError
        If ``file`` is open as text.
    ModelFileError
        If it is damaged, truncated, too large, or no model file of narrows.
    OSError
        If it cannot be read.
    """
    try:
        data = _read_bounded(file)
        return _metadata(data), safetensors.load(data)
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (ModelFileError, SafetensorError) as error:
        reason = str(error)
    raise ModelFileError(f"{named(file)} is not a model file that this version of narrows can read: {reason}")


def _digest(data: bytes, sha256: str) -> str:
    """Return the SHA-256 of ``data`` with `BLANK` where the digest ``sha256`` itself stands."""
    start = data.find(sha256.encode())
    view = memoryview(data)
    digest = hashlib.sha256(view[:start])
    digest.update(BLANK.encode())
    digest.update(view[start + len(BLANK) :])
    return digest.hexdigest()


def _read_bounded(file: ModelFile) -> bytes:
    """Return the file's bytes, once its size, if that is known, and its header's are found to be within bounds."""
    if isinstance(file, str | os.PathLike):
        mode = Path(file).stat().st_mode
        if stat.S_ISDIR(mode):
            example = Path(file, "model.safetensors")
            raise IsADirectoryError(f"{file} is a folder; name the model in it, such as {example}")
        if not stat.S_ISREG(mode):  # to open a pipe is to wait; a device may never end
            raise ModelFileError("it is a pipe or a device; an open file may be given instead")
        with Path(file).open("rb") as opened:
            if (size := os.fstat(opened.fileno()).st_size) > LARGEST_FILE:
                raise ModelFileError(f"its {size:,} bytes are more than the {LARGEST_FILE:,} allowed")
            return _read_bounded(opened)
    pieces = [*_pieces(file, 8)]
    length = int.from_bytes(b"".join(pieces), "little")
    if length > LARGEST_HEADER:
        told = f"its header of {length:,} bytes is longer than the {LARGEST_HEADER:,} allowed"
        raise ModelFileError(f"it is truncated, or a file of another kind: {told}")
    data = b"".join([*pieces, *_pieces(file, LARGEST_FILE)])
    if len(data) < 8 + length or len(data) < 9:
        raise ModelFileError("it is truncated, or a file of another kind")
    if len(data) > LARGEST_FILE:
        raise ModelFileError(f"it has more than the {LARGEST_FILE:,} bytes allowed")
    return data


def _pieces(file: BinaryIO, most: int) -> Iterator[bytes]:
    """Yield the next ``most`` bytes, or as many as there are, in pieces: an unbuffered file has no others."""
    while most > 0 and (piece := file.read(min(most, BYTES_AT_ONCE))):
        if isinstance(piece, str):
            raise TypeError(f"{named(file)} is open as text; a model is read from a binary file, as open(path, 'rb')")
        yield piece
        most -= len(piece)


def _metadata(data: bytes) -> Metadata:
    """Return the header's typed part, once the header's tensors and the digest are found in order."""
    length = int.from_bytes(data[:8], "little")
    if sum(data.count(mark, 8, 8 + length) for mark in (b"[", b"{", b",")) > MOST_ITEMS:
        raise ModelFileError(f"its header holds more than the {MOST_ITEMS:,} items allowed")
    try:
        header = json.loads(data[8 : 8 + length])
        text = header.pop("__metadata__")["narrows"]
        kinds = [(entry["dtype"], len(entry["shape"])) for entry in header.values()]
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        raise ModelFileError("its header is damaged, or was written by another program") from None
    if len(kinds) > MOST_TENSORS or any(dtype not in DTYPES or axes > 4 for dtype, axes in kinds):
        raise ModelFileError("it has too many tensors, or some of types that no model has")
    metadata = Metadata.model_validate_json(text)
    if _digest(data, metadata.sha256) != metadata.sha256:
        raise ModelFileError("it was changed or damaged: its SHA-256 does not match")
    return metadata
