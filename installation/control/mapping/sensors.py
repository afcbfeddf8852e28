"""What a stream of numbers from the outside world is worth: the chain between a sensor or a fader and a command.

In order: finite, plausible (dropped, not clamped), median of three, scale and curve, smoothing on the time of receipt,
then a dead band and a rate for values (`Follower`), or two thresholds, a hold and a rest for triggers (`Threshold`). A
sensor that falls silent is stale: its value is let go, never frozen. Pure: `feed` what came, `step` as time goes by.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import median_low

REFRESH_NS = 1_000_000_000  # an unchanged value is said again: somebody may have held the show meanwhile
SETTLE_NS = 300_000_000  # a sender that only speaks of changes has no second and third sample for the median
_NEAR = 1e-4  # of the way: smoothing has arrived

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shaping:
    """How numbers become other numbers, or triggers. Times in ns, 0 for none; thresholds in units of the output."""

    plausible: Span | None = None  # what lies outside is dropped
    output: Span | None = None  # where the ends of `plausible` go
    curve: float = 1.0  # exponent between the two
    median: bool = False
    smooth_ns: int = 0  # time constant
    dead_band: float = 0.0
    period_ns: int = 0  # between two values
    above: float | None = None  # fires here
    below: float = 0.0  # and again only after having been here
    hold_ns: int = 0  # so long above, without a break
    rearm_ns: int = 0  # so long after it fired it is deaf
    stale_ns: int = 0  # silent for so long: let go
    stuck_ns: int = 0  # exactly the same for so long: as if silent


@dataclass(frozen=True, slots=True)
class Level:
    """A value to pass on, or None: let go."""

    value: float | None


class Signal:
    """The part of the chain that values and triggers share: from what came to a smooth number, or None."""

    def __init__(self, shaping: Shaping, start: float | None = None) -> None:
        self.heard_ns: int | None = None  # newest plausible number
        self.level: float | None = None
        self._shaping = shaping
        self._start = start  # smoothing begins here, so that a sensor that comes back does not jump
        self._window: deque[float] = deque(maxlen=3)
        self._target: float | None = None
        self._stepped_ns = 0
        self._raw: float | None = None
        self._changed_ns = 0

    def feed(self, number: float, now_ns: int) -> None:
        """Take one number, whatever it is."""
        if not math.isfinite(number) or not _within(number, self._shaping.plausible):
            return
        self.heard_ns = now_ns
        if number != self._raw:
            self._raw, self._changed_ns = number, now_ns
        self._take(number, now_ns)

    def _take(self, number: float, now_ns: int) -> None:
        self._window.append(number)
        if self._target is None:
            self._stepped_ns = now_ns
        self._target = scaled(median_low(self._window) if self._shaping.median else number, self._shaping)

    def step(self, now_ns: int) -> None:
        """Let time go by."""
        if self._target is None or self.heard_ns is None:
            return
        if self._is_over(now_ns):
            self.level = self._target = None
            self._window.clear()
            return
        if self._raw is not None and now_ns - self.heard_ns >= SETTLE_NS:
            self._target = scaled(self._raw, self._shaping)
        self._smooth(self._target, now_ns)

    def _is_over(self, now_ns: int) -> bool:
        shaping = self._shaping
        silent = bool(shaping.stale_ns) and now_ns - (self.heard_ns or 0) > shaping.stale_ns
        return silent or (bool(shaping.stuck_ns) and now_ns - self._changed_ns > shaping.stuck_ns)

    def _smooth(self, target: float, now_ns: int) -> None:
        before = self._start if self.level is None else self.level
        elapsed_ns, self._stepped_ns = now_ns - self._stepped_ns, now_ns
        if not self._shaping.smooth_ns or before is None:
            self.level = target
            return
        level = target + (before - target) * math.exp(-elapsed_ns / self._shaping.smooth_ns)
        low, high = self._shaping.output or self._shaping.plausible or (0.0, 1.0)
        self.level = target if abs(target - level) <= _NEAR * abs(high - low) else level


class Follower:
    """Numbers in, values out: when they change by more than the dead band, no faster than the rate."""

    def __init__(self, shaping: Shaping, rest: float | None = None) -> None:
        self._shaping = shaping
        self._signal = Signal(shaping, rest)
        self._said: float | None = None
        self._said_ns = 0

    def feed(self, number: float, now_ns: int) -> Level | None:
        """Take a number; perhaps there is a value at once."""
        self._signal.feed(number, now_ns)
        return self.step(now_ns)

    def step(self, now_ns: int) -> Level | None:
        """What time makes of it."""
        self._signal.step(now_ns)
        level = self._signal.level
        if level is None:
            if self._said is None:
                return None
            self._said = None
            return Level(None)
        if self._said is not None and not self._is_news(level, now_ns):
            return None
        self._said, self._said_ns = level, now_ns
        return Level(level)

    def _is_news(self, level: float, now_ns: int) -> bool:
        since_ns = now_ns - self._said_ns
        if since_ns < self._shaping.period_ns:
            return False
        heard_since = (self._signal.heard_ns or 0) > self._said_ns
        changed = level != self._said and abs(level - (self._said or 0.0)) >= self._shaping.dead_band
        return changed or (heard_since and since_ns >= REFRESH_NS)


class Threshold:
    """Numbers in, triggers out: above one threshold for a while, and not again before below the other."""

    def __init__(self, shaping: Shaping) -> None:
        assert shaping.above is not None
        self._above = shaping.above
        self._shaping = shaping
        self._signal = Signal(shaping)
        self._armed = True
        self._since_ns: int | None = None  # above without a break
        self._deaf_until_ns: int | None = None

    def feed(self, number: float, now_ns: int) -> bool:
        """Take a number; True when it fires."""
        self._signal.feed(number, now_ns)
        return self.step(now_ns)

    def step(self, now_ns: int) -> bool:
        """What time makes of it. Silence ends a hold, and arms nothing: who is unheard may be there still."""
        self._signal.step(now_ns)
        level = self._signal.level
        if level is None or level <= self._shaping.below:
            self._armed |= level is not None
            self._since_ns = None
            return False
        if level < self._above:
            self._since_ns = None
            return False
        if self._since_ns is None:
            self._since_ns = now_ns
        deaf = self._deaf_until_ns is not None and now_ns < self._deaf_until_ns
        if not self._armed or deaf or now_ns - self._since_ns < self._shaping.hold_ns:
            return False
        self._armed = False
        self._deaf_until_ns = now_ns + self._shaping.rearm_ns
        return True


def _within(number: float, span: Span | None) -> bool:
    return span is None or min(span) <= number <= max(span)


def scaled(number: float, shaping: Shaping) -> float:
    """Where a plausible number lies in the output."""
    if shaping.plausible is None or shaping.output is None:
        return number
    (low, high), (first, last) = shaping.plausible, shaping.output
    return first + (last - first) * math.pow((number - low) / (high - low), shaping.curve)
