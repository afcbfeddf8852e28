from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.show.schedule import Opening, Period, Schedule, always_open, compile_schedule, is_trusted
from tests.show.scanning import DAYS, MINUTE, SECOND, ns, said, scan, schedule


def span(plan: Schedule, text: str) -> tuple[str, str, str | None]:
    """Since when, until when, and what, at a local time."""
    period = plan.at(ns(plan, text))
    return said(plan, period.anchor_ns), said(plan, period.end_ns), period.programme


MUSEUM = {
    "open": [
        {"days": "tue-sun", "hours": "10:00-18:00", "play": "day"},
        {"days": "thu", "hours": "18:00-02:00", "play": "late"},
        {"days": "sat,sun", "hours": "20:00-01:30", "play": "late"},
    ],
    "except": [
        {"date": "12-25", "closed": True},
        {"date": "02-29", "hours": "00:00-24:00", "play": "leap"},
        {"date": "2027-05-15", "hours": "00:30-24:00", "play": "late"},
        {"date": "2027-03-28", "hours": "01:15-09:00", "play": "edge"},
        {"date": "2028-10-01", "hours": "23:00-03:00", "play": "edge"},
    ],
}


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_a_year_by_next_change_equals_a_year_by_minutes(zone: str) -> None:
    plan = schedule(zone, **MUSEUM)
    minutes_of_year = list(scan(MUSEUM, zone, dt.date(2027, 3, 1), 366 + 31))
    period = plan.at(minutes_of_year[0][0])
    changes = 0
    for wall_ns, programme in minutes_of_year:
        if period.end_ns is not None and wall_ns >= period.end_ns:
            assert wall_ns == period.end_ns, "a change between two minutes"
            following = plan.at(wall_ns)
            assert following.anchor_ns == period.end_ns
            assert (following.open, following.programme) != (period.open, period.programme)
            period, changes = following, changes + 1
        assert period.programme == programme, said(plan, wall_ns)
    assert changes > 700


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_random_instants_agree_with_their_period(zone: str) -> None:
    plan, chance = schedule(zone, **MUSEUM), random.Random(1)
    start = ns(plan, "2026-01-01 00:00")
    for _ in range(300):
        wall_ns = start + chance.randrange(4 * 366 * 86_400 * SECOND)
        period = plan.at(wall_ns)
        assert period.end_ns is not None and period.anchor_ns <= wall_ns < period.end_ns
        assert plan.at(period.anchor_ns) == plan.at(period.end_ns - 1) == period


TIMES = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
DATES = st.dates(dt.date(2027, 3, 20), dt.date(2027, 4, 10))


@settings(deadline=None, max_examples=40)
@given(
    week=st.lists(st.tuples(st.sampled_from(DAYS), TIMES, TIMES), max_size=4),
    dates=st.lists(st.tuples(DATES, TIMES, TIMES), max_size=4, unique_by=lambda each: each[0]),
    zone=st.sampled_from(["Europe/London", "Australia/Lord_Howe"]),
)
def test_any_table_equals_its_scan(
    week: list[tuple[str, str, str]], dates: list[tuple[dt.date, str, str]], zone: str
) -> None:
    """Even tables with overlaps, which a show may not have: the latest start wins."""
    table: dict[str, object] = {
        "open": [{"days": d, "hours": f"{a}-{b}", "play": f"w{n}"} for n, (d, a, b) in enumerate(week) if a != b],
        "except": [
            {"date": d.isoformat(), "hours": f"{a}-{b}", "play": f"e{n}"} for n, (d, a, b) in enumerate(dates) if a != b
        ],
    }
    plan = schedule(zone, **table)
    found = list(scan(table, zone, dt.date(2027, 3, 22), 18))
    period = plan.at(found[0][0])
    for wall_ns, programme in found:
        if period.end_ns is not None and wall_ns >= period.end_ns:
            period = plan.at(wall_ns)
        assert period.programme == programme, said(plan, wall_ns)


# ---- Anchors -----------------------------------------------------------------------------------------------------


