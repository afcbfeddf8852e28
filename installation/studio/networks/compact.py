"""Our own networks, small and quick on a processor.

All normalise per group and picture, never per batch: a frame must not depend on its neighbours in a batch. The
decoder is 3x3 convolutions and pixel shuffles only (what onnxruntime is fast at, and can quantise). The encoder looks
at the frame at half size, because 200 numbers cannot hold more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from installation.errors import InputError
from installation.studio.networks.interface import Decoder, Discriminator, Encoder

_GROUP = 8  # channels that share a mean and a variance
_CALM = (
    1e-2  # added to the encoder's variances: a black frame has none, and 1 / sqrt(1e-5) would amplify its every speck
)


@dataclass(frozen=True, slots=True)
class CompactShape:
    """Sizes shared by the networks.

    width, height: pixels of a frame. latent_size: numbers per frame. Bottlenecks: channels of the coarse grid between
    a linear layer and the convolutions; they decide most of the weights. Widths are channels from fine to coarse
    (encoder) and from coarse to fine (decoder). sigma_floor: the posterior's deviation never falls below it, so that
    annealing, not the encoder, decides when memory sharpens.
    """

    width: int
    height: int
    latent_size: int
    encoder_bottleneck: int
    decoder_bottleneck: int
    encoder_widths: tuple[int, ...]
    decoder_widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]
    sigma_floor: float

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

    def encoder(self) -> CompactEncoder:
        """A new encoder."""
        return CompactEncoder(self)

    def decoder(self) -> CompactDecoder:
        """A new decoder."""
        return CompactDecoder(self)

    def discriminator(self) -> CompactDiscriminator:
        """A new discriminator."""
        return CompactDiscriminator(self)


def _norm(channels: int, epsilon: float = 1e-5) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // _GROUP), channels, epsilon)


class _Conv(nn.Module):
    """3x3 convolution, group norm, SiLU; `stride` 2 halves the grid."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.norm = _norm(outputs, _CALM)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h / stride, w / stride)."""
        return F.silu(self.norm(self.conv(x)))


class _Up(nn.Module):
    """3x3 convolution, pixel shuffle to twice the grid, group norm, SiLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs * 4, 3, 1, 1)
        self.norm = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, 2h, 2w)."""
        return F.silu(self.norm(F.pixel_shuffle(self.conv(x), 2)))


class CompactEncoder(Encoder):
    """Looks at frames of half size; the posterior's deviation lies between the floor and 1."""

    def __init__(self, shape: CompactShape) -> None:
        super().__init__()
        widths = shape.encoder_widths
        rows, columns = shape.grid
        self.floor = 2.0 * math.log(shape.sigma_floor)
        self.stem = _Conv(3 * 4, widths[0], 1)
        self.down = nn.Sequential(*(_Conv(a, b, 2) for a, b in pairwise(widths)))
        self.narrow = nn.Conv2d(widths[-1], shape.encoder_bottleneck, 1)
        flat = shape.encoder_bottleneck * rows * columns
        self.mean = nn.Linear(flat, shape.latent_size)
        self.spread = nn.Linear(flat, shape.latent_size)

    def view(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3, H/2, W/2), averaged."""
        return F.avg_pool2d(pictures, 2)

    def place(self, view: Tensor) -> Tensor:
        """(B, 3, H/2, W/2) -> (B, D)."""
        mean: Tensor = self.mean(self._features(view))
        return mean

    def _features(self, half: Tensor) -> Tensor:
        """(B, 3, H/2, W/2) -> (B, bottleneck * rows * columns)."""
        x = F.pixel_unshuffle(half * 2.0 - 1.0, 2)  # (B, 12, H/4, W/4)
        grid: Tensor = self.narrow(self.down(self.stem(x)))  # (B, bottleneck, rows, columns)
        return grid.flatten(1)

    def forward(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H/2, W/2) -> mean (B, D), log-variance (B, D) between the floor and 0, the prior's own.

        Without the upper bound single numbers of single frames run away, and their noise drowns the picture.
        """
        features = self._features(view)
        return self.mean(features), self.floor * torch.sigmoid(self.spread(features))


class CompactDecoder(Decoder):
    """A linear layer, 3x3 convolutions, pixel shuffles."""

    def __init__(self, shape: CompactShape) -> None:
        super().__init__()
        widths = shape.decoder_widths
        self.grid = (shape.decoder_bottleneck, *shape.grid)
        self.open = nn.Linear(shape.latent_size, math.prod(self.grid))
        self.widen = nn.Conv2d(shape.decoder_bottleneck, widths[0], 1)
        self.up = nn.Sequential(*(_Up(a, b) for a, b in pairwise(widths)))
        self.close = nn.Conv2d(widths[-1], 3 * 4, 3, 1, 1)

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, 3, H, W) in (0, 1)."""
        x = self.open(z).unflatten(1, self.grid)  # (B, bottleneck, rows, columns)
        x = self.up(F.silu(self.widen(x)))  # (B, widths[-1], H/2, W/2)
        return torch.sigmoid(F.pixel_shuffle(self.close(x), 2))


class CompactDiscriminator(Discriminator):
    """Says of every patch of a picture whether it belongs to the film.

    Spectral norm keeps it gentle. It is convolutional throughout, so that crops do: it sees full-size detail for a
    quarter of the work.
    """

    def __init__(self, shape: CompactShape) -> None:
        super().__init__()
        widths = (3 * 4, *shape.discriminator_widths)
        first = [spectral_norm(nn.Conv2d(widths[0], widths[1], 3, 1, 1))]
        rest = [spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in pairwise(widths[1:])]
        self.layers = nn.ModuleList(first + rest)
        self.verdict = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, h, w) -> verdicts (B, 1, rows, columns), features of every layer from fine to coarse."""
        x = F.pixel_unshuffle(pictures * 2.0 - 1.0, 2)  # (B, 12, h/2, w/2)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.verdict(x), features
