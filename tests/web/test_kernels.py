"""The page's kernels by node: smaller weights, priors, corruptions, tables, and what follows from cells."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from members import MEMBERS, SHAPES, data, labels, own_nets
from narrows import FSQVAE, VAE, Autoencoder
from narrows.fitted.known_cells import log_known
from narrows.fitted.levels import error_maps
from narrows.fitted.marginals import at_code
from narrows.models.nets import ACTIVATIONS
from narrows.models.priors.flows import FlowMatching
from narrows.models.priors.mixtures import GaussianMixture
from narrows.web.portable.codes import prior_of
from narrows.web.portable.model import portable
from narrows.web.portable.weights import packed, unpacked
from narrows.web.rows import Columns
from web.kernels import by_node, job

RNG = np.random.default_rng(5)
N = 2200
A, B = RNG.normal(size=(2, N))
DAYS = pd.to_timedelta(RNG.integers(0, 900, N), unit="D")
TABLE = pd.DataFrame(
    {
        "bell": A + 0.1 * B,
        "gain": np.where(A > 0.2, 0.0, np.exp(B).round(2)),
        "price": np.exp(1 + A).round(2),
        "visits": RNG.poisson(np.exp(1 + B)),
        "age": np.rint(50 + 10 * A),
        "member": A + B > 0,
        "city": np.where(A > 0.5, "Brno", np.where(B > 0, "Praha", "Plzeň")),
        "size": pd.Categorical(np.array(list("SML"))[np.digitize(A, [-1, 1])], categories=list("SML"), ordered=True),
        "since": pd.Timestamp("2020-01-01", tz="Europe/Prague") + DAYS,
        "until": (pd.Timestamp("2021-03-01") + DAYS).strftime("%d.%m.%Y"),
        "at": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 10**8, N), unit="s"),
        "took": pd.to_timedelta(np.rint(1e4 * A), unit="s"),
        "name": [f"person {number}" for number in range(N)],
    }
)
for _column in ("bell", "gain", "visits", "city"):
    TABLE.loc[RNG.random(N) < 0.1, _column] = None
SOME = 60


@pytest.fixture(scope="module", params=[(VAE, "mixture"), (FSQVAE, "normal")], ids=["vae", "fsqvae"])
def table(request):
    """A model of a table with a column of each kind, its cells, and its job's frame."""
    kind, prior = request.param
    model = kind(2, hidden=(16,), epochs=2, random_state=0, prior=prior, columns={"visits": "count"}).fit(TABLE)
    columns = Columns(model.fitted_, TABLE)
    return model, columns, portable(model.fitted_, columns=columns)


def in_scale(fitted, flat):
    return flat.reshape(-1, fitted.features) / fitted.scaling.scale


