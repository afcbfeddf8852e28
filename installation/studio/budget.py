"""How long a training lasts: its share done, from steps or from seconds. Schedules follow the share, so they survive
interruptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from installation.errors import InputError


class Budget(Protocol):
    """A length of training."""

    def share(self, step: int, elapsed_s: float) -> float:
        """How much is done, 0..1 (1 = enough)."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """So many minutes of training in all, interruptions not counted."""

    minutes: float

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise InputError(f"--minutes is {self.minutes:g}, it must be above 0")

    def share(self, step: int, elapsed_s: float) -> float:
        """Seconds trained over seconds allowed."""
        return min(1.0, elapsed_s / (60.0 * self.minutes))


@dataclass(frozen=True, slots=True)
class Steps:
    """So many steps."""

    steps: int

    @classmethod
    def of_epochs(cls, epochs: int, frames: int, batch: int) -> Steps:
        """Every frame seen `epochs` times."""
        if epochs < 1:
            raise InputError(f"--epochs is {epochs}, it must be 1 or more")
        return cls(max(1, -(-epochs * frames // batch)))

    def share(self, step: int, elapsed_s: float) -> float:
        """Steps done over steps wanted."""
        return min(1.0, step / self.steps)
