"""The server on real sockets of this machine."""

from __future__ import annotations

import datetime as dt
import logging
import random
import socket
import struct
import threading
from ipaddress import ip_network

import pytest

from installation.clock import SystemClock
from installation.control import server as server_module
from installation.control.feedback import Event
from installation.control.inbox import Inbox
from installation.control.mapping.rules import MapRule
from installation.control.methods.names import Names
from installation.control.osc.messages import build_message
from installation.control.osc.packets import Message, time_tag
from installation.control.server import ControlServer
from installation.control.settings import ControlSettings, Endpoint
from installation.control.whom import AllowList
from installation.errors import CommandRefused, InputError, UnavailableError
from installation.show import commands as show
from installation.show.commands import Origin, Posted, Rank
from installation.show.config_mapping import MapTable
from installation.show.roles import Admission, Role
from installation.show.status import StatusBoard
from tests.control.packets import bundle, floats, ints, message, padded
from tests.control.rooms import HOME, NAMES, PATIENCE_S, open_room
from tests.control.test_hostile import hostile

SECOND = 1_000_000_000


def server_at(endpoint: Endpoint, feedback: tuple[Endpoint, ...] = ()) -> ControlServer:
    settings = ControlSettings(endpoint.host, endpoint.port, (), feedback)
    return ControlServer(settings, NAMES, Inbox(), StatusBoard(), SystemClock())


def test_a_datagram_becomes_a_command() -> None:
    with open_room() as room, room.peer() as desk:
        desk.send(floats("/ai/brightness", 0.5, 3))
        (posted,) = room.wait_for(lambda heard: len(heard) == 1)
        assert posted == Posted(1, show.SetBrightness(0.5, 3.0), Origin(Rank.OPERATOR, HOME))


def test_hours_and_a_restart_from_a_desk() -> None:
    with open_room() as room, room.peer() as desk:
        for address, arguments in (
            ("/ai/hours/extend", ["20:00"]),
            ("/ai/hours/except", ["2026-12-24", "10:00-16:00"]),
            ("/ai/hours/except", ["2026-12-25", "closed"]),
            ("/ai/hours/close", []),
            ("/ai/hours/forget", ["all"]),
            ("/ai/restart", []),
        ):
            desk.send(build_message(address, arguments))
        heard = room.wait_for(lambda heard: len(heard) == 6)
        assert [posted.command for posted in heard] == [
            show.ExtendHours(20 * 60),
            show.ChangeHours(dt.date(2026, 12, 24), (600, 960)),
            show.ChangeHours(dt.date(2026, 12, 25), None),
            show.CloseHours(),
            show.ForgetHours(),
            show.RestartPicture(),
        ]
        desk.send(build_message("/ai/subscribe", [desk.endpoint.port, 60]))
        desk.send(build_message("/ai/hours/extend", ["8pm"]))
        code, why = desk.hear_of("/ai/event/error").arguments
        assert (code, why) == ("arguments", 'hours/extend got "8pm"; it takes a time of day, such as 20:00 or 01:30')


def test_a_bundle_is_drained_at_once() -> None:
    with open_room() as room, room.peer() as desk:
        desk.send(bundle(1, padded("/ai/go"), floats("/ai/volume", 0.5), padded("/ai/blackout")))
        heard = room.wait_for(lambda heard: len(heard) > 0)
        assert [posted.command for posted in heard] == [show.Go(), show.SetVolume(0.5), show.SetBlackout(True)]


def test_a_time_tag_is_wall_time() -> None:
    with open_room() as room, room.peer() as desk:
        clock = SystemClock()
        due_ns = clock.wall_ns() + SECOND // 5
        desk.send(bundle(time_tag(due_ns), padded("/ai/go")))
        desk.send(padded("/ai/pause"))
        heard = room.wait_for(lambda heard: len(heard) == 2)
        assert clock.wall_ns() >= due_ns
        assert [posted.command for posted in heard] == [show.Pause(), show.Go()]


def test_the_map_is_obeyed_and_sensors_are_heard_as_sensors() -> None:
    entries = (
        {"from": "/eos/out/event/cue/1/5/fire", "do": "scene/tramp"},
        {"from": "/presence", "do": "scene/visit", "rank": "sensor", "above": 0.5, "hold": 0.1},
    )
    rules = tuple(MapRule.of(MapTable.model_validate(entry)) for entry in entries)
    with open_room(rules=rules) as room, room.peer() as desk:
        desk.send(padded("/eos/out/event/cue/1/5/fire"))
        assert room.wait_for_command(show.PlayScene("tramp")).origin == Origin(Rank.OPERATOR, HOME)
        desk.send(floats("/presence", 1.0))  # once: the hold ends by itself
        assert room.wait_for_command(show.PlayScene("visit")).origin == Origin(Rank.SENSOR, HOME)
        assert room.server.counts().received.mapped == 2


