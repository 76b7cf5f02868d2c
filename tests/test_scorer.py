"""A model as a function of rows gives every kind of container what one process gives, wherever it is sent."""

import os
import pickle
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from narrows import Autoencoder, Scorer
from narrows.scorer import OUTPUTS

NAMES = ["a", "b", "c", "d"]

CLOSE = 1e-3
"""Where the rows are cut into other parts, matrix products may add up in another order."""


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(300, 4)) @ random.normal(size=(4, 4)), columns=NAMES)
    return frame.assign(id=np.arange(300)).set_axis(np.arange(300) * 2, axis=0)


@pytest.fixture(scope="module")
def model(rows):
    return Autoencoder(2, hidden=(8,), epochs=3, random_state=0).fit(rows[NAMES])


@pytest.fixture(scope="module")
def scorer(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    model.save(path)
    return Scorer(path, outputs=OUTPUTS)


@pytest.fixture(scope="module")
def expected(model, rows):
    X = rows[NAMES]
    return pd.DataFrame(
        {
            **dict(zip(["autoencoder0", "autoencoder1"], model.transform(X).T, strict=True)),
            "anomaly_score": model.anomaly_score(X),
            "score_samples": model.score_samples(X),
            "reconstruction_error": model.anomaly_score(X, by="reconstruction"),
            "odd": model.predict(X) == -1,
        },
        index=rows.index,
    )


def test_a_container_comes_back_as_its_kind(scorer, rows, expected):
    plain = rows.reset_index(drop=True)
    pd.testing.assert_frame_equal(scorer(rows), expected)
    arrow = scorer(pa.Table.from_pandas(plain))
    assert arrow.schema == scorer.schema
    for made in (arrow, pa.Table.from_batches([scorer(pa.RecordBatch.from_pandas(plain))])):
        pd.testing.assert_frame_equal(made.to_pandas(), expected.reset_index(drop=True))
    made = scorer(pl.from_pandas(plain))
    assert isinstance(made, pl.DataFrame)
    np.testing.assert_array_equal(made["anomaly_score"].to_numpy(), expected["anomaly_score"])
    columns = scorer({name: plain[name].to_numpy() for name in ["d", "id", "c", "b", "a"]})
    np.testing.assert_array_equal(columns["score_samples"], expected["score_samples"])
    with pytest.raises(TypeError, match="rows is list; a data frame, a dict of arrays"):
        scorer([1, 2])


def test_no_rows_give_no_rows_of_the_same_types(scorer, rows):
    assert scorer(rows[:0]).dtypes.equals(scorer(rows).dtypes)
    assert pa.Schema.from_pandas(scorer(rows[:0]), preserve_index=False).types == scorer.schema.types


def test_a_column_that_is_lacking_is_named(scorer, rows):
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing:\n- c"):
        scorer(rows.drop(columns="c"))


def test_tables_of_any_columns_and_images(tmp_path):
    random = np.random.default_rng(0)
    people = pd.DataFrame({"city": ["Brno", "Praha", None] * 40, "age": random.normal(40, 9, 120), "id": range(120)})
    table = Autoencoder(2, hidden=(8,), epochs=2, random_state=0).fit(people[["city", "age"]])
    table.save(tmp_path / "table")
    scorer = Scorer(tmp_path / "table")
    expected = table.transform(people[["city", "age"]])
    for made in (scorer(people), scorer(pa.Table.from_pandas(people)).to_pandas()):
        np.testing.assert_array_equal(made.to_numpy()[:, :2], expected)
    images = random.random((40, 6, 6))
    net = Autoencoder(2, hidden=(8,), epochs=2, random_state=0).fit(images)
    net.save(tmp_path / "images")
    np.testing.assert_array_equal(
        Scorer(tmp_path / "images")({"image": images})["anomaly_score"], net.anomaly_score(images)
    )


def test_a_conditional_model_takes_the_column_of_labels(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(90, 3)), np.arange(90) % 3
    model = Autoencoder(2, hidden=(8,), epochs=2, conditional=True, random_state=0).fit(X, y)
    model.save(tmp_path / "m")
    made = Scorer(tmp_path / "m", ("codes",))(pd.DataFrame(X).assign(Label=y))
    np.testing.assert_array_equal(made, model.transform(X, y))


def test_it_is_sent_as_a_path_and_read_once_a_process(scorer, rows, expected):
    assert len(pickle.dumps(scorer)) < 500
    sent = pickle.loads(pickle.dumps(scorer))
    assert sent.estimator is scorer.estimator
    code = "import pickle, sys, torch; torch.set_num_threads(3); s, x = pickle.load(sys.stdin.buffer); made = s(x)\n"
    code += "assert torch.get_num_threads() == 3; pickle.dump(made, sys.stdout.buffer)"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps((scorer, rows)), stdout=-1, check=True)
    pd.testing.assert_frame_equal(pickle.loads(done.stdout), expected)


