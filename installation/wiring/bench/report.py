"""What the bench found, as it goes into the JSON."""

from __future__ import annotations

from dataclasses import dataclass

from installation.wiring.bench.against import Comparison
from installation.wiring.bench.decode import DecodeRow
from installation.wiring.bench.flood import Flood
from installation.wiring.bench.machine import Machine
from installation.wiring.bench.playing import Played
from installation.wiring.bench.timing import Timing
from installation.wiring.bench.upscale import UpscaleRow

SCHEMA = "afterimage-bench-1"
FLOOD_SCHEMA = "afterimage-flood-1"


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one bench. `eager` holds a remark for each model on its comparison with PyTorch."""

    schema: str
    date: str
    commit: str | None
    show: str
    machine: Machine
    decode: tuple[DecodeRow, ...]
    eager: tuple[str, ...]
    upscale: tuple[UpscaleRow, ...]
    playback: Played
    startup: Timing
    against: Comparison | None


@dataclass(frozen=True, slots=True)
class FloodReport:
    """All figures of one flood."""

    schema: str
    date: str
    commit: str | None
    machine: Machine
    flood: Flood
