"""The openings of the days to come, as people read them: local times, date by date. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from installation.show.changes import AHEAD, Changes, concerns, in_effect
from installation.show.config_venue import DAY_MINUTES
from installation.show.schedule import ONE_DAY, Schedule


@dataclass(frozen=True, slots=True)
class LocalOpening:
    """Open from `start` until `end` (None: for ever), in the show's zone; it may begin or end on another date."""

    start: dt.datetime
    end: dt.datetime | None
    programme: str


@dataclass(frozen=True, slots=True)
class TimetableDay:
    """The openings that touch a local date, in order; `changed`: people changed its hours while the show ran."""

    date: dt.date
    openings: tuple[LocalOpening, ...]
    changed: bool


def timetable(schedule: Schedule, changes: Changes, wall_ns: int, days: int = AHEAD.days) -> tuple[TimetableDay, ...]:
    """Today and the `days` that follow, with what people changed. Takes some ms: make it anew when the changes or the
    date are others, not for everybody who asks.
    """
    hours, today = in_effect(schedule, changes), schedule.local(wall_ns).date()
    dates = (today + number * ONE_DAY for number in range(days + 1))
    return tuple(
        TimetableDay(date, _openings(hours, date), concerns(schedule, changes, wall_ns, date)) for date in dates
    )


def _openings(hours: Schedule, date: dt.date) -> tuple[LocalOpening, ...]:
    noon_ns = hours.instant(date, DAY_MINUTES // 2, closing=False)
    if hours.local(noon_ns).date() != date:  # a date that the zone skipped
        return ()
    return tuple(
        LocalOpening(
            hours.local(each.start_ns),
            None if each.end_ns is None else hours.local(each.end_ns),
            each.programme,
        )
        for each in hours.today(noon_ns)
    )
