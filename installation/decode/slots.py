"""Preallocated frame slots, found by key: where decoded pictures wait for their moment.

The decoder writes into a claimed slot that nobody can see yet; the main thread pins the one it reads, and a pinned
slot is never overwritten. One lock, held for microseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from installation.show.frameplan import FrameKey
from installation.show.timebase import FRAME_Q32

Frame = NDArray[np.float16]
Size = tuple[int, int]  # width, height

SLOTS_PER_SIZE = 24  # two pictures for each of nine instants, and some that are only shown
_NEAR_NS = 40_000_000  # one frame of delay weighs as much as one frame of position
_FAR_FRAMES = 8.0  # positions further apart than this are another scene of the film, or before a seek


@dataclass(slots=True, eq=False)
class Slot:
    """One frame and what is in it. Only `FrameSlots` and whoever has claimed it write to it.

    key: None while empty or being written. due_ns: show time of the instant it is for. serial: rises with every
    picture, so that a reader knows whether it has seen this one.
    """

    frame: Frame
    key: FrameKey | None = None
    due_ns: int = 0
    serial: int = 0
    readers: int = 0
    claimed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A frame that was asked for: (H, W, 4) float16, valid while pinned. `exact`: it is the one; else the nearest.

    `key` is its own; `serial` names the picture.
    """

    frame: Frame
    exact: bool
    key: FrameKey
    serial: int


class FrameSlots:
    """The slots of all picture sizes in a show."""

    def __init__(self, sizes: Iterable[Size], count: int = SLOTS_PER_SIZE) -> None:
        """Allocate `count` slots for each size; nothing is allocated later."""
        self._slots = {size: [_empty(size) for _ in range(count)] for size in set(sizes)}
        self._by_key: dict[FrameKey, Slot] = {}
        self._serial = 0
        self._lock = threading.Lock()

    def has(self, key: FrameKey) -> bool:
        """Whether this very frame is here."""
        return key in self._by_key

    def newest_due(self, films: tuple[str, ...]) -> int:
        """The latest moment for which there is a frame of these films; a very early one if there is none."""
        with self._lock:
            return max((slot.due_ns for key, slot in self._by_key.items() if key.films == films), default=-(1 << 63))

    def outdated(self, key: FrameKey, due_ns: int, wanted: Collection[FrameKey]) -> bool:
        """Whether there is a frame of the same films for that very moment that nobody wants any more: somebody has
        changed the future since it was made.
        """
        with self._lock:
            return any(
                slot.due_ns == due_ns and other.films == key.films and other not in wanted
                for other, slot in self._by_key.items()
            )

    @contextmanager
    def read(self, key: FrameKey, due_ns: int) -> Iterator[Found | None]:
        """Pin the frame of `key`, or the nearest one of the same scene; None if there is none."""
        with self._lock:
            slot = self._by_key.get(key)
            exact = slot is not None
            if slot is None:
                slot = self._nearest(key, due_ns)
            elif due_ns > slot.due_ns:
                slot.due_ns = due_ns  # still wanted: a held or looped picture does not grow old
            found = None
            if slot is not None and slot.key is not None:
                slot.readers += 1
                found = Found(slot.frame, exact, slot.key, slot.serial)
        try:
            yield found
        finally:
            if slot is not None and found is not None:
                with self._lock:
                    slot.readers -= 1

    def claim(self, size: Size, wanted: Collection[FrameKey]) -> Slot | None:
        """A slot to decode into: an empty one, else the unwanted one with the oldest due time. None when every slot is
        wanted or being read.
        """
        with self._lock:
            free = [slot for slot in self._slots[size] if not slot.readers and not slot.claimed]
            slot = next((slot for slot in free if slot.key is None), None)
            if slot is None:
                slot = min((s for s in free if s.key not in wanted), key=lambda s: s.due_ns, default=None)
            if slot is None:
                return None
            self._forget(slot)
            slot.claimed = True
            return slot

    def finish(self, slot: Slot, key: FrameKey, due_ns: int) -> None:
        """Show a claimed slot's new frame to readers."""
        with self._lock:
            twin = self._by_key.get(key)
            if twin is not None:
                self._forget(twin)
            self._serial += 1
            slot.key, slot.due_ns, slot.serial, slot.claimed = key, due_ns, self._serial, False
            self._by_key[key] = slot

    def release(self, slot: Slot) -> None:
        """Give a claimed slot back without a frame."""
        with self._lock:
            slot.claimed = False

    def _forget(self, slot: Slot) -> None:
        if slot.key is not None:
            del self._by_key[slot.key]
            slot.key = None

    def _nearest(self, key: FrameKey, due_ns: int) -> Slot | None:
        """Of the frames of the same films the one nearest in time and position; of equals the later."""
        alike = [slot for other, slot in self._by_key.items() if other.films == key.films]
        return min(alike, key=lambda slot: (_distance(slot, key, due_ns), -slot.due_ns), default=None)


def _distance(slot: Slot, key: FrameKey, due_ns: int) -> float:
    """In frames. Position matters little beyond a few: it only tells two scenes of one film apart."""
    assert slot.key is not None
    apart = sum(abs(a.position - b.position) for a, b in zip(slot.key.terms, key.terms, strict=True))
    return abs(slot.due_ns - due_ns) / _NEAR_NS + min(apart / FRAME_Q32, _FAR_FRAMES)


def _empty(size: Size) -> Slot:
    width, height = size
    return Slot(np.zeros((height, width, 4), np.float16))
