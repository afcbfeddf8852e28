"""Where commands wait for the next tick. Every thread may post; the main thread drains. Neither ever waits for long.

Three lanes: a value has one slot (the newest wins), a latch has one slot (it cannot overflow), triggers queue in order,
256 at most, and the newest is refused. What one `post` brings is drained together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from installation.show.commands import Command, Lane, Origin, Posted, Rank

MAX_TRIGGERS = 256

_Slot = tuple[Rank, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a post: its last sequence number, and the triggers that found the queue full."""

    sequence: int
    refused: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """Since the start: commands drained, the triggers among them, commands replaced by newer ones before, triggers
    refused.
    """

    handled: int
    triggers: int
    merged: int
    dropped: int


class Inbox:
    """Commands on their way to the main thread. The first after a drain sets `wake` and calls `ring`, which must return
    at once; those that come while it is awake cost it nothing.
    """

    def __init__(self, ring: Callable[[], None] = lambda: None) -> None:
        self.wake = threading.Event()
        self._ring = ring
        self._lock = threading.Lock()
        self._slots: dict[_Slot, Posted] = {}  # values and latches; a slot for each rank, so that ranks are heard apart
        self._triggers: list[Posted] = []
        self._sequence = 0
        self._handled = 0
        self._drained_triggers = 0
        self._merged = 0
        self._dropped = 0

    def post(self, commands: Sequence[Command], origin: Origin) -> Receipt:
        """Leave commands for one tick, from any thread."""
        refused: list[Command] = []
        with self._lock:
            is_first = not self._slots and not self._triggers
            for command in commands:
                if command.lane is Lane.TRIGGER and len(self._triggers) >= MAX_TRIGGERS:
                    refused.append(command)
                    continue
                self._sequence += 1
                self._place(Posted(self._sequence, command, origin))
            self._dropped += len(refused)
            receipt = Receipt(self._sequence, tuple(refused))
        if is_first:
            self.wake.set()
            self._ring()
        return receipt

    def _place(self, posted: Posted) -> None:
        if posted.command.lane is Lane.TRIGGER:
            self._triggers.append(posted)
            return
        slot = (posted.origin.rank, posted.command.slot)
        self._merged += slot in self._slots
        self._slots[slot] = posted

    def drain(self) -> list[Posted]:
        """Everything posted since, in order of sequence. Main thread only."""
        with self._lock:
            waiting = [*self._slots.values(), *self._triggers]
            self._drained_triggers += len(self._triggers)
            self._slots.clear()
            self._triggers.clear()
            self._handled += len(waiting)
        waiting.sort(key=lambda posted: posted.sequence)
        return waiting

    def counts(self) -> InboxCounts:
        """The counters, all of one moment."""
        with self._lock:
            return InboxCounts(self._handled, self._drained_triggers, self._merged, self._dropped)
