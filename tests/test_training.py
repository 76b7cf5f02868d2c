"""The loop: its steps, its ends, and its arithmetic against a plain PyTorch loop."""

import copy
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.flop_counter import FlopCounterMode

from narrows import Autoencoder, SparseAutoencoder, recipes
from narrows.models.model import Batch
from narrows.models.nets import initialise
from narrows.training.adamw import adamw_step
from narrows.training.dense.stack import Stack
from narrows.training.general import General
from narrows.training.processor import limited_threads, operations_of, threads_for, without_denormals
from narrows.training.schedules import SCHEDULES

X = np.random.default_rng(0).uniform(size=(50, 6))


def model(**options):
    return Autoencoder(**{"latent_dim": 2, "hidden": (5,), "epochs": 6, "batch_size": 16, "random_state": 0, **options})


def test_a_step_a_batch_and_a_row_an_epoch():
    steps = list(model().fit_steps(X))
    assert [step.step for step in steps] == list(range(1, 6 * 3 + 1))  # 45 of 50 examples in batches of 16
    assert {step.steps for step in steps} == {18}
    assert [step.epoch for step in steps if step.row] == [1, 2, 3, 4, 5, 6]
    assert all(step.row is None for step in steps if step.step % 3)


def test_the_epoch_s_loss_is_the_mean_over_examples():
    steps = list(model(epochs=1).fit_steps(X))
    losses, sizes = np.array([float(step.loss) for step in steps]), np.array([16, 16, 13])
    assert steps[-1].row["loss"] == pytest.approx((losses * sizes).sum() / 45)


def test_the_best_weights_are_kept():
    fitted = model(epochs=60, learning_rate=0.05, schedule="constant", patience=60, input_noise=0.0).fit(X)
    held_out = [row["validation_loss"] for row in fitted.history_]
    assert held_out[-1] > min(held_out)  # otherwise this test could not fail
    mean, _ = fitted.validation_error_
    assert mean * 6 / 2 == pytest.approx(min(held_out), rel=1e-5)


def test_patience_ends_training_early():
    fitted = model(epochs=500, learning_rate=0.05, schedule="constant", patience=4).fit(X)
    held_out = [row["validation_loss"] for row in fitted.history_]
    assert fitted.n_iter_ < 500
    assert int(np.argmin(held_out)) == fitted.n_iter_ - 1 - 4


def test_closed_early_it_is_fitted_with_what_it_had():
    interrupted, whole = model(epochs=20), model(epochs=20)
    steps = interrupted.fit_steps(X)
    for step in steps:
        if step.epoch == 3 and step.row:
            break
    steps.close()
    assert interrupted.n_iter_ == 3
    assert interrupted.history_[0]["loss"] == whole.fit(X).history_[0]["loss"]
    assert np.isfinite(interrupted.sample(4)).all()


def test_closed_before_the_first_epoch_it_is_not_fitted():
    early = model()
    steps = early.fit_steps(X)
    next(steps)
    steps.close()
    assert not hasattr(early, "model_")


def test_a_refit_closed_before_the_first_epoch_leaves_the_first_fit():
    fitted = model().fit(X)
    codes = fitted.transform(X)
    steps = fitted.fit_steps(X * 100 + 3)
    next(steps)
    steps.close()
    np.testing.assert_array_equal(fitted.transform(X), codes)


def test_an_interruption_keeps_what_was_learned():
    fitted = model(epochs=1000)
    steps = fitted.fit_steps(X)
    assert next(step for step in steps if step.epoch == 2)
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt())
    assert fitted.n_iter_ == 1


@pytest.mark.parametrize("kind", [Autoencoder, SparseAutoencoder])
def test_what_diverges_goes_back_and_takes_smaller_steps(kind, monkeypatch):
    """Weights spoilt once in the third epoch: what follows is the third epoch from its start, at half the rate."""
    learner = Stack if kind is Autoencoder else General
    update, parts = learner.step, []

    def spoilt(self, *arguments):
        loss = update(self, *arguments)
        parts.append(arguments[-2])
        if len(parts) == 8:
            weights = self.weights.flat[0] if kind is Autoencoder else next(self.model.parameters()).data
            weights.view(-1)[0] = math.inf
        return loss

    monkeypatch.setattr(learner, "step", spoilt)
    fitted = kind(2, hidden=(5,), epochs=6, batch_size=16, random_state=0, schedule="constant").fit(X)
    assert parts == [1.0] * 9 + [0.5] * 12
    assert [row["epoch"] for row in fitted.history_] == [1, 2, 3, 4, 5, 6]
    assert [row["learning_rate"] for row in fitted.history_] == pytest.approx([4e-3] * 2 + [2e-3] * 4)
    assert all(torch.isfinite(p).all() for p in fitted.model_.parameters())


