"""What a model's requests hold as JSON: one class for each kind of request, with the model's own shapes and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NotRequired

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, create_model
from typing_extensions import TypedDict

from narrows.columns.column import LEFT_OUT, Column
from narrows.serving.served import Served

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_NUMBERS", "codes_body", "examples_body", "sample_body"]

MOST_NUMBERS = 2**20
"""In the examples of a request, or of its answer."""

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Label = str | int | bool


def examples_body(served: Served) -> type[BaseModel]:
    """Return what is asked with examples: ``{"examples": […], "labels": […]}``."""
    return _body(served, "examples", _example(served))


def codes_body(served: Served) -> type[BaseModel]:
    """Return what is asked with codes: ``{"codes": […], "labels": […]}``."""
    return _body(served, "codes", _array((served.fitted.latent_dim,), FiniteFloat))


def sample_body(served: Served) -> type[BaseModel]:
    """Return what new examples are asked with: ``{"n": 16, "seed": 0, "label": 7}``."""
    most = max(1, MOST_NUMBERS // max(served.fitted.features, served.fitted.latent_dim))
    seed = Field(None, ge=0, lt=2**32, description="The same seed gives the same examples; without one they are new.")
    fields: dict[str, Any] = {
        "n": (int, Field(1, ge=1, le=min(most, 10_000), description="How many.")),
        "seed": (int | None, seed),
    }
    if served.fitted.classes is not None:
        fields["label"] = (Label | None, Field(None, description="Their class; without one, as often as in training."))
    return create_model(f"{served.name} sample", __config__=STRICT, **fields)


def _body(served: Served, key: str, item: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {key: (list[item], Field(min_length=1))}
    if served.fitted.conditional:
        told = Field(min_length=1, description="The class of each, or of all: the model depends on it.")
        fields["labels"] = (list[Label], told)
    return create_model(f"{served.name} {key}", __config__=STRICT, **fields)


def _example(served: Served) -> Any:
    table = served.fitted.table
    if table is not None and table.library != "numpy":
        kinds: dict[str, Any] = {str(column.name): _cell(column) for column in table.columns}
        return _record(kinds)
    if table is not None:
        return _array((len(table.columns),), FiniteFloat | None)
    if served.names is not None:
        return _record(dict.fromkeys(served.names, FiniteFloat))
    return _array(served.fitted.input_shape, FiniteFloat)


def _record(kinds: dict[str, Any]) -> Any:
    make: Any = TypedDict  # its columns are known when the model is, not before
    record = make("Record", kinds)
    record.__pydantic_config__ = STRICT
    return record


def _cell(column: Column) -> Any:
    """Return what a cell may be; one that is not there is null, and a column that nothing was learned from may lack."""
    if column.kind in LEFT_OUT:
        return NotRequired[JsonValue]
    kinds: dict[str, Any] = {
        "number": FiniteFloat,
        "truth": bool,
        "text": str | bool | int | FiniteFloat if any(not isinstance(x, str) for x in column.levels) else str,
        "time": Annotated[str, Field(description="A date or time as ISO 8601 has it.")],
        "span": Annotated[FiniteFloat, Field(description="Seconds.")],
    }
    return kinds[column.family] | None


def _array(shape: Sequence[int], number: Any) -> Any:
    """Return a type of nested lists of this ``shape``."""
    kind: Any = number
    for length in reversed(shape):
        kind = Annotated[list.__class_getitem__(kind), Field(min_length=length, max_length=length)]
    return kind
