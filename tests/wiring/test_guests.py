"""The ways in beside OSC: there when the show has begun, and only those it asks for."""

from __future__ import annotations

import http.client
import logging
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from queue import Queue

import pytest

import installation
from installation.clock import SystemClock
from installation.control.chronicle import Chronicle
from installation.control.hub import Guest, Hub, Opening
from installation.show.config import read_show
from installation.show.pictures import PictureBoard
from installation.show.schedule import always_open
from installation.show.status import StateWord
from installation.wiring.guests import openings, page_address
from installation.wiring.loading import LoadedWork
from tests.control.packets import padded
from tests.control.rooms import HOME, PATIENCE_S, open_room
from tests.show.shows import show_file
from tests.show.worlds import World, film


def asked_for(tmp_path: Path, text: str) -> tuple[Opening, ...]:
    """Who comes when a show says that."""
    config = read_show(show_file(tmp_path, text)).config
    work = LoadedWork(config, World([film("bunny")]).show(schedule=always_open("all")), {}, {})
    return openings(work, PictureBoard(), Chronicle(SystemClock()))


def get(port: int, path: str) -> bytes:
    with closing(http.client.HTTPConnection(HOME, port, timeout=PATIENCE_S)) as line:
        line.request("GET", path)
        return line.getresponse().read()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOME, 0))
        port: int = probe.getsockname()[1]
        return port


def test_oscquery_comes_with_the_first_picture(tmp_path: Path) -> None:
    port = free_port()
    (opening,) = asked_for(tmp_path, f"[control]\noscquery = {port}\n[page]\nport = false\n")
    opened: Queue[Guest] = Queue()
    with open_room(guests=(_noted(opening, opened),)) as room, room.peer() as desk:
        desk.send(padded("/ai/go"))
        room.wait_for(lambda heard: len(heard) == 1)
        assert opened.empty()
        room.publish(state=StateWord.PLAYING)
        opened.get(timeout=PATIENCE_S)
        assert get(port, "/ai/status/state?VALUE") == b'{"VALUE":["playing"]}'


def test_the_page_comes_with_the_first_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Passcodes that others can read open nothing."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('operate = "rabbit"')
    secrets.chmod(0o644)
    port = free_port()
    (opening,) = asked_for(
        tmp_path, f'[control]\noscquery = false\n[page]\nport = {port}\npasscodes = "secrets.toml"\n'
    )
    opened: Queue[Guest] = Queue()
    with caplog.at_level(logging.WARNING), open_room(guests=(_noted(opening, opened),)) as room:
        room.publish(state=StateWord.PLAYING)
        opened.get(timeout=PATIENCE_S)
        assert b"<title>Afterimage</title>" in get(port, "/")
    assert "others can read it" in caplog.text
    assert "rabbit" not in caplog.text


def test_everybody_comes_at_once(tmp_path: Path) -> None:
    """They share packages, which are read side by side."""
    ports = free_port(), free_port()
    text = f'[control]\noscquery = {ports[0]}\n[page]\nport = {ports[1]}\n[alerts]\nurl = "http://127.0.0.1:9/"\n'
    opened: Queue[Guest] = Queue()
    with open_room(guests=[_noted(opening, opened) for opening in asked_for(tmp_path, text)]) as room:
        room.publish(state=StateWord.PLAYING)
        for _ in range(3):
            opened.get(timeout=PATIENCE_S)


def test_a_show_can_do_without(tmp_path: Path) -> None:
    assert asked_for(tmp_path, "[control]\noscquery = false\n[page]\nport = false\n") == ()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", "http://127.0.0.1:8080/"),
        ('[control]\nlisten = "fd00::5"\nallow = ["fd00::/8"]\n[page]\nport = 80\n', "http://[fd00::5]:80/"),
        ("[page]\nport = false\n", ""),
    ],
)
def test_what_to_type_into_a_browser(tmp_path: Path, text: str, address: str) -> None:
    assert page_address(read_show(show_file(tmp_path, text)).config) == address


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
