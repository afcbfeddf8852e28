"""The losses of a VAE/GAN with learned similarity, and how they are balanced.

Larsen et al. 2016: a reconstruction is measured by the discriminator's own features. Everything is computed in float32.
What is no plain mean over the batch takes its statistics from all processes of the `World`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from installation.studio.world import ALONE, World


def pixel_loss(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute plus ten times the mean squared difference of two batches of pictures: sharp edges, few large
    errors.
    """
    difference = made - real
    return difference.abs().mean() + 10.0 * difference.square().mean()


def distance(made: Tensor, real: Tensor) -> Tensor:
    """Mean squared difference of one layer's features. Only the difference is rounded to the features' own format,
    not the sum: on a processor half the time goes into moving these numbers.
    """
    return (made - real.detach()).float().square().mean()


def likeness_loss(made: Sequence[Tensor], real: Sequence[Tensor], world: World = ALONE) -> Tensor:
    """Larsen's Dis_l: squared distance of discriminator features, each layer in units of the real features' own
    energy.
    """
    energies = world.mean(torch.stack([layer.detach().float().square().mean() for layer in real])).clamp_min(1e-6)
    distances = [distance(a, b) for a, b in zip(made, real, strict=True)]
    return (torch.stack(distances) / energies).mean()


def nats(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of each latent number's posterior from the unit normal: (B, D), (B, D) -> (B, D) in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)


def divergence(mean: Tensor, log_variance: Tensor, free_nats: float, world: World = ALONE) -> Tensor:
    """KL divergence in nats: (B, D), (B, D) -> scalar. Summed over D; each number's batch mean below `free_nats` is
    free.
    """
    return world.mean(nats(mean, log_variance).mean(0)).clamp_min(free_nats).sum()


def entropy(verdicts: Tensor, wanted: float) -> Tensor:
    """Mean binary cross entropy of logits, where all should say 1 (footage) or 0 (made)."""
    return F.binary_cross_entropy_with_logits(verdicts.float(), torch.full_like(verdicts, wanted, dtype=torch.float32))


def hinge_verdict(real: Tensor, *made: Tensor) -> Tensor:
    """The discriminator's loss: real above +1, made below -1; the made batches share one weight."""
    fakes = torch.stack([F.relu(1.0 + verdict.float()).mean() for verdict in made]).mean()
    return F.relu(1.0 - real.float()).mean() + fakes


def realism_loss(made: Tensor) -> Tensor:
    """The decoder's part of the hinge game."""
    return -made.float().mean()


def scaled(gradient: Tensor, strength: Tensor, world: World = ALONE) -> Tensor:
    """The gradient with its norm, over all processes, brought to `strength`."""
    return gradient * (strength / world.norm(gradient).clamp_min(1e-12))


def balanced_gradient(
    base: Tensor, pulls: Sequence[tuple[Tensor, float]], strength: Tensor, world: World = ALONE
) -> Tensor:
    """Add gradients to `base`, each scaled so that its norm is the given ratio of `base`'s, which is `strength`.
    Shapes all equal.
    """
    return base + sum((scaled(gradient, ratio * strength, world) for gradient, ratio in pulls), torch.zeros_like(base))