def test_always_open_is_anchored_at_2000_in_the_shows_zone() -> None:
    plan = schedule("America/New_York", open=[{"days": "mon-sun", "hours": "00:00-24:00", "play": "day"}])
    assert span(plan, "2026-11-22 12:00") == ("2000-01-01 00:00", "never", "day")
    assert plan.at(ns(plan, "2026-11-01 01:30", fold=1)).anchor_ns == plan.anchor_ns
    assert plan.anchor_ns == 946_702_800 * SECOND
    pieces = [{"hours": "18:00-06:00", "play": "day"}, {"hours": "06:00-18:00", "play": "day"}]
    assert span(schedule(open=pieces), "2026-11-22 12:00") == ("2000-01-01 00:00", "never", "day")


def test_without_a_schedule_the_first_programme_plays_for_ever() -> None:
    plan = compile_schedule(None, "day")
    assert plan == always_open("day", "UTC")
    assert plan.at(0) == plan.fallback == Period(946_684_800 * SECOND, None, "day", True)
    assert schedule("Asia/Tokyo", **MUSEUM).ignored() == always_open("day", "Asia/Tokyo")


def test_a_schedule_with_only_a_zone_is_always_open() -> None:
    assert span(schedule("Europe/London"), "2027-07-01 12:00") == ("2000-01-01 00:00", "never", "day")


def test_days_that_touch_are_one_period() -> None:
    plan = schedule(open=[{"days": "mon-sat", "hours": "00:00-24:00", "play": "day"}])
    assert span(plan, "2027-03-26 12:00") == ("2027-03-22 00:00", "2027-03-28 00:00", "day")
    assert span(plan, "2027-03-28 12:00") == ("2027-03-28 00:00", "2027-03-29 00:00", None)


def test_one_holiday_a_year_cuts_the_year() -> None:
    plan = schedule(**{"except": [{"date": "12-25", "closed": True}]})
    assert span(plan, "2027-07-01 12:00") == ("2026-12-26 00:00", "2027-12-25 00:00", "day")
    assert span(plan, "2027-12-25 12:00") == ("2027-12-25 00:00", "2027-12-26 00:00", None)


def test_one_dated_exception_leaves_the_ages_before_and_after() -> None:
    plan = schedule(**{"except": [{"date": "2045-05-15", "hours": "10:00-24:00", "play": "late"}]})
    assert span(plan, "2026-11-22 12:00") == ("2000-01-01 00:00", "2045-05-15 00:00", "day")
    assert span(plan, "2045-05-15 12:00") == ("2045-05-15 10:00", "2045-05-16 00:00", "late")
    assert span(plan, "2046-01-01 00:00") == ("2045-05-16 00:00", "never", "day")


def test_open_on_one_date_only() -> None:
    plan = schedule(open=[], **{"except": [{"date": "2027-05-15", "hours": "10:00-12:00"}]})
    assert span(plan, "2026-11-22 12:00") == ("2000-01-01 00:00", "2027-05-15 10:00", None)
    assert span(plan, "2027-05-15 11:00") == ("2027-05-15 10:00", "2027-05-15 12:00", "day")
    assert span(plan, "2027-05-15 12:00") == ("2027-05-15 12:00", "never", None)


def test_leap_days() -> None:
    plan = schedule(open=[], **{"except": [{"date": "02-29", "hours": "10:00-12:00"}]})
    assert span(plan, "2027-01-01 00:00") == ("2024-02-29 12:00", "2028-02-29 10:00", None)
    assert span(plan, "2097-01-01 00:00") == ("2096-02-29 12:00", "2104-02-29 10:00", None)


# ---- Midnight, exceptions, daylight saving ------------------------------------------------------------------------


def test_an_evening_plays_to_its_end_on_a_closed_date() -> None:
    plan = schedule(
        open=[{"hours": "18:00-02:00", "play": "late"}],
        **{"except": [{"date": "2027-05-15", "closed": True}, {"date": "2027-05-20", "hours": "01:00-03:00"}]},
    )
    assert span(plan, "2027-05-15 01:00") == ("2027-05-14 18:00", "2027-05-15 02:00", "late")
    assert span(plan, "2027-05-15 20:00") == ("2027-05-15 02:00", "2027-05-16 18:00", None)
    assert span(plan, "2027-05-20 00:30") == ("2027-05-19 18:00", "2027-05-20 01:00", "late")
    assert span(plan, "2027-05-20 02:30") == ("2027-05-20 01:00", "2027-05-20 03:00", "day")


