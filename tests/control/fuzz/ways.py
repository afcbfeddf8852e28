"""The ways into a server: each takes a batch of packets, and returns once the server has looked at all it takes."""

from __future__ import annotations

import json
import random
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import Protocol

from installation.control.osc.framing import Framing, framed
from installation.control.settings import Endpoint
from tests.control.rooms import PATIENCE_S

SPEAKER = "127.77.0.1"  # an address of this machine that nobody listens at: feedback asked for goes nowhere
READ = 65_536
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
GOODBYE = bytes.fromhex("8882 00000000 03e8")  # a WebSocket closes: 1000, normal
SPOILED = 0.02  # of batches over a stream: the frames around the packets are damaged too
HTTP_SHARE = 20

Wait = Callable[[], None]  # a moment


class Way(Protocol):
    """One of them."""

    name: str

    def send(self, packets: Sequence[bytes], rng: random.Random) -> int:
        """Send them, and wait until they have been looked at; how many it took. Raises TimeoutError."""


class Datagrams:
    """UDP. `looked_at` counts what was."""

    def __init__(self, name: str, to: Endpoint, looked_at: Callable[[], int], wait: Wait) -> None:
        self.name = name
        self._looked_at = looked_at
        self._wait = wait
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((SPEAKER, 0))
        self._to = to

    def send(self, packets: Sequence[bytes], rng: random.Random) -> int:
        """So few at once that the kernel drops none."""
        wanted = self._looked_at() + len(packets)
        for packet in packets:
            self._socket.sendto(packet, self._to)
        for _ in range(10_000):
            if self._looked_at() >= wanted:
                return len(packets)
            self._wait()
        raise TimeoutError(f"{self.name}: {wanted - self._looked_at()} of {len(packets)} were never looked at")

    def close(self) -> None:
        self._socket.close()


class Stream:
    """TCP, a connection a batch."""

    def __init__(self, framing: Framing, to: Endpoint) -> None:
        self.name = f"TCP {framing.value}"
        self._framing = framing
        self._to = to

    def send(self, packets: Sequence[bytes], rng: random.Random) -> int:
        """Until the other side has hung up."""
        data = b"".join(framed(packet, self._framing) for packet in packets)
        _converse(self._to, b"", spoiled(data, rng))
        return len(packets)


class WebSocket:
    """Packets as binary, and now and then as text."""

    name = "WebSocket"

    def __init__(self, to: Endpoint) -> None:
        self._to = to

    def send(self, packets: Sequence[bytes], rng: random.Random) -> int:
        """Until the other side has hung up."""
        frames = b"".join(_said(packet, rng) for packet in packets)
        _converse(self._to, HANDSHAKE, spoiled(frames, rng) + GOODBYE)
        return len(packets)


class Page:
    """What an open page says: text."""

    name = "page"

    def __init__(self, to: Endpoint) -> None:
        self._to = to

    def send(self, packets: Sequence[bytes], rng: random.Random) -> int:
        """Until the other side has hung up."""
        frames = b"".join(frame(packet.decode("latin-1").encode(), 1) for packet in packets)
        _converse(self._to, HANDSHAKE.replace(b"GET /", b"GET /live"), spoiled(frames, rng) + GOODBYE)
        return len(packets)


class Http:
    """Packets as requests: as a whole, as a path, as a query."""

    name = "HTTP"

    def __init__(self, to: Endpoint) -> None:
        self._to = to

    def send(self, packets: Sequence[bytes], rng: random.Random) -> int:
        """One in twenty, each on a connection of its own: what is no request ends it."""
        some = packets[::HTTP_SHARE]
        for packet in some:
            line = rng.choice((b"%b\r\n\r\n", b"GET /%b HTTP/1.1\r\n\r\n", b"GET /?%b HTTP/1.1\r\n\r\n"))
            _converse(self._to, b"", line.replace(b"%b", packet))
        return len(some)


def _said(packet: bytes, rng: random.Random) -> bytes:
    """A frame: mostly OSC; else an attempt at a command."""
    text = packet.decode("latin-1")
    match rng.randrange(20):
        case 0:
            return frame(text.encode(), 1)
        case 1:
            return frame(json.dumps({"COMMAND": rng.choice(("LISTEN", "IGNORE", "SHOUT")), "DATA": text}).encode(), 1)
        case 2:
            return frame(json.dumps({"COMMAND": "LISTEN", "DATA": text.partition("\0")[0]}).encode(), 1)
    return frame(packet, 2)


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """The same, seldom with some bytes changed."""
    if rng.random() >= SPOILED or not data:
        return data
    damaged = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def frame(payload: bytes, opcode: int) -> bytes:
    """A WebSocket frame as a client sends it (RFC 6455, 5.2), masked with zeros."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


def _converse(to: Endpoint, greeting: bytes, data: bytes) -> None:
    """Say everything, and read until the other side has hung up."""
    with closing(socket.create_connection(to, PATIENCE_S, (SPEAKER, 0))) as line, suppress(ConnectionError):
        if greeting:
            line.sendall(greeting)
            assert line.recv(READ)
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        while line.recv(READ):
            pass
