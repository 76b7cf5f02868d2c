"""Codes of the quantised models as whole numbers, and back."""

import numpy as np
import pytest
import torch

from narrows import FSQVAE, VQVAE

OPTIONS = {"hidden": (16,), "epochs": 5, "random_state": 0}


@pytest.fixture(
    scope="module", params=[(VQVAE(6, codebook_size=20, embedding_dim=2), 3, 20), (FSQVAE(6, levels=5), 6, 5)]
)
def fitted(request, digits):
    model, each, vocabulary = request.param
    return model.set_params(**OPTIONS).fit(digits[:200]), each, vocabulary


def test_tokens_stand_for_the_codes(fitted, digits):
    model, each, vocabulary = fitted
    tokens = model.encode_tokens(digits)
    assert tokens.dtype == np.int64
    assert tokens.shape == (len(digits), each)
    assert tokens.min() >= 0
    assert tokens.max() < vocabulary
    np.testing.assert_allclose(model.decode_tokens(tokens), model.reconstruct(digits), rtol=1e-4, atol=1e-4)
    _, codes = np.unique(model.transform(digits).round(4), axis=0, return_inverse=True)
    _, as_tokens = np.unique(tokens, axis=0, return_inverse=True)
    assert len(set(zip(codes, as_tokens, strict=True))) == codes.max() + 1 == as_tokens.max() + 1


def test_all_tokens_come_back(fitted):
    model, each, vocabulary = fitted
    every = np.arange(vocabulary)[:, None].repeat(each, axis=1)
    bottleneck = model.model_.bottleneck
    codes = bottleneck.codes(torch.from_numpy(every))
    np.testing.assert_array_equal(bottleneck.tokens(codes).numpy(), every)


def test_those_in_use_are_counted(fitted, digits):
    model, _, vocabulary = fitted
    used = model.tokens_used(digits[:100])
    assert used == len(np.unique(model.encode_tokens(digits[:100]))) <= vocabulary
    (number,) = (n for n in model.evaluate(digits[:100], new=True).numbers() if n.name == "tokens in use")
    assert (number.estimate.value, number.unit) == (used, f"of {vocabulary}")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda tokens: tokens.astype(float), TypeError, "tokens must hold whole numbers, not float64"),
        (lambda tokens: tokens[:, :-1], ValueError, "tokens has shape"),
        (lambda tokens: tokens - 1 - tokens.max(), ValueError, "tokens reach from"),
        (lambda tokens: tokens + 100, ValueError, "this model's go from 0 to"),
    ],
)
def test_others_are_refused(fitted, digits, change, error, message):
    model = fitted[0]
    with pytest.raises(error, match=message):
        model.decode_tokens(change(model.encode_tokens(digits[:3])))
