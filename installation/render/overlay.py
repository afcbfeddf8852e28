"""Lines of text over the picture, for people who stand before it with a keyboard: rate, lateness, film, position."""

from __future__ import annotations

from collections.abc import Sequence

import moderngl
from PIL import Image, ImageDraw, ImageFont

from installation.render.gl import Graphics, Target
from installation.render.shaders import shader_source, uniform
from installation.render.upload import nearest_texture

_MARGIN = 12  # pixels, around the text and to the target's corner
_LINES, _COLUMNS = 10, 48  # what fits; more is cut off
_BACKGROUND = (0, 0, 0, 160)  # alpha multiplied in
_TEXT = (235, 235, 235, 255)


class Overlay:
    """Text in the upper left corner. Drawn with Pillow only when it changes; the texture is made once."""

    def __init__(self, graphics: Graphics, line_height: int = 24) -> None:
        self._context = graphics.context
        self._line_height = line_height
        self._font = _font(line_height * 0.75)
        self._size = (_COLUMNS * line_height // 2 + 2 * _MARGIN, _LINES * line_height + 2 * _MARGIN)
        self._texture = nearest_texture(self._context, self._size, "f1")
        program = self._context.program(
            vertex_shader=shader_source("whole.vert"), fragment_shader=shader_source("overlay.frag")
        )
        self._corner = uniform(program, "corner")
        self._triangle = self._context.vertex_array(program, [])
        self._shown: tuple[str, ...] = ()

    def draw(self, lines: Sequence[str], target: Target) -> None:
        """Lay the lines over the target. Nothing for no lines."""
        if not lines:
            return
        if tuple(lines) != self._shown:
            self._shown = tuple(lines)
            self._texture.write(self._picture(self._shown).tobytes())
        height = len(self._shown[:_LINES]) * self._line_height + 2 * _MARGIN
        top = target.size[1] - _MARGIN
        self._corner.value = (_MARGIN, top - self._size[1])
        self._texture.use(0)
        target.framebuffer.use()
        self._context.viewport = (0, 0, *target.size)
        self._context.scissor = (_MARGIN, top - height, self._size[0], height)
        self._context.enable(moderngl.BLEND)
        self._context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        self._triangle.render(moderngl.TRIANGLES, vertices=3)
        self._context.disable(moderngl.BLEND)
        self._context.scissor = None

    def _picture(self, lines: Sequence[str]) -> Image.Image:
        picture = Image.new("RGBA", self._size, _BACKGROUND)
        draw = ImageDraw.Draw(picture)
        for row, line in enumerate(lines[:_LINES]):
            draw.text((_MARGIN, _MARGIN + row * self._line_height), line, _TEXT, self._font)
        return picture


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font with the letters of most languages if the machine has one, else Pillow's own, which knows ASCII."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)
