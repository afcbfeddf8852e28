"""The control thread: one asyncio loop that owns every socket, posts commands and sends feedback.

A thin shell: what datagrams mean is `receiver`'s, what to say is `feedback`'s. The only ways out of this thread are the
inbox and the sockets, the only way in is the status board; the picture never waits for it. Other protocols join the
same loop, as objects with the same `feed` and `due`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType

from installation.clock import Clock
from installation.control.addresses import AddressSpace
from installation.control.desk import DeskCaller
from installation.control.feedback import Event, Feedback, Outgoing
from installation.control.inbox import Inbox
from installation.control.messages import build_message, printable
from installation.control.methods import Subscribe
from installation.control.names import Names
from installation.control.receiver import Asked, Heard, Malformed, Outcome, Receiver, ReceiverCounts, Refused
from installation.control.settings import ControlSettings, Endpoint, Source, StreamPeer
from installation.control.sockets import DatagramReader, FeedbackSender, open_listeners
from installation.control.streams import StreamCalls, StreamCounts, Streams
from installation.control.tap import Tap, tap_path
from installation.control.whom import AllowList
from installation.errors import CommandRefused, InputError
from installation.show.commands import Origin, Posted
from installation.show.status import StatusBoard

SECOND_NS = 1_000_000_000
BATCH = 64  # datagrams before everybody else on the loop has a turn
BREATH_S = 0.002  # after a full batch: a flood is read at 32,000 datagrams a second at most
FEEDBACK_S = 1 / 60
SENSOR_S = 1 / 50
IDLE_S = 0.25  # nobody to tell
LOG_NS = 10 * SECOND_NS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlCounts:
    """What came over the network since the start. `strangers`: from addresses that are not allowed."""

    received: ReceiverCounts
    streams: StreamCounts
    strangers: int
    kernel_dropped: int
    feedback_dropped: int
    faults: int  # exceptions of our own, caught

    @property
    def dropped(self) -> int:
        """Datagrams that were OSC, perhaps, and never looked at."""
        return self.received.over_rate + self.kernel_dropped


class ControlServer:
    """OSC over UDP and TCP for one show. Open it, start it, close it; or use it as a context manager.

    `clock` tells true wall time, which the time tags of bundles are compared with.
    """

    def __init__(self, settings: ControlSettings, names: Names, inbox: Inbox, board: StatusBoard, clock: Clock) -> None:
        space = AddressSpace(names, settings.root)
        self._settings = settings
        self._inbox = inbox
        self._board = board
        self._clock = clock
        self._receiver = Receiver(space, settings.percent, rules=settings.rules)
        self._feedback = Feedback(space, settings.feedback, settings.percent)
        self._allowed = AllowList(settings.listen, settings.allow)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._quiet = _QuietLog(clock)
        self._sender = FeedbackSender()
        self._strangers = 0
        self._faults = 0
        self._streams = Streams(self._stream_calls(), clock)
        self._desk = DeskCaller(settings.desk, self._streams, clock, self._desk_says) if settings.desk else None
        self._tap = Tap(settings.root)
        self._reader, self._door = self._open()

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
            admits=self._admits,
            affords=lambda peer, size: self._receiver.affords(peer, size, self._clock.now_ns()),
            receive=lambda packet, peer: self._guarded(partial(self._packet, packet, peer)),
            broken=lambda peer, why: self._quiet.say(f"a connection from {peer} was ended: {why}"),
            gone=self._feedback.forget,
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
        self._sender.close()

    def __enter__(self) -> ControlServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def announce(self, event: Event) -> None:
        """Tell everybody that something happened. From any thread."""
        self._soon(lambda: self._feedback.announce(event))

    def refuse(self, posted: Posted, error: CommandRefused) -> None:
        """Tell the sender of a command why the show did not obey it. From any thread."""
        self._soon(lambda: self._feedback.refuse(posted.origin.name, error, self._clock.now_ns()))

    def counts(self) -> ControlCounts:
        """The counters. From any thread."""
        return ControlCounts(
            replace(self._receiver.counts),
            replace(self._streams.counts),
            self._strangers,
            self._reader.kernel_dropped,
            self._sender.dropped,
            self._faults,
        )

    def _soon(self, call: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._guarded, call)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self._listen(loop)
        if self._desk is not None:
            loop.call_soon(self._desk.start, loop)
        loop.call_soon(self._feedback_tick, loop)
        if self._receiver.needs_time:
            loop.call_soon(self._sensor_tick, loop)
        loop.run_forever()
        loop.remove_reader(self._reader.fileno())
        self._guarded(self._speak)
        loop.run_until_complete(self._hang_up())

    async def _hang_up(self) -> None:
        if self._desk is not None:
            await self._desk.finish()
        self._tap.close()
        await self._streams.finish()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_reader(self._reader.fileno(), self._readable, loop)

    def _readable(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read one batch; in a flood, breathe before the next, and let the kernel drop."""
        for _ in range(BATCH):
            datagram = self._reader.read()
            if datagram is None:
                return
            self._guarded(partial(self._datagram, *datagram))
        loop.remove_reader(self._reader.fileno())
        loop.call_later(BREATH_S, self._listen, loop)

    def _admits(self, host: str) -> bool:
        admitted = self._allowed.admits(host)
        if not admitted:
            self._strangers += 1
            self._quiet.say(f"something from {host}, which is not allowed to speak here (control.allow)")
        return admitted

    def _datagram(self, data: bytes, source: Endpoint) -> None:
        if self._admits(source.host):
            self._packet(data, source)

    def _packet(self, data: bytes, source: Source) -> None:
        if self._desk is not None and isinstance(source, StreamPeer):
            self._desk.heard(data, source.serial)
        self._tap.offer(data, source)
        before = self._receiver.next_due_ns
        now_ns = self._clock.now_ns()
        self._act(self._receiver.feed(data, source, now_ns, self._clock.wall_ns()))
        if self._receiver.next_due_ns not in (None, before):
            self._wake_for_bundles(now_ns)

    def _wake_for_bundles(self, now_ns: int) -> None:
        due_ns = self._receiver.next_due_ns
        if due_ns is not None and self._loop is not None:
            self._loop.call_later(max(0, due_ns - now_ns) / SECOND_NS, self._guarded, self._bundles_due)

    def _bundles_due(self) -> None:
        now_ns = self._clock.now_ns()
        self._act(self._receiver.due(now_ns))
        self._wake_for_bundles(now_ns)

    def _act(self, outcomes: Sequence[Outcome]) -> None:
        """Carry out what the receiver made of a datagram."""
        for outcome in outcomes:
            match outcome:
                case Heard():
                    self._heard(outcome)
                case Asked():
                    self._asked(outcome)
                case Refused(source, error):
                    self._refused(source, error)
                case Malformed(source, reason):
                    self._quiet.say(f"{source.host} sent what is not OSC: {reason}")

    def _heard(self, heard: Heard) -> None:
        sequence = 0
        if heard.commands:
            receipt = self._inbox.post(heard.commands, Origin(heard.rank, heard.source.host))
            sequence = receipt.sequence
            if receipt.refused:
                error = CommandRefused("full", f"{len(receipt.refused)} triggers too many; the queue holds 256")
                self._refused(heard.source, error)
        if heard.beliefs:
            self._feedback.believe(heard.source, heard.beliefs, sequence)

    def _asked(self, asked: Asked) -> None:
        now_ns = self._clock.now_ns()
        if not isinstance(asked.request, Subscribe):
            self._send(self._feedback.answer(asked.source, asked.address, asked.request, now_ns))
            return
        try:
            own = Endpoint(asked.source.host, asked.request.port) == self.endpoint
            if own and not isinstance(asked.source, StreamPeer):
                raise CommandRefused("loop", f"{self.endpoint} is where the show itself listens")
            self._feedback.subscribe(asked.source, asked.request, now_ns)
            self._speak()  # a newcomer is told at once
        except CommandRefused as error:
            self._refused(asked.source, error)

    def _refused(self, source: Source, error: CommandRefused) -> None:
        if isinstance(source, StreamPeer):
            self._send(self._feedback.complain(source, error, self._clock.now_ns()))
        else:
            self._feedback.refuse(source.host, error, self._clock.now_ns())
        self._quiet.say(lambda: f"{source.host} was refused: {error}")

    def _feedback_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._guarded(self._speak)
        loop.call_later(FEEDBACK_S if self._feedback.peers else IDLE_S, self._feedback_tick, loop)

    def _sensor_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._guarded(lambda: self._act(self._receiver.moved(self._clock.now_ns())))
        loop.call_later(SENSOR_S, self._sensor_tick, loop)

    def _speak(self) -> None:
        self._send(self._feedback.due(self._clock.now_ns(), self._board.read()))

    def _send(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            packet = build_message(message.address, message.arguments)
            if isinstance(message.peer, StreamPeer):
                self._streams.send(message.peer, packet)
            else:
                self._sender.send(message.peer, packet)

    def _desk_says(self, text: str) -> None:
        log.info("OSC: %s", printable(text))
        self._feedback.announce(Event("desk", (text,)))

    def _guarded(self, call: Callable[[], None]) -> None:
        """Nothing a stranger sends, and no fault of ours, ends this thread."""
        try:
            call()
        except Exception:
            self._faults += 1
            if self._faults <= 10:
                log.exception("control: a fault of Afterimage itself; the show goes on")


class _QuietLog:
    """At most one line in ten seconds, with the number of those that were not said."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_ns: int | None = None
        self._unsaid = 0

    def say(self, text: str | Callable[[], str]) -> None:
        now_ns = self._clock.now_ns()
        if self._said_ns is not None and now_ns - self._said_ns < LOG_NS:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more like it)" if self._unsaid else ""
        log.warning("OSC: %s%s", printable(text if isinstance(text, str) else text()), more)
        self._said_ns, self._unsaid = now_ns, 0
