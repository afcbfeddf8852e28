"""The whole picture against plain numpy: kernels, fit, mixing, brightness, grain, dither; and no waste of memory."""

from __future__ import annotations

import gc
from dataclasses import replace

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from installation.render.compose import Renderer, WeightedFrame
from installation.render.egl import offscreen_target
from installation.render.gl import Graphics, Target
from installation.render.kernels import KERNELS
from installation.render.presenter import Readback
from installation.render.upscale import Upscaler
from installation.render.upscale_compute import ComputeUpscaler
from installation.render.upscale_fragment import FragmentUpscaler
from installation.show.frameplan import Look
from tests.render.reference import random_frame, upscale

PLAIN = Look(fit="stretch", upscale="lanczos", brightness=1.0, grain=0.0)


class Bench:
    """A renderer, a target and a way to look at it."""

    def __init__(self, graphics: Graphics, size: tuple[int, int], upscaler: Upscaler | None = None) -> None:
        self.graphics = graphics
        self.renderer = Renderer(graphics, upscaler)
        self.target: Target = offscreen_target(graphics, size)
        self._readback = Readback(graphics.calls, size)

    def draw(self, pictures: list[WeightedFrame], look: Look, k: int = 0) -> NDArray[np.int16]:
        self.renderer.draw(pictures, look, k, self.target)
        return self._readback.read(self.target).astype(np.int16)


def assert_shows(picture: NDArray[np.int16], expected: NDArray[np.float64]) -> None:
    """Within a step of dither, half a step of rounding and what half floats lose on the way."""
    assert np.abs(picture - np.clip(expected, 0, 255)).max() < 1.75


def flat(value: float, height: int = 9, width: int = 16) -> NDArray[np.float16]:
    frame = np.ones((height, width, 4), np.float16)
    frame[..., :3] = value
    return frame


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [(120, 67), (123, 70), (16, 9), (11, 6)])
def test_kernels_equal_the_reference(graphics: Graphics, kernel: str, size: tuple[int, int]) -> None:
    frame = random_frame(9, 16, seed=3)
    picture = Bench(graphics, size).draw([WeightedFrame(frame, "a", 1.0)], replace(PLAIN, upscale=kernel))
    expected = upscale(kernel, frame, (0, 0, *size), size)
    assert_shows(picture, expected)


@pytest.mark.parametrize("kernel", KERNELS)
def test_identity_at_one_to_one(graphics: Graphics, kernel: str) -> None:
    values = np.arange(256, dtype=np.float64).reshape(16, 16)
    frame = np.ones((16, 16, 4), np.float16)
    frame[..., :3] = (values / 255)[..., None]
    bench = Bench(graphics, (16, 16))
    pictures = [bench.draw([WeightedFrame(frame, "a", 1.0)], replace(PLAIN, upscale=kernel), k) for k in range(64)]
    assert all(np.abs(picture - values[..., None]).max() <= 1 for picture in pictures)
    assert np.abs(np.mean(pictures, axis=0) - values[..., None]).max() < 0.5


def test_contain_has_exactly_black_bars(graphics: Graphics) -> None:
    picture = Bench(graphics, (64, 60)).draw(
        [WeightedFrame(flat(1.0), "a", 1.0)], replace(PLAIN, fit="contain", grain=0.5)
    )
    assert (picture[12:48] > 200).all()
    assert (picture[:12] == 0).all()
    assert (picture[48:] == 0).all()
    tall = Bench(graphics, (64, 18)).draw([WeightedFrame(flat(1.0), "a", 1.0)], replace(PLAIN, fit="contain"))
    assert (tall[:, 16:48] >= 254).all()
    assert (tall[:, :16] == 0).all()
    assert (tall[:, 48:] == 0).all()


def test_cover_shows_the_middle(graphics: Graphics) -> None:
    frame = random_frame(9, 16, seed=4)
    picture = Bench(graphics, (90, 90)).draw([WeightedFrame(frame, "a", 1.0)], replace(PLAIN, fit="cover"))
    expected = upscale("lanczos", frame, (-35, 0, 160, 90), (90, 90))
    assert_shows(picture, expected)


def test_row_zero_is_on_top(graphics: Graphics) -> None:
    frame = flat(0.0)
    frame[0, :, 0] = 1
    frame[:, 0, 1] = 1
    picture = Bench(graphics, (16, 9)).draw([WeightedFrame(frame, "a", 1.0)], PLAIN)
    assert (picture[0, :, 0] == 255).all()
    assert (picture[1:, :, 0] == 0).all()
    assert (picture[:, 0, 1] == 255).all()
    assert (picture[:, 1:, 1] == 0).all()


@pytest.mark.parametrize("brightness", [0.0, 1e-9])
def test_brightness_zero_is_exactly_black(graphics: Graphics, brightness: float) -> None:
    look = replace(PLAIN, brightness=brightness, grain=1.0)
    assert not Bench(graphics, (120, 67)).draw([WeightedFrame(random_frame(9, 16, 5), "a", 1.0)], look).any()


