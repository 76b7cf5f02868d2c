"""Priors: where new codes come from, p(z), or p(z | c) of each class where the examples had labels.

Some are fitted to the codes of the training examples once the nets are trained: what makes a plain autoencoder generate
(Ghosh et al., “From variational to deterministic autoencoders”, ICLR 2020). Others are part of the training.
"""

from narrows.models.priors.base import Prior, StandardNormal
from narrows.models.priors.flows import FlowMatching, NormalizingFlow
from narrows.models.priors.mixtures import GaussianMixture, PosteriorMixture

__all__ = ["PRIORS"]

PRIORS: dict[str, type[Prior]] = {
    "normal": StandardNormal,
    "mixture": GaussianMixture,
    "posterior": PosteriorMixture,
    "flow": NormalizingFlow,
    "flow-matching": FlowMatching,
}
"""Where new codes can come from, for every model, by name."""
