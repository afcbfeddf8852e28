"""A control server on a free port of this machine, and sockets that talk to it.

No sleeping: every wait is for a datagram or an event, and has an end.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from ipaddress import ip_network
from types import MappingProxyType

from installation.clock import SystemClock
from installation.control.hub import Opening
from installation.control.inbox import Inbox
from installation.control.mapping.rules import MapRule
from installation.control.methods.names import Names
from installation.control.osc.packets import Message, decode_packet
from installation.control.server import ControlServer
from installation.control.settings import ControlSettings, Endpoint
from installation.show.commands import Command, Posted
from installation.show.roles import Admission, Role
from installation.show.status import Snapshot, StatusBoard

PATIENCE_S = 10.0
HOME = "127.0.0.1"
NAMES = Names(
    films=frozenset({"bunny", "tramp"}), scenes=frozenset({"bunny", "tramp", "visit"}), cues=frozenset({"speech", "2"})
)


class Peer:
    """A program with a socket."""

    def __init__(self, player: Endpoint, host: str = HOME, port: int = 0) -> None:
        self._player = player
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.settimeout(PATIENCE_S)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(*self._socket.getsockname())

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._player)

    def hear(self) -> Message:
        """The next message."""
        packet = decode_packet(self._socket.recv(65_536))
        assert isinstance(packet, Message)
        return packet

    def hear_of(self, address: str) -> Message:
        """The next message at one address."""
        while (message := self.hear()).address != address:
            pass
        return message

    def has_heard(self) -> bool:
        """Whether anything is there to be heard now."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        self._socket.close()


class Room:
    """The show's side of a server: drains commands, publishes snapshots."""

    def __init__(self, server: ControlServer, inbox: Inbox, board: StatusBoard) -> None:
        self.server = server
        self.inbox = inbox
        self._board = board
        self._heard: list[Posted] = []

    @contextmanager
    def peer(self, host: str = HOME) -> Iterator[Peer]:
        with closing(Peer(self.server.endpoint, host)) as peer:
            yield peer

    def publish(self, **changes: object) -> None:
        self._board.publish(replace(self._board.read(), **changes))  # type: ignore[arg-type]

    @property
    def now(self) -> Snapshot:
        return self._board.read()

    def look(self) -> tuple[Posted, ...]:
        """Everything drained since the last time somebody waited, which stays there."""
        self.inbox.wake.clear()
        self._heard += self.inbox.drain()
        return tuple(self._heard)

    def wait_for(self, arrived: Callable[[list[Posted]], bool]) -> list[Posted]:
        """Drain until that holds of everything drained since the last time."""
        while not arrived(self._heard):
            assert self.inbox.wake.wait(PATIENCE_S), f"waited in vain; heard {self._heard[-5:]}"
            self.inbox.wake.clear()
            self._heard += self.inbox.drain()
        heard, self._heard = self._heard, []
        return heard

    def wait_for_all(self, *commands: Command) -> list[Posted]:
        """Drain until those commands have come in that order, whatever else comes between."""
        heard = self.wait_for(lambda heard: _in_order([posted.command for posted in heard], commands))
        return [next(posted for posted in heard if posted.command == command) for command in commands]

    def wait_for_command(self, command: Command) -> Posted:
        """Drain until that command comes."""
        return self.wait_for(lambda heard: bool(heard) and heard[-1].command == command)[-1]


def _in_order(said: Sequence[Command], wanted: Sequence[Command]) -> bool:
    rest = iter(said)
    return all(command in rest for command in wanted)


@contextmanager
def open_room(
    *,
    allow: Mapping[str, Role] = MappingProxyType({}),
    feedback: tuple[Endpoint, ...] = (),
    names: Names = NAMES,
    host: str = HOME,
    rules: tuple[MapRule, ...] = (),
    guests: Sequence[Opening] = (),
) -> Iterator[Room]:
    """A server that listens, until the block ends."""
    admissions = tuple(Admission(ip_network(network), role) for network, role in allow.items())
    settings = ControlSettings(host, 0, admissions, feedback, rules=rules)
    inbox, board = Inbox(), StatusBoard()
    with ControlServer(settings, names, inbox, board, SystemClock(), guests) as server:
        yield Room(server, inbox, board)
    assert server.counts().faults == 0
