"""Models that can be asked for a class, and likelihoods in nats: what they give and what they refuse."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from narrows import VAE, VQVAE, Autoencoder, NoisyAutoencoder
from narrows.models.priors import PRIORS

N = 200


@pytest.fixture(scope="module")
def labels():
    return load_digits().target


@pytest.fixture(scope="module")
def judge(digits, labels):
    return KNeighborsClassifier(3).fit(digits.reshape(len(digits), -1), labels)


@pytest.fixture(scope="module")
def vae(digits, labels):
    return VAE(8, conditional=True, epochs=40, random_state=0).fit(digits, labels)


@pytest.fixture(scope="module")
def plain(digits, labels):
    return Autoencoder(8, epochs=40, random_state=0).fit(digits, labels)


@pytest.fixture(scope="module")
def small(digits, labels):
    """A conditional VAE of hardly any training, for what does not depend on it."""
    return VAE(2, conditional=True, hidden=(16,), epochs=3, random_state=0).fit(digits[:N], labels[:N])


def accuracy(judge, samples, wanted):
    return (judge.predict(samples.reshape(len(samples), -1)) == wanted).mean()


@pytest.mark.parametrize("name", ["vae", "plain"])
def test_a_sample_of_a_class_is_of_that_class(name, request, judge):
    """A conditional VAE's decoder sees the class; a plain autoencoder's prior has one mixture a class."""
    model = request.getfixturevalue(name)
    assert accuracy(judge, model.sample(N, y=7, random_state=0), 7) > 0.8
    mixed = np.arange(N) % 10
    assert accuracy(judge, model.sample(N, y=mixed, random_state=0), mixed) > 0.8
    found = np.bincount(judge.predict(model.sample(1000, random_state=0).reshape(1000, -1)), minlength=10)
    assert found.min() > 30


def test_the_class_changes_what_a_code_stands_for(vae, judge):
    """The same codes of N(0, I), every class: what L24 calls the style stays, the digit changes."""
    z = np.random.default_rng(0).normal(size=(N, 8))
    for c in (0, 6):
        assert accuracy(judge, vae.inverse_transform(z, np.full(N, c)), c) > 0.6


def test_the_classes_are_the_labels_sorted_of_any_kind(digits):
    names = np.array(["seven", "one", "one", "two"] * 25)
    model = Autoencoder(2, epochs=2, random_state=0, prior="posterior").fit(digits[:100], names)
    assert model.classes_.tolist() == ["one", "seven", "two"]
    assert model.sample(3, y="seven").shape == (3, 8, 8)
    for y in (np.array([True, False] * 50), np.array([-3, 10] * 50), ["a", "b"] * 50):
        again = VAE(2, conditional=True, epochs=1, random_state=0).fit(digits[:100], y)
        assert again.sample(2, y=y[0]).shape == (2, 8, 8)


@pytest.mark.parametrize(("y", "message"), [(11, "y=11 is not a class"), ("7", "y='7' is text"), (7.5, "y=7.5 is not")])
def test_an_unknown_class(y, message, small, plain):
    for model in (small, plain):
        with pytest.raises(ValueError, match=message):
            model.sample(2, y=y)


def test_strings_are_not_taken_for_numbers(small, digits):
    with pytest.raises(ValueError, match="is text, but this model's classes are each a number"):
        small.transform(digits[:2], ["1", "7"])


METHODS = ["transform", "reconstruct", "score_samples", "anomaly_score", "error_map", "sample_code", "log_likelihood"]


@pytest.mark.parametrize("method", METHODS)
def test_a_conditional_model_needs_the_class_of_each_example(method, small, digits, labels):
    call = getattr(small, method)
    with pytest.raises(ValueError, match="y is needed"):
        call(digits[:9])
    with pytest.raises(ValueError, match=r"y has shape \(5,\)"):
        call(digits[:9], labels[:5])
    with pytest.raises(ValueError, match="y=99 is not a class"):
        call(digits[:9], 99)


def test_fitting_needs_classes_as_many_as_examples(digits, labels):
    model = VAE(2, conditional=True, epochs=1)
    for y, message in (
        (None, "conditional=True needs y"),
        (labels[:5], "y has 5 labels for 200 examples"),
        (np.linspace(0, 1, N), "not a list of classes"),
        (np.zeros((N, 2), int), "not a list of classes"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(digits[:N], y)
        assert not hasattr(model, "model_")


def test_a_model_without_classes_cannot_be_asked_for_one(fitted):
    with pytest.raises(ValueError, match="fitted without classes"):
        fitted.sample(2, y=7)


def test_real_numbers_as_y_are_no_classes(digits):
    model = Autoencoder(2, epochs=1).fit(digits[:50], np.linspace(0, 1, 50))
    assert model.classes_ is None


def test_sampling_wants_one_label_or_as_many_as_samples(small):
    with pytest.raises(ValueError, match=r"y has shape \(2,\)"):
        small.sample(3, y=[1, 2])


def test_fit_prior_needs_the_classes_again(plain, digits, labels):
    with pytest.raises(ValueError, match="y is needed"):
        plain.fit_prior("mixture", digits)
    with pytest.raises(ValueError, match=r"y has shape \(3,\)"):
        plain.fit_prior("mixture", digits, labels[:3])


def test_vampprior_has_no_classes_of_its_own(digits, labels):
    with pytest.raises(ValueError, match="prior='vampprior' has one"):
        VAE(2, conditional=True, prior="vampprior").fit(digits[:N], labels[:N])


# --- Likelihoods through the estimators -----------------------------------------------


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_data_outside_the_unit_interval(likelihood, digits, table):
    with pytest.raises(ValueError, match=r"X contains .* in row 0, column 1; .*values in \[0, 1\] after scaling"):
        VAE(2, epochs=1, likelihood=likelihood).fit(table)
    model = VAE(2, epochs=1, likelihood=likelihood, random_state=0).fit(digits[:N])
    above = np.where(digits[:5] == digits[:5].max(), 17, digits[:5])
    said = r"^\d+ of (320|192) values are outside the training data's range, .* and count as its ends$"
    for method in ("score_samples", "score", "evaluate"):
        with pytest.warns(UserWarning, match=said):
            found = getattr(model, method)(above)
        if method != "evaluate":
            np.testing.assert_allclose(found, getattr(model, method)(digits[:5]), rtol=1e-6)
    assert found.density.log_density is not None


def test_the_bound_is_at_least_the_score_and_rises_with_samples(vae, digits, labels):
    X, y = digits[:100], labels[:100]
    means = [vae.log_likelihood(X, y, samples=k, random_state=1).mean for k in (1, 16, 1000)]
    assert means == sorted(means)
    assert vae.log_likelihood(X, y, samples=2000).mean >= vae.score_samples(X, y).mean()
    same = vae.log_likelihood(X, y, samples=16, random_state=0)
    np.testing.assert_allclose(same.values, vae.score_samples(X, y), rtol=1e-5)


def test_the_bound_does_not_depend_on_the_pieces_it_is_computed_in(small, digits, labels, monkeypatch):
    X, y = digits[:30], labels[:30]
    whole = small.log_likelihood(X, y, samples=100)
    one_by_one = [small.log_likelihood(X[i : i + 1], y[i : i + 1], samples=100).values[0] for i in range(30)]
    monkeypatch.setattr("narrows.fitted.scores.MOST_NUMBERS", 30 * 64 * 7)
    np.testing.assert_allclose(small.log_likelihood(X, y, samples=100).values, whole.values, rtol=1e-5)
    np.testing.assert_allclose(one_by_one, whole.values, rtol=1e-5)


def test_the_mean_and_its_standard_error_are_of_the_examples(small, digits, labels):
    bound = small.log_likelihood(digits[:N], labels[:N], samples=20)
    assert bound.values.shape == (N,)
    assert bound.mean == pytest.approx(bound.values.mean())
    spread = np.random.default_rng(0).choice(bound.values, (3000, N)).mean(1).std()
    assert bound.standard_error == pytest.approx(spread, rel=0.1)


def test_other_units_move_a_density_by_their_logarithm_and_a_probability_not_at_all(digits):
    X = digits[:N]
    for likelihood, change in (
        ("gaussian", 64 * np.log(10)),
        ("continuous-bernoulli", 64 * np.log(10)),
        ("bernoulli", 0),
    ):
        scores = [VAE(2, epochs=2, random_state=0, likelihood=likelihood).fit(s * X).score(s * X) for s in (1, 10)]
        assert scores[0] - scores[1] == pytest.approx(change, abs=0.05)


def test_only_a_code_that_is_drawn_has_the_bound(plain, digits, labels):
    with pytest.raises(TypeError, match="Autoencoder has a deterministic code"):
        plain.log_likelihood(digits[:5])
    with pytest.raises(TypeError, match="VQVAE has a deterministic code"):
        VQVAE(2, epochs=1, random_state=0).fit(digits[:50]).log_likelihood(digits[:5])
    noisy = NoisyAutoencoder(2, epochs=1, random_state=0).fit(digits[:50], labels[:50])
    assert np.isfinite(noisy.log_likelihood(digits[:5], samples=10).mean)
    with pytest.raises(ValueError, match="has no density"):
        noisy.fit_prior("flow-matching", digits[:50], labels[:50]).log_likelihood(digits[:5], samples=10)


@pytest.mark.parametrize("prior", ["normal", "mixture", "posterior"])
def test_a_class_of_one_example_wherever_the_split_puts_it(prior):
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = np.array(["common"] * 38 + ["odd", "rare"])
    for seed in range(4):
        model = Autoencoder(2, epochs=1, hidden=(8,), prior=prior, random_state=seed).fit(X, y)
        assert np.isfinite(model.sample(20, random_state=0)).all()
    if prior != "normal":
        with pytest.raises(ValueError, match="no example of class odd"):
            model.fit_prior(prior, X[:38], y[:38])


@pytest.mark.parametrize("prior", ["mixture", "posterior"])
def test_a_class_of_one_example_leaves_all_a_likelihood(prior):
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = VAE(2, epochs=1, hidden=(8,), prior=prior, random_state=0).fit(X, ["common"] * 39 + ["odd"])
    assert np.isfinite(model.score_samples(X)).all()
    assert np.isfinite(model.log_likelihood(X, samples=5).values).all()


@pytest.mark.parametrize("prior", ["mixture", "posterior"])
def test_a_prior_of_some_codes_knows_all_classes_and_how_frequent_each_is(prior, monkeypatch):
    monkeypatch.setattr(PRIORS[prior], "most_codes", 10)
    X, y = np.random.default_rng(0).normal(size=(40, 3)), ["common"] * 30 + ["odd"] * 9 + ["rare"]
    model = VAE(2, epochs=1, hidden=(8,), prior=prior, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.model_.prior.frequencies, [0.75, 0.225, 0.025])
    assert np.isfinite(model.score_samples(X)).all()
    assert np.isfinite(model.sample(20, random_state=0)).all()
