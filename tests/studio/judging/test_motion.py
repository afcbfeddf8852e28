"""Flicker and distinctness of sequences whose figures can be told by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.studio.judging.motion import LEAST_FRAMES, STILL, Changes, Stretch, distinctness, flicker

SHAPE = (4, 6, 3)


def flat(level: float) -> np.ndarray:
    return np.full(SHAPE, level, np.float32)


def fed(footage: list[np.ndarray], memory: list[np.ndarray]) -> Changes:
    changes = Changes()
    for real, made in zip(footage, memory, strict=True):
        changes.feed(real, made)
    changes.finish()
    return changes


def wave(count: int, size: float, level: float = 0.5) -> list[np.ndarray]:
    """Flat pictures whose light swings by +- size."""
    return [flat(level + size * (-1) ** index) for index in range(count)]


def test_a_memory_that_moves_twice_as_far_flickers_four_times_as_much() -> None:
    changes = fed(wave(20, 0.01), wave(20, 0.02))
    assert flicker(changes.footage, changes.memory, [0]) == pytest.approx(4, rel=1e-4)
    result = distinctness(changes.stretches)
    assert (result.distinctness, result.agreement) == pytest.approx((4, 1), rel=1e-4)
    assert result.still_frames == 20


def test_a_collapsed_memory_has_no_distinctness() -> None:
    result = distinctness(fed(wave(20, 0.01), [flat(0.3)] * 20).stretches)
    assert (result.distinctness, result.agreement) == (0, 0)


def test_the_same_but_for_a_shift_is_all_there() -> None:
    result = distinctness(fed(wave(20, 0.01), wave(20, 0.01, 0.7)).stretches)
    assert (result.distinctness, result.agreement) == pytest.approx((1, 1), rel=1e-3)


def test_a_memory_that_moves_the_other_way_disagrees() -> None:
    result = distinctness(fed(wave(20, 0.01), wave(20, -0.01)).stretches)
    assert (result.distinctness, result.agreement) == pytest.approx((1, -1), rel=1e-4)


def test_noise_is_distinct_and_agrees_with_nothing() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.normal(0.5, 0.01, SHAPE).astype(np.float32) for _ in range(200)]
    result = distinctness(fed(wave(200, 0.01), noise).stretches)
    assert result.distinctness == pytest.approx(1, rel=0.1)
    assert abs(result.agreement or 0) < 0.05


def test_footage_that_never_moves_cannot_be_kept_apart() -> None:
    changes = fed([flat(0.5)] * 30, wave(30, 0.01))
    assert flicker(changes.footage, changes.memory, [0]) is None
    result = distinctness(changes.stretches)
    assert (result.distinctness, result.agreement, result.still_frames) == (None, None, 30)


def test_cuts_are_no_flicker() -> None:
    footage = wave(10, 0.01, 0.2) + wave(10, 0.01, 0.8)
    memory = wave(10, 0.01, 0.2) + wave(10, 0.01, 0.4)
    changes = fed(footage, memory)
    assert flicker(changes.footage, changes.memory, [0, 10]) == pytest.approx(1, rel=1e-3)
    assert (flicker(changes.footage, changes.memory, [0]) or 0) < 0.5


def test_stretches_end_where_the_picture_has_changed_and_short_ones_do_not_count() -> None:
    moved = 1.5 * STILL
    footage = [flat(0.2)] * 15 + [flat(0.2 + moved)] * (LEAST_FRAMES - 1) + [flat(0.2 + 2 * moved)] * 20
    found = fed(footage, footage).stretches
    assert [(each.first, each.frames) for each in found] == [(0, 15), (15 + LEAST_FRAMES - 1, 20)]


def test_a_slow_drift_is_cut_into_stretches() -> None:
    footage = [flat(0.1 + 0.8 * index / 400) for index in range(400)]
    found = fed(footage, footage).stretches
    assert sum(each.frames for each in found) > 380
    assert all(each.frames <= STILL / (0.8 / 400) + 1.5 for each in found)


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(LEAST_FRAMES, 40))
def test_sums_are_those_of_the_definition(seed: int, frames: int) -> None:
    rng = np.random.default_rng(seed)
    f, m = (0.5 + 0.02 * rng.random((2, frames, *SHAPE)) - 0.01).astype(np.float32)
    (found,) = fed(list(f), list(m)).stretches
    df, dm = (each.astype(np.float64) - each.mean(axis=0, dtype=np.float64) for each in (f, m))
    wanted = [float((a * b).mean(axis=(1, 2, 3)).sum()) for a, b in ((df, df), (dm, dm), (df, dm))]
    assert [found.footage, found.memory, found.both] == pytest.approx(wanted, rel=1e-3, abs=1e-7)
    assert found.first == 0 and found.frames == frames


def test_no_still_stretch_at_all() -> None:
    assert distinctness([]).distinctness is None
    assert flicker([], [], [0]) is None
    assert distinctness([Stretch(0, 12, 2.0, 1.0, 0.5)]).distinctness == 0.5
