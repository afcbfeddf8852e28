"""From datagrams to commands: what desks send means what it should, by a simulated clock."""

from __future__ import annotations

import math
import struct

import pytest

from installation.control import receiver as receiver_module
from installation.control.buckets import Rates
from installation.control.methods.addresses import AddressSpace
from installation.control.methods.names import Names
from installation.control.methods.table import Ping, Subscribe
from installation.control.osc.packets import time_tag
from installation.control.receiver import Asked, Belief, Heard, Malformed, Outcome, Receiver, Refused
from installation.control.settings import Endpoint
from installation.show import commands as show
from installation.show.commands import Command, Mode
from tests.control.packets import bundle, floats, ints, message, padded

MS = 1_000_000
SECOND = 1000 * MS
DESK = Endpoint("10.0.0.1", 50_000)
OTHER = Endpoint("10.0.0.2", 50_000)
NAMES = Names(
    films=frozenset({"bunny", "tramp"}),
    scenes=frozenset({"bunny", "tramp", "visit"}),
    programmes=frozenset({"day"}),
    cues=frozenset({"speech", "2"}),
)


class Room:
    """A receiver and a clock that moves on a second before each datagram, unless told otherwise."""

    def __init__(self, percent: frozenset[str] = frozenset(), root: str = "/ai", names: Names = NAMES) -> None:
        self.receiver = Receiver(AddressSpace(names, root), percent)
        self.now_ns = 0

    def feed(self, data: bytes, source: Endpoint = DESK, after_ms: float = 1000) -> list[Outcome]:
        self.now_ns += int(after_ms * MS)
        return self.receiver.feed(data, source, self.now_ns)

    def commands(self, data: bytes, source: Endpoint = DESK, after_ms: float = 1000) -> list[Command]:
        return commands(self.feed(data, source, after_ms))


def commands(outcomes: list[Outcome]) -> list[Command]:
    return [command for outcome in outcomes if isinstance(outcome, Heard) for command in outcome.commands]


def refusal(outcomes: list[Outcome]) -> str:
    (refused,) = (outcome for outcome in outcomes if isinstance(outcome, Refused))
    return f"{refused.error.code}: {refused.error}"


def test_a_command() -> None:
    assert Room().feed(floats("/ai/brightness", 0.5, 3.0)) == [
        Heard(DESK, (show.SetBrightness(0.5, 3.0),), (Belief("/ai/brightness", 0.5),))
    ]


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (padded("/ai/film/tramp"), show.PlayFilm("tramp")),
        (padded("/ai/film/tramp/"), show.PlayFilm("tramp")),
        (ints("/ai/film/tramp", 1), show.PlayFilm("tramp")),
        (message("/ai/film/tramp", "if", struct.pack(">if", 1, 3.0)), show.PlayFilm("tramp", 3.0)),
        (message("/ai/film/tramp", "Ti", struct.pack(">i", 0)), show.PlayFilm("tramp", 0.0)),
        (message("/ai/film", "sf", padded("tramp") + struct.pack(">f", 2.0)), show.PlayFilm("tramp", 2.0)),
        (message("/ai/scene/visit", "I"), show.PlayScene("visit")),
        (message("/ai/scene/visit", "N"), show.PlayScene("visit")),
        (floats("/ai/cue/fire", 2.0), show.FireCue("2")),
        (ints("/ai/cue/fire", 2), show.FireCue("2")),
        (message("/ai/cue/fire", "s", padded("2")), show.FireCue("2")),
        (padded("/ai/cue/2/fire"), show.FireCue("2")),
        (padded("/ai/cue/2.0/fire"), show.FireCue("2")),
        (ints("/ai/mode/manual", 1), show.SetMode(Mode.MANUAL)),
        (message("/ai/mode", "s", padded("auto")), show.SetMode(Mode.AUTO)),
        (padded("/ai/blackout"), show.SetBlackout(True)),
        (message("/ai/blackout", "F"), show.SetBlackout(False)),
        (message("/ai/latent", "b", struct.pack(">i2f", 8, 0.5, -1.0)), show.SetLatent((0.5, -1.0))),
        (floats("/ai/latent", 0.5, -1.0), show.SetLatent((0.5, -1.0))),
        (ints("/ai/brightness", 1), show.SetBrightness(1.0)),
        (message("/ai/brightness", "T"), show.SetBrightness(1.0)),
        (message("/ai/brightness", "d", struct.pack(">d", 0.25)), show.SetBrightness(0.25)),
        (message("/ai/brightness", "h", struct.pack(">q", 0)), show.SetBrightness(0.0)),
    ],
)
def test_ways_of_saying_it(data: bytes, command: Command) -> None:
    assert Room().commands(data) == [command]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (ints("/ai/film/tramp", 0), None),
        (message("/ai/film/tramp", "F"), None),
        (floats("/ai/film/tramp", 0.0), None),
        (padded("/ai/film/trmp"), 'unknown-film: no film "trmp"; did you mean tramp? pick one of bunny, tramp'),
        (padded("/ai/film"), "arguments: film needs the id"),
        (padded("/ai/fil"), "unknown-address: no address /ai/fil; near it: /ai/film"),
        (ints("/ai/brightness", 50), "range: brightness 50 is out of range"),
        (floats("/ai/brightness", math.nan), "range: brightness got nan; finite numbers only"),
        (floats("/ai/brightness", math.inf), "range: brightness got inf"),
        (floats("/ai/brightness", 0.5, math.nan), "range: the fade of"),
        (message("/ai/brightness", "s", padded("half")), 'arguments: brightness got "half"; a number'),
        (padded("/ai/brightness") + b"\x3f\0\0\0", "arguments: brightness got bytes; a number"),
        (padded("/ai/go") + b"\0\0\0\0", "arguments: a trigger got bytes"),
        (floats("/ai/scene/visit", math.nan), "range: a trigger got nan"),
        (message("/ai/mode", "s", padded("x")), 'arguments: mode got "x"; pick one of auto'),
        (floats("/ai/steer/9", 0.5), 'unknown-axis: no axis "9"; pick one of 1'),
    ],
)
def test_what_is_not_obeyed(data: bytes, why: str | None) -> None:
    outcomes = Room().feed(data)
    assert commands(outcomes) == []
    if why is None:
        assert outcomes == []
    else:
        assert refusal(outcomes).startswith(why)


