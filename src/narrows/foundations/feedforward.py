"""A feed-forward network in the lecture's first sense: primitive functions wired into one function F(x, y, z).

Every node applies one primitive function f₁, f₂, … to its parents' values, and no path leads back. One pass along the
arrows gives the value of every node. One pass against them gives ∂F/∂node for every node, by the chain rule: a node
hands each parent its own derivative times its primitive's partial derivative in that argument, and a parent adds up
what it is handed. That is backpropagation (Kelley 1960, Bryson 1962, rediscovered in the 1980s). `layered` writes it
with matrices for networks made of layers.

>>> F = Graph(("x", "y", "z"), (node("f1", "add", "x", "y"), node("f2", "multiply", "f1", "z")), output="f2")
>>> values = F.forward({"x": 1, "y": 2, "z": 5})
>>> dict(zip(F.names, F.backward(values).tolist()))
{'x': 5.0, 'y': 5.0, 'z': 3.0, 'f1': 5.0, 'f2': 1.0}
"""

import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.foundations.arguments import Array, finite_array
from narrows.foundations.primitives import PRIMITIVES, Primitive

__all__ = ["Graph", "Layout", "Node", "lecture_graph", "node"]


@dataclass(frozen=True, slots=True)
class Node:
    """A named node: ``primitive`` of the values of ``parents``, in this order.

    Raises
    ------
    ValueError
        If the primitive takes another number of arguments.
    """

    name: str
    primitive: Primitive
    parents: tuple[str, ...]

    def __post_init__(self) -> None:
        arity = len(self.primitive.partials)
        if len(self.parents) != arity:
            takes = f"{self.primitive.name} takes {arity} argument(s)"
            raise ValueError(f"node {self.name!r}: {takes}, got {len(self.parents)}: {self.parents}")


def node(name: str, primitive: Primitive | str, *parents: str) -> Node:
    """The node ``name = primitive(*parents)``, the primitive given itself or by its name in `primitives.PRIMITIVES`.

    Raises
    ------
    ValueError
        If no primitive has that name, or it takes another number of arguments.
    """
    if isinstance(primitive, str):
        _require(primitive, PRIMITIVES, f"node {name!r} applies {primitive!r}")
        primitive = PRIMITIVES[primitive]
    return Node(name, primitive, parents)


def _require(name: str, known: Collection[str], context: str) -> None:
    if name not in known:
        raise ValueError(f"{context}, which is unknown; known are {', '.join(known) or 'none'}")


def _apply(what: str, function: Callable[..., ArrayLike], arguments: Array, shapes: set[tuple[int, ...]]) -> Array:
    """Apply a primitive or a partial derivative, whose result must have one of ``shapes`` and be finite."""
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(function(*arguments), dtype=np.float64)
    except ArithmeticError as error:
        raise FloatingPointError(f"{what} fails at {reprlib.repr(arguments.tolist())}: {error}") from error
    if result.shape not in shapes:
        raise ValueError(f"{what} must work entry by entry and keep the shape {max(shapes)}, got {result.shape}")
    bad = ~np.isfinite(np.broadcast_to(result, arguments.shape[1:]))
    if bad.any():
        raise FloatingPointError(f"{what} is not finite at ({', '.join(f'{a[bad][0]:g}' for a in arguments)})")
    return result


