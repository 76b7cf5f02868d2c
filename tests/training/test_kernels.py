"""The compiled kernels against automatic differentiation and torch's AdamW, both in 64 bits."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from narrows.compiled.kernels import ACTIVATIONS, INSTRUCTIONS, kernels
from narrows.training.adamw import BETA2
from narrows.training.dense.compiled import CompiledGradients, CompiledPasses, adamw_on
from narrows.training.dense.layers import DERIVED, Net, Passes

if kernels() is None:
    pytest.skip("the kernels are not compiled here", allow_module_level=True)

SETS = INSTRUCTIONS[: INSTRUCTIONS.index(kernels().instructions) + 1]
SIZES = st.sampled_from([1, 2, 7, 8, 9, 15, 16, 17, 33])


@st.composite
def nets(draw):
    """Return a net, and its widths."""
    net = Net([], draw(st.booleans()), draw(st.sampled_from(ACTIVATIONS)), draw(st.sampled_from(ACTIVATIONS)))
    return net, draw(st.lists(SIZES, min_size=2, max_size=4))


def drawn(net, widths, models, examples, seed):
    """Return weights of the layers and the shortcut, inputs, and a gradient of the outputs."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(a + 1, b) for a, b in pairwise(widths)]
    shapes += [(widths[0] + 1, widths[-1])] * net.shortcut
    weights = [torch.randn(models, *shape, generator=generator) / math.sqrt(shape[0]) for shape in shapes]
    return weights, *(torch.randn(models, examples, width, generator=generator) for width in (widths[0], widths[-1]))


def passed(passes, x, gradient):
    """Return outputs, gradients of the weights, and of the inputs."""
    outputs = passes.forward(x).clone()
    by_inputs = passes.backward(gradient.clone(), inputs=True)
    return [outputs, *passes.gradients, by_inputs]


def by_hand(net, weights, examples, instructions=None):
    return CompiledPasses(
        net, weights, [torch.full_like(w, math.nan) for w in weights], examples, kernels(instructions)
    )


def by_autograd(net, weights, x, gradient):
    """Return the same as `passed`, in 64 bits."""
    x, gradient = x.double().requires_grad_(), gradient.double()
    weights = [w.double().requires_grad_() for w in weights]
    deep, a = weights[: len(weights) - net.shortcut], x
    for index, w in enumerate(deep):
        a = (net.activation()(a) if index else a) @ w[:, :-1] + w[:, -1:]
    if net.shortcut:
        a = a + x @ weights[-1][:, :-1] + weights[-1][:, -1:]
    a = net.last()(a)
    return [a.detach(), *torch.autograd.grad(a, [*weights, x], gradient)]


def compare(ours, expected):
    for mine, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(mine.double(), other, rtol=0, atol=1e-5 * (1 + float(other.abs().max())))


@settings(max_examples=60, deadline=None)
@given(nets(), st.integers(1, 3), SIZES, st.integers(0, 99), st.sampled_from(SETS))
def test_passes_are_exact_to_automatic_differentiation(shape, models, examples, seed, instructions):
    net, widths = shape
    weights, x, gradient = drawn(net, widths, models, examples, seed)
    passes = by_hand(net, weights, examples, instructions)
    expected = by_autograd(net, weights, x, gradient)
    compare(passed(passes, x, gradient), expected)
    compare(passed(passes, x.double(), gradient), expected)  # what is no block of 32 bits is copied
    gradients = [g.clone() for g in passes.gradients]
    passes.backward(gradient.clone(), inputs=False)
    assert all(map(torch.equal, passes.gradients, gradients))


@settings(max_examples=20, deadline=None)
@given(nets(), nets(), st.integers(1, 3), SIZES, st.integers(0, 99), st.sampled_from(SETS))
def test_both_nets_and_their_squared_error_at_once(first, second, models, examples, seed, instructions):
    (encoder, widths), (decoder, others) = first, second
    to_code, seen, _ = drawn(encoder, widths, models, examples, seed)
    to_output, _, x = drawn(decoder, [widths[-1], *others], models, examples, seed + 1)
    nets = [by_hand(encoder, to_code, examples, instructions), by_hand(decoder, to_output, examples, instructions)]
    losses = CompiledGradients(*nets)(seen, x.double())
    z = by_autograd(encoder, to_code, seen, torch.zeros_like(nets[0].outputs))[0]
    off = by_autograd(decoder, to_output, z, torch.zeros_like(x))[0] - x.double()
    expected = [off.square().sum((1, 2)) / (2 * examples)]
    *by_output, by_code = by_autograd(decoder, to_output, z, off / examples)[1:]
    by_encoder = by_autograd(encoder, to_code, seen, by_code)[1:-1]
    compare([losses, *nets[0].gradients, *nets[1].gradients], [*expected, *by_encoder, *by_output])


