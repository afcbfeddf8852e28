"""Upscaling kernels as numbers: which source samples each target pixel is made of, and with what weights.

A kernel along one axis is a banded matrix (target, source). `resampling_matrix` makes it exactly (phases are
fractions), `BlockTable` cuts it into what the shaders eat: blocks of `rows` neighbouring target pixels that look at
the same `taps` source samples. Fit (bars, crop) and edge clamping are in the weights, so shaders have no branches.

Maths: Keys 1981 (Catmull-Rom); Duchon 1979 (Lanczos); the 36-sample spline of H. Dersch's Panorama Tools.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from installation.errors import InputError

# Target pixels that share their source samples in one shader invocation: at most MOST_ROWS, and FEW_ROWS where weights
# do not repeat or there are too many of them for a program's constants.
FEW_ROWS, MOST_ROWS = 8, 16
MOST_WEIGHTS = 512


@dataclass(frozen=True, slots=True)
class Kernel:
    """A symmetric interpolation kernel: `weight(x)` for distances |x| < `radius` source samples."""

    name: str
    radius: Fraction
    weight: Callable[[float], float]


def _box(x: float) -> float:
    return 1.0 if -0.5 < x <= 0.5 else 0.0


def _triangle(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


def _catmull_rom(x: float) -> float:
    x = abs(x)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return ((-0.5 * x + 2.5) * x - 4) * x + 2 if x < 2 else 0.0


def _lanczos3(x: float) -> float:
    if x == 0:
        return 1.0
    return 3 * math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x) ** 2 if abs(x) < 3 else 0.0


def _spline36(x: float) -> float:
    x = abs(x)
    if x < 1:
        return ((13 / 11 * x - 453 / 209) * x - 3 / 209) * x + 1
    if x < 2:
        x -= 1
        return ((-6 / 11 * x + 270 / 209) * x - 156 / 209) * x
    x -= 2
    return ((1 / 11 * x - 45 / 209) * x + 26 / 209) * x if x < 1 else 0.0


KERNELS = MappingProxyType(
    {
        kernel.name: kernel
        for kernel in (
            Kernel("nearest", Fraction(1, 2), _box),
            Kernel("bilinear", Fraction(1), _triangle),
            Kernel("catmull_rom", Fraction(2), _catmull_rom),
            Kernel("lanczos", Fraction(3), _lanczos3),
            Kernel("spline36", Fraction(3), _spline36),
        )
    }
)


def kernel_named(name: str) -> Kernel:
    """The kernel of that name. Raises InputError listing the known ones."""
    if name not in KERNELS:
        raise InputError(f"upscale: got {name!r}; pick one of {', '.join(KERNELS)}")
    return KERNELS[name]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a picture lies along one axis of its target, in target pixels: from `start` on, `length` long."""

    start: Fraction
    length: Fraction


def fit_spans(fit: str, source: tuple[int, int], target: tuple[int, int]) -> tuple[Span, Span]:
    """Spans along x and y of a `source` (width, height) picture fitted into `target`, centred.

    `contain` rounds to whole pixels, so that bars are exactly black. Raises InputError for an unknown fit.
    """
    if fit == "stretch":
        lengths = [Fraction(length) for length in target]
    elif fit in {"contain", "cover"}:
        scales = [Fraction(wide, narrow) for wide, narrow in zip(target, source, strict=True)]
        scale = min(scales) if fit == "contain" else max(scales)
        lengths = [scale * side for side in source]
        if fit == "contain":
            lengths = [Fraction(max(1, math.floor(length + Fraction(1, 2)))) for length in lengths]
    else:
        raise InputError(f"fit: got {fit!r}; pick one of contain, cover, stretch")
    starts = [(side - length) / 2 for side, length in zip(target, lengths, strict=True)]
    if fit == "contain":
        starts = [Fraction(math.floor(start)) for start in starts]
    return Span(starts[0], lengths[0]), Span(starts[1], lengths[1])


def resampling_matrix(kernel: Kernel, source: int, target: int, span: Span) -> NDArray[np.float32]:
    """The axis as a matrix (target, source): rows sum to 1 inside the span and to 0 outside it.

    Samples beyond the picture's edge repeat the edge. Shrinking widens the kernel (except `nearest`), so that it
    averages instead of skipping.
    """
    stretch = max(Fraction(1), source / span.length) if kernel.radius >= 1 else Fraction(1)
    reach = math.ceil(kernel.radius * stretch)
    whole = math.lcm(span.start.denominator, span.length.denominator)
    start, length = int(span.start * whole), int(span.length * whole)  # in 1/whole target pixels
    position = (2 * np.arange(target, dtype=np.int64) + 1) * whole - 2 * start  # pixel centres, in halves of those
    rows = np.flatnonzero((position >= 0) & (position < 2 * length))
    centre = position[rows] * source - length  # in 1 / (2 length) source samples
    nearest, phase = np.divmod(centre, 2 * length)
    phases, which = np.unique(phase, return_inverse=True)
    offsets = np.arange(-reach, reach + 1)
    table = np.stack([_phase_weights(kernel, offsets, Fraction(int(each), 2 * length), stretch) for each in phases])
    columns = np.clip(nearest[:, None] + offsets, 0, source - 1)  # (rows, offsets)
    matrix = np.zeros((target, source), np.float32)
    np.add.at(matrix, (rows[:, None], columns), table[which])
    return matrix


