"""What every recipe's networks offer, so that one training loop, one exporter and one report serve them all.

Pictures are float32 (B, 3, H, W) in [0, 1] everywhere outside a network; whatever range or size a network likes is
its own business. Layers are torch's standard ones, so that an exporter can recognise and rewrite them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Encoder(nn.Module, ABC):
    """A picture -> the mean and log-variance of its place in the latent space."""

    @abstractmethod
    def view(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) -> what the network looks at, still in [0, 1]: the pictures themselves, or smaller ones."""

    @abstractmethod
    def place(self, view: Tensor) -> Tensor:
        """A view -> the posterior's mean (B, D)."""

    @abstractmethod
    def forward(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """A view -> mean (B, D), log-variance (B, D)."""

    def locate(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D): what `encoder.onnx` computes, and what a film consists of."""
        return self.place(self.view(pictures))


class Decoder(nn.Module, ABC):
    """A place in the latent space -> the picture remembered there."""

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, 3, H, W) in [0, 1]."""


class Discriminator(nn.Module, ABC):
    """Tells footage from memory; its layers are the learned measure of likeness."""

    @abstractmethod
    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, H, W) -> verdicts (B, ...) as logits, features of every layer from fine to coarse."""


class Architecture(Protocol):
    """The sizes of a recipe's networks, and the networks themselves, freshly initialised from torch's generator."""

    @property
    def width(self) -> int:
        """Pixels of a frame, across."""

    @property
    def height(self) -> int:
        """Pixels of a frame, down."""

    @property
    def latent_size(self) -> int:
        """Numbers per frame, D."""

    def encoder(self) -> Encoder:
        """A new encoder."""

    def decoder(self) -> Decoder:
        """A new decoder."""

    def discriminator(self) -> Discriminator:
        """A new discriminator."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The three networks of one training."""

    encoder: Encoder
    decoder: Decoder
    discriminator: Discriminator

    @classmethod
    def of(cls, architecture: Architecture) -> Networks:
        """New ones."""
        return cls(architecture.encoder(), architecture.decoder(), architecture.discriminator())

    def named(self, name: str) -> nn.Module:
        """One of them, by its role."""
        module: nn.Module = getattr(self, name)
        return module

    def all(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        """Encoder, decoder, discriminator."""
        return self.encoder, self.decoder, self.discriminator


def as_pictures(frames: NDArray[np.uint8]) -> Tensor:
    """uint8 (B, H, W, 3) -> float32 (B, 3, H, W) in [0, 1], channels last in memory."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float().div_(255.0)
