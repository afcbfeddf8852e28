"""People of another machine: one who may operate, one who may only look, one whom nobody knows. Over a real network."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from queue import Queue
from unittest.mock import patch

import aiohttp
import pytest

from installation.control.hub import Guest, Hub
from installation.control.network import sockets
from installation.control.osc.framing import Framing, framed
from installation.control.osc.packets import Message, decode_packet
from installation.control.oscquery.server import QueryPlace, QueryServer, open_oscquery
from installation.control.settings import Endpoint
from installation.show import commands as show
from installation.show.commands import Command
from installation.show.roles import Role
from tests.control.oscquery.clients import Listener
from tests.control.packets import floats, ints, message, padded
from tests.control.rooms import PATIENCE_S, Peer, Room, open_room
from tests.networks import FAR, PLAYER, FarMachine, far_machine, in_own_network

OPERATOR, VIEWER, STRANGER = FAR, "10.9.0.3", "10.9.0.66"
ALLOW = {"10.9.0.0/28": Role.OPERATE, VIEWER: Role.VIEW}
FORBIDDEN = (padded("/ai/blackout"), floats("/ai/brightness", 0.0), padded("/ai/film/tramp"), ints("/ai/ping", 1))


@dataclass(frozen=True)
class Stage:
    """A show that listens to a network, and a machine there with three addresses."""

    room: Room
    queries: Endpoint
    far: FarMachine

    def peer(self, host: str) -> Peer:
        """A program with a socket of that address."""
        return self.far.call(lambda: Peer(self.room.server.endpoint, host))

    def stream(self, host: str) -> socket.socket:
        """A connection from that address."""
        endpoint = self.room.server.endpoint
        return self.far.call(lambda: socket.create_connection(endpoint, PATIENCE_S, (host, 0)))

    def listener(self, host: str, **headers: str) -> Listener:
        """A WebSocket from that address."""
        return self.far.call(lambda: Listener(self.queries, host, **headers))

    def get(self, host: str, path: str = "/", **headers: str) -> tuple[int, str]:
        """Status and text of an answer to that address."""

        def ask() -> tuple[int, str]:
            line = http.client.HTTPConnection(*self.queries, timeout=PATIENCE_S, source_address=(host, 0))
            with closing(line):
                line.request("GET", path, headers=headers)
                answer = line.getresponse()
                return answer.status, answer.read().decode()

        return self.far.call(ask)

    def heard_at_home(self) -> list[Command]:
        """Everything the show was asked for until somebody of its own machine says go."""
        with self.room.peer(PLAYER) as home:
            home.send(padded("/ai/go"))
            heard = self.room.wait_for(lambda heard: any(posted.command == show.Go() for posted in heard))
        return [posted.command for posted in heard]


@contextmanager
def open_stage() -> Iterator[Stage]:
    opened: Queue[QueryServer] = Queue()

    async def queries(hub: Hub) -> Guest:
        server = await open_oscquery(hub, QueryPlace(PLAYER, 0, "Stage"))
        opened.put(server)
        return server

    with far_machine() as far, open_room(host=PLAYER, allow=ALLOW, guests=(queries,)) as room:
        for address in (VIEWER, STRANGER):
            far.also_has(address)
        yield Stage(room, opened.get(timeout=PATIENCE_S).endpoint, far)


def is_ended(line: socket.socket) -> bool:
    """Read until the other side has hung up; False if it said anything before."""
    with suppress(ConnectionError):
        return line.recv(100) == b""
    return True


@in_own_network
def test_who_may_operate_does() -> None:
    with open_stage() as stage, closing(stage.peer(OPERATOR)) as desk, closing(stage.stream(OPERATOR)) as stream:
        desk.send(floats("/ai/brightness", 0.5))
        assert stage.room.wait_for_command(show.SetBrightness(0.5)).origin.name == OPERATOR
        stream.sendall(framed(padded("/ai/film/tramp"), Framing.LENGTH))
        stage.room.wait_for_command(show.PlayFilm("tramp"))
        with closing(stage.listener(OPERATOR)) as listener:
            listener.send(padded("/ai/blackout"))
            stage.room.wait_for_command(show.SetBlackout(True))


@in_own_network
def test_a_stranger_does_nothing_by_any_way_and_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "installation"), open_stage() as stage:
        with closing(stage.peer(STRANGER)) as stranger:
            for packet in FORBIDDEN * 5:
                stranger.send(packet)
        for framing in Framing:
            with closing(stage.stream(STRANGER)) as line:
                with suppress(ConnectionError):
                    line.sendall(b"".join(framed(packet, framing) for packet in FORBIDDEN))
                assert is_ended(line)
        for path in ("/", "/ai/brightness?VALUE"):
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                stage.get(STRANGER, path)
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            stage.listener(STRANGER)
        assert stage.heard_at_home() == [show.Go()]
        assert stage.room.server.counts().strangers >= 20 + 3 + 2 + 1  # aiohttp tries again
        assert stage.room.server.counts().received.datagrams == 1
    assert [line for line in caplog.messages if STRANGER in line] == [
        f"control: something from {STRANGER}, which is not allowed to speak here (control.allow)"
    ]


@in_own_network
def test_who_may_only_look_looks_and_moves_nothing() -> None:
    with open_stage() as stage, closing(stage.peer(VIEWER)) as viewer, closing(stage.stream(VIEWER)) as stream:
        viewer.send(ints("/ai/subscribe", viewer.endpoint.port, 60))
        assert viewer.hear_of("/ai/brightness") == Message("/ai/brightness", (1.0,))
        for packet in FORBIDDEN[:3]:
            viewer.send(packet)
        assert [viewer.hear_of("/ai/event/error").arguments[0] for _ in range(3)] == ["role"] * 3
        stream.sendall(framed(FORBIDDEN[0], Framing.LENGTH))
        (size,) = struct.unpack(">I", stream.recv(4))
        assert refusal(stream.recv(size)) == "role"
        with closing(stage.listener(VIEWER)) as listener:
            listener.send(padded("/ai/blackout"))
            assert listener.hear().arguments[0] == "role"
            listener.say("LISTEN", "/ai/brightness")
            assert listener.hear() == Message("/ai/brightness", (1.0,))
        assert json.loads(stage.get(VIEWER, "/ai/brightness?ACCESS")[1]) == {"ACCESS": 1}
        assert json.loads(stage.get(OPERATOR, "/ai/brightness?ACCESS")[1]) == {"ACCESS": 3}
        assert stage.heard_at_home() == [show.Go()]
        assert stage.room.server.counts().received.refused == 5


@in_own_network
def test_a_page_of_others_does_nothing_in_the_browser_of_who_may(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "installation"), open_stage() as stage:
        for _ in range(3):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                stage.listener(OPERATOR, Origin="http://evil.example")
        assert stage.get(OPERATOR, "/", Host="evil.example")[0] == 421
        assert stage.heard_at_home() == [show.Go()]
    assert len([line for line in caplog.messages if "evil.example" in line]) == 1


@in_own_network
def test_an_answer_to_a_forged_address_reaches_nobody() -> None:
    """A datagram may say that it is from anybody: who did not subscribe is never answered."""
    with open_stage() as stage, closing(stage.peer(OPERATOR)) as forged:
        forged.send(message("/ai/ping", "i", struct.pack(">i", 1)))
        assert stage.heard_at_home() == [show.Go()]
        assert stage.room.server.counts().received.datagrams == 2
        assert not forged.has_heard()


@pytest.mark.parametrize("subscribes", [False, True], ids=["silent", "told"])
@in_own_network
def test_who_is_gone_without_a_word_is_forgotten(subscribes: bool) -> None:
    """A cable is pulled. Nobody says goodbye: half-open is found by asking, or by what goes unanswered."""
    impatient = {option: 1500 if option == "TCP_USER_TIMEOUT" else 1 for option in sockets._KEEPALIVE}
    with patch.object(sockets, "_KEEPALIVE", impatient), open_stage() as stage:
        with closing(stage.stream(OPERATOR)) as gone:
            gone.sendall(framed(ints("/ai/subscribe" if subscribes else "/ai/ping", 1, 60), Framing.LENGTH))
            assert gone.recv(4)
            stage.far.run("ip", "link", "set", "far", "down")
            lines = stage.room.server._streams._lines
            for _ in range(int(PATIENCE_S / 0.05)):
                if not lines:
                    break
                stage.room.publish(brightness=0.75 - stage.room.now.brightness / 2)  # something to tell
                stage.room.inbox.wake.wait(0.05)
            assert not lines
            assert stage.room.server._hub.feedback.peers == ()
        assert stage.heard_at_home() == [show.Go()]


def refusal(packet: bytes) -> str:
    said = decode_packet(packet)
    assert isinstance(said, Message)
    assert said.address == "/ai/event/error"
    return str(said.arguments[0])
