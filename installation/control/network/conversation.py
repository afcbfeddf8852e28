"""One stream connection, without its socket: the packets it brought, and whether it may stay, who may have how many.

Silence is no offence: a desk may fire one cue a day. What is not waited for is a packet that was begun and does not end
(slow loris); who says nothing gives up the place when somebody else needs it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from installation.control.osc.framing import Framing, Unframer
from installation.control.settings import StreamPeer

SECOND_NS = 1_000_000_000
PACKET_NS = 5 * SECOND_NS  # from a packet's first byte to its last
UNHEARD_NS = 10 * SECOND_NS  # a place is given up by who never said anything
SILENT_NS = 60 * SECOND_NS  # or nothing for so long


@dataclass(frozen=True, slots=True)
class Places:
    """How many connections there may be, from one host and in all."""

    per_host: int = 8
    overall: int = 32


class Conversation:
    """What one connection brought. One thread at a time."""

    def __init__(self, peer: StreamPeer, now_ns: int, framing: Framing | None = None) -> None:
        self.peer = peer
        self.packets: deque[bytes] = deque()  # complete, and not looked at
        self._unframer = Unframer(framing)
        self._heard = False
        self._newest_ns = now_ns
        self._begun_ns: int | None = None

    @property
    def framing(self) -> Framing:
        """How to answer: as it speaks; who has not spoken is spoken to as in OSC 1.0."""
        return self._unframer.framing or Framing.LENGTH

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take what came. Raises FramingError; the connection cannot go on after that."""
        packets = self._unframer.feed(data)
        self.packets += packets
        if packets:
            self._heard = True
            self._newest_ns = now_ns
            self._begun_ns = None
        if not self._unframer.is_inside:
            self._begun_ns = None
        elif self._begun_ns is None:
            self._begun_ns = now_ns

    def is_stuck(self, now_ns: int) -> bool:
        """Whether a packet was begun too long ago."""
        return self._begun_ns is not None and now_ns - self._begun_ns > PACKET_NS

    def silent_ns(self, now_ns: int) -> int:
        """For how long it has kept a place that somebody else could use; 0 when it has a right to it."""
        silent = now_ns - self._newest_ns
        return silent if silent > (SILENT_NS if self._heard else UNHEARD_NS) else 0


def makes_room(host: str, present: Mapping[StreamPeer, Conversation], places: Places, now_ns: int) -> StreamPeer | None:
    """Who leaves so that `host` may come: whoever is silent longest, of that host if it is the host that has too many.

    None when nobody need leave, and when nobody can: `is_full` tells which.
    """
    rivals = [peer for peer in present if peer.host == host]
    if len(rivals) < places.per_host:
        if len(present) < places.overall:
            return None
        rivals = list(present)
    silent = {peer: present[peer].silent_ns(now_ns) for peer in rivals}
    longest = max(silent, key=lambda peer: silent[peer])
    return longest if silent[longest] else None


def is_full(host: str, present: Mapping[StreamPeer, Conversation], places: Places) -> bool:
    """Whether `host` may not have one more."""
    return len(present) >= places.overall or sum(peer.host == host for peer in present) >= places.per_host
