"""Data with odd examples among them: neither learned from nor kept, and as many are called odd as asked for."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from narrows import VAE, Autoencoder, OutlierDetector, load
from narrows.data.dataset import Dataset
from narrows.evaluation.anomalies import rank_threshold, roc_auc
from narrows.models.objectives import Reconstruction
from narrows.runs.anomalies import find_anomalies
from narrows.training.best import mean_loss
from narrows.training.examples import Examples
from narrows.training.trimming import ordinary, ordinary_mean

ODD = 30
SMALL = {"hidden": (32,), "epochs": 60, "prior": "normal", "random_state": 0}


@pytest.fixture(scope="module")
def mixed():
    """Points near a plane in six dimensions, and odd ones that lie on another plane, where they are like each other."""
    rng = np.random.default_rng(0)
    planes = rng.normal(size=(2, 2, 6))
    sound = rng.normal(size=(300 - ODD, 2)) @ planes[0] + 0.1 * rng.normal(size=(300 - ODD, 6))
    return np.r_[sound, 3 * rng.normal(size=(ODD, 2)) @ planes[1]]


@pytest.mark.parametrize(
    "detector", [Autoencoder(2, **SMALL), VAE(2, **SMALL), OutlierDetector(Autoencoder(2, **SMALL))]
)
def test_as_many_are_called_odd_as_asked_for(mixed, detector):
    detector.set_params(contamination=0.1)
    assert (detector.fit_predict(mixed) == -1).sum() == ODD
    assert (detector.predict(mixed) == np.where(detector.decision_function(mixed) < 0, -1, 1)).all()


def test_odd_ones_are_neither_learned_from_nor_kept(mixed, tmp_path):
    plain, robust = (Autoencoder(2, contamination=share, **SMALL).fit(mixed) for share in (None, 0.1))
    scores = (model.anomaly_score(mixed, by="reconstruction") for model in (plain, robust))
    before, after = (roc_auc(*np.split(each, [-ODD])).value for each in scores)
    assert after > 0.98 > before
    assert len(robust.reference_.kept) == 300 - ODD
    assert len(plain.reference_.kept) == 300
    robust.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.contamination == 0.1
    for by in ("auto", "reconstruction", "likelihood"):
        np.testing.assert_array_equal(again.predict(mixed, by=by), robust.predict(mixed, by=by))
        assert (robust.predict(mixed, by=by) == -1).sum() == ODD


def test_the_losses_say_which_count_nothing():
    model = Autoencoder(2, **SMALL | {"epochs": 1}).fit(np.random.default_rng(0).normal(size=(50, 6))).model_
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    x[7] += 100
    examples = Examples.of(x, None).subset(torch.arange(5, 25))
    found = ordinary(model, Reconstruction(), examples, 0.05)
    assert found.weights.tolist() == [float(place != 7) for place in range(25)]
    assert 7 not in found.shuffled(torch.Generator().manual_seed(0))
    assert ordinary(model, Reconstruction(), examples, None) is examples
    mean = ordinary_mean(model, Reconstruction(), examples, 0.05)
    assert mean == pytest.approx(mean_loss(model, Reconstruction(), found), rel=1e-6)


def test_shares_of_scores():
    scores = np.arange(100.0)
    assert (scores > rank_threshold(scores, 0.1)).sum() == 10
    assert (scores > rank_threshold(scores, "auto")).sum() == 0
    assert (np.append(scores, 300.0) > rank_threshold(np.append(scores, 300.0), "auto")).sum() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contamination": 0.1, "false_alarms": 0.1}, "contamination=0.1 sets the threshold by rank, and false_alarms"),
        ({"contamination": "auto", "false_alarms": 0.05}, "contamination='auto' sets the threshold by rank, and false"),
        ({"contamination": 0}, "contamination=0 must be"),
        ({"contamination": 0.6}, "contamination=0.6 must be"),
    ],
)
def test_what_is_refused(mixed, options, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(2, **options).fit(mixed)


def test_a_rate_of_false_alarms_is_refused_after_the_fit_too(mixed):
    model = Autoencoder(2, contamination="auto", **SMALL | {"epochs": 2}).fit(mixed)
    with pytest.raises(ValueError, match="give one of them"):
        model.set_params(false_alarms=0.01).predict(mixed)
    with pytest.raises(ValueError, match="give one of them"):
        model.set_params(false_alarms=None).explain(mixed, false_alarms=0.05)
    with pytest.raises(ValueError, match="give one of them"):
        find_anomalies(model, Dataset("mixed", mixed, None), false_alarms=0.05)
    assert clone(model).false_alarms is None


def test_it_goes_on_from_a_checkpoint_as_if_it_had_never_stopped(mixed, tmp_path):
    options = {**SMALL, "epochs": 6, "contamination": 0.1}
    whole = Autoencoder(2, **options).fit(mixed)
    for number, step in enumerate(Autoencoder(2, **options).fit_steps(mixed, checkpoint=tmp_path / "c")):
        if number == 17:
            step.training.checkpoint.write(step.training.state())
            break
    gone_on = Autoencoder(2, **options).fit(mixed, checkpoint=tmp_path / "c")
    np.testing.assert_array_equal(gone_on.transform(mixed), whole.transform(mixed))
