"""Pages L1 to L6: the threshold unit, how it learns, what it can compute, and networks of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from narrows.foundations.boolean import Certificate, count_separable, inputs, separate
from narrows.foundations.networks import network
from narrows.foundations.perceptron import ThresholdUnit
from narrows.foundations.rules import RuleStep, adaline, convergence, hebb, rosenblatt
from narrows.lecture.drawings import plane, wiring
from narrows.lecture.page import Fact, Page, decimal
from narrows.lecture.rows import Row

__all__ = ["bias", "boolean", "geometry", "network_of_units", "perceptron", "rules"]

TABLES = {"AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "XOR": (0, 1, 1, 0), "XNOR": (1, 0, 0, 1)}


def perceptron(row: Row) -> Page:
    """L1: the lecture's unit and input."""
    x, unit = np.array([1, 0.5, 0, 1]), ThresholdUnit(np.array([0.9, -0.3, -1.7, 0.3]), theta=1.0)
    reached = float(unit.excitation(x))
    facts = (
        Fact("w", tuple(unit.weights.tolist())),
        Fact("x", tuple(x.tolist())),
        Fact("wᵀx", reached),
        Fact(f"output at θ = {unit.theta:g}", int(unit(x))),
        Fact(f"output at θ = {reached:g}", int(ThresholdUnit(unit.weights, reached)(x))),
        Fact(f"output at θ = {reached + 0.01:g}", int(ThresholdUnit(unit.weights, reached + 0.01)(x))),
    )
    text = (
        "The simplest artificial neuron (McCulloch & Pitts 1943, Rosenblatt 1958): each input comes over an edge with"
        " a weight, and the unit gives 1 if the weighted sum wᵀx reaches its threshold θ, else 0. Equality is enough."
    )
    alt = "A unit with four weighted inputs, and its products adding up past the threshold."
    return Page(row, text, facts, wiring.excitation(unit, x), alt)


def rules(row: Row) -> Page:
    """L2: three rules on the same separable points, and Rosenblatt's on XOR."""
    rng = np.random.default_rng(4)
    X = np.vstack([rng.normal((1.2, 3.0), 0.5, (14, 2)), rng.normal((3.2, 1.6), 0.5, (14, 2))])
    labels = np.repeat([0, 1], 14)
    passes = 12
    report = convergence(X, labels)
    errors = {
        "Rosenblatt": _wrong(rosenblatt(X, labels, epochs=passes), X, labels),
        "Hebb": _wrong(hebb(X, labels, epochs=passes), X, labels),
        "ADALINE": _wrong(adaline(X, labels, epochs=passes), X, labels),
    }
    updates = [step.unit for step in rosenblatt(X, labels, epochs=report.epochs) if step.updated]
    hopeless = convergence(inputs(2), TABLES["XOR"], epochs=100)
    facts = (
        Fact("Rosenblatt's rule stops", report.converged),
        Fact("updates it took", report.updates),
        Fact("radius R", report.radius),
        Fact("margin γ", report.gamma),
        Fact("the theorem's bound (R/γ)²", report.bound),
        Fact("updates within the bound", report.updates <= report.bound),
        *(Fact(f"wrong after {len(wrong)} passes, {name}", int(wrong[-1])) for name, wrong in errors.items()),
        Fact(f"stops on XOR within {hopeless.epochs} passes", hopeless.converged),
        Fact("updates on XOR until then", hopeless.updates),
    )
    text = (
        "How weights follow examples. Hebb (1949): what is active together is tied together. Rosenblatt (1958): only "
        "an error changes the weights; on classes that some unit separates, the rule stops after at most (R/γ)² "
        "updates (Novikoff 1962), on others never. Widrow's ADALINE (1960): descend the squared error of the linear "
        "part."
    )
    alt = "Points of two classes, the lines Rosenblatt's rule passes through, and the errors of the three rules."
    return Page(row, text, facts, plane.rule_path(X, labels, updates, errors, (-1.2, 5.4)), alt)


