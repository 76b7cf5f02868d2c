import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from narrows.foundations.images import convolution_parameters, dense_parameters, image_to_vector, vector_to_image
from narrows.foundations.windows import Windows

DTYPES = (
    hnp.integer_dtypes()
    | hnp.unsigned_integer_dtypes()
    | hnp.boolean_dtypes()
    | hnp.floating_dtypes()
    | hnp.complex_number_dtypes()
)


@st.composite
def images(draw, axes):
    dtype = draw(DTYPES)
    shape = draw(st.tuples(*[st.integers(1, 5)] * axes))
    elements = hnp.from_dtype(dtype, allow_nan=False, allow_infinity=False)
    return draw(hnp.arrays(dtype, shape, elements=elements))


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("batch", [False, True])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_to_a_vector_and_back_is_exact(data, axes, batch):
    image = data.draw(images(axes + batch))
    vector = image_to_vector(image, batch=batch)
    back = vector_to_image(vector, image.shape[batch:])
    assert vector.shape == ((len(image), image[0].size) if batch else (image.size,))
    assert vector.dtype == back.dtype == image.dtype
    assert np.array_equal(back, image)
    assert not np.shares_memory(vector, image)
    assert not np.shares_memory(back, vector)


def test_an_rgb_image_is_3xy_integers_pixel_after_pixel():
    height, width = 4, 5
    image = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)[::-1]
    vector = image_to_vector(image)
    assert vector.size == 3 * width * height
    for i, j, c in np.ndindex(image.shape):
        assert vector[(i * width + j) * 3 + c] == image[i, j, c]


def test_a_column_major_image_is_read_row_by_row():
    assert image_to_vector(np.asfortranarray([[1, 2, 3], [4, 5, 6]])).tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: image_to_vector([1, 2]), ValueError, r"image has shape \(2,\): must be \(H, W\)"),
        (lambda: image_to_vector([[1, 2]], batch=True), ValueError, r"image has shape \(1, 2\): must be \(n, H, W\)"),
        (lambda: image_to_vector(np.zeros((2, 0, 3))), ValueError, r"image has shape \(2, 0, 3\)"),
        (lambda: image_to_vector([[1, 2], [3]]), ValueError, r"image must be a regular array, got \[\[1, 2\], \[3\]\]"),
        (
            lambda: image_to_vector([[0.0, 1.0], [math.nan, 2.0]]),
            ValueError,
            r"image must be finite, got nan at index \(1, 0\)",
        ),
        (
            lambda: vector_to_image([1.0, math.inf], (1, 2)),
            ValueError,
            r"vector must be finite, got inf at index \(1,\)",
        ),
        (lambda: vector_to_image(range(7), (2, 4)), ValueError, r"vector has shape \(7,\): must be \(8,\) or \(n, 8\)"),
        (lambda: vector_to_image(np.zeros((0, 8)), (2, 4)), ValueError, r"vector has shape \(0, 8\)"),
        (lambda: vector_to_image(np.zeros((2, 1, 8)), (2, 4)), ValueError, "vector has shape"),
        (lambda: vector_to_image(range(8), 8), TypeError, "shape=8: must be a tuple"),
        (lambda: vector_to_image(range(8), (8,)), ValueError, r"shape=\(8,\): must be \(H, W\)"),
        (lambda: vector_to_image(range(8), (2.0, 4)), TypeError, r"shape must be a whole number, got 2\.0"),
        (lambda: vector_to_image(range(8), (-2, -4)), ValueError, "shape must be at least 1, got -2"),
        (lambda: dense_parameters(0, 1, bias=True), ValueError, "inputs must be at least 1, got 0"),
        (lambda: dense_parameters(3e6, 1, bias=True), TypeError, r"inputs must be a whole number, got 3000000\.0"),
        (lambda: dense_parameters(1, units=True, bias=True), TypeError, "units must be a whole number, got True"),
        (lambda: convolution_parameters(-1, 1, 3, bias=True), ValueError, "channels must be at least 1, got -1"),
        (
            lambda: convolution_parameters(1, np.bool_(1), 3, bias=True),
            TypeError,
            "filters must be a whole number, got .*True",
        ),
        (lambda: convolution_parameters(1, 1, (3, 0), bias=True), ValueError, "kernel must be at least 1, got 0"),
        (
            lambda: convolution_parameters(1, 1, (3, 3, 3), bias=True),
            ValueError,
            r"kernel must be one whole number, or two .*, got \(3, 3, 3\)",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_lectures_dense_layer_has_nine_billion_thousand_weights():
    n = 3 * 10**6
    assert dense_parameters(n, n, bias=False) == 9 * 10**12
    assert dense_parameters(n, n, bias=True) == 9 * 10**12 + n
    assert convolution_parameters(3, 64, 3, bias=False) == 1728


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**30), st.integers(1, 10**30))
def test_counts_are_exact_beyond_64_bits(inputs, units):
    assert dense_parameters(inputs, units, bias=True) - dense_parameters(inputs, units, bias=False) == units
    assert dense_parameters(inputs, units, bias=False) == inputs * units
    assert convolution_parameters(inputs, units, (2, 7), bias=True) == 14 * inputs * units + units


def test_counts_of_numpy_integers_do_not_overflow():
    count = dense_parameters(np.int32(3 * 10**6), np.int32(3 * 10**6), bias=False)
    assert count == 9 * 10**12
    assert type(count) is int


