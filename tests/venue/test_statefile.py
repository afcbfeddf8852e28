from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from installation.show import commands as c
from installation.show.config_tables import ScheduleTable
from installation.show.library import Programme, Then
from installation.show.plan import upcoming
from installation.show.progress import advance
from installation.show.schedule import Period, compile_schedule
from installation.show.state import BlackSource, Show, ShowState, opened, resumed
from installation.show.transport import apply
from installation.venue import statefile
from installation.venue.statefile import Memory, MemoryKeeper, load_memory, save_memory
from tests.show.worlds import T0, S, World, film, scene, shot

DESK = c.Origin(c.Rank.OPERATOR, "192.168.10.20")
SHOW = World(
    [film("a"), film("b", space="other")],
    [shot(film("a"), 10, 48, id="visit", then=Then.RETURN)],
    [Programme("day", "Day", (scene(film("a")),))],
).show()

LONDON = {"zone": "Europe/London", "open": [{"hours": "10:00-18:00"}]}
MUSEUM = replace(SHOW, schedule=compile_schedule(ScheduleTable.model_validate(LONDON), "day"))
NOON = int(dt.datetime(2027, 6, 4, 11, tzinfo=dt.UTC).timestamp()) * S


def busy_state() -> ShowState:
    state = opened(SHOW, T0, T0)
    commands = (
        *(c.PlayFilm("b", 3.0), c.SetBrightness(0.4, 2.0), c.Steer("1", 0.3), c.PlayScene("visit", 1.0)),
        *(c.Freeze(True), c.SetSpeed(0.5), c.Pause()),
    )
    for number, command in enumerate(commands):
        state = apply(SHOW, advance(SHOW, state, T0 + number), command, DESK, T0 + number)
    return state


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    memory = Memory("Test", T0, busy_state())
    save_memory(tmp_path / "state.json", memory)
    assert load_memory(tmp_path / "state.json") == memory
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_hours_that_people_changed_come_back(tmp_path: Path) -> None:
    state = opened(MUSEUM, NOON, NOON)
    for command in (
        c.ExtendHours(20 * 60),
        c.ChangeHours(dt.date(2027, 6, 12), (600, 1560), "day"),
        c.ChangeHours(dt.date(2027, 6, 13), None),
        c.CloseHours(),
    ):
        state = apply(MUSEUM, state, command, DESK, NOON)
    save_memory(tmp_path / "state.json", Memory("Test", NOON, state))
    memory = load_memory(tmp_path / "state.json")
    assert memory is not None
    assert memory.state == state
    again = resumed(MUSEUM, memory.state, NOON + S, NOON + S)
    assert again is not None
    assert (again.period, again.changes) == (state.period, state.changes)
    assert not advance(MUSEUM, again, NOON + S).period.open


def test_a_file_from_before_hours_could_be_changed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    save_memory(path, Memory("Test", T0, busy_state()))
    old = json.loads(path.read_text())
    for new in ("changes", "clock_trusted"):
        del old["state"][new]
    path.write_text(json.dumps(old))
    assert load_memory(path) == Memory("Test", T0, busy_state())


def test_a_file_cut_short_anywhere_is_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    save_memory(path, Memory("Test", T0, opened(SHOW, T0, T0)))
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert load_memory(path) is None
    assert load_memory(tmp_path / "nothing.json") is None


def test_the_newest_memory_is_kept_and_a_full_disk_is_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    keeper = MemoryKeeper(tmp_path / "state.json", said.append)
    for number in range(100):
        keeper.keep(Memory("Test", number, opened(SHOW, T0, T0)))
    keeper.close()
    assert load_memory(tmp_path / "state.json").saved_wall_ns == 99  # type: ignore[union-attr]
    lost = MemoryKeeper(tmp_path / "nowhere" / "state.json", said.append)
    for number in range(3):
        lost.keep(Memory("Test", number, opened(SHOW, T0, T0)))
    lost.close()
    assert len(said) == 1
    assert "nowhere" in said[0]


def test_a_fader_that_never_rests_does_not_wear_out_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    first = threading.Event()

    def save(path: Path, memory: Memory) -> None:
        saved.append(memory.saved_wall_ns)
        first.set()

    monkeypatch.setattr(statefile, "save_memory", save)
    keeper = MemoryKeeper(tmp_path / "state.json", print, rest_s=60.0)
    keeper.keep(Memory("Test", 0, opened(SHOW, T0, T0)))
    assert first.wait(10)
    for number in range(1, 100):
        keeper.keep(Memory("Test", number, opened(SHOW, T0, T0)))
    keeper.close()
    assert saved == [0, 99]


def test_a_resumed_show_is_where_its_own_time_has_got_to() -> None:
    state = apply(SHOW, opened(SHOW, T0, T0), c.PlayFilm("b", 0), DESK, T0)
    later = T0 + 100 * S
    again = resumed(SHOW, state, later, later)
    assert again is not None
    assert advance(SHOW, again, later).layers == advance(SHOW, state, later).layers


def test_a_resumed_show_keeps_the_hours_of_now_not_those_it_remembers() -> None:
    closed = Period(T0 - S, None, None, False)
    closes_today = replace(SHOW, schedule=replace(SHOW.schedule, periods=(closed,)))
    playing = apply(SHOW, opened(SHOW, T0, T0), c.PlayFilm("b", 0), DESK, T0)
    again = resumed(closes_today, playing, T0 + S, T0 + S)
    assert again is not None
    assert advance(closes_today, again, T0 + S).period == closed
    assert advance(closes_today, again, T0 + 10 * S).layers[-1].source == BlackSource()


def test_a_rehearsal_of_another_day_does_not_keep_the_house_open() -> None:
    closed, later = Period(T0 - S, T0 + 100 * S, None, False), Period(T0 + 100 * S, None, "day", True)
    show = replace(SHOW, schedule=replace(SHOW.schedule, periods=(closed, later)))
    rehearsed = opened(show, T0 + 200 * S, T0 + 200 * S)
    again = resumed(show, rehearsed, T0, T0)
    assert again is not None
    assert advance(show, again, T0).period == closed


@pytest.mark.parametrize("gone", ["b", "visit"])
def test_a_state_of_another_show_is_not_resumed(gone: str) -> None:
    command = c.PlayFilm("b", 0) if gone == "b" else c.PlayScene("visit", 0)
    state = apply(SHOW, opened(SHOW, T0, T0), command, DESK, T0)
    other = World([film("a")], [], [Programme("day", "Day", (scene(film("a")),))]).show()
    assert resumed(other, state, T0, T0) is None


def test_a_frozen_picture_of_a_film_that_is_gone_is_not_resumed() -> None:
    def show(*films: str) -> Show:
        scenes = tuple(shot(film(name), 0, 24, id=name) for name in films)
        return World([film(name) for name in films], list(scenes), [Programme("day", "Day", scenes)]).show()

    both = show("a", "b")
    t = next(T0 + n * S for n in range(2) if seen_at(both, T0 + n * S) == "b")
    frozen = apply(both, opened(both, t, t), c.Freeze(True), DESK, t)
    assert resumed(both, frozen, t, t) is not None
    assert resumed(show("a"), frozen, t, t) is None


def seen_at(show: Show, t_ns: int) -> str:
    """The film a show starts with at a time."""
    return next(upcoming(show, opened(show, t_ns, t_ns), t_ns)).pictures[-1].key.films[-1]
