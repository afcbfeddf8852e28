"""Each part is told in its newest form, and no more often than is of use."""

from __future__ import annotations

import json
from dataclasses import replace

from installation.clock import SECOND_NS
from installation.control.page.bulletin import CHANGE_NS, TIME_NS, Bulletin, Part
from installation.show import commands as c
from installation.show.progress import advance
from installation.show.snapshot import snapshot
from installation.show.state import opened
from installation.show.status import Health, Snapshot, StateWord, Trouble
from installation.show.transport import apply
from tests.control.page.house import AFTERNOON, make_show

SHOW = make_show()
NOW_NS = round(AFTERNOON.timestamp()) * SECOND_NS
PLAYING = Snapshot(state=StateWord.PLAYING, scene="visit", film="tramp", wall_ns=NOW_NS, position=1.0, remaining=3.0)


def numbers(bulletin: Bulletin) -> dict[str, int]:
    return {name: part.number for name, part in bulletin.parts}


def test_a_part_is_new_when_its_text_is() -> None:
    first = Part().after({"a": 1}, "now")
    assert first == Part(1, '{"now":{"a":1}}')
    assert first.after({"a": 1}, "now") is first
    assert first.after({"a": 2}, "now").number == 2


def test_while_only_time_passes_it_is_told_once_a_second() -> None:
    bulletin = Bulletin(SHOW.schedule)
    bulletin.look(PLAYING, 0)
    assert numbers(bulletin) == {"time": 1, "hours": 1, "now": 1}
    for step in range(1, 31):
        moved = replace(PLAYING, position=1 + step / 30, wall_ns=NOW_NS + step * SECOND_NS // 30)
        bulletin.look(moved, step * TIME_NS // 30)
    assert numbers(bulletin) == {"time": 2, "hours": 1, "now": 1}


def test_a_change_is_told_at_once_and_then_fifteen_a_second() -> None:
    bulletin = Bulletin(SHOW.schedule)
    bulletin.look(PLAYING, 0)
    for millisecond in range(1, 1001):
        bulletin.look(replace(PLAYING, brightness=millisecond / 1000, position=2.0), millisecond * 1_000_000)
    assert 14 <= numbers(bulletin)["now"] <= 16
    assert numbers(bulletin)["time"] <= 16
    bulletin.look(replace(PLAYING, brightness=0.5), 2 * SECOND_NS)
    assert json.loads(bulletin.now.text)["now"]["brightness"] == 0.5
    bulletin.look(replace(PLAYING, brightness=0.6), 2 * SECOND_NS + CHANGE_NS - 1)
    assert json.loads(bulletin.now.text)["now"]["brightness"] == 0.5
    bulletin.look(replace(PLAYING, brightness=0.6), 2 * SECOND_NS + CHANGE_NS)
    assert json.loads(bulletin.now.text)["now"]["brightness"] == 0.6


def test_a_state_says_everything_that_a_page_shows() -> None:
    bulletin = Bulletin(SHOW.schedule)
    trouble = Trouble("late", Health.AMBER, "pictures come late", "end other programs")
    told = replace(PLAYING, troubles=(trouble,), health=Health.AMBER, holder="page 127.0.0.1", holder_until=NOW_NS)
    bulletin.look(told, 0)
    now = json.loads(bulletin.now.text)["now"]
    assert now["troubles"] == [{"level": "amber", "what": "pictures come late", "advice": "end other programs"}]
    assert (now["holder"], now["holder_until"]) == ("page 127.0.0.1", NOW_NS // 1_000_000)
    assert json.loads(bulletin.time.text)["time"] == {
        "wall": NOW_NS // 1_000_000,
        "position": 1.0,
        "remaining": 3.0,
        "runs": True,
    }


def test_time_stands_when_the_picture_does() -> None:
    for held in (
        replace(PLAYING, paused=True),
        replace(PLAYING, stopped=True),
        replace(PLAYING, speed=0.0),
        Snapshot(),
    ):
        bulletin = Bulletin(SHOW.schedule)
        bulletin.look(held, 0)
        assert json.loads(bulletin.time.text)["time"]["runs"] is False


class TestHours:
    def told(self, *commands: c.Command) -> list[dict[str, object]]:
        state = opened(SHOW, NOW_NS, NOW_NS)
        for command in commands:
            state = apply(SHOW, state, command, c.Origin(c.Rank.OPERATOR, "page"), NOW_NS)
        bulletin = Bulletin(SHOW.schedule)
        bulletin.look(snapshot(SHOW, advance(SHOW, state, NOW_NS), NOW_NS, 0), 0)
        days: list[dict[str, object]] = json.loads(bulletin.hours.text)["hours"]["days"]
        return days

    def test_two_weeks_of_them(self) -> None:
        days = self.told()
        assert [day["date"] for day in days] == [f"2026-11-{n}" for n in range(25, 31)] + [
            f"2026-12-{n:02}" for n in range(1, 10)
        ]
        (opening,) = days[0]["openings"]  # type: ignore[misc]
        midnight = NOW_NS // 1_000_000 - 14 * 3_600_000 - 30 * 60_000
        assert days[0]["from"] == midnight
        assert opening == {"start": midnight + 10 * 3_600_000, "end": midnight + 18 * 3_600_000, "programme": "day"}
        assert [day["date"] for day in days if day["exception"]] == ["2026-12-02"]
        assert not any(day["changed"] for day in days)

    def test_changes_are_marked(self) -> None:
        (longer,) = (day for day in self.told(c.ExtendHours(20 * 60)) if day["changed"])
        assert longer["date"] == "2026-11-25"
        assert longer["openings"][-1]["end"] == longer["from"] + 20 * 3_600_000  # type: ignore[index, operator]

    def test_they_are_made_anew_only_when_they_change(self) -> None:
        bulletin = Bulletin(SHOW.schedule)
        state = opened(SHOW, NOW_NS, NOW_NS)
        for second in range(5):
            at_ns = NOW_NS + second * SECOND_NS
            bulletin.look(snapshot(SHOW, state, at_ns, 0), at_ns)
        assert bulletin.hours.number == 1
        state = apply(SHOW, state, c.CloseHours(), c.Origin(c.Rank.OPERATOR, "page"), NOW_NS + 5 * SECOND_NS)
        bulletin.look(snapshot(SHOW, state, NOW_NS + 5 * SECOND_NS, 1), NOW_NS + 6 * SECOND_NS)
        assert bulletin.hours.number == 2
