"""OpenGL contexts: fences, and errors that say which package is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from installation.errors import UnavailableError
from installation.render.gl import Calls, Graphics
from installation.render.upload import FrameTextures
from tests.render.reference import random_frame

NO_EGL = """
from installation.errors import UnavailableError
from installation.render.gl import headless_graphics
try:
    headless_graphics()
except UnavailableError as error:
    print(error)
"""


def test_without_a_driver_the_packages_are_named() -> None:
    environment = {**os.environ, "__EGL_VENDOR_LIBRARY_FILENAMES": os.devnull, "EGL_PLATFORM": "surfaceless"}
    command = [sys.executable, "-c", NO_EGL]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "apt install libegl1 libgl1 libgl1-mesa-dri" in run.stdout, run.stderr


def test_a_driver_without_a_function_is_refused() -> None:
    with pytest.raises(UnavailableError, match="glFenceSync"):
        Calls(lambda _name: 0)


def test_fences_are_reached(graphics: Graphics) -> None:
    assert "llvmpipe" in graphics.driver or graphics.driver
    assert graphics.calls.wait_fence(graphics.calls.fence(), 10_000_000_000)


def test_textures_hold_the_frames_last_asked_for(graphics: Graphics) -> None:
    textures = FrameTextures(graphics.context)
    frames = {name: random_frame(4, 6, number) for number, name in enumerate("abcde")}
    for name in "abcd":
        textures.texture(frames[name], name)
    textures.texture(frames["a"], "a")
    assert textures.uploads == 4
    assert textures.texture(frames["e"], "e").read() == frames["e"].tobytes()  # in place of b, the least recent
    assert textures.texture(frames["a"], "a").read() == frames["a"].tobytes()
    assert textures.uploads == 5
    textures.texture(frames["b"], "b")
    assert textures.uploads == 6
