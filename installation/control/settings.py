"""What control needs to know of a show and a room, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from installation.control.mapping.rules import MapRule
from installation.control.osc.framing import Framing
from installation.show.roles import Admission

DEFAULT_PORT = 9000


class Endpoint(NamedTuple):
    """One side of a datagram's way: a numeric IP address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class StreamPeer(NamedTuple):
    """The other side of a TCP connection; `serial` tells it from all others, also from a datagram's endpoint."""

    host: str
    port: int
    serial: int

    def __str__(self) -> str:
        return str(Endpoint(self.host, self.port))


Source = Endpoint | StreamPeer  # whoever speaks to us


@dataclass(frozen=True, slots=True)
class DeskAddress:
    """A desk to connect to, by name or numeric address, and how it tells packets apart."""

    host: str
    port: int
    framing: Framing = Framing.LENGTH

    def __str__(self) -> str:
        return f"tcp://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Where to listen, who may speak, who is told, who is called.

    This machine itself may always speak; `allow` says who else. `percent` are the hosts that count levels 0-100.
    Port 0 takes any free one.
    """

    listen: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allow: tuple[Admission, ...] = ()
    feedback: tuple[Endpoint, ...] = ()
    percent: frozenset[str] = frozenset()
    root: str = "/ai"
    desk: DeskAddress | None = None
    rules: tuple[MapRule, ...] = ()
