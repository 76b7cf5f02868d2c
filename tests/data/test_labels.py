"""Labels of every type: classes, or none, and the same class whatever the number of labels asked about."""

import numpy as np
import pandas as pd
import pytest

from narrows.data.labels import class_indices, class_labels

WHOLE = np.arange(100)


@pytest.mark.parametrize("n", [1, 2, 16, 100])
def test_text_is_no_number_however_many(n):
    with pytest.raises(ValueError, match=r"y='7' is text, but this model's classes are each a number, such as 0"):
        class_indices("7", WHOLE, n)
    with pytest.raises(ValueError, match=r"y=7 is a number, but this model's classes are each text, such as '0'"):
        class_indices(7, WHOLE.astype(str), n)
    np.testing.assert_array_equal(class_indices(7, WHOLE, n), np.full(n, 7))
    np.testing.assert_array_equal(class_indices("7", np.unique(WHOLE.astype(str)), n), np.full(n, 67))


@pytest.mark.parametrize(
    "y",
    [
        [3, 10, 3],
        np.array([3.0, 10.0, 3.0], np.float32),
        np.array([3, 10, 3], object),
        pd.Series([3, 10, 3]),
        pd.Series([3, 10, 3], dtype="Int64"),
        np.array([[3], [10], [3]], np.uint8),
    ],
    ids=repr,
)
def test_whole_numbers_of_any_type_are_the_same_classes(y):
    classes, indices = class_labels(y, 3, needed=True)
    assert classes.tolist() == [3, 10]
    assert indices.tolist() == [0, 1, 0]
    assert class_indices(np.ravel(y), classes, 3).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "y",
    [
        ["b", "aa", "b"],
        np.array([b"b", b"aa", b"b"]),
        np.array([b"b", b"aa", b"b"], object),
        pd.Series(["b", "aa", "b"]),
        pd.Series(["b", "aa", "b"], dtype="category"),
        pd.Series(["b", "aa", "b"], dtype="string"),
    ],
    ids=repr,
)
def test_text_of_any_type_is_the_same_classes(y):
    classes, indices = class_labels(y, 3, needed=True)
    assert classes.tolist() == ["aa", "b"]
    assert indices.tolist() == [1, 0, 1]
    assert class_indices(y, classes, 3).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "y", [["a", None, "b"], pd.Series(["a", pd.NA, "b"], dtype="string"), [1.0, np.nan, 2.0], [1, None, 2]], ids=repr
)
def test_labels_of_some_only_are_refused(y):
    with pytest.raises(ValueError, match="y has no label in 1 of 3 rows, first in row 1; fill them, leave"):
        class_labels(y, 3, needed=False)


@pytest.mark.parametrize("y", [[0.5, 1.5, 2.5], [0.5, np.nan, 1.5]], ids=repr)
def test_quantities_are_no_classes(y):
    assert class_labels(y, 3, needed=False)[0] is None
    with pytest.raises(ValueError, match=r"float64 of shape .* is not a list of classes"):
        class_labels(y, 3, needed=True)


@pytest.mark.parametrize("y", [pd.to_datetime(["2020-01-01"] * 3), [{}, {}, {}], [["a", "b"]] * 3], ids=repr)
def test_what_is_neither_is_said_to_be_left_out(y):
    with pytest.warns(UserWarning, match=r"y, .* is not a list of classes.*; the model learns no classes"):
        assert class_labels(y, 3, needed=False)[0] is None


def test_another_number_is_refused():
    with pytest.raises(ValueError, match="y has 2 labels for 3 examples"):
        class_labels([1, 2], 3, needed=False)
    with pytest.raises(ValueError, match=r"y has shape \(2,\); one label is expected, or one for each of 3"):
        class_indices([1, 2], WHOLE, 3)
    with pytest.raises(ValueError, match=r"y=100 is not a class of this model; its classes are 0, .* 19 …"):
        class_indices([1, 100, 2], WHOLE, 3)
    assert class_indices(np.True_, np.array([0, 1]), 1).tolist() == [1]
