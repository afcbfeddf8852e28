"""What can be asked of a running show. One frozen dataclass a command; every way in (OSC, page, DMX, keys, cues,
schedule) makes these and nothing else.

A command travels in one of three lanes, so that a flood of one kind never starves another: *values* (latest per
slot wins), *latches* (one slot each, cannot overflow),
*triggers* (a short queue; never merged).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import ClassVar


class Lane(Enum):
    """How a command queues between the thread that heard it and the show."""

    VALUE = "value"
    LATCH = "latch"
    TRIGGER = "trigger"


class Mode(StrEnum):
    """Who decides. MANUAL: the schedule waits until the next opening. MAINTENANCE: it waits until auto, and sensors
    are not heard.
    """

    AUTO = "auto"
    MANUAL = "manual"
    MAINTENANCE = "maintenance"


class Rank(IntEnum):
    """Who speaks; the higher wins."""

    SCHEDULE = 0
    SENSOR = 1
    OPERATOR = 2


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command came from: its rank, and a name for people ("192.168.10.20", "key", "page")."""

    rank: Rank
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """Anything asked of a running show. `panic` commands are obeyed whoever is in control."""

    lane: ClassVar[Lane] = Lane.TRIGGER
    panic: ClassVar[bool] = False

    @property
    def slot(self) -> tuple[str, ...]:
        """Commands of one slot replace each other in the value and latch lanes."""
        return (type(self).__name__,)


@dataclass(frozen=True, slots=True)
class Go(Command):
    """The next scene; after `Stop`, on from where it stopped."""


@dataclass(frozen=True, slots=True)
class Back(Command):
    """This scene's start; again within two seconds: the scene before."""


@dataclass(frozen=True, slots=True)
class Pause(Command):
    """Time stops; fades finish."""


@dataclass(frozen=True, slots=True)
class Resume(Command):
    """Time goes on; undoes `Pause`, `Freeze` and `Stop`."""


@dataclass(frozen=True, slots=True)
class TogglePause(Command):
    """The space bar: `Pause` or `Resume`, whichever changes something."""


@dataclass(frozen=True, slots=True)
class Freeze(Command):
    """The picture holds while time runs on."""

    on: bool
    lane: ClassVar[Lane] = Lane.LATCH


@dataclass(frozen=True, slots=True)
class Stop(Command):
    """To black, position kept, until `Go`, `Resume` or the schedule."""

    lane: ClassVar[Lane] = Lane.LATCH
    panic: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SetBlackout(Command):
    """Black at once, or not."""

    on: bool
    lane: ClassVar[Lane] = Lane.LATCH
    panic: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class PlayScene(Command):
    """Switch to a scene. `fade` in seconds; None takes the scene's own transition."""

    scene: str
    fade: float | None = None


@dataclass(frozen=True, slots=True)
class PlayFilm(Command):
    """Switch to a whole film, looping. `fade` as in `PlayScene`."""

    film: str
    fade: float | None = None


@dataclass(frozen=True, slots=True)
class PlayProgramme(Command):
    """Switch to a programme, from its first scene. `fade` as in `PlayScene`."""

    programme: str
    fade: float | None = None


@dataclass(frozen=True, slots=True)
class FireCue(Command):
    """Everything on a cue's list, within one tick."""

    cue: str


@dataclass(frozen=True, slots=True)
class Seek(Command):
    """To `seconds` after the scene's in."""

    seconds: float
    lane: ClassVar[Lane] = Lane.VALUE


@dataclass(frozen=True, slots=True)
class SetPosition(Command):
    """To a fraction 0-1 of the scene."""

    fraction: float
    lane: ClassVar[Lane] = Lane.VALUE

    @property
    def slot(self) -> tuple[str, ...]:
        """Seeking is seeking: the newest of `Seek` and `SetPosition` wins."""
        return ("Seek",)


@dataclass(frozen=True, slots=True)
class SetSpeed(Command):
    """A factor -4 to 4 on the speed of everything."""

    speed: float
    lane: ClassVar[Lane] = Lane.VALUE


