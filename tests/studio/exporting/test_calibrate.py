"""Levels of 8 bits: what they can say, and that they are chosen for what was seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from installation.studio.exporting.calibrate import (
    SHARES,
    Levels,
    Seen,
    affine_levels,
    centred_levels,
    positive_levels,
    watch,
    weight_levels,
)
from tests.studio.exporting.test_rewrite import floats, graph_of, paper

LEAST_SHARE = float(min(SHARES))
values = arrays(np.float32, (3, 40), elements=st.floats(-100, 100, width=32))


def seen_of(numbers: np.ndarray) -> Seen:
    return Seen(numbers.min(axis=1), numbers.max(axis=1), numbers)


def said(levels: Levels, numbers: np.ndarray) -> np.ndarray:
    """Numbers (C, n) after a round trip through 8 bits, as ONNX defines it."""
    scale, zero = levels.scale[:, None], levels.zero[:, None].astype(np.float32)
    return (np.clip(np.round(numbers / scale) + zero, 0, 255) - zero) * scale


@given(values)
def test_zero_is_exact_and_nothing_seen_is_clipped_by_more_than_a_share(numbers: np.ndarray) -> None:
    for levels, kept in (
        (affine_levels(seen_of(numbers)), numbers),
        (positive_levels(seen_of(numbers)), np.maximum(numbers, 0)),
        (centred_levels(seen_of(numbers)), numbers),
    ):
        assert (said(levels, np.zeros((3, 1), np.float32)) == 0).all()
        reach = np.abs(kept).max(axis=1, keepdims=True)
        allowed = levels.scale[:, None] * 1.01 + (1 - LEAST_SHARE) * reach
        assert (np.abs(said(levels, kept) - kept) <= allowed).all()


def test_each_channel_has_its_own_scale() -> None:
    loud_and_quiet = np.stack([np.linspace(-100, 100, 500), np.linspace(-0.1, 0.1, 500)]).astype(np.float32)
    error = np.abs(said(affine_levels(seen_of(loud_and_quiet)), loud_and_quiet) - loud_and_quiet).max(axis=1)
    assert (error < [0.5, 0.0005]).all()


def test_one_odd_value_in_thousands_is_clipped_rather_than_all_made_coarse() -> None:
    numbers = np.random.default_rng(0).uniform(-1, 1, (1, 100_000)).astype(np.float32)
    numbers[0, 0] = 1.2
    levels = affine_levels(seen_of(numbers))
    assert (255 - levels.zero[0]) * levels.scale[0] < 1.1


def test_errors_are_counted_behind_a_squash() -> None:
    numbers = np.random.default_rng(1).normal(0, 3, (1, 5000)).astype(np.float32)
    plain, behind = affine_levels(seen_of(numbers)), affine_levels(seen_of(numbers), np.tanh)
    assert behind.scale[0] < plain.scale[0]  # what tanh flattens anyway is clipped


def test_runs_of_channels_taken_as_one() -> None:
    numbers = np.arange(24, dtype=np.float32).reshape(4, 6)
    both = seen_of(numbers).grouped(2)
    assert (both.low.tolist(), both.high.tolist()) == ([0, 12], [11, 23])
    assert sorted(both.values[0].tolist()) == list(range(12))


@given(arrays(np.float64, (4, 3, 2), elements=st.floats(-10, 10)))
def test_weights_are_symmetric_and_close(weights: np.ndarray) -> None:
    numbers, scale = weight_levels(weights)
    assert numbers.dtype == np.int8 and numbers.min() >= -127
    assert (np.abs(numbers * scale[:, None, None].astype(np.float64) - weights) <= 0.501 * scale[:, None, None]).all()


def test_watching_sees_every_channel_of_every_frame() -> None:
    model = graph_of(paper)
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    seen = watch(model, [conv.input[0], conv.output[0]], floats(5, 7))
    assert seen[conv.input[0]].low.shape == (12,)
    made = seen[conv.output[0]]
    assert made.values.shape[0] == 4 * 8
    assert made.values.min(axis=1) == pytest.approx(made.low)
    assert made.values.max(axis=1) == pytest.approx(made.high)