@settings(max_examples=20, deadline=None)
@given(nets(), st.integers(1, 3), SIZES, st.integers(0, 99))
def test_passes_by_torch_are_too(shape, models, examples, seed):
    net, widths = shape
    weights, x, gradient = drawn(net, widths, models, examples, seed)
    passes = Passes(net, weights, [torch.empty_like(w) for w in weights], examples)
    compare(passed(passes, x, gradient), by_autograd(net, weights, x, gradient))


@pytest.mark.parametrize("instructions", SETS)
def test_a_model_comes_to_the_same_bits_whoever_is_beside_it(instructions):
    """Also one whose code is smaller, and filled up with weights of 0."""
    net = Net([], shortcut=True, activation=nn.SiLU, last=nn.Identity)
    weights, x, gradient = drawn(net, [13, 9, 5], 3, 7, 0)
    for w in (weights[1], weights[2]):
        w[1, :, 3:] = 0
    gradient[1, :, 3:] = 0
    together = passed(by_hand(net, weights, 7, instructions), x, gradient)
    own = [weights[0][1:2], *(w[1:2, :, :3].contiguous() for w in weights[1:])]
    alone = passed(by_hand(net, own, 7, instructions), x[1:2].clone(), gradient[1:2, :, :3].contiguous())
    for mine, other in zip(alone, together, strict=True):
        assert torch.equal(mine, other[1:2, :, : mine.shape[2]])


@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize("activation", ACTIVATIONS[1:])
def test_activations_everywhere(activation, instructions):
    net = Net([], shortcut=False, activation=nn.Identity, last=activation)
    values = torch.cat([torch.logspace(-30, 2.5, 80), torch.tensor([0.0])])
    x = torch.cat([values, -values])[None, :, None]
    outputs, *_, slopes = passed(
        by_hand(net, [torch.tensor([[[1.0], [0.0]]])], x.shape[1], instructions), x, torch.ones_like(x)
    )
    exact = x.double().requires_grad_()
    expected = activation()(exact)
    torch.testing.assert_close(
        outputs.double(), expected.detach(), rtol=1e-6, atol=1e-37 if activation is nn.Tanh else 3e-7
    )
    torch.testing.assert_close(slopes.double(), *torch.autograd.grad(expected.sum(), exact), rtol=1e-6, atol=5e-7)


def test_there_is_none_besides():
    assert {*ACTIVATIONS} == {*DERIVED}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_not_a_number_stays_none(activation):
    """Or a training that diverges would not be seen to."""
    net = Net([], shortcut=False, activation=activation, last=nn.Identity)
    weights, x, gradient = drawn(net, [3, 4, 2], 1, 2, 0)
    weights[0][0, 0, 1] = math.nan
    assert passed(by_hand(net, weights, 2), x, gradient)[0].isnan().all()


@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize("size", [1, 15, 16, 33, 100])
def test_adamw_is_torch_s(size, instructions):
    generator = torch.Generator().manual_seed(size)
    values, first, second = torch.randn(size, generator=generator), torch.zeros(size), torch.zeros(size)
    twin = nn.Parameter(values.double())
    optimiser = torch.optim.AdamW([twin], lr=0.1, weight_decay=0.3)
    steps, gradient = torch.tensor(0.0), torch.empty(size)
    take = adamw_on(kernels(instructions), values, gradient, first, second)
    for momentum in (0.95, 0.9, 0.85):
        gradient.normal_(generator=generator)
        optimiser.param_groups[0]["betas"] = (momentum, BETA2)
        twin.grad = gradient.double()
        optimiser.step()
        steps += 1
        take(steps=steps, rate=0.1, momentum=momentum, decay=0.3)
    moments = optimiser.state[twin]
    for mine, other in ((values, twin.data), (first, moments["exp_avg"]), (second, moments["exp_avg_sq"])):
        torch.testing.assert_close(mine.double(), other, rtol=1e-6, atol=1e-7)


