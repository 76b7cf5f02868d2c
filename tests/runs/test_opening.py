"""Data for a model: labels as the classes that it was fitted to, and numbers in the units that it was."""

import warnings

import numpy as np
import pytest
from PIL import Image

from narrows import VAE, Autoencoder
from narrows.data import load_data
from narrows.data.errors import DataError
from narrows.runs.opening import known_labels, open_codes, warn_of_units


def test_labels_are_found_whatever_type_they_have():
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    model = VAE(2, conditional=True, hidden=(4,), epochs=1, random_state=0).fit(X, y.astype(float))
    for labels in (y, y.astype(float), y.astype(str), y.astype(object), [str(label) for label in y]):
        np.testing.assert_array_equal(known_labels(model.fitted_, labels), y)
        assert model.transform(X, known_labels(model.fitted_, labels)).shape == (20, 2)
    with pytest.raises(DataError, match="label '7' is not a class that the model knows; use one of 0, 1"):
        known_labels(model.fitted_, [0, 7])


def test_images_of_eight_bits_and_of_sixteen_are_told_apart_by_their_ranges(tmp_path):
    levels = np.random.default_rng(0).integers(0, 256, (12, 4, 4), dtype=np.uint8)
    levels[0, 0, :2] = 0, 255
    models, folders = {}, {8: tmp_path / "8", 16: tmp_path / "16"}
    for bits, folder in folders.items():
        folder.mkdir()
        images = levels if bits == 8 else levels.astype(np.uint16) * 257
        for i, image in enumerate(images):
            Image.fromarray(image).save(folder / f"{i:02}.png")
        models[bits] = Autoencoder(2, hidden=(4,), epochs=1, random_state=0).fit(load_data(folder).X).fitted_
    told = {
        (8, 16): "16 reaches from 0 to 65535 and the training data from 0 to 255; 9.% of its numbers lie outside that",
        (16, 8): r"8 reaches from 0 to 255 and the training data from 0 to 65535; it covers 0\.4% of that",
    }
    for (fitted_to, given), words in told.items():
        with pytest.warns(UserWarning, match=f"^{words}: they may be in other units"):
            warn_of_units(models[fitted_to], load_data(folders[given]))
    with pytest.warns(UserWarning, match=r"^00 reaches .* of that: they may"):  # one image alone says so, too
        warn_of_units(models[16], load_data(folders[8] / "00.png"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bits, folder in folders.items():
            warn_of_units(models[bits], load_data(folder))
            warn_of_units(models[bits], load_data(folder / "03.png"))


def test_what_holds_no_codes_is_named(tmp_path):
    model = tmp_path / "m"
    Autoencoder(2, epochs=1, random_state=0).fit(np.random.default_rng(0).random((20, 3))).save(model)
    np.save(tmp_path / "cube.npy", np.zeros((5, 2, 2)))
    (tmp_path / "three.csv").write_text("a,b,c\n1,2,3\n")
    (tmp_path / "text.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "text.parquet").write_text("text")
    for name, told in (
        ("empty.csv", "empty.csv cannot be read: "),
        ("text.parquet", "text.parquet cannot be read: "),
        ("cube.npy", r"cube.npy is of shape \(5, 2, 2\); this model's codes are \(n, 2\)"),
        ("three.csv", r"three.csv is of shape \(1, 3\); this model's codes are \(n, 2\)"),
        ("text.csv", "text.csv, column 'b' holds no numbers"),
    ):
        with pytest.raises(DataError, match=told):
            open_codes(model, tmp_path / name)
