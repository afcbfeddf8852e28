"""What desks really send, as data (`transcripts/*.toml`): each named action happens exactly once, in order."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from installation.control.mapping.rules import MapRule
from installation.control.methods.addresses import AddressSpace, parse_line
from installation.control.osc.framing import Framing, Unframer, framed
from installation.control.osc.messages import build_message
from installation.control.receiver import Heard, Malformed, Receiver
from installation.control.settings import Endpoint, Source, StreamPeer
from installation.show.commands import Command
from installation.show.config_mapping import MapTable
from installation.show.map_checks import tried_lines, wrong_shape
from tests.control.packets import message
from tests.control.rooms import NAMES

SECOND = 1_000_000_000
FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))}


def packet(address: str, *arguments: Any) -> bytes:
    """One message as that desk sends it."""
    match arguments:
        case ({"tags": tags},):
            return message(address, tags)
    return build_message(address, arguments)


def heard(transcript: dict[str, Any], over: str = "") -> list[Command]:
    """Every command a transcript makes, through its framing, a tick of the sensors after each message."""
    rules = [MapRule.of(MapTable.model_validate(entry)) for entry in transcript["map"]]
    receiver = Receiver(AddressSpace(NAMES), rules=rules)
    sources: dict[str, Source] = {}
    commands: list[Command] = []
    for seconds, who, *said in transcript["said"]:
        number = len(sources)
        carried = over or transcript["over"]
        source = sources.setdefault(who, _source(number, stream=carried != "udp"))
        (data,) = _sent(packet(*said), carried)
        now_ns = round(seconds * SECOND)
        outcomes = [*receiver.feed(data, source, now_ns), *receiver.moved(now_ns)]
        assert not any(isinstance(outcome, Malformed) for outcome in outcomes)
        commands += [command for outcome in outcomes if isinstance(outcome, Heard) for command in outcome.commands]
    return commands


def _source(number: int, *, stream: bool) -> Source:
    host = f"10.0.0.{number + 1}"
    return StreamPeer(host, 5000, number) if stream else Endpoint(host, 5000)


def _sent(data: bytes, over: str) -> list[bytes]:
    return [data] if over == "udp" else Unframer().feed(framed(data, Framing(over)))


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_each_named_action_happens_exactly_once(name: str) -> None:
    transcript = TRANSCRIPTS[name]
    assert heard(transcript) == [parse_line(line, NAMES) for line in transcript["means"]]


@pytest.mark.parametrize("over", ["udp", "length", "slip"])
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_it_is_the_same_whatever_carries_it(name: str, over: str) -> None:
    assert heard(TRANSCRIPTS[name], over) == heard(TRANSCRIPTS[name])


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_the_maps_would_pass_the_check(name: str) -> None:
    for entry in TRANSCRIPTS[name]["map"]:
        table = MapTable.model_validate(entry)
        assert list(wrong_shape(table, "/ai")) == []
        for line, known in tried_lines(table):
            assert not known or parse_line(line, NAMES)


def test_nobody_is_missing() -> None:
    assert set(TRANSCRIPTS) == {
        *("eos", "grandma3", "magicq", "qlab", "touchosc", "companion", "qlcplus", "disguise"),
    }


def test_an_hour_of_active_cues_triggers_nothing() -> None:
    eos = TRANSCRIPTS["eos"]
    said = [
        [n + part, who, address, min(1.0, n / 5)]
        for n in range(3600)
        for part, who in ((0.0, "primary"), (0.01, "backup"))
        for address in ("/eos/out/active/cue/1/5", "/eos/out/active/cue")
    ]
    assert heard({**eos, "said": said}) == []
