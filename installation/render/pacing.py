"""When a picture will be seen, and when to begin the next one. Pure: the player asks, and tells what happened."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

_SECOND_NS = 1_000_000_000


class Pacing(Protocol):
    """How ticks and pictures fall together. All times are show time in ns."""

    def seen_at(self, now_ns: int) -> int:
        """When a picture begun now is expected to be seen."""

    def begin_at(self, due_ns: int, now_ns: int) -> int:
        """When to begin the next tick, if the next picture is due at `due_ns`."""

    def drew(self, began_ns: int, seen_ns: int) -> None:
        """A picture begun at `began_ns` was presented at `seen_ns`."""


class LivePacing:
    """For eyes: begin each picture as much earlier as drawing and presenting have been taking, and a margin.

    The margin is twice the mean deviation, both smoothed, as round-trip times are in RFC 6298: a steady GPU gets a lead
    of a millisecond or two, a software renderer on a busy machine most of a film frame.
    """

    MAX_LEAD_NS = 38_000_000
    # At least this often a tick, so that commands of others, monitors and the watchdog are served.
    MAX_REST_NS = 100_000_000

    def __init__(self) -> None:
        self._took_ns = self.MAX_LEAD_NS  # the first pictures take longest
        self._deviation_ns = 0

    @property
    def lead_ns(self) -> int:
        """How much before it is due a picture is begun."""
        return min(self.MAX_LEAD_NS, self._took_ns + 2 * self._deviation_ns)

    def seen_at(self, now_ns: int) -> int:
        """Now, plus the lead."""
        return now_ns + self.lead_ns

    def begin_at(self, due_ns: int, now_ns: int) -> int:
        """One lead before the picture is due."""
        return min(due_ns - self.lead_ns, now_ns + self.MAX_REST_NS)

    def drew(self, began_ns: int, seen_ns: int) -> None:
        """Learn from what drawing took."""
        error = min(self.MAX_LEAD_NS, seen_ns - began_ns) - self._took_ns
        self._took_ns += error // 8
        self._deviation_ns += (abs(error) - self._deviation_ns) // 4


class FilePacing:
    """For files: a picture every 1/`rate` s from `start_ns`, exactly, however long it takes."""

    def __init__(self, start_ns: int, rate: Fraction) -> None:
        self._start_ns = start_ns
        self._rate = rate

    def seen_at(self, now_ns: int) -> int:
        """Time stands still while a picture is made."""
        return now_ns

    def begin_at(self, due_ns: int, now_ns: int) -> int:
        """The time of the file's next picture, rounded up so that the instant due then has come."""
        number = (now_ns - self._start_ns) * self._rate.numerator // (_SECOND_NS * self._rate.denominator) + 1
        return self._start_ns - (-number * _SECOND_NS * self._rate.denominator // self._rate.numerator)

    def drew(self, began_ns: int, seen_ns: int) -> None:
        """Nothing to learn."""
