"""A fit interrupted anywhere leaves an estimator unfitted, or wholly the old one, or wholly the new one."""

import copy
import itertools
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

import narrows
from narrows import VAE, Autoencoder
from narrows.estimators import fitting
from narrows.estimators.fitting import fit_together
from narrows.fitted.saving import contents
from narrows.sweeps import Sweep
from narrows.training.processor import limited_threads

X = np.random.default_rng(0).normal(size=(12, 3))
OTHER = np.random.default_rng(1).normal(size=(12, 4))
Y = np.arange(12) % 2

SOURCE = Path(narrows.__file__).parent
COMPLETION = {str(SOURCE / "fitted" / name) for name in ("completion.py", "fitted.py", "scores.py")}
WITH_ESTIMATORS = COMPLETION | {str(SOURCE / "estimators" / name) for name in ("fitting.py", "base.py", "scoring.py")}


def tiny(kind=VAE, **options):
    return kind(2, **{"hidden": (2,), "epochs": 1, "prior": "normal", "random_state": 0, **options})


def interrupted(work, error, place, files):
    """Do ``work`` until it comes to its ``place``-th line of the ``files``; say whether it did."""
    reached, before = set(), sys.gettrace()

    def at_line(frame, event, _):
        if event == "line":
            reached.add((frame.f_code, frame.f_lineno))
            if len(reached) > place:
                sys.settrace(None)
                raise error
        return at_line

    def at_call(frame, *_):
        return at_line if frame.f_code.co_filename in files else None

    sys.settrace(at_call)
    try:
        work()
    except type(error):
        return True
    finally:
        sys.settrace(before)
    return False


def told(estimator):
    """All that a fitted estimator is, but for the time it took; None of one that is not."""
    if not estimator.__sklearn_is_fitted__():
        return None
    metadata, tensors = contents(estimator.fitted_)
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in metadata.history]
    facts = metadata.model_copy(update={"history": rows}).model_dump()
    return facts, {name: array.tobytes() for name, array in tensors.items()}


ERRORS = KeyboardInterrupt(), OSError("as of a full disk")


@pytest.mark.parametrize("again", [False, True], ids=["first fit", "refit"])
def test_at_every_line_of_a_fit(again):
    model = tiny().fit(OTHER) if again else tiny()
    old = told(model)
    for place in itertools.count():
        if not interrupted(lambda: model.fit(X, Y), ERRORS[(place + again) % 2], place, COMPLETION):
            break
        assert told(model) == old
        assert again is hasattr(model, "n_features_in_")
        assert not again or model.n_features_in_ == 4
    assert place > 50
    assert told(model) == told(tiny().fit(X, Y))


def test_where_the_new_value_is_taken_over():
    model, ends = tiny().fit(OTHER), []
    old, new, value = told(model), told(tiny().fit(X, Y)), model.fitted_
    for place in itertools.count():
        model.fitted_ = value
        if not interrupted(lambda: model.fit(X, Y), KeyboardInterrupt(), 3 * place, WITH_ESTIMATORS):
            break
        ends.append(told(model))
    assert all(end in (old, new) for end in ends)
    assert ends[0] == old


def test_together_each_is_whole(monkeypatch):
    """The error comes after one of them is complete: whoever is then has learned, the others are as they were."""
    models = [tiny(Autoencoder, random_state=seed).fit(OTHER) for seed in range(3)]
    old, complete, calls = [told(model) for model in models], fitting.completed, itertools.count()

    def completed(begun, history):
        if next(calls) == 1:
            raise KeyboardInterrupt
        return complete(begun, history)

    monkeypatch.setattr(fitting, "completed", completed)
    with pytest.raises(KeyboardInterrupt):
        [*fit_together(models, X)]
    assert told(models[0]) != old[0]
    assert told(models[0])[0]["input_shape"] == [3]
    assert [told(model) for model in models[1:]] == old[1:]


