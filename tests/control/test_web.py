"""The guarded web server, on real sockets."""

from __future__ import annotations

import http.client
import logging
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from queue import Queue

import pytest
from aiohttp import web

from installation.control import web as web_module
from installation.control.hub import Guest, Hub
from installation.control.network.conversation import Places
from installation.control.passcodes import Passcodes, Sessions
from installation.control.settings import Endpoint
from installation.control.web import WebPlace, WebServer, caller, open_web
from installation.control.whom import AllowList
from installation.show.roles import Role
from tests.control.packets import padded
from tests.control.rooms import HOME, PATIENCE_S, Room, open_room

BOTH = Passcodes({Role.OPERATE: "rabbit", Role.MAINTAIN: "burrow"})


async def say_role(request: web.Request) -> web.Response:
    return web.Response(text=caller(request).role.word)


async def fail(request: web.Request) -> web.Response:
    raise RuntimeError("of our own")


ROUTES = (web.get("/", say_role), web.post("/do", say_role), web.get("/fail", fail))


@dataclass
class House:
    room: Room
    server: WebServer

    @property
    def endpoint(self) -> Endpoint:
        return self.server.endpoint

    def ask(
        self, method: str = "GET", path: str = "/", body: str = "", host: str = HOME, **headers: str
    ) -> http.client.HTTPResponse:
        line = http.client.HTTPConnection(HOME, self.endpoint.port, timeout=PATIENCE_S, source_address=(host, 0))
        with closing(line):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            line.request(method, path, body or None, named)
            answer = line.getresponse()
            answer.text = answer.read().decode()  # type: ignore[attr-defined]
            return answer


@contextmanager
def house(sessions: Sessions | None = None) -> Iterator[House]:
    opened: Queue[WebServer] = Queue()
    place = WebPlace(HOME, 0, "page", "[page] port", frozenset({"player.museum"}))

    async def opening(hub: Hub) -> Guest:
        server = await open_web(hub, place, ROUTES, sessions)
        opened.put(server)
        return server

    with open_room(guests=(opening,)) as room:
        yield House(room, opened.get(timeout=PATIENCE_S))


def test_an_answer_with_its_headers() -> None:
    with house() as it:
        answer = it.ask()
        assert (answer.status, answer.text) == (200, "maintain")  # type: ignore[attr-defined]
        assert "default-src 'self'" in (answer.getheader("Content-Security-Policy") or "")
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Access-Control-Allow-Origin") is None


def test_a_stranger_is_hung_up_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(AllowList, "_decide", lambda self, host: Role.MAINTAIN if host == HOME else None)
    with caplog.at_level(logging.WARNING), house() as it:
        for _ in range(5):
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                it.ask(host="127.0.0.2")
        assert it.ask().status == 200
        assert it.room.server.counts().strangers == 5
    assert len([line for line in caplog.records if "127.0.0.2" in line.getMessage()]) == 1


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        (f"{socket.gethostname()}:8080", 200),
        ("player.museum", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("[::1", 200),
    ],
)
def test_names_are_ours(name: str, status: int) -> None:
    with house() as it:
        assert it.ask(Host=name).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost:8080"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_what_acts_comes_from_our_own_page(headers: dict[str, str], status: int) -> None:
    with house() as it:
        assert it.ask("POST", "/do", Host="localhost", **headers).status == status
        assert it.ask("GET", "/", Host="localhost", **headers).status == 200  # reading is another matter


