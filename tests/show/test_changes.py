"""Hours that people change: what is open then, since when, until when, and what is refused."""

from __future__ import annotations

import datetime as dt
import random
from contextlib import suppress
from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import CommandRefused
from installation.show import commands as c
from installation.show.changes import MAX_STRETCHES, DayHours, in_effect
from installation.show.health import Measured, find_troubles
from installation.show.plan import upcoming
from installation.show.progress import advance, observe_wall
from installation.show.snapshot import closed
from installation.show.state import opened, resumed
from installation.show.timebase import FRAME_Q32
from installation.show.transport import apply
from tests.show.changing import DESK, LONDON, Table, show_with
from tests.show.scanning import MINUTE, ns, said

MUSEUM: Table = {
    "open": [
        {"days": "tue-sun", "hours": "10:00-18:00", "play": "day"},
        {"days": "thu", "hours": "18:00-02:00", "play": "late"},
    ]
}


class Museum:
    """The museum's state in somebody's hands."""

    def __init__(self, text: str, table: Table = MUSEUM) -> None:
        self.show = show_with(table, LONDON)
        self.t_ns = self.ns(text)
        self.state = opened(self.show, self.t_ns, self.t_ns)

    def ns(self, text: str, fold: int = 0) -> int:
        return ns(self.show.schedule, text, fold)

    def at(self, text: str, *commands: c.Command, fold: int = 0) -> Museum:
        """Go on to a local time and say something."""
        self.t_ns = self.ns(text, fold)
        self.state = advance(self.show, self.state, self.t_ns)
        for each in commands:
            self.state = apply(self.show, self.state, each, DESK, self.t_ns)
        return self

    @property
    def period(self) -> tuple[str, str, str | None]:
        """Since when, until when, and what; of one that is closed, black."""
        period = self.state.period
        return (
            said(self.show.schedule, period.anchor_ns)[5:],
            said(self.show.schedule, period.end_ns)[5:],
            (period.programme),
        )

    def refuses(self, order: c.Command, why: str) -> None:
        before = self.state
        with pytest.raises(CommandRefused, match=why):
            self.at(self.show.schedule.local(self.t_ns).strftime("%Y-%m-%d %H:%M"), order)
        assert self.state == before

    def frame(self) -> float:
        (picture,) = next(upcoming(self.show, self.state, self.t_ns)).pictures
        return picture.key.terms[0].position / FRAME_Q32


def minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def except_for(date: str, hours: str | None, programme: str | None = None) -> c.ChangeHours:
    span = (minute(hours[:5]), minute(hours[6:])) if hours else None
    return c.ChangeHours(dt.date.fromisoformat(date), span, programme)


def test_extending_goes_on_with_the_picture_that_is_there() -> None:
    museum = Museum("2027-06-04 17:00")
    before = museum.at("2027-06-04 17:30", c.SetBrightness(0.4), c.SetSpeed(0.5)).state
    museum.at("2027-06-04 17:30", c.ExtendHours(minute("20:00")))
    assert museum.period == ("06-04 10:00", "06-04 20:00", "day")
    assert museum.state.layers == before.layers
    late = museum.at("2027-06-04 19:59").state
    assert (late.brightness.end, late.speed, late.holder, late.layers) == (0.4, 500_000, before.holder, before.layers)
    assert museum.at("2027-06-04 20:00").period == ("06-04 20:00", "06-05 10:00", None)
    assert museum.at("2027-06-05 10:00").period == ("06-05 10:00", "06-05 18:00", "day")
    assert museum.state.brightness.end == 1.0


def test_an_extension_goes_past_midnight_and_gives_way_to_a_later_word() -> None:
    museum = Museum("2027-06-04 17:00").at("2027-06-04 17:00", c.ExtendHours(minute("01:30")))
    assert museum.period == ("06-04 10:00", "06-05 01:30", "day")
    assert museum.at("2027-06-04 22:00", c.ExtendHours(minute("23:00"))).period == ("06-04 10:00", "06-04 23:00", "day")
    assert museum.at("2027-06-04 22:59", c.CloseHours()).period == ("06-04 22:59", "06-05 10:00", None)
    assert museum.at("2027-06-04 23:00", c.CloseHours()).period == ("06-04 22:59", "06-05 10:00", None)


