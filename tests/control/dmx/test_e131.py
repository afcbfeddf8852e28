"""E1.31 read from bytes: vectors written by hand, packets of another implementation, and bytes of nobody."""

from __future__ import annotations

import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacn.messages.data_packet import DataPacket as SacnPacket
from sacn.messages.sync_packet import SyncPacket as SacnSync
from sacn.messages.universe_discovery import UniverseDiscoveryPacket as SacnDiscovery

from installation.control.dmx.e131 import DataPacket, Extended, multicast_group, parse_e131
from installation.control.dmx.frames import DmxError
from tests.control.dmx.datagrams import CID, e131, e131_discovery, e131_sync

# The packet of appendix B of ANSI E1.31, with three slots instead of 512.
APPENDIX_B = bytes.fromhex(
    "0010" "0000" "4153432d45312e3137000000" "7071" "00000004" "ef07c8dd00644404a3a2459ef8e6143e"
    "705b" "00000002" + b"Source_A".hex().ljust(128, "0") + "64" "1f1a" "9a" "00" "0001"
    "700e" "02" "a1" "0000" "0001" "0004" "00" "0a14ff"
)  # fmt: skip


def test_a_packet_byte_by_byte() -> None:
    assert parse_e131(APPENDIX_B) == DataPacket(
        cid=UUID("ef07c8dd-0064-4404-a3a2-459ef8e6143e"),
        source_name="Source_A",
        priority=100,
        sync_address=7962,
        sequence=154,
        preview=False,
        terminated=False,
        universe=1,
        start_code=0,
        slots=bytes([10, 20, 255]),
    )


def test_a_whole_universe_is_638_bytes() -> None:
    data = e131(bytes(range(256)) * 2, universe=63_999, priority=200, sequence=255)
    assert len(data) == 638
    packet = parse_e131(data)
    assert isinstance(packet, DataPacket)
    assert (packet.universe, packet.priority, packet.sequence) == (63_999, 200, 255)
    assert packet.slots == bytes(range(256)) * 2


@pytest.mark.parametrize(
    ("options", "preview", "terminated"), [(0x80, True, False), (0x40, False, True), (0x20, False, False)]
)
def test_options(options: int, preview: bool, terminated: bool) -> None:
    packet = parse_e131(e131(options=options))
    assert isinstance(packet, DataPacket)
    assert (packet.preview, packet.terminated) == (preview, terminated)


def test_only_levels_are_live() -> None:
    frames = [e131(), e131(start_code=0xDD), e131(options=0x80)]
    assert [parse_e131(data).frame.live for data in frames] == [True, False, False]  # type: ignore[union-attr]


def test_no_slots_at_all() -> None:
    packet = parse_e131(e131(b""))
    assert isinstance(packet, DataPacket)
    assert packet.slots == b""


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (b"QLC+ \xc3\xa9", "QLC+ é"),
        (b"x" * 64, "x" * 64),  # without the zero the standard wants
        (b"a\0b", "a"),
        (b"\xff\x1b[2J", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2J"),
        (b"", str(UUID(bytes=CID))),
    ],
)
def test_a_name_is_fit_for_people(name: bytes, read: str) -> None:
    packet = parse_e131(e131(name=name))
    assert isinstance(packet, DataPacket)
    assert packet.frame.name == read


def test_packets_that_change_no_level_are_known() -> None:
    assert parse_e131(e131_sync()) is Extended.SYNC
    assert parse_e131(e131_discovery()) is Extended.DISCOVERY
    assert parse_e131(e131_discovery(*range(1, 513))) is Extended.DISCOVERY
    assert parse_e131(bytes(SacnSync(tuple(CID), 7962, 3).getBytes())) is Extended.SYNC
    discovery = SacnDiscovery(tuple(CID), "them", tuple(range(1, 20)))
    assert parse_e131(bytes(discovery.getBytes())) is Extended.DISCOVERY


