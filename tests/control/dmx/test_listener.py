"""DMX on real sockets of this machine: to its address, to a multicast group, to everybody."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from installation.clock import SECOND_NS, SimulatedClock, SystemClock
from installation.control.dmx import listener as listener_module
from installation.control.dmx import receiver as receiver_module
from installation.control.dmx.e131 import multicast_group
from installation.control.dmx.listener import DmxListener, dmx_guest
from installation.control.dmx.personality import SETTLE_NS, OnLoss
from installation.control.dmx.sockets import interface_of, open_dmx
from installation.control.hub import Hub
from installation.control.inbox import Inbox
from installation.control.server import ControlServer
from installation.control.settings import ControlSettings, Endpoint
from installation.control.whom import AllowList
from installation.errors import UnavailableError
from installation.show.commands import (
    Command,
    Mode,
    Origin,
    PlayFilm,
    PlayScene,
    Rank,
    SetBlackout,
    SetBrightness,
    SetMode,
    SetSpeed,
)
from installation.show.roles import Role
from installation.show.status import StatusBoard
from tests.control.dmx.datagrams import OTHER_CID, art_dmx, art_poll, e131
from tests.control.dmx.rooms import ARTNET, SACN, desk_at, open_dmx_room
from tests.control.packets import ints, padded
from tests.control.rooms import HOME, NAMES, PATIENCE_S


def levels(brightness: int = 0, film: int = 0, scene: int = 0, speed: int = 0) -> bytes:
    return brightness.to_bytes(2, "big") + bytes([0, film, scene, 0, speed]) + bytes(512 - 7)


def test_a_frame_becomes_commands_in_one_tick() -> None:
    with open_dmx_room(SACN) as dmx, desk_at(dmx.endpoint) as desk:
        desk.send(e131(levels(65_535, speed=255)))
        heard = dmx.room.wait_for(lambda heard: len(heard) > 0)
        assert [posted.command for posted in heard] == [SetBrightness(1.0), SetSpeed(4.0)]
        assert {posted.origin for posted in heard} == {Origin(Rank.OPERATOR, "dmx Source_A")}


def test_a_choice_fires_without_another_frame() -> None:
    with open_dmx_room(SACN) as dmx, desk_at(dmx.endpoint) as desk:
        desk.send(e131(levels(film=2)))
        (film,) = dmx.room.wait_for_all(PlayFilm("tramp"))
        assert film.origin == Origin(Rank.OPERATOR, "dmx Source_A")
        desk.send(e131(levels(scene=1), sequence=1))
        dmx.room.wait_for_all(PlayScene("visit"))


def test_what_is_sent_to_the_group_is_heard() -> None:
    settings = replace(SACN, universe=0x1234)
    with open_dmx_room(settings) as dmx, desk_at(dmx.endpoint) as desk:
        desk.send(e131(levels(65_535), universe=0x1234), multicast_group(0x1234))
        dmx.room.wait_for_command(SetBrightness(1.0))


def test_other_groups_are_not() -> None:
    with open_dmx_room(SACN) as dmx, desk_at(dmx.endpoint) as desk:
        desk.send(e131(levels(9)), multicast_group(2))  # even if it says that it is universe 1
        desk.send(e131(levels(65_535)), multicast_group(1))
        heard = dmx.room.wait_for(lambda heard: len(heard) > 0)
        assert [posted.command for posted in heard] == [SetBrightness(1.0)]


@pytest.mark.parametrize("host", [HOME, "127.255.255.255"])
def test_artnet_to_us_and_to_everybody(host: str) -> None:
    with open_dmx_room(ARTNET) as dmx, desk_at(dmx.endpoint) as desk:
        desk.send(art_dmx(levels(65_535)), host)
        assert dmx.room.wait_for_command(SetBrightness(1.0)).origin.name == f"dmx {HOME}"


def test_a_poll_is_answered_at_artnets_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by the document; any free port plays the part of 6454."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
        desk.bind((HOME, 0))
        desk.settimeout(PATIENCE_S)
        monkeypatch.setattr(receiver_module.Protocol, "port", property(lambda self: desk.getsockname()[1]))
        with open_dmx_room(ARTNET) as dmx:
            desk.sendto(art_poll(), dmx.endpoint)
            reply, source = desk.recvfrom(1024)
            assert (reply[:10], len(reply), Endpoint(*source)) == (b"Art-Net\0\x00\x21", 239, dmx.endpoint)


def test_a_desk_that_goes_leaves_black() -> None:
    with open_dmx_room(replace(SACN, on_loss=OnLoss.BLACK)) as dmx, desk_at(dmx.endpoint) as desk:
        desk.send(e131(levels(65_535)))
        dmx.room.wait_for_command(SetBrightness(1.0))
        dmx.room.wait_for_command(SetBlackout(True))  # 2.5 s later, by itself


@pytest.mark.parametrize(("holder", "handed_back"), [("dmx Source_A", True), ("page 192.168.10.7", False)])
def test_only_its_own_show_is_handed_back(holder: str, handed_back: bool) -> None:
    with open_dmx_room(replace(SACN, on_loss=OnLoss.RELEASE)) as dmx, desk_at(dmx.endpoint) as desk:
        desk.send(e131(levels(65_535)))
        dmx.room.wait_for_command(SetBrightness(1.0))
        dmx.room.publish(holder=holder)
        desk.send(e131(levels(), sequence=1, options=0x40))
        desk.send(e131(levels(100), cid=OTHER_CID))
        last = SetBrightness(100 / 65_535)
        heard = dmx.room.wait_for(lambda heard: bool(heard) and heard[-1].command == last)
        expected: list[Command] = [SetBrightness(1.0, 1.0), *([SetMode(Mode.AUTO)] if handed_back else []), last]
        commands = [posted.command for posted in heard]
        assert commands in (expected, expected[1:])  # two levels in one tick: the newest counts


def test_one_gate_for_dmx_and_osc() -> None:
    """The same film by two ways within a tenth of a second starts once."""

    async def both_ways() -> list[Command]:
        clock, inbox = SimulatedClock(0), Inbox()
        hub = Hub(ControlSettings(HOME, 0), NAMES, inbox, StatusBoard(), clock, lambda *_: None, lambda *_: None)
        listener = DmxListener(SACN, hub, open_dmx(SACN))
        listener._datagram(e131(levels(65_535, film=2)), Endpoint(HOME, 1))
        clock.advance(SETTLE_NS)
        hub.receive(padded("/ai/film/tramp"), Endpoint(HOME, 2))
        clock.advance(50_000_000)
        listener._ring()
        await listener.close()
        hub.close()
        return [posted.command for posted in inbox.drain()]

    assert asyncio.run(both_ways()) == [SetBrightness(1.0), PlayFilm("tramp")]


def test_a_source_that_comes_and_goes_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), open_dmx_room(SACN) as dmx, desk_at(dmx.endpoint) as desk:
        for n in range(300):
            desk.send(e131(levels(n), sequence=n % 256, options=0x40 * (n % 2)))
        desk.send(e131(levels(65_535), cid=OTHER_CID))
        dmx.room.wait_for_all(SetBrightness(1.0))
    lines = [record for record in caplog.records if record.name == listener_module.__name__]
    assert 10 <= len(lines) <= 20


def test_what_is_wrong_is_said_to_who_listens() -> None:
    with open_dmx_room(SACN) as dmx, desk_at(dmx.endpoint) as desk, dmx.room.peer() as tablet:
        tablet.send(ints("/ai/subscribe", tablet.endpoint.port, 60))
        tablet.hear_of("/ai/status/health")
        desk.send(e131(levels(film=7)))
        assert tablet.hear_of("/ai/event/dmx").arguments == ('"Source_A" sends universe 1',)
        said = tablet.hear_of("/ai/event/error").arguments
        assert said == ("unknown-film", "DMX film 7; pick one of 1 bunny, 2 tramp")


@pytest.mark.parametrize("settings", [SACN, ARTNET], ids=["sacn", "artnet"])
def test_hostile_datagrams_change_nothing(settings, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(7)
    with caplog.at_level(logging.WARNING), open_dmx_room(settings) as dmx:
        with desk_at(dmx.endpoint) as stranger:
            for _ in range(2000):
                whole = bytearray(rng.choice([e131(), art_dmx(), art_poll()]))
                for _ in range(rng.randrange(1, 9)):
                    whole[rng.randrange(min(len(whole), 140))] = rng.randrange(256)
                stranger.send(bytes(whole[: rng.randrange(len(whole) + 1)]))
        with desk_at(dmx.endpoint) as desk:
            levels_now = levels(film=2)
            desk.send(e131(levels_now, priority=200, cid=OTHER_CID) if settings is SACN else art_dmx(levels_now))
            dmx.room.wait_for(lambda heard: any(posted.command == PlayFilm("tramp") for posted in heard))
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 2


class TestWhoMaySpeak:
    def test_a_stranger_is_not_heard(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """127.0.0.2 and .3 play strangers: one that nobody knows, one that may only look."""
        roles = {HOME: Role.OPERATE, "127.0.0.3": Role.VIEW}
        monkeypatch.setattr(AllowList, "_decide", lambda self, host: roles.get(host))
        with caplog.at_level(logging.WARNING), open_dmx_room(SACN) as dmx:
            for host in ("127.0.0.2", "127.0.0.3"):
                with desk_at(dmx.endpoint, host) as stranger:
                    for n in range(10):
                        stranger.send(e131(levels(n), priority=200, sequence=n))
            with desk_at(dmx.endpoint) as desk:
                desk.send(e131(levels(65_535), priority=1))
                heard = dmx.room.wait_for(lambda heard: len(heard) > 0)
            assert [posted.command for posted in heard] == [SetBrightness(1.0)]
            assert dmx.room.server.counts().strangers == 20
        assert len(caplog.records) == 1
        assert "127.0.0.2, which is not allowed to operate here (dmx.allow)" in caplog.text


def test_too_much_is_dropped_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), open_dmx_room(SACN) as dmx:
        with desk_at(dmx.endpoint) as flood:
            for n in range(20_000):
                flood.send(e131(levels(n % 9), sequence=n % 256))
        dmx.room.wait_for(lambda heard: len(heard) > 0)
        with desk_at(dmx.endpoint) as desk:
            frame = e131(levels(scene=1), cid=OTHER_CID, priority=200)
            clock, heard = SystemClock(), list[Command]()
            until_ns = clock.now_ns() + int(PATIENCE_S * SECOND_NS)
            while PlayScene("visit") not in heard:  # until there are tokens again
                assert clock.now_ns() < until_ns
                desk.send(frame)
                dmx.room.inbox.wake.wait(0.05)
                dmx.room.inbox.wake.clear()
                heard += [posted.command for posted in dmx.room.inbox.drain()]
        counts = dmx.room.server.counts()
        assert counts.guests_dropped > 0
        assert counts.dropped == counts.guests_dropped
    assert len([record for record in caplog.records if "more comes than can be looked at" in record.message]) == 1


class TestThePort:
    def test_another_program_may_share_it(self) -> None:
        with open_dmx_room(SACN) as dmx, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("", dmx.endpoint.port))
            with desk_at(dmx.endpoint) as desk:
                desk.send(e131(levels(65_535)))
                dmx.room.wait_for_command(SetBrightness(1.0))

    def test_taken(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((HOME, 0))
            with pytest.raises(UnavailableError, match="is taken by another program that does not share it"):
                open_dmx(replace(SACN, port=other.getsockname()[1]))

    @pytest.mark.parametrize("settings", [SACN, ARTNET])
    def test_not_ours(self, settings) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UnavailableError, match=r"192\.0\.2\.9 is not an address of this machine.*\[dmx\] listen"):
            open_dmx(replace(settings, listen=IPv4Address("192.0.2.9")))

    def test_the_show_goes_on_without(self, caplog: pytest.LogCaptureFixture) -> None:
        lost = replace(SACN, listen=IPv4Address("192.0.2.9"))
        with (
            caplog.at_level(logging.WARNING),
            ControlServer(
                ControlSettings(HOME, 0), NAMES, inbox := Inbox(), StatusBoard(), SystemClock(), (dmx_guest(lost),)
            ) as server,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk,
        ):
            desk.sendto(b"/ai/go\0\0,\0\0\0", server.endpoint)
            assert inbox.wake.wait(PATIENCE_S)
        assert "playing without it" in caplog.text

    def test_the_network_of_an_address(self) -> None:
        assert interface_of(IPv4Address(HOME)) == ("lo", IPv4Address("127.255.255.255"))
