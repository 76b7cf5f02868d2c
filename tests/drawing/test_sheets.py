"""Pictures: nothing but what is asked for is drawn, whatever the shape of the examples."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from narrows.drawing.sheets import comparison, example_rows, histograms, image_grid

RNG = np.random.default_rng(0)


def assert_nothing_is_cut(figure):
    """Texts lie inside the figure, and no two of them on each other."""
    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.texts if text.get_text()]
    for i, box in enumerate(boxes):
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1, figure.texts[i]
        assert 0 <= box.y0 <= box.y1 <= figure.bbox.y1, figure.texts[i]
        for other in boxes[i + 1 :]:
            assert not box.padded(-1).overlaps(other.padded(-1))


def images(figure):
    return [image for ax in figure.axes for image in ax.images]


def drawn(figure):
    """Each tile's left, right and lower edge, in inches."""
    wide, high = figure.get_size_inches()
    profiles = [ax.get_position() for ax in figure.axes if ax.lines]
    profiles = [(box.x0 * wide, box.x1 * wide, high - box.y0 * high) for box in profiles]
    return profiles + [image.get_extent()[:3] for image in images(figure)]


@pytest.mark.parametrize("shape", [(5,), (4, 6), (4, 6, 1), (4, 6, 2), (4, 6, 3), (4, 6, 4)])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_a_grid_shows_each_example_once_with_its_label(shape, n):
    labels = [f"example {i}" for i in range(n)]
    figure = image_grid(RNG.random((n, *shape)), (0, 1), title="what it is", labels=labels)
    assert_nothing_is_cut(figure)
    assert [text.get_text() for text in figure.texts] == ["what it is", *labels]
    wide, high = figure.get_size_inches()
    for (x0, x1, below), label in zip(drawn(figure), figure.texts[1:], strict=True):
        assert label.get_position()[0] == pytest.approx((x0 + x1) / 2 / wide)
        assert label.get_position()[1] < 1 - below / high


@pytest.mark.parametrize("side", [(8, 8), (20, 48), (48, 20)])
@pytest.mark.parametrize("n", [1, 2, 100])
def test_labels_and_tiles_keep_off_each_other(side, n):
    labels = [f"a very long name of file {i}.png" for i in range(n)]
    figure = image_grid(RNG.random((n, *side, 3)), (0, 1), title="a title " * 20, labels=labels)
    assert_nothing_is_cut(figure)
    assert len(images(figure)) == n
    for image in images(figure):
        left, right, bottom, top = image.get_extent()
        assert (right - left) / (bottom - top) == pytest.approx(side[1] / side[0])


@pytest.mark.parametrize("k", [1, 2, 12])
@pytest.mark.parametrize("shape", [(8, 8), (20, 48, 3), (16,)])
def test_a_comparison_has_one_scale_and_says_what_is_compared(k, shape):
    first, second = RNG.random((2, k, *shape))
    maps = np.square(first - second)
    maps = maps.mean(3) if len(shape) == 3 else maps
    labels = [f"worst\nexample {i}\nclass 3\nsome/{'long' * 20}.png\nerror 0.1234" for i in range(k)]
    figure = comparison(labels, first, second, maps, (0, 1), title="errors", unit="squared error per pixel")
    assert_nothing_is_cut(figure)
    heat = [image for image in images(figure) if image.get_cmap().name == "magma"]
    assert len(heat) == k
    assert len({(image.norm.vmin, image.norm.vmax) for image in heat}) == 1
    assert heat[0].norm.vmin == 0
    np.testing.assert_allclose([np.squeeze(image.get_array()) for image in heat], maps)
    assert sum(ax.get_ylabel().replace("\n", " ") == "squared error per pixel" for ax in figure.axes) == 1
    said = [text.get_text() for text in figure.texts]
    assert [said.count(heading) for heading in ("original", "reconstruction", "error")] == [2 if k > 6 else 1] * 3
    assert sum(text.get_text().startswith("example") for text in figure.texts) == k


def test_no_error_at_all_is_drawn_as_none():
    zeros = np.zeros((1, 4, 4))
    figure = comparison(["same"], zeros, zeros, zeros, (0, 1), title="", unit="error")
    assert images(figure)[2].norm.vmax == 1


def test_histograms_count_every_finite_value():
    columns = [
        ("normal", RNG.normal(size=500)),
        ("huge", np.array([-1e308, 1e308, 0, np.nan, np.inf])),
        ("constant", np.full(7, 3.5)),
        ("nothing", np.full(4, np.nan)),
    ]
    figure = histograms(columns, title="a table")
    assert_nothing_is_cut(figure)
    counts = [sum(bar.get_height() for bar in ax.patches) for ax in figure.axes]
    assert counts == [500, 3, 7, 0]
    texts = {text.get_text() for text in figure.texts}
    assert {"a table", "normal", "huge", "constant", "nothing", "-1e+308", "1e+308", "3.5"} <= texts
    assert [text.get_text() for text in figure.axes[3].texts] == ["no values"]


@pytest.mark.parametrize("shape", [(5,), (4, 6), (4, 6, 3)])
def test_rows_show_each_example_once(shape):
    first, second = RNG.random((2, 3, *shape))
    headings = [f"example {i}\nclass {i}" for i in range(3)]
    figure = example_rows([("original", first), ("d = 2\nerror 0.1", second)], (0, 1), title="rows", headings=headings)
    assert_nothing_is_cut(figure)
    assert [text.get_text() for text in figure.texts] == ["rows", *headings, "original", "d = 2\nerror 0.1"]
    if len(shape) > 1:
        pictures = [image.get_array() for image in images(figure)]
        np.testing.assert_allclose(pictures, [*first, *second])


def test_paths_under_images_keep_their_ends_and_do_not_touch_each_other():
    paths = [f"astronaut/IMG_{i:04}.webp" for i in range(6)] + [f"mmmmmmmmmmmm/wwww_{i:04}.jpg" for i in range(30)]
    figure = image_grid(RNG.random((36, 8, 8)), (0, 1), title="paths", labels=paths)
    labels = figure.texts[1:]
    assert_nothing_is_cut(figure)
    assert all(path.endswith(label.get_text().strip("…")) for path, label in zip(paths, labels, strict=True))
    assert all(f"{i:04}." in label.get_text() for i, label in enumerate(labels[:6]))
