"""The overlay lies in its corner, leaves the rest alone, and is drawn anew only when its text changes."""

from __future__ import annotations

import numpy as np

from installation.render.egl import offscreen_target
from installation.render.gl import Graphics
from installation.render.overlay import Overlay
from installation.render.presenter import Readback


def test_text_in_the_corner_and_nowhere_else(graphics: Graphics) -> None:
    size = (640, 360)
    target = offscreen_target(graphics, size)
    readback = Readback(graphics.calls, size)
    overlay = Overlay(graphics, line_height=20)
    target.framebuffer.clear(0.0, 1.0, 0.0, 1.0)
    overlay.draw(["24.0 pictures a second", "2 late"], target)
    picture = readback.read(target).copy()
    assert (picture[12:76, 12:400].min(axis=2) > 200).any(), "bright letters"
    assert (picture[12:76, 12:400, 1] < 120).any(), "on a darker ground"
    assert (picture[100:] == [0, 255, 0]).all()
    assert (picture[:12] == [0, 255, 0]).all()
    target.framebuffer.clear(0.0, 1.0, 0.0, 1.0)
    overlay.draw([], target)
    assert (readback.read(target) == [0, 255, 0]).all()
    overlay.draw(["24.0 pictures a second", "2 late"], target)
    np.testing.assert_array_equal(readback.read(target), picture)
    overlay.draw(["25.0 pictures a second", "2 late"], target)
    assert (readback.read(target) != picture).any()


def test_a_target_smaller_than_the_text_is_no_accident(graphics: Graphics) -> None:
    target = offscreen_target(graphics, (40, 20))
    Overlay(graphics).draw(["a line"] * 30, target)
    assert Readback(graphics.calls, (40, 20)).read(target).shape == (20, 40, 3)
