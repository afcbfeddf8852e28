"""Upscaling on the GPU: two separable passes, the second of which also finishes the picture and writes its 8 bits.

There are two ways to the same picture: `upscale_compute` where compute shaders are (OpenGL 4.3; much faster on
software renderers) and `upscale_fragment` elsewhere (OpenGL 3.3: macOS). Both take their weights from `kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.render.gl import Target
from installation.render.kernels import Span, fit_spans, kernel_named, resampling_matrix
from installation.show.frameplan import Look

GEOMETRIES = 8  # kept at once; a show has few


@dataclass(frozen=True, slots=True)
class Source:
    """A texture to be shown and its share of the sum, 0-1."""

    texture: moderngl.Texture
    weight: float


class Upscaler(Protocol):
    """Paints weighted textures onto a target."""

    def draw(self, sources: Sequence[Source], look: Look, k: int, target: Target) -> Target:
        """Paint the sum of the sources (at least one), with a look; grain and dither of instant k. Returns where else
        the same pixels are, for whoever wants to read them: a window is slow to read. If nowhere, the target.
        """


@dataclass(frozen=True, slots=True)
class Geometry:
    """What tables depend on: pictures of these sizes (width, height), fitted into a target."""

    kernel: str
    fit: str
    sources: tuple[tuple[int, int], ...]
    target: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Axis:
    """All pictures along one axis: where each lies in the target, and its resampling matrix (target, source)."""

    spans: tuple[Span, ...]
    matrices: tuple[NDArray[np.float32], ...]


def geometry_of(sources: Sequence[Source], look: Look, target: Target) -> Geometry:
    """The geometry of a drawing."""
    return Geometry(look.upscale, look.fit, tuple(source.texture.size for source in sources), target.size)


def geometry_axes(geometry: Geometry) -> tuple[Axis, Axis]:
    """Everything along x, and along y. Raises InputError for an unknown kernel or fit."""
    kernel = kernel_named(geometry.kernel)
    places = [fit_spans(geometry.fit, source, geometry.target) for source in geometry.sources]

    def along(axis: int) -> Axis:
        spans = tuple(place[axis] for place in places)
        sides = [source[axis] for source in geometry.sources]
        pairs = zip(sides, spans, strict=True)
        target = geometry.target[axis]
        return Axis(spans, tuple(resampling_matrix(kernel, side, target, span) for side, span in pairs))

    return along(0), along(1)
