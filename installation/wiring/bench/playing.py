"""The real command, `afterimage play`, as the bench runs it: in a process of its own, from a cold start."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import installation
from installation.wiring.bench.process import Spent, run_measured
from installation.wiring.bench.timing import Timing, summary

PACKAGE = Path(installation.__file__).resolve().parent.parent  # where `python -m installation...` is run
_PATIENCE = 3  # times the playing time, and
_START_S = 120.0  # seconds for starting and ending


@dataclass(frozen=True, slots=True)
class Played:
    """One run: the seconds asked for, what the process spent from its creation to its end, and its own statistics
    (the contents of `--stats`).
    """

    seconds: float
    spent: Spent
    stats: Mapping[str, Any]


def play_headless(show: Path, seconds: float, size: tuple[int, int]) -> Played:
    """Play on no display, whatever the schedule says, from the opening of the programme on. Raises UnavailableError
    with what the player said.
    """
    where = ("--headless", "--size", f"{size[0]}x{size[1]}", "--open", "--at", "opening")
    return play(show, seconds, where, os.environ)


def play(show: Path, seconds: float, options: Sequence[str], environment: Mapping[str, str]) -> Played:
    """Play with these options. Raises UnavailableError with what the player said."""
    with TemporaryDirectory(prefix="afterimage-bench-") as folder:
        stats = Path(folder) / "stats.json"
        command = [sys.executable, "-m", "installation", "play", str(show.resolve()), *options]
        command += ["--seconds", f"{seconds:g}", "--stats", str(stats)]
        spent, _ = run_measured(
            command, environment=environment, limit_s=_PATIENCE * seconds + _START_S, folder=PACKAGE
        )
        return Played(seconds, spent, json.loads(stats.read_text(encoding="utf-8")))


def startup(show: Path, times: int, seconds: float, size: tuple[int, int]) -> Timing:
    """From the creation of the process to the first real picture, `times` cold processes (the disk cache is warm)."""
    return summary([float(play_headless(show, seconds, size).stats["startup_ms"]) for _ in range(times)])
