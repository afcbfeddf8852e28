"""The sockets of the control thread: UDP and TCP to listen, one of UDP per address family to speak from."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Callable
from ipaddress import ip_address

from installation.control.osc.packets import MAX_PACKET
from installation.control.settings import Endpoint
from installation.errors import UnavailableError

RECEIVE_BUFFER = 1 << 20  # bytes: what desks may say while we are busy
FREE_PORT_TRIES = 16
BATCH = 32  # datagrams before everybody else on the loop has a turn, or
WASTE = 8  # of them that are more than their senders may say, or strangers'
BREATH_S = 0.005  # after that, so that the kernel drops what is too much: it does so for next to nothing
# Who is gone without a word is found within 40 s: by what is sent to it unanswered (ms), or else by asking (s).
_KEEPALIVE = {"TCP_USER_TIMEOUT": 40_000, "TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}
_SO_RXQ_OVFL = 40  # Linux, socket(7): each datagram carries how many were dropped before it


def open_listeners(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on the same port; 0 takes one that both have free. Raises UnavailableError, with what to do."""
    tries = 1 if port else FREE_PORT_TRIES
    while True:
        tries -= 1
        datagrams = open_listener(host, port)
        try:
            return datagrams, open_stream_listener(host, datagrams.getsockname()[1])
        except UnavailableError:
            datagrams.close()
            if not tries:
                raise


def open_listener(host: str, port: int) -> socket.socket:
    """A non-blocking UDP socket. Raises UnavailableError, with what to do."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listening = datagram_socket(family)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UnavailableError(why_not(error, host, port)) from error
    return listening


def datagram_socket(family: socket.AddressFamily) -> socket.socket:
    """A non-blocking UDP socket with room for a burst, that counts what the kernel drops. Not bound yet."""
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if sys.platform == "linux":
        made.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    return made


def open_stream_listener(
    host: str, port: int, what: str = "OSC port", setting: str = "[control] port"
) -> socket.socket:
    """A non-blocking TCP socket that listens; `what` and `setting` are for the message.

    Raises UnavailableError, with what to do.
    """
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        if sys.platform != "win32":  # there it would share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(16)
    except OSError as error:
        listening.close()
        raise UnavailableError(why_not(error, host, port, what, setting)) from error
    return listening


def why_not(error: OSError, host: str, port: int, what: str = "OSC port", setting: str = "[control] port") -> str:
    """Why a port cannot be opened, and what to do."""
    place = f"{what} {Endpoint(host, port)}"
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"{place} is taken by another program, perhaps another player; "
                f"stop that one, or set another port in the show: {setting} = ..."
            )
        case errno.EADDRNOTAVAIL:
            return f"{place}: {host} is not an address of this machine; set one that is: [control] listen = ..."
        case errno.EACCES:
            return f"{place} is not for ordinary users; set a port from 1024 on in the show: {setting} = ..."
    return f"{place} cannot be opened: {error.strerror}; see [control] listen and {setting} in the show"


def keep_alive(connected: socket.socket) -> None:
    """Let the system find peers that are gone without a word, and send small things at once."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        for name, value in _KEEPALIVE.items():
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class DatagramReader:
    """Reads one datagram after the other into the same memory."""

    def __init__(self, listening: socket.socket, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.kernel_dropped = 0
        self._socket = listening
        self._memory = bytearray(MAX_PACKET)
        self._ancillary = socket.CMSG_SPACE(4) if sys.platform == "linux" else 0

    def read(self) -> tuple[bytes, Endpoint] | None:
        """The next datagram and where it is from; None when there is none."""
        try:
            if not self._ancillary:
                size, source = self._socket.recvfrom_into(self._memory)
            else:
                size, notes, _, source = self._socket.recvmsg_into([self._memory], self._ancillary)
                for _, kind, data in notes:
                    if kind == _SO_RXQ_OVFL:
                        self._drop_count(struct.unpack("=I", data[:4])[0])
        except OSError:  # nothing there (BlockingIOError), or an error some earlier sending met
            return None
        return bytes(self._memory[:size]), Endpoint(source[0], source[1])

    def _drop_count(self, count: int) -> None:
        """The kernel counts in 32 bits: in a flood, those are full within hours."""
        self.kernel_dropped += (count - self.kernel_dropped) % (1 << 32)

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class BatchReading:
    """Reads a socket in batches, on a loop; in a flood it breathes between them, and lets the kernel drop. `take` says
    whether a datagram was looked at.
    """

    def __init__(self, reader: DatagramReader, take: Callable[[bytes, Endpoint], bool]) -> None:
        self._reader = reader
        self._take = take
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin. On the loop, or before it runs."""
        self._loop = loop
        self._listen(loop)

    def stop(self) -> None:
        """Take no more. On the loop, or after it ran."""
        if self._loop is not None:
            self._loop.remove_reader(self._reader.fileno())
            self._loop = None

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            loop.add_reader(self._reader.fileno(), self._readable, loop)

    def _readable(self, loop: asyncio.AbstractEventLoop) -> None:
        left, patience = BATCH, WASTE
        while left and patience:
            datagram = self._reader.read()
            if datagram is None:
                return
            left -= 1
            patience -= not self._take(*datagram)
        loop.remove_reader(self._reader.fileno())
        loop.call_later(BREATH_S, self._listen, loop)


class FeedbackSender:
    """Sends, and never waits: what the network does not take at once is dropped and counted."""

    def __init__(self) -> None:
        self.dropped = 0
        self._sockets: dict[int, socket.socket] = {}

    def send(self, peer: Endpoint, data: bytes) -> None:
        """One datagram to one peer."""
        version = ip_address(peer.host.partition("%")[0]).version
        try:
            self._speaking(version).sendto(data, peer)
        except OSError:
            self.dropped += 1

    def _speaking(self, version: int) -> socket.socket:
        if version not in self._sockets:
            speaking = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
            speaking.setblocking(False)
            self._sockets[version] = speaking
        return self._sockets[version]

    def close(self) -> None:
        """Close what was opened."""
        for speaking in self._sockets.values():
            speaking.close()
        self._sockets.clear()
