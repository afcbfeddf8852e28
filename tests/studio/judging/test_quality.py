"""PSNR and SSIM against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from installation.studio.judging.quality import PSNR_CAP_DB, psnr, ssim


def flat(value: float, count: int = 1, height: int = 20, width: int = 24) -> np.ndarray:
    return np.full((count, height, width, 3), value, np.float32)


def by_definition(a: np.ndarray, b: np.ndarray) -> float:
    """SSIM of two luma pictures (H, W), window by window, in float64."""
    places = np.arange(11) - 5
    window = np.exp(-(places[:, None] ** 2 + places[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            x, y = a[top : top + 11, left : left + 11], b[top : top + 11, left : left + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            values.append((2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)))
    return float(np.mean(values))


def test_psnr_of_known_errors() -> None:
    a = np.concatenate([flat(0.5), flat(0.5), flat(0.5)])
    b = np.concatenate([flat(0.6), flat(0.49), flat(0.5)])
    assert psnr(a, b) == pytest.approx([20, 40, PSNR_CAP_DB], abs=1e-3)


def test_ssim_follows_its_definition() -> None:
    rng = np.random.default_rng(3)
    a = rng.random((2, 19, 26, 3), np.float32)
    b = np.clip(a + rng.normal(0, 0.15, a.shape), 0, 1).astype(np.float32)
    luma = np.array([0.2126, 0.7152, 0.0722])
    wanted = [by_definition(x @ luma, y @ luma) for x, y in zip(a.astype(float), b.astype(float), strict=True)]
    assert ssim(a, b) == pytest.approx(wanted, abs=2e-4)


def test_ssim_of_flat_pictures_compares_their_light() -> None:
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(flat(0.2), flat(0.6)) == pytest.approx([expected], abs=1e-3)
    assert ssim(flat(0.3), flat(0.3)) == pytest.approx([1.0], abs=1e-6)


def test_small_pictures_have_a_ssim_too() -> None:
    a = np.random.default_rng(0).random((1, 5, 8, 3), np.float32)
    assert ssim(a, a) == pytest.approx([1.0], abs=1e-5)
    assert -1 <= ssim(a, 1 - a)[0] < 0.5
