"""Training is measured both ways in one run, on the real step. How fast it is is not tested."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from installation.errors import InputError
from installation.studio.training import compute
from installation.wiring.bench.training import PLAIN, SCHEMA, run_training_bench, table


def test_both_ways_are_measured_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "use_all_cores", lambda: torch.set_num_threads(1))
    report = run_training_bench("tiny", tmp_path / "out.json", steps=2)
    assert [row.step.samples for row in report.rows] == [2, 2]
    assert report.rows[1].what == PLAIN.reason
    assert report.ratio == pytest.approx(report.rows[0].frames_per_s / report.rows[1].frames_per_s, rel=0.01)
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["schema"], found["preset"], found["batch"]) == (SCHEMA, "tiny", 8)
    console = Console(file=io.StringIO(), width=150, record=True)
    console.print(table(report))
    assert f"ours to plain: {report.ratio:g} in wall time" in " ".join(console.export_text().split())


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'broad' is unknown"):
        run_training_bench("broad", None)
    with pytest.raises(InputError, match="there is no folder"):
        run_training_bench("tiny", tmp_path / "none" / "out.json")
