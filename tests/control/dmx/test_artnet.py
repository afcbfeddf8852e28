"""Art-Net read from bytes, and our ArtPollReply as another implementation and the document read it."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

import pytest
from aioartnet import ArtNetClient
from aioartnet.client import ArtNetClientProtocol
from hypothesis import given
from hypothesis import strategies as st

from installation.control.dmx.artnet import (
    ArtDmx,
    ArtOther,
    ArtPoll,
    Node,
    PortState,
    build_poll_reply,
    parse_artnet,
)
from installation.control.dmx.frames import DmxError
from tests.control.dmx.datagrams import art_dmx, art_poll, art_sync

QUIET = PortState(receiving=False, merging=False, replies=1)


def node(universe: int = 1) -> Node:
    return Node(IPv4Address("192.168.10.5"), universe, "Afterimage")


def test_levels_byte_by_byte() -> None:
    data = b"Art-Net\x00" + bytes.fromhex("0050000e9a0231120004") + b"\x0a\x14\xff\x00"
    assert parse_artnet(data) == ArtDmx(0x9A, 2, 0x1231, bytes([10, 20, 255, 0]))


def test_what_follows_the_last_slot_is_not_there() -> None:
    packet = parse_artnet(art_dmx(b"\1\2") + b"\xff\xff")
    assert isinstance(packet, ArtDmx)
    assert packet.slots == b"\1\2"


def test_a_source_is_an_address_and_a_port_of_it() -> None:
    one, other = parse_artnet(art_dmx()), parse_artnet(art_dmx(physical=1))
    assert isinstance(one, ArtDmx) and isinstance(other, ArtDmx)
    assert one.frame("10.0.0.1").source != one.frame("10.0.0.2").source
    assert one.frame("10.0.0.1").source != other.frame("10.0.0.1").source


def test_who_does_not_count_has_no_sequence() -> None:
    numbers = [parse_artnet(art_dmx(sequence=number)).frame("10.0.0.1").sequence for number in (0, 1, 255)]  # type: ignore[union-attr]
    assert numbers == [None, 1, 255]


def test_polls_old_and_new() -> None:
    assert parse_artnet(art_poll()) == ArtPoll(0, 32_767)
    assert parse_artnet(art_poll(0x20)) == ArtPoll(0, 32_767)  # targeted, without targets
    assert parse_artnet(art_poll(0x02, (7, 5))) == ArtPoll(0, 32_767)  # targets, not targeted
    assert parse_artnet(art_poll(0x22, (7, 5))) == ArtPoll(5, 7)


def test_the_rest_is_known_and_nothing() -> None:
    assert parse_artnet(art_sync()) == ArtOther(0x5200)
    assert parse_artnet(build_poll_reply(node(), QUIET)) == ArtOther(0x2100)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "too few"),
        (b"Art-Net", "too few"),
        (b"art-net\0\x00\x50", "identifier"),
        (b"Art-Net\0\x00\x50\x00\x0e\0\0", "too few for ArtDmx"),
        (b"Art-Net\0\x00\x20\x00\x0e", "too few for ArtPoll"),
        (art_dmx(version=13), "version 13"),
        (art_dmx(b""), "0 slots"),
        (art_dmx(bytes(513)), "513 slots"),
        (art_dmx(bytes(8))[:-1], "8 slots where 7"),
        (art_dmx(universe=0x8000), "net 128"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, why: str) -> None:
    with pytest.raises(DmxError, match=why):
        parse_artnet(data)


@given(st.binary(max_size=600) | st.binary(max_size=600).map(lambda noise: b"Art-Net\0" + noise))
def test_noise(data: bytes) -> None:
    try:
        packet = parse_artnet(data)
    except DmxError:
        return
    if isinstance(packet, ArtDmx):
        assert 1 <= len(packet.slots) <= 512 and 0 <= packet.universe <= 32_767


@given(st.integers(0, 32_767), st.binary(min_size=1, max_size=512), st.integers(0, 255), st.integers(0, 255))
def test_there_and_back(universe: int, slots: bytes, sequence: int, physical: int) -> None:
    data = art_dmx(slots, universe=universe, sequence=sequence, physical=physical)
    assert parse_artnet(data) == ArtDmx(sequence, physical, universe, slots)


class TestPollReply:
    def test_fields_where_the_document_has_them(self) -> None:
        reply = build_poll_reply(node(0x1231), PortState(receiving=True, merging=True, replies=12_345))
        assert len(reply) == 239
        assert reply[:10] == b"Art-Net\x00\x00\x21"
        assert reply[10:14] == bytes([192, 168, 10, 5])
        assert reply[14:16] == b"\x36\x19"  # port 6454, low byte first
        assert (reply[18], reply[19]) == (0x12, 0x3)  # net, sub-net
        assert reply[26:44].rstrip(b"\0") == b"Afterimage"
        assert reply[44:108].rstrip(b"\0") == b"Afterimage"
        assert reply[108:172].startswith(b"#0001 [2345] ")
        assert struct.unpack(">H", reply[172:174]) == (1,)
        assert reply[174:178] == b"\x80\0\0\0"  # port type: an output of DMX512
        assert reply[182:186] == b"\x88\0\0\0"  # data comes, from two
        assert reply[190:194] == b"\x01\0\0\0"  # the universe's low four bits
        assert reply[200] == 0  # style: a node
        assert reply[207:211] == bytes([192, 168, 10, 5])
        assert reply[211] == 1
        assert reply[212] & 0x08  # knows port-addresses of 15 bits

    def test_quiet(self) -> None:
        assert build_poll_reply(node(), QUIET)[182] == 0

    @pytest.mark.parametrize("universe", [0, 1, 15, 16, 255, 256, 0x1231, 32_767])
    def test_another_implementation_finds_our_port(self, universe: int) -> None:
        """As a desk does that sends only to nodes it has discovered."""
        client = ArtNetClient()
        desk = ArtNetClientProtocol(client)
        desk.on_art_poll_reply(("192.168.10.5", 6454), build_poll_reply(node(universe), QUIET)[10:])
        (found,) = client.get_nodes()
        assert (found.ip, found.portName, found.longName) == ("192.168.10.5", "Afterimage", "Afterimage")
        assert [(port.is_input, port.universe.portaddress) for port in found.ports] == [(False, universe)]
        assert client.universes[universe].subscribers == [found]
