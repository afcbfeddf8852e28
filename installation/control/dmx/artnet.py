"""Art-Net datagrams, read strictly, and the answer to ArtPoll that makes a desk send here.

Source: Art-Net 4 Protocol Release V1.4 (Artistic Licence), packets ArtPoll, ArtPollReply, ArtDmx. A desk that unicasts
sends only to nodes which answered its poll with the port-address it sends.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from installation.control.dmx.frames import MAX_SLOTS, DmxError, Frame

PORT = 6454  # 0x1936
MAX_UNIVERSE = 32_767  # a port-address: 7 bits of net, 4 of sub-net, 4 of universe
LOSS_NS = 10_000_000_000  # the time after which the spec takes a source out of a merge; desks repeat every 0.8 to 4 s
MERGED = 2  # sources: a third is ignored, by the spec

_IDENTIFIER = b"Art-Net\0"
_VERSION = 14  # older ones are not to be listened to
_OP_POLL, _OP_POLL_REPLY, _OP_DMX = 0x2000, 0x2100, 0x5000
_HEADER = struct.Struct("<8sH")  # the operation code is the low byte first
_DMX = struct.Struct(">HBBBBH")  # version, sequence, physical, sub-uni, net, length; then the slots
_POLL = struct.Struct(">HB")  # version, flags
_TARGET = struct.Struct(">HH")  # top and bottom of the port-addresses that are asked for
_TARGET_AT = _HEADER.size + 4
_DMX_AT = _HEADER.size
_SLOTS_AT = _DMX_AT + _DMX.size
_TARGETED = 0x20
_REPLY_SIZE = 239


@dataclass(frozen=True, slots=True)
class ArtDmx:
    """Levels of one universe. `sequence` 0 means that the sender does not count; `physical` is its socket."""

    sequence: int
    physical: int
    universe: int
    slots: bytes

    def frame(self, host: str) -> Frame:
        """The frame it carries. Sources are told apart by address and physical port."""
        return Frame((host, self.physical), host, self.universe, self.slots, sequence=self.sequence or None)


@dataclass(frozen=True, slots=True)
class ArtPoll:
    """Who is there? Asks for the port-addresses from `bottom` to `top`."""

    bottom: int = 0
    top: int = MAX_UNIVERSE


@dataclass(frozen=True, slots=True)
class ArtOther:
    """Anything else that is Art-Net: ArtSync (one universe has nothing to wait for), other nodes' replies, and more."""

    operation: int


@dataclass(frozen=True, slots=True)
class Node:
    """What we say of ourselves: one output port."""

    address: IPv4Address
    universe: int
    name: str


@dataclass(frozen=True, slots=True)
class PortState:
    """What our port is doing: whether levels come, whether from two sources; and the count of our replies."""

    receiving: bool
    merging: bool
    replies: int


def parse_artnet(data: bytes) -> ArtDmx | ArtPoll | ArtOther:
    """What a datagram says. Raises DmxError."""
    if len(data) < _HEADER.size:
        raise DmxError(f"{len(data)} bytes are too few for Art-Net")
    identifier, operation = _HEADER.unpack_from(data)
    if identifier != _IDENTIFIER:
        raise DmxError("no Art-Net identifier")
    if operation == _OP_DMX:
        return _dmx(data)
    return _poll(data) if operation == _OP_POLL else ArtOther(operation)


def _dmx(data: bytes) -> ArtDmx:
    if len(data) < _SLOTS_AT:
        raise DmxError(f"{len(data)} bytes are too few for ArtDmx")
    version, sequence, physical, low, net, length = _DMX.unpack_from(data, _DMX_AT)
    _check_version(version)
    if net > 0x7F:
        raise DmxError(f"net {net}; 0 to 127")
    if not 1 <= length <= MAX_SLOTS or length > len(data) - _SLOTS_AT:
        raise DmxError(f"{length} slots where {len(data) - _SLOTS_AT} bytes are; 1 to {MAX_SLOTS}")
    return ArtDmx(sequence, physical, (net << 8) + low, data[_SLOTS_AT : _SLOTS_AT + length])


def _poll(data: bytes) -> ArtPoll:
    """Older controllers send it without the addresses at its end."""
    if len(data) < _HEADER.size + _POLL.size:
        raise DmxError(f"{len(data)} bytes are too few for ArtPoll")
    version, flags = _POLL.unpack_from(data, _HEADER.size)
    _check_version(version)
    if not flags & _TARGETED or len(data) < _TARGET_AT + _TARGET.size:
        return ArtPoll()
    top, bottom = _TARGET.unpack_from(data, _TARGET_AT)
    return ArtPoll(bottom, top)


def _check_version(version: int) -> None:
    if version < _VERSION:
        raise DmxError(f"Art-Net version {version}; {_VERSION} or newer")


def build_poll_reply(node: Node, state: PortState) -> bytes:
    """ArtPollReply: 239 bytes that say which universe we listen to."""
    fields = (
        _IDENTIFIER,
        _OP_POLL_REPLY.to_bytes(2, "little"),
        node.address.packed,
        PORT.to_bytes(2, "little"),
        b"\0\1",  # version of the firmware
        bytes((node.universe >> 8, node.universe >> 4 & 0x0F)),  # net, sub-net
        b"\x00\xff",  # OEM code: unknown
        b"\0",  # no UBEA
        b"\xd0",  # status 1: indicators normal, port-address set here and not over the network
        b"\xf0\x7f",  # ESTA code, low byte first: 0x7FF0, for who has none of his own
        _text(node.name, 18),
        _text(node.name, 64),
        _text(f"#0001 [{state.replies % 10_000:04}] listening", 64),
        b"\0\1",  # one port
        b"\x80\0\0\0",  # which puts out DMX512 that comes over Art-Net
        bytes(4),  # no input
        bytes((0x80 * state.receiving | 0x08 * state.merging, 0, 0, 0)),
        bytes(4),
        bytes((node.universe & 0x0F, 0, 0, 0)),
        bytes(7),  # priority of E1.31, macros, remotes, spare, style 0: a node
        bytes(6),  # no MAC address
        node.address.packed,
        b"\1",  # bind index: the first of one
        b"\x08",  # status 2: knows port-addresses of 15 bits
        b"\x80\0\0\0",  # no RDM
    )
    return b"".join(fields).ljust(_REPLY_SIZE, b"\0")


def _text(text: str, size: int) -> bytes:
    """ASCII in so many bytes, the last of them zero."""
    return text.encode("ascii", "replace")[: size - 1].ljust(size, b"\0")
