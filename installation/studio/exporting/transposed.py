"""A stride-2 transposed convolution is a plain convolution of stride 1 followed by a pixel shuffle. Exactly.

Along one axis a transposed convolution of stride 2 with kernel w (K taps) and `before` rows cropped makes

    y[o] = sum over i of x[i] w[o + before - 2 i]

Write the output row as o = 2 m + r (r = 0 or 1) and the input row as i = m + d. Then the tap is r + before - 2 d, which
no longer depends on m: for each r it is an ordinary convolution over d, whose taps are every second one of w.
The two r of each axis make four phases; computed as four times the channels on the small grid, a pixel shuffle
(`DepthToSpace`, mode CRD) lays them out. For 5x5 kernels with padding 2, d runs from -1 to 1: a 3x3 convolution.
It costs 36 products for 25, and gains what onnxruntime is fast at and can quantise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STRIDE = 2

Weights = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class AxisPlan:
    """One axis rewritten. `taps[r][n]`: which tap of the transposed kernel phase r uses at place n of the new kernel,
    or -1 for none; pads: zeros before and after; surplus: rows too many at the end after the shuffle, 0 or 1.
    """

    taps: tuple[tuple[int, ...], tuple[int, ...]]
    pads: tuple[int, int]
    surplus: int


@dataclass(frozen=True, slots=True)
class ShuffledConvolution:
    """What replaces a transposed convolution (Cin, Cout, K, K'): weights (4 Cout, Cin, k, k') and bias (4 Cout,) of a
    convolution with pads (top, left, bottom, right), then a pixel shuffle by 2, then `surplus` (rows, columns) cropped
    at the bottom and on the right.
    """

    weights: Weights
    bias: Weights | None
    pads: tuple[int, int, int, int]
    surplus: tuple[int, int]


def axis_plan(kernel: int, before: int, after: int, output_padding: int) -> AxisPlan | None:
    """How one axis is rewritten; None where it would need a negative padding (more cropped than the kernel reaches).

    `before`, `after` and `output_padding` are the transposed convolution's own paddings.
    """
    reach = [d for r in (0, 1) for d in range(-kernel, kernel + 1) if 0 <= r + before - STRIDE * d < kernel]
    if not reach:
        return None
    first, last = min(reach), max(reach)
    longer = kernel - 2 - before - after + output_padding  # output rows are 2 * input rows + longer
    pads = -first, math.ceil(longer / 2) + last
    if min(pads) < 0:
        return None
    taps = [[r + before - STRIDE * d for d in range(first, last + 1)] for r in (0, 1)]
    even, odd = (tuple(tap if 0 <= tap < kernel else -1 for tap in phase) for phase in taps)
    return AxisPlan((even, odd), pads, longer % 2)


def shuffled(
    weights: Weights, bias: Weights | None, pads: tuple[int, int, int, int], output_padding: tuple[int, int]
) -> ShuffledConvolution | None:
    """Rewrite a stride-2 transposed convolution: weights (Cin, Cout, K, K'), bias (Cout,), pads (top, left, bottom,
    right) as ONNX has them (PyTorch's `padding` on both sides). None where `axis_plan` has none.
    """
    inputs, outputs, high, wide = weights.shape
    rows = axis_plan(high, pads[0], pads[2], output_padding[0])
    columns = axis_plan(wide, pads[1], pads[3], output_padding[1])
    if rows is None or columns is None:
        return None
    made = np.zeros((outputs, STRIDE, STRIDE, inputs, len(rows.taps[0]), len(columns.taps[0])), weights.dtype)
    for r, s in np.ndindex(STRIDE, STRIDE):
        for n, m in np.ndindex(made.shape[-2:]):
            tap, other = rows.taps[r][n], columns.taps[s][m]
            if tap >= 0 and other >= 0:
                made[:, r, s, :, n, m] = weights[:, :, tap, other].T
    return ShuffledConvolution(
        made.reshape(outputs * STRIDE * STRIDE, inputs, *made.shape[-2:]),
        None if bias is None else np.repeat(bias, STRIDE * STRIDE),
        (rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]),
        (rows.surplus, columns.surplus),
    )
