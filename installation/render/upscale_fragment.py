"""Upscaling with fragment shaders: weights in textures, a fragment per pixel, straight to the target.

For drivers without compute shaders (OpenGL 3.3; macOS has 4.1). On a GPU it is as good as `upscale_compute`; on a
software renderer it is far too slow for large targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.render.gl import Graphics, Target
from installation.render.kernels import block_table
from installation.render.noise import ROWS as NOISE_ROWS
from installation.render.noise import SIZE as NOISE_SIZE
from installation.render.noise import noise_tile, tile_offset
from installation.render.shaders import shader_source, uniform
from installation.render.upload import nearest_texture
from installation.render.upscale import GEOMETRIES, Axis, Geometry, Source, geometry_axes, geometry_of
from installation.show.frameplan import Look


@dataclass(frozen=True, slots=True)
class _Passes:
    """Everything prepared for a geometry; a texture of shares per picture and axis, a middle per picture."""

    columns: tuple[moderngl.Texture, ...]
    lines: tuple[moderngl.Texture, ...]
    middles: tuple[moderngl.Framebuffer, ...]  # (canvas width, source height) each
    textures: tuple[moderngl.Texture, ...]  # the middles' own
    paint: moderngl.VertexArray


class FragmentUpscaler:
    """Paints weighted textures onto a target."""

    def __init__(self, graphics: Graphics) -> None:
        self._context = graphics.context
        self._spread = self._triangle("spread.frag", {})
        uniform(self._spread.program, "source").value = 0
        uniform(self._spread.program, "shares").value = 1
        self._paints: dict[int, moderngl.VertexArray] = {}  # by how many pictures they add up
        self._passes: dict[Geometry, _Passes] = {}
        self._tile = nearest_texture(graphics.context, (NOISE_SIZE, NOISE_SIZE // NOISE_ROWS), "u4")
        self._tile.write(noise_tile())

    def draw(self, sources: Sequence[Source], look: Look, k: int, target: Target) -> Target:
        """Paint the sum of the sources (at least one), with a look; grain and dither of instant k. Returns the target:
        the pixels are nowhere else.
        """
        passes = self._prepared(geometry_of(sources, look, target))
        for source, shares, middle in zip(sources, passes.columns, passes.middles, strict=True):
            source.texture.use(0)
            shares.use(1)
            uniform(self._spread.program, "gain").value = source.weight
            middle.use()
            self._spread.render(moderngl.TRIANGLES, vertices=3)
        self._paint(passes, look, k, target)
        return target

    def _paint(self, passes: _Passes, look: Look, k: int, target: Target) -> None:
        for unit, texture in enumerate((*passes.textures, *passes.lines, self._tile)):
            texture.use(unit)
        program = passes.paint.program
        uniform(program, "brightness").value = look.brightness
        uniform(program, "grain").value = look.grain
        uniform(program, "offset").value = tile_offset(k)
        uniform(program, "height").value = target.size[1]
        target.framebuffer.use()
        self._context.viewport = (0, 0, *target.size)
        passes.paint.render(moderngl.TRIANGLES, vertices=3)

    def _prepared(self, geometry: Geometry) -> _Passes:
        passes = self._passes.get(geometry)
        if passes is None:
            if len(self._passes) >= GEOMETRIES:
                del self._passes[next(iter(self._passes))]
                self._context.gc()
            passes = self._passes[geometry] = self._make_passes(geometry)
        return passes

    def _make_passes(self, geometry: Geometry) -> _Passes:
        columns, lines = (self._shares(axis) for axis in geometry_axes(geometry))
        width = geometry.target[0]
        textures = tuple(nearest_texture(self._context, (width, source[1]), "f2") for source in geometry.sources)
        middles = tuple(self._context.framebuffer([texture]) for texture in textures)
        return _Passes(columns, lines, middles, textures, self._paint_program(len(geometry.sources)))

    def _shares(self, axis: Axis) -> tuple[moderngl.Texture, ...]:
        return tuple(self._shares_texture(matrix) for matrix in axis.matrices)

    def _shares_texture(self, matrix: NDArray[np.float32]) -> moderngl.Texture:
        """A line for each target pixel: its weights, then the index of the first sample they belong to."""
        table = block_table(matrix, 1)
        bases = np.array(table.bases, np.float32)[:, None]
        lines = np.hstack([table.weights[:, :, 0], bases])  # (target, taps + 1)
        texture = self._context.texture((lines.shape[1], lines.shape[0]), 1, np.ascontiguousarray(lines), dtype="f4")
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        return texture

    def _paint_program(self, pictures: int) -> moderngl.VertexArray:
        if pictures not in self._paints:
            every = " ".join(f"PICTURE({picture})" for picture in range(pictures))
            triangle = self._triangle("paint.frag", {"PICTURES": pictures, "EVERY_PICTURE": every})
            units = np.arange(2 * pictures, dtype=np.int32)
            uniform(triangle.program, "middle").write(units[:pictures].tobytes())
            uniform(triangle.program, "shares").write(units[pictures:].tobytes())
            uniform(triangle.program, "tile").value = 2 * pictures
            self._paints[pictures] = triangle
        return self._paints[pictures]

    def _triangle(self, name: str, definitions: dict[str, str | int]) -> moderngl.VertexArray:
        program = self._context.program(
            vertex_shader=shader_source("whole.vert"), fragment_shader=shader_source(name, definitions)
        )
        return self._context.vertex_array(program, [])