def test_an_extension_lasts_over_the_evening_and_goes_on_with_it() -> None:
    museum = Museum("2027-06-03 16:00").at("2027-06-03 16:00", c.ExtendHours(minute("03:00")))
    assert museum.period == ("06-03 10:00", "06-03 18:00", "day")
    assert museum.at("2027-06-03 18:00").period == ("06-03 18:00", "06-04 03:00", "late")


def test_a_closed_house_opens_at_once_with_what_played_last() -> None:
    museum = Museum("2027-06-07 15:00")  # a Monday
    museum.at("2027-06-07 15:00", c.ExtendHours(minute("16:00")))
    assert museum.period == ("06-07 15:00", "06-07 16:00", "day")
    assert museum.frame() == 0
    night = Museum("2027-06-04 03:00").at("2027-06-04 03:00", c.ExtendHours(minute("04:00")))
    assert night.period == ("06-04 03:00", "06-04 04:00", "late")
    never = Museum("2027-06-04 03:00", {"open": []}).at("2027-06-04 03:00", c.ExtendHours(minute("04:00")))
    assert never.period == ("06-04 03:00", "06-04 04:00", "day")


def test_closing_early_and_opening_again_is_a_new_opening() -> None:
    museum = Museum("2027-06-04 12:00").at("2027-06-04 12:00", c.SetBrightness(0.2), c.CloseHours())
    assert museum.period == ("06-04 12:00", "06-05 10:00", None)
    museum.at("2027-06-04 13:00", c.ExtendHours(minute("17:00")))
    assert museum.period == ("06-04 13:00", "06-04 17:00", "day")  # the schedule's 18:00 was closed by hand
    assert (museum.frame(), museum.state.brightness.end) == (0, 1.0)
    assert museum.at("2027-06-04 17:00").period == ("06-04 17:00", "06-05 10:00", None)


def test_a_closing_lasts_until_the_evening_begins() -> None:
    museum = Museum("2027-06-03 16:00").at("2027-06-03 16:00", c.CloseHours())
    assert museum.period == ("06-03 16:00", "06-03 18:00", None)
    assert museum.at("2027-06-03 18:00").period == ("06-03 18:00", "06-04 02:00", "late")


def test_a_closing_ends_with_an_opening_that_is_scheduled_later() -> None:
    museum = Museum("2027-06-06 16:00").at("2027-06-06 16:00", c.CloseHours())
    assert museum.period == ("06-06 16:00", "06-08 10:00", None)
    museum.at("2027-06-06 17:00", except_for("2027-06-07", "09:00-12:00", "late"))
    assert museum.period == ("06-06 16:00", "06-07 09:00", None)
    museum.at("2027-06-06 17:00", c.ForgetHours(dt.date(2027, 6, 7)))
    assert museum.period == ("06-06 16:00", "06-08 10:00", None)


def test_yesterdays_word_about_today_can_be_taken_back_today() -> None:
    museum = Museum("2027-06-04 23:00").at("2027-06-04 23:00", c.ExtendHours(minute("03:00")))
    assert museum.at("2027-06-05 00:30").period == ("06-04 23:00", "06-05 03:00", "day")
    assert museum.at("2027-06-05 00:30", c.ForgetHours(dt.date(2027, 6, 5))).period[2] is None


def test_a_house_without_hours_stays_closed_until_somebody_says_so() -> None:
    museum = Museum("2027-06-04 12:00", {}).at("2027-06-04 12:00", c.CloseHours())
    assert museum.period == ("06-04 12:00", "never"[5:], None)
    assert [each.what for each in find_troubles(museum.show, museum.state, Measured())] == [
        "closed by hand, and the hours have no further opening"
    ]
    museum.at("2027-07-04 12:00", c.ExtendHours(minute("13:00")))
    assert museum.period == ("07-04 12:00", "07-04 13:00", "day")
    assert museum.at("2027-07-05 12:00", c.ForgetHours()).period == ("01-01 00:00", "never"[5:], "day")


