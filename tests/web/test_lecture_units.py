"""The pages on threshold units, Boolean functions and graphs, against closed forms and autograd."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.foundations.networks import network
from narrows.web.library import Library
from narrows.web.server import answer
from web.reading_frames import read_frame

TENTHS = st.integers(-30, 30).map(lambda k: k / 10)
POINTS = st.lists(st.lists(TENTHS, min_size=2, max_size=2), min_size=1, max_size=8)
CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]

# How much of the square [−½, 1½]² a unit for the function shades, by geometry.
AREAS = {(0, 0, 0, 0): 0, (0, 0, 0, 1): 1.125, (0, 0, 1, 1): 2, (1, 1, 1, 1): 4}


@pytest.fixture(scope="module")
def ask():
    library = Library()

    def asked(name, **given):
        return SimpleNamespace(**read_frame(answer(library, json.dumps({"id": 1, "ask": name, **given}))))

    return asked


def area(corners):
    """The area of a polygon, by the shoelace formula; its corners must stand in order."""
    x, y = np.reshape(corners, (-1, 2)).T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


@given(points=POINTS, w=st.tuples(TENTHS, TENTHS), theta=TENTHS)
@settings(deadline=None, max_examples=50)
def test_a_unit_in_the_plane(ask, points, w, theta):
    found = ask("perceptron", points=points, w=w, theta=theta)
    assert found.bias == [-theta, *w]
    for (x, y), excitation, fires in zip(points, found.excitation, found.fires, strict=True):
        assert excitation == pytest.approx(w[0] * x + w[1] * y)
        assert fires == (excitation >= theta)
    for (x, y), distance in zip(points, found.distance, strict=bool(any(w))):
        assert distance == pytest.approx((w[0] * x + w[1] * y - theta) / np.hypot(*w))
    for x, y in found.line:
        assert w[0] * x + w[1] * y == pytest.approx(theta, abs=1e-9)
        assert max(abs(x), abs(y)) == pytest.approx(3)


@pytest.mark.parametrize(
    ("w", "theta", "part"), [((1, 0), 0, 18), ((1, 0), 1, 12), ((-1, 1), 0, 18), ((1, 1), 3, 4.5), ((1, 1), -3, 31.5)]
)
def test_the_half_plane_has_its_area(ask, w, theta, part):
    assert area(ask("perceptron", points=[], w=w, theta=theta).half) == pytest.approx(part)


@pytest.mark.parametrize(("theta", "part"), [(-1, 36), (0, 36), (1, 0)])
def test_a_unit_without_weights_fires_everywhere_or_nowhere(ask, theta, part):
    found = ask("perceptron", points=[[1, 1]], w=[0, 0], theta=theta)
    assert found.line == found.distance == []
    assert area(found.half) == part


def by_hand(points, labels, rule, eta):
    """The three rules in one loop, as their papers have them; w̃ is (w₁, w₂, θ)."""
    w = np.zeros(3)
    while True:
        for (x, y), label in zip(points, labels, strict=True):
            z = np.array([x, y, -1.0])
            change = {
                "rosenblatt": label - (w @ z >= 0),
                "hebb": 2 * label - 1,
                "adaline": 2 * label - 1 - w @ z,
            }
            w = w + eta * change[rule] * z
            yield w


@pytest.mark.parametrize("rule", ["rosenblatt", "hebb", "adaline"])
def test_the_rules_move_the_line_as_by_hand(ask, rule):
    points, labels = [[-1, 0.5], [2, 1], [0.5, -2], [-2, -1]], [0, 1, 1, 0]
    found = ask("learning", points=points, labels=labels, rule=rule, eta=0.125)
    assert found.units[0] == [0, 0, 0]
    expected = list(itertools.islice(by_hand(points, labels, rule, 0.125), len(found.units) - 1))
    np.testing.assert_allclose(found.units[1:], expected, atol=1e-12)
    assert found.index == [k % 4 for k in range(len(expected))]
    assert found.epoch == [1 + k // 4 for k in range(len(expected))]
    moved = np.any(np.diff(found.units, axis=0) != 0, axis=1)
    assert found.updated == moved.tolist()
    assert found.ended == (rule != "adaline")


@given(points=POINTS, seed=st.integers(0, 2**16))
@settings(deadline=None, max_examples=50)
def test_the_rule_rests_within_the_bound_or_is_told_why_not(ask, points, seed):
    labels = np.random.default_rng(seed).integers(0, 2, len(points)).tolist()
    found = ask("learning", points=points, labels=labels, rule="rosenblatt", eta=1)
    x, t = np.array(points), np.array(labels)
    if found.bound is None:
        assert {labels[i] for i in found.contradiction} == {0, 1}
        assert not found.ended
        for label in (0, 1):
            mine = [x[i] for i in found.contradiction if labels[i] == label]
            assert in_hull(np.array(found.point), np.array(mine))
    else:
        assert found.contradiction == found.point == []
        assert sum(found.updated) <= found.bound
        if found.ended:
            np.testing.assert_array_equal(x @ found.units[-1][:2] >= found.units[-1][2], t == 1)


def in_hull(place, points):
    """Whether a place is a mean of at most three points, by its barycentric coordinates."""
    system = np.vstack([points.T, np.ones(len(points))])
    parts, *_ = np.linalg.lstsq(system, np.append(place, 1), rcond=None)
    return bool(np.allclose(system @ parts, np.append(place, 1), atol=1e-6) and (parts > -1e-6).all())


def test_xor_is_between_its_own_points(ask):
    found = ask("learning", points=CORNERS, labels=[0, 1, 1, 0], rule="rosenblatt", eta=1)
    assert found.contradiction == [0, 1, 2, 3]
    assert found.point == [0.5, 0.5]
    assert found.bound is None
    assert not found.ended


def test_adaline_takes_no_step_where_it_would_overshoot(ask):
    given = {"points": [[3, 0], [-3, 0]], "labels": [1, 0], "rule": "adaline"}
    found = ask("learning", **given, eta=0.2)
    assert found.limit == pytest.approx(2 / (1 + 9))
    assert found.index == []
    assert not found.ended
    assert len(ask("learning", **given, eta=0.19).index) == 500


def test_the_lectures_four_weights(ask):
    found = ask("excitation", w=[0.9, -0.3, -1.7, 0.3], x=[1, 0.5, 0, 1], theta=1)
    np.testing.assert_allclose(found.products, [0.9, -0.15, 0, 0.3])
    assert found.sum == pytest.approx(1.05)
    assert found.fires == 1
    assert ask("excitation", w=[0.9, -0.3, -1.7, 0.3], x=[1, 0.5, 0, 1], theta=1.06).fires == 0


@pytest.mark.parametrize("table", list(itertools.product((0, 1), repeat=4)))
def test_every_function_of_two_inputs(ask, table):
    found = ask("boolean", table=table)
    assert found.inputs == CORNERS
    if table in ((0, 1, 1, 0), (1, 0, 0, 1)):
        assert found.weights == found.boundary == found.half == []
        assert found.multipliers == [1, 1, 1, 1]
        assert found.side == "2·θ + w1 + w2"
    else:
        assert found.multipliers == []
        np.testing.assert_array_equal(np.array(CORNERS) @ found.weights >= found.theta, table)
        np.testing.assert_allclose(np.reshape(found.boundary, (-1, 2)) @ found.weights, found.theta, atol=1e-12)
        if table in AREAS:
            assert area(found.half) == pytest.approx(AREAS[table])


@given(table=st.lists(st.integers(0, 1), min_size=8, max_size=8))
@settings(deadline=None, max_examples=40)
def test_values_flow_through_the_network(ask, table):
    found = ask("boolean", table=table)
    values = np.array(found.inputs)
    for layer, units in zip(found.layers, network(table).layers, strict=True):
        for wired, unit in zip(layer, units, strict=True):
            np.testing.assert_allclose(wired["excitation"], values @ unit.weights)
            assert wired["fires"] == (values @ wired["weights"] >= wired["theta"]).tolist()
        values = np.array([wired["fires"] for wired in layer]).T
    assert values[:, 0].tolist() == table
    assert bool(found.weights) == (not found.multipliers)
    if found.multipliers:
        signed = np.array(found.multipliers) * np.where(table, 1, -1)
        assert signed.sum() == 0
        assert (signed @ np.array(found.inputs) == 0).all()
    for corner in found.boundary:
        assert np.dot(corner, found.weights) == pytest.approx(found.theta, abs=1e-12)


def test_the_lectures_counts(ask):
    found = ask("counts")
    assert found.separable == [4, 14, 104, 1882]
    assert found.functions == [4, 16, 256, 65536]


@given(x=TENTHS, y=TENTHS, z=TENTHS)
@settings(deadline=None, max_examples=50)
def test_values_and_derivatives_of_the_graph_are_autograds(ask, x, y, z):
    found = ask("graph", x=x, y=y, z=z)
    given = {"x": x, "y": y, "z": z}
    nodes = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in given.items()}
    nodes["f1"] = nodes["x"] + nodes["y"]
    nodes["f2"] = nodes["y"] * nodes["z"]
    nodes["f3"], nodes["f4"] = nodes["f1"] ** 2, torch.sin(nodes["f2"])
    nodes["f5"] = nodes["f3"] * nodes["f4"]
    nodes["f6"] = torch.tanh(nodes["f5"])
    for node in nodes.values():
        node.retain_grad()
    nodes["f6"].backward()
    np.testing.assert_allclose(found.values, [nodes[name].item() for name in found.names], atol=1e-12)
    derivatives = np.array(found.derivatives)
    np.testing.assert_allclose(derivatives, [nodes[name].grad.item() for name in found.names], atol=1e-10)
    # What a node's children hand it adds up to its derivative.
    total = np.zeros(len(found.names))
    np.add.at(total, np.array(found.edges)[:, 0], found.handed)
    np.testing.assert_allclose(total[:-1], derivatives[:-1], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("perceptron", {"points": [[4, 0]], "w": [1, 1], "theta": 0}, "points.0.0:"),
        ("perceptron", {"points": [[0, 0, 0]], "w": [1, 1], "theta": 0}, "points.0:"),
        ("perceptron", {"points": [[0, 0]] * 25, "w": [1, 1], "theta": 0}, "points:"),
        ("perceptron", {"points": [], "w": [1], "theta": 0}, "w:"),
        ("perceptron", {"points": [], "w": [1, 1e7], "theta": 0}, "w.1:"),
        ("learning", {"points": CORNERS, "labels": [0, 1], "rule": "hebb", "eta": 1}, "labels"),
        ("learning", {"points": CORNERS, "labels": [0, 1, 2, 0], "rule": "hebb", "eta": 1}, "labels.2:"),
        ("learning", {"points": CORNERS, "labels": [0, 1, 1, 0], "rule": "oja", "eta": 1}, "rule:"),
        ("learning", {"points": CORNERS, "labels": [0, 1, 1, 0], "rule": "hebb", "eta": 0}, "eta:"),
        ("learning", {"points": [], "labels": [], "rule": "hebb", "eta": 1}, "points:"),
        ("excitation", {"w": [1, 2], "x": [1], "theta": 0}, "x must have shape"),
        ("excitation", {"w": [1, 2], "x": [1, 2, 3], "theta": 0}, "x must have shape"),
        ("boolean", {"table": [0, 1, 1, 0, 1]}, "2ⁿ"),
        ("boolean", {"table": [0, 2, 1, 1]}, "table.1:"),
        ("graph", {"x": 0, "y": 0, "z": 4}, "z:"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(ask, name, given, said):
    assert ask(name, **given).refused.startswith(said) or said in ask(name, **given).refused
