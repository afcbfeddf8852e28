"""OSCQuery on real sockets, with clients of others."""

from __future__ import annotations

import json
import logging
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import aiohttp
import pytest
from pythonoscquery.osc_query_client import OSCQueryClient
from pythonoscquery.shared.osc_access import OSCAccess
from zeroconf import ServiceInfo

from installation.control.feedback import Event
from installation.control.hub import Guest, Hub
from installation.control.inbox import MAX_TRIGGERS
from installation.control.methods.addresses import AddressSpace
from installation.control.osc.messages import build_message
from installation.control.osc.packets import Message
from installation.control.oscquery import server as server_module
from installation.control.oscquery.server import QueryPlace, open_oscquery
from installation.control.whom import AllowList
from installation.show import commands as show
from installation.show.roles import Role
from tests.control.oscquery.clients import Listener, RawListener, asked_show
from tests.control.packets import floats, ints, message, padded
from tests.control.rooms import HOME, NAMES, open_room


class TestAsking:
    def test_every_address_is_found(self) -> None:
        with asked_show() as it:
            for target in AddressSpace(NAMES).targets:
                answered = it.get(target.address)
                assert (answered.status, answered.json["FULL_PATH"]) == (200, target.address)
            assert "ai" in it.get("/").json["CONTENTS"]  # type: ignore[operator]

    def test_values_are_those_of_now(self) -> None:
        with asked_show() as it:
            assert it.get("/ai/brightness?VALUE").json == {"VALUE": [1.0]}
            it.room.publish(brightness=0.25, scene="visit")
            assert it.get("/ai/brightness?VALUE").json == {"VALUE": [0.25]}
            assert it.get("/ai/status/scene?VALUE").json == {"VALUE": ["visit"]}

    @pytest.mark.parametrize(
        ("path", "status"),
        [("/ai/go?VALUE", 204), ("/ai/go?PRICE", 400), ("/ai/nothing", 404), ("/ai/nothing?TYPE", 404), ("/%00", 404)],
    )
    def test_what_there_is_not(self, path: str, status: int) -> None:
        with asked_show() as it:
            assert it.get(path).status == status

    def test_where_everything_is(self) -> None:
        with asked_show() as it:
            info = it.get("/?HOST_INFO").json
            assert info["NAME"] == f"Bunny on {socket.gethostname().partition('.')[0]}:{it.endpoint.port}"
            assert (info["OSC_IP"], info["OSC_PORT"]) == it.room.server.endpoint
            assert (info["WS_IP"], info["WS_PORT"]) == it.endpoint

    def test_a_client_of_others_understands(self) -> None:
        """It knows no methods that are only written: what it is asked here is what it can read."""
        with asked_show() as it:
            address = socket.inet_aton(it.endpoint.host)
            service = ServiceInfo(
                "_oscjson._tcp.local.", "x._oscjson._tcp.local.", port=it.endpoint.port, addresses=[address]
            )
            client = OSCQueryClient(service)
            info = client.get_host_info()
            assert (info.osc_ip, info.osc_port, info.osc_transport) == (*it.room.server.endpoint, "UDP")
            assert info.extensions["LISTEN"]
            brightness = client.query_node("/ai/brightness")
            assert (brightness.value, brightness.type, brightness.access) == ([1.0], [float], OSCAccess.READWRITE_VALUE)
            assert client.query_node("/ai/blackout").type == [bool]
            status = client.query_node("/ai/status")
            assert {node.full_path for node in status.contents} >= {"/ai/status/scene", "/ai/status/health"}
            assert client.query_node("/ai/nothing") is None

    def test_a_viewer_reads_that_it_may_only_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AllowList, "_decide", lambda self, host: Role.MAINTAIN if host == HOME else Role.VIEW)
        with asked_show() as it:
            assert it.get("/ai/brightness?ACCESS").json == {"ACCESS": 3}
            assert it.get("/ai/brightness?ACCESS", host="127.0.0.2").json == {"ACCESS": 1}


