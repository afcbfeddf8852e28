"""A real control server with everything a show can open, and mutated packets on every way into it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from queue import Queue
from unittest.mock import patch

from installation.clock import SECOND_NS, SystemClock
from installation.control import web
from installation.control.buckets import Rates
from installation.control.chronicle import Chronicle
from installation.control.dmx.listener import DmxListener, dmx_guest
from installation.control.hub import Guest, Hub
from installation.control.osc.framing import Framing
from installation.control.oscquery.server import QueryPlace, QueryServer, open_oscquery
from installation.control.page import live
from installation.control.page.content import PageContent
from installation.control.page.guest import PageGuest, open_page
from installation.control.passcodes import Sessions
from installation.control.server import ControlCounts
from installation.control.web import WebPlace
from installation.show.commands import Pause
from installation.show.pictures import PictureBoard
from installation.venue.metrics import resident_mb
from tests.control.dmx.rooms import ARTNET, SACN
from tests.control.fuzz.material import Mutator, dmx_corpus, fuzz_rules, osc_corpus, page_corpus
from tests.control.fuzz.ways import Datagrams, Http, Page, Stream, Way, WebSocket
from tests.control.network.test_streams import StreamDesk, desk_in
from tests.control.packets import padded
from tests.control.page.house import BUTTONS, make_show
from tests.control.rooms import HOME, PATIENCE_S, Room, open_room

BATCH = 200  # packets on one way
SAY_EVERY = 250  # batches
UNLIMITED = Rates(per_source=10**9, burst=10**9, overall=10**9)  # of requests, and of what one page says
MOMENT_S = 0.001
WARM = 0.2  # of the packets, before memory is compared
ALLOWED_MB = 24.0


class FuzzError(Exception):
    """What fuzzing is for."""


@dataclass
class Tale:
    """What a run was like. Memory in MB, at `WARM` and at the end."""

    sent: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    memory_mb: tuple[float, float] = (0.0, 0.0)
    counts: ControlCounts = field(default_factory=ControlCounts)

    def lines(self) -> Iterator[str]:
        """For people."""
        received = self.counts.received
        yield f"{self.sent.total()} packets in {self.seconds:.0f} s: " + ", ".join(
            f"{number} {way}" for way, number in self.sent.items()
        )
        yield f"OSC: {received}; {self.counts.streams}"
        yield f"faults: {self.counts.faults}; resident: {self.memory_mb[0]:g} MB, at the end {self.memory_mb[1]:g} MB"


def fuzz_server(packets: int, seed: int, say: Callable[[str], None] = lambda text: None, first: int = 0) -> Tale:
    """Send so many mutated packets, from batch `first` on. Raises FuzzError."""
    tale, clock = Tale(), SystemClock()
    corpora = {name: dmx_corpus() for name in ("sACN", "Art-Net")} | {"page": page_corpus()}
    osc = osc_corpus()
    begun_ns = clock.now_ns()
    warm_mb = 0.0
    with _open_server() as (room, desk, ways):
        for number in count(first):
            way, rng = ways[number % len(ways)], random.Random(f"{seed} {number}")
            mutator = Mutator(corpora.get(way.name, osc), rng)
            batch = [mutator.packet() for _ in range(BATCH)]
            try:
                tale.sent[way.name] += way.send(batch, rng)
                _still_obeys(room, desk)
            except (AssertionError, OSError) as error:
                where = f"--seed {seed} --first {number} ({way.name})"
                raise FuzzError(f"{where}: {error!r}; {room.server.counts()}") from error
            if tale.sent.total() <= WARM * packets or not warm_mb:
                warm_mb = resident_mb()
            if number % SAY_EVERY == 0:
                say(f"{tale.sent.total()} packets, {resident_mb():g} MB")
            if tale.sent.total() >= packets:
                break
        tale.counts = room.server.counts()
    tale.seconds = (clock.now_ns() - begun_ns) / SECOND_NS
    tale.memory_mb = (warm_mb, resident_mb())
    if tale.memory_mb[1] > warm_mb + ALLOWED_MB:
        raise FuzzError(f"memory grew from {warm_mb:g} to {tale.memory_mb[1]:g} MB")
    return tale


def _still_obeys(room: Room, desk: StreamDesk) -> None:
    """A desk's next trigger is obeyed, and nothing was our own fault. It is one that is never taken for a repeat."""
    room.look()
    desk.send(padded("/ai/pause"))
    room.wait_for(lambda heard: any(posted.command == Pause() and posted.origin.name == HOME for posted in heard))
    assert room.server.counts().faults == 0, "a fault of our own, logged above"


@dataclass(frozen=True)
class Doors:
    """Where a show that lets everybody in listens, besides OSC."""

    queries: QueryServer
    page: PageGuest
    sacn: DmxListener
    artnet: DmxListener


@contextmanager
def _open_server() -> Iterator[tuple[Room, StreamDesk, list[Way]]]:
    """The server, a desk that is somebody else, and the ways."""
    opened: Queue[Doors] = Queue()

    async def everything(hub: Hub) -> Guest:
        queries = await open_oscquery(hub, QueryPlace(HOME, 0, "Fuzz"))
        place, content = WebPlace(HOME, 0, "page", "[page] port"), PageContent(make_show(), BUTTONS)
        page = await open_page(hub, place, content, PictureBoard(), Chronicle(SystemClock()), Sessions(None))
        listeners = [await dmx_guest(settings)(hub) for settings in (SACN, ARTNET)]
        opened.put(Doors(queries, page, *listeners))  # type: ignore[arg-type]
        return _Everybody((queries, page, *listeners))

    with ExitStack() as stack:
        stack.enter_context(patch.object(web, "REQUESTS", UNLIMITED))
        stack.enter_context(patch.object(live, "RATES", UNLIMITED))
        room = stack.enter_context(open_room(rules=fuzz_rules(), guests=(everything,)))
        doors = opened.get(timeout=PATIENCE_S)
        ways: list[Way] = [Stream(framing, room.server.endpoint) for framing in Framing]
        ways += [WebSocket(doors.queries.endpoint), Http(doors.page.endpoint), Page(doors.page.endpoint)]
        ways += [stack.enter_context(closing(way)) for way in _datagrams(room, doors)]
        yield room, stack.enter_context(desk_in(room, Framing.SLIP)), ways


def _datagrams(room: Room, doors: Doors) -> list[Datagrams]:
    """The ways over UDP, with what tells how many datagrams were looked at on each."""
    server = room.server

    def wait() -> None:
        room.inbox.wake.wait(MOMENT_S)
        room.look()

    return [
        Datagrams("UDP", server.endpoint, lambda: server.counts().received.datagrams, wait),
        Datagrams("sACN", doors.sacn.endpoint, lambda: doors.sacn._receiver.counts.datagrams, wait),
        Datagrams("Art-Net", doors.artnet.endpoint, lambda: doors.artnet._receiver.counts.datagrams, wait),
    ]


class _Everybody:
    """Several guests as one."""

    def __init__(self, guests: Sequence[Guest]) -> None:
        self._guests = guests

    async def close(self) -> None:
        for guest in self._guests:
            await guest.close()
