"""Other people's programs, over real sockets: `oscsend` and `oscdump` of liblo, Pure Data."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from installation.clock import SystemClock
from installation.control.inbox import Inbox
from installation.control.server import ControlServer
from installation.control.settings import ControlSettings, DeskAddress, Endpoint
from installation.show import commands as show
from installation.show.commands import Command
from installation.show.status import StatusBoard
from tests.control.rooms import HOME, NAMES, PATIENCE_S, open_room

SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def program(name: str, package: str = "liblo-tools") -> str:
    path = shutil.which(name)
    assert path, f"{name} is missing: apt-get install {package}"
    return path


def oscsend(player: Endpoint, *words: str) -> None:
    subprocess.run([program("oscsend"), player.host, str(player.port), *words], check=True, timeout=PATIENCE_S)


@contextmanager
def oscdump(port: int | str) -> Iterator[Iterator[str]]:
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


def test_oscsend_over_tcp() -> None:
    with open_room() as room:
        url = f"osc.tcp://{HOME}:{room.server.endpoint.port}/"
        subprocess.run([program("oscsend"), url, "/ai/film/tramp", "if", "1", "3.0"], check=True, timeout=PATIENCE_S)
        room.wait_for_command(show.PlayFilm("tramp", 3.0))
        assert room.server.counts().streams.connections == 1


def test_oscdump_as_a_desk_that_is_called() -> None:
    with socket.create_server((HOME, 0)) as free:
        port: int = free.getsockname()[1]
    settings = ControlSettings(HOME, 0, desk=DeskAddress(HOME, port))
    with (
        oscdump(f"osc.tcp://:{port}/") as lines,
        ControlServer(settings, NAMES, Inbox(), StatusBoard(), SystemClock()),
    ):
        assert '/eos/ping s "afterimage"' in lines


# SLIP by hand: 192 is END, and nothing in this message needs an escape.
PURE_DATA = """#N canvas 0 0 450 300 10;
#X obj 10 10 loadbang;
#X obj 10 40 t b b b;
#X msg 150 70 connect {host} {port};
#X msg 80 70 1 3;
#X obj 80 90 oscformat ai film tramp;
#X obj 80 110 list prepend 192;
#X obj 80 130 list append 192;
#X obj 80 150 list prepend send;
#X obj 80 170 list trim;
#X obj 80 190 netsend -b;
#X obj 10 100 delay 2000;
#X msg 10 130 \\; pd quit;
"""
WIRES = ((0, 0, 1), (1, 0, 10), (1, 1, 3), (1, 2, 2), (2, 0, 9), *((n, 0, n + 1) for n in (3, 4, 5, 6, 7, 8, 10)))


def test_pure_data_over_tcp_with_slip(tmp_path: Path) -> None:
    pd = program("pd", "puredata-core")
    with open_room() as room:
        patch = tmp_path / "send.pd"
        wires = "".join(f"#X connect {source} {outlet} {sink} 0;\n" for source, outlet, sink in WIRES)
        patch.write_text(PURE_DATA.format(host=HOME, port=room.server.endpoint.port) + wires)
        command = [pd, "-nogui", "-noaudio", "-nomidi", str(patch)]
        with subprocess.Popen(command, **SILENT) as process:  # type: ignore[call-overload]
            try:
                room.wait_for_command(show.PlayFilm("tramp", 3.0))
            finally:
                process.kill()
