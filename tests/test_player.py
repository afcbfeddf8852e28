"""The tick, with a simulated clock, real networks and a real (headless) renderer: what the wall shows, and what is
counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from installation.clock import SimulatedClock
from installation.control.inbox import Inbox
from installation.decode.decoders import Decoders
from installation.decode.slots import Found
from installation.decode.waiting import WaitingSource
from installation.player import Action, Ending, Outside, Player
from installation.render.egl import EglPresenter
from installation.render.presenter import KeyPressed, Readback
from installation.show import commands as c
from installation.show.frameplan import FrameKey
from installation.show.pictures import PictureBoard, Preview
from installation.show.state import opened
from installation.show.status import Health, StateWord, StatusBoard
from installation.venue.watchdog import Heartbeat, Notifier
from installation.wiring.films import open_films
from installation.wiring.loading import load_work
from installation.wiring.playing import keys
from installation.wiring.staging import make_stage
from tests.onnx_models import make_model

S = 1_000_000_000
T0 = 1_800_000_000 * S
HOUR = 3600 * S
DESK = c.Origin(c.Rank.OPERATOR, "desk")


class Wall:
    """A player with a hand on its clock, and what came of it."""

    def __init__(self, folder: Path, text: str = 'model = "model"') -> None:
        make_model(folder / "model", {"one": 48, "two": 48})
        (folder / "show.toml").write_text(text, "utf-8")
        self.work = load_work(folder / "show.toml", None, Fraction(60))
        films = open_films(self.work)
        self.clock = SimulatedClock(T0)
        self.refusals: list[str] = []
        self.presenter = EglPresenter((64, 36))
        self.readback = Readback(self.presenter.graphics.calls, (64, 36))
        self.inbox = Inbox()
        self.board = StatusBoard()
        self.pictures = PictureBoard()
        outside = Outside(
            inbox=self.inbox,
            board=self.board,
            heartbeat=Heartbeat(Notifier()),
            obeyed=lambda posted: None,
            refused=lambda posted, error: self.refusals.append(str(error)),
            said=lambda message: None,
            latent=lambda z: None,
            remember=lambda state: None,
        )
        self.player = Player(
            clock=self.clock,
            show=self.work.show,
            state=opened(self.work.show, T0, T0),
            frames=WaitingSource(Decoders(films.decoders, films.streams), self.clock),
            stage=make_stage(self.presenter, self.work.show, films, self.pictures),
            outside=outside,
            keys=keys(self.work, may_quit=True),
        )

    def does(self, *commands: c.Command) -> None:
        self.inbox.post(commands, DESK)

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.clock.wait(self.player.tick(), lambda ns: None)

    @property
    def picture(self) -> np.ndarray:
        return self.readback.read(self.presenter.target).astype(int)


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    wall = Wall(tmp_path)
    yield wall
    wall.presenter.close()


def test_every_decode_instant_is_a_slot_shown_with_its_own_frame(wall: Wall) -> None:
    wall.ticks(480)
    metrics = wall.player.metrics
    assert (metrics.presented, metrics.slots, metrics.late, metrics.held) == (480, 478, 0, 0)
    assert metrics.loops == 0  # two films in turn: neither begins again by itself
    assert metrics.startup_ms is not None


@pytest.mark.parametrize("speed", [1.0, -1.0])
def test_a_loop_is_counted_at_the_seam_whichever_way_a_film_runs(tmp_path: Path, speed: float) -> None:
    wall = Wall(tmp_path, f'model = "model"\n[scenes.one]\nfilm = "one"\nspeed = {speed}\n')
    wall.does(c.PlayFilm("two", 0), c.PlayScene("one", 0))
    wall.ticks(3 * 48)
    assert wall.player.metrics.loops == 2
    wall.does(c.SetSpeed(-1.0))
    wall.ticks(48)
    assert wall.player.metrics.loops == 3
    wall.presenter.close()


def test_the_picture_moves_and_a_command_changes_it_with_the_next_tick(wall: Wall) -> None:
    wall.ticks(1)
    first = wall.picture
    wall.ticks(5)
    assert np.abs(wall.picture - first).mean() > 1
    wall.does(c.PlayFilm("two", 0))
    wall.ticks(1)
    assert wall.board.read().film == "two"


def test_blackout_is_exactly_black_and_frames_go_on_underneath(wall: Wall) -> None:
    wall.does(c.SetBlackout(True))
    wall.ticks(3)
    assert wall.picture.max() == 0
    assert wall.board.read().state is StateWord.BLACKOUT
    wall.does(c.SetBlackout(False))
    wall.ticks(1)
    assert wall.picture.max() > 0


def test_a_refused_command_is_told_and_changes_nothing(wall: Wall) -> None:
    wall.ticks(2)
    state = wall.player.state
    wall.does(c.PlayFilm("zebra"))
    wall.ticks(1)
    assert wall.player.state == state
    assert "zebra" in wall.refusals[0]


class NoFrames(WaitingSource):
    """A decoder that has nothing to give."""

    @contextmanager
    def frame(self, key: FrameKey, due_ns: int) -> Iterator[Found | None]:
        yield None


def pixels_of(preview: Preview) -> np.ndarray:
    return np.frombuffer(preview.pixels, np.uint8).reshape(preview.size[1], preview.size[0], 3)


def test_whoever_watches_sees_the_canvas_a_tick_later_and_nobody_watching_costs_nothing(wall: Wall) -> None:
    wall.ticks(30)
    assert wall.pictures.preview() is None
    wall.pictures.ask()
    drawn_at = wall.clock.now_ns()
    wall.ticks(1)
    drawn = wall.picture
    wall.ticks(1)
    preview = wall.pictures.preview()
    assert preview is not None
    assert preview.size == (64, 36), "a canvas this small is not made larger"
    np.testing.assert_array_equal(pixels_of(preview), drawn)
    assert preview.at_ns == drawn_at
    serials = set()
    for _ in range(24):
        wall.pictures.ask()
        wall.ticks(1)
        serials.add(preview.serial if (preview := wall.pictures.preview()) else 0)
    assert 4 <= len(serials) <= 6, "about five a second"
    wall.ticks(72)
    last = wall.pictures.preview()
    wall.ticks(24)
    assert wall.pictures.preview() is last, "nobody has asked for two seconds"


def brightest_watched(wall: Wall) -> int:
    """Watch for a second; the largest value in the last preview."""
    for _ in range(24):
        wall.pictures.ask()
        wall.ticks(1)
    preview = wall.pictures.preview()
    assert preview is not None
    return int(pixels_of(preview).max())


def test_blackout_is_black_for_watchers_too(wall: Wall) -> None:
    wall.does(c.SetBlackout(True))
    assert brightest_watched(wall) == 0
    wall.does(c.SetBlackout(False))
    assert brightest_watched(wall) > 0


def test_a_frame_that_is_not_there_holds_the_picture_and_is_counted(wall: Wall) -> None:
    wall.ticks(3)
    shown = wall.picture
    wall.player.frames = NoFrames(Decoders({}, {}), wall.clock)
    wall.ticks(4)
    assert (wall.picture == shown).all()
    assert wall.player.metrics.late == wall.player.metrics.held == 3


def test_black_does_not_wait_for_frames_and_the_last_picture_holds_as_long_as_it_must(wall: Wall) -> None:
    wall.ticks(3)
    wall.player.frames = NoFrames(Decoders({}, {}), wall.clock)
    shown = wall.picture
    wall.ticks(150)
    assert (wall.picture == shown).all()
    assert [trouble.what for trouble in wall.board.read().troubles] == ["nothing could be decoded for 6 s"]
    assert wall.board.read().health is Health.RED
    wall.does(c.SetBlackout(True))
    wall.ticks(1)
    assert wall.picture.max() == 0


def test_a_live_film_that_has_nothing_to_show_yet_is_black_and_alive(tmp_path: Path) -> None:
    text = 'model = "model"\n[films.sent]\nlive = "osc"\nduration = 60\n[programmes.p]\nscenes = ["sent"]\n'
    wall = Wall(tmp_path, text)
    wall.player.frames = NoFrames(Decoders({}, {}), wall.clock)
    wall.ticks(30)
    assert wall.player.metrics.presented == 1
    assert wall.picture.max() == 0
    wall.presenter.close()


def test_instants_that_went_by_are_counted_as_late(wall: Wall) -> None:
    wall.ticks(3)
    wall.clock.advance(S // 4)
    wall.ticks(1)
    assert wall.player.metrics.late in (5, 6)


def test_keys_pause_switch_films_show_the_overlay_and_quit(wall: Wall) -> None:
    wall.ticks(2)
    player = wall.player
    player._hear([KeyPressed("space")])
    wall.ticks(1)
    assert wall.board.read().state is StateWord.PAUSED
    player._hear([KeyPressed("2")])
    wall.ticks(1)
    assert wall.board.read().film == "two"
    without = wall.picture
    player._hear([KeyPressed("i")])
    wall.ticks(1)
    assert (wall.picture != without).any()
    player._hear([KeyPressed("q")])
    assert player.quitting


def test_a_supervised_player_does_not_quit_by_keys_and_the_shows_own_keys_win(wall: Wall) -> None:
    assert Action.QUIT not in keys(wall.work, may_quit=False).values()
    own = replace(wall.work, keys={"space": c.Go()})
    assert keys(own, may_quit=True)["space"] == c.Go()


def test_another_stage_goes_on_where_the_clock_says_and_the_hole_is_counted(tmp_path: Path) -> None:
    wall = Wall(tmp_path)
    wall.ticks(24)
    wall.does(c.SetBrightness(0.5), c.PlayFilm("two", 0), c.RestartPicture())
    assert wall.player.run(None) is Ending.RESTART
    interlude = wall.player.leave()
    wall.presenter.close()
    again = Wall(tmp_path)
    again.clock.advance(interlude.due_ns + S - T0)
    again.player.go_on(interlude)
    again.ticks(1)
    seen = again.board.read()
    assert (seen.film, seen.position, seen.brightness) == ("two", 1.0, 0.5)
    again.ticks(24)
    metrics = again.player.metrics
    assert metrics is wall.player.metrics
    assert metrics.late == metrics.held == 23  # one second of 24 instants, without the two at its ends
    assert metrics.startup_ms is not None
    assert again.board.read().troubles == ()
    again.presenter.close()


def test_a_restart_is_asked_for_once(wall: Wall) -> None:
    wall.ticks(2)
    wall.does(c.RestartPicture())
    assert wall.player.run(None) is Ending.RESTART
    wall.does(c.RestartPicture())
    assert wall.player.run(0.5) is Ending.OVER
    assert "wait for 5 s" in wall.refusals[0]


def test_hours_are_changed_and_seen(tmp_path: Path) -> None:
    """T0 is 08:00 on Friday 15 January 2027."""
    text = 'model = "model"\n[schedule]\nzone = "UTC"\nopen = [{ hours = "07:00-08:00" }]\n'
    wall = Wall(tmp_path, text)
    wall.ticks(2)
    assert wall.board.read().state is StateWord.CLOSED
    wall.does(c.ExtendHours(9 * 60))
    wall.ticks(30)
    seen = wall.board.read()
    assert seen.period.anchor_ns > T0
    assert (seen.state, seen.period.end_ns) == (StateWord.PLAYING, T0 + HOUR)
    assert wall.picture.max() > 0
    wall.does(c.CloseHours(), c.ChangeHours(dt.date(2027, 1, 14), None))
    wall.ticks(60)
    assert (wall.picture.max(), wall.board.read().state) == (0, StateWord.CLOSED)
    assert wall.board.read().changes.stretches
    assert "2027-01-14 is not in reach" in wall.refusals[0]
    wall.presenter.close()


def test_a_closed_house_is_black_and_alive(tmp_path: Path) -> None:
    text = 'model = "model"\n[schedule]\nzone = "UTC"\nopen = [{ days = "mon", hours = "23:58-23:59" }]\n'
    wall = Wall(tmp_path, text)
    wall.ticks(20)
    assert wall.picture.max() == 0
    assert wall.board.read().state is StateWord.CLOSED
    assert brightest_watched(wall) == 0
    assert wall.player.metrics.presented >= 10
    assert wall.player.metrics.late == 0
    wall.presenter.close()


def test_a_hundred_thousand_commands_leave_nothing_behind(wall: Wall) -> None:
    for round_ in range(1000):
        for number in range(100):
            wall.does(c.SetBrightness(number / 100), c.Steer(str(number % 8 + 1), (round_ % 20) / 20))
        wall.ticks(1)
    assert len(wall.player.state.layers) == 1
    assert len(wall.player.state.steering) == 8
    assert wall.inbox.counts().dropped == 0
