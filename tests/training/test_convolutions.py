"""Convolutional nets by compiled kernels against torch's, in 64 bits."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from narrows import VAE
from narrows.compiled.kernels import INSTRUCTIONS, kernels
from narrows.models.convolutional import Residual
from narrows.models.nets import ACTIVATIONS, Convolution
from narrows.training import loop
from narrows.training.convolutions import Chain, Linear

if kernels() is None:
    pytest.skip("the kernels are not compiled here", allow_module_level=True)

SETS = INSTRUCTIONS[: INSTRUCTIONS.index(kernels().instructions) + 1]
SIDES = st.integers(1, 19)


def residual(channels, activation):
    return Residual(channels, activation)


def enlarging(outputs):
    return lambda channels, activation: nn.Sequential(
        ACTIVATIONS[activation](), Convolution(channels, outputs), nn.PixelShuffle(2)
    )


def chained(net, instructions):
    """Return what `narrows.training.convolutions` makes of a net."""
    if isinstance(net, Residual):
        activation, first, _, second = net.layers
        return Chain(net, activation, [first, second], kernels(instructions), residual=True)
    return Chain(net, net[0], [net[1]], kernels(instructions), residual=False)


def passed(net, x, gradient):
    """Return outputs and the gradients of inputs and weights."""
    x = x.clone().requires_grad_()
    y = net(x)
    y.backward(gradient)
    return [y.detach(), x.grad, *(p.grad for p in net.parameters())]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Let the kernels work wherever tests run."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    instructions=st.sampled_from(SETS),
    make=st.sampled_from([residual, enlarging(4), enlarging(12), enlarging(64)]),
    activation=st.sampled_from([*ACTIVATIONS]),
    channels=st.sampled_from([16, 32, 80]),
    n=st.integers(1, 5),
    h=SIDES,
    w=SIDES,
)
def test_exact_to_torch_in_64_bits(instructions, make, activation, channels, n, h, w):
    torch.manual_seed(0)
    net = make(channels, activation)
    x = torch.randn(n, channels, h, w)
    gradient = torch.randn_like(net(x))
    found = passed(chained(copy.deepcopy(net), instructions), x, gradient)
    wanted = passed(net.double(), x.double(), gradient.double())
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine.double(), theirs, rtol=0, atol=5e-6 * float(theirs.abs().max()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(1, 40), inputs=st.integers(1, 40), outputs=st.integers(1, 40))
def test_linear_layers_exact_to_torch_in_64_bits(n, inputs, outputs):
    torch.manual_seed(0)
    layer = nn.Linear(inputs, outputs)
    x, gradient = torch.randn(n, inputs), torch.randn(n, outputs)
    found = passed(Linear(copy.deepcopy(layer)), x, gradient)
    for mine, theirs in zip(found, passed(layer.double(), x.double(), gradient.double()), strict=True):
        torch.testing.assert_close(mine.double(), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", [residual, enlarging(12)])
def test_an_image_s_numbers_depend_on_no_other(make):
    torch.manual_seed(0)
    chain = chained(make(16, "silu"), None)
    x = torch.randn(23, 16, 13, 11)
    assert torch.equal(chain(x)[7:8], chain(x[7:8]))
    x[3] = torch.nan
    assert chain(x)[4:].isfinite().all()


def test_what_the_kernels_would_misread_is_refused():
    for changed in ({"dtype": torch.float64}, {"dtype": torch.bfloat16}, {"memory_format": torch.channels_last}):
        chain = chained(residual(16, "silu").to(**changed), None)
        with pytest.raises(TypeError, match="in 32 bits, number after number"):
            chain(torch.randn(2, 16, 8, 8))
    chain = chained(residual(16, "silu"), None)
    with pytest.raises(TypeError, match="in 32 bits, number after number"):
        chain(torch.randn(2, 16, 8, 8, dtype=torch.float16))


@pytest.mark.parametrize("make", [residual, enlarging(12)])
def test_no_images_have_no_gradient(make):
    net = make(16, "silu")
    x = torch.zeros(0, 16, 5, 3)
    outputs, *gradients = passed(chained(net, None), x, torch.zeros_like(net(x)))
    assert outputs.shape == net(x).shape
    assert not any(each.any() for each in gradients)


def test_a_model_in_training_can_be_copied():
    model = VAE(2, net="convolutional", epochs=1, batch_size=8, prior="normal", random_state=0)
    steps = model.fit_steps(np.random.default_rng(0).random((16, 16, 16), np.float32))
    inside = next(steps).training.members[0].model
    x = torch.rand(3, 256)
    for copied in (copy.deepcopy(inside), pickle.loads(pickle.dumps(inside))):
        assert copied.compiled
        with torch.no_grad():
            for parameter in copied.encoder.parameters():
                parameter.add_(0.1)
            torch.testing.assert_close(copied.compiled[copied.encoder](x), copied.encoder(x))
    steps.close()


def test_several_threads_are_torch_s(monkeypatch):
    torch.manual_seed(0)
    net = residual(16, "gelu")
    x = torch.randn(7, 16, 9, 9)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert torch.equal(chained(net, None)(x), net(x))


def test_a_training_comes_to_where_torch_s_own_nets_come_to(monkeypatch):
    images = np.random.default_rng(0).random((48, 19, 17, 3)).astype(np.float32)
    model = VAE(3, net="convolutional", epochs=2, batch_size=20, prior="normal", random_state=0)
    model.fit(images)
    monkeypatch.setattr(loop, "in_kernels", lambda _: {})
    plain = VAE(**model.get_params()).fit(images)
    for mine, theirs in zip(model.history_, plain.history_, strict=True):
        assert [mine["loss"], mine["validation_loss"]] == pytest.approx(
            [theirs["loss"], theirs["validation_loss"]], 1e-4
        )
    found, wanted = model.model_.state_dict(), plain.model_.state_dict()
    assert found.keys() == wanted.keys()
    # AdamW's first steps have one length whatever the gradient, so that a weight of nearly none may go either way.
    apart = torch.cat([(found[name] - tensor).abs().flatten().double() for name, tensor in wanted.items()])
    assert (apart < 1e-4).double().mean() > 0.99
