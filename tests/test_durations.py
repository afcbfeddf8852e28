"""Durations in fixed memory."""

from __future__ import annotations

import numpy as np
import pytest

from installation.durations import Durations, Spread


def test_nothing_measured_is_zero() -> None:
    assert Durations().spread() == Spread(0.0, 0.0, 0.0)


@pytest.mark.parametrize("middle_ms", [0.05, 4.2, 45.0, 900.0])
def test_quantiles_are_within_a_few_percent(middle_ms: float) -> None:
    samples = np.random.default_rng(1).lognormal(np.log(middle_ms), 0.4, 5000)
    durations = Durations()
    for sample in samples:
        durations.add(round(sample * 1e6))
    spread = durations.spread()
    assert spread.p50 == pytest.approx(np.quantile(samples, 0.5), rel=0.03)
    assert spread.p99 == pytest.approx(np.quantile(samples, 0.99), rel=0.03)
    assert spread.max == pytest.approx(samples.max(), rel=1e-5)


def test_extremes_are_counted() -> None:
    durations = Durations()
    for duration_ns in (0, 1, 10**14):
        durations.add(duration_ns)
    assert durations.count == 3
    assert durations.spread().max == 1e8
