"""Likelihoods normalise, agree with torch.distributions, and find the scale of what is left."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from torch import distributions, nn

from narrows.models.likelihoods import (
    LIKELIHOODS,
    SMALLEST_SCALE,
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    SquaredError,
)
from narrows.scaling import Scaling

LOGITS = [0.0, 0.4999, 0.5001, 1e-12, -1e-7, 1e-3, -0.0999, 0.09999999, 0.1, 0.1000001, -0.5, 3.0, 50.0, -50.0]


COUNTS = np.array([[0, 3, 2, 700], [9, 0, 0, 650], [1, 1, 0, 702], [30, 2, 1, 698], [4, 0, 5, 640]], float)
SCALINGS = [Scaling.fit(COUNTS, "global"), Scaling.fit(COUNTS, "feature")]


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


def scaled(kind, scale):
    """A likelihood of the scale given: σ, or Laplace's b."""
    likelihood = kind(nn.Identity()).double()
    for name, tensor in (*likelihood.named_parameters(), *likelihood.named_buffers()):
        tensor.data.fill_(math.log(scale) if name.startswith("log") else scale)
    return likelihood


REFERENCES = {
    SquaredError: distributions.Normal,
    Gaussian: distributions.Normal,
    Laplace: distributions.Laplace,
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(REFERENCES)),
    st.floats(1e-3, 1e3),
    st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=6),
)
def test_location_and_scale_are_torchs(kind, scale, pairs):
    x, h = torch.tensor(pairs, dtype=torch.float64).T[:, None]
    likelihood = scaled(kind, scale)
    expected = REFERENCES[kind](h, scale).log_prob(x).sum(-1)
    torch.testing.assert_close(likelihood.log_prob(x, h).detach(), expected, rtol=1e-9, atol=1e-9)
    assert torch.equal(likelihood.mean(h), h)


@pytest.mark.parametrize("kind", LIKELIHOODS.values())
def test_codes_may_stand_before_the_examples(kind):
    likelihood = kind.for_data(SCALINGS[0]).double()
    x, h = torch.rand(4, 4, dtype=torch.float64), torch.randn(5, 4, 4, dtype=torch.float64)
    together = likelihood.log_prob(x, h)
    assert together.shape == (5, 4)
    torch.testing.assert_close(together, torch.stack([likelihood.log_prob(x, one) for one in h]))
    assert likelihood.loss(x, h).shape == (5, 4)
    assert (likelihood.mean(h) > 0).all()
    assert (likelihood.mean(h) < (1 if kind in REFERENCES or likelihood.bounded else math.inf)).all()


@pytest.mark.parametrize("sigma", [None, 0.3])
def test_the_gaussian_with_fixed_sigma_has_no_parameter_and_keeps_it(sigma):
    likelihood = Gaussian(nn.Identity(), sigma)
    assert len(list(likelihood.parameters())) == (sigma is None)
    likelihood.calibrate(torch.full((9, 2), 5.0), torch.zeros(9, 2))
    assert likelihood.log_sigma.exp().item() == pytest.approx(5.0 if sigma is None else 0.3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-40, 40), min_size=1, max_size=5))
def test_bernoulli_sums_to_one_over_all_binary_vectors(h):
    x = torch.tensor(list(itertools.product((0.0, 1.0), repeat=len(h))), dtype=torch.float64)
    log_prob = Bernoulli().log_prob(x, torch.tensor(h, dtype=torch.float64).expand_as(x))
    # torch's softplus leaves out e⁻ʰ from h = 20 on.
    assert log_prob.exp().sum().item() == pytest.approx(1, abs=len(h) * 3e-9)
    reference = distributions.Bernoulli(logits=torch.tensor(h, dtype=torch.float64)).log_prob(x).sum(-1)
    torch.testing.assert_close(log_prob, reference, rtol=1e-12, atol=len(h) * 3e-9)


@pytest.mark.parametrize("h", [*LOGITS, 1e4, -1e4])
def test_bernoulli_losses_and_gradients_are_finite(h):
    for kind in (Bernoulli(), ContinuousBernoulli()):
        logit = torch.tensor([[h]], requires_grad=True)
        loss = kind.loss(torch.tensor([[0.3]]), logit)
        loss.sum().backward()
        assert torch.isfinite(loss).all()
        assert torch.isfinite(logit.grad).all()
        # d/dh (−log p) = E[x] − x, for both members of the exponential family.
        assert logit.grad.item() == pytest.approx(kind.mean(logit).item() - 0.3, abs=2e-5)


@pytest.mark.parametrize("h", LOGITS)
def test_continuous_bernoulli_integrates_to_one_and_to_its_mean(h):
    likelihood, logit = ContinuousBernoulli(), column(h)

    def density(x):
        return likelihood.log_prob(column(x), logit).exp().item()

    # The density of h = ±50 sits at one end, which the integration is told.
    ends = [0.1, 0.9]
    assert quad(density, 0, 1, points=ends, epsabs=1e-12)[0] == pytest.approx(1, abs=1e-9)
    mean = quad(lambda x: x * density(x), 0, 1, points=ends, epsabs=1e-12)[0]
    assert likelihood.mean(logit).item() == pytest.approx(mean, abs=1e-8)