@dataclass(frozen=True, slots=True)
class SetBrightness(Command):
    """Master brightness 0-1, over `fade` seconds."""

    level: float
    fade: float = 0.0
    lane: ClassVar[Lane] = Lane.VALUE


@dataclass(frozen=True, slots=True)
class SetVolume(Command):
    """Master volume 0-1, over `fade` seconds."""

    level: float
    fade: float = 0.0
    lane: ClassVar[Lane] = Lane.VALUE


@dataclass(frozen=True, slots=True)
class Steer(Command):
    """Lean -1 to 1 along an axis ("1" to "8") of the film's memory, over `fade` seconds."""

    axis: str
    amount: float
    fade: float = 0.0
    lane: ClassVar[Lane] = Lane.VALUE

    @property
    def slot(self) -> tuple[str, ...]:
        """One slot an axis."""
        return ("Steer", self.axis)


@dataclass(frozen=True, slots=True)
class SetLatent(Command):
    """One point in latent space for the films whose source is "osc"."""

    z: tuple[float, ...]
    lane: ClassVar[Lane] = Lane.VALUE


@dataclass(frozen=True, slots=True)
class SetMode(Command):
    """Who decides from now on."""

    mode: Mode
    lane: ClassVar[Lane] = Lane.LATCH


@dataclass(frozen=True, slots=True)
class ExtendHours(Command):
    """Open until the local time that comes next, `until` minutes (0 to 1439) after midnight; now, if closed."""

    until: int
    lane: ClassVar[Lane] = Lane.LATCH  # as all that changes hours: each costs milliseconds, and the newest word counts


@dataclass(frozen=True, slots=True)
class CloseHours(Command):
    """Close now, until the next opening that the hours have."""

    lane: ClassVar[Lane] = Lane.LATCH


@dataclass(frozen=True, slots=True)
class ChangeHours(Command):
    """Other hours on one local date: from and until minutes after its midnight (past 1440: on the next date), or None:
    closed all day. `programme` None is the show's first.
    """

    date: dt.date
    hours: tuple[int, int] | None
    programme: str | None = None
    lane: ClassVar[Lane] = Lane.LATCH

    @property
    def slot(self) -> tuple[str, ...]:
        """One slot a date."""
        return ("ChangeHours", _date_slot(self.date))


@dataclass(frozen=True, slots=True)
class ForgetHours(Command):
    """Take back what was changed for a local date, or on it; None: all of it."""

    date: dt.date | None = None
    lane: ClassVar[Lane] = Lane.LATCH

    @property
    def slot(self) -> tuple[str, ...]:
        """One slot a date, and one for all."""
        return ("ForgetHours", "all" if self.date is None else _date_slot(self.date))


def _date_slot(date: dt.date) -> str:
    """Slots are few, whatever dates are sent: no two of the 15 dates that can be changed share one."""
    return str(date.toordinal() % 16)


@dataclass(frozen=True, slots=True)
class RestartPicture(Command):
    """Build the picture anew, from the films to the screen: where the clock says, with everything as it is."""

    lane: ClassVar[Lane] = Lane.LATCH


@dataclass(frozen=True, slots=True)
class SourceLost(Command):
    """A live film has nothing to show. Posted by its capture thread."""

    film: str
    lane: ClassVar[Lane] = Lane.LATCH
    panic: ClassVar[bool] = True

    @property
    def slot(self) -> tuple[str, ...]:
        """Lost and back replace each other, film by film."""
        return ("Source", self.film)


@dataclass(frozen=True, slots=True)
class SourceBack(Command):
    """A live film shows something again. Posted by its capture thread."""

    film: str
    lane: ClassVar[Lane] = Lane.LATCH
    panic: ClassVar[bool] = True

    @property
    def slot(self) -> tuple[str, ...]:
        """Lost and back replace each other, film by film."""
        return ("Source", self.film)


@dataclass(frozen=True, slots=True)
class Posted:
    """A command on its way: applied in order of `sequence`."""

    sequence: int
    command: Command
    origin: Origin
