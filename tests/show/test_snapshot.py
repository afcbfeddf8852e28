"""What a show says of itself agrees with what it shows, and with what it is asked for."""

from __future__ import annotations

import pytest

from installation.show import commands as c
from installation.show.library import Programme, Then
from installation.show.progress import advance
from installation.show.snapshot import snapshot
from installation.show.state import Show, opened
from installation.show.status import Snapshot, StateWord
from installation.show.transport import apply
from tests.show.worlds import T0, S, World, film, scene, shot

DESK = c.Origin(c.Rank.OPERATOR, "desk")


@pytest.fixture
def show() -> Show:
    a = film("a")
    scenes = [
        shot(a, 24, 48, id="back", speed=-1_000_000),
        shot(a, 24, 48, id="rest", then=Then.HOLD),
    ]
    return World([a], scenes, [Programme("day", "Day", (scene(a), scenes[0]))]).show()


def told(show: Show, *commands: c.Command, after: int = 0) -> Snapshot:
    """What the show says `after` ns of obeying commands."""
    state = opened(show, T0, T0)
    for command in commands:
        state = apply(show, state, command, DESK, T0)
    return snapshot(show, advance(show, state, T0 + after), T0 + after, 0)


@pytest.mark.parametrize("scene_id", ["a", "back", "rest"])
def test_position_is_where_one_seeks(show: Show, scene_id: str) -> None:
    assert told(show, c.PlayScene(scene_id, 0), c.Seek(1.5)).position == 1.5


def test_backwards_position_falls(show: Show) -> None:
    command = c.PlayScene("back", 0)
    assert told(show, command).position > told(show, command, after=S // 2).position


def test_a_scene_that_rests_stays_at_its_end(show: Show) -> None:
    resting = told(show, c.PlayScene("rest", 0), after=61 * S)
    assert resting.position == pytest.approx(47 / 24, abs=0.001)
    assert resting.remaining < 0.05


def test_it_says_what_follows_and_what_hides_the_rest(show: Show) -> None:
    assert told(show, c.PlayProgramme("day", 0)).next == "back"
    hidden = told(show, c.Pause(), c.SetBlackout(True))
    assert hidden.state is StateWord.BLACKOUT
    assert (hidden.paused, hidden.stopped) == (True, False)


def test_a_programme_is_named_while_it_plays_by_itself(show: Show) -> None:
    assert told(show, c.PlayProgramme("day", 0)).programme == "day"
    assert told(show, c.PlayScene("rest", 0)).programme == ""


@pytest.mark.parametrize(("speed", "remaining"), [(1.0, 8.0), (2.0, 4.0), (-1.0, 2.0), (0.0, 8.0)])
def test_what_remains_is_counted_in_seconds_to_wait(show: Show, speed: float, remaining: float) -> None:
    commands = (c.PlayFilm("a", 0), c.Seek(2.0), c.SetSpeed(speed))
    assert told(show, *commands).remaining == remaining
    assert told(show, *commands, c.Pause(), after=S).remaining == remaining