@dataclass(frozen=True, slots=True)
class Layout:
    """Where to draw the nodes of a graph.

    Attributes
    ----------
    names, labels : tuple of str, one a node
        The nodes' names, as `Graph.names`; and their primitives' names, "" for an input.
    positions : ndarray of shape (nodes, 2)
        The layer, which is the length of the longest path to the node, and the position within it, centred on 0.
    edges : ndarray of int, shape (edges, 2)
        From row to row of ``names``, along the flow of values, in the order of each node's arguments.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    positions: Array
    edges: NDArray[np.intp]


class Graph:
    """A function F composed of named primitive functions.

    Parameters
    ----------
    inputs : sequence of str
        The names of F's arguments.
    nodes : iterable of Node
        In any order.
    output : str
        The node or input whose value is F's.

    Attributes
    ----------
    names : tuple of str
        Inputs and nodes, every one after its parents. Arrays over the nodes have their rows in this order.
    nodes : tuple of Node
        The nodes in that order, so that ``nodes[i]`` belongs to ``names[len(inputs) + i]``.

    Raises
    ------
    ValueError
        If a name is used twice, a node or ``output`` refers to a name that is not there, or the arrows form a cycle;
        the message names the node, or spells the cycle out as a → b → a.
    """

    def __init__(self, inputs: Sequence[str], nodes: Iterable[Node], output: str) -> None:
        self.inputs = tuple(inputs)
        by_name: dict[str, Node] = {}
        for n in nodes:
            if n.name in by_name or n.name in self.inputs:
                raise ValueError(f"two nodes are called {n.name!r}; every name must be used once")
            by_name[n.name] = n
        known = {**dict.fromkeys(self.inputs), **by_name}
        if len(set(self.inputs)) < len(self.inputs):
            raise ValueError(f"inputs must have different names, got {self.inputs}")
        for n in by_name.values():
            for parent in n.parents:
                _require(parent, known, f"node {n.name!r} reads {parent!r}")
        _require(output, known, f"output is {output!r}")
        try:
            order = tuple(TopologicalSorter({name: n.parents for name, n in by_name.items()}).static_order())
        except CycleError as error:
            raise ValueError(f"a feed-forward graph has no cycle, but here {' → '.join(error.args[1])}") from error
        self.nodes = tuple(by_name[name] for name in order if name in by_name)
        self.names = (*self.inputs, *(n.name for n in self.nodes))
        self.output = output
        self._row = {name: row for row, name in enumerate(self.names)}
        # Of every node its row, itself, and its parents' rows.
        self._wiring = tuple((self._row[n.name], n, [self._row[parent] for parent in n.parents]) for n in self.nodes)

    def __call__(self, inputs: Mapping[str, ArrayLike]) -> Array:
        """The value F(inputs); see `forward` for the argument, the shape and the errors."""
        return np.asarray(self.forward(inputs)[self._row[self.output]])

    def forward(self, inputs: Mapping[str, ArrayLike]) -> Array:
        """Evaluate every node.

        Parameters
        ----------
        inputs : mapping from each input's name to a number or an array
            Arrays are broadcast against each other to one shape; each entry is a point of its own.

        Returns
        -------
        ndarray of shape (nodes, *shape)
            The nodes' values, in the order of ``names``.

        Raises
        ------
        ValueError
            If an input is missing, unknown, not finite or does not broadcast, or a primitive changes the shape.
        FloatingPointError
            If a node has no finite value there; the message names the node and its arguments.
        """
        if missing := [name for name in self.inputs if name not in inputs]:
            raise ValueError(f"inputs lacks a value for {missing[0]!r}; F takes {', '.join(self.inputs)}")
        for name in inputs:
            _require(name, self.inputs, f"inputs gives a value to {name!r}")
        given = [finite_array(f"input {name!r}", inputs[name]) for name in self.inputs]
        try:
            shape = np.broadcast_shapes(*(value.shape for value in given))
        except ValueError as error:
            shapes = ", ".join(f"{name} {value.shape}" for name, value in zip(self.inputs, given, strict=True))
            raise ValueError(f"inputs must broadcast to one shape, got {shapes}") from error
        values = np.empty((len(self.names), *shape))
        for row, value in enumerate(given):
            values[row] = value
        for row, n, parents in self._wiring:
            what = f"node {n.name!r}: {n.primitive.name}"
            values[row] = _apply(what, n.primitive.function, values[parents], {shape if parents else ()})
        return values

    def backward(self, values: Array) -> Array:
        """Differentiate F with respect to every node, by the chain rule from the output back.

        Parameters
        ----------
        values : ndarray of shape (nodes, *shape)
            What `forward` returned.

        Returns
        -------
        ndarray of shape (nodes, *shape)
            ∂F/∂node at every point, in the order of ``names``; the first ``len(inputs)`` rows are F's gradient.

        Raises
        ------
        ValueError
            If ``values`` has not a row a node.
        FloatingPointError
            If a derivative on the way is not finite; the message names the node.
        """
        values = finite_array("values", values)
        if values.shape[:1] != (len(self.names),):
            raise ValueError(f"values must have a row for each of {self.names}, got shape {values.shape}")
        gradient = np.zeros_like(values)
        gradient[self._row[self.output]] = 1.0
        # A node that the output does not depend on may lack a derivative, and nothing should ask it for one.
        needed = {self._row[self.output]}
        for row, n, parents in reversed(self._wiring):
            if row not in needed:
                continue
            needed.update(parents)
            for number, (parent, partial) in enumerate(zip(parents, n.primitive.partials, strict=True), 1):
                what = f"node {n.name!r}: derivative of {n.primitive.name} in argument {number}"
                with np.errstate(over="ignore", invalid="ignore"):
                    gradient[parent] += gradient[row] * _apply(what, partial, values[parents], {(), values.shape[1:]})
        for name, derivative in zip(self.names, gradient, strict=True):
            if not np.isfinite(derivative).all():
                raise FloatingPointError(f"the derivative of {self.output!r} with respect to {name!r} overflows")
        return gradient

    def layout(self) -> Layout:
        """Lay the graph out for drawing, layer by layer, each node near the middle of its parents."""
        parents_of = {row: parents for row, _, parents in self._wiring}
        layer, position = np.zeros(len(self.names)), np.zeros(len(self.names))
        for row, parents in parents_of.items():
            layer[row] = 1 + max(layer[parents], default=-1)
        for depth in range(int(layer.max()) + 1):
            rows = np.flatnonzero(layer == depth).tolist()
            if depth:
                rows.sort(key=lambda row: float(position[parents_of[row]].mean()))
            position[rows] = np.arange(len(rows)) - (len(rows) - 1) / 2
        edges = [(parent, row) for row, parents in parents_of.items() for parent in parents]
        return Layout(
            names=self.names,
            labels=("",) * len(self.inputs) + tuple(n.primitive.name for n in self.nodes),
            positions=np.column_stack([layer, position]),
            edges=np.array(edges, dtype=np.intp).reshape(-1, 2),
        )


def lecture_graph() -> Graph:
    """Six primitive functions as the lecture composes them: F(x, y, z) = tanh((x + y)² · sin(y·z)).

    Which six they are is our choice.
    """
    nodes = (
        node("f1", "add", "x", "y"),
        node("f2", "multiply", "y", "z"),
        node("f3", "square", "f1"),
        node("f4", "sin", "f2"),
        node("f5", "multiply", "f3", "f4"),
        node("f6", "tanh", "f5"),
    )
    return Graph(("x", "y", "z"), nodes, output="f6")
