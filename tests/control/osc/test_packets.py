from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from installation.control.osc import packets as osc
from installation.control.osc.packets import Bundle, Colour, Infinitum, Message, Midi, OscError, TimeTag, decode_packet
from tests.control.packets import bundle, floats, message, padded


def decode_message(data: bytes) -> Message:
    packet = decode_packet(data)
    assert isinstance(packet, Message)
    return packet


@pytest.mark.parametrize(
    ("tags", "payload", "expected"),
    [
        ("i", struct.pack(">i", -3), (-3,)),
        ("f", struct.pack(">f", 0.5), (0.5,)),
        ("s", padded("tramp"), ("tramp",)),
        ("s", padded("Größe"), ("Größe",)),
        ("S", padded("symbol"), ("symbol",)),
        ("b", struct.pack(">i", 3) + b"abc\0", (b"abc",)),
        ("b", struct.pack(">i", 0), (b"",)),
        ("h", struct.pack(">q", -(2**40)), (-(2**40),)),
        ("d", struct.pack(">d", 1e300), (1e300,)),
        ("T", b"", (True,)),
        ("F", b"", (False,)),
        ("N", b"", (None,)),
        ("I", b"", (Infinitum.IMPULSE,)),
        ("t", struct.pack(">Q", 1), (TimeTag(1),)),
        ("c", struct.pack(">I", ord("x")), ("x",)),
        ("r", b"\1\2\3\4", (Colour(b"\1\2\3\4"),)),
        ("m", b"\0\x90\x40\x7f", (Midi(b"\0\x90\x40\x7f"),)),
        ("[if]T", struct.pack(">if", 1, 0.5), ((1, 0.5), True)),
        ("i[[s]]", struct.pack(">i", 7) + padded("a"), (7, (("a",),))),
        ("cSi", struct.pack(">I", 65) + padded("b") + struct.pack(">i", 9), ("A", "b", 9)),
    ],
)
def test_every_type_is_read(tags: str, payload: bytes, expected: tuple[osc.Argument, ...]) -> None:
    assert decode_message(message("/x", tags, payload)).arguments == expected


def test_an_address_alone_and_one_with_empty_tags() -> None:
    assert decode_packet(padded("/ai/go")) == Message("/ai/go")
    assert decode_packet(padded("/ai/go") + padded(",")) == Message("/ai/go")


def test_without_tags_the_data_is_a_blob() -> None:
    assert decode_packet(padded("/ai/brightness") + b"\x3f\0\0\0") == Message("/ai/brightness", (b"\x3f\0\0\0",))


def test_bundles_nest_in_order() -> None:
    data = bundle(1, floats("/a", 1), bundle(2 << 32, floats("/b", 2)), floats("/c", 3))
    assert decode_packet(data) == Bundle(
        1, (Message("/a", (1.0,)), Bundle(2 << 32, (Message("/b", (2.0,)),)), Message("/c", (3.0,)))
    )


