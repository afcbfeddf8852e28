"""Previews: the canvas, small, for people who are elsewhere; made a few times a second and only while one watches.

The wall must not wait for it. Before a picture is presented it is only copied; it is shrunk, and reading it begun, in
the rest before the next one; and its pixels are fetched a tick later, when the GPU has long had them ready.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import moderngl
import numpy as np

from installation.render.gl import Graphics, Target
from installation.render.shaders import shader_source, uniform
from installation.render.upload import nearest_texture
from installation.show.pictures import PictureBoard

EVERY_NS = 200_000_000
# After the last time somebody asked.
WATCHED_NS = 2_000_000_000
PIXELS = 320 * 180  # at most, whatever the canvas's shape, and
LONGEST_SIDE = 640


def preview_size(canvas: tuple[int, int]) -> tuple[int, int]:
    """How large (width, height) the preview of a canvas is: of its shape, never larger than it."""
    width, height = canvas
    scale = min(1.0, math.sqrt(PIXELS / (width * height)), LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True, slots=True)
class _Stages:
    """What a canvas of one size goes through: copied, shrunk, read. `canvas` reads `copy`, `small` is drawn into."""

    size: tuple[int, int]
    canvas: moderngl.Texture
    copy: moderngl.Framebuffer
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
        self._shrinking: moderngl.VertexArray | None = None
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
        self._graphics.calls.blit(canvas.framebuffer.glo, stages.copy.glo, canvas.size)
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
        self._triangle(stages.small.size).render(moderngl.TRIANGLES, vertices=3)
        self._graphics.calls.read_rgba(stages.small.framebuffer.glo, stages.small.size, stages.buffer.glo)
        return self._graphics.calls.fence()

    def _publish(self, stages: _Stages, at_ns: int) -> None:
        rgba = np.frombuffer(stages.buffer.read(), np.uint8).reshape(-1, 4)
        self._board.publish(rgba[:, :3].tobytes(), stages.small.size, at_ns)

    def _triangle(self, size: tuple[int, int]) -> moderngl.VertexArray:
        if self._shrinking is None:
            program = self._graphics.context.program(
                vertex_shader=shader_source("whole.vert"), fragment_shader=shader_source("shrink.frag")
            )
            self._shrinking = self._graphics.context.vertex_array(program, [])
        uniform(self._shrinking.program, "size").value = size
        return self._shrinking

    def _stages_for(self, size: tuple[int, int]) -> _Stages:
        if self._stages is None or self._stages.size != size:
            self._stages = None
            self._graphics.context.gc()
            self._stages = self._make_stages(size)
        return self._stages

    def _make_stages(self, size: tuple[int, int]) -> _Stages:
        context = self._graphics.context
        canvas = nearest_texture(context, size, "f1")
        width, height = preview_size(size)
        small = context.framebuffer([nearest_texture(context, (width, height), "f1")])
        buffer = context.buffer(reserve=width * height * 4, dynamic=True)
        return _Stages(size, canvas, context.framebuffer([canvas]), Target(small, (width, height)), buffer)
