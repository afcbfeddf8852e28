"""What a show has to play, resolved: films, scenes, programmes and cues, in exact units. Made once when a show is
loaded; immutable while it plays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from installation.show.commands import Command
from installation.show.timebase import FRAME_Q32, JOTS_PER_SECOND, UNIT_SPEED, frames_duration, frames_q32


class Blend(StrEnum):
    """How one film gives way to the next."""

    LATENT = "latent"
    PIXEL = "pixel"
    BLACK = "black"
    CUT = "cut"


class Then(StrEnum):
    """What follows a commanded scene."""

    LOOP = "loop"
    RETURN = "return"
    HOLD = "hold"
    NEXT = "next"


class Advance(StrEnum):
    """When a programme moves on: by itself, or at `go`."""

    AUTO = "auto"
    GO = "go"


@dataclass(frozen=True, slots=True)
class Transition:
    """A kind of transition and its length in jots."""

    blend: Blend = Blend.CUT
    duration: int = 0


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """What planning needs to know of a film. `frames` is 0 for a live one; `fallback` names the film shown while it
    is away.
    """

    id: str
    title: str
    fps: Fraction
    frames: int
    space: str
    size: tuple[int, int]
    cuts: tuple[int, ...] = (0,)
    live: bool = False
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A named way to play a film: `length` q32 frames from `start`, looping, at `speed` millionths.

    `rate` is the rate of decode instants: the film's own, the display's, or one given by the show.
    """

    id: str
    label: str
    film: FilmInfo
    start: int
    length: int
    rate: Fraction
    speed: int = UNIT_SPEED
    then: Then = Then.LOOP
    transition: Transition | None = None

    @property
    def duration(self) -> int:
        """One pass, in jots."""
        return frames_duration(self.length, self.film.fps, self.speed)

    def position(self, local: int) -> int:
        """Film position in q32 at `local` jots after the scene's start. A loop is a modulo.

        Backwards starts on the last frame, so that every frame has its turn.
        """
        travelled = frames_q32(local, self.film.fps, abs(self.speed))
        if self.speed < 0:
            travelled = -FRAME_Q32 - travelled
        return self.start + travelled % self.length

    def local_of(self, seconds: Fraction) -> int:
        """Local jots at which the film is `seconds` of footage after the in point."""
        offset = round(seconds * self.film.fps * FRAME_Q32)
        if self.speed < 0:
            offset = self.length - FRAME_Q32 - offset
        offset = max(0, min(offset, self.length - 1))
        return frames_duration(offset, self.film.fps, self.speed)

    @property
    def last_local(self) -> int:
        """Local jots of the last decode instant of one pass: where "hold" rests."""
        step = round(JOTS_PER_SECOND / self.rate)
        return max(0, (self.duration - 1) // step * step)


@dataclass(frozen=True, slots=True)
class Slot:
    """The n-th turn of a programme since its anchor: `scene` from local time `start` (jots), entered by
    `transition`.
    """

    number: int
    start: int
    scene: Scene
    transition: Transition


@dataclass(frozen=True, slots=True)
class Programme:
    """Scenes, round and round. Each transition overlaps the end of the scene before it, so a round is the scenes
    less the transitions.
    """

    id: str
    label: str
    scenes: tuple[Scene, ...]
    transition: Transition | None = None
    advance: Advance = Advance.AUTO
    starts: tuple[int, ...] = field(
        init=False, compare=False
    )  # local start of each scene, then the length of a round (jots)

    def __post_init__(self) -> None:
        starts = [0]
        for index, scene in enumerate(self.scenes):
            following = self.scenes[(index + 1) % len(self.scenes)]
            starts.append(starts[-1] + scene.duration - self.entering(following).duration)
        object.__setattr__(self, "starts", tuple(starts))

    @property
    def waits(self) -> bool:
        """Whether each scene loops until `go`."""
        return self.advance is Advance.GO

    def entering(self, scene: Scene) -> Transition:
        """The transition into `scene`: its own, else the programme's, else a cut."""
        return scene.transition or self.transition or Transition()

    def slot(self, number: int) -> Slot:
        """The slot of that number; negative numbers lie before the anchor."""
        turn, index = divmod(number, len(self.scenes))
        scene = self.scenes[index]
        return Slot(number, turn * self.starts[-1] + self.starts[index], scene, self.entering(scene))

    def slot_at(self, local: int) -> Slot:
        """The newest slot that has begun at `local` jots."""
        turn, rest = divmod(local, self.starts[-1])
        index = bisect_right(self.starts, rest) - 1
        return self.slot(turn * len(self.scenes) + index)


@dataclass(frozen=True, slots=True)
class Cue:
    """A named list of commands."""

    id: str
    label: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """Everything a show can play, by id."""

    films: Mapping[str, FilmInfo]
    scenes: Mapping[str, Scene]
    programmes: Mapping[str, Programme]
    cues: Mapping[str, Cue]

    def whole(self, film: str) -> Scene:
        """The scene that is a whole film, looping: what `/ai/film/<id>` plays."""
        return whole_film(self.films[film])


def whole_film(film: FilmInfo) -> Scene:
    """A film as a scene of its own. A live one has no end: its length is an hour, and its position only counts."""
    frames = film.frames or round(3600 * film.fps)
    return Scene(film.id, film.title, film, 0, frames * FRAME_Q32, film.fps)