def test_a_passcode_opens_a_role() -> None:
    with house(Sessions(BOTH)) as it:
        assert it.ask().text == "view"  # type: ignore[attr-defined]
        assert it.ask("POST", "/login", '{"passcode": "wrong"}').status == 403
        opened = it.ask("POST", "/login", '{"passcode": "rabbit"}')
        assert opened.status == 204
        cookie = opened.getheader("Set-Cookie") or ""
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        token = cookie.partition(";")[0]
        assert it.ask(Cookie=token).text == "operate"  # type: ignore[attr-defined]
        assert it.ask("POST", "/logout", Cookie=token).status == 204
        assert it.ask(Cookie=token).text == "view"  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", ["", "[]", '{"passcode": 7}', "\x00", '{"passcode": "' + "x" * 300 + '"}', "[" * 9000])
def test_a_login_that_is_none(body: str) -> None:
    with house(Sessions(BOTH)) as it:
        assert it.ask("POST", "/login", body).status == 400


def test_guessing_is_slowed_down() -> None:
    with house(Sessions(BOTH)) as it:
        statuses = [it.ask("POST", "/login", '{"passcode": "guess"}').status for _ in range(5)]
        assert statuses == [403, 403, 403, 429, 429]


def test_a_body_that_is_too_large() -> None:
    with house(Sessions(BOTH)) as it:
        assert it.ask("POST", "/login", "x" * 20_000).status == 413


def test_requests_are_rationed(monkeypatch: pytest.MonkeyPatch) -> None:
    with house() as it:
        statuses = [it.ask().status for _ in range(400)]
        assert statuses[:200] == [200] * 200
        assert 429 in statuses


def test_a_fault_of_our_own_is_counted_and_said_to_nobody_else() -> None:
    seen = []
    with pytest.raises(AssertionError), house() as it:  # the room itself asserts that there was none
        answer = it.ask(path="/fail")
        seen = [answer.status, "our own" in answer.text, it.room.server.counts().faults]  # type: ignore[attr-defined]
    assert seen == [500, False, 1]


def test_a_header_that_never_ends_holds_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "HEADER_S", 0.2)
    monkeypatch.setattr(web_module, "TICK_S", 0.05)
    with house() as it:
        slow = [socket.create_connection((HOME, it.endpoint.port), PATIENCE_S) for _ in range(8)]
        for line in slow[:4]:
            line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        for line in slow:
            with suppress(ConnectionError):
                assert line.recv(1) == b""
            line.close()
        assert it.ask().status == 200


def test_a_body_that_never_comes_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "REQUEST_S", 0.2)
    with house(Sessions(BOTH)) as it, socket.create_connection((HOME, it.endpoint.port), PATIENCE_S) as slow:
        slow.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n{")
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
        assert is_ended(slow)


def test_a_second_request_that_never_ends_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "KEEP_S", 0.2)
    with house() as it, socket.create_connection((HOME, it.endpoint.port), PATIENCE_S) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert is_ended(slow)


def is_ended(line: socket.socket) -> bool:
    """Read until the other side has hung up."""
    with suppress(ConnectionError):
        while line.recv(4096):
            pass
    return True


def test_places_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "PLACES", Places(per_host=3, overall=4))
    with house() as it:
        lines = [socket.create_connection((HOME, it.endpoint.port), PATIENCE_S) for _ in range(5)]
        for line in lines[3:]:
            with pytest.raises((ConnectionError, AssertionError)):
                assert line.recv(1)
        lines[0].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert lines[0].recv(100).startswith(b"HTTP/1.1 200")
        for line in lines:
            line.close()


@pytest.mark.parametrize("garbage", [b"\x00" * 2000, b"GET / HTTP/9.9\r\n\r\n", b"#bundle\0" * 40, b"\r\n" * 5000])
def test_garbage_is_not_logged(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), house() as it:
        with socket.create_connection((HOME, it.endpoint.port), PATIENCE_S) as line:
            line.sendall(garbage)
            line.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                while line.recv(4096):
                    pass
        assert it.ask().status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_port_that_is_taken_is_said_and_the_show_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server((HOME, 0)) as taken:
        place = WebPlace(HOME, taken.getsockname()[1], "page", "[page] port")

        async def opening(hub: Hub) -> Guest:
            return await open_web(hub, place, ROUTES)

        with caplog.at_level(logging.WARNING), open_room(guests=(opening,)) as room, room.peer() as desk:
            desk.send(padded("/ai/go"))
            room.wait_for(lambda heard: len(heard) == 1)
    assert "the port of the page" in caplog.text
    assert "[page] port" in caplog.text
