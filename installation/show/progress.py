"""What time alone does to a show: fades end, scenes return, doors open and close, take-overs run out.

`advance` is pure and takes these events in their own order and at their own times, so that one long step and many
short ones give the same state: the look-ahead
sees through openings and returns before they happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from installation.show.changes import Changes, goes_on, in_effect, without_past
from installation.show.commands import Mode
from installation.show.library import Programme, Then, Transition
from installation.show.schedule import Period
from installation.show.state import (
    LINGER_NS,
    BlackSource,
    Home,
    Layer,
    ProgrammeSource,
    Show,
    ShowState,
    StepSource,
    cover,
    cursor,
    enter,
    pruned,
    retimed,
    scheduled,
    turning_transition,
)
from installation.show.timebase import JOTS_PER_NS, UNIT_SPEED, Ramp, Timebase, ceil_ns

# A wall clock that differs from show time by less than this has drifted, not stepped.
STEP_NS = 100_000_000
# More events than this at one call mean a show that changes faster than it can be shown: the rest waits for the next
# call.
MAX_EVENTS = 256


@dataclass(frozen=True, slots=True)
class Event:
    """Something that time does at show time `at` (ns)."""

    at: int
    happen: Callable[[Show, ShowState, int], ShowState]


def advance(show: Show, state: ShowState, t_ns: int) -> ShowState:
    """The state at show time `t_ns`, if nobody says anything until then."""
    for _ in range(MAX_EVENTS):
        event = next_event(show, state)
        if event is None or event.at > t_ns:
            return state
        state = event.happen(show, state, event.at)
    return state


def next_event(show: Show, state: ShowState) -> Event | None:
    """The first thing time will do to this state."""
    return min(_events(show, state), key=lambda event: event.at, default=None)


def observe_wall(show: Show, state: ShowState, now_ns: int, wall_ns: int) -> ShowState:
    """Notice that the wall clock was stepped: the schedule follows at once, programmes at their next scene boundary."""
    offset = wall_ns - now_ns
    if abs(offset - state.wall_offset) < STEP_NS:
        return state
    state = replace(state, wall_offset=offset, reanchor_at=_boundary(show, state, now_ns), clock_trusted=True)
    period = in_effect(show.schedule, state.changes).at(wall_ns)
    return state if period == state.period else turn_period(show, state, period, now_ns)


def to_schedule(show: Show, state: ShowState, t_ns: int) -> ShowState:
    """Hand control back: transport is undone, and the picture crossfades to where the clock would be. Masters and
    blackout stay.
    """
    state = _released(state, t_ns)
    home = scheduled(show, state)
    if _follows(state.top, home, t_ns):
        return state
    return cover(retimed(state, t_ns), home, turning_transition(show, state.period, state.period), t_ns)


def _follows(layer: Layer, home: Home, t_ns: int) -> bool:
    """Whether a layer already shows what the schedule wants, where the clock wants it."""
    t = t_ns * JOTS_PER_NS
    same_time = layer.timebase.speed == home.timebase.speed and layer.timebase.local(t) == home.timebase.local(t)
    return layer.source == home.source and (same_time or layer.source == BlackSource())


def _events(show: Show, state: ShowState) -> Iterator[Event]:
    ends = [layer.ramp.ends for layer in state.layers[1:]]
    if ends:
        yield Event(min(ends) + LINGER_NS, _prune)
    if state.period.end_ns is not None:
        yield Event(state.period.end_ns - state.wall_offset, _turn_period)
    if state.holder is not None and state.holder.until is not None:
        yield Event(state.holder.until, to_schedule)
    ending = _scene_end(show, state)
    if ending is not None:
        yield Event(ending, _end_scene)
    if state.reanchor_at is not None:
        yield Event(state.reanchor_at, _reanchor)


def _prune(show: Show, state: ShowState, t_ns: int) -> ShowState:
    return pruned(state, t_ns)


def _turn_period(show: Show, state: ShowState, t_ns: int) -> ShowState:
    wall_ns = t_ns + state.wall_offset
    state = replace(state, changes=without_past(show.schedule, state.changes, wall_ns))
    return turn_period(show, state, in_effect(show.schedule, state.changes).at(wall_ns), t_ns)


def reschedule(show: Show, state: ShowState, changes: Changes, t_ns: int) -> ShowState:
    """Other hours from now on. What is open goes on if it still is; whoever closes by hand means it in manual mode
    too.
    """
    wall_ns = t_ns + state.wall_offset
    state = replace(state, changes=without_past(show.schedule, changes, wall_ns))
    period = in_effect(show.schedule, state.changes).at(wall_ns)
    if goes_on(state.period, period):
        return replace(state, period=period)
    if state.mode is Mode.MANUAL and not period.open:
        state = replace(state, mode=Mode.AUTO)
    return turn_period(show, state, period, t_ns)


def turn_period(show: Show, state: ShowState, period: Period, t_ns: int) -> ShowState:
    """The doors open, close, or the programme of the day gives way to the evening's. Each opening starts clean."""
    before, state = state.period, replace(state, period=period)
    if state.mode is Mode.MAINTENANCE or (state.mode is Mode.MANUAL and not period.open):
        return state
    transition = turning_transition(show, before, period)
    state = _clean(state, t_ns, transition) if period.open else _released(state, t_ns)
    return cover(retimed(state, t_ns), scheduled(show, state), transition, t_ns)


def _clean(state: ShowState, t_ns: int, transition: Transition) -> ShowState:
    """As the show says: released, and every master back."""
    fade_ns = transition.duration // JOTS_PER_NS
    return replace(
        _released(_seen_black(state) if state.blackout else state, t_ns, fade_ns),
        blackout=False,
        brightness=state.brightness.toward(1.0, t_ns, fade_ns),
        volume=state.volume.toward(1.0, t_ns, fade_ns),
        anchor_offset=state.wall_offset,
        reanchor_at=None,
    )


