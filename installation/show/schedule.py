"""Opening hours: which programme plays at a wall time, since when, and when that changes. Pure; wall time is ns
since 1970.

How local times become instants, in every zone and at both edges of daylight saving time:

- A local time that a clock put forward skips means the first instant after the gap.
- Of a local time that a clock put back shows twice, an opening takes the first and a closing the second.
- The latest start wins: an opening ends where the next one starts, so an evening's tail past midnight gives way to an
  exception that starts within it, and otherwise plays to its end even when the next date is closed.
- Openings of one programme that touch are one period, with one anchor. One that reaches back to the year 2000 (always
  open) is anchored at 2000-01-01 00:00 in the zone of the show.
- What people changed while the show ran (`spans`) goes over all of it, and joins what it touches in the same way.
"""

from __future__ import annotations

import datetime as dt
from calendar import isleap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from zoneinfo import ZoneInfo

from installation.show.config_tables import BLACK, ScheduleTable
from installation.show.config_venue import DAY_MINUTES

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
WEEK_MINUTES = 7 * DAY_MINUTES
EPOCH = dt.datetime(1970, 1, 1)
ANCHOR_DATE = dt.date(2000, 1, 1)
ONE_DAY = dt.timedelta(days=1)
# Exceptions come back within 8 years at the latest (29 February around 2100); what has not changed by then never will.
HORIZON = dt.timedelta(days=9 * 366)


@dataclass(frozen=True, slots=True)
class Opening:
    """Open from `start_ns` until before `end_ns` (None: for ever), playing `programme`."""

    start_ns: int
    end_ns: int | None
    programme: str


@dataclass(frozen=True, slots=True)
class Period:
    """What the schedule wants for a while.

    `anchor_ns` is when it began, which the programme's time is counted from; `end_ns` is when it changes, None: never.
    `programme` is None for black. While `open` is false, `end_ns` is the next opening.
    """

    anchor_ns: int
    end_ns: int | None
    programme: str | None
    open: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes after a date's local midnight; an `end` past 1440 is on the next date."""

    start: int
    end: int
    programme: str


