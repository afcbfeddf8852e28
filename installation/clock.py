"""Time, for everybody. The only module that reads the machine's clocks.

*Show time* T is an integer count of nanoseconds that looks like Unix time but never steps: the monotonic clock plus
its offset to wall time, sampled once.
Pictures follow T. *Wall time* may step (NTP, a technician); only the schedule follows it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

SECOND_NS = 1_000_000_000


class Clock(Protocol):
    """What playing needs to know about time."""

    def now_ns(self) -> int:
        """Show time T in nanoseconds; never steps, never goes back."""

    def wall_ns(self) -> int:
        """Wall time in nanoseconds since 1970-01-01 UTC; may step."""

    def wait(self, until_ns: int, sleep: Callable[[int], None]) -> None:
        """Return at show time `until_ns`, or earlier if `sleep` (which takes nanoseconds) returns earlier."""


class SystemClock:
    """The machine's clocks, optionally moved by `shift_ns` (for `--at`)."""

    def __init__(self, shift_ns: int = 0) -> None:
        self._shift_ns = shift_ns
        self._offset_ns = time.time_ns() - time.monotonic_ns() + shift_ns

    def now_ns(self) -> int:
        """Show time T in nanoseconds."""
        return time.monotonic_ns() + self._offset_ns

    def wall_ns(self) -> int:
        """Wall time in nanoseconds since 1970-01-01 UTC, moved by `shift_ns`."""
        return time.time_ns() + self._shift_ns

    def wait(self, until_ns: int, sleep: Callable[[int], None]) -> None:
        """Sleep until `until_ns`, or until something wakes `sleep`."""
        sleep(max(0, until_ns - self.now_ns()))


@dataclass(slots=True)
class SimulatedClock:
    """Time that moves only when told to. For tests and for rendering to a file."""

    t_ns: int
    wall_offset_ns: int = 0

    def now_ns(self) -> int:
        """Show time T in nanoseconds."""
        return self.t_ns

    def wall_ns(self) -> int:
        """Wall time: show time plus `wall_offset_ns`, which a test may step."""
        return self.t_ns + self.wall_offset_ns

    def advance(self, by_ns: int) -> None:
        """Move forward; time never goes back."""
        if by_ns < 0:
            raise ValueError(f"simulated time cannot go back by {-by_ns} ns")
        self.t_ns += by_ns

    def wait(self, until_ns: int, sleep: Callable[[int], None]) -> None:
        """Jump to `until_ns` at once."""
        self.advance(max(0, until_ns - self.t_ns))


def process_age_ns() -> int:
    """Nanoseconds since this process was created (0 where the system does not tell). Source: proc(5), field 22 of
    stat, in clock ticks since boot.
    """
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123 - a kernel file
            start_ticks = int(stat.read().rpartition(")")[2].split()[19])
    except OSError:
        return 0
    started_ns = start_ticks * SECOND_NS // os.sysconf("SC_CLK_TCK")
    return max(0, time.clock_gettime_ns(time.CLOCK_BOOTTIME) - started_ns)
