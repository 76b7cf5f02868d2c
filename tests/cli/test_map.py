"""`narrows map`: a folder with a model, everyone's place, and the picture of these."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from narrows import load


@pytest.mark.parametrize("labelled", [True, False])
def test_map_writes_a_model_the_places_of_all_examples_and_a_picture(tmp_path, typed, labelled):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    if labelled:
        rows["label"] = np.repeat(["odd", "even"], 30)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    options = ("--epochs", "2", "--option", "hidden=[8]", "--out", "found")
    output, _ = typed(tmp_path, "map", "rows.csv", *options)
    folder = tmp_path / "found"
    places = pd.read_csv(folder / "map.csv")
    model = load(folder / "model.safetensors")
    assert model.get_params()["neighbours"] > 0
    assert output.split("Written:")[1].split()[0].endswith("map.png")
    np.testing.assert_allclose(places[["x", "y"]], model.transform(rows[["a", "b", "c"]]), rtol=1e-5)
    assert "60 of the 60 examples of rows" in output
    assert (folder / "map.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with Image.open(folder / "map.png") as picture:
        assert min(picture.size) > 500


def test_map_refuses_a_discrete_code(tmp_path, typed):
    _, errors = typed(tmp_path, "map", "digits", "--model", "vqvae", status=2)
    assert "error: --model vqvae: neighbours=20 must be 0 for VQVAE" in errors  # which nobody has typed
    _, errors = typed(tmp_path, "map", "digits", "--option", "neighbours=-1", status=2)
    assert "error: neighbours=-1 must be" in errors
