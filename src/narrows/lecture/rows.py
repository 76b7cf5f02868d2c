"""The rows of the lecture that have a page. Nothing heavy is loaded here, so that listing them is quick."""

from __future__ import annotations

from dataclasses import dataclass

from narrows.arguments import closest

__all__ = ["ROWS", "Row", "find"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the lecture.

    Attributes
    ----------
    number, topic, title, summary
        5, "boolean", what the page is headed, and what it is about in one line.
    aliases
        Other names for the topic.
    """

    number: int
    topic: str
    title: str
    summary: str
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Such as "L5"."""
        return f"L{self.number}"

    @property
    def stem(self) -> str:
        """Such as "L05-boolean": the figure's file name, which sorts by number."""
        return f"L{self.number:02}-{self.topic}"


ROWS = (
    Row(1, "perceptron", "The threshold unit", "fires iff wᵀx ≥ θ", ("unit", "neuron", "threshold")),
    Row(
        2,
        "rules",
        "Three learning rules",
        "Hebb, Rosenblatt, Widrow; and how soon Rosenblatt's stops",
        ("hebb", "rosenblatt", "adaline", "widrow", "learning", "convergence"),
    ),
    Row(3, "geometry", "What a unit does to space", "a line cuts the plane, a plane cuts space", ("line", "plane")),
    Row(4, "bias", "The threshold as a weight", "θ is one more weight, on a constant input 1", ()),
    Row(
        5,
        "boolean",
        "What one unit can compute",
        "AND and OR, but not XOR, with a proof",
        ("xor", "and", "or", "xnor", "separable", "separability"),
    ),
    Row(6, "network", "Units wired into a network", "two hidden units compute XOR", ("networks", "wiring")),
    Row(
        7,
        "graph",
        "Feed-forward graphs",
        "primitive functions composed into F(x, y, z)",
        ("feedforward", "feed-forward"),
    ),
    Row(8, "loss", "The error to make small", "E = ½ Σᵢ ‖oᵢ − tᵢ‖²", ("training", "error")),
    Row(9, "descent", "Gradient descent", "the gradient points uphill; walk against it", ("gradient", "gradients")),
    Row(
        10,
        "activations",
        "Activation functions",
        "the step, the sigmoid that smooths it, ReLU",
        ("activation", "step", "sigmoid", "relu"),
    ),
    Row(11, "backpropagation", "Backpropagation", "XOR learned, by the chain rule from the output back", ("backprop",)),
    Row(
        13,
        "approximation",
        "What one hidden layer approximates",
        "any continuous function; not with a polynomial activation",
        ("universal", "width"),
    ),
    Row(14, "images", "Images as vectors", "X × Y RGB pixels are 3XY numbers", ("image", "vectors", "vector")),
    Row(15, "parameters", "Why convolution", "dense layers explode in parameters", ("dense", "weights")),
    Row(16, "convolution", "Convolution", "a filter slides over the image", ("filter", "filters", "convolve")),
    Row(17, "pooling", "Pooling", "of each window, the largest number or the mean", ("pool",)),
    Row(18, "stride", "Stride and padding", "how large the result is", ("strides", "padding", "same", "valid")),
)
"""L12 is the fast engine, and L19 onwards are the models: other commands show those."""


def find(name: str) -> Row:
    """Return the row that ``name`` means: L5, 5, or a topic such as xor, in capitals or not.

    Raises
    ------
    ValueError
        If there is none; the message names the closest.
    """
    by_name: dict[str, Row] = {}
    for row in ROWS:
        by_name |= dict.fromkeys((str(row.number), row.label.lower(), row.topic, *row.aliases), row)
    wanted = name.strip().lower()
    if wanted not in by_name:
        raise ValueError(f"TOPIC {name!r} is unknown{closest(wanted, by_name)}; `narrows lecture` lists the rows")
    return by_name[wanted]
