"""What a training step is given, and what an objective makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from installation.studio.networks.interface import Networks
from installation.studio.world import World


class Draw:
    """The random numbers of one step: a function of (seed, step) alone, the same on any number of processes."""

    def __init__(self, seed: int, step: int, world: World) -> None:
        self._random = torch.Generator().manual_seed(seed * 1_000_003 + step)
        self._world = world

    def normal(self, own: int, *rest: int) -> Tensor:
        """(own, *rest) from the unit normal: this process's part of the whole batch's numbers."""
        return self._world.part(torch.randn((own * self._world.size, *rest), generator=self._random))

    def uniform(self, own: int, *rest: int) -> Tensor:
        """(own, *rest) from 0 to 1: this process's part."""
        return self._world.part(torch.rand((own * self._world.size, *rest), generator=self._random))

    def numbers(self, count: int) -> list[float]:
        """So many numbers from 0 to 1, the same in every process."""
        found: list[float] = torch.rand(count, generator=self._random).tolist()
        return found


@dataclass(frozen=True, slots=True)
class Moment:
    """One step: footage (B, 3, H, W) in [0, 1], the share of the training done, and the deviation of the latent noise
    in units of the posterior's own.
    """

    real: Tensor
    step: int
    progress: float
    noise: float
    draw: Draw
    world: World


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a step found. made: the reconstructions (B, 3, H, W), without a graph. figures: losses by name, scalars.
    learning: names of the learners whose networks now have gradients and should step.
    """

    made: Tensor
    figures: Mapping[str, Tensor]
    learning: frozenset[str]


class Objective(Protocol):
    """Losses, and which network learns from which of them. Its text says it to people."""

    def learn(self, networks: Networks, moment: Moment) -> Lesson:
        """Leave fresh gradients in the networks. Runs under autocast where the precision is reduced: losses are taken
        of float32 values.
        """
