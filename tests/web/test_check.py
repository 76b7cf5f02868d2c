"""What is said to be wrong with a model is what `evaluate` finds, and the oddest are those with the highest scores."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from narrows.data.dataset import Dataset
from narrows.web.entry import Entry
from narrows.web.library import Library
from narrows.web.questions.check import check
from web.test_questions import ALL


@pytest.mark.parametrize("model", ALL)
def test_the_oddest_come_first_with_what_becomes_of_them(ask, library, model):
    entry, found = library[model], ask("oddest", model=model)
    scores = entry.estimator.anomaly_score(entry.X, entry.y)
    assert found.odd == pytest.approx(np.quantile(scores, 0.99))
    np.testing.assert_allclose(found.scores, np.sort(scores)[::-1][: len(found.scores)], rtol=1e-5)
    np.testing.assert_allclose(scores[found.rows], found.scores, rtol=1e-5)
    look = ask("look", model=model, given={"example": int(found.rows[0])})
    assert look.z == pytest.approx(entry.codes[found.rows[0]].tolist(), abs=1e-5)
    if entry.columns is None:
        np.testing.assert_allclose(found.restored[0].astype(int), look.restored[0].astype(int), atol=1)
        np.testing.assert_allclose(found.maps[0], look.map[0], atol=1e-5)
    else:
        assert found.restored["texts"][0] == look.restored["texts"][0]


def test_what_is_wrong_is_what_evaluate_finds_on_examples_that_it_has_not_seen(library):
    bunch = load_digits()
    estimator, digits = library["one"].estimator, Dataset("digits", bunch.images[300:], bunch.target[300:])
    found = check(Library([Entry("one", estimator, digits, 1497, ())]), "one")
    evaluation = estimator.evaluate(digits.X, digits.y)
    assert found.findings == list(evaluation.findings)
    assert found.findings
    assert (found.judged, found.refused) == (1397, "")


def test_why_a_model_cannot_be_evaluated_is_said(ask):
    found = ask("check", model="one")
    assert (found.findings, found.judged) == ([], 0)
    assert "are those that the model was fitted to" in found.refused
