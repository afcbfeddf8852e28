"""Numbers that change along a training: learning rates, and the noise that Broad and Grierson anneal.

A schedule is a function of the share of the training done, 0 to 1, so that it fits any budget and survives
interruptions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from installation.errors import InputError

BY_NAME = ("constant", "linear", "cosine")


class Schedule(Protocol):
    """A number over the training. Its text says it to people."""

    def at(self, progress: float) -> float:
        """The value at a share 0..1 of the training."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    value: float

    def at(self, progress: float) -> float:
        """The value."""
        return self.value

    def __str__(self) -> str:
        return f"constant at {self.value:g}"


@dataclass(frozen=True, slots=True)
class Linear:
    """From `first` to `last` in a straight line between two shares of the training, flat outside."""

    first: float
    last: float
    begin: float
    end: float

    def at(self, progress: float) -> float:
        """The value at a share 0..1 of the training."""
        return self.first + (self.last - self.first) * _along(progress, self.begin, self.end)

    def __str__(self) -> str:
        return f"linear from {self.first:g} to {self.last:g} between {self.begin:.0%} and {self.end:.0%}"


@dataclass(frozen=True, slots=True)
class Cosine:
    """From `first` to `last` along a half cosine between two shares of the training, flat outside."""

    first: float
    last: float
    begin: float
    end: float

    def at(self, progress: float) -> float:
        """The value at a share 0..1 of the training."""
        along = _along(progress, self.begin, self.end)
        return self.last + (self.first - self.last) * 0.5 * (1.0 + math.cos(math.pi * along))

    def __str__(self) -> str:
        return f"cosine from {self.first:g} to {self.last:g} between {self.begin:.0%} and {self.end:.0%}"


@dataclass(frozen=True, slots=True)
class Stepwise:
    """By hand: from each share of the training on, the value beside it. The first share is 0."""

    steps: tuple[tuple[float, float], ...]

    def at(self, progress: float) -> float:
        """The value of the last step at or before a share 0..1 of the training."""
        return next(value for share, value in reversed(self.steps) if share <= max(0.0, progress))

    def __str__(self) -> str:
        return "stepwise: " + ", ".join(f"{value:g} from {share:.0%}" for share, value in self.steps)


def _along(progress: float, begin: float, end: float) -> float:
    """How far between two shares of the training, 0..1."""
    return min(1.0, max(0.0, (progress - begin) / max(end - begin, 1e-9)))


def noise_schedule(text: str) -> Schedule:
    """A schedule of noise from the command line: a name, or `SHARE:STD,SHARE:STD,...` by hand.

    `constant` is 1, the prior's own deviation; `linear` and `cosine` fall from 1 to 0 between 30 % and 90 % of the
    training. Raises InputError.
    """
    named: dict[str, Schedule] = {
        "constant": Constant(1.0),
        "linear": Linear(1.0, 0.0, 0.3, 0.9),
        "cosine": Cosine(1.0, 0.0, 0.3, 0.9),
    }
    return named[text] if text in named else Stepwise(_steps_of(text))


def _steps_of(text: str) -> tuple[tuple[float, float], ...]:
    allowed = "write constant, linear, cosine, or SHARE:STD,... by hand, such as 0:1,0.5:0.4,0.9:0"
    try:
        pairs = [part.split(":") for part in text.split(",")]
        steps = tuple((float(share), float(value)) for share, value in pairs)
    except ValueError:
        raise InputError(f"--noise {text}: is no schedule; {allowed}") from None
    shares = [share for share, _ in steps]
    if shares[0] != 0.0 or shares != sorted(set(shares)) or not shares[-1] <= 1.0:
        raise InputError(f"--noise {text}: shares begin with 0 and rise to 1 at most; {allowed}")
    if not all(0.0 <= value <= 4.0 for _, value in steps):
        raise InputError(f"--noise {text}: deviations are from 0 to 4; {allowed}")
    return steps
