"""From datagrams to commands, without sockets or clocks: `feed` what came, ask `due` what time makes of it.

Each step is cheap and bounded, whatever arrives: pay from a token bucket, read strictly, let the universe decide whose
levels count, ask the personality what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from installation.control.buckets import Rates, TokenBuckets
from installation.control.dmx.artnet import ArtDmx, ArtPoll, Node, PortState, build_poll_reply, parse_artnet
from installation.control.dmx.e131 import DataPacket, parse_e131
from installation.control.dmx.frames import DmxError, Frame
from installation.control.dmx.personality import OnLoss, Personality, Said, fields
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.control.dmx.universe import Look, Universe, Verdict
from installation.control.settings import Endpoint

NODE_NAME = "Afterimage"
_FRAMES = Rates(per_source=4000, overall=8000)  # of all universes that one desk broadcasts, 44 a second each
_REPLIES = Rates(per_source=4, burst=8, overall=32)  # to ArtPoll, which desks send every 2.5 to 3 s
_AFTER_LOSS = {OnLoss.HOLD: "the last look stays", OnLoss.RELEASE: "masters go back", OnLoss.BLACK: "black"}


@dataclass(frozen=True, slots=True)
class Malformed:
    """A datagram that was not the protocol."""

    source: Endpoint
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something for people: a first source came, the last one went."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A datagram to send, to the protocol's own port."""

    host: str
    data: bytes


Outcome = Said | Malformed | Notice | Reply


@dataclass(slots=True)
class DmxCounts:
    """What came in and what became of it, since the start."""

    datagrams: int = 0
    over_rate: int = 0
    malformed: int = 0
    foreign: int = 0  # other universes, and packets that set no levels
    frames: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))


class DmxReceiver:
    """Listens to every source of one universe. One thread at a time."""

    def __init__(self, settings: DmxSettings, rates: Rates | None = None) -> None:
        self.counts = DmxCounts()
        self._settings = settings
        self._buckets = TokenBuckets(rates or _FRAMES)
        self._replies = TokenBuckets(_REPLIES)
        self._replied = 0
        self._universe = Universe(fields(settings.address), settings.protocol.limits)
        self._look: Look | None = None
        self._personality = Personality({"film": settings.films, "scene": settings.scenes})
        self._read = _READERS[settings.protocol]

    @property
    def names(self) -> tuple[str, ...]:
        """Who sends now."""
        return self._universe.names

    @property
    def next_due_ns(self) -> int | None:
        """When `due` next has something to do, if nothing comes before."""
        waiting = (self._universe.next_due_ns, self._personality.next_due_ns)
        return min((due_ns for due_ns in waiting if due_ns is not None), default=None)

    def feed(self, data: bytes, source: Endpoint, now_ns: int) -> list[Outcome]:
        """What one datagram means, of somebody who is allowed to speak."""
        self.counts.datagrams += 1
        if not self._buckets.take(source.host, 1, now_ns):
            self.counts.over_rate += 1
            return []
        try:
            read = self._read(data, source.host)
        except DmxError as error:
            self.counts.malformed += 1
            return [Malformed(source, str(error))]
        if isinstance(read, Frame) and read.universe == self._settings.universe:
            return self._frame(read, now_ns)
        if isinstance(read, ArtPoll):
            return self._answer(read, source.host, now_ns)
        self.counts.foreign += 1
        return []

    def due(self, now_ns: int) -> list[Outcome]:
        """What time makes of it: choices settle, silent sources go."""
        self._universe.due(now_ns)
        return [*self._personality.due(now_ns), *self._news(now_ns)]

    def _frame(self, frame: Frame, now_ns: int) -> list[Outcome]:
        self.counts.frames[self._universe.feed(frame, now_ns)] += 1
        return self._news(now_ns)

    def _news(self, now_ns: int) -> list[Outcome]:
        """What the universe as it is now asks for, if that is another look than before."""
        before, self._look = self._look, self._universe.look
        if self._look is before:
            return []
        number, on_loss = self._settings.universe, self._settings.on_loss
        if self._look is not None:
            came = [] if before else [Notice(f'"{self._look.names[0]}" sends universe {number}')]
            return [*came, *self._personality.feed(self._look, now_ns)]
        last = before.names[0] if before else ""
        gone = Notice(f'"{last}" went, and nobody sends universe {number}; {_AFTER_LOSS[on_loss]}')
        return [gone, *self._personality.lost(on_loss)]

    def _answer(self, poll: ArtPoll, host: str, now_ns: int) -> list[Outcome]:
        asked = poll.bottom <= self._settings.universe <= poll.top
        if not asked or not self._replies.take(host, 1, now_ns):
            return []
        self._replied += 1
        node = Node(self._settings.listen, self._settings.universe, NODE_NAME)
        state = PortState(bool(self.names), len(self.names) > 1, self._replied)
        return [Reply(host, build_poll_reply(node, state))]


def _read_sacn(data: bytes, host: str) -> Frame | ArtPoll | None:
    packet = parse_e131(data)
    return packet.frame if isinstance(packet, DataPacket) else None


def _read_artnet(data: bytes, host: str) -> Frame | ArtPoll | None:
    packet = parse_artnet(data)
    if isinstance(packet, ArtDmx):
        return packet.frame(host)
    return packet if isinstance(packet, ArtPoll) else None


_READERS = {Protocol.SACN: _read_sacn, Protocol.ARTNET: _read_artnet}
