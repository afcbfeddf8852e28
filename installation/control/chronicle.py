"""What happened lately, for those who look after the show: who did what, what was refused, how the show was.

Bounded: the oldest is forgotten. What one hand goes on doing, such as moving a fader or sending the same mistake again
and again, is one line that counts. The main thread writes what the show obeyed, the control thread the rest.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import Enum, StrEnum
from itertools import count

from installation.clock import SECOND_NS, Clock
from installation.control.feedback import Event
from installation.control.osc.messages import printable
from installation.errors import CommandRefused
from installation.show.commands import ChangeHours, Command, ExtendHours, Lane, Posted
from installation.show.status import Snapshot

SIZE = 400  # lines
AGAIN_NS = 5 * SECOND_NS  # within this, the same thing by the same hand goes on
LOOK_BACK = 16  # lines among which it is looked for
LONGEST = 300  # characters of a line


class Kind(StrEnum):
    """What sort of thing happened."""

    DID = "did"
    REFUSED = "refused"
    SHOW = "show"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened at show wall time `wall_ns`, `times` times. `number` rises with every change of any
    line; `id` stays.
    """

    id: int
    number: int
    wall_ns: int
    kind: Kind
    who: str
    text: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class _Written:
    """A line with its words not made yet: those of a refusal take time, and a flood is not read."""

    line: Line
    words: Command | CommandRefused | str
    topic: Hashable
    newest_ns: int

    def read(self) -> Line:
        words = command_words(self.words) if isinstance(self.words, Command) else str(self.words)
        return replace(self.line, text=printable(words)[:LONGEST])


class Chronicle:
    """The newest lines. From any thread; nobody waits longer than a line takes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: deque[_Written] = deque(maxlen=SIZE)
        self._ids = count(1)
        self._numbers = count(1)
        self._last: Snapshot | None = None

    def obeyed(self, posted: Posted) -> None:
        """The show did what it was asked for. Main thread."""
        command = posted.command
        topic = command.slot if command.lane is Lane.VALUE else command
        self._write(Kind.DID, posted.origin.name, command, topic)

    def refused(self, posted: Posted, error: CommandRefused) -> None:
        """The show did not."""
        self.denied(posted.origin.name, error)

    def denied(self, who: str, error: CommandRefused) -> None:
        """What somebody sent was not even passed on."""
        self._write(Kind.REFUSED, who, error, error.code)

    def happened(self, event: Event) -> None:
        """Something was announced."""
        self._write(Kind.SHOW, "show", " ".join(map(str, (event.name, *event.arguments))), event.name)

    def saw(self, now: Snapshot) -> None:
        """What the show says of itself; what is new in it is written down."""
        for kind, text, topic in () if self._last is None else _news(self._last, now):
            self._write(kind, "show", text, topic)
        self._last = now

    def since(self, number: int) -> list[Line]:
        """Every line that is new or changed after that number, the oldest first."""
        with self._lock:
            written = [each for each in self._lines if each.line.number > number]
        return [each.read() for each in written]

    def _write(self, kind: Kind, who: str, words: Command | CommandRefused | str, topic: Hashable) -> None:
        wall_ns = self._clock.wall_ns()
        with self._lock:
            number = next(self._numbers)
            for back in range(1, min(LOOK_BACK, len(self._lines)) + 1):
                other = self._lines[-back]
                same = (other.line.kind, other.line.who, other.topic) == (kind, who, topic)
                if same and 0 <= wall_ns - other.newest_ns < AGAIN_NS:
                    line = replace(other.line, number=number, times=other.line.times + 1)
                    self._lines[-back] = _Written(line, words, topic, wall_ns)
                    return
            self._lines.append(_Written(Line(next(self._ids), number, wall_ns, kind, who, ""), words, topic, wall_ns))


def command_words(command: Command) -> str:
    """A command as words: "play scene visit", "set brightness 0.2 3", "extend hours 18:30"."""
    match command:
        case ExtendHours(until):
            return f"extend hours {_time_words(until)}"
        case ChangeHours(day, hours, programme):
            words = "closed" if hours is None else "-".join(map(_time_words, hours))
            return " ".join(filter(None, ("change hours", day.isoformat(), words, programme)))
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(command).__name__).lower()
    given = (getattr(command, each.name) for each in fields(command))
    return " ".join([name, *(_value_words(value) for value in given if value not in (None, ()))])


def _time_words(minutes: int) -> str:
    """Minutes after midnight as a time of day."""
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _value_words(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case Enum():
            return str(value.value)
        case date():
            return value.isoformat()
    return str(value)


def _news(before: Snapshot, now: Snapshot) -> Iterator[tuple[Kind, str, Hashable]]:
    """What is worth a line: not every scene of a programme, which would push out what people did."""
    if now.state is not before.state:
        yield Kind.SHOW, f"is {now.state.value}", ("state", now.state)
    if (now.holder, now.mode) != (before.holder, before.mode):
        who = f"{now.holder} holds the show" if now.holder else "the schedule decides"
        yield Kind.SHOW, f"{who} ({now.mode.value})", ("holder", now.holder, now.mode)
    known = {trouble.key for trouble in before.troubles}
    for trouble in now.troubles:
        if trouble.key not in known:
            yield Kind.TROUBLE, f"{trouble.level.value}: {trouble.what}; {trouble.advice}", ("trouble", trouble.key)
    left = {trouble.key for trouble in now.troubles}
    for trouble in before.troubles:
        if trouble.key not in left:
            yield Kind.SHOW, f"over: {trouble.what}", ("over", trouble.key)
