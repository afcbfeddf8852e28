"""The heart: which pictures, how mixed, with what look, at a given instant. Pure.

A layer unfolds into a *mix*: groups of latents, each group one decoded picture, each with its share of the result.
Laying one mix over another scales shares and, in
latent blends, joins neighbouring groups of one space. So any stack of transitions inside transitions is in the end
a weighted sum, and shares move continuously.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from installation.show.frameplan import FULL, FrameKey, FramePlan, LatentTerm, Look, Picture
from installation.show.library import Blend, Programme, Scene, Slot, whole_film
from installation.show.progress import advance, next_event
from installation.show.state import BlackSource, Layer, ProgrammeSource, Show, ShowState, cursor
from installation.show.timebase import JOTS_PER_NS, UNIT_SPEED, Grid, Instant, ceil_ns

# Decode instants a second while nothing plays: enough to answer, and to be seen alive.
IDLE_RATE = Fraction(10)
# Pictures decoded afresh at one instant; further ones hold.
MAX_DECODES = 2


@dataclass(frozen=True, slots=True)
class _Voice:
    film: str
    position: int
    share: float


@dataclass(frozen=True, slots=True)
class _Group:
    """Latents of one space that become one picture."""

    space: str
    voices: tuple[_Voice, ...]

    @property
    def share(self) -> float:
        return sum(voice.share for voice in self.voices)

    def scaled(self, factor: float) -> _Group:
        return replace(self, voices=tuple(replace(voice, share=voice.share * factor) for voice in self.voices))


_Mix = tuple[_Group, ...]


def plan(show: Show, state: ShowState, instant: Instant, period_ns: float) -> FramePlan:
    """The picture of one decode instant. `state` must have been advanced to it."""
    pictures = state.frozen if state.frozen is not None else _pictures(show, state, instant.at)
    return FramePlan(instant, period_ns, pictures, _look(show.look, state, instant.at))


def current_pictures(show: Show, state: ShowState, t_ns: int) -> tuple[Picture, ...]:
    """The pictures of the newest instant at show time `t_ns`."""
    return _pictures(show, state, grid(show, state, t_ns * JOTS_PER_NS).newest(t_ns * JOTS_PER_NS).at)


def upcoming(show: Show, state: ShowState, t_ns: int) -> Iterator[FramePlan]:
    """The plan of the newest instant at show time `t_ns`, then of every one after it, if nobody says anything."""
    t = t_ns * JOTS_PER_NS
    shown: Instant | None = None
    while True:
        state = advance(show, state, ceil_ns(t))
        here = grid(show, state, t)
        instant = here.newest(t)
        if instant != shown:
            shown = instant
            yield plan(show, state, instant, here.period_ns)
        t = _next_time(show, state, here, instant, t)


def _next_time(show: Show, state: ShowState, here: Grid, instant: Instant, t: int) -> int:
    """The first moment after `t` at which there may be another instant: the grid's next, an event, or a programme's
    next scene.
    """
    times = [here.instant(instant.k + 1).at]
    event = next_event(show, state)
    if event is not None:
        times.append(event.at * JOTS_PER_NS)
    layer = state.top
    if isinstance(layer.source, ProgrammeSource) and layer.timebase.speed > 0:
        programme = show.library.programmes[layer.source.programme]
        following = programme.slot(programme.slot_at(layer.timebase.local(t)).number + 1)
        boundary = layer.timebase.when(following.start)
        if boundary is not None:
            times.append(boundary)
    return min((time for time in times if time > t), default=t + JOTS_PER_NS)


def grid(show: Show, state: ShowState, t: int) -> Grid:
    """The decode instants at show time `t` (jots): those of the scene in front. They count from its start while it
    moves at its own speed.
    """
    layer = state.top
    here = cursor(show, layer, t)
    if here is None:
        return Grid(0, IDLE_RATE)
    anchor = layer.timebase.t0 * JOTS_PER_NS
    if layer.timebase.speed == UNIT_SPEED:
        anchor += here.start - layer.timebase.p0
    return Grid(anchor, here.scene.rate)


def _look(look: Look, state: ShowState, t: int) -> Look:
    lit = not (state.blackout or state.stopped)
    return replace(look, brightness=look.brightness * state.brightness.at(t) if lit else 0.0)


def _pictures(show: Show, state: ShowState, t: int) -> tuple[Picture, ...]:
    groups = _stack(show, state, t)
    steering = _steering(state, t)
    return tuple(
        Picture(_key(group, steering), round(group.share * FULL)) for group in groups if round(group.share * FULL) > 0
    )


def _stack(show: Show, state: ShowState, t: int) -> _Mix:
    """All layers, folded bottom to top; beyond two pictures, the lower layers hold from the moment they were
    crowded out.
    """
    whole = _fold(show, state, state.layers, [t] * len(state.layers), t)
    if len(whole) <= MAX_DECODES:
        return whole
    times = [_held(show, state, index, t) for index in range(len(state.layers))]
    return _fold(show, state, state.layers, times, t)


def _held(show: Show, state: ShowState, index: int, t: int) -> int:
    """When layer `index` came to a standstill: as the layer began that made it the third picture from the top; else
    `t`.
    """
    layers = state.layers
    for above in range(index + 1, len(layers)):
        crowd = layers[index : above + 1]
        if len(_fold(show, state, crowd, [t] * len(crowd), t)) > MAX_DECODES:
            return min(t, layers[above].ramp.t0 * JOTS_PER_NS)
    return t


def _fold(show: Show, state: ShowState, layers: tuple[Layer, ...], times: list[int], t: int) -> _Mix:
    mix: _Mix = ()
    for layer, when in zip(layers, times, strict=True):
        mix = _over(mix, _unfold(show, state, layer, when), layer.ramp.at(t), layer.blend)
    return mix


def _over(below: _Mix, above: _Mix, amount: float, blend: Blend) -> _Mix:
    """mix(below, above, amount): shares scaled; through black they fall, then rise; latent neighbours join."""
    if blend is Blend.BLACK:
        return _scaled(below, max(0.0, 1.0 - 2.0 * amount)) + _scaled(above, max(0.0, 2.0 * amount - 1.0))
    below, above = _scaled(below, 1.0 - amount), _scaled(above, amount)
    if blend is Blend.LATENT and below and above and below[-1].space == above[0].space:
        joined = _Group(above[0].space, below[-1].voices + above[0].voices)
        return (*below[:-1], joined, *above[1:])
    return below + above


def _scaled(mix: _Mix, factor: float) -> _Mix:
    return tuple(group.scaled(factor) for group in mix) if factor > 0.0 else ()


def _unfold(show: Show, state: ShowState, layer: Layer, t: int) -> _Mix:
    if isinstance(layer.source, BlackSource):
        return ()
    if isinstance(layer.source, ProgrammeSource):
        programme = show.library.programmes[layer.source.programme]
        local = layer.timebase.local(t)
        return _programme(show, state, programme, programme.slot_at(local), local, layer.source.entered)
    here = cursor(show, layer, t)
    assert here is not None
    return _scene(show, state, here.scene, here.local)


def _programme(show: Show, state: ShowState, programme: Programme, slot: Slot, local: int, entered: int | None) -> _Mix:
    """A programme's newest scene over the one before it, while the transition lasts."""
    above = _scene(show, state, slot.scene, local - slot.start)
    since = local - slot.start
    if slot.number == entered or since >= slot.transition.duration or slot.transition.blend is Blend.CUT:
        return above
    below = _programme(show, state, programme, programme.slot(slot.number - 1), local, entered)
    return _over(below, above, since / slot.transition.duration, slot.transition.blend)


def _scene(show: Show, state: ShowState, scene: Scene, local: int) -> _Mix:
    """One film at one position; the fallback, round and round, for a live film that is away."""
    film = scene.film
    if film.id in state.away and film.fallback is not None:
        scene = whole_film(show.library.films[film.fallback])
    return (_Group(scene.film.space, (_Voice(scene.film.id, scene.position(local), 1.0),)),)


def _key(group: _Group, steering: tuple[tuple[int, int], ...]) -> FrameKey:
    """Weights in 1/65535 that add up to exactly 65535; the loudest voice takes what rounding leaves."""
    share = group.share
    weights = [round(voice.share / share * FULL) for voice in group.voices]
    weights[weights.index(max(weights))] += FULL - sum(weights)
    terms = (LatentTerm(v.film, v.position, weight) for v, weight in zip(group.voices, weights, strict=True))
    return FrameKey(tuple(term for term in terms if term.weight > 0), steering)


def _steering(state: ShowState, t: int) -> tuple[tuple[int, int], ...]:
    amounts = ((int(axis) - 1, round(ramp.at(t) * FULL)) for axis, ramp in state.steering.items())
    return tuple(sorted((axis, amount) for axis, amount in amounts if amount))
