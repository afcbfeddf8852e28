"""Kernels and tables: weights that sum to one, boxes that fit, runs that cover every block once."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from installation.errors import InputError
from installation.render.kernels import (
    KERNELS,
    Span,
    block_table,
    fit_spans,
    kernel_named,
    plan_runs,
    resampling_matrix,
    rows_per_block,
)
from tests.render.reference import resample

SIZES = [(9, 67), (16, 120), (7, 7), (30, 11), (5, 64)]


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("source", "target"), SIZES)
def test_matrix_equals_the_textbook(name: str, source: int, target: int) -> None:
    matrix = resampling_matrix(KERNELS[name], source, target, Span(Fraction(0), Fraction(target)))
    np.testing.assert_allclose(matrix, resample(name, np.eye(source), 0, target, target), atol=2e-6)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", KERNELS)
def test_one_to_one_is_the_identity(name: str) -> None:
    matrix = resampling_matrix(KERNELS[name], 12, 12, Span(Fraction(0), Fraction(12)))
    np.testing.assert_allclose(matrix, np.eye(12), atol=1e-7)


@pytest.mark.parametrize("rows", [8, 15])
@pytest.mark.parametrize(("source", "target"), SIZES)
def test_runs_rebuild_the_matrix(source: int, target: int, rows: int) -> None:
    matrices = [
        resampling_matrix(KERNELS[name], source, target, Span(Fraction(0), Fraction(target))) for name in KERNELS
    ]
    tables = [block_table(matrix, rows) for matrix in matrices]
    rebuilt = np.zeros((len(matrices), -(-target // rows) * rows, source + 64), np.float32)
    for run in plan_runs(tables):
        weights = np.frombuffer(run.weights, np.float32).reshape(len(tables), -1, rows)  # (pictures, taps, rows)
        for step in range(run.count):
            block = run.first + step * run.stride
            for picture, (base, stride) in enumerate(run.bases):
                first = base + step * stride
                lines = slice(block * rows, block * rows + rows)
                rebuilt[picture, lines, first : first + weights.shape[1]] += weights[picture].T
    np.testing.assert_array_equal(rebuilt[:, :target, :source], matrices)


def test_repeating_scales_make_few_runs() -> None:
    span = Span(Fraction(0), Fraction(1080))
    rows = rows_per_block([144], [span])
    table = block_table(resampling_matrix(KERNELS["lanczos"], 144, 1080, span), rows)
    assert (table.rows, table.taps) == (15, 8)
    runs = plan_runs([table])
    assert len(runs) < 6
    assert max(run.count for run in runs) > 65


def test_blocks_are_whole_periods_where_they_can_be() -> None:
    def rows(*pairs: tuple[int, Fraction]) -> int:
        return rows_per_block([source for source, _ in pairs], [Span(Fraction(0), length) for _, length in pairs])

    assert rows((144, Fraction(576))) == 16  # x 4
    assert rows((144, Fraction(720))) == 15  # x 5
    assert rows((144, Fraction(768))) == 16  # x 16/3
    assert rows((256, Fraction(1365))) == 8  # never repeats
    assert rows((144, Fraction(1080)), (216, Fraction(1080))) == 15  # x 15/2 and x 5
    assert rows((1440, Fraction(144))) == 8  # too many weights


def test_contain_leaves_whole_bars() -> None:
    across, down = fit_spans("contain", (16, 9), (100, 100))
    assert across == Span(Fraction(0), Fraction(100))
    assert down == Span(Fraction(22), Fraction(56))


def test_cover_crops_evenly() -> None:
    across, down = fit_spans("cover", (16, 9), (100, 100))
    assert down == Span(Fraction(0), Fraction(100))
    assert across.length == Fraction(1600, 9)
    assert across.start + across.length / 2 == 50


def test_stretch_fills() -> None:
    assert fit_spans("stretch", (16, 9), (50, 70)) == (Span(Fraction(0), Fraction(50)), Span(Fraction(0), Fraction(70)))


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError, match="nearest, bilinear, catmull_rom, lanczos, spline36"):
        kernel_named("bicubic")
    with pytest.raises(InputError, match="contain, cover, stretch"):
        fit_spans("zoom", (1, 1), (1, 1))
