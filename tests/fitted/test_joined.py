"""The score that joins what a model knows: each part against an oracle, and what the parts miss alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.covariance import oas
from sklearn.neighbors import NearestNeighbors

from narrows import VAE, Autoencoder, load
from narrows.estimators import ESTIMATORS
from narrows.evaluation.anomalies import roc_auc
from narrows.fitted.joined import Neighbours, Tails, _whitening
from narrows.fitted.kept import Kept
from narrows.fitted.views import _sketch


def two_arcs(seed, n):
    """Return points near two pieces of a circle in ten dimensions; what lies between them is on the same circle."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0, 1, n) + np.pi * rng.integers(0, 2, n)
    return on_circle(angles) + 0.03 * rng.normal(size=(n, 10))


def on_circle(angles):
    plane = np.linalg.qr(np.random.default_rng(5).normal(size=(10, 2)))[0]
    return np.stack([np.cos(angles), np.sin(angles)], 1) @ plane.T


@pytest.fixture(scope="module")
def model():
    return Autoencoder(2, scaling="feature", epochs=60, random_state=0).fit(two_arcs(0, 600))


def test_distances_are_to_the_nearest_three_by_how_sparse_they_are():
    rng = np.random.default_rng(0)
    points, new = rng.normal(size=(700, 4)), rng.normal(size=(40, 4))
    radii = NearestNeighbors(n_neighbors=5).fit(points).kneighbors()[0][:, -1]
    widths = np.sqrt(np.maximum(radii / radii.mean(), 0.1))
    neighbours = Neighbours.of(torch.from_numpy(points).float())
    apart = np.linalg.norm(new[:, None] - points, axis=-1) / widths
    expected = np.sort(apart, 1)[:, :3].mean(1)
    np.testing.assert_allclose(neighbours.distances(torch.from_numpy(new).float())[0], expected, rtol=1e-4)
    among = np.linalg.norm(points[:, None] - points, axis=-1) / widths + np.diag(np.full(700, np.inf))
    others, same = neighbours.distances(torch.from_numpy(points[600:]).float())
    assert same[:, 0].tolist() == list(range(600, 700))
    np.testing.assert_allclose(others, np.sort(among, 1)[600:, :3].mean(1), rtol=1e-4)


def test_examples_that_were_learned_from_are_called_odd_as_often_as_new_ones(model):
    seen, new = (np.mean(model.predict(two_arcs(seed, n)) == -1) for seed, n in ((0, 600), (1, 2000)))
    assert 0.01 < seen < 0.1
    assert abs(seen - new) < 0.04
    copied = np.repeat(two_arcs(0, 600)[:5], 2, 0)
    doubled = Neighbours.of(torch.from_numpy(copied).float())
    assert (doubled.nearest(torch.from_numpy(copied).float(), 1)[0] == 0).all()  # another of the same is a neighbour


