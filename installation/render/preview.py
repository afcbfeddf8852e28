"""Previews: the canvas, small, for people who are elsewhere; made a few times a second and only while one watches.

The wall must not wait for it. Before a picture is presented it is only copied; it is shrunk, and reading it begun, in
the rest before the next one; and its pixels are fetched a tick later, when the GPU has long had them ready.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import moderngl
import numpy as np

from installation.render.egl import offscreen_target
from installation.render.gl import Graphics, Target
from installation.render.shaders import shader_source, uniform
from installation.render.upload import nearest_texture
from installation.show.pictures import PictureBoard

EVERY_NS = 200_000_000
# After the last time somebody asked.
WATCHED_NS = 2_000_000_000
PIXELS = 320 * 180  # about, whatever the canvas's shape


def reduction(canvas: tuple[int, int]) -> int:
    """How many pixels of a canvas (width, height) become one of its preview, along each side. A whole number: that is
    quick, and every pixel counts the same.
    """
    return max(1, math.floor(math.sqrt(canvas[0] * canvas[1] / PIXELS) + 0.5))


@dataclass(frozen=True, slots=True)
class _Stages:
    """What a canvas of one size goes through: copied into `copy`, whose texture is `canvas`; shrunk into `small`; read
    into `buffer`.
    """

    copy: Target
    canvas: moderngl.Texture
    shrink: moderngl.VertexArray
    small: Target
    buffer: moderngl.Buffer


@dataclass(slots=True)
class _Underway:
    """A preview being made. `fence` is what stands between it and its pixels, None until it is read."""

    at_ns: int
    fence: int | None = None


class Previewer:
    """Makes previews for a board. Use on the GL thread. Nothing is allocated before somebody watches."""

    def __init__(self, graphics: Graphics, board: PictureBoard) -> None:
        self._graphics = graphics
        self._board = board
        self._stages: _Stages | None = None
        self._underway: _Underway | None = None
        self._asked = board.asked
        self._watched_until_ns = 0
        self._due_ns = 0

    def take(self, canvas: Target, now_ns: int) -> None:
        """Copy a picture that was just drawn, if a preview is due and somebody watches."""
        asked = self._board.asked
        if asked != self._asked:
            self._asked, self._watched_until_ns = asked, now_ns + WATCHED_NS
        if now_ns >= self._watched_until_ns or now_ns < self._due_ns or self._underway is not None:
            return
        stages = self._stages_for(canvas.size)
        self._graphics.calls.blit(canvas.framebuffer.glo, stages.copy.framebuffer.glo, canvas.size)
        self._underway = _Underway(now_ns)
        self._due_ns = now_ns + EVERY_NS

    def go_on(self) -> None:
        """The next step of a preview being made: once a tick, when nothing is urgent. Waits for nothing on a GPU."""
        if self._underway is None or self._stages is None:
            return
        if self._underway.fence is None:
            self._underway.fence = self._read(self._stages)
        elif self._graphics.calls.wait_fence(self._underway.fence, 0):
            self._publish(self._stages, self._underway.at_ns)
            self._underway = None

    def _read(self, stages: _Stages) -> int:
        """Shrink the copy and have it read; the fence after that."""
        stages.canvas.use(0)
        stages.small.framebuffer.use()
        stages.shrink.render(moderngl.TRIANGLES, vertices=3)
        self._graphics.calls.read_rgba(stages.small.framebuffer.glo, stages.small.size, stages.buffer.glo)
        return self._graphics.calls.fence()

    def _publish(self, stages: _Stages, at_ns: int) -> None:
        rgba = np.frombuffer(stages.buffer.read(), np.uint8).reshape(-1, 4)
        self._board.publish(rgba[:, :3].tobytes(), stages.small.size, at_ns)

    def _stages_for(self, size: tuple[int, int]) -> _Stages:
        if self._stages is None or self._stages.copy.size != size:
            self._stages = None
            self._graphics.context.gc()
            self._stages = self._make_stages(size)
        return self._stages

    def _make_stages(self, size: tuple[int, int]) -> _Stages:
        context, side = self._graphics.context, reduction(size)
        width, height = size[0] // side, size[1] // side
        program = context.program(
            vertex_shader=shader_source("whole.vert"), fragment_shader=shader_source("shrink.frag", {"SIDE": side})
        )
        uniform(program, "height").value = height
        canvas = nearest_texture(context, size, "f1")
        return _Stages(
            copy=Target(context.framebuffer([canvas]), size),
            canvas=canvas,
            shrink=context.vertex_array(program, []),
            small=offscreen_target(self._graphics, (width, height)),
            buffer=context.buffer(reserve=width * height * 4, dynamic=True),
        )
