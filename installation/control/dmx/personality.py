"""The one table of channels: what a lighting desk patches, and what its levels ask of the show.

A desk repeats itself 44 times a second for months, so only what changes makes a command: what the show refuses, or
another hand overrules, is not fought over. Rows come in three kinds. A `Master` follows its level; a `Choice` fires
once when its level has stood still for a moment; a `Fade` is how long the next choice takes. The documentation is made
of the same table (`personality_markdown`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from installation.control.dmx.universe import Field, Look, Merge
from installation.errors import CommandRefused
from installation.show.commands import Command, SetBlackout, SetBrightness, SetSpeed, Steer

SETTLE_NS = 100_000_000  # a desk that crossfades a choice passes all numbers between, each for less than this
RELEASE_S = 1.0  # how long what is let go takes to go back
AXES = ("1", "2", "3")

_WORD = 65_535  # the most that coarse and fine say together
_CENTRE = 32_768
_CENTRE_WIDTH = 256  # either side: one step of the coarse channel
_FASTEST = 4.0
_SLOWEST = 1 / 64


class OnLoss(StrEnum):
    """What happens when the last source is gone."""

    HOLD = "hold"  # nothing: the last look stays
    RELEASE = "release"  # masters go back to the show's own, and the show to the schedule
    BLACK = "black"  # black until a source says otherwise


@dataclass(frozen=True, slots=True)
class Master:
    """A level that is followed. `read` makes a command of it, or None where it leaves the show its own; `neutral` is
    the command that gives it back.
    """

    name: str
    width: int
    merge: Merge
    levels: str
    read: Callable[[int], Command | None]
    neutral: Command


@dataclass(frozen=True, slots=True)
class Choice:
    """A number that picks the first, second, ... of a kind; 0 picks nothing, 255 is `top` where there is one."""

    kind: str
    levels: str
    top: str = ""
    width: int = 1
    merge: Merge = Merge.LATEST

    @property
    def name(self) -> str:
        """As people call it."""
        return self.kind


@dataclass(frozen=True, slots=True)
class Fade:
    """How long the next choice takes."""

    name: str
    levels: str
    width: int = 1
    merge: Merge = Merge.LATEST


Row = Master | Choice | Fade


def read_brightness(level: int) -> SetBrightness:
    """16 bits from dark to full."""
    return SetBrightness(level / _WORD)


def read_blackout(level: int) -> SetBlackout | None:
    """On from the middle."""
    return SetBlackout(True) if level >= 128 else None


def read_speed(level: int) -> SetSpeed | None:
    """Geometric on both sides of a detent at 1, so that a step is the same ratio everywhere; backwards at the foot."""
    if level == 0 or 120 <= level <= 136:
        return None
    if level < 60:
        return SetSpeed(-_FASTEST * (_SLOWEST / _FASTEST) ** ((level - 1) / 58))
    if level < 68:
        return SetSpeed(0.0)
    return SetSpeed(_SLOWEST ** ((120 - level) / 52) if level < 120 else _FASTEST ** ((level - 136) / 119))


def steering(axis: str) -> Callable[[int], Steer | None]:
    """16 bits from -1 to 1 along an axis, none around the middle."""

    def read(level: int) -> Steer | None:
        offset = level - _CENTRE
        if level == 0 or abs(offset) <= _CENTRE_WIDTH:
            return None
        return Steer(axis, offset / (_WORD - _CENTRE))

    return read


def read_fade(level: int | None) -> float | None:
    """Seconds; None leaves the choice its own transition."""
    return (level - 1) / 10 if level else None


PERSONALITY: tuple[Row, ...] = (
    Master(
        "brightness", 2, Merge.HIGHEST, "0: dark, 65535: full",
        read_brightness, SetBrightness(1.0, RELEASE_S),
    ),
    Master("blackout", 1, Merge.HIGHEST, "0-127: off, 128-255: black at once", read_blackout, SetBlackout(False)),
    Choice("film", "0: nothing, n: the nth film"),
    Choice("scene", "0: nothing, n: the nth scene, 255: back to the schedule", top="mode/auto"),
    Fade("fade of film and scene", "0: their own transition, 1: a cut, 2-255: 0.1 to 25.4 s"),
    Master(
        "speed", 1, Merge.LATEST,
        "0: the show's own, 1-59: backwards from 4 to 1/64, 60-67: still, 68-119: from 1/64 to 1, "
        "120-136: the show's own, 137-255: from 1 to 4",
        read_speed, SetSpeed(1.0),
    ),
    *(
        Master(
            f"steering, axis {axis}", 2, Merge.LATEST,
            "0: none, 1: -1, 127-128 coarse: none, 65535: 1",
            steering(axis), Steer(axis, 0.0, RELEASE_S),
        )
        for axis in AXES
    ),
)  # fmt: skip
CHANNELS = sum(row.width for row in PERSONALITY)


def fields(address: int) -> tuple[Field, ...]:
    """Where the rows are in a universe, from the first channel (1-512) on."""
    starts = [address - 1 + sum(row.width for row in PERSONALITY[:index]) for index in range(len(PERSONALITY))]
    return tuple(Field(start, row.width, row.merge) for start, row in zip(starts, PERSONALITY, strict=True))


def personality_markdown() -> str:
    """The table as documentation."""
    lines = ["| channel | what | levels | of several desks |", "|---|---|---|---|"]
    for field, row in zip(fields(1), PERSONALITY, strict=True):
        channel = f"{field.start + 1}" if field.width == 1 else f"{field.start + 1}-{field.start + 2} coarse, fine"
        wins = "highest" if row.merge is Merge.HIGHEST else "latest"
        lines.append(f"| {channel} | {row.name} | {row.levels} | {wins} |")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Wish:
    """Commands that belong in one tick, and the source that wants them."""

    name: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Press:
    """A trigger, as somebody would type it: it passes the same gate as everybody's."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class HandBack:
    """To the schedule, if the show is still held by DMX."""

    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A number that picks nothing here."""

    name: str
    error: CommandRefused


Said = Wish | Press | HandBack | Unknown


@dataclass(slots=True)
class _Settling:
    """A choice on its way: what is there since when, and what counted last."""

    level: int = 0
    since_ns: int = 0
    counted: int = 0

    def due_ns(self) -> int | None:
        return self.since_ns + SETTLE_NS if self.level != self.counted else None


class Personality:
    """From looks to commands. `ids`: what can be chosen, in order, by the kind of each `Choice`."""

    def __init__(self, ids: Mapping[str, Sequence[str]]) -> None:
        self._ids = ids
        self._look = Look((None,) * len(PERSONALITY), ("",) * len(PERSONALITY))
        self._said: dict[str, Command] = {}  # by row: what holds because we said it
        self._settling = _unsettled()

    @property
    def next_due_ns(self) -> int | None:
        """When the next choice has settled."""
        return min((due for each in self._settling.values() if (due := each.due_ns()) is not None), default=None)

    def feed(self, look: Look, now_ns: int) -> list[Said]:
        """What a look asks for."""
        self._look = look
        commands: dict[str, list[Command]] = {}
        for row, level, name in zip(PERSONALITY, look.values, look.names, strict=True):
            if level is None:
                continue
            if isinstance(row, Master):
                commands.setdefault(name, []).extend(self._follow(row, level))
            elif isinstance(row, Choice) and level != self._settling[row.kind].level:
                settling = self._settling[row.kind]
                settling.level, settling.since_ns = level, now_ns
        wishes: list[Said] = [Wish(name, tuple(wanted)) for name, wanted in commands.items() if wanted]
        return wishes + self.due(now_ns)

    def due(self, now_ns: int) -> list[Said]:
        """The choices that have stood still for long enough."""
        chosen: list[Said] = []
        for row, name in zip(PERSONALITY, self._look.names, strict=True):
            if not isinstance(row, Choice):
                continue
            settling = self._settling[row.kind]
            due_ns = settling.due_ns()
            if due_ns is None or now_ns < due_ns:
                continue
            settling.counted = settling.level
            if settling.counted:
                chosen.append(self._choose(row, settling.counted, name))
        return chosen

    def lost(self, on_loss: OnLoss) -> list[Said]:
        """What follows when the last source is gone."""
        name = self._look.names[0]
        for settling in self._settling.values():
            settling.level = settling.counted  # what had not settled never will
        match on_loss:
            case OnLoss.HOLD:
                return []
            case OnLoss.BLACK:
                self._said["blackout"] = SetBlackout(True)
                return [Wish(name, (SetBlackout(True),))]
        neutral = [row.neutral for row in PERSONALITY if isinstance(row, Master) and row.name in self._said]
        masters = [command for command in neutral if not isinstance(command, SetSpeed)]  # who hands back, gives it back
        self._said.clear()
        self._settling = _unsettled()
        return [Wish(name, tuple(masters)), HandBack(name)] if masters else [HandBack(name)]

    def _follow(self, row: Master, level: int) -> Sequence[Command]:
        wanted = row.read(level)
        if wanted == self._said.get(row.name):
            return ()
        if wanted is None:
            del self._said[row.name]
            return (row.neutral,)
        self._said[row.name] = wanted
        return (wanted,)

    def _choose(self, row: Choice, number: int, name: str) -> Press | Unknown:
        if number == 255 and row.top:
            return Press(name, row.top)
        ids = self._ids[row.kind]
        if number > len(ids):
            shown = ", ".join(f"{place} {id_}" for place, id_ in enumerate(ids[:12], start=1))
            return Unknown(name, CommandRefused(f"unknown-{row.kind}", f"DMX {row.kind} {number}; pick one of {shown}"))
        fade = read_fade(self._fade)
        return Press(name, f"{row.kind}/{ids[number - 1]}" + ("" if fade is None else f" 1 {fade}"))

    @property
    def _fade(self) -> int | None:
        return next(level for row, level in zip(PERSONALITY, self._look.values, strict=True) if isinstance(row, Fade))


def _unsettled() -> dict[str, _Settling]:
    return {row.kind: _Settling() for row in PERSONALITY if isinstance(row, Choice)}
