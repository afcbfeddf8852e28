"""Upscaling with compute shaders: one invocation makes up to 16 pixels from the same few samples.

On a software renderer that is six times faster than one fragment per pixel; on a GPU both take next to nothing.
Programs, tables and textures are made once per geometry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import moderngl
import numpy as np

from installation.errors import UnavailableError
from installation.render.gl import Graphics, Target
from installation.render.kernels import BlockTable, Run, block_table, plan_runs, rows_per_block
from installation.render.noise import ROWS as NOISE_ROWS
from installation.render.noise import SIZE as NOISE_SIZE
from installation.render.noise import noise_tile, tile_offset
from installation.render.shaders import every_tap, shader_source, uniform
from installation.render.upload import nearest_texture
from installation.render.upscale import GEOMETRIES, Axis, Geometry, Source, geometry_axes, geometry_of
from installation.show.frameplan import Look

_PAINT_LANES = 64  # local_size_x of shaders/paint.comp
_SPREAD_LANES = 16  # and of shaders/spread.comp
_RGBA16F, _R32UI = 0x881A, 0x8236


@dataclass(frozen=True, slots=True)
class _Batch:
    """Runs for one compute program. `told` is False if the program has their weights as constants."""

    program: moderngl.ComputeShader
    runs: tuple[Run, ...]
    told: bool


@dataclass(frozen=True, slots=True)
class _Stage:
    """The batches that make one pass; `across` work groups along the lanes."""

    batches: tuple[_Batch, ...]
    across: int


@dataclass(frozen=True, slots=True)
class _Passes:
    """Everything prepared for a geometry: a horizontal pass per picture, then one vertical pass."""

    spreads: tuple[_Stage, ...]
    middles: tuple[moderngl.Texture, ...]  # (canvas width, source height) each
    paint: _Stage


class ComputeUpscaler:
    """Paints weighted textures onto a target. Raises UnavailableError below OpenGL 4.3 (compute shaders)."""

    def __init__(self, graphics: Graphics) -> None:
        if graphics.context.version_code < 430:
            raise UnavailableError(
                f"compute shaders need OpenGL 4.3; {graphics.driver} has {graphics.context.info['GL_VERSION']}"
            )
        graphics.calls.load_compute()
        self._graphics = graphics
        self._programs: dict[tuple[str, tuple[int, int, int]], moderngl.ComputeShader] = {}
        self._passes: dict[Geometry, _Passes] = {}
        self._picture: tuple[moderngl.Texture, Target] | None = None
        self._tile = nearest_texture(graphics.context, (NOISE_SIZE, NOISE_SIZE // NOISE_ROWS), "u4")
        self._tile.write(noise_tile())

    def draw(self, sources: Sequence[Source], look: Look, k: int, target: Target) -> Target:
        """Paint the sum of the sources (at least one), with a look; grain and dither of instant k. Returns the picture
        the target is a copy of, valid until the next draw.
        """
        passes = self._prepared(geometry_of(sources, look, target))
        texture, picture = self._picture_of(target.size)
        for source, stage, middle in zip(sources, passes.spreads, passes.middles, strict=True):
            self._spread(stage, source, middle)
        self._graphics.calls.barrier()
        self._paint(passes, look, k, texture)
        self._graphics.calls.barrier()
        self._graphics.calls.blit(picture.framebuffer.glo, target.framebuffer.glo, target.size)
        return picture

    def _spread(self, stage: _Stage, source: Source, middle: moderngl.Texture) -> None:
        source.texture.use(0)
        middle.bind_to_image(0, read=False, write=True, format=_RGBA16F)
        for batch in stage.batches:
            batch.program["gain"] = source.weight
        self._dispatch(stage)

    def _paint(self, passes: _Passes, look: Look, k: int, picture: moderngl.Texture) -> None:
        for unit, middle in enumerate(passes.middles):
            middle.use(unit)
        self._tile.use(len(passes.middles))
        picture.bind_to_image(0, read=False, write=True, format=_R32UI)
        for batch in passes.paint.batches:
            batch.program["brightness"] = look.brightness
            batch.program["grain"] = look.grain
            batch.program["offset"] = tile_offset(k)
        self._dispatch(passes.paint)

    def _dispatch(self, stage: _Stage) -> None:
        calls = self._graphics.calls
        for batch in stage.batches:
            blocks, bases = uniform(batch.program, "blocks"), uniform(batch.program, "bases")
            calls.use_program(batch.program.glo)
            for run in batch.runs:
                if batch.told:
                    uniform(batch.program, "weights").write(run.weights)
                blocks.value = (run.first, run.stride)
                bases.value = run.bases if len(run.bases) > 1 else run.bases[0]
                calls.dispatch(stage.across, run.count)

    def _prepared(self, geometry: Geometry) -> _Passes:
        passes = self._passes.get(geometry)
        if passes is None:
            if len(self._passes) >= GEOMETRIES:
                del self._passes[next(iter(self._passes))]
                self._graphics.context.gc()  # releasing by hand would release twice
            passes = self._passes[geometry] = self._make_passes(geometry)
        return passes

    def _make_passes(self, geometry: Geometry) -> _Passes:
        columns, lines = (_tables(axis) for axis in geometry_axes(geometry))
        spreads = tuple(
            _Stage(self._batches("spread.comp", (table,)), -(-source[1] // _SPREAD_LANES))
            for table, source in zip(columns, geometry.sources, strict=True)
        )
        width = geometry.target[0]
        middles = tuple(
            nearest_texture(self._graphics.context, (width, source[1]), "f2") for source in geometry.sources
        )
        paint = _Stage(self._batches("paint.comp", lines), -(-width // _PAINT_LANES))
        return _Passes(spreads, middles, paint)

    def _batches(self, name: str, tables: Sequence[BlockTable]) -> tuple[_Batch, ...]:
        """The pass over these tables: a run that is most of it gets a program with its weights as constants."""
        runs = plan_runs(tables)
        common = max(runs, key=lambda run: run.count)
        told = tuple(run for run in runs if run is not common)
        shape = (len(tables), max(table.taps for table in tables), tables[0].rows)
        if common.count * 2 <= len(tables[0].bases):
            return (_Batch(self._told_program(name, shape), runs, told=True),)
        constants = ", ".join(f"{weight!r}" for weight in np.frombuffer(common.weights, np.float32).tolist())
        batches = [_Batch(self._compile(name, shape, {"CONSTANTS": constants}), (common,), told=False)]
        if told:
            batches.append(_Batch(self._told_program(name, shape), told, told=True))
        return tuple(batches)

    def _told_program(self, name: str, shape: tuple[int, int, int]) -> moderngl.ComputeShader:
        if (name, shape) not in self._programs:
            self._programs[name, shape] = self._compile(name, shape, {})
        return self._programs[name, shape]

    def _compile(self, name: str, shape: tuple[int, int, int], more: Mapping[str, str]) -> moderngl.ComputeShader:
        pictures, taps, rows = shape
        numbers = {"PICTURES": pictures, "TAPS": taps, "ROWS": rows}
        source = shader_source(name, {**numbers, "EVERY_TAP": every_tap(pictures, taps), **more})
        program = self._graphics.context.compute_shader(source)
        _set_units(program, pictures)
        return program

    def _picture_of(self, size: tuple[int, int]) -> tuple[moderngl.Texture, Target]:
        if self._picture is None or self._picture[1].size != size:
            self._picture = None
            self._graphics.context.gc()
            texture = nearest_texture(self._graphics.context, size, "f1")
            self._picture = (texture, Target(self._graphics.context.framebuffer([texture]), size))
        return self._picture


def _set_units(program: moderngl.ComputeShader, pictures: int) -> None:
    """Tell a program which texture units its samplers read: the pictures from 0 on, then the noise."""
    if "middle" in program:
        uniform(program, "middle").write(np.arange(pictures, dtype=np.int32).tobytes())
        program["tile"] = pictures
    else:
        program["source"] = 0


def _tables(axis: Axis) -> tuple[BlockTable, ...]:
    """Each picture's table along an axis, all with blocks of the same height."""
    sides = [matrix.shape[1] for matrix in axis.matrices]
    rows = rows_per_block(sides, axis.spans)
    return tuple(block_table(matrix, rows) for matrix in axis.matrices)