def test_foreign_addresses_are_left_alone() -> None:
    room = Room()
    assert room.feed(padded("/eos/out/event/cue/1/5/fire")) == []
    assert room.feed(padded("/aim/go")) == []
    assert room.feed(padded("/nothing/*")) == []
    assert room.receiver.counts.foreign == 3


def test_questions() -> None:
    room = Room()
    assert room.feed(ints("/ai/ping", 7)) == [Asked(DESK, "/ai/ping", Ping((7,)))]
    assert room.feed(ints("/ai/subscribe", 9001, 10)) == [Asked(DESK, "/ai/subscribe", Subscribe(9001, 10.0))]


def test_percent_peers_count_levels_to_100() -> None:
    room = Room(percent=frozenset({DESK.host}))
    assert room.feed(floats("/ai/brightness", 50.0)) == [
        Heard(DESK, (show.SetBrightness(0.5),), (Belief("/ai/brightness", 0.5),))
    ]
    assert room.commands(floats("/ai/steer/1", -100.0)) == [show.Steer("1", -1.0)]
    assert room.feed(floats("/ai/speed", 2.0)) == [Heard(DESK, (show.SetSpeed(2.0),), (Belief("/ai/speed", 2.0),))]
    assert room.commands(floats("/ai/brightness", 50.0), OTHER) == []


def test_another_root() -> None:
    room = Room(root="/museum/ai")
    assert room.commands(padded("/museum/ai/go")) == [show.Go()]
    assert room.commands(padded("/ai/go")) == []


class TestPatterns:
    def test_they_expand_over_known_ids(self) -> None:
        assert Room().commands(floats("/ai/{brightness,volume}", 0.5)) == [
            show.SetBrightness(0.5),
            show.SetVolume(0.5),
        ]
        assert Room().commands(floats("/ai/steer/[1-3]", 0.0)) == [show.Steer(axis, 0.0) for axis in "123"]
        assert Room().commands(padded("/ai/scene/v*")) == [show.PlayScene("visit")]
        assert Room().commands(padded("//blackout")) == [show.SetBlackout(True)]

    def test_a_star_does_not_cross_a_slash(self) -> None:
        assert Room().commands(floats("/ai/st*1", 0.5)) == []
        assert Room().commands(floats("/*", 0.5)) == []

    def test_what_they_cost_is_charged(self) -> None:
        room = Room()
        pattern = floats("/ai/*/" + "*?" * 60 + "!", 0.5)
        for _ in range(2000):
            room.feed(pattern, after_ms=0)
        assert room.receiver.counts.over_rate > 1500


