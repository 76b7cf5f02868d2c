"""Another device, and fewer bits: where the nets learn, and what they are then."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from members import MEMBERS, OF_IMAGES, SHAPES, data, labels
from narrows import VAE, VQVAE, Autoencoder, ContractiveAutoencoder, load
from narrows.data.synthetic import shapes
from narrows.estimators import fitting
from narrows.training import loop
from narrows.training.checkpoint import Checkpoint, CheckpointError
from narrows.training.processor import MUCH, REPAID, compiled_for, device_for, exact, half_for, limited_threads
from narrows.training.state import State

IMAGES = shapes(96, size=16).X


def leave(steps, last):
    """Take ``steps`` up to the ``last``, and leave a checkpoint of that."""
    step = next(step for step in steps if step.step == last)
    step.training.checkpoint.write(step.training.state())
    steps.close()


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs that torch seems to see."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(torch._C._acc, "DeviceGuard"), reason="this torch takes no device written in Python")
def test_every_model_learns_elsewhere_and_comes_to_the_same():
    """On a device that refuses tensors of the CPU's, as a GPU does; all but the kernels is as it would be there."""
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    command = [sys.executable, here / "away.py"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["model"] for row in found] == [*MEMBERS, *OF_IMAGES]
    assert all(row["moved"] for row in found)
    # Convolutions here are the compiled kernels', whose rounding many steps enlarge: 2e-4 were seen.
    within = {"own nets": 1e-2, "convolutional": 1e-3}
    assert all(row["apart"] < within.get(row["model"], 1e-4) for row in found), found
    # The tails of p-values are steep: of some models a thousand times the rounding of the distances that they are of.
    assert all(row["odd"] < 1e-2 for row in found), found


@pytest.mark.by_hand
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", [*MEMBERS, *OF_IMAGES])
def test_every_model_learns_on_a_gpu(name, tmp_path):
    X = data(SHAPES["odd" if name in OF_IMAGES else "grey"])
    y = labels(len(X))
    model, options = clone((MEMBERS | OF_IMAGES)[name]), {"device": "cuda", "precision": "float32"}
    here = clone(model).fit(X, y)
    there = clone(model).set_params(**options).fit(X, y)
    assert {p.device.type for p in there.model_.parameters()} == {"cpu"}
    # Other noise, the same law: as far apart as two seeds are. The log-densities of IWAE's Bernoulli are about 0 nats.
    nats = 0.5 if name == "iwae" else 0
    assert there.history_[-1]["loss"] == pytest.approx(here.history_[-1]["loss"], rel=0.2, abs=nats)
    leave(clone(model).set_params(**options).fit_steps(X, y, checkpoint=tmp_path / "state"), 3)
    again = clone(model).set_params(**options).fit(X, y, checkpoint=tmp_path / "state")
    for a, b in zip(there.model_.state_dict().values(), again.model_.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4 if isinstance(model, VQVAE) else 0, atol=0)
    context = y if there.conditional else None
    far = there.reconstruct(X, context), there.score_samples(X, context)
    there.set_params(device="cpu")
    for a, b in zip((there.reconstruct(X, context), there.score_samples(X, context)), far, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-2)


@pytest.mark.by_hand
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_learns_convolutions_in_16_bits():
    X = shapes(2000, size=28).X
    ends = [
        VAE(8, net="convolutional", epochs=3, prior="normal", device="cuda", precision=precision, random_state=0)
        .fit(X)
        .history_[-1]["validation_loss"]
        for precision in ("float32", "bfloat16")
    ]
    assert ends[1] == pytest.approx(ends[0], rel=0.03)


def test_a_training_does_not_go_on_on_another_kind_of_device(tmp_path):
    """Which would draw other noise, from a state that the first one's generator cannot have."""
    model = Autoencoder(2, epochs=2, device="cpu", random_state=0)
    model.fit(IMAGES, checkpoint=tmp_path / "state")
    begun = fitting.begin(model, IMAGES, None)
    with pytest.raises(CheckpointError, match="device was 'cpu' and is 'cuda' now"):
        Checkpoint(tmp_path / "state", fitting._identity([begun], torch.device("cuda"))).read(State)


@pytest.mark.usefixtures("gpus")
def test_a_gpu_is_taken_for_what_is_worth_it():
    assert [str(device_for("auto", operations)) for operations in (MUCH, 2 * MUCH)] == ["cpu", "cuda"]
    assert [str(device_for(name, 0)) for name in ("cpu", "cuda", "cuda:1")] == ["cpu", "cuda", "cuda:1"]


def test_without_a_gpu_auto_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert str(device_for("auto", 1e15)) == "cpu"


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"device": "gpu"}, "device='gpu' must be 'auto', 'cpu', or a GPU such as 'cuda' or 'cuda:1'"),
        ({"device": "cuda:x"}, "device='cuda:x' must be"),
        ({"device": "cuda:"}, "device='cuda:' must be"),
        ({"device": 0}, "device=0 must be"),
        ({"device": None}, "device=None must be"),
        ({"device": "cuda:2"}, "device='cuda:2': torch can use 2 GPUs here; use 'cpu', or 'auto'"),
        ({"device": "cuda", "devices": 2}, "device='cuda' is for one process"),
        ({"precision": "float16"}, "precision='float16'"),
    ],
)
def test_a_device_that_is_none_is_refused_before_anything_is_learned(options, told):
    with pytest.raises(ValueError, match=r"(?s)device|precision") as refused:
        Autoencoder(2, **options).fit(IMAGES)
    assert told in str(refused.value)


def test_a_file_says_nothing_of_the_device(tmp_path):
    model = Autoencoder(2, epochs=1, device="cpu", precision="bfloat16", random_state=0).fit(IMAGES)
    model.save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").get_params() == model.get_params() | {"device": "auto"}


