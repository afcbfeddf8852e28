"""Frames decoded while the player waits, in its own thread: for rendering to a file and for tests. Every frame is the
exact one, so that a film rendered twice is the same film.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from installation.clock import Clock
from installation.decode.decoders import Decoders
from installation.decode.slots import Found, FrameSlots
from installation.decode.source import DecodeStatistics, Tally
from installation.show.frameplan import FrameKey
from installation.show.state import Show, ShowState

_SLOTS = 10  # the most pictures one instant shows, and two


class WaitingSource:
    """A `FrameSource` that decodes what is asked for, when it is asked for. Errors of the network are raised."""

    def __init__(self, decoders: Decoders, clock: Clock) -> None:
        """`clock` only measures."""
        self._decoders = decoders
        self._clock = clock
        self._slots = FrameSlots(decoders.sizes, _SLOTS)
        self._tally = Tally()

    def publish(self, show: Show, state: ShowState, now_ns: int) -> None:
        """Nothing is decoded ahead."""

    @contextmanager
    def frame(self, key: FrameKey, due_ns: int) -> Iterator[Found | None]:
        """The exact frame; for a live film that has shown nothing yet, None."""
        if not self._slots.has(key):
            self._decode(key, due_ns)
        with self._slots.read(key, due_ns) as found:
            yield found

    def statistics(self) -> DecodeStatistics:
        """Since the start."""
        return self._tally.statistics()

    def close(self) -> None:
        """Nothing to stop."""

    def _decode(self, key: FrameKey, due_ns: int) -> None:
        slot = self._slots.claim(self._decoders.size_of(key), ())
        if slot is None:
            raise RuntimeError(f"more than {_SLOTS} frames are being read at once")
        start_ns = self._clock.now_ns()
        try:
            done = self._decoders.decode(key, slot.frame)
        except BaseException:
            self._slots.release(slot)
            raise
        if not done:
            self._slots.release(slot)
            return
        self._tally.add(self._clock.now_ns() - start_ns)
        self._slots.finish(slot, key, due_ns)
