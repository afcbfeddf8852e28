"""What time alone does: opening, closing, steps of the wall clock."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from installation.show import commands as c
from installation.show.library import Blend, Programme, Then, Transition
from installation.show.plan import upcoming
from installation.show.progress import advance, next_event, observe_wall
from installation.show.schedule import Period
from installation.show.state import MAX_LAYERS, Show, ShowState, opened
from installation.show.timebase import FRAME_Q32
from installation.show.transport import apply
from tests.show.worlds import T0, S, World, film, scene

DESK = c.Origin(c.Rank.OPERATOR, "desk")
HOUR = 3600 * S


def museum() -> Show:
    a, b = film("a"), film("b", frames=250)
    periods = (
        Period(T0 - 10 * S, T0 + HOUR, "day", True),
        Period(T0 + HOUR, T0 + 2 * HOUR, "evening", True),
        Period(T0 + 2 * HOUR, T0 + 10 * HOUR, None, False),
        Period(T0 + 10 * HOUR, None, "day", True),
    )
    day = Programme("day", "Day", (scene(a),))
    evening = Programme("evening", "Evening", (scene(b),))
    return World([a, b], [], [day, evening], [], periods).show()


def films(show: Show, state: ShowState, t: int) -> list[str]:
    plan = next(islice(upcoming(show, state, t), 1))
    return [film for picture in plan.pictures for film in picture.key.films]


def frame(show: Show, state: ShowState, t: int) -> float:
    plan = next(islice(upcoming(show, state, t), 1))
    return plan.pictures[0].key.terms[0].position / FRAME_Q32


def test_the_house_follows_its_hours_and_black_fades() -> None:
    show = museum()
    state = opened(show, T0, T0)
    times = (0, HOUR - 1, HOUR, 2 * HOUR + S, 2 * HOUR + 3 * S, 10 * HOUR)
    seen = [films(show, advance(show, state, T0 + t), T0 + t) for t in times]
    assert seen == [["a"], ["a"], ["b"], ["b"], [], ["a"]]


def test_the_look_ahead_sees_through_an_opening() -> None:
    show = museum()
    t = T0 + 10 * HOUR - S // 5
    coming = list(islice(upcoming(show, advance(show, opened(show, T0, T0), t), t), 8))
    assert coming[0].pictures == ()
    assert coming[-1].pictures[0].key.films == ("a",)
    assert coming[-1].pictures[0].key.terms[0].position < 8 * FRAME_Q32


def test_each_opening_starts_clean() -> None:
    show = museum()
    state = opened(show, T0, T0)
    for command in (
        c.SetBrightness(0.1),
        c.SetSpeed(2.0),
        c.SetBlackout(True),
        c.Steer("1", 1.0),
        c.PlayFilm("b"),
        c.Pause(),
    ):
        state = apply(show, state, command, DESK, T0)
    t = T0 + 11 * HOUR
    clean = advance(show, opened(show, T0, T0), t)
    again = advance(show, state, t)
    assert (films(show, again, t), frame(show, again, t)) == (films(show, clean, t), frame(show, clean, t))
    assert (again.brightness.at(t * 441), again.blackout, again.paused, again.holder) == (1.0, False, False, None)
    assert not next(upcoming(show, again, t)).pictures[0].key.steering


def test_manual_mode_ignores_closing_and_ends_at_the_next_opening() -> None:
    show = museum()
    evening = T0 + 3 * HOUR // 2
    state = apply(show, opened(show, evening, evening), c.SetMode(c.Mode.MANUAL), DESK, evening)
    night = advance(show, state, T0 + 3 * HOUR)
    assert films(show, night, T0 + 3 * HOUR) == ["b"]
    assert advance(show, night, T0 + 10 * HOUR).mode is c.Mode.AUTO


def test_a_small_drift_of_the_wall_clock_is_not_a_step() -> None:
    show = museum()
    state = opened(show, T0, T0)
    assert observe_wall(show, state, T0 + S, T0 + S + 50_000_000) == state


def test_a_step_of_the_wall_clock_moves_the_schedule_at_once_and_the_film_at_its_next_seam() -> None:
    show = museum()
    state = opened(show, T0, T0)  # the film has been running for 10 s: it is at its seam
    now = T0 + S
    stepped = observe_wall(show, state, now, now + 3 * S)
    assert frame(show, stepped, now) == 24
    seam = T0 + 10 * S
    assert frame(show, advance(show, stepped, seam - 1), seam - 1) == 239
    assert frame(show, advance(show, stepped, seam), seam) == 3 * 24
    closed = observe_wall(show, state, now, now + 3 * HOUR)
    assert films(show, advance(show, closed, now + 5 * S), now + 5 * S) == []


def test_a_programme_returns_to_the_same_picture_after_a_restart() -> None:
    show = museum()
    t = T0 + 17 * S + 123_456_789
    assert frame(show, advance(show, opened(show, T0, T0), t), t) == frame(show, opened(show, t, t), t)


def test_openings_use_the_programmes_transition() -> None:
    a = film("a")
    slow = Programme("day", "Day", (scene(a),), Transition(Blend.PIXEL, 4 * 441 * S))
    periods = (Period(T0 - HOUR, T0, None, False), Period(T0, None, "day", True))
    show = World([a], [], [slow], [], periods).show()
    state = opened(show, T0 - S, T0 - S)
    t = T0 + 2 * S
    assert abs(next(upcoming(show, advance(show, state, t), t)).pictures[0].weight / 65535 - 0.5) < 0.02


def test_a_scene_that_ends_under_a_full_stack_waits_for_room_once() -> None:
    a, b = film("a"), film("b")
    once = scene(b, id="once", then=Then.RETURN)
    show = World([a, b], [once], [Programme("day", "Day", (scene(a),))]).show()
    state, t = opened(show, T0, T0), T0
    for _ in range(MAX_LAYERS):
        state = apply(show, advance(show, state, t), c.PlayScene("once", 60.0), DESK, t)
        t += S // 100
    for seconds in (11, 30, 61, 63):
        state = advance(show, state, T0 + seconds * S)
        event = next_event(show, state)
        assert event is None or event.at > T0 + seconds * S
    assert films(show, advance(show, state, T0 + 200 * S), T0 + 200 * S) == ["a"]


def test_closing_ends_a_stop_and_never_uncovers_what_black_hid() -> None:
    a, b = film("a"), film("b")
    soft = Transition(Blend.PIXEL, 4 * 441 * S)
    day, night = Programme("day", "Day", (scene(a),), soft), Programme("night", "Night", (scene(b),), soft)
    periods = (Period(T0 - S, T0 + HOUR, "day", True), Period(T0 + HOUR, None, "night", False))
    show = World([a, b], [], [day, night], [], periods).show()
    for hidden in (c.Stop(), c.SetSpeed(3.0)):
        state = apply(show, opened(show, T0, T0), hidden, DESK, T0)
        t = T0 + HOUR + 2 * S
        state = advance(show, state, t)
        assert set(films(show, state, t)) == ({"b"} if hidden == c.Stop() else {"a", "b"})
        assert (state.stopped, state.running_speed, state.holder) == (False, 1_000_000, None)


def test_an_opening_out_of_blackout_rises_from_black() -> None:
    show = museum()
    state = apply(show, opened(show, T0, T0), c.SetBlackout(True), DESK, T0)
    slow = replace(show.library.programmes["evening"], transition=Transition(Blend.PIXEL, 4 * 441 * S))
    show = replace(show, library=replace(show.library, programmes={**show.library.programmes, "evening": slow}))
    t = T0 + HOUR + S
    assert films(show, advance(show, state, t), t) == ["b"]


def test_auto_forgets_what_waits_for_room() -> None:
    show = museum()
    state = opened(show, T0, T0)
    for number in range(MAX_LAYERS + 2):
        state = apply(show, state, c.PlayFilm("b", 60.0), DESK, T0 + number)
    assert state.pending is not None
    state = apply(show, state, c.SetMode(c.Mode.AUTO), DESK, T0 + S)
    end = T0 + 200 * S
    assert films(show, advance(show, state, end), end) == ["a"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-4 * HOUR, 4 * HOUR), st.integers(1, HOUR)), max_size=8))
def test_however_the_wall_clock_is_stepped_the_hours_are_kept_and_no_event_is_left_behind(
    steps: list[tuple[int, int]],
) -> None:
    show = museum()
    state, t, offset = opened(show, T0, T0), T0, 0
    for step, wait in steps:
        offset += step
        state = observe_wall(show, state, t, t + offset)
        halfway = advance(show, state, t + wait // 2)
        t += wait
        state = advance(show, state, t)
        assert advance(show, halfway, t) == state
        event = next_event(show, state)
        assert event is None or event.at > t
        assert abs(state.wall_offset - offset) < 100_000_000
        assert show.schedule.at(t + state.wall_offset) == state.period