class TestBundles:
    def test_they_stay_together(self) -> None:
        data = bundle(1, floats("/ai/brightness", 0.5), padded("/ai/go"), bundle(1, padded("/ai/freeze")))
        (heard,) = Room().feed(data)
        assert isinstance(heard, Heard)
        assert heard.commands == (show.SetBrightness(0.5), show.Go(), show.Freeze(True))

    def test_one_bad_message_does_not_lose_the_others(self) -> None:
        outcomes = Room().feed(bundle(1, padded("/ai/go"), padded("/ai/film/trmp"), padded("/ai/freeze")))
        assert commands(outcomes) == [show.Go(), show.Freeze(True)]
        assert refusal(outcomes).startswith("unknown-film")

    def test_the_past_is_now(self) -> None:
        room = Room()
        room.now_ns = 100 * SECOND
        assert room.commands(bundle(time_tag(0), padded("/ai/go"))) == [show.Go()]

    def test_the_future_waits(self) -> None:
        room = Room()
        later = bundle(time_tag(3 * SECOND), padded("/ai/go"), floats("/ai/volume", 0.5))
        assert room.feed(later) == []
        due_ns = room.receiver.next_due_ns
        assert due_ns is not None
        assert abs(due_ns - 3 * SECOND) <= 1
        assert room.receiver.due(due_ns - 1) == []
        (heard,) = room.receiver.due(due_ns)
        assert isinstance(heard, Heard)
        assert heard.commands == (show.Go(), show.SetVolume(0.5))
        assert room.receiver.next_due_ns is None

    def test_wall_time_is_what_time_tags_mean(self) -> None:
        """Show time may be elsewhere: what counts is how far ahead the tag is of the wall clock."""
        room = Room()
        wall_ns = 1_763_780_000 * SECOND
        data = bundle(time_tag(wall_ns + 2 * SECOND), padded("/ai/go"))
        assert room.receiver.feed(data, DESK, 5 * SECOND, wall_ns) == []
        assert commands(room.receiver.due(7 * SECOND)) == [show.Go()]

    def test_they_come_in_order_of_time(self) -> None:
        room = Room()
        for seconds, address in ((5, "/ai/go"), (3, "/ai/pause"), (4, "/ai/resume")):
            room.feed(bundle(time_tag(seconds * SECOND), padded(address)), after_ms=1)
        assert commands(room.receiver.due(6 * SECOND)) == [show.Pause(), show.Resume(), show.Go()]

    def test_a_nested_bundle_is_never_before_its_parent(self) -> None:
        room = Room()
        inner = bundle(time_tag(1 * SECOND), padded("/ai/go"))
        later = bundle(time_tag(8 * SECOND), padded("/ai/pause"))
        assert room.feed(bundle(time_tag(4 * SECOND), inner, later), after_ms=0) == []
        assert room.receiver.due(3 * SECOND) == []
        assert commands(room.receiver.due(4 * SECOND + 1)) == [show.Go()]
        assert commands(room.receiver.due(8 * SECOND + 1)) == [show.Pause()]

    def test_beyond_the_horizon_is_refused(self) -> None:
        room = Room()
        outcomes = room.feed(bundle(time_tag(12 * SECOND), padded("/ai/go")))
        assert refusal(outcomes).startswith("horizon: a bundle 11.0 s in the future; at most 10 s")
        assert room.receiver.next_due_ns is None
        assert room.receiver.counts.beyond_horizon == 1

    def test_the_heap_is_bounded(self) -> None:
        room = Room()
        for n in range(receiver_module.MAX_WAITING + 44):
            room.feed(bundle(time_tag(10_000 * MS + n), padded("/ai/go")), after_ms=1)
        assert room.receiver.counts.beyond_horizon == 44


