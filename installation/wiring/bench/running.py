"""`afterimage bench`: what decoding, drawing, playing and starting cost on this machine, beside mpv, or in a flood.

Everything is measured the way it is used: drawing with the real renderer, decoding in this process, playing and
starting with the real command. One thing at a time, so that nothing disturbs another.
"""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from installation.clock import SystemClock
from installation.errors import InputError
from installation.nets.processor import usable_cores
from installation.render.egl import EglPresenter
from installation.venue.metrics import write_report
from installation.wiring.bench.against import Comparison, compare_with_mpv, require_peer
from installation.wiring.bench.decode import (
    DecodeRow,
    decode_rows,
    eager_rows,
    models_of,
    sample_latents,
    thread_counts,
)
from installation.wiring.bench.flood import measure_flood
from installation.wiring.bench.machine import commit_of, load_average, this_machine
from installation.wiring.bench.playing import PACKAGE, play_headless, startup
from installation.wiring.bench.report import FLOOD_SCHEMA, SCHEMA, FloodReport, Report
from installation.wiring.bench.tables import flood_tables, tables
from installation.wiring.bench.upscale import UpscaleRow, decoded_frames, upscale_rows
from installation.wiring.loading import LoadedWork, load_work
from installation.wiring.playing import USUAL_RATE
from installation.wiring.request import demo_show


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure: repetitions, seconds, and the size (width, height) of the picture."""

    warm_up: int = 10
    decodes: int = 100
    draws: int = 100
    play_s: float = 30.0
    starts: int = 3
    start_s: float = 0.2
    against_s: float = 60.0
    size: tuple[int, int] = (1920, 1080)


THOROUGH = Effort()


def run_bench(show: Path | None, json: Path | None, against: str | None, effort: Effort = THOROUGH) -> Report:
    """Measure, print tables, and write the figures to `json`; the demo show if `show` is None.

    Raises InputError for what cannot be asked for, UnavailableError for what is missing here.
    """
    if against is not None:
        require_peer(against)
    _require_folder(json)
    console = Console()
    report = measure(show or demo_show(), effort, console, beside_mpv=against is not None)
    for table in tables(report):
        console.print(table)
    if json is not None:
        write_report(json, asdict(report))
    return report


def run_flood(show: Path | None, json: Path | None, seconds: float) -> FloodReport:
    """Measure a flood at the first film of a show's first model, print a table, and write the figures to `json`.

    Raises InputError for what cannot be asked for, UnavailableError for what is missing here.
    """
    _require_folder(json)
    console = Console()
    load = load_average()
    work = load_work(show or demo_show(), None, USUAL_RATE, always_open=True)
    model = next(iter(models_of(work).values()))
    flood = measure_flood(model, next(iter(model.films)), seconds, console.print)
    machine = this_machine(flood.baseline.played.stats["renderer"], load)
    report = FloodReport(FLOOD_SCHEMA, _today(), _commit(), machine, flood)
    for table in flood_tables(report):
        console.print(table)
    if json is not None:
        write_report(json, asdict(report))
    return report


def measure(show: Path, effort: Effort, console: Console, *, beside_mpv: bool) -> Report:
    """All figures of a show. Raises AfterimageError."""
    load, commit = load_average(), _commit()
    work = load_work(show, None, USUAL_RATE, always_open=True)
    renderer, upscale = _upscale(work, effort, console)
    decode, notes = _decode(work, effort, console)
    console.print(f"playing {effort.play_s:g} s")
    playback = play_headless(show, effort.play_s, effort.size)
    console.print(f"starting {effort.starts} times")
    starting = startup(show, effort.starts, effort.start_s, effort.size)
    return Report(
        schema=SCHEMA,
        date=_today(),
        commit=commit,
        show=f"{show}: {work.show.title}",
        machine=this_machine(renderer, load),
        decode=decode,
        eager=notes,
        upscale=upscale,
        playback=playback,
        startup=starting,
        against=_beside_mpv(show, work, effort, console) if beside_mpv else None,
    )


def _require_folder(json: Path | None) -> None:
    if json is not None and not json.resolve().parent.is_dir():
        raise InputError(f"--json {json}: there is no folder {json.parent}")


def _today() -> str:
    return dt.datetime.fromtimestamp(SystemClock().wall_ns() // 10**9, dt.UTC).isoformat()


def _commit() -> str | None:
    return commit_of(PACKAGE)


def _decode(work: LoadedWork, effort: Effort, console: Console) -> tuple[tuple[DecodeRow, ...], tuple[str, ...]]:
    rows: list[DecodeRow] = []
    notes = []
    threads = thread_counts(usable_cores())
    for model in models_of(work).values():
        console.print(f"decoding with {model.name}")
        z = sample_latents(work, model)
        rows += decode_rows(model, z, threads, warm_up=effort.warm_up, samples=effort.decodes)
        eager = eager_rows(model, z, threads, warm_up=effort.warm_up, samples=effort.decodes)
        rows += eager.rows
        notes.append(eager.note)
    return tuple(rows), tuple(notes)


def _upscale(work: LoadedWork, effort: Effort, console: Console) -> tuple[str, tuple[UpscaleRow, ...]]:
    """The renderer's name, and its times for the frames of the show's first model."""
    console.print(f"drawing at {effort.size[0]}x{effort.size[1]}")
    model = next(iter(models_of(work).values()))
    frames = decoded_frames(model, sample_latents(work, model))
    with closing(EglPresenter(effort.size)) as presenter:
        rows = upscale_rows(presenter, frames, work.show.look, warm_up=effort.warm_up, samples=effort.draws)
        return presenter.graphics.driver, tuple(rows)


def _beside_mpv(show: Path, work: LoadedWork, effort: Effort, console: Console) -> Comparison:
    size = next(iter(models_of(work).values())).size
    kernel = work.show.look.upscale
    return compare_with_mpv(show, size, kernel, seconds=effort.against_s, size=effort.size, say=console.print)
