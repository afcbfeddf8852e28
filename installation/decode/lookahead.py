"""Which frame to decode next. Pure: the future is a function of the state, so it can be decoded before it is due.

The first missing frame that can still be in time is the one; an instant that will have passed before its decode
finishes is skipped, so a decoder slower than the film still moves the picture as often as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from installation.show.frameplan import FrameKey, FramePlan

DEPTH = 8  # instants after the current one; at 24 a second a third of a second
LIVE_DEPTH = 1  # a live film decoded further ahead would show the past
RESTLESS_DEPTH = 2  # while somebody keeps changing the future
_LAPSE_NS = 2_000_000_000  # after a longer silence (a machine that slept) planning starts anew


@dataclass(frozen=True, slots=True)
class Task:
    """The frame to decode next and the moment (show time) it is for."""

    key: FrameKey
    due_ns: int


@dataclass(frozen=True, slots=True)
class Stock:
    """What is known about frames: `has` it; `newest_due` of the same films; is it of a `live` film."""

    has: Callable[[FrameKey], bool]
    newest_due: Callable[[tuple[str, ...]], int]
    live: Callable[[FrameKey], bool]


def next_task(plans: Sequence[FramePlan], stock: Stock, now_ns: int, decode_ns: int) -> Task | None:
    """The next frame to decode; None when all that may be decoded yet is there.

    `plans`: the current instant's and those after it. A frame is in time if it is finished within half a period of
    its due time. If none can be, the last one is taken: it will be the least late. Of two pictures missing in one
    instant the one whose films have waited longest goes first, so that neither of two layers starves.
    """
    best: Task | None = None
    for ahead, plan in enumerate(plans):
        missing = [
            picture.key
            for picture in plan.pictures
            if not stock.has(picture.key) and (ahead <= LIVE_DEPTH or not stock.live(picture.key))
        ]
        if not missing:
            continue
        key = missing[0] if len(missing) == 1 else min(missing, key=lambda key: stock.newest_due(key.films))
        best = Task(key, plan.instant.due_ns)
        if now_ns + decode_ns * len(missing) <= plan.instant.due_ns + plan.period_ns / 2:
            return best
    return best


class Window:
    """The plans of the current instant and those after it, each made once: a sliding view of an endless future."""

    def __init__(self, upcoming: Callable[[int], Iterator[FramePlan]]) -> None:
        """`upcoming(t_ns)` gives the plan of the newest instant at `t_ns`, then those after it, for ever."""
        self._upcoming = upcoming
        self._future: Iterator[FramePlan] = iter(())
        self._plans: list[FramePlan] = []

    def at(self, now_ns: int, depth: int = DEPTH) -> Sequence[FramePlan]:
        """The current plan at `now_ns` and `depth` more."""
        if not self._plans or now_ns - self._plans[0].instant.due_ns > _LAPSE_NS:
            self._plans, self._future = [], self._upcoming(now_ns)
        self._fill(2)
        while self._plans[1].instant.due_ns <= now_ns:
            del self._plans[0]
            self._fill(2)
        self._fill(depth + 1)
        return self._plans[: depth + 1]

    def _fill(self, count: int) -> None:
        self._plans.extend(islice(self._future, max(0, count - len(self._plans))))


class Pace:
    """What a decode is expected to take: quick to believe it got slower, slow to believe it got faster."""

    def __init__(self, first_guess_ns: int = 10_000_000) -> None:
        self.expected_ns = first_guess_ns

    def add(self, duration_ns: int) -> None:
        """Learn from one; a single stall is not believed at once."""
        duration_ns = min(duration_ns, 4 * self.expected_ns)
        share = 0.5 if duration_ns > self.expected_ns else 0.1
        self.expected_ns += round((duration_ns - self.expected_ns) * share)