class TestDesks:
    """What real desks send (transcripts from their manuals): each named action happens exactly once."""

    def test_eos_sends_whole_numbers_as_ints_and_decimals_as_text(self) -> None:
        names = Names(cues=frozenset({"5", "1.23"}))
        room = Room(names=names)
        assert room.commands(ints("/ai/cue/fire", 5)) == [show.FireCue("5")]
        assert room.commands(message("/ai/cue/fire", "s", padded("1.23"))) == [show.FireCue("1.23")]
        assert room.commands(floats("/ai/cue/fire", 1.23)) == [show.FireCue("1.23")]

    def test_eos_active_cue_triggers_nothing(self) -> None:
        room = Room()
        for _ in range(60):
            assert room.feed(floats("/eos/out/active/cue/1/5", 0.7)) == []
            assert room.feed(message("/eos/out/active/cue/text", "s", padded("1/5 100%"))) == []

    def test_magicq_faders_send_floats_and_never_bundles(self) -> None:
        room = Room()
        fader = [room.commands(floats("/ai/volume", n / 100), after_ms=20) for n in range(101)]
        assert fader == [[show.SetVolume(pytest.approx(n / 100))] for n in range(101)]
        on_a_trigger = [room.commands(floats("/ai/scene/visit", n / 100), after_ms=20) for n in range(101)]
        assert [sent for sent in on_a_trigger if sent] == [[show.PlayScene("visit")]]

    def test_magicq_cue_macros_always_send_one(self) -> None:
        room = Room()
        assert [len(room.commands(floats("/ai/scene/visit", 1.0), after_ms=2000)) for _ in range(5)] == [1] * 5

    def test_touchosc_buttons_send_one_and_zero(self) -> None:
        room = Room()
        sent = [room.commands(floats("/ai/go", level), after_ms=350) for _ in range(4) for level in (1.0, 0.0)]
        assert sent == [[show.Go()], []] * 4

    def test_touchosc_toggles_a_latch(self) -> None:
        room = Room()
        assert room.commands(floats("/ai/blackout", 1.0)) == [show.SetBlackout(True)]
        assert room.commands(floats("/ai/blackout", 0.0)) == [show.SetBlackout(False)]

    def test_grandma3_keys_and_trailing_slashes(self) -> None:
        room = Room()
        key = [room.commands(message("/ai/scene/visit/", "i", struct.pack(">i", n)), after_ms=60) for n in (1, 0, 1, 0)]
        assert key == [[show.PlayScene("visit")], [], [show.PlayScene("visit")], []]
        assert room.commands(message("/ai/go/", "I")) == [show.Go()]
        sequence = message("/ai/cue/speech/fire/", "sis", padded("Go+") + struct.pack(">i", 1) + padded("1 2 Speech"))
        assert room.commands(sequence) == [show.FireCue("speech")]

    def test_grandma3_faders_send_percent(self) -> None:
        room = Room(percent=frozenset({DESK.host}))
        assert room.commands(floats("/ai/brightness/", 100.0)) == [show.SetBrightness(1.0)]
        assert room.commands(ints("/ai/brightness", 25)) == [show.SetBrightness(0.25)]

    def test_qlcplus_always_sends_floats(self) -> None:
        room = Room()
        assert room.commands(floats("/ai/film/tramp", 1.0)) == [show.PlayFilm("tramp")]
        assert room.commands(floats("/ai/film/tramp", 0.0), after_ms=100) == []
        assert room.commands(floats("/ai/film/tramp", 1.0), after_ms=100) == [show.PlayFilm("tramp")]
        assert room.feed(floats("/0/dmx/0", 1.0)) == []

    def test_disguise_fires_without_arguments_or_with_one(self) -> None:
        room = Room()
        assert room.commands(padded("/ai/cue/2/fire")) == [show.FireCue("2")]
        assert room.commands(floats("/ai/cue/2/fire", 1.0)) == [show.FireCue("2")]

    def test_redundant_desks_fire_once(self) -> None:
        room = Room()
        for data in (ints("/ai/scene/visit", 1), padded("/ai/cue/speech/fire"), ints("/ai/go", 1)):
            assert len(room.commands(data, DESK, after_ms=2000)) == 1
            assert room.commands(data, OTHER, after_ms=12) == []
        assert room.receiver.counts.duplicates == 3

    def test_go_is_locked_out_and_says_so(self) -> None:
        room = Room()
        assert room.commands(padded("/ai/go")) == [show.Go()]
        assert refusal(room.feed(padded("/ai/go"), after_ms=300)) == "locked: go fires once in 500 ms"
        assert room.commands(padded("/ai/back"), after_ms=1) == [show.Back()]
        assert room.commands(padded("/ai/go"), after_ms=300) == [show.Go()]


def test_malformed_is_counted_and_named() -> None:
    room = Room()
    assert room.feed(b"GET / HTTP/1.1\r\n") == [Malformed(DESK, "starts neither with '/' nor with '#bundle'")]
    assert room.receiver.counts.malformed == 1


def test_what_is_refused_is_believed_by_nobody() -> None:
    """So that feedback corrects the fader that sent it."""
    outcomes = Room().feed(ints("/ai/brightness", 50))
    assert Heard(DESK, (), (Belief("/ai/brightness", None),)) in outcomes


def test_floods_are_cut_before_they_are_parsed() -> None:
    receiver = Receiver(AddressSpace(NAMES), rates=Rates(per_source=100, burst=100, overall=1000, sources=8))
    heard = sum(bool(receiver.feed(floats("/ai/volume", 0.5), DESK, n * MS)) for n in range(2000))
    assert 290 <= heard <= 310
    assert receiver.counts.over_rate == 2000 - heard
    assert commands(receiver.feed(padded("/ai/go"), OTHER, 2000 * MS)) == [show.Go()]
