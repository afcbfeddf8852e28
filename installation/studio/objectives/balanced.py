"""Fidelity first: pixels lead, and everything learned only leans on them.

A reconstruction is measured in pixels, by the discriminator's features (Larsen's learned likeness) and by its verdict
(hinge loss, spectral norm). Their gradients at the picture are scaled to fixed ratios of the pixels' own before they
enter the decoder, so that fidelity is never drowned and nothing has to be tuned to a film. The discriminator plays in
one step out of a few, and looks at crops of half the frame's sides at full detail.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from installation.studio.networks.interface import Networks
from installation.studio.training import losses
from installation.studio.training.lesson import Draw, Lesson, Moment

_MEMORY, _ADVERSARY = "memory", "adversary"  # the names of the learners


@dataclass(frozen=True, slots=True)
class Pull:
    """How strongly each loss pulls at a picture, next to the pixel term (which is 1).

    likeness: learned similarity (Larsen's Dis_l). realism: the adversarial loss of the reconstruction.
    imagination: that of a prior sample. kl: weight of the KL divergence in nats, next to the pixel term per value.
    free_nats: KL below this, per latent number, costs nothing.
    """

    likeness: float
    realism: float
    imagination: float
    kl: float
    free_nats: float


@dataclass(frozen=True, slots=True)
class Balanced:
    """blur: how strongly the encoder's view is disturbed (colour, contrast, grain), in units of the latent noise:
    other films then land near this one. adversary_every: the discriminator plays in one step out of so many, from the
    share `adversary_from` of the training on, and there is one imagined picture for every `imagined_of` of footage.
    """

    pull: Pull
    blur: float
    adversary_every: int
    adversary_from: float
    imagined_of: int

    def learn(self, networks: Networks, moment: Moment) -> Lesson:
        """See `Objective.learn`. Learners: memory (encoder and decoder), adversary (discriminator)."""
        encoder, real = networks.encoder, moment.real
        view = disturbed(encoder.view(real), self.blur * moment.noise, moment.draw)
        mean, log_variance = (part.float() for part in encoder(view))
        z = mean + moment.noise * torch.exp(0.5 * log_variance) * moment.draw.normal(*mean.shape)
        made = networks.decoder(z).float()
        nats = losses.divergence(mean, log_variance, self.pull.free_nats, moment.world)
        picture = made.detach().requires_grad_()
        pixel = losses.pixel_loss(picture, real)
        (pull,) = torch.autograd.grad(pixel, picture)
        figures = {"pixel": pixel.detach(), "kl": nats.detach()}
        if moment.step % self.adversary_every or moment.progress < self.adversary_from:
            torch.autograd.backward([made, self.pull.kl * nats], [pull, torch.ones_like(nats)])
            return Lesson(made.detach(), figures, frozenset({_MEMORY}))
        figures |= self._contest(networks, moment, made, pull, self.pull.kl * nats, z.shape[1])
        return Lesson(made.detach(), figures, frozenset({_MEMORY, _ADVERSARY}))

    def _contest(
        self, networks: Networks, moment: Moment, made: Tensor, pull: Tensor, kl: Tensor, latent_size: int
    ) -> dict[str, Tensor]:
        """Gradients of the memory with likeness and realism, then the discriminator's own."""
        world, discriminator = moment.world, networks.discriminator
        crop = corner_of(moment)
        imagined = networks.decoder(moment.draw.normal(max(1, len(made) // self.imagined_of), latent_size)).float()
        picture, dream = made.detach().requires_grad_(), imagined.detach().requires_grad_()
        real_verdict, wanted = discriminator(moment.real[crop])
        made_verdict, found = discriminator(picture[crop])
        dream_verdict, _ = discriminator(dream[crop])
        likeness = losses.likeness_loss(found, wanted, world)
        own = list(discriminator.parameters())
        (like_pull,) = torch.autograd.grad(likeness, picture, retain_graph=True)
        (real_pull,) = torch.autograd.grad(losses.realism_loss(made_verdict), picture, retain_graph=True)
        (dream_pull,) = torch.autograd.grad(losses.realism_loss(dream_verdict), dream, retain_graph=True)
        verdict = losses.hinge_verdict(real_verdict, made_verdict, dream_verdict)
        for parameter, gradient in zip(own, torch.autograd.grad(verdict, own), strict=True):
            parameter.grad = gradient
        strength = world.norm(pull)
        total = losses.balanced_gradient(
            pull, [(like_pull, self.pull.likeness), (real_pull, self.pull.realism)], strength, world
        )
        dream_pull = losses.scaled(dream_pull, self.pull.imagination * strength, world)
        torch.autograd.backward([made, imagined, kl], [total, dream_pull, torch.ones_like(kl)])
        return {"likeness": likeness.detach(), "verdict": verdict.detach()}

    def __str__(self) -> str:
        pull = self.pull
        return (
            f"Encoder and decoder learn pixels (L1 and L2), the likeness of a discriminator's features "
            f"({pull.likeness:g} of the pixel term's strength), its verdict ({pull.realism:g}; {pull.imagination:g} "
            "for imagined pictures) and a KL divergence; the discriminator learns a hinge loss, one step in "
            f"{self.adversary_every} from {self.adversary_from:.0%} of the training on"
        )


def corner_of(moment: Moment) -> tuple[slice, slice, slice, slice]:
    """Where the discriminator looks in this step: a window of half the frame's sides at an even row and column."""
    rows, columns = moment.real.shape[2] // 2, moment.real.shape[3] // 2
    down, across = moment.draw.numbers(2)
    top, left = 2 * int(down * (rows // 2 + 1)), 2 * int(across * (columns // 2 + 1))
    return slice(None), slice(None), slice(top, top + rows), slice(left, left + columns)


def disturbed(view: Tensor, strength: float, draw: Draw) -> Tensor:
    """The encoder's view made harder: towards grey, lower or higher contrast, grain. (B, 3, h, w) -> the same.
    Strength 0 changes nothing.
    """
    if strength <= 0.0:
        return view
    size = (len(view), 1, 1, 1)
    grey = view.mean(1, keepdim=True)
    towards = strength * draw.uniform(*size)
    gain = 1.0 + 0.4 * strength * (2.0 * draw.uniform(*size) - 1.0)
    grain = 0.1 * strength * draw.normal(*view.shape)
    return torch.lerp(view, grey.expand_as(view), towards) * gain + grain