@dataclass(frozen=True, slots=True)
class Span:
    """A while that is not as the hours have it, until `end_ns` (None: for ever): `programme` plays, None: closed."""

    start_ns: int
    end_ns: int | None
    programme: str | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Opening hours of a week (Monday first), of dates that come back (month, day), and of single dates; over them
    `spans`, in order, none over another.
    """

    zone: ZoneInfo
    week: tuple[tuple[Hours, ...], ...]
    fallback_programme: str
    closed_programme: str | None = None
    yearly: Mapping[tuple[int, int], tuple[Hours, ...]] = field(default_factory=dict, hash=False)
    dated: Mapping[dt.date, tuple[Hours, ...]] = field(default_factory=dict, hash=False)
    spans: tuple[Span, ...] = ()

    def at(self, wall_ns: int) -> Period:
        """What plays at a wall time. Costs tenths of a millisecond: ask again at `end_ns`, not every picture."""
        period = self._piece(wall_ns)
        if not self.spans:
            return period
        before = self._piece(period.anchor_ns - 1)
        while _alike(before, period) and before.anchor_ns < period.anchor_ns:
            period = replace(period, anchor_ns=before.anchor_ns)
            before = self._piece(period.anchor_ns - 1)
        while period.end_ns is not None and _alike(after := self._piece(period.end_ns), period):
            period = replace(period, end_ns=after.end_ns)
        return period

    def _piece(self, wall_ns: int) -> Period:
        """What plays at a wall time, as far as the edges of the span it is in, or of those around it."""
        before = [span for span in self.spans if span.start_ns <= wall_ns]
        if before and (before[-1].end_ns is None or wall_ns < before[-1].end_ns):
            span = before[-1]
            closed = span.programme is None
            return Period(span.start_ns, span.end_ns, self.closed_programme if closed else span.programme, not closed)
        period = self._by_hours(wall_ns)
        if before and before[-1].end_ns is not None and before[-1].end_ns > period.anchor_ns:
            period = replace(period, anchor_ns=before[-1].end_ns)
        following = self.spans[len(before) :]
        if following and (period.end_ns is None or following[0].start_ns < period.end_ns):
            period = replace(period, end_ns=following[0].start_ns)
        return period

    def next_opening(self, wall_ns: int) -> int | None:
        """When the next period that is open begins, after the one of now; None: never."""
        at = self.at(wall_ns).end_ns
        while at is not None and not (period := self.at(at)).open:
            at = period.end_ns
        return at

    def _by_hours(self, wall_ns: int) -> Period:
        """What the hours alone want."""
        earlier = self._earlier(wall_ns)
        current = next(earlier, None)
        if current is not None and (current.end_ns is None or wall_ns < current.end_ns):
            return Period(self._begin(current, earlier), self._end(current, wall_ns), current.programme, True)
        closed_ns = self.anchor_ns if current is None or current.end_ns is None else current.end_ns
        following = next(self._later(wall_ns), None)
        return Period(closed_ns, following.start_ns if following else None, self.closed_programme, False)

    def today(self, wall_ns: int) -> tuple[Opening, ...]:
        """The openings that touch the local date of a wall time, in order."""
        date = self.local(wall_ns).date()
        midnight, following = self.instant(date, 0, closing=False), self.instant(date, DAY_MINUTES, closing=False)
        found: list[Opening] = []
        at: int | None = midnight
        while at is not None and at < following:
            period = self.at(at)
            if period.open and period.programme is not None:
                found.append(Opening(period.anchor_ns, period.end_ns, period.programme))
            at = period.end_ns
        return tuple(found)

    def local(self, wall_ns: int) -> dt.datetime:
        """A wall time in the show's zone, for people."""
        seconds, rest = divmod(wall_ns, SECOND_NS)
        return dt.datetime.fromtimestamp(seconds, self.zone) + dt.timedelta(microseconds=rest // 1000)

    @property
    def anchor_ns(self) -> int:
        """2000-01-01 00:00 in the show's zone."""
        return self.instant(ANCHOR_DATE, 0, closing=False)

    @property
    def fallback(self) -> Period:
        """What plays when the clock cannot be trusted: the first programme, without end."""
        return Period(self.anchor_ns, None, self.fallback_programme, True)

    def ignored(self) -> Schedule:
        """The first programme, always open, in the same zone: what plays when opening hours are to be ignored."""
        return always_open(self.fallback_programme, self.zone.key)

    def instant(self, date: dt.date, minute: int, *, closing: bool) -> int:
        """The wall time (ns) of a local minute of a date. `closing` takes the second of two; in a gap, the end of
        the gap.
        """
        local = dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=minute)
        first, second = (_seconds(local, self.zone, fold) for fold in (0, 1))
        if second < first:  # in a gap the later offset, read as fold 1, gives the earlier instant
            return _gap_end(self.zone, second, first) * SECOND_NS
        return (second if closing else first) * SECOND_NS

    def _begin(self, current: Opening, earlier: Iterator[Opening]) -> int:
        """Where the openings that touch `current` begin; the anchor of 2000 when they reach back to it."""
        start = current.start_ns
        for before in earlier:
            if before.programme != current.programme or (before.end_ns is not None and before.end_ns < start):
                return start
            start = before.start_ns
        return start if start > self.anchor_ns + 2 * DAY_NS else self.anchor_ns

    def _end(self, current: Opening, wall_ns: int) -> int | None:
        """Where the openings that touch `current` end."""
        end = current.end_ns
        for after in self._later(wall_ns):
            if end is None or end < after.start_ns:
                return end
            if after.programme != current.programme:
                return after.start_ns
            end = after.end_ns
        horizon = self.instant(self._last_date(wall_ns), 0, closing=False)
        return None if end is None or end >= horizon else end

    def _earlier(self, wall_ns: int) -> Iterator[Opening]:
        """Openings that started at or before a wall time, the latest first."""
        today = self.local(wall_ns).date()
        for date in (today + ONE_DAY, today):  # a clock put back at midnight makes tomorrow start today
            yield from (each for each in reversed(self._openings(date)) if each.start_ns <= wall_ns)
        date, first = today - ONE_DAY, min(ANCHOR_DATE, today - 2 * ONE_DAY)
        while date >= first:
            ruled = self._exception(date, -1) if self._uniform else date
            if ruled is None or ruled < first:
                yield from self._run(first, date)
                return
            if ruled < date:
                yield from self._run(ruled + ONE_DAY, date)
            yield from reversed(self._openings(ruled))
            date = ruled - ONE_DAY

    def _later(self, wall_ns: int) -> Iterator[Opening]:
        """Openings that start after a wall time, the soonest first."""
        today = self.local(wall_ns).date()
        for date in (today - ONE_DAY, today, today + ONE_DAY):
            yield from (each for each in self._openings(date) if each.start_ns > wall_ns)
        date, last = today + 2 * ONE_DAY, self._last_date(wall_ns)
        while date <= last:
            ruled = self._exception(date, 1) if self._uniform else date
            if ruled is None or ruled > last:
                yield from self._run(date, last)
                return
            if ruled > date:
                yield from self._run(date, ruled - ONE_DAY)
            yield from self._openings(ruled)
            date = ruled + ONE_DAY

    def _last_date(self, wall_ns: int) -> dt.date:
        return max([self.local(wall_ns).date() + HORIZON, *self.dated]) + 2 * ONE_DAY

    def _run(self, first: dt.date, last: dt.date) -> Iterator[Opening]:
        """The ordinary dates of a week that is open all round, as one opening; of a week without hours, none."""
        hours = self.week[first.weekday()]
        if hours:
            end = max(each.end for each in self.week[last.weekday()])
            yield Opening(
                self.instant(first, min(each.start for each in hours), closing=False),
                self.instant(last, end, closing=True),
                hours[0].programme,
            )

    @property
    def _uniform(self) -> bool:
        """Whether the week is one programme all round, or nothing: then only exceptions change anything."""
        return not any(self.week) or _is_all_round(self.week)

    def _exception(self, date: dt.date, step: int) -> dt.date | None:
        """The nearest date with hours of its own, from `date` on into the past (-1) or the future (1)."""
        years = range(date.year, date.year + step * 10, step)
        yearly = (dt.date(y, m, d) for y in years for m, d in self.yearly if (m, d) != (2, 29) or isleap(y))
        ahead = [each for each in (*yearly, *self.dated) if (each - date).days * step >= 0]
        return min(ahead, key=lambda each: abs(each - date), default=None)

    def _hours(self, date: dt.date) -> tuple[Hours, ...]:
        hours = self.dated.get(date)
        if hours is None:
            hours = self.yearly.get((date.month, date.day))
        return self.week[date.weekday()] if hours is None else hours

    def _openings(self, date: dt.date) -> list[Opening]:
        """The openings that start on a local date, in order, without those that daylight saving time swallowed."""
        found = (
            Opening(
                self.instant(date, hours.start, closing=False),
                self.instant(date, hours.end, closing=True),
                hours.programme,
            )
            for hours in self._hours(date)
        )
        return sorted((each for each in found if each.start_ns < (each.end_ns or 0)), key=lambda each: each.start_ns)


