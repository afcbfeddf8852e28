"""From frames to a finished picture: mix, fit, upscale, brightness, grain, dither.

The result is the sum of `weight * frame` in display-referred values; what the weights leave of 1 is black. One frame
needs no mixing pass. Frames of the same size are mixed at their own, small size; different sizes are upscaled side by
side and summed in the last pass.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.render.gl import Graphics, Target
from installation.render.presenter import finish_drawing
from installation.render.shaders import shader_source, uniform
from installation.render.upload import FrameTextures, nearest_texture
from installation.render.upscale import Source, Upscaler
from installation.render.upscale_compute import ComputeUpscaler
from installation.render.upscale_fragment import FragmentUpscaler
from installation.show.frameplan import Look


@dataclass(frozen=True, slots=True, eq=False)
class WeightedFrame:
    """A frame, float16 (H, W, 4) display-referred, row 0 on top; what it is called; its share of the sum, 0-1.

    Frames with equal keys are the same picture: it is sent to the GPU once.
    """

    frame: NDArray[np.float16]
    key: Hashable
    weight: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return int(self.frame.shape[1]), int(self.frame.shape[0])


class Renderer:
    """Draws pictures onto a target. The same pictures, look and k make the same pixels."""

    def __init__(self, graphics: Graphics, upscaler: Upscaler | None = None) -> None:
        self._graphics = graphics
        self._frames = FrameTextures(graphics.context)
        self._mixer = _Mixer(graphics.context, self._frames)
        self._upscaler = upscaler or best_upscaler(graphics)

    @property
    def uploads(self) -> int:
        """Frames sent to the GPU so far."""
        return self._frames.uploads

    def prepare(self, sizes: Sequence[tuple[int, int]], look: Look, target: Target) -> None:
        """Compile and allocate for frames of these (width, height), shown and mixed together, so that none has to
        wait for it later. Drivers compile when something is first drawn, so this draws black into the target and waits.
        """
        blacks = [
            WeightedFrame(np.zeros((height, width, 4), np.float16), ("black", number, width, height), 0.1)
            for width, height in dict.fromkeys(sizes)
            for number in range(2)
        ]
        self.draw(blacks, replace(look, brightness=1.0), 0, target)
        finish_drawing(self._graphics.calls)

    def draw(self, pictures: Sequence[WeightedFrame], look: Look, k: int, target: Target) -> Target:
        """Draw the sum of the pictures with a look; grain and dither of instant k. Does not wait for the GPU.

        Returns where its pixels are best read from, valid until the next draw: something else than the target perhaps.
        """
        visible = [picture for picture in pictures if picture.weight > 0]
        if not visible or look.brightness <= 0:
            target.framebuffer.clear(0.0, 0.0, 0.0, 1.0)
            return target
        by_size: dict[tuple[int, int], list[WeightedFrame]] = {}
        for picture in visible:
            by_size.setdefault(picture.size, []).append(picture)
        return self._upscaler.draw([self._source(same) for same in by_size.values()], look, k, target)

    def _source(self, pictures: Sequence[WeightedFrame]) -> Source:
        if len(pictures) == 1:
            only = pictures[0]
            return Source(self._frames.texture(only.frame, only.key), only.weight)
        return Source(self._mixer.mix(pictures), 1.0)


def best_upscaler(graphics: Graphics) -> Upscaler:
    """The fastest this driver can do."""
    return ComputeUpscaler(graphics) if graphics.context.version_code >= 430 else FragmentUpscaler(graphics)


class _Mixer:
    """Sums frames of one size into a texture of that size, by additive blending."""

    def __init__(self, context: moderngl.Context, frames: FrameTextures) -> None:
        self._context = context
        self._frames = frames
        program = context.program(
            vertex_shader=shader_source("whole.vert"), fragment_shader=shader_source("weigh.frag")
        )
        self._weight = uniform(program, "weight")
        self._triangle = context.vertex_array(program, [])
        self._targets: dict[tuple[int, int], tuple[moderngl.Texture, moderngl.Framebuffer]] = {}

    def mix(self, pictures: Sequence[WeightedFrame]) -> moderngl.Texture:
        """The sum of pictures of one size. Valid until the next mix of that size."""
        texture, framebuffer = self._target(pictures[0].size)
        framebuffer.use()
        framebuffer.clear()
        self._context.enable(moderngl.BLEND)
        self._context.blend_func = moderngl.ONE, moderngl.ONE
        for picture in pictures:
            self._frames.texture(picture.frame, picture.key).use(0)
            self._weight.value = picture.weight
            self._triangle.render(moderngl.TRIANGLES, vertices=3)
        self._context.disable(moderngl.BLEND)
        return texture

    def _target(self, size: tuple[int, int]) -> tuple[moderngl.Texture, moderngl.Framebuffer]:
        if size not in self._targets:
            texture = nearest_texture(self._context, size, "f2")
            self._targets[size] = (texture, self._context.framebuffer([texture]))
        return self._targets[size]
