"""The doors of OSCQuery: HTTP and WebSocket on one port, and the announcement in the network. A thin shell.

What is asked is answered by `queries`; what a WebSocket brings goes where OSC goes (`hub`), and so does what it hears.
"""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from installation.control.hub import Hub
from installation.control.osc.packets import MAX_PACKET
from installation.control.oscquery.announcing import Announcer, Service
from installation.control.oscquery.listening import Ignore, Listen, Outbox, read_command
from installation.control.oscquery.queries import Host, Query, answer
from installation.control.oscquery.tree import Reader, Tree
from installation.control.settings import Endpoint, StreamPeer
from installation.control.web import WebPlace, WebServer, caller, open_web
from installation.errors import CommandRefused

DEFAULT_PORT = 9001
MAX_CLIENTS = 32  # WebSockets
HEARTBEAT_S = 20.0  # between pings; without its pong within half of that a client is gone
STALLED_S = 10.0  # a client that takes nothing for so long is let go
BATCH = 32  # messages before everybody else on the loop has a turn
BREATH_S = 0.005  # after a batch: at most 6,400 messages a second, as over TCP
LEAVE_S = 0.5  # to say goodbye
MAX_UNSENT = 32_768  # bytes on their way to one client, here and in the system each; beyond, only newest values wait


@dataclass(frozen=True, slots=True)
class QueryPlace:
    """Where to answer (port 0: any free one), what the show is called, what else this machine is called, and on which
    of its addresses to announce it all.
    """

    host: str
    port: int
    title: str
    names: frozenset[str] = frozenset()
    announce: tuple[str, ...] = ()


class QueryServer:
    """A guest that answers queries. `open_oscquery` makes one."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._name = ""
        self._tree = Tree(hub.space)
        self._clients: set[_Client] = set()
        self._web: WebServer | None = None
        self._announcer: Announcer | None = None

    async def open(self, place: QueryPlace) -> None:
        """Answer. Raises UnavailableError, with what to do."""
        where = WebPlace(place.host, place.port, "OSCQuery", "[control] oscquery", place.names)
        self._web = await open_web(self._hub, where, [web.get("/{path:.*}", self._get)])
        self._name = _name(place.title, self._web.endpoint.port)
        if place.announce and self._hub.own is not None:
            services = (Service("_oscjson._tcp", self._web.endpoint), Service("_osc._udp", self._hub.own))
            self._announcer = Announcer(self._name, services, place.announce)
            self._announcer.start()

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers."""
        assert self._web is not None
        return self._web.endpoint

    async def close(self) -> None:
        """Say goodbye to the network and to every client."""
        leaving = [client.leave() for client in self._clients]
        if self._announcer is not None:
            leaving.append(self._announcer.close())
        await asyncio.gather(*leaving)
        if self._web is not None:
            await self._web.close()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        """A question, or the beginning of a conversation."""
        who = caller(request)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._converse(request)
        host = Host(self._name, self._hub.own or self.endpoint, _reached_at(request) or self.endpoint)
        answered = answer(
            Query(request.path, request.query_string),
            self._tree,
            host,
            self._hub.board.read(),
            Reader(who.role, who.host in self._hub.percent),
            self._hub.space.root,
        )
        if answered.document is None:
            return web.Response(status=answered.status, text=f"{answered.text}\n" if answered.text else None)
        text = json.dumps(answered.document, separators=(",", ":"), allow_nan=False)
        return web.Response(status=answered.status, text=text, content_type="application/json")

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        if len(self._clients) >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_CLIENTS} are connected already\n")
        client = _Client(self._hub, caller(request).host)
        self._clients.add(client)
        try:
            return await client.converse(request)
        finally:
            self._clients.discard(client)


class _Client:
    """One WebSocket. It is read while its sender can pay; it is written to by a task of its own."""

    def __init__(self, hub: Hub, host: str) -> None:
        self._hub = hub
        self._host = host
        self._outbox = Outbox(hub.space.root)
        self._news = asyncio.Event()
        self._socket = web.WebSocketResponse(
            timeout=LEAVE_S, heartbeat=HEARTBEAT_S, compress=False, max_msg_size=MAX_PACKET, writer_limit=0
        )

    async def converse(self, request: web.Request) -> web.StreamResponse:
        """Until it leaves, or has to."""
        await self._socket.prepare(request)
        transport = cast(asyncio.Transport, request.transport)
        transport.set_write_buffer_limits(MAX_UNSENT)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_UNSENT)
        peer = self._hub.connect(self._host, transport.get_extra_info("peername")[1], self._carry)
        writing = asyncio.create_task(self._write(transport))
        try:
            await self._read(peer)
        finally:
            self._hub.disconnect(peer)
            writing.cancel()
            if transport.get_write_buffer_size():  # it does not read: nothing to wait for
                transport.abort()
        return self._socket

    async def leave(self) -> None:
        """The show ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def _read(self, peer: StreamPeer) -> None:
        heard = 0
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            heard += 1
            if heard % BATCH == 0:
                await asyncio.sleep(BREATH_S)
            while not self._hub.affords(peer, len(message.data)):
                await asyncio.sleep(BREATH_S)
            self._hub.guarded(lambda received=message: self._take(received, peer))  # type: ignore[misc]

    def _take(self, message: WSMessage, peer: StreamPeer) -> None:
        if message.type is WSMsgType.BINARY:
            self._hub.receive(message.data, peer)
            return
        try:
            self._hub.charge(peer, len(message.data))
            match read_command(message.data):
                case Listen(address):
                    self._hub.listen(peer, address)
                case Ignore(address):
                    self._hub.feedback.ignore(peer, address)
        except CommandRefused as error:
            self._hub.deny(peer, error)

    def _carry(self, packet: bytes) -> None:
        self._outbox.put(packet)
        self._news.set()

    async def _write(self, transport: asyncio.Transport) -> None:
        """Send what waits; whoever takes none of it for too long is let go."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while (packet := self._outbox.pop()) is not None:
                    async with asyncio.timeout(STALLED_S):
                        await self._socket.send_bytes(packet)
        except TimeoutError:
            lost = self._outbox.lost
            self._hub.complain(f"a listener on {self._host} takes nothing, and lost {lost} messages: let go")
            transport.abort()
        except ConnectionError:
            pass  # it has left; the reader says so


async def open_oscquery(hub: Hub, place: QueryPlace) -> QueryServer:
    """Answer queries of one show. Raises UnavailableError, with what to do."""
    server = QueryServer(hub)
    await server.open(place)
    return server


def _name(title: str, port: int) -> str:
    """What the show is called in the network: not as on another machine, nor as another player on this one."""
    machine = socket.gethostname().partition(".")[0]
    return f"{title} on {machine}" if port == DEFAULT_PORT else f"{title} on {machine}:{port}"


def _reached_at(request: web.Request) -> Endpoint | None:
    """The address of ours that a client found us at."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return Endpoint(*name[:2]) if name else None