def test_a_sweep_keeps_what_is_whole():
    for place in (0, 20, 40):
        result = Sweep(X, latent_dims=(1, 2), hidden=(2,), epochs=1, prior="normal")
        assert interrupted(lambda result=result: [*result.run()], KeyboardInterrupt(), place, COMPLETION)
        assert not result.models


@pytest.mark.parametrize("change", [lambda m: m.fit_prior("mixture", X, Y), lambda m: m.fit_threshold(X + 1, Y)])
def test_another_prior_or_threshold_comes_whole_or_not_at_all(change):
    model = tiny().fit(X, Y)
    old, value = told(model), model.fitted_
    for place in itertools.count():
        if not interrupted(partial(change, model), KeyboardInterrupt(), place, WITH_ESTIMATORS):
            break
        if model.fitted_ is not value:  # all of it, but for the return
            assert told(model) != old
            model = tiny().fit(X, Y)
            value = model.fitted_
        assert model.prior == "normal"
    assert place > 10
    assert told(model) != old
    np.testing.assert_array_equal(model.transform(X), tiny().fit(X, Y).transform(X))


def test_a_value_stays_as_it_is():
    model = tiny().fit(X, Y)
    old = model.fitted_
    with pytest.raises(AttributeError):
        old.seed = 1
    with pytest.raises(AttributeError):
        model.model_ = None
    model.history_[0]["loss"] = 0
    assert model.history_[0]["loss"] != 0
    sampled, before = old.model.prior, old.reference
    model.fit_prior("posterior", X, Y).fit_threshold(X + 1)
    model.fit(OTHER)
    assert (old.model.prior, old.reference) == (sampled, before)
    assert old.features == 3


def test_another_prior_leaves_the_nets_shared_and_the_old_one_as_it_was():
    model = tiny().fit(X)
    before, codes = model.fitted_, model.transform(X)
    model.fit_prior("mixture", X)
    assert model.fitted_.model.encoder is not before.model.encoder
    for one, other in zip(before.model.encoder.parameters(), model.model_.encoder.parameters(), strict=True):
        assert one.data_ptr() == other.data_ptr()
    assert type(before.model.prior) is not type(model.model_.prior)
    np.testing.assert_array_equal(model.transform(X), codes)


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_threads_that_use_one_model_get_what_one_gets(kind):
    """Also while it is given another prior, and fitted again, by another."""
    rows = np.random.default_rng(2).normal(size=(600, 3))
    model = tiny(kind, epochs=3).fit(X)
    fitted, alone = model.fitted_, model.transform(rows)
    score, made = model.score_samples(rows), model.sample(50, random_state=0)
    gate = threading.Barrier(4)

    def use(_):
        gate.wait()
        for _ in range(10):
            other = tiny(kind)
            other.fitted_ = fitted
            np.testing.assert_array_equal(other.transform(rows), alone)
            np.testing.assert_allclose(other.score_samples(rows), score, rtol=1e-6)
            np.testing.assert_array_equal(other.sample(50, random_state=0), made)

    def change():
        gate.wait()
        for prior in ("mixture", "posterior", "normal"):
            model.fit_prior(prior, X)
        model.fit(X + 1)

    with ThreadPoolExecutor(4) as pool:
        changed = pool.submit(change)
        list(pool.map(use, range(3)))
        changed.result()


def test_threads_that_use_models_at_a_time_leave_torch_as_many_threads_as_it_had():
    first, second, ended = (threading.Event() for _ in range(3))

    def limit(begins, waits_for, then):
        if begins is second:
            first.wait()
        with limited_threads(1):
            begins.set()
            waits_for.wait()
        then.set()

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(limit, first, second, ended), pool.submit(limit, second, ended, threading.Event())]
            assert [one.result() for one in done] == [None, None]
        with ThreadPoolExecutor(1) as pool:  # a new thread has the process's number
            assert pool.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)


def test_options_are_read_only_and_copied_whole():
    fitted = tiny().fit(X).fitted_
    with pytest.raises(TypeError):
        fitted.options["beta"] = 2.0
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert other.options == fitted.options
        with pytest.raises(TypeError):
            other.options["beta"] = 2.0
