"""When each picture of footage is shown: from the timestamps in a file to numbered slots at a constant rate.

A stream is constant-rate, footage often is not, or only almost: containers round timestamps (41 and 42 ms for 24
pictures a second), phones vary their rate, GIFs hold pictures for as long as they like, damaged files lose some. One
rule covers them: slot n at n/fps shows the newest picture that is due at n/fps plus half a frame. For constant-rate
footage that is every picture once, in order, however the timestamps were rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

STANDARD_RATES = tuple(
    Fraction(rate)
    for rate in (
        "24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60", "12", "12.5", "15", "16", "18",
        "20", "10", "8", "6", "5", "4", "3", "2", "1", "100", "120000/1001", "120", "240",
    )
)  # fmt: skip
DEFAULT_RATE = Fraction(24)  # pictures per second of footage that does not say
MAX_RATE = Fraction(1000)
MAX_PAUSE_S = 300  # a longer silence between two pictures is a broken clock, not a held picture
MAX_REORDER = 64  # pictures a codec may decode ahead; a timestamp displaced further is a clock that jumped


@dataclass(frozen=True, slots=True)
class Timeline:
    """The constant rate footage is read at, and where its pictures lie.

    start: time of slot 0 in seconds of the container's clock; None = no usable clock: every decoded picture is one
    slot. slots: how many there are, an estimate where some pictures turn out not to decode. last_slot: where the last
    picture appears.
    """

    fps: Fraction
    start: Fraction | None
    slots: int
    last_slot: int
    constant: bool

    def slot_of(self, time_s: Fraction) -> int:
        """The first slot a picture due at `time_s` is shown in."""
        if self.start is None:
            raise ValueError("a timeline without a clock has no slot for a time")
        return nearest(time_s - self.start, self.fps)


def nearest(seconds: Fraction, fps: Fraction) -> int:
    """The frame nearest to a time, halves up: exact."""
    position = seconds * fps
    return (2 * position.numerator + position.denominator) // (2 * position.denominator)


def counted(frames: int, declared: Iterable[Fraction | None]) -> Timeline:
    """A timeline for footage without usable timestamps: the first plausible declared rate, every picture once."""
    fps = next((rate for rate in declared if rate is not None and 0 < rate <= MAX_RATE), DEFAULT_RATE)
    return Timeline(fps, None, frames, frames - 1, True)


def timeline_of(
    times_s: Sequence[Fraction | None], last_duration_s: Fraction | None, declared: Sequence[Fraction | None]
) -> Timeline:
    """Find the rate of footage from the times of its packets (in file order) and the rates the container declares,
    best first."""
    known = [time for time in times_s if time is not None]
    # Whole ticks: a feature film has 170,000 times, and fractions are ten times slower than integers.
    per_second = math.lcm(*{time.denominator for time in known})
    ticks = [time.numerator * (per_second // time.denominator) for time in known]
    unique = sorted(set(ticks))
    if len(unique) < 2 or len(known) < len(times_s) or _clock_jumps(ticks, unique, MAX_PAUSE_S * per_second):
        return counted(len(times_s), declared)
    since = [tick - unique[0] for tick in unique]
    ends = min(known), max(known)
    for fps in declared:
        if fps is not None and 0 < fps <= MAX_RATE and _is_constant(since, fps / per_second):
            return _constant(*ends, fps)
    fitting = [fps for fps in STANDARD_RATES if _is_constant(since, fps / per_second)]
    if fitting:
        return _constant(*ends, min(fitting, key=lambda fps: _misfit(since, fps / per_second)))
    gaps = sorted(b - a for a, b in pairwise(since))
    usual_gap = Fraction(gaps[(len(gaps) - 1) // 2], per_second)
    return _variable(*ends, usual_gap, last_duration_s)


def _clock_jumps(ticks: Sequence[int], ordered: Sequence[int], longest_pause: int) -> bool:
    """A clock that runs backwards further than a codec reorders, repeats itself, or falls silent for minutes."""
    if len(ordered) < len(ticks) * 7 // 8 or any(b - a > longest_pause for a, b in pairwise(ordered)):
        return True
    place = {tick: index for index, tick in enumerate(ordered)}
    spare = len(ticks) - len(ordered) + MAX_REORDER
    return any(abs(index - place[tick]) > spare for index, tick in enumerate(ticks))


def _is_constant(since: Sequence[int], frames_per_tick: Fraction) -> bool:
    """Every slot from the first to the last has its picture; a second one in it follows at once, as hidden ones do."""
    frames, ticks = frames_per_tick.numerator, frames_per_tick.denominator
    slots = [(2 * tick * frames + ticks) // (2 * ticks) for tick in since]
    hidden = 0
    for (slot, next_slot), (tick, next_tick) in zip(pairwise(slots), pairwise(since), strict=True):
        gap = (next_tick - tick) * frames  # in frames / ticks
        fits = 4 * gap < ticks if next_slot == slot else ticks < 2 * gap < 3 * ticks
        if next_slot - slot > 1 or not fits:
            return False
        hidden += next_slot == slot
    return hidden <= len(slots) // 8


def _misfit(since: Sequence[int], frames_per_tick: Fraction) -> float:
    """Sum over all pictures of the distance from their slots, in frames."""
    positions = [tick * frames_per_tick.numerator / frames_per_tick.denominator for tick in since]
    return sum(abs(position - round(position)) for position in positions)


def _constant(first: Fraction, last: Fraction, fps: Fraction) -> Timeline:
    last_slot = nearest(last - first, fps)
    return Timeline(fps, first, last_slot + 1, last_slot, True)


def _variable(first: Fraction, last: Fraction, usual_gap: Fraction, last_duration_s: Fraction | None) -> Timeline:
    """Sample at the usual distance of two pictures, snapped to a rate that exists when one is within 2 %."""
    measured = min(1 / usual_gap, MAX_RATE)
    best = min(STANDARD_RATES, key=lambda rate: abs(rate - measured))
    fps = best if abs(best - measured) * 50 <= measured else measured.limit_denominator(1001)
    held = min(max(last_duration_s or Fraction(0), 1 / fps), Fraction(MAX_PAUSE_S))
    last_slot = nearest(last - first, fps)
    slots = max(last_slot + 1, nearest(last + held - first, fps))
    return Timeline(fps, first, slots, last_slot, False)


def in_slots(pictures: Iterable[tuple[int, T]], first: int, stop: int) -> Iterator[T]:
    """(slot from which it is due, picture) in order -> one picture for every slot in [first, stop).

    A picture holds until the next is due; of several due in one slot the newest is shown; before the first one the
    first is shown; after the last one nothing is.
    """
    at = first
    held: T | None = None
    for slot, picture in pictures:
        while held is not None and at < min(slot, stop):
            yield held
            at += 1
        if at >= stop:
            return
        held = picture
    if held is not None and at < stop:
        yield held
