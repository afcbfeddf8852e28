"""Cuts are found; flashes, pans, fades and bars are not taken for cuts."""

from __future__ import annotations

import numpy as np
import pytest

from installation.studio.frames.cuts import CutDetector, find_cuts


def shot(seed: int, frames: int, drift: int = 1, width: int = 64, height: int = 36) -> list[np.ndarray]:
    """A textured picture that drifts by `drift` pixels a frame."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3))
    world = np.kron(coarse, np.ones((4, 4, 1))).astype(np.uint8)
    return [np.roll(world, frame * drift, axis=1) for frame in range(frames)]


def flat(level: int, frames: int = 1) -> list[np.ndarray]:
    return [np.full((36, 64, 3), level, np.uint8) for _ in range(frames)]


def cuts(pictures: list[np.ndarray]) -> list[int]:
    return find_cuts(pictures).tolist()


def test_cuts_between_shots() -> None:
    assert cuts(shot(1, 20) + shot(2, 15) + shot(3, 30)) == [0, 20, 35]
    assert find_cuts(shot(1, 3)).dtype == np.int32


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_short_shots_between_others(length: int) -> None:
    assert cuts(shot(1, 20) + shot(2, length) + shot(3, 20)) == [0, 20, 20 + length]


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length: int) -> None:
    still = shot(1, 40, drift=0)
    assert cuts(still[:20] + flat(255, length) + still[20:]) == [0]


def test_a_flash_long_enough_to_be_a_picture_is_a_shot() -> None:
    still = shot(1, 40, drift=0)
    assert cuts(still[:20] + flat(255, 6) + still[20:]) == [0, 20, 26]


def test_a_whip_pan_is_no_cut() -> None:
    assert cuts(shot(1, 20) + shot(1, 20, drift=13) + shot(1, 20)) == [0]
    assert cuts(shot(1, 60, drift=13)) == [0]


def test_fades_are_no_cuts() -> None:
    picture = shot(1, 1)[0]
    fade = [(picture * (step / 24)).astype(np.uint8) for step in range(25)]
    assert cuts(fade + [picture] * 10 + fade[::-1]) == [0]


def test_a_cut_to_and_from_black() -> None:
    assert cuts(shot(1, 20) + flat(0, 10) + shot(2, 20)) == [0, 20, 30]


def test_bars_do_not_hide_a_cut() -> None:
    def barred(pictures: list[np.ndarray]) -> list[np.ndarray]:
        out = [np.zeros((36, 256, 3), np.uint8) for _ in pictures]
        for wide, picture in zip(out, pictures, strict=True):
            wide[:, 118:138] = 100 + picture[:, :20] // 3
        return out

    dim = barred(shot(1, 20)) + [np.where(p > 0, p // 3, p) for p in barred(shot(2, 20))]
    assert cuts(dim) == [0, 20]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_almost_nothing(count: int) -> None:
    assert cuts(flat(100, count)) == [0]


def test_a_cut_before_the_last_picture_and_after_the_first() -> None:
    assert cuts(shot(1, 1) + shot(2, 20)) == [0, 1]
    assert cuts(shot(1, 20) + shot(2, 1)) == [0, 20]
    assert cuts(shot(1, 1) + shot(2, 1)) == [0, 1]


def test_the_table_can_be_asked_for_at_any_time() -> None:
    pictures = shot(1, 10) + shot(2, 10)
    detector = CutDetector()
    seen = []
    for picture in pictures:
        detector.feed(picture)
        seen.append(detector.cuts().tolist())
    assert seen[9] == [0]
    assert all(table == [0, 10] for table in seen[10:])
