"""The decode worker: a real thread and real decoders, a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from installation.clock import SimulatedClock
from installation.decode.lookahead import DEPTH
from installation.decode.slots import SLOTS_PER_SIZE
from installation.decode.worker import DecodeWorker
from installation.errors import ModelError
from installation.show.commands import Command, Freeze, Origin, PlayFilm, Rank, Steer
from installation.show.frameplan import FramePlan
from installation.show.library import Programme, whole_film
from installation.show.plan import upcoming
from installation.show.state import Show, ShowState, opened
from installation.show.transport import apply
from tests.decode.keys import Watched, open_decoders
from tests.decode.test_decoders import Live
from tests.onnx_models import SPACE, make_model
from tests.show.worlds import T0, S, World, film

DESK = Origin(Rank.OPERATOR, "desk")
FRAME_NS = S // 24


class Stage:
    """A worker with everything around it."""

    def __init__(self, folder: Path, slots: int = SLOTS_PER_SIZE, spare: Iterable[None] = ()) -> None:
        one, two = film("one", frames=48, space=SPACE), film("two", frames=48, space=SPACE)
        door = film("door", frames=0, space=SPACE, live=True)
        self.live = Live()
        programme = Programme("day", "Day", (whole_film(one),))
        self.show: Show = World([one, two, door], programmes=[programme]).show()
        self.state: ShowState = opened(self.show, T0, T0)
        self.clock = SimulatedClock(T0)
        self.decoders = Watched(open_decoders(make_model(folder), {"door": self.live}))
        self.wake = threading.Event()
        self.reports: list[str] = []
        self.reported = threading.Event()
        self.worker = DecodeWorker(self.decoders, self.clock, self.wake, self.report, slots, spare)

    def report(self, message: str) -> None:
        self.reports.append(message)
        self.reported.set()

    def publish(self) -> None:
        self.worker.publish(self.show, self.state, self.clock.now_ns())

    def command(self, command: Command) -> None:
        self.state = apply(self.show, self.state, command, DESK, self.clock.now_ns())
        self.publish()

    def current(self) -> FramePlan:
        return next(upcoming(self.show, self.state, self.clock.now_ns()))

    def is_exact(self) -> bool:
        plan = self.current()
        with self.worker.frame(plan.pictures[0].key, plan.instant.due_ns) as found:
            return found is not None and found.exact


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "m")
    yield stage
    stage.decoders.gate.set()
    stage.worker.close()


def test_it_decodes_ahead_and_then_rests(stage: Stage) -> None:
    stage.publish()
    assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 1)
    assert stage.wake.wait(10)
    wanted = [
        plan.pictures[0].key for plan, _ in zip(upcoming(stage.show, stage.state, T0), range(DEPTH + 1), strict=False)
    ]
    assert stage.decoders.keys == wanted
    stage.clock.advance(FRAME_NS + 1)
    assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 2)
    assert stage.is_exact()
    stage.worker.close()
    assert len(stage.decoders.keys) == DEPTH + 2
    assert stage.worker.statistics().decoded == DEPTH + 2


def test_the_same_state_again_is_no_news(stage: Stage) -> None:
    stage.publish()
    assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 1)
    for _ in range(100):
        stage.publish()
    stage.worker.close()
    assert len(stage.decoders.keys) == DEPTH + 1


def test_the_newest_state_is_what_is_decoded_next(stage: Stage) -> None:
    stage.decoders.gate.clear()
    stage.publish()
    assert stage.decoders.entered.wait(10)
    for amount in (0.1, 0.2, 0.3):
        stage.command(Steer("1", amount))
    stage.decoders.gate.set()
    assert stage.decoders.wait_for(lambda keys: len(keys) >= 4)
    assert stage.decoders.keys[0].steering == ()
    assert {key.steering for key in stage.decoders.keys[1:]} == {stage.current().pictures[0].key.steering}


def test_a_command_is_answered_and_the_player_woken(stage: Stage) -> None:
    stage.publish()
    assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 1)
    stage.wake.clear()
    stage.command(PlayFilm("two", 0.0))
    assert stage.wake.wait(10)
    assert stage.is_exact()


def test_a_frozen_picture_costs_nothing(stage: Stage) -> None:
    stage.publish()
    assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 1)
    stage.command(Freeze(True))
    stage.clock.advance(10 * S)
    assert stage.is_exact()
    stage.worker.close()
    assert len(stage.decoders.keys) == DEPTH + 1


def test_a_failing_decoder_holds_and_is_reported_once(stage: Stage) -> None:
    stage.publish()
    assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 1)
    stage.decoders.fault = ModelError("the driver fell over")
    stage.decoders.entered.clear()
    stage.clock.advance(S // 2)
    assert stage.decoders.entered.wait(10)
    plan = stage.current()
    with stage.worker.frame(plan.pictures[0].key, plan.instant.due_ns) as found:
        assert found is not None and not found.exact
    stage.decoders.fault = None
    stage.clock.advance(5 * S)
    count = len(stage.decoders.keys)
    assert stage.decoders.wait_for(lambda keys: len(keys) > count + 4)
    assert stage.reports == ["a frame of one cannot be decoded: the driver fell over"]
    assert stage.worker.statistics().failed >= 1


def test_a_broken_plan_ends_nothing(stage: Stage) -> None:
    """A state that cannot be planned is a fault of ours; the thread lives on and plays the next one."""
    good, top = stage.state, stage.state.top
    stage.state = replace(good, layers=(replace(top, source=PlayFilm("nobody")),))  # type: ignore[arg-type]
    stage.publish()
    assert stage.reported.wait(10)
    stage.state = good
    stage.publish()
    assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 1)
    assert len(stage.reports) == 1


def test_live_films_are_waited_for_and_decoded_fresh(stage: Stage) -> None:
    stage.command(PlayFilm("door", 0.0))
    assert stage.decoders.entered.wait(10)
    plan = stage.current()
    with stage.worker.frame(plan.pictures[0].key, plan.instant.due_ns) as found:
        assert found is None
    stage.live.z = np.full(8, 0.5, np.float32)
    stage.clock.advance(S // 10)
    assert stage.decoders.wait_for(lambda keys: len(keys) >= 2)
    stage.worker.close()
    assert len(stage.decoders.keys) <= 3
    assert stage.is_exact()


def test_too_few_slots_only_shorten_the_look_ahead(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "m", slots=4)
    stage.publish()
    assert stage.decoders.wait_for(lambda keys: len(keys) == 4)
    for frames in range(1, 6):
        stage.clock.advance(FRAME_NS + 1)
        assert stage.decoders.wait_for(lambda keys, frames=frames: len(keys) >= 4 + frames)
        assert stage.is_exact()
    stage.worker.close()
    assert len(stage.decoders.keys) == 9


class Errands:
    """Spare work that counts its steps, and remembers how many frames had been decoded at each."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.decoders: Watched | None = None
        self.fault = fault
        self.decoded_before: list[int] = []
        self.done = threading.Event()

    def __iter__(self) -> Iterator[None]:
        return self

    def __next__(self) -> None:
        assert self.decoders is not None
        self.decoded_before.append(len(self.decoders.keys))
        self.done.set()
        if self.fault is not None:
            raise self.fault


