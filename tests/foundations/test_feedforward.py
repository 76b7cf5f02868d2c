import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.foundations import feedforward
from narrows.foundations.feedforward import Graph, Node, node
from narrows.foundations.primitives import PRIMITIVES, Primitive, constant, power

TORCH = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "maximum": torch.maximum,
    "negate": torch.neg,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "step": lambda x: (x >= 0).to(x.dtype) + 0 * x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "identity": torch.clone,
}
SAFE = [name for name in TORCH if name not in {"divide", "sqrt", "log", "exp", "square", "multiply"}]
LECTURE = (  # Six primitive functions over x, y, z, as in the lecture's figure.
    node("f1", "multiply", "x", "y"),
    node("f2", "sin", "y"),
    node("f3", "sigmoid", "z"),
    node("f4", "add", "f1", "f2"),
    node("f5", "multiply", "f2", "f3"),
    node("f6", "maximum", "f4", "f5"),
)


def lecture_graph():
    return Graph(("x", "y", "z"), reversed(LECTURE), output="f6")


def test_six_primitive_functions_compose_into_f_of_x_y_z():
    F = lecture_graph()
    x, y, z = 0.5, 1.2, -0.7
    values = dict(zip(F.names, F.forward({"x": x, "y": y, "z": z}), strict=True))
    f3 = 1 / (1 + math.exp(-z))
    expected = {"f1": x * y, "f2": math.sin(y), "f3": f3, "f4": x * y + math.sin(y), "f5": math.sin(y) * f3}
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, rel=1e-15)
    assert values["f6"] == max(values["f4"], values["f5"]) == F({"x": x, "y": y, "z": z})


def test_by_hand_gradient_of_every_node():
    F = Graph(("x", "y", "z"), (node("f1", "add", "x", "y"), node("f2", "multiply", "f1", "z")), output="f2")
    gradient = F.backward(F.forward({"x": 1, "y": 2, "z": 5}))
    assert dict(zip(F.names, gradient, strict=True)) == {"x": 5, "y": 5, "z": 3, "f1": 5, "f2": 1}


def test_every_primitive_is_checked_against_torch():
    assert set(TORCH) == set(PRIMITIVES)


