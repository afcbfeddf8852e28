"""Opening hours that people change while the show runs: open for longer, closed now, other hours on a date to come.

A change is only about what is to come: the opening that is on keeps its beginning, so that its programme goes on where
it is. The newest word counts, and each can be taken back: then all is as if it had never been said. Everything here is
pure: the hours, what people asked for and the wall time (ns) give the same changes on any machine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from installation.errors import CommandRefused
from installation.show.schedule import ONE_DAY, Hours, Period, Schedule, Span

# How far ahead hours can be changed.
AHEAD = dt.timedelta(days=14)
# Stretches remembered: more than anybody needs in a day.
MAX_STRETCHES = 32


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
    """Everything that people changed: `days` by date, and `stretches` as they were said, the newest over the others."""

    days: tuple[DayHours, ...] = ()
    stretches: tuple[Stretch, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.stretches)


def in_effect(schedule: Schedule, changes: Changes) -> Schedule:
    """The schedule with what people changed over it: what a running show follows."""
    return _in_effect(schedule, changes) if changes else schedule


@lru_cache(maxsize=32)
def _in_effect(schedule: Schedule, changes: Changes) -> Schedule:
    hours = _with_days(schedule, changes.days)
    spans = (Span(each.start_ns, _end(hours, each), each.programme) for each in changes.stretches)
    return replace(hours, spans=_flat(spans))


def _with_days(schedule: Schedule, days: Iterable[DayHours]) -> Schedule:
    return replace(schedule, dated={**schedule.dated, **{day.date: day.hours for day in days}})


def _end(hours: Schedule, stretch: Stretch) -> int | None:
    """When a stretch ends, by the hours without any; None: never."""
    return hours.next_opening(stretch.start_ns) if stretch.end_ns is None else stretch.end_ns


def _flat(spans: Iterable[Span]) -> tuple[Span, ...]:
    """What is seen of spans from above, the newest being on top; in order of time."""
    seen: list[Span] = []
    for new in spans:
        seen = [*(piece for old in seen for piece in _around(old, new)), new]
    return tuple(sorted(seen, key=lambda span: span.start_ns))


def _around(old: Span, new: Span) -> Iterator[Span]:
    """What is still seen of an older span on either side of a newer one."""
    if old.start_ns < new.start_ns:
        yield replace(old, end_ns=new.start_ns if old.end_ns is None else min(old.end_ns, new.start_ns))
    if new.end_ns is not None and (old.end_ns is None or old.end_ns > new.end_ns):
        yield replace(old, start_ns=max(old.start_ns, new.end_ns))


def goes_on(before: Period, after: Period) -> bool:
    """Whether nothing begins: the same opening, which may end at another time, or the same darkness."""
    same = (before.open, before.programme) == (after.open, after.programme)
    return same and (before.programme is None or before.anchor_ns == after.anchor_ns)


def extended(schedule: Schedule, changes: Changes, wall_ns: int, minute: int) -> Changes:
    """Open until the local time that comes next, `minute` after midnight: what would be closed until then is open, with
    the programme that plays before it, or has played last. An earlier extension gives way.

    Raises:
        CommandRefused: it is open until then anyway.
    """
    until_ns, changes = _next_time(schedule, wall_ns, minute), settled(schedule, changes, wall_ns)
    changes = replace(changes, stretches=_cut(changes.stretches, wall_ns, lambda each: each.programme is not None))
    hours = in_effect(schedule, changes)
    today, programme = schedule.local(wall_ns).date(), _played_last(hours, wall_ns)
    stretches, at = changes.stretches, wall_ns
    while at < until_ns:
        period = hours.at(at)
        end_ns = until_ns if period.end_ns is None else min(period.end_ns, until_ns)
        if period.open:
            programme = period.programme or programme
        else:
            stretches = _laid(stretches, Stretch(today, at, end_ns, programme))
        at = end_ns
    if stretches == changes.stretches:
        clock = f"{minute // 60:02}:{minute % 60:02}"
        raise CommandRefused(
            "hours", f"it is open at {clock} anyway; hours/close closes now, hours/except changes the hours of a date"
        )
    return replace(changes, stretches=stretches)


def closed_now(schedule: Schedule, changes: Changes, wall_ns: int) -> Changes:
    """Closed from now until the next opening that the hours have; as it is, when it is closed already."""
    if not in_effect(schedule, changes).at(wall_ns).open:
        return changes
    changes = settled(schedule, changes, wall_ns)
    closing = Stretch(schedule.local(wall_ns).date(), wall_ns, None, None)
    return replace(changes, stretches=(*_cut(changes.stretches, wall_ns), closing))


def with_hours(schedule: Schedule, changes: Changes, wall_ns: int, day: DayHours) -> Changes:
    """Other hours on one date. From now on today's take the place of what was extended or closed today; what has been
    stays as it was.

    Raises:
        CommandRefused: the date has passed, or is too far ahead.
    """
    today = schedule.local(wall_ns).date()
    if not today <= day.date <= today + AHEAD:
        raise CommandRefused(
            "date", f"{day.date} is not in reach; hours can be changed from {today} to {today + AHEAD}"
        )
    changes = settled(schedule, changes, wall_ns)
    days = {each.date: each for each in (*changes.days, day)}
    new = replace(changes, days=tuple(days[date] for date in sorted(days)))
    if day.date != today:
        return new
    new = replace(new, stretches=_cut(new.stretches, wall_ns, lambda each: each.date == today))
    was = _history(in_effect(schedule, changes), wall_ns)
    if was == _history(in_effect(schedule, new), wall_ns):
        return new
    longer = (
        each
        for each in new.stretches
        if each.start_ns < was[0].start_ns or each.end_ns is None or each.end_ns > wall_ns
    )
    return replace(new, stretches=(*longer, *was))


def forgotten(schedule: Schedule, changes: Changes, wall_ns: int, date: dt.date) -> Changes:
    """Without what was changed for a date, and what was said on it; for today, also without what was said before and
    is about today.

    Raises:
        CommandRefused: nothing was.
    """
    left = Changes(
        tuple(day for day in changes.days if day.date != date),
        tuple(each for each in changes.stretches if not _is_of(schedule, changes, wall_ns, each, date)),
    )
    if left == changes:
        dates = sorted({*(day.date for day in changes.days), *(each.date for each in changes.stretches)})
        raise CommandRefused(
            "date", f"no hours of {date} were changed; changed: {', '.join(map(str, dates)) or 'none'}"
        )
    return left


def concerns(schedule: Schedule, changes: Changes, wall_ns: int, date: dt.date) -> bool:
    """Whether there is something about a date that `forgotten` takes back."""
    said = any(_is_of(schedule, changes, wall_ns, each, date) for each in changes.stretches)
    return said or any(day.date == date for day in changes.days)


def settled(schedule: Schedule, changes: Changes, wall_ns: int) -> Changes:
    """With an end for every closing that an opening has ended by now: other hours must not make it longer."""
    hours = _with_days(schedule, changes.days)
    ends = ((each, _end(hours, each)) for each in changes.stretches)
    stretches = (
        replace(each, end_ns=end_ns) if end_ns is not None and end_ns <= wall_ns else each for each, end_ns in ends
    )
    return replace(changes, stretches=tuple(stretches))


def without_past(schedule: Schedule, changes: Changes, wall_ns: int) -> Changes:
    """Without what was over before yesterday, as far as what is on now does not come from it: a programme is anchored
    where its opening began, however long ago. More stretches than anybody needs are forgotten too, the oldest first.
    """
    if not changes:
        return changes
    changes = settled(schedule, changes, wall_ns)
    yesterday = schedule.local(wall_ns).date() - ONE_DAY
    for day in changes.days:
        if not yesterday <= day.date <= yesterday + ONE_DAY + AHEAD:
            left = replace(changes, days=tuple(each for each in changes.days if each != day))
            changes = _if_the_same(schedule, left, changes, wall_ns)
    limit_ns = schedule.instant(yesterday, 0, closing=False)
    for stretch in changes.stretches:
        crowded = len(changes.stretches) > MAX_STRETCHES
        if stretch.end_ns is not None and stretch.end_ns <= (wall_ns if crowded else limit_ns):
            left = replace(changes, stretches=tuple(each for each in changes.stretches if each != stretch))
            changes = _if_the_same(schedule, left, changes, wall_ns)
    return changes


def _if_the_same(schedule: Schedule, left: Changes, changes: Changes, wall_ns: int) -> Changes:
    """What is left, if what is on now is the same without the rest."""
    same = in_effect(schedule, left).at(wall_ns) == in_effect(schedule, changes).at(wall_ns)
    return left if same else changes


def _next_time(schedule: Schedule, wall_ns: int, minute: int) -> int:
    """The next wall time at which local clocks show `minute` after midnight; of two in one night, the second."""
    today = schedule.local(wall_ns).date()
    times = (schedule.instant(today + n * ONE_DAY, minute, closing=True) for n in range(3))
    return next(time for time in times if time > wall_ns)


def _played_last(hours: Schedule, wall_ns: int) -> str:
    """The programme of the opening of now, else of the last one, else the show's first."""
    period = hours.at(wall_ns)
    if not period.open:
        period = hours.at(period.anchor_ns - 1)
    return period.programme if period.open and period.programme is not None else hours.fallback_programme


