"""What peers are told, by a simulated clock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from installation.control.feedback import MAX_LISTENERS, MAX_OF_ONE_HOST, MAX_SUBSCRIBERS, Event, Feedback, Outgoing
from installation.control.methods.addresses import AddressSpace
from installation.control.methods.names import Names
from installation.control.methods.table import Ping, Subscribe
from installation.control.osc.messages import Sayable, build_message
from installation.control.osc.packets import Argument, Infinitum, Message, decode_packet
from installation.control.receiver import Belief, Heard, Receiver
from installation.control.settings import Endpoint, StreamPeer
from installation.errors import CommandRefused
from installation.show.commands import Command, Mode, SetBlackout, SetBrightness
from installation.show.status import Health, Snapshot, StateWord
from tests.control.packets import floats, ints

MS = 1_000_000
SECOND = 1000 * MS
DESK = Endpoint("10.0.0.1", 9001)
TABLET = Endpoint("10.0.0.2", 9001)


class Room:
    """Feedback for a desk and a tablet that have heard everything of the first snapshot."""

    def __init__(self, peers: Sequence[Endpoint] = (DESK, TABLET), percent: frozenset[str] = frozenset()) -> None:
        self.feedback = Feedback(AddressSpace(Names()), peers, percent)
        self.now = Snapshot()
        self.ms = 0
        self.first = self.feedback.due(0, self.now)

    def said(self, after_ms: int = 40, **changes: object) -> dict[Endpoint, dict[str, tuple[Sayable, ...]]]:
        """What is said after a change, by peer and address; status left out."""
        self.ms += after_ms
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]
        outgoing = self.feedback.due(self.ms * MS, self.now)
        said: dict[Endpoint, dict[str, tuple[Sayable, ...]]] = {}
        for message in outgoing:
            if not message.address.startswith("/ai/status/"):
                said.setdefault(message.peer, {})[message.address] = message.arguments
        return said

    def believe(self, source: Endpoint, address: str, value: Argument, sequence: int) -> None:
        self.feedback.believe(source, [Belief(address, value)], sequence)


def test_a_new_peer_is_told_everything() -> None:
    room = Room(peers=[DESK])
    told = {message.address: message.arguments for message in room.first}
    assert told["/ai/brightness"] == (1.0,)
    assert told["/ai/blackout"] == (0,)
    assert told["/ai/steer/8"] == (0.0,)
    assert told["/ai/mode"] == ("auto",)
    assert told["/ai/status/state"] == ("starting",)
    assert not any(address.startswith(("/ai/scene", "/ai/go", "/ai/position", "/ai/event")) for address in told)


def test_changes_are_told_once_on_their_own_address() -> None:
    room = Room()
    everybody = {"/ai/brightness": (0.5,), "/ai/blackout": (1,)}
    assert room.said(brightness=0.5, blackout=True) == {DESK: everybody, TABLET: everybody}
    assert room.said() == {}


def test_the_sender_is_not_echoed() -> None:
    room = Room()
    room.believe(Endpoint(DESK.host, 50_123), "/ai/brightness", 0.5, 1)
    assert room.said(brightness=0.5, applied=1) == {TABLET: {"/ai/brightness": (0.5,)}}


def test_the_sender_is_corrected_when_something_else_was_applied() -> None:
    room = Room()
    room.believe(DESK, "/ai/speed", 9.0, 1)
    assert room.said(speed=4.0, applied=1) == {DESK: {"/ai/speed": (4.0,)}, TABLET: {"/ai/speed": (4.0,)}}
    room.believe(DESK, "/ai/brightness", None, 0)  # refused: it never became a command
    assert room.said() == {DESK: {"/ai/brightness": (1.0,)}}


def test_what_is_on_its_way_is_not_compared() -> None:
    """Until the show has applied it, the old value would throw the fader back."""
    room = Room()
    room.believe(DESK, "/ai/brightness", 0.5, 7)
    assert room.said(applied=6) == {}
    assert room.said(applied=7, brightness=0.5) == {TABLET: {"/ai/brightness": (0.5,)}}


def test_rounding_is_no_difference() -> None:
    room = Room()
    room.believe(DESK, "/ai/steer/1", 0.20000000298, 1)
    steering = (13107 / 65535, *[0.0] * 7)
    assert room.said(steering=steering, applied=1) == {TABLET: {"/ai/steer/1": (13107 / 65535,)}}


def test_at_most_thirty_a_second() -> None:
    room = Room(peers=[DESK])
    room.ms = 1000
    told = [room.said(after_ms=5, brightness=n / 1000) for n in range(200)]
    assert 25 <= sum(bool(each) for each in told) <= 30
    assert room.said() == {DESK: {"/ai/brightness": (0.199,)}}  # the last value is never lost


def test_feedback_sent_round_in_a_circle_settles() -> None:
    room = Room(peers=[DESK])
    said = room.said(brightness=0.5)
    room.believe(DESK, "/ai/brightness", said[DESK]["/ai/brightness"][0], 1)
    assert room.said(applied=1) == {}


def waves(latency_ms: int, desks: int, seed: int) -> tuple[int, int]:
    """Desks that send back everything they hear, a while later, are all moved at once to values of their own.

    Returns how often any was told of the brightness after that, and when (ms) for the last time.
    """
    rng = random.Random(seed)
    peers = [Endpoint(f"10.0.0.{n}", 9001) for n in range(1, desks + 1)]
    space = AddressSpace(Names())
    feedback = Feedback(space, peers)
    receiver = Receiver(space, is_echo=feedback.is_echo)
    now = Snapshot()
    feedback.due(0, now)
    arriving = [(1000 + 7 * n, peer, floats("/ai/brightness", 0.1 + 0.2 * n)) for n, peer in enumerate(peers)]
    sequence, told, last_ms = 0, 0, 0
    posted: list[tuple[int, float]] = []
    for ms in range(1000, 6000):
        for _, peer, packet in [each for each in arriving if each[0] == ms]:
            for outcome in receiver.feed(packet, peer, ms * MS):
                assert isinstance(outcome, Heard)
                for command in outcome.commands:
                    assert isinstance(command, SetBrightness)
                    sequence += 1
                    posted.append((sequence, command.level))
                feedback.believe(peer, outcome.beliefs, sequence if outcome.commands else 0)
        if ms % 4 == 0 and posted:  # a tick of the show
            now = replace(now, applied=posted[-1][0], brightness=posted[-1][1])
            posted.clear()
        for said in feedback.due(ms * MS, now) if ms % 17 == 0 else ():
            if said.address == "/ai/brightness":
                told, last_ms = told + 1, ms
                echo = build_message(said.address, said.arguments)
                arriving.append((ms + round(latency_ms * rng.uniform(0.8, 1.2)), said.peer, echo))
    return told, last_ms


@pytest.mark.parametrize("latency_ms", [1, 5, 20, 50, 100, 200])
@pytest.mark.parametrize("desks", [1, 2, 3])
def test_echoes_of_several_desks_do_not_chase_each_other(latency_ms: int, desks: int) -> None:
    """Two waves of old values once ran through three slow desks for seconds, each undoing the other."""
    for seed in range(5):
        told, last_ms = waves(latency_ms, desks, seed)
        assert told <= 3 * desks
        assert last_ms <= 1000 + latency_ms + 300


def test_a_value_that_is_sent_later_is_meant() -> None:
    """What one was told a moment ago is an echo; after that, or with a fade, or by somebody else, it is a wish."""
    space = AddressSpace(Names())
    feedback = Feedback(space, [DESK])
    receiver = Receiver(space, is_echo=feedback.is_echo)
    feedback.due(0, Snapshot(brightness=0.5))

    def heard(data: bytes, source: Endpoint, ms: int) -> list[Command]:
        outcomes = receiver.feed(data, source, ms * MS)
        return [command for outcome in outcomes if isinstance(outcome, Heard) for command in outcome.commands]

    half = floats("/ai/brightness", 0.5)
    assert heard(half, DESK, 100) == []
    assert heard(floats("/ai/brightness", 0.75), DESK, 110) == [SetBrightness(0.75)]
    assert heard(floats("/ai/brightness", 0.5, 2.0), DESK, 120) == [SetBrightness(0.5, 2.0)]
    assert heard(half, TABLET, 130) == [SetBrightness(0.5)]
    assert heard(half, DESK, 301) == [SetBrightness(0.5)]
    assert receiver.counts.echoes == 1


def test_blackout_is_never_taken_for_an_echo() -> None:
    """Told that it is on, off, on: what comes back as off must not bring the light back; who wants it dark gets it."""
    space = AddressSpace(Names())
    feedback = Feedback(space, [DESK])
    receiver = Receiver(space, is_echo=feedback.is_echo)
    for n, on in enumerate((True, False, True)):
        feedback.due(n * 40 * MS, Snapshot(blackout=on))
    assert receiver.feed(ints("/ai/blackout", 0), DESK, 100 * MS) == [Heard(DESK, (), (Belief("/ai/blackout", 0),))]
    (heard,) = receiver.feed(ints("/ai/blackout", 1), DESK, 100 * MS)
    assert isinstance(heard, Heard)
    assert heard.commands == (SetBlackout(True),)


def test_percent_peers_hear_percent() -> None:
    room = Room(percent=frozenset({DESK.host}))
    assert room.said(brightness=0.5, speed=2.0) == {
        DESK: {"/ai/brightness": (50.0,), "/ai/speed": (2.0,)},
        TABLET: {"/ai/brightness": (0.5,), "/ai/speed": (2.0,)},
    }


def test_programs_on_one_host_hear_each_other() -> None:
    """One listens on 9001, another sends from any port: neither may be taken for the other."""
    local = Endpoint("127.0.0.1", 9001)
    room = Room(peers=[local])
    room.believe(Endpoint("127.0.0.1", 40_000), "/ai/brightness", 0.5, 1)
    assert room.said(brightness=0.5, applied=1) == {local: {"/ai/brightness": (0.5,)}}
    room.believe(local, "/ai/brightness", 0.7, 2)
    assert room.said(brightness=0.7, applied=2) == {}


def test_status_once_a_second() -> None:
    room = Room(peers=[DESK])
    status: list[Outgoing] = []
    now = Snapshot(state=StateWord.PLAYING, scene="rabbit", film="bunny", next="tramp", position=1.5, remaining=24.5)
    for ms in range(10, 5010, 10):
        sent = room.feedback.due(ms * MS, replace(now, health=Health.AMBER))
        status += [message for message in sent if message.address.startswith("/ai/status/")]
    assert [message.arguments for message in status[:7]] == [
        ("playing",),
        ("rabbit",),
        ("bunny",),
        ("tramp",),
        (1.5,),
        (24.5,),
        ("amber",),
    ]
    assert len(status) == 7 * 5


class TestEvents:
    def test_changes_are_events(self) -> None:
        room = Room(peers=[DESK])
        changes = {"scene": "tramp", "film": "tramp", "state": StateWord.PLAYING, "mode": Mode.MANUAL}
        assert room.said(**changes)[DESK] == {
            "/ai/event/state": ("playing",),
            "/ai/event/scene": ("tramp",),
            "/ai/event/film": ("tramp",),
            "/ai/event/mode": ("manual",),
            "/ai/mode": ("manual",),
        }
        assert room.said() == {}

    def test_announcements_go_to_everybody_once(self) -> None:
        room = Room()
        room.feedback.announce(Event("loop", ("rabbit", 3)))
        assert room.said() == {peer: {"/ai/event/loop": ("rabbit", 3)} for peer in (DESK, TABLET)}
        assert room.said() == {}

    def test_refusals_go_to_the_sender_only(self) -> None:
        room = Room()
        room.feedback.refuse(DESK.host, CommandRefused("range", "too much"), 0)
        room.feedback.refuse("10.0.0.99", CommandRefused("range", "too much"), 0)
        assert room.said() == {DESK: {"/ai/event/error": ("range", "too much")}}

    def test_refusals_are_metered(self) -> None:
        room = Room()
        for _ in range(1000):
            room.feedback.refuse(DESK.host, CommandRefused("range", "too much"), SECOND)
        sent = room.feedback.due(SECOND, room.now)
        assert sum(message.address == "/ai/event/error" for message in sent) == 50


class TestSubscriptions:
    def test_they_expire(self) -> None:
        room = Room(peers=[])
        room.feedback.subscribe(Endpoint(DESK.host, 40_000), Subscribe(9001, 2.0), 0)
        assert room.said()[DESK]["/ai/brightness"] == (1.0,)
        assert room.said(after_ms=1900, brightness=0.5) == {DESK: {"/ai/brightness": (0.5,)}}
        assert room.said(after_ms=100, brightness=0.7) == {}
        assert room.feedback.peers == ()

    def test_they_are_renewed_and_ended(self) -> None:
        room = Room(peers=[])
        source = Endpoint(DESK.host, 40_000)
        room.feedback.subscribe(source, Subscribe(9001, 2.0), 0)
        room.feedback.subscribe(source, Subscribe(9001, 2.0), SECOND)
        room.said(after_ms=2500)
        assert room.feedback.peers == (DESK,)
        room.feedback.subscribe(source, Subscribe(9001, 0.0), 2 * SECOND)
        assert room.feedback.peers == ()

    def test_only_to_the_sender(self) -> None:
        room = Room(peers=[])
        room.feedback.subscribe(Endpoint("10.0.0.7", 40_000), Subscribe(53, 10), 0)
        assert room.feedback.peers == (Endpoint("10.0.0.7", 53),)

    def test_they_are_bounded(self) -> None:
        room = Room()
        for port in range(1, MAX_OF_ONE_HOST + 1):
            room.feedback.subscribe(Endpoint("10.0.0.9", 40_000), Subscribe(port, 10), 0)
        with pytest.raises(CommandRefused, match=r"16 subscribers of 10\.0\.0\.9 already"):
            room.feedback.subscribe(Endpoint("10.0.0.9", 40_000), Subscribe(99, 10), 0)
        room.feedback.subscribe(Endpoint("10.0.0.9", 40_000), Subscribe(1, 20), 0)  # to ask again is always possible
        for port in range(1, MAX_SUBSCRIBERS - MAX_OF_ONE_HOST + 1):
            room.feedback.subscribe(Endpoint("10.0.0.8", 40_000), Subscribe(port, 10), 0)
        with pytest.raises(CommandRefused, match="32 subscribers already"):
            room.feedback.subscribe(Endpoint("10.0.0.7", 40_000), Subscribe(1, 10), 0)
        assert len(room.feedback.peers) == MAX_SUBSCRIBERS + 2

    def test_a_configured_peer_stays(self) -> None:
        room = Room(peers=[DESK])
        room.feedback.subscribe(DESK, Subscribe(DESK.port, 0), 0)
        room.feedback.subscribe(DESK, Subscribe(DESK.port, 1), 0)
        room.said(after_ms=60_000)
        assert room.feedback.peers == (DESK,)


class TestListening:
    SOCKET = StreamPeer("10.0.0.3", 50_000, 1)

    def heard(self, room: Room, after_ms: int = 40, **changes: object) -> list[tuple[str, tuple[Sayable, ...]]]:
        """Everything the listener is told, status too."""
        room.ms += after_ms
        room.now = replace(room.now, **changes)  # type: ignore[arg-type]
        said = room.feedback.due(room.ms * MS, room.now)
        return [(message.address, message.arguments) for message in said if message.peer == self.SOCKET]

    def test_only_what_was_asked_for(self) -> None:
        room = Room(peers=[])
        room.feedback.listen(self.SOCKET, "/ai/brightness")
        assert self.heard(room) == [("/ai/brightness", (1.0,))]
        assert self.heard(room, volume=0.5, scene="tramp") == []
        assert self.heard(room, brightness=0.5) == [("/ai/brightness", (0.5,))]
        room.feedback.ignore(self.SOCKET, "/ai/brightness")
        assert self.heard(room, brightness=0.7) == []
        assert room.feedback.peers == ()

    def test_a_latch_has_the_type_that_the_tree_says(self) -> None:
        room = Room(peers=[DESK])
        room.feedback.listen(self.SOCKET, "/ai/blackout")
        sent = room.feedback.due(SECOND, replace(room.now, blackout=True))
        said = {message.peer: message.arguments[0] for message in sent if message.address == "/ai/blackout"}
        assert (said[self.SOCKET], type(said[self.SOCKET])) == (True, bool)
        assert (said[DESK], type(said[DESK])) == (1, int)

    def test_who_caused_it_is_not_told(self) -> None:
        room = Room(peers=[])
        for socket in (self.SOCKET, StreamPeer(self.SOCKET.host, 50_001, 2)):
            room.feedback.listen(socket, "/ai/speed")
        assert self.heard(room) == [("/ai/speed", (1.0,))]
        room.feedback.believe(self.SOCKET, [Belief("/ai/speed", 2.0)], 1)
        sent = room.feedback.due(SECOND, replace(room.now, speed=2.0, applied=1))
        assert [message.peer.port for message in sent] == [50_001]

    def test_status_on_change_and_what_flows_once_a_second(self) -> None:
        room = Room(peers=[])
        for name in ("scene", "position"):
            room.feedback.listen(self.SOCKET, f"/ai/status/{name}")
        assert len(self.heard(room)) == 2
        assert self.heard(room, scene="tramp") == [("/ai/status/scene", ("tramp",))]
        flow = [self.heard(room, after_ms=10, position=n / 100) for n in range(1000)]
        assert 9 <= sum(map(bool, flow)) <= 11

    def test_events_too(self) -> None:
        room = Room(peers=[])
        room.feedback.listen(self.SOCKET, "/ai/event/output")
        self.heard(room)
        room.feedback.announce(Event("output", ("HDMI-1 is gone",)))
        assert self.heard(room, scene="tramp") == [("/ai/event/output", ("HDMI-1 is gone",))]

    def test_listening_goes_on_when_a_subscription_ends(self) -> None:
        room = Room(peers=[])
        room.feedback.listen(self.SOCKET, "/ai/brightness")
        room.feedback.subscribe(self.SOCKET, Subscribe(1, 1.0), 0)
        assert len(self.heard(room)) > 10
        assert self.heard(room, after_ms=2000, brightness=0.5, volume=0.5) == [("/ai/brightness", (0.5,))]

    def test_unknown_addresses_are_refused_and_cost_nothing(self) -> None:
        room = Room(peers=[])
        with pytest.raises(CommandRefused, match="near it: /ai/brightness"):
            room.feedback.listen(self.SOCKET, "/ai/brightnes")
        assert room.feedback.peers == ()

    def test_they_are_bounded(self) -> None:
        room = Room(peers=[])
        for serial in range(MAX_LISTENERS):
            room.feedback.listen(StreamPeer("10.0.0.3", 50_000, serial), "/ai/speed")
        with pytest.raises(CommandRefused, match="32 listeners already"):
            room.feedback.listen(StreamPeer("10.0.0.3", 50_000, MAX_LISTENERS), "/ai/speed")
        room.feedback.forget(StreamPeer("10.0.0.3", 50_000, 0))
        room.feedback.listen(StreamPeer("10.0.0.3", 50_000, MAX_LISTENERS), "/ai/speed")


class TestPing:
    def test_peers_are_answered(self) -> None:
        room = Room()
        answers = room.feedback.answer(Endpoint(DESK.host, 50_000), "/ai/ping", Ping((1, "x")), 0)
        assert answers == [Outgoing(DESK, "/ai/ping", (1, "x"))]

    def test_strangers_are_not(self) -> None:
        assert Room().feedback.answer(Endpoint("10.0.0.99", 1), "/ai/ping", Ping(()), 0) == []

    def test_any_arguments_come_back_buildable(self) -> None:
        arguments: tuple[Argument, ...] = (1, 2**40, 0.5, "x", b"", b"x", None, Infinitum.IMPULSE, True, (1, 2))
        (answer,) = Room().feedback.answer(DESK, "/ai/ping", Ping(arguments), 0)
        built = decode_packet(build_message(answer.address, answer.arguments))
        assert built == Message("/ai/ping", (1, 2**40, 0.5, "x", b"x", True))

    def test_pongs_are_metered(self) -> None:
        room = Room()
        assert sum(bool(room.feedback.answer(DESK, "/ai/ping", Ping(()), 0)) for _ in range(1000)) == 50
