"""The map: what other devices' messages mean, and what they can never mean."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.control.mapping.mapping import MAX_CHAINS
from installation.control.mapping.rules import MapRule
from installation.control.methods.addresses import AddressSpace
from installation.control.osc.messages import Sayable, build_message
from installation.control.receiver import Heard, Outcome, Receiver, Refused
from installation.control.settings import Endpoint
from installation.show import commands as show
from installation.show.commands import Command, Rank
from installation.show.config_mapping import MapTable
from tests.control.rooms import NAMES

SECOND = 1_000_000_000
DESK = Endpoint("10.0.0.1", 5000)


class Desk:
    """A receiver with a map, and somebody who speaks to it."""

    def __init__(self, *entries: Mapping[str, object]) -> None:
        rules = [MapRule.of(MapTable.model_validate(entry)) for entry in entries]
        self.receiver = Receiver(AddressSpace(NAMES), rules=rules)
        self.now_ns = 0
        self.outcomes: list[Outcome] = []

    def say(self, address: str, *arguments: Sayable, after: float = 1.0, source: Endpoint = DESK) -> list[Command]:
        self.now_ns += round(after * SECOND)
        return self._commands(self.receiver.feed(build_message(address, arguments), source, self.now_ns))

    def wait(self, seconds: float) -> list[Command]:
        self.now_ns += round(seconds * SECOND)
        return self._commands(self.receiver.moved(self.now_ns))

    def _commands(self, outcomes: Sequence[Outcome]) -> list[Command]:
        self.outcomes = list(outcomes)
        return [command for outcome in outcomes if isinstance(outcome, Heard) for command in outcome.commands]

    @property
    def refusals(self) -> list[str]:
        return [outcome.error.code for outcome in self.outcomes if isinstance(outcome, Refused)]


EOS = {"from": "/eos/out/event/cue/1/5/fire", "do": "scene/tramp"}
TRAMP = [show.PlayScene("tramp")]


def test_one_line_is_enough() -> None:
    desk = Desk(EOS)
    assert desk.say("/eos/out/event/cue/1/5/fire") == TRAMP
    assert desk.say("/eos/out/event/cue/1/5/fire/") == TRAMP
    assert desk.say("/eos/out/event/cue/1/6/fire") == []
    assert desk.say("/eos/out/event/cue/1/5/stop") == []
    assert (desk.receiver.counts.mapped, desk.receiver.counts.foreign) == (2, 2)


def test_redundant_desks_fire_once() -> None:
    desk = Desk(EOS)
    assert desk.say("/eos/out/event/cue/1/5/fire") == TRAMP
    assert desk.say("/eos/out/event/cue/1/5/fire", after=0.02, source=Endpoint("10.0.0.2", 5000)) == []
    assert desk.say("/ai/scene/tramp", after=0.02) == []
    assert desk.receiver.counts.duplicates == 2


def test_captures_and_tables() -> None:
    desk = Desk(
        {"from": "/eos/out/event/cue/1/{cue}/fire", "do": "scene/{cue} 1 2", "table": {"5": "tramp", "6": "bunny"}},
        {"from": "/{desk}/film/{film}", "do": "film/{film}"},
        {"from": "/name", "do": "film {1}"},
    )
    assert desk.say("/eos/out/event/cue/1/5/fire") == [show.PlayScene("tramp", 2.0)]
    assert desk.say("/eos/out/event/cue/1/6.0/fire") == [show.PlayScene("bunny", 2.0)]
    assert desk.say("/eos/out/event/cue/1/7/fire") == []
    assert desk.say("/x/film/bunny") == [show.PlayFilm("bunny")]
    assert desk.say("/x/film/casablanca") == []
    assert desk.refusals == ["unknown-film"]
    assert desk.say("/name", "tramp") == [show.PlayFilm("tramp")]


def test_what_the_network_says_is_never_read_as_a_line() -> None:
    desk = Desk({"from": "/name", "do": "film/{1}"}, {"from": "/word", "do": "scene {1}"})
    for text in ("../blackout", "tramp 1 0", "tramp/../../x", "*", "{bunny,tramp}", "", "x" * 65, "{1}", "'", '"'):
        assert desk.say("/name", text) == []
        assert desk.say("/word", text) == []


def test_strikes_are_read_as_everywhere() -> None:
    desk = Desk({"from": "/button", "do": "scene/tramp"}, {"from": "/dark", "do": "brightness 0.2 3"})
    assert desk.say("/button", 1.0) == TRAMP
    assert desk.say("/button", 0.9, after=0.2) == []
    assert desk.say("/button", 0.0, after=0.2) == []
    assert desk.say("/button", 1.0, after=0.2) == TRAMP
    assert desk.say("/button", 0) == []
    assert desk.say("/button", False) == []
    assert desk.say("/dark", 1) == [show.SetBrightness(0.2, 3.0)]
    assert desk.say("/dark", 0) == []


def test_conditions() -> None:
    desk = Desk(
        {"from": "/14.14.1.7.3", "do": "scene/tramp", "when": ["Go+", 1]},
        {"from": "/fader", "do": "scene/bunny", "when": [">0.5"]},
    )
    assert desk.say("/14.14.1.7.3", "Go+", 1, "3 1 intro") == TRAMP
    assert desk.say("/14.14.1.7.3", "Go+", 0, "3 1 intro") == []
    assert desk.say("/14.14.1.7.3", "Go-", 1) == []
    assert desk.say("/14.14.1.7.3") == []
    climbing = [desk.say("/fader", n / 20, after=0.05) for n in range(21)]
    assert [n for n, commands in enumerate(climbing) if commands] == [11]
    assert desk.say("/fader", 0.4, after=0.05) == []
    assert desk.say("/fader", 0.6, after=0.2) == [show.PlayScene("bunny")]


def test_what_is_repeated_counts_once() -> None:
    desk = Desk({"from": "/eos/out/active/cue/1/{cue}", "do": "scene/{cue}", "dedupe": 2})
    assert desk.say("/eos/out/active/cue/1/tramp", 0.1) == [show.PlayScene("tramp")]
    assert [desk.say("/eos/out/active/cue/1/tramp", 1.0) for _ in range(10)] == [[]] * 10
    assert desk.say("/eos/out/active/cue/1/bunny", 0.1) == [show.PlayScene("bunny")]
    assert desk.say("/eos/out/active/cue/1/bunny", 0.1, after=3) == [show.PlayScene("bunny")]


def test_rearm() -> None:
    desk = Desk({"from": "/button", "do": "scene/tramp", "rearm": 30})
    assert [n for n in range(61) if desk.say("/button")] == [0, 30, 60]


def test_a_fader_of_another_range() -> None:
    desk = Desk({"from": "/gm/fader", "do": "brightness {value}", "argument": 2, "input": [0, 100], "output": [0, 1]})
    assert desk.say("/gm/fader", "x", 50) == [show.SetBrightness(0.5)]
    assert desk.say("/gm/fader", "x", 100.0) == [show.SetBrightness(1.0)]
    assert desk.say("/gm/fader", "x", 101.0) == []
    assert desk.say("/gm/fader", "x") == []


class TestSensors:
    STEER: ClassVar[Mapping[str, object]] = {
        **{"from": "/distance/{axis}", "do": "steer/{axis} {value}", "rank": "sensor"},
        **{"input": [20, 400], "output": [-1, 1], "stale": 5},
    }

    def test_a_sensor_speaks_as_one_and_is_let_go(self) -> None:
        desk = Desk(self.STEER)
        assert desk.say("/distance/1", 210.0) == [show.Steer("1", 0.0)]
        assert [outcome.rank for outcome in desk.outcomes if isinstance(outcome, Heard)] == [Rank.SENSOR]
        for _ in range(3):
            desk.say("/distance/1", 400.0)
        assert desk.say("/distance/1", 400.0) == [show.Steer("1", 1.0)]
        assert desk.wait(5.1) == [show.Steer("1", 0.0, 2.0)]
        assert desk.wait(5.0) == []

    def test_axes_that_are_none_get_no_chain(self) -> None:
        desk = Desk(self.STEER)
        for n in range(9, 200):
            assert desk.say(f"/distance/{n}", 100.0) == []
        assert desk.refusals == ["unknown-axis"]
        assert desk.say("/distance/8", 210.0) == [show.Steer("8", 0.0)]

    def test_chains_are_bounded(self) -> None:
        desk = Desk({"from": "/{fade}/level", "do": "brightness {value} {fade}", "rank": "sensor"})
        obeyed = [bool(desk.say(f"/{n}/level", 0.5)) for n in range(2 * MAX_CHAINS)]
        assert obeyed == [True] * MAX_CHAINS + [False] * MAX_CHAINS
        assert desk.refusals == ["full"]

    def test_presence(self) -> None:
        presence = {"from": "/presence", "do": "scene/visit", "rank": "sensor", "above": 0.6, "hold": 0.5, "rearm": 20}
        desk = Desk(presence)
        assert desk.say("/presence", 1) == []
        assert desk.wait(0.4) == []
        assert desk.wait(0.1) == [show.PlayScene("visit")]
        assert desk.wait(30) == []


def test_our_own_addresses_never_reach_the_map() -> None:
    desk = Desk({"from": "/{any}/brightness", "do": "volume {value}"})
    assert desk.say("/ai/brightness", 0.5) == [show.SetBrightness(0.5)]
    assert desk.say("/other/brightness", 0.5) == [show.SetVolume(0.5)]


ADDRESSES = (
    "/button",
    "/distance/1",
    "/distance/*",
    "/gm/fader",
    "/name",
    "/eos/out/event/cue/1/5/fire",
    "/x/film/{a}",
)
ARGUMENTS = st.one_of(
    st.floats(width=32), st.integers(-(2**63), 2**63 - 1), st.text(max_size=80).filter(lambda t: "\0" not in t),
    st.booleans(), st.binary(min_size=1, max_size=9),
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(ADDRESSES), st.lists(ARGUMENTS, max_size=3)), max_size=20))
def test_nothing_a_stranger_says_raises(said: list[tuple[str, list[Sayable]]]) -> None:
    desk = Desk(
        EOS, TestSensors.STEER, {"from": "/button", "do": "scene/tramp", "when": [">0.5", "*"]},
        {"from": "/gm/fader", "do": "seek {value}", "smooth": 1}, {"from": "/name", "do": "film {1} 1"},
        {"from": "/{x}/film/{film}", "do": "film/{film}"},
        {"from": "/button", "do": "go", "above": 0.5, "rank": "sensor"},
    )  # fmt: skip
    rng = random.Random(len(said))
    for address, arguments in said:
        try:
            desk.say(address, *arguments, after=rng.random())
        except UnicodeEncodeError:  # text that cannot be sent
            continue
        desk.wait(rng.random())


@pytest.mark.parametrize("count", [5000])
def test_what_is_kept_is_bounded(count: int) -> None:
    desk = Desk({"from": "/to/{place}", "do": "seek {place}"}, {"from": "/b/{n}", "do": "seek {n}", "rearm": 9})
    for n in range(count):
        desk.say(f"/to/{n}", after=0.001)
        desk.say(f"/b/{n}", after=0.001)
    assert len(desk.receiver._gate._fired) <= 4096
    assert all(len(rule._fired) <= MAX_CHAINS for rule in desk.receiver._mapping._rules)
