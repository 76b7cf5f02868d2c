"""The page is answered with what the estimators themselves say, for models of every kind."""

import base64
import json
import re
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

import narrows.web
from narrows.latent import analogy
from narrows.web.server import QUESTIONS, answer
from web.reading_frames import read_frame

ALL = ["plane", "one", "wide", "denoising", "vae", "conditional", "rows", "colours"]
STATIC = Path(narrows.web.__file__).parent / "static"


def label_of(library, model):
    return {"label": "3"} if library[model].estimator.conditional else {}


def test_models_says_what_is_open(ask):
    found = ask("models").models
    assert [model["id"] for model in found] == ALL
    assert found[0]["ink"]
    assert not found[-1]["ink"]
    assert found[5]["classes"] == found[5]["literals"] == list("0123456789")
    assert [model["shape"] for model in found][-2:] == [[4], [16, 16, 3]]


@pytest.mark.parametrize("model", ALL)
def test_the_plane_holds_every_code_where_decoding_finds_it(ask, library, model):
    entry, shown = library[model], ask("plane", model=model)
    k = min(entry.fitted.latent_dim, 2)
    assert shown.points.shape == (len(entry.X), k)
    assert len(shown.axes) == len(shown.low) == len(shown.high) == k
    inside = (shown.points > shown.low) & (shown.points < shown.high)
    assert (inside.mean(0) >= 0.95).all()
    np.testing.assert_allclose(
        ask("errors", model=model).values,
        entry.estimator.anomaly_score(entry.X, entry.y, by="reconstruction"),
        rtol=1e-5,
    )
    z = entry.codes[3].tolist()
    found = ask("at", model=model, z=z, **label_of(library, model))
    np.testing.assert_allclose(found.point, shown.points[3], atol=1e-4)
    np.testing.assert_allclose(found.z, z, atol=1e-4)
    decoded = entry.decode([z], "3" if entry.estimator.conditional else None)
    np.testing.assert_allclose(found.levels, entry.levels(decoded).astype(int), atol=1)


@pytest.mark.parametrize("axes", ["pca", [0, 1], [4, 2]])
def test_moving_in_the_plane_leaves_what_is_perpendicular_to_it(ask, library, axes):
    held = library["wide"].codes[0].tolist()
    moved = ask("at", model="wide", z=held, point=[0.3, -0.2], axes=axes)
    back = ask("at", model="wide", z=moved.z, axes=axes)
    np.testing.assert_allclose(back.point, [0.3, -0.2], atol=1e-5)
    again = ask("at", model="wide", z=moved.z, point=ask("at", model="wide", z=held, axes=axes).point, axes=axes)
    np.testing.assert_allclose(again.z, held, atol=1e-4)
    if axes != "pca":
        others = [i for i in range(5) if i not in axes]
        np.testing.assert_allclose(np.array(moved.z)[others], np.array(held)[others], atol=1e-6)
        np.testing.assert_allclose(np.array(moved.z)[axes], [0.3, -0.2], atol=1e-6)


def test_principal_axes_are_scikit_learns(ask, library):
    shown, pca = ask("plane", model="wide"), PCA(2).fit(library["wide"].codes)
    np.testing.assert_allclose(np.abs(shown.points), np.abs(pca.transform(library["wide"].codes)), atol=1e-3)
    assert shown.explained == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-4)


@pytest.mark.parametrize("model", ALL)
def test_tiles_are_what_their_points_decode_to(ask, library, model):
    shown = ask("plane", model=model)
    step, whole = (shown.high - shown.low) / 4, ask("tiles", model=model, side=4, **label_of(library, model))
    assert len(whole.levels) == len(whole.seen) == 4 ** len(shown.axes)
    first = shown.low + step / 2
    first[1:] = (shown.high - step / 2)[1:]  # it is at the upper left
    own = ask("at", model=model, point=first.tolist(), **label_of(library, model))
    np.testing.assert_allclose(whole.levels[0].astype(int), own.levels[0].astype(int), atol=1)
    assert bool(whole.seen[0]) == own.seen
    ends = {"low": (first - step / 2).tolist(), "high": (first + step / 2).tolist()}
    parts = ask("tiles", model=model, side=3, **ends, **label_of(library, model))
    middle = len(parts.levels) // 2
    np.testing.assert_allclose(parts.levels[middle].astype(int), whole.levels[0].astype(int), atol=1)