def test_kept_examples_are_compared_as_if_they_were_new():
    """Of three that are equal, a new one takes one for itself and has two near it; so has one of four that are kept."""
    rows = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [5.0, 5.0], [0.0, 0.0]])
    neighbours = Neighbours.of(rows)
    twins = neighbours.twins()
    assert twins[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert sorted(twins[[0, 2, 4], 1].tolist()) == [0, 2, 4]
    assert twins[[1, 3], 1].tolist() == [-1, -1]
    apart = (neighbours.nearest(rows, 2, twins)[0] * neighbours.widths[0]).sqrt()
    assert apart[0, 0] == 0  # the third
    assert apart[0, 1] > 0
    assert neighbours.distances(rows[:1].repeat(2, 1), torch.tensor([[0, 2], [4, 0]]))[0].isfinite().all()


@pytest.mark.parametrize("n", [20, 500])
def test_errors_are_whitened_by_a_shrunk_covariance(n):
    errors = np.random.default_rng(0).normal(size=(n, 30)) @ np.random.default_rng(1).normal(size=(30, 30))
    errors -= errors.mean(0)
    whitening = _whitening(torch.from_numpy(errors))[0].numpy()
    np.testing.assert_allclose(whitening @ whitening.T, np.linalg.inv(oas(errors, assume_centered=True)[0]), rtol=1e-8)


def test_what_is_lost_of_kept_examples_is_as_if_each_had_been_left_out():
    rows = np.random.default_rng(0).normal(size=(50, 30)) @ np.random.default_rng(1).normal(size=(30, 30))
    joined = Autoencoder(2, epochs=2, random_state=0).fit(rows).fitted_.joined
    errors = rows - rows.mean(0)
    whitening, own_share = _whitening(torch.from_numpy(errors))
    joined = replace(joined, whitening=whitening, own_share=own_share)
    squares = torch.from_numpy(errors @ whitening.numpy()).square().mean(1)
    found = joined._as_of_new(squares, torch.arange(50) < 49)
    share = oas(errors, assume_centered=True)[1]
    ridge = share * errors.var(0).mean() * np.eye(30)
    for row in range(49):
        others = np.delete(errors, row, 0)
        apart = errors[row] - others.mean(0)
        scatter = (others - others.mean(0)).T @ (others - others.mean(0))
        expected = apart @ np.linalg.solve((1 - share) * scatter / 50 + ridge, apart) / 30
        assert found[row] == pytest.approx(expected, rel=1e-8)
    assert found[49] == squares[49]  # which is new


def test_few_images_of_many_pixels_are_called_odd_at_the_rate_that_is_asked_for():
    """Of 900 pixels each 277 are kept: a covariance of so few makes its own errors small, and new ones large."""

    def images(seed, n):
        rng = np.random.default_rng(seed)
        waves = np.sin(np.arange(30) * rng.uniform(0.2, 0.9, (n, 1)) + rng.uniform(0, 6, (n, 1)))
        return waves[:, :, None] * waves[:, None] + 0.2 * rng.normal(size=(n, 30, 30)) * np.linspace(0.01, 1, 30)

    def rate(seed):
        model = Autoencoder(4, hidden=(16,), epochs=3, random_state=seed).fit(images(seed, 800))
        return np.mean(model.predict(images(100 + seed, 800)) == -1)

    assert 0.02 < np.mean([rate(seed) for seed in range(3)]) < 0.1  # asked for 0.05; each one left in, 0.99


def test_p_values_are_by_rank_and_beyond_all_by_a_power_law():
    rng = np.random.default_rng(0)
    ordinary = np.sort(rng.pareto(3.0, 5000) + 1)  # P(x > s) = s⁻³
    tails = Tails(np.log(ordinary)[:, None])
    inside = tails.surprise(np.log(ordinary[:4000, None]))[:, 0]
    np.testing.assert_allclose(inside, -np.log(np.arange(5001, 1001, -1) / 5001))
    far = np.array([100.0, 1000.0])
    np.testing.assert_allclose(tails.surprise(np.log(far)[:, None])[:, 0], 3 * np.log(far), rtol=0.1)
    rising = tails.surprise(np.log(np.linspace(1, 50, 2000))[:, None])[:, 0]
    assert (np.diff(rising) >= 0).all()


def test_it_finds_what_lies_between_and_what_lies_beside(model):
    """Between the arcs a point is given back as well as any; beside them the code may be that of an ordinary one."""
    new, between = two_arcs(1, 500), on_circle(np.random.default_rng(2).uniform(1.5, 2.6, 200))
    beside = two_arcs(3, 200) + 0.15 * np.random.default_rng(4).normal(size=(200, 10))
    for odd in (between, beside):
        assert roc_auc(model.anomaly_score(new), model.anomaly_score(odd)).value > 0.98
    errors = (model.anomaly_score(X, by="reconstruction") for X in (new, between))
    assert roc_auc(*errors).value < 0.9


def test_it_is_saved_and_read_and_the_same(model, tmp_path):
    new = two_arcs(1, 50)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    np.testing.assert_array_equal(again.anomaly_score(new), model.anomaly_score(new))
    assert again.anomaly_threshold() == model.anomaly_threshold()


def test_a_score_does_not_depend_on_the_other_examples(model):
    new = two_arcs(1, 700)
    together = model.anomaly_score(new)
    np.testing.assert_allclose(
        np.concatenate([model.anomaly_score(new[:3]), model.anomaly_score(new[3:])]), together, rtol=1e-3
    )
    assert np.isfinite(model.anomaly_score(1e12 + new[:1])).all()


def test_at_most_a_megabyte_is_kept_and_of_large_examples_what_they_are_compared_by(model, tmp_path):
    kept = model.reference_.kept
    assert (len(kept), kept.held_out) == (600, 60)
    images = np.random.default_rng(0).uniform(size=(40, 32, 32))
    large = Autoencoder(2, net="dense", epochs=1, prior="normal", random_state=0).fit(images)
    kept = large.reference_.kept
    assert (kept.near.shape, kept.z.shape, kept.held_out) == ((40, 128), (40, 2), 4)
    errors = large.anomaly_score(images, by="reconstruction")
    np.testing.assert_allclose(np.sort(kept.lost), np.sort(errors), rtol=1e-4)
    large.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").anomaly_score(images), large.anomaly_score(images))
    rows = np.random.default_rng(0).uniform(size=(3000, 200))
    wide = Autoencoder(2, hidden=(4,), epochs=1, prior="normal", random_state=0).fit(rows).reference_.kept
    assert wide.x.nbytes <= 1_000_000
    assert wide.held_out == 300
    assert Kept.nothing(5).tensors() == {}


def of_all_kinds(seed, n):
    """Return rows of two columns that follow from a third, a level and a number, with gaps; no two are equal."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n)
    frame = pd.DataFrame(
        {"age": age, "city": np.where(age > 50, "Brno", "Praha"), "pay": 30 * age + rng.normal(size=n)}
    )
    return frame.mask(rng.random(frame.shape) < [0, 0.1, 0.1])


LARGE = two_arcs(0, 120) @ np.random.default_rng(0).normal(size=(10, 1001))


@pytest.mark.parametrize("X", [of_all_kinds(0, 120), LARGE], ids=["table", "large"])
@pytest.mark.parametrize("kind", ESTIMATORS.values())
def test_every_model_scores_tables_and_large_examples_by_all_that_it_knows(kind, X, tmp_path):
    model = kind(2, hidden=(8,), epochs=2, prior="normal", false_alarms=0.1, random_state=0).fit(X)
    scores, kept = model.anomaly_score(X), model.fitted_.held_out("auto")
    assert len(kept) == 12
    assert np.abs(kept[:, None] - scores).min(1).max() < 0.01  # as if each were new, but for rounding
    assert (scores != model.anomaly_score(X, by="reconstruction")).all()
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").anomaly_score(X), scores)


def test_a_row_of_usual_cells_that_do_not_go_together_is_odd():
    model = Autoencoder(2, epochs=60, random_state=0).fit(of_all_kinds(0, 600))
    new = of_all_kinds(1, 1000)
    assert abs((model.predict(new) == -1).mean() - 0.05) < 0.04
    swapped = new.assign(city=new["city"].map({"Brno": "Praha", "Praha": "Brno"}))[new["city"].notna()]
    assert (model.predict(swapped) == -1).mean() > 0.9
    assert (model.predict(new.assign(city="Atlantis")) == -1).all()
    assert (model.predict(new.assign(city=None)) == -1).mean() < 0.1


def test_sums_of_numbers_keep_their_distances():
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 3000))).float()
    apart = (_sketch(x[1:]) - _sketch(x[:1])).square().sum(1) / (x[1:] - x[:1]).square().sum(1)
    assert abs(apart.mean() - 1) < 0.05
    assert apart.std() < 1.5 * np.sqrt(2 / 128)
    torch.testing.assert_close(_sketch(x[:3]), _sketch(x)[:3], rtol=0, atol=0)


def test_a_conditional_model_s_kept_examples_have_their_classes(tmp_path):
    X, y = two_arcs(0, 200), np.repeat(["a", "b"], 100)
    model = VAE(2, conditional=True, epochs=3, prior="normal", random_state=0).fit(X, y)
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").anomaly_score(X, y), model.anomaly_score(X, y))
    assert set(model.reference_.kept.labels) == {0, 1}
