"""Hours that people change, against a model that counts minutes, at both edges of daylight saving time."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from installation.errors import CommandRefused
from installation.show import commands as c
from installation.show.progress import advance
from installation.show.state import Show, ShowState, opened, resumed
from installation.show.transport import apply
from tests.show.changing import DESK, Table, show_with
from tests.show.scanning import MINUTE, WallClock

STATES = TypeAdapter(ShowState)
ZONES = ("Europe/London", "Australia/Lord_Howe")
EDGES = (dt.date(2027, 3, 27), dt.date(2027, 10, 30), dt.date(2027, 4, 3), dt.date(2027, 10, 2), dt.date(2027, 6, 5))
DAYS = 4


# ---- The model: an array of minutes, and what people said in order ------------------------------------------------


@dataclass
class Said:
    """A layer of the model: `minutes` that play something, or a closing that begins at `start`."""

    date: dt.date
    minutes: dict[int, str] = field(default_factory=dict)
    start: int | None = None
    end: int | None = None


class Model:
    """What is open in every minute, worked out anew after each thing said. Index 0 is the clock's first minute."""

    def __init__(self, table: Table, clock: WallClock) -> None:
        self.clock = clock
        self.table = table
        self.dates: dict[dt.date, tuple[str, str] | None] = {}
        self.layers: list[Said] = []
        self.past: list[str | None] = []  # what really was, minute by minute
        self._work_out()

    def _work_out(self) -> None:
        exceptions = [each for each in self.table.get("except", []) if each["date"] not in map(str, self.dates)]  # type: ignore
        for date, hours in self.dates.items():
            entry = {
                "date": str(date),
                **({"closed": True} if hours is None else {"hours": hours[0], "play": hours[1]}),
            }
            exceptions.append(entry)
        self.hours = self.clock.programmes({**self.table, "except": exceptions})
        self.seen = list(self.hours)
        for layer in self.layers:
            for index, programme in layer.minutes.items():
                self.seen[index] = programme
            if layer.start is not None:
                end = self._next_opening(layer.start) if layer.end is None else layer.end
                self.seen[layer.start : end] = [None] * (end - layer.start)

    def _next_opening(self, start: int) -> int:
        """Where the hours begin another programme, or open, after a minute."""
        for index in range(start + 1, len(self.hours)):
            if self.hours[index] is not None and self.hours[index] != self.hours[index - 1]:
                return index
        return len(self.hours)

    def date(self, now: int) -> dt.date:
        return self.clock.readings[now].date()

    def _silence(self, now: int, date: dt.date | None = None, *, openings_only: bool = False) -> None:
        for layer in self.layers:
            if date in (None, layer.date):
                layer.minutes = {index: each for index, each in layer.minutes.items() if index < now}
                if layer.start is not None and not openings_only:
                    layer.end = now if layer.end is None else min(layer.end, now)
        self._work_out()

    def extend(self, now: int, minute: int) -> bool:
        midnight = dt.datetime.combine(self.date(now), dt.time())
        ends = [self.clock.closes(midnight + dt.timedelta(minutes=minute + 1440 * n)) for n in range(3)]
        until = next(end for end in ends if end is not None and end > now)
        before = [(layer, dict(layer.minutes)) for layer in self.layers]
        self._silence(now, openings_only=True)
        layer = Said(self.date(now))
        programme = self.seen[now] or next((each for each in reversed(self.past[:now]) if each), "day")
        for index in range(now, until):
            programme = self.seen[index] or programme
            if self.seen[index] is None:
                layer.minutes[index] = programme
        if not layer.minutes:
            for each, minutes in before:
                each.minutes = minutes
            self._work_out()
            return False
        self.layers.append(layer)
        self._work_out()
        return True

    def close(self, now: int) -> bool:
        if self.seen[now] is not None:
            self._silence(now)
            self.layers.append(Said(self.date(now), start=now))
            self._work_out()
        return True

    def change(self, now: int, days: int, hours: tuple[str, str] | None) -> bool:
        date = self.date(now) + dt.timedelta(days=days)
        self.dates[date] = hours
        if days == 0:
            self._silence(now, date)
        self._work_out()
        return True


# ---- Both side by side --------------------------------------------------------------------------------------------

Step: TypeAlias = tuple[str, int, object]  # what, minutes to wait before, with what

