"""E1.31 and Art-Net datagrams, written by hand from the tables of the two documents."""

from __future__ import annotations

import struct

CID = bytes.fromhex("ef07c8dd00644404a3a245 9ef8e614 3e".replace(" ", ""))
OTHER_CID = bytes(range(16))
HOUSE_CID = bytes(range(16, 32))


def sized(flags: int, size: int) -> bytes:
    return struct.pack(">H", flags << 12 | size)


def e131(
    slots: bytes = bytes(512),
    *,
    cid: bytes = CID,
    name: bytes = b"Source_A",
    priority: int = 100,
    sync: int = 0,
    sequence: int = 0,
    options: int = 0,
    universe: int = 1,
    start_code: int = 0,
) -> bytes:
    """A data packet: root layer, framing layer, DMP layer."""
    dmp = struct.pack(">BBHHH", 0x02, 0xA1, 0, 1, len(slots) + 1) + bytes([start_code]) + slots
    dmp = sized(7, len(dmp) + 2) + dmp
    framing = struct.pack(">I64sBHBBH", 2, name, priority, sync, sequence, options, universe) + dmp
    framing = sized(7, len(framing) + 2) + framing
    return root(4, framing, cid)


def e131_sync(universe: int = 7962, sequence: int = 1) -> bytes:
    framing = struct.pack(">IBHH", 1, sequence, universe, 0)
    return root(8, sized(7, len(framing) + 2) + framing)


def e131_discovery(*universes: int) -> bytes:
    listed = struct.pack(">IBB", 1, 0, 0) + b"".join(struct.pack(">H", each) for each in universes)
    framing = struct.pack(">I64sI", 2, b"Source_A", 0) + sized(7, len(listed) + 2) + listed
    return root(8, sized(7, len(framing) + 2) + framing)


def root(vector: int, framing: bytes, cid: bytes = CID) -> bytes:
    pdu = struct.pack(">I", vector) + cid + framing
    return b"\x00\x10\x00\x00ASC-E1.17\x00\x00\x00" + sized(7, len(pdu) + 2) + pdu


def art_dmx(
    slots: bytes = bytes(512), *, universe: int = 1, sequence: int = 0, physical: int = 0, version: int = 14
) -> bytes:
    head = struct.pack(">HBBBBH", version, sequence, physical, universe & 0xFF, universe >> 8, len(slots))
    return b"Art-Net\x00\x00\x50" + head + slots


def art_poll(flags: int = 0, targets: tuple[int, int] | None = None) -> bytes:
    """`targets`: top and bottom port-address, which newer controllers add."""
    tail = b"" if targets is None else struct.pack(">HHHH", *targets, 0x7FF0, 0xFF)
    return b"Art-Net\x00\x00\x20\x00\x0e" + bytes([flags, 0]) + tail


def art_sync() -> bytes:
    return b"Art-Net\x00\x00\x52\x00\x0e\x00\x00"
