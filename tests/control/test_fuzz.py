"""A short run of each way to fuzz; the long ones are commands: `python -m tests.control.fuzz --help`."""

from __future__ import annotations

import random

import pytest

from installation.control import receiver as receiver_module
from installation.control.osc.packets import decode_packet
from tests.control.fuzz import guided
from tests.control.fuzz.guided import LISTENERS, explore, hear, seeds, story, told
from tests.control.fuzz.material import Mutator, osc_corpus
from tests.control.fuzz.servers import FuzzError, fuzz_server


def test_a_server_survives_every_way_into_it() -> None:
    tale = fuzz_server(4_000, seed=4)
    assert set(tale.sent) == {
        *("UDP", "TCP length", "TCP slip", "TCP slip-behind", "WebSocket", "page", "HTTP", "sACN", "Art-Net"),
    }
    received = tale.counts.received
    assert received.malformed > 300
    assert received.refused > 100
    assert received.mapped > 10
    assert "faults: 0" in " ".join(tale.lines())


def test_a_fault_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(data: bytes) -> object:
        packet = decode_packet(data)
        return packet if b"\xff" not in data else 1 // 0

    monkeypatch.setattr(receiver_module, "decode_packet", careless)
    with pytest.raises(FuzzError, match="a fault of our own"):
        fuzz_server(4_000, seed=4)


def test_the_same_seed_makes_the_same_packets() -> None:
    one, other = (Mutator(osc_corpus(), random.Random(7)) for _ in range(2))
    assert [one.packet() for _ in range(200)] == [other.packet() for _ in range(200)]


@pytest.mark.parametrize("listener", range(len(LISTENERS)), ids=[each.__name__ for each in LISTENERS])
def test_mutated_stories_raise_nothing(listener: int) -> None:
    rng = random.Random(listener)
    mine = [seed for seed in seeds() if seed[0] == listener]
    mutator = Mutator([seed[1:] for seed in mine], rng)
    for data in (*mine, *(bytes([listener]) + mutator.packet() for _ in range(400))):
        hear(data)


def test_a_story_is_told_as_it_was_written() -> None:
    assert list(told(story(b"/a", b"", b"/b"))) == [(10**8, b"/a"), (2 * 10**8, b""), (3 * 10**8, b"/b")]


def test_without_atheris_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guided, "find_spec", lambda name: None)
    assert explore(1) == 2
    assert "pip install atheris" in capsys.readouterr().err
