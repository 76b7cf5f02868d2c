"""Pages L7 to L11 and L13: graphs, the error, descent, activations, backpropagation, approximation."""

from __future__ import annotations

import math

import numpy as np

from narrows.foundations.activations import relu, sigmoid, step, tanh
from narrows.foundations.approximation import approximate, monomial
from narrows.foundations.boolean import inputs
from narrows.foundations.descent import contour, descend, from_graph, numeric_gradient
from narrows.foundations.feedforward import Graph, lecture_graph, node
from narrows.foundations.layered import Layer, LayeredNet, random_net, squared_error, train
from narrows.foundations.primitives import constant
from narrows.lecture.drawings import curves, wiring
from narrows.lecture.page import Fact, Page
from narrows.lecture.rows import Row

__all__ = ["activations", "approximation", "backpropagation", "descent", "graph", "loss"]


def graph(row: Row) -> Page:
    """L7: six primitive functions composed into F(x, y, z)."""
    F = lecture_graph()
    point = {"x": -0.2, "y": 0.9, "z": 1.5}
    values = F.forward(point)
    derivatives = F.backward(values)
    f, _ = from_graph(F)
    numeric = numeric_gradient(f, list(point.values()))
    try:
        refused = str(Graph(("x",), (node("f1", "add", "x", "f2"), node("f2", "sin", "f1")), output="f2"))
    except ValueError as error:
        refused = str(error)
    facts = (
        Fact("x, y, z", tuple(point.values())),
        *(Fact(name, value) for name, value in zip(F.names[3:], values[3:].tolist(), strict=True)),
        Fact("F(x, y, z)", float(F(point))),
        Fact("∇F, backwards through the graph", tuple(derivatives[:3].tolist())),
        Fact("∇F, by small differences", tuple(numeric.tolist())),
        Fact("largest difference of the two", float(np.abs(numeric - derivatives[:3]).max())),
        Fact("a graph with a cycle", refused),
    )
    text = (
        "A feed-forward network is a graph without cycles whose nodes are primitive functions f₁ … f₆, composed into "
        "one function F(x, y, z). One pass along the arrows gives every value, one pass back every derivative, by the"
        " chain rule."
    )
    alt = "A graph from x, y and z through f1 to f6, with the value and the derivative at each node."
    return Page(row, text, facts, wiring.graph(F.layout(), values, derivatives), alt)


def loss(row: Row) -> Page:
    """L8: the lecture's error of a net with one sigmoid unit on four examples."""
    net = LayeredNet((Layer(np.array([[1.5]]), np.array([-1.0]), sigmoid),))
    X, T = np.array([[-2.0], [0.0], [1.0], [3.0]]), np.array([[0.1], [0.5], [0.3], [0.9]])
    outputs = net(X)
    E = squared_error(outputs, T)
    halves = [float(np.sum((o - t) ** 2)) / 2 for o, t in zip(outputs, T, strict=True)]
    facts = (
        Fact("inputs x", tuple(X[:, 0].tolist())),
        Fact("outputs o", tuple(outputs[:, 0].tolist())),
        Fact("targets t", tuple(T[:, 0].tolist())),
        Fact("½(o − t)² of each", tuple(halves)),
        Fact("E", E),
        Fact("E is their sum", math.isclose(E, sum(halves), rel_tol=1e-12)),
        Fact("E of every example taken twice", squared_error(np.tile(outputs, (2, 1)), np.tile(T, (2, 1)))),
        Fact("the mean squared error, for comparison", float(np.mean((outputs - T) ** 2))),
    )
    text = (
        "Training fits outputs oᵢ to targets tᵢ for p examples by making E = ½ Σᵢ ‖oᵢ − tᵢ‖² small. It is a sum over "
        "the examples, not their mean, and the ½ cancels the 2 of the derivative."
    )
    line = np.linspace(-4.5, 5, 301)
    figure = curves.residuals((line, net(line[:, None])[:, 0]), X[:, 0], outputs[:, 0], T[:, 0])
    return Page(row, text, facts, figure, "A net's output as a curve, four targets, and what each adds to the error.")


def descent(row: Row) -> Page:
    """L9: the lecture's paraboloid, its gradients, and walks to its minimum."""
    nodes = (
        node("one", constant(1)),
        node("two", constant(2)),
        node("a", "subtract", "x", "one"),
        node("b", "subtract", "y", "two"),
        node("a²", "square", "a"),
        node("b²", "square", "b"),
        node("f", "add", "a²", "b²"),
    )
    f, gradient = from_graph(Graph(("x", "y"), nodes, output="f"))
    start, other = np.array([0.0, 0.0]), np.array([2.0, 3.0])
    marks = [(point, np.asarray(gradient(point), dtype=np.float64)) for point in (start, other)]
    walks = {
        f"η = {eta}" + (f", momentum {momentum}" if momentum else ""): list(
            descend(f, gradient, start, eta=eta, n_steps=30, momentum=momentum)
        )
        for eta, momentum in ((0.1, 0.0), (0.3, 0.0), (0.1, 0.5))
    }
    path = next(iter(walks.values()))
    fastest = min(walks.values(), key=lambda walk: walk[-1].value)
    facts = (
        Fact("∇f(0, 0)", tuple(marks[0][1].tolist())),
        Fact("∇f(2, 3)", tuple(marks[1][1].tolist())),
        Fact("∇f(0, 0), by small differences", tuple(numeric_gradient(f, start).round(9).tolist())),
        Fact("∇f(2, 3), by small differences", tuple(numeric_gradient(f, other).round(9).tolist())),
        Fact("the minimum, as the best walk finds it", tuple(fastest[-1].x.round(6).tolist())),
        *(Fact(f"f after {walk[-1].index} steps, {name}", walk[-1].value) for name, walk in walks.items()),
    )
    text = (
        "The gradient points where f grows fastest, so descend against it: x ← x − η∇f(x), with a learning rate η. "
        "The lecture's f(x, y) = (x − 1)² + (y − 2)² is a bowl. Momentum keeps some of the last step (Polyak 1964)."
    )
    hill = contour(f, [point.x for point in path], limits=((-1.5, 4), (-1.5, 4.5)))
    values = {name: [point.value for point in walk] for name, walk in walks.items()}
    figure = curves.descent(hill, marks, fastest[-1].x, values)
    return Page(
        row, text, facts, figure, "Contours of a bowl with the path of a descent, and how f falls on three walks."
    )


