"""OSC 1.0 and the part of 1.1 that is in the field, decoded strictly: bytes become messages, or raise one `OscError`.

This is our own because no datagram may hang, crash or silently lose arguments, and the parser of python-osc 1.10 does
all three: it loops for ever on a negative element size, sleeps on future time tags, lets RecursionError and
UnicodeDecodeError out, and misreads what follows a `c` or an `S`. Sizes, nesting and counts are capped here, so that
everything after may trust what it gets. Building messages is python-osc's (`installation.control.osc.messages`).

Sources: The Open Sound Control 1.0 Specification (Wright, 2002); Features and Future of Open Sound Control version 1.1
for NIME (Freed and Schmeder, 2009).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

MAX_PACKET = 65_536  # bytes: a whole UDP datagram
MAX_DEPTH = 8  # bundles within bundles, arrays within arrays
MAX_ELEMENTS = 512  # messages and bundles in one packet
MAX_ARGUMENTS = 256 + 1024  # of one message: a latent of 1024 floats and some more
MAX_ADDRESS = 512  # characters

IMMEDIATELY = 1  # the time tag that means "now"
NTP_TO_UNIX_S = 2_208_988_800  # from 1900-01-01 to 1970-01-01
_BUNDLE = b"#bundle\0"


class OscError(Exception):
    """These bytes are not OSC, or more of it than we take."""


class Infinitum(Enum):
    """The argument `I`: also called impulse or bang."""

    IMPULSE = "impulse"


@dataclass(frozen=True, slots=True)
class TimeTag:
    """An NTP time: seconds since 1900 in 2^-32."""

    ntp: int


@dataclass(frozen=True, slots=True)
class Colour:
    """Red, green, blue, alpha, 0-255."""

    rgba: bytes


@dataclass(frozen=True, slots=True)
class Midi:
    """Port, status, data 1, data 2."""

    data: bytes


# `S` and `c` become str, `h` int, `d` float, `T` and `F` bool, `N` None, `[...]` a tuple.
Argument = int | float | str | bytes | bool | None | Infinitum | TimeTag | Colour | Midi | tuple["Argument", ...]


@dataclass(frozen=True, slots=True)
class Message:
    """An address (which may be a pattern) and its arguments."""

    address: str
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """What belongs together, at a time."""

    time_tag: int
    elements: tuple[Packet, ...]


Packet = Message | Bundle


def decode_packet(data: bytes) -> Packet:
    """One datagram's worth of OSC. Raises OscError, and nothing else, whatever the bytes."""
    if len(data) > MAX_PACKET:
        raise OscError(f"{len(data)} bytes; at most {MAX_PACKET}")
    if not data or len(data) % 4:
        raise OscError(f"{len(data)} bytes is not a multiple of 4")
    if data[0] == 0x2F:  # "/"
        return _message(data, 0, len(data))
    if data.startswith(_BUNDLE):
        return _Bundles(data).bundle(0, len(data), 1)
    raise OscError("starts neither with '/' nor with '#bundle'")


def unix_ns(time_tag: int) -> int:
    """An NTP time tag in nanoseconds since 1970-01-01 UTC."""
    return (time_tag * 1_000_000_000 >> 32) - NTP_TO_UNIX_S * 1_000_000_000


