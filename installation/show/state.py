"""Where a show is: a stack of layers and the masters over it. Immutable; commands and time make new ones.

Nothing here knows a frame: `plan` turns a state and an instant into pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from installation.show.changes import Changes, in_effect
from installation.show.commands import Mode, Origin
from installation.show.frameplan import Look, Picture
from installation.show.library import Blend, Library, Scene, Slot, Then, Transition
from installation.show.schedule import Period, Schedule
from installation.show.timebase import JOTS_PER_NS, UNIT_SPEED, Ramp, Timebase

MAX_LAYERS = 8
# Covered layers are kept this long (ns), so that an instant already past is still planned as it was.
LINGER_NS = 250_000_000
# How long the lights take to go down at closing, where the show does not say (jots).
CLOSING_FADE = 2_000_000_000 * JOTS_PER_NS


@dataclass(frozen=True, slots=True)
class Show:
    """A show, resolved: what it can play, when, and how it looks. `override_ns`: how long a take-over lasts; None
    is until closing.
    """

    title: str
    library: Library
    schedule: Schedule
    look: Look = field(default_factory=Look)
    override_ns: int | None = None


@dataclass(frozen=True, slots=True)
class BlackSource:
    """No picture."""

    kind: Literal["black"] = "black"


@dataclass(frozen=True, slots=True)
class FilmSource:
    """A whole film, looping."""

    film: str
    kind: Literal["film"] = "film"


@dataclass(frozen=True, slots=True)
class SceneSource:
    """One scene, looping."""

    scene: str
    kind: Literal["scene"] = "scene"


@dataclass(frozen=True, slots=True)
class ProgrammeSource:
    """A programme that moves on by itself. `entered`: the slot we jumped into, which therefore has no scene before
    it to come from.
    """

    programme: str
    entered: int | None = None
    kind: Literal["programme"] = "programme"


@dataclass(frozen=True, slots=True)
class StepSource:
    """One scene of a programme that waits for `go`: slot `number`, looping."""

    programme: str
    number: int
    kind: Literal["step"] = "step"


Source = BlackSource | FilmSource | SceneSource | ProgrammeSource | StepSource


@dataclass(frozen=True, slots=True)
class Home:
    """What to return to, where its own time has got to by then."""

    source: Source
    timebase: Timebase


@dataclass(frozen=True, slots=True)
class Layer:
    """One source in the stack of a transition: result = mix(below, layer, ramp)."""

    source: Source
    timebase: Timebase
    ramp: Ramp = field(default_factory=lambda: Ramp.still(1.0))
    blend: Blend = Blend.CUT
    then: Then = Then.LOOP
    home: Home | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who took over from the schedule, and until when (show time, ns); None is until closing."""

    origin: Origin
    until: int | None


@dataclass(frozen=True, slots=True)
class ShowState:
    """Everything that commands and time have made of a show so far.

    `wall_offset` (ns) is wall time less show time as last seen, which the schedule follows; `anchor_offset` is the
    one programmes are anchored by, which follows
    it at the next scene boundary, `reanchor_at` (show time, ns). `pending` is a layer that waits for room in the
    stack. `away` holds live films that have nothing to show. `changes` are the hours that people changed. `restarted`
    is when the picture was last asked to be built anew (show time, ns).
    """

    layers: tuple[Layer, ...]
    period: Period
    wall_offset: int
    anchor_offset: int
    reanchor_at: int | None = None
    pending: Layer | None = None
    speed: int = UNIT_SPEED
    paused: bool = False
    stopped: bool = False
    blackout: bool = False
    frozen: tuple[Picture, ...] | None = None
    brightness: Ramp = field(default_factory=lambda: Ramp.still(1.0))
    volume: Ramp = field(default_factory=lambda: Ramp.still(1.0))
    steering: Mapping[str, Ramp] = field(default_factory=dict)
    mode: Mode = Mode.AUTO
    holder: Holder | None = None
    away: frozenset[str] = frozenset()
    changes: Changes = field(default_factory=Changes)
    clock_trusted: bool = True
    restarted: int | None = None

    @property
    def top(self) -> Layer:
        """The newest layer; `pending` is not on the stack yet."""
        return self.layers[-1]

    @property
    def running_speed(self) -> int:
        """Millionths at which sources move now."""
        return 0 if self.paused or self.stopped else self.speed


@dataclass(frozen=True, slots=True)
class Cursor:
    """The current scene: the one in front, or coming in. `start` is the source's local time at which it began
    (jots), `local` how long ago that was; of a scene that holds, not beyond where it rests.
    """

    scene: Scene
    start: int
    local: int
    slot: Slot | None = None


def cursor(show: Show, layer: Layer, t: int) -> Cursor | None:
    """The scene that `layer` is in at show time `t` (jots); None for black."""
    local = layer.timebase.local(t)
    match layer.source:
        case BlackSource():
            return None
        case FilmSource(film):
            return Cursor(show.library.whole(film), 0, local)
        case SceneSource(scene):
            known = show.library.scenes[scene]
            return Cursor(known, 0, min(local, known.last_local) if layer.then is Then.HOLD else local)
        case StepSource(programme, number):
            slot = show.library.programmes[programme].slot(number)
            return Cursor(slot.scene, 0, local, slot)
        case ProgrammeSource(programme, _):
            slot = show.library.programmes[programme].slot_at(local)
            return Cursor(slot.scene, slot.start, local - slot.start, slot)


def push(state: ShowState, layer: Layer) -> ShowState:
    """Put a layer on top. A full stack never drops a visible layer: the newest waits until there is room."""
    if layer.ramp.duration == 0:
        return replace(state, layers=(layer,), pending=None)
    if len(state.layers) >= MAX_LAYERS:
        return replace(state, pending=layer)
    return replace(state, layers=(*state.layers, layer), pending=None)