def test_black_stays_black_and_white_nearly_white_under_noise(graphics: Graphics) -> None:
    bench = Bench(graphics, (120, 67))
    for k in range(20):
        assert not bench.draw([WeightedFrame(flat(0.0), "black", 1.0)], replace(PLAIN, grain=1.0), k).any()
        white = bench.draw([WeightedFrame(flat(1.0), "white", 1.0)], replace(PLAIN, grain=0.02), k)
        assert white.min() >= 254  # half floats: 1 may be 0.9995
        assert white.mean() > 254.8


def test_nothing_to_show_is_black(graphics: Graphics) -> None:
    bench = Bench(graphics, (32, 18))
    bench.draw([WeightedFrame(flat(1.0), "a", 1.0)], PLAIN)
    assert not bench.draw([], PLAIN).any()
    bench.draw([WeightedFrame(flat(1.0), "a", 1.0)], PLAIN)
    assert not bench.draw([WeightedFrame(flat(1.0), "a", 0.0)], PLAIN).any()


@pytest.mark.parametrize("value", [0.1, 0.25, 0.5, 0.7503, 0.999, 2.3 / 255, 0.7 / 255])
def test_dither_is_unbiased(graphics: Graphics, value: float) -> None:
    frame = flat(value)
    bench = Bench(graphics, (256, 256))
    means = [bench.draw([WeightedFrame(frame, "a", 1.0)], PLAIN, k).mean() for k in range(4)]
    exact = float(np.float16(value)) * 255
    assert abs(np.mean(means) - exact) < 0.1


def test_grain_keeps_the_mean_and_follows_luma(graphics: Graphics) -> None:
    bench = Bench(graphics, (256, 256))
    spread = {}
    for value in (0.05, 0.5, 0.95):
        picture = bench.draw([WeightedFrame(flat(value), value, 1.0)], replace(PLAIN, grain=0.04))
        assert abs(picture.mean() - float(np.float16(value)) * 255) < 0.1
        spread[value] = picture[..., 0].std()
    assert abs(spread[0.5] - 0.04 * 255) < 0.6
    assert spread[0.05] < spread[0.5] / 3
    assert spread[0.95] < spread[0.5] / 3


def test_same_instant_same_pixels(graphics: Graphics) -> None:
    frames = [WeightedFrame(random_frame(9, 16, 6), "a", 0.7)]
    look = replace(PLAIN, grain=0.05)
    bench = Bench(graphics, (120, 67))
    first = bench.draw(frames, look, 41)
    other = bench.draw(frames, look, 42)
    np.testing.assert_array_equal(first, Bench(graphics, (120, 67)).draw(frames, look, 41))
    np.testing.assert_array_equal(first, bench.draw(frames, look, 41))
    assert (first != other).mean() > 0.3


@pytest.mark.parametrize("size", [(120, 67), (11, 6)])
@pytest.mark.parametrize("kernel", KERNELS)
def test_fragments_make_the_same_picture(graphics: Graphics, kernel: str, size: tuple[int, int]) -> None:
    frame = random_frame(9, 16, seed=3)
    look = replace(PLAIN, upscale=kernel)
    picture = Bench(graphics, size, FragmentUpscaler(graphics)).draw([WeightedFrame(frame, "a", 1.0)], look)
    assert_shows(picture, upscale(kernel, frame, (0, 0, *size), size))


def test_fragments_mix_fit_and_finish_alike(graphics: Graphics) -> None:
    wide, square = random_frame(9, 16, 11), random_frame(10, 10, 12)
    pictures = [
        WeightedFrame(wide, "wide", 0.3),
        WeightedFrame(wide, "again", 0.2),
        WeightedFrame(square, "square", 0.5),
    ]
    look = replace(PLAIN, fit="contain", brightness=0.8, grain=0.3)
    bench = Bench(graphics, (100, 100), FragmentUpscaler(graphics))
    fragments = bench.draw(pictures, look, 5)
    computed = Bench(graphics, (100, 100), ComputeUpscaler(graphics)).draw(pictures, look, 5)
    assert abs(fragments.mean() - computed.mean()) < 0.5
    quiet = replace(look, grain=0.0)
    assert np.abs(bench.draw(pictures, quiet) - Bench(graphics, (100, 100)).draw(pictures, quiet)).max() <= 2
    assert not bench.draw([WeightedFrame(wide, "wide", 1.0)], look)[:20].any()
    np.testing.assert_array_equal(bench.draw(pictures, look, 5), fragments)
    objects = count_objects()
    for k in range(100):
        bench.renderer.draw(pictures, look, k, bench.target)
    assert count_objects() == objects


def test_brightness_multiplies(graphics: Graphics) -> None:
    frame = random_frame(9, 16, 7)
    picture = Bench(graphics, (120, 67)).draw([WeightedFrame(frame, "a", 1.0)], replace(PLAIN, brightness=0.25))
    assert_shows(picture, upscale("lanczos", frame, (0, 0, 120, 67), (120, 67)) * 0.25)


