"""What one WebSocket says and is owed, without the socket: commands that came as text, packets that wait to go out."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass

from installation.errors import CommandRefused

MAX_COMMAND = 1024  # characters: an address, and what is around it
MAX_EVENTS = 64  # that wait for a client


@dataclass(frozen=True, slots=True)
class Listen:
    """Tell what is said on this address."""

    address: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """No more of this address."""

    address: str


def read_command(text: str) -> Listen | Ignore:
    """What a text message asks. Raises CommandRefused."""
    try:
        document = json.loads(text) if len(text) <= MAX_COMMAND else None
    except (ValueError, RecursionError):
        document = None
    match document:
        case {"COMMAND": "LISTEN", "DATA": str(address)}:
            return Listen(address.rstrip("/"))
        case {"COMMAND": "IGNORE", "DATA": str(address)}:
            return Ignore(address.rstrip("/"))
        case {"COMMAND": str(command)}:
            shown = f'{command[:40]!a} with "DATA" that is no such thing'
        case _:
            shown = repr(text[:40])
    raise CommandRefused("command", f'{shown} is no command; {{"COMMAND": "LISTEN", "DATA": "/address"}}, or "IGNORE"')


class Outbox:
    """Packets for one client, which may be slow: of each value the newest, of events the last few. Bounded by the
    number of addresses, as only what is in the tree is ever said.
    """

    def __init__(self, root: str) -> None:
        self.lost = 0  # packets that newer ones replaced, or pushed out
        self._events_under = f"{root}/event/".encode()
        self._values: dict[bytes, bytes] = {}  # by address
        self._events: deque[bytes] = deque(maxlen=MAX_EVENTS)

    def put(self, packet: bytes) -> None:
        """One OSC message more."""
        address = packet[: packet.find(0)]
        if address.startswith(self._events_under):
            self.lost += len(self._events) == MAX_EVENTS
            self._events.append(packet)
        else:
            self.lost += address in self._values
            self._values[address] = packet

    def pop(self) -> bytes | None:
        """The packet to send next; events first."""
        if self._events:
            return self._events.popleft()
        address = next(iter(self._values), None)
        return None if address is None else self._values.pop(address)