def test_hostile_datagrams_change_nothing_and_the_next_command_is_obeyed(caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(3)
    with caplog.at_level(logging.WARNING), open_room() as room, room.peer() as stranger, room.peer() as desk:
        for _ in range(2000):
            stranger.send(hostile(rng))
        desk.send(padded("/ai/film/tramp"))
        room.wait_for_command(show.PlayFilm("tramp"))
        counts = room.server.counts()
        assert counts.received.datagrams + counts.kernel_dropped == 2001
        assert counts.received.malformed > 100
    assert len([record for record in caplog.records if record.name == "installation.control"]) == 1


def test_a_fault_of_ours_does_not_end_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ControlSettings(HOME, 0)
    inbox = Inbox()
    monkeypatch.setattr(server_module.log, "exception", lambda *_: None)
    with ControlServer(settings, NAMES, inbox, StatusBoard(), SystemClock()) as server:
        server._soon(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
            desk.sendto(padded("/ai/go"), server.endpoint)
        assert inbox.wake.wait(10)
        assert server.counts().faults == 1


class TestFeedback:
    def test_a_subscriber_hears_what_others_do(self) -> None:
        with open_room() as room, room.peer() as tablet, room.peer() as desk:
            tablet.send(ints("/ai/subscribe", tablet.endpoint.port, 60))
            assert tablet.hear_of("/ai/brightness") == Message("/ai/brightness", (1.0,))
            desk.send(floats("/ai/brightness", 0.25))
            posted = room.wait_for_command(show.SetBrightness(0.25))
            room.publish(brightness=0.25, applied=posted.sequence)
            assert tablet.hear_of("/ai/brightness") == Message("/ai/brightness", (0.25,))

    def test_the_sender_hears_only_corrections(self) -> None:
        with open_room() as room, room.peer() as desk:
            desk.send(ints("/ai/subscribe", desk.endpoint.port, 60))
            desk.hear_of("/ai/status/health")
            desk.send(floats("/ai/brightness", 0.25))
            posted = room.wait_for_command(show.SetBrightness(0.25))
            room.publish(brightness=0.25, applied=posted.sequence)
            desk.send(floats("/ai/speed", 100.0))
            posted = room.wait_for_command(show.SetSpeed(4.0))
            room.publish(speed=4.0, applied=posted.sequence)
            heard: list[Message] = []
            while not heard or heard[-1].address != "/ai/speed":
                heard.append(desk.hear())
            assert heard[-1].arguments == (4.0,)
            assert "/ai/brightness" not in [said.address for said in heard]

    def test_a_configured_peer_hears_events_and_refusals(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((HOME, 0))
            configured = Endpoint(*free.getsockname())
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with open_room(feedback=(configured,)) as room, room.peer() as desk, listening:
            listening.bind(configured)
            listening.settimeout(PATIENCE_S)
            room.server.announce(Event("loop", ("rabbit", 2)))
            assert wait_for(listening, build_message("/ai/event/loop", ("rabbit", 2)))
            desk.send(padded("/ai/film/trmp"))
            text = 'no film "trmp"; did you mean tramp? pick one of bunny, tramp'
            assert wait_for(listening, build_message("/ai/event/error", ("unknown-film", text)))
            refused = Posted(1, show.Go(), Origin(Rank.OPERATOR, HOME))
            room.server.refuse(refused, CommandRefused("closed", "not now"))
            assert wait_for(listening, build_message("/ai/event/error", ("closed", "not now")))

    def test_ping(self) -> None:
        with open_room() as room, room.peer() as desk:
            desk.send(ints("/ai/subscribe", desk.endpoint.port, 60))
            desk.send(message("/ai/ping", "is", struct.pack(">i", 7) + padded("x")))
            assert desk.hear_of("/ai/ping") == Message("/ai/ping", (7, "x"))

    def test_nobody_subscribes_the_show_to_itself(self) -> None:
        with open_room() as room, room.peer() as desk:
            desk.send(ints("/ai/subscribe", desk.endpoint.port, 60))
            room_port = room.server.endpoint.port
            desk.send(ints("/ai/subscribe", room_port, 60))
            said = desk.hear_of("/ai/event/error")
            assert said.arguments[0] == "loop"


class TestWhoMaySpeak:
    def test_only_this_machine_by_default(self) -> None:
        allowed = AllowList("192.168.10.5", ())
        assert allowed.admits("127.0.0.1")
        assert allowed.admits("::1")
        assert allowed.admits("192.168.10.5")
        assert not allowed.admits("192.168.10.20")

    def test_networks(self) -> None:
        networks = ("192.168.10.0/24", "fd00::/8")
        allowed = AllowList("192.168.10.5", tuple(Admission(ip_network(each)) for each in networks))
        assert allowed.admits("192.168.10.20")
        assert allowed.admits("::ffff:192.168.10.20")
        assert allowed.admits("fd00::1")
        assert not allowed.admits("192.168.11.20")
        assert not allowed.admits("fe80::1%eth0")

    def test_the_nearest_network_decides_what_one_may_do(self) -> None:
        networks = {"192.168.10.0/24": Role.VIEW, "192.168.10.31": Role.MAINTAIN, "192.168.10.16/28": Role.OPERATE}
        allowed = AllowList("192.168.10.5", tuple(Admission(ip_network(each), networks[each]) for each in networks))
        assert allowed.role("192.168.10.200") is Role.VIEW
        assert allowed.role("192.168.10.20") is Role.OPERATE
        assert allowed.role("192.168.10.31") is Role.MAINTAIN
        assert allowed.role("127.0.0.1") is Role.MAINTAIN
        assert allowed.role("192.168.11.1") is None

    def test_who_may_only_look_moves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """127.0.0.2 plays a machine of a network that may view."""
        roles = {HOME: Role.MAINTAIN, "127.0.0.2": Role.VIEW}
        monkeypatch.setattr(AllowList, "_decide", lambda self, host: roles.get(host))
        rule = MapRule.of(MapTable.model_validate({"from": "/desk/go", "do": "go"}))
        with open_room(rules=(rule,)) as room, room.peer("127.0.0.2") as viewer, room.peer() as desk:
            viewer.send(ints("/ai/subscribe", viewer.endpoint.port, 60))
            for forbidden in ("/ai/blackout", "/ai/film/tramp", "/desk/go"):
                viewer.send(padded(forbidden))
            said = viewer.hear_of("/ai/event/error")
            assert said.arguments[0] == "role"
            assert '"operate"' in str(said.arguments[1])
            desk.send(padded("/ai/mode/maintenance"))
            heard = room.wait_for(lambda heard: len(heard) > 0)
        assert [posted.command for posted in heard] == [show.SetMode(show.Mode.MAINTENANCE)]

    def test_maintenance_is_not_for_operators(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AllowList, "_decide", lambda self, host: Role.OPERATE)
        with open_room() as room, room.peer() as desk:
            desk.send(padded("/ai/mode/maintenance"))
            desk.send(build_message("/ai/mode", ("maintenance",)))
            desk.send(build_message("/ai/mode", ("manual",)))
            heard = room.wait_for(lambda heard: len(heard) > 0)
            assert [posted.command for posted in heard] == [show.SetMode(show.Mode.MANUAL)]
            assert room.server.counts().received.refused == 2

    def test_memory_is_bounded(self) -> None:
        allowed = AllowList(HOME, ())
        for n in range(5000):
            allowed.admits(f"10.0.{n // 250}.{n % 250}")
        assert len(allowed._seen) <= 1024

    def test_a_stranger_is_not_heard(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """127.0.0.2 plays the stranger: the allow-list is told that only the desk is at home."""
        monkeypatch.setattr(AllowList, "_decide", lambda self, host: Role.MAINTAIN if host == HOME else None)
        with caplog.at_level(logging.WARNING), open_room() as room, room.peer("127.0.0.2") as stranger:
            for _ in range(20):
                stranger.send(padded("/ai/blackout"))
            with room.peer() as desk:
                desk.send(padded("/ai/go"))
                heard = room.wait_for(lambda heard: len(heard) > 0)
            assert [posted.command for posted in heard] == [show.Go()]
            assert room.server.counts().strangers == 20
        assert len(caplog.records) == 1
        assert "127.0.0.2, which is not allowed to speak" in caplog.text


class TestThePort:
    def test_taken(self) -> None:
        with open_room() as room, pytest.raises(UnavailableError, match=r"\[control\] port") as error:
            server_at(room.server.endpoint)
        assert str(room.server.endpoint) in str(error.value)

    def test_not_ours(self) -> None:
        with pytest.raises(UnavailableError, match=r"192\.0\.2\.1 is not an address of this machine"):
            server_at(Endpoint("192.0.2.1", 9000))

    def test_feedback_to_ourselves(self) -> None:
        with open_room() as room:
            endpoint = room.server.endpoint
        with pytest.raises(InputError, match="where this show itself listens"):
            server_at(endpoint, (endpoint,))

    def test_given_back(self) -> None:
        threads = threading.active_count()
        with open_room() as room:
            endpoint = room.server.endpoint
        assert threading.active_count() == threads
        server_at(endpoint).close()

    def test_ipv6(self) -> None:
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 on this machine")
        with open_room(host="::1", names=Names()) as room:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as desk:
                desk.sendto(padded("/ai/go"), room.server.endpoint)
            room.wait_for_command(show.Go())


def wait_for(listening: socket.socket, data: bytes) -> bool:
    while listening.recv(65_536) != data:
        pass
    return True