def _released(state: ShowState, t_ns: int, fade_ns: int = 1_000_000_000) -> ShowState:
    """Nobody's any more: transport is undone, steering on its way back. What was stopped comes up from black."""
    return replace(
        _seen_black(state) if state.stopped else state,
        holder=None,
        mode=Mode.AUTO,
        speed=UNIT_SPEED,
        paused=False,
        stopped=False,
        frozen=None,
        pending=None,
        steering=_straight(state, t_ns, fade_ns),
    )


def _seen_black(state: ShowState) -> ShowState:
    """Nothing of what black hides, so that no fade uncovers it."""
    return replace(state, layers=(Layer(BlackSource(), Timebase(0)),))


def _straight(state: ShowState, t_ns: int, fade_ns: int) -> dict[str, Ramp]:
    """Every axis on its way back to the film."""
    return {
        axis: ramp.toward(0.0, t_ns, fade_ns)
        for axis, ramp in state.steering.items()
        if ramp.at(t_ns * JOTS_PER_NS) != 0.0
    }


def _scene_end(show: Show, state: ShowState) -> int | None:
    """When the commanded scene on top gives way (ns): one transition before its end. None while what follows it
    already waits for room in the stack.
    """
    layer = state.top
    if state.pending is not None or layer.then in (Then.LOOP, Then.HOLD) or layer.timebase.speed <= 0:
        return None
    here = cursor(show, layer, layer.timebase.t0 * JOTS_PER_NS)
    if here is None:
        return None
    leaving = _leaving(show, state, layer).duration
    t = layer.timebase.when(here.scene.duration - leaving)
    return None if t is None else max(ceil_ns(t), layer.timebase.t0)


def _leaving(show: Show, state: ShowState, layer: Layer) -> Transition:
    """How the commanded scene leaves: the way it came, else as the programme's transitions are."""
    here = cursor(show, layer, layer.timebase.t0 * JOTS_PER_NS)
    own = here.scene.transition if here else None
    programme = current_programme(show, state)
    return own or (programme.transition if programme else None) or Transition()


def _end_scene(show: Show, state: ShowState, t_ns: int) -> ShowState:
    layer = state.top
    leaving = _leaving(show, state, layer)
    if layer.then is Then.RETURN and layer.home is not None:
        return cover(state, layer.home, leaving, t_ns)
    return next_scene(show, state, t_ns, leaving)


def current_programme(show: Show, state: ShowState) -> Programme | None:
    """The programme on top, or the one under a commanded scene, or the schedule's."""
    for source in (state.top.source, state.top.home.source if state.top.home else None):
        if isinstance(source, ProgrammeSource | StepSource):
            return show.library.programmes[source.programme]
    return show.library.programmes.get(state.period.programme or "")


def next_scene(show: Show, state: ShowState, t_ns: int, transition: Transition | None = None) -> ShowState:
    """On to the scene after the current one, and from there with the programme."""
    layer = state.top
    if not isinstance(layer.source, ProgrammeSource | StepSource):
        return _rejoin(show, state, t_ns, transition)
    here = cursor(show, layer, t_ns * JOTS_PER_NS)
    assert here is not None and here.slot is not None
    return enter_slot(
        show, state, show.library.programmes[layer.source.programme], here.slot.number + 1, t_ns, transition
    )


def _rejoin(show: Show, state: ShowState, t_ns: int, transition: Transition | None) -> ShowState:
    """From a commanded scene back into the programme: to the scene after it where the programme has it, else to
    where the programme has got to.
    """
    programme = current_programme(show, state)
    here = cursor(show, state.top, t_ns * JOTS_PER_NS)
    if programme is None:
        return cover(state, scheduled(show, state), transition or Transition(), t_ns)
    ids = [scene.id for scene in programme.scenes]
    if here is not None and here.scene.id in ids:
        return enter_slot(show, state, programme, ids.index(here.scene.id) + 1, t_ns, transition)
    home = state.top.home or scheduled(show, state)
    return cover(state, home, transition or programme.transition or Transition(), t_ns)


def enter_slot(
    show: Show, state: ShowState, programme: Programme, number: int, t_ns: int, transition: Transition | None = None
) -> ShowState:
    """Begin slot `number` of a programme now, by its own transition unless told otherwise."""
    slot = programme.slot(number)
    transition = transition or slot.transition
    if programme.waits:
        return enter(state, StepSource(programme.id, number), 0, transition, t_ns)
    return enter(state, ProgrammeSource(programme.id, number), slot.start, transition, t_ns)


def _boundary(show: Show, state: ShowState, now_ns: int) -> int:
    """When the programme on top reaches its next scene (ns); now for anything else: it is not anchored to the clock."""
    layer = state.top
    if not isinstance(layer.source, ProgrammeSource) or layer.timebase.speed <= 0:
        return now_ns
    programme = show.library.programmes[layer.source.programme]
    here = programme.slot_at(layer.timebase.local(now_ns * JOTS_PER_NS))
    t = layer.timebase.when(programme.slot(here.number + 1).start)
    return now_ns if t is None else ceil_ns(t)


def _reanchor(show: Show, state: ShowState, t_ns: int) -> ShowState:
    followed = _follows(state.top, scheduled(show, state), t_ns)
    state = replace(state, anchor_offset=state.wall_offset, reanchor_at=None)
    if not followed:
        return state
    return cover(state, scheduled(show, state), turning_transition(show, state.period, state.period), t_ns)
