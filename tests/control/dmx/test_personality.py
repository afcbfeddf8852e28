"""From levels to commands: only what changes, and choices that stand still."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.control.dmx.personality import (
    CHANNELS,
    PERSONALITY,
    SETTLE_NS,
    HandBack,
    Master,
    OnLoss,
    Personality,
    Press,
    Said,
    Unknown,
    Wish,
    fields,
    personality_markdown,
    read_speed,
    steering,
)
from installation.control.dmx.universe import Look
from installation.control.methods.addresses import parse_line
from installation.show.commands import (
    Command,
    Mode,
    PlayFilm,
    PlayScene,
    SetBlackout,
    SetBrightness,
    SetMode,
    SetSpeed,
    Steer,
)
from tests.control.rooms import NAMES

FILMS, SCENES = ("bunny", "tramp"), ("visit", "bunny", "tramp")
ROWS = tuple(row.name for row in PERSONALITY)
FRAME_NS = 22_727_272  # 44 frames a second


def personality() -> Personality:
    return Personality({"film": FILMS, "scene": SCENES})


def look(name: str = "QLC+", **levels: int) -> Look:
    """A whole frame; what is not said is at 0. `axis1` is short for its row."""
    said = {level.replace("axis", "steering, axis "): value for level, value in levels.items()}
    return Look(tuple(said.get(row.partition(" of ")[0], 0) for row in ROWS), (name,) * len(ROWS))


def commands(said: list[Said]) -> list[Command]:
    return [command for each in said if isinstance(each, Wish) for command in each.commands]


class TestMasters:
    def test_the_first_frame_sets_levels_and_a_switch_at_0_does_nothing(self) -> None:
        assert personality().feed(look(), 0) == [Wish("QLC+", (SetBrightness(0.0),))]

    def test_a_desk_that_repeats_itself_says_nothing(self) -> None:
        desk = personality()
        desk.feed(look(brightness=30_000, speed=200, axis2=50_000, blackout=255), 0)
        for n in range(1, 1000):
            assert desk.feed(look(brightness=30_000, speed=200, axis2=50_000, blackout=255), n * FRAME_NS) == []

    def test_all_masters_of_a_frame_land_together(self) -> None:
        (wish,) = personality().feed(look(brightness=65_535, blackout=128, speed=255, axis1=65_535, axis3=1), 0)
        assert wish == Wish(
            "QLC+",
            (SetBrightness(1.0), SetBlackout(True), SetSpeed(4.0), Steer("1", 1.0), Steer("3", -1.0)),
        )

    def test_whose_level_it_is(self) -> None:
        both = look(brightness=65_535, speed=255)
        names = tuple("desk" if row == "brightness" else "house" for row in ROWS)
        assert personality().feed(Look(both.values, names), 0) == [
            Wish("desk", (SetBrightness(1.0),)),
            Wish("house", (SetSpeed(4.0),)),
        ]

    @pytest.mark.parametrize(("speed", "axis"), [(0, 0), (128, 32_768)])
    def test_the_detent_and_0_give_back_what_was_said_and_nothing_else(self, speed: int, axis: int) -> None:
        desk = personality()
        neutral = look(brightness=1, speed=speed, axis1=axis)
        assert commands(desk.feed(neutral, 0)) == [SetBrightness(1 / 65_535)]  # nothing to give back, nobody to disturb
        desk.feed(look(brightness=1, speed=255, axis1=65_535, blackout=255), 1)
        assert commands(desk.feed(neutral, 2)) == [SetBlackout(False), SetSpeed(1.0), Steer("1", 0.0, 1.0)]
        assert desk.feed(neutral, 3) == []

    def test_channels_that_are_not_sent_change_nothing(self) -> None:
        desk = personality()
        desk.feed(look(brightness=100, speed=255), 0)
        nothing = Look((None,) * len(ROWS), ("QLC+",) * len(ROWS))
        assert desk.feed(nothing, 1) == []

    @pytest.mark.parametrize(("level", "on"), [(0, None), (127, None), (128, True), (255, True)])
    def test_blackout_switches_in_the_middle(self, level: int, on: bool | None) -> None:
        said = commands(personality().feed(look(blackout=level), 0))
        assert said[1:] == ([SetBlackout(True)] if on else [])

    @pytest.mark.parametrize(
        ("level", "speed"),
        [(1, -4.0), (59, -1 / 64), (60, 0.0), (67, 0.0), (68, 1 / 64), (255, 4.0)],
    )
    def test_the_curve_of_speed(self, level: int, speed: float) -> None:
        assert read_speed(level) == SetSpeed(pytest.approx(speed))

    def test_speed_only_rises(self) -> None:
        speeds = [1.0 if (read := read_speed(level)) is None else read.speed for level in range(1, 256)]
        assert speeds == sorted(speeds)
        assert [level for level, speed in enumerate(speeds, start=1) if speed == 1.0] == list(range(120, 137))

    def test_speed_steps_by_ratio(self) -> None:
        """No step of the two slopes around 1 changes the speed by more than a tenth."""
        speeds = [1.0 if (read := read_speed(level)) is None else read.speed for level in range(68, 256)]
        assert max(after / before for before, after in pairwise(speeds)) < 1.1

    @given(st.integers(1, 65_535))
    def test_steering(self, level: int) -> None:
        read, mirrored = steering("2")(level), steering("2")(65_536 - level)
        if read is None:
            assert abs(level - 32_768) <= 256 and mirrored is None
        else:
            assert (read.axis, mirrored) == ("2", Steer("2", -read.amount))
            assert 256 / 32_767 < abs(read.amount) <= 1.0

    @pytest.mark.parametrize("coarse", [127, 128])
    def test_the_middle_of_steering_is_easy_to_find(self, coarse: int) -> None:
        for fine in (0, 128, 255):
            assert steering("1")(coarse * 256 + fine) is None


class TestChoices:
    def test_a_choice_fires_once_when_it_has_stood_still(self) -> None:
        desk = personality()
        desk.feed(look(), 0)
        assert desk.feed(look(film=2), FRAME_NS) == []
        assert desk.next_due_ns == FRAME_NS + SETTLE_NS
        assert desk.due(FRAME_NS + SETTLE_NS - 1) == []
        assert desk.due(FRAME_NS + SETTLE_NS) == [Press("QLC+", "film/tramp")]
        assert desk.next_due_ns is None
        assert desk.feed(look(film=2), SETTLE_NS * 3) == []

    def test_a_crossfade_does_not_step_through_what_lies_between(self) -> None:
        desk = personality()
        desk.feed(look(scene=1), 0)
        assert desk.due(SETTLE_NS) == [Press("QLC+", "scene/visit")]
        said = []
        for n in range(1, 200):  # from 200 down to 3, two numbers a frame
            said += desk.feed(look(scene=max(3, 200 - 2 * n)), SETTLE_NS + n * FRAME_NS)
        assert said == [Press("QLC+", "scene/tramp")]

    def test_0_arms_a_choice_again(self) -> None:
        desk = personality()
        times = iter(range(0, 100 * SETTLE_NS, SETTLE_NS))
        said: list[Said] = []
        for film in (1, 0, 1):
            at = next(times)
            said += desk.feed(look(film=film), at)
            said += desk.due(next(times))
        assert [each for each in said if isinstance(each, Press)] == [Press("QLC+", "film/bunny")] * 2

    def test_a_moment_of_0_arms_nothing(self) -> None:
        desk = personality()
        desk.feed(look(film=1), 0)
        assert desk.due(SETTLE_NS) == [Press("QLC+", "film/bunny")]
        desk.feed(look(film=0), 2 * SETTLE_NS)
        desk.feed(look(film=1), 2 * SETTLE_NS + FRAME_NS)
        assert desk.due(9 * SETTLE_NS) == []

    def test_the_fade_of_the_moment_it_fires(self) -> None:
        desk = personality()
        desk.feed(look(film=1, fade=1), 0)
        desk.feed(look(film=1, fade=31), FRAME_NS)
        assert desk.due(SETTLE_NS) == [Press("QLC+", "film/bunny 1 3.0")]
        desk.feed(look(scene=1, fade=1), SETTLE_NS)
        assert desk.due(2 * SETTLE_NS) == [Press("QLC+", "scene/visit 1 0.0")]

    def test_back_to_the_schedule(self) -> None:
        desk = personality()
        desk.feed(look(scene=255), 0)
        assert desk.due(SETTLE_NS) == [Press("QLC+", "mode/auto")]

    def test_a_number_without_a_film_is_said_once(self) -> None:
        desk = personality()
        desk.feed(look(film=9), 0)
        (unknown,) = desk.due(SETTLE_NS)
        assert isinstance(unknown, Unknown)
        assert (unknown.name, unknown.error.code) == ("QLC+", "unknown-film")
        assert str(unknown.error) == "DMX film 9; pick one of 1 bunny, 2 tramp"
        assert desk.feed(look(film=9), 2 * SETTLE_NS) == []

    @pytest.mark.parametrize(
        ("levels", "command"),
        [
            ({"film": 1}, PlayFilm("bunny")),
            ({"film": 2, "fade": 254}, PlayFilm("tramp", 25.3)),
            ({"scene": 1, "fade": 1}, PlayScene("visit", 0.0)),
            ({"scene": 255}, SetMode(Mode.AUTO)),
        ],
    )
    def test_what_is_pressed_is_a_line_that_is_obeyed(self, levels: dict[str, int], command: Command) -> None:
        desk = personality()
        desk.feed(look(**levels), 0)
        (press,) = desk.due(SETTLE_NS)
        assert isinstance(press, Press)
        assert parse_line(press.line, NAMES) == command


class TestLoss:
    def moved(self) -> Personality:
        desk = personality()
        desk.feed(look(brightness=100, blackout=255, speed=200, axis1=65_535, film=1), 0)
        assert desk.due(SETTLE_NS) == [Press("QLC+", "film/bunny")]
        return desk

    def test_the_last_look_stays(self) -> None:
        desk = self.moved()
        assert desk.lost(OnLoss.HOLD) == []
        same = look(brightness=100, blackout=255, speed=200, axis1=65_535, film=1)
        assert desk.feed(same, 10 * SETTLE_NS) == []

    def test_released(self) -> None:
        desk = self.moved()
        assert desk.lost(OnLoss.RELEASE) == [
            Wish("QLC+", (SetBrightness(1.0, 1.0), SetBlackout(False), Steer("1", 0.0, 1.0))),
            HandBack("QLC+"),
        ]  # and not the speed: whoever took over since has his own
        desk.feed(look(brightness=100, film=1), 10 * SETTLE_NS)
        assert desk.due(11 * SETTLE_NS) == [Press("QLC+", "film/bunny")]

    def test_black_until_a_source_says_otherwise(self) -> None:
        desk = personality()
        desk.feed(look(brightness=100), 0)
        assert desk.lost(OnLoss.BLACK) == [Wish("QLC+", (SetBlackout(True),))]
        assert desk.feed(look(brightness=100), SETTLE_NS) == [Wish("QLC+", (SetBlackout(False),))]

    def test_what_had_not_settled_never_will(self) -> None:
        for on_loss in OnLoss:
            desk = personality()
            desk.feed(look(film=1), 0)
            desk.lost(on_loss)
            assert (desk.next_due_ns, desk.due(9 * SETTLE_NS)) == (None, [])


class TestTable:
    def test_channels_follow_each_other(self) -> None:
        taken = [slot for field in fields(100) for slot in range(field.start, field.start + field.width)]
        assert taken == list(range(99, 99 + CHANNELS))

    def test_every_channel_is_documented(self) -> None:
        lines = personality_markdown().splitlines()
        assert len(lines) == 2 + len(PERSONALITY)
        assert lines[2] == "| 1-2 coarse, fine | brightness | 0: dark, 65535: full | highest |"
        assert f"| {CHANNELS - 1}-{CHANNELS} coarse, fine | steering, axis 3 |" in lines[-1]


@given(
    st.lists(
        st.tuples(st.integers(0, 65_535), st.integers(0, 255), st.integers(0, 255), st.integers(0, 65_535)), max_size=40
    )
)
def test_what_was_said_adds_up_to_the_last_look(frames: list[tuple[int, int, int, int]]) -> None:
    """Whatever came before, who obeys every command ends where the levels are."""
    desk, obeyed = personality(), dict[str, Command]()
    for n, (brightness, blackout, speed, axis) in enumerate(frames):
        newest = look(brightness=brightness, blackout=blackout, speed=speed, axis1=axis)
        for command in commands(desk.feed(newest, n * FRAME_NS)):
            obeyed["/".join(command.slot)] = command
        masters = {row.name: row for row in PERSONALITY if isinstance(row, Master)}
        for name, level in (("brightness", brightness), ("blackout", blackout), ("speed", speed)):
            wanted = masters[name].read(level)
            neutral = masters[name].neutral
            assert obeyed.get("/".join(neutral.slot), neutral) == (wanted or neutral)
