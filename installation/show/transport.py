"""What commands do to a show. `apply` is pure: the same commands at the same times give the same state, on any machine.

Who decides: panic (blackout, stop) over operators over sensors over the schedule. An operator who moves the picture
takes over from the schedule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from installation.errors import CommandRefused
from installation.show import commands as c
from installation.show.changes import Changes, DayHours, closed_now, extended, forgotten, with_hours
from installation.show.library import Blend, Programme, Scene, Transition, whole_film
from installation.show.plan import current_pictures
from installation.show.progress import current_programme, enter_slot, next_scene, reschedule, to_schedule
from installation.show.schedule import Hours
from installation.show.state import (
    MAX_LAYERS,
    Cursor,
    FilmSource,
    Holder,
    Home,
    ProgrammeSource,
    SceneSource,
    Show,
    ShowState,
    Source,
    StepSource,
    cursor,
    enter,
    retimed,
    seconds_ns,
)
from installation.show.timebase import JOTS_PER_NS, JOTS_PER_SECOND, Ramp, Timebase, jots, speed_ppm

# `back` within this much of a scene's start goes to the scene before.
BACK_AGAIN = 2 * JOTS_PER_SECOND
# The picture is not built anew again before it can have been looked at.
RESTART_REST_NS = 5_000_000_000

# These move the picture: whoever gives one takes over from the schedule.
MOVES = (
    c.Go,
    c.Back,
    c.Pause,
    c.Resume,
    c.TogglePause,
    c.Freeze,
    c.Stop,
    c.PlayScene,
    c.PlayFilm,
    c.PlayProgramme,
    c.Seek,
    c.SetPosition,
    c.SetSpeed,
)


def apply(show: Show, state: ShowState, command: c.Command, origin: c.Origin, t_ns: int) -> ShowState:
    """The state after `command`, given at show time `t_ns` to a state already advanced to it.

    Raises:
        CommandRefused: the command names something unknown, or a higher rank holds the show.
    """
    if not command.panic:
        _admit(state, origin)
    state = _obey(show, state, command, origin, t_ns)
    return _taken_over(show, state, origin, t_ns) if isinstance(command, MOVES) else state


def _obey(show: Show, state: ShowState, command: c.Command, origin: c.Origin, t_ns: int) -> ShowState:
    match command:
        case c.FireCue(cue):
            for line in _known("cue", show.library.cues, cue).commands:
                state = apply(show, state, line, origin, t_ns)
            return state
        case c.SetMode(c.Mode.AUTO):
            return to_schedule(show, state, t_ns)
        case c.SetMode(mode):
            return replace(state, mode=mode, holder=Holder(origin, None))
        case c.SetBlackout(on):
            return replace(state, blackout=on)
        case c.SetBrightness(level, fade):
            return replace(state, brightness=state.brightness.toward(level, t_ns, seconds_ns(fade)))
        case c.SetVolume(level, fade):
            return replace(state, volume=state.volume.toward(level, t_ns, seconds_ns(fade)))
        case c.Steer(axis, amount, fade):
            ramp = state.steering.get(axis, Ramp.still(0.0)).toward(amount, t_ns, seconds_ns(fade))
            return replace(state, steering={**state.steering, axis: ramp})
        case c.SourceLost(film):
            return replace(state, away=state.away | {film})
        case c.SourceBack(film):
            return replace(state, away=state.away - {film})
        case c.RestartPicture():
            return _restarted(state, t_ns)
        case c.ExtendHours() | c.CloseHours() | c.ChangeHours() | c.ForgetHours():
            return reschedule(show, state, _changed_hours(show, state, command, t_ns), t_ns)
        case _:
            return _move(show, state, command, t_ns)


def _restarted(state: ShowState, t_ns: int) -> ShowState:
    rested_ns = RESTART_REST_NS if state.restarted is None else t_ns - state.restarted
    if 0 <= rested_ns < RESTART_REST_NS:
        raise CommandRefused("locked", f"the picture was restarted {rested_ns / 1e9:.1f} s ago; wait for 5 s")
    return replace(state, restarted=t_ns)


def _changed_hours(show: Show, state: ShowState, command: c.Command, t_ns: int) -> Changes:
    """The hours that people changed, after a command that changes them."""
    if not state.clock_trusted:
        raise CommandRefused("clock", "the clock cannot be trusted, so no hours can be changed; set the clock first")
    wall_ns = t_ns + state.wall_offset
    match command:
        case c.ExtendHours(minute):
            return extended(show.schedule, state.changes, wall_ns, minute)
        case c.CloseHours():
            return closed_now(show.schedule, state.changes, wall_ns)
        case c.ChangeHours(date, hours, programme):
            programme = programme or show.schedule.fallback_programme
            _known("programme", show.library.programmes, programme)
            day = DayHours(date, () if hours is None else (Hours(*hours, programme),))
            return with_hours(show.schedule, state.changes, wall_ns, day)
        case c.ForgetHours(dt.date() as date):
            return forgotten(show.schedule, state.changes, wall_ns, date)
        case _:
            return Changes()


def _move(show: Show, state: ShowState, command: c.Command, t_ns: int) -> ShowState:
    """Commands that change what is shown, or how it moves."""
    match command:
        case c.Go():
            return _go(show, state, t_ns)
        case c.Back():
            return _back(show, state, t_ns)
        case c.PlayScene(scene, fade):
            known = _known("scene", show.library.scenes, scene)
            return _play(show, state, SceneSource(known.id), known, fade, t_ns)
        case c.PlayFilm(film, fade):
            known = whole_film(_known("film", show.library.films, film))
            return _play(show, state, FilmSource(film), known, fade, t_ns)
        case c.PlayProgramme(programme, fade):
            return _play_programme(show, state, _known("programme", show.library.programmes, programme), fade, t_ns)
        case c.Pause():
            return _paused(show, state, t_ns)
        case c.Resume():
            return _moving(state, t_ns)
        case c.TogglePause():
            return _moving(state, t_ns) if _held(state) else retimed(replace(state, paused=True), t_ns)
        case c.Stop():
            return retimed(replace(state, stopped=True), t_ns)
        case c.Freeze(on):
            if on and state.frozen is not None:
                return state
            return replace(state, frozen=current_pictures(show, state, t_ns) if on else None)
        case c.Seek(seconds):
            here = _here(show, state, t_ns)
            return _moved_within(state, here, here.scene.local_of(Fraction(seconds)), t_ns)
        case c.SetPosition(fraction):
            here = _here(show, state, t_ns)
            return _moved_within(state, here, min(round(here.scene.duration * fraction), here.scene.duration - 1), t_ns)
        case c.SetSpeed(speed):
            return retimed(replace(state, speed=speed_ppm(speed)), t_ns)
        case _:
            raise CommandRefused("unknown", f"{type(command).__name__} is not a command for the show")


def _admit(state: ShowState, origin: c.Origin) -> None:
    if origin.rank >= c.Rank.OPERATOR:
        return
    if state.mode is c.Mode.MAINTENANCE:
        raise CommandRefused(
            "maintenance", f"{origin.name}: the show is in maintenance; sensors are not heard until mode auto"
        )
    if state.holder is not None and state.holder.origin.rank > origin.rank:
        raise CommandRefused(
            "held", f"{origin.name}: {state.holder.origin.name} holds the show; wait for closing or send mode auto"
        )


def _taken_over(show: Show, state: ShowState, origin: c.Origin, t_ns: int) -> ShowState:
    if origin.rank <= c.Rank.SENSOR or state.mode is not c.Mode.AUTO:
        return state
    until = None if show.override_ns is None else t_ns + show.override_ns
    return replace(state, holder=Holder(origin, until))


T = TypeVar("T")


def _known(kind: str, things: Mapping[str, T], name: str) -> T:
    if name not in things:
        raise CommandRefused(
            "unknown", f'{kind} "{name}" is not in this show; it has {", ".join(sorted(things)) or "none"}'
        )
    return things[name]


def _transition(scene: Scene | None, show: Show, state: ShowState, fade: float | None) -> Transition:
    """The scene's own transition, else the programme's; a fade given with the command sets its length."""
    programme = current_programme(show, state)
    own = (scene.transition if scene else None) or (programme.transition if programme else None) or Transition()
    if fade is None:
        return own
    blend = Blend.LATENT if own.blend is Blend.CUT else own.blend
    return Transition(blend if fade > 0 else Blend.CUT, jots(fade))


def _held(state: ShowState) -> bool:
    """Whether the picture stands still. No pictures at all (black) can be frozen too."""
    return state.paused or state.stopped or state.frozen is not None


def _moving(state: ShowState, t_ns: int) -> ShowState:
    """Whatever held the picture lets go."""
    if not _held(state):
        return state
    return retimed(replace(state, paused=False, stopped=False, frozen=None), t_ns)


def _paused(show: Show, state: ShowState, t_ns: int) -> ShowState:
    """Time stops; a programme's own transition becomes one of the stack, which finishes."""
    return retimed(replace(_unrolled(show, state, t_ns), paused=True), t_ns)


