"""The networks of Broad and Grierson 2016, layer by layer.

Encoder: four 5x5 convolutions of stride 2, batch norm on the last three, leaky ReLU 0.2, two linear layers; the mean
through tanh, the log-variance through tanh / 2. Decoder: a linear layer, batch norm, ReLU, four transposed 5x5
convolutions of stride 2, tanh. Discriminator: the encoder's trunk, one linear layer. With the widths of the paper at
256x144: 43.6, 25.3 and 6.8 million parameters.

torch pads symmetrically where TensorFlow's `SAME` pads one pixel more to the right and below; sizes are equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from installation.errors import InputError
from installation.studio.networks.batchnorm import BatchNorm
from installation.studio.networks.interface import Decoder, Discriminator, Encoder

KERNEL = 5
SLOPE = 0.2  # of the leaky ReLU below 0
WEIGHT_STD = 0.02  # of fresh weights, as in DCGAN


@dataclass(frozen=True, slots=True)
class BroadShape:
    """width, height: pixels of a frame. widths: channels of the four convolutions, from fine to coarse; the decoder
    has them in reverse.
    """

    width: int
    height: int
    latent_size: int
    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        factor = 1 << len(self.widths)
        if self.width % factor or self.height % factor:
            raise InputError(f"shape: {self.width}x{self.height} must be multiples of {factor} for these networks")

    @property
    def grid(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the coarse grid."""
        factor = 1 << len(self.widths)
        return self.widths[-1], self.height // factor, self.width // factor

    def encoder(self) -> BroadEncoder:
        """A new encoder."""
        return BroadEncoder(self)

    def decoder(self) -> BroadDecoder:
        """A new decoder."""
        return BroadDecoder(self)

    def discriminator(self) -> BroadDiscriminator:
        """A new discriminator."""
        return BroadDiscriminator(self)


def down(inputs: int, outputs: int) -> nn.Conv2d:
    """A 5x5 convolution that halves the grid."""
    return nn.Conv2d(inputs, outputs, KERNEL, 2, KERNEL // 2)


def up(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A transposed 5x5 convolution that doubles the grid."""
    return nn.ConvTranspose2d(inputs, outputs, KERNEL, 2, KERNEL // 2, output_padding=1)


def centred(pictures: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]."""
    return pictures * 2.0 - 1.0


def fresh(network: nn.Module) -> None:
    """Weights from a narrow normal, biases 0, as DCGANs begin."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, WEIGHT_STD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class Trunk(nn.Module):
    """Convolutions of stride 2 that keep what each of them found."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        first = nn.Sequential(down(3, widths[0]), nn.LeakyReLU(SLOPE))
        rest = [nn.Sequential(down(a, b), BatchNorm(b), nn.LeakyReLU(SLOPE)) for a, b in pairwise(widths)]
        self.layers = nn.ModuleList([first, *rest])

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [0, 1] -> features of every layer, (B, widths[i], H / 2^(i+1), W / 2^(i+1))."""
        x = centred(pictures)
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class BroadEncoder(Encoder):
    """Looks at whole frames; |mean| < 1, and the posterior's deviation lies between 0.78 and 1.28."""

    def __init__(self, shape: BroadShape) -> None:
        super().__init__()
        flat = math.prod(shape.grid)
        self.trunk = Trunk(shape.widths)
        self.mean = nn.Linear(flat, shape.latent_size)
        self.spread = nn.Linear(flat, shape.latent_size)
        fresh(self)

    def view(self, pictures: Tensor) -> Tensor:
        """The pictures themselves."""
        return pictures

    def place(self, view: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D) in (-1, 1)."""
        mean: Tensor = self.mean(self.trunk(view)[-1].flatten(1)).tanh()
        return mean

    def forward(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> mean (B, D) in (-1, 1), log-variance (B, D) in (-0.5, 0.5)."""
        features = self.trunk(view)[-1].flatten(1)
        return self.mean(features).tanh(), 0.5 * self.spread(features).tanh()


class BroadDecoder(Decoder):
    """A linear layer and transposed convolutions."""

    def __init__(self, shape: BroadShape) -> None:
        super().__init__()
        widths = shape.widths[::-1]
        self.grid = shape.grid
        self.open = nn.Linear(shape.latent_size, math.prod(self.grid))
        self.norm = BatchNorm(widths[0])
        self.up = nn.Sequential(*(nn.Sequential(up(a, b), BatchNorm(b), nn.ReLU()) for a, b in pairwise(widths)))
        self.close = up(widths[-1], 3)
        fresh(self)

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, 3, H, W) in [0, 1]."""
        x = F.relu(self.norm(self.open(z).unflatten(1, self.grid)))  # (B, widths[0], rows, columns)
        made: Tensor = self.close(self.up(x)).tanh() * 0.5 + 0.5
        return made


class BroadDiscriminator(Discriminator):
    """The encoder's trunk and one verdict for the whole frame."""

    def __init__(self, shape: BroadShape) -> None:
        super().__init__()
        self.trunk = Trunk(shape.widths)
        self.verdict = nn.Linear(math.prod(shape.grid), 1)
        fresh(self)

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, H, W) -> logits (B, 1), features h0 to h3."""
        features = self.trunk(pictures)
        return self.verdict(features[-1].flatten(1)), features
