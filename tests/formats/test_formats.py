"""Model files of every format since the fifth are read, and say what they said when they were written."""

import json

import numpy as np
import pytest

from formats.make import HERE, MODELS, NEWEST, told
from narrows import load
from narrows.storage import read_model

FILES = sorted(HERE.glob("*/*.safetensors"))


def test_there_are_files_of_every_format():
    assert {int(file.parent.name) for file in FILES} == set(range(5, NEWEST + 1))
    assert all(file.stat().st_size < 100_000 for file in FILES)
    assert {file.stem for file in FILES if file.parent.name == str(NEWEST)} == set(MODELS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
@pytest.mark.filterwarnings("ignore:false_alarms")
def test_an_older_file_says_what_it_said(file, tmp_path):
    model, (_, X, y) = load(file), MODELS[file.stem]
    expected = json.loads((file.parent / "expected.json").read_text(encoding="utf-8"))[file.stem]
    for name, values in told(model, X, y).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-3, atol=1e-3, err_msg=name)
    model.save(tmp_path / "again")
    assert read_model(tmp_path / "again")[0].format == NEWEST
    np.testing.assert_array_equal(load(tmp_path / "again").sample(5, random_state=1), model.sample(5, random_state=1))


@pytest.mark.filterwarnings("ignore:false_alarms")
def test_a_file_without_kept_examples_refuses_the_score_that_needs_them():
    model, (_, X, y) = load(HERE / "5" / "autoencoder.safetensors"), MODELS["autoencoder"]
    with pytest.raises(ValueError, match=r"by='auto' compares with examples of the training data, .* older narrows"):
        model.predict(X, y)
    assert set(model.predict(X, y, by="reconstruction")) <= {-1, 1}
