"""Durations of the bench: the same work again and again, after a warm-up, as a median and a spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from installation.clock import SystemClock


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, in milliseconds: the median, the spread that 9 of 10 lie in, and how many there were."""

    median_ms: float
    p5_ms: float
    p95_ms: float
    samples: int


def summary(durations_ms: Sequence[float]) -> Timing:
    """Median, 5th and 95th percentile of at least one duration."""
    p5, median, p95 = (round(float(value), 3) for value in np.percentile(durations_ms, (5, 50, 95)))
    return Timing(median, p5, p95, len(durations_ms))


def timed(work: Callable[[int], object], *, warm_up: int, samples: int) -> Timing:
    """Time `work(n)`, n = 0, 1, 2 ...; the first `warm_up` do not count (caches, thread pools, compiled shaders)."""
    clock = SystemClock()
    for number in range(warm_up):
        work(number)
    durations_ms = []
    for number in range(warm_up, warm_up + samples):
        begun_ns = clock.now_ns()
        work(number)
        durations_ms.append((clock.now_ns() - begun_ns) / 1e6)
    return summary(durations_ms)