TIMES = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
HOURS = st.tuples(TIMES, TIMES).filter(lambda each: each[0] != each[1]).map("-".join)
PLAYED = st.tuples(HOURS, st.sampled_from(["day", "late", "night"]))
STEPS = st.one_of(
    st.tuples(st.just("extend"), st.integers(0, 600), st.integers(0, 95).map(lambda quarter: quarter * 15)),
    st.tuples(st.just("close"), st.integers(0, 600), st.none()),
    st.tuples(st.just("change"), st.integers(0, 600), st.tuples(st.integers(0, 2), st.none() | PLAYED)),
    st.tuples(st.just("restart"), st.integers(0, 600), st.none()),
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Hours that do not overlap: some days are cut up, and each piece plays something or nothing."""
    times = sorted(draw(st.lists(TIMES, min_size=2, max_size=5, unique=True)))
    pieces = zip(times, times[1:] + times[:1], strict=True)
    days = draw(st.sampled_from(["mon-sun", "sat,sun", "sun"]))
    played = [(piece, draw(st.sampled_from([None, "day", "late"]))) for piece in pieces]
    return {"open": [{"days": days, "hours": "-".join(piece), "play": each} for piece, each in played if each]}


def command(model: Model, now: int, what: str, how: object) -> tuple[c.Command, bool]:
    """The command, and whether the model obeys it."""
    match what, how:
        case "extend", int(minute):
            return c.ExtendHours(minute), model.extend(now, minute)
        case "change", (int(days), hours):
            date = model.date(now) + dt.timedelta(days=days)
            if hours is None:
                return c.ChangeHours(date, None), model.change(now, days, None)
            begin, end = (int(part[:2]) * 60 + int(part[3:]) for part in hours[0].split("-"))
            end += 1440 * (end <= begin)
            return c.ChangeHours(date, (begin, end), hours[1]), model.change(now, days, hours)
    return c.CloseHours(), model.close(now)


def restarted(show: Show, state: ShowState, t_ns: int) -> ShowState:
    """The state as a file brings it back."""
    again = resumed(show, STATES.validate_json(STATES.dump_json(state)), t_ns, t_ns)
    assert again is not None
    return advance(show, again, t_ns)


class Evening:
    """A show and its model, minute by minute."""

    def __init__(self, table: Table, zone: str, first: dt.date, days: int) -> None:
        self.show = show_with(table, zone)
        self.clock = WallClock(zone, first - dt.timedelta(days=7), days + 10)
        self.model = Model(table, self.clock)
        self.now = 9 * 1440  # of which the first week says what played last
        self.model.past = self.model.seen[: self.now]
        self.state = opened(self.show, self.t_ns, self.t_ns)

    @property
    def t_ns(self) -> int:
        return (self.clock.start + self.now) * MINUTE

    def wait(self, minutes: int) -> None:
        for _ in range(minutes):
            self.model.past.append(self.model.seen[self.now])
            self.now += 1
            self.state = advance(self.show, self.state, self.t_ns)
            self.agree()

    def agree(self) -> None:
        """The same programme; and while it is open, it began where it really began."""
        period, wanted = self.state.period, self.model.seen[self.now]
        where = self.clock.readings[self.now]
        assert (period.open, period.programme) == (wanted is not None, wanted), where
        assert period.end_ns is None or period.end_ns > self.t_ns
        if wanted is not None and self.model.past and self.model.past[-1] == wanted:
            run = next((n for n, each in enumerate(reversed(self.model.past)) if each != wanted), len(self.model.past))
            if run < 7 * 1440:  # longer ago, the model does not know
                assert period.anchor_ns == self.t_ns - run * MINUTE, where

    def says(self, what: str, how: object) -> None:
        if what == "restart":
            self.state = restarted(self.show, self.state, self.t_ns)
            return
        order, obeyed = command(self.model, self.now, what, how)
        try:
            self.state = apply(self.show, self.state, order, DESK, self.t_ns)
            assert obeyed, order
        except CommandRefused as refusal:
            assert not obeyed, refusal
        self.agree()


@settings(deadline=None, max_examples=60)
@given(
    table=tables(),
    steps=st.lists(STEPS, max_size=6),
    edge=st.sampled_from(EDGES),
    zone=st.sampled_from(ZONES),
)
def test_changed_hours_equal_a_scan_by_minutes(table: Table, steps: list[Step], edge: dt.date, zone: str) -> None:
    evening = Evening(table, zone, edge, DAYS)
    for what, wait, how in steps:
        evening.wait(wait)
        evening.says(what, how)
    evening.wait(1440)


def test_a_fortnight_at_the_end_of_summer_time() -> None:
    """Several changes a day, and a restart each night."""
    table: Table = {
        "open": [
            {"days": "tue-sun", "hours": "10:00-18:00", "play": "day"},
            {"days": "thu,sat", "hours": "18:00-02:00", "play": "late"},
        ],
        "except": [{"date": "2027-10-31", "hours": "00:30-24:00", "play": "late"}],
    }
    evening, dice = Evening(table, "Europe/London", dt.date(2027, 10, 22), 15), random.Random(8)
    hours = ["10:00-20:00", "01:15-01:45", "20:00-03:00", "00:00-24:00", "09:30-12:00"]
    for number in range(60):
        evening.wait(dice.randrange(60, 600))
        change = (dice.randrange(3), dice.choice([None, (dice.choice(hours), dice.choice(["day", "night"]))]))
        minute = dice.randrange(96) * 15
        what, how = dice.choice([("extend", minute), ("extend", minute), ("close", None), ("change", change)])
        evening.says(what, how)
        if number % 4 == 0:
            evening.says("restart", None)
    assert evening.clock.readings[evening.now].date() >= dt.date(2027, 11, 4)
