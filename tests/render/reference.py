"""The renderer once more, in plain numpy loops written from the definitions: what the shaders are held to."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def kernel_value(name: str, x: float) -> float:
    """A kernel at distance x, from the textbook formulas."""
    x = abs(x)
    if name == "bilinear":
        return max(0.0, 1 - x)
    if name == "catmull_rom":
        if x < 1:
            return (3 * x**3 - 5 * x**2 + 2) / 2
        return (-(x**3) + 5 * x**2 - 8 * x + 4) / 2 if x < 2 else 0.0
    if name == "lanczos":
        return float(np.sinc(x) * np.sinc(x / 3)) if x < 3 else 0.0
    assert name == "spline36"
    if x < 1:
        return ((13 / 11 * x - 453 / 209) * x - 3 / 209) * x + 1
    if x < 2:
        return ((-6 / 11 * (x - 1) + 270 / 209) * (x - 1) - 156 / 209) * (x - 1)
    return ((1 / 11 * (x - 2) - 45 / 209) * (x - 2) + 26 / 209) * (x - 2) if x < 3 else 0.0


def resample(name: str, line: NDArray[np.float64], start: float, length: float, target: int) -> NDArray[np.float64]:
    """`line` (N, ...) laid over [start, start + length) of `target` pixels; 0 elsewhere."""
    count = len(line)
    out = np.zeros((target, *line.shape[1:]))
    for pixel in range(target):
        position = (pixel + 0.5 - start) * count / length  # 0 ... count over the picture
        if not 0 <= position < count:
            continue
        if name == "nearest":
            out[pixel] = line[math.floor(position)]
            continue
        widen = max(1.0, count / length)
        taps = range(math.floor(position - 4 * widen), math.ceil(position + 4 * widen))
        shares = [kernel_value(name, (tap + 0.5 - position) / widen) for tap in taps]
        for tap, share in zip(taps, shares, strict=True):
            out[pixel] += line[min(max(tap, 0), count - 1)] * share / sum(shares)
    return out


def upscale(
    name: str, frame: NDArray[np.float16], box: tuple[float, float, float, float], size: tuple[int, int]
) -> NDArray[np.float64]:
    """A frame (H, W, 4) laid over `box` (left, top, width, height) of a target: (height, width, 3), ringing kept."""
    left, top, width, height = box
    rgb = frame[..., :3].astype(np.float64)
    wide = resample(name, rgb.transpose(1, 0, 2), left, width, size[0]).transpose(1, 0, 2)
    return resample(name, wide, top, height, size[1]) * 255


def random_frame(height: int, width: int, seed: int) -> NDArray[np.float16]:
    """A frame of soft blobs, deterministic, touching 0 and 1."""
    y, x = np.mgrid[0:height, 0:width]
    rng = np.random.default_rng(seed)
    frame = np.ones((height, width, 4), np.float16)
    for channel in range(3):
        fx, fy, phase = rng.uniform(0.2, 1.5), rng.uniform(0.2, 1.5), rng.uniform(0, 6)
        frame[..., channel] = 0.5 + 0.5 * np.sin(fx * x + fy * y + phase)
    return frame
