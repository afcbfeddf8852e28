"""Recipes: everything that decides how a model is trained, as data.

A `Preset` is numbers plus small strategy objects (`losses.Reconstruction`, `networks.Architecture`), so that a new
recipe is a new value in `PRESETS`, not a branch in the training loop. All times are shares of the whole training, so
that `--minutes` and `--epochs` scale the same recipe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from installation.errors import InputError


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes shared by the networks.

    width, height: pixels of a frame. latent_size: numbers per frame. Bottlenecks: channels of the coarse grid between
    a linear layer and the convolutions; they decide most of the weights. Widths are channels from fine to coarse
    (encoder) and from coarse to fine (decoder).
    """

    width: int
    height: int
    latent_size: int
    encoder_bottleneck: int
    decoder_bottleneck: int
    encoder_widths: tuple[int, ...]
    decoder_widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]

    @property
    def factor(self) -> int:
        """How many pixels of the frame one cell of the coarse grid covers, along each side."""
        return 1 << len(self.decoder_widths)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the coarse grid."""
        return self.height // self.factor, self.width // self.factor

    def __post_init__(self) -> None:
        if self.width % self.factor or self.height % self.factor:
            raise InputError(f"shape: {self.width}x{self.height} must be multiples of {self.factor} for this decoder")
        if len(self.encoder_widths) != len(self.decoder_widths) - 1:
            raise InputError("shape: the encoder needs one width fewer than the decoder (it starts at a quarter size)")


@dataclass(frozen=True, slots=True)
class Ramp:
    """A value that goes from `first` to `last` along a half cosine between two shares of the training, flat outside."""

    first: float
    last: float
    begin: float
    end: float

    def at(self, progress: float) -> float:
        """The value at a share 0..1 of the training."""
        along = min(1.0, max(0.0, (progress - self.begin) / max(self.end - self.begin, 1e-9)))
        return self.last + (self.first - self.last) * 0.5 * (1.0 + math.cos(math.pi * along))


@dataclass(frozen=True, slots=True)
class Pull:
    """How strongly each loss pulls at a reconstructed picture, next to the pixel term (which is 1).

    The gradients at the picture are scaled to these ratios before they enter the decoder, so that fidelity is never
    drowned. likeness: learned similarity (Larsen's Dis_l). realism: the adversarial loss of the reconstruction.
    imagination: that of a prior sample. kl: weight of the KL divergence in nats, next to the pixel term per value.
    free_nats: KL below this, per latent number, costs nothing.
    """

    likeness: float
    realism: float
    imagination: float
    kl: float
    free_nats: float


@dataclass(frozen=True, slots=True)
class Preset:
    """One recipe.

    noise: standard deviation of the injected latent noise, in units of the posterior's own (the annealing of Broad
    and Grierson). sigma_floor: the posterior's standard deviation never falls below it, so that annealing, not the
    encoder, decides when memory sharpens. blur: how strongly the encoder's view is disturbed (colour, contrast,
    noise), in units of `noise`: other films then land near this one. adversary_every: the discriminator plays in one
    step out of so many. ema: decay of the averaged weights that are exported.
    """

    name: str
    title: str
    shape: Shape
    pull: Pull
    batch: int
    learning_rate: Ramp
    adversary_rate: float
    adversary_every: int
    noise: Ramp
    sigma_floor: float
    blur: float
    ema: float
    warm_up_steps: int
    seed: int


_COMPACT = Preset(
    name="compact",
    title="VAE/GAN with learned similarity and annealed latent noise, compact",
    shape=Shape(
        width=256,
        height=144,
        latent_size=200,
        encoder_bottleneck=48,
        decoder_bottleneck=80,
        encoder_widths=(48, 96, 192),
        decoder_widths=(256, 96, 48, 24),
        discriminator_widths=(32, 64, 128),
    ),
    pull=Pull(likeness=0.3, realism=0.1, imagination=0.2, kl=3e-6, free_nats=0.05),
    batch=6,
    learning_rate=Ramp(first=1e-3, last=1e-5, begin=0.0, end=1.0),
    adversary_rate=4e-4,
    adversary_every=3,
    noise=Ramp(first=1.0, last=0.0, begin=0.3, end=0.9),
    sigma_floor=0.3,
    blur=0.5,
    ema=0.999,
    warm_up_steps=200,
    seed=2016,
)

_TINY = Preset(
    name="tiny",
    title="the compact recipe at the size of a stamp, for trying things out",
    shape=Shape(
        width=64,
        height=32,
        latent_size=16,
        encoder_bottleneck=8,
        decoder_bottleneck=8,
        encoder_widths=(8, 16),
        decoder_widths=(16, 16, 8),
        discriminator_widths=(8, 16),
    ),
    pull=Pull(likeness=0.3, realism=0.1, imagination=0.05, kl=1e-6, free_nats=0.05),
    batch=8,
    learning_rate=Ramp(first=2e-3, last=2e-5, begin=0.0, end=1.0),
    adversary_rate=4e-4,
    adversary_every=3,
    noise=Ramp(first=1.0, last=0.0, begin=0.3, end=0.9),
    sigma_floor=0.3,
    blur=0.5,
    ema=0.99,
    warm_up_steps=20,
    seed=2016,
)

PRESETS = {preset.name: preset for preset in (_COMPACT, _TINY)}


def preset_named(name: str) -> Preset:
    """The recipe of that name. Raises InputError with the names there are."""
    if name not in PRESETS:
        raise InputError(f"preset {name!r} is unknown; pick one of {', '.join(sorted(PRESETS))}")
    return PRESETS[name]