def test_hours_of_today_are_changed_from_now_on() -> None:
    museum = Museum("2027-06-04 12:00").at("2027-06-04 12:00", except_for("2027-06-04", "11:00-16:00"))
    assert museum.period == ("06-04 10:00", "06-04 16:00", "day")  # it goes on where it is
    museum.at("2027-06-04 13:00", except_for("2027-06-04", "10:00-20:00", "late"))
    assert museum.period == ("06-04 13:00", "06-04 20:00", "late")
    museum.at("2027-06-04 14:00", except_for("2027-06-04", None))
    assert museum.period == ("06-04 14:00", "06-05 10:00", None)
    museum.at("2027-06-04 15:00", c.ForgetHours(dt.date(2027, 6, 4)))
    assert museum.period == ("06-04 10:00", "06-04 18:00", "day")  # as if nothing had been said
    assert not museum.state.changes


def test_manual_mode_obeys_who_closes_by_hand_and_maintenance_goes_on() -> None:
    manual = Museum("2027-06-04 12:00").at("2027-06-04 12:00", c.SetMode(c.Mode.MANUAL), c.CloseHours())
    assert closed(manual.at("2027-06-04 12:01").state)
    work = Museum("2027-06-04 12:00").at("2027-06-04 12:00", c.SetMode(c.Mode.MAINTENANCE), c.CloseHours())
    assert not closed(work.at("2027-06-04 12:01").state)
    assert not work.state.period.open


@pytest.mark.parametrize(("date", "obeyed"), [(-1, False), (0, True), (14, True), (15, False)])
def test_dates_in_reach(date: int, obeyed: bool) -> None:
    museum = Museum("2027-06-04 00:00")
    order = c.ChangeHours(dt.date(2027, 6, 4) + dt.timedelta(days=date), None)
    if obeyed:
        assert museum.at("2027-06-04 00:00", order).state.changes.days == (DayHours(order.date, ()),)
    else:
        museum.refuses(order, "from 2027-06-04 to 2027-06-18")


def test_what_makes_no_sense_is_refused() -> None:
    museum = Museum("2027-06-04 16:00")
    museum.refuses(c.ExtendHours(minute("17:30")), "open at 17:30 anyway")
    museum.refuses(except_for("2027-06-05", "10:00-16:00", "dya"), 'programme "dya" is not in this show')
    museum.refuses(c.ForgetHours(dt.date(2027, 6, 5)), "no hours of 2027-06-05 were changed; changed: none")
    museum.at("2027-06-04 16:00", c.ForgetHours(), c.ForgetHours())
    museum.state = opened(museum.show, museum.t_ns, museum.t_ns, museum.show.schedule.fallback)
    museum.refuses(c.CloseHours(), "set the clock first")


def test_both_edges_of_daylight_saving() -> None:
    spring = Museum("2027-03-27 23:00").at("2027-03-27 23:00", c.ExtendHours(minute("01:30")))
    assert spring.period[1] == "03-28 02:00"  # 01:30 was skipped
    autumn = Museum("2027-10-31 00:30").at("2027-10-31 00:30", c.ExtendHours(minute("01:15")))
    assert autumn.state.period.end_ns == autumn.ns("2027-10-31 01:15", fold=1)
    autumn.at("2027-10-31 01:10", c.ExtendHours(minute("01:05")), fold=0)
    assert autumn.state.period.end_ns == autumn.ns("2027-10-31 01:05", fold=1)
    day = Museum("2027-10-30 12:00").at("2027-10-30 12:00", except_for("2027-10-31", "01:15-01:45"))
    night = day.at("2027-10-31 01:30").state.period
    assert night.end_ns is not None
    assert night.end_ns - night.anchor_ns == 90 * MINUTE


