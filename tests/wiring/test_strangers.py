"""A whole player in a room with a network: who is not allowed, knows no passcode or comes by another page does nothing.

Each is named in the log, once.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest
import websocket

from installation.control.osc.framing import Framing, framed
from installation.control.osc.packets import Message
from installation.control.settings import Endpoint
from tests.control.packets import floats, ints, padded
from tests.control.rooms import Peer
from tests.networks import FAR, PLAYER, FarMachine, far_machine, in_own_network
from tests.onnx_models import make_model
from tests.wiring.test_command_line import COMMAND

PATIENCE_S = 30.0
OPERATOR, VIEWER, STRANGER = FAR, "10.9.0.3", "10.9.0.66"
OSC, QUERIES, PAGE = 9000, 9001, 8080
OURS, THEIRS = f"http://{PLAYER}:{PAGE}", "http://evil.example"
SHOW = f"""
model = "model"
[programmes.day]
scenes = ["amber"]
[control]
listen = "{PLAYER}"
allow = ["{OPERATOR}", {{ network = "{VIEWER}", role = "view" }}]
feedback = ["{PLAYER}:9100"]
[page]
passcodes = "secrets.toml"
"""
COMMANDS = (padded("/ai/blackout"), floats("/ai/brightness", 0.0), padded("/ai/film/blue"), padded("/ai/stop"))


@dataclass(frozen=True)
class Stage:
    """A player that plays, and somebody at home who listens."""

    far: FarMachine
    home: Peer
    log: Path

    def is_untouched(self) -> bool:
        """Whether the show goes on as it began: asked at home, after everything that was sent."""
        self.home.send(ints("/ai/ping", 1))
        heard: list[Message] = []
        while not heard or heard[-1].address != "/ai/ping":
            heard.append(self.home.hear())
        while heard[-1].address != "/ai/status/state":
            heard.append(self.home.hear())
        moved = [said for said in heard if said.address in ("/ai/brightness", "/ai/blackout", "/ai/event/film")]
        return not moved and heard[-1].arguments == ("playing",)

    def lines_about(self, text: str) -> list[str]:
        """What the log says of it."""
        return [line for line in self.log.read_text("utf-8").splitlines() if text in line]

    def get(self, host: str, port: int) -> int:
        """The status of the answer to that address; 0 when it is hung up on."""
        line = http.client.HTTPConnection(PLAYER, port, timeout=PATIENCE_S, source_address=(host, 0))
        with closing(line):
            try:
                self.far.call(lambda: line.request("GET", "/"))
                return line.getresponse().status
            except (ConnectionError, http.client.HTTPException):
                return 0

    def login(self, host: str, passcode: str) -> tuple[int, str]:
        """Type a passcode: the status, and the cookie."""
        line = http.client.HTTPConnection(PLAYER, PAGE, timeout=PATIENCE_S, source_address=(host, 0))
        with closing(line):
            self.far.call(lambda: line.request("POST", "/login", json.dumps({"passcode": passcode})))
            answer = line.getresponse()
            return answer.status, (answer.getheader("Set-Cookie") or "").partition(";")[0]

    @contextmanager
    def tab(
        self, host: str, origin: str = f"http://{PLAYER}:{PAGE}", cookie: str = ""
    ) -> Iterator[websocket.WebSocket]:
        """The page, open there."""
        line = self.far.call(lambda: socket.create_connection((PLAYER, PAGE), PATIENCE_S, (host, 0)))
        with closing(line):
            url = f"ws://{PLAYER}:{PAGE}/live"
            yield websocket.create_connection(url, PATIENCE_S, origin=origin, socket=line, cookie=cookie or None)


def ask(tab: websocket.WebSocket, line: str) -> dict[str, object]:
    """Have a line obeyed: the answer."""
    tab.send(json.dumps({"do": line, "n": 1}))
    while True:
        told = tab.recv()
        if isinstance(told, str) and "reply" in (document := json.loads(told)):
            return dict(document["reply"])


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    make_model(folder / "model", {"amber": 480, "blue": 480})
    (folder / "show.toml").write_text(SHOW, "utf-8")
    secrets = folder / "secrets.toml"
    secrets.touch(0o600)
    secrets.write_text('operate = "rabbit"\nmaintain = "burrow"\n', "utf-8")
    log = folder / "log"
    command = [*COMMAND, "play", str(folder / "show.toml"), "--headless", "--size", "64x36"]
    with far_machine() as far, log.open("wb") as written, closing(Peer(Endpoint(PLAYER, OSC), PLAYER, 9100)) as home:
        for address in (VIEWER, STRANGER):
            far.also_has(address)
        with Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=written) as player:
            try:
                while not (doors_are_open() and home.hear_of("/ai/status/state").arguments == ("playing",)):
                    home.hear()
                yield Stage(far, home, log)
            finally:
                player.terminate()


def doors_are_open() -> bool:
    """Whether page and OSCQuery are there, which come after the first picture."""
    for port in (PAGE, QUERIES):
        try:
            socket.create_connection((PLAYER, port), PATIENCE_S, (PLAYER, 0)).close()
        except ConnectionError:
            return False
    return True


@in_own_network
def test_nobody_who_may_not_moves_anything(tmp_path: Path) -> None:
    with open_stage(tmp_path) as stage:
        with closing(stage.far.call(lambda: Peer(Endpoint(PLAYER, OSC), STRANGER))) as stranger:
            for packet in COMMANDS * 5:
                stranger.send(packet)
        for framing in Framing:
            line = stage.far.call(lambda: socket.create_connection((PLAYER, OSC), PATIENCE_S, (STRANGER, 0)))
            with closing(line), suppress(ConnectionError):
                line.sendall(b"".join(framed(packet, framing) for packet in COMMANDS))
                assert line.recv(100) == b""
        assert [stage.get(STRANGER, port) for port in (PAGE, QUERIES)] == [0, 0]
        with closing(stage.far.call(lambda: Peer(Endpoint(PLAYER, OSC), VIEWER))) as viewer:
            for packet in COMMANDS:
                viewer.send(packet)
        assert [stage.get(VIEWER, port) for port in (PAGE, QUERIES)] == [200, 200]
        for host in (OPERATOR, VIEWER):
            with stage.tab(host) as tab:
                assert refused_for(ask(tab, "blackout")) == "role"
        for _ in range(3):
            with (
                pytest.raises(websocket.WebSocketBadStatusException, match="403"),
                stage.tab(OPERATOR, THEIRS),
            ):
                pass
        assert stage.login(OPERATOR, "rabbits")[0] == 403
        assert stage.is_untouched()
        assert len(stage.lines_about(STRANGER)) == 1
        assert "not allowed to speak here" in stage.lines_about(STRANGER)[0]
        assert not stage.lines_about("rabbit")
        status, cookie = stage.login(VIEWER, "burrow")
        assert status == 204
        with stage.tab(VIEWER, cookie=cookie) as tab:  # no passcode makes more of a network than the show does
            assert refused_for(ask(tab, "blackout")) == "role"
        assert stage.is_untouched()
        _, cookie = stage.login(OPERATOR, "rabbit")
        with stage.tab(OPERATOR, cookie=cookie) as tab:
            assert "sequence" in ask(tab, "blackout")
        assert stage.home.hear_of("/ai/blackout").arguments == (1,)


def refused_for(reply: dict[str, object]) -> str:
    refused = reply["refused"]
    assert isinstance(refused, dict)
    return str(refused["code"])
