"""Today's opening hours and those of the days to come, as the page tells them."""

from __future__ import annotations

import datetime as dt

from installation.control.page.content import Told
from installation.show.config_venue import DAY_MINUTES
from installation.show.schedule import Schedule
from installation.show.status import Snapshot
from installation.show.timetable import TimetableDay, timetable


def hours_told(schedule: Schedule, snapshot: Snapshot) -> Told:
    """Every date from today on; times in ms since 1970. Takes some ms: make it anew when `hours_key` is another."""
    days = timetable(schedule, snapshot.changes, snapshot.wall_ns)
    return {"days": [_day(schedule, day) for day in days]}


def hours_key(schedule: Schedule, snapshot: Snapshot) -> object:
    """What the hours that are told depend on."""
    return snapshot.changes, snapshot.period, schedule.local(snapshot.wall_ns).date()


def _day(schedule: Schedule, day: TimetableDay) -> Told:
    """`changed` by people while the show ran; an `exception` of the show file's own. `noon` is for its name, `from` and
    `to` are its midnights.
    """
    noon = dt.datetime.combine(day.date, dt.time(12), schedule.zone)
    midnights = (schedule.instant(day.date, minute, closing=False) for minute in (0, DAY_MINUTES))
    first, last = (at_ns // 1_000_000 for at_ns in midnights)
    return {
        "date": day.date.isoformat(),
        "noon": _ms(noon),
        "from": first,
        "to": last,
        "openings": [
            {"start": _ms(each.start), "end": None if each.end is None else _ms(each.end), "programme": each.programme}
            for each in day.openings
        ],
        "changed": day.changed,
        "exception": day.date in schedule.dated or (day.date.month, day.date.day) in schedule.yearly,
    }


def _ms(time: dt.datetime) -> int:
    return round(time.timestamp() * 1000)
