import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d
from torch.nn import functional

from narrows.foundations.convolution import (
    LECTURE_FILTER,
    LECTURE_IMAGE,
    convolution_steps,
    convolve,
    convolve_backward,
)
from narrows.foundations.pooling import LECTURE_POOLING_INPUT, pool, pool_backward, pooling_steps
from narrows.foundations.windows import Windows

TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}


def random_case(rng):
    """Shapes and settings of a convolution that is possible."""
    kernel = rng.integers(1, 6, size=2)
    stride, dilation = rng.integers(1, 4, size=2), rng.integers(1, 4, size=2)
    padding = rng.choice(np.array(["valid", "same", "pair"]))
    pair = rng.integers(0, 4, size=2) * (padding == "pair")
    span = dilation * (kernel - 1) + 1
    smallest = np.ones(2, int) if padding == "same" else np.maximum(1, span - 2 * pair)
    size = smallest + rng.integers(0, 9, size=2)
    n, channels, filters = (int(v) for v in rng.integers(1, 4, size=3))
    shapes = (n, channels, *(int(v) for v in size)), (filters, channels, *(int(v) for v in kernel))
    options = {"stride": pairs(stride), "dilation": pairs(dilation)}
    options["padding"] = pairs(pair) if padding == "pair" else str(padding)
    return shapes, options


def pairs(values):
    return tuple(int(v) for v in values)


