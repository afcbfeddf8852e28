"""The three networks: encoder, decoder, discriminator.

All normalise per group and picture, never per batch: a frame must not depend on its neighbours in a batch. The
decoder is 3x3 convolutions and pixel shuffles only (what onnxruntime is fast at, and can quantise). The encoder looks
at the frame at half size, because 200 numbers cannot hold more. Pictures inside training are float32 (B, 3, H, W) in
[0, 1].
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from installation.studio.presets import Shape

_GROUP = 8  # channels that share a mean and a variance
_CALM = (
    1e-2  # added to the encoder's variances: a black frame has none, and 1 / sqrt(1e-5) would amplify its every speck
)


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


class Encoder(nn.Module):
    """A picture -> the mean and log-variance of its place in the latent space."""

    def __init__(self, shape: Shape, sigma_floor: float) -> None:
        super().__init__()
        widths = shape.encoder_widths
        rows, columns = shape.grid
        self.floor = 2.0 * math.log(sigma_floor)
        self.stem = _Conv(3 * 4, widths[0], 1)
        self.down = nn.Sequential(*(_Conv(a, b, 2) for a, b in pairwise(widths)))
        self.narrow = nn.Conv2d(widths[-1], shape.encoder_bottleneck, 1)
        flat = shape.encoder_bottleneck * rows * columns
        self.mean = nn.Linear(flat, shape.latent_size)
        self.spread = nn.Linear(flat, shape.latent_size)

    def features(self, half: Tensor) -> Tensor:
        """(B, 3, H/2, W/2) -> (B, bottleneck * rows * columns)."""
        x = F.pixel_unshuffle(half * 2.0 - 1.0, 2)  # (B, 12, H/4, W/4)
        grid: Tensor = self.narrow(self.down(self.stem(x)))  # (B, bottleneck, rows, columns)
        return grid.flatten(1)

    def forward(self, half: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H/2, W/2) -> mean (B, D), log-variance (B, D) between the floor and 0, the prior's own.

        Without the upper bound single numbers of single frames run away, and their noise drowns the picture.
        """
        features = self.features(half)
        return self.mean(features), self.floor * torch.sigmoid(self.spread(features))


def as_pictures(frames: NDArray[np.uint8]) -> Tensor:
    """uint8 (B, H, W, 3) -> float32 (B, 3, H, W) in [0, 1], channels last in memory."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float().div_(255.0)


def shrink(frames: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 3, H/2, W/2), averaged: what the encoder looks at."""
    return F.avg_pool2d(frames, 2)


class Decoder(nn.Module):
    """A place in the latent space -> the picture remembered there."""

    def __init__(self, shape: Shape) -> None:
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


class Discriminator(nn.Module):
    """Says of every patch of a picture whether it belongs to the film; its layers are the learned measure of
    likeness.

    Spectral norm keeps it gentle. It is convolutional throughout, so that crops do: it sees full-size detail for a
    quarter of the work.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = (3 * 4, *shape.discriminator_widths)
        first = [spectral_norm(nn.Conv2d(widths[0], widths[1], 3, 1, 1))]
        rest = [spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in pairwise(widths[1:])]
        self.layers = nn.ModuleList(first + rest)
        self.verdict = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, h, w) -> verdicts (B, 1, rows, columns), features of every layer from fine to coarse."""
        x = F.pixel_unshuffle(frames * 2.0 - 1.0, 2)  # (B, 12, h/2, w/2)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.verdict(x), features