def enter(
    state: ShowState,
    source: Source,
    local: int,
    transition: Transition,
    t_ns: int,
    *,
    then: Then = Then.LOOP,
    home: Home | None = None,
) -> ShowState:
    """Begin `source` at its `local` time (jots) over what is there, by `transition`."""
    timebase = Timebase(t_ns, local, state.running_speed)
    return cover(state, Home(source, timebase), transition, t_ns, then=then, home=home)


def cover(
    state: ShowState,
    incoming: Home,
    transition: Transition,
    t_ns: int,
    *,
    then: Then = Then.LOOP,
    home: Home | None = None,
) -> ShowState:
    """Lay a source that already has its own time over what is there, by `transition`."""
    duration_ns = transition.duration // JOTS_PER_NS if transition.blend is not Blend.CUT else 0
    ramp = Ramp(t_ns, duration_ns, 0.0, 1.0) if duration_ns else Ramp.still(1.0)
    return push(state, Layer(incoming.source, incoming.timebase, ramp, transition.blend, then, home))


def pruned(state: ShowState, t_ns: int) -> ShowState:
    """Without the layers under an opaque one; with the pending layer, if there is room now."""
    opaque = [i for i, layer in enumerate(state.layers) if i > 0 and layer.ramp.ends + LINGER_NS <= t_ns]
    if opaque:
        state = replace(state, layers=state.layers[opaque[-1] :])
    if state.pending is not None and len(state.layers) < MAX_LAYERS:
        waiting = state.pending
        state = push(state, replace(waiting, ramp=replace(waiting.ramp, t0=t_ns)))
    return state


def retimed(state: ShowState, t_ns: int) -> ShowState:
    """Every source re-anchored at `t_ns`, to move on at `running_speed`."""
    return replace(
        state,
        layers=tuple(_retimed_layer(layer, t_ns, state.running_speed) for layer in state.layers),
        pending=_retimed_layer(state.pending, t_ns, state.running_speed) if state.pending else None,
    )


def _retimed_layer(layer: Layer, t_ns: int, speed: int) -> Layer:
    home = layer.home and Home(layer.home.source, layer.home.timebase.retimed(t_ns, speed))
    return replace(layer, timebase=layer.timebase.retimed(t_ns, speed), home=home)


def scheduled(show: Show, state: ShowState) -> Home:
    """What the schedule wants now, anchored to the clock."""
    period = state.period
    if period.programme is None:
        return Home(BlackSource(), Timebase(0))
    programme = show.library.programmes[period.programme]
    anchor = Timebase(period.anchor_ns - state.anchor_offset)
    if programme.waits:
        return Home(StepSource(programme.id, 0), anchor)
    return Home(ProgrammeSource(programme.id, 0), anchor)


def turning_transition(show: Show, before: Period, after: Period) -> Transition:
    """How the schedule's picture changes: a programme comes in by its own transition; into black the lights go
    down, never out.
    """
    programme = show.library.programmes.get(after.programme or before.programme or "")
    transition = (programme.transition if programme else None) or Transition()
    if after.programme is None and transition.blend is Blend.CUT:
        return Transition(Blend.PIXEL, CLOSING_FADE)
    return transition


def opened(
    show: Show, now_ns: int, wall_ns: int, period: Period | None = None, changes: Changes | None = None
) -> ShowState:
    """The state of a show just started: where the clock, the schedule and its `changes` say it is; or in `period`, if
    the clock cannot be trusted.
    """
    offset, changes = wall_ns - now_ns, changes or Changes()
    hours = in_effect(show.schedule, changes)
    trusted = period is None
    state = ShowState((), period or hours.at(wall_ns), offset, offset, changes=changes, clock_trusted=trusted)
    home = scheduled(show, state)
    return replace(state, layers=(Layer(home.source, home.timebase),))


def resumed(show: Show, remembered: ShowState, now_ns: int, wall_ns: int) -> ShowState | None:
    """A remembered state, for the clock of now; None if the show no longer has what it plays.

    Live films start as there: their sources will say if they are not. A period that the schedule no longer knows (its
    hours were edited, or the clock could not be trusted) or that is yet to come (a rehearsal's) ends at once.
    """
    layers = (*remembered.layers, *((remembered.pending,) if remembered.pending else ()))
    try:
        for layer in layers:
            cursor(show, layer, now_ns * JOTS_PER_NS)
            if layer.home is not None:
                cursor(show, Layer(layer.home.source, layer.home.timebase), now_ns * JOTS_PER_NS)
    except (KeyError, IndexError):
        return None
    if remembered.period.programme not in (None, *show.library.programmes) or not remembered.layers:
        return None
    if any(film not in show.library.films for picture in remembered.frozen or () for film in picture.key.films):
        return None
    period, offset = remembered.period, wall_ns - now_ns
    changes = known_changes(show, remembered.changes)
    if period.anchor_ns > wall_ns or in_effect(show.schedule, changes).at(period.anchor_ns) != period:
        period = replace(period, end_ns=wall_ns)
    return replace(
        remembered,
        period=period,
        wall_offset=offset,
        anchor_offset=offset,
        reanchor_at=None,
        away=frozenset(),
        changes=changes,
        clock_trusted=True,
    )


def known_changes(show: Show, remembered: Changes) -> Changes:
    """Remembered hours, without those that play what the show no longer has."""
    programmes = show.library.programmes
    return Changes(
        tuple(day for day in remembered.days if all(each.programme in programmes for each in day.hours)),
        tuple(each for each in remembered.stretches if each.programme in (None, *programmes)),
    )


def seconds_ns(seconds: float) -> int:
    """Seconds to nanoseconds."""
    return round(Fraction(seconds) * 1_000_000_000)
