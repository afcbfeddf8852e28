"""The sources of one universe, and the look they make together. Without sockets or clocks.

Of all sources those of the highest priority count. Among equals each field is merged by its own rule: highest takes
precedence for levels, latest for choices. The latest is whose value of that field changed last; a source that joins
changes nothing by that, so that a second desk does not take over by being switched on.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum

from installation.control.dmx.frames import Frame

_BEHIND = 20  # E1.31-2018 6.7.2: a number at most 19 behind the newest is late; further behind, the source began anew


class Merge(Enum):
    """Which of several sources of one priority is obeyed."""

    HIGHEST = "HTP"
    LATEST = "LTP"


@dataclass(frozen=True, slots=True)
class Field:
    """Slots that make one number, coarse first. `start` counts the universe's slots from 0."""

    start: int
    width: int
    merge: Merge

    def read(self, slots: bytes) -> int | None:
        """The number; None where the source does not send all of it."""
        end = self.start + self.width
        return int.from_bytes(slots[self.start : end], "big") if end <= len(slots) else None


@dataclass(frozen=True, slots=True)
class Limits:
    """When a silent source is gone (ns), and how many there may be."""

    loss_ns: int
    sources: int


@dataclass(frozen=True, slots=True)
class Look:
    """What the sources say together: a number for each field, None where nobody sends it, and whose each is."""

    values: tuple[int | None, ...]
    names: tuple[str, ...]


class Verdict(Enum):
    """What became of a frame."""

    HEARD = "heard"
    ENDED = "its source ended"
    NOT_LIVE = "a preview, or another start code"
    LATE = "out of order"
    CROWDED = "too many sources"


@dataclass(slots=True)
class _Source:
    name: str
    joined: int
    priority: int
    sequence: int | None
    heard_ns: int
    values: tuple[int | None, ...]
    changed: list[int]  # for each field the serial of the frame that changed it; 0 is never


class Universe:
    """Who sends one universe, and what. One thread at a time."""

    def __init__(self, fields: Sequence[Field], limits: Limits) -> None:
        self._fields = tuple(fields)
        self._limits = limits
        self._sources: dict[Hashable, _Source] = {}
        self._serial = 0
        self._look: Look | None = None

    @property
    def look(self) -> Look | None:
        """What they say together now; None when there is nobody."""
        return self._look

    @property
    def names(self) -> tuple[str, ...]:
        """The sources, by the names they gave, in the order they came."""
        return tuple(source.name for source in self._sources.values())

    @property
    def next_due_ns(self) -> int | None:
        """When the first of them is gone, if it stays silent."""
        heard_ns = min((source.heard_ns for source in self._sources.values()), default=None)
        return None if heard_ns is None else heard_ns + self._limits.loss_ns

    def feed(self, frame: Frame, now_ns: int) -> Verdict:
        """Take a frame of this universe."""
        known = self._sources.get(frame.source)
        if frame.ends:
            if known is not None:
                del self._sources[frame.source]
                self._merge()
            return Verdict.ENDED
        if not frame.live:
            return Verdict.NOT_LIVE
        if known is None:
            return self._join(frame, now_ns)
        if is_late(frame.sequence, known.sequence):
            return Verdict.LATE
        known.sequence, known.heard_ns, known.name = frame.sequence, now_ns, frame.name
        values = tuple(field.read(frame.slots) for field in self._fields)
        if values != known.values or frame.priority != known.priority:
            self._change(known, values, frame.priority)
        return Verdict.HEARD

    def due(self, now_ns: int) -> None:
        """Let those go who were silent for too long."""
        gone = [key for key, source in self._sources.items() if now_ns - source.heard_ns >= self._limits.loss_ns]
        for key in gone:
            del self._sources[key]
        if gone:
            self._merge()

    def _join(self, frame: Frame, now_ns: int) -> Verdict:
        if len(self._sources) >= self._limits.sources and not self._make_room(frame.priority):
            return Verdict.CROWDED
        self._serial += 1
        values = tuple(field.read(frame.slots) for field in self._fields)
        self._sources[frame.source] = _Source(
            frame.name, self._serial, frame.priority, frame.sequence, now_ns, values, [0] * len(values)
        )
        self._merge()
        return Verdict.HEARD

    def _make_room(self, priority: int) -> bool:
        """Forget the least of them for a newcomer who counts for more."""
        key, least = min(self._sources.items(), key=lambda entry: (entry[1].priority, -entry[1].joined))
        if least.priority >= priority:
            return False
        del self._sources[key]
        return True

    def _change(self, source: _Source, values: tuple[int | None, ...], priority: int) -> None:
        self._serial += 1
        for index, (before, after) in enumerate(zip(source.values, values, strict=True)):
            if before != after:
                source.changed[index] = self._serial
        source.values, source.priority = values, priority
        self._merge()

    def _merge(self) -> None:
        if not self._sources:
            self._look = None
            return
        highest = max(source.priority for source in self._sources.values())
        equals = [source for source in self._sources.values() if source.priority == highest]
        winners = [self._winner(index, field.merge, equals) for index, field in enumerate(self._fields)]
        self._look = Look(
            tuple(winner.values[index] for index, winner in enumerate(winners)),
            tuple(winner.name for winner in winners),
        )

    @staticmethod
    def _winner(index: int, merge: Merge, equals: Sequence[_Source]) -> _Source:
        """Whose field counts. Who does not send it never does, and of those who say the same the first."""
        senders = [source for source in equals if source.values[index] is not None] or equals
        if merge is Merge.HIGHEST:
            return max(senders, key=lambda source: source.values[index] or 0)
        return max(senders, key=lambda source: source.changed[index])


def is_late(sequence: int | None, newest: int | None) -> bool:
    """Whether a sequence number comes after its turn; they go round at 256. Who does not count is never late."""
    if sequence is None or newest is None:
        return False
    return -_BEHIND < (sequence - newest + 128) % 256 - 128 <= 0
