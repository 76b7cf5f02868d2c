"""The lecture's pages on threshold units, Boolean functions and graphs, as `narrows.foundations` computes them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from narrows.foundations.arguments import Array
from narrows.foundations.boolean import Certificate, count_separable, inputs, separate
from narrows.foundations.feedforward import lecture_graph
from narrows.foundations.networks import network
from narrows.foundations.perceptron import ThresholdUnit
from narrows.foundations.rules import RuleStep, adaline, convergence, hebb, rosenblatt
from narrows.web.library import Library

__all__ = [
    "BooleanFunction",
    "Counts",
    "Excitation",
    "GraphPass",
    "Learning",
    "Perceptron",
    "WiredUnit",
    "boolean",
    "counts",
    "excitation",
    "graph",
    "learning",
    "perceptron",
]

REACH, MOST_POINTS, MOST_STEPS = 3.0, 24, 500
"""How far to either side of 0 the plane is shown, the most points in it, and the most steps of a rule."""

Number: TypeAlias = Annotated[float, Field(ge=-1e6, le=1e6)]
Coordinate: TypeAlias = Annotated[float, Field(ge=-REACH, le=REACH)]
Point: TypeAlias = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]
Labels: TypeAlias = Annotated[list[Annotated[int, Field(ge=0, le=1)]], Field(min_length=1, max_length=MOST_POINTS)]


@dataclass(frozen=True, slots=True)
class Perceptron:
    """A unit with two inputs, and what it makes of points; numbers are unrounded, since a unit may decide by the last.

    ``line`` and ``half`` are the line's two ends and the corners of the half-plane where the unit fires, both within
    the plane that is shown. Where the weights are 0 there is no line, and no ``distance`` from it. ``bias`` has w₀
    first.
    """

    bias: list[float]
    line: list[list[float]]
    half: list[list[float]]
    excitation: list[float]
    fires: list[int]
    distance: list[float]


@dataclass(frozen=True, slots=True)
class Learning:
    """A rule's steps from weights 0: ``units`` are (w₁, w₂, θ), the start before the first step.

    Of each step ``index`` is the example, from 0, ``epoch`` the pass, from 1, ``error`` target minus output. ``ended``
    says whether the rule came to its end. ADALINE takes no step where η is at ``limit`` = 2/R² or above. ``bound`` is
    (R/γ)², None where it is no number: where no line separates the points, or hardly one does. In the former case
    ``contradiction`` are points that no line separates, and ``point`` lies between those of either class.
    """

    units: list[list[float]]
    index: list[int]
    epoch: list[int]
    error: list[float]
    updated: list[bool]
    ended: bool
    limit: float
    gamma: float
    radius: float
    bound: float | None
    contradiction: list[int]
    point: list[float]


@dataclass(frozen=True, slots=True)
class Excitation:
    """The products wᵢxᵢ, their sum, and whether it reaches θ."""

    products: list[float]
    sum: float
    fires: int


@dataclass(frozen=True, slots=True)
class WiredUnit:
    """A unit of a network, with its excitation and its output for each row of the truth table."""

    weights: list[float]
    theta: float
    excitation: list[float]
    fires: list[int]


@dataclass(frozen=True, slots=True)
class BooleanFunction:
    """A truth table's unit or proof, and its network in layers.

    ``boundary`` is the unit's line in [−½, 1½]² and ``half`` the side of that where it fires; for three inputs,
    ``boundary`` are the corners of its plane's cut through [0, 1]³. Where there is no unit, ``weights`` is empty,
    ``multipliers`` says how often the proof takes the inequality of each row, and ``side`` is what then stands on both
    sides of ``<``.
    """

    inputs: list[list[int]]
    weights: list[int]
    theta: float
    boundary: list[list[float]]
    half: list[list[float]]
    multipliers: list[int]
    side: str
    layers: list[list[WiredUnit]]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many Boolean functions of 1, 2, … inputs there are, and how many of them one unit computes."""

    functions: list[int]
    separable: list[int]


@dataclass(frozen=True, slots=True)
class GraphPass:
    """The lecture's graph with the values and the derivatives ∂F/∂node of its nodes; ``at`` is (layer, position in it).

    ``edges`` are pairs of nodes, and ``handed`` is what a node hands a parent over that edge, on the way back.
    """

    names: list[str]
    primitives: list[str]
    at: list[list[float]]
    edges: list[list[int]]
    values: list[float]
    derivatives: list[float]
    handed: list[float]


def perceptron(
    _: Library,
    /,
    points: Annotated[list[Point], Field(max_length=MOST_POINTS)],
    w: Annotated[list[Number], Field(min_length=2, max_length=2)],
    theta: Number,
) -> Perceptron:
    """Evaluate a threshold unit at points of the plane, and find its line."""
    unit, x = ThresholdUnit(np.array(w), theta), np.reshape(points, (-1, 2))
    line, half = _cut(unit, -REACH, REACH)
    return Perceptron(
        bias=_plain(unit.to_bias()),
        line=line,
        half=half,
        excitation=_plain(unit.excitation(x)),
        fires=unit(x).tolist(),
        distance=unit.distance(x).tolist() if any(w) else [],
    )


def _plain(numbers: Array) -> list[float]:
    """A list without −0, which no page should show."""
    plain: list[float] = (numbers + 0.0).tolist()
    return plain


