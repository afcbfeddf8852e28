"""The player under the supervisor: ready with its first picture, killed when it blocks, back where the clock is."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from pythonosc.osc_packet import OscPacket
from safetensors import safe_open

from installation.resources import resource_dir
from tests.venue.supervisor import Kind, Supervisor

SHOW = """
model = "{model}"
[programmes.day]
scenes = ["bunny"]
[schedule]
zone = "UTC"
open = [{{ hours = "00:00-24:00", play = "day" }}]
[control]
port = {port}
feedback = ["127.0.0.1:{feedback}"]
"""
WATCHDOG_S = 5.0
TOLERANCE_S = 0.5  # status is sent once a second, from the last tick, by a machine that runs other tests too


class Desk:
    """A desk that listens to what the show says of itself."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(30)
        self.port = self._socket.getsockname()[1]

    def position(self) -> tuple[float, float]:
        """The next position said from now on, in seconds, and when it came (monotonic seconds)."""
        while select.select([self._socket], [], [], 0)[0]:
            self._socket.recv(65_536)  # said earlier
        while True:
            data = self._socket.recv(65_536)
            came_s = time.monotonic()
            for timed in OscPacket(data).messages:
                if timed.message.address == "/ai/status/position":
                    return float(timed.message.params[0]), came_s

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    listening = Desk()
    yield listening
    listening.close()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def loop_seconds() -> float:
    with safe_open(resource_dir("models") / "bunny" / "films" / "bunny.safetensors", "numpy") as stream:
        return float(stream.get_slice("z").get_shape()[0] / Fraction(stream.metadata()["fps"]))


def test_stopped_and_killed_it_comes_back_to_where_the_clock_is(tmp_path: Path, desk: Desk) -> None:
    show = tmp_path / "show.toml"
    show.write_text(SHOW.format(model=resource_dir("models") / "bunny", port=free_port(), feedback=desk.port))
    command = [sys.executable, "-m", "installation", "play", show, "--headless", "--size", "160x90"]
    command += ["--state", tmp_path / "state.json"]
    with Supervisor(command, tmp_path, environment=os.environ, watchdog_s=WATCHDOG_S) as supervisor:
        first = supervisor.wait(Kind.READY)
        supervisor.wait(Kind.STATUS, text="presenting")
        position, came_s = desk.position()

        os.kill(first.pid, signal.SIGSTOP)  # what a swap that never returns looks like from outside
        assert supervisor.wait(Kind.TIMED_OUT).pid == first.pid
        second = supervisor.wait(Kind.READY, count=2)

        os.kill(second.pid, signal.SIGKILL)
        third = supervisor.wait(Kind.READY, count=3)
        assert third.pid not in (first.pid, second.pid)
        later, later_s = desk.position()
        assert supervisor.kinds().count(Kind.TIMED_OUT) == 1

    length_s = loop_seconds()
    error = (later - position - (later_s - came_s) + length_s / 2) % length_s - length_s / 2
    assert abs(error) < TOLERANCE_S, supervisor.output()
