"""The page of a whole player in a process of its own: its canvas, its buttons, and a restart of the picture."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import websocket
from PIL import Image

from tests.control.page.tab import PATIENCE_S, Tab
from tests.onnx_models import make_model
from tests.wiring.test_command_line import COMMAND, free_port

SHOW = """
title = "In a process of its own"
model = "model"
[scenes.visit]
film = "one"
then = "return"
[cues.dim]
do = ["brightness 0.2"]
[page]
port = {page}
buttons = ["scene/visit", "cue/dim"]
[control]
port = {osc}
oscquery = false
"""


@pytest.fixture
def player(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    make_model(tmp_path / "model")
    port = free_port()
    show = tmp_path / "show.toml"
    show.write_text(SHOW.format(page=port, osc=free_port()), "utf-8")
    arguments = [*COMMAND, "play", str(show), "--headless", "--size", "320x180"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        yield process, port
        process.kill()


def open_tab(port: int) -> Tab:
    """A tab, once the page is there."""
    for _ in range(round(PATIENCE_S / 0.05)):
        try:
            return Tab(port)
        except ConnectionRefusedError:
            threading.Event().wait(0.05)
    raise AssertionError("the page never came")


def picture(tab: Tab) -> np.ndarray[Any, Any]:
    """The next picture of the canvas."""
    while not isinstance(message := tab.hear(), bytes):
        pass
    return np.asarray(Image.open(BytesIO(message)))


def test_it_shows_the_canvas_and_obeys(player: tuple[subprocess.Popen[str], int]) -> None:
    process, port = player
    assert process.stderr is not None
    assert f"page at http://127.0.0.1:{port}/" in process.stderr.readline()
    with closing(open_tab(port)) as tab:
        hello = tab.hear_of("hello")
        assert (hello["title"], hello["role"]) == ("In a process of its own", "maintain")
        tab.send({"watch": True})
        bright = picture(tab)
        assert bright.shape == (180, 320, 3)
        assert bright.mean() > 30
        tab.ask("cue/dim")
        while tab.hear_of("now")["brightness"] != pytest.approx(0.2):
            pass
        while picture(tab).mean() > bright.mean() / 2:
            pass
        tab.ask("scene/visit")
        while tab.hear_of("now")["scene"] != "visit":
            pass
        while "scene/visit" not in tab.hear_of("thumbnails"):
            pass
        assert "sequence" in tab.ask("restart")
        tab.send({"follow": True})
        while not any(line["text"] == "restart picture" for line in tab.hear_of("log")):
            pass
        picture(tab)
        process.send_signal(signal.SIGTERM)
        with pytest.raises((ConnectionError, websocket.WebSocketException)):
            while True:
                tab.hear()
    assert process.wait(PATIENCE_S) == 0
