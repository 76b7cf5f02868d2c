"""Learning from Parquet parts larger than memory: the order depends on the files alone, and nothing grows with them."""

import os
import random
import signal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet as pq

from narrows import VAE, Autoencoder, load
from narrows.data.fingerprints import shares
from narrows.data.parquet_rows import ParquetRows
from narrows.fitted import blocks
from narrows.training.checkpoint import Checkpoint
from parquet_parts import OPTIONS, check_gone_on, written


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 3)) @ rng.normal(size=(3, 6)) + 0.1 * rng.normal(size=(900, 6))
    return pd.DataFrame(x.astype(np.float32), columns=list("abcdef"))


@pytest.fixture(scope="module")
def parts(frame, tmp_path_factory):
    return written(tmp_path_factory.mktemp("parts"), frame)


@pytest.fixture
def rows(parts, monkeypatch):
    """Rows read 50 at a time, so that a row group takes several readings."""
    monkeypatch.setattr(blocks, "MIXED_ROWS", 200)
    return ParquetRows.of(parts)


def test_rows_are_those_of_the_parts(rows, frame):
    assert (rows.shape, rows.columns) == ((900, 6), tuple("abcdef"))
    np.testing.assert_array_equal(np.asarray(rows), frame)
    some = np.random.default_rng(1).permutation(900)[:300]
    np.testing.assert_array_equal(rows[some], frame.to_numpy()[some])
    np.testing.assert_array_equal(rows[800:], frame[800:])


def test_an_epoch_holds_each_row_that_is_learned_from_once_and_goes_on_anywhere(rows, frame):
    sample = blocks.Sample.of(rows, 0.1)
    stream = blocks.Blocks(rows, sample.boundary, sample.counts, torch.from_numpy)
    first, other = (torch.cat([*stream.epoch(seed, 0)]) for seed in (1, 2))
    seen = frame.to_numpy()[shares(frame.to_numpy()) >= 0.1]
    assert len(stream) == len(first) == len(seen)
    assert 60 < 900 - len(seen) < 130
    for x in (first, other):
        np.testing.assert_array_equal(np.unique(x, axis=0), np.unique(seen, axis=0))
    assert not torch.equal(first, other)
    for begin in (1, 199, 200, 517, len(seen) - 1):
        assert torch.equal(torch.cat([*stream.epoch(1, begin)]), first[begin:])
    # Neighbours of an epoch come from all over a mixture.
    places = [np.flatnonzero((frame.to_numpy() == x.numpy()).all(1))[0] for x in first[:100]]
    assert np.mean(np.abs(np.diff(places)) > 50) > 0.5


def test_a_sample_is_as_if_by_chance_and_depends_on_no_reading(rows, frame, monkeypatch):
    monkeypatch.setattr(blocks, "SAMPLED", 300)
    sample = blocks.Sample.of(rows, 0.1)
    assert len(sample.seen) == 300
    places = np.sort([np.flatnonzero((frame.to_numpy() == x).all(1))[0] for x in sample.seen])
    assert np.abs(places / 900 - np.arange(300) / 300).max() < 0.1  # Kolmogorov–Smirnov: 0.1 at p < 0.01
    monkeypatch.setattr(blocks, "MIXED_ROWS", 23)
    np.testing.assert_array_equal(blocks.Sample.of(rows, 0.1).seen, sample.seen)


def test_shares_are_spread_evenly_and_equal_for_equal_rows():
    grid = np.stack(np.meshgrid(np.arange(100), np.arange(100)), -1).reshape(-1, 2)
    found = np.sort(shares(grid))
    assert np.abs(found - np.arange(10_000) / 10_000).max() < 0.02
    np.testing.assert_array_equal(shares(grid.astype(np.float32)), shares(grid))
    assert abs(np.corrcoef(shares(grid), shares(grid, 1))[0, 1]) < 0.04


def test_it_learns_as_well_as_from_memory(rows, frame):
    options = OPTIONS | {"epochs": 30}
    streamed, memory = (Autoencoder(3, **options).fit(X) for X in (rows, frame))
    assert streamed.validation_error_[0] < 1.5 * memory.validation_error_[0]
    np.testing.assert_allclose(streamed.scaling_.scale, memory.scaling_.scale, rtol=1e-5)
    assert list(streamed.feature_names_in_) == list("abcdef")


def test_what_was_seen_is_computed_and_nothing_of_it_kept(rows, frame, tmp_path):
    model = Autoencoder(3, **OPTIONS).fit(rows)
    model.save(tmp_path / "m")
    reference = load(tmp_path / "m").reference_
    assert not len(reference.fingerprints)
    held_out = shares(frame.to_numpy()) < 0.1
    np.testing.assert_array_equal(reference.seen(reference.occurrences([frame.to_numpy()])), ~held_out)
    evaluation = load(tmp_path / "m").evaluate(frame)
    assert set(evaluation.places) == set(np.flatnonzero(held_out))
    assert len(reference.held_out["reconstruction"]) == held_out.sum()


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_gone_on_from_any_step_it_ends_the_same(kind, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoint, "due", True)
    check_gone_on(kind, rows, tmp_path, (1, 26, 40))


def test_a_killed_training_ends_the_same(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoint, "due", True)
    whole, chance, path = Autoencoder(2, **OPTIONS).fit(rows), random.Random(0), tmp_path / "training.checkpoint"
    for stop in (chance.randint(2, 30) for _ in range(3)):
        child = os.fork()
        if child == 0:
            for number, _ in enumerate(Autoencoder(2, **OPTIONS).fit_steps(rows, checkpoint=path)):
                if number == stop:
                    os.kill(os.getpid(), signal.SIGKILL)
            os._exit(0)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    again = Autoencoder(2, **OPTIONS).fit(rows, checkpoint=path).model_.state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in whole.model_.state_dict().items())


def test_several_models_learn_as_if_alone(rows):
    from narrows.estimators.fitting import fit_together

    models = [Autoencoder(dim, **OPTIONS) for dim in (1, 2)]
    for _ in fit_together(models, rows):
        pass
    alone = Autoencoder(2, **OPTIONS).fit(rows).model_.state_dict()
    assert all(torch.equal(tensor, alone[name]) for name, tensor in models[1].model_.state_dict().items())


def test_what_cannot_be_learned_from_is_named(rows, frame, tmp_path):
    for given, words in [({"y": np.zeros(900)}, "y is for data in memory"), ({"devices": 2}, "devices=2 and nodes=1")]:
        options = {name: value for name, value in given.items() if name != "y"}
        with pytest.raises(ValueError, match=words):
            Autoencoder(2, **OPTIONS, **options).fit(rows, given.get("y"))
    pq.write_table(pa.table({"a": [1.0, 2.0], "city": [["Brno"], ["Praha"]]}), tmp_path / "0.parquet")
    with pytest.raises(ValueError, match=r"column 'city' is of type list<.*; a column of a table holds numbers, truth"):
        ParquetRows.of(tmp_path)
    frame.assign(b=frame["b"].where(frame.index != 500, np.inf)).to_parquet(tmp_path / "0.parquet")
    with pytest.raises(ValueError, match=r"X contains infinity in 1 of .* values, first in row 500, column 'b'"):
        Autoencoder(2, **OPTIONS).fit(ParquetRows.of(tmp_path))
