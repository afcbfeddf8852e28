"""How alike two pictures are: PSNR and SSIM.

PSNR over all pixels and the three channels of display-referred RGB. SSIM after Wang et al. 2004 on BT.709 luma:
Gaussian window of 11x11 with a standard deviation of 1.5, K1 = 0.01, K2 = 0.03, the mean over all places where the
window fits. Both in float32 on [0, 1], without rounding the memory to 8 bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32]

PSNR_CAP_DB = 100.0  # identical pictures; a mean square error of 1e-10
WINDOW = 11
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def psnr(a: Real, b: Real) -> NDArray[np.float64]:
    """(B, H, W, 3) twice, [0, 1] -> (B,) in dB, at most `PSNR_CAP_DB`."""
    error = np.square(a - b).mean(axis=(1, 2, 3), dtype=np.float64)
    result: NDArray[np.float64] = np.minimum(-10 * np.log10(np.maximum(error, 1e-30)), PSNR_CAP_DB)
    return result


def ssim(a: Real, b: Real) -> NDArray[np.float64]:
    """(B, H, W, 3) twice, [0, 1] -> (B,) in [-1, 1]. Pictures under 11 pixels a side get a smaller window."""
    # One by one: a single picture's maps stay in the processor's cache.
    return np.array([_ssim_of_luma(x @ LUMA, y @ LUMA) for x, y in zip(a, b, strict=True)])


def _ssim_of_luma(x: Real, y: Real) -> float:
    """(H, W) twice -> the mean of the SSIM map."""
    mean_x, mean_y, square_x, square_y, product = _blur(np.stack([x, y, x * x, y * y, x * y]))  # (H - 10, W - 10)
    means = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    likeness = (2 * means + C1) * (2 * (product - means) + C2)
    likeness /= (squares + C1) * (square_x + square_y - squares + C2)
    return float(likeness.mean(dtype=np.float64))


def _blur(maps: Real) -> Real:
    """The Gaussian window, only where it fits: (N, H, W) -> (N, H - 10, W - 10)."""
    down, across = _weights(maps.shape[1]), _weights(maps.shape[2])
    height, width = maps.shape[1] - len(down) + 1, maps.shape[2] - len(across) + 1
    tall = down[0] * maps[:, :height]
    for tap in range(1, len(down)):
        tall += down[tap] * maps[:, tap : tap + height]
    out: Real = across[0] * tall[:, :, :width]
    for tap in range(1, len(across)):
        out += across[tap] * tall[:, :, tap : tap + width]
    return out


def _weights(side: int) -> Real:
    """The window's weights along one axis of `side` pixels; they sum to 1."""
    taps = min(WINDOW, side)
    places = np.arange(taps) - (taps - 1) / 2
    weights = np.exp(-(places**2) / (2 * SIGMA**2))
    normal: Real = (weights / weights.sum()).astype(np.float32)
    return normal
