"""Labels of data as the classes that a model was fitted to."""

import numpy as np
import pytest

from narrows import VAE
from narrows.data.errors import DataError
from narrows.runs.opening import known_labels


def test_labels_are_found_whatever_type_they_have():
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    model = VAE(2, conditional=True, hidden=(4,), epochs=1, random_state=0).fit(X, y.astype(float))
    for labels in (y, y.astype(float), y.astype(str), y.astype(object), [str(label) for label in y]):
        np.testing.assert_array_equal(known_labels(model.fitted_, labels), y)
        assert model.transform(X, known_labels(model.fitted_, labels)).shape == (20, 2)
    with pytest.raises(DataError, match="label '7' is no class that the model knows; known are 0, 1"):
        known_labels(model.fitted_, [0, 7])
