"""E1.31 (streaming ACN) datagrams, read strictly: bytes become a packet, or raise one `DmxError`.

Source: ANSI E1.31-2018, tables 4-1 to 8-10; numbers in brackets are its sections. Every length must agree with every
other and with the datagram, as nobody who follows the standard sends anything else.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address
from uuid import UUID

from installation.control.dmx.frames import MAX_SLOTS, DmxError, Frame
from installation.control.osc.messages import printable

PORT = 5568  # [9.2]
MAX_UNIVERSE = 63_999  # [6.2.7]; 1 is the first
MAX_PRIORITY = 200  # [6.2.3]
LOSS_NS = 2_500_000_000  # [6.7.1]: a source silent for so long is gone

_ROOT = struct.Struct(">HH12sHI16s")  # preamble and post-amble sizes, identifier, flags and length, vector, CID
_FRAMING = struct.Struct(">HI64sBHBBH")  # f&l, vector, source name, priority, sync address, sequence, options, universe
_DMP = struct.Struct(">HBBHHHB")  # f&l, vector, type, first address, increment, count of properties, start code
_EXTENDED = struct.Struct(">HI")  # f&l, vector

_PREAMBLE = 0x0010
_IDENTIFIER = b"ASC-E1.17\0\0\0"
_ROOT_DATA, _ROOT_EXTENDED = 4, 8
_FRAMING_DATA = 2
_EXTENDED_SYNC, _EXTENDED_DISCOVERY = 1, 2
_SET_PROPERTY, _ADDRESS_TYPE, _FIRST, _INCREMENT = 2, 0xA1, 0, 1  # [7]
_PREVIEW, _TERMINATED = 0x80, 0x40  # [6.2.6]

_FRAMING_AT = _ROOT.size
_DMP_AT = _FRAMING_AT + _FRAMING.size
_SLOTS_AT = _DMP_AT + _DMP.size
_SYNC_SIZE = 49
_DISCOVERY_SIZE = 120  # and two bytes for each universe


class Extended(Enum):
    """Packets that are known and change no level here.

    SYNC: a receiver that does not synchronise shows data at once [6.3.3], and one universe has nothing to wait for.
    """

    SYNC = "universe synchronisation"
    DISCOVERY = "universe discovery"


@dataclass(frozen=True, slots=True)
class DataPacket:
    """Levels of one universe. `slots` come after the start code. `sync_address` is 0, or the universe that would be
    waited for.
    """

    cid: UUID
    source_name: str
    priority: int
    sync_address: int
    sequence: int
    preview: bool
    terminated: bool
    universe: int
    start_code: int
    slots: bytes

    @property
    def frame(self) -> Frame:
        """The frame it carries. Sources are told apart by CID: a desk may send from two network cards."""
        return Frame(
            source=self.cid,
            name=printable(self.source_name) or str(self.cid),
            universe=self.universe,
            slots=self.slots,
            priority=self.priority,
            sequence=self.sequence,
            live=self.start_code == 0 and not self.preview,
            ends=self.terminated,
        )


def multicast_group(universe: int) -> str:
    """The address that a universe is sent to: 239.255.hi.lo [9.3.1]."""
    return str(IPv4Address((239 << 24) + (255 << 16) + universe))


def parse_e131(data: bytes) -> DataPacket | Extended:
    """What a datagram says. Raises DmxError."""
    if len(data) < _FRAMING_AT + _EXTENDED.size:
        raise DmxError(f"{len(data)} bytes are too few for E1.31")
    preamble, postamble, identifier, sizes, vector, cid = _ROOT.unpack_from(data)
    if identifier != _IDENTIFIER or preamble != _PREAMBLE or postamble:
        raise DmxError("no ACN packet identifier")
    _check_length("root", sizes, len(data) - 16)
    if vector == _ROOT_EXTENDED:
        return _extended(data)
    if vector != _ROOT_DATA:
        raise DmxError(f"root vector {vector}; {_ROOT_DATA} or {_ROOT_EXTENDED}")
    return _data(data, UUID(bytes=cid))


def _check_length(layer: str, sizes: int, left: int) -> None:
    """Flags are 0x7 in the top four bits, the length of the rest of the datagram in the others."""
    if sizes >> 12 != 0x7 or sizes & 0x0FFF != left:
        raise DmxError(f"{layer} layer of {sizes & 0x0FFF} bytes, flags {sizes >> 12:#x}, where {left} bytes are")


def _extended(data: bytes) -> Extended:
    sizes, vector = _EXTENDED.unpack_from(data, _FRAMING_AT)
    _check_length("framing", sizes, len(data) - _FRAMING_AT)
    if vector == _EXTENDED_SYNC and len(data) == _SYNC_SIZE:
        return Extended.SYNC
    if vector == _EXTENDED_DISCOVERY and len(data) >= _DISCOVERY_SIZE:
        return Extended.DISCOVERY
    raise DmxError(f"extended packet of vector {vector} and {len(data)} bytes")


def _data(data: bytes, cid: UUID) -> DataPacket:
    if len(data) < _SLOTS_AT:
        raise DmxError(f"{len(data)} bytes are too few for E1.31 data")
    sizes, vector, name, priority, sync, sequence, options, universe = _FRAMING.unpack_from(data, _FRAMING_AT)
    _check_length("framing", sizes, len(data) - _FRAMING_AT)
    if vector != _FRAMING_DATA:
        raise DmxError(f"framing vector {vector}; {_FRAMING_DATA}")
    if priority > MAX_PRIORITY:
        raise DmxError(f"priority {priority}; 0 to {MAX_PRIORITY}")
    if not 1 <= universe <= MAX_UNIVERSE:
        raise DmxError(f"universe {universe}; 1 to {MAX_UNIVERSE}")
    return DataPacket(
        cid=cid,
        source_name=name.partition(b"\0")[0].decode("utf-8", "replace"),
        priority=priority,
        sync_address=sync,
        sequence=sequence,
        preview=bool(options & _PREVIEW),
        terminated=bool(options & _TERMINATED),
        universe=universe,
        start_code=_start_code(data),
        slots=data[_SLOTS_AT:],
    )


def _start_code(data: bytes) -> int:
    """The start code of the DMP layer, whose slots are all that is left of the datagram."""
    sizes, vector, kind, first, increment, count, start_code = _DMP.unpack_from(data, _DMP_AT)
    _check_length("DMP", sizes, len(data) - _DMP_AT)
    if (vector, kind, first, increment) != (_SET_PROPERTY, _ADDRESS_TYPE, _FIRST, _INCREMENT):
        raise DmxError("a DMP layer that sets no slots in a row")
    slots = len(data) - _SLOTS_AT
    if count != slots + 1 or slots > MAX_SLOTS:
        raise DmxError(f"{count} properties, {slots} slots; the start code and at most {MAX_SLOTS}")
    return int(start_code)