def _phase_weights(
    kernel: Kernel, offsets: NDArray[np.int64], phase: Fraction, stretch: Fraction
) -> NDArray[np.float32]:
    """Weights of the samples at `offsets` from the one `phase` before a target pixel's centre; they sum to 1."""
    weights = np.array([kernel.weight(float((offset - phase) / stretch)) for offset in offsets.tolist()])
    normalised: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return normalised


@dataclass(frozen=True, slots=True)
class BlockTable:
    """A resampling matrix cut into blocks of `rows` target pixels.

    `weights` float32 (blocks, taps, rows): the share of source sample `bases[block] + tap` in each pixel.
    """

    weights: NDArray[np.float32]
    bases: tuple[int, ...]

    @property
    def taps(self) -> int:
        """Source samples a block looks at."""
        return int(self.weights.shape[1])

    @property
    def rows(self) -> int:
        """Target pixels in a block."""
        return int(self.weights.shape[2])


def rows_per_block(sources: Sequence[int], spans: Sequence[Span]) -> int:
    """How many target pixels to make at once along an axis, so that blocks look alike if at all possible.

    At a scale of 15/2 weights repeat every 15 pixels, at 4 every 4 (so every 16).
    """
    scales = [span.length / source for source, span in zip(sources, spans, strict=True)]
    period = math.lcm(*(scale.numerator for scale in scales))
    taps = max(MOST_ROWS / scale + 6 * max(Fraction(1), 1 / scale) for scale in scales)
    if period > MOST_ROWS or taps * MOST_ROWS * len(scales) > MOST_WEIGHTS:
        return FEW_ROWS
    return period * (MOST_ROWS // period)


def block_table(matrix: NDArray[np.float32], rows: int) -> BlockTable:
    """Cut a (target, source) matrix into blocks; the last block is padded with black."""
    target, source = matrix.shape
    blocks = -(-target // rows)
    padded = np.zeros((blocks * rows, source), np.float32)
    padded[:target] = matrix
    cut = padded.reshape(blocks, rows, source)  # (target, source) -> (blocks, rows, source)
    used = np.abs(cut).max(axis=1) > 0  # (blocks, source)
    firsts = np.where(used.any(axis=1), used.argmax(axis=1), 0)
    lasts = np.where(used.any(axis=1), source - 1 - used[:, ::-1].argmax(axis=1), 0)
    taps = int((lasts - firsts).max()) + 1
    bases = np.minimum(firsts, source - taps)
    weights = np.stack([cut[b, :, base : base + taps].T for b, base in enumerate(bases)])  # (blocks, taps, rows)
    return BlockTable(np.ascontiguousarray(weights), tuple(int(base) for base in bases))


@dataclass(frozen=True, slots=True)
class Run:
    """Blocks drawn by one dispatch: `first`, `first + stride`, ... (`count` of them), all with the same weights.

    `bases` holds (base of the first block, step per block) for each picture; `weights` is ready for a uniform array:
    pictures x taps x rows float32.
    """

    first: int
    stride: int
    count: int
    bases: tuple[tuple[int, int], ...]
    weights: bytes


def plan_runs(tables: Sequence[BlockTable]) -> tuple[Run, ...]:
    """Group blocks with equal weights into as few runs as their evenly spaced positions allow.

    144 lines on 1080: one run of all 72 blocks but those at the edges.
    """
    taps = max(table.taps for table in tables)
    padded = [np.pad(table.weights, ((0, 0), (0, taps - table.taps), (0, 0))) for table in tables]
    weights = np.stack(padded, axis=1)  # (blocks, pictures, taps, rows)
    groups: dict[bytes, list[int]] = {}
    for block in range(len(weights)):
        groups.setdefault(weights[block].tobytes(), []).append(block)
    return tuple(run for equal, blocks in groups.items() for run in _even_runs(tables, blocks, equal))


def _even_runs(tables: Sequence[BlockTable], blocks: Sequence[int], weights: bytes) -> list[Run]:
    """Split ascending `blocks` into runs in which blocks and their bases are evenly spaced."""
    positions = [(block, *(table.bases[block] for table in tables)) for block in blocks]
    steps = [tuple(map(operator.sub, after, before)) for before, after in pairwise(positions)]
    runs: list[Run] = []
    start = 0
    while start < len(positions):
        step = steps[start] if start < len(steps) else (0,) * (len(tables) + 1)
        end = start + 1
        while end < len(positions) and steps[end - 1] == step:
            end += 1
        bases = tuple(zip(positions[start][1:], step[1:], strict=True))
        runs.append(Run(positions[start][0], step[0], end - start, bases, weights))
        start = end
    return runs
