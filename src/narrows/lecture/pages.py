"""From a row to its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from narrows.lecture import networks, units, windows
from narrows.lecture.page import Page
from narrows.lecture.rows import Row

__all__ = ["make_page"]

MAKERS: Mapping[str, Callable[[Row], Page]] = MappingProxyType(
    {
        "perceptron": units.perceptron,
        "rules": units.rules,
        "geometry": units.geometry,
        "bias": units.bias,
        "boolean": units.boolean,
        "network": units.network_of_units,
        "graph": networks.graph,
        "loss": networks.loss,
        "descent": networks.descent,
        "activations": networks.activations,
        "backpropagation": networks.backpropagation,
        "approximation": networks.approximation,
        "images": windows.images,
        "parameters": windows.parameters,
        "convolution": windows.convolution,
        "pooling": windows.pooling,
        "stride": windows.stride,
    }
)


def make_page(row: Row) -> Page:
    """Compute the page of one of `rows.ROWS`."""
    return MAKERS[row.topic](row)
