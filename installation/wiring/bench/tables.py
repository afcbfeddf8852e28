"""The bench's figures as tables for people; the same figures go into the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from installation.wiring.bench.against import Comparison, Contender
from installation.wiring.bench.decode import DecodeRow
from installation.wiring.bench.flood import FloodRun
from installation.wiring.bench.machine import Machine
from installation.wiring.bench.playing import Played
from installation.wiring.bench.report import FloodReport, Report
from installation.wiring.bench.timing import Timing
from installation.wiring.bench.upscale import UpscaleRow

_TIMES = ("median ms", "p5", "p95", "n")
_WORDS = frozenset({"", "decoder", "runtime", "kernel", "from", "to"})  # columns of words; the others are numbers


def tables(report: Report) -> Iterator[Table | Text]:
    """One table for each thing measured, and what has to be said beside it."""
    yield _facts("machine", _machine(report.machine, report.commit, report.date) | {"show": report.show})
    yield _decode_table(report.decode)
    yield from (Text(note) for note in report.eager)
    yield _upscale_table(report.upscale)
    yield Text("upload, upscaling, look and the wait for the GPU; a new frame each time")
    yield _facts(f"{report.playback.seconds:g} s of playing, headless", _playback(report.playback))
    yield _table("start of the process to first picture", _TIMES, [_times(report.startup)])
    yield Text("processes start cold; the disk cache is warm")
    if report.against is not None:
        yield _against_table(report.against)
        yield from (Text(line) for line in _against_notes(report.against))


def flood_tables(report: FloodReport) -> Iterator[Table | Text]:
    """The runs side by side, and what has to be said beside them."""
    flood = report.flood
    yield _facts("machine", _machine(report.machine, report.commit, report.date))
    runs = (flood.baseline, *flood.floods)
    columns = [_flood_run(run, flood.baseline) for run in runs]
    yield _table(
        f"{flood.seconds:g} s of playing while one process sends OSC values as fast as it can",
        ("", *(run.what for run in runs)),
        [(fact, *(column[fact] for column in columns)) for fact in columns[0]],
    )
    yield Text("triggers come over TCP from another program, in bursts; intervals are those between pictures")
    yield Text(
        "while pictures are steered without a rest none is made in time: the nearest is shown, and counts as late"
    )


def _flood_run(run: FloodRun, baseline: FloodRun) -> dict[str, str]:
    stats, orders, received = run.played.stats, run.orders, run.control["received"]
    interval, memory = stats["interval_ms"], stats["rss_mb"]
    answer = "none" if orders.answer is None else f"{orders.answer.median_ms:.0f}, {orders.answer.p95_ms:.0f}"
    return {
        "sent a second": f"{run.traffic.rate:,.0f}",
        "looked at": f"{received['datagrams'] - received['over_rate']:,}",
        "read and dropped": f"{received['over_rate']:,}",
        "dropped unread": f"{run.control['kernel_dropped']:,}",
        "interval p50, ms": f"{interval['p50']:g}",
        "interval p99, ms": f"{interval['p99']:g}",
        "beside the first": f"{run.p99_ms - baseline.p99_ms:+.1f}",
        "late slots": f"{stats['late']} of {stats['slots']}",
        "triggers obeyed": f"{run.obeyed} of {orders.sent}",
        "in their order": "yes" if orders.in_order else "NO",
        "after ms p50, p95": answer,
        "WebSockets": str(run.watched.watchers),
        "told, messages": f"{run.watched.messages:,}",
        "MB every 10 s": ", ".join(f"{sample[1]:.0f}" for sample in memory),
        "processor": f"{run.played.spent.cpu_s:.1f} s",
    }


def _machine(machine: Machine, commit: str | None, date: str) -> dict[str, str]:
    memory = "memory not known" if machine.memory_gb is None else f"{machine.memory_gb:g} GB"
    load = "not known" if machine.load is None else f"{machine.load:g} (other work spoils the figures)"
    return {
        "processor": f"{machine.cpu}, {machine.cores} cores for us, {memory}",
        "load before": load,
        "OpenGL": machine.renderer,
        "system": f"{machine.system}, Python {machine.python}",
        "libraries": ", ".join(f"{name} {version}" for name, version in machine.libraries.items()),
        "commit": commit or "not a checkout",
        "date": date,
    }


def _decode_table(rows: Sequence[DecodeRow]) -> Table:
    columns = ("decoder", "runtime", "threads", "loses dB", *_TIMES)
    lines = [
        (
            f"{row.model} {row.what}",
            row.runtime,
            row.provider if row.threads is None else str(row.threads),
            "" if row.loss_db is None else f"{row.loss_db:.2f}",
        )
        for row in rows
    ]
    cells = [(*line, *_times(row.time)) for line, row in zip(lines, rows, strict=True)]
    return _table("decoding one frame", columns, cells)


def _upscale_table(rows: Sequence[UpscaleRow]) -> Table:
    cells = [(row.kernel, _by(row.source), _by(row.target), *_times(row.time)) for row in rows]
    return _table("drawing one picture", ("kernel", "from", "to", *_TIMES), cells)


def _playback(played: Played) -> dict[str, str]:
    stats, spent = played.stats, played.spent
    interval, decoding = stats["interval_ms"], stats["decode_ms"]
    late = 100 * stats["late"] / max(1, stats["slots"])
    return {
        "size": f"{_by(stats['size'])}, decoding on {stats['decoding']}",
        "slots": f"{stats['slots']}: late {stats['late']} ({late:.2f} %), of these held {stats['held']}",
        "interval ms": f"p50 {interval['p50']:g}, p99 {interval['p99']:g}, max {interval['max']:g}",
        "decode ms": f"p50 {decoding['p50']:g}, p99 {decoding['p99']:g}, max {decoding['max']:g}",
        "processor": f"{spent.cpu_s:.1f} s ({spent.user_s:.1f} user, {spent.system_s:.1f} system), start included",
        "memory": f"{_memory(spent.peak_rss_mb)} at most",
    }


def _against_table(compared: Comparison) -> Table:
    both = [_contender(contender) for contender in (compared.ours, compared.theirs)]
    names = (compared.ours.name, compared.theirs.name)
    return _table(
        f"{compared.seconds:g} s full screen, one run each",
        ("", *names),
        [(fact, *(contender[fact] for contender in both)) for fact in both[0]],
    )


def _contender(contender: Contender) -> dict[str, str]:
    spent, server = contender.spent, contender.server_cpu_s
    return {
        "processor seconds": f"{spent.cpu_s:.1f}",
        "user, system": f"{spent.user_s:.1f}, {spent.system_s:.1f}",
        "display server's": "not known" if server is None else f"{server:.1f}",
        "pictures shown": str(contender.presented),
        "late or dropped": str(contender.missed),
        "memory at most": _memory(spent.peak_rss_mb),
        "size": _by(contender.size),
    }


def _against_notes(compared: Comparison) -> tuple[str, ...]:
    return (
        f"{compared.theirs.name} plays {compared.footage}; both with {compared.kernel}, on {compared.display}; "
        "starts included",
        f"processor seconds with the display server's, ours to theirs: {compared.cpu_ratio:g}; "
        f"for each picture shown: {compared.cpu_ratio_per_picture:g}",
    )


def _facts(title: str, rows: Mapping[str, str]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in _WORDS else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _times(time: Timing) -> tuple[str, ...]:
    return f"{time.median_ms:.2f}", f"{time.p5_ms:.2f}", f"{time.p95_ms:.2f}", str(time.samples)


def _by(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"


def _memory(peak_rss_mb: float | None) -> str:
    return "not known" if peak_rss_mb is None else f"{peak_rss_mb:.0f} MB"
