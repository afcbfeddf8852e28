"""Small shows to plan with: films without pictures, a schedule that a test writes down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from installation.show.library import (
    Blend,
    Cue,
    FilmInfo,
    Library,
    Programme,
    Scene,
    Transition,
    whole_film,
)
from installation.show.schedule import Period
from installation.show.state import Show
from installation.show.timebase import FRAME_Q32, jots

S = 1_000_000_000
T0 = 1_800_000_000 * S


def film(name: str, fps: Fraction | int = 24, frames: int = 240, space: str = "space", live: bool = False) -> FilmInfo:
    return FilmInfo(name, name.title(), Fraction(fps), frames, space, (256, 144), (0,), live)


def scene(of: FilmInfo, **changes: object) -> Scene:
    return replace(whole_film(of), **changes)


def shot(of: FilmInfo, start: int, frames: int, **changes: object) -> Scene:
    return replace(whole_film(of), start=start * FRAME_Q32, length=frames * FRAME_Q32, **changes)


@dataclass(frozen=True)
class Hours:
    """A schedule from a list of periods, in order; the last lasts for ever."""

    periods: tuple[Period, ...]

    def at(self, wall_ns: int) -> Period:
        return next(period for period in self.periods if period.end_ns is None or wall_ns < period.end_ns)


@dataclass
class World:
    films: list[FilmInfo]
    scenes: list[Scene] = field(default_factory=list)
    programmes: list[Programme] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    periods: tuple[Period, ...] = ()

    def show(self, **changes: object) -> Show:
        scenes = {each.id: whole_film(each) for each in self.films} | {each.id: each for each in self.scenes}
        programmes = self.programmes or [Programme("all", "All", tuple(whole_film(each) for each in self.films))]
        library = Library(
            {each.id: each for each in self.films},
            scenes,
            {each.id: each for each in programmes},
            {each.id: each for each in self.cues},
        )
        hours = Hours(self.periods or (always(programmes[0].id),))
        return replace(Show("Test", library, hours), **changes)  # type: ignore[arg-type]


def always(programme: str) -> Period:
    return Period(anchor_ns=T0 - 1000 * S, end_ns=None, programme=programme, open=True)


def latent(seconds: float) -> Transition:
    return Transition(Blend.LATENT, jots(seconds))


def pixel(seconds: float) -> Transition:
    return Transition(Blend.PIXEL, jots(seconds))
