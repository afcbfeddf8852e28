"""What was asked for on the command line, in proper types, and the readings of its words."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from installation.errors import InputError
from installation.resources import resource_dir
from installation.show.schedule import Schedule


class Surface(Enum):
    """Where to play."""

    FULL_SCREEN = "full screen"
    WINDOWED = "windowed"
    HEADLESS = "headless"


@dataclass(frozen=True, slots=True)
class PlayRequest:
    """What `afterimage play` was asked for. `show` None is the demo."""

    show: Path | None
    venue: Path | None = None
    surface: Surface = Surface.FULL_SCREEN
    size: tuple[int, int] | None = None
    monitor: str | None = None
    always_open: bool = False
    at: str = "now"
    seconds: float | None = None
    stats: Path | None = None
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What `afterimage render` was asked for. `seconds` None is one round of the programme."""

    show: Path
    venue: Path | None
    output: Path
    seconds: float | None
    size: tuple[int, int] | None
    at: str
    beside: Path | None


def parse_size(text: str | None) -> tuple[int, int] | None:
    """ "1920x1080" as (width, height). Raises InputError."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text.strip())
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(16 <= side <= 16384 for side in size):
        raise InputError(f"--size {text}: write WIDTHxHEIGHT, 16 to 16384 each, such as 1920x1080")
    return size


def demo_show() -> Path:
    """The show that comes with Afterimage."""
    return resource_dir("show_configs") / "demo.toml"


def wall_at(at: str, schedule: Schedule, wall_ns: int) -> int:
    """The wall time (ns) that `at` means: now, the next opening, or an ISO time in the show's zone. Raises
    InputError.
    """
    if at == "now":
        return wall_ns
    if at == "opening":
        return _opening(schedule, wall_ns)
    try:
        moment = dt.datetime.fromisoformat(at)
    except ValueError:
        raise InputError(f"--at {at}: write now, opening, or a time such as 2027-05-15T10:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=schedule.zone)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def _opening(schedule: Schedule, wall_ns: int) -> int:
    period = schedule.at(wall_ns)
    if period.open:
        return period.anchor_ns
    if period.end_ns is None:
        raise InputError("--at opening: this show never opens; see its [schedule]")
    return period.end_ns
