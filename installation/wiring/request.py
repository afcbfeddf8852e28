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

# Years that `--at` may name: those whose opening hours can be told.
FIRST_YEAR, LAST_YEAR = 1971, 2999


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

    def __post_init__(self) -> None:
        """Raises InputError where the statistics could never be written: better now than after a night of playing."""
        if self.stats is not None and (self.stats.is_dir() or not self.stats.absolute().parent.is_dir()):
            raise InputError(f"--stats {self.stats}: write the name of a file in a folder that exists")


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
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise InputError(f"--at {at}: is in the year {moment.year}; the calendar here is {FIRST_YEAR} to {LAST_YEAR}")
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