def test_a_table_s_cells_become_codes_and_come_back(table, tmp_path):
    model, columns, sent = table
    fitted, cells = model.fitted_, columns.cells(TABLE)[:SOME]
    assert {part.kind for part in sent.likelihood} >= {"gaussian", "bins", "category", "ordered", "binary"}
    mu, sigma = model.encode_distribution(TABLE.iloc[:SOME])
    with torch.no_grad():
        decoded = fitted.scaling.undo(fitted.model.decode(torch.from_numpy(mu)).double().numpy())
    calls = [("encode", cells, SOME), ("decode", mu, SOME), ("errorMaps", cells, decoded)]
    ((codes, found, maps),) = by_node(tmp_path, job(sent, *calls))
    np.testing.assert_allclose(codes["mu"], mu.ravel(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(codes["sigma"], sigma.ravel(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(in_scale(fitted, found), in_scale(fitted, decoded), rtol=0, atol=1e-5)
    np.testing.assert_allclose(maps["data"], error_maps(fitted, cells, decoded).ravel(), rtol=1e-5, atol=1e-6)


def test_cells_in_words_and_words_as_cells(table, tmp_path):
    model, columns, sent = table
    fitted = model.fitted_
    new = TABLE.iloc[:SOME].assign(city="Vídeň")
    with torch.no_grad():
        decoded = fitted.scaling.undo(fitted.model.decode(3 * torch.randn(SOME, 2)).double().numpy())
    held = {"city": "Brno", "size": 0.6, "price": 0.3, "until": 0.5, "since": 0.25, "visits": "7", "bell": None}
    own = columns.cells(TABLE)[3]
    own[0] = 0.25
    below = np.full((1, len(columns.columns)), -4e-4)  # rounds to 0, which has no minus
    middles = np.resize(own, (6, len(own)))  # between two texts, exactly or but for rounding
    middles[:, 0] = 0.0625, 0.1875, -2.4375, 8.0345, -19.9975, -19.9965
    several = [columns.cells(TABLE)[:SOME], columns.cells(new), decoded, below, middles]
    (found,) = by_node(tmp_path, job(sent, *(("shown", each) for each in several), ("heldCells", held, own)))
    for rows, cells in zip(found, several, strict=False):
        expected = columns.shown(cells)
        assert rows["texts"] == expected.texts
        assert not any(text.startswith("-") and not text.strip("-0.") for row in expected.texts for text in row)
        np.testing.assert_allclose(rows["at"]["data"], expected.at.ravel(), rtol=1e-6)
    np.testing.assert_allclose(found[-1], columns.held(held, own), rtol=1e-12)


def test_drawn_cells_are_as_torch_draws_them(table, tmp_path):
    model, _, sent = table
    fitted, n = model.fitted_, 6000
    z = model.transform(TABLE.iloc[:1])
    ((found,),) = by_node(tmp_path, job(sent, ("drawn", np.repeat(z, n, 0), n, None, 3)))
    with torch.no_grad():
        h = fitted.model.output(fitted.model.bottleneck.snap(torch.from_numpy(z)).expand(n, -1))
        drawn = fitted.model.likelihood.simulate(h, torch.Generator().manual_seed(0)).double().numpy()
    ours, torchs = fitted.scaling.apply(found.reshape(n, -1)), drawn
    error = torchs.std(0) * np.sqrt(2 / n)
    assert (np.abs(ours.mean(0) - torchs.mean(0)) < 5 * error + 1e-6).all()
    assert (np.abs(ours.std(0) / np.maximum(torchs.std(0), 1e-6) - 1) < 0.15).all()


def test_what_a_code_says_and_what_follows_from_cells(table, tmp_path):
    """Of a code the server says the same; what follows is weighed here by very many codes of the prior."""
    model, columns, sent = table
    fitted, cells = model.fitted_, columns.cells(TABLE.dropna())[1]
    z = model.transform(TABLE.iloc[:1])[0]
    few, most = np.where(np.arange(len(cells)) < 2, cells, np.nan), cells.copy()
    most[[0, 2, 5]] = np.nan
    ((said, *follows),) = by_node(tmp_path, job(sent, ("atCode", z), ("givenCells", few), ("givenCells", most)))
    expected = at_code(fitted, z, None)
    np.testing.assert_allclose(in_scale(fitted, said["cells"]), in_scale(fitted, expected.cells), atol=1e-5)
    for ours, own in zip(said["chances"], expected.chances, strict=True):
        np.testing.assert_allclose(ours, own, atol=1e-5)
    for end in ("low", "high"):
        np.testing.assert_array_equal(np.isnan(said[end]), np.isnan(getattr(expected, end)))
        apart = in_scale(fitted, said[end]) - in_scale(fitted, getattr(expected, end))
        assert np.nanmax(np.abs(apart[0, [0, 4]])) < 0.3  # of 400 draws each
    for given, found in zip((few, most), follows, strict=True):
        with torch.no_grad():
            codes = fitted.model.prior.sample(20_000, torch.Generator().manual_seed(1))[0][:, None]
            h = fitted.model.output(fitted.model.bottleneck.snap(codes))
            weights = log_known(fitted.model, torch.from_numpy(fitted.scaling.apply(given[None])), h).softmax(0)
            mean = fitted.model.likelihood.mix(h, weights.float())[0].double().numpy()
            deviation = float((weights * (codes[..., 0] - (weights * codes[..., 0]).sum()) ** 2).sum().sqrt())
        unknown = np.flatnonzero(np.isnan(given))
        numbers = [place for place in unknown if columns.columns[place].kind not in ("binary", "category", "ordered")]
        apart = fitted.scaling.apply(found["cells"][None])[0] - mean
        assert np.abs(apart[numbers]).max() < 0.25
        assert abs(found["z"][0] - float((weights * codes[..., 0]).sum())) < 0.3 * max(deviation, 0.3)
        np.testing.assert_array_equal(np.delete(found["cells"], unknown), np.delete(given, unknown))
        assert np.isnan(np.delete(found["low"], unknown)).all()


def test_rare_levels_share_an_output(tmp_path):
    """A column of 400 levels, of which 256 are told apart."""
    streets = np.array([f"street {number}" for number in [*range(400), *range(50), *range(50), *range(50)]])
    frame = pd.DataFrame({"street": streets, "x": np.arange(550) % 7 * 0.3})
    model = Autoencoder(2, hidden=(4,), epochs=1, random_state=0, columns={"street": "category"}).fit(frame)
    fitted, columns = model.fitted_, Columns(model.fitted_, frame)
    cells, z, n = columns.cells(frame)[::9], model.transform(frame[:1]), 4000
    other = np.roll(cells, 1, 0)
    calls = [("encode", cells, len(cells)), ("atCode", z), ("drawn", np.repeat(z, n, 0), n, None, 1)]
    ((codes, said, drawn, maps),) = by_node(
        tmp_path, job(portable(fitted, columns=columns), *calls, ("errorMaps", cells, other))
    )
    np.testing.assert_allclose(codes["mu"], model.transform(frame[::9]).ravel(), atol=1e-5)
    expected = at_code(fitted, z[0], None).chances[0]
    np.testing.assert_allclose(said["chances"][0], expected, atol=1e-6)
    rare = drawn.reshape(n, 2)[:, 0] >= 255
    assert rare.mean() == pytest.approx(expected[255:].sum(), abs=0.04)
    assert len(np.unique(drawn.reshape(n, 2)[rare, 0])) > 5
    np.testing.assert_allclose(maps["data"], error_maps(fitted, cells, other).ravel(), rtol=1e-5, atol=1e-6)


def test_rows_of_numbers_with_names(tmp_path):
    frame = pd.DataFrame(data(SHAPES["rows"]), columns=list("abcdefg"))
    model = Autoencoder(3, hidden=(16,), epochs=4, random_state=0).fit(frame)
    fitted, columns = model.fitted_, Columns(model.fitted_, frame)
    cells = columns.cells(frame)
    few = np.where(np.arange(7) < 2, cells[0], np.nan)
    calls = [("shown", cells), ("atCode", model.transform(frame)[0]), ("givenCells", few)]
    ((rows, said, follows),) = by_node(tmp_path, job(portable(fitted, columns=columns), *calls))
    assert rows["texts"] == columns.shown(cells).texts
    expected = at_code(fitted, model.transform(frame)[0], None)
    np.testing.assert_allclose(said["cells"], expected.cells, rtol=1e-5)
    assert (follows["low"][2:] < follows["cells"][2:]).all()
    np.testing.assert_allclose(follows["cells"][:2], few[:2])


# --- Nets and weights -----------------------------------------------------------------


@pytest.mark.parametrize("bits", ["float16", "int8"])
def test_smaller_weights_are_those_that_the_page_computes_with(bits, tmp_path):
    """Torch with weights rounded to them has the same."""
    X = data(SHAPES["odd"])
    model = Autoencoder(3, net="convolutional", epochs=2, random_state=0, prior="normal").fit(X)
    sent = portable(model.fitted_, bits)
    for net in (model.model_.encoder, model.model_.decoder):
        for layer in net.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                rows = layer.weight.detach().flatten(1)
                layer.weight.data = torch.from_numpy(unpacked(packed(rows, bits)).copy()).view_as(layer.weight)
    x = X[:4]
    ((codes, back),) = by_node(tmp_path, job(sent, ("encode", x, 4), ("reconstruct", x, 4)))
    np.testing.assert_allclose(codes["mu"], model.transform(x).ravel(), atol=1e-5)
    np.testing.assert_allclose(back / 255, model.reconstruct(x).ravel() / 255, atol=1e-5)


def test_halves_of_every_size(tmp_path):
    """Of 16 bits all that are numbers, by NumPy: normal ones, and those near 0."""
    X = data(SHAPES["rows"])
    model = Autoencoder(3, hidden=(), epochs=1, random_state=0, prior="normal").fit(X)
    linear = next(layer for layer in model.model_.decoder.modules() if isinstance(layer, nn.Linear))
    linear.weight.data.copy_(torch.tensor([0.0, 6e-8, -6e-8, 1e-5, -6.2e-5, 0.1, 1 / 3] * 3).view(7, 3))
    linear.bias.data.zero_()
    ((found,),) = by_node(tmp_path, job(portable(model.fitted_, "float16"), ("outputs", np.eye(3), 3)))
    np.testing.assert_array_equal(found.reshape(3, 7).T, linear.weight.detach().half().float().numpy())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation, tmp_path):
    X = data(SHAPES["rows"])
    model = Autoencoder(3, hidden=(8,), epochs=1, random_state=0, prior="normal", activation=activation).fit(X)
    z = np.linspace(-30, 30, 60, dtype=np.float32).reshape(20, 3)
    ((found,),) = by_node(tmp_path, job(portable(model.fitted_), ("decode", z, 20)))
    np.testing.assert_allclose(found, model.inverse_transform(z).ravel(), rtol=1e-5, atol=1e-4)


def test_nets_of_one_s_own_are_refused_by_name():
    X = data(SHAPES["odd"])
    of_images = Autoencoder(3, net=own_nets(), epochs=1, random_state=0, prior="normal").fit(X)
    rows = Autoencoder(3, net=(nn.Linear(7, 3), nn.Linear(3, 7)), epochs=1, random_state=0, prior="normal")
    for model, name in ((of_images, "Sequential"), (rows.fit(data(SHAPES["rows"])), "Linear")):
        with pytest.raises(ValueError, match=rf"^net: {name} is a net of your own"):
            portable(model.fitted_)


# --- Chance ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_classes():
    X = data(SHAPES["rows"])
    return VAE(3, hidden=(16,), epochs=4, random_state=0, conditional=True, prior="mixture").fit(X, labels(len(X))), X


@pytest.mark.parametrize("prior", ["normal", "mixture", "posterior"])
def test_codes_of_priors_and_their_densities(prior, of_classes, tmp_path):
    model, X = of_classes
    n = 12_000
    fitted = model.fit_prior(prior, X, labels(len(X))).fitted_
    own = fitted.model.prior
    calls = [("sample", n, 1), ("sample", n, 2, 1), ("logPriors", np.linspace(-2, 2, 60))]
    ((any_class, of_one, density),) = by_node(tmp_path, job(portable(fitted), *calls))
    generator = torch.Generator().manual_seed(0)
    for found, wanted in ((any_class, None), (of_one, torch.full((n,), 1))):
        ours, torchs = found["z"].reshape(n, 3), own.sample(n, generator, wanted)[0].numpy()
        error = torchs.std(0) * np.sqrt(2 / n)
        assert (np.abs(ours.mean(0) - torchs.mean(0)) < 5 * error).all()
        np.testing.assert_allclose(np.cov(ours.T), np.cov(torchs.T), atol=0.1 * np.cov(torchs.T).max())
    np.testing.assert_allclose(np.bincount(any_class["labels"].astype(int)) / n, own.frequencies, atol=0.02)
    assert set(of_one["labels"]) == {1}
    with torch.no_grad():
        expected = own.log_prob(torch.linspace(-2, 2, 60).view(20, 3))
    np.testing.assert_allclose(density, expected, rtol=1e-4, atol=1e-4)


def test_a_temperature_multiplies_deviations(of_classes, tmp_path):
    model, X = of_classes
    fitted = model.fit_prior("mixture", X, labels(len(X))).fitted_
    assert isinstance(fitted.model.prior, GaussianMixture)
    ((cold, warm),) = by_node(tmp_path, job(portable(fitted), ("sample", 50, 1, 0, 0), ("sample", 50, 1, 0, 1)))
    means = fitted.model.prior.means[0].numpy()
    nearest = np.abs(cold["z"].reshape(50, 1, 3) - means).max(-1).min(1)
    assert nearest.max() < 1e-6
    assert np.abs(cold["z"] - warm["z"]).max() > 0.1


def test_a_flow_sends_codes(of_classes, tmp_path):
    """A page cannot draw from one, trained or not."""
    model, _ = of_classes
    torch.manual_seed(0)
    sent = replace(portable(model.fitted_), prior=prior_of(FlowMatching(3, 3, 1)))
    assert sent.prior.codes.shape == (2000, 3)
    ((found,),) = by_node(tmp_path, job(sent, ("sample", 40, 1, 1)))
    ends = sent.prior.starts
    known = {row.tobytes() for row in sent.prior.codes[ends[1] : ends[2]]}
    drawn = [row.tobytes() for row in found["z"].reshape(40, 3).astype(np.float32)]
    assert set(drawn) <= known
    assert len(set(drawn)) > 30


@pytest.mark.parametrize(("name", "kind"), [("autoencoder", "grey"), ("deep", "colour"), ("autoencoder", "rows")])
def test_corruptions(name, kind, tmp_path):
    X = data(SHAPES[kind])
    model = MEMBERS[name].fit(X)
    fitted = model.fitted_
    kinds = {"gaussian": 0.3, "masking": 0.4, "salt-and-pepper": 0.4, "block": 0.5}
    calls = [("corrupt", X, len(X), corruption, level, 7) for corruption, level in kinds.items()]
    (found,) = by_node(tmp_path, job(portable(fitted), *calls, ("corrupt", X, len(X), "gaussian", 0, 7)))
    x = fitted.scaling.apply(X)
    noisy, masked, peppered, blocked, same = (fitted.scaling.apply(each.reshape(X.shape)) for each in found)
    np.testing.assert_allclose(same, x, atol=1e-6)
    assert (noisy - x).std() == pytest.approx(0.3, rel=0.05)
    changed = np.abs(masked - x) > 1e-6
    np.testing.assert_allclose(masked[changed], 0, atol=1e-6)
    assert (np.abs(masked) < 1e-6).mean() == pytest.approx(0.4, abs=0.06)
    extremes = np.isclose(peppered[:, :, None], fitted.scaling.extremes, atol=1e-6)
    assert extremes.mean((0, 1)) == pytest.approx([0.2, 0.2], abs=0.06)
    zero = (np.abs(blocked) < 1e-6).reshape(X.shape)
    sides = [max(1, round(0.5 * side)) for side in SHAPES[kind][:2]]
    rows = zero.reshape(len(X), *(*SHAPES[kind], 1, 1)[:3]).all(3)
    if len(SHAPES[kind]) > 1:
        assert (rows.any(2).sum(1) >= sides[0]).all()
        assert (rows.any(1).sum(1) >= sides[1]).all()
    assert np.median(rows.sum((1, 2))) == np.prod(sides)
