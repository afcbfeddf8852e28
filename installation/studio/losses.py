"""The losses of a VAE/GAN with learned similarity, and how they are balanced.

Larsen et al. 2016: a reconstruction is measured by the discriminator's own features. Everything is computed in float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_loss(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute plus ten times the mean squared difference of two batches of pictures: sharp edges, few large
    errors.
    """
    difference = made - real
    return difference.abs().mean() + 10.0 * difference.square().mean()


def likeness_loss(made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Larsen's Dis_l: squared distance of discriminator features, each layer in units of the real features' own
    energy.
    """
    terms = [
        F.mse_loss(a, b.detach()) / b.detach().square().mean().clamp_min(1e-6) for a, b in zip(made, real, strict=True)
    ]
    return torch.stack(terms).mean()


def divergence(mean: Tensor, log_variance: Tensor, free_nats: float) -> Tensor:
    """KL divergence from the unit normal in nats: (B, D), (B, D) -> scalar. Summed over D; each number's batch mean
    below `free_nats` is free.
    """
    nats = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)  # (B, D)
    return nats.mean(0).clamp_min(free_nats).sum()


def hinge_verdict(real: Tensor, *made: Tensor) -> Tensor:
    """The discriminator's loss: real above +1, made below -1; the made batches share one weight."""
    fakes = torch.stack([F.relu(1.0 + verdict).mean() for verdict in made]).mean()
    return F.relu(1.0 - real).mean() + fakes


def realism_loss(made: Tensor) -> Tensor:
    """The decoder's part of the hinge game."""
    return -made.mean()


def balanced_gradient(base: Tensor, pulls: Sequence[tuple[Tensor, float]]) -> Tensor:
    """Add gradients to `base`, each scaled so that its norm is the given ratio of `base`'s. Shapes all equal."""
    strength = base.norm()
    total = base
    for gradient, ratio in pulls:
        total = total + gradient * (ratio * strength / gradient.norm().clamp_min(1e-12))
    return total
