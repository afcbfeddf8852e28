"""A local door to what a running player hears, whose network ports are taken: for `afterimage monitor --learn`.

A Unix socket that only the player's own user may open. Two packets go out for each one that came in: who said it, and
what, framed by length; the first of all is the root. Nothing is read, and who does not read loses packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from installation.control.osc.framing import Framing, Unframer, framed
from installation.control.settings import Source
from installation.errors import UnavailableError

MAX_LISTENERS = 4
MAX_UNSENT = 65_536  # bytes
READ = 65_536


def tap_path(port: int) -> Path:
    """Where the player on this port can be listened in on, by the same user."""
    folder = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(folder) / f"afterimage-{os.getuid()}-{port}.sock"


class Tap:
    """The player's side. Lives on the control thread's loop."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._listeners: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None
        self._path: Path | None = None

    async def open(self, path: Path) -> None:
        """Listen. Raises OSError; the show goes on without."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # of a player that ended without a word
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.bind(str(path))
            path.chmod(0o600)  # before it listens, so that nobody else ever gets in
            self._server = await asyncio.get_running_loop().create_unix_server(lambda: _Listener(self), sock=door)
        except OSError:
            door.close()
            raise
        self._path = path

    def close(self) -> None:
        """End it, and take the socket away."""
        for listener in tuple(self._listeners):
            listener.abort()
        if self._server is not None and self._path is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                self._path.unlink()

    def offer(self, packet: bytes, source: Source) -> None:
        """Pass on a packet, if anybody listens."""
        for listener in self._listeners:
            if listener.get_write_buffer_size() + len(packet) <= MAX_UNSENT:
                said = framed(source.host.encode(), Framing.LENGTH) + framed(packet, Framing.LENGTH)
                listener.write(said)

    def add(self, transport: asyncio.Transport) -> None:
        """Somebody listens."""
        if len(self._listeners) >= MAX_LISTENERS:
            transport.abort()
            return
        self._listeners.add(transport)
        transport.write(framed(self._root.encode(), Framing.LENGTH))

    def remove(self, transport: asyncio.Transport) -> None:
        """Nobody does."""
        self._listeners.discard(transport)


class _Listener(asyncio.Protocol):
    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._tap.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._tap.remove(self._transport)


def listen_in(port: int) -> socket.socket:
    """A connection to the player on this port. Raises UnavailableError."""
    if not hasattr(socket, "AF_UNIX"):
        raise UnavailableError("learning needs Unix sockets, which this system does not have")
    path = tap_path(port)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.connect(str(path))
    except OSError as error:
        listening.close()
        raise UnavailableError(
            f"no player of this user on port {port} ({path}: {error.strerror}); "
            "is a show playing here, as the same user?"
        ) from error
    return listening


def packets(listening: socket.socket) -> Iterator[bytes | None]:
    """What comes, until the player ends; None whenever the socket's time-out passes without anything."""
    unframer = Unframer(Framing.LENGTH)
    while True:
        try:
            data = listening.recv(READ)
        except TimeoutError:
            yield None
            continue
        if not data:
            return
        yield from unframer.feed(data)
