"""The networks of Larsen et al. 2016 (table 1 of the paper), for frames of a film.

The paper's are for faces of 64x64 and halve them three times to 8x8; a film frame of 256x144 is halved once more, to
16x9, so that the fully connected layers stay near the paper's size. Layers otherwise as there: batch norm and ReLU
everywhere, a fully connected layer before the latent space and before the verdict, tanh at the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from installation.errors import InputError
from installation.studio.networks.batchnorm import BatchNorm
from installation.studio.networks.broad import KERNEL, centred, down, fresh, up
from installation.studio.networks.interface import Decoder, Discriminator, Encoder


@dataclass(frozen=True, slots=True)
class LarsenShape:
    """Channels of the convolutions: `encoder_widths` and `discriminator_widths` from fine to coarse, `decoder_widths`
    from coarse to fine. The discriminator's first convolution keeps the size of the frame. `hidden` and
    `verdict_hidden`: units of the fully connected layers.
    """

    width: int
    height: int
    latent_size: int
    encoder_widths: tuple[int, ...]
    hidden: int
    decoder_widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]
    verdict_hidden: int

    def __post_init__(self) -> None:
        halvings = len(self.encoder_widths)
        factor = 1 << halvings
        if self.width % factor or self.height % factor:
            raise InputError(f"shape: {self.width}x{self.height} must be multiples of {factor} for these networks")
        if {len(self.decoder_widths), len(self.discriminator_widths)} != {halvings + 1}:
            raise InputError("shape: decoder and discriminator need one width more than the encoder")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the coarse grid."""
        factor = 1 << len(self.encoder_widths)
        return self.height // factor, self.width // factor

    def encoder(self) -> LarsenEncoder:
        """A new encoder."""
        return LarsenEncoder(self)

    def decoder(self) -> LarsenDecoder:
        """A new decoder."""
        return LarsenDecoder(self)

    def discriminator(self) -> LarsenDiscriminator:
        """A new discriminator."""
        return LarsenDiscriminator(self)


class _Dense(nn.Module):
    """Fully connected, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = BatchNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        return F.relu(self.norm(self.linear(x)[:, :, None, None])).flatten(1)


def _normed(conv: nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    return nn.Sequential(conv, BatchNorm(conv.out_channels), nn.ReLU())


class LarsenEncoder(Encoder):
    """Convolutions, one fully connected layer, two linear ones; mean and log-variance are not bounded."""

    def __init__(self, shape: LarsenShape) -> None:
        super().__init__()
        widths = (3, *shape.encoder_widths)
        self.down = nn.Sequential(*(_normed(down(a, b)) for a, b in pairwise(widths)))
        self.dense = _Dense(widths[-1] * math.prod(shape.grid), shape.hidden)
        self.mean = nn.Linear(shape.hidden, shape.latent_size)
        self.spread = nn.Linear(shape.hidden, shape.latent_size)
        fresh(self)

    def view(self, pictures: Tensor) -> Tensor:
        """The pictures themselves."""
        return pictures

    def _features(self, view: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, hidden)."""
        found: Tensor = self.dense(self.down(centred(view)).flatten(1))
        return found

    def place(self, view: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D)."""
        mean: Tensor = self.mean(self._features(view))
        return mean

    def forward(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> mean (B, D), log-variance (B, D)."""
        features = self._features(view)
        return self.mean(features), self.spread(features)


class LarsenDecoder(Decoder):
    """A fully connected layer, transposed convolutions, a convolution that keeps the size."""

    def __init__(self, shape: LarsenShape) -> None:
        super().__init__()
        widths = shape.decoder_widths
        self.grid = (widths[0], *shape.grid)
        self.open = nn.Linear(shape.latent_size, math.prod(self.grid))
        self.norm = BatchNorm(widths[0])
        self.up = nn.Sequential(*(_normed(up(a, b)) for a, b in pairwise(widths)))
        self.close = nn.Conv2d(widths[-1], 3, KERNEL, 1, KERNEL // 2)
        fresh(self)

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, 3, H, W) in [0, 1]."""
        x = F.relu(self.norm(self.open(z).unflatten(1, self.grid)))  # (B, widths[0], rows, columns)
        made: Tensor = self.close(self.up(x)).tanh() * 0.5 + 0.5
        return made


class LarsenDiscriminator(Discriminator):
    """Convolutions and two fully connected layers; the features are what the convolutions find before batch norm
    and ReLU of the last one have flattened it.
    """

    def __init__(self, shape: LarsenShape) -> None:
        super().__init__()
        widths = shape.discriminator_widths
        first = nn.Sequential(nn.Conv2d(3, widths[0], KERNEL, 1, KERNEL // 2), nn.ReLU())
        middle = [_normed(down(a, b)) for a, b in pairwise(widths[:-1])]
        self.layers = nn.ModuleList([first, *middle])
        self.last = down(widths[-2], widths[-1])
        self.norm = BatchNorm(widths[-1])
        self.dense = _Dense(widths[-1] * math.prod(shape.grid), shape.verdict_hidden)
        self.verdict = nn.Linear(shape.verdict_hidden, 1)
        fresh(self)

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, H, W) -> logits (B, 1), features of every convolution."""
        x = centred(pictures)
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        last = self.norm(self.last(x))
        return self.verdict(self.dense(F.relu(last).flatten(1))), [*features, last]