def test_a_single_date_goes_before_a_yearly_one() -> None:
    plan = schedule(
        **{"except": [{"date": "12-25", "closed": True}, {"date": "2027-12-25", "hours": "10:00-12:00", "play": "x"}]}
    )
    assert plan.at(ns(plan, "2027-12-25 11:00")).programme == "x"
    assert plan.at(ns(plan, "2028-12-25 11:00")).programme is None


def test_what_plays_outside_hours() -> None:
    plan = schedule(open=[{"hours": "10:00-18:00"}], closed="night")
    assert plan.at(ns(plan, "2027-05-15 20:00")) == Period(
        ns(plan, "2027-05-15 18:00"), ns(plan, "2027-05-16 10:00"), "night", False
    )


def test_when_the_clock_goes_forward_a_skipped_time_is_the_end_of_the_gap() -> None:
    plan = schedule(open=[{"days": "sun", "hours": "01:20-05:00"}])  # 01:00 GMT is 02:00 BST
    period = plan.at(ns(plan, "2027-03-28 03:00"))
    assert said(plan, period.anchor_ns) == "2027-03-28 02:00"
    assert period.end_ns is not None and period.end_ns - period.anchor_ns == 3 * 60 * MINUTE
    swallowed = schedule(open=[{"days": "sun", "hours": "01:20-01:50"}])
    assert span(swallowed, "2027-03-28 12:00") == ("2027-03-21 01:50", "2027-04-04 01:20", None)


def test_when_the_clock_goes_back_openings_take_the_first_and_closings_the_second() -> None:
    plan = schedule(open=[{"days": "sun", "hours": "01:15-01:45"}])  # 02:00 BST is 01:00 GMT
    period = plan.at(ns(plan, "2027-10-31 01:30", fold=0))
    assert period.anchor_ns == ns(plan, "2027-10-31 01:15", fold=0)
    assert period.end_ns == ns(plan, "2027-10-31 01:45", fold=1) == period.anchor_ns + 90 * MINUTE


def test_half_an_hour_of_daylight_saving() -> None:
    plan = schedule("Australia/Lord_Howe", open=[{"days": "sun", "hours": "01:00-03:00"}])
    assert [period.end_ns - period.start_ns for period in _opened(plan, "2027-04-04", "2027-10-03")] == [
        150 * MINUTE,
        90 * MINUTE,
    ]


def _opened(plan: Schedule, *dates: str) -> list[Opening]:
    found = [plan.today(ns(plan, f"{date} 12:00")) for date in dates]
    assert all(len(openings) == 1 for openings in found)
    return [openings[0] for openings in found]


def test_a_day_that_never_was() -> None:
    plan = schedule("Pacific/Apia", open=[{"hours": "10:00-18:00"}])  # 30 December 2011 was skipped
    assert span(plan, "2011-12-29 20:00") == ("2011-12-29 18:00", "2011-12-31 10:00", None)


def test_today_lists_everything_that_touches_the_date() -> None:
    plan = schedule(**MUSEUM)
    friday = [
        (said(plan, each.start_ns), said(plan, each.end_ns), each.programme)
        for each in plan.today(ns(plan, "2027-05-21 12:00"))
    ]
    assert friday == [
        ("2027-05-20 18:00", "2027-05-21 02:00", "late"),
        ("2027-05-21 10:00", "2027-05-21 18:00", "day"),
    ]
    assert plan.today(ns(plan, "2027-05-17 12:00")) == (
        Opening(ns(plan, "2027-05-16 20:00"), ns(plan, "2027-05-17 01:30"), "late"),
    )


def test_a_clock_before_the_last_thing_known_is_not_trusted() -> None:
    assert is_trusted(10, 10)
    assert not is_trusted(9, 10)
