"""What the show says back, without sockets or clocks: values on their own addresses, status once a second, events.

A peer is told of a value when it differs from what the peer takes it for: what it was told last, or what it sent
itself. So a desk is never echoed, a clamped or refused value comes back corrected, and feedback sent round in a circle
settles at once. What a peer sent is only compared once the show has applied it (`Snapshot.applied`).

Who subscribes hears everything; who listens (OSCQuery), only of the addresses it named.

Places and triggers have no feedback: `/position` sent back to us would seek, `/scene/x` would start a scene.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from installation.control.buckets import Rates, TokenBuckets
from installation.control.methods.addresses import AddressSpace, Target, UnknownAddress
from installation.control.methods.table import Method, Ping, Said, Subscribe
from installation.control.osc.messages import Sayable
from installation.control.osc.packets import Argument
from installation.control.receiver import Belief
from installation.control.settings import Endpoint, Source, StreamPeer
from installation.errors import CommandRefused
from installation.show.status import Snapshot

SECOND_NS = 1_000_000_000
VALUE_PERIOD_NS = SECOND_NS // 30  # between two messages on one address to one peer
MAX_SUBSCRIBERS = 32
MAX_OF_ONE_HOST = 16  # a program that asks from another port each time leaves places for others
MAX_LISTENERS = 32
MAX_EVENTS = 256  # waiting
TOLD_CHANGES = ("state", "scene", "film", "mode", "health")  # of the snapshot, each an event of that name
ECHO_NS = SECOND_NS * 3 // 10  # what comes back from a device, or from a tablet over a busy wireless network
MAX_TOLD = 10  # values of one address that one peer is told meanwhile
SAME = 1e-4  # values closer than this are one: float32 and 1/65535 round
_REPLIES = Rates(per_source=50, burst=50, overall=500, sources=64)  # refusals and pongs, a second


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `/ai/event/<name>` and its arguments. With a `host`, only that one is told."""

    name: str
    arguments: tuple[Sayable, ...] = ()
    host: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one peer."""

    peer: Source
    address: str
    arguments: tuple[Sayable, ...]


@dataclass(slots=True)
class _Peer:
    """What one peer knows. `speaks_from`: its own messages come from this port; 0 is any port of its host.

    It hears everything until `until_ns` (None: always), and of what it `listens` to for as long as it is there.
    """

    endpoint: Source
    speaks_from: int
    until_ns: int | None = None
    listens: set[str] = field(default_factory=set)
    known: dict[str, Argument] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)  # sequence number of what it sent itself
    told: dict[str, deque[tuple[Said, int]]] = field(default_factory=dict)  # values and when, the newest last
    status_ns: int | None = None

    def spoke(self, source: Source) -> bool:
        if isinstance(self.endpoint, StreamPeer):
            return source == self.endpoint
        return source.host == self.endpoint.host and self.speaks_from in (0, source.port)

    def hears_all(self, now_ns: int) -> bool:
        return self.until_ns is None or now_ns < self.until_ns

    def is_news(self, address: str, value: Said, period_ns: int, now_ns: int) -> bool:
        """Whether to tell it now, not sooner than `period_ns` after the last time. If so, it counts as told."""
        if address in self.known and _same(self.known[address], value):
            return False
        told = self.told.setdefault(address, deque(maxlen=MAX_TOLD))
        if told and now_ns - told[-1][1] < period_ns:
            return False
        self.known[address] = value
        told.append((value, now_ns))
        return True

    def was_told(self, belief: Belief, now_ns: int) -> bool:
        """Whether it has what it believes from us, of a moment ago."""
        told = self.told.get(belief.address, ())
        return any(now_ns - told_ns < ECHO_NS and _same(belief.value, value) for value, told_ns in told)


class Feedback:
    """Everyone who is told, and what they know. One thread at a time."""

    def __init__(
        self, space: AddressSpace, configured: Sequence[Endpoint] = (), percent: frozenset[str] = frozenset()
    ) -> None:
        self._root = space.root
        self._percent = percent
        self._addresses = frozenset(target.address for target in space.targets)
        self._readers = [(target, target.method.feedback) for target in space.targets if target.method.feedback]
        self._statuses = [(target.address, target.method.status) for target in space.targets if target.method.status]
        self._peers: dict[Source, _Peer] = {peer: _Peer(peer, _speaking_port(peer, configured)) for peer in configured}
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._replies = TokenBuckets(_REPLIES)
        self._last: Snapshot | None = None

    @property
    def peers(self) -> tuple[Source, ...]:
        """Everyone who is told now."""
        return tuple(self._peers)

    def subscribe(self, source: Source, request: Subscribe, now_ns: int) -> None:
        """Tell `request.port` of the sender, and nobody else's, for a while. Raises CommandRefused when full.

        Who asks over TCP is told on the same connection, whatever the port.
        """
        endpoint = source if isinstance(source, StreamPeer) else Endpoint(source.host, request.port)
        peer = self._peers.get(endpoint)
        if peer is not None and peer.until_ns is None:
            return  # in the show: always told
        if peer is None or not peer.hears_all(now_ns):
            hosts = [
                other.endpoint.host for other in self._peers.values() if other.until_ns and other.hears_all(now_ns)
            ]
            if request.seconds > 0 and len(hosts) >= MAX_SUBSCRIBERS:
                raise CommandRefused("full", f"{MAX_SUBSCRIBERS} subscribers already; wait until one ends")
            if request.seconds > 0 and hosts.count(source.host) >= MAX_OF_ONE_HOST:
                raise CommandRefused(
                    "full", f"{MAX_OF_ONE_HOST} subscribers of {source.host} already; wait until one ends"
                )
        if peer is None:
            peer = self._peers[endpoint] = _Peer(endpoint, source.port)
        peer.speaks_from = source.port
        peer.until_ns = now_ns + int(request.seconds * SECOND_NS)
        self._forget_silent(now_ns)

    def listen(self, source: StreamPeer, address: str) -> None:
        """Tell this connection of one address too. Raises CommandRefused."""
        if address not in self._addresses:
            raise UnknownAddress(address, self._root)
        peer = self._peers.get(source)
        if peer is None:
            if sum(bool(other.listens) for other in self._peers.values()) >= MAX_LISTENERS:
                raise CommandRefused("full", f"{MAX_LISTENERS} listeners already; wait until one leaves")
            peer = self._peers[source] = _Peer(source, source.port, until_ns=0)
        peer.listens.add(address)

    def ignore(self, source: StreamPeer, address: str) -> None:
        """No more of that address."""
        peer = self._peers.get(source)
        if peer is not None:
            peer.listens.discard(address)
            peer.known.pop(address, None)  # told anew, should it listen again

    def forget(self, peer: StreamPeer) -> None:
        """A connection is gone."""
        self._peers.pop(peer, None)

    def _forget_silent(self, now_ns: int) -> None:
        """Whoever hears nothing any more."""
        self._peers = {
            endpoint: peer for endpoint, peer in self._peers.items() if peer.hears_all(now_ns) or peer.listens
        }

    def believe(self, source: Source, beliefs: Sequence[Belief], sequence: int) -> None:
        """Remember what a sender now takes values for; `sequence` is the number its commands were posted with."""
        for peer in self._peers.values():
            if not peer.spoke(source):
                continue
            for belief in beliefs:
                peer.known[belief.address] = belief.value
                peer.pending[belief.address] = sequence

    def is_echo(self, source: Source, belief: Belief, now_ns: int) -> bool:
        """Whether a sender only says what it was told a moment ago: a device that sends back what it hears. Taken for
        wishes, the echoes of two such devices could chase each other for ever.
        """
        return any(peer.spoke(source) and peer.was_told(belief, now_ns) for peer in self._peers.values())

    def answer(self, source: Source, address: str, ping: Ping, now_ns: int) -> list[Outgoing]:
        """A ping comes back to the peers on the sender's host, or on its connection.

        Strangers get no answer to a datagram: its source may be forged.
        """
        arguments = tuple(
            argument for argument in ping.arguments if isinstance(argument, Sayable) and argument != b""
        )  # python-osc builds no empty blobs
        return [
            Outgoing(peer, address, arguments)
            for peer in self._listeners(source)
            if self._replies.take(peer, 1, now_ns)
        ]

    def _listeners(self, source: Source) -> list[Source]:
        if isinstance(source, StreamPeer):
            return [source]
        return [peer for peer in self._peers if peer.host == source.host and not isinstance(peer, StreamPeer)]

    def announce(self, event: Event) -> None:
        """Say it with the next `due`. When too much happens, the oldest are forgotten."""
        self._events.append(event)

    def refuse(self, host: str, error: CommandRefused, now_ns: int) -> None:
        """Tell a sender why it was not obeyed, if it is somebody we talk to and has not been told too much."""
        listening = any(peer.host == host for peer in self._peers)
        if listening and self._replies.take(host, 1, now_ns):
            self.announce(Event("error", (error.code, str(error)), host))

    def complain(self, peer: StreamPeer, error: CommandRefused, now_ns: int) -> list[Outgoing]:
        """The same for who asked over TCP: on its connection, and on no other."""
        if not self._replies.take(peer, 1, now_ns):
            return []
        return [Outgoing(peer, f"{self._root}/event/error", (error.code, str(error)))]

    def due(self, now_ns: int, snapshot: Snapshot) -> list[Outgoing]:
        """Everything to say at this moment."""
        self._forget_silent(now_ns)
        events = [*self._events, *_changes(self._last, snapshot)]
        self._events.clear()
        self._last = snapshot
        values = [(target, read(snapshot, target.id)) for target, read in self._readers]
        statuses = [(address, read(snapshot)) for address, read in self._statuses]
        outgoing: list[Outgoing] = []
        for peer in self._peers.values():
            outgoing += self._values(peer, values, snapshot.applied, now_ns)
            outgoing += self._happened(peer, events, now_ns)
            outgoing += self._status(peer, statuses, now_ns)
        return outgoing

    def _values(
        self, peer: _Peer, values: Sequence[tuple[Target, Said]], applied: int, now_ns: int
    ) -> Iterator[Outgoing]:
        percent = peer.endpoint.host in self._percent
        everything = peer.hears_all(now_ns)
        for target, value in values:
            address = target.address
            listens = address in peer.listens
            if not (everything or listens) or peer.pending.get(address, 0) > applied:
                continue
            if peer.is_news(address, value, VALUE_PERIOD_NS, now_ns):
                said = value if listens else _plain(value)
                yield Outgoing(peer.endpoint, address, (_scaled(said, target.method) if percent else said,))

    def _happened(self, peer: _Peer, events: Sequence[Event], now_ns: int) -> Iterator[Outgoing]:
        everything = peer.hears_all(now_ns)
        for event in events:
            address = f"{self._root}/event/{event.name}"
            if event.host in ("", peer.endpoint.host) and (everything or address in peer.listens):
                yield Outgoing(peer.endpoint, address, event.arguments)

    def _status(self, peer: _Peer, statuses: Sequence[tuple[str, Said]], now_ns: int) -> Iterator[Outgoing]:
        """All of it once a second, to who hears everything; on change, to who listens. Numbers flow: once a second."""
        everything = peer.hears_all(now_ns) and (peer.status_ns is None or now_ns - peer.status_ns >= SECOND_NS)
        if everything:
            peer.status_ns = now_ns
        for address, value in statuses:
            period_ns = SECOND_NS if isinstance(value, float) else VALUE_PERIOD_NS
            if everything or (address in peer.listens and peer.is_news(address, value, period_ns, now_ns)):
                yield Outgoing(peer.endpoint, address, (value,))


def _speaking_port(peer: Endpoint, configured: Sequence[Endpoint]) -> int:
    """The port a configured peer is known by, or 0 where its host is enough.

    Desks send from any port, so their host tells who they are. Not so where several programs share a host: there, what
    one sends the others must hear.
    """
    shared = sum(other.host == peer.host for other in configured) > 1
    return peer.port if shared or ip_address(peer.host).is_loopback else 0


def _same(believed: Argument, value: Said) -> bool:
    if isinstance(value, str) or not isinstance(believed, int | float):
        return believed == value
    return abs(believed - value) <= SAME  # False for NaN


def _plain(value: Said) -> Said:
    """Desks and surfaces want numbers: a latch is 1 or 0. Who listens has read in the tree that it is T or F."""
    return int(value) if isinstance(value, bool) else value


def _scaled(value: Said, method: Method) -> Said:
    return value * 100 if method.is_level and isinstance(value, float) else value


def _changes(before: Snapshot | None, now: Snapshot) -> Iterator[Event]:
    """What happened between two snapshots."""
    if before is None:
        return
    for name in TOLD_CHANGES:
        value: str = getattr(now, name)
        if value != getattr(before, name):
            yield Event(name, (str(value),))