def _history(hours: Schedule, wall_ns: int) -> list[Stretch]:
    """What has been today, each period from where it began, up to a wall time."""
    today = hours.local(wall_ns).date()
    at, found = hours.instant(today, 0, closing=False), []
    while at < wall_ns:
        period = hours.at(at)
        at = wall_ns if period.end_ns is None else min(period.end_ns, wall_ns)
        found.append(Stretch(today, period.anchor_ns, at, period.programme if period.open else None))
    return found


def _cut(
    stretches: Iterable[Stretch], wall_ns: int, which: Callable[[Stretch], bool] = lambda each: True
) -> tuple[Stretch, ...]:
    """Without the future of those that are meant."""
    return tuple(
        each if not which(each) else replace(each, end_ns=wall_ns if each.end_ns is None else min(each.end_ns, wall_ns))
        for each in stretches
        if each.start_ns < wall_ns or not which(each)
    )


def _laid(stretches: tuple[Stretch, ...], new: Stretch) -> tuple[Stretch, ...]:
    """A stretch on top of the others, joined to the last one where it goes on with it."""
    last = stretches[-1] if stretches else None
    if last is not None and (last.end_ns, last.programme, last.date) == (new.start_ns, new.programme, new.date):
        return (*stretches[:-1], replace(new, start_ns=last.start_ns))
    return (*stretches, new)


def _is_of(schedule: Schedule, changes: Changes, wall_ns: int, stretch: Stretch, date: dt.date) -> bool:
    """Whether a stretch was said on a date, or is about it while it is today."""
    if stretch.date == date or schedule.local(wall_ns).date() != date:
        return stretch.date == date
    midnight, following = (schedule.instant(each, 0, closing=False) for each in (date, date + ONE_DAY))
    end_ns = _end(_with_days(schedule, changes.days), stretch)
    return stretch.start_ns < following and (end_ns is None or end_ns > midnight)