@pytest.mark.parametrize("name", TORCH)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_primitives_and_their_partials_are_torchs(name, data):
    low = 0.1 if name in {"sqrt", "log", "divide"} else -5.0
    arity = len(PRIMITIVES[name].partials)
    numbers = st.one_of(st.floats(low, 5.0), st.sampled_from([1.0, 2.0] if low > 0 else [0.0, 1.0]))
    points = data.draw(st.lists(st.tuples(*[numbers] * arity), min_size=1, max_size=4))
    x = torch.tensor(points, dtype=torch.float64).T.requires_grad_()
    y = TORCH[name](*x)
    expected = torch.autograd.grad(y.sum(), x)[0].numpy()
    inputs = [f"x{i}" for i in range(arity)]
    F = Graph(inputs, [node("f", name, *inputs)], output="f")
    values = F.forward(dict(zip(inputs, x.detach().numpy(), strict=True)))
    np.testing.assert_allclose(values[-1], y.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(F.backward(values)[:arity], expected, rtol=1e-12, atol=1e-14)


@st.composite
def random_graphs(draw):
    """A random graph with the torch computation beside it; the nodes come in a shuffled order."""
    n_inputs = draw(st.integers(1, 3))
    names, nodes = [f"x{i}" for i in range(n_inputs)], []
    for i in range(draw(st.integers(1, 8))):
        primitive = draw(st.sampled_from(SAFE))
        parents = [draw(st.sampled_from(names)) for _ in PRIMITIVES[primitive].partials]
        nodes.append(node(f"f{i}", primitive, *parents))
        names.append(f"f{i}")
    output = draw(st.sampled_from(names))
    points = draw(st.lists(st.tuples(*[st.floats(-3, 3)] * n_inputs), min_size=1, max_size=3))
    return n_inputs, nodes, draw(st.permutations(nodes)), output, np.array(points).T


@given(case=random_graphs())
@settings(max_examples=80, deadline=None)
def test_random_graphs_match_autograd_at_every_node(case):
    n_inputs, nodes, shuffled, output, points = case
    inputs = [f"x{i}" for i in range(n_inputs)]
    tensors = {name: torch.tensor(x, requires_grad=True) for name, x in zip(inputs, points, strict=True)}
    for n in nodes:
        tensors[n.name] = TORCH[n.primitive.name](*(tensors[parent] for parent in n.parents))
    F = Graph(inputs, shuffled, output)
    values = F.forward(dict(zip(inputs, points, strict=True)))
    gradient = F.backward(values)
    expected = torch.autograd.grad(
        tensors[output].sum(), [tensors[name] for name in F.names], allow_unused=True, materialize_grads=True
    )
    for name, value, derivative, oracle in zip(F.names, values, gradient, expected, strict=True):
        np.testing.assert_allclose(value, tensors[name].detach().numpy(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(derivative, oracle.numpy(), rtol=1e-12, atol=1e-12)


@given(case=random_graphs())
@settings(max_examples=40, deadline=None)
def test_a_layout_draws_every_node_once_and_every_edge_forward(case):
    n_inputs, _, shuffled, output, _ = case
    F = Graph([f"x{i}" for i in range(n_inputs)], shuffled, output)
    layout = F.layout()
    assert layout.names == F.names
    assert len(np.unique(layout.positions, axis=0)) == len(F.names)
    assert len(layout.edges) == sum(len(n.parents) for n in F.nodes)
    assert (layout.positions[layout.edges[:, 0], 0] < layout.positions[layout.edges[:, 1], 0]).all()
    for depth in np.unique(layout.positions[:, 0]):
        assert layout.positions[layout.positions[:, 0] == depth, 1].sum() == 0
    assert [(F.names[a], F.names[b]) for a, b in layout.edges] == [(p, n.name) for n in F.nodes for p in n.parents]


def test_layout_of_the_lectures_graph():
    layout = lecture_graph().layout()
    layers = dict(zip(layout.names, layout.positions[:, 0], strict=True))
    assert layers == {"x": 0, "y": 0, "z": 0, "f1": 1, "f2": 1, "f3": 1, "f4": 2, "f5": 2, "f6": 3}
    assert dict(zip(layout.names, layout.labels, strict=True))["f3"] == "sigmoid"
    assert layout.labels[0] == ""


def test_a_layout_follows_parents():
    layout = Graph(("x", "y"), (node("a", "sin", "y"), node("b", "sin", "x"), node("f", "add", "a", "b")), "f").layout()
    height = dict(zip(layout.names, layout.positions[:, 1], strict=True))
    assert (height["x"] < height["y"]) == (height["b"] < height["a"])


def test_the_graph_that_is_drawn_is_its_formula():
    F, x, y, z = feedforward.lecture_graph(), 0.3, -0.5, 1.1
    assert F.names == ("x", "y", "z", "f1", "f2", "f3", "f4", "f5", "f6")
    assert F({"x": x, "y": y, "z": z}) == pytest.approx(math.tanh((x + y) ** 2 * math.sin(y * z)), rel=1e-14)


def test_points_are_independent_and_numbers_broadcast():
    F = lecture_graph()
    x, y, z = np.linspace(-1, 1, 6).reshape(2, 3), 0.3, np.array([1.0, 2.0, 3.0])
    values = F.forward({"x": x, "y": y, "z": z})
    gradient = F.backward(values)
    assert values.shape == gradient.shape == (9, 2, 3)
    alone = F.forward({"x": x[1, 2], "y": y, "z": z[2]})
    np.testing.assert_allclose(values[:, 1, 2], alone, rtol=1e-15)
    np.testing.assert_allclose(gradient[:, 1, 2], F.backward(alone), rtol=1e-15)


def test_constants_and_powers():
    F = Graph(("x",), (node("c", constant(3)), node("p", power(-2), "x"), node("f", "multiply", "c", "p")), output="f")
    gradient = F.backward(F.forward({"x": [2.0, -1.0]}))
    np.testing.assert_allclose(gradient[F.names.index("x")], [-6 / 8, 6.0])
    np.testing.assert_allclose(gradient[F.names.index("c")], [1 / 4, 1.0])
    for exponent, slope in ((0, 0.0), (1, 1.0), (2, 0.0), (2.5, 0.0)):
        F = Graph(("x",), (node("f", power(exponent), "x"),), output="f")
        assert F.backward(F.forward({"x": 0.0}))[0] == slope


def test_an_own_primitive_and_an_input_that_is_used_twice():
    norm = Primitive("norm", np.hypot, (lambda x, y: x / np.hypot(x, y), lambda x, y: y / np.hypot(x, y)))
    F = Graph(("x",), (node("f", norm, "x", "x"),), output="f")
    assert F.backward(F.forward({"x": 3.0}))[0] == pytest.approx(math.sqrt(2))


def test_a_long_chain_needs_no_recursion():
    nodes = [node(f"f{i + 1}", "sin", f"f{i}" if i else "x") for i in range(20_000)]
    F = Graph(("x",), nodes[::-1], output="f20000")
    assert 0 < F({"x": 1.0}) < 1


def test_what_the_output_does_not_need_is_not_differentiated():
    F = Graph(("x",), (node("root", "sqrt", "x"), node("f", "add", "x", "x")), output="f")
    np.testing.assert_array_equal(F.backward(F.forward({"x": 0.0})), [2.0, 0.0, 1.0])
    F = Graph(("x", "y"), (), output="y")
    np.testing.assert_array_equal(F.backward(F.forward({"x": 1.0, "y": 2.0})), [0.0, 1.0])


def test_cycles_are_spelled_out():
    with pytest.raises(ValueError, match=r"no cycle, but here (a → b → a|b → a → b)$"):
        Graph(("x",), (node("a", "add", "x", "b"), node("b", "sin", "a")), output="b")
    with pytest.raises(ValueError, match="no cycle, but here a → a"):
        Graph((), (node("a", "sin", "a"),), output="a")


@pytest.mark.parametrize(
    ("inputs", "nodes", "output", "words"),
    [
        (("x",), [node("f", "sin", "w")], "f", "node 'f' reads 'w', which is unknown; known are x, f"),
        (("x",), [node("f", "sin", "x")], "g", "output is 'g', which is unknown; known are x, f"),
        (("x",), [node("f", "sin", "x"), node("f", "cos", "x")], "f", "two nodes are called 'f'"),
        (("x",), [node("x", "sin", "x")], "x", "two nodes are called 'x'"),
        (("x", "x"), [], "x", "inputs must have different names"),
        ((), [], "f", "known are none"),
    ],
)
def test_a_wrong_wiring_is_named(inputs, nodes, output, words):
    with pytest.raises(ValueError, match=words):
        Graph(inputs, nodes, output)


def test_a_wrong_primitive_is_named():
    with pytest.raises(ValueError, match="node 'f' applies 'sinus', which is unknown; known are add, subtract"):
        node("f", "sinus", "x")
    with pytest.raises(ValueError, match=r"node 'f': add takes 2 argument\(s\), got 1"):
        node("f", "add", "x")
    with pytest.raises(ValueError, match=r"sin takes 1 argument\(s\), got 0"):
        Node("f", PRIMITIVES["sin"], ())
    for make in (constant, power):
        with pytest.raises(ValueError, match="must be finite, got nan"):
            make(math.nan)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"x": 1, "y": 2}, "inputs lacks a value for 'z'; F takes x, y, z"),
        ({"x": 1, "y": 2, "z": 3, "t": 4}, "inputs gives a value to 't', which is unknown"),
        ({"x": 1, "y": math.nan, "z": 3}, "input 'y' must be finite, got nan"),
        ({"x": [1, 2], "y": [1, 2, 3], "z": 3}, r"broadcast to one shape, got x \(2,\), y \(3,\), z \(\)"),
    ],
)
def test_wrong_inputs_are_named(inputs, words):
    with pytest.raises(ValueError, match=words):
        lecture_graph().forward(inputs)


