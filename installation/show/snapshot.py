"""What a show says of itself at one moment, for feedback, the page and the overlay."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from installation.show.health import worst
from installation.show.progress import advance, next_scene
from installation.show.state import ProgrammeSource, Show, ShowState, StepSource, cursor
from installation.show.status import STEERING_AXES, Snapshot, StateWord, Trouble
from installation.show.timebase import FRAME_Q32, JOTS_PER_NS, JOTS_PER_SECOND, UNIT_SPEED


def snapshot(show: Show, state: ShowState, t_ns: int, applied: int, troubles: tuple[Trouble, ...] = ()) -> Snapshot:
    """The show at `t_ns`. `applied` is the sequence number of the newest command in `state`; `troubles` come worst
    first.
    """
    masters = Snapshot(
        applied=applied,
        state=state_word(state),
        health=worst(troubles),
        brightness=state.brightness.end,
        volume=state.volume.end,
        speed=state.speed / UNIT_SPEED,
        blackout=state.blackout,
        freeze=state.frozen is not None,
        paused=state.paused,
        stopped=state.stopped,
        mode=state.mode,
        steering=tuple(
            state.steering[str(axis)].end if str(axis) in state.steering else 0.0
            for axis in range(1, STEERING_AXES + 1)
        ),
        wall_ns=t_ns + state.wall_offset,
        holder=state.holder.origin.name if state.holder else "",
        holder_until=_holder_until(state),
        period=state.period,
        changes=state.changes,
        troubles=troubles,
    )
    here = cursor(show, state.top, t_ns * JOTS_PER_NS)
    if here is None:
        return masters
    scene, into = here.scene, here.local % here.scene.duration
    pace = (state.speed or UNIT_SPEED) / UNIT_SPEED
    left = scene.duration - into if pace > 0 else into
    footage = Fraction(scene.position(here.local) - scene.start, FRAME_Q32) / scene.film.fps
    return replace(
        masters,
        scene=scene.id,
        film=scene.film.id,
        programme=state.top.source.programme if isinstance(state.top.source, ProgrammeSource | StepSource) else "",
        next=next_scene_id(show, state, t_ns),
        position=round(float(footage), 3),
        remaining=round(left / JOTS_PER_SECOND / abs(pace), 3),
    )


def _holder_until(state: ShowState) -> int | None:
    """Until when somebody holds the show, as wall time."""
    if state.holder is None or state.holder.until is None:
        return None
    return state.holder.until + state.wall_offset


def state_word(state: ShowState) -> StateWord:
    """What the picture is doing; what hides the rest comes first."""
    words = (
        (state.blackout, StateWord.BLACKOUT),
        (state.stopped, StateWord.STOPPED),
        (closed(state), StateWord.CLOSED),
        (state.frozen is not None, StateWord.FROZEN),
        (state.paused, StateWord.PAUSED),
    )
    return next((word for holds, word in words if holds), StateWord.PLAYING)


def closed(state: ShowState) -> bool:
    """Whether nothing is on: the house is closed."""
    return state.top.source.kind == "black"


def next_scene_id(show: Show, state: ShowState, t_ns: int) -> str:
    """The scene that `go` would bring."""
    after = next_scene(show, advance(show, state, t_ns), t_ns)
    here = cursor(show, after.pending or after.top, t_ns * JOTS_PER_NS)
    return here.scene.id if here else ""