def _alike(one: Period, other: Period) -> bool:
    return (one.open, one.programme) == (other.open, other.programme)


def is_trusted(wall_ns: int, not_before_ns: int) -> bool:
    """Whether a wall clock can be right: not before this release was made, nor before the state was last saved."""
    return wall_ns >= not_before_ns


def always_open(programme: str, zone: str = "UTC") -> Schedule:
    """Never closed: without a schedule, or when the schedule is to be ignored."""
    return Schedule(ZoneInfo(zone), ((Hours(0, DAY_MINUTES, programme),),) * 7, programme)


def compile_schedule(table: ScheduleTable | None, first_programme: str) -> Schedule:
    """The schedule of a show; `first_programme` plays where none is named, and always without a table."""
    if table is None:
        return always_open(first_programme)
    week = tuple(
        _in_order(Hours(*each.hours, each.play or first_programme) for each in table.open if day in each.days)
        for day in range(7)
    )
    yearly: dict[tuple[int, int], tuple[Hours, ...]] = {}
    dated: dict[dt.date, tuple[Hours, ...]] = {}
    for each in table.exceptions:
        hours = () if each.hours is None else (Hours(*each.hours, each.play or first_programme),)
        month, day = each.date.month, each.date.day
        if each.date.year is None:
            yearly[month, day] = _in_order((*yearly.get((month, day), ()), *hours))
        else:
            date = dt.date(each.date.year, month, day)
            dated[date] = _in_order((*dated.get(date, ()), *hours))
    closed = None if table.closed == BLACK else table.closed
    return Schedule(ZoneInfo(table.zone), week, first_programme, closed, yearly, dated)


def _in_order(hours: Iterable[Hours]) -> tuple[Hours, ...]:
    return tuple(sorted(hours, key=lambda each: each.start))


def _is_all_round(week: Sequence[Sequence[Hours]]) -> bool:
    """Whether a week's hours leave no minute out and play one programme."""
    spans = sorted(
        (day * DAY_MINUTES + each.start, day * DAY_MINUTES + each.end)
        for day, hours in enumerate(week)
        for each in hours
    )
    if len({each.programme for hours in week for each in hours}) != 1:
        return False
    touching = all(end >= start for (_, end), (start, _) in pairwise(spans))
    return touching and spans[-1][1] >= spans[0][0] + WEEK_MINUTES


def _seconds(local: dt.datetime, zone: ZoneInfo, fold: int) -> int:
    """A local time as seconds since 1970."""
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset() or dt.timedelta()
    return int((local - EPOCH - offset).total_seconds())


def _gap_end(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second with the offset of `high`; `low` is before the clock was put forward, `high` after."""
    after = dt.datetime.fromtimestamp(high, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if dt.datetime.fromtimestamp(middle, zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high
