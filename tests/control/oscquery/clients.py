"""Programs that ask and listen, and a show that answers. No sleeping: every wait is for something, and has an end."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from queue import Queue

import aiohttp

from installation.control.hub import Guest, Hub
from installation.control.osc.packets import Message, decode_packet
from installation.control.oscquery.server import QueryPlace, QueryServer, open_oscquery
from installation.control.settings import Endpoint
from tests.control.rooms import HOME, PATIENCE_S, Room, open_room


@dataclass(frozen=True)
class Answered:
    status: int
    text: str

    @property
    def json(self) -> dict[str, object]:
        document = json.loads(self.text)
        assert isinstance(document, dict)
        return document


class Listener:
    """aiohttp's WebSocket, driven step by step."""

    def __init__(self, server: Endpoint, host: str = HOME, **headers: str) -> None:
        self._runner = asyncio.Runner()
        try:
            self._runner.run(self._open(server, host, headers))
        except BaseException:
            self._runner.close()
            raise

    async def _open(self, server: Endpoint, host: str, headers: dict[str, str]) -> None:
        connector = aiohttp.TCPConnector(local_addr=(host, 0))
        self._session = aiohttp.ClientSession(connector=connector)
        try:
            self._socket = await self._session.ws_connect(f"http://{server}/", headers=headers)
        except BaseException:
            await self._session.close()
            raise

    def say(self, command: str, *addresses: str) -> None:
        """LISTEN or IGNORE."""
        self.text(*(json.dumps({"COMMAND": command, "DATA": address}) for address in addresses))

    def text(self, *texts: str) -> None:
        async def send() -> None:
            for text in texts:
                await self._socket.send_str(text)

        self._runner.run(send())

    def send(self, *packets: bytes) -> None:
        """OSC."""

        async def send() -> None:
            for packet in packets:
                await self._socket.send_bytes(packet)

        self._runner.run(send())

    def received(self) -> aiohttp.WSMessage:
        return self._runner.run(self._socket.receive(timeout=PATIENCE_S))

    def hear(self) -> Message:
        """The next OSC message."""
        received = self.received()
        assert received.type is aiohttp.WSMsgType.BINARY, received
        packet = decode_packet(received.data)
        assert isinstance(packet, Message)
        return packet

    def hear_of(self, address: str) -> Message:
        while (heard := self.hear()).address != address:
            pass
        return heard

    def close(self) -> None:
        self._runner.run(self._socket.close())
        self._runner.run(self._session.close())
        self._runner.close()


@dataclass
class Asked:
    """A show that can be asked."""

    room: Room
    server: QueryServer

    @property
    def endpoint(self) -> Endpoint:
        return self.server.endpoint

    def get(self, path: str, host: str = HOME) -> Answered:
        line = http.client.HTTPConnection(HOME, self.endpoint.port, timeout=PATIENCE_S, source_address=(host, 0))
        with closing(line):
            line.request("GET", path)
            response = line.getresponse()
            return Answered(response.status, response.read().decode())

    @contextmanager
    def listener(self, host: str = HOME, **headers: str) -> Iterator[Listener]:
        with closing(Listener(self.endpoint, host, **headers)) as listener:
            yield listener


@contextmanager
def asked_show(announce: Sequence[str] = (), title: str = "Bunny") -> Iterator[Asked]:
    opened: Queue[QueryServer] = Queue()

    async def opening(hub: Hub) -> Guest:
        server = await open_oscquery(hub, QueryPlace(HOME, 0, title, announce=tuple(announce)))
        opened.put(server)
        return server

    with open_room(guests=(opening,)) as room:
        yield Asked(room, opened.get(timeout=PATIENCE_S))


class RawListener:
    """A WebSocket that does what no library would: read nothing, answer no ping."""

    def __init__(self, server: Endpoint, receives: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(server)
        self._socket.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101")

    def listen(self, address: str) -> None:
        """A text frame, masked with zeros."""
        text = json.dumps({"COMMAND": "LISTEN", "DATA": address}).encode()
        self._socket.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)

    def is_ended(self) -> bool:
        """Read until the other side has hung up."""
        try:
            while self._socket.recv(65_536):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self._socket.close()
