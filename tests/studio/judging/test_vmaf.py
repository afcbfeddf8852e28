"""VMAF through ffmpeg: what is alike scores high, and what is missing is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from installation.errors import UnavailableError
from installation.studio.judging import vmaf
from installation.studio.judging.vmaf import EVERY, Vmaf

SIZE = (64, 36)


def pictures(noise: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(64), np.arange(36))
    frames = [128 + 60 * np.sin((x + 2 * t) / 5) + 50 * np.cos(y / 4) for t in range(EVERY + 1)]
    light = np.repeat(np.array(frames)[..., None], 3, axis=3)
    return np.clip(light + rng.normal(0, noise, light.shape), 0, 255).astype(np.uint8)


def score(folder: Path, memory: np.ndarray) -> float:
    folder.mkdir()
    with Vmaf(SIZE, Fraction(24), folder) as running:
        for begin in (0, 5):  # in batches
            running.feed(pictures(0)[begin : begin + 5], memory[begin : begin + 5])
        result = running.score()
    assert 0 <= result.least <= result.mean <= 100
    return result.mean


def test_the_same_scores_high_and_noise_scores_low(tmp_path: Path) -> None:
    same, noisy = score(tmp_path / "same", pictures(0)), score(tmp_path / "noisy", pictures(30))
    assert same > 95
    assert noisy < same - 10


def test_a_failure_of_ffmpeg_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmaf, "EVERY", "no number")
    with (
        Vmaf(SIZE, Fraction(24), tmp_path) as running,
        pytest.raises(UnavailableError, match=r"VMAF: ffmpeg failed: .+"),
    ):
        running.feed(pictures(0), pictures(0))
        running.score()


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmaf, "PACKAGE", "no_such_package")
    with pytest.raises(UnavailableError, match=r"pip install 'afterimage\[vmaf\]'"):
        Vmaf(SIZE, Fraction(24), tmp_path)
