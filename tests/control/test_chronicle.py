"""What happened lately: who did what, in words, and never more than there is room for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from installation.clock import SECOND_NS, SimulatedClock
from installation.control.chronicle import AGAIN_NS, LONGEST, SIZE, Chronicle, Kind, Line, command_words
from installation.control.feedback import Event
from installation.errors import CommandRefused
from installation.show import commands as c
from installation.show.commands import Origin, Posted, Rank
from installation.show.status import Health, Snapshot, StateWord, Trouble

DESK = Origin(Rank.OPERATOR, "192.168.10.20")
KEY = Origin(Rank.OPERATOR, "key")


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(1_800_000_000 * SECOND_NS)


@pytest.fixture
def chronicle(clock: SimulatedClock) -> Chronicle:
    return Chronicle(clock)


def texts(lines: list[Line]) -> list[tuple[str, str, int]]:
    return [(line.who, line.text, line.times) for line in lines]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (c.Go(), "go"),
        (c.PlayScene("visit"), "play scene visit"),
        (c.PlayFilm("tramp", 2.5), "play film tramp 2.5"),
        (c.SetBlackout(True), "set blackout on"),
        (c.SetMode(c.Mode.MANUAL), "set mode manual"),
        (c.Steer("3", -0.5, 1.0), "steer 3 -0.5 1"),
        (c.ExtendHours(18 * 60 + 30), "extend hours 18:30"),
        (c.ChangeHours(dt.date(2026, 12, 24), (600, 960), "day"), "change hours 2026-12-24 10:00-16:00 day"),
        (c.ChangeHours(dt.date(2026, 12, 24), None), "change hours 2026-12-24 closed"),
        (c.ForgetHours(dt.date(2026, 12, 24)), "forget hours 2026-12-24"),
    ],
)
def test_commands_in_words(command: c.Command, words: str) -> None:
    assert command_words(command) == words


def test_who_did_what_when(chronicle: Chronicle, clock: SimulatedClock) -> None:
    chronicle.obeyed(Posted(1, c.PlayScene("visit"), DESK))
    clock.advance(SECOND_NS)
    chronicle.obeyed(Posted(2, c.FireCue("speech"), KEY))
    first, second = chronicle.since(0)
    assert (first.kind, first.who, first.text) == (Kind.DID, "192.168.10.20", "play scene visit")
    assert (second.who, second.text) == ("key", "fire cue speech")
    assert second.wall_ns - first.wall_ns == SECOND_NS
    assert chronicle.since(first.number) == [second]


def test_a_hand_on_a_fader_is_one_line(chronicle: Chronicle, clock: SimulatedClock) -> None:
    for step in range(100):
        chronicle.obeyed(Posted(step, c.SetBrightness(step / 100), DESK))
        chronicle.obeyed(Posted(step, c.Steer("1", step / 100), DESK))
        clock.advance(SECOND_NS // 50)
    assert texts(chronicle.since(0)) == [
        ("192.168.10.20", "set brightness 0.99 0", 100),
        ("192.168.10.20", "steer 1 0.99 0", 100),
    ]
    clock.advance(AGAIN_NS)
    chronicle.obeyed(Posted(100, c.SetBrightness(1.0), DESK))
    assert len(chronicle.since(0)) == 3


def test_a_line_that_grows_is_told_again_with_the_same_id(chronicle: Chronicle) -> None:
    chronicle.obeyed(Posted(1, c.SetVolume(0.1), DESK))
    (before,) = chronicle.since(0)
    chronicle.obeyed(Posted(2, c.SetVolume(0.2), DESK))
    (after,) = chronicle.since(before.number)
    assert (after.id, after.times) == (before.id, 2)


def test_blackout_on_and_off_are_two_lines(chronicle: Chronicle) -> None:
    for on in (True, False):
        chronicle.obeyed(Posted(1, c.SetBlackout(on), DESK))
    assert [line.text for line in chronicle.since(0)] == ["set blackout on", "set blackout off"]


def test_refusals_are_worded_only_when_somebody_reads(chronicle: Chronicle) -> None:
    class Costly(CommandRefused):
        worded = 0

        def __str__(self) -> str:
            Costly.worded += 1
            return "no film \x1b[31m"

    for _ in range(5000):
        chronicle.denied("10.0.0.9", Costly("unknown-film", ""))
    assert Costly.worded == 0
    (line,) = chronicle.since(0)
    assert (line.kind, line.text, line.times) == (Kind.REFUSED, "no film \N{REPLACEMENT CHARACTER}[31m", 5000)


def test_it_is_bounded(chronicle: Chronicle) -> None:
    for number in range(10 * SIZE):
        chronicle.denied(f"10.0.0.{number}", CommandRefused("unknown", "x" * 5000))
    lines = chronicle.since(0)
    assert len(lines) == SIZE
    assert max(len(line.text) for line in lines) == LONGEST


def test_how_the_show_was(chronicle: Chronicle) -> None:
    late = Trouble("late", Health.AMBER, "pictures come late: 30 of 500", "end other programs")
    playing = Snapshot(state=StateWord.PLAYING, scene="rabbit")
    chronicle.saw(playing)
    chronicle.saw(replace(playing, scene="tramp"))
    assert chronicle.since(0) == [], "the scenes of a programme would push out what people did"
    held = replace(playing, state=StateWord.PAUSED, holder="page 10.0.0.7", troubles=(late,))
    chronicle.saw(held)
    chronicle.saw(replace(held, troubles=(replace(late, what="pictures come late: 40 of 500"),)))
    chronicle.saw(playing)
    chronicle.happened(Event("desk", ("the desk is back",)))
    assert [(line.kind.value, line.text) for line in chronicle.since(0)] == [
        ("show", "is paused"),
        ("show", "page 10.0.0.7 holds the show (auto)"),
        ("trouble", "amber: pictures come late: 30 of 500; end other programs"),
        ("show", "is playing"),
        ("show", "the schedule decides (auto)"),
        ("show", "over: pictures come late: 40 of 500"),
        ("show", "desk the desk is back"),
    ]
