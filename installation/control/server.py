"""The control thread: one asyncio loop that owns every socket, posts commands and sends feedback.

A thin shell: what packets mean and what to say is the `hub`'s. The only ways out of this thread are the inbox and the
sockets, the only way in is the status board; the picture never waits for it. Other protocols join the same loop as
guests.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType

from installation.clock import Clock
from installation.control.feedback import Event
from installation.control.hub import Guest, Hub, Opening
from installation.control.inbox import Inbox
from installation.control.methods.names import Names
from installation.control.network.desk import DeskCaller
from installation.control.network.sockets import BatchReading, DatagramReader, open_listeners
from installation.control.network.streams import StreamCalls, StreamCounts, Streams
from installation.control.network.tap import Tap, tap_path
from installation.control.osc.messages import printable
from installation.control.receiver import ReceiverCounts
from installation.control.settings import ControlSettings, Endpoint, Source, StreamPeer
from installation.errors import CommandRefused, InputError, UnavailableError
from installation.show.commands import Posted
from installation.show.status import StatusBoard

FEEDBACK_S = 1 / 60
SENSOR_S = 1 / 50
IDLE_S = 0.25  # nobody to tell
GUEST_S = 3.0  # for a guest to go, when the show ends

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlCounts:
    """What came over the network since the start. `strangers`: from addresses that are not allowed."""

    received: ReceiverCounts = field(default_factory=ReceiverCounts)
    streams: StreamCounts = field(default_factory=StreamCounts)
    strangers: int = 0
    kernel_dropped: int = 0
    guests_dropped: int = 0
    feedback_dropped: int = 0
    faults: int = 0  # exceptions of our own, caught

    @property
    def dropped(self) -> int:
        """Datagrams that were meant for us, perhaps, and never looked at."""
        return self.received.over_rate + self.kernel_dropped + self.guests_dropped


class ControlServer:
    """OSC over UDP and TCP for one show, and its `guests`. Open it, start it, close it; or use it as a context manager.

    `clock` tells true wall time, which the time tags of bundles are compared with.
    """

    def __init__(
        self,
        settings: ControlSettings,
        names: Names,
        inbox: Inbox,
        board: StatusBoard,
        clock: Clock,
        guests: Sequence[Opening] = (),
    ) -> None:
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tap = Tap(settings.root)
        self._hub = Hub(settings, names, inbox, board, clock, self._tap.offer, self._stream)
        self._streams = Streams(self._stream_calls(), clock, serials=self._hub.serials)
        self._desk = DeskCaller(settings.desk, self._streams, clock, self._desk_says) if settings.desk else None
        self._openings = tuple(guests)
        self._guests: list[Guest] = []
        self._welcoming: asyncio.Task[None] | None = None
        self._reader, self._door = self._open()
        self._reading = BatchReading(self._reader, self._take)
        self._hub.own = self._reader.endpoint

    def _open(self) -> tuple[DatagramReader, socket.socket]:
        """Take the port, for UDP and TCP. Raises UnavailableError when it is not to be had."""
        listening, door = open_listeners(self._settings.listen, self._settings.port)
        endpoint = Endpoint(*listening.getsockname()[:2])
        if endpoint in self._settings.feedback:
            listening.close()
            door.close()
            raise InputError(f"control.feedback: {endpoint} is where this show itself listens; name another port")
        return DatagramReader(listening, endpoint), door

    def _stream_calls(self) -> StreamCalls:
        return StreamCalls(
            admits=self._hub.admits,
            affords=self._hub.affords,
            receive=lambda packet, peer: self._hub.guarded(partial(self._packet, packet, peer)),
            broken=lambda peer, why: self._hub.complain(f"a connection from {peer} was ended: {why}"),
            gone=self._hub.disconnect,
        )

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return self._reader.endpoint

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        self._loop = asyncio.SelectorEventLoop()  # add_reader, also on Windows
        self._loop.run_until_complete(self._streams.listen(self._door))
        self._loop.run_until_complete(self._open_tap())
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="control", daemon=True)
        self._thread.start()

    async def _open_tap(self) -> None:
        """Let the same user listen in, where the system can."""
        if not hasattr(socket, "AF_UNIX"):
            return
        try:
            await self._tap.open(tap_path(self.endpoint.port))
        except OSError as error:
            log.info("OSC: nobody can learn from this player: %s", error)

    def close(self) -> None:
        """Stop listening, send what is left to say, give the port back."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        self._thread = self._loop = None
        self._door.close()
        self._reader.close()
        self._hub.close()

    def __enter__(self) -> ControlServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def announce(self, event: Event) -> None:
        """Tell everybody that something happened. From any thread."""
        self._soon(lambda: self._hub.announce(event))

    def refuse(self, posted: Posted, error: CommandRefused) -> None:
        """Tell the sender of a command why the show did not obey it. From any thread."""
        self._soon(lambda: self._hub.refuse(posted, error))

    def counts(self) -> ControlCounts:
        """The counters. From any thread."""
        return ControlCounts(
            self._hub.received(),
            replace(self._streams.counts),
            self._hub.strangers,
            self._reader.kernel_dropped,
            self._hub.dropped,
            self._hub.unsent,
            self._hub.faults,
        )

    def _soon(self, call: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._hub.guarded, call)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self._reading.start(loop)
        if self._desk is not None:
            loop.call_soon(self._desk.start, loop)
        loop.call_soon(self._feedback_tick, loop)
        if self._hub.has_sensors:
            loop.call_soon(self._sensor_tick, loop)
        self._welcoming = loop.create_task(self._welcome())
        loop.run_forever()
        self._reading.stop()
        self._hub.guarded(self._hub.speak)
        loop.run_until_complete(self._hang_up())

    async def _welcome(self) -> None:
        """Open the other ways in, side by side. Who cannot come is said, and missed."""
        await asyncio.gather(*map(self._welcome_one, self._openings))

    async def _welcome_one(self, opening: Opening) -> None:
        try:
            self._guests.append(await opening(self._hub))
        except UnavailableError as error:
            log.warning("%s; playing without it", error)
        except Exception:
            self._hub.fault()

    async def _hang_up(self) -> None:
        if self._welcoming is not None:
            self._welcoming.cancel()
            await asyncio.gather(self._welcoming, return_exceptions=True)
        for guest in self._guests:
            try:
                await asyncio.wait_for(guest.close(), GUEST_S)
            except Exception:
                self._hub.fault()
        if self._desk is not None:
            await self._desk.finish()
        self._tap.close()
        await self._streams.finish()

    def _take(self, data: bytes, source: Endpoint) -> bool:
        """Hear a datagram; False when it was not even looked at."""
        unheard = self._hub.unheard
        self._hub.guarded(partial(self._datagram, data, source))
        return self._hub.unheard == unheard

    def _datagram(self, data: bytes, source: Endpoint) -> None:
        if self._hub.admits(source.host):
            self._packet(data, source)

    def _packet(self, data: bytes, source: Source) -> None:
        if self._desk is not None and isinstance(source, StreamPeer):
            self._desk.heard(data, source.serial)
        self._hub.receive(data, source)

    def _stream(self, peer: StreamPeer, packet: bytes) -> None:
        self._streams.send(peer, packet)

    def _feedback_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._hub.guarded(self._hub.speak)
        loop.call_later(FEEDBACK_S if self._hub.feedback.peers else IDLE_S, self._feedback_tick, loop)

    def _sensor_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._hub.guarded(self._hub.sense)
        loop.call_later(SENSOR_S, self._sensor_tick, loop)

    def _desk_says(self, text: str) -> None:
        log.info("OSC: %s", printable(text))
        self._hub.announce(Event("desk", (text,)))