def test_mixing_sums_equal_sizes(graphics: Graphics) -> None:
    frames = [random_frame(9, 16, seed) for seed in (8, 9, 10)]
    weights = (0.5, 0.25, 0.125)
    pictures = [WeightedFrame(frame, i, weight) for i, (frame, weight) in enumerate(zip(frames, weights, strict=True))]
    mixed = sum(frame.astype(np.float64) * weight for frame, weight in zip(frames, weights, strict=True))
    picture = Bench(graphics, (120, 67)).draw(pictures, PLAIN)
    expected = upscale("lanczos", np.asarray(mixed), (0, 0, 120, 67), (120, 67))
    assert_shows(picture, expected)


def test_mixing_sums_different_sizes(graphics: Graphics) -> None:
    wide, square = random_frame(9, 16, 11), random_frame(10, 10, 12)
    pictures = [WeightedFrame(wide, "wide", 0.5), WeightedFrame(square, "square", 0.5)]
    picture = Bench(graphics, (160, 90)).draw(pictures, replace(PLAIN, fit="contain", upscale="catmull_rom"))
    expected = upscale("catmull_rom", wide, (0, 0, 160, 90), (160, 90)) / 2
    expected += upscale("catmull_rom", square, (35, 0, 90, 90), (160, 90)) / 2
    assert_shows(picture, expected)


def test_one_picture_may_be_dimmed_by_its_weight(graphics: Graphics) -> None:
    picture = Bench(graphics, (64, 36)).draw([WeightedFrame(flat(1.0), "a", 0.5)], PLAIN)
    assert abs(picture.mean() - 127.5) < 0.1


def test_unchanged_frames_are_not_sent_again(graphics: Graphics) -> None:
    bench = Bench(graphics, (64, 36))
    a, b = flat(0.3), flat(0.6)
    for k in range(5):
        bench.draw([WeightedFrame(a, "a", 1 - k / 10), WeightedFrame(b, "b", k / 10)], PLAIN, k)
    assert bench.renderer.uploads == 2
    for name in "cdefgh":
        bench.draw([WeightedFrame(flat(0.9), name, 1.0)], PLAIN)
    shown = bench.draw([WeightedFrame(a, "a", 1.0)], PLAIN)
    assert bench.renderer.uploads == 9
    assert abs(shown.mean() - float(np.float16(0.3)) * 255) < 0.1


def test_a_thousand_frames_make_no_new_objects(graphics: Graphics) -> None:
    bench = Bench(graphics, (64, 36))
    frames = [random_frame(9, 16, seed) for seed in range(7)]
    square = random_frame(10, 10, 1)

    def play(first: int, count: int) -> None:
        for k in range(first, first + count):
            pictures = [WeightedFrame(frames[k % 7], k, 0.6), WeightedFrame(frames[(k + 3) % 7], k + 0.5, 0.2)]
            if k % 5 == 0:
                pictures.append(WeightedFrame(square, "square", 0.2))
            bench.renderer.draw(pictures[: 1 + k % 3], replace(PLAIN, brightness=(k % 9) / 8), k, bench.target)

    play(0, 20)
    objects = count_objects()
    play(20, 1000)
    assert count_objects() == objects


def test_prepared_sizes_need_nothing_new(graphics: Graphics) -> None:
    bench = Bench(graphics, (64, 36))
    bench.renderer.prepare([(16, 9)], replace(PLAIN, brightness=0.0), bench.target)
    bench.renderer.prepare([(16, 9), (10, 10)], PLAIN, bench.target)
    objects, sent = count_objects(), bench.renderer.uploads
    wide, square = random_frame(9, 16, 1), random_frame(10, 10, 1)
    bench.draw([WeightedFrame(wide, 1, 1.0)], PLAIN)
    bench.draw([WeightedFrame(wide, 1, 0.5), WeightedFrame(wide, 2, 0.5)], PLAIN)
    bench.draw([WeightedFrame(wide, 1, 0.3), WeightedFrame(wide, 2, 0.3), WeightedFrame(square, 3, 0.4)], PLAIN)
    assert count_objects() == objects
    assert bench.renderer.uploads == sent + 3


def count_objects() -> int:
    """Live moderngl objects of every kind; told by type, because the lazy objects of others warn when asked."""
    gc.collect()
    kinds = (moderngl.Texture, moderngl.Buffer, moderngl.Framebuffer, moderngl.Program, moderngl.ComputeShader)
    return sum(issubclass(type(each), (*kinds, moderngl.VertexArray)) for each in gc.get_objects())


def test_targets_may_change_size(graphics: Graphics) -> None:
    renderer = Renderer(graphics)
    frame = WeightedFrame(flat(1.0), "a", 1.0)
    for width in range(40, 60):
        target = offscreen_target(graphics, (width, 30))
        renderer.draw([frame], PLAIN, 0, target)
        assert (Readback(graphics.calls, target.size).read(target) >= 254).all()
