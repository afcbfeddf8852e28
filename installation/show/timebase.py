"""Exact time arithmetic: integers only, so that a loop played for a year is where it should be.

Show time is in nanoseconds. A source's own (*local*) time is in jots: 441 jots are one nanosecond, which makes one
frame at 24, 25, 30, 48, 50, 60, 90, 100 or 120
frames a second, and at each of these divided by 1.001, a whole number of jots. (The idea is that of flicks,
1/705,600,000 s; a jot is 1/625 flick and also divides the nanosecond.)
Positions in a film are in q32: 2^-32 frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

JOTS_PER_NS = 441
JOTS_PER_SECOND = 441_000_000_000
FRAME_Q32 = 1 << 32
UNIT_SPEED = 1_000_000  # speeds are in millionths


def jots(seconds: Fraction | float) -> int:
    """Seconds to jots, to the nearest."""
    return round(Fraction(seconds) * JOTS_PER_SECOND)


def speed_ppm(speed: float) -> int:
    """A speed factor in millionths."""
    return round(speed * UNIT_SPEED)


def ceil_ns(t: int) -> int:
    """Jots to the first whole nanosecond not before them."""
    return -(-t // JOTS_PER_NS)


def divide_rounding(numerator: int, denominator: int) -> int:
    """Integer division to the nearest, halves up; `denominator` > 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def frames_q32(local: int, fps: Fraction, speed: int = UNIT_SPEED) -> int:
    """How far a film at `fps` gets in `local` jots at `speed` (millionths), in q32 frames."""
    return divide_rounding(
        local * fps.numerator * speed * FRAME_Q32,
        fps.denominator * JOTS_PER_SECOND * UNIT_SPEED,
    )


def frames_duration(length_q32: int, fps: Fraction, speed: int = UNIT_SPEED) -> int:
    """How many jots `length_q32` of film last at `fps` and |`speed`|."""
    return divide_rounding(
        length_q32 * fps.denominator * JOTS_PER_SECOND * UNIT_SPEED,
        FRAME_Q32 * fps.numerator * abs(speed),
    )


@dataclass(frozen=True, slots=True)
class Timebase:
    """Where a source is: at show time `t0` (ns) its local time is `p0` (jots), moving at `speed` (millionths; 0
    stands still).
    """

    t0: int
    p0: int = 0
    speed: int = UNIT_SPEED

    def local(self, t: int) -> int:
        """Local time in jots at show time `t`, also in jots."""
        return self.p0 + (t - self.t0 * JOTS_PER_NS) * self.speed // UNIT_SPEED

    def when(self, local: int) -> int | None:
        """The first show time (jots) at which local time, going its way, has reached `local`; None when it stands
        still.
        """
        if self.speed == 0:
            return None
        start = self.t0 * JOTS_PER_NS
        if self.speed > 0:
            return start - (self.p0 - local) * UNIT_SPEED // self.speed
        return start + (self.p0 - local - 1) * UNIT_SPEED // -self.speed + 1  # `local` rounds down, away from zero

    def retimed(self, t_ns: int, speed: int) -> Timebase:
        """The same place at `t_ns`, from there on at another speed."""
        return Timebase(t_ns, self.local(t_ns * JOTS_PER_NS), speed)

    def moved(self, t_ns: int, local: int) -> Timebase:
        """Another place at `t_ns`, at the same speed."""
        return Timebase(t_ns, local, self.speed)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A value that moves in a straight line from `start` to `end`, beginning at `t0` (ns), within `duration` (ns)."""

    t0: int
    duration: int
    start: float
    end: float

    @classmethod
    def still(cls, value: float) -> Ramp:
        """A value that does not move."""
        return cls(0, 0, value, value)

    def at(self, t: int) -> float:
        """The value at show time `t` in jots."""
        elapsed = t - self.t0 * JOTS_PER_NS
        span = self.duration * JOTS_PER_NS
        if elapsed >= span:
            return self.end
        if elapsed <= 0:
            return self.start
        return self.start + (self.end - self.start) * (elapsed / span)

    def toward(self, end: float, t_ns: int, duration_ns: int) -> Ramp:
        """From where it is at `t_ns` to `end`."""
        return Ramp(t_ns, duration_ns, self.at(t_ns * JOTS_PER_NS), end)

    @property
    def ends(self) -> int:
        """Show time in ns at which it has arrived."""
        return self.t0 + self.duration


@dataclass(frozen=True, slots=True)
class Instant:
    """Decode instant `k` of the grid that starts at `start` (jots): the picture due at show time `at` (jots)."""

    start: int
    k: int
    at: int

    @property
    def due_ns(self) -> int:
        """Show time in ns, rounded up."""
        return ceil_ns(self.at)


@dataclass(frozen=True, slots=True)
class Grid:
    """Decode instants `start + k / rate`; `start` in jots of show time."""

    start: int
    rate: Fraction

    def instant(self, k: int) -> Instant:
        """The k-th instant."""
        return Instant(
            self.start,
            k,
            self.start + divide_rounding(k * JOTS_PER_SECOND * self.rate.denominator, self.rate.numerator),
        )

    def newest(self, t: int) -> Instant:
        """The last instant not after show time `t` (jots)."""
        k = (t - self.start) * self.rate.numerator // (JOTS_PER_SECOND * self.rate.denominator)
        later = self.instant(k + 1)  # rounding of odd rates may put it on t
        return later if later.at <= t else self.instant(k)

    @property
    def period_ns(self) -> float:
        """Nanoseconds between instants."""
        return float(1_000_000_000 / self.rate)
