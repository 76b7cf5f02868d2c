import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.foundations.activations import identity, relu, sigmoid, step, tanh
from narrows.foundations.descent import numeric_gradient
from narrows.foundations.feedforward import Graph, node
from narrows.foundations.layered import Layer, LayeredNet, random_net, squared_error, train
from narrows.foundations.primitives import constant

TORCH = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "identity": torch.clone}
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([[0], [1], [1], [0]])


def xor_net(seed):
    return random_net((2, 4, 1), (tanh, sigmoid), seed)


@st.composite
def problems(draw):
    """A random net with random biases, examples and targets."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    activations = [draw(st.sampled_from([sigmoid, tanh, relu, identity])) for _ in sizes[1:]]
    seed = draw(st.integers(0, 10**6))
    net, rng = random_net(sizes, activations, seed), np.random.default_rng(seed)
    net = LayeredNet(tuple(Layer(layer.W, rng.normal(size=len(layer.b)), layer.activation) for layer in net.layers))
    p, scale = draw(st.integers(1, 7)), draw(st.sampled_from([0.0, 0.1, 1.0, 10.0]))
    return net, scale * rng.normal(size=(p, sizes[0])), scale * rng.normal(size=(p, sizes[-1]))


@given(problem=problems())
@settings(max_examples=150, deadline=None)
def test_backpropagation_is_torchs_automatic_differentiation(problem):
    net, x, t = problem
    weights = [
        (torch.tensor(layer.W, requires_grad=True), torch.tensor(layer.b, requires_grad=True)) for layer in net.layers
    ]
    sums, o = [], torch.tensor(x)
    for layer, (W, b) in zip(net.layers, weights, strict=True):
        sums.append(o @ W.T + b)
        o = TORCH[layer.activation.name](sums[-1])
    E = 0.5 * ((o - torch.tensor(t)) ** 2).sum()
    flat = list(itertools.chain(*weights))
    expected = [g.numpy() for g in torch.autograd.grad(E, [*flat, *sums])]
    back = net.backpropagate(x, t)
    np.testing.assert_allclose(net(x), o.detach().numpy(), rtol=1e-10, atol=1e-10)
    assert back.error == pytest.approx(E.item(), rel=1e-10, abs=1e-10)
    ours = [*itertools.chain(*zip(back.W, back.b, strict=True)), *back.deltas]
    for mine, oracle in zip(ours, expected, strict=True):
        assert mine.shape == oracle.shape
        np.testing.assert_allclose(mine, oracle, rtol=1e-10, atol=1e-10)


def test_the_lectures_error_is_half_the_sum_and_not_the_mean():
    assert squared_error([[1, 2], [3, 5]], [[0, 0], [3, 1]]) == 0.5 * (1 + 4 + 16)
    layer = Layer(np.eye(2), np.zeros(2), identity)
    back = LayeredNet((layer,)).backpropagate([[1, 2], [3, 5]], [[0, 0], [3, 1]])
    assert back.error == 10.5
    np.testing.assert_array_equal(back.b[0], [1, 6])
    np.testing.assert_array_equal(back.W[0], [[1 * 1 + 3 * 0, 1 * 2 + 5 * 0], [2 * 1 + 4 * 3, 2 * 2 + 4 * 5]])


@given(problem=problems(), copies=st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_examples_add_up(problem, copies):
    net, x, t = problem
    once, often = net.backpropagate(x, t), net.backpropagate(np.tile(x, (copies, 1)), np.tile(t, (copies, 1)))
    assert often.error == pytest.approx(copies * once.error, rel=1e-12)
    np.testing.assert_allclose(often.W[0], copies * once.W[0], rtol=1e-9, atol=1e-12)


def test_numeric_differentiation_agrees():
    net, rng = xor_net(5), np.random.default_rng(0)
    t = rng.normal(size=(4, 1))

    def error(W):
        return squared_error(LayeredNet((Layer(W, net.layers[0].b, tanh), net.layers[1]))(X), t)

    np.testing.assert_allclose(net.backpropagate(X, t).W[0], numeric_gradient(error, net.layers[0].W), atol=1e-9)


def test_a_layered_net_is_a_feed_forward_graph():
    net = random_net((2, 2, 1), (sigmoid, tanh), 3)
    nodes, below = [], ["x1", "x2"]
    for number, layer in enumerate(net.layers):
        units = []
        for unit, (weights, bias) in enumerate(zip(layer.W, layer.b, strict=True)):
            at = f"{number}.{unit}"
            nodes.append(node(f"sum {at}.0", constant(bias)))
            for i, (w, source) in enumerate(zip(weights, below, strict=True)):
                nodes.append(node(f"w {at}.{i}", constant(w)))
                nodes.append(node(f"product {at}.{i}", "multiply", f"w {at}.{i}", source))
                nodes.append(node(f"sum {at}.{i + 1}", "add", f"sum {at}.{i}", f"product {at}.{i}"))
            nodes.append(node(f"unit {at}", layer.activation.name, f"sum {at}.{len(weights)}"))
            units.append(f"unit {at}")
        below = units
    nodes += [node("t", constant(0.5)), node("o − t", "subtract", below[0], "t"), node("square", "square", "o − t")]
    nodes += [node("half", constant(0.5)), node("E", "multiply", "half", "square")]
    E = Graph(("x1", "x2"), nodes, output="E")
    values = E.forward({"x1": 0.3, "x2": -0.8})
    gradient = E.backward(values)
    back = net.backpropagate([[0.3, -0.8]], [[0.5]])
    assert values[E.names.index("E")] == pytest.approx(back.error, rel=1e-14)
    for number, unit, i in itertools.product(range(2), range(2), range(2)):
        if unit < len(net.layers[number].b):
            mine = gradient[E.names.index(f"w {number}.{unit}.{i}")]
            assert mine == pytest.approx(back.W[number][unit, i], rel=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_xor_is_learned(seed):
    steps = list(train(xor_net(seed), X, XOR, eta=0.5, momentum=0.9, n_steps=500))
    assert [s.index for s in steps] == list(range(501))
    assert steps[0].error > 0.3
    assert steps[-1].error < 1e-3
    np.testing.assert_array_equal(steps[-1].net(X) > 0.5, XOR)


def test_training_is_reproducible_lazy_and_leaves_the_net_alone():
    net = xor_net(1)
    before = net.layers[0].W.copy()
    first, second = ([s.error for s in train(net, X, XOR, eta=0.2, n_steps=20)] for _ in range(2))
    assert first == second
    np.testing.assert_array_equal(net.layers[0].W, before)
    walk = train(net, X, XOR, eta=0.2, n_steps=10**9)
    assert next(walk).error == squared_error(net(X), XOR)
    np.testing.assert_array_equal(next(walk).net.layers[0].W, before - 0.2 * net.backpropagate(X, XOR).W[0])


def test_a_step_net_computes_but_gets_no_gradient():
    xor = LayeredNet(
        (Layer([[1, 1], [1, 1]], [-0.5, -1.5], step), Layer([[1, -1]], [-0.5], step)),
    )
    np.testing.assert_array_equal(xor(X), XOR)
    assert not any(W.any() for W in xor.backpropagate(X, 1 - XOR).W)


def test_random_nets_follow_glorot_and_the_seed():
    a, b = (random_net((300, 200, 7), (relu, identity), 4) for _ in range(2))
    limit = math.sqrt(6 / 500)
    np.testing.assert_array_equal(a.layers[0].W, b.layers[0].W)
    assert a.layers[0].W.shape == (200, 300)
    assert abs(a.layers[0].W).max() <= limit
    assert a.layers[0].W.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)
    assert not a.layers[1].b.any()


def test_no_examples_are_examples():
    net = xor_net(0)
    assert net(np.empty((0, 2))).shape == (0, 1)
    assert net.backpropagate(np.empty((0, 2)), np.empty((0, 1))).error == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda net: net(X[0]), r"X must have shape \(examples, 2\), got \(2,\)"),
        (lambda net: net([[1, 2, 3]]), r"X must have shape \(examples, 2\), got \(1, 3\)"),
        (lambda net: net([[1, math.nan]]), "X must be finite, got nan"),
        (
            lambda net: net.backpropagate(X, XOR.ravel()),
            r"must have one shape, got \(4, 1\) and \(4,\)",
        ),
        (
            lambda net: net.backpropagate(X, XOR[:3]),
            r"targets must have one shape, got \(4, 1\) and \(3, 1\)",
        ),
        (lambda net: train(net, X, XOR, eta=0, n_steps=1), "eta must be above 0, got 0"),
        (lambda net: train(net, X, XOR, eta=1, n_steps=1, momentum=1), "momentum must be in"),
        (lambda net: LayeredNet((net.layers[0], net.layers[0])), "layer 2 takes 2 inputs, but 4 units feed it"),
        (lambda _: LayeredNet(()), "layers must hold at least one layer"),
        (lambda _: Layer([1, 2], [0], tanh), r"W and b must have shapes .* got \(2,\) and \(1,\)"),
        (lambda _: Layer([[1, 2]], [0, 0], tanh), r"W and b must have shapes .* got \(1, 2\) and \(2,\)"),
        (lambda _: Layer([[1, math.inf]], [0], tanh), "W must be finite, got inf"),
        (lambda _: random_net((2, 1), (), 0), "sizes must be one more than activations"),
        (lambda _: random_net((2, 1), (tanh,), -1), "seed must be at least 0, got -1"),
        (lambda _: random_net((2, 0), (tanh,), 0), "sizes must be at least 1, got 0"),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(xor_net(0))


def test_divergence_is_an_error_that_says_when():
    net = random_net((1, 1), (identity,), 0)
    with pytest.raises(FloatingPointError, match=r"diverged at iterate \d+: .*; try a smaller eta, such as 1$"):
        list(train(net, [[5.0]], [[1.0]], eta=10, n_steps=10_000))
    huge = LayeredNet((Layer([[1e200]], [0], identity), Layer([[1e200]], [0], identity)))
    with pytest.raises(FloatingPointError, match="a weighted sum in layer 2 overflows"):
        huge([[1.0]])
    with pytest.raises(FloatingPointError, match="the error E overflows"):
        squared_error([[1e200]], [[0.0]])
    small_then_huge = LayeredNet((Layer([[1e-200]], [0], identity), Layer([[1e200]], [0], identity)))
    with pytest.raises(FloatingPointError, match="the gradient overflows where E = "):
        small_then_huge.backpropagate([[1e150]], [[0.0]])
