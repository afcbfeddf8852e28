"""Red lines are told once each, to a real web server, and never wait for one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

from installation.clock import SECOND_NS
from installation.control.alerts import GONE_NS, MAX_KNOWN, AlertSettings, RedLines, open_alerts
from installation.control.hub import Guest, Hub
from installation.show.schedule import always_open
from installation.show.status import Health, Trouble
from tests.control.rooms import HOME, PATIENCE_S, Room, open_room

DARK = Trouble("no-screen", Health.RED, "no screen is connected", "check its cable")
STARVED = Trouble("starved", Health.RED, "nothing could be decoded for 7 s", "restart the picture")
LATE = Trouble("late", Health.AMBER, "pictures come late", "end other programs")
NOON_NS = 1_795_608_000 * SECOND_NS  # 2026-11-25 12:00 UTC


class TestRedLines:
    def test_each_is_told_once_whatever_its_words_become(self) -> None:
        lines = RedLines()
        assert lines.new([STARVED, LATE], 0) == [STARVED]
        assert lines.new([replace(STARVED, what="nothing could be decoded for 8 s")], SECOND_NS) == []
        assert lines.new([DARK, STARVED], 2 * SECOND_NS) == [DARK]

    def test_one_that_flickers_is_the_same_and_one_that_comes_back_is_not(self) -> None:
        lines = RedLines()
        assert lines.new([DARK], 0) == [DARK]
        assert lines.new([], 10 * SECOND_NS) == []
        assert lines.new([DARK], 20 * SECOND_NS) == []
        assert lines.new([], 20 * SECOND_NS + GONE_NS) == []
        assert lines.new([DARK], 20 * SECOND_NS + GONE_NS) == [DARK]

    def test_it_is_bounded(self) -> None:
        lines = RedLines()
        many = [replace(DARK, key=f"output-{number}") for number in range(1000)]
        assert len(lines.new(many, 0)) == MAX_KNOWN
        assert len(lines._seen_ns) == MAX_KNOWN


@dataclass
class Museum:
    """Somebody's web server: gives the answers of a list, then 204, and keeps what it was sent."""

    answers: list[int] = field(default_factory=list)
    heard: Queue[dict[str, str]] = field(default_factory=Queue)

    @contextmanager
    def open(self) -> Iterator[str]:
        museum = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                museum.heard.put(json.loads(body))
                self.send_response(museum.answers.pop(0) if museum.answers else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer((HOME, 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://{HOME}:{server.server_port}/alerts?token=secret"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class Ear:
    """A watcher of the hub."""

    def __init__(self) -> None:
        self.said: Queue[str] = Queue()

    def happened(self, event: object) -> None:
        self.said.put(str(event.arguments[0]))  # type: ignore[attr-defined]

    def refused(self, *_: object) -> None: ...

    def denied(self, *_: object) -> None: ...


@contextmanager
def alarmed(
    url: str, troubles: Sequence[Trouble], waits_s: tuple[float, ...] = (0.01, 0.01)
) -> Iterator[tuple[Room, Ear]]:
    ear = Ear()

    async def opening(hub: Hub) -> Guest:
        hub.watch(ear)
        return await open_alerts(hub, AlertSettings(url, "The Rabbit Remembered", always_open("day"), waits_s))

    with open_room(guests=(opening,)) as room:
        room.publish(troubles=tuple(troubles), wall_ns=NOON_NS)
        yield room, ear


def test_somebody_is_told_what_where_and_what_to_do() -> None:
    museum = Museum()
    with museum.open() as url, alarmed(url, [DARK, LATE]) as (_, ear):
        alert = museum.heard.get(timeout=PATIENCE_S)
        assert ear.said.get(timeout=PATIENCE_S) == "sent: no screen is connected"
    assert alert.pop("machine")
    assert alert == {
        "show": "The Rabbit Remembered",
        "level": "red",
        "what": "no screen is connected",
        "advice": "check its cable",
        "since": "2026-11-25T12:00:00+00:00",
    }
    assert museum.heard.empty()


def test_a_server_that_is_busy_is_asked_again() -> None:
    museum = Museum([503, 429])
    with museum.open() as url, alarmed(url, [DARK]) as (_, ear):
        assert ear.said.get(timeout=PATIENCE_S) == "sent: no screen is connected"
    assert museum.heard.qsize() == 3


def test_it_gives_up_in_the_end_and_says_so_without_the_address() -> None:
    museum = Museum([500, 500, 500])
    with museum.open() as url, alarmed(url, [DARK]) as (_, ear):
        said = ear.said.get(timeout=PATIENCE_S)
    assert said == "[alerts] url answers 500; nobody was told: no screen is connected"
    assert museum.heard.qsize() == 3


def test_what_is_wrong_with_the_address_is_not_tried_again_and_nobody_is_followed_elsewhere() -> None:
    museum = Museum([404, 302])
    with museum.open() as url, alarmed(url, [DARK, STARVED]) as (_, ear):
        said = {ear.said.get(timeout=PATIENCE_S) for _ in range(2)}
    assert {text.partition(";")[0] for text in said} == {"[alerts] url answers 404", "[alerts] url answers 302"}
    assert museum.heard.qsize() == 2


def test_nobody_there_is_said() -> None:
    with alarmed("http://127.0.0.1:9/", [DARK]) as (_, ear):
        said = ear.said.get(timeout=PATIENCE_S)
    assert said.startswith("[alerts] url cannot be reached (ClientConnectorError)")


def test_what_is_on_its_way_does_not_hold_the_end_up() -> None:
    museum = Museum([503])
    with museum.open() as url, alarmed(url, [DARK], waits_s=(3600.0,)):
        museum.heard.get(timeout=PATIENCE_S)
