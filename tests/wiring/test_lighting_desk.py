"""A whole player and a real lighting desk on the other machine: QLC+ switches films over E1.31 and over OSC."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from installation.clock import SECOND_NS, SystemClock
from installation.control.osc.packets import Argument, Message, decode_packet
from tests.control.dmx.qlcplus import qlcplus, workspace
from tests.networks import FAR, PLAYER, far_machine, in_own_network, program
from tests.onnx_models import make_model
from tests.wiring.test_command_line import COMMAND

PATIENCE_S = 30.0
FEEDBACK = 9100
SHOW = f"""
model = "model"
[programmes.day]
scenes = ["amber"]
[control]
listen = "{PLAYER}"
allow = ["{FAR}"]
feedback = ["{PLAYER}:{FEEDBACK}"]
oscquery = false
map = [{{ from = "/1/dmx/4", do = "film/cyan", when = [">0.5"] }}]
[page]
port = false
[dmx]
protocol = "sacn"
universe = 1
address = 3
"""
# Levels of the E1.31 universe, and of the one that goes out as OSC.
STEPS = [
    ({2: 255, 3: 255, 5: 2}, {}),  # full, second film
    ({2: 128, 3: 0, 5: 2}, {4: 255}),  # half; OSC asks for the third
    ({2: 128, 3: 0, 5: 1}, {4: 0}),  # first film
    ({2: 0, 3: 0, 4: 255, 5: 1}, {4: 0}),  # dark and black
]


class Feedback:
    """What the player says of itself."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((PLAYER, FEEDBACK))
        self._socket.settimeout(PATIENCE_S)

    def until(self, address: str, *arguments: Argument) -> None:
        """Listen until it says exactly that."""
        clock, heard = SystemClock(), list[object]()
        until_ns = clock.now_ns() + int(PATIENCE_S * SECOND_NS)
        while not heard or heard[-1] != Message(address, arguments):
            assert clock.now_ns() < until_ns, f"{address} {arguments} never came; {heard[-20:]}"
            heard.append(decode_packet(self._socket.recv(65_536)))

    def close(self) -> None:
        self._socket.close()


@in_own_network
def test_qlcplus_plays_the_show(tmp_path: Path) -> None:
    make_model(tmp_path / "model", {"amber": 48, "blue": 48, "cyan": 48})
    show = tmp_path / "show.toml"
    show.write_text(SHOW, "utf-8")
    feedback = Feedback()
    with (
        tempfile.TemporaryDirectory() as home,
        far_machine() as far,
        program([*COMMAND, "play", str(show), "--headless", "--size", "64x36"]),
    ):
        feedback.until("/ai/event/film", "amber")
        saved = workspace(Path(home, "show.qxw"), STEPS, osc_port=9000)
        with program(qlcplus(far, saved), QT_QPA_PLATFORM="offscreen", HOME=home):
            feedback.until("/ai/event/dmx", '"Q Light Controller Plus - E1.31" sends universe 1')
            feedback.until("/ai/event/film", "blue")
            feedback.until("/ai/event/film", "cyan")
            feedback.until("/ai/event/film", "amber")
            feedback.until("/ai/event/state", "blackout")
    feedback.close()
