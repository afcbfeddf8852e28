"""`/ai/restart`: the picture is built anew in the same process; who is connected stays, and nothing is left over."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import moderngl
import pytest
from pythonosc.osc_message import OscMessage

from installation.control.osc.messages import Sayable, build_message
from installation.show import transport
from installation.wiring.playing import run_show
from installation.wiring.request import PlayRequest, Surface
from tests.onnx_models import make_model
from tests.wiring.test_command_line import free_port

PATIENCE_S = 30
TIMES = 4
SHOW = 'model = "model"\n[control]\nport = {port}\noscquery = false\n[page]\nport = false\n'


class Desk:
    """A desk on one TCP connection for the whole evening."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._heard = self._line.makefile("rb")

    def send(self, address: str, *arguments: Sayable) -> None:
        packet = build_message(address, arguments)
        self._line.sendall(struct.pack(">I", len(packet)) + packet)

    def hear(self, address: str, *arguments: Any) -> list[Any]:
        """The next message at an address, with these first arguments."""
        while True:
            (length,) = struct.unpack(">I", self._heard.read(4))
            message = OscMessage(self._heard.read(length))
            if message.address == address and message.params[: len(arguments)] == list(arguments):
                return message.params

    def close(self) -> None:
        self._heard.close()
        self._line.close()


class Evening(threading.Thread):
    """What a desk does beside a player in this process: dims, restarts the picture a few times, and ends it."""

    def __init__(self, port: int) -> None:
        super().__init__(name="evening")
        self._port = port
        self.handles: list[int] = []
        self.threads: list[int] = []
        self.over = threading.Event()
        self.failed: BaseException | None = None

    def run(self) -> None:
        """Stops the player whatever happens, once it plays."""
        while (line := self._connected()) is None:
            if self.over.wait(0.02):
                return
        try:
            with closing(Desk(line)) as desk:
                self._restart_again_and_again(desk)
        except BaseException as error:  # told by the test, in its own thread
            self.failed = error
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    def _connected(self) -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", self._port), PATIENCE_S)
        except ConnectionRefusedError:
            return None

    def _restart_again_and_again(self, desk: Desk) -> None:
        desk.send("/ai/subscribe", 9001, 3600)
        desk.hear("/ai/status/state", "playing")
        desk.send("/ai/brightness", 0.25)
        desk.send("/ai/film/two", 1, 0.0)
        desk.hear("/ai/status/film", "two")
        for _ in range(TIMES):
            self.handles.append(len(list(Path("/proc/self/fd").iterdir())))
            self.threads.append(threading.active_count())
            desk.send("/ai/restart")
            desk.hear("/ai/event/output", "the picture is built anew, as asked")
            assert desk.hear("/ai/event/output")[0].startswith("the picture is back after")
            desk.hear("/ai/status/film", "two")


@pytest.fixture
def ordinary_interpreter() -> Iterator[None]:
    """As it was before a player had it to itself."""
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)
    gc.unfreeze()


def contexts() -> int:
    gc.unfreeze()
    gc.collect()
    return sum(type(each) is moderngl.Context for each in gc.get_objects())


@pytest.mark.usefixtures("ordinary_interpreter")
def test_the_picture_is_built_anew_as_often_as_one_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "RESTART_REST_NS", 0)
    make_model(tmp_path / "model", {"one": 48, "two": 48})
    port, show = free_port(), tmp_path / "show.toml"
    show.write_text(SHOW.format(port=port), "utf-8")
    files = {"stats": tmp_path / "stats.json", "state": tmp_path / "state.json"}
    before, evening = (contexts(), threading.active_count()), Evening(port)
    evening.start()
    try:
        run_show(PlayRequest(show, surface=Surface.HEADLESS, size=(64, 36), **files))
    finally:
        evening.over.set()
        evening.join()
    assert evening.failed is None, evening.failed
    assert (contexts(), threading.active_count()) == before
    assert max(evening.handles) - min(evening.handles) <= 1, evening.handles  # a file being written
    assert len(set(evening.threads)) == 1, evening.threads
    stats = json.loads(files["stats"].read_text("utf-8"))
    assert stats["presented"] > 2 * TIMES
    assert stats["decoded"] > 2 * TIMES
    assert stats["interval_ms"]["max"] < 2000
    state = json.loads(files["state"].read_text("utf-8"))["state"]
    assert state["brightness"]["end"] == 0.25