def test_a_few_far_points_do_not_crowd_the_others(ask, library):
    points, shown = library["plane"].codes, ask("plane", model="plane")
    for axis in (0, 1):
        low, high = np.sort(points[:, axis])[[8, -9]]  # of 400, a fiftieth on each side
        assert (shown.high - shown.low)[axis] == pytest.approx(1.16 * (high - low), rel=0.03)


def test_data_are_near_their_own_codes_and_nowhere_far_out(ask, library):
    near = [ask("at", model="plane", z=z.tolist()).seen for z in library["plane"].codes[:40]]
    assert np.mean(near) > 0.9
    assert not ask("at", model="plane", point=[1e3, 1e3]).seen


@pytest.mark.parametrize("model", ALL)
def test_an_example_is_shown_with_what_the_model_makes_of_it(ask, library, model):
    entry, shown = library[model], ask("example", model=model, row=5)
    restored = entry.estimator.reconstruct(entry.X[5:6], None if entry.y is None else entry.y[5:6])
    np.testing.assert_array_equal(shown.original, entry.levels(entry.X[5:6]))
    np.testing.assert_array_equal(shown.restored, entry.levels(restored))
    assert shown.error == pytest.approx(entry.errors[5])


@pytest.mark.parametrize("model", ALL)
def test_a_group_has_its_mean_its_counts_and_its_codes(ask, library, model):
    entry, rows = library[model], [1, 4, 9]
    shown = ask("group", model=model, rows=rows)
    np.testing.assert_array_equal(shown.mean, entry.levels(entry.X[rows].mean(0, keepdims=True)))
    assert shown.count == 3
    assert sum(count for _, count in shown.counts) == (3 if entry.classes else 0)
    lines = shown.csv.splitlines()
    assert len(lines) == 4
    assert [int(line.split(",")[0]) for line in lines[1:]] == rows
    np.testing.assert_allclose([float(lines[2].split(",")[-1])], entry.codes[4, -1], rtol=1e-5)


@pytest.mark.parametrize("model", ALL)
def test_codes_are_decoded_walked_and_drawn(ask, library, model):
    entry, label = library[model], label_of(library, model)
    units = ask("units", model=model)
    assert sorted(units.order) == list(range(entry.estimator.latent_dim))
    assert (np.diff(units.weight[units.order]) <= 0).all()
    assert units.by == ("kl" if model in ("vae", "conditional") else "variance")
    z = entry.codes[:2].tolist()
    decoded = ask("decode", model=model, codes=z, **label)
    np.testing.assert_array_equal(decoded.levels, entry.levels(entry.decode(z, label.get("label"))))
    path = ask("way", model=model, a=0, b=1, steps=5, **label)
    np.testing.assert_allclose(path.codes[[0, -1]], z, rtol=1e-6)
    still = ask("noisy", model=model, z=z[0], sigma=0, n=3, **label)
    np.testing.assert_allclose(still.codes, [z[0]] * 3, rtol=1e-6)
    drawn = ask("samples", model=model, n=3, seed=5)
    np.testing.assert_allclose(
        drawn.levels.astype(int), entry.levels(entry.estimator.sample(3, random_state=5)), atol=1
    )


def test_temperature_scales_deviations(ask):
    """At 0 only the components' means are left; at a half, the spread around them is halved."""
    cold = ask("samples", model="vae", n=64, temperature=0).codes
    usual, half = (ask("samples", model="vae", n=64, temperature=t).codes for t in (1, 0.5))
    assert len(np.unique(cold.round(4), axis=0)) <= 20
    np.testing.assert_allclose(half - cold, (usual - cold) / 2, atol=1e-5)


def test_arithmetic_is_that_of_codes(ask, library):
    entry = library["wide"]
    result = ask("arithmetic", model="wide", start=2, minus="1", plus="7")
    groups = (entry.codes[entry.dataset.y == label] for label in (1, 7))
    np.testing.assert_allclose(result.z, analogy(entry.codes[2], *groups), atol=1e-4)


