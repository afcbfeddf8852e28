"""Where the player gets its frames from: one interface, whether they are decoded ahead or while it waits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from installation.decode.slots import Found
from installation.durations import Durations, Spread
from installation.show.frameplan import FrameKey
from installation.show.state import Show, ShowState


@dataclass(frozen=True, slots=True)
class DecodeStatistics:
    """Frames decoded and failed since the start, and what a decode takes."""

    decoded: int
    failed: int
    decode_ms: Spread


class FrameSource(Protocol):
    """Frames by key."""

    def publish(self, show: Show, state: ShowState, now_ns: int) -> None:
        """Tell what will be wanted: the newest state, valid at show time `now_ns`. Returns at once."""

    def frame(self, key: FrameKey, due_ns: int) -> AbstractContextManager[Found | None]:
        """The frame of `key`, due at `due_ns`, or the nearest of the same scene, or None: hold what is shown.

        Valid inside the `with` only.
        """

    def statistics(self) -> DecodeStatistics:
        """Since the start."""

    def close(self) -> None:
        """Stop; returns when nothing decodes any more. Twice is once."""


class Tally:
    """Counts decodes."""

    def __init__(self) -> None:
        self._durations = Durations()
        self.failed = 0

    def add(self, duration_ns: int) -> None:
        """One more frame."""
        self._durations.add(duration_ns)

    def statistics(self) -> DecodeStatistics:
        """So far."""
        return DecodeStatistics(self._durations.count, self.failed, self._durations.spread())
