"""What is mutated, how, and a map for it to go through. Everything follows from a seed."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Sequence

from installation.control.mapping.rules import MapRule
from installation.control.methods.addresses import AddressSpace
from installation.control.osc.messages import build_message
from installation.control.osc.packets import time_tag
from installation.show.config_mapping import MapTable
from tests.control.dmx.datagrams import art_dmx, art_poll, art_sync, e131, e131_discovery, e131_sync
from tests.control.packets import bundle, floats, message, padded
from tests.control.rooms import NAMES

SECOND = 1_000_000_000
SENSED = {"rank": "sensor", "input": [20, 400], "output": [-1, 1]}
MAP = (
    {"from": "/eos/out/event/cue/1/{cue}/fire", "do": "scene/{cue}", "table": {"5": "tramp", "5.5": "visit"}},
    {"from": "/d3/cue", "do": "cue/{1}", "dedupe": 2},
    {"from": "/14.14.1.7.3", "do": "scene/{3}", "when": ["Go+", 1, "*"], "table": {"3 1 Intro": "tramp"}},
    {"from": "/{page}/film", "do": "film/{page}"},
    {"from": "/{where}/dmx/{channel}", "do": "brightness {value}"},
    {"from": "/room/{which}/distance", "do": "steer/{which} {value}", "smooth": 0.5, "stuck": 30, **SENSED},
    {"from": "/room/presence", "do": "scene/visit", "rank": "sensor", "above": 0.6, "below": 0.4, "hold": 1},
    {"from": "/pair", "do": "volume {value}", "argument": 2, "input": [0, 100], "output": [0, 1], "curve": 2.2},
)
FOREIGN = (
    *("/eos/out/event/cue/1/5/fire", "/eos/out/active/cue/1/5", "/d3/cue", "/14.14.1.7.3", "/tramp/film", "/0/dmx/0"),
    *("/room/1/distance", "/room/presence", "/pair", "/nobody"),
)
PATTERNS = ("/ai/*", "//brightness", "/ai/{film,scene}/t*", "/ai/steer/[1-8]", "/ai/s[!a-s]eer/?", "/*/*")
ARGUMENTS: tuple[tuple[int | float | str | bytes | bool, ...], ...] = (
    *((), (1,), (0,), (0.5,), (1.0, 3.0), ("tramp",), ("visit", 2.0), (True,), (9001, 5), ("manual",)),
    *(("Go+", 1, "3 1 Intro"), (12, 50.0), (b"\x3f\x80\0\0" * 8,), (2**40,), (1e300,), ("2.0",), (-1,), (101,)),
)
WORDS = (0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC, 0x7FC00000, 0x7F800000, 0x00010000, 0x2F000000)
BYTES = b"\x00\x01\x23\x2c\x2f\x2a\x5b\x5d\x7b\x7d\x7f\x80\xc0\xdb\xdc\xdd\xff"
LONGEST = 65_507  # bytes of a datagram


def fuzz_rules() -> tuple[MapRule, ...]:
    """A map with something of everything."""
    return tuple(MapRule.of(MapTable.model_validate(entry)) for entry in MAP)


def osc_corpus() -> list[bytes]:
    """Well-formed packets: every address with every kind of argument, bundles now, soon and never, patterns."""
    addresses = [*(target.address for target in AddressSpace(NAMES).targets), *FOREIGN, *PATTERNS]
    plain = [build_message(address, arguments) for address in addresses for arguments in ARGUMENTS]
    rare = [message("/ai/ping", "TFNI[ii]cShtdrm", bytes(48)), message("/ai/go", "I"), padded("/ai/go")]
    tags = (1, time_tag(SECOND), time_tag(5 * SECOND), 2**64 - 1)
    bundles = [bundle(tag, padded("/ai/go"), floats("/ai/volume", 0.5), bundle(tag, *plain[:3])) for tag in tags]
    return [*plain, *rare, *bundles]


def page_corpus() -> list[bytes]:
    """What the page's scripts say, and what they might."""
    lines = [target.address.removeprefix("/ai/") for target in AddressSpace(NAMES).targets]
    spoken = [f"{line}{rest}" for line in lines for rest in ("", " 1", " 0.5 3", ' "a b"', " on", " 18:30")]
    asked = [{"do": line, "n": number} for number, line in enumerate(spoken)]
    return [json.dumps(each).encode() for each in (*asked, *[{"watch": True}, {"follow": True}, {"watch": False}] * 9)]


def dmx_corpus() -> list[bytes]:
    """Well-formed packets of both protocols."""
    levels = (bytes(512), bytes(range(256)) * 2, b"\xff" * 24)
    sacn = [e131(slots, sequence=n, priority=100 + n) for n, slots in enumerate(levels)]
    artnet = [art_dmx(slots, sequence=n) for n, slots in enumerate(levels)]
    return [*sacn, *artnet, e131_sync(), e131_discovery(1, 2), art_poll(), art_poll(6, (0, 9)), art_sync()]


class Mutator:
    """Makes one packet after the other of a corpus. One in ten is left whole, so that states are reached too."""

    def __init__(self, corpus: Sequence[bytes], rng: random.Random) -> None:
        self._corpus = corpus
        self._rng = rng

    def packet(self) -> bytes:
        """The next one; at least a byte."""
        rng = self._rng
        data = bytearray(rng.choice(self._corpus))
        if rng.random() < 0.1:
            return bytes(data)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
            self._mutate(data)
        return bytes(data[:LONGEST]) or rng.randbytes(1)

    def _mutate(self, data: bytearray) -> None:
        """Change something. Mostly in whole words, as OSC is: what is not is soon turned away."""
        rng = self._rng
        word = 4 if rng.random() < 0.8 else 1
        at = rng.randrange(len(data) // word + 1) * word
        match rng.randrange(8):
            case 0 if at < len(data):
                data[at + rng.randrange(word) if at + word <= len(data) else at] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[rng.randrange(len(data))] = rng.choice(BYTES)
            case 2:
                data[at : at + 4] = struct.pack(">I", rng.choice(WORDS))
            case 3 if rng.random() < 0.3:
                del data[at:]
            case 4:
                del data[at : at + word * rng.randrange(1, 5)]
            case 5:
                data[at:at] = rng.randbytes(word * rng.randrange(1, 5))
            case 6:
                data[at:at] = data[at : at + word * rng.randrange(1, 9)] * rng.choice((1, 2, 40))
            case _:
                data[at:] = rng.choice(self._corpus)[at:]
