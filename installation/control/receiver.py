"""From datagrams to commands, without sockets or clocks: `feed` what came, ask `due` what was waiting for its time.

Each step is cheap, bounded and harmless whatever arrives: pay from a token bucket, decode strictly, look the address up
(or expand a pattern), read the arguments by the rules of the method, pass triggers through the gate. The messages of
one bundle stay together.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from installation.control.buckets import Rates, TokenBuckets
from installation.control.mapping.mapping import Mapping, Unheard, Wish
from installation.control.mapping.rules import MapRule
from installation.control.methods.addresses import AddressSpace, Target
from installation.control.methods.gestures import Strike
from installation.control.methods.table import Call, Method, Ping, Subscribe
from installation.control.methods.triggers import TriggerGate, Verdict
from installation.control.osc.packets import Argument, Bundle, Message, OscError, Packet, decode_packet, unix_ns
from installation.control.osc.patterns import is_pattern
from installation.control.settings import Source
from installation.errors import CommandRefused
from installation.show.commands import Command, Lane, Rank
from installation.show.roles import Role

HORIZON_NS = 10_000_000_000  # a bundle further in the future is a mistake
MAX_WAITING = 256  # bundles
MAX_WAITING_MESSAGES = 2048  # they may all be due at one moment: some 25 ms of work
MAX_PATTERN = 128  # characters
BYTES_PER_TOKEN = 256
STEPS_PER_TOKEN = 20


@dataclass(frozen=True, slots=True)
class Belief:
    """What a sender now takes for the value at an address."""

    address: str
    value: Argument


@dataclass(frozen=True, slots=True)
class Heard:
    """Commands that belong in one tick; empty when values were refused, whose beliefs then are wrong."""

    source: Source
    commands: tuple[Command, ...]
    beliefs: tuple[Belief, ...] = ()
    rank: Rank = Rank.OPERATOR


@dataclass(frozen=True, slots=True)
class Asked:
    """Something for the one who answers, not for the show."""

    source: Source
    address: str
    request: Ping | Subscribe


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was understood and not obeyed."""

    source: Source
    error: CommandRefused


@dataclass(frozen=True, slots=True)
class Malformed:
    """A datagram that was not OSC."""

    source: Source
    reason: str


Outcome = Heard | Asked | Refused | Malformed


IsEcho = Callable[[Source, Belief, int], bool]  # whether a sender was told that itself, a moment before `now_ns`


@dataclass(slots=True)
class ReceiverCounts:
    """What came in and what became of it, since the start."""

    datagrams: int = 0
    over_rate: int = 0
    malformed: int = 0
    foreign: int = 0  # messages to addresses that are not ours, and not in the map
    mapped: int = 0
    refused: int = 0
    duplicates: int = 0
    echoes: int = 0  # what the show said itself, sent back
    beyond_horizon: int = 0


@dataclass(order=True, slots=True)
class _Waiting:
    due_ns: int
    serial: int
    messages: list[Message] = field(compare=False)
    source: Source = field(compare=False)