def activations(row: Row) -> Page:
    """L10: step, sigmoid and ReLU with their derivatives."""
    facts = (
        Fact("σ(0)", float(sigmoid(0))),
        Fact("σ′(0)", float(sigmoid.derivative(0))),
        Fact("ReLU′(0)", float(relu.derivative(0))),
        Fact("ReLU′(−1), ReLU′(1)", tuple(relu.derivative([-1, 1]).tolist())),
        Fact("step(−0.001), step(0)", tuple(step([-0.001, 0]).tolist())),
        Fact("σ(−1000), σ(1000)", tuple(sigmoid([-1000, 1000]).tolist())),
        Fact("σ(10x) at −1, −0.1, 0.1, 1", tuple(sigmoid([-10, -1, 1, 10]).tolist())),
    )
    text = (
        "The step has no derivative to descend by. The sigmoid σ(x) = 1/(1 + e⁻ˣ) smooths it: the steeper, the "
        "nearer. ReLU, max(0, x), has taken over since about 2010 (Nair & Hinton); its derivative at the kink is "
        "declared to be 0."
    )
    figure = curves.activations((sigmoid, step, relu), np.linspace(-5, 5, 2001))
    return Page(row, text, facts, figure, "Sigmoid, step and ReLU next to their derivatives.")


def backpropagation(row: Row) -> Page:
    """L11: XOR learned by a layered net, its gradient checked by differences."""
    X, T = inputs(2).astype(np.float64), np.array([[0.0], [1.0], [1.0], [0.0]])
    start = random_net((2, 3, 1), (tanh, sigmoid), seed=0)
    back = start.backpropagate(X, T)

    def error(W: np.ndarray) -> float:
        first, last = start.layers
        return squared_error(LayeredNet((Layer(W, first.b, first.activation), last))(X), T)

    off = np.abs(numeric_gradient(error, start.layers[0].W) - back.W[0]).max()
    walk = list(train(start, X, T, eta=0.5, n_steps=2000, momentum=0.5))
    net = walk[-1].net
    outputs = net(X)[:, 0]
    facts = (
        Fact("weights and biases", sum(layer.W.size + layer.b.size for layer in net.layers)),
        Fact("largest error of the first layer's gradient", float(off)),
        Fact("E at the start", walk[0].error),
        Fact(f"E after {walk[-1].index:,} steps", walk[-1].error),
        Fact("outputs for 00, 01, 10, 11", tuple(outputs.tolist())),
        Fact("rounded, it is XOR", (outputs.round() == T[:, 0]).all().item()),
    )
    text = (
        "With a differentiable activation the chain rule gives the derivative of E in every weight, in one pass from "
        "the output back (Kelley 1960, Bryson 1962; found again for networks in the 1980s). Descending, a small net "
        "learns XOR, which no single unit can compute. Its gradient is checked against small differences."
    )
    axis = np.linspace(-0.5, 1.5, 101)
    grid = net(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)).reshape(101, 101)
    figure = curves.learning([point.error for point in walk], axis, grid, X, T[:, 0])
    return Page(
        row, text, facts, figure, "The error falling over the steps, and the trained net's output over the plane."
    )


def approximation(row: Row) -> Page:
    """L13: errors against width for sigmoid, ReLU and a polynomial."""
    degree = 3
    measured = [
        approximate(lambda x: math.sin(3 * x) + abs(x), (-2, 2), phi) for phi in (sigmoid, relu, monomial(degree))
    ]
    first, last = measured[0].widths[[0, -1]].tolist()
    facts = []
    for one in measured:
        facts.append(
            Fact(f"error of {one.activation} with {first} and with {last} units", tuple(one.rms[[0, -1]].tolist()))
        )
        facts.append(Fact(f"independent functions of {last} units, {one.activation}", int(one.dimensions[-1])))
    stuck = measured[-1].rms[-1] > 0.99 * measured[-1].rms[list(measured[-1].widths).index(4)]
    facts.append(Fact(f"{measured[-1].activation} no better with {last} units than with 4", bool(stuck)))
    text = (
        "One hidden layer, wide enough, comes as near as one likes to any continuous function on a compact set "
        "(Cybenko 1989, Hornik 1991), unless the activation is a polynomial: of degree k, the net is one too, "
        "whatever its width. Here f(x) = sin 3x + |x| on [−2, 2]; hidden weights drawn by chance, outer weights the "
        "best ones."
    )
    figure = curves.approximations(measured, 32)
    return Page(row, text, tuple(facts), figure, "Errors against width for three activations, and their fits to f.")
