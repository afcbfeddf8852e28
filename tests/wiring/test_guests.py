"""The ways in beside OSC: there when the show has begun, and only those it asks for."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from queue import Queue

import installation
from installation.control.hub import Guest, Hub, Opening
from installation.show.config import read_show
from installation.show.status import StateWord
from installation.wiring.guests import openings
from installation.wiring.loading import LoadedWork
from tests.control.packets import padded
from tests.control.rooms import HOME, PATIENCE_S, open_room
from tests.show.shows import show_file
from tests.show.worlds import World, film


def work(tmp_path: Path, control: str) -> LoadedWork:
    config = read_show(show_file(tmp_path, f"[control]\n{control}\n")).config
    return LoadedWork(config, World([film("bunny")]).show(), {}, {})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOME, 0))
        port: int = probe.getsockname()[1]
        return port


def test_oscquery_comes_with_the_first_picture(tmp_path: Path) -> None:
    port = free_port()
    (opening,) = openings(work(tmp_path, f"oscquery = {port}"))
    opened: Queue[Guest] = Queue()
    with open_room(guests=(_noted(opening, opened),)) as room, room.peer() as desk:
        desk.send(padded("/ai/go"))
        room.wait_for(lambda heard: len(heard) == 1)
        assert opened.empty()
        room.publish(state=StateWord.PLAYING)
        opened.get(timeout=PATIENCE_S)
        with closing(http.client.HTTPConnection(HOME, port, timeout=PATIENCE_S)) as line:
            line.request("GET", "/ai/status/state?VALUE")
            assert line.getresponse().read() == b'{"VALUE":["playing"]}'


def test_a_show_can_do_without(tmp_path: Path) -> None:
    assert openings(work(tmp_path, "oscquery = false")) == ()


def test_the_first_picture_does_not_wait_for_web_servers() -> None:
    program = "import sys, installation.wiring.playing; print(sys.modules.keys() & {'aiohttp', 'zeroconf'})"
    folder = Path(installation.__file__).parent.parent
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder, timeout=120
    )
    assert said.stdout.strip() == "set()"


def _noted(opening: Opening, opened: Queue[Guest]) -> Opening:
    async def open_and_note(hub: Hub) -> Guest:
        guest = await opening(hub)
        opened.put(guest)
        return guest

    return open_and_note