def test_time_tags_are_wall_time() -> None:
    assert osc.unix_ns(osc.NTP_TO_UNIX_S << 32) == 0
    for wall_ns in (0, 1, 1_763_780_000_123_456_789):
        assert abs(osc.unix_ns(osc.time_tag(wall_ns)) - wall_ns) <= 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "multiple of 4"),
        (b"/a", "multiple of 4"),
        (b"abcd", "neither"),
        (b"/abc", "without its end"),
        (b"/a\0x", "padded"),
        (b"/a b\x7f\0\0\0", "printable"),
        (padded(b"/\xff\xfe"), "UTF-8"),
        (padded("/grün"), "printable"),
        (padded("/" + "a" * 600), "at most 512"),
        (message("/a", "s", b"\xff\xff\0\0"), "UTF-8"),
        (message("/a", "f", b"\0\0"), "multiple of 4"),
        (message("/a", "ff", b"\0\0\0\0"), "4 bytes for 2 numbers"),
        (message("/a", "c", b"\0\0\0\0"), "character with code 0"),
        (message("/a", "c", b"\0\0\0\x80"), "character with code 128"),
        (message("/a", "fs", b"\0\0\0\0"), "without its end"),
        (message("/a", "fT", b""), "0 bytes left"),
        (message("/a", "i", b"\0" * 8), "8 bytes for 1"),
        (message("/a", "T", b"\0" * 4), "after the last"),
        (message("/a", "b", struct.pack(">i", -4)), "a blob of -4"),
        (message("/a", "b", struct.pack(">i", 100) + b"abcd"), "left for an argument of 100"),
        (message("/a", "b", struct.pack(">i", 3) + b"abcd"), "padded"),
        (message("/a", "c", struct.pack(">I", 0xD800)), "ASCII only"),
        (message("/a", "q"), "unknown type"),
        (message("/a", "["), "without its end"),
        (message("/a", "]"), "before it starts"),
        (message("/a", "[" * 9 + "]" * 9), "arrays nest deeper"),
        (message("/a", "T" * 1281), "at most 1280"),
        (b"#bundle\0\0\0\0\0", "time tag"),
        (bundle(1) + struct.pack(">i", -4), "-4 bytes"),
        (bundle(1) + struct.pack(">i", 0), "0 bytes"),
        (bundle(1) + struct.pack(">i", 6) + b"/a\0\0\0\0\0\0", "6 bytes"),
        (bundle(1) + struct.pack(">i", 64) + padded("/a"), "64 bytes"),
        (bundle(1, *[padded("/a")] * 513), "more than 512"),
        (bundle(1, b"abc\0"), "start with '/'"),
        (b"/" * (osc.MAX_PACKET + 4), "at most 65536"),
    ],
)
def test_malformed_is_one_error(data: bytes, why: str) -> None:
    with pytest.raises(OscError, match=why):
        decode_packet(data)


def test_nesting_is_capped() -> None:
    data = bundle(1)
    for _ in range(7):
        data = bundle(1, data)
    decode_packet(data)
    with pytest.raises(OscError, match="nest deeper"):
        decode_packet(bundle(1, data))


def test_a_latent_of_1024_floats_fits() -> None:
    assert len(decode_message(floats("/ai/latent", *[0.25] * 1024)).arguments) == 1024


arguments = st.lists(
    st.one_of(
        st.integers(-(2**31), 2**31 - 1),
        st.integers(2**33, 2**62),
        st.floats(width=32, allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        st.binary(min_size=1, max_size=40),
        st.booleans(),
        st.none(),
    ),
    max_size=20,
)


@given(arguments)
@settings(max_examples=100, deadline=None)
def test_what_python_osc_builds_is_read(values: list[int | float | str | bytes | bool | None]) -> None:
    builder = OscMessageBuilder("/ai/x")
    for value in values:
        builder.add_arg(value)
    built: OscMessage = builder.build()
    assert list(decode_message(built.dgram).arguments) == values


SEEDS = [
    floats("/ai/brightness", 0.5, 3.0),
    message(
        "/ai/x", "[if]sbSc", b"\0" * 16 + padded("abc") + struct.pack(">i", 1) + b"x\0\0\0" + padded("q") + b"\0" * 4
    ),
    bundle(1, floats("/a", 1), bundle(9 << 40, message("/b", "TFNI"), bundle(1))),
]


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(lambda tail: b"#bundle\0" + tail)))
@settings(max_examples=300, deadline=None)
def test_any_bytes_decode_or_raise_osc_error(data: bytes) -> None:
    decode_or_refuse(data)


@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_packets_decode_or_raise_osc_error(seed: bytes, data: st.DataObject) -> None:
    mutated = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    decode_or_refuse(bytes(mutated[: data.draw(st.integers(0, len(mutated)))]))
    decode_or_refuse(bytes(mutated))


def decode_or_refuse(data: bytes) -> None:
    try:
        packet = decode_packet(data)
    except OscError as error:
        assert str(error)
    else:
        assert isinstance(packet, Message | Bundle)


def test_nan_is_osc() -> None:
    """What a NaN means is for the methods to refuse."""
    (value,) = decode_message(floats("/a", math.nan)).arguments
    assert isinstance(value, float)
    assert math.isnan(value)
