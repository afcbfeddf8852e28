"""The rewrite of transposed convolutions is exact: against PyTorch's own, over everything it may be asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from installation.studio.exporting.transposed import ShuffledConvolution, axis_plan, shuffled


def carried_out(x: torch.Tensor, made: ShuffledConvolution) -> torch.Tensor:
    """The rewritten form in PyTorch: (B, Cin, H, W) -> (B, Cout, H', W')."""
    top, left, bottom, right = made.pads
    bias = None if made.bias is None else torch.from_numpy(made.bias)
    y = F.conv2d(F.pad(x, (left, right, top, bottom)), torch.from_numpy(made.weights), bias)
    y = F.pixel_shuffle(y, 2)
    return y[:, :, : y.shape[2] - made.surplus[0], : y.shape[3] - made.surplus[1]]


@given(
    seed=st.integers(0, 2**32 - 1),
    kernel=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    output_padding=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    double=st.booleans(),
    biased=st.booleans(),
)
def test_any_stride_2_transposed_convolution(
    seed: int,
    kernel: tuple[int, int],
    size: tuple[int, int],
    channels: tuple[int, int],
    padding: tuple[int, int],
    output_padding: tuple[int, int],
    double: bool,
    biased: bool,
) -> None:
    rng, dtype = np.random.default_rng(seed), np.float64 if double else np.float32
    longer = [2 * n - 2 + k - 2 * p + o for n, k, p, o in zip(size, kernel, padding, output_padding, strict=True)]
    if min(longer) < 1:
        return  # nothing comes out of it
    x = torch.from_numpy(rng.standard_normal((2, channels[0], *size)).astype(dtype))
    weights = rng.standard_normal((*channels, *kernel)).astype(dtype)
    bias = rng.standard_normal(channels[1]).astype(dtype) if biased else None
    made = shuffled(weights, bias, (*padding, *padding), output_padding)
    if made is None:
        assert any(p >= k for p, k in zip(padding, kernel, strict=True))  # crops more than the kernel reaches
        return
    torch_bias = None if bias is None else torch.from_numpy(bias)
    wanted = F.conv_transpose2d(x, torch.from_numpy(weights), torch_bias, 2, padding, output_padding)
    found = carried_out(x, made)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    scale = float(np.abs(weights).sum()) * float(x.abs().max()) + 1.0
    assert float((found - wanted).abs().max()) <= 4 * float(np.finfo(dtype).eps) * scale


def test_broads_layers_become_3x3() -> None:
    plan = axis_plan(5, 2, 2, 1)
    assert plan is not None
    assert plan.taps == ((4, 2, 0), (-1, 3, 1))
    assert (plan.pads, plan.surplus) == ((1, 1), 0)
    made = shuffled(np.ones((7, 3, 5, 5)), np.arange(3.0), (2, 2, 2, 2), (1, 1))
    assert made is not None and made.bias is not None
    assert (made.weights.shape, made.pads, made.surplus) == ((12, 7, 3, 3), (1, 1, 1, 1), (0, 0))
    assert int(np.count_nonzero(made.weights)) == 7 * 3 * 25  # every tap once, the rest zeros
    assert made.bias.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize(("kernel", "padding", "output_padding", "taps"), [(4, 1, 0, 3), (3, 1, 1, 2), (2, 0, 0, 1)])
def test_other_doublings_are_small_too(kernel: int, padding: int, output_padding: int, taps: int) -> None:
    plan = axis_plan(kernel, padding, padding, output_padding)
    assert plan is not None
    assert (len(plan.taps[0]), plan.surplus) == (taps, 0)


def test_cropping_past_the_kernel_is_left_alone() -> None:
    assert axis_plan(2, 3, 3, 0) is None
    assert shuffled(np.ones((1, 1, 2, 2)), None, (3, 3, 3, 3), (0, 0)) is None
