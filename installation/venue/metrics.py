"""What a run was like, in numbers: slots, lateness, intervals, memory. Bounded, however long it runs; written as
JSON when it ends.

A *slot* is one decode instant. It is *late* when its own frame was not on the screen within half a period of its
due time, and *held* when it never was.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from installation.errors import UnavailableError

SCHEMA = "afterimage-stats-1"
NS_PER_MS = 1_000_000
MEMORY_EVERY_NS = 10_000_000_000
# A day of memory samples; after that every second one is dropped and the pace halves.
MAX_MEMORY_SAMPLES = 8640


class Histogram:
    """Durations up to 10 s counted in bins of 0.1 ms: percentiles of a run of months in fixed memory."""

    BINS = 100_000

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * (self.BINS + 1)))
        self._total = 0
        self._max_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count one duration."""
        self._counts[min(self.BINS, max(0, duration_ns * 10 // NS_PER_MS))] += 1
        self._total += 1
        self._max_ns = max(self._max_ns, duration_ns)

    def percentile_ms(self, percent: float) -> float:
        """The duration that `percent` % stay within, in ms; 0 when nothing was counted."""
        wanted, seen = self._total * percent / 100, 0
        for index, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return index / 10
        return 0.0

    def summary(self) -> dict[str, float]:
        """p50, p99 and max, in ms."""
        return {
            "p50": self.percentile_ms(50),
            "p99": self.percentile_ms(99),
            "max": round(self._max_ns / NS_PER_MS, 1),
        }


@dataclass(slots=True)
class Metrics:
    """Counters of one run. The main thread alone writes them."""

    slots: int = 0
    presented: int = 0
    held: int = 0
    late: int = 0
    handled: int = 0
    loops: int = 0
    startup_ms: float | None = None
    interval: Histogram = field(default_factory=Histogram)
    memory: list[tuple[float, float]] = field(default_factory=list)
    _first_ns: int | None = None
    _last_present_ns: int | None = None
    _memory_due_ns: int = 0
    _memory_every_ns: int = MEMORY_EVERY_NS

    def first_picture(self, now_ns: int, process_age_ns: int) -> None:
        """The first real picture is on the screen."""
        self._first_ns = self._memory_due_ns = now_ns
        self.startup_ms = round(process_age_ns / NS_PER_MS, 1)

    def present(self, now_ns: int) -> None:
        """A picture was handed to the screen."""
        self.presented += 1
        if self._last_present_ns is not None:
            self.interval.add(now_ns - self._last_present_ns)
        self._last_present_ns = now_ns

    def slot(self, own_frame_after_ns: int | None, period_ns: float) -> None:
        """A decode instant is over; its own frame came this long after it was due, or (None) never."""
        self.slots += 1
        never = own_frame_after_ns is None
        self.held += never
        self.late += never or (own_frame_after_ns or 0) > period_ns / 2

    def skipped(self, count: int) -> None:
        """Decode instants went by without a tick of their own."""
        self.slots += count
        self.held += count
        self.late += count

    def sample_memory(self, now_ns: int) -> None:
        """Resident memory, every 10 s since the first picture."""
        if self._first_ns is None or now_ns < self._memory_due_ns:
            return
        self._memory_due_ns += self._memory_every_ns
        self.memory.append((round((now_ns - self._first_ns) / 1e9, 1), resident_mb()))
        if len(self.memory) > MAX_MEMORY_SAMPLES:
            del self.memory[1::2]
            self._memory_every_ns *= 2

    def report(self, about: Mapping[str, object]) -> dict[str, object]:
        """Everything counted, together with what the caller knows `about` the run."""
        return {
            "schema": SCHEMA,
            "slots": self.slots,
            "presented": self.presented,
            "held": self.held,
            "late": self.late,
            "interval_ms": self.interval.summary(),
            "startup_ms": self.startup_ms,
            "rss_mb": [list(sample) for sample in self.memory],
            "loops": self.loops,
            **about,
        }


def resident_mb() -> float:
    """Resident memory of this process in MB (10^6 bytes); 0 where /proc is not."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def write_report(path: Path, report: Mapping[str, object]) -> None:
    """Write a report as JSON, whole or not at all. Raises UnavailableError if it cannot be written."""
    write_text(path, json.dumps(report, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all. Raises UnavailableError if it cannot be written."""
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}") from error
