"""Peers of narrows, fitted with the same nets, data and epochs: pythae 0.1.2 (Chadebec et al. 2022).

Its losses are sums over features and means over a batch, as ours are: in nats for the VAE with "bce", and the plain
squared error, without a Gaussian's ½ and constant, for the others. It computes on CUDA where there is any.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

__all__ = ["KINDS", "elbo_pythae", "reconstruct_pythae", "sample_pythae", "samplers_pythae", "train_pythae"]

KINDS = ("AE", "VAE", "WAE_MMD", "VQVAE", "RAE_L2")
CODEBOOK_SIZE = 256  # narrows' own default; pythae's is 512
CHUNK = 1000  # rows at a time where no gradient is needed


def train_pythae(
    kind: str,
    X: ArrayLike,
    *,
    latent_dim: int,
    hidden: Sequence[int],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> tuple[Any, float]:
    """Return pythae's model ``kind``, fitted to ``X`` (n, features) in [0, 1], and the CPU seconds of its training.

    The nets are features–hidden–latent_dim and back, with ReLU and, at the end, a sigmoid. The weights are those of the
    epoch with the least training loss, which is all that pythae keeps.
    """
    from pythae import models
    from pythae.pipelines import TrainingPipeline

    x = _rows(X)
    with _quietly(seed), tempfile.TemporaryDirectory() as folder:
        encoder, decoder = _nets(kind, x.shape[1], latent_dim, hidden)
        model = getattr(models, kind)(_config(kind, x.shape[1], latent_dim), encoder=encoder, decoder=decoder)
        started = time.process_time()
        pipeline = TrainingPipeline(model, _training(kind, folder, epochs, batch_size, learning_rate, seed))
        pipeline(x)
        seconds = time.process_time() - started
        best = models.AutoModel.load_from_folder(str(Path(pipeline.trainer.training_dir, "final_model")))
    return best.eval(), seconds


def reconstruct_pythae(model: Any, X: ArrayLike) -> NDArray[np.float32]:
    """Return the decoded mean codes (n, features) of ``X`` (n, features)."""
    # pythae's own reconstruct() draws a VAE's code at random, and its predict() leaves out a VQ-VAE's quantiser.
    decode = model.reconstruct if model.model_name == "VQVAE" else lambda x: model.predict(x).recon_x
    with torch.no_grad():
        return torch.cat([decode(part).cpu() for part in _chunks(model, X)]).numpy()


def elbo_pythae(model: Any, X: ArrayLike, *, draws: int = 1, seed: int = 0) -> float:
    """Return a VAE's mean −ELBO over ``X`` (n, features) in nats, from ``draws`` codes an example."""
    if model.model_name != "VAE" or model.model_config.reconstruction_loss != "bce":
        raise ValueError(f"model must be a VAE with a Bernoulli likelihood, not {model.model_name}")
    with _quietly(seed), torch.no_grad():
        losses = [len(part) * float(model({"data": part}).loss) for _ in range(draws) for part in _chunks(model, X)]
    return sum(losses) / (draws * len(_rows(X)))


def samplers_pythae(kind: str) -> tuple[str, ...]:
    """Return the names of pythae's samplers that work for a model of this ``kind``.

    A VQ-VAE has no mixture, since its sampler hands scikit-learn a four-dimensional array; and only its PixelCNN draws
    codes from the codebook. HypersphereUniformSampler and others belong to models that are not here.
    """
    _check(kind)
    own = {"VAE": ("GaussianMixtureSampler", "TwoStageVAESampler"), "VQVAE": ("PixelCNNSampler",)}
    return ("NormalSampler", "MAFSampler", "IAFSampler", *own.get(kind, ("GaussianMixtureSampler",)))


def sample_pythae(
    model: Any, sampler: str, X: ArrayLike, n: int, seed: int, *, epochs: int = 100
) -> tuple[NDArray[np.float32], float]:
    """Return ``n`` new rows (n, features) by the ``sampler`` fitted to the codes of ``X``, and the CPU seconds of both.

    The sampler's own settings are pythae's defaults, and so are 100 ``epochs`` for those that are trained (MAF, IAF,
    PixelCNN, the second VAE). A MAF that was trained too little (two epochs on an AE's codes) draws NaN; such rows are
    returned as they are.
    """
    from pythae import samplers
    from pythae.trainers import BaseTrainerConfig

    if sampler not in samplers_pythae(model.model_name):
        raise ValueError(f"sampler={sampler!r} must be one of {samplers_pythae(model.model_name)}")
    x = torch.from_numpy(_rows(X))
    if sampler != "NormalSampler" and x.max() < 1:
        # pythae means to assert max() <= 1, and asserts max() >= 1.
        raise ValueError(f"X has the maximum {float(x.max())}, and pythae fits samplers only to data that reach 1")
    started = time.process_time()
    with _quietly(seed), tempfile.TemporaryDirectory() as folder:
        drawer = getattr(samplers, sampler)(model)
        if sampler == "GaussianMixtureSampler":
            drawer.fit(x)
        elif sampler != "NormalSampler":
            # pythae's 1e-4 for the second VAE, which 1e-3 makes worse on the digits; the flows of an AE gain from 1e-3.
            rate = 1e-4 if sampler == "TwoStageVAESampler" else 1e-3
            training = BaseTrainerConfig(output_dir=folder, num_epochs=epochs, learning_rate=rate, seed=seed)
            drawer.fit(x, training_config=training)
        if sampler == "PixelCNNSampler":
            # pythae leaves it in training mode, where batch normalisation takes its statistics from the blank codes
            # that drawing starts with.
            drawer.pixelcnn_model.eval()
        with torch.no_grad():
            drawn = drawer.sample(n).cpu().numpy()
    return drawn, time.process_time() - started


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} must be one of {', '.join(KINDS)}")


