"""What a request brings → rows as the model takes them: JSON, an .npy array, an image file, or several as multipart."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from narrows.arguments import check_finite
from narrows.data.pixels import image_bytes
from narrows.fitted.levels import of_bytes
from narrows.runs.opening import known_labels
from narrows.serving.images import read_image
from narrows.serving.records import frame_of
from narrows.serving.refusal import Refusal, first_of
from narrows.serving.schemas import MOST_NUMBERS
from narrows.serving.served import Served

__all__ = ["NPY", "array_of", "classes_of", "images_of", "json_of", "kind_of", "rows_of_json"]

Array = NDArray[Any]

NPY = "application/x-npy"

MOST_IMAGES = 256
"""Files in one request."""


@lru_cache(64)
def kind_of(content_type: str) -> tuple[str, str]:
    """Return a media type without its parameters, and the boundary that it may name."""
    message = Message()
    message["content-type"] = content_type
    return message.get_content_type(), str(message.get_boundary(""))


def json_of(body: bytes, schema: type[BaseModel]) -> Any:
    """Return a JSON body as ``schema`` has it.

    Raises
    ------
    Refusal
        Naming the first thing that is wrong.
    """
    try:
        return schema.__pydantic_validator__.validate_json(body)
    except ValidationError as error:
        status = 400 if error.errors(include_url=False)[0]["type"] == "json_invalid" else 422
        raise Refusal(status, first_of(error)) from None


def rows_of_json(served: Served, examples: list[Any]) -> Array:
    """Return ``examples``, checked by a schema, as rows (n, features).

    Raises
    ------
    ValueError, TypeError
        If the model cannot take them.
    """
    table = served.fitted.table
    if table is not None and table.library != "numpy":
        return table.cells(frame_of(table, examples))
    if table is not None:
        return table.cells(np.array(examples, np.float64))
    if served.names is not None:
        examples = [[record[name] for name in served.names] for record in examples]
    return _finite(np.array(examples, np.float64).reshape(len(examples), -1))


def array_of(body: bytes, shape: tuple[int, ...]) -> Array:
    """Return the array (n, …) in a body that is an .npy file, as rows (n, features) for examples of ``shape``.

    Raises
    ------
    Refusal
        If it is none, or holds other things than finite real numbers of that shape.
    """
    stream = BytesIO(body)
    try:
        version = npy.read_magic(stream)
        head: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        found, by_columns, dtype = head(stream)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise Refusal(400, "the body is not an .npy file") from None
    if dtype.kind not in "buif":
        raise Refusal(422, f"the array holds {dtype}; real numbers are expected")
    if tuple(found[1:]) != shape or len(found) != 1 + len(shape) or found[0] < 1:
        raise Refusal(422, f"the array has shape {found!s:.80}; (n, {', '.join(map(str, shape))}) is expected")
    rest = memoryview(body)[stream.tell() :]
    size = int(np.prod(found, dtype=object))
    if size > MOST_NUMBERS:
        raise Refusal(413, f"the array has {size:,} numbers; {MOST_NUMBERS:,} is the limit")
    if len(rest) != size * dtype.itemsize:
        raise Refusal(400, f"the array has {len(rest):,} bytes; its header says {size * dtype.itemsize:,}")
    array = np.frombuffer(rest, dtype).reshape(found, order="F" if by_columns else "C")
    small = dtype.kind == "b" or (dtype.kind in "ui" and dtype.itemsize <= 2) or dtype == np.float32
    with np.errstate(over="ignore"):  # is refused below
        return _finite(np.ascontiguousarray(array, np.float32 if small else np.float64).reshape(found[0], -1))


def _finite(rows: Array) -> Array:
    if rows.size > MOST_NUMBERS:
        raise Refusal(413, f"the examples have {rows.size:,} numbers; {MOST_NUMBERS:,} is the limit")
    check_finite(rows, argument="the body")
    return rows


def images_of(served: Served, body: bytes, boundary: str) -> Array:
    """Return image files, one or those between ``boundary``, as rows: cropped to the middle, and scaled to the shape.

    Black and white are the least and the greatest value of the training data, as in images that the service writes.

    Raises
    ------
    Refusal, ValueError
        If there is none, or one is too large, damaged, or of a kind that is not read.
    """
    shape = served.fitted.input_shape
    if len(shape) < 2 or shape[2:] not in ((), (1,), (3,)):
        raise Refusal(415, f"this model takes no images, but examples of shape {shape}")
    files = _parts(body, boundary) if boundary else [body]
    mode = "RGB" if shape[2:] == (3,) else "L"
    levels = [image_bytes(read_image(file), (shape[1], shape[0]), "crop", mode) for file in files]
    rows = of_bytes(served.fitted, np.stack(levels))
    return rows.reshape(len(rows), -1)


def _parts(body: bytes, boundary: str) -> list[bytes]:
    """Return the contents of a multipart body's parts; their headers say nothing that is asked here."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(errors="replace"), MOST_IMAGES + 2)
    if len(pieces) > MOST_IMAGES + 2:
        raise Refusal(413, f"the body has more than {MOST_IMAGES} parts")
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Refusal(400, "the body is not whole, or holds no file, as multipart/form-data")
    return [piece.partition(b"\r\n\r\n")[2] for piece in pieces[1:-1]]


def classes_of(served: Served, labels: Sequence[Any] | None, n: int) -> Array | None:
    """Return the class of each of ``n`` examples for a conditional model, whose ``labels`` may be text.

    Raises
    ------
    Refusal, ValueError
        If there are none, or neither one nor ``n``, or some that the model does not know.
    """
    if not served.fitted.conditional:
        if labels:
            raise Refusal(422, "this model's answers do not depend on labels; leave them out")
        return None
    if not labels:
        raise Refusal(422, "labels are needed, the class of each example: this model depends on it")
    if len(labels) not in (1, n):
        raise Refusal(422, f"there are {len(labels)} labels for {n} examples; give one for each, or one for all")
    return known_labels(served.fitted, [str(label) for label in labels] * (n // len(labels)))
