"""A control server with DMX on a free port of this machine, and desks that send to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from installation.clock import SystemClock
from installation.control.dmx.listener import DmxListener, dmx_guest
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.control.hub import Hub
from installation.control.inbox import Inbox
from installation.control.server import ControlServer
from installation.control.settings import ControlSettings, Endpoint
from installation.show.status import StatusBoard
from tests.control.rooms import HOME, NAMES, PATIENCE_S, Room

SACN = DmxSettings(Protocol.SACN, universe=1, films=("bunny", "tramp"), scenes=("visit",), port=0)
ARTNET = replace(SACN, protocol=Protocol.ARTNET)


@dataclass(frozen=True, slots=True)
class DmxRoom:
    """The show's side, and where DMX is listened for."""

    room: Room
    endpoint: Endpoint


class Desk:
    """A program with a socket, that sends through this machine's own interface."""

    def __init__(self, to: Endpoint, host: str = HOME) -> None:
        self._to = to
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
        self._socket.bind((host, 0))

    def send(self, data: bytes, host: str = "") -> None:
        self._socket.sendto(data, (host or self._to.host, self._to.port))

    def close(self) -> None:
        self._socket.close()


@contextmanager
def open_dmx_room(settings: DmxSettings) -> Iterator[DmxRoom]:
    """A server whose DMX listens, until the block ends."""
    inbox, board, here = Inbox(), StatusBoard(), threading.Event()
    opened: list[DmxListener] = []

    async def opening(hub: Hub) -> DmxListener:
        listener = await dmx_guest(settings)(hub)
        assert isinstance(listener, DmxListener)
        opened.append(listener)
        here.set()
        return listener

    with ControlServer(ControlSettings(HOME, 0), NAMES, inbox, board, SystemClock(), (opening,)) as server:
        assert here.wait(PATIENCE_S)
        yield DmxRoom(Room(server, inbox, board), opened[0].endpoint)
    assert server.counts().faults == 0


@contextmanager
def desk_at(endpoint: Endpoint, host: str = HOME) -> Iterator[Desk]:
    with closing(Desk(endpoint, host)) as desk:
        yield desk
