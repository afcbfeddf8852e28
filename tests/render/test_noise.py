"""The noise tile is the same everywhere and pushes no picture up or down."""

from __future__ import annotations

import numpy as np

from installation.render.noise import ROWS, SIZE, noise_tile, scramble, tile_offset


def test_hash_is_the_published_one() -> None:
    # lowbias32(1) and lowbias32(2), worked out with plain integers.
    def plain(x: int) -> int:
        x ^= x >> 16
        x = x * 0x7FEB352D & 0xFFFFFFFF
        x ^= x >> 15
        x = x * 0x846CA68B & 0xFFFFFFFF
        return x ^ x >> 16

    numbers = [0, 1, 2, 0xFFFFFFFF]
    assert scramble(np.array(numbers, np.uint32)).tolist() == [plain(number) for number in numbers]


def test_tile_has_the_promised_distributions() -> None:
    tile = noise_tile()
    assert tile.shape == (SIZE // ROWS, SIZE, 4)
    planes = tile.view(np.uint8).reshape(-1, 2).astype(np.float64) - 127.5
    grain, dither = planes[:, 0] * 3 / 128, planes[:, 1] / 128
    assert grain.mean() == 0
    assert dither.mean() == 0
    assert abs(grain.std() - 1) < 0.03  # cut off at 3 standard deviations
    assert abs(dither.std() - 1 / np.sqrt(6)) < 0.002  # triangular over -1 ... 1
    assert np.abs(dither).max() < 1


def test_offsets_wander() -> None:
    offsets = [tile_offset(k) for k in range(-500, 500)]
    assert len(set(offsets)) > 900
    assert all(0 <= x < SIZE and 0 <= y < SIZE // ROWS for x, y in offsets)
    assert tile_offset(7) == tile_offset(7)
