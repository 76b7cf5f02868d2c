"""What a page without a server answers to the lecture's questions is what the server answers."""

import base64
import itertools
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.foundations.boolean import Certificate, Separation, inputs, separate
from narrows.web import sharing
from narrows.web.library import Library
from narrows.web.questions import lecture_images, lecture_nets, lecture_units
from narrows.web.server import answer
from narrows.web.sharing import share, thinned
from web.reading_frames import read_frame

TENTHS = st.integers(-30, 30).map(lambda k: k / 10)
ANYWHERE = st.floats(-3, 3)
LARGE = st.floats(-1e6, 1e6)


@pytest.fixture(scope="module")
def shown(library):
    return thinned(library)


@pytest.fixture(scope="module")
def page(shown, asked_of):
    """Ask a page with the lecture that was shared, with weights of 32 bits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "MOST_EXACT", 2**30)
        return asked_of(share(shown, lecture=True))


def served(name, **given):
    """Ask as a page does that has one."""
    found = read_frame(answer(Library(), json.dumps({"id": 1, "ask": name, **given})))
    del found["id"]
    return found


def same(found, expected):
    assert type(found) is type(expected) or {type(found), type(expected)} <= {int, float}, (found, expected)
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            same(found[name], value)
    elif isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-7)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert found == expected


def same_outline(found, expected):
    """The corners of the same polygon, wherever it begins; a corner may be named twice."""
    assert bool(found) == bool(expected)
    if found:
        apart = np.linalg.norm(np.array(found)[:, None] - np.array(expected)[None], axis=-1)
        assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 1e-6


def test_every_question_has_its_answer_and_every_answer_its_question():
    static = Path(lecture_units.__file__).parents[1] / "static" / "answers"
    for module in (lecture_images, lecture_nets, lecture_units):
        file = static / f"{module.__name__.rpartition('.')[2].replace('_', '-')}.js"
        asked = {name for name in module.__all__ if not isinstance(getattr(module, name), type)}
        assert set(re.findall(r"^export function (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)) == asked


POINTS = st.lists(st.lists(TENTHS | ANYWHERE, min_size=2, max_size=2), max_size=24)


@given(points=POINTS, w=st.lists(TENTHS | LARGE, min_size=2, max_size=2), theta=TENTHS | LARGE)
@settings(deadline=None, max_examples=60)
def test_a_unit_in_the_plane(page, points, w, theta):
    asked = {"points": points, "w": w, "theta": theta}
    found, expected = page("perceptron", **asked), served("perceptron", **asked)
    for outline in ("line", "half"):
        same_outline(found.pop(outline), expected.pop(outline))
    same(found, expected)


@given(
    pairs=st.lists(st.tuples(TENTHS | LARGE, TENTHS | LARGE), min_size=1, max_size=16),
    theta=TENTHS | st.none(),
)
@settings(deadline=None, max_examples=60)
def test_an_excitation_is_the_same_to_the_last_bit(page, pairs, theta):
    w, x = map(list, zip(*pairs, strict=True))
    theta = served("excitation", w=w, x=x, theta=0)["sum"] if theta is None else theta  # then the unit just fires
    asked = {"w": w, "x": x, "theta": theta}
    assert page("excitation", **asked) == served("excitation", **asked)


@given(
    points=st.lists(st.lists(TENTHS, min_size=2, max_size=2), min_size=1, max_size=10)
    | st.lists(st.lists(ANYWHERE, min_size=2, max_size=2), min_size=1, max_size=24),
    seed=st.integers(0, 2**16),
    rule=st.sampled_from(["rosenblatt", "hebb", "adaline"]),
    eta=st.sampled_from([0.01, 0.125, 0.7, 1.0]),
)
@settings(deadline=None, max_examples=100)
def test_a_rule_takes_the_same_steps(page, points, seed, rule, eta):
    labels = np.random.default_rng(seed).integers(0, 2, len(points)).tolist()
    asked = {"points": points, "labels": labels, "rule": rule, "eta": eta}
    found, expected = page("learning", **asked), served("learning", **asked)
    proof, point = found.pop("contradiction"), found.pop("point")
    assert bool(proof) == bool(expected.pop("contradiction"))
    expected.pop("point")
    gamma, bound = found.pop("gamma"), found.pop("bound")
    assert gamma == pytest.approx(expected.pop("gamma"), rel=1e-6, abs=1e-9)
    assert bound is None or not proof
    assert bound is not None or proof or gamma < 1e-150  # whose square is no number, nor is what it divides
    assert bound is None or bound == pytest.approx((found["radius"] / gamma) ** 2)
    if gamma > 1e-9:
        assert (expected.pop("bound") is None) == (bound is None)
    expected.pop("bound", None)
    same(found, expected)
    if proof:
        mine = [[points[i] for i in proof if labels[i] == label] for label in (0, 1)]
        assert isinstance(separate(np.vstack(mine), [0] * len(mine[0]) + [1] * len(mine[1])), Certificate)
        for some in mine:
            assert within(point, np.array(some))


def within(place, points):
    """Whether a place is a mean of points, by least squares with weights that are not negative."""
    from scipy.optimize import nnls

    _, rest = nnls(np.vstack([points.T, np.ones(len(points))]), [*place, 1])
    return rest < 1e-6


@pytest.mark.parametrize("n", [2, 3])
def test_every_truth_table_has_a_unit_or_a_proof_that_holds(page, n):
    for table in itertools.islice(itertools.product((0, 1), repeat=2**n), 0, None, 3 if n == 3 else 1):
        found, expected = page("boolean", table=table), served("boolean", table=table)
        multipliers, side = found.pop("multipliers"), found.pop("side")
        for name in ("boundary", "half"):
            same_outline(found.pop(name), expected.pop(name))
        if expected.pop("multipliers"):
            rows = [row for row, times in enumerate(multipliers) if times]
            x = [tuple(map(Fraction, inputs(n)[row].tolist())) for row in rows]
            proof = Certificate(
                tuple(rows), tuple(x), tuple(table[row] for row in rows), tuple(multipliers[row] for row in rows)
            )  # refuses what does not contradict itself
            assert side == proof.side()
        else:
            unit = Separation(tuple(found["weights"]), Fraction(found["theta"]))
            assert unit(inputs(n)).tolist() == list(table)
            assert (multipliers, side) == ([], "")
        del expected["side"]
        same(found, expected)


def test_the_functions_of_one_unit_are_counted(page):
    assert page("counts") == served("counts")


@given(x=ANYWHERE, y=ANYWHERE, z=ANYWHERE)
@settings(deadline=None, max_examples=40)
def test_the_graph(page, x, y, z):
    same(page("graph", x=x, y=y, z=z), served("graph", x=x, y=y, z=z))


@given(x=st.floats(-6, 6), k=st.floats(0.01, 100))
@settings(deadline=None, max_examples=30)
def test_activations(page, x, k):
    same(page("activations", x=x, k=k), served("activations", x=x, k=k))


# Rates from which on a descent is chaotic are left out: there the last bit decides.
RATES = {"bowl": 1.2, "trough": 0.6, "valley": 0.0015, "hollows": 0.1}


@pytest.mark.parametrize("f", RATES)
def test_surfaces(page, f):
    same(page("surface", f=f), served("surface", f=f))


@given(
    f=st.sampled_from(sorted(RATES)),
    start=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    rate=st.floats(0.001, 1),
    steps=st.integers(0, 200),
)
@settings(deadline=None, max_examples=80)
def test_descents(page, f, start, rate, steps):
    asked = {"f": f, "start": start, "rate": rate * RATES[f], "steps": steps}
    found, expected = page("descent", **asked), served("descent", **asked)
    np.testing.assert_allclose(found.pop("gradients"), expected.pop("gradients"), rtol=1e-4, atol=1e-5)
    same(found, expected)


@pytest.mark.parametrize("target", ["wave", "corner", "bump", "jump"])
@pytest.mark.parametrize(
    "net", [("sigmoid", 3), ("relu", 3), *(("polynomial", degree) for degree in (1, 2, 5, 9, 15))], ids=str
)
def test_approximations(page, target, net):
    for width in (1, 2, 7, 30, 64):
        asked = {"target": target, "activation": net[0], "width": width, "degree": net[1]}
        found, expected = page("approximation", **asked), served("approximation", **asked)
        np.testing.assert_allclose(found.pop("rms"), expected.pop("rms"), rtol=1e-4, atol=1e-8)
        assert found.pop("sup") == pytest.approx(expected.pop("sup"), rel=1e-4, abs=1e-8)
        same(found, expected)


@given(
    sizes=st.tuples(st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 4), st.integers(1, 10**8)),
    filters=st.integers(1, 4096),
    kernel=st.integers(1, 15),
)
@settings(deadline=None, max_examples=20)
def test_parameters(page, sizes, filters, kernel):
    asked = dict(zip(("height", "width", "channels", "units"), sizes, strict=True)) | {"filters": filters}
    same(page("parameters", **asked, kernel=kernel), served("parameters", **asked, kernel=kernel))


def tables(numbers, least, most):
    sizes = st.tuples(st.integers(least, most), st.integers(least, most))
    return sizes.flatmap(
        lambda size: st.lists(st.lists(numbers, min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
    )


IMAGES = tables(st.integers(0, 9), 3, 10)
BORDERS = st.sampled_from(["valid", "same", 0, 1, 2, 3])


@given(image=IMAGES, filters=tables(st.floats(-99, 99), 1, 5), stride=st.integers(1, 5), padding=BORDERS)
@settings(deadline=None, max_examples=50)
def test_convolutions(page, image, filters, stride, padding):
    asked = {"image": image, "filters": filters, "stride": stride, "padding": padding}
    found, expected = page("convolution", **asked), served("convolution", **asked)
    if "values" in expected:
        np.testing.assert_allclose(found.pop("values"), expected.pop("values"), rtol=1e-5, atol=1e-4)
    same(found, expected)


@given(
    image=IMAGES,
    window=st.integers(1, 5),
    kind=st.sampled_from(["max", "average"]),
    stride=st.none() | st.integers(1, 5),
    padding=BORDERS,
)
@settings(deadline=None, max_examples=50)
def test_poolings(page, image, window, kind, stride, padding):
    asked = {"image": image, "window": window, "kind": kind, "stride": stride, "padding": padding}
    same(page("pooling", **asked), served("pooling", **asked))


def test_patterns(page):
    assert page("patterns") == served("patterns")


MODELS = ["plane", "one", "wide", "denoising", "vae", "conditional", "colours"]


@pytest.mark.parametrize("model", MODELS)
def test_layers_make_the_same_of_an_input(page, shown, model):
    label = {"label": "7"} if shown[model].fitted.conditional else {}
    pixels = base64.b64encode(np.arange(shown[model].fitted.features).astype(np.uint8).tobytes()).decode()
    for taken in ({"example": 3}, {"pixels": pixels}):
        asked = {"model": model, "given": taken, **label}
        found = page("layers", **asked)
        expected = read_frame(answer(shown, json.dumps({"id": 1, "ask": "layers", **asked})))
        del expected["id"]
        for name in ("original", "restored"):
            np.testing.assert_allclose(found.pop(name).astype(int), expected.pop(name), atol=1)
        for one, other in zip(found["layers"], expected["layers"], strict=True):
            np.testing.assert_allclose(one.pop("values"), other.pop("values"), rtol=1e-4, atol=1e-5)
            assert one.pop("most") == pytest.approx(other.pop("most"), rel=1e-4)
        same(found, expected)


# --- Refusals -------------------------------------------------------------------------

ASKED = {
    "perceptron": {"points": [[0, 0]], "w": [1, 1], "theta": 0},
    "learning": {"points": [[0, 0], [1, 1]], "labels": [0, 1], "rule": "hebb", "eta": 1},
    "excitation": {"w": [1, 2], "x": [1, 0.5], "theta": 0},
    "boolean": {"table": [0, 1, 1, 0]},
    "graph": {"x": 0, "y": 1, "z": 2},
    "activations": {"x": 0, "k": 1},
    "surface": {"f": "bowl"},
    "descent": {"f": "bowl", "start": [0, 0], "rate": 0.1, "steps": 2},
    "approximation": {"target": "wave", "activation": "relu", "width": 4, "degree": 3},
    "parameters": {"height": 8, "width": 8, "channels": 1, "units": 4, "filters": 4, "kernel": 3},
    "convolution": {"image": [[1, 0, 1]] * 3, "filters": [[1]], "stride": 1, "padding": "valid"},
    "pooling": {"image": [[1, 0, 1]] * 3, "window": 2, "kind": "max", "stride": None, "padding": 0},
}
WRONG = [
    None, True, "peak", "2", "", "it's", 'a "b"', 0.5, -1, 7, 11, 1e-9, -1e-5, 201, 10**9, 1e22, [], [0], [0, 0, 0],
    [[0]], [[0, 0, 0]] * 3, [[1, 2], [1]], [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3], [1, 2, 3]], [[0.5, "a"]], {"a": [1]},
    [[0] * 11] * 11, [[1] * 5] * 5, [1] * 25, [[0, 0]] * 25,
]  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_is_refused_is_refused_in_the_servers_words(page, name):
    for argument, value in itertools.product(ASKED[name], WRONG):
        asked = ASKED[name] | {argument: value}
        found, expected = page(name, **asked), served(name, **asked)
        assert found.get("refused") == expected.get("refused"), asked
    assert page(name, **ASKED[name], more=1) == served(name, **ASKED[name], more=1)
    given = dict(ASKED[name])
    del given[next(iter(given))]
    assert page(name, **given)["refused"].split(";")[0] == served(name, **given)["refused"].split(";")[0]
