"""The command line as a stranger uses it: real processes, a real port, exit codes and one clear message."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.onnx_models import latents, make_model, write_stream_file

COMMAND = [sys.executable, "-m", "installation"]


def run(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
    )


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def show(tmp_path: Path) -> Path:
    make_model(tmp_path / "model")
    path = tmp_path / "show.toml"
    path.write_text(f'model = "model"\n[control]\nport = {free_port()}\n', "utf-8")
    return path


def test_playing_headless_writes_statistics_and_exits_with_0(show: Path, tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    result = run("play", show, "--headless", "--size", "320x180", "--seconds", 1, "--stats", stats)
    assert result.returncode == 0, result.stderr
    found = json.loads(stats.read_text("utf-8"))
    assert {
        *("schema", "slots", "presented", "held", "late", "decoded", "interval_ms", "decode_ms", "startup_ms"),
        *("rss_mb", "commands", "loops", "renderer", "provider", "size"),
    } <= found.keys()
    assert found["slots"] >= 20
    assert found["size"] == [320, 180]
    assert found["startup_ms"] > 0
    assert "page at http://127.0.0.1:8080/" in result.stderr


def test_sigterm_ends_the_run_and_still_writes_statistics(show: Path, tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    arguments = ["play", str(show), "--headless", "--size", "320x180", "--stats", str(stats)]
    with subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True) as player:
        assert player.stderr is not None
        assert "decoding on" in player.stderr.readline()
        player.send_signal(signal.SIGTERM)
        assert player.wait(30) == 0
    assert json.loads(stats.read_text("utf-8"))["schema"] == "afterimage-stats-1"


def test_a_model_folder_is_a_show(show: Path) -> None:
    assert run("play", show.parent / "model", "--headless", "--size", "64x36", "--seconds", 0.2).returncode == 0


def test_a_broken_show_lists_every_problem_and_exits_with_2(show: Path) -> None:
    show.write_text(
        'model = "nowhere"\nfrob = 1\n[scenes.a]\nfilm = "one"\nin = "never"\n[schedule]\nzone = "Mars/Base"\n', "utf-8"
    )
    result = run("play", show, "--headless")
    assert result.returncode == 2
    for place in ("show.toml: model", "show.toml: frob", "show.toml: scenes.a.in", "show.toml: schedule.zone"):
        assert place in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["play", "no-such-show.toml", "--headless"], "no-such-show.toml"),
        (["play", "SHOW", "--headless", "--windowed"], "--windowed"),
        (["play", "SHOW", "--headless", "--size", "huge"], "huge"),
        (["play", "SHOW", "--headless", "--at", "tomorrow"], "tomorrow"),
        (["play", "SHOW", "--headless", "--at", "9999-12-31"], "9999"),
        (["play", "SHOW", "--headless", "--at", "0001-01-01"], "0001"),
        (["play", "SHOW", "--headless", "--stats", "no-such-folder/stats.json"], "no-such-folder"),
        (["render", "SHOW", "-o", "film.avi", "--seconds", "1"], ".avi"),
        (["play", "--frobnicate"], "--frobnicate"),
        (["evaluate", "no-such-film.mp4", "-m", "no-such-model"], "no-such-model"),
        (["encode", "SHOW", "-m", "MODEL", "--from", "later"], "later"),
        (["encode", "SHOW", "-m", "MODEL", "--fit", "wide"], "wide"),
    ],
)
def test_wrong_arguments_are_named_and_exit_with_2(show: Path, arguments: list[str], named: str) -> None:
    words = {"SHOW": str(show), "MODEL": str(show.parent / "model")}
    result = run(*(words.get(argument, argument) for argument in arguments))
    assert result.returncode == 2, result.stderr
    assert named in result.stderr
    assert "Traceback" not in result.stderr


def test_rendering_gives_playbacks_pictures_and_twice_the_same(show: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        result = run(
            "render", show, "-o", tmp_path / name, "--seconds", 0.5, "--size", "64x36", "--at", "2027-01-01T12:00"
        )
        assert result.returncode == 0, result.stderr
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("first", "second"))
    assert len(first) == len(second) == 12
    pictures = [np.asarray(Image.open(path)) for path in first]
    assert all((picture == np.asarray(Image.open(path))).all() for picture, path in zip(pictures, second, strict=True))
    assert any((picture != pictures[0]).any() for picture in pictures)


def test_a_rendered_film_lasts_as_long_as_it_plays_whatever_its_rate(tmp_path: Path) -> None:
    """The file has the rate of the film it begins with; a slower one after it must not run faster for that."""
    model = make_model(tmp_path / "model", {"a": 6})
    write_stream_file(model / "films/b.safetensors", latents(3, 8, seed=1), fps="12")
    result = run("render", model, "-o", tmp_path / "film", "--size", "64x36", "--at", "2000-01-01T00:00")
    assert result.returncode == 0, result.stderr
    pictures = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "film").iterdir())]
    assert len(pictures) == 12
    new = [bool((one != other).any()) for one, other in pairwise(pictures)]
    assert new == [True] * 6 + [False, True] * 2 + [False]


def test_a_port_that_is_taken_does_not_stop_the_picture(show: Path) -> None:
    port = int(show.read_text("utf-8").rpartition("=")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        result = run("play", show, "--headless", "--size", "64x36", "--seconds", 0.2)
    assert result.returncode == 0, result.stderr
    assert str(port) in result.stderr


def test_outside_hours_it_says_when_it_opens_and_open_plays_all_the_same(show: Path, tmp_path: Path) -> None:
    with show.open("a", encoding="utf-8") as file:
        file.write('[schedule]\nzone = "Europe/London"\nopen = [{ days = "mon-sun", hours = "10:00-18:00" }]\n')
    arguments = ("play", show, "--headless", "--size", "64x36", "--seconds", 0.3)
    closed = run(*arguments, "--at", "2027-01-04T20:00")
    assert closed.returncode == 0
    assert "opens Tuesday 05 January 2027 at 10:00" in closed.stderr
    stats = tmp_path / "stats.json"
    assert run(*arguments, "--at", "2027-01-04T20:00", "--open", "--stats", stats).returncode == 0
    assert json.loads(stats.read_text("utf-8"))["decoded"] > 0


def test_a_damaged_state_is_said_and_does_not_stop_the_picture(show: Path, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"title": "half a st', "utf-8")
    result = run("play", show, "--headless", "--size", "64x36", "--seconds", 0.2, "--state", tmp_path / "state.json")
    assert result.returncode == 0, result.stderr
    assert "state.json: cannot be read" in result.stderr


def test_the_state_survives_a_kill(show: Path, tmp_path: Path) -> None:
    """Another film was commanded; after kill -9 it plays on, where its own time has got to."""
    state, port = tmp_path / "state.json", int(show.read_text("utf-8").rpartition("=")[2])
    arguments = ["play", str(show), "--headless", "--size", "64x36", "--state", str(state)]
    with subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True) as player:
        assert player.stderr is not None
        player.stderr.readline()
        assert run("send", "/ai/film/two", 1, 0, "--port", port).returncode == 0
        while not state.exists():
            os.sched_yield()
            assert player.poll() is None
        player.kill()
        player.wait(30)
    assert '"film":"two"' in state.read_text("utf-8")
    with subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True) as player:
        assert player.stderr is not None
        player.stderr.readline()
        heard = run("monitor", "--port", port, "--seconds", 2)
        player.send_signal(signal.SIGTERM)
        player.wait(30)
    assert "/ai/status/film two" in heard.stdout


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "1e300"])
def test_a_film_that_would_never_end_is_not_begun(show: Path, tmp_path: Path, seconds: str) -> None:
    result = run("render", show, "-o", tmp_path / "film.mp4", "--seconds", seconds)
    assert result.returncode == 2
    assert "--seconds" in result.stderr
    assert "Traceback" not in result.stderr