def test_it_gives_up_after_three_halvings():
    hopeless = Autoencoder(2, hidden=(5,), learning_rate=1e37, schedule="constant", epochs=5, random_state=0)
    with pytest.raises(FloatingPointError, match=r"rate of 1.25e\+36; try a learning_rate well below 1e\+37"):
        hopeless.fit(X)
    assert not hasattr(hopeless, "model_")


def test_equal_to_a_plain_pytorch_loop_with_the_lecture_s_recipe(digits):
    """The same start, the same batches: torch's own layers, MSELoss and Adam must go the same way.

    Our loss is the lecture's ½ ‖x − x̂‖², PyTorch's the mean over features; Adam does not see the factor but for its ε,
    so the plain loop multiplies its loss by 32.
    """
    X = (digits[:256] / 16).reshape(256, -1)
    ours = Autoencoder(8, **{**recipes.LECTURE, "epochs": 3}, random_state=5)
    ours.fit(X)

    generator = torch.Generator().manual_seed(5)
    x = torch.from_numpy(X.astype(np.float32))[torch.randperm(256, generator=generator)]
    net = nn.Sequential(
        *(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8), nn.ReLU()),
        *(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid()),
    )
    initialise(net, generator)
    optimiser, criterion = torch.optim.Adam(net.parameters(), lr=0.001), nn.MSELoss()
    for _ in range(3):
        for batch in torch.randperm(256, generator=generator).split(32):
            optimiser.zero_grad()
            (32 * criterion(net(x[batch]), x[batch])).backward()
            optimiser.step()
    with torch.no_grad():
        expected = net(torch.from_numpy(X.astype(np.float32))).numpy()
    np.testing.assert_allclose(ours.reconstruct(X), expected, atol=1e-5)


def test_initialisation_is_pytorch_s_default():
    layer, reference = nn.Linear(100, 400), nn.Linear(100, 400)
    initialise(layer, torch.Generator().manual_seed(0))
    for ours, theirs in zip(layer.state_dict().values(), reference.state_dict().values(), strict=True):
        assert ours.abs().max() <= 0.1
        assert float(ours.std()) == pytest.approx(float(theirs.std()), rel=0.1)
        assert float(ours.mean()) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 17, 100])
def test_the_one_cycle_schedule_is_pytorch_s(steps):
    optimiser = torch.optim.AdamW([nn.Parameter(torch.zeros(1))], 1.0)
    parts = {"div_factor": 2, "final_div_factor": 250_000 / 2}
    scheduler = OneCycleLR(optimiser, 1.0, total_steps=max(steps, 4) + 1, **parts)
    for step in range(steps):
        group = optimiser.param_groups[0]
        assert SCHEDULES["one-cycle"](step, steps) == pytest.approx((group["lr"], group["betas"][0]), abs=1e-12)
        optimiser.step()
        scheduler.step()


def test_the_number_of_threads_is_put_back():
    before = torch.get_num_threads()
    seen = {torch.get_num_threads() for _ in model().fit_steps(X)}
    assert seen == {1}
    assert torch.get_num_threads() == before
    with limited_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_heavy_steps_are_worth_more_threads():
    dense, images = model().fit(X).model_, Autoencoder(2, epochs=1).fit(np.eye(256).reshape(-1, 16, 16)).model_
    with limited_threads(2):
        for net, features, heavy in ((dense, X.shape[1], 10**7), (images, 256, 1000)):
            one = Batch(torch.zeros(1, features), None)
            assert [threads_for(n * operations_of(net, one)) for n in (1, heavy)] == [1, 2]


def test_operations_are_those_that_torch_counts():
    net = Autoencoder(2, epochs=1).fit(np.eye(256).reshape(-1, 16, 16)).model_
    one = Batch(torch.zeros(1, 256), None)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net.decode(net.encode(one.x))
    assert operations_of(net, one) == counter.get_total_flops()


def test_a_batch_normalisation_learns_nothing_from_counting():
    encoder = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.BatchNorm1d(392), nn.Linear(392, 2))
    decoder = nn.Sequential(nn.Linear(2, 256), nn.Unflatten(1, (1, 16, 16)))
    net = Autoencoder(2, net=(encoder, decoder), epochs=1).fit(np.eye(256).reshape(-1, 16, 16)).model_.train()
    before = [buffer.clone() for buffer in net.buffers()]
    assert operations_of(net, Batch(torch.zeros(1, 256), None)) == 2 * (2 * 196 * 9 + 392 * 2 + 2 * 256)
    assert all(map(torch.equal, before, net.buffers()))


