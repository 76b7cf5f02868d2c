"""Learning from tables of any columns in Parquet parts: as from the whole, but for which rows are held out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from narrows import VAE, Autoencoder, load
from narrows.columns.table import Table
from narrows.data import load_data
from narrows.data.fingerprints import shares
from narrows.data.parquet_rows import ParquetRows
from narrows.estimators.training_data import coded
from narrows.fitted import blocks
from narrows.training.checkpoint import Checkpoint
from parquet_parts import OPTIONS, check_gone_on, written

N = 900


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, N))
    table = pd.DataFrame(
        {
            "id": [f"P{i}" for i in range(N)],
            "age": np.rint(45 + 12 * a).astype("int16"),
            "city": np.where(a > 0.5, "Brno", np.where(a > -0.5, "Praha", "Plzeň")),
            "income": np.round(np.exp(10 + b / 2), 2),
            "visits": random.poisson(np.exp(0.5 + a / 2)),
            "member": a + b > 0,
            "since": pd.Timestamp("2022-01-01") + pd.to_timedelta(np.rint(200 * b), unit="D"),
            "size": pd.Categorical(np.where(b > 0.3, "L", "S"), ["S", "L"]),
        }
    )
    gaps = random.random(table.shape) < 0.05
    gaps[:, 0] = False
    return table.astype({"age": "Int16", "member": "boolean", "visits": "Int64"}).mask(gaps)


@pytest.fixture(scope="module")
def folder(frame, tmp_path_factory):
    return written(tmp_path_factory.mktemp("parts"), frame)


@pytest.fixture
def rows(folder, monkeypatch):
    """Rows read 50 at a time, so that a row group takes several readings."""
    monkeypatch.setattr(blocks, "MIXED_ROWS", 200)
    return ParquetRows.of(folder)


@pytest.mark.parametrize("asked", [None, {"age": "category", "income": "real"}])
def test_columns_are_those_that_the_whole_has(asked, rows, folder):
    whole = load_data(folder).X
    assert coded(rows, asked).coding == Table.of(whole, asked)


def test_it_learns_as_well_as_from_memory(rows, frame):
    options = OPTIONS | {"epochs": 30}
    streamed, memory = (Autoencoder(3, **options).fit(X) for X in (rows, frame))
    assert streamed.validation_error_[0] < 1.3 * memory.validation_error_[0]
    np.testing.assert_allclose(streamed.scaling_.scale, memory.scaling_.scale, rtol=1e-6)
    np.testing.assert_allclose(streamed.scaling_.offset, memory.scaling_.offset, rtol=1e-6)
    assert list(streamed.feature_names_in_) == list(frame.columns)
    assert streamed.impute(frame).drop(columns="id").notna().to_numpy().all()


def test_a_slip_of_the_pen_counts_as_the_most_extreme_of_all_others(frame, tmp_path):
    slipped = frame.assign(income=frame["income"].where(frame.index != 7, 1e15))
    slipped.to_parquet(tmp_path / "0.parquet", row_group_size=100)
    streamed, memory = (
        Autoencoder(2, **OPTIONS, columns={"income": "real"}).fit(X) for X in (ParquetRows.of(tmp_path), slipped)
    )
    np.testing.assert_allclose(streamed.scaling_.scale, memory.scaling_.scale, rtol=1e-6)


def test_what_was_seen_is_computed_and_nothing_of_it_kept(rows, frame, tmp_path):
    model = Autoencoder(3, **OPTIONS).fit(rows)
    model.save(tmp_path / "m")
    loaded = load(tmp_path / "m")
    assert not len(loaded.reference_.fingerprints)
    cells = loaded.table_.cells(frame)
    assert 60 < (shares(cells) < 0.1).sum() < 130
    np.testing.assert_array_equal(loaded.reference_.occurrences([cells]), shares(cells) >= 0.1)
    assert set(loaded.evaluate(frame).places) == set(np.flatnonzero(shares(cells) < 0.1))


def test_an_epoch_holds_each_row_that_is_learned_from_once(rows, frame):
    table = coded(rows, None)
    sample = blocks.Sample.of(table, 0.1)
    cells = table.coding.cells(frame)
    np.testing.assert_array_equal(cells[sample.places], sample.held_out)
    pd.testing.assert_frame_equal(table.at(sample.places, 50), frame.iloc[sample.places].reset_index(drop=True))
    stream = blocks.Blocks(table, sample.boundary, sample.counts, torch.from_numpy)
    epoch = torch.cat([*stream.epoch(1, 0)]).nan_to_num(-1)
    seen = np.nan_to_num(cells[shares(cells) >= 0.1], nan=-1)
    np.testing.assert_array_equal(np.unique(epoch, axis=0), np.unique(seen, axis=0))
    assert torch.equal(torch.cat([*stream.epoch(1, 217)]).nan_to_num(-1), epoch[217:])


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_gone_on_from_any_step_it_ends_the_same(kind, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoint, "due", True)
    check_gone_on(kind, rows, tmp_path, (1, 40))


def test_numbers_with_gaps_or_marks_are_a_table_and_without_them_they_are_not(tmp_path):
    numbers = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 3)), columns=list("abc"))
    whole = tmp_path / "whole.parquet"
    numbers.to_parquet(whole)
    assert coded(ParquetRows.of(whole), None).coding is None
    assert coded(ParquetRows.of(whole, missing=("-999",)), None).coding is None
    numbers.mask(numbers > 2).to_parquet(tmp_path / "gaps.parquet")
    numbers.mask(numbers > 2, -999).to_parquet(tmp_path / "marks.parquet")
    for name, marks in {"gaps": (), "marks": ("-999",)}.items():
        table = coded(ParquetRows.of(tmp_path / f"{name}.parquet", missing=marks), None).coding
        assert [column.missing for column in table.columns] == (numbers > 2).sum().tolist()
    numbers.round().astype(int).to_parquet(tmp_path / "whole numbers.parquet")
    assert coded(ParquetRows.of(tmp_path / "whole numbers.parquet"), "real").coding is None
    assert coded(ParquetRows.of(tmp_path / "whole numbers.parquet"), None).coding is not None


def test_a_row_without_a_known_cell_is_told_by_its_file_and_row_group(frame, tmp_path):
    frame = frame.drop(columns="id")
    frame.mask(pd.Series(frame.index == 433)).to_parquet(tmp_path / "0.parquet", row_group_size=200)
    words = r"0\.parquet, row group 2, rows 0 to 199 of it: X has only missing cells in 1 rows, first in row 33"
    with pytest.raises(ValueError, match=words):
        Autoencoder(2, **OPTIONS).fit(ParquetRows.of(tmp_path))


@pytest.mark.parametrize("of_numbers", [False, True])
def test_kinds_are_found_once(of_numbers, folder, tmp_path, monkeypatch):
    """Of data that memory does not hold, each look at all rows is a reading of the disk."""
    if of_numbers:
        pd.DataFrame(np.random.default_rng(0).normal(size=(300, 3)), columns=list("abc")).to_parquet(
            tmp_path / "x.parquet"
        )
    rows = ParquetRows.of(tmp_path / "x.parquet" if of_numbers else folder)
    first = coded(rows, None).coding
    assert (first is None) == of_numbers
    monkeypatch.setattr(ParquetRows, "_batches", lambda *_: pytest.fail("the rows are read again"))
    assert coded(rows, None).coding is first
    assert coded(replace(rows, low=0.5), None).coding is first