def _unrolled(show: Show, state: ShowState, t_ns: int) -> ShowState:
    """A programme between two scenes as two layers, the second coming in over what is left of the transition."""
    layer = state.top
    here = cursor(show, layer, t_ns * JOTS_PER_NS)
    if not isinstance(layer.source, ProgrammeSource) or here is None or here.slot is None:
        return state
    slot, transition = here.slot, here.slot.transition
    between = slot.number != layer.source.entered and here.local < transition.duration
    if not between or transition.blend is Blend.CUT or layer.ramp.ends > t_ns or len(state.layers) >= MAX_LAYERS:
        return state
    programme = show.library.programmes[layer.source.programme]
    before = programme.slot(slot.number - 1)
    leaving = replace(
        layer,
        source=StepSource(programme.id, before.number),
        timebase=Timebase(t_ns, here.start + here.local - before.start, layer.timebase.speed),
    )
    left_ns = (transition.duration - here.local) // JOTS_PER_NS
    ramp = Ramp(t_ns, left_ns, here.local / transition.duration, 1.0)
    coming = replace(layer, source=ProgrammeSource(programme.id, slot.number), ramp=ramp, blend=transition.blend)
    return replace(state, layers=(*state.layers[:-1], leaving, coming))


def _go(show: Show, state: ShowState, t_ns: int) -> ShowState:
    if state.stopped:
        return _moving(state, t_ns)
    return next_scene(show, _moving(state, t_ns), t_ns)


