"""Pages L14 to L18: images as vectors, parameters, convolution, pooling, stride and padding."""

from __future__ import annotations

import numpy as np

from narrows.foundations.convolution import LECTURE_FILTER, LECTURE_IMAGE, convolution_steps, convolve
from narrows.foundations.images import convolution_parameters, dense_parameters, image_to_vector, vector_to_image
from narrows.foundations.pooling import LECTURE_POOLING_INPUT, pool, pooling_steps
from narrows.foundations.windows import Padding, Windows
from narrows.lecture.drawings import windows as drawings
from narrows.lecture.page import Fact, Page, decimal
from narrows.lecture.rows import Row

__all__ = ["convolution", "images", "parameters", "pooling", "stride"]


def images(row: Row) -> Page:
    """L14: a small RGB image, its vector, and back."""
    x, y = np.meshgrid(np.linspace(0, 255, 5), np.linspace(0, 255, 4))
    image = np.stack([x, y, 255 - (x + y) / 2], axis=-1).round().astype(np.uint8)
    vector = image_to_vector(image)
    i, j, c = 2, 3, 1
    position = (i * image.shape[1] + j) * 3 + c
    height, width, _ = image.shape
    facts = (
        Fact("image, rows × columns × channels", image.shape),
        Fact("numbers in the vector", len(vector)),
        Fact("that is 3XY", len(vector) == 3 * width * height),
        Fact("and back, exactly the same", np.array_equal(vector_to_image(vector, image.shape), image)),
        Fact(f"green of the pixel in row {i}, column {j}", int(image[i, j, c])),
        Fact(f"number {position} of the vector", int(vector[position])),
        Fact("numbers of a megapixel in RGB", image_to_vector(np.zeros((1000, 1000, 3), dtype=np.uint8)).size),
    )
    text = (
        "An RGB image of X × Y pixels is a vector of 3XY whole numbers from 0 to 255, pixel after pixel, row after "
        "row. A network that is given this vector no longer knows which pixels were neighbours."
    )
    figure = drawings.image_and_vector(image, vector)
    return Page(row, text, facts, figure, "A small image, its three channels in numbers, and all of them in one row.")


def parameters(row: Row) -> Page:
    """L15: dense against convolutional layers for images of several sizes."""
    kernel, filters = 3, 64
    shapes = {"28 × 28 grey": (28, 28, 1), "224 × 224 RGB": (224, 224, 3), "1000 × 1000 RGB": (1000, 1000, 3)}
    rows = []
    for name, (height, width, channels) in shapes.items():
        n = height * width * channels
        convolutional = convolution_parameters(channels, filters, kernel, bias=False)
        rows.append((name, dense_parameters(n, n, bias=False), convolutional))
    dense = dense_parameters(3 * 10**6, 3 * 10**6, bias=False)
    facts = (
        Fact("weights from 3·10⁶ inputs to as many units", dense),
        Fact("terabytes of 32-bit numbers for them", dense * 4 / 1e12),
        *(Fact(f"weights for {name}, dense", count) for name, count, _ in rows),
        *(Fact(f"weights for {name}, {filters} filters of {kernel} × {kernel}", count) for name, _, count in rows),
        Fact("how many times fewer, for the last", round(rows[-1][1] / rows[-1][2])),
    )
    text = (
        "A dense layer has a weight for every pair of input and unit, and so explodes with the image; it also ignores"
        " that pixels have neighbours. A convolutional layer looks through a small window and uses the same few "
        "weights everywhere, so that its size does not depend on the image's."
    )
    alt = "Bars on a logarithmic axis: weights of dense and of convolutional layers for three image sizes."
    return Page(row, text, facts, drawings.parameters(rows), alt)