@pytest.mark.parametrize("model", ALL)
def test_an_input_is_looked_at(ask, library, model):
    entry = library[model]
    x, y = entry.X[6:7], None if entry.y is None else entry.y[6:7]
    seen = ask("look", model=model, given={"example": 6})
    assert seen.score == pytest.approx(entry.estimator.anomaly_score(x, y)[0], rel=1e-5)
    assert seen.by == "auto"
    assert seen.map.mean() == pytest.approx(seen.error, rel=1e-3)
    np.testing.assert_allclose(seen.z, entry.estimator.transform(x, y)[0], rtol=1e-5)
    assert 6 not in seen.nearest
    distances = np.linalg.norm(entry.codes - entry.codes[6], axis=1)
    assert seen.distance == pytest.approx(np.sort(distances)[1], abs=1e-4)
    assert seen.fraction == pytest.approx((entry.scores < seen.score).mean())


@pytest.mark.parametrize("model", ALL)
def test_it_is_said_what_makes_an_input_odd(ask, library, model):
    entry = library[model]
    x, y = entry.X[6:7], None if entry.y is None else entry.y[6:7]
    why = ask("explain", model=model, given={"example": 6})
    found = entry.estimator.explain(x, y)
    p, odd = (each.reshape(*why.p_values.shape, -1) for each in (found.p_values, found.odd))
    np.testing.assert_allclose(why.p_values, p.min(-1), rtol=1e-3)
    np.testing.assert_array_equal(why.surprise > 0, odd.any(-1))
    assert why.surprise[why.surprise > 0] == pytest.approx(-np.log10(why.p_values[why.surprise > 0]), rel=1e-3)
    np.testing.assert_array_equal(why.ordinary, entry.shown(entry.numbers(found.ordinary)))
    assert why.known
    assert (why.is_ordinary, why.was_ordinary) == (found.is_ordinary[0], found.was_ordinary[0])


def test_pixels_are_taken_as_they_are_shown(ask, library):
    levels = library["plane"].levels(library["plane"].X[:1])
    seen = ask("look", model="plane", given={"pixels": base64.b64encode(levels.tobytes()).decode()})
    np.testing.assert_array_equal(seen.original, levels)


def test_noise_is_outside_the_training_data(ask):
    pixels = np.random.default_rng(0).integers(0, 256, 64, dtype=np.uint8)
    assert ask("look", model="plane", given={"pixels": base64.b64encode(pixels.tobytes()).decode()}).outside
    typical = [ask("look", model="plane", given={"example": place}).outside for place in range(30)]
    assert np.mean(typical) < 0.2


def test_the_corruptions_are_those_of_a_single_input_and_have_words(ask):
    kinds = {kind["name"]: kind["fraction"] for kind in ask("corruptions").kinds}
    assert kinds == {"gaussian": False, "masking": True, "salt-and-pepper": True, "block": True}
    for language in ("en", "cs"):
        words = (STATIC / "strings" / f"{language}.js").read_text(encoding="utf-8")
        assert all(f"'noise.{name}'" in words for name in kinds)


@pytest.mark.parametrize("corruption", ["gaussian", "masking", "salt-and-pepper", "block"])
def test_each_kind_of_model_mends_the_same_noise(ask, library, corruption):
    entry = library["wide"]
    found = ask("noise", model="wide", given={"example": 3}, corruption=corruption, level=0.4, seed=9)
    noisy = entry.estimator.corrupt(entry.X[3:4], corruption=corruption, level=0.4, random_state=9)
    np.testing.assert_array_equal(found.noisy, entry.levels(noisy))
    assert [model["id"] for model in found.models] == ["wide", "denoising", "vae"]
    mended = library["denoising"].estimator.reconstruct(noisy)
    np.testing.assert_array_equal(found.models[1]["levels"], entry.levels(mended))
    assert found.models[1]["error"] == pytest.approx(np.square((mended - entry.X[3:4]) / 16).mean(), rel=1e-3)


