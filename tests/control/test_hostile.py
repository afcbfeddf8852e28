"""Everything that broke other receivers (the table of failures found in python-osc 1.10), and a flood of worse.

Bounds are counted in steps of the algorithm, not in seconds.
"""

from __future__ import annotations

import math
import random
import struct
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from installation.control.buckets import Rates
from installation.control.methods.addresses import AddressSpace
from installation.control.methods.names import Names
from installation.control.osc.messages import build_message
from installation.control.osc.packets import Bundle, Message, decode_packet, time_tag
from installation.control.receiver import Heard, Malformed, Outcome, Receiver, Refused
from installation.control.settings import Endpoint
from installation.show import commands as show
from installation.show.commands import Command
from tests.control.packets import bundle, floats, message, padded

SECOND = 1_000_000_000
SOURCE = Endpoint("10.0.0.1", 9)
FREE = Rates(per_source=10**12, burst=10**12, overall=10**12)  # nothing is cut: everything is looked at


def receiver() -> Receiver:
    return Receiver(AddressSpace(Names(films=frozenset({"tramp"}), cues=frozenset({"1"}))), rates=FREE)


def commands(outcomes: list[Outcome]) -> list[Command]:
    return [command for outcome in outcomes if isinstance(outcome, Heard) for command in outcome.commands]


def steps_of(call: Callable[[], object]) -> int:
    """How many lines of Python a call runs."""
    steps = 0

    def count(frame: FrameType, event: str, argument: object) -> Callable[..., object]:
        nonlocal steps
        steps += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        call()
    finally:
        sys.settrace(before)
    return steps


def test_negative_element_size() -> None:
    data = bundle(1) + struct.pack(">i", -4) + b"/a\0\0"
    assert len(data) <= 28
    room = receiver()
    outcomes: list[Outcome] = []
    assert steps_of(lambda: outcomes.extend(room.feed(data, SOURCE, 0))) < 200
    (malformed,) = outcomes
    assert isinstance(malformed, Malformed)


def test_future_time_tags_block_nothing() -> None:
    """They wait in a heap, also those for addresses that mean nothing; the next message is heard at once."""
    room = receiver()
    for seconds in (1, 9, 10**6, 2**31):
        for address in ("/ai/volume", "/nothing"):
            tag = min(time_tag(seconds * SECOND), 2**64 - 1)
            assert commands(room.feed(bundle(tag, floats(address, 0.5)), SOURCE, 0)) == []
    assert commands(room.feed(padded("/ai/go"), SOURCE, 0)) == [show.Go()]
    assert len(room._waiting) == 4
    assert commands(room.due(20 * SECOND)) == [show.SetVolume(0.5)] * 2


def test_time_tags_are_seen() -> None:
    packet = decode_packet(bundle(77, padded("/a")))
    assert isinstance(packet, Bundle)
    assert packet.time_tag == 77


def test_fourteen_stars() -> None:
    """More than eight seconds of backtracking elsewhere: here, a few lines for each character of the pattern."""
    names = Names(cues=frozenset({"a" * 20}))
    room = Receiver(AddressSpace(names), rates=FREE)
    pattern = padded("/ai/cue/" + "*" * 14 + "!")
    assert steps_of(lambda: room.feed(pattern, SOURCE, 0)) < 3000


def test_steps_grow_no_faster_than_patterns() -> None:
    names = Names(cues=frozenset({"a" * 64}))
    space = AddressSpace(names)

    def steps(stars: int) -> int:
        return steps_of(lambda: space.expand("/ai/cue/" + "*a" * stars + "!"))

    few, many = steps(30), steps(240)
    assert many < 12 * few


def test_a_bundle_of_patterns() -> None:
    """Each is cheap; 512 of them in one datagram are not, so most are not even tried."""
    names = Names(scenes=frozenset(f"scene-{n}" for n in range(200)))
    room = Receiver(AddressSpace(names))
    data = bundle(1, *[padded("/ai/scene/" + "*?" * 50 + "!")] * 512)
    outcomes: list[Outcome] = []
    assert steps_of(lambda: outcomes.extend(room.feed(data, SOURCE, 0))) < 200_000
    assert all(isinstance(outcome, Refused) and outcome.error.code == "pattern" for outcome in outcomes)
    assert len(outcomes) > 450


def test_bundles_that_wait_for_one_moment_are_bounded() -> None:
    room = receiver()
    data = bundle(time_tag(5 * SECOND), *[floats("/ai/volume", 0.5)] * 512)
    for _ in range(100):
        room.feed(data, SOURCE, 0)
    assert len(commands(room.due(6 * SECOND))) == 2048
    assert room.counts.beyond_horizon == 96 * 512
    room.feed(data, SOURCE, 6 * SECOND)
    assert room._waiting_messages == 0


def test_bad_utf8() -> None:
    (outcome,) = receiver().feed(message("/ai/film", "s", b"\xc3\x28\0\0"), SOURCE, 0)
    assert isinstance(outcome, Malformed)
    assert "UTF-8" in outcome.reason


def test_three_thousand_nested_bundles() -> None:
    depth = 3000
    data = b""
    for _ in range(depth):
        data = b"#bundle\0" + struct.pack(">Q", 1) + (struct.pack(">i", len(data)) + data if data else b"")
    assert 50_000 < len(data) <= 65_536
    room = receiver()
    outcomes: list[Outcome] = []
    assert steps_of(lambda: outcomes.extend(room.feed(data, SOURCE, 0))) < 1000
    assert isinstance(outcomes[0], Malformed)