def _cut(unit: ThresholdUnit, low: float, high: float) -> tuple[list[list[float]], list[list[float]]]:
    """A unit's line in a square, as its two ends, and the corners of the side where it fires, in order round it."""
    line = unit.clip(low, high) if unit.weights.any() else np.empty((0, 2))
    corners = np.array(list(itertools.product((low, high), repeat=2)))
    half = np.vstack([corners[unit(corners) == 1], line])
    around = half - half.mean(axis=0) if len(half) else half
    return line.tolist(), half[np.argsort(np.arctan2(around[:, 1], around[:, 0]))].tolist()


def learning(
    _: Library,
    /,
    points: Annotated[list[Point], Field(min_length=1, max_length=MOST_POINTS)],
    labels: Labels,
    rule: Literal["rosenblatt", "hebb", "adaline"],
    eta: Annotated[float, Field(gt=0, le=10)],
) -> Learning:
    """Follow a learning rule step by step, Hebb's for one pass, and say what is promised of the perceptron rule."""
    found = separate(points, labels)
    proof = found if isinstance(found, Certificate) else None
    theorem = convergence(points, labels, epochs=1 if proof else 100)
    limit = 2 / theorem.radius**2
    rules: dict[str, Callable[[], Iterator[RuleStep]]] = {
        "rosenblatt": lambda: rosenblatt(points, labels, eta=eta),
        "hebb": lambda: hebb(points, labels, eta=eta),
        "adaline": lambda: adaline(points, labels, eta=eta) if eta < limit else iter(()),
    }
    followed = rules[rule]()
    steps = list(itertools.islice(followed, MOST_STEPS))
    return Learning(
        units=[[0.0, 0.0, 0.0], *([*step.unit.weights.tolist(), step.unit.theta] for step in steps)],
        index=[step.index for step in steps],
        epoch=[step.epoch for step in steps],
        error=[step.error for step in steps],
        updated=[step.updated for step in steps],
        ended=bool(steps) and next(followed, None) is None,
        limit=limit,
        gamma=theorem.gamma,
        radius=theorem.radius,
        bound=theorem.bound if math.isfinite(theorem.bound) else None,
        contradiction=list(proof.indices) if proof else [],
        point=_common_point(proof) if proof else [],
    )


def _common_point(proof: Certificate) -> list[float]:
    """The mean of the proof's points of class 1, each as often as its inequality is taken; also that of class 0."""
    terms = [(m, x) for m, x, label in zip(proof.multipliers, proof.points, proof.labels, strict=True) if label]
    return [float(sum(m * x[axis] for m, x in terms) / sum(m for m, _ in terms)) for axis in (0, 1)]


def excitation(
    _: Library,
    /,
    w: Annotated[list[Number], Field(min_length=1, max_length=16)],
    x: Annotated[list[Number], Field(min_length=1, max_length=16)],
    theta: Number,
) -> Excitation:
    """Add up a unit's weighted inputs."""
    unit = ThresholdUnit(np.array(w), theta)
    total = float(unit.excitation(x)) + 0.0  # which refuses an x of another length
    return Excitation(_plain(unit.weights * x), total, int(unit(x)))


def boolean(
    _: Library, /, table: Annotated[list[Annotated[int, Field(ge=0, le=1)]], Field(min_length=4, max_length=8)]
) -> BooleanFunction:
    """Find a unit for a truth table, or the proof that there is none, and a network of units for it."""
    layers, x = [], inputs(len(table).bit_length() - 1)
    values = x
    for layer in network(table).layers:
        sums = [unit.excitation(values) for unit in layer]
        outputs = [unit(values) for unit in layer]
        layers.append(
            [
                WiredUnit(unit.weights.tolist(), unit.theta, total.tolist(), output.tolist())
                for unit, total, output in zip(layer, sums, outputs, strict=True)
            ]
        )
        values = np.stack(outputs, axis=-1)
    found = separate(x, table)
    if isinstance(found, Certificate):
        times = dict(zip(found.indices, found.multipliers, strict=True))
        multipliers = [times.get(row, 0) for row in range(len(table))]
        return BooleanFunction(x.tolist(), [], 0.0, [], [], multipliers, found.side(), layers)
    unit = found.unit()
    if len(found.weights) == 2:
        boundary, half = _cut(unit, -0.5, 1.5)
    else:
        boundary, half = unit.clip(0.0, 1.0).tolist() if any(found.weights) else [], []
    return BooleanFunction(x.tolist(), list(found.weights), unit.theta, boundary, half, [], "", layers)


def counts(_: Library, /) -> Counts:
    """Count the Boolean functions of one to four inputs, and those of them that one unit computes."""
    return _counts()


@cache
def _counts() -> Counts:
    numbers = (1, 2, 3, 4)
    return Counts([2**2**n for n in numbers], [count_separable(n) for n in numbers])


def graph(_: Library, /, x: Coordinate, y: Coordinate, z: Coordinate) -> GraphPass:
    """Send values forward and derivatives back through the lecture's graph."""
    F = lecture_graph()
    values = F.forward({"x": x, "y": y, "z": z})
    derivatives = F.backward(values)
    layout, row = F.layout(), {name: i for i, name in enumerate(F.names)}
    handed = [
        derivatives[row[node.name]] * partial(*values[[row[parent] for parent in node.parents]])
        for node in F.nodes
        for partial in node.primitive.partials
    ]
    return GraphPass(
        names=list(F.names),
        primitives=list(layout.labels),
        at=layout.positions.tolist(),
        edges=layout.edges.tolist(),
        values=values.tolist(),
        derivatives=derivatives.tolist(),
        handed=[float(each) for each in handed],
    )
