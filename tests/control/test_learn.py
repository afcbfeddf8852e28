"""Learning a map from what is heard: the lines, and the way they take from a running player."""

from __future__ import annotations

import io
import threading
import tomllib

import pytest
from rich.console import Console

from installation.clock import SimulatedClock
from installation.control import client
from installation.control.learn import MAX_ADDRESSES, Lesson
from installation.control.network.tap import listen_in, tap_path
from installation.control.osc.packets import Message
from installation.errors import UnavailableError
from installation.show.config_mapping import MapTable
from tests.control.packets import floats, padded
from tests.control.rooms import open_room


def entry(line: str) -> MapTable:
    """A line as a show would read it."""
    (table,) = tomllib.loads(f"map = [\n{line}\n]")["map"]
    return MapTable.model_validate(table)


def test_a_trigger() -> None:
    lesson = Lesson("/ai")
    line = lesson.hear(Message("/eos/out/event/cue/1/5/fire"), "10.0.0.1")
    assert line == '{ from = "/eos/out/event/cue/1/5/fire", do = "go" },  # from 10.0.0.1; no arguments'
    assert entry(line).from_address == "/eos/out/event/cue/1/5/fire"
    assert lesson.hear(Message("/eos/out/event/cue/1/5/fire"), "10.0.0.1") is None


def test_a_sensor_with_its_range() -> None:
    lesson = Lesson("/ai")
    for number in (100.5, 20.0, 400.0):
        lesson.hear(Message("/distance", (number,)), "10.0.0.1")
    (line,) = lesson.summary()
    assert entry(line).input == (20, 400)
    assert "3 times" in line


def test_a_button_is_no_fader() -> None:
    lesson = Lesson("/ai")
    for number in (1.0, 0.0, 1.0):
        lesson.hear(Message("/push1", (number,)), "10.0.0.1")
    assert entry(lesson.summary()[0]).do == "go"
    lesson.hear(Message("/push1", (0.5,)), "10.0.0.1")
    assert entry(lesson.summary()[0]).do == "brightness {value}"


def test_what_is_not_for_the_map() -> None:
    lesson = Lesson("/ai")
    assert lesson.hear(Message("/ai/go"), "10.0.0.1") is None
    for address in ("/eos/out/active/cue/1/5", '/a#b"', "/{a,b}"):
        line = lesson.hear(Message(address, ("\x1b[2J\n",)), "10.0.0.1")
        assert line is not None
        assert line.startswith("#")
        assert line.isprintable()


def test_what_is_learned_is_bounded() -> None:
    lesson = Lesson("/ai")
    for n in range(1000):
        lesson.hear(Message(f"/a/{n}"), "10.0.0.1")
    assert len(lesson.summary()) == MAX_ADDRESSES


class Screen(io.StringIO):
    """Says when it has seen enough, by moving the clock."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def write(self, text: str) -> int:
        if "/distance" in text:
            self._clock.advance(2_000_000_000)
        return super().write(text)


def test_from_a_running_player() -> None:
    clock = SimulatedClock(0)
    screen = Screen(clock)
    with open_room() as room, room.peer() as desk:
        port = room.server.endpoint.port
        assert tap_path(port).stat().st_mode & 0o777 == 0o600
        listen_in(port).close()
        sending = threading.Event()

        def speak() -> None:
            while not sending.wait(0.05):
                desk.send(padded("/eos/out/event/cue/1/5/fire"))
                desk.send(b"not osc")
                desk.send(floats("/distance", 0.5))

        speaker = threading.Thread(target=speak)
        speaker.start()
        try:
            learned = client.learn(port, 1, Console(file=screen, markup=False, highlight=False), clock)
        finally:
            sending.set()
            speaker.join()
    assert learned == 2
    text = screen.getvalue()
    maps = tomllib.loads(text[text.index("[control]") :])["control"]["map"]
    assert [each["from"] for each in maps] == ["/eos/out/event/cue/1/5/fire", "/distance"]
    assert not tap_path(port).exists()


def test_nobody_to_learn_from() -> None:
    with pytest.raises(UnavailableError, match="no player of this user on port 1"):
        client.learn(1)
