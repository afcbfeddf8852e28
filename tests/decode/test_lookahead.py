"""Choosing what to decode next, and what that means for a wall: in simulated time, with the real plan and slots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from installation.clock import SimulatedClock
from installation.decode.lookahead import DEPTH, LIVE_DEPTH, Pace, Stock, Task, Window, next_task
from installation.decode.slots import FrameSlots
from installation.show.commands import Command, Origin, PlayFilm, Rank, Steer
from installation.show.frameplan import FrameKey, FramePlan
from installation.show.plan import upcoming
from installation.show.state import Show, ShowState, opened
from installation.show.transport import apply
from tests.decode.keys import MS, PERIOD, key, plan, plans
from tests.show.worlds import T0, S, World, film

DESK = Origin(Rank.OPERATOR, "desk")


def stock(*have: FrameKey, dues: dict[tuple[str, ...], int] | None = None, live: str = "") -> Stock:
    return Stock(
        has=lambda each: each in have,
        newest_due=lambda films: (dues or {}).get(films, -1),
        live=lambda each: live in each.films,
    )


def test_the_first_missing_frame_comes_first() -> None:
    have = [key(10), key(11), key(13)]
    assert next_task(plans(10), stock(*have), 10 * PERIOD, 5 * MS) == Task(key(12), 12 * PERIOD)


def test_nothing_missing_is_nothing_to_do() -> None:
    assert next_task(plans(10), stock(*(key(k) for k in range(10, 19))), 10 * PERIOD, 5 * MS) is None
    assert next_task([plan(0, *())][:0], stock(), 0, 5 * MS) is None


@pytest.mark.parametrize(
    ("decode_ms", "k"),
    [(5, 10), (20, 10), (21, 11), (60, 11), (61, 12), (300, 17)],
)
def test_what_would_be_late_is_skipped(decode_ms: int, k: int) -> None:
    """Late is more than half a period after the due time."""
    assert next_task(plans(10), stock(), 10 * PERIOD, decode_ms * MS) == Task(key(k), k * PERIOD)


def test_when_all_will_be_late_the_least_late_is_decoded() -> None:
    assert next_task(plans(10), stock(), 10 * PERIOD, 900 * MS) == Task(key(18), 18 * PERIOD)
    have = [key(k) for k in range(11, 19)]
    assert next_task(plans(10), stock(*have), 10 * PERIOD, 900 * MS) == Task(key(10), 10 * PERIOD)


def test_two_pictures_must_both_be_in_time() -> None:
    both = [plan(k, key(k), key(k, "two")) for k in range(10, 19)]
    task = next_task(both, stock(), 10 * PERIOD, 25 * MS)
    assert task is not None and task.due_ns == 11 * PERIOD
    task = next_task(both, stock(key(11)), 10 * PERIOD, 25 * MS)
    assert task == Task(key(11, "two"), 11 * PERIOD)


def test_the_layer_that_waited_longest_goes_first() -> None:
    both = [plan(k, key(k), key(k, "two")) for k in range(10, 19)]
    for first, dues in (("two", {("one",): 9}), ("one", {("one",): 3, ("two",): 5})):
        assert next_task(both, stock(dues=dues), 10 * PERIOD, MS) == Task(key(10, first), 10 * PERIOD)


def test_live_films_are_not_decoded_far_ahead() -> None:
    have = [key(10), key(11)]
    assert next_task(plans(10), stock(*have, live="one"), 10 * PERIOD, MS) is None
    assert next_task(plans(11), stock(*have, live="one"), 11 * PERIOD, MS) == Task(key(12), 12 * PERIOD)
    assert LIVE_DEPTH == 1


def test_a_window_slides_and_plans_each_instant_once() -> None:
    made = []

    def future(t_ns: int) -> Iterator[FramePlan]:
        k = t_ns // PERIOD
        while True:
            made.append(k)
            yield plan(k)
            k += 1

    window = Window(future)
    for now_ns in (0, 10 * MS, PERIOD - 1, PERIOD, 3 * PERIOD + MS):
        shown = [each.instant.k for each in window.at(now_ns)]
        assert shown == list(range(now_ns // PERIOD, now_ns // PERIOD + DEPTH + 1))
    assert made == list(range(DEPTH + 4))
    assert [each.instant.k for each in window.at(10**6 * PERIOD, 1)] == [10**6, 10**6 + 1]
    assert len(made) < 100


def test_pace_believes_slowness_soon_and_a_stall_never() -> None:
    pace = Pace(10 * MS)
    for _ in range(6):
        pace.add(45 * MS)
    assert 40 * MS < pace.expected_ns <= 45 * MS
    pace.add(5 * S)
    assert pace.expected_ns < 200 * MS
    for _ in range(60):
        pace.add(4 * MS)
    assert pace.expected_ns < 5 * MS


@dataclass
class Wall:
    """A player and a decoder in simulated time: real show, plan, window, choice and slots; decoding only takes time.

    The main loop ticks `ticks_per_s` times a second: commands, publish, then the picture.
    """

    show: Show
    decode_ns: Callable[[int], int]
    ticks_per_s: int = 60
    shown: list[tuple[int, int, bool]] = field(default_factory=list)  # (time, serial, exact) at every tick
    films: set[tuple[str, ...]] = field(default_factory=set)

    def run(self, seconds: float, commands: list[tuple[int, Command]]) -> None:
        clock, state = SimulatedClock(T0), opened(self.show, T0, T0)
        slots, pace = FrameSlots([(2, 2)]), Pace()
        published, window = state, Window(self._future(state))
        busy_until, writing = T0, None
        ticks = [T0 + round(i * S / self.ticks_per_s) for i in range(int(seconds * self.ticks_per_s))]
        queue = sorted(commands, key=lambda each: each[0])
        count = 0
        for tick in ticks:
            # The decoder's turn, up to this tick.
            while busy_until <= tick:
                clock.wait(busy_until, lambda ns: None)
                if writing is not None:
                    slots.finish(*writing)
                    writing = None
                if published is not state:
                    published, window = state, Window(self._future(state))
                near = window.at(clock.now_ns())
                known = Stock(slots.has, slots.newest_due, lambda each: False)
                task = next_task(near, known, clock.now_ns(), pace.expected_ns)
                if task is None:
                    busy_until = min(near[1].instant.due_ns, tick + 1)
                    continue
                slot = slots.claim((2, 2), {picture.key for each in near for picture in each.pictures})
                assert slot is not None
                duration = self.decode_ns(count)
                count += 1
                pace.add(duration)
                busy_until, writing = clock.now_ns() + duration, (slot, task.key, task.due_ns)
            clock.wait(tick, lambda ns: None)
            while queue and queue[0][0] <= tick:
                state = apply(self.show, state, queue.pop(0)[1], DESK, tick)
            current = next(upcoming(self.show, state, tick))
            for picture in current.pictures:
                with slots.read(picture.key, current.instant.due_ns) as found:
                    if found is not None:
                        self.shown.append((tick, found.serial, found.exact))
                        self.films.add(found.key.films)

    def _future(self, state: ShowState) -> Callable[[int], Iterator[FramePlan]]:
        return lambda t_ns: upcoming(self.show, state, t_ns)

    def new_pictures(self) -> int:
        return len({serial for _, serial, _ in self.shown})


def steering(seconds: int, per_second: int) -> list[tuple[int, Command]]:
    """A sensor that never keeps still."""
    return [
        (T0 + round(i * S / per_second), Steer("1", ((i * 37) % 200 - 100) / 100)) for i in range(seconds * per_second)
    ]


@pytest.mark.parametrize("ticks_per_s", [60, 200])
def test_steering_at_200_hz_with_a_45_ms_decoder_moves_the_picture(ticks_per_s: int) -> None:
    wall = Wall(World([film("bunny")]).show(), lambda _: 45 * MS, ticks_per_s)
    wall.run(10, steering(10, 200))
    assert wall.new_pictures() >= 200


def test_a_fast_decoder_shows_every_frame_on_time() -> None:
    wall = Wall(World([film("bunny")]).show(), lambda _: 5 * MS)
    wall.run(10, [])
    exact = [is_exact for tick, _, is_exact in wall.shown if tick > T0 + 100 * MS]
    assert all(exact)
    assert wall.new_pictures() >= 240


def test_a_decoder_with_hiccups_is_covered_by_looking_ahead() -> None:
    """20 ms, and every half second 150 ms: no frame is late."""
    wall = Wall(World([film("bunny")]).show(), lambda i: (150 if i % 12 == 11 else 20) * MS)
    wall.run(20, [])
    assert all(is_exact for tick, _, is_exact in wall.shown if tick > T0 + S)


@pytest.mark.parametrize(("decode_ms", "least"), [(45, 210), (100, 95), (400, 22)])
def test_a_decoder_slower_than_the_film_still_moves_the_picture(decode_ms: int, least: int) -> None:
    wall = Wall(World([film("bunny")]).show(), lambda _: decode_ms * MS)
    wall.run(10, [])
    assert wall.new_pictures() >= least
    times = [tick for tick, _, _ in wall.shown]
    assert times[0] <= T0 + (decode_ms + 20) * MS


def test_both_layers_of_a_pixel_fade_move_with_a_slow_decoder() -> None:
    world = World([film("bunny"), film("tramp", space="other")])
    wall = Wall(world.show(), lambda _: 35 * MS)
    wall.run(6, [(T0 + S, PlayFilm("tramp", 4.0))])
    seen: dict[int, set[int]] = {}
    for tick, serial, _ in wall.shown:
        if T0 + 2 * S < tick < T0 + 4 * S:
            seen.setdefault(tick, set()).add(serial)
    assert wall.films == {("bunny",), ("tramp",)}
    assert all(len(serials) == 2 for serials in seen.values())
    assert len(set.union(*seen.values())) >= 50
