"""How long a training lasts: its share done, from steps or from time. Schedules follow the share, so they survive
interruptions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import torch

from installation.errors import InputError


@dataclass(frozen=True, slots=True)
class Spent:
    """What a training has taken so far, interruptions not counted.

    cpu_s: processor seconds of this process over its threads: what it would have taken on an idle machine, as far as
    all its threads had work.
    """

    steps: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0


class Budget(Protocol):
    """A length of training."""

    def share(self, spent: Spent) -> float:
        """How much is done, 0..1 (1 = enough)."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """So many minutes of training in all, interruptions not counted."""

    minutes: float

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise InputError(f"--minutes is {self.minutes:g}, it must be above 0")

    def share(self, spent: Spent) -> float:
        """Seconds trained over seconds allowed."""
        return min(1.0, spent.elapsed_s / (60.0 * self.minutes))


@dataclass(frozen=True, slots=True)
class CpuMinutes:
    """So many minutes of processor time for each thread: a fair measure on a machine that does other things too."""

    minutes: float

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise InputError(f"--cpu-minutes is {self.minutes:g}, it must be above 0")

    def share(self, spent: Spent) -> float:
        """Processor seconds used over those allowed."""
        return min(1.0, spent.cpu_s / (60.0 * self.minutes))


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

    def share(self, spent: Spent) -> float:
        """Steps done over steps wanted."""
        return min(1.0, spent.steps / self.steps)


class Meter:
    """Measures what a training takes, from what it had taken before."""

    def __init__(self, before: Spent) -> None:
        self._before = before
        self._begun = time.monotonic()
        self._cpu_begun = _cpu_s()

    def read(self, steps: int) -> Spent:
        """What was spent up to now, at step `steps`."""
        elapsed_s = self._before.elapsed_s + time.monotonic() - self._begun
        return Spent(steps, elapsed_s, self._before.cpu_s + _cpu_s() - self._cpu_begun)


def _cpu_s() -> float:
    """Processor seconds of all threads of this process, over the threads that compute."""
    return time.process_time() / torch.get_num_threads()