def test_a_value_that_does_not_exist_names_its_node():
    F = Graph(("x", "y"), (node("d", "subtract", "x", "y"), node("f", "log", "d")), output="f")
    with pytest.raises(FloatingPointError, match=r"node 'f': log is not finite at \(-2\)"):
        F.forward({"x": [5.0, 1.0], "y": 3.0})
    for own in (math.exp, lambda x: 1e200 * np.exp(x)):
        F = Graph(("x",), (node("f", Primitive("own", own, (own,)), "x"),), output="f")
        with pytest.raises(FloatingPointError, match="node 'f': own"):
            F.forward({"x": 800.0})


def test_a_derivative_that_does_not_exist_names_its_node():
    F = Graph(("x",), (node("f", "sqrt", "x"),), output="f")
    with pytest.raises(FloatingPointError, match=r"node 'f': derivative of sqrt in argument 1 is not finite at \(0\)"):
        F.backward(F.forward({"x": 0.0}))
    endless = Primitive("endless", np.copy, (lambda _: np.inf,))
    F = Graph(("x",), (node("f", endless, "x"),), output="f")
    with pytest.raises(FloatingPointError, match=r"derivative of endless in argument 1 is not finite at \(4\)"):
        F.backward(F.forward({"x": [4.0, 5.0]}))
    steep = Primitive("steep", lambda x: x, (lambda _: 1e200,))
    F = Graph(("x",), (node("a", steep, "x"), node("f", steep, "a")), output="f")
    with pytest.raises(FloatingPointError, match="derivative of 'f' with respect to 'x' overflows"):
        F.backward(F.forward({"x": 1.0}))


def test_shapes_that_do_not_fit_are_refused():
    for own, shape in ((np.sum, r"\(\)"), (lambda x: np.stack([x, x]), r"\(2, 3\)")):
        F = Graph(("x",), (node("f", Primitive("own", own, (np.ones_like,)), "x"),), output="f")
        with pytest.raises(ValueError, match=rf"node 'f': own must .* keep the shape \(3,\), got {shape}"):
            F.forward({"x": np.ones(3)})
    with pytest.raises(ValueError, match="values must have a row for each of"):
        F.backward(np.ones(5))
    with pytest.raises(ValueError, match=r"^values must be finite, got nan"):
        F.backward(np.array([1.0, math.nan]))