def test_numbers_too_small_are_zero_where_torch_takes_them_for_it():
    moments = [torch.full((20,), 1e-38) for _ in range(4)]
    torch.set_flush_denormal(True)
    try:
        adamw_on(kernels(), *moments)(steps=torch.tensor(9.0), rate=0.0, momentum=0.5, decay=0.0)
        assert not (moments[3] * 1e30).any()
    finally:
        torch.set_flush_denormal(False)
    assert moments[3].count_nonzero() == 0


@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize(("rows", "k", "m", "most"), [(9, 3, 32, 1), (6, 20, 320, 4), (1, 1, 64, 11)])
def test_the_nearest_are_those_of_all_distances(rows, k, m, most, instructions):
    generator = torch.Generator().manual_seed(m)
    x, points, scales = (torch.randn(*shape, generator=generator) for shape in ((rows, k), (k, m), (m,)))
    scales, points[:, -5:] = scales.exp(), math.inf
    points[:, 7] = points[:, 3]  # equal ones come in order
    scales[7], x[0] = scales[3], points[:, 3] + 1e-3
    squares, places = kernels(instructions).nearest(x, points, scales, most)
    expected, order = ((x.double()[:, :, None] - points.double()).square().sum(1) * scales).sort(stable=True)
    assert (places == order[:, :most]).all()
    torch.testing.assert_close(squares.double(), expected[:, :most], rtol=1e-5, atol=0)
    lost = kernels(instructions).nearest(torch.full((1, k), math.nan), points, scales, most)[0]
    assert lost.isinf().all()


@pytest.mark.parametrize("instructions", SETS)
def test_a_row_has_the_same_nearest_whoever_is_beside_it(instructions):
    x, points = (torch.randn(*shape, generator=torch.Generator().manual_seed(0)) for shape in ((11, 5), (5, 96)))
    together = kernels(instructions).nearest(x, points, torch.ones(96), 3)
    for row in range(11):
        alone = kernels(instructions).nearest(x[row : row + 1], points, torch.ones(96), 3)
        assert all((one == all_of[row]).all() for one, all_of in zip(alone, together, strict=True))


@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize("k", [1, 9, 17])
def test_the_likeliest_gaussian_is_that_of_closed_forms(k, instructions):
    rng = np.random.default_rng(k)
    root, means, logarithms = rng.normal(size=(32, 17, 17)), rng.normal(size=(32, 17)), rng.normal(size=32)
    precisions, x = root @ root.mT + np.eye(17), rng.normal(size=(5, 17))
    hidden = np.argsort(rng.random(x.shape), 1)[:, :k]
    slopes = np.einsum("kij,nkj->nik", precisions, x[:, None] - means)
    squares = np.einsum("nik,nki->nk", slopes, x[:, None] - means)
    found = kernels(instructions).likeliest(precisions.transpose(1, 2, 0), logarithms, slopes, squares, hidden)
    for row, out in enumerate(hidden):
        among, g = precisions[:, out[:, None], out], slopes[row, out].T[:, :, None]
        away = np.linalg.solve(among, g)
        left = squares[row] - (g * away).sum((1, 2))
        best = (logarithms - 0.5 * left - 0.5 * np.linalg.slogdet(among)[1]).argmax()
        np.testing.assert_allclose(found[row], away[best, :, 0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("instructions", SETS)
def test_where_no_gaussian_is_likely_nothing_is_expected(instructions):
    """Or what memory held would be."""
    precisions = np.broadcast_to(np.eye(3)[:, :, None], (3, 3, 16))
    slopes, squares = np.ones((2, 3, 16)), np.ones((2, 16))
    squares[1] = math.inf
    hidden = np.array([[0, 2], [1, 2]])
    away = kernels(instructions).likeliest(precisions, np.zeros(16), slopes, squares, hidden)
    np.testing.assert_array_equal(away, [[1, 1], [math.nan] * 2])
