"""A day in a museum, simulated: a distance sensor steers, a presence sensor starts a scene for each visitor.

From ten to six both speak four times a second, through packets, map, chain and the rules of who decides, to the state
of a real show. They lie: noise, single spikes, NaN and infinity, lost packets; the distance is silent for an hour and
stuck at one value for another, and so is the presence for a while each. At noon a person takes over for half an hour.
At night nobody speaks.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from installation.control.mapping.rules import MapRule
from installation.control.methods.addresses import AddressSpace
from installation.control.methods.names import Names
from installation.control.receiver import Heard, Outcome, Receiver
from installation.control.settings import Endpoint
from installation.errors import CommandRefused
from installation.show import commands as show
from installation.show.commands import Command, Mode, Origin, Rank
from installation.show.config_mapping import MapTable
from installation.show.library import Then
from installation.show.progress import advance
from installation.show.state import Show, ShowState, opened
from installation.show.timebase import JOTS_PER_NS
from installation.show.transport import apply
from tests.control.packets import floats
from tests.show.worlds import T0, S, World, film, scene

STEP = S // 4
HOUR = 3600 * S
OPEN, CLOSE = 10 * HOUR, 18 * HOUR
SILENT = (11 * HOUR, 12 * HOUR)
HELD = (12 * HOUR, 12 * HOUR + HOUR // 2)
STUCK = (15 * HOUR, 16 * HOUR)
UNHEARD = (13 * HOUR, 13 * HOUR + HOUR // 2)  # presence: nothing
JAMMED = (16 * HOUR, 16 * HOUR + HOUR // 3)  # presence: somebody, all the time
LIES = (math.nan, -math.inf, -1.0, 9999.0, 20.0, 400.0)  # of the distance, for a sample
SENSORS = Endpoint("10.0.0.7", 7000)
MAP = (
    {
        **{"from": "/room/distance", "do": "steer/1 {value}", "rank": "sensor", "input": [20, 400], "output": [-1, 1]},
        **{"smooth": 0.5, "dead_band": 0.02, "rate": 10, "stale": 5, "stuck": 60},
    },
    {
        **{"from": "/room/presence", "do": "scene/visit", "rank": "sensor", "input": [0, 1]},
        **{"above": 0.6, "below": 0.4, "hold": 1, "rearm": 20},
    },
)


def during(t: int, span: tuple[int, int]) -> bool:
    return span[0] <= t < span[1]


def visits(rng: random.Random) -> Iterator[tuple[int, int, bool]]:
    """(from, until, meant): who stays for at least three seconds means it; a passer-by does not."""
    t = OPEN + 30 * S
    while t < CLOSE - 120 * S:
        passing = rng.random() < 0.2
        until = t + round((rng.uniform(0.2, 0.7) if passing else rng.uniform(3, 60)) * S)
        if not any(during(edge, (t - 30 * S, until + 30 * S)) for edge in (*UNHEARD, *JAMMED)):
            yield t, until, not passing
        t = until + round(rng.uniform(30, 300) * S)


def distance(t: int) -> float:
    """Where the visitor really stands, cm."""
    return 210 + 180 * math.sin(2 * math.pi * t / (600 * S))


@dataclass
class Museum:
    """The show, and everything that happened to it."""

    show: Show
    state: ShowState
    receiver: Receiver
    started: list[int] = field(default_factory=list)
    refused: int = 0
    steered: int = 0

    def hear(self, outcomes: list[Outcome], t: int) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Heard):
                for command in outcome.commands:
                    self.obey(command, Origin(outcome.rank, outcome.source.host), t)

    def obey(self, command: Command, origin: Origin, t: int) -> None:
        self.state = advance(self.show, self.state, T0 + t)
        try:
            self.state = apply(self.show, self.state, command, origin, T0 + t)
        except CommandRefused:
            self.refused += 1
            return
        self.steered += isinstance(command, show.Steer)
        if command == show.PlayScene("visit"):
            self.started.append(t)

    def steering(self, t: int) -> float:
        ramp = self.state.steering.get("1")
        return 0.0 if ramp is None else ramp.at((T0 + t) * JOTS_PER_NS)


def open_museum() -> Museum:
    bunny, tramp = film("bunny"), film("tramp", frames=480)
    world = World([bunny, tramp], [scene(tramp, id="visit", then=Then.RETURN)]).show()
    names = Names(frozenset({"bunny", "tramp"}), frozenset({"bunny", "tramp", "visit"}))
    receiver = Receiver(AddressSpace(names), rules=[MapRule.of(MapTable.model_validate(entry)) for entry in MAP])
    return Museum(world, opened(world, T0, T0), receiver)


@dataclass
class Room:
    """What the sensors say. A glitch is one sample long, and comes alone."""

    rng: random.Random
    visits: list[tuple[int, int, bool]]
    _calm: int = 0
    _visit: int = 0

    def said(self, t: int) -> Iterator[tuple[str, float]]:
        if not during(t, (OPEN, CLOSE)):
            return
        while self._visit < len(self.visits) and self.visits[self._visit][1] <= t:
            self._visit += 1
        there = self._visit < len(self.visits) and self.visits[self._visit][0] <= t
        glitch = self._calm >= 4 and self.rng.random() < 0.03
        self._calm = 0 if glitch else self._calm + 1
        if during(t, JAMMED):
            yield "/room/presence", 0.9
        elif self.rng.random() > 0.01 and not during(t, UNHEARD):  # else lost on its way
            level = (0.9 if there else 0.1) + self.rng.uniform(-0.1, 0.1)
            yield "/room/presence", self.rng.choice((math.nan, math.inf, 1.0, 0.0, 77.0)) if glitch else level
        if during(t, SILENT) or self.rng.random() < 0.01:
            return
        if during(t, STUCK):
            yield "/room/distance", 300.0
        else:
            near = distance(t) + self.rng.gauss(0, 3)
            yield (
                "/room/distance",
                self.rng.choice((math.nan, -math.inf, -1.0, 9999.0, 20.0, 400.0)) if glitch else near,
            )


def test_a_day() -> None:
    rng = random.Random(2027)
    room = Room(rng, list(visits(rng)))
    museum = open_museum()
    worst = 0.0
    for t in range(9 * HOUR, 19 * HOUR, STEP):
        for address, number in room.said(t):
            museum.hear(museum.receiver.feed(floats(address, number), SENSORS, T0 + t), t)
        museum.hear(museum.receiver.moved(T0 + t), t)
        if t == HELD[0]:
            museum.obey(show.PlayFilm("bunny"), Origin(Rank.OPERATOR, "desk"), t)
        if t == HELD[1]:
            museum.obey(show.SetMode(Mode.AUTO), Origin(Rank.OPERATOR, "desk"), t)
        if t % (10 * S) == 0:
            museum.state = advance(museum.show, museum.state, T0 + t)
            worst = max(worst, error(museum, t))
    assert worst < 0.1
    meant = [start for start, _, is_meant in room.visits if is_meant]
    unseen = [start for start in meant if during(start, UNHEARD) or during(start, JAMMED)]
    heard = sorted({JAMMED[0], *meant} - {start for start in meant if during(start, HELD)} - {*unseen})
    assert len(unseen) > 3
    assert len(museum.started) == len(heard) > 80
    assert all(S <= started - start < 3 * S for start, started in zip(heard, museum.started, strict=True))
    assert museum.refused >= sum(during(start, HELD) for start in meant) > 0
    assert museum.steered < 40_000  # of some 100,000 numbers
    assert museum.steering(19 * HOUR) == 0.0


def error(museum: Museum, t: int) -> float:
    """How far the steering is from what the room asks for; while nothing can be asked of it, from the film."""
    gone = not during(t, (OPEN, CLOSE)) or during(t, SILENT) or during(t, (STUCK[0] + 60 * S, STUCK[1]))
    settling = (OPEN, CLOSE, *SILENT, *HELD, *STUCK, STUCK[0] + 60 * S)
    if during(t, HELD) or any(during(t, (edge, edge + 10 * S)) for edge in settling):
        return 0.0
    wanted = 0.0 if gone else (300 if during(t, STUCK) else distance(t)) / 190 - 210 / 190
    return abs(museum.steering(t) - wanted)
