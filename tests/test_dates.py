"""Dates as texts write them: read and written in one form, to the same characters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.dates import FORMS, date_form, look_like_dates, moments, written

MOMENTS = st.lists(st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2099-12-31")), min_size=1, max_size=5)


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=20)
@given(times=MOMENTS)
def test_what_is_written_is_read_and_written_the_same(form, times):
    texts = written(pd.DatetimeIndex(times), form)
    again = moments(pd.Series(texts), form)
    assert not again.isna().any()
    assert (written(pd.DatetimeIndex(again), form) == texts).all()
    assert date_form(texts)  # this one, or one that writes these the same


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["3/7/2024", "12/31/2024"], "%-m/%-d/%Y"),
        (["3/7/2024", "31/12/2024"], "%-d/%-m/%Y"),
        (["03/07/2024", "12/31/2024"], "%m/%d/%Y"),
        (["1. 2. 2024", "31. 12. 2024"], "%-d. %-m. %Y"),
        (["3/7/2024 9:05", "12/31/2024 23:59"], "%-m/%-d/%Y %-H:%M"),
        (["3/7/2024", "03/07/2024"], ""),
        (["3/7/2024", "2024-07-03"], ""),
        (["3/7/2024", "soon"], ""),
    ],
)
def test_the_form_is_that_of_all(texts, form):
    assert date_form(np.array(texts, object)) == form


def test_a_form_without_leading_zeros_reads_what_was_meant():
    [third, last] = moments(pd.Series(["3. 7. 2024", "31. 12. 2024"]), "%-d. %-m. %Y")
    assert (third, last) == (pd.Timestamp("2024-07-03"), pd.Timestamp("2024-12-31"))


@pytest.mark.parametrize("text", ["3/7/24", "07-Mar-2024", "7 March 2024", "2024-1-3", "3.7.2024 10:00", "2024/Jul/03"])
def test_dates_of_any_form_look_like_dates(text):
    assert look_like_dates(np.array([text], object))


@pytest.mark.parametrize("text", ["12:30", "1.2.3", "555-12-1234", "555-1234", "A-12-2024", "1.234.567", "12 rue 2024"])
def test_other_texts_do_not(text):
    assert not look_like_dates(np.array([text], object))
