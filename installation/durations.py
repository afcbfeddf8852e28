"""How long something took, over months, in a fixed amount of memory: a histogram with logarithmic buckets."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

_FINEST_NS = 1_000  # everything below a microsecond is one bucket
_RATIO = 1.02  # of neighbouring bucket edges: quantiles are within 1 %
_BUCKETS = 1164  # up to 10,000 s
_LOG_RATIO = math.log(_RATIO)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 99th percentile and maximum in milliseconds; zeros when nothing was measured."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class Durations:
    """Counts durations; one thread adds, any may read a moment later."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * _BUCKETS))
        self._max_ns = 0
        self.count = 0

    def add(self, duration_ns: int) -> None:
        """Count one."""
        bucket = int(math.log(duration_ns / _FINEST_NS) / _LOG_RATIO) + 1 if duration_ns > _FINEST_NS else 0
        self._counts[min(bucket, _BUCKETS - 1)] += 1
        self._max_ns = max(self._max_ns, duration_ns)
        self.count += 1

    def spread(self) -> Spread:
        """All so far; quantiles are bucket middles, never above the maximum."""
        if not self.count:
            return Spread()
        return Spread(self._quantile_ms(0.50), self._quantile_ms(0.99), self._max_ns / 1e6)

    def _quantile_ms(self, share: float) -> float:
        wanted, seen = share * sum(self._counts), 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                middle_ns = _FINEST_NS * _RATIO ** (bucket - 0.5)
                return float(min(middle_ns, self._max_ns)) / 1e6
        return self._max_ns / 1e6
