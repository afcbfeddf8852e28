"""What commands do, seen in the pictures that are planned afterwards."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import CommandRefused
from installation.show import commands as c
from installation.show.library import Blend, Cue, Programme, Then, Transition
from installation.show.plan import upcoming
from installation.show.progress import advance
from installation.show.schedule import Period
from installation.show.state import Show, ShowState, opened
from installation.show.timebase import FRAME_Q32, jots
from installation.show.transport import apply
from tests.show.worlds import T0, S, World, film, latent, scene, shot

DESK = c.Origin(c.Rank.OPERATOR, "desk")
SENSOR = c.Origin(c.Rank.SENSOR, "sensor")


class Stage:
    """A show with a hand on its clock."""

    def __init__(self, show: Show) -> None:
        self.show, self.t, self.state = show, T0, opened(show, T0, T0)

    def does(self, *commands: c.Command, by: c.Origin = DESK) -> Stage:
        for command in commands:
            self.state = apply(self.show, advance(self.show, self.state, self.t), command, by, self.t)
        return self

    def waits(self, seconds: float) -> Stage:
        self.t += round(seconds * S)
        self.state = advance(self.show, self.state, self.t)
        return self

    @property
    def plan(self):
        return next(islice(upcoming(self.show, self.state, self.t), 1))

    @property
    def film(self) -> str:
        return self.plan.pictures[-1].key.terms[-1].film

    @property
    def frame(self) -> float:
        return self.plan.pictures[-1].key.terms[-1].position / FRAME_Q32


@pytest.fixture
def stage() -> Stage:
    a, b, d = film("a"), film("b"), film("d", frames=120)
    day = Programme("day", "Day", (scene(a), scene(b), scene(d)))
    evening = Programme("evening", "Evening", (scene(d),))
    visit = shot(d, 24, 48, id="visit", then=Then.RETURN)
    hold = shot(d, 24, 48, id="hold", then=Then.HOLD)
    following = shot(d, 24, 48, id="following", then=Then.NEXT)
    cue = Cue("dark", "Dark", (c.PlayFilm("b", 0), c.SetBrightness(0.2), c.Steer("1", 0.5)))
    return Stage(World([a, b, d], [visit, hold, following], [day, evening], [cue]).show())


def test_go_walks_through_the_programme_and_the_programme_goes_on_from_there(stage: Stage) -> None:
    stage.does(c.PlayProgramme("day", 0))
    assert (stage.film, stage.frame) == ("a", 0)
    stage.waits(3).does(c.Go())
    assert (stage.film, stage.frame) == ("b", 0)
    assert stage.waits(10.5).film == "d"
    assert stage.waits(5).film == "a"


def test_back_restarts_the_scene_and_again_goes_to_the_one_before(stage: Stage) -> None:
    stage.does(c.PlayProgramme("day", 0)).waits(1).does(c.Go()).waits(5)
    assert stage.frame == 120
    stage.does(c.Back())
    assert (stage.film, stage.frame) == ("b", 0)
    stage.waits(1).does(c.Back())
    assert (stage.film, stage.frame) == ("a", 0)


def test_pause_stops_time_and_resume_goes_on_from_there(stage: Stage) -> None:
    stage.does(c.PlayFilm("a", 0)).waits(2).does(c.Pause())
    assert stage.frame == 48
    assert stage.waits(100).frame == 48
    assert stage.does(c.Resume()).waits(1).frame == 72


def test_fades_finish_while_time_is_stopped(stage: Stage) -> None:
    stage.does(c.PlayFilm("a", 0)).does(c.PlayFilm("b", 2)).waits(1).does(c.Pause())
    assert len(stage.plan.pictures[0].key.terms) == 2
    assert [term.film for term in stage.waits(1.1).plan.pictures[0].key.terms] == ["b"]


@pytest.mark.parametrize("blend", [Blend.LATENT, Blend.PIXEL, Blend.BLACK])
def test_a_pause_between_two_scenes_of_a_programme_lets_the_transition_finish(blend: Blend) -> None:
    a, b = film("a"), film("b")
    turn = Transition(blend, jots(4))
    stage = Stage(World([a, b], [], [Programme("p", "P", (scene(a), scene(b)), turn)]).show())
    stage.does(c.PlayProgramme("p", 0)).waits(7)
    before = stage.plan.pictures
    stage.does(c.Pause())
    assert stage.plan.pictures == before
    stage.waits(3.1)
    assert {term.film for picture in stage.plan.pictures for term in picture.key.terms} == {"b"}
    assert stage.frame == 24
    assert stage.does(c.Resume()).waits(1).frame == 48
    assert stage.waits(7.1).film == "a"


def test_freeze_holds_the_picture_while_time_runs(stage: Stage) -> None:
    stage.does(c.PlayFilm("a", 0)).waits(1).does(c.Freeze(True)).waits(2)
    assert stage.frame == 24
    assert stage.does(c.Freeze(False)).frame == 72


def test_black_can_be_frozen_and_a_command_that_moves_the_picture_lets_go() -> None:
    a = film("a")
    closed = Period(T0 - S, None, None, False)
    stage = Stage(World([a], [], [Programme("day", "Day", (scene(a),))], [], (closed,)).show())
    stage.does(c.Freeze(True)).waits(1)
    assert stage.plan.pictures == ()
    stage.does(c.PlayFilm("a", 0)).waits(1)
    assert (stage.state.frozen, stage.frame) == (None, 24)


def test_stop_is_black_and_go_continues_where_it_stopped(stage: Stage) -> None:
    stage.does(c.PlayFilm("a", 0)).waits(1).does(c.Stop())
    assert stage.plan.look.brightness == 0.0
    stage.waits(50).does(c.Go())
    assert (stage.plan.look.brightness, stage.film, stage.frame) == (1.0, "a", 24)


def test_speed_changes_without_a_jump_and_backwards_works(stage: Stage) -> None:
    stage.does(c.PlayFilm("a", 0)).waits(2).does(c.SetSpeed(0.5))
    assert stage.frame == 48
    assert stage.waits(2).frame == 72
    assert stage.does(c.SetSpeed(-1)).waits(1).frame == 48


def test_seek_and_position_count_from_the_scenes_in(stage: Stage) -> None:
    stage.does(c.PlayScene("visit", 0), c.Seek(0.5))
    assert stage.frame == 24 + 12
    assert stage.does(c.SetPosition(0.0)).frame == 24
    assert stage.does(c.Seek(1e9)).frame == 24 + 47


def test_seeking_to_the_start_of_a_programmes_scene_shows_it_and_not_the_one_before() -> None:
    a, b = film("a"), film("b")
    stage = Stage(World([a, b], [], [Programme("p", "P", (scene(a), scene(b)), latent(4))]).show())
    stage.does(c.PlayProgramme("p", 0), c.Go()).waits(5).does(c.Seek(0))
    assert [term.film for term in stage.plan.pictures[0].key.terms] == ["b"]
    assert stage.frame == 0


def test_a_visit_returns_to_where_the_clock_would_be(stage: Stage) -> None:
    stage.does(c.PlayFilm("a", 0)).waits(1).does(c.PlayScene("visit"))
    assert (stage.film, stage.frame) == ("d", 24)
    assert stage.waits(1).does(c.PlayScene("visit")).film == "d"
    assert (stage.waits(2).film, stage.frame) == ("a", 24 * 4)


def test_a_held_scene_rests_on_its_last_frame_and_next_moves_on(stage: Stage) -> None:
    assert stage.does(c.PlayScene("hold", 0)).waits(60).frame == 24 + 47
    stage.does(c.PlayProgramme("day", 0)).waits(1).does(c.PlayScene("following"))
    assert (stage.film, stage.waits(2).film) == ("d", "a")


def test_a_fade_given_with_a_command_is_the_fade(stage: Stage) -> None:
    stage.does(c.PlayFilm("a", 0)).waits(1).does(c.PlayFilm("b", 4.0)).waits(1)
    terms = stage.plan.pictures[0].key.terms
    assert [round(term.weight / 65535, 2) for term in terms] == [0.75, 0.25]


def test_a_cue_does_everything_on_its_list_at_once(stage: Stage) -> None:
    stage.does(c.FireCue("dark"))
    assert (stage.film, stage.plan.look.brightness) == ("b", 0.2)
    assert stage.plan.pictures[0].key.steering


def test_sensors_yield_to_a_desk_until_it_hands_back_and_panic_is_always_obeyed(stage: Stage) -> None:
    assert stage.does(c.PlayFilm("b", 0), by=SENSOR).film == "b"
    stage.does(c.PlayFilm("a", 0))
    with pytest.raises(CommandRefused, match="desk holds the show"):
        stage.does(c.PlayFilm("b", 0), by=SENSOR)
    assert stage.does(c.SetBlackout(True), by=SENSOR).plan.look.brightness == 0.0
    stage.does(c.SetBlackout(False), c.SetMode(c.Mode.AUTO)).waits(1)
    assert stage.does(c.PlayFilm("b", 0), by=SENSOR).film == "b"


def test_a_take_over_that_times_out_crossfades_to_where_the_clock_would_be(stage: Stage) -> None:
    untouched = Stage(stage.show)
    stage.show = replace(stage.show, override_ns=5 * S)
    stage.does(c.PlayFilm("d", 0), c.SetSpeed(3.0)).waits(4.9)
    assert stage.state.holder is not None
    assert stage.waits(10).plan.pictures == untouched.waits(14.9).plan.pictures
    assert stage.state.holder is None


def test_mode_auto_brings_back_what_the_clock_wants_without_touching_the_masters(stage: Stage) -> None:
    untouched = Stage(stage.show)
    stage.does(c.SetBrightness(0.5), c.PlayFilm("d", 0), c.Pause()).waits(3).does(c.SetMode(c.Mode.AUTO)).waits(3)
    assert stage.plan.pictures == untouched.waits(6).plan.pictures
    assert stage.plan.look.brightness == 0.5


def test_maintenance_does_not_hear_sensors(stage: Stage) -> None:
    stage.does(c.SetMode(c.Mode.MAINTENANCE))
    with pytest.raises(CommandRefused, match="maintenance"):
        stage.does(c.PlayFilm("b", 0), by=SENSOR)


COMMANDS = st.one_of(
    st.sampled_from([c.Go(), c.Back(), c.Pause(), c.Resume(), c.Stop(), c.TogglePause(), c.FireCue("dark")]),
    st.builds(c.PlayFilm, st.sampled_from("abd"), st.none() | st.floats(0, 5)),
    st.builds(c.PlayScene, st.sampled_from(["visit", "hold", "following"]), st.none() | st.floats(0, 5)),
    st.builds(c.PlayProgramme, st.sampled_from(["day", "evening"]), st.none() | st.floats(0, 5)),
    st.builds(c.Seek, st.floats(-10, 1000)),
    st.builds(c.SetPosition, st.floats(0, 1)),
    st.builds(c.SetSpeed, st.floats(-4, 4)),
    st.builds(c.SetMode, st.sampled_from(c.Mode)),
    st.builds(c.Freeze, st.booleans()),
    st.builds(c.SetBlackout, st.booleans()),
    st.builds(c.Steer, st.sampled_from("12345678"), st.floats(-1, 1)),
)


def run(show: Show, log: list[tuple[c.Command, float]], steps: int) -> tuple[ShowState, int]:
    """Replay a log of commands; `steps` says in how many steps the time between them is taken."""
    state, t = opened(show, T0, T0), T0
    for command, wait in log:
        state = apply(show, state, command, DESK, t)
        end = t + round(wait * S)
        for step in range(1, steps + 1):
            state = advance(show, state, t + (end - t) * step // steps)
            assert sum(picture.weight for picture in next(upcoming(show, state, t)).pictures) <= 65535 + 8
        t = end
    return state, t


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(COMMANDS, st.floats(0, 20)), max_size=12))
def test_any_log_of_commands_replays_to_the_same_state_however_time_is_cut(log: list[tuple[c.Command, float]]) -> None:
    a, b, d = film("a"), film("b", fps=25), film("d", frames=120, space="other")
    scenes = [
        shot(d, 24, 48, id="visit", then=Then.RETURN),
        shot(b, 24, 48, id="hold", then=Then.HOLD),
        shot(d, 24, 48, id="following", then=Then.NEXT, transition=latent(1)),
    ]
    day = Programme("day", "Day", (scene(a), scene(b)), latent(1))
    evening = Programme("evening", "Evening", (scene(d),))
    cue = Cue("dark", "Dark", (c.PlayFilm("b"), c.SetBrightness(0.2, 3.0)))
    show = World([a, b, d], scenes, [day, evening], [cue]).show()
    coarse, t = run(show, log, 1)
    fine, _ = run(show, log, 7)
    assert coarse == fine
    blacked_out = apply(show, coarse, c.SetBlackout(True), SENSOR, t)
    assert next(upcoming(show, blacked_out, t)).look.brightness == 0.0


def test_the_picture_is_restarted_by_anybody_but_not_at_once_again(stage: Stage) -> None:
    before = stage.does(c.PlayFilm("b")).plan
    assert stage.does(c.RestartPicture()).plan == before
    assert stage.state.restarted == T0
    stage.waits(4.9)
    with pytest.raises(CommandRefused, match=r"restarted 4\.9 s ago; wait for 5 s"):
        stage.does(c.RestartPicture())
    assert stage.waits(0.1).does(c.RestartPicture()).state.restarted == stage.t