def _rows(X: ArrayLike) -> NDArray[np.float32]:
    x = np.ascontiguousarray(X, dtype=np.float32)
    if x.ndim != 2 or not len(x):
        raise ValueError(f"X has the shape {x.shape}; it must be (n, features)")
    if not (x.min() >= 0 and x.max() <= 1):  # NaN fails here too
        raise ValueError(f"X goes from {x.min()} to {x.max()}; it must stay in [0, 1]")
    return x


def _chunks(model: Any, X: ArrayLike) -> Iterator[Tensor]:
    device = next(model.parameters()).device
    for part in torch.from_numpy(_rows(X)).split(CHUNK):
        yield part.to(device)


def _config(kind: str, features: int, latent_dim: int) -> Any:
    """Return pythae's settings for ``kind``: its defaults, but for the Bernoulli likelihood and the codebook's size."""
    from pythae import models

    shape = {"input_dim": (features,), "latent_dim": latent_dim}
    match kind:
        case "VAE":
            return models.VAEConfig(**shape, reconstruction_loss="bce")
        case "VQVAE":
            return models.VQVAEConfig(**shape, num_embeddings=CODEBOOK_SIZE)
        case "WAE_MMD":
            return models.WAE_MMD_Config(**shape)
        case "RAE_L2":
            return models.RAE_L2_Config(**shape)
    return models.AEConfig(**shape)


def _training(kind: str, folder: str, epochs: int, batch_size: int, learning_rate: float, seed: int) -> Any:
    from pythae.trainers import BaseTrainerConfig, CoupledOptimizerTrainerConfig

    shared = {"output_dir": folder, "num_epochs": epochs, "per_device_train_batch_size": batch_size, "seed": seed}
    if kind == "RAE_L2":  # pythae insists on an optimiser each for the encoder and the decoder
        rates = {"encoder_learning_rate": learning_rate, "decoder_learning_rate": learning_rate}
        return CoupledOptimizerTrainerConfig(**shared, **rates)
    return BaseTrainerConfig(**shared, learning_rate=learning_rate)


def _nets(kind: str, features: int, latent_dim: int, hidden: Sequence[int]) -> tuple[nn.Module, nn.Module]:
    """Return the encoder and the decoder as pythae wants them: modules that return its ModelOutput.

    The classes stand here because pythae pickles them by value and is imported only where it is used.
    """
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    _check(kind)
    # A flat code would be a single codebook vector, and so 256 different reconstructions in all. Like narrows' VQVAE,
    # this one has latent_dim / 2 vectors of two numbers, or latent_dim of one, as a row of "pixels".
    parts = (1 if latent_dim % 2 else 2, 1, -1) if kind == "VQVAE" else (latent_dim,)

    class Encoder(BaseEncoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.body = _dense((features, *hidden), last=nn.ReLU())
            self.mean = nn.Linear((features, *hidden)[-1], latent_dim)
            self.log_var = nn.Linear((features, *hidden)[-1], latent_dim) if kind == "VAE" else None

        def forward(self, x: Tensor) -> Any:
            h = self.body(x)
            output = ModelOutput(embedding=self.mean(h).unflatten(1, parts))
            if self.log_var is not None:
                output["log_covariance"] = self.log_var(h)
            return output

    class Decoder(BaseDecoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.body = _dense((latent_dim, *reversed(hidden), features), last=nn.Sigmoid())

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=self.body(z.flatten(1)))

    return Encoder(), Decoder()


def _dense(widths: Sequence[int], *, last: nn.Module) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1], last) if layers else nn.Sequential()


@contextmanager
def _quietly(seed: int) -> Iterator[None]:
    """Silence pythae, and seed torch, NumPy and ``random``, all of whose global states it uses.

    torch's is put back afterwards; nothing else here depends on the other two. Each of pythae's modules sets its own
    logger to INFO, and its trainer always adds a progress bar, so neither has a setting.
    """
    from pythae.trainers.base_trainer import base_trainer
    from pythae.trainers.trainer_utils import set_seed
    from pythae.trainers.training_callbacks import TrainingCallback

    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with torch.random.fork_rng(), patch.object(base_trainer, "ProgressBarCallback", TrainingCallback):
            set_seed(seed)
            yield
    finally:
        logging.disable(disabled)
