"""Previews: the canvas shrunk as plain numpy shrinks it, the right way up, rarely, and only while somebody watches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageGrab

from installation.render.compose import Renderer, WeightedFrame
from installation.render.egl import offscreen_target
from installation.render.gl import Graphics, Target
from installation.render.presenter import Readback
from installation.render.preview import EVERY_NS, PIXELS, WATCHED_NS, Previewer, reduction
from installation.render.upscale_compute import ComputeUpscaler
from installation.render.upscale_fragment import FragmentUpscaler
from installation.render.window import fullscreen_window
from installation.show.frameplan import Look
from installation.show.pictures import PictureBoard, Preview
from tests.render.reference import random_frame
from tests.render.test_compose import count_objects

MS = 1_000_000


def fill(target: Target, seed: int) -> None:
    """Noise from pixel to pixel: what aliases worst. Darker towards the bottom, redder towards the right."""
    width, height = target.size
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 4)).astype(float)
    noise *= np.linspace(1.0, 0.3, height)[:, None, None]
    noise[..., 1:3] *= np.linspace(1.0, 0.2, width)[None, :, None]
    target.framebuffer.color_attachments[0].write(noise[::-1].astype(np.uint8).tobytes())


def shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    """The means of the squares of a picture (H, W, 3), counted from its lower left corner."""
    height, width = picture.shape[0] // side, picture.shape[1] // side
    whole = picture[picture.shape[0] - height * side :, : width * side].astype(float)
    return whole.reshape(height, side, width, side, 3).mean(axis=(1, 3))


def pixels_of(preview: Preview | None) -> np.ndarray:
    assert preview is not None
    return np.frombuffer(preview.pixels, np.uint8).reshape(preview.size[1], preview.size[0], 3)


def watch(previewer: Previewer, board: PictureBoard, target: Target, now_ns: int = 0) -> Preview | None:
    """Ask, and see what comes of it within three ticks."""
    board.ask()
    previewer.take(target, now_ns)
    for _ in range(3):
        previewer.go_on()
    return board.preview()


@pytest.mark.parametrize(
    ("canvas", "small"),
    [
        ((1920, 1080), (320, 180)),
        ((1280, 720), (320, 180)),
        ((1080, 1920), (180, 320)),
        ((1001, 777), (250, 194)),
        ((5760, 360), (960, 60)),
        ((320, 180), (320, 180)),
        ((200, 100), (200, 100)),
        ((1, 1), (1, 1)),
        ((16384, 1), (16384, 1)),
    ],
)
def test_a_preview_is_the_canvas_shrunk(graphics: Graphics, canvas: tuple[int, int], small: tuple[int, int]) -> None:
    target, board = offscreen_target(graphics, canvas), PictureBoard()
    fill(target, 1)
    preview = watch(Previewer(graphics, board), board, target, 5)
    assert preview is not None
    assert (preview.size, preview.serial, preview.at_ns) == (small, 1, 5)
    picture = Readback(graphics.calls, canvas).read(target)
    difference = np.abs(pixels_of(preview) - shrunk(picture, reduction(canvas)))
    assert difference.max() <= 0.51, "half a step of rounding, and float32"


@given(st.tuples(st.integers(1, 16384), st.integers(1, 16384)))
def test_a_preview_has_about_as_many_pixels_whatever_the_canvas(canvas: tuple[int, int]) -> None:
    side = reduction(canvas)
    width, height = canvas[0] // side, canvas[1] // side
    assert width >= 1
    assert height >= 1
    assert width * height <= 2.25 * PIXELS
    assert side == 1 or canvas[0] * canvas[1] >= 2.25 * PIXELS


def test_nobody_watching_costs_nothing(graphics: Graphics) -> None:
    target, board = offscreen_target(graphics, (64, 36)), PictureBoard()
    objects = count_objects()
    previewer = Previewer(graphics, board)
    for number in range(100):
        previewer.take(target, number * EVERY_NS)
        previewer.go_on()
    assert board.preview() is None
    assert count_objects() == objects


def test_previews_come_at_their_rate_until_some_time_after_the_last_question(graphics: Graphics) -> None:
    target, board = offscreen_target(graphics, (64, 36)), PictureBoard()
    previewer = Previewer(graphics, board)
    board.ask()
    taken_at = set()
    for now_ns in range(0, 5000 * MS, 20 * MS):
        previewer.take(target, now_ns)
        previewer.go_on()
        preview = board.preview()
        taken_at.add(-1 if preview is None else preview.at_ns)
    assert taken_at == {-1, *range(0, WATCHED_NS, EVERY_NS)}


def test_what_is_read_is_what_was_taken_whatever_is_drawn_meanwhile(graphics: Graphics) -> None:
    target, board = offscreen_target(graphics, (64, 36)), PictureBoard()
    previewer = Previewer(graphics, board)
    board.ask()
    target.framebuffer.clear(1.0, 0.0, 0.0, 1.0)
    previewer.take(target, 0)
    for _ in range(3):
        target.framebuffer.clear(0.0, 1.0, 0.0, 1.0)
        previewer.take(target, EVERY_NS)
        previewer.go_on()
    assert (pixels_of(board.preview()) == [255, 0, 0]).all()


def test_hundreds_of_previews_make_no_new_objects_and_canvases_may_change_size(graphics: Graphics) -> None:
    board = PictureBoard()
    previewer = Previewer(graphics, board)
    small, large = offscreen_target(graphics, (64, 36)), offscreen_target(graphics, (1280, 720))
    fill(large, 2)
    watch(previewer, board, large, 0)
    objects = count_objects()
    for number in range(1, 300):
        watch(previewer, board, large, number * EVERY_NS)
    for number in range(300, 400):
        watch(previewer, board, (small, large)[number % 2], number * EVERY_NS)
    assert count_objects() == objects
    preview = board.preview()
    assert preview is not None
    assert (preview.serial, preview.size) == (400, (320, 180))
    picture = Readback(graphics.calls, large.size).read(large)
    assert np.abs(pixels_of(preview) - shrunk(picture, 4)).max() <= 0.51


@pytest.mark.parametrize("upscaler", [ComputeUpscaler, FragmentUpscaler])
def test_a_windows_preview_is_what_the_screen_shows(
    xvfb: str, upscaler: type[ComputeUpscaler | FragmentUpscaler]
) -> None:
    window, board = fullscreen_window("first"), PictureBoard()
    try:
        renderer = Renderer(window.graphics, upscaler(window.graphics))
        previewer = Previewer(window.graphics, board)
        picture = WeightedFrame(random_frame(9, 16, 1), "picture", 1.0)
        board.ask()
        for number in range(20):  # the first may be drawn before the window is on the screen
            window.poll(number * EVERY_NS)
            canvas = renderer.draw([picture], Look(fit="stretch"), 0, window.target)
            previewer.take(canvas, number * EVERY_NS)
            window.present()
            previewer.go_on()
            window.wait(20 * MS)
        shown = np.asarray(ImageGrab.grab(xdisplay=xvfb).convert("RGB"))
        assert np.ptp(shown) > 200
        np.testing.assert_array_equal(pixels_of(board.preview()), shown)
    finally:
        window.close()
