"""A sweep's rows, its rule, and what is left when it is stopped."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from narrows import sweep
from narrows.estimators import fitting
from narrows.sweeps import Sweep, SweepRow
from narrows.training.checkpoint import Checkpoint

ROW = SweepRow(1, 0.1, 0.01, 0.2, 0.1, 0.01, 10, 0, 5, 1.0, interrupted=False, seed=0)


@pytest.fixture(scope="module")
def swept(digits):
    return sweep(digits[:200], latent_dims=(3, 1, 3), epochs=4)


def test_rows_are_in_order_and_each_once(swept):
    assert [row.latent_dim for row in swept.rows] == list(swept.models) == [1, 3]


def test_rows_say_what_the_models_do(swept):
    for row in swept.rows:
        model = swept.models[row.latent_dim]
        errors = np.square((swept.X_test - model.reconstruct(swept.X_test)) / 16).reshape(40, -1).mean(1)
        assert row.test_error == pytest.approx(errors.mean(), rel=1e-4)
        assert row.test_error_se == pytest.approx(errors.std() / np.sqrt(40), rel=1e-4)
        assert (row.validation_error, row.validation_error_se) == model.validation_error_
        assert row.parameters == sum(p.numel() for p in model.model_.parameters())
        assert row.epochs == 4


def test_of_several_seeds_the_one_of_the_lowest_validation_error_is_kept(digits):
    options = {"latent_dims": (2, 1), "epochs": 2, "hidden": (8,)}
    result = sweep(digits[:200], **options, random_state=5, seeds=3)
    assert sorted((row.latent_dim, row.seed) for row in result.trainings) == [(d, s) for d in (1, 2) for s in (5, 6, 7)]
    for row in result.rows:
        rivals = [other for other in result.trainings if other.latent_dim == row.latent_dim]
        assert row.validation_error == min(other.validation_error for other in rivals)
        assert row.spread == pytest.approx(np.std([other.test_error for other in rivals], ddof=1))
        kept = result.models[row.latent_dim]
        assert kept.seed_ == row.seed
        assert kept.anomaly_score(result.X_test, by="reconstruction").mean() == pytest.approx(row.test_error)
    alone = Sweep(digits[:200], **options, random_state=5)
    for _ in alone.run():
        pass
    first = [row for row in result.trainings if row.seed == 5]
    assert [row.test_error for row in alone.rows] == pytest.approx([row.test_error for row in first], rel=1e-4)
    assert alone.rows[0].spread is None


def with_errors(errors, se=0.01):
    result = object.__new__(Sweep)
    result.latent_dims = list(errors)
    result.models = dict.fromkeys(errors)
    result.trainings = [
        dataclasses.replace(ROW, latent_dim=d, validation_error=error, validation_error_se=se)
        for d, error in errors.items()
    ]
    return result


@pytest.mark.parametrize(
    ("errors", "taken", "words"),
    [
        ({1: 0.50, 2: 0.205, 4: 0.20, 8: 0.21}, 2, r"lowest \(0.2000 ± 0.0100, at latent_dim 4\)"),
        ({1: 0.5, 2: 0.4, 4: 0.2}, 4, "the error still falls there, so a larger one may do better"),
        ({1: 0.2, 2: 0.2, 4: 0.2}, 1, "Take latent_dim 1"),
        ({3: 0.2}, 3, "Take latent_dim 3"),
    ],
    ids=str,
)
def test_the_one_standard_error_rule(errors, taken, words):
    import re

    answer, reason = with_errors(errors).recommendation()
    assert answer == taken
    assert re.search(words, reason)


def test_no_validation_part_no_recommendation(digits):
    taken, reason = sweep(digits[:100], latent_dims=(1, 2), epochs=1, validation_fraction=0.0).recommendation()
    assert taken is None
    assert "held out no validation examples" in reason


def test_stopped_in_the_middle_it_keeps_what_it_has(digits):
    result = Sweep(digits[:200], latent_dims=(1, 2, 4), epochs=6)
    steps = result.run()
    for step in steps:
        if step.latent_dims == (4,) and step.step.epoch == 3:
            break
    steps.close()
    assert [(row.latent_dim, row.epochs, row.interrupted) for row in result.rows] == [
        (1, 6, False),
        (2, 6, False),
        (4, 2, True),
    ]


def test_side_by_side_they_come_to_what_they_come_to_alone(digits):
    together = sweep(digits[:200], latent_dims=(4, 8), epochs=6)
    for latent_dim in (4, 8):
        (alone,) = sweep(digits[:200], latent_dims=(latent_dim,), epochs=6).rows
        (row,) = (row for row in together.rows if row.latent_dim == latent_dim)
        assert row.test_error == pytest.approx(alone.test_error, rel=1e-3)
        assert row.parameters == alone.parameters


def test_cut_off_it_goes_on_without_training_again_what_was_trained(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoint, "due", True)
    options = {"latent_dims": (1, 2, 4), "epochs": 4}
    steps = Sweep(digits[:200], **options).run(tmp_path / "c.safetensors")
    next(step for step in steps if step.latent_dims == (4,) and step.step.epoch == 2)
    steps.close()
    resumed = Sweep(digits[:200], **options)
    assert {step.latent_dims for step in resumed.run(tmp_path / "c.safetensors")} == {(4,)}
    whole = sweep(digits[:200], **options)
    assert [row.test_error for row in resumed.rows] == [row.test_error for row in whole.rows]


def test_one_that_diverges_does_not_keep_the_others_from_being_trained(digits, monkeypatch):
    result = Sweep(digits[:200], latent_dims=(1, 4), epochs=3)
    begin = fitting.begin

    def bad(estimator, *arguments):
        begun = begin(estimator, *arguments)
        if estimator.latent_dim == 1:
            with torch.no_grad():
                begun.member.model.encoder.linear.weight.fill_(float("nan"))
        return begun

    monkeypatch.setattr(fitting, "begin", bad)
    with pytest.raises(FloatingPointError, match="latent_dim 1: training diverged in epoch 1"):
        for _ in result.run():
            pass
    assert [row.latent_dim for row in result.rows] == [4]


def test_columns_of_different_units_count_alike(table):
    result = sweep(pd.DataFrame(table, columns=list("abcd")), latent_dims=(1,), epochs=2)
    assert result.unit == "squared error per feature, each scaled to variance 1"
    assert result.mean_error == pytest.approx(1, rel=0.4)
    assert list(result.models[1].feature_names_in_) == list("abcd")


def test_a_table_is_measured_by_its_cells():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    frame = pd.DataFrame({"a": a, "city": np.where(a > 0, "Brno", "Praha"), "b": b, "n": rng.poisson(3, 200)})
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    result = sweep(frame, latent_dims=(1, 2), epochs=4, hidden=(8,))
    assert "relative to the error of the column's mean" in result.unit
    assert result.mean_error == pytest.approx(1, abs=0.2)
    for row in result.rows:
        found = result.models[row.latent_dim].evaluate(result.X_test, X_train=result.X_train).comparison
        assert row.test_error == pytest.approx(found.model.error.value, rel=1e-5)
        assert row.pca_error == pytest.approx(found.pca.error.value, rel=1e-5)
    gappy = np.stack([a, b], 1)
    gappy[3, 0] = np.nan  # in one of the two subsets
    assert sweep(gappy, latent_dims=(1,), epochs=1).models[1].table_ is not None
    gappy[5, 1] = np.inf
    with pytest.raises(ValueError, match="X contains infinity in 1 of 400 values, first in row 5, column 1"):
        sweep(gappy, latent_dims=(1,), epochs=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_dims": ()}, "latent_dims is empty"),
        ({"latent_dims": (2, 0)}, "latent_dims=0 must be"),
        ({"latent_dims": (2, 5000)}, "latent_dims=5000 must be"),
        ({"latent_dims": 2}, "latent_dims=2 must be a list of whole numbers"),
        ({"random_state": -1}, "random_state=-1"),
        ({"model": "autoencoder"}, "model='autoencoder' is unknown; did you mean 'Autoencoder'"),
        ({"epohcs": 3}, "no option 'epohcs'; did you mean 'epochs'"),
        ({"test_size": 1.5}, "test_size"),
    ],
    ids=str,
)
def test_bad_options(digits, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        sweep(digits[:50], **options)