def border(padding, size, span, stride):
    """Padding as torch.nn.functional.pad takes it: left, right, top, bottom; “same” as TensorFlow documents it."""
    if padding == "valid":
        return [0, 0, 0, 0]
    if padding != "same":
        return [padding[1], padding[1], padding[0], padding[0]]
    totals = [max(w - (n % s or s), 0) for n, w, s in zip(size, span, stride, strict=True)]
    return [t for total in reversed(totals) for t in (total // 2, total - total // 2)]


def torch_convolution(x, w, b, options):
    span = [d * (k - 1) + 1 for k, d in zip(w.shape[-2:], options["dilation"], strict=True)]
    padded = functional.pad(x, border(options["padding"], x.shape[-2:], span, options["stride"]))
    return functional.conv2d(padded, w, b, stride=options["stride"], dilation=options["dilation"])


def test_convolution_and_its_gradients_equal_torch_on_2000_random_shapes():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        (x_shape, w_shape), options = random_case(rng)
        x, w, b = (rng.normal(size=shape) for shape in (x_shape, w_shape, w_shape[:1]))
        tensors = [torch.from_numpy(a).requires_grad_() for a in (x, w, b)]
        expected = torch_convolution(*tensors, options)
        y = convolve(x, w, b, **options)
        np.testing.assert_allclose(y, expected.detach().numpy(), **TOLERANCE)
        g = rng.normal(size=y.shape)
        expected.backward(torch.from_numpy(g))
        ours = convolve_backward(g, x, w, **options)
        for mine, tensor in zip((ours.x, ours.filters, ours.bias), tensors, strict=True):
            np.testing.assert_allclose(mine, tensor.grad.numpy(), **TOLERANCE)


def test_pooling_and_its_gradients_equal_torch_on_2000_random_shapes():
    rng = np.random.default_rng(1)
    for _ in range(2000):
        window = rng.integers(1, 6, size=2)
        padding = rng.integers(0, window // 2 + 1)  # torch allows no more
        size = np.maximum(1, window - 2 * padding) + rng.integers(0, 9, size=2)
        stride = rng.integers(1, 6, size=2)
        # Whole numbers, so that maxima tie.
        x = rng.integers(0, 4, size=(*rng.integers(1, 4, size=2), *size)).astype(float)
        options = {"stride": pairs(stride), "padding": pairs(padding)}
        for kind, theirs in (("max", functional.max_pool2d), ("average", functional.avg_pool2d)):
            tensor = torch.from_numpy(x).requires_grad_()
            expected = theirs(tensor, pairs(window), **options)
            y = pool(x, pairs(window), kind=kind, **options)
            np.testing.assert_allclose(y, expected.detach().numpy(), **TOLERANCE)
            g = rng.normal(size=y.shape)
            expected.backward(torch.from_numpy(g))
            mine = pool_backward(g, x, pairs(window), kind=kind, **options)
            np.testing.assert_allclose(mine, tensor.grad.numpy(), **TOLERANCE)
            tensor.grad = None


def test_plain_convolution_equals_scipy_on_2000_random_shapes():
    rng = np.random.default_rng(2)
    for _ in range(2000):
        kernel = rng.integers(1, 6, size=2)
        x, w = rng.normal(size=kernel + rng.integers(0, 9, size=2)), rng.normal(size=kernel)
        np.testing.assert_allclose(convolve(x, w), correlate2d(x, w, mode="valid"), **TOLERANCE)
        full = convolve(x, w, padding=pairs(kernel - 1))
        np.testing.assert_allclose(full, correlate2d(x, w, mode="full"), **TOLERANCE)
        if (kernel % 2).all():  # SciPy centres an even kernel differently from TensorFlow
            np.testing.assert_allclose(convolve(x, w, padding="same"), correlate2d(x, w, mode="same"), **TOLERANCE)


def numeric_gradient(f, x, h=1e-3):
    """Central differences; exact but for rounding where f is linear in x."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        gradient[place] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


def test_gradients_of_convolution_equal_finite_differences():
    rng = np.random.default_rng(3)
    for _ in range(25):
        (x_shape, w_shape), options = random_case(rng)
        x, w, b = (rng.normal(size=shape) for shape in (x_shape[1:], w_shape, w_shape[:1]))
        g = rng.normal(size=convolve(x, w, b, **options).shape)
        ours = convolve_backward(g, x, w, **options)
        loss = [
            numeric_gradient(lambda v, w=w, b=b, g=g, o=options: (g * convolve(v, w, b, **o)).sum(), x),
            numeric_gradient(lambda v, x=x, b=b, g=g, o=options: (g * convolve(x, v, b, **o)).sum(), w),
            numeric_gradient(lambda v, x=x, w=w, g=g, o=options: (g * convolve(x, w, v, **o)).sum(), b),
        ]
        for mine, numeric in zip((ours.x, ours.filters, ours.bias), loss, strict=True):
            np.testing.assert_allclose(mine, numeric, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("padding", ["valid", "same", (1, 0)])
def test_gradients_of_pooling_equal_finite_differences(kind, padding):
    rng = np.random.default_rng(4)
    x = rng.permutation(2 * 6 * 7).reshape(2, 6, 7).astype(float)
    options = {"kind": kind, "stride": (2, 1), "padding": padding}
    g = rng.normal(size=pool(x, (3, 2), **options).shape)
    numeric = numeric_gradient(lambda v: (g * pool(v, (3, 2), **options)).sum(), x)
    np.testing.assert_allclose(pool_backward(g, x, (3, 2), **options), numeric, rtol=1e-8, atol=1e-8)


def test_the_lectures_convolution():
    assert LECTURE_IMAGE.shape == (6, 7)
    assert LECTURE_IMAGE[:3, :3].tolist() == [[1, 0, 1], [0, 1, 1], [1, 0, 1]]
    assert LECTURE_FILTER.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    y = convolve(LECTURE_IMAGE, LECTURE_FILTER)
    assert y[0, 0] == 31
    assert y.shape == (4, 5)
    np.testing.assert_array_equal(y, correlate2d(LECTURE_IMAGE, LECTURE_FILTER, mode="valid"))
    assert convolve(LECTURE_IMAGE, LECTURE_FILTER, padding="same").shape == LECTURE_IMAGE.shape
    first = next(convolution_steps(LECTURE_IMAGE, LECTURE_FILTER))
    assert first.products.tolist() == [[1, 0, 3], [0, 5, 6], [7, 0, 9]]
    assert first.sum == first.value == 31


def test_the_lectures_pooling():
    assert LECTURE_POOLING_INPUT.shape == (6, 7)
    assert LECTURE_POOLING_INPUT[:3, :3].tolist() == [[9, 2, 3], [1, 5, 7], [4, 2, 6]]
    assert pool(LECTURE_POOLING_INPUT, 3).tolist() == [[9, 8], [8, 9]]
    assert pool(LECTURE_POOLING_INPUT, 3, kind="average")[0, 0] == 39 / 9
    assert pool(LECTURE_POOLING_INPUT, 3, stride=1).shape == (4, 5)
    first = next(pooling_steps(LECTURE_POOLING_INPUT, 3, kind="average"))
    assert first.window.tolist() == [[9, 2, 3], [1, 5, 7], [4, 2, 6]]
    assert round(first.value, 2) == 4.33


@pytest.mark.parametrize("constant", [LECTURE_IMAGE, LECTURE_FILTER, LECTURE_POOLING_INPUT])
def test_the_lectures_matrices_cannot_be_changed(constant):
    with pytest.raises(ValueError, match="read-only"):
        constant[0, 0] = 5


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "y_shape"),
    [
        ((6, 7), (3, 2), (4, 6)),
        ((6, 7), (1, 3, 2), (4, 6)),
        ((6, 7), (5, 1, 3, 2), (5, 4, 6)),
        ((1, 6, 7), (3, 2), (4, 6)),
        ((2, 6, 7), (2, 3, 2), (4, 6)),
        ((2, 6, 7), (5, 2, 3, 2), (5, 4, 6)),
        ((4, 2, 6, 7), (2, 3, 2), (4, 4, 6)),
        ((4, 2, 6, 7), (5, 2, 3, 2), (4, 5, 4, 6)),
    ],
)
def test_axes_left_out_are_left_out_of_the_result(x_shape, w_shape, y_shape):
    rng = np.random.default_rng(5)
    x, w, b = rng.normal(size=x_shape), rng.normal(size=w_shape), rng.normal(size=w_shape[:-3])
    y = convolve(x, w, b)
    assert y.shape == y_shape
    ones = (1, 1, 1)
    whole = convolve(x.reshape((*ones, *x_shape)[-4:]), w.reshape((*ones, *w_shape)[-4:]), b.reshape(-1))
    np.testing.assert_array_equal(y.ravel(), whole.ravel())
    gradients = convolve_backward(np.ones_like(y), x, w)
    assert (gradients.x.shape, gradients.filters.shape, gradients.bias.shape) == (x_shape, w_shape, w_shape[:-3])
    if x.ndim < 4:
        steps = list(convolution_steps(x, w, b))
        np.testing.assert_allclose([step.value for step in steps], y.ravel(), **TOLERANCE)
        assert {step.patch.shape for step in steps} == {w_shape[-3:]}


def test_small_integers_do_not_overflow():
    x, w = np.full((3, 3), 255, np.uint8), np.full((3, 3), -100, np.int8)
    assert convolve(x, w) == -9 * 25500
    assert pool(x, 3, kind="average") == 255
    assert convolve(np.ones((2, 2), bool), [[1, 1], [1, 1]]) == 4


def test_arguments_are_left_as_they_were():
    x, w = np.arange(20.0).reshape(4, 5), np.ones((2, 2))
    copies = x.copy(), w.copy()
    convolve(x, w, padding=1)
    convolve_backward(np.ones((3, 4)), x, w)
    pool_backward(np.ones((2, 2)), x, 2)
    np.testing.assert_array_equal(x, copies[0])
    np.testing.assert_array_equal(w, copies[1])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_steps_show_how_each_number_of_the_feature_map_comes_about(seed):
    rng = np.random.default_rng(seed)
    (x_shape, w_shape), options = random_case(rng)
    x, w, b = (rng.normal(size=shape) for shape in (x_shape[1:], w_shape, w_shape[:1]))
    y = convolve(x, w, b, **options)
    steps = list(convolution_steps(x, w, b, **options))
    assert [(s.filter_index, s.row, s.column) for s in steps] == list(np.ndindex(y.shape))
    down, across = options["dilation"]
    for step in steps:
        for c, u, v in np.ndindex(step.patch.shape):
            i, j = step.top + u * down, step.left + v * across
            inside = 0 <= i < x.shape[1] and 0 <= j < x.shape[2]
            assert step.patch[c, u, v] == (x[c, i, j] if inside else 0)
        np.testing.assert_array_equal(step.products, step.patch * w[step.filter_index])
        assert step.sum == pytest.approx(math.fsum(step.products.ravel()), abs=1e-12)
        assert step.value == step.sum + b[step.filter_index]
        assert step.value == pytest.approx(y[step.filter_index, step.row, step.column], abs=1e-12)


@pytest.mark.parametrize(("kind", "outside"), [("max", -math.inf), ("average", 0)])
@settings(max_examples=40, deadline=None)
@given(size=st.tuples(*[st.integers(1, 8)] * 2), window=st.integers(1, 4), stride=st.integers(1, 4))
def test_pooling_steps_show_each_window(kind, outside, size, window, stride):
    x = np.random.default_rng(6).normal(size=(2, *size)) - 3  # negative: a zero in the padding would win
    y = pool(x, window, kind=kind, stride=stride, padding="same")
    assert y.shape == (2, *(math.ceil(n / stride) for n in size))
    steps = list(pooling_steps(x, window, kind=kind, stride=stride, padding="same"))
    assert [(s.channel, s.row, s.column) for s in steps] == list(np.ndindex(y.shape))
    for step in steps:
        for u, v in np.ndindex(window, window):
            i, j = step.top + u, step.left + v
            inside = 0 <= i < size[0] and 0 <= j < size[1]
            assert step.window[u, v] == (x[step.channel, i, j] if inside else outside)
        expected = step.window.max() if kind == "max" else math.fsum(step.window.ravel()) / window**2
        assert step.value == pytest.approx(expected, abs=1e-12)
        assert step.value == y[step.channel, step.row, step.column]


def test_a_tied_maximum_hands_its_gradient_to_the_first():
    assert pool_backward([[2.0]], np.ones((2, 2)), 2).tolist() == [[2, 0], [0, 0]]


IMAGE, FILTER = np.ones((4, 5)), np.ones((2, 2))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: convolve(IMAGE, np.ones((5, 2))),
            ValueError,
            r"filters of \(5, 2\).*spans 5 rows.*padded image has 4",
        ),
        (lambda: convolve(IMAGE, FILTER, dilation=5), ValueError, "spans 6 rows"),
        (lambda: convolve(IMAGE, FILTER, stride=0), ValueError, "stride must be at least 1, got 0"),
        (lambda: convolve(IMAGE, FILTER, padding=-1), ValueError, "padding must be at least 0, got -1"),
        (lambda: convolve(IMAGE, FILTER, dilation=0), ValueError, "dilation must be at least 1, got 0"),
        (lambda: convolve(IMAGE, FILTER, stride=2.0), TypeError, r"stride must be a whole number, got 2\.0"),
        (lambda: convolve(IMAGE, FILTER, dilation=True), TypeError, "dilation must be a whole number, got True"),
        (lambda: convolve(IMAGE * np.nan, FILTER), ValueError, r"x must be finite, got nan at index \(0, 0\)"),
        (lambda: convolve(IMAGE, FILTER * np.inf), ValueError, "filters must be finite, got inf"),
        (lambda: convolve(IMAGE, FILTER, math.nan), ValueError, "bias must be finite, got nan"),
        (lambda: convolve(IMAGE, FILTER, [1.0]), ValueError, r"bias has shape \(1,\): must be \(\)"),
        (lambda: convolve(IMAGE, np.ones((3, 1, 2, 2)), 1.0), ValueError, r"bias has shape \(\): must be \(3,\)"),
        (lambda: convolve(np.ones((3, 4, 5)), FILTER), ValueError, r"filters has shape \(2, 2\): must be for 3 chan"),
        (lambda: convolve(np.ones((4, 5, 3)), np.ones((3, 2, 2))), ValueError, r"for 4 channel.*\(C, H, W\)"),
        (lambda: convolve(np.ones(4), FILTER), ValueError, r"x has shape \(4,\): must be \(H, W\) or"),
        (lambda: convolve(np.ones((1, 1, 1, 4, 5)), FILTER), ValueError, "x has shape"),
        (lambda: convolve(IMAGE, np.ones(2)), ValueError, r"filters has shape \(2,\): must be \(kH, kW\) or"),
        (lambda: convolve(np.ones((0, 5)), FILTER), ValueError, r"x has shape \(0, 5\)"),
        (lambda: convolve([[1, 2], [3]], FILTER), ValueError, r"x must be a regular array, got \[\[1, 2\], \[3\]\]"),
        (lambda: convolve([["1", "2"]], FILTER), TypeError, r"x must hold real numbers, got \[\['1', '2'\]\]"),
        (lambda: convolve(IMAGE * 1j, FILTER), TypeError, r"x must hold real numbers, got array\(.*j"),
        (lambda: convolve_backward(IMAGE, IMAGE, FILTER), ValueError, r"gradient has shape \(4, 5\): must be \(3, 4\)"),
        (lambda: convolution_steps(np.ones((1, 1, 4, 5)), FILTER), ValueError, r"x has shape \(1, 1, 4, 5\)"),
        (lambda: convolution_steps(IMAGE, FILTER, stride=0), ValueError, "stride must be at least 1, got 0"),
        (lambda: pool(IMAGE, 5), ValueError, r"window of \(5, 5\).*spans 5 rows"),
        (lambda: pool(IMAGE, 0), ValueError, "window must be at least 1, got 0"),
        (lambda: pool(IMAGE, 2.0), TypeError, r"window must be a whole number, got 2\.0"),
        (lambda: pool(IMAGE, 2, stride=0), ValueError, "stride must be at least 1, got 0"),
        (lambda: pool(IMAGE, 2, padding=2), ValueError, "padding=2: must be smaller than window=2"),
        (lambda: pool(IMAGE, (3, 1), padding=(1, 1)), ValueError, r"padding=\(1, 1\): must be smaller"),
        (lambda: pool(IMAGE, 2, kind="mean"), ValueError, 'kind=\'mean\': must be "max" or "average"'),
        (lambda: pool(IMAGE * np.inf, 2), ValueError, "x must be finite, got inf"),
        (lambda: pool_backward(IMAGE, IMAGE, 2), ValueError, r"gradient has shape \(4, 5\): must be \(2, 2\)"),
        (
            lambda: pool_backward([[1, 1], [1, np.nan]], IMAGE, 2),
            ValueError,
            r"gradient must be finite, got nan at index \(1, 1\)",
        ),
        (lambda: pooling_steps(np.ones((1, 1, 4, 5)), 2), ValueError, "x has shape"),
        (lambda: Windows.over(4, 5), ValueError, r"^kernel of \(5, 5\).*spans 5 rows, but the padded image has 4"),
        (lambda: Windows.over((5, 4), 5), ValueError, "spans 5 columns, but the padded image has 4"),
        (lambda: Windows.over(4, 2).join(np.ones((3, 3, 2, 1))), ValueError, r"values has shape \(3, 3, 2, 1\)"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
