"""Small OpenGL fixtures on the software renderer, and X servers to put windows on. Nothing is mocked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from installation.render.gl import Graphics, headless_graphics

os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")


@pytest.fixture
def graphics() -> Iterator[Graphics]:
    """A fresh headless context."""
    made = headless_graphics()
    yield made
    made.release()


def require_program(program: str, package: str) -> str:
    """The path of a program the test needs, or a failure that names the Debian package."""
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"{program} is missing; on Debian: apt install {package}")
    return path


def start_server(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start an X server on a free display; the process and its DISPLAY. Waits until it takes connections."""
    reader, writer = os.pipe()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "-displayfd", str(writer)], pass_fds=[writer], stdout=output, stderr=output
        )
    os.close(writer)
    with os.fdopen(reader) as answer:
        number = answer.readline().strip()  # written once it listens; empty if it died
    if not number:
        process.wait()
        pytest.fail(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
    return process, f":{number}"


def stop_server(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def xvfb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A screen of 320x180 without hardware; its DISPLAY, also set in the environment."""
    server = require_program("Xvfb", "xvfb")
    command = [server, "-screen", "0", "320x180x24", "-nolisten", "tcp", "-noreset"]
    process, display = start_server(command, tmp_path / "xvfb.log")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    yield display
    stop_server(process)