def time_tag(wall_ns: int) -> int:
    """The NTP time tag of a wall time in nanoseconds since 1970-01-01 UTC."""
    return -((-(wall_ns + NTP_TO_UNIX_S * 1_000_000_000) << 32) // 1_000_000_000)


class _Bundles:
    """The bundles of one packet; counts their elements."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._elements = 0

    def bundle(self, start: int, end: int, depth: int) -> Bundle:
        if depth > MAX_DEPTH:
            raise OscError(f"bundles nest deeper than {MAX_DEPTH}")
        if end - start < 16:
            raise OscError("a bundle without a time tag")
        tag = int.from_bytes(self._data[start + 8 : start + 16], "big")
        elements = []
        at = start + 16
        while at < end:
            size = int.from_bytes(self._data[at : at + 4], "big", signed=True)
            at += 4
            if size <= 0 or size % 4 or size > end - at:
                raise OscError(f"a bundle element of {size} bytes where {end - at} are left")
            elements.append(self._element(at, at + size, depth))
            at += size
        return Bundle(tag, tuple(elements))

    def _element(self, start: int, end: int, depth: int) -> Packet:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise OscError(f"more than {MAX_ELEMENTS} elements in one packet")
        if self._data.startswith(_BUNDLE, start, end):
            return self.bundle(start, end, depth + 1)
        return _message(self._data, start, end)


def _message(data: bytes, start: int, end: int) -> Message:
    address, at = _string(data, start, end)
    if not address.startswith("/"):
        raise OscError("an address that does not start with '/'")
    if len(address) > MAX_ADDRESS:
        raise OscError(f"an address of {len(address)} characters; at most {MAX_ADDRESS}")
    if not (address.isascii() and address.isprintable()):
        raise OscError("an address with characters that are not printable ASCII")
    if at == end:
        return Message(address)
    if data[at] != 0x2C:  # "," is missing: an old sender. What it sent has no types, so it is a blob.
        return Message(address, (data[at:end],))
    tags, at = _string(data, at, end)
    return Message(address, _arguments(tags[1:], data, at, end))


def _string(data: bytes, start: int, end: int) -> tuple[str, int]:
    """A string padded with zeros to four bytes, and where the next thing starts."""
    stop = data.find(0, start, end)
    if stop < 0:
        raise OscError("a string without its end")
    after = stop + 4 - (stop - start) % 4
    if after > end or any(data[stop:after]):
        raise OscError("a string that is not padded with zeros to 4 bytes")
    try:
        return data[start:stop].decode("utf-8"), after
    except UnicodeDecodeError:
        raise OscError("a string that is not UTF-8") from None


_NUMBERS = frozenset("if")


def _arguments(tags: str, data: bytes, at: int, end: int) -> tuple[Argument, ...]:
    if len(tags) > MAX_ARGUMENTS:
        raise OscError(f"{len(tags)} arguments; at most {MAX_ARGUMENTS}")
    if _NUMBERS.issuperset(tags):  # nearly everything in the field, latents too
        if end - at != 4 * len(tags):
            raise OscError(f"{end - at} bytes for {len(tags)} numbers of 4")
        return struct.unpack_from(f">{tags}", data, at)
    reader = _Reader(data, at, end)
    values = reader.arguments(tags)
    if reader.at != end:
        raise OscError(f"{end - reader.at} bytes after the last argument")
    return values


_CONSTANTS: dict[str, Argument] = {"T": True, "F": False, "N": None, "I": Infinitum.IMPULSE}


class _Reader:
    """The arguments of one message, of any type, one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self.at = at
        self._end = end

    def arguments(self, tags: str) -> tuple[Argument, ...]:
        """All of them; `[` and `]` make tuples."""
        open_arrays: list[list[Argument]] = [[]]
        for tag in tags:
            if tag == "[":
                if len(open_arrays) > MAX_DEPTH:
                    raise OscError(f"arrays nest deeper than {MAX_DEPTH}")
                open_arrays.append([])
            elif tag == "]":
                if len(open_arrays) == 1:
                    raise OscError("an array that ends before it starts")
                closed = tuple(open_arrays.pop())
                open_arrays[-1].append(closed)
            elif tag in _CONSTANTS:
                open_arrays[-1].append(_CONSTANTS[tag])
            else:
                open_arrays[-1].append(self._argument(tag))
        if len(open_arrays) > 1:
            raise OscError("an array without its end")
        return tuple(open_arrays[0])

    def _argument(self, tag: str) -> Argument:
        match tag:
            case "i":
                return int.from_bytes(self._take(4), "big", signed=True)
            case "h":
                return int.from_bytes(self._take(8), "big", signed=True)
            case "f":
                return float(struct.unpack(">f", self._take(4))[0])
            case "d":
                return float(struct.unpack(">d", self._take(8))[0])
            case "s" | "S":
                text, self.at = _string(self._data, self.at, self._end)
                return text
            case "b":
                return self._blob()
            case "c":
                return self._character()
            case "t":
                return TimeTag(int.from_bytes(self._take(8), "big"))
            case "r":
                return Colour(self._take(4))
            case "m":
                return Midi(self._take(4))
        raise OscError(f"an argument of unknown type {tag!r}")

    def _take(self, size: int) -> bytes:
        if self._end - self.at < size:
            raise OscError(f"{self._end - self.at} bytes left for an argument of {size}")
        self.at += size
        return self._data[self.at - size : self.at]

    def _blob(self) -> bytes:
        size = int.from_bytes(self._take(4), "big", signed=True)
        if size < 0:
            raise OscError(f"a blob of {size} bytes")
        blob = self._take(size)
        if any(self._take(-size % 4)):
            raise OscError("a blob that is not padded with zeros to 4 bytes")
        return blob

    def _character(self) -> str:
        code = int.from_bytes(self._take(4), "big")
        if not 0 < code <= 0x7F:  # 0 would end every text that it is put into
            raise OscError(f"a character with code {code}; ASCII only, 1 to 127")
        return chr(code)
