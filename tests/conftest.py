"""Shared data and fitted models. Both switches must be set before SciPy and torch are first imported."""

import os
import signal
from pathlib import Path

os.environ["SCIPY_ARRAY_API"] = "1"
# The tests already run on all cores; threads of their own would only get in each other's way.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from narrows import Autoencoder

# The same examples at every run, however slow the machine: what fails is the change at hand. Others are drawn by
# --hypothesis-profile=default.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("repeatable")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of a shell's background job; commands are to be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)  # of xdist
def pytest_xdist_make_scheduler(config, log):
    """Let one worker have all tests of a file, for which it makes what they share once; and two at most a browser."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            folder, name = Path(nodeid.partition("::")[0]).parts[-2:]
            return (folder, "lecture" in name) if folder == "browser" else (folder, name)

    return Together(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Let layers that tests make have the same weights in any order of tests, and on any number of workers."""
    torch.manual_seed(0)


pytest_collectstart = pytest_runtest_setup  # some are made where a file of tests is imported


@pytest.fixture(scope="session")
def digits():
    """Scikit-learn's digits as images (1797, 8, 8), 0 to 16."""
    return load_digits().images


@pytest.fixture(scope="session")
def table():
    """300 rows of four columns in units of their own, two of them functions of the others."""
    rng = np.random.default_rng(0)
    u = rng.normal(size=(300, 2))
    columns = [u[:, 0] * 1e4, u[:, 1] * 0.01 + 5, u[:, 0] - u[:, 1], np.abs(u[:, 0])]
    return np.stack(columns, axis=1) + rng.normal(size=(300, 4)) * [100, 1e-4, 0.01, 0.01]


@pytest.fixture(scope="session")
def fitted(digits):
    """An autoencoder of a few epochs on the first 300 digits."""
    return Autoencoder(4, epochs=8, random_state=0).fit(digits[:300])
