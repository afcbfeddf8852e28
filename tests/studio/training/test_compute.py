"""The number format follows what the processor truly has."""

from __future__ import annotations

import os

import pytest
import torch

from installation.studio.training import compute


def test_without_units_it_is_float32_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "has_bfloat16_units", lambda: False)
    found = compute.fastest_precision(wide=True)
    assert not found.reduced
    assert "no bfloat16 units" in found.reason


@pytest.mark.parametrize(("half_s", "dtype"), [(0.5, torch.bfloat16), (0.95, torch.float32), (2.0, torch.float32)])
def test_with_units_the_faster_one_wins(monkeypatch: pytest.MonkeyPatch, half_s: float, dtype: torch.dtype) -> None:
    monkeypatch.setattr(compute, "has_bfloat16_units", lambda: True)
    monkeypatch.setattr(compute, "has_matrix_units", lambda: False)
    monkeypatch.setattr(compute, "_trial_s", lambda kind, *_: 1.0 if kind is torch.float32 else half_s)
    found = compute.fastest_precision(wide=True)
    assert found.dtype is dtype
    assert "a trial took" in found.reason


def test_with_matrix_units_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "has_matrix_units", lambda: True)
    monkeypatch.setattr(compute, "_trial_s", lambda *_: pytest.fail("tried"))
    assert compute.fastest_precision(wide=True).name == "bfloat16"


def test_narrow_networks_stay_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "has_matrix_units", lambda: True)
    assert compute.fastest_precision(wide=False).name == "float32"
    assert compute.precision_for("", wide=False).name == "float32"


def test_a_training_goes_on_in_the_format_it_began_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "has_bfloat16_units", lambda: True)
    assert compute.precision_for("float32", wide=True).dtype is torch.float32
    assert compute.precision_for("bfloat16", wide=True).dtype is torch.bfloat16
    monkeypatch.setattr(compute, "has_bfloat16_units", lambda: False)
    assert compute.precision_for("bfloat16", wide=True).dtype is torch.float32


def test_the_trial_runs_in_both_formats() -> None:
    assert compute._trial_s(torch.float32, 8, 8) > 0.0
    assert compute._trial_s(torch.bfloat16, 8, 8) > 0.0
    assert os.environ["OMP_WAIT_POLICY"]
    assert os.environ["GOMP_SPINCOUNT"]
