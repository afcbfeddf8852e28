"""Frames on their way to the GPU: float16 (H, W, 4) arrays into RGBA16F textures, through pixel buffers.

A texture is found again by its frame's key, so a held or slowly mixing picture is not sent twice. Textures and
buffers of a size are made once and reused; the least recently used texture gives way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import moderngl
import numpy as np
from numpy.typing import NDArray

TEXTURES = 4  # per size: the pictures of a transition and those just before
BUFFERS = 3  # per size: a buffer is not rewritten while the GPU may still read it

type_half = np.dtype(np.float16)


@dataclass(slots=True)
class _Pool:
    """Everything for frames of one size. `shown` maps keys to textures, the least recently used first."""

    free: list[moderngl.Texture]
    buffers: list[moderngl.Buffer]
    shown: OrderedDict[Hashable, moderngl.Texture] = field(default_factory=OrderedDict)
    next_buffer: int = 0


class FrameTextures:
    """Textures of frames, by key. Use on the GL thread."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._pools: dict[tuple[int, int], _Pool] = {}
        self.uploads = 0  # frames sent so far

    def texture(self, frame: NDArray[np.float16], key: Hashable) -> moderngl.Texture:
        """The texture of a frame (H, W, 4); sent only if `key` is not there yet. Row 0 of the frame is texel row 0.

        The texture holds this frame until `TEXTURES` other frames of its size were asked for.
        """
        assert frame.dtype == type_half, f"frames are float16, got {frame.dtype}"
        assert frame.ndim == 3 and frame.shape[2] == 4, f"frames are (H, W, 4), got {frame.shape}"
        size = (int(frame.shape[1]), int(frame.shape[0]))
        pool = self._pools.get(size) or self._make_pool(size)
        texture = pool.shown.get(key)
        if texture is None:
            texture = pool.free.pop() if pool.free else pool.shown.popitem(last=False)[1]
            self._send(pool, texture, frame)
            pool.shown[key] = texture
        pool.shown.move_to_end(key)
        return texture

    def _send(self, pool: _Pool, texture: moderngl.Texture, frame: NDArray[np.float16]) -> None:
        buffer = pool.buffers[pool.next_buffer]
        pool.next_buffer = (pool.next_buffer + 1) % BUFFERS
        buffer.orphan()
        buffer.write(np.ascontiguousarray(frame))
        texture.write(buffer)
        self.uploads += 1

    def _make_pool(self, size: tuple[int, int]) -> _Pool:
        pool = _Pool(
            [nearest_texture(self._context, size, "f2") for _ in range(TEXTURES)],
            [self._context.buffer(reserve=size[0] * size[1] * 8) for _ in range(BUFFERS)],
        )
        self._pools[size] = pool
        return pool


def nearest_texture(context: moderngl.Context, size: tuple[int, int], dtype: str) -> moderngl.Texture:
    """An RGBA texture (`f1` 8-bit, `f2` half float, `u4` uint32) that is read texel by texel, without filtering."""
    texture = context.texture(size, 4, dtype=dtype)
    texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
    return texture