def _wrong(steps: Iterator[RuleStep], X: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many examples the unit has wrong after each pass."""
    ends = (step.unit for step in steps if step.index == len(X) - 1)
    return np.array([np.count_nonzero(unit(X) != labels) for unit in ends])


def geometry(row: Row) -> Page:
    """L3: the line of a unit with two inputs, distances from it, and a plane."""
    line, space = ThresholdUnit(np.array([3.0, 4.0]), theta=6.0), ThresholdUnit(np.array([1.0, 1.0, 1.0]), theta=4.0)
    X = np.array([(0.5, 0.5), (2.5, 2.0), (2.0, 0.0), (0.5, 2.5)])
    a, b, c = line.boundary().tolist()
    box = (-0.5, 3.0)
    facts = (
        Fact("w", tuple(line.weights.tolist())),
        Fact("θ", line.theta),
        Fact("a, b, c of the line ax + by + c = 0", (a, b, c)),
        Fact("c = −θ", c == -line.theta),
        *(
            Fact(f"signed distance of {decimal(tuple(point))}", distance)
            for point, distance in zip(X.tolist(), line.distance(X).tolist(), strict=True)
        ),
        Fact("corners of the plane's cut through the cube", len(space.clip(*box))),
    )
    text = (
        "With two inputs, wᵀx ≥ θ reads ax + by + c ≥ 0 with c = −θ: a half-plane, bounded by a line at right angles "
        "to w. With three inputs a plane cuts space, and so on. The signed distance of a point is (wᵀx − θ) / ‖w‖."
    )
    alt = "A line with a shaded half-plane and four points with their distances; a plane through a cube."
    return Page(row, text, facts, plane.cuts(line, X, space, box), alt)


def bias(row: Row) -> Page:
    """L4: the same unit in both forms."""
    unit = ThresholdUnit(np.array([0.9, -0.3]), theta=0.5)
    back = ThresholdUnit.from_bias(unit.to_bias())
    X = np.random.default_rng(0).normal(size=(10_000, 2))
    with_one = np.column_stack([np.ones(len(X)), X])
    agree = int(np.count_nonzero((with_one @ unit.to_bias() >= 0) == unit(X)))
    facts = (
        Fact("w₁, w₂ and θ", (*unit.weights.tolist(), unit.theta)),
        Fact("w₀, w₁, w₂", tuple(unit.to_bias().tolist())),
        Fact(
            "converted back, exactly the same", (back.weights == unit.weights).all().item() and back.theta == unit.theta
        ),
        Fact("random inputs tried", len(X)),
        Fact("of them with the same output", agree),
    )
    text = (
        "wᵀx ≥ θ is the same as wᵀx + w₀·1 ≥ 0 with w₀ = −θ: the threshold is one more weight, the bias, on an input "
        "that is always 1. So a learning rule needs to know of weights only."
    )
    alt = "A unit with a threshold next to the same unit with a bias weight."
    return Page(row, text, facts, wiring.both_forms(unit), alt)


def boolean(row: Row) -> Page:
    """L5: units for AND and OR, proofs for XOR and XNOR, and the counts."""
    answers = {name: separate(inputs(2), table) for name, table in TABLES.items()}
    facts = []
    for name, answer in answers.items():
        if isinstance(answer, Certificate):
            facts.append(Fact(f"no unit for {name}, since", "\n".join(answer.lines())))
        else:
            right = answer(inputs(2)).tolist() == list(TABLES[name])
            facts.append(Fact(f"w and θ for {name}", (*answer.weights, float(answer.theta))))
            facts.append(Fact(f"{name} right on all inputs", right))
    facts += [
        Fact(f"of the {2**2**n:,} functions of n = {n} inputs, one unit computes", count_separable(n))
        for n in (1, 2, 3, 4)
    ]
    text = (
        "Each line of a truth table demands something of w and θ. Some weights meet all the demands of AND, and of "
        "OR. Those of XOR, and of equivalence (XNOR), contradict each other: added up, they read 0 < 0 (Minsky & "
        "Papert 1969). For any function there is either a unit or such a proof (Farkas 1902); both are checked "
        "exactly."
    )
    alt = "AND and OR with a separating line each; XOR and XNOR with the inequalities that contradict each other."
    figure = plane.boolean_functions([(name, np.array(TABLES[name]), answer) for name, answer in answers.items()])
    return Page(row, text, tuple(facts), figure, alt)


def network_of_units(row: Row) -> Page:
    """L6: networks for XOR and XNOR, and for every function of up to three inputs."""
    nets = {name: network(TABLES[name]) for name in ("XOR", "XNOR")}
    facts = []
    for name, net in nets.items():
        facts.append(Fact(f"hidden units for {name}", sum(len(layer) for layer in net.layers[:-1])))
        facts.append(Fact(f"outputs of {name} for 00, 01, 10, 11", tuple(net(inputs(2)).tolist())))
        facts.append(Fact(f"{name} right on all inputs", net(inputs(2)).tolist() == list(TABLES[name])))
    tables = list(itertools.product((0, 1), repeat=8))
    right = sum(network(table)(inputs(3)).tolist() == list(table) for table in tables)
    facts.append(Fact(f"of all {len(tables)} functions of three inputs, networks get right", right))
    text = (
        "What no single unit computes, units wired together do. Each hidden unit cuts off some of the inputs with a "
        "line, and the output unit weighs the cuts against each other. The lecture's question remains: how to learn "
        "such weights?"
    )
    alt = "Networks for XOR and XNOR with their weights and thresholds, and the lines of their hidden units."
    return Page(row, text, tuple(facts), wiring.networks(list(nets.items())), alt)