def test_compare_shows_the_sizes_of_one_kind(ask, library):
    found = ask("compare", model="wide")
    assert [column["latent_dim"] for column in found.columns] == [1, 2, 5]
    assert [column["subset"] for column in found.columns] == ["validation"] * 3
    assert len(found.originals) == 10
    assert found.labels == list("0123456789")
    for column in found.columns:
        np.testing.assert_allclose(column["errors"], library[column["id"]].errors[found.rows], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("decode", {"codes": [[1.0]]}, "2 numbers"),
        ("decode", {"codes": []}, "codes"),
        ("decode", {"codes": [[1e39, 0]]}, "finite"),
        ("decode", {"codes": [[0, 0]] * 65}, "64"),
        ("plane", {"axes": [0, 0]}, "axes"),
        ("plane", {"axes": [0, 2]}, "axes"),
        ("plane", {"axes": "umap"}, "pca"),
        ("tiles", {"side": 1000}, "48"),
        ("tiles", {"low": [0.0]}, "low"),
        ("tiles", {"high": [1e39, 0]}, "finite"),
        ("at", {"point": [0, 0, 0]}, "point"),
        ("at", {"point": [0]}, "2 numbers"),
        ("example", {"place": 400}, "400"),
        ("example", {"place": -1}, "place"),
        ("group", {"rows": []}, "rows"),
        ("group", {"rows": [0, 4000]}, "4000"),
        ("noisy", {"z": [0, 0], "sigma": -1}, "sigma"),
        ("samples", {"n": 10**9}, "64"),
        ("arithmetic", {"start": 0, "minus": "x", "plus": "1"}, "minus='x'"),
        ("look", {"given": {}}, "example or pixels"),
        ("look", {"given": {"example": 0, "pixels": ""}}, "example or pixels"),
        ("look", {"given": {"pixels": "AA"}}, "base64"),
        ("look", {"given": {"pixels": "AAAA"}}, "64"),
        ("look", {"given": {"path": "/etc/passwd"}}, "path"),
        ("noise", {"given": {"example": 0}, "corruption": "rain"}, "gaussian"),
        ("noise", {"given": {"example": 0}, "level": 2}, "level"),
        ("units", {"path": "/etc/passwd"}, "path"),
        ("serve", {}, "ask='serve'"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(ask, name, given, said):
    assert said in ask(name, model="plane", **given).refused


NAMES = st.sampled_from(["id", "ask", "model", "z"])
MESSAGES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(MESSAGES)
def test_any_message_gets_an_answer(library, message):
    assert "refused" in read_frame(answer(library, json.dumps(message)))


MODULES = {sys.modules[question.raw_function.__module__] for question in QUESTIONS.values()}
SCRIPTS = [path.read_text(encoding="utf-8") for path in sorted(STATIC.rglob("*.js"))]


def test_the_pages_typedefs_are_the_servers_dataclasses():
    typedefs = re.findall(r"@typedef \{\{(.*?)\}\} (\w+)\b", "\n".join(SCRIPTS), re.DOTALL)
    declared = {name: re.findall(r"(\w+): ", parts) for parts, name in typedefs}
    answered = {name for module in MODULES for name in module.__all__ if is_dataclass(getattr(module, name))}
    assert answered <= declared.keys()
    for module in MODULES:
        for name in answered.intersection(module.__all__):
            assert declared[name] == [field.name for field in fields(getattr(module, name))], name


def test_the_page_takes_each_answer_for_what_it_is():
    """A question whose answer is used stands in a statement of the type that the server's function returns."""
    asked = [found for text in SCRIPTS for found in re.findall(r"([^;]*?)\.ask\(\s*'(\w+)'", text)]
    assert {name for _, name in asked} == set(QUESTIONS)
    for before, name in asked:
        if re.search(r"\{\s*await [\w.]+$", before):
            continue
        types = re.findall(r"@type \{(?:\w+ \| )*?([A-Z]\w*)(?: \| null)?\}", before)
        assert (types or ["nothing"])[-1] == get_type_hints(QUESTIONS[name].raw_function)["return"].__name__, name
