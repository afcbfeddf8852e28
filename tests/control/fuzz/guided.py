"""Inputs led by coverage (atheris, which is libFuzzer) through everything that reads bytes of the network.

An input is a little story: one byte says who is listened to, then packets, each with how long after the one before it
comes. Whatever they are, only the errors that are declared may come out, and those must say something.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from installation.control.buckets import Rates
from installation.control.dmx.receiver import DmxReceiver
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.control.methods.addresses import AddressSpace, read_line
from installation.control.osc.framing import Framing, FramingError, Unframer, framed
from installation.control.osc.messages import build_message
from installation.control.osc.packets import Message, decode_packet
from installation.control.oscquery.listening import read_command
from installation.control.page.requests import Do, read_request
from installation.control.receiver import Malformed, Receiver, Refused
from installation.control.settings import Endpoint
from installation.errors import CommandRefused
from installation.show.roles import Role
from tests.control.fuzz.material import dmx_corpus, fuzz_rules, osc_corpus, page_corpus
from tests.control.rooms import NAMES

STEP_NS = 10_000_000  # a story's time unit
SOURCE = Endpoint("10.0.0.1", 9)
FREE = Rates(per_source=10**12, burst=10**12, overall=10**12)
SECONDS_A_MINUTE = 60
LONGEST = 4096  # bytes of a story


def told(story: bytes) -> Iterator[tuple[int, bytes]]:
    """The packets of a story, with the time (ns) each comes at: a byte of time, two of length, the packet."""
    at, now_ns = 0, 0
    while at + 3 <= len(story):
        now_ns += story[at] * STEP_NS
        size = int.from_bytes(story[at + 1 : at + 3], "big")
        yield now_ns, story[at + 3 : at + 3 + size]
        at += 3 + size


def story(*packets: bytes) -> bytes:
    """Packets that come one after the other, 100 ms apart."""
    return b"".join(b"\x0a" + len(packet).to_bytes(2, "big") + packet for packet in packets)


def hear_osc(text: bytes) -> None:
    """Datagrams, through the map, the gate and time."""
    receiver = Receiver(_space(), frozenset({SOURCE.host}), FREE, fuzz_rules_once())
    for now_ns, packet in told(text):
        for outcome in (*receiver.feed(packet, SOURCE, now_ns), *receiver.due(now_ns), *receiver.moved(now_ns)):
            match outcome:
                case Refused(_, error):
                    assert str(error)
                case Malformed(_, reason):
                    assert reason
    assert len(receiver._waiting) <= 256


def hear_stream(text: bytes) -> None:
    """A connection, in pieces; what comes out goes in again, and is the same."""
    unframer = Unframer()
    with suppress(FramingError):
        for _, piece in told(text):
            for packet in unframer.feed(piece):
                assert 0 < len(packet) <= 2 * 65_536
                for framing in Framing:
                    if framing is not Framing.SLIP_BEHIND:
                        assert Unframer(framing).feed(framed(packet, framing)) == [packet]


def hear_dmx(text: bytes) -> None:
    """Datagrams of both protocols."""
    for protocol in Protocol:
        receiver = DmxReceiver(DmxSettings(protocol, 1, films=("bunny", "tramp"), scenes=("visit",)), FREE)
        for now_ns, packet in told(text):
            receiver.feed(packet, SOURCE, now_ns)
            receiver.due(now_ns)
        assert len(receiver.names) < 64


def hear_text(text: bytes) -> None:
    """What WebSockets say as text: those of OSCQuery, and pages, whose lines are read as well."""
    for _, packet in told(text):
        said = packet.decode("utf-8", "replace")
        for read in (read_command, read_request):
            try:
                asked = read(said)
                if isinstance(asked, Do):
                    read_line(asked.line, _space(), Role.OPERATE)
            except CommandRefused as error:
                assert str(error)


def hear_and_say(text: bytes) -> None:
    """What can be decoded can be said again, if python-osc can say it."""
    for _, packet in told(text):
        outcomes = Receiver(_space(), rates=FREE).feed(packet, SOURCE, 0)
        if any(isinstance(outcome, Malformed) for outcome in outcomes):
            continue
        match decode_packet(packet):
            case Message(address, arguments) if all(type(each) in (int, str) for each in arguments):
                said = decode_packet(build_message(address, arguments))  # type: ignore[arg-type]
                assert said == Message(address, arguments)


LISTENERS: tuple[Callable[[bytes], None], ...] = (hear_osc, hear_stream, hear_dmx, hear_text, hear_and_say)


def hear(data: bytes) -> None:
    """One input."""
    if data:
        LISTENERS[data[0] % len(LISTENERS)](data[1:])


@cache
def _space() -> AddressSpace:
    return AddressSpace(NAMES)


fuzz_rules_once = cache(fuzz_rules)


def seeds() -> Iterator[bytes]:
    """Where to begin: stories of well-formed packets."""
    osc, lights = osc_corpus(), dmx_corpus()
    for n in range(0, len(osc), 7):
        yield b"\x00" + story(*osc[n : n + 3])
        yield b"\x04" + story(osc[n])
    for framing in Framing:
        yield b"\x01" + story(*(framed(packet, framing) for packet in osc[:3]))
    yield from (b"\x02" + story(packet) for packet in lights)
    yield from (b"\x03" + story(said) for said in page_corpus()[::5])
    yield b"\x03" + story(b'{"COMMAND": "LISTEN", "DATA": "/ai/brightness"}')


def explore(minutes: float) -> int:
    """Run libFuzzer for so long, in a process of its own, from the seeds. Its exit code: 0 when nothing was found."""
    if find_spec("atheris") is None:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="afterimage-fuzz-") as folder:
        corpus = Path(folder)
        for number, seed in enumerate(seeds()):
            (corpus / f"seed-{number}").write_bytes(seed)
        limits = (f"-max_total_time={minutes * SECONDS_A_MINUTE:.0f}", f"-max_len={LONGEST}", "-timeout=5")
        where = (f"-artifact_prefix={gettempdir()}/afterimage-fuzz-", "-print_final_stats=1", folder)
        command = [sys.executable, "-m", "tests.control.fuzz.libfuzzer", *limits, *where]
        return subprocess.run(command, check=False).returncode
