"""The settings of torch are the user's: under any of them fit, use and load do what they do without, and keep them."""

import threading
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from sklearn.base import clone

from members import MEMBERS, OF_IMAGES, SHAPES, data
from narrows import VAE, Autoencoder, load
from narrows.training.own_state import own_state

ROWS, IMAGES = data(SHAPES["rows"], 40), data(SHAPES["odd"], 20)


@contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device():
    """Of which whatever lands there by mistake has no numbers."""
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=False)


@contextmanager
def threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        yield
    finally:
        torch.set_num_threads(before)


SETTINGS = {
    "default type": default_dtype,
    "default device": default_device,
    "a device's context": lambda: torch.device("meta"),
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "deterministic": deterministic,
    "mixed precision": lambda: torch.autocast("cpu", torch.bfloat16),
    "threads": threads,
}


@contextmanager
def all_of_them():
    with ExitStack() as stack:
        for setting in SETTINGS.values():
            stack.enter_context(setting())
        yield


def seen():
    """All that the settings change."""
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_num_threads(),
    )


def everything(model, folder):
    """What fit, each kind of use, and load come to, in numbers."""
    X = IMAGES if not isinstance(model.net, str) or model.net == "convolutional" else ROWS
    y = np.arange(len(X)) % 2
    model.set_params(epochs=1).fit(X, y)
    codes = model.transform(X, y)
    path = folder / "model.safetensors"
    model.save(path)
    net = None if isinstance(model.net, str) else model.net
    found = {
        "codes": codes,
        "restored": model.reconstruct(X, y),
        "decoded": model.inverse_transform(codes, y),
        "drawn": model.sample_code(X, y, random_state=0),
        "samples": model.sample(3, random_state=0),
        "density": model.score_samples(X, y),
        "errors": model.error_map(X, y),
        "odd": model.anomaly_score(X, y),
        "corrupted": model.corrupt(X, corruption="block", random_state=0),
        "layers": model.activations(X, y)[-1].values.detach().numpy(),
        "again": load(path, net=net).transform(X, y),
    }
    model.fit_prior("posterior", X, y)
    return found | {"of another prior": model.sample(3, random_state=0)}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """Of each member, `everything` without any setting."""
    members = MEMBERS | OF_IMAGES
    return {name: everything(clone(model), tmp_path_factory.mktemp("usual")) for name, model in members.items()}


@pytest.mark.parametrize("name", MEMBERS | OF_IMAGES)
def test_under_all_settings_at_once_every_member_is_the_same(name, usual, tmp_path):
    model = clone((MEMBERS | OF_IMAGES)[name])
    with all_of_them():
        before = seen()
        found = everything(model, tmp_path)
        assert seen() == before
    for kind, numbers in usual[name].items():
        assert found[kind].dtype == numbers.dtype, kind
        np.testing.assert_array_equal(found[kind], numbers, err_msg=kind)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["autoencoder", "vampprior"])
def test_under_each_setting_alone_too(name, setting, usual, tmp_path):
    model = clone(MEMBERS[name])
    with SETTINGS[setting]():
        before = seen()
        found = everything(model, tmp_path)
        assert seen() == before
    for kind, numbers in usual[name].items():
        np.testing.assert_array_equal(found[kind], numbers, err_msg=kind)


def test_between_two_steps_and_after_an_interruption_the_settings_are_the_user_s():
    with all_of_them():
        before = seen()[:-1]  # threads are ours until the training ends
        steps = VAE(2, hidden=(5,), epochs=3, random_state=0).fit_steps(ROWS)
        for _ in range(2):
            next(steps)
            assert seen()[:-1] == before
        with pytest.raises(KeyboardInterrupt):
            steps.throw(KeyboardInterrupt())
        assert seen()[:-1] == before


def test_nets_of_a_user_s_own_may_have_been_made_under_any(tmp_path):
    with all_of_them(), torch.device("cpu"):
        nets = torch.nn.Linear(7, 2), torch.nn.Linear(2, 7)
    assert nets[0].weight.dtype == torch.float64
    model = Autoencoder(2, net=nets, epochs=1, random_state=0).fit(ROWS)
    model.save(tmp_path / "model.safetensors")
    assert model.transform(ROWS).dtype == np.float32
    assert nets[0].weight.dtype == torch.float64


def test_the_last_of_several_threads_gives_the_process_s_settings_back():
    """Also where the one that began first ends first."""
    begun, ended = threading.Event(), threading.Event()
    dtypes = []

    def other():
        with own_state():
            begun.set()
            ended.wait(60)
            dtypes.append(torch.get_default_dtype())

    with default_dtype():
        thread = threading.Thread(target=other)
        with own_state():
            thread.start()
            assert begun.wait(60)
        ended.set()
        thread.join()
        assert dtypes == [torch.float32]
        assert torch.get_default_dtype() == torch.float64
