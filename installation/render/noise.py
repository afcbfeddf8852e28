"""The noise tile: film grain and dither, made once from integers so that every machine has the same.

The tile is SIZE x SIZE pixels of two bytes: grain (Gaussian, a little soft, like film) and dither (triangular,
without low frequencies: blue). It repeats over the picture and jumps by `tile_offset(k)` from instant to instant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 256  # a power of two: shaders wrap with a mask
ROWS = 8  # rows in one texel
_ZERO = 127.5
_MIX = (0x7FEB352D, 0x846CA68B)  # C. Wellons' lowbias32


def scramble(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """An integer hash, lowbias32: each number's bits well mixed; the same on every machine for ever."""
    mixed = numbers.astype(np.uint32)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(_MIX[0])
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(_MIX[1])
    mixed ^= mixed >> np.uint32(16)
    return mixed


def tile_offset(k: int) -> tuple[int, int]:
    """Where the tile starts at instant k: (pixels right, texels down). Neighbouring instants are unrelated."""
    mixed = int(scramble(np.array([k & 0xFFFFFFFF], np.uint32))[0])
    return mixed & (SIZE - 1), (mixed >> 16) & (SIZE // ROWS - 1)


def noise_tile() -> NDArray[np.uint32]:
    """The tile as texels: uint32 (SIZE / ROWS, SIZE, 4), two rows to a number, 16 bits each: grain low, dither high."""
    white = scramble(np.arange(2 * SIZE * SIZE, dtype=np.uint32)).reshape(2, SIZE, SIZE) / 2**32 - 0.5
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :])  # cycles per pixel
    soft = np.exp(-((frequency / 0.3) ** 2))
    blue = 1 - np.exp(-((frequency / 0.25) ** 2))
    grain = _reshaped(np.fft.irfft2(np.fft.rfft2(white[0]) * soft, (SIZE, SIZE)), _gaussian_quantiles())
    dither = _reshaped(np.fft.irfft2(np.fft.rfft2(white[1]) * blue, (SIZE, SIZE)), _triangular_quantiles())
    pairs = grain.astype(np.uint32) | (dither.astype(np.uint32) << np.uint32(8))  # (SIZE, SIZE)
    rows = pairs.reshape(SIZE // ROWS, ROWS // 2, 2, SIZE)  # (texel row, number, half, x)
    numbers = rows[:, :, 0] | (rows[:, :, 1] << np.uint32(16))  # (texel row, number, x)
    return np.ascontiguousarray(numbers.transpose(0, 2, 1))


def _reshaped(values: NDArray[np.float64], quantiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`values` in their order, but distributed exactly as the sorted `quantiles` of as many numbers."""
    ranked = np.empty(values.size, np.uint8)
    ranked[np.argsort(values, axis=None, kind="stable")] = quantiles
    return ranked.reshape(values.shape)


def _triangular_quantiles() -> NDArray[np.uint8]:
    """Sorted bytes, triangular over -1 ... 1 (127.5 is 0, 128 steps are 1), exactly symmetric."""
    half = np.sqrt((np.arange(SIZE * SIZE // 2) + 0.5) / (SIZE * SIZE // 2)) - 1  # the rising side, -1 ... 0
    return _symmetric_bytes(half * 128)


def _gaussian_quantiles() -> NDArray[np.uint8]:
    """Sorted bytes, normal within 3 standard deviations (127.5 is 0, 128 steps are 3 deviations), exactly symmetric."""
    deviations = np.linspace(-3, 0, 4097)
    share = np.cumsum(np.exp(-(deviations**2) / 2))
    ranks = (np.arange(SIZE * SIZE // 2) + 0.5) / (SIZE * SIZE // 2)
    half = np.interp(ranks, (share - share[0]) / (share[-1] - share[0]), deviations)
    return _symmetric_bytes(half * (128 / 3))


def _symmetric_bytes(half: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Ascending steps below 0, then their mirror image, as bytes around 127.5."""
    low = np.clip(np.floor(half + 128), 0, 127).astype(np.uint8)
    return np.concatenate([low, (255 - low[::-1]).astype(np.uint8)])
