"""How much one sender may ask of us: token buckets, looked at before a byte is parsed.

A token is roughly 20 µs of work. Each source (address and port) has a bucket, all of them together have one more, so
that neither a broken patch nor a room full of them takes the processor away from the picture. Sources are bounded: when
all places are taken by busy ones, newcomers share a bucket.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens a second and at once, for one source and for all. 1,600 values a second is eight axes at 200 Hz; more of
    them would only cost the picture time.
    """

    per_source: int = 2000
    burst: int = 2000
    overall: int = 6000
    sources: int = 128


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_ns: int

    def refill(self, rate: int, burst: int, now_ns: int) -> None:
        self.level = min(burst, self.level + max(0, now_ns - self.filled_ns) * rate / SECOND_NS)
        self.filled_ns = now_ns


class TokenBuckets:
    """One bucket a source, one for newcomers when there are too many, one over all."""

    def __init__(self, rates: Rates, now_ns: int = 0) -> None:
        self._rates = rates
        self._overall = _Bucket(rates.overall, now_ns)
        self._newcomers = _Bucket(rates.burst, now_ns)
        self._sources: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def take(self, source: Hashable, cost: int, now_ns: int) -> bool:
        """Pay `cost` tokens; False, and nothing paid, when they are not there."""
        if not self.affords(source, cost, now_ns):
            return False
        self._bucket(source, now_ns).level -= cost
        self._overall.level -= cost
        return True

    def affords(self, source: Hashable, cost: int, now_ns: int) -> bool:
        """Whether `cost` tokens are there. For those who can wait until they are."""
        bucket = self._bucket(source, now_ns)
        bucket.refill(self._rates.per_source, self._rates.burst, now_ns)
        self._overall.refill(self._rates.overall, self._rates.overall, now_ns)
        return bucket.level >= cost and self._overall.level >= cost

    def solvent(self, source: Hashable) -> bool:
        """Whether this source has paid for all it asked so far."""
        return self._sources.get(source, self._newcomers).level >= 0

    def charge(self, source: Hashable, cost: int) -> None:
        """Pay for work that is only known once done; may run into debt, at most as deep as the bucket."""
        bucket = self._sources.get(source, self._newcomers)
        paid = min(cost, bucket.level + self._rates.burst)
        bucket.level -= paid
        self._overall.level = max(-self._rates.overall, self._overall.level - paid)

    def _bucket(self, source: Hashable, now_ns: int) -> _Bucket:
        bucket = self._sources.get(source)
        if bucket is not None:
            self._sources.move_to_end(source)
            return bucket
        if len(self._sources) >= self._rates.sources and not self._forget_oldest(now_ns):
            return self._newcomers
        bucket = self._sources[source] = _Bucket(self._rates.burst, now_ns)
        return bucket

    def _forget_oldest(self, now_ns: int) -> bool:
        """Make room, if whoever was silent longest has a full bucket again and so loses nothing."""
        source, bucket = next(iter(self._sources.items()))
        bucket.refill(self._rates.per_source, self._rates.burst, now_ns)
        if bucket.level < self._rates.burst:
            return False
        del self._sources[source]
        return True
