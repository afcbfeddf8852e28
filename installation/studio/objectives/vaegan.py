"""The VAE/GAN of Larsen et al. 2016, and as Broad and Grierson 2016 changed it.

Three losses: L_prior (KL divergence), L_like (a reconstruction's distance from footage, measured in features of the
discriminator) and L_GAN (the discriminator's cross entropy over footage, reconstructions and prior samples). As both
papers describe it, the encoder learns from L_prior + L_like, the decoder from gamma L_like - L_GAN, the discriminator
from L_GAN alone.

Decided about the published code of 2016, which differs from its paper: its variable lists of encoder and decoder are
swapped (each learns from the other's loss); here every network learns from its own. Batch norm: see
`networks.batchnorm`; footage, reconstructions and prior samples are normalised apart, as there.

One pass through the discriminator serves all three: L_GAN's gradient at the pictures, with its sign turned, is the
decoder's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from installation.studio.networks.batchnorm import untracked
from installation.studio.networks.interface import Networks
from installation.studio.training import losses
from installation.studio.training.lesson import Draw, Lesson, Moment
from installation.studio.world import World

_ENCODER, _DECODER, _DISCRIMINATOR = "encoder", "decoder", "discriminator"  # the names of the learners


class Divergence(Protocol):
    """How far posteriors are from the prior, and what that weighs."""

    def loss(self, mean: Tensor, log_variance: Tensor, features: int) -> Tensor:
        """(B, D), (B, D), numbers that the likeness compares for a picture -> scalar."""


@dataclass(frozen=True, slots=True)
class MeanDivergence:
    """Broad: the mean over batch and latent numbers, clipped."""

    bound: float

    def loss(self, mean: Tensor, log_variance: Tensor, features: int) -> Tensor:
        """See `Divergence.loss`."""
        return losses.nats(mean, log_variance).mean().clamp(-self.bound, self.bound)

    def __str__(self) -> str:
        return f"the mean KL divergence, clipped at {self.bound:g}"


@dataclass(frozen=True, slots=True)
class SummedDivergence:
    """Larsen: the sum over latent numbers beside a Gaussian likelihood summed over features. Their common scale is
    left out, so that the likeness can be a mean.
    """

    def loss(self, mean: Tensor, log_variance: Tensor, features: int) -> Tensor:
        """See `Divergence.loss`."""
        return losses.nats(mean, log_variance).sum(1).mean() * (2.0 / features)

    def __str__(self) -> str:
        return "the KL divergence of the evidence bound"


class Prior(Protocol):
    """Where imagined pictures come from."""

    def sample(self, draw: Draw, count: int, latent_size: int) -> Tensor:
        """(count, latent_size)."""


@dataclass(frozen=True, slots=True)
class UniformPrior:
    """From -1 to 1, as in the published code of Broad."""

    def sample(self, draw: Draw, count: int, latent_size: int) -> Tensor:
        """See `Prior.sample`."""
        return 2.0 * draw.uniform(count, latent_size) - 1.0

    def __str__(self) -> str:
        return "uniform prior"


@dataclass(frozen=True, slots=True)
class NormalPrior:
    """The unit normal."""

    def sample(self, draw: Draw, count: int, latent_size: int) -> Tensor:
        """See `Prior.sample`."""
        return draw.normal(count, latent_size)

    def __str__(self) -> str:
        return "normal prior"


class Referee(Protocol):
    """Who of decoder and discriminator may learn in a step."""

    def admits(self, real: Tensor, imagined: Tensor, world: World) -> frozenset[str]:
        """The mean cross entropies of footage and of prior samples -> names of learners."""


@dataclass(frozen=True, slots=True)
class Everybody:
    """All learn in every step."""

    def admits(self, real: Tensor, imagined: Tensor, world: World) -> frozenset[str]:
        """See `Referee.admits`."""
        return frozenset({_DECODER, _DISCRIMINATOR})

    def __str__(self) -> str:
        return "all learn in every step"


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """Larsen: a discriminator that is too good pauses, one that is too bad lets the decoder pause; if both would,
    neither does.
    """

    centre: float
    margin: float

    def admits(self, real: Tensor, imagined: Tensor, world: World) -> frozenset[str]:
        """See `Referee.admits`."""
        found = world.mean(torch.stack([real.detach(), imagined.detach()])).tolist()
        too_good = min(found) < self.centre - self.margin
        too_bad = max(found) > self.centre + self.margin
        if too_good == too_bad:
            return frozenset({_DECODER, _DISCRIMINATOR})
        return frozenset({_DECODER if too_good else _DISCRIMINATOR})

    def __str__(self) -> str:
        return f"decoder and discriminator keep an equilibrium of {self.centre:g} +- {self.margin:g}"


@dataclass(frozen=True, slots=True)
class VaeGan:
    """likeness_layers: how many of the discriminator's layers, counted from the coarsest, measure the likeness.
    gamma: what the likeness weighs for the decoder, against L_GAN.
    """

    likeness_layers: int
    gamma: float
    divergence: Divergence
    prior: Prior
    referee: Referee

    def learn(self, networks: Networks, moment: Moment) -> Lesson:
        """See `Objective.learn`. Learners: encoder, decoder, discriminator."""
        encoder, decoder = networks.encoder, networks.decoder
        mean, log_variance = (part.float() for part in encoder(encoder.view(moment.real)))
        z = mean + moment.noise * torch.exp(0.5 * log_variance) * moment.draw.normal(*mean.shape)
        made = decoder(z).float()
        with untracked(decoder):
            imagined = decoder(self.prior.sample(moment.draw, *mean.shape)).float()
        judged = self._judge(networks, moment, made, imagined)
        kl = self.divergence.loss(mean, log_variance, judged.features)
        towards_decoder = [self.gamma * judged.like_pull - judged.made_pull, -judged.imagined_pull]
        _backward([made, imagined], towards_decoder, networks.decoder)
        (z_pull,) = torch.autograd.grad(made, z, judged.like_pull)
        _backward([z, kl], [z_pull, torch.ones_like(kl)], encoder)
        figures = {"kl": kl, "likeness": judged.likeness, "verdict": judged.verdict}
        learning = judged.admitted | {_ENCODER}
        return Lesson(made.detach(), {name: value.detach() for name, value in figures.items()}, learning)

    def _judge(self, networks: Networks, moment: Moment, made: Tensor, imagined: Tensor) -> _Judged:
        """Everything the discriminator says of three batches of pictures, and its own gradients."""
        discriminator = networks.discriminator
        seen, dream = made.detach().requires_grad_(), imagined.detach().requires_grad_()
        real_verdict, wanted = discriminator(moment.real)
        made_verdict, found = discriminator(seen)
        dream_verdict, _ = discriminator(dream)
        real_loss, dream_loss = losses.entropy(real_verdict, 1.0), losses.entropy(dream_verdict, 0.0)
        verdict = real_loss + losses.entropy(made_verdict, 0.0) + dream_loss
        wanted, found = wanted[-self.likeness_layers :], found[-self.likeness_layers :]
        likeness = torch.stack([losses.distance(a, b) for a, b in zip(found, wanted, strict=True)])
        own = [p for p in discriminator.parameters() if p.requires_grad]
        *gradients, made_pull, imagined_pull = torch.autograd.grad(verdict, [*own, seen, dream], retain_graph=True)
        (like_pull,) = torch.autograd.grad(likeness.mean(), seen)
        for parameter, gradient in zip(own, gradients, strict=True):
            parameter.grad = gradient
        return _Judged(
            likeness.mean(),
            verdict,
            like_pull,
            made_pull,
            imagined_pull,
            sum(layer[0].numel() for layer in wanted),
            self.referee.admits(real_loss, dream_loss, moment.world),
        )

    def __str__(self) -> str:
        layers = "the coarsest layer" if self.likeness_layers == 1 else f"{self.likeness_layers} layers"
        return (
            f"Encoder: {self.divergence} and the likeness in {layers} of the discriminator; decoder: {self.gamma:g} "
            f"times the likeness less the discriminator's cross entropy over footage, reconstructions and samples of "
            f"a {self.prior}; discriminator: that cross entropy; {self.referee}"
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """L_like, L_GAN; gradients at the pictures (B, 3, H, W): of L_like, and of L_GAN at reconstructions and at
    imagined pictures; how many numbers the likeness compared for a picture; who may learn.
    """

    likeness: Tensor
    verdict: Tensor
    like_pull: Tensor
    made_pull: Tensor
    imagined_pull: Tensor
    features: int
    admitted: frozenset[str]


def _backward(outputs: Sequence[Tensor], pulls: Sequence[Tensor], network: torch.nn.Module) -> None:
    """Fresh gradients for one network alone; the graph is kept."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    for parameter, gradient in zip(
        parameters, torch.autograd.grad(outputs, parameters, pulls, retain_graph=True), strict=True
    ):
        parameter.grad = gradient
