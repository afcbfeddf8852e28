"""Devices that send back everything they hear, over every way in at once: it settles at once, and stays so."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Queue

import aiohttp
import pytest

from installation.control.osc.framing import Framing
from installation.control.osc.messages import build_message
from installation.control.osc.packets import Message, decode_packet
from installation.show import commands as show
from installation.show.commands import Posted
from tests.control.network.test_streams import StreamDesk, desk_in
from tests.control.oscquery.clients import Listener, asked_show
from tests.control.packets import floats, ints
from tests.control.rooms import PATIENCE_S, Peer, Room

LAST = "/ai/status/health"  # of what is said every second
WAYS = ("UDP", "TCP", "WebSocket")

Heard = Queue[tuple[str, str]]  # by whom, which address


def datagrams(peer: Peer) -> Iterator[bytes]:
    while True:
        said = peer.hear()
        yield build_message(said.address, said.arguments)  # type: ignore[arg-type]


def stream(desk: StreamDesk) -> Iterator[bytes]:
    while True:
        yield desk.hear_packet()


def socket(listener: Listener) -> Iterator[bytes]:
    while (received := listener.received()).type is aiohttp.WSMsgType.BINARY:
        yield received.data


@contextmanager
def echoing(way: str, packets: Iterator[bytes], send: Callable[[bytes], None], heard: Heard) -> Iterator[None]:
    """Send back what comes, in a thread, until the block ends."""
    over = threading.Event()

    def echo() -> None:
        for packet in packets:
            if over.is_set():
                return
            said = decode_packet(packet)
            assert isinstance(said, Message)
            heard.put((way, said.address))
            send(packet)

    thread = threading.Thread(target=echo)
    thread.start()
    try:
        yield
    finally:
        over.set()  # status comes every second, and wakes it
        thread.join(PATIENCE_S)


def rounds(heard: Heard, number: int) -> Counter[str]:
    """Wait until everybody was told so many times how the show is; what they heard, by address."""
    addresses: Counter[str] = Counter()
    left = dict.fromkeys(WAYS, number)
    while any(count > 0 for count in left.values()):
        way, address = heard.get(timeout=PATIENCE_S)
        addresses[address] += 1
        left[way] -= address == LAST
    return addresses


def obeying(room: Room, over: threading.Event) -> None:
    """A show that does as it is told, as far as brightness, speed and blackout go."""
    while not over.is_set():
        room.inbox.wake.wait(0.1)
        room.inbox.wake.clear()
        for posted in room.inbox.drain():
            room.publish(applied=posted.sequence, **changes(posted))


def changes(posted: Posted) -> dict[str, object]:
    match posted.command:
        case show.SetBrightness(level):
            return {"brightness": level}
        case show.SetSpeed(speed):
            return {"speed": speed}
        case show.SetBlackout(on):
            return {"blackout": on}
    return {}


def test_echoes_over_every_way_settle_at_once() -> None:
    heard: Heard = Queue()
    over = threading.Event()
    with ExitStack() as stack:
        it = stack.enter_context(asked_show())
        obedient = threading.Thread(target=obeying, args=(it.room, over))
        obedient.start()
        stack.callback(obedient.join, PATIENCE_S)
        stack.callback(over.set)
        peer = stack.enter_context(it.room.peer())
        desk = stack.enter_context(desk_in(it.room, Framing.SLIP))
        listener = stack.enter_context(it.listener())
        operator = stack.enter_context(desk_in(it.room, Framing.LENGTH))
        for subscribe in (peer.send, desk.send, listener.send):
            subscribe(ints("/ai/subscribe", peer.endpoint.port, 60))
        stack.enter_context(echoing("UDP", datagrams(peer), peer.send, heard))
        stack.enter_context(echoing("TCP", stream(desk), desk.send, heard))
        stack.enter_context(echoing("WebSocket", socket(listener), listener.send, heard))
        rounds(heard, 1)
        for n in range(40):  # a hand on two faders, and a key
            operator.send(floats("/ai/brightness", n / 40), floats("/ai/speed", n / 10), ints("/ai/blackout", n % 2))
        it.room.publish(scene="visit")
        rounds(heard, 1)
        later = rounds(heard, 2)
        now = it.room.now
    assert (now.brightness, now.speed, now.blackout) == (pytest.approx(0.975), pytest.approx(3.9), True)
    assert set(later) <= {*(f"/ai/status/{name}" for name in STATUS), "/ai/event/error"}
    errors = later.pop("/ai/event/error")
    assert errors < 3 * sum(later.values())  # for each status that came back: they do not breed


STATUS = ("state", "scene", "film", "next", "position", "remaining", "health")
