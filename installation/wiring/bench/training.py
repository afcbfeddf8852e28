"""`afterimage bench --training PRESET`: how fast a recipe learns here, and how fast the very same step is in plain
eager float32, in one run.

Both take turns, step by step, so that whatever else this machine does disturbs both. Wall time is what a person waits;
processor time over the threads is what it would be on an idle machine.
"""

from __future__ import annotations

from installation.studio.training import compute  # isort: skip  # before torch is loaded, see there

import datetime as dt
import gc
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import installation
from installation.clock import SystemClock
from installation.errors import InputError
from installation.studio.preset import Preset
from installation.studio.presets import preset_named
from installation.studio.training.compute import Precision
from installation.studio.training.trainer import Trainer
from installation.studio.world import World, joined
from installation.venue.metrics import write_report
from installation.wiring.bench.machine import Machine, commit_of, load_average, this_machine
from installation.wiring.bench.timing import Timing, summary

SCHEMA = "afterimage-training-bench-1"
PLAIN = Precision(torch.float32, "plain eager float32, channels first", torch.contiguous_format)
STEPS = 4  # counted, of each kind; one more before warms up


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A way to train: the time of a step, and frames a second of wall time and of processor time for each thread."""

    what: str
    step: Timing
    cpu_step: Timing
    frames_per_s: float
    frames_per_cpu_s: float


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """Both ways. Ratios: ours to plain."""

    schema: str
    date: str
    commit: str | None
    machine: Machine
    preset: str
    size: tuple[int, int]
    batch: int
    threads: int
    rows: tuple[TrainingRow, ...]
    ratio: float
    cpu_ratio: float


def run_training_bench(preset: str, json: Path | None, steps: int = STEPS) -> TrainingReport:
    """Measure, print a table, and write the figures to `json`. Raises InputError for an unknown preset or folder."""
    recipe = preset_named(preset)
    if json is not None and not json.resolve().parent.is_dir():
        raise InputError(f"--json {json}: there is no folder {json.parent}")
    load = load_average()
    compute.use_all_cores()
    ours = compute.fastest_precision(recipe.wide)
    with joined() as world:
        rows = _measured(recipe, (ours, PLAIN), world, steps)
    fast, plain = rows
    report = TrainingReport(
        schema=SCHEMA,
        date=dt.datetime.fromtimestamp(SystemClock().wall_ns() // 10**9, dt.UTC).isoformat(),
        commit=commit_of(Path(installation.__file__).resolve().parent.parent),
        machine=this_machine("not used", load),
        preset=recipe.name,
        size=(recipe.networks.width, recipe.networks.height),
        batch=recipe.batch,
        threads=torch.get_num_threads(),
        rows=rows,
        ratio=round(fast.frames_per_s / plain.frames_per_s, 2),
        cpu_ratio=round(fast.frames_per_cpu_s / plain.frames_per_cpu_s, 2),
    )
    Console().print(table(report))
    if json is not None:
        write_report(json, asdict(report))
    return report


def _measured(
    recipe: Preset, ways: tuple[Precision, Precision], world: World, steps: int
) -> tuple[TrainingRow, TrainingRow]:
    """A row for each way, their steps taken in turn on the same noise pictures."""
    height, width = recipe.networks.height, recipe.networks.width
    frames = np.random.default_rng(recipe.seed).integers(0, 256, (recipe.batch, height, width, 3), np.uint8)
    trainers = [Trainer(recipe, way, world) for way in ways]
    wall: list[list[float]] = [[], []]
    cpu: list[list[float]] = [[], []]
    for step in range(steps + 1):
        for number, trainer in enumerate(trainers):
            begun, cpu_begun = time.perf_counter(), time.process_time()
            trainer.step(frames, step, 0.5)
            wall[number].append(1e3 * (time.perf_counter() - begun))
            cpu[number].append(1e3 * (time.process_time() - cpu_begun) / torch.get_num_threads())
    del trainers
    gc.collect()
    fast, plain = (
        _row(way.reason, summary(wall[number][1:]), summary(cpu[number][1:]), recipe.batch)
        for number, way in enumerate(ways)
    )
    return fast, plain


def _row(what: str, step: Timing, cpu_step: Timing, batch: int) -> TrainingRow:
    return TrainingRow(
        what, step, cpu_step, round(1e3 * batch / step.median_ms, 2), round(1e3 * batch / cpu_step.median_ms, 2)
    )


def table(report: TrainingReport) -> Table:
    """For people."""
    width, height = report.size
    machine = report.machine
    made = Table(
        title=f"training {report.preset}: {width}x{height}, batch {report.batch}, {report.threads} threads",
        caption=f"{machine.cpu}, load before {machine.load}; ours to plain: {report.ratio:g} in wall time, "
        f"{report.cpu_ratio:g} in processor time",
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("", "frames/s", "frames/processor s", "step median ms", "p5", "p95"):
        made.add_column(heading, justify="right" if heading else "left", overflow="fold")
    for row in report.rows:
        times = (f"{value:.0f}" for value in (row.step.median_ms, row.step.p5_ms, row.step.p95_ms))
        made.add_row(row.what, f"{row.frames_per_s:g}", f"{row.frames_per_cpu_s:g}", *times)
    return made