def test_counts_equal_torchs_layers():
    torch = pytest.importorskip("torch")
    for bias in (False, True):
        dense = torch.nn.Linear(37, 11, bias=bias)
        assert dense_parameters(37, 11, bias=bias) == sum(p.numel() for p in dense.parameters())
        convolution = torch.nn.Conv2d(3, 5, (2, 4), bias=bias)
        assert convolution_parameters(3, 5, (2, 4), bias=bias) == sum(p.numel() for p in convolution.parameters())


GEOMETRY = {
    "size": st.tuples(st.integers(1, 12), st.integers(1, 12)),
    "kernel": st.tuples(st.integers(1, 6), st.integers(1, 6)),
    "stride": st.tuples(st.integers(1, 5), st.integers(1, 5)),
    "dilation": st.tuples(st.integers(1, 3), st.integers(1, 3)),
}


def places(n, p, k, s, d):
    """Where windows fit, found by walking and not by a formula."""
    return [start for start in range(-p, n + p, s) if start + d * (k - 1) < n + p]


@settings(max_examples=300, deadline=None)
@given(**GEOMETRY, padding=st.just("valid") | st.integers(0, 6) | st.tuples(st.integers(0, 6), st.integers(0, 6)))
def test_the_number_of_places_is_what_walking_finds(size, kernel, stride, dilation, padding):
    p = (0, 0) if padding == "valid" else (padding, padding) if isinstance(padding, int) else padding
    walks = [places(*numbers) for numbers in zip(size, p, kernel, stride, dilation, strict=True)]
    if not all(walks):
        with pytest.raises(ValueError, match=r"kernel of .* (rows|columns), but the padded image has"):
            Windows.over(size, kernel, stride=stride, padding=padding, dilation=dilation)
        return
    windows = Windows.over(size, kernel, stride=stride, padding=padding, dilation=dilation)
    assert windows.shape == (len(walks[0]), len(walks[1]))
    assert windows.corner(windows.shape[0] - 1, 0) == (walks[0][-1], walks[1][0])


@settings(max_examples=300, deadline=None)
@given(**GEOMETRY)
def test_same_padding_is_tensorflows(size, kernel, stride, dilation):
    windows = Windows.over(size, kernel, stride=stride, padding="same", dilation=dilation)
    for axis in (0, 1):
        n, s, span = size[axis], stride[axis], dilation[axis] * (kernel[axis] - 1) + 1
        # The rule as TensorFlow's documentation of tf.nn states it.
        total = max(span - (n % s or s), 0)
        assert (windows.before[axis], windows.after[axis]) == (total // 2, total - total // 2)
        assert windows.shape[axis] == math.ceil(n / s)
    if stride == (1, 1):
        assert windows.shape == size


@settings(max_examples=100, deadline=None)
@given(**GEOMETRY, seed=st.integers(0, 2**32))
def test_join_is_the_adjoint_of_split(size, kernel, stride, dilation, seed):
    rng = np.random.default_rng(seed)
    windows = Windows.over(size, kernel, stride=stride, padding="same", dilation=dilation)
    x = rng.normal(size=(2, *size))
    patches = windows.split(x)
    y = rng.normal(size=patches.shape)
    assert np.vdot(patches, y) == pytest.approx(np.vdot(x, windows.join(y)), rel=1e-12, abs=1e-12)


def test_huge_sizes_allocate_nothing():
    assert Windows.over(10**15, 3, padding=1, stride=2).shape == (5 * 10**14, 5 * 10**14)


@pytest.mark.parametrize(
    ("settings_", "error", "words"),
    [
        ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"stride": (1, -2)}, ValueError, "stride must be at least 1, got -2"),
        ({"stride": 1.0}, TypeError, r"stride must be a whole number, got 1\.0"),
        ({"stride": True}, TypeError, "stride must be a whole number, got True"),
        ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
        ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
        ({"padding": (1, 2, 3)}, ValueError, r"padding must be one whole number, or two .*, got \(1, 2, 3\)"),
        ({"padding": "full"}, ValueError, 'padding=\'full\': must be "valid", "same"'),
        ({"padding": math.nan}, TypeError, "padding must be a whole number, got nan"),
        ({"padding": None}, TypeError, "padding must be a whole number, got None"),
        ({"kernel": 6}, ValueError, r"kernel of \(6, 6\) at dilation \(1, 1\) spans 6 rows.*padded image has 4"),
        ({"kernel": (1, 3), "dilation": 3}, ValueError, "spans 7 columns, but the padded image has 5"),
        ({"kernel": 0}, ValueError, "kernel must be at least 1, got 0"),
        ({"size": (4, 0)}, ValueError, "size must be at least 1, got 0"),
        ({"size": "ab"}, TypeError, "size must be a whole number, got 'ab'"),
    ],
)
def test_bad_geometry_is_named(settings_, error, words):
    with pytest.raises(error, match=words):
        Windows.over(**({"size": (4, 5), "kernel": 2} | settings_))


def test_split_and_join_refuse_other_sizes():
    windows = Windows.over((4, 5), 2)
    with pytest.raises(ValueError, match=r"x has shape \(5, 4\): must be \(..., 4, 5\)"):
        windows.split(np.zeros((5, 4)))
    with pytest.raises(ValueError, match=r"values has shape \(4, 5\)"):
        windows.join(np.zeros((4, 5)))
