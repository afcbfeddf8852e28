"""What a run was like, in numbers: slots, lateness, intervals, memory. Bounded, however long it runs; written as
JSON when it ends.

A *slot* is one decode instant. It is *late* when its own frame was not on the screen within half a period of its
due time, and *held* when it never was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from installation.durations import Durations, Spread
from installation.errors import UnavailableError

SCHEMA = "afterimage-stats-1"
NS_PER_MS = 1_000_000
MEMORY_EVERY_NS = 10_000_000_000
# A day of memory samples; after that every second one is dropped and the pace halves.
MAX_MEMORY_SAMPLES = 8640


@dataclass(slots=True)
class Metrics:
    """Counters of one run. The main thread alone writes them."""

    slots: int = 0
    presented: int = 0
    held: int = 0
    late: int = 0
    loops: int = 0
    startup_ms: float | None = None
    interval: Durations = field(default_factory=Durations)
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
            "interval_ms": in_ms(self.interval.spread()),
            "startup_ms": self.startup_ms,
            "rss_mb": [list(sample) for sample in self.memory],
            "loops": self.loops,
            **about,
        }


def in_ms(spread: Spread) -> dict[str, float]:
    """A spread of durations as it stands in a report, in ms."""
    return {"p50": round(spread.p50, 2), "p99": round(spread.p99, 2), "max": round(spread.max, 2)}


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
