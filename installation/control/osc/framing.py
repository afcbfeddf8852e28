"""OSC over a stream of bytes: where one packet ends and the next begins. Without sockets: bytes in, packets out.

Three framings are in the field, told apart by the first byte: a length before each packet (OSC 1.0; the length is below
2^24, so it begins with 0), SLIP with END at both ends (OSC 1.1; begins with END), and SLIP with END only behind (begins
with the packet itself, `/` or `#`). What is kept of an unfinished packet is bounded; a stream that breaks the rules
cannot be found back into and ends.

Sources: The Open Sound Control 1.0 Specification; Features and Future of Open Sound Control version 1.1 for NIME
(Freed and Schmeder, 2009); RFC 1055 (SLIP).
"""

from __future__ import annotations

from enum import StrEnum

from installation.control.osc.packets import MAX_PACKET

END = b"\xc0"
ESCAPE = b"\xdb"
_ESCAPED_END = b"\xdb\xdc"
_ESCAPED_ESCAPE = b"\xdb\xdd"
_MEANT = {0xDC: END, 0xDD: ESCAPE}
_LENGTH = 4  # bytes


class FramingError(Exception):
    """This stream is not OSC, or more of it than we take."""


class Framing(StrEnum):
    """How packets are told apart. A show names the first two."""

    LENGTH = "length"
    SLIP = "slip"  # END on both sides
    SLIP_BEHIND = "slip-behind"  # END only behind


def framed(packet: bytes, framing: Framing) -> bytes:
    """One packet, ready for a stream."""
    if framing is Framing.LENGTH:
        return len(packet).to_bytes(_LENGTH, "big") + packet
    body = packet.replace(ESCAPE, _ESCAPED_ESCAPE).replace(END, _ESCAPED_END) + END
    return END + body if framing is Framing.SLIP else body


def detected(first: int) -> Framing:
    """The framing of a stream that begins with this byte. Raises FramingError."""
    match first:
        case 0x00:
            return Framing.LENGTH
        case 0xC0:
            return Framing.SLIP
        case 0x2F | 0x23:  # "/" or "#"
            return Framing.SLIP_BEHIND
    raise FramingError(f"a stream that begins with {first:#04x}; 0x00 (length), 0xc0 (SLIP), '/' or '#'")


class Unframer:
    """One stream, piece by piece. Every byte is looked at once or twice, however small the pieces."""

    def __init__(self, framing: Framing | None = None) -> None:
        self.framing = framing  # None: not known before the first byte
        self._unfinished = bytearray()

    @property
    def is_inside(self) -> bool:
        """Whether a packet has begun and not ended."""
        return bool(self._unfinished)

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are complete now. Raises FramingError; the stream cannot go on after that."""
        if not data:
            return []
        if self.framing is None:
            self.framing = detected(data[0])
        return self._by_length(data) if self.framing is Framing.LENGTH else self._by_end(data)

    def _by_length(self, data: bytes) -> list[bytes]:
        held = self._unfinished
        held += data
        packets: list[bytes] = []
        at = 0
        while len(held) - at >= _LENGTH:
            size = int.from_bytes(held[at : at + _LENGTH], "big")
            if not 0 < size <= MAX_PACKET:
                raise FramingError(f"a packet of {size} bytes; 1 to {MAX_PACKET}")
            if len(held) - at - _LENGTH < size:
                break
            packets.append(bytes(held[at + _LENGTH : at + _LENGTH + size]))
            at += _LENGTH + size
        del held[:at]
        return packets

    def _by_end(self, data: bytes) -> list[bytes]:
        *ended, rest = data.split(END)
        packets: list[bytes] = []
        for part in ended:
            self._hold(part)
            if self._unfinished:  # nothing stands between the END before and the END behind
                packets.append(_unescaped(bytes(self._unfinished)))
                self._unfinished.clear()
        self._hold(rest)
        return packets

    def _hold(self, part: bytes) -> None:
        if len(self._unfinished) + len(part) > 2 * MAX_PACKET:  # each byte may be escaped
            raise FramingError(f"a packet without its end after {2 * MAX_PACKET} bytes")
        self._unfinished += part


def _unescaped(body: bytes) -> bytes:
    first, *others = body.split(ESCAPE)
    parts = [first]
    for part in others:
        if not part or part[0] not in _MEANT:
            raise FramingError("an escape that is none")
        parts += (_MEANT[part[0]], part[1:])
    return b"".join(parts)
