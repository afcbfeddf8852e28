"""Who may do what: roles, and the networks that have them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network


class Role(IntEnum):
    """What somebody may do; each role includes those before it.

    VIEW sees. OPERATE plays: scenes, cues, masters, hours, steering. MAINTAIN looks after the machine: who decides
    during work, outputs, projectors, the event log.
    """

    VIEW = 1
    OPERATE = 2
    MAINTAIN = 3

    @property
    def word(self) -> str:
        """As it is written in a show file."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Admission:
    """A network that may speak, and its role: all it may ever do, whatever passcode it knows."""

    network: IPv4Network | IPv6Network
    role: Role = Role.OPERATE

    def __str__(self) -> str:
        return f"{self.network} ({self.role.word})"
