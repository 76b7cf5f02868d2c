"""Which inputs are neighbours, and how far codes are from keeping them: against scikit-learn's t-SNE and autograd."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import squareform
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE
from sklearn.manifold._t_sne import _joint_probabilities_nn, _kl_divergence
from sklearn.neighbors import kneighbors_graph

from narrows import VAE, VQVAE, Autoencoder
from narrows.evaluation.codes import trustworthiness
from narrows.models.neighbours import PERPLEXITY, Divergence, affinities, arranged, divergence

X = torch.from_numpy(load_digits().data / 16)


SCALE = 0.01


def kl_by_definition(p, z):
    n, alpha = len(z), max(1, z.shape[1] - 1)
    squares = (z[:, None] - z).square().sum(2)
    others = ~torch.eye(n, dtype=torch.bool)
    t = (1 + squares / (alpha * SCALE * squares.mean())) ** (-(alpha + 1) / 2)
    q = t / t[others].sum()
    return (torch.xlogy(p, p) - torch.xlogy(p, q))[others].sum()


@pytest.mark.parametrize("offset", [0, 1e4], ids=["at the origin", "far from it"])
def test_neighbours_of_inputs_are_those_of_scikit_learns_tsne(offset):
    x = X[:300]
    graph = kneighbors_graph(x.numpy(), int(3 * PERPLEXITY) + 1, mode="distance")
    graph.data **= 2
    expected = _joint_probabilities_nn(graph, PERPLEXITY, verbose=0).toarray()
    found = affinities((x + offset)[None])[0].numpy()
    np.testing.assert_allclose(found, expected, atol=0.01 * expected.max())
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_divergence_and_its_gradient_are_those_of_the_definition(latent_dim):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(60, latent_dim, generator=generator, dtype=torch.float64, requires_grad=True)
    kl = kl_by_definition(affinities(X[None, :60])[0], z)
    (gradient,) = torch.autograd.grad(kl, z)
    found = divergence(X[None, :60], z[None].detach(), [latent_dim], SCALE)
    torch.testing.assert_close(found[0], kl.detach()[None])
    torch.testing.assert_close(found[1][0], gradient)
    few = z[:8].detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda codes: Divergence.apply(X[:8], codes, SCALE), few)


def test_only_the_arrangement_of_codes_counts():
    z = torch.randn(1, 50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(
        divergence(X[None, :50], 30 * z @ turn + 7, [2], SCALE)[0], divergence(X[None, :50], z, [2], SCALE)[0]
    )


def test_points_are_arranged_as_well_as_by_scikit_learns_tsne():
    x, start = X[:150].float(), X[:150, 20:22].float()
    theirs = TSNE(perplexity=10, init=start.numpy() / 1e4, max_iter=500, random_state=0).fit_transform(x.numpy())
    p = squareform(affinities(x[None], 10.0)[0].numpy(), checks=False)
    mine, other = (
        _kl_divergence(points.ravel(), p, 1, len(x), 2)[0] for points in (arranged(x, start, 10.0).numpy(), theirs)
    )
    assert mine < 1.05 * other


@pytest.mark.parametrize("n", [2, 3, 40])
def test_points_that_are_equal_stay_together(n):
    x = torch.arange(4.0).repeat(n, 1)
    assert arranged(x, x[:, :2], 10.0).tolist() == [[0, 0]] * n


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_examples_and_equal_ones_have_a_finite_divergence(n):
    for x in (X[None, :n], X[None, :1].expand(1, n, -1)):
        for z in (x[..., 20:22], torch.zeros(1, n, 2, dtype=x.dtype)):
            kl, gradient = divergence(x, z, [2], SCALE)
            assert kl.isfinite().all()
            assert gradient.isfinite().all()


def test_codes_keep_more_neighbours_with_the_option_than_without():
    """Of those learned from: a short training of a small net makes no map yet of new ones."""
    rows = X[:300].numpy()
    settings = {"hidden": (64, 64), "epochs": 60, "batch_size": 100, "random_state": 0, "prior": "normal"}
    kept = [
        trustworthiness(rows, Autoencoder(2, **settings, neighbours=weight).fit_transform(rows)).value
        for weight in (5.0, 0.0)
    ]
    assert kept[0] > kept[1] + 0.01


def test_discrete_codes_have_none():
    with pytest.raises(ValueError, match=r"^neighbours=5 must be 0 for VQVAE: its codes are values to choose from"):
        VQVAE(4, neighbours=5.0).fit(X.numpy())
    with pytest.raises(ValueError, match=r"^neighbours=-1"):
        VAE(4, neighbours=-1).fit(X.numpy())
