import numpy as np
import pytest

from narrows.foundations.arguments import finite_array, finite_number, whole_number


def test_finite_array_copies_and_names_the_argument():
    x = np.ones(3)
    finite_array("weights", x)[0] = 5.0
    assert x[0] == 1.0
    with pytest.raises(ValueError, match="weights must be finite, got inf"):
        finite_array("weights", [1.0, np.inf])


def test_numbers_are_checked_by_name():
    assert finite_number("eta", np.float32(0.5)) == 0.5
    assert whole_number("n", np.int64(3), 0) == 3
    with pytest.raises(TypeError, match=r"eta must be one number, got \[1, 2\]"):
        finite_number("eta", [1, 2])
    with pytest.raises(TypeError, match=r"n must be a whole number, got 3\.0"):
        whole_number("n", 3.0, 0)
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        whole_number("n", 0, 1)
