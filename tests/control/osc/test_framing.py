"""Packets in streams: any pieces, any framing, and nothing kept of what never ends."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.control.osc.framing import Framing, FramingError, Unframer, framed
from installation.control.osc.packets import MAX_PACKET
from tests.control.packets import floats, padded

PACKETS = (padded("/ai/go"), floats("/ai/brightness", 0.5), b"/x\0\0,b\0\0\0\0\0\x04\xc0\xdb\xdc\xdd")


def pieces(data: bytes, rng: random.Random) -> list[bytes]:
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(10))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("framing", Framing)
def test_any_pieces_give_the_packets(framing: Framing) -> None:
    stream = b"".join(framed(packet, framing) for packet in PACKETS)
    rng = random.Random(1)
    for _ in range(200):
        unframer = Unframer()
        found = [packet for piece in pieces(stream, rng) for packet in unframer.feed(piece)]
        assert found == list(PACKETS)
        assert unframer.framing is framing
        assert not unframer.is_inside


@given(st.binary(min_size=1, max_size=300))
def test_slip_carries_anything(packet: bytes) -> None:
    unframer = Unframer(Framing.SLIP)
    assert unframer.feed(framed(packet, Framing.SLIP) + b"\xc0" + framed(packet, Framing.SLIP_BEHIND)) == [packet] * 2


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_any_bytes_give_packets_or_the_one_error(stream: list[bytes]) -> None:
    unframer = Unframer()
    try:
        for piece in stream:
            unframer.feed(piece)
    except FramingError:
        pass


@pytest.mark.parametrize(
    ("stream", "wrong"),
    [
        (b"GET / HTTP/1.1\r\n", "begins with 0x47"),
        (b"\0\0\0\0", "of 0 bytes"),
        (b"\0\x7f\xff\xff", "of 8388607 bytes"),
        (b"\xc0/a\xdb\x01\xc0", "escape"),
        (b"\xc0/a\xdb\xc0", "escape"),
        (b"/" * (2 * MAX_PACKET + 1), "without its end"),
    ],
)
def test_what_breaks_the_rules_ends_the_stream(stream: bytes, wrong: str) -> None:
    with pytest.raises(FramingError, match=wrong):
        Unframer().feed(stream)


def test_an_end_that_never_comes_is_not_waited_for() -> None:
    unframer = Unframer()
    with pytest.raises(FramingError):
        for _ in range(10_000):
            unframer.feed(b"/" * 100)
