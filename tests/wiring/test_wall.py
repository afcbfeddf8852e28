"""A whole player on a (virtual) wall: a real window, real datagrams, real screenshots."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageGrab

from installation.clock import SystemClock
from installation.control.osc.messages import build_message
from tests.onnx_models import make_model
from tests.wiring.test_command_line import COMMAND, free_port

SIZE = (320, 180)
PATIENCE_NS = 30_000_000_000


class Wall:
    """A full-screen player on a display, and a desk that speaks to it."""

    def __init__(self, show: Path, display: str, port: int, stats: Path) -> None:
        self.display, self.stats = display, stats
        self.desk = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.desk.connect(("127.0.0.1", port))
        self.log = show.with_suffix(".log").open("w+")
        self.player = subprocess.Popen([*COMMAND, "play", str(show), "--stats", str(stats)], stderr=self.log, text=True)

    def picture(self) -> np.ndarray:
        return np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB")).astype(int)

    def send(self, address: str, *arguments: float | str) -> None:
        self.desk.send(build_message(address, arguments))

    def until(self, holds: Callable[[np.ndarray], bool]) -> int:
        """Look until `holds` of the picture; how many ns that took."""
        clock = SystemClock()
        began_ns = clock.now_ns()
        while not holds(self.picture()):
            assert self.player.poll() is None, "the player has ended"
            assert clock.now_ns() - began_ns < PATIENCE_NS, "the picture never came"
        return clock.now_ns() - began_ns

    def rest(self) -> None:
        """Look on for 0.15 s: the same trigger sooner would count as the same."""
        clock = SystemClock()
        began_ns = clock.now_ns()
        self.until(lambda picture: clock.now_ns() - began_ns > 150_000_000)

    def end(self) -> tuple[dict[str, object], str]:
        """Stop it; its statistics and what it logged."""
        self.player.send_signal(signal.SIGTERM)
        assert self.player.wait(30) == 0
        self.log.seek(0)
        return json.loads(self.stats.read_text("utf-8")), self.log.read()

    def close(self) -> None:
        self.player.kill()
        self.player.wait()
        self.desk.close()
        self.log.close()


@pytest.fixture
def wall(tmp_path: Path, xvfb: str) -> Iterator[Wall]:
    dark, bright = np.zeros((48, 8), np.float32), np.zeros((48, 8), np.float32)
    dark[:, 0], dark[:, 1] = np.linspace(-1.5, 1.5, 48), -1.8
    bright[:, 0], bright[:, 1] = np.linspace(-1.5, 1.5, 48), 1.8
    make_model(tmp_path / "model", {"dark": dark, "bright": bright})
    port = free_port()
    show = tmp_path / "show.toml"
    show.write_text(f'model = "model"\n[control]\nport = {port}\n[programmes.p]\nscenes = ["dark"]\n', "utf-8")
    wall = Wall(show, xvfb, port, tmp_path / "stats.json")
    yield wall
    wall.close()


def green(picture: np.ndarray) -> float:
    return float(picture[..., 1].mean())


def test_the_film_covers_the_screen_moves_and_a_datagram_switches_it(wall: Wall) -> None:
    wall.until(lambda picture: 5 < green(picture) < 40)
    first = wall.picture()
    assert first.shape == (SIZE[1], SIZE[0], 3)
    assert (first[[0, -1]][:, [0, -1]].max(axis=-1) > 5).all(), "the corners are not covered"
    wall.until(lambda picture: np.abs(picture - first)[..., 0].mean() > 10)
    took_ms = []
    for film, is_it in [("bright", lambda p: green(p) > 200), ("dark", lambda p: green(p) < 40)] * 3:
        wall.send(f"/ai/film/{film}", 1.0, 0.0)
        took_ms.append(wall.until(is_it) / 1e6)
        wall.send(f"/ai/film/{film}", 0.0)
        wall.rest()
    print(f"film switched on screen after a median of {np.median(took_ms):.0f} ms")


def test_a_restart_covers_the_screen_again_with_the_film_that_was_on(wall: Wall) -> None:
    wall.until(lambda picture: 5 < green(picture) < 40)
    wall.send("/ai/film/bright", 1.0, 0.0)
    wall.until(lambda picture: green(picture) > 200)
    wall.send("/ai/restart")
    wall.until(lambda picture: green(picture) < 200)  # the window is gone
    took_ms = wall.until(lambda picture: green(picture) > 200) / 1e6
    print(f"the picture is back {took_ms:.0f} ms after it was gone")
    assert wall.picture().shape == (SIZE[1], SIZE[0], 3)
    stats, log = wall.end()
    assert "the picture is back after" in log
    assert "Traceback" not in log
    assert stats["commands"]["handled"] == 2  # type: ignore[index]


def test_hostile_datagrams_do_not_reach_the_picture_and_the_next_command_is_obeyed(wall: Wall) -> None:
    wall.until(lambda picture: 5 < green(picture) < 40)
    dice = random.Random(7)
    good = build_message("/ai/steer/1", [0.5])
    for _ in range(3000):
        kind = dice.randrange(3)
        if kind == 0:
            wall.desk.send(dice.randbytes(dice.randrange(1, 200)))
        elif kind == 1:
            broken = bytearray(good)
            broken[dice.randrange(len(broken))] = dice.randrange(256)
            wall.desk.send(bytes(broken))
        else:
            wall.desk.send(
                b"#bundle\0" + dice.randbytes(8) + (dice.randrange(-8, 64) % 2**32).to_bytes(4, "big") + good
            )
    wall.until(lambda picture: True)
    wall.desk.setblocking(True)
    clock = SystemClock()
    began_ns = clock.now_ns()
    while green(wall.picture()) < 200:  # its tokens may be used up: a desk would say it again too
        assert clock.now_ns() - began_ns < PATIENCE_NS
        wall.send("/ai/film", "bright", 0.0)
    stats, log = wall.end()
    assert "Traceback" not in log
    assert stats["commands"]["handled"] > 0  # type: ignore[index]


def test_a_display_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model(tmp_path / "model")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":1234")
    command = [sys.executable, "-m", "installation", "play", str(tmp_path / "model")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "display" in result.stderr.lower()
    assert "--headless" in result.stderr
