"""The connection out to a desk: Eos sends cues reliably only to who connects to it. Called again whenever it is lost.

`Calling` decides, without sockets: when to call (after 1 s, 2 s, 4 s, at most 30 s), when to ping, when to give up on a
desk that answered pings and does not any more. A desk that never answers pings is not expected to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from installation.clock import SECOND_NS, Clock
from installation.control.network.streams import StreamLine, Streams
from installation.control.osc.messages import build_message
from installation.control.settings import DeskAddress

FIRST_PAUSE_NS = SECOND_NS
LONGEST_PAUSE_NS = 30 * SECOND_NS
PING_NS = 5 * SECOND_NS
SILENCE_NS = 15 * SECOND_NS
CALL_S = 5.0  # until a desk that does not answer is given up
TICK_S = 0.25
PING = "/eos/ping"
_PONG = b"/eos/out/ping\0"


class Step(Enum):
    """What to do now."""

    CALL = "call"
    PING = "ping"
    HANG_UP = "hang up"


class Calling:
    """When to call, ping and hang up."""

    def __init__(self, now_ns: int) -> None:
        self._call_ns: int | None = now_ns  # None: calling, or connected
        self._pause_ns = FIRST_PAUSE_NS
        self._ping_ns: int | None = None  # None: not connected
        self._answered_ns: int | None = None  # newest sign of life of a desk that answers pings

    def due(self, now_ns: int) -> Step | None:
        """The next step, if its time has come."""
        if self._call_ns is not None and now_ns >= self._call_ns:
            self._call_ns = None
            return Step.CALL
        if self._ping_ns is None:
            return None
        if self._answered_ns is not None and now_ns - self._answered_ns > SILENCE_NS:
            self._ping_ns = None
            return Step.HANG_UP
        if now_ns >= self._ping_ns:
            self._ping_ns = now_ns + PING_NS
            return Step.PING
        return None

    def connected(self, now_ns: int) -> None:
        """The desk answered the call."""
        self._ping_ns = now_ns
        self._answered_ns = None

    def heard(self, packet: bytes, now_ns: int) -> None:
        """The desk said something: calls are worth it again."""
        self._pause_ns = FIRST_PAUSE_NS
        if self._answered_ns is not None or packet.startswith(_PONG):
            self._answered_ns = now_ns

    def lost(self, now_ns: int) -> None:
        """No connection, or no more."""
        self._ping_ns = None
        self._call_ns = now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, LONGEST_PAUSE_NS)


class DeskCaller:
    """Keeps the connection to one desk. Lives on the control thread's loop; `say` is told what people should know."""

    def __init__(self, desk: DeskAddress, streams: Streams, clock: Clock, say: Callable[[str], None]) -> None:
        self._desk = desk
        self._streams = streams
        self._clock = clock
        self._say = say
        self._calling = Calling(clock.now_ns())
        self._line: StreamLine | None = None
        self._task: asyncio.Task[None] | None = None
        self._said = ""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to call. On the loop."""
        self._tick(loop)

    async def finish(self) -> None:
        """Stop calling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def heard(self, packet: bytes, serial: int) -> None:
        """A packet came on some connection; only the desk's counts."""
        if self._line is not None and self._line.conversation and self._line.conversation.peer.serial == serial:
            self._calling.heard(packet, self._clock.now_ns())

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        match self._calling.due(self._clock.now_ns()):
            case Step.CALL:
                self._task = loop.create_task(self._call(loop))
            case Step.PING if self._line is not None and self._line.conversation is not None:
                self._streams.send(self._line.conversation.peer, build_message(PING, ("afterimage",)))
            case Step.HANG_UP if self._line is not None:
                self._line.abort()
        loop.call_later(TICK_S, self._tick, loop)

    async def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        line = StreamLine(self._streams, self._desk.framing, self._lost)
        try:
            async with asyncio.timeout(CALL_S):
                await loop.create_connection(lambda: line, self._desk.host, self._desk.port)
        except (OSError, TimeoutError, UnicodeError) as error:
            self._tell(f"desk {self._desk} does not answer ({error or 'no answer in time'}); calling again")
            self._calling.lost(self._clock.now_ns())
            return
        self._line = line
        self._calling.connected(self._clock.now_ns())
        self._tell(f"connected to desk {self._desk}")

    def _lost(self) -> None:
        self._line = None
        self._calling.lost(self._clock.now_ns())
        self._tell(f"lost desk {self._desk}; calling again")

    def _tell(self, text: str) -> None:
        """Say what is new."""
        if text != self._said:
            self._said = text
            self._say(text)
