"""Opening hours by an independent scan: every minute of real time, by what a clock on the wall shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from installation.show.config_tables import ScheduleTable
from installation.show.schedule import Schedule, compile_schedule

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def schedule(zone: str = "Europe/London", **table: object) -> Schedule:
    return compile_schedule(ScheduleTable.model_validate({"zone": zone, **table}), "day")


def ns(plan: Schedule, text: str, fold: int = 0) -> int:
    """A local time as wall nanoseconds."""
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=plan.zone, fold=fold)
    return int(moment.timestamp()) * SECOND


def said(plan: Schedule, wall_ns: int | None) -> str:
    return "never" if wall_ns is None else plan.local(wall_ns).strftime("%Y-%m-%d %H:%M")


def ruled(table: dict[str, object], date: dt.date) -> list[tuple[int, int, str]]:
    """The hours of a date, straight from the table."""
    exceptions = [dict(each) for each in table.get("except", [])]  # type: ignore[attr-defined]
    for name in (date.isoformat(), f"{date:%m-%d}"):
        found = [each for each in exceptions if each["date"] == name]
        if found:
            return [(*minutes(each["hours"]), each["play"]) for each in found if "hours" in each]
    entries = [dict(each) for each in table["open"]]  # type: ignore[attr-defined]
    return [(*minutes(each["hours"]), each["play"]) for each in entries if DAYS[date.weekday()] in named(each["days"])]


def named(days: str) -> set[str]:
    if "-" in days:
        first, last = (DAYS.index(day) for day in days.split("-"))
        return set(DAYS[first : last + 1])
    return set(days.split(","))


def minutes(hours: str) -> tuple[int, int]:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in hours.split("-"))
    return start, end if end > start else end + 1440


class WallClock:
    """What a clock on the wall shows in each minute of real time, from two days before a date until days after it.

    Doors open the first time it shows (or jumps over) an opening, and close the last time it shows (or jumps over) the
    closing.
    """

    def __init__(self, zone: str, first: dt.date, days: int) -> None:
        tz = ZoneInfo(zone)
        self.first, self.days = first, days
        self.start = int(dt.datetime.combine(first - dt.timedelta(days=2), dt.time(), dt.UTC).timestamp()) // 60
        self.readings = [
            dt.datetime.fromtimestamp(60 * minute, tz).replace(tzinfo=None)
            for minute in range(self.start, self.start + (days + 5) * 1440)
        ]
        highest = self.readings[0]
        self._reached: dict[dt.datetime, int] = {}  # local minute -> first index that shows it or a later one
        self._last_shown: dict[dt.datetime, int] = {}
        for index, reading in enumerate(self.readings):
            self._last_shown[reading] = index
            while highest < reading:
                highest += dt.timedelta(minutes=1)
                self._reached[highest] = index

    def opens(self, local: dt.datetime) -> int | None:
        """The index at which doors open that open at a local time; None outside of what is scanned."""
        return self._reached.get(local)

    def closes(self, local: dt.datetime) -> int | None:
        """The index at which doors close that close at a local time."""
        return self._last_shown.get(local, self._reached[local]) if local in self._reached else None

    def programmes(self, table: dict[str, object]) -> list[str | None]:
        """What plays in each minute: the opening that began last, unless it has ended."""
        opens: dict[int, list[tuple[int, str]]] = {}  # index -> [(closing index, programme)]
        for offset in range(self.days + 4):
            date = self.first + dt.timedelta(days=offset - 2)
            midnight = dt.datetime.combine(date, dt.time())
            for begin, end, programme in ruled(table, date):
                opening = self.opens(midnight + dt.timedelta(minutes=begin))
                closing = self.closes(midnight + dt.timedelta(minutes=end))
                if opening is not None and closing is not None and opening < closing:
                    opens.setdefault(opening, []).append((closing, programme))
        found: list[str | None] = []
        current: tuple[int, str] | None = None
        for index in range(len(self.readings)):
            current = opens[index][-1] if index in opens else current
            found.append(current[1] if current and index < current[0] else None)
        return found


def scan(table: dict[str, object], zone: str, first: dt.date, days: int) -> Iterator[tuple[int, str | None]]:
    """What plays in each minute of real time."""
    clock = WallClock(zone, first, days)
    lower = int(dt.datetime.combine(first, dt.time(), dt.UTC).timestamp()) // 60
    for index, programme in enumerate(clock.programmes(table), start=clock.start):
        if lower <= index < lower + days * 1440:
            yield index * MINUTE, programme