@contextmanager
def doing(errands: Errands, folder: Path, age_ns: int = 2 * S) -> Iterator[Stage]:
    """A worker with something to do besides, that begins to play when it is so old."""
    stage = Stage(folder, spare=errands)
    errands.decoders = stage.decoders
    stage.clock.advance(age_ns)
    stage.publish()
    try:
        yield stage
    finally:
        stage.worker.close()


def test_spare_work_is_done_a_step_an_instant_when_every_frame_ahead_is_there(tmp_path: Path) -> None:
    errands = Errands()
    with doing(errands, tmp_path / "m") as stage:
        for instant in range(5):
            assert errands.done.wait(10)
            errands.done.clear()
            assert len(errands.decoded_before) == instant + 1
            stage.clock.advance(FRAME_NS + 1)
    assert errands.decoded_before[:5] == [DEPTH + 1 + instant for instant in range(5)]


def test_spare_work_waits_until_playing_has_settled(tmp_path: Path) -> None:
    errands = Errands()
    with doing(errands, tmp_path / "m", S) as stage:
        assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 1)
        assert not errands.done.wait(0.1)
        stage.clock.advance(S)
        assert errands.done.wait(10)


def test_spare_work_waits_while_somebody_keeps_changing_the_future(tmp_path: Path) -> None:
    errands = Errands()
    with doing(errands, tmp_path / "m") as stage:
        assert errands.done.wait(10)
        errands.done.clear()
        stage.command(Steer("1", 0.5))
        wanted = stage.current().pictures[0].key.steering
        assert stage.decoders.wait_for(lambda keys: keys[-1].steering == wanted)
        stage.clock.advance(FRAME_NS + 1)
        assert not errands.done.wait(0.2), "the future was changed less than a quarter of a second ago"
        stage.clock.advance(S)
        assert errands.done.wait(10)


def test_a_fault_in_spare_work_is_reported_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    errands = Errands(RuntimeError("no paper"))
    with doing(errands, tmp_path / "m") as stage:
        assert errands.done.wait(10)
        stage.clock.advance(FRAME_NS + 1)
        assert stage.decoders.wait_for(lambda keys: len(keys) == DEPTH + 2)
    assert stage.reports == ["beside decoding: RuntimeError: no paper"]


def test_closing_twice_is_once(stage: Stage) -> None:
    stage.worker.close()
    stage.worker.close()
    assert not any(thread.name == "decode" for thread in threading.enumerate())