@settings(max_examples=50, deadline=None)
@given(st.floats(-15, 15), st.floats(0, 1))
def test_continuous_bernoulli_is_torchs_where_that_is_exact(h, x):
    reference = distributions.ContinuousBernoulli(logits=column(h), lims=(0.4999, 0.5001))
    log_prob = ContinuousBernoulli().log_prob(column(x), column(h))
    torch.testing.assert_close(log_prob, reference.log_prob(column(x)).sum(-1), rtol=1e-5, atol=1e-6)


def test_in_32_bits_it_agrees_with_64():
    h = torch.cat([torch.linspace(-60, 60, 2001), torch.linspace(-0.3, 0.3, 2001)])[:, None]
    x, likelihood = torch.full_like(h, 0.37), ContinuousBernoulli()
    exact = likelihood.log_prob(x.double(), h.double())
    torch.testing.assert_close(likelihood.log_prob(x, h).double(), exact, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(likelihood.mean(h).double(), likelihood.mean(h.double()), rtol=0, atol=5e-7)
    assert (likelihood.mean(h[:2001]).diff(dim=0) > 0).all()


@pytest.mark.parametrize("kind", REFERENCES)
def test_calibration_is_maximum_likelihood(kind):
    rng = np.random.default_rng(0)
    x, mean = torch.from_numpy(rng.normal(size=(50, 4))), torch.from_numpy(rng.normal(size=(50, 4)))
    likelihood = kind(nn.Identity()).double()
    likelihood.calibrate(x, mean)
    best = likelihood.log_prob(x, mean).sum().item()
    residuals = (x - mean).abs()
    scale = residuals.mean().item() if kind is Laplace else residuals.square().mean().sqrt().item()
    assert best == pytest.approx(scaled(kind, scale).log_prob(x, mean).sum().item(), abs=1e-9)
    assert all(scaled(kind, scale * f).log_prob(x, mean).sum() < best for f in (0.97, 1.03))


@pytest.mark.parametrize("kind", REFERENCES)
def test_a_perfect_fit_does_not_make_the_density_infinite(kind):
    likelihood = kind(nn.Identity())
    likelihood.calibrate(torch.ones(3, 2), torch.ones(3, 2))
    expected = REFERENCES[kind](0.0, SMALLEST_SCALE).log_prob(torch.tensor(0.0)).item() * 2
    assert likelihood.log_prob(torch.ones(1, 2), torch.ones(1, 2)).item() == pytest.approx(expected, rel=1e-4)


def test_squared_error_trains_on_half_the_square_whatever_sigma():
    likelihood = scaled(SquaredError, 0.1)
    assert likelihood.loss(column(3.0), column(1.0)).item() == pytest.approx(2)


@pytest.mark.parametrize("kind", LIKELIHOODS.values())
@pytest.mark.parametrize("scaling", SCALINGS)
def test_each_feature_has_a_term_so_that_a_mask_can_leave_some_out(kind, scaling):
    """What is left is the density, and the loss, of the others alone."""
    kept = np.array([True, False, True, True])
    some = kind.for_data(Scaling(scaling.kind, scaling.offset[kept], scaling.scale[kept]))
    likelihood = kind.for_data(scaling)
    x, h = torch.from_numpy(scaling.apply(COUNTS)), torch.randn(3, 5, 4)
    if likelihood.bounded:
        x = x.sigmoid()
    for name, total in (("log_terms", some.log_prob), ("loss_terms", some.loss)):
        terms = getattr(likelihood, name)(x, h)
        assert terms.shape == h.shape
        torch.testing.assert_close((terms * torch.from_numpy(kept)).sum(-1), total(x[:, kept], h[..., kept]))


@pytest.mark.parametrize("kind", [SquaredError, Gaussian, Laplace, Bernoulli])
def test_an_output_for_a_mean_has_that_mean(kind):
    for scaling in SCALINGS:
        likelihood = kind.for_data(scaling)
        x = torch.tensor([[0.1, 0.5, 0.7, 0.3]])
        torch.testing.assert_close(likelihood.mean(likelihood.output_for(x)), x)


@pytest.mark.parametrize(("kind", "reference"), REFERENCES.items())
def test_the_deviation_is_that_of_torchs_distribution(kind, reference):
    assert scaled(kind, 0.3).deviation == pytest.approx(float(reference(torch.zeros(()), 0.3).stddev))


def test_what_is_for_any_number_has_one_deviation():
    for kind in LIKELIHOODS.values():
        likelihood = kind.for_data(SCALINGS[0])
        assert (likelihood.deviation is None) == (likelihood.domain is not None)
        assert likelihood.bounded == (likelihood.support == (0, 1))
