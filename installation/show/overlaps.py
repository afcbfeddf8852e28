"""Opening hours that contradict each other: two programmes at one local time of a week, or of a date."""

from __future__ import annotations

from collections.abc import Iterator

from installation.show.config_tables import ExceptTable, ScheduleTable
from installation.show.config_venue import DAY_MINUTES, DAYS

WEEK_MINUTES = 7 * DAY_MINUTES
Span = tuple[int, int, int]  # start and end in minutes, and whose it is


def overlapping(table: ScheduleTable) -> Iterator[tuple[str, int, int, str]]:
    """Which list, the entry, the earlier entry it overlaps, and when: `thu 18:00-20:00`. Each pair once."""
    week = [
        (day * DAY_MINUTES + each.hours[0], day * DAY_MINUTES + each.hours[1], index)
        for index, each in enumerate(table.open)
        for day in each.days
    ]
    again = [(start + WEEK_MINUTES, end + WEEK_MINUTES, index) for start, end, index in week]  # Sunday night runs on
    for first, second, start, end in _clashes(week + again):
        yield "open", second, first, f"{DAYS[start // DAY_MINUTES % 7]} {hours(start, end)}"
    for first, second, when in _date_clashes(table.exceptions):
        yield "except", second, first, when


def _clashes(spans: list[Span]) -> Iterator[tuple[int, int, int, int]]:
    """Pairs of entries with the first time they share, the later entry second."""
    seen: set[tuple[int, int]] = set()
    ordered = sorted(spans)
    for i, (start, end, one) in enumerate(ordered):
        for later_start, later_end, other in ordered[i + 1 :]:
            if later_start >= end:
                break
            pair = (min(one, other), max(one, other))
            if pair not in seen:
                seen.add(pair)
                yield *pair, max(start, later_start), min(end, later_end)


def _date_clashes(exceptions: tuple[ExceptTable, ...]) -> Iterator[tuple[int, int, str]]:
    """Exceptions of the very same date: closed and open, closed twice, or hours that overlap."""
    for index, each in enumerate(exceptions):
        for other, before in enumerate(exceptions[:index]):
            if each.date != before.date:
                continue
            if each.hours is None or before.hours is None:
                yield other, index, str(each.date)
                continue
            start, end = max(each.hours[0], before.hours[0]), min(each.hours[1], before.hours[1])
            if start < end:
                yield other, index, f"{each.date} {hours(start, end)}"


def hours(start: int, end: int) -> str:
    """Minutes after some midnight as hours of a day."""
    start, end = start % DAY_MINUTES, (end - 1) % DAY_MINUTES + 1
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