class TestListening:
    def test_the_value_at_once_and_every_change(self) -> None:
        with asked_show() as it, it.listener() as listener:
            listener.say("LISTEN", "/ai/brightness", "/ai/blackout", "/ai/go")
            assert {listener.hear().address for _ in range(2)} == {"/ai/brightness", "/ai/blackout"}
            it.room.publish(blackout=True, volume=0.5)
            assert listener.hear() == Message("/ai/blackout", (True,))
            listener.say("IGNORE", "/ai/blackout")
            listener.send(message("/ai/ping"))
            assert listener.hear() == Message("/ai/ping")  # what was said before is done
            it.room.publish(blackout=False)
            it.room.publish(brightness=0.5)
            assert listener.hear() == Message("/ai/brightness", (0.5,))

    def test_who_sends_is_obeyed_and_not_echoed(self) -> None:
        with asked_show() as it, it.listener() as desk, it.listener() as other:
            for listener in (desk, other):
                listener.say("LISTEN", "/ai/brightness", "/ai/speed")
                assert {listener.hear().address for _ in range(2)} == {"/ai/brightness", "/ai/speed"}
            desk.send(floats("/ai/brightness", 0.5))
            posted = it.room.wait_for_command(show.SetBrightness(0.5))
            it.room.publish(brightness=0.5, applied=posted.sequence)
            assert other.hear() == Message("/ai/brightness", (0.5,))
            it.room.publish(speed=2.0)
            assert desk.hear() == Message("/ai/speed", (2.0,))

    def test_events_and_status_too(self) -> None:
        with asked_show() as it, it.listener() as listener:
            listener.say("LISTEN", "/ai/event/output", "/ai/status/film")
            assert listener.hear() == Message("/ai/status/film", ("",))
            it.room.publish(film="tramp")
            assert listener.hear() == Message("/ai/status/film", ("tramp",))
            it.room.server.announce(Event("output", ("HDMI-1 is gone",)))
            assert listener.hear() == Message("/ai/event/output", ("HDMI-1 is gone",))

    def test_a_trigger_that_comes_twice_by_two_ways_counts_once(self) -> None:
        with asked_show() as it, it.listener() as listener, it.room.peer() as desk:
            listener.send(padded("/ai/film/tramp"))
            it.room.wait_for_command(show.PlayFilm("tramp"))
            desk.send(padded("/ai/film/tramp"))
            desk.send(padded("/ai/pause"))
            assert [posted.command for posted in it.room.wait_for(lambda heard: len(heard) > 0)] == [show.Pause()]

    def test_it_can_subscribe_to_everything(self) -> None:
        with asked_show() as it, it.listener() as listener:
            listener.send(ints("/ai/subscribe", 1, 60))
            assert listener.hear_of("/ai/status/health") == Message("/ai/status/health", ("green",))

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ('{"COMMAND": "LISTEN", "DATA": "/ai/brightnes"}', "unknown-address"),
            ('{"COMMAND": "LISTEN", "DATA": "/ai"}', "unknown-address"),
            ("LISTEN", "command"),
        ],
    )
    def test_what_makes_no_sense_is_answered(self, text: str, code: str) -> None:
        with asked_show() as it, it.listener() as listener:
            listener.text(text)
            said = listener.hear()
            assert (said.address, said.arguments[0]) == ("/ai/event/error", code)

    def test_a_client_that_leaves_is_forgotten(self) -> None:
        with asked_show() as it:
            with it.listener() as listener:
                listener.say("LISTEN", "/ai/speed")
                listener.hear()
            with it.listener() as listener:
                listener.say("LISTEN", "/ai/speed")
                assert listener.hear() == Message("/ai/speed", (1.0,))

    def test_a_show_that_ends_says_goodbye(self) -> None:
        with asked_show() as it:
            listener = Listener(it.endpoint)
        with closing(listener):
            ended = listener.received()
            assert (ended.type, ended.data) == (aiohttp.WSMsgType.CLOSE, 1001)


class TestWhoMay:
    def test_a_page_of_others_is_refused(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING), asked_show() as it:
            for origin in ("http://evil.example", "null"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refusal, it.listener(Origin=origin):
                    pass
                assert refusal.value.status == 403
            with it.listener(Origin=f"http://{it.endpoint}") as listener:
                listener.say("LISTEN", "/ai/speed")
                assert listener.hear() == Message("/ai/speed", (1.0,))
        assert len([line for line in caplog.messages if "evil.example" in line]) == 1

    def test_who_may_only_look_moves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AllowList, "_decide", lambda self, host: Role.MAINTAIN if host == HOME else Role.VIEW)
        with asked_show() as it, it.listener("127.0.0.2") as viewer, it.listener() as desk:
            viewer.send(padded("/ai/blackout"))
            assert viewer.hear().arguments[0] == "role"
            viewer.say("LISTEN", "/ai/speed")
            assert viewer.hear() == Message("/ai/speed", (1.0,))
            desk.send(padded("/ai/go"))
            assert [posted.command for posted in it.room.wait_for(lambda heard: len(heard) > 0)] == [show.Go()]


