"""Where every way in meets: packets and typed lines become commands, what the show says goes out to whoever asked.

OSC over UDP and TCP, OSCQuery, the page and DMX share one address space, one allow-list, one trigger gate and one
inbox, so that a scene started twice within 100 ms starts once, whoever says it. Everything here runs on the control
thread's loop and returns at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from installation.clock import SECOND_NS, Clock
from installation.control.feedback import Event, Feedback, Outgoing
from installation.control.inbox import Inbox, Receipt
from installation.control.methods.addresses import AddressSpace, read_line
from installation.control.methods.gestures import Strike
from installation.control.methods.names import Names
from installation.control.methods.table import Subscribe
from installation.control.methods.triggers import TriggerGate, Verdict
from installation.control.network.sockets import FeedbackSender
from installation.control.osc.messages import build_message
from installation.control.quietlog import QuietLog, log
from installation.control.receiver import Asked, Heard, Malformed, Outcome, Receiver, ReceiverCounts, Refused
from installation.control.settings import ControlSettings, Endpoint, Source, StreamPeer
from installation.control.whom import AllowList
from installation.errors import CommandRefused
from installation.show.commands import Command, Origin, Posted, Rank
from installation.show.roles import Role
from installation.show.status import StatusBoard

LOGGED_FAULTS = 10
NEWCOMER = 16_384  # bytes: to be told everything at once is paid for as if one had sent so much
SOON_S = 1 / 60  # so that what comes together is answered together

Carrier = Callable[[bytes], None]  # takes one packet to one peer, and never waits


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who types lines: what to call them ("page 192.168.10.7"), and what they may do."""

    name: str
    role: Role


class Watcher(Protocol):
    """Told of everything that happens, on the loop. Must return at once."""

    def happened(self, event: Event) -> None:
        """Something was announced."""

    def refused(self, posted: Posted, error: CommandRefused) -> None:
        """The show did not obey a command."""

    def denied(self, who: str, error: CommandRefused) -> None:
        """What somebody sent never reached the show. In a flood this is often: the text of `error` costs time."""


class Guest(Protocol):
    """A further way in or out that lives on the control thread's loop."""

    async def close(self) -> None:
        """End it, and give its ports back."""


