"""Opening hours that people change while the show runs: open for longer, closed now, other hours on a date to come."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from installation.show.schedule import Hours


@dataclass(frozen=True, slots=True)
class DayHours:
    """The hours of one date, instead of those the show has; none: closed all day."""

    date: dt.date
    hours: tuple[Hours, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Wall time (ns) that is not as the hours have it: `programme` plays, or (None) the house is closed.

    `end_ns` None is until the next opening that the hours have. `date` is the local date on which people said so.
    """

    date: dt.date
    start_ns: int
    end_ns: int | None
    programme: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that people changed: `days` by date, `stretches` in order, none over another."""

    days: tuple[DayHours, ...] = ()
    stretches: tuple[Stretch, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.stretches)
