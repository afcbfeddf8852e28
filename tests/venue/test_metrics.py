from __future__ import annotations

import json
from pathlib import Path

import pytest

from installation.errors import UnavailableError
from installation.venue.metrics import MAX_MEMORY_SAMPLES, SCHEMA, Metrics, resident_mb, write_report, write_text

MS = 1_000_000
S = 1000 * MS


def test_a_slot_is_late_after_half_a_period_and_held_when_its_frame_never_came() -> None:
    metrics = Metrics()
    for after in (0, 19 * MS, 21 * MS, None):
        metrics.slot(after, 40 * MS)
    metrics.skipped(3)
    assert (metrics.slots, metrics.late, metrics.held) == (7, 5, 4)


def test_intervals_are_those_between_presents() -> None:
    metrics = Metrics()
    for t in (0, 40, 80, 180):
        metrics.present(t * MS)
    report = metrics.report({"size": [1, 2]})
    assert report["interval_ms"] == {
        "p50": pytest.approx(40, rel=0.02),
        "p99": pytest.approx(100, rel=0.02),
        "max": 100,
    }
    assert (report["schema"], report["presented"], report["size"]) == (SCHEMA, 4, [1, 2])


def test_memory_is_sampled_every_ten_seconds_and_stays_bounded_for_months() -> None:
    metrics = Metrics()
    metrics.sample_memory(0)
    assert metrics.memory == []
    metrics.first_picture(0, 1500 * MS)
    assert metrics.startup_ms == 1500
    for t in range(0, 61, 5):
        metrics.sample_memory(t * S)
    assert [t for t, _ in metrics.memory] == [0, 10, 20, 30, 40, 50, 60]
    for t in range(70, 2_000_000, 10):
        metrics.sample_memory(t * S)
    assert len(metrics.memory) <= MAX_MEMORY_SAMPLES
    assert metrics.memory[-1][0] > 1_900_000


def test_resident_memory_is_that_of_a_python_process() -> None:
    assert 5 < resident_mb() < 20_000


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_report(tmp_path / "stats.json", {"a": 1})
    assert json.loads((tmp_path / "stats.json").read_text("utf-8")) == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(UnavailableError, match="nowhere"):
        write_text(tmp_path / "nowhere" / "stats.json", "x")
