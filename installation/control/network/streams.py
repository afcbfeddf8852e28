"""OSC over TCP: the connections that come in and the one that goes out to a desk. A thin shell over `Conversation`.

TCP has what UDP lacks, so nothing is dropped here: who sends faster than the token bucket allows is not read and waits.
What is sent back is bounded: a peer that does not read loses messages, then its connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import cast

from installation.clock import Clock
from installation.control.network.conversation import SECOND_NS, Conversation, Places, is_full, makes_room
from installation.control.network.sockets import keep_alive
from installation.control.osc.framing import Framing, FramingError, framed
from installation.control.settings import StreamPeer

READ = 16_384  # bytes at once
BATCH = 32  # packets before everybody else on the loop has a turn
BREATH_S = 0.005  # after a batch: at most 6,400 packets a second, which a tick's 256 triggers hold
TICK_S = 1.0
MAX_UNSENT = 262_144  # bytes
STALLED_NS = 10 * SECOND_NS


@dataclass(frozen=True, slots=True)
class StreamCalls:
    """What the control thread does for streams: every call must be harmless whatever a peer sent."""

    admits: Callable[[str], bool]  # whether a host may speak; says so if not
    affords: Callable[[StreamPeer, int], bool]  # whether that many bytes may be looked at now
    receive: Callable[[bytes, StreamPeer], None]
    broken: Callable[[StreamPeer, str], None]  # why a connection was ended
    gone: Callable[[StreamPeer], None]


@dataclass(slots=True)
class StreamCounts:
    """Since the start."""

    connections: int = 0
    turned_away: int = 0  # no place
    broken: int = 0  # ended by us
    unsent: int = 0  # messages a peer did not read


class Streams:
    """Every connection of a show, in and out. Lives on the control thread's loop."""

    def __init__(
        self,
        calls: StreamCalls,
        clock: Clock,
        places: Places | None = None,
        serials: Iterator[int] | None = None,
    ) -> None:
        self.counts = StreamCounts()
        self._calls = calls
        self._clock = clock
        self._places = places or Places()
        self._lines: dict[StreamPeer, StreamLine] = {}
        self._serials = serials or count(1)
        self._server: asyncio.Server | None = None
        self._memory = memoryview(bytearray(READ))

    async def listen(self, listening: socket.socket) -> None:
        """Take connections from a bound socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: StreamLine(self), sock=listening, backlog=16)
        loop.call_later(TICK_S, self._tick, loop)

    async def finish(self) -> None:
        """End every connection and stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in tuple(self._lines.values()):
            line.abort()
        for _ in range(2):  # asyncio closes sockets one turn later
            await asyncio.sleep(0)

    def send(self, peer: StreamPeer, packet: bytes) -> None:
        """One packet to one peer, in its own framing. Never waits."""
        line = self._lines.get(peer)
        if line is None or not line.send(packet, self._clock.now_ns()):
            self.counts.unsent += 1

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now_ns = self._clock.now_ns()
        for line in tuple(self._lines.values()):
            wrong = line.wrong(now_ns)
            if wrong:
                self.end(line, wrong)
        if self._server is not None:
            loop.call_later(TICK_S, self._tick, loop)

    # What lines ask of it.

    def place(self, host: str, port: int, framing: Framing | None, *, called: bool) -> Conversation | None:
        """A new conversation, or None where there is no place. Who we `called` ourselves always has one."""
        now_ns = self._clock.now_ns()
        if not called:
            if not self._calls.admits(host):
                return None
            present = {peer: line.conversation for peer, line in self._lines.items() if line.conversation}
            leaving = makes_room(host, present, self._places, now_ns)
            if leaving is not None:
                self._lines[leaving].abort()
                self.remove(leaving)
                present.pop(leaving)
            if is_full(host, present, self._places):
                self.counts.turned_away += 1
                return None
        self.counts.connections += 1
        return Conversation(StreamPeer(host, port, next(self._serials)), now_ns, framing)

    def add(self, line: StreamLine, peer: StreamPeer) -> None:
        """A line has its place."""
        self._lines[peer] = line

    def remove(self, peer: StreamPeer) -> None:
        """A line is no more."""
        if self._lines.pop(peer, None) is not None:
            self._calls.gone(peer)

    def end(self, line: StreamLine, wrong: str) -> None:
        """End a connection that broke the rules."""
        self.counts.broken += 1
        if line.conversation is not None:
            self._calls.broken(line.conversation.peer, wrong)
        line.abort()

    def read(self, conversation: Conversation, size: int) -> None:
        """`size` bytes came. Raises FramingError."""
        conversation.feed(bytes(self._memory[:size]), self._clock.now_ns())

    def work(self, conversation: Conversation) -> bool:
        """Look at some packets. True when all are done."""
        packets = conversation.packets
        for _ in range(BATCH):
            if not packets or not self._calls.affords(conversation.peer, len(packets[0])):
                break
            self._calls.receive(packets.popleft(), conversation.peer)
        return not packets

    @property
    def memory(self) -> memoryview:
        """Where bytes are read to; what was read is copied at once, so all lines share it."""
        return self._memory


class StreamLine(asyncio.BufferedProtocol):
    """One connection. `lost` is called once, when it is over."""

    def __init__(
        self, streams: Streams, framing: Framing | None = None, lost: Callable[[], None] | None = None
    ) -> None:
        self.conversation: Conversation | None = None
        self._streams = streams
        self._framing = framing
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._stalled_ns: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or leave."""
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername") or ("?", 0)
        self.conversation = self._streams.place(name[0], name[1], self._framing, called=self._lost is not None)
        if self.conversation is None:
            self.abort()
            return
        keep_alive(transport.get_extra_info("socket"))
        self._streams.add(self, self.conversation.peer)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to."""
        return self._streams.memory

    def buffer_updated(self, size: int) -> None:
        """Bytes came."""
        if self.conversation is None:
            return
        try:
            self._streams.read(self.conversation, size)
        except FramingError as error:
            self._streams.end(self, str(error))
            return
        self._work()

    def _work(self) -> None:
        """Look at what came; while some is left, nothing more is read."""
        if self.conversation is None or self._transport is None or self._transport.is_closing():
            return
        done = self._streams.work(self.conversation)
        if self._transport.is_closing():
            return
        if done:
            if not self._transport.is_reading():
                self._transport.resume_reading()
            return
        self._transport.pause_reading()
        asyncio.get_running_loop().call_later(BREATH_S, self._work)

    def send(self, packet: bytes, now_ns: int) -> bool:
        """Send one packet; False, and not sent, when the peer has not read what it was sent before."""
        if self._transport is None or self.conversation is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() + len(packet) > MAX_UNSENT:
            self._stalled_ns = now_ns if self._stalled_ns is None else self._stalled_ns
            return False
        self._stalled_ns = None
        self._transport.write(framed(packet, self.conversation.framing))
        return True

    def wrong(self, now_ns: int) -> str:
        """Why this connection should end; "" when it may stay."""
        if self.conversation is not None and self.conversation.is_stuck(now_ns):
            return "a packet that was begun and does not end"
        if self._stalled_ns is not None and now_ns - self._stalled_ns > STALLED_NS:
            return "it does not read what it asked for"
        return ""

    def abort(self) -> None:
        """End it, at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        if self.conversation is not None:
            self._streams.remove(self.conversation.peer)
        if self._lost is not None:
            self._lost()
