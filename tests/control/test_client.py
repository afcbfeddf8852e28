from __future__ import annotations

import io
import re
import socket
import threading

import pytest
from rich.console import Console

from installation.clock import SystemClock
from installation.control.client import full_address, list_methods, monitor, send
from installation.control.methods.table import METHODS
from installation.errors import InputError, UnavailableError
from installation.show import commands as show
from installation.show.status import StateWord
from tests.control.rooms import HOME, PATIENCE_S, open_room


def test_words_become_arguments() -> None:
    with open_room() as room:
        host, port = room.server.endpoint
        send("/ai/film/tramp", ["1", "3.5"], host, port)
        assert room.wait_for_command(show.PlayFilm("tramp", 3.5)).origin.name == HOME
        send("scene", ["visit"], host, port)
        room.wait_for_command(show.PlayScene("visit"))
        send("blackout", ["false"], host, port)
        room.wait_for_command(show.SetBlackout(False))
        send("cue/fire", ['"2"'], host, port)
        room.wait_for_command(show.FireCue("2"))


def test_addresses() -> None:
    assert full_address("go") == "/ai/go"
    assert full_address("/eos/ping") == "/eos/ping"
    assert full_address("go", "/museum") == "/museum/go"


def test_what_cannot_be_sent() -> None:
    with pytest.raises(InputError, match="cannot be sent"):
        send("/grün", [], HOME, 9)
    with pytest.raises(InputError, match="not an IP address"):
        send("/ai/go", [], "museum", 9)


def test_what_no_player_knows_is_said_before_it_is_sent() -> None:
    with pytest.raises(InputError, match=r"near it: /ai/brightness.*send --list"):
        send("/ai/brightnes", ["1"], HOME, 9)
    with pytest.raises(InputError, match="cannot be set"):
        send("status/scene", ["tramp"], HOME, 9)
    with open_room() as room:
        host, port = room.server.endpoint
        send("/ai/{blackout,freeze}", [], host, port)  # a pattern may mean anything
        send("/eos/ping", [], host, port)  # and so may addresses of others
        room.wait_for(lambda heard: len(heard) == 2)


def test_the_list_of_what_can_be_sent() -> None:
    paper = io.StringIO()
    console = Console(file=paper, width=200)
    assert list_methods(console=console) == sum(not method.only_read for method in METHODS)
    assert "/ai/film/<film>" in paper.getvalue()
    assert "/ai/status" not in paper.getvalue()
    assert list_methods("STEER", console=console) == 1
    assert re.search(r"/ai/steer/<axis> +f amount -1 to 1, \[f fade 0 to 3600 s\] +lean", paper.getvalue())
    with pytest.raises(InputError, match='"nonsense"'):
        list_methods("nonsense")


def test_nobody_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOME, 0))
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match=f"nobody listens at 127.0.0.1:{port}"):
        send("/ai/go", [], HOME, port)


class Paper(io.StringIO):
    """Tells when something is written on it."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()

    def write(self, text: str) -> int:
        with self._written:
            count = super().write(text)
            self._written.notify_all()
        return count

    def wait_for(self, text: str) -> None:
        with self._written:
            assert self._written.wait_for(lambda: text in self.getvalue(), PATIENCE_S), self.getvalue()


def test_monitor_prints_what_changes() -> None:
    paper = Paper()
    console = Console(file=paper, width=120, highlight=False)
    with open_room() as room:
        host, port = room.server.endpoint
        watching = threading.Thread(target=monitor, args=(host, port, 1.0, "/ai", console))
        watching.start()
        paper.wait_for("/ai/status/state starting  what the picture is doing, in a word\n")
        paper.wait_for("/ai/brightness 1  master brightness\n")
        room.publish(state=StateWord.PLAYING, scene="[rabbit]", brightness=0.5)
        paper.wait_for("/ai/brightness 0.5\n")  # explained once
        paper.wait_for("/ai/event/scene [rabbit]")
        watching.join(PATIENCE_S)
        assert not watching.is_alive()
    assert "/ai/status/position" not in paper.getvalue()


def test_monitor_says_when_nothing_is_heard() -> None:
    paper = Paper()
    console = Console(file=paper, width=120)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind((HOME, 0))
        assert monitor(HOME, mute.getsockname()[1], 3.0, console=console, clock=HurriedClock()) == 0
    assert "is a show playing there" in paper.getvalue()


class HurriedClock(SystemClock):
    """Each look at it is 1.5 seconds later than the one before, so that the test need not wait."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = 0

    def now_ns(self) -> int:
        self._looks += 1
        return super().now_ns() + self._looks * 1_500_000_000