def test_the_look_ahead_sees_through_a_closing_that_was_moved() -> None:
    museum = Museum("2027-06-04 17:59").at("2027-06-04 17:59", c.ExtendHours(minute("20:00")))
    t_ns = museum.ns("2027-06-04 18:00") - 100_000_000
    coming = list(islice(upcoming(museum.show, advance(museum.show, museum.state, t_ns), t_ns), 8))
    assert all(plan.pictures for plan in coming)
    positions = [plan.pictures[0].key.terms[0].position / FRAME_Q32 for plan in coming]
    assert [(after - before) % 240 for before, after in pairwise(positions)] == [1.0] * 7


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 200), st.integers(0, 95)), max_size=6))
def test_however_the_wall_clock_is_stepped_changed_hours_are_kept(steps: list[tuple[int, int, int]]) -> None:
    museum = Museum("2027-06-04 12:00")
    show, state, t_ns, offset = museum.show, museum.state, museum.t_ns, 0
    for step, wait, quarter in steps:
        offset += step * MINUTE
        state = observe_wall(show, state, t_ns, t_ns + offset)
        try:
            state = apply(show, state, c.ExtendHours(quarter * 15), DESK, t_ns)
        except CommandRefused:
            state = apply(show, state, c.CloseHours(), DESK, t_ns)
        t_ns += wait * MINUTE
        state = advance(show, state, t_ns)
        assert in_effect(show.schedule, state.changes).at(t_ns + offset) == state.period


def test_a_fortnight_of_restless_hands_leaves_little_behind() -> None:
    museum, dice = Museum("2027-06-04 12:00"), random.Random(3)
    for _ in range(2000):
        museum.t_ns += dice.randrange(20) * MINUTE
        museum.state = advance(museum.show, museum.state, museum.t_ns)
        today = museum.show.schedule.local(museum.t_ns).date()
        order = dice.choice(
            [
                c.CloseHours(),
                c.ExtendHours(dice.randrange(1440)),
                c.ChangeHours(today + dt.timedelta(days=dice.randrange(15)), dice.choice([None, (600, 1200)])),
            ]
        )
        with suppress(CommandRefused):
            museum.state = apply(museum.show, museum.state, order, DESK, museum.t_ns)
        assert len(museum.state.changes.stretches) <= MAX_STRETCHES + 8
        assert len(museum.state.changes.days) <= 16
    assert museum.t_ns > museum.ns("2027-06-16 12:00")
    museum.at("2027-07-20 11:00")
    assert not museum.state.changes


def test_what_is_over_is_kept_as_long_as_the_opening_of_now_began_with_it() -> None:
    museum = Museum("2027-06-04 12:00", {}).at("2027-06-04 12:00", c.CloseHours())
    museum.at("2027-06-04 13:00", c.ExtendHours(minute("12:00"))).at("2027-06-04 14:00", c.ForgetHours())
    museum.at("2027-06-05 12:00", except_for("2027-06-05", None)).at("2027-06-06 09:00")
    assert museum.period == ("06-06 00:00", "never"[5:], "day")
    museum.at("2027-06-16 12:00", except_for("2027-06-20", None))
    assert museum.period == ("06-06 00:00", "06-20 00:00", "day")
    assert museum.at("2027-06-25 12:00").period == ("06-21 00:00", "never"[5:], "day")
    assert [each.date.day for each in museum.state.changes.days] == [20]


def test_hours_that_play_what_is_gone_are_not_resumed() -> None:
    museum = Museum("2027-06-04 12:00")
    museum.at("2027-06-04 12:00", except_for("2027-06-05", "10:00-12:00", "night"), c.ExtendHours(minute("20:00")))
    library = museum.show.library
    smaller = replace(library, programmes={id_: each for id_, each in library.programmes.items() if id_ != "night"})
    again = resumed(replace(museum.show, library=smaller), museum.state, museum.t_ns, museum.t_ns)
    assert again is not None
    assert again.changes.days == ()
    assert again.changes.stretches == museum.state.changes.stretches
