"""The sockets DMX comes to: this machine's address, and what is sent to a group or to everybody in its network.

Bound to exactly those addresses, and joined on exactly that interface, never to all of them. Other lighting software of
this machine may listen to the same port.
"""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import ExitStack
from ipaddress import IPv4Address, ip_interface

import ifaddr

from installation.control.dmx.e131 import multicast_group
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.control.network.sockets import datagram_socket
from installation.errors import UnavailableError

EVERYBODY = "255.255.255.255"
_IP_MULTICAST_ALL = 49  # Linux, ip(7): 0 is only what was joined, on the interface it was joined on


def open_dmx(settings: DmxSettings) -> list[socket.socket]:
    """The address's own socket first. Raises UnavailableError, with what to do."""
    port = settings.protocol.port if settings.port is None else settings.port
    with ExitStack() as opened:
        try:
            own = _bound(settings.listen, port, opened)
            port = own.getsockname()[1]
            shared = (
                _group(settings, port, opened)
                if settings.protocol is Protocol.SACN
                else _everybody(settings.listen, port, opened)
            )
        except OSError as error:
            raise UnavailableError(_why_not(error, settings, port)) from error
        opened.pop_all()
    return [own, *shared]


def _bound(host: IPv4Address | str, port: int, opened: ExitStack) -> socket.socket:
    made = opened.enter_context(datagram_socket(socket.AF_INET))
    if sys.platform != "win32":  # there it would take the datagrams from the other program
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((str(host), port))
    return made


def _group(settings: DmxSettings, port: int, opened: ExitStack) -> list[socket.socket]:
    """What is sent to the universe's multicast group, by the interface that has our address."""
    group = multicast_group(settings.universe)
    made = _bound(settings.listen if sys.platform == "win32" else group, port, opened)
    if sys.platform == "linux":
        made.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    membership = IPv4Address(group).packed + settings.listen.packed
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return [made]


def _everybody(listen: IPv4Address, port: int, opened: ExitStack) -> list[socket.socket]:
    """What is broadcast in the network of our address. Elsewhere than on Linux the own socket hears it, or nobody."""
    if sys.platform != "linux":
        return []
    name, broadcast = interface_of(listen)
    limited = opened.enter_context(datagram_socket(socket.AF_INET))
    limited.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    limited.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
    limited.bind((EVERYBODY, port))
    return [_bound(broadcast, port, opened), limited]


def interface_of(address: IPv4Address) -> tuple[str, IPv4Address]:
    """The name of the interface that has an address, and the broadcast address of its network. Raises OSError."""
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            if each.is_IPv4 and each.ip == str(address):
                network = ip_interface(f"{address}/{each.network_prefix}").network
                assert isinstance(network.broadcast_address, IPv4Address)
                return adapter.name.partition(":")[0], network.broadcast_address  # a second address may be "eth0:1"
    raise OSError(errno.EADDRNOTAVAIL, "no interface has it")


def _why_not(error: OSError, settings: DmxSettings, port: int) -> str:
    place = f"DMX ({settings.protocol}) port {settings.listen}:{port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{place} is taken by another program that does not share it; stop that one"
        case errno.EADDRNOTAVAIL:
            return f"{place}: {settings.listen} is not an address of this machine; set one that is: [dmx] listen = ..."
        case errno.ENODEV:
            return f"{place}: the interface of {settings.listen} takes no multicast; set another: [dmx] listen = ..."
    return f"{place} cannot be opened: {error.strerror}; see [dmx] in the show"