def _back(show: Show, state: ShowState, t_ns: int) -> ShowState:
    state = _moving(state, t_ns)
    here = cursor(show, state.top, t_ns * JOTS_PER_NS)
    if here is None:
        raise CommandRefused("black", "nothing is playing to go back in")
    layer = state.top
    if not isinstance(layer.source, ProgrammeSource | StepSource) or here.slot is None:
        return _restart(show, state, here, t_ns)
    programme = show.library.programmes[layer.source.programme]
    again = here.local < BACK_AGAIN
    return enter_slot(show, state, programme, here.slot.number - again, t_ns)


def _restart(show: Show, state: ShowState, here: Cursor, t_ns: int) -> ShowState:
    layer = state.top
    transition = _transition(here.scene, show, state, None)
    return enter(state, layer.source, 0, transition, t_ns, then=layer.then, home=layer.home)


def _play(show: Show, state: ShowState, source: Source, scene: Scene, fade: float | None, t_ns: int) -> ShowState:
    transition = _transition(scene, show, state, fade)
    state = _moving(state, t_ns)
    home = state.top.home or Home(state.top.source, state.top.timebase)
    return enter(state, source, 0, transition, t_ns, then=scene.then, home=home)


def _play_programme(show: Show, state: ShowState, programme: Programme, fade: float | None, t_ns: int) -> ShowState:
    slot = programme.slot(0)
    transition = slot.transition if fade is None else _transition(slot.scene, show, state, fade)
    return enter_slot(show, _moving(state, t_ns), programme, 0, t_ns, transition)


def _here(show: Show, state: ShowState, t_ns: int) -> Cursor:
    here = cursor(show, state.top, t_ns * JOTS_PER_NS)
    if here is None:
        raise CommandRefused("black", "nothing is playing to seek in")
    if here.scene.film.live:
        raise CommandRefused("live", f'film "{here.scene.film.id}" is live and has no other time than now')
    return here


def _moved_within(state: ShowState, here: Cursor, local: int, t_ns: int) -> ShowState:
    """The scene on top at another place of itself; a programme forgets the scene it came from."""
    layer = state.top
    timebase = Timebase(t_ns, here.start + local, state.running_speed)
    source = layer.source
    if isinstance(source, ProgrammeSource) and here.slot is not None:
        source = ProgrammeSource(source.programme, here.slot.number)
    moved = replace(layer, source=source, timebase=timebase)
    return replace(state, layers=(*state.layers[:-1], moved))
