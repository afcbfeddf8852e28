"""One training step of the VAE/GAN, and everything that has to survive an interruption.

`Trainer.step` is deterministic: what it draws depends on (seed, step) only. The order of a step: encode a disturbed
view, add annealed noise, decode, measure pixels and (in adversarial steps) likeness and realism, balance their
gradients at the picture, update encoder and decoder, then the discriminator.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from installation.errors import AfterimageError
from installation.studio import losses
from installation.studio.compute import FULL, Precision
from installation.studio.networks import Decoder, Discriminator, Encoder, as_pictures, shrink
from installation.studio.presets import Preset

_WARM_UP_SHARE = 0.05  # of the training: a short one must not spend itself warming up
_LARGEST_GRADIENT = 0.5  # norm over encoder and decoder; some times the usual one, so that no single step does harm


@dataclass(frozen=True, slots=True)
class StepFigures:
    """What one step measured. Adversarial figures are None in steps without the discriminator."""

    pixel: float
    nats: float
    noise: float
    likeness: float | None = None
    verdict: float | None = None


class Trainer:
    """Networks, optimisers and averaged weights of one training."""

    def __init__(self, preset: Preset, precision: Precision = FULL) -> None:
        torch.manual_seed(preset.seed)
        self.preset = preset
        self.precision = precision
        self.encoder = Encoder(preset.shape, preset.sigma_floor)
        self.decoder = Decoder(preset.shape)
        self.discriminator = Discriminator(preset.shape)
        self.average = _copies(self.encoder, self.decoder)
        for net in (self.encoder, self.decoder, self.discriminator):
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub knows only dtypes
        self._memory = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.memory_adam = torch.optim.Adam(self._memory, lr=1e-3, betas=(0.9, 0.99), fused=True)
        self.adversary_adam = torch.optim.Adam(
            self.discriminator.parameters(), lr=preset.adversary_rate, betas=(0.0, 0.99), fused=True
        )
        self._random = torch.Generator()

    def step(self, frames: NDArray[np.uint8], step: int, progress: float) -> StepFigures:
        """Learn from uint8 (B, H, W, 3). `progress` is the share of the training done, 0..1. Raises AfterimageError
        if a number is not finite.
        """
        preset = self.preset
        self._random.manual_seed(preset.seed * 1_000_003 + step)
        noise = preset.noise.at(progress)
        warmth = max((step + 1) / preset.warm_up_steps, progress / _WARM_UP_SHARE)
        rate = preset.learning_rate.at(progress) * min(1.0, warmth)
        for group in self.memory_adam.param_groups:
            group["lr"] = rate
        real = as_pictures(frames)
        view = disturbed(shrink(real), preset.blur * noise, self._random)
        with self._autocast():
            mean, log_variance = (part.float() for part in self.encoder(view))
        z = mean + noise * torch.exp(0.5 * log_variance) * self._normal(mean.shape)
        made = self._decoded(z)
        nats = losses.divergence(mean, log_variance, preset.pull.free_nats)
        picture = made.detach().requires_grad_()
        pixel = losses.pixel_loss(picture, real)
        pull = torch.autograd.grad(pixel, picture)[0]
        self.memory_adam.zero_grad()
        likeness: float | None = None
        verdict: float | None = None
        if step % preset.adversary_every == 0:
            likeness, verdict = self._adversarial(real, made, pull, preset.pull.kl * nats)
        else:
            torch.autograd.backward([made, preset.pull.kl * nats], [pull, torch.ones(())])
        figures = StepFigures(pixel.item(), nats.item(), noise, likeness, verdict)
        _refuse_infinite(figures, step)
        torch.nn.utils.clip_grad_norm_(self._memory, _LARGEST_GRADIENT)
        self.memory_adam.step()
        self._follow(step)
        return figures

    def _adversarial(self, real: Tensor, made: Tensor, pull: Tensor, kl: Tensor) -> tuple[float, float]:
        """Backward pass of the memory with likeness and realism, then the discriminator's own step."""
        preset = self.preset
        top, left = self._crop_corner()
        height, width = preset.shape.height // 2, preset.shape.width // 2
        crop = (..., slice(top, top + height), slice(left, left + width))
        self.discriminator.requires_grad_(False)
        picture = made.detach().requires_grad_()
        with torch.no_grad():
            _, wanted = self._judged(real[crop])
        verdict, found = self._judged(picture[crop])
        likeness = losses.likeness_loss(found, wanted)
        like_pull = torch.autograd.grad(likeness, picture, retain_graph=True)[0]
        real_pull = torch.autograd.grad(losses.realism_loss(verdict), picture)[0]
        total = losses.balanced_gradient(pull, [(like_pull, preset.pull.likeness), (real_pull, preset.pull.realism)])
        imagined = self._decoded(self._normal((max(1, len(real) // 3), preset.shape.latent_size)))
        dream = imagined.detach().requires_grad_()
        dream_pull = torch.autograd.grad(losses.realism_loss(self._judged(dream[crop])[0]), dream)[0]
        dream_pull *= preset.pull.imagination * pull.norm() / dream_pull.norm().clamp_min(1e-12)
        torch.autograd.backward([made, imagined, kl], [total, dream_pull, torch.ones(())])
        self.discriminator.requires_grad_(True)
        return likeness.item(), self._teach(real[crop], made.detach()[crop], imagined.detach()[crop])

    def _teach(self, real: Tensor, made: Tensor, imagined: Tensor) -> float:
        """One step of the discriminator on (B, 3, h, w) crops; its hinge loss."""
        verdicts, _ = self._judged(torch.cat([real, made, imagined]))
        parts = torch.split(verdicts, [len(real), len(made), len(imagined)])
        loss = losses.hinge_verdict(*parts)
        self.adversary_adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.adversary_adam.step()
        return loss.item()

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", self.precision.dtype, enabled=self.precision.reduced)

    def _decoded(self, z: Tensor) -> Tensor:
        """(B, D) -> float32 (B, 3, H, W)."""
        with self._autocast():
            made: Tensor = self.decoder(z)
        return made.float()

    def _judged(self, crops: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, h, w) -> float32 verdicts and features of the discriminator."""
        with self._autocast():
            verdict, features = self.discriminator(crops)
        return verdict.float(), [layer.float() for layer in features]

    def _crop_corner(self) -> tuple[int, int]:
        """Where the discriminator looks: an even row and column of the upper left corner of a window of half the
        frame's sides.
        """
        rows, columns = self.preset.shape.height // 2, self.preset.shape.width // 2
        top, left = torch.rand(2, generator=self._random).tolist()
        return 2 * int(top * (rows // 2 + 1)), 2 * int(left * (columns // 2 + 1))

    def _normal(self, size: Iterable[int]) -> Tensor:
        return torch.randn(tuple(size), generator=self._random)

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        """Move the averaged weights towards the present ones; faster at first."""
        decay = min(self.preset.ema, (1 + step) / (10 + step))
        theirs: list[Tensor] = [p for net in self.average for p in net.parameters()]
        torch._foreach_lerp_(theirs, [p.detach() for p in self._memory], 1.0 - decay)

    def state(self) -> dict[str, Any]:
        """Everything a checkpoint needs to go on, as tensors and plain values."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "discriminator": self.discriminator,
            "average": self.average,
            "memory_adam": self.memory_adam,
            "adversary_adam": self.adversary_adam,
        }


def disturbed(half: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """The encoder's view made harder: towards grey, lower or higher contrast, grain. (B, 3, h, w) -> the same.
    Strength 0 changes nothing.
    """
    if strength <= 0.0:
        return half
    size = (len(half), 1, 1, 1)
    grey = half.mean(1, keepdim=True)
    towards = strength * torch.rand(size, generator=random)
    gain = 1.0 + 0.4 * strength * (2.0 * torch.rand(size, generator=random) - 1.0)
    grain = 0.1 * strength * torch.randn(half.shape, generator=random)
    return torch.lerp(half, grey.expand_as(half), towards) * gain + grain


def _copies(encoder: Encoder, decoder: Decoder) -> nn.ModuleList:
    """Frozen copies that hold the averaged weights: [encoder, decoder]."""
    return nn.ModuleList([copy.deepcopy(encoder), copy.deepcopy(decoder)]).requires_grad_(False)


def _refuse_infinite(figures: StepFigures, step: int) -> None:
    values = (figures.pixel, figures.nats, figures.likeness or 0.0, figures.verdict or 0.0)
    if not np.isfinite(values).all():
        raise AfterimageError(
            f"training broke at step {step + 1}: a loss is not a finite number ({figures}); "
            "the last good checkpoint is kept. Run the same command to try again from there"
        )
