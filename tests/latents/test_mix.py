"""Interpolating, crossing and steering latents."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.latents.mix import LEAN_STD, MAX_GAIN, cross, interpolate, latent_of, steer
from installation.latents.stream import LatentStream
from installation.show.frameplan import FULL, FrameKey, LatentTerm
from installation.show.timebase import FRAME_Q32

D = 6


def film(z: np.ndarray, cuts: tuple[int, ...] = (0,)) -> LatentStream:
    return LatentStream(
        z=z.astype(np.float16),
        cuts=np.array(cuts, np.int32),
        mean=np.zeros(z.shape[1], np.float32),
        components=np.eye(8, z.shape[1], dtype=np.float32),
        std=np.arange(1, 9, dtype=np.float32),
        fps=Fraction(24),
        space="abc",
    )


def random_film(seed: int, frames: int = 30, cuts: tuple[int, ...] = (0,)) -> LatentStream:
    return film(np.random.default_rng(seed).normal(size=(frames, D)), cuts)


def at(frame: float) -> int:
    return round(frame * FRAME_Q32)


@st.composite
def cut_films(draw: st.DrawFn) -> LatentStream:
    frames = draw(st.integers(1, 40))
    cuts = draw(st.sets(st.integers(1, frames - 1))) if frames > 1 else set()
    return random_film(draw(st.integers(0, 99)), frames, (0, *sorted(cuts)))


@settings(deadline=None)
@given(cut_films(), st.data())
def test_whole_positions_are_the_frames_themselves(stream: LatentStream, data: st.DataObject) -> None:
    frame = data.draw(st.integers(0, stream.frames - 1))
    np.testing.assert_array_equal(interpolate(stream, frame * FRAME_Q32), stream.z[frame].astype(np.float32))


@settings(deadline=None)
@given(cut_films(), st.data())
def test_nothing_crosses_a_cut_or_the_seam(stream: LatentStream, data: st.DataObject) -> None:
    """Changing every frame of every other shot changes nothing in this one; a shot's last frame holds."""
    position = data.draw(st.integers(0, stream.frames * FRAME_Q32 - 1))
    frame = position // FRAME_Q32
    shot = int(np.searchsorted(stream.cuts, frame, side="right")) - 1
    first = int(stream.cuts[shot])
    end = int(stream.cuts[shot + 1]) if shot + 1 < len(stream.cuts) else stream.frames
    other = np.full_like(stream.z, 1000.0)
    other[first:end] = stream.z[first:end]
    changed = film(other, tuple(int(cut) for cut in stream.cuts))
    np.testing.assert_array_equal(interpolate(stream, position), interpolate(changed, position))
    if frame == end - 1:
        np.testing.assert_array_equal(interpolate(stream, position), stream.z[frame].astype(np.float32))


def test_it_is_catmull_rom_inside_a_shot() -> None:
    stream = random_film(1)
    p0, p1, p2, p3 = stream.z[9:13].astype(np.float64)
    t = 0.3
    expected = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    np.testing.assert_allclose(interpolate(stream, at(10.3)), expected, atol=1e-5)


@pytest.mark.parametrize("position", [0.25, 3.5, 7.75, 8.0])
def test_straight_motion_stays_straight_to_the_ends_of_a_shot(position: float) -> None:
    stream = film(np.outer(np.arange(10), np.arange(1, D + 1)) / 8, (0,))
    np.testing.assert_allclose(interpolate(stream, at(position)), position * np.arange(1, D + 1) / 8, atol=1e-5)


def test_the_path_is_continuous_within_a_shot() -> None:
    stream = random_film(2, 12)
    path = np.stack([interpolate(stream, at(i / 256)) for i in range(11 * 256 + 1)])
    assert np.abs(np.diff(path, axis=0)).max() < 0.05


def test_positions_wrap() -> None:
    stream = random_film(3, 5)
    np.testing.assert_array_equal(interpolate(stream, at(5.5)), interpolate(stream, at(0.5)))
    np.testing.assert_array_equal(interpolate(stream, -FRAME_Q32), interpolate(stream, at(4)))


vectors = st.lists(st.floats(-3, 3, width=32), min_size=D, max_size=D).map(lambda v: np.array(v, np.float32))


@settings(deadline=None)
@given(vectors, vectors)
def test_crossing_ends_exactly_at_its_ends(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_allclose(cross([a, b], [FULL, 0]), a, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(cross([a, b], [0, 1]), b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(cross([a, a], [0.3, 0.7]), a, rtol=1e-5, atol=1e-6)


@settings(deadline=None)
@given(vectors, vectors, st.floats(0, 1))
def test_a_mix_is_as_long_as_its_parts_or_nearly_cancels(a: np.ndarray, b: np.ndarray, share: float) -> None:
    mixed, plain = cross([a, b], [1 - share, share]), (1 - share) * a + share * b
    wanted = (1 - share) * np.linalg.norm(a) + share * np.linalg.norm(b)
    expected = min(wanted, MAX_GAIN * float(np.linalg.norm(plain)))
    assert np.linalg.norm(mixed) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_latents_that_cancel_out_give_the_mean() -> None:
    a = np.ones(D, np.float32)
    np.testing.assert_array_equal(cross([a, -a], [1, 1]), np.zeros(D))


def test_steering_leans_by_the_films_own_spread() -> None:
    stream, z = random_film(4), np.zeros(D, np.float32)
    leant = steer(z, stream, [(0, 1.0), (2, -0.5)])
    np.testing.assert_allclose(leant, [LEAN_STD * 1, 0, -0.5 * LEAN_STD * 3, 0, 0, 0])
    np.testing.assert_array_equal(steer(z, stream, [(8, 1.0), (-1, 1.0)]), z)
    assert not z.any()


def test_a_key_becomes_a_latent() -> None:
    streams = {"a": random_film(5), "b": random_film(6)}
    key = FrameKey((LatentTerm("a", at(2.5), 30000), LatentTerm("b", at(7), FULL - 30000)), ((1, FULL // 2),))
    amount = (FULL // 2) / FULL
    parts = [steer(interpolate(streams[f], at(p)), streams[f], [(1, amount)]) for f, p in (("a", 2.5), ("b", 7))]
    found = latent_of(key, streams)
    assert found is not None and found.dtype == np.float32 and found.shape == (D,)
    np.testing.assert_array_equal(found, cross(parts, [30000, FULL - 30000]))


class Live:
    def __init__(self, z: np.ndarray | None) -> None:
        self.z = z

    def latest(self) -> np.ndarray | None:
        return self.z


def test_live_films_show_what_is_there_now() -> None:
    key = FrameKey((LatentTerm("door", at(99), FULL),), ((0, FULL),))
    assert latent_of(key, {}, {"door": Live(None)}) is None
    z = np.arange(D, dtype=np.float32)
    assert latent_of(key, {}, {"door": Live(z)}) is z


def test_a_whole_film_is_never_converted() -> None:
    """A two hour film, interpolated a thousand times: converting it once would need 135 MB."""
    stream = film(np.zeros((168_000, 200), np.float16))
    tracemalloc.start()
    for i in range(1000):
        interpolate(stream, at(i * 168.37))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