class TestBounds:
    def test_a_flood_of_listens_holds_nobody(self) -> None:
        with asked_show() as it, it.listener() as flood, it.room.peer() as desk:
            listen = json.dumps({"COMMAND": "LISTEN", "DATA": "/ai/steer/1"})
            unknown = json.dumps({"COMMAND": "LISTEN", "DATA": "/ai/x"})
            with ThreadPoolExecutor(1) as pool:
                flooding = pool.submit(flood.text, *[listen, unknown] * 2500)
                desk.send(padded("/ai/go"))
                it.room.wait_for_command(show.Go())
                flooding.result()
            flood.say("LISTEN", "/ai/speed")
            heard = [flood.hear()]
            while heard[-1].address != "/ai/speed":
                heard.append(flood.hear())
            assert [said.address for said in heard].count("/ai/steer/1") == 1
            assert len(heard) < 200  # of refusals no more than a few are said

    def test_triggers_wait_for_their_turn_and_none_is_lost(self) -> None:
        many = 4 * MAX_TRIGGERS
        packets = [padded(f"/ai/{'pause' if n % 3 else 'resume'}") for n in range(many)]
        with asked_show() as it, it.listener() as desk, ThreadPoolExecutor(1) as pool:
            sending = pool.submit(desk.send, *packets)
            heard = it.room.wait_for(lambda heard: len(heard) >= many)
            sending.result()
            assert [posted.command for posted in heard] == [
                show.Pause() if n % 3 else show.Resume() for n in range(many)
            ]
            assert it.room.server.counts().received.over_rate == 0

    def test_too_large_a_message_ends_the_connection(self) -> None:
        with asked_show() as it, it.listener() as listener:
            listener.send(bytes(70_000))
            assert listener.received().data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            assert it.get("/ai/speed").status == 200

    def test_there_are_places_for_so_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_module, "MAX_CLIENTS", 2)
        with asked_show() as it, it.listener(), it.listener():
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal, it.listener():
                pass
            assert refusal.value.status == 503

    def test_who_reads_nothing_loses_messages_and_then_its_place(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(server_module, "STALLED_S", 0.5)
        with caplog.at_level(logging.WARNING), asked_show() as it, it.listener() as healthy:
            with closing(RawListener(it.endpoint, receives=4096)) as slow:
                slow.listen("/ai/event/output")
                healthy.say("LISTEN", "/ai/event/output", "/ai/event/desk")
                while not caplog.messages:
                    for _ in range(60):
                        it.room.server.announce(Event("output", ("x" * 2000,)))
                    assert [healthy.hear().address for _ in range(60)] == ["/ai/event/output"] * 60
                assert slow.is_ended()
            it.room.server.announce(Event("desk", ("found",)))
            assert healthy.hear_of("/ai/event/desk").arguments == ("found",)
        assert re.search(r"takes nothing, and lost [1-9]\d+ messages: let go", caplog.text)

    def test_who_answers_no_ping_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_module, "HEARTBEAT_S", 0.2)
        with asked_show() as it, closing(RawListener(it.endpoint, receives=65_536)) as silent:
            assert silent.is_ended()
            assert it.get("/ai/speed").status == 200


def test_a_port_that_is_taken_is_said_and_the_show_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server((HOME, 0)) as taken:

        async def opening(hub: Hub) -> Guest:
            return await open_oscquery(hub, QueryPlace(HOME, taken.getsockname()[1], "Bunny"))

        with caplog.at_level(logging.WARNING), open_room(guests=(opening,)) as room, room.peer() as desk:
            desk.send(padded("/ai/go"))
            room.wait_for(lambda heard: len(heard) == 1)
    assert "[control] oscquery" in caplog.text


def test_binary_that_is_not_osc_changes_nothing() -> None:
    with asked_show() as it, it.listener() as listener:
        for junk in (b"", b"\0", b"/ai/go", b"#bundle\0", bytes(range(256)), build_message("/ai/go", ())[:-1]):
            listener.send(junk)
        listener.send(padded("/ai/pause"))
        assert [posted.command for posted in it.room.wait_for(lambda heard: len(heard) > 0)] == [show.Pause()]
