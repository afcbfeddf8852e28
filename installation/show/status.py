"""What a running show says of itself: one immutable snapshot, published by the main thread after each tick and read
by everybody else whenever they like.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from installation.show.changes import Changes
from installation.show.commands import Mode
from installation.show.schedule import Period

STEERING_AXES = 8


class StateWord(StrEnum):
    """What the picture is doing, in a word."""

    STARTING = "starting"
    PLAYING = "playing"
    PAUSED = "paused"
    FROZEN = "frozen"
    STOPPED = "stopped"
    BLACKOUT = "blackout"
    CLOSED = "closed"


class Health(StrEnum):
    """How the show is, as `check` says it."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not well, in plain words: `what` it is, and what to do about it. `level` is amber or red.

    The words may change while it lasts ("for 7 s"); `key` does not.
    """

    key: str
    level: Health
    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The show at one tick. Ids are "" where there is none; `programme` is, while one scene or film plays by itself.

    `applied` is the sequence number of the newest command in it (or refused by then). Masters and steering are
    where they are *going*: the end of a running fade, so that a
    desk's fader is not moved under a hand. Steering is one amount (-1 to 1) for each axis, "1" first.

    `wall_ns` is the show's wall time, which `--at` may have moved. `holder` took over from the schedule, until wall
    time `holder_until` (None: until closing, or until it is handed back). `period` is what the hours want now, with
    the `changes` that people made to them. `troubles` come worst first; `health` is the worst of them.
    """

    applied: int = 0
    state: StateWord = StateWord.STARTING
    scene: str = ""
    film: str = ""
    programme: str = ""
    next: str = ""
    position: float = 0.0  # seconds of footage since the scene's in
    remaining: float = 0.0  # seconds until the scene's end, at the speed it plays at when it is not held
    health: Health = Health.GREEN
    brightness: float = 1.0
    volume: float = 1.0
    speed: float = 1.0
    blackout: bool = False
    freeze: bool = False
    paused: bool = False
    stopped: bool = False
    mode: Mode = Mode.AUTO
    steering: tuple[float, ...] = (0.0,) * STEERING_AXES
    wall_ns: int = 0
    holder: str = ""
    holder_until: int | None = None
    period: Period = field(default_factory=lambda: Period(0, None, None, False))
    changes: Changes = field(default_factory=Changes)
    troubles: tuple[Trouble, ...] = ()


class StatusBoard:
    """Holds the newest snapshot. Writing and reading a reference is atomic, so nobody waits for anybody."""

    def __init__(self) -> None:
        self._newest = Snapshot()

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the snapshot. Main thread only."""
        self._newest = snapshot

    def read(self) -> Snapshot:
        """The newest snapshot, from any thread."""
        return self._newest
