"""Examples as bytes, from black to white."""

import numpy as np
import pytest

from narrows import Autoencoder
from narrows.fitted.levels import as_bytes

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 2), (5, 4, 3)])
def test_bytes_reach_from_black_to_white(shape):
    X = RNG.uniform(-3, 5, (20, *shape))
    X[0], X[1] = -3, 5
    model = Autoencoder(2, epochs=1, random_state=0).fit(X)
    assert as_bytes(model.fitted_, X[2:4]).shape == (2, *(shape if shape[2:] == (3,) else (5, 4)))
    assert (as_bytes(model.fitted_, X[:1]) == 0).all()
    assert (as_bytes(model.fitted_, X[1:2] + 9) == 255).all()
