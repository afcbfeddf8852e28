"""Which networks learn together, with which optimiser, how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from installation.studio.training.schedules import Schedule

_WARM_UP_SHARE = 0.05  # of the training: a short one must not spend itself warming up


class Rule(Protocol):
    """How gradients become steps."""

    def over(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        """An optimiser for these parameters; its rate is set before each step."""


@dataclass(frozen=True, slots=True)
class Adam:
    """Kingma and Ba 2015."""

    beta1: float = 0.9
    beta2: float = 0.999

    def over(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        """See `Rule.over`."""
        return torch.optim.Adam(parameters, lr=1.0, betas=(self.beta1, self.beta2), fused=True)

    def __str__(self) -> str:
        return f"Adam ({self.beta1:g}, {self.beta2:g})"


@dataclass(frozen=True, slots=True)
class RMSprop:
    """Tieleman and Hinton 2012."""

    decay: float = 0.9

    def over(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        """See `Rule.over`."""
        return torch.optim.RMSprop(parameters, lr=1.0, alpha=self.decay, foreach=True)

    def __str__(self) -> str:
        return f"RMSprop ({self.decay:g})"


@dataclass(frozen=True, slots=True)
class Learner:
    """networks: `encoder`, `decoder`, `discriminator`. warm_up_steps: the rate rises to its own in so many.
    largest_gradient: gradients with a larger norm, over all these networks, are scaled down to it.
    """

    name: str
    networks: tuple[str, ...]
    rule: Rule
    rate: Schedule
    warm_up_steps: int = 0
    largest_gradient: float | None = None

    def rate_at(self, step: int, progress: float) -> float:
        """The learning rate of a step."""
        if self.warm_up_steps == 0:
            return self.rate.at(progress)
        warmth = max((step + 1) / self.warm_up_steps, progress / _WARM_UP_SHARE)
        return self.rate.at(progress) * min(1.0, warmth)

    def __str__(self) -> str:
        return f"{' and '.join(self.networks)} with {self.rule}, rate {self.rate}"