def test_who_lacks_the_file_says_which_and_where(tmp_path, rows):
    path = tmp_path / "gone.safetensors"
    with pytest.raises(FileNotFoundError) as caught:
        Scorer(path)(rows)
    for told in (str(path), socket.gethostname(), str(os.getpid())):
        assert told in str(caught.value)


@pytest.mark.parametrize("outputs", ["codes", ()])
def test_outputs_are_several_words(outputs):
    with pytest.raises(TypeError, match="must be a sequence of codes, anomaly_score"):
        Scorer("m", outputs)


def test_an_unknown_output_is_refused():
    with pytest.raises(ValueError, match="outputs='code'"):
        Scorer("m", ("code",))


def parts_of(rows):
    return [rows[start : start + 64] for start in range(0, len(rows), 64)]


def test_dask_gives_what_one_process_gives(scorer, rows, expected):
    dataframe = pytest.importorskip("dask.dataframe")
    parts = dataframe.from_pandas(rows, npartitions=4)
    scored = parts.map_partitions(scorer, meta=scorer.schema.empty_table().to_pandas())
    pd.testing.assert_frame_equal(scored.compute(scheduler="synchronous"), expected, rtol=CLOSE, check_index_type=False)


@pytest.mark.filterwarnings("ignore")  # Ray's, of its own code
def test_ray_gives_what_one_process_gives(scorer, rows, expected):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        scored = ray.data.from_pandas(rows).map_batches(scorer, batch_format="pyarrow").to_pandas()
    finally:
        ray.shutdown()
    pd.testing.assert_frame_equal(scored, expected.reset_index(drop=True), rtol=CLOSE, check_dtype=False)


def test_a_loop_of_arrow_gives_what_one_process_gives(scorer, rows, expected, tmp_path):
    from pyarrow import dataset
    from pyarrow import parquet as pq

    for number, part in enumerate(parts_of(rows)):
        pq.write_table(pa.Table.from_pandas(part, preserve_index=False), tmp_path / f"{number}.parquet")
    with pq.ParquetWriter(tmp_path / "scored", scorer.schema) as file:
        for batch in dataset.dataset(tmp_path, exclude_invalid_files=True).to_batches():
            file.write_batch(scorer(batch))
    made = pq.read_table(tmp_path / "scored").to_pandas()
    pd.testing.assert_frame_equal(made, expected.reset_index(drop=True), rtol=CLOSE)


def test_tables_of_any_columns_come_back_alike_from_dask_and_a_loop(tmp_path):
    dataframe = pytest.importorskip("dask.dataframe")
    from pyarrow import dataset
    from pyarrow import parquet as pq

    random = np.random.default_rng(0)
    age = random.normal(40, 9, 240)
    people = pd.DataFrame(
        {
            "age": age,
            "city": np.where(age > 45, "Brno", np.where(age > 35, "Praha", None)),
            "plan": pd.Categorical(np.where(age > 40, "a", "b")),
            "member": pd.array([True if years > 42 else None for years in age], "boolean"),
            "visits": pd.array(np.where(age > 30, np.rint(age), np.nan), "Int16"),
            "since": pd.Timestamp("2024-01-01", tz="Europe/Prague") + pd.to_timedelta(np.rint(age), unit="D"),
            "id": np.arange(240),
        }
    )
    model = Autoencoder(2, hidden=(8,), epochs=2, random_state=0).fit(people.drop(columns="id"))
    model.save(tmp_path / "m")
    scorer = Scorer(tmp_path / "m")
    expected = pd.DataFrame(model.transform(people.drop(columns="id")), columns=scorer.schema.names[:2])
    expected["anomaly_score"] = model.anomaly_score(people.drop(columns="id"))
    assert [str(kind) for kind in scorer.schema.types] == ["float", "float", "double"]
    scored = dataframe.from_pandas(people, npartitions=3).map_partitions(
        scorer, meta=scorer.schema.empty_table().to_pandas()
    )
    made = scored.compute(scheduler="synchronous")
    pd.testing.assert_frame_equal(made, expected, rtol=CLOSE, atol=1e-5, check_index_type=False)
    for number, part in enumerate(parts_of(people)):
        pq.write_table(pa.Table.from_pandas(part, preserve_index=False), tmp_path / f"{number}.parquet")
    parts = [scorer(batch) for batch in dataset.dataset(tmp_path, exclude_invalid_files=True).to_batches()]
    assert all(part.schema == scorer.schema for part in parts)
    made = pa.Table.from_batches(parts).to_pandas()
    pd.testing.assert_frame_equal(made, expected, rtol=CLOSE, atol=1e-5)