@pytest.mark.parametrize(
    ("at", "bytes_there", "why"),
    [
        (0, b"\x00\x11", "identifier"),
        (2, b"\x00\x01", "identifier"),
        (4, b"ASC-E1.18", "identifier"),
        (16, b"\x72\x6d", "root layer"),
        (16, b"\x62\x6e", "root layer"),
        (18, b"\x00\x00\x00\x05", "root vector 5"),
        (38, b"\x72\x57", "framing layer"),
        (40, b"\x00\x00\x00\x01", "framing vector 1"),
        (108, b"\xc9", "priority 201"),
        (113, b"\x00\x00", "universe 0"),
        (113, b"\xfa\x00", "universe 64000"),
        (115, b"\x72\x0a", "DMP layer"),
        (117, b"\x01", "no slots in a row"),
        (118, b"\xa2", "no slots in a row"),
        (119, b"\x00\x01", "no slots in a row"),
        (121, b"\x00\x02", "no slots in a row"),
        (123, b"\x02\x00", "512 properties, 512 slots"),
    ],
)
def test_one_wrong_field_is_enough(at: int, bytes_there: bytes, why: str) -> None:
    data = bytearray(e131())
    data[at : at + len(bytes_there)] = bytes_there
    with pytest.raises(DmxError, match=why):
        parse_e131(bytes(data))


def test_too_many_slots() -> None:
    assert isinstance(parse_e131(e131(bytes(512))), DataPacket)
    with pytest.raises(DmxError, match="at most 512"):
        parse_e131(e131(bytes(513)))


def test_every_shorter_datagram_is_refused() -> None:
    for whole in (e131(bytes(4)), e131_sync(), e131_discovery(1)):
        for size in range(len(whole)):
            with pytest.raises(DmxError):
                parse_e131(whole[:size])
        with pytest.raises(DmxError):
            parse_e131(whole + b"\0")


def test_multicast_groups() -> None:
    assert [multicast_group(universe) for universe in (1, 256, 63_999)] == [
        "239.255.0.1",
        "239.255.1.0",
        "239.255.249.255",
    ]


@given(
    st.binary(min_size=1, max_size=512),
    st.integers(1, 63_999),
    st.integers(0, 200),
    st.integers(0, 255),
    st.integers(0, 255),
    st.tuples(st.booleans(), st.booleans()),
)
def test_what_another_implementation_sends_is_read(
    slots: bytes, universe: int, priority: int, sequence: int, start_code: int, options: tuple[bool, bool]
) -> None:
    preview, terminated = options
    sent = SacnPacket(
        tuple(CID), "Pult", universe, tuple(slots), priority, sequence, terminated, preview, dmxStartCode=start_code
    )
    packet = parse_e131(bytes(sent.getBytes()))
    padded = slots.ljust(512, b"\0")  # theirs always sends 512
    assert packet == DataPacket(
        UUID(bytes=CID), "Pult", priority, 0, sequence, preview, terminated, universe, start_code, padded
    )


@given(st.binary(max_size=700))
def test_noise(data: bytes) -> None:
    with pytest.raises(DmxError):
        parse_e131(data)


@given(st.integers(0, 141), st.binary(min_size=1, max_size=4), st.integers(0, 160))
def test_damage(at: int, patch: bytes, size: int) -> None:
    data = bytearray(e131(bytes(16)))
    data[at : at + len(patch)] = patch
    damaged = bytes(data[:size])
    try:
        packet = parse_e131(damaged)
    except DmxError:
        return
    assert isinstance(packet, DataPacket)
    assert len(packet.slots) <= 512 and 1 <= packet.universe <= 63_999 and packet.priority <= 200
    assert packet.frame.name.isprintable()


def test_lengths_beyond_twelve_bits_fool_nobody() -> None:
    data = e131(bytes(512)) + bytes(4096)
    root = struct.pack(">H", 7 << 12 | (len(data) - 16) & 0x0FFF)
    with pytest.raises(DmxError):
        parse_e131(data[:16] + root + data[18:])
