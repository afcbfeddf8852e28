"""Other people's programs, over real sockets: `oscsend` and `oscdump` of liblo."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from installation.control.settings import Endpoint
from installation.show import commands as show
from installation.show.commands import Command
from tests.control.rooms import HOME, PATIENCE_S, open_room


def program(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is missing: apt-get install liblo-tools"
    return path


def oscsend(player: Endpoint, *words: str) -> None:
    subprocess.run([program("oscsend"), player.host, str(player.port), *words], check=True, timeout=PATIENCE_S)


@contextmanager
def oscdump(port: int) -> Iterator[Iterator[str]]:
    """The messages it prints, without their time tags; they end when it takes too long."""
    process = subprocess.Popen([program("oscdump"), "-L", str(port)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ending = threading.Timer(PATIENCE_S, process.kill)
    ending.start()
    try:
        yield (line.partition(" ")[2].strip() for line in iter(process.stdout.readline, ""))
    finally:
        ending.cancel()
        process.terminate()
        process.wait(PATIENCE_S)
        process.stdout.close()


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("/ai/go",), show.Go()),
        (("/ai/film/tramp", "if", "1", "3.0"), show.PlayFilm("tramp", 3.0)),
        (("/ai/film/tramp/", "T"), show.PlayFilm("tramp")),
        (("/ai/scene", "sd", "visit", "1.5"), show.PlayScene("visit", 1.5)),
        (("/ai/cue/fire", "f", "2.0"), show.FireCue("2")),
        (("/ai/cue/fire", "h", "2"), show.FireCue("2")),
        (("/ai/cue/fire", "S", "speech"), show.FireCue("speech")),
        (("/ai/blackout", "F"), show.SetBlackout(False)),
        (("/ai/blackout", "N"), show.SetBlackout(True)),
        (("/ai/freeze", "I"), show.Freeze(True)),
        (("/ai/steer/3", "ff", "-0.5", "2"), show.Steer("3", -0.5, 2.0)),
        (("/ai/brightnes[r-t]", "i", "1"), show.SetBrightness(1.0)),
    ],
)
def test_oscsend(words: tuple[str, ...], command: Command) -> None:
    with open_room() as room:
        oscsend(room.server.endpoint, *words)
        room.wait_for_command(command)


def test_types_of_oscsend_that_mean_nothing_to_us() -> None:
    with open_room() as room:
        oscsend(room.server.endpoint, "/ai/go", "c", "x")  # a character is text: it fires
        room.wait_for_command(show.Go())
        oscsend(room.server.endpoint, "/ai/blackout", "m", "00904040")
        oscsend(room.server.endpoint, "/ai/back")
        heard = room.wait_for(lambda heard: len(heard) > 0)
        assert [posted.command for posted in heard] == [show.Back()]
        assert room.server.counts().received.refused == 1


def test_oscdump_hears_feedback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOME, 0))
        port: int = free.getsockname()[1]
    with oscdump(port) as lines, open_room(feedback=(Endpoint(HOME, port),)) as room:
        assert '/ai/status/health s "green"' in lines  # waits until it listens: status comes again every second
        oscsend(room.server.endpoint, "/ai/brightness", "f", "0.25")
        posted = room.wait_for_command(show.SetBrightness(0.25))
        room.publish(brightness=0.25, blackout=True, applied=posted.sequence)
        assert "/ai/brightness f 0.250000" in lines
        assert "/ai/blackout i 1" in lines
