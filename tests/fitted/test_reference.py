"""Which rows were seen in training, where equal ones come again by chance."""

import numpy as np
import pytest
from scipy import stats

from narrows.fitted.reference import UNLIKELY, Reference


@pytest.mark.parametrize("pairs", [0, 1, 30, 100])
@pytest.mark.parametrize("n", [1, 7, 400])
def test_rows_were_seen_if_more_are_equal_to_one_than_by_chance(pairs, n):
    prints = np.sort(np.concatenate([np.arange(200 - pairs), np.arange(pairs)]))
    reference = Reference(prints, np.zeros(0, np.int64), None, 0.0, 0.0, None)
    most = stats.binom.isf(UNLIKELY, n, 2 * pairs / 200)
    for equal in range(n + 1):
        once = np.arange(n) < equal
        assert reference.seen(once.astype(np.int64)).any() == (equal > most)
