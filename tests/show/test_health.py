"""Troubles in plain words: what is measured and what the show knows of itself, and what to do about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from installation.show import commands as c
from installation.show.health import PATIENCE_NS, Measured, find_troubles, worst
from installation.show.library import Programme
from installation.show.schedule import Period
from installation.show.snapshot import snapshot
from installation.show.state import Show, ShowState, opened
from installation.show.status import Health
from installation.show.transport import apply
from tests.show.worlds import T0, S, World, film, scene

CAMERA = c.Origin(c.Rank.SCHEDULE, "visitors")
DESK = c.Origin(c.Rank.OPERATOR, "192.168.10.20")
NOTHING = Measured()


@pytest.fixture
def show() -> Show:
    a = film("a")
    visitors = replace(film("visitors", live=True), fallback="a")
    return World([a, visitors, film("other", live=True)], [], [Programme("day", "Day", (scene(a),))]).show()


def said(show: Show, measured: Measured = NOTHING, state: ShowState | None = None) -> list[tuple[Health, str]]:
    found = find_troubles(show, state or opened(show, T0, T0), measured)
    assert all(trouble.advice for trouble in found)
    assert len({trouble.key for trouble in found}) == len(found)
    return [(trouble.level, trouble.what) for trouble in found]


def test_nothing_is_wrong(show: Show) -> None:
    assert said(show, Measured(500, 25, PATIENCE_NS - 1, PATIENCE_NS - 1)) == []
    assert worst(()) is Health.GREEN


def test_what_the_player_measures(show: Show) -> None:
    assert said(show, Measured(500, 26)) == [(Health.AMBER, "pictures come late: 26 of the last 500")]
    assert said(show, Measured(60, 25)) == []  # a start is not smooth, and calls nobody
    assert said(show, Measured(60, 26)) == [(Health.AMBER, "pictures come late: 26 of the last 60")]
    starved = Measured(500, 500, starved_ns=12 * S)
    assert said(show, starved) == [(Health.RED, "nothing could be decoded for 12 s")]
    assert said(show, Measured(screenless_ns=PATIENCE_NS)) == [(Health.RED, "no screen is connected")]


def test_a_dark_screen_at_night_is_no_emergency(show: Show) -> None:
    night = opened(show, T0, T0, Period(T0, None, None, False))
    assert said(show, Measured(screenless_ns=PATIENCE_NS), night)[0][0] is Health.AMBER


def test_live_films_that_are_away(show: Show) -> None:
    state = opened(show, T0, T0)
    for name in ("visitors", "other"):
        state = apply(show, state, c.SourceLost(name), CAMERA, T0)
    assert said(show, state=state) == [
        (Health.AMBER, "film other is away: its last picture holds"),
        (Health.AMBER, "film visitors is away: its fallback plays"),
    ]


def test_a_clock_that_cannot_be_right(show: Show) -> None:
    state = opened(show, T0, T0, show.schedule.at(T0))
    assert said(show, state=state)[0][1].startswith("the clock cannot be trusted")


def test_the_worst_comes_first_and_is_the_health(show: Show) -> None:
    state = apply(show, opened(show, T0, T0), c.SourceLost("visitors"), CAMERA, T0)
    troubles = find_troubles(show, state, Measured(starved_ns=PATIENCE_NS))
    assert [trouble.level for trouble in troubles] == [Health.RED, Health.AMBER]
    seen = snapshot(show, state, T0, 0, troubles)
    assert (seen.health, seen.troubles) == (Health.RED, troubles)


def test_who_holds_the_show_and_until_when(show: Show) -> None:
    held = replace(show, override_ns=600 * S)
    state = apply(held, opened(held, T0, T0 + S), c.PlayFilm("a"), DESK, T0)
    seen = snapshot(held, state, T0, 0)
    assert (seen.holder, seen.holder_until, seen.wall_ns) == ("192.168.10.20", T0 + 601 * S, T0 + S)
    assert (snapshot(held, opened(held, T0, T0), T0, 0).holder, seen.period) == ("", state.period)