@pytest.mark.parametrize(
    ("tags", "payload"),
    [("cf", struct.pack(">If", 65, 0.5)), ("Sf", padded("x") + struct.pack(">f", 0.5)), ("If", struct.pack(">f", 0.5))],
)
def test_no_argument_is_lost_or_shifted(tags: str, payload: bytes) -> None:
    packet = decode_packet(message("/a", tags, payload))
    assert isinstance(packet, Message)
    assert len(packet.arguments) == 2
    assert packet.arguments[1] == 0.5


def test_no_type_tags_but_data() -> None:
    """Not dropped in silence, and not guessed at either."""
    (*_, refused) = receiver().feed(padded("/ai/brightness") + struct.pack(">f", 0.5), SOURCE, 0)
    assert isinstance(refused, Refused)
    assert commands(receiver().feed(padded("/ai/go"), SOURCE, 0)) == [show.Go()]


@pytest.mark.parametrize(
    "data",
    [
        message("/ai/volume", "f", b"\x3f\0"),
        message("/ai/volume", "f"),
        message("/ai/latent", "b", struct.pack(">i", -1)),
        floats("/ai/volume", math.nan),
        floats("/ai/latent", *[0.0] * 199, math.nan),
    ],
)
def test_truncated_negative_and_nan_do_nothing(data: bytes) -> None:
    assert commands(receiver().feed(data, SOURCE, 0)) == []


def test_a_bad_message_does_not_cost_the_bundle() -> None:
    data = bundle(1, floats("/ai/volume", math.nan), padded("/ai/film/nobody"), padded("/ai/freeze"))
    assert commands(receiver().feed(data, SOURCE, 0)) == [show.Freeze(True)]


def test_a_star_stays_between_its_slashes() -> None:
    assert AddressSpace(Names(cues=frozenset({"1"}))).expand("/ai/*/fire")[0][0].address == "/ai/cue/fire"
    assert commands(receiver().feed(padded("/ai/cue*fire"), SOURCE, 0)) == []
    assert commands(receiver().feed(padded("/ai*go"), SOURCE, 0)) == []


def test_datagrams_of_64_kilobytes() -> None:
    whole = bundle(1, *[floats("/ai/volume", 0.5, *[0.0] * 20)] * 512)
    assert 60_000 < len(whole) < 65_507
    assert len(commands(receiver().feed(whole, SOURCE, 0))) == 512


def test_large_datagrams_cost_more() -> None:
    room = Receiver(AddressSpace(Names()))
    whole = bundle(1, *[floats("/ai/volume", 0.5, *[0.0] * 20)] * 512)
    heard = sum(bool(room.feed(whole, SOURCE, 0)) for _ in range(1000))
    assert heard <= 3


def hostile(rng: random.Random) -> bytes:
    """A random datagram: noise, damaged OSC, or well-formed nonsense under our root."""
    match rng.randrange(6):
        case 0:
            return rng.randbytes(rng.randrange(120))
        case 1:
            return b"#bundle\0" + rng.randbytes(4 * rng.randrange(40))
        case 2:
            damaged = bytearray(bundle(time_tag(rng.randrange(20) * SECOND), floats("/ai/volume", 1), padded("/ai/go")))
            for _ in range(rng.randrange(1, 8)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            return bytes(damaged[: rng.randrange(len(damaged))]) if rng.random() < 0.3 else bytes(damaged)
        case 3:
            address = "/ai" + "".join(rng.choice("/*?[]{},!-ab1gofire") for _ in range(rng.randrange(60)))
            return message(address, rng.choice(("", "T", "N", "I")))
        case 4:
            tags = "".join(rng.choice("ifsbhdTFNItScrm[]") for _ in range(rng.randrange(12)))
            address = rng.choice(
                ("/ai/brightness", "/ai/film", "/ai/latent", "/ai/mode", "/ai/subscribe", "/ai/steer/1")
            )
            return message(address, tags, rng.randbytes(4 * rng.randrange(16)))
    values = [rng.choice((math.nan, math.inf, -1e30, 2**31 - 1, "x" * 300, True)) for _ in range(rng.randrange(4))]
    return build_message(rng.choice(("/ai/ping", "/ai/cue/fire", "/ai/seek", "/ai/speed", "/ai/volume")), values)


def test_twenty_thousand_hostile_datagrams() -> None:
    """No exception, every memory bounded, and the next valid command is obeyed."""
    rng = random.Random(20)
    room = Receiver(AddressSpace(Names(films=frozenset({"tramp"}), cues=frozenset({"1"}))))
    now_ns = 0
    for _ in range(20_000):
        now_ns += 500_000  # 2,000 a second
        for outcome in (*room.feed(hostile(rng), SOURCE, now_ns), *room.due(now_ns)):
            if isinstance(outcome, Refused):
                assert str(outcome.error)
    assert len(room._waiting) <= 256
    assert len(room._gate._held) <= 1024
    assert room.counts.datagrams == 20_000
    assert room.counts.malformed > 5_000
    assert commands(room.feed(padded("/ai/film/tramp"), SOURCE, now_ns + SECOND)) == [show.PlayFilm("tramp")]
    assert commands(room.feed(floats("/ai/volume", 0.5), Endpoint("10.0.0.2", 1), now_ns)) == [show.SetVolume(0.5)]
