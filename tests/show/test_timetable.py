"""The days to come as people read them."""

from __future__ import annotations

import datetime as dt

from installation.show import commands as c
from installation.show.changes import Changes
from installation.show.state import ShowState, opened
from installation.show.timetable import TimetableDay, timetable
from installation.show.transport import apply
from tests.show.changing import DESK, LONDON, Table, show_with
from tests.show.scanning import ns

MUSEUM: Table = {
    "open": [
        {"days": "tue-sun", "hours": "10:00-18:00", "play": "day"},
        {"days": "thu", "hours": "18:00-02:00", "play": "late"},
    ]
}
SHOW = show_with(MUSEUM, LONDON)
FRIDAY = dt.date(2027, 6, 4)


def said(day: TimetableDay) -> list[tuple[str, str, str]]:
    return [
        (f"{each.start:%a %H:%M}", f"{each.end:%a %H:%M}" if each.end else "never", each.programme)
        for each in day.openings
    ]


def after(text: str, *commands: c.Command) -> tuple[int, ShowState]:
    t_ns = ns(SHOW.schedule, text)
    state = opened(SHOW, t_ns, t_ns)
    for each in commands:
        state = apply(SHOW, state, each, DESK, t_ns)
    return t_ns, state


def test_today_and_the_fourteen_days_that_follow() -> None:
    days = timetable(SHOW.schedule, Changes(), ns(SHOW.schedule, "2027-06-04 00:30"))
    assert [day.date for day in days] == [FRIDAY + dt.timedelta(days=number) for number in range(15)]
    assert said(days[0]) == [("Thu 18:00", "Fri 02:00", "late"), ("Fri 10:00", "Fri 18:00", "day")]
    assert said(days[3]) == []  # Monday
    assert said(days[6]) == [("Thu 10:00", "Thu 18:00", "day"), ("Thu 18:00", "Fri 02:00", "late")]
    assert not any(day.changed for day in days)


def test_what_people_changed_is_marked() -> None:
    t_ns, state = after(
        "2027-06-04 12:00",
        c.ExtendHours(20 * 60),
        c.ChangeHours(FRIDAY + dt.timedelta(days=3), (600, 720), "night"),
        c.ChangeHours(FRIDAY + dt.timedelta(days=4), None),
        c.ChangeHours(FRIDAY + dt.timedelta(days=14), (23 * 60, 25 * 60)),
    )
    days = timetable(SHOW.schedule, state.changes, t_ns)
    assert [number for number, day in enumerate(days) if day.changed] == [0, 3, 4, 14]
    assert said(days[0])[1:] == [("Fri 10:00", "Fri 20:00", "day")]
    assert said(days[3]) == [("Mon 10:00", "Mon 12:00", "night")]
    assert said(days[4]) == []
    assert said(days[14]) == [("Thu 18:00", "Fri 02:00", "late"), ("Fri 23:00", "Sat 01:00", "day")]


def test_closed_by_hand() -> None:
    t_ns, state = after("2027-06-04 12:00", c.CloseHours())
    today, tomorrow = timetable(SHOW.schedule, state.changes, t_ns, days=1)
    assert (said(today)[1:], today.changed) == ([("Fri 10:00", "Fri 12:00", "day")], True)
    assert (said(tomorrow), tomorrow.changed) == ([("Sat 10:00", "Sat 18:00", "day")], False)


def test_always_open_and_a_date_that_never_was() -> None:
    always = show_with({}, LONDON).schedule
    (only,) = timetable(always, Changes(), ns(always, "2027-06-04 12:00"), days=0)
    assert said(only) == [("Sat 00:00", "never", "day")]
    apia = show_with(MUSEUM, "Pacific/Apia").schedule
    days = timetable(apia, Changes(), ns(apia, "2011-12-29 12:00"), days=2)  # 30 December 2011 was skipped
    assert [len(day.openings) for day in days] == [2, 0, 1]
