"""What DMX needs to know of a show and a room, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from installation.control.dmx import artnet, e131
from installation.control.dmx.personality import OnLoss
from installation.control.dmx.universe import Limits
from installation.show.roles import Admission

HOME = IPv4Address("127.0.0.1")
SACN_SOURCES = 16  # desks, backups and house controllers of one universe


class Protocol(StrEnum):
    """How DMX comes."""

    SACN = "sacn"
    ARTNET = "artnet"

    @property
    def port(self) -> int:
        """Where it is sent to."""
        return e131.PORT if self is Protocol.SACN else artnet.PORT

    @property
    def limits(self) -> Limits:
        """When a silent source is gone, and how many are merged."""
        if self is Protocol.SACN:
            return Limits(e131.LOSS_NS, SACN_SOURCES)
        return Limits(artnet.LOSS_NS, artnet.MERGED)


@dataclass(frozen=True, slots=True)
class DmxSettings:
    """Where to listen, to what, and what it can choose.

    `address` is the first channel, 1-512. `listen` is this machine's address in the network of the desks; itself may
    always speak, `allow` says who else. `films` and `scenes` in the order of their numbers. Port 0 takes any free one.
    """

    protocol: Protocol
    universe: int
    address: int = 1
    listen: IPv4Address = HOME
    allow: tuple[Admission, ...] = ()
    on_loss: OnLoss = OnLoss.HOLD
    films: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    port: int | None = None
