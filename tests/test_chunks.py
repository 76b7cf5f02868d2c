"""Rows some at a time."""

import pytest

from narrows.chunks import chunks


@pytest.mark.parametrize(
    ("n", "size", "numbers", "lengths"),
    [(10, 3, 12, [4, 4, 2]), (8, 3, 12, [4, 4]), (3, 5, 4, [1, 1, 1]), (2, 0, 4, [2]), (0, 3, 12, [])],
)
def test_slices_cover_all_rows_in_order_and_hold_no_more_numbers_than_asked(n, size, numbers, lengths):
    rows = list(range(n))
    parts = [rows[part] for part in chunks(n, size, numbers)]
    assert [len(part) for part in parts] == lengths
    assert [row for part in parts for row in part] == rows
