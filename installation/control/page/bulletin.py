"""What everybody is told of a running show, each part in its newest form only.

A part is a text and a number that rises when the text changes. Whoever was told the newest number is told nothing; who
is slow is told the newest when there is room, and never what was in between.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from installation.clock import SECOND_NS
from installation.control.page.content import Told
from installation.control.page.hours import hours_key, hours_told
from installation.show.schedule import Schedule
from installation.show.status import Snapshot

CHANGE_NS = SECOND_NS // 15  # between two states
TIME_NS = SECOND_NS  # between two times, while nothing else changes
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is told: its newest text. Number 0 is nothing yet."""

    number: int = 0
    text: str = ""

    def after(self, told: Told | Sequence[str], name: str) -> Part:
        """The next form of it; the same when nothing is new."""
        text = json.dumps({name: told}, separators=(",", ":"))
        return self if text == self.text else Part(self.number + 1, text)


class Bulletin:
    """The parts: `now` (on change, at most 15 a second), `time` (with every `now`, and once a second) and `hours`."""

    def __init__(self, schedule: Schedule) -> None:
        self.now = Part()
        self.time = Part()
        self.hours = Part()
        self._schedule = schedule
        self._hours_key: object = None
        self._changed_ns: int | None = None
        self._timed_ns: int | None = None

    def look(self, snapshot: Snapshot, now_ns: int) -> None:
        """Take a snapshot, and make anew what is new in it."""
        if self._changed_ns is not None and now_ns - self._changed_ns < CHANGE_NS:
            return
        now = self.now.after(now_told(snapshot), "now")
        if now is not self.now:
            self.now, self._changed_ns = now, now_ns
        elif self._timed_ns is not None and now_ns - self._timed_ns < TIME_NS:
            return
        self.time, self._timed_ns = self.time.after(time_told(snapshot), "time"), now_ns
        key = hours_key(self._schedule, snapshot)
        if key != self._hours_key:
            self._hours_key = key
            self.hours = self.hours.after(hours_told(self._schedule, snapshot), "hours")

    @property
    def parts(self) -> tuple[tuple[str, Part], ...]:
        """All of them, in the order they are told in."""
        return (("time", self.time), ("hours", self.hours), ("now", self.now))


def now_told(snapshot: Snapshot) -> Told:
    """What holds until something happens."""
    return {
        "applied": snapshot.applied,
        "state": snapshot.state.value,
        "scene": snapshot.scene,
        "film": snapshot.film,
        "programme": snapshot.programme,
        "next": snapshot.next,
        "brightness": round(snapshot.brightness, 4),
        "volume": round(snapshot.volume, 4),
        "speed": round(snapshot.speed, 4),
        "steering": [round(amount, 4) for amount in snapshot.steering],
        "blackout": snapshot.blackout,
        "freeze": snapshot.freeze,
        "paused": snapshot.paused,
        "stopped": snapshot.stopped,
        "mode": snapshot.mode.value,
        "holder": snapshot.holder,
        "holder_until": _ms(snapshot.holder_until),
        "open": snapshot.period.open,
        "turns": _ms(snapshot.period.end_ns),
        "health": snapshot.health.value,
        "troubles": [
            {"level": trouble.level.value, "what": trouble.what, "advice": trouble.advice}
            for trouble in snapshot.troubles
        ],
    }


def time_told(snapshot: Snapshot) -> Told:
    """Where time is. `wall` in ms since 1970; the rest in seconds, which go on by themselves if `runs`."""
    return {
        "wall": _ms(snapshot.wall_ns),
        "position": snapshot.position,
        "remaining": snapshot.remaining,
        "runs": snapshot.scene != "" and not (snapshot.paused or snapshot.stopped or snapshot.speed == 0),
    }


def _ms(wall_ns: int | None) -> int | None:
    return None if wall_ns is None else wall_ns // MS
