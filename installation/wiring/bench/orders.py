"""A desk that goes on giving orders over TCP while others make noise, and sees by its feedback how they are obeyed.

Orders come in bursts of cues, each of which sets the volume to a value of its own. What the volume is in the end tells
that the last was obeyed last; the values seen on the way, that no earlier one came late; the player counts them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from installation.clock import SECOND_NS, SystemClock
from installation.control.osc.framing import Framing, Unframer, framed
from installation.control.osc.messages import Sayable, build_message
from installation.control.osc.packets import Message, Packet, decode_packet
from installation.control.settings import Endpoint
from installation.wiring.bench.timing import Timing, summary

BURST = 9
BURSTS = 111  # before the first is said again
PERIOD_NS = SECOND_NS // 10  # from one burst to the next, if it is obeyed so soon
PATIENCE_S = 5.0  # with one burst
READ = 65_536  # bytes
WATCHED = "/ai/volume"
STATES = ("/ai/status/state", "/ai/event/state")
_STEPS = BURST * BURSTS + 1


@dataclass(frozen=True, slots=True)
class Orders:
    """Triggers sent, and whether each burst was seen to end with its last and to have come in order. `answer`: from
    sending a burst to the feedback of its last.
    """

    sent: int
    in_order: bool
    answer: Timing | None


def cue_tables() -> Iterator[str]:
    """The cues c1, c2 ... of a show, as TOML."""
    for number in range(1, _STEPS):
        yield f'[cues.c{number}]\ndo = ["volume {number / _STEPS}"]'


async def give_orders(player: Endpoint, seconds: float) -> Orders:
    """Fire bursts for so long after the first picture, then listen until the player ends."""
    reader, writer = await asyncio.open_connection(*player)
    desk = _Desk(writer)
    desk.say("/ai/subscribe", 1, 3600)
    giving = asyncio.create_task(desk.give(seconds))
    try:
        await desk.listen(reader)
    finally:
        giving.cancel()
        writer.close()
    return desk.orders()


class _Desk:
    """One connection: what was sent and what was seen."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._clock = SystemClock()
        self._playing = asyncio.Event()
        self._obeyed = asyncio.Event()  # the burst under way, to its last
        self._sent = 0
        self._newest = 0  # seen of the burst under way
        self._in_order = True
        self._took_ms: list[float] = []

    def say(self, address: str, *arguments: Sayable) -> None:
        self._writer.write(framed(build_message(address, arguments), Framing.SLIP))

    async def give(self, seconds: float) -> None:
        await self._playing.wait()
        begun_ns = now_ns = self._clock.now_ns()
        while now_ns - begun_ns < seconds * SECOND_NS:
            await self._burst(now_ns)
            if not self._in_order:
                return
            rest_ns = now_ns + PERIOD_NS - self._clock.now_ns()
            await asyncio.sleep(max(0, rest_ns) / SECOND_NS)
            now_ns = self._clock.now_ns()

    async def _burst(self, now_ns: int) -> None:
        first = self._sent % (_STEPS - 1) + 1
        self._newest = first - 1
        self._obeyed.clear()
        for number in range(first, first + BURST):
            self.say(f"/ai/cue/c{number}/fire")
        self._sent += BURST
        try:
            await asyncio.wait_for(self._obeyed.wait(), PATIENCE_S)
        except TimeoutError:
            self._in_order = False
        else:
            self._took_ms.append((self._clock.now_ns() - now_ns) / 1e6)

    async def listen(self, reader: asyncio.StreamReader) -> None:
        unframer = Unframer(Framing.SLIP)
        try:
            while data := await reader.read(READ):
                for packet in unframer.feed(data):
                    self._hear(decode_packet(packet))
        except ConnectionError:
            pass

    def _hear(self, packet: Packet) -> None:
        match packet:
            case Message(address, ("playing",)) if address in STATES:
                self._playing.set()
            case Message(address, (float(level),)) if address == WATCHED and self._sent:
                self._saw(round(level * _STEPS))

    def _saw(self, number: int) -> None:
        self._in_order &= number > self._newest
        self._newest = number
        if number % BURST == 0:
            self._obeyed.set()

    def orders(self) -> Orders:
        whole = self._in_order and self._sent == BURST * len(self._took_ms)
        return Orders(self._sent, whole, summary(self._took_ms) if self._took_ms else None)