class Hub:
    """One show's switchboard. `overhear` is offered every packet; `stream` sends over TCP."""

    def __init__(
        self,
        settings: ControlSettings,
        names: Names,
        inbox: Inbox,
        board: StatusBoard,
        clock: Clock,
        overhear: Callable[[bytes, Source], None],
        stream: Callable[[StreamPeer, bytes], None],
    ) -> None:
        self.space = AddressSpace(names, settings.root)
        self.allowed = AllowList(settings.listen, settings.allow)
        self.percent = settings.percent  # hosts that count levels 0-100
        self.feedback = Feedback(self.space, settings.feedback, settings.percent)
        self.board = board
        self.clock = clock
        self.own: Endpoint | None = None  # where OSC is listened for
        self.serials: Iterator[int] = count(1)  # of connections, whatever carries them
        self.strangers = 0  # packets and connections from addresses that are not allowed
        self.dropped = 0  # what guests never looked at: there was too much
        self.faults = 0  # exceptions of our own, caught
        self._inbox = inbox
        self._overhear = overhear
        self._stream = stream
        self._sender = FeedbackSender()
        self._gate = TriggerGate()
        self._receiver = Receiver(
            self.space,
            settings.percent,
            rules=settings.rules,
            gate=self._gate,
            role_of=self.allowed.role,
            is_echo=self.feedback.is_echo,
        )
        self._carriers: dict[StreamPeer, Carrier] = {}
        self._watchers: list[Watcher] = []
        self._quiet = QuietLog(clock, "OSC")
        self._quiet_strangers = QuietLog(clock, "control")

    # ---- Who may

    def admits(self, host: str) -> bool:
        """Whether an address may speak here at all. A stranger is counted, and named in the log now and then."""
        admitted = self.allowed.admits(host)
        if not admitted:
            self.strangers += 1
            self._quiet_strangers.say(f"something from {host}, which is not allowed to speak here (control.allow)")
        return admitted

    def affords(self, source: Source, size: int) -> bool:
        """Whether so many bytes of this source would be looked at now."""
        return self._receiver.affords(source, size, self.clock.now_ns())

    def charge(self, source: Source, size: int) -> None:
        """Let a source pay for so many bytes that were not OSC."""
        self._receiver.charge(source, size)

    # ---- In

    def receive(self, packet: bytes, source: Source) -> None:
        """One OSC packet of somebody who is admitted."""
        self._overhear(packet, source)
        before = self._receiver.next_due_ns
        now_ns = self.clock.now_ns()
        self._act(self._receiver.feed(packet, source, now_ns, self.clock.wall_ns()))
        if self._receiver.next_due_ns not in (None, before):
            self._wake_for_bundles(now_ns)

    def obey(self, line: str, speaker: Speaker) -> int:
        """What somebody typed, or a button says: "scene/visit", "brightness 0.2 3". Raises CommandRefused.

        Returns the sequence number it was posted with. Triggers pass the same gate as those of desks: one that came
        already counts once, and is no error; its number is 0.
        """
        order = read_line(line, self.space, speaker.role)
        if order.method.strike is not None:
            now_ns = self.clock.now_ns()
            verdict = self._gate.admit(order.command, order.method, Strike.FIRE, speaker.name, now_ns)
            if verdict is Verdict.LOCKED:
                raise order.method.locked()
            if verdict is not Verdict.FIRE:
                return 0
        receipt = self.post((order.command,), Origin(Rank.OPERATOR, speaker.name))
        if receipt.refused:
            raise _full(receipt)
        return receipt.sequence

    def post(self, commands: Sequence[Command], origin: Origin) -> Receipt:
        """Leave commands for the next tick. Triggers that find the queue full may come again at once."""
        receipt = self._inbox.post(commands, origin)
        for refused in receipt.refused:
            self._gate.forget(refused, origin.name)
        return receipt

    def sense(self) -> None:
        """What time makes of the sensors in the map."""
        self._act(self._receiver.moved(self.clock.now_ns()))

    @property
    def has_sensors(self) -> bool:
        """Whether `sense` ever does anything."""
        return self._receiver.needs_time

    # ---- Out

    def speak(self) -> None:
        """Tell everybody what is new to them."""
        self._send(self.feedback.due(self.clock.now_ns(), self.board.read()))

    def announce(self, event: Event) -> None:
        """Something happened."""
        self.feedback.announce(event)
        for watcher in tuple(self._watchers):
            self.guarded(lambda told=watcher: told.happened(event))  # type: ignore[misc]

    def refuse(self, posted: Posted, error: CommandRefused) -> None:
        """The show did not obey: tell whoever asked."""
        self.feedback.refuse(posted.origin.name, error, self.clock.now_ns())
        for watcher in tuple(self._watchers):
            self.guarded(lambda told=watcher: told.refused(posted, error))  # type: ignore[misc]

    def deny(self, source: Source, error: CommandRefused) -> None:
        """What came from a source was not obeyed: say why, to it alone."""
        if isinstance(source, StreamPeer):
            self._send(self.feedback.complain(source, error, self.clock.now_ns()))
        else:
            self.feedback.refuse(source.host, error, self.clock.now_ns())
        self.complain(lambda: f"{source.host} was refused: {error}")
        for watcher in tuple(self._watchers):
            self.guarded(lambda told=watcher: told.denied(source.host, error))  # type: ignore[misc]

    def watch(self, watcher: Watcher) -> None:
        """Tell this one too, from now on."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """No more."""
        with suppress(ValueError):
            self._watchers.remove(watcher)

    def connect(self, host: str, port: int, carrier: Carrier) -> StreamPeer:
        """A new peer whose packets come and go by other means than our TCP, such as a WebSocket."""
        peer = StreamPeer(host, port, next(self.serials))
        self._carriers[peer] = carrier
        return peer

    def listen(self, peer: StreamPeer, address: str) -> None:
        """Tell that peer of one address, from now on. Raises CommandRefused."""
        alone = not self.feedback.peers
        self.feedback.listen(peer, address)
        if alone:  # nobody was told anything until now: do not let it wait for the next round
            asyncio.get_running_loop().call_later(SOON_S, self.guarded, self.speak)

    def disconnect(self, peer: StreamPeer) -> None:
        """That peer is gone."""
        self._carriers.pop(peer, None)
        self.feedback.forget(peer)

    # ---- The rest

    def complain(self, text: str | Callable[[], str]) -> None:
        """Log what a peer did wrong, now and then."""
        self._quiet.say(text)

    def guarded(self, call: Callable[[], None]) -> None:
        """Nothing a stranger sends, and no fault of ours, ends this thread."""
        try:
            call()
        except Exception:
            self.fault()

    def fault(self) -> None:
        """Count the exception being handled, which is our own; the first few are logged."""
        self.faults += 1
        if self.faults <= LOGGED_FAULTS:
            log.exception("control: a fault of Afterimage itself; the show goes on")

    @property
    def unheard(self) -> int:
        """Packets that nobody looked at: strangers', and those beyond the rate of their senders."""
        return self.strangers + self._receiver.counts.over_rate

    def received(self) -> ReceiverCounts:
        """What came in and what became of it. From any thread."""
        return replace(self._receiver.counts)

    @property
    def unsent(self) -> int:
        """Feedback that the network did not take."""
        return self._sender.dropped

    def close(self) -> None:
        """Close what it speaks from."""
        self._sender.close()

    def _wake_for_bundles(self, now_ns: int) -> None:
        due_ns = self._receiver.next_due_ns
        if due_ns is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(max(0, due_ns - now_ns) / SECOND_NS, self.guarded, self._bundles_due)

    def _bundles_due(self) -> None:
        now_ns = self.clock.now_ns()
        self._act(self._receiver.due(now_ns))
        self._wake_for_bundles(now_ns)

    def _act(self, outcomes: Sequence[Outcome]) -> None:
        """Carry out what the receiver made of a packet."""
        for outcome in outcomes:
            match outcome:
                case Heard():
                    self._heard(outcome)
                case Asked():
                    self._asked(outcome)
                case Refused(source, error):
                    self.deny(source, error)
                case Malformed(source, reason):
                    self.complain(f"{source.host} sent what is not OSC: {reason}")

    def _heard(self, heard: Heard) -> None:
        sequence = 0
        if heard.commands:
            receipt = self.post(heard.commands, Origin(heard.rank, heard.source.host))
            sequence = receipt.sequence
            if receipt.refused:
                self.deny(heard.source, _full(receipt))
        if heard.beliefs:
            self.feedback.believe(heard.source, heard.beliefs, sequence)

    def _asked(self, asked: Asked) -> None:
        now_ns = self.clock.now_ns()
        if not isinstance(asked.request, Subscribe):
            self._send(self.feedback.answer(asked.source, asked.address, asked.request, now_ns))
            return
        try:
            own = Endpoint(asked.source.host, asked.request.port) == self.own
            if own and not isinstance(asked.source, StreamPeer):
                raise CommandRefused("loop", f"{self.own} is where the show itself listens")
            self.feedback.subscribe(asked.source, asked.request, now_ns)
            self.charge(asked.source, NEWCOMER)
            self.speak()  # a newcomer is told at once
        except CommandRefused as error:
            self.deny(asked.source, error)

    def _send(self, messages: Sequence[Outgoing]) -> None:
        built: dict[tuple[object, ...], bytes] = {}  # what ten peers are told is made once
        for message in messages:
            said = (message.address, message.arguments, *map(type, message.arguments))  # 1 is 1.0, but not in OSC
            packet = built.get(said)
            if packet is None:
                packet = built[said] = build_message(message.address, message.arguments)
            if not isinstance(message.peer, StreamPeer):
                self._sender.send(message.peer, packet)
            elif message.peer in self._carriers:
                self._carriers[message.peer](packet)
            else:
                self._stream(message.peer, packet)


Opening = Callable[[Hub], Awaitable[Guest]]  # raises UnavailableError, with what to do: the show goes on without


def _full(receipt: Receipt) -> CommandRefused:
    return CommandRefused("full", f"{len(receipt.refused)} triggers too many; the queue holds 256")
