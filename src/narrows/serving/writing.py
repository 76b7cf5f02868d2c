"""What a model makes of a request → its response: JSON without NaN, an .npy array, or one image as PNG."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic_core import to_json
from starlette.responses import Response

from narrows.columns.reading import is_frame
from narrows.fitted.levels import as_bytes
from narrows.serving.reading import NPY
from narrows.serving.records import named, records_of
from narrows.serving.refusal import Refusal
from narrows.serving.schemas import MOST_NUMBERS
from narrows.serving.served import Served

__all__ = ["JSON", "PNG", "anomalies", "arrays", "examples", "examples_of_rows", "json", "wanted"]

Array = NDArray[Any]

JSON, PNG = "application/json", "image/png"

MOST_JSON_NUMBERS = 2**17
"""In an answer as JSON: about three megabytes of text."""


def wanted(accept: str) -> str:
    """Return which of JSON, NPY and PNG an Accept header asks for; the first of them that it names, or else JSON.

    Raises
    ------
    Refusal
        If it asks for none of them.
    """
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    found = next((kind for kind in kinds if kind in (JSON, NPY, PNG)), None)
    if found is not None:
        return found
    if not accept or any(kind in ("*/*", "application/*") for kind in kinds):
        return JSON
    raise Refusal(406, f"answers are {JSON}, {NPY} or, of one image, {PNG}; Accept is {accept!r:.80}")


def json(answer: dict[str, Any]) -> Response:
    """Return ``answer`` as JSON; a number that is not finite is null."""
    return Response(to_json(answer, inf_nan_mode="null"), media_type=JSON)


def arrays(name: str, array: Array, kind: str) -> Response:
    """Return numbers (n, …), in JSON under ``name``."""
    if kind == NPY:
        stream = BytesIO()
        np.lib.format.write_array(stream, array, allow_pickle=False)
        return Response(stream.getvalue(), media_type=NPY)
    if kind == PNG:
        raise Refusal(406, f"{name} are no images; take {JSON} or {NPY}")
    _check_json(array.size)
    return json({name: array.tolist()})


def anomalies(scores: Array, threshold: float | None, kind: str) -> Response:
    """Return anomaly scores (n,), and which are odd where that is known."""
    if kind == NPY:
        return arrays("anomaly_scores", scores, kind)
    _check_json(scores.size)
    odd = None if threshold is None else (scores > threshold).tolist()
    if kind == PNG:
        raise Refusal(406, f"scores are no images; take {JSON} or {NPY}")
    return json({"anomaly_scores": scores.tolist(), "odd": odd, "threshold": threshold})


def examples_of_rows(served: Served, rows: Array) -> Any:
    """Return rows (n, features) as examples: an array (n, …), or for a table of columns a data frame."""
    table = served.fitted.table
    if table is not None:
        return table.filled(rows, bounded=False)
    return rows.reshape(-1, *served.fitted.input_shape)


def examples(served: Served, made: Any, kind: str) -> Response:
    """Return examples, an array (n, …) or a data frame, as they are ``wanted``.

    Raises
    ------
    Refusal
        If they cannot be written so, or are too many.
    """
    size = int(np.prod(made.shape))
    if size > MOST_NUMBERS:
        raise Refusal(413, f"the answer has {size:,} numbers; {MOST_NUMBERS:,} is the limit")
    if kind == PNG:
        return _png(served, made)
    mixed = is_frame(made) and served.fitted.table is not None
    if mixed and kind == NPY:
        raise Refusal(406, f"this model's examples are records, which are written as {JSON}")
    if kind == NPY or (not is_frame(made) and served.names is None):
        return arrays("examples", np.asarray(made), kind)
    _check_json(size)
    if is_frame(made):
        return json({"examples": records_of(made)})
    assert served.names is not None
    return json({"examples": named(served.names, made)})


def _check_json(size: int) -> None:
    if size > MOST_JSON_NUMBERS:
        raise Refusal(
            413, f"the answer has {size:,} numbers; {MOST_JSON_NUMBERS:,} is JSON's limit, ask for fewer or {NPY}"
        )


def _png(served: Served, made: Any) -> Response:
    if not served.is_of_images:
        raise Refusal(406, f"this model's examples are no images; take {JSON} or {NPY}")
    if len(made) != 1:
        raise Refusal(406, f"an image is one example, but there are {len(made)}; take {NPY}")
    stream = BytesIO()
    Image.fromarray(as_bytes(served.fitted, made)[0]).save(stream, "PNG")
    return Response(stream.getvalue(), media_type=PNG)