def test_denormal_numbers_are_zero_only_while_a_step_is_taken():
    small = torch.full((1,), 1e-40)
    assert small * 1 > 0
    with without_denormals():
        assert small * 1 == 0
    for _ in model().fit_steps(X):
        assert small * 1 > 0
    torch.set_flush_denormal(True)
    for _ in model().fit_steps(X):
        assert small * 1 == 0
    torch.set_flush_denormal(False)


def test_epochs_follow_the_size_of_the_data():
    def epochs(n):
        return next(
            model(epochs="auto", batch_size=64, validation_fraction=0.0).fit_steps(np.zeros((n, 2)) + X[:2, :2].mean())
        ).epochs

    assert epochs(10) == 500
    assert epochs(64 * 20) == 275
    assert epochs(64 * 1000) == 20


def test_noise_is_drawn_anew_at_every_step():
    from narrows.models.corruptions import Corruption

    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(20, 100)
    first, second = (Corruption("gaussian", 0.3, 0.3, (100,))(x, generator, 0.5) for _ in range(2))
    assert not torch.equal(first, second)
    assert first.std() == pytest.approx(0.3, rel=0.1)
    assert torch.equal(Corruption("gaussian", 0.0, 0.0, (100,))(x, generator, 0.5), x)


def test_noise_goes_linearly_from_first_to_last():
    from narrows.models.corruptions import Corruption

    x = torch.zeros(200, 100)
    for progress, sigma in ((0.0, 0.4), (0.25, 0.3), (1.0, 0.0)):
        noisy = Corruption("gaussian", 0.4, 0.0, (100,))(x, torch.Generator().manual_seed(0), progress)
        assert float(noisy.std()) == pytest.approx(sigma, rel=0.03)


def test_log_prob_is_scipy_s_normal_density():
    from scipy.stats import norm

    from narrows.models.likelihoods import SquaredError

    likelihood = SquaredError(nn.Identity())
    likelihood.sigma.fill_(0.3)
    x, h = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    expected = norm.logpdf(x.numpy(), h.numpy(), 0.3).sum(1)
    np.testing.assert_allclose(likelihood.log_prob(x, h).numpy(), expected, rtol=1e-6)


def test_score_samples_is_a_density_in_the_user_s_units(digits):
    """Multiplying the data by c must take log c per feature from the log density."""
    X = digits[:100]
    small, large = (Autoencoder(2, epochs=3, random_state=0).fit(c * X) for c in (1, 8))
    difference = small.score_samples(X) - large.score_samples(8 * X)
    np.testing.assert_allclose(difference, 64 * math.log(8), rtol=1e-4)


def test_calibration_makes_the_held_out_part_as_likely_as_it_can_be(fitted, digits):
    X = digits[:300]
    net = copy.deepcopy(fitted.model_)
    x = torch.from_numpy(fitted.scaling_.apply(X.reshape(300, -1)))
    net.likelihood.calibrate(x, net.decode(net.encode(x)).detach())
    best = net.log_prob(Batch(x, None)).mean()
    for factor in (0.9, 1.1):
        net.likelihood.sigma.mul_(factor)
        assert net.log_prob(Batch(x, None)).mean() < best
        net.likelihood.sigma.div_(factor)


def test_the_optimiser_s_step_is_torch_s_adamw():
    generator = torch.Generator().manual_seed(0)
    mine = [torch.randn(shape, generator=generator) for shape in ((3, 2, 3, 3), (4,))]
    theirs = [nn.Parameter(tensor.clone()) for tensor in mine]
    moments = [[torch.zeros_like(tensor) for tensor in mine] for _ in range(2)]
    optimiser, steps = torch.optim.AdamW(theirs), torch.zeros(())
    for rate, momentum in ((0.1, 0.9), (0.01, 0.85), (0.2, 0.95)):
        gradients = [torch.randn(tensor.shape, generator=generator) for tensor in mine]
        steps += 1
        adamw_step(mine, gradients, *moments, steps, rate=rate, momentum=momentum, decay=0.3)
        optimiser.param_groups[0].update(lr=rate, betas=(momentum, 0.999), weight_decay=0.3)
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = gradient
        optimiser.step()
        for tensor, parameter in zip(mine, theirs, strict=True):
            torch.testing.assert_close(tensor, parameter.data)


def test_a_training_that_nobody_ends_says_nothing_at_the_end_of_the_program():
    code = "import numpy, narrows; steps = narrows.Autoencoder(2).fit_steps(numpy.eye(99, 5)); [*zip(range(60), steps)]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
