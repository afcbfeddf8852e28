"""Whole datagrams, by both protocols, over simulated hours."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.control.buckets import Rates
from installation.control.dmx.personality import CHANNELS, SETTLE_NS, HandBack, OnLoss, Press, Unknown, Wish
from installation.control.dmx.receiver import DmxReceiver, Malformed, Notice, Outcome, Reply
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.control.dmx.universe import Verdict
from installation.control.settings import Endpoint
from installation.show.commands import Command, SetBlackout, SetBrightness
from tests.control.dmx.datagrams import (
    HOUSE_CID,
    OTHER_CID,
    art_dmx,
    art_poll,
    art_sync,
    e131,
    e131_discovery,
    e131_sync,
)

SECOND = 1_000_000_000
FRAME_NS = SECOND // 44
DESK, BACKUP = Endpoint("192.168.10.20", 40_000), Endpoint("192.168.10.21", 40_000)
SACN = DmxSettings(Protocol.SACN, universe=1, films=("bunny", "tramp"), scenes=("visit",))
ARTNET = DmxSettings(Protocol.ARTNET, universe=0x1231, films=("bunny", "tramp"), scenes=("visit",))
FREE = Rates(per_source=10**12, burst=10**12, overall=10**12)


def levels(brightness: int = 0, film: int = 0, scene: int = 0, blackout: int = 0) -> bytes:
    return brightness.to_bytes(2, "big") + bytes([blackout, film, scene]) + bytes(512 - 5)


def commands(outcomes: list[Outcome]) -> list[Command]:
    return [command for each in outcomes if isinstance(each, Wish) for command in each.commands]


def pressed(outcomes: list[Outcome]) -> list[str]:
    return [each.line for each in outcomes if isinstance(each, Press)]


def test_e131_becomes_commands() -> None:
    room = DmxReceiver(SACN)
    assert room.feed(e131(levels(65_535, film=2)), DESK, 0) == [
        Notice('"Source_A" sends universe 1'),
        Wish("Source_A", (SetBrightness(1.0),)),
    ]
    assert room.next_due_ns == SETTLE_NS
    assert room.due(SETTLE_NS) == [Press("Source_A", "film/tramp")]


def test_artnet_becomes_commands() -> None:
    room = DmxReceiver(ARTNET)
    assert room.feed(art_dmx(levels(0), universe=0x1231), DESK, 0) == [
        Notice('"192.168.10.20" sends universe 4657'),
        Wish("192.168.10.20", (SetBrightness(0.0),)),
    ]


def test_a_later_address() -> None:
    room = DmxReceiver(replace(SACN, address=512 - CHANNELS + 1))
    slots = bytes(512 - CHANNELS) + levels(65_535)[:CHANNELS]
    assert commands(room.feed(e131(slots), DESK, 0)) == [SetBrightness(1.0)]


def test_what_sets_no_level_here_is_counted_and_nothing_else() -> None:
    sacn, artnet = DmxReceiver(SACN), DmxReceiver(ARTNET)
    for data in (e131(universe=2), e131_sync(), e131_discovery(1, 2)):
        assert sacn.feed(data, DESK, 0) == []
    for data in (art_dmx(universe=1), art_sync()):
        assert artnet.feed(data, DESK, 0) == []
    assert (sacn.counts.foreign, artnet.counts.foreign) == (3, 2)
    assert sacn.feed(e131(levels(9), start_code=0xDD), DESK, 0) == []
    assert sacn.feed(e131(levels(9), options=0x80), DESK, 0) == []
    assert sacn.counts.frames[Verdict.NOT_LIVE] == 2
    assert (sacn.names, artnet.names) == ((), ())


def test_what_is_no_dmx_is_said() -> None:
    (malformed,) = DmxReceiver(SACN).feed(b"hello", DESK, 0)
    assert malformed == Malformed(DESK, "5 bytes are too few for E1.31")


def test_a_desk_that_goes_without_a_word() -> None:
    room = DmxReceiver(replace(SACN, on_loss=OnLoss.BLACK))
    room.feed(e131(levels(65_535)), DESK, 0)
    assert room.due(2_499_999_999) == []
    assert room.due(2_500_000_000) == [
        Notice('"Source_A" went, and nobody sends universe 1; black'),
        Wish("Source_A", (SetBlackout(True),)),
    ]
    back = room.feed(e131(levels(65_535), sequence=1), DESK, 3 * SECOND)
    assert commands(back) == [SetBlackout(False)]


def test_a_desk_that_says_goodbye() -> None:
    room = DmxReceiver(replace(SACN, on_loss=OnLoss.RELEASE))
    room.feed(e131(levels(100)), DESK, 0)
    goodbye = room.feed(e131(levels(0), sequence=1, options=0x40), DESK, SECOND)
    assert commands(goodbye) == [SetBrightness(1.0, 1.0)]
    assert goodbye[-1] == HandBack("Source_A")
    for sequence in (2, 3):
        assert room.feed(e131(levels(0), sequence=sequence, options=0x40), DESK, SECOND) == []


def test_artnet_waits_ten_seconds_and_merges_two() -> None:
    room = DmxReceiver(ARTNET)
    for host, brightness in (("10.0.0.1", 100), ("10.0.0.2", 300), ("10.0.0.3", 900)):
        room.feed(art_dmx(levels(brightness), universe=0x1231), Endpoint(host, 6454), 0)
    assert (room.names, room.counts.frames[Verdict.CROWDED]) == (("10.0.0.1", "10.0.0.2"), 1)
    room.feed(art_dmx(levels(100), universe=0x1231), Endpoint("10.0.0.1", 6454), 9 * SECOND)
    assert commands(room.due(10 * SECOND)) == [SetBrightness(100 / 65_535)]
    assert room.names == ("10.0.0.1",)


def test_polls_are_answered_who_ask_for_our_universe_and_not_too_often() -> None:
    room = DmxReceiver(ARTNET)
    (reply,) = room.feed(art_poll(), DESK, 0)
    assert isinstance(reply, Reply)
    assert (reply.host, reply.data[:10], reply.data[182]) == (DESK.host, b"Art-Net\0\x00\x21", 0)
    assert room.feed(art_poll(0x20, (0x1230, 0)), DESK, 0) == []
    assert len(room.feed(art_poll(0x20, (0x1231, 0x1231)), DESK, 0)) == 1
    answers = [room.feed(art_poll(), DESK, 0) for _ in range(100)]
    assert len([answer for answer in answers if answer]) == 6
    room.feed(art_dmx(levels(1), universe=0x1231), DESK, 0)
    (later,) = room.feed(art_poll(), BACKUP, 0)
    assert isinstance(later, Reply) and later.data[182] == 0x80


def test_a_flood_is_cut_before_it_is_read() -> None:
    room = DmxReceiver(SACN, Rates(per_source=10, burst=10, overall=100))
    for n in range(1000):
        room.feed(e131(levels(n), sequence=n % 256), DESK, 0)
    assert (room.counts.over_rate, room.counts.frames[Verdict.HEARD]) == (990, 10)
    assert commands(room.feed(e131(levels(7000), cid=OTHER_CID), BACKUP, 0))  # who floods, does not silence others


def test_an_hour_of_a_desk_its_backup_and_the_house() -> None:
    """A desk that only repeats what is new (every 0.8 s otherwise), its backup that tracks it, a house controller below
    both, per-channel priorities (0xDD) and previews in between. Every change is obeyed once, and nothing else.
    """
    room = DmxReceiver(SACN)
    rng = random.Random(1)
    said: list[Outcome] = []
    wanted_films, wanted_levels = 0, 0
    film, brightness, sequence = 0, 1, 0
    for now_ns in range(0, 3600 * SECOND, 800_000_000):
        if rng.random() < 0.05:
            film = 3 - film if film else 1
            wanted_films += 1
        if rng.random() < 0.05:
            brightness += 1
            wanted_levels += 1
        for source, cid, lag in ((DESK, OTHER_CID, 0), (BACKUP, HOUSE_CID, 9_000_000)):
            sequence = now_ns // 800_000_000 * 2 % 256
            slots = levels(brightness, film)
            at = now_ns + lag
            said += room.feed(e131(slots, cid=cid, sequence=sequence), source, at)
            said += room.feed(e131(bytes([200] * 512), cid=cid, sequence=sequence + 1, start_code=0xDD), source, at)
            said += room.feed(e131(bytes([255] * 512), cid=cid, sequence=sequence + 1, options=0x80), source, at)
        said += room.feed(e131(levels(9, film=2), priority=50, sequence=sequence), DESK, now_ns)
        said += room.due(now_ns + SETTLE_NS + 10_000_000)
    assert len(pressed(said)) == wanted_films
    assert len(commands(said)) == wanted_levels + 1
    assert [each for each in said if isinstance(each, Notice)] == [Notice('"Source_A" sends universe 1')]
    assert room.names == ("Source_A",) * 3


def test_five_minutes_at_44_frames_a_second_with_a_link_that_flaps() -> None:
    room = DmxReceiver(SACN)
    said: list[Outcome] = []
    for n in range(300 * 44):
        now_ns = n * FRAME_NS
        said += room.due(now_ns)
        if n // 44 % 20 < 10:  # ten seconds there, ten away
            said += room.feed(e131(levels(500, film=1), sequence=n % 256), DESK, now_ns)
    assert (pressed(said), commands(said)) == (["film/bunny"], [SetBrightness(500 / 65_535)])
    assert len([each for each in said if isinstance(each, Notice)]) == 15 + 15


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=660),
            st.builds(
                e131,
                st.binary(max_size=20),
                cid=st.sampled_from([HOUSE_CID, OTHER_CID]) | st.binary(min_size=16, max_size=16),
                name=st.binary(max_size=64),
                priority=st.integers(0, 255),
                sequence=st.integers(0, 255),
                options=st.integers(0, 255),
                universe=st.integers(1, 2),
                start_code=st.sampled_from([0, 0xDD]),
            ),
        ),
        max_size=40,
    ),
    st.integers(0, 3 * SECOND),
    st.sampled_from(OnLoss),
)
def test_nothing_that_is_sent_breaks_it(datagrams: list[bytes], pause_ns: int, on_loss: OnLoss) -> None:
    room = DmxReceiver(replace(SACN, on_loss=on_loss), FREE)
    now_ns = 0
    for data in datagrams:
        now_ns += pause_ns
        for outcome in [*room.feed(data, DESK, now_ns), *room.due(now_ns)]:
            assert isinstance(outcome, Wish | Press | HandBack | Unknown | Malformed | Notice)
        assert len(room.names) <= 16
        assert all(name.isprintable() and name for name in room.names)
    assert room.counts.datagrams == len(datagrams)


@pytest.mark.parametrize("protocol", Protocol)
def test_sources_come_and_go_without_end(protocol: Protocol) -> None:
    """Ten thousand senders, and no more than the bound is remembered."""
    room = DmxReceiver(DmxSettings(protocol, universe=1), FREE)
    for n in range(10_000):
        data = e131(cid=n.to_bytes(16, "big")) if protocol is Protocol.SACN else art_dmx(bytes(64))
        room.feed(data, Endpoint(f"10.0.{n // 250}.{n % 250}", 9), n * 100_000)
    assert len(room.names) == protocol.limits.sources