class Receiver:
    """Listens to everybody. One thread at a time."""

    def __init__(
        self,
        space: AddressSpace,
        percent: frozenset[str] = frozenset(),
        rates: Rates | None = None,
        rules: Sequence[MapRule] = (),
        gate: TriggerGate | None = None,
        role_of: Callable[[str], Role | None] = lambda host: Role.MAINTAIN,
        is_echo: IsEcho = lambda source, belief, now_ns: False,
    ) -> None:
        self.counts = ReceiverCounts()
        self._space = space
        self._percent = percent
        self._buckets = TokenBuckets(rates or Rates())
        self._gate = gate or TriggerGate()
        self._role_of = role_of
        self._is_echo = is_echo
        self._mapping = Mapping(rules, space)
        self._waiting: list[_Waiting] = []
        self._waiting_messages = 0
        self._serial = 0

    def feed(self, data: bytes, source: Source, now_ns: int, wall_ns: int | None = None) -> list[Outcome]:
        """What one datagram means. `wall_ns` is what time tags are compared with; left out, it is `now_ns`."""
        self.counts.datagrams += 1
        if not self._buckets.take(source, _cost(len(data)), now_ns):
            self.counts.over_rate += 1
            return []
        try:
            packet = decode_packet(data)
        except OscError as error:
            self.counts.malformed += 1
            return [Malformed(source, str(error))]
        if isinstance(packet, Message):
            return self._messages([packet], source, now_ns)
        return self._bundle(packet, source, now_ns, now_ns if wall_ns is None else wall_ns)

    def affords(self, source: Source, size: int, now_ns: int) -> bool:
        """Whether so many bytes would be looked at now. A source that can be made to wait need not lose any."""
        return self._buckets.affords(source, _cost(size), now_ns)

    def charge(self, source: Source, size: int) -> None:
        """Take the price of so many bytes for something else than OSC."""
        self._buckets.charge(source, _cost(size))

    def due(self, now_ns: int) -> list[Outcome]:
        """What the bundles mean whose time has come."""
        outcomes: list[Outcome] = []
        while self._waiting and self._waiting[0].due_ns <= now_ns:
            waiting = heapq.heappop(self._waiting)
            self._waiting_messages -= len(waiting.messages)
            outcomes += self._messages(waiting.messages, waiting.source, now_ns)
        return outcomes

    @property
    def needs_time(self) -> bool:
        """Whether `moved` ever has something to say."""
        return self._mapping.needs_time

    def moved(self, now_ns: int) -> list[Outcome]:
        """What time makes of the sensors in the map: ask many times a second."""
        outcomes = [self._wished(wish, now_ns) for wish in self._mapping.due(now_ns)]
        return [outcome for outcome in outcomes if outcome is not None]

    @property
    def next_due_ns(self) -> int | None:
        """When the next waiting bundle is due."""
        return self._waiting[0].due_ns if self._waiting else None

    def _bundle(self, bundle: Bundle, source: Source, now_ns: int, wall_ns: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        groups: dict[int, list[Message]] = {}
        for ahead_ns, message in _timed(bundle, wall_ns, 0):
            groups.setdefault(ahead_ns, []).append(message)
        self._buckets.charge(source, sum(map(len, groups.values())))
        for ahead_ns, messages in groups.items():
            if ahead_ns == 0:
                outcomes += self._messages(messages, source, now_ns)
            elif ahead_ns > HORIZON_NS or not self._room_for(messages):
                self.counts.beyond_horizon += len(messages)
                outcomes.append(Refused(source, _too_far(ahead_ns)))
            else:
                self._serial += 1
                self._waiting_messages += len(messages)
                heapq.heappush(self._waiting, _Waiting(now_ns + ahead_ns, self._serial, messages, source))
        return outcomes

    def _room_for(self, messages: list[Message]) -> bool:
        """Whether so many more may wait."""
        fits = self._waiting_messages + len(messages) <= MAX_WAITING_MESSAGES
        return fits and len(self._waiting) < MAX_WAITING

    def _messages(self, messages: list[Message], source: Source, now_ns: int) -> list[Outcome]:
        """Messages of one tick."""
        commands: list[Command] = []
        beliefs: list[Belief] = []
        outcomes: list[Outcome] = []
        for message in messages:
            try:
                for wish in self._mapped(message, source, now_ns):
                    mapped = self._wished(wish, now_ns)
                    if isinstance(mapped, Heard) and mapped.rank is Rank.OPERATOR:
                        commands += mapped.commands
                    elif mapped is not None:
                        outcomes.append(mapped)
                for target in self._targets(message, source):
                    outcome = self._call(target, message, source, now_ns, beliefs)
                    if isinstance(outcome, Command):
                        commands.append(outcome)
                    elif outcome is not None:
                        outcomes.append(outcome)
            except CommandRefused as error:
                outcomes.append(self._refuse(source, error))
        if commands or beliefs:
            outcomes.insert(0, Heard(source, tuple(commands), tuple(beliefs)))
        return outcomes

    def _mapped(self, message: Message, source: Source, now_ns: int) -> list[Wish | Unheard]:
        """What the show's map says of a message to somebody else."""
        if message.address in self._space or is_pattern(message.address):
            return []
        wishes = self._mapping.feed(message, source, now_ns)
        if wishes is None:
            self.counts.foreign += 1
            return []
        self.counts.mapped += 1
        self._buckets.charge(source, 1)  # it takes about twice the time of one of ours
        return wishes

    def _wished(self, wish: Wish | Unheard, now_ns: int) -> Heard | Refused | None:
        """What the map made of a message, past the same gate as our own triggers."""
        if isinstance(wish, Unheard):
            return self._refuse(wish.source, wish.error)
        outcome: Command | Refused | None = wish.order.command
        try:
            wish.order.method.demand(self._role(wish.source))
        except CommandRefused as error:
            return self._refuse(wish.source, error)
        if wish.strike is not None:
            outcome = self._trigger(wish.order.command, wish.order.method, wish.strike, wish.source, now_ns)
        return Heard(wish.source, (outcome,), rank=wish.rank) if isinstance(outcome, Command) else outcome

    def _targets(self, message: Message, source: Source) -> tuple[Target, ...]:
        """Where a message goes under our root: to one address, to all that fit its pattern, or nowhere."""
        if not is_pattern(message.address):
            return (self._space.find(message.address),) if message.address in self._space else ()
        targets = self._matches(message.address, source)
        if not targets:
            self.counts.foreign += 1
        return targets

    def _matches(self, pattern: str, source: Source) -> tuple[Target, ...]:
        """The addresses a pattern means. Matching is work: who is in debt waits, even within one bundle."""
        if len(pattern) > MAX_PATTERN or not self._buckets.solvent(source):
            raise CommandRefused("pattern", f"too much to match; at most {MAX_PATTERN} characters, and not so many")
        targets, steps = self._space.expand(pattern)
        self._buckets.charge(source, len(targets) + steps // STEPS_PER_TOKEN)
        return targets

    def _call(
        self, target: Target, message: Message, source: Source, now_ns: int, beliefs: list[Belief]
    ) -> Command | Asked | Refused | None:
        method = target.method
        if method.event:  # to answer what only the show itself says would go round and round
            self.counts.echoes += 1
            return None
        percent, role = source.host in self._percent, self._role(source)
        try:
            method.demand(role)
            request = method.read(Call(target.id, message.arguments, self._space.names, percent, role))
            strike = method.strike(message.arguments) if method.strike else None
        except CommandRefused as error:
            if method.feedback:
                beliefs.append(Belief(target.address, None))
            return self._refuse(source, error)
        if not isinstance(request, Command):
            return Asked(source, target.address, request)
        if method.feedback:
            belief = Belief(target.address, _believed(message, percent and method.is_level))
            beliefs.append(belief)
            if _may_be_echo(method, message) and self._is_echo(source, belief, now_ns):
                self.counts.echoes += 1
                return None
        return request if strike is None else self._trigger(request, method, strike, source, now_ns)

    def _trigger(
        self, command: Command, method: Method, strike: Strike, source: Source, now_ns: int
    ) -> Command | Refused | None:
        match self._gate.admit(command, method, strike, source.host, now_ns):
            case Verdict.FIRE:
                return command
            case Verdict.DUPLICATE:
                self.counts.duplicates += 1
            case Verdict.LOCKED:
                return self._refuse(source, method.locked())
        return None

    def _role(self, source: Source) -> Role:
        """What a sender may do. Who was admitted may see at least."""
        return self._role_of(source.host) or Role.VIEW

    def _refuse(self, source: Source, error: CommandRefused) -> Refused:
        self.counts.refused += 1
        return Refused(source, error)


def _may_be_echo(method: Method, message: Message) -> bool:
    """Whether it looks like feedback. A latch that is switched on is none, ever: blackout is obeyed."""
    if len(message.arguments) != 1:
        return False
    first = message.arguments[0]
    return method.lane is Lane.VALUE or isinstance(first, str) or first == 0


def _cost(size: int) -> int:
    return 1 + size // BYTES_PER_TOKEN


def _timed(packet: Packet, wall_ns: int, ahead_ns: int) -> Iterator[tuple[int, Message]]:
    """Every message with its distance in the future (ns, 0 for now); a nested bundle is never before its parent."""
    if isinstance(packet, Message):
        yield ahead_ns, packet
        return
    ahead_ns = max(ahead_ns, unix_ns(packet.time_tag) - wall_ns)
    for element in packet.elements:
        yield from _timed(element, wall_ns, ahead_ns)


def _too_far(ahead_ns: int) -> CommandRefused:
    allowed = f"at most {HORIZON_NS // 1_000_000_000} s, and {MAX_WAITING} of them (is the sender's clock right?)"
    return CommandRefused("horizon", f"a bundle {ahead_ns / 1e9:.1f} s in the future; {allowed}")


def _believed(message: Message, percent: bool) -> Argument:
    """What a sender of this message sees on its own control; levels in 0-1."""
    first = message.arguments[0] if message.arguments else True
    if percent and isinstance(first, int | float) and not isinstance(first, bool):
        return first / 100.0
    return first