@pytest.mark.parametrize(
    ("precision", "net", "units", "operations", "half"),
    [
        ("auto", "convolutional", True, 2 * MUCH, True),
        ("auto", "convolutional", False, 2 * MUCH, False),
        ("auto", "convolutional", True, MUCH, False),
        ("auto", "dense", True, 2 * MUCH, False),
        ("float32", "convolutional", True, 2 * MUCH, False),
        ("bfloat16", "dense", False, 0, True),
    ],
)
def test_16_bits_are_for_convolutions_where_there_are_units_for_them(
    monkeypatch, precision, net, units, operations, half
):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: units)
    model = Autoencoder(2, net=net, epochs=1, random_state=0).fit(IMAGES).model_
    assert half_for(precision, model, torch.device("cpu"), operations) is half


@pytest.mark.parametrize("net", ["dense", "convolutional"])
def test_nets_learn_in_16_bits_and_answer_in_32(net):
    model = VAE(2, net=net, epochs=2, batch_size=32, precision="bfloat16", random_state=0)
    seen = {True: set(), False: set()}

    def watch(layer, _, output):
        seen[layer.training].add(output.dtype)

    steps = model.fit_steps(IMAGES)
    for number, step in enumerate(steps):
        net_ = step.training.members[0].model
        if number == 0:
            for layer in net_.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    layer.register_forward_hook(watch)
        assert step.losses.dtype is torch.float32
        assert {p.dtype for p in net_.parameters()} == {torch.float32}
    assert seen == {True: {torch.bfloat16}, False: {torch.float32}}
    assert model.transform(IMAGES).dtype == np.float32


def test_16_bits_come_to_what_32_come_to():
    ends = {
        precision: [
            VAE(4, net="convolutional", epochs=4, prior="normal", precision=precision, random_state=seed)
            .fit(IMAGES)
            .history_[-1]["validation_loss"]
            for seed in range(3)
        ]
        for precision in ("float32", "bfloat16")
    }
    np.testing.assert_allclose(ends["bfloat16"], ends["float32"], rtol=0.03)


def test_a_training_in_16_bits_goes_on_in_them_on_another_machine(tmp_path, monkeypatch):
    """One whose processor has no units for them."""
    whole = Autoencoder(2, net="convolutional", epochs=3, random_state=0, precision="auto")
    monkeypatch.setattr(fitting, "half_for", lambda *_: True)
    wanted = clone(whole).fit(IMAGES)
    leave(clone(whole).fit_steps(IMAGES, checkpoint=tmp_path / "state"), 5)
    monkeypatch.setattr(fitting, "half_for", lambda *_: False)
    found = clone(whole).fit(IMAGES, checkpoint=tmp_path / "state")
    for name, tensor in wanted.model_.state_dict().items():
        assert torch.equal(tensor, found.model_.state_dict()[name]), name


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch's compiler needs g++")
@pytest.mark.filterwarnings("ignore")  # torch's compiler gives itself some
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(VAE, marks=pytest.mark.by_hand),
        pytest.param(VQVAE, marks=pytest.mark.by_hand),
        pytest.param(ContractiveAutoencoder, marks=pytest.mark.slow),
    ],
)
def test_compiled_nets_learn_the_same_and_are_left_behind(kind, monkeypatch):
    """Here compiled for the CPU, which otherwise only a GPU's are."""
    model = kind(2, net="convolutional", epochs=2, batch_size=40, prior="normal", precision="float32", random_state=0)
    wanted, calls = clone(model).fit(IMAGES).model_, []

    def compiled(net, *_):
        calls.append(net)
        return {part: torch.compile(part) for part in (net.encoder, net.decoder)}

    monkeypatch.setattr(loop, "compiled_for", compiled)
    found = clone(model).fit(IMAGES).model_
    assert len(calls) == (kind is not ContractiveAutoencoder)
    assert not found.compiled
    for name, tensor in wanted.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], tensor, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.usefixtures("gpus")
def test_only_long_trainings_on_a_gpu_are_compiled(monkeypatch):
    model = Autoencoder(2, epochs=1, random_state=0).fit(IMAGES).model_
    monkeypatch.setattr(torch, "compile", lambda net: net)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    monkeypatch.setenv("CC", "cc")
    for device, steps, nets in (("cpu", REPAID, 0), ("cuda", REPAID - 1, 0), ("cuda", REPAID, 2)):
        assert len(compiled_for(model, torch.device(device), steps)) == nets
    with monkeypatch.context() as lacking:
        lacking.setattr(importlib.util, "find_spec", lambda _: None)
        assert not compiled_for(model, torch.device("cuda"), REPAID)
    with monkeypatch.context() as old:
        old.setattr(torch.cuda, "get_device_capability", lambda _: (6, 1))
        assert not compiled_for(model, torch.device("cuda"), REPAID)
    monkeypatch.delenv("CC")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert not compiled_for(model, torch.device("cuda"), REPAID)


def test_on_a_gpu_convolutions_keep_all_bits_and_their_order():
    def flags():
        return torch.backends.cudnn.enabled, torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic

    before = flags()
    with exact(torch.device("cuda")):
        assert flags() == (True, False, True)
    with exact(torch.device("cpu")):
        assert flags() == before
    assert flags() == before


def test_more_threads_change_nothing_of_where_training_starts():
    X, found = np.random.default_rng(0).random((1500, 64)), []
    for threads in (1, 2):
        with limited_threads(threads):
            found.append(fitting.begin(Autoencoder(8, random_state=0), X, None).member.model.encoder.linear.weight)
    assert torch.equal(*found)