def convolution(row: Row) -> Page:
    """L16: the lecture's image and filter, step by step."""
    steps = list(convolution_steps(LECTURE_IMAGE, LECTURE_FILTER))
    feature_map = convolve(LECTURE_IMAGE, LECTURE_FILTER)
    first = steps[0]
    as_steps = np.array([step.value for step in steps]).reshape(feature_map.shape)
    facts = (
        Fact("image and filter", (LECTURE_IMAGE.shape, LECTURE_FILTER.shape)),
        Fact("first patch", _rows(first.patch)),
        Fact("filter", _rows(first.filter)),
        Fact("products", _rows(first.products)),
        Fact("their sum", int(first.sum)),
        Fact("feature map", "\n".join(decimal(tuple(line)) for line in feature_map.tolist())),
        Fact("step by step, the same", np.array_equal(as_steps, feature_map)),
    )
    text = (
        "A filter slides over the image. At each position the patch under it is multiplied with the filter entry by "
        "entry and added up; the sums form the feature map. As everywhere in deep learning the filter is not flipped,"
        " which makes it a cross-correlation. A layer has several filters, and each sees all channels."
    )
    alt = "The image with the first patch outlined, patch times filter, the products, their sum, and the feature map."
    return Page(row, text, facts, drawings.convolution(LECTURE_IMAGE, first, feature_map), alt)


def pooling(row: Row) -> Page:
    """L17: max and average pooling of the lecture's table."""
    size = 3
    largest, mean = (pool(LECTURE_POOLING_INPUT, size, kind=kind) for kind in ("max", "average"))
    steps = list(pooling_steps(LECTURE_POOLING_INPUT, size))
    first = steps[0].window
    facts = (
        Fact("first window", _rows(first)),
        Fact("its maximum", int(largest[0, 0])),
        Fact("its sum", int(first.sum())),
        Fact("its mean", float(mean[0, 0])),
        Fact("max pooling", "\n".join(decimal(tuple(line)) for line in largest.tolist())),
        Fact("average pooling", "\n".join(decimal(tuple(line)) for line in mean.tolist())),
        Fact("size before and after", (LECTURE_POOLING_INPUT.shape, largest.shape)),
    )
    text = (
        f"Pooling makes feature maps smaller: a window moves over the map, here {size} × {size} in steps of {size}, "
        "and of each only the largest number (max pooling) or the mean (average pooling) is kept. It has no weights. "
        "What no whole window covers is left out."
    )
    alt = "A table of numbers with four windows, and the largest and the mean of each."
    return Page(row, text, facts, drawings.pooling(LECTURE_POOLING_INPUT, steps, largest, mean), alt)


def stride(row: Row) -> Page:
    """L18: where a kernel lands for several strides and paddings."""
    size, kernel = 7, 3
    settings: list[tuple[Padding, int]] = [("valid", 1), ("same", 1), (2, 1), ("valid", 2), ("same", 2), ("same", 3)]
    laid = [(padding, s, Windows.over(size, kernel, stride=s, padding=padding)) for padding, s in settings]
    image = np.ones((size, size))
    real = [convolve(image, np.ones((kernel, kernel)), stride=s, padding=padding).shape for padding, s, _ in laid]
    names = [repr(padding) if isinstance(padding, str) else f"padding {padding}" for padding, _, _ in laid]
    kept = all(Windows.over(n, k, padding="same").shape == (n, n) for n in range(1, 41) for k in range(1, 12))
    facts = (
        Fact("image and kernel", ((size, size), (kernel, kernel))),
        *(
            Fact(f"result, {name}, stride {s}", windows.shape)
            for name, (_, s, windows) in zip(names, laid, strict=True)
        ),
        Fact("convolving gives these sizes", [windows.shape for *_, windows in laid] == real),
        Fact("'same' keeps the size at stride 1, for images to 40 and kernels to 11", kept),
    )
    text = (
        "The stride s is how far the kernel moves, the padding p how many rows and columns are added around the "
        "image: none ('valid'), or as many as keep its size at stride 1 ('same'). The result has ⌊(n + p − k)/s⌋ + 1 "
        "rows, p counted on both sides together."
    )
    figure = drawings.positions([(f"{name}, stride {s}", w) for name, (_, s, w) in zip(names, laid, strict=True)])
    alt = "Six images with padding: the kernel's first position outlined, its last dashed, a dot at the centre of each."
    return Page(row, text, facts, figure, alt)


def _rows(numbers: np.ndarray) -> str:
    """A matrix as in the lecture: rows of digits, 101 / 011 / 101; with spaces if a number is longer."""
    rows = [[decimal(float(v)) for v in line] for line in numbers]
    glue = "" if all(len(v) == 1 for line in rows for v in line) else " "
    return " / ".join(glue.join(line) for line in rows)
