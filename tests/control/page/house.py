"""A whole show without pictures: its page, its OSC port and its keys on this machine, its state moved by real rules.

It is Wednesday, 25 November 2026, 14:30 in London, and open from ten to six.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue

from installation.clock import SystemClock
from installation.control.chronicle import Chronicle
from installation.control.hub import Guest, Hub
from installation.control.inbox import Inbox
from installation.control.methods.names import Names
from installation.control.page.content import PageContent
from installation.control.page.guest import PageGuest, open_page
from installation.control.passcodes import Passcodes, Sessions
from installation.control.server import ControlServer
from installation.control.settings import ControlSettings, Endpoint
from installation.control.web import WebPlace
from installation.errors import CommandRefused
from installation.player import KEYBOARD
from installation.show import commands as c
from installation.show.commands import Command, Posted
from installation.show.config_tables import ScheduleTable
from installation.show.library import Cue, Programme, Then
from installation.show.pictures import PictureBoard
from installation.show.progress import advance
from installation.show.roles import Role
from installation.show.schedule import compile_schedule
from installation.show.snapshot import snapshot
from installation.show.state import Show, ShowState, opened
from installation.show.status import Snapshot, StateWord, StatusBoard, Trouble
from installation.show.transport import apply
from tests.show.worlds import World, film, latent, scene

HOME = "127.0.0.1"
TICK_S = 0.02
BOTH = Passcodes({Role.OPERATE: "rabbit", Role.MAINTAIN: "burrow"})
AFTERNOON = dt.datetime(2026, 11, 25, 14, 30, tzinfo=dt.UTC)
HOURS = {
    "zone": "Europe/London",
    "open": [{"hours": "10:00-18:00", "play": "day"}],
    "except": [{"date": "12-02", "closed": True}],
}
BUTTONS = ("scene/visit", "scene/dream", "programme/late", "film/tramp", "cue/speech", "cue/over")


def make_show() -> Show:
    bunny, tramp = film("bunny", frames=24 * 60), film("tramp", frames=24 * 120)
    scenes = [
        scene(tramp, id="visit", label="The Tramp, once", then=Then.RETURN, length=36 << 32),
        scene(bunny, id="dream", label="The rabbit, dreaming", speed=200_000, transition=latent(0.1)),
    ]
    speech = Cue("speech", "Speech", (c.SetBrightness(0.2, 0.1), c.SetVolume(0.0, 0.1)))
    over = Cue("over", "Speech over", (c.SetBrightness(1.0), c.SetVolume(1.0)))
    programmes = [
        Programme("day", "Day", (scene(bunny), scene(tramp))),
        Programme("late", "Late opening", (scenes[1], scene(tramp))),
    ]
    world = World([bunny, tramp], scenes, programmes, [speech, over])
    schedule = compile_schedule(ScheduleTable.model_validate(HOURS), "day")
    return world.show(title="The Rabbit Remembered", schedule=schedule)


@dataclass
class House:
    """The main thread's side: a tick for every command, and every 20 ms."""

    show: Show
    clock: SystemClock
    inbox: Inbox = field(default_factory=Inbox)
    board: StatusBoard = field(default_factory=StatusBoard)
    pictures: PictureBoard = field(default_factory=PictureBoard)
    troubles: tuple[Trouble, ...] = ()
    obeyed: list[Posted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chronicle = Chronicle(self.clock)
        self.state: ShowState = opened(self.show, self.clock.now_ns(), self.clock.wall_ns())
        self.changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="show")

    def begin(self, server: ControlServer, page: PageGuest) -> None:
        self.server = server
        self.page = page
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self.inbox.wake.set()
        self._thread.join()

    def press_key(self, command: Command) -> None:
        """What a key of the show's does."""
        self.inbox.post((command,), KEYBOARD)

    def wait_until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        """The first snapshot of which that holds."""
        with self.changed:
            assert self.changed.wait_for(lambda: holds(self.board.read()), 10), self.board.read()
            return self.board.read()

    @property
    def endpoint(self) -> Endpoint:
        """Where the page is."""
        return self.page.endpoint

    @property
    def url(self) -> str:
        return f"http://{self.endpoint}/"

    def _run(self) -> None:
        applied = 0
        while not self._over.is_set():
            self.inbox.wake.wait(TICK_S)
            self.inbox.wake.clear()
            now = self.clock.now_ns()
            self.state = advance(self.show, self.state, now)
            for posted in self.inbox.drain():
                applied = max(applied, posted.sequence)
                self._obey(posted, now)
            with self.changed:
                self.board.publish(snapshot(self.show, self.state, now, applied, self.troubles))
                self.changed.notify_all()

    def _obey(self, posted: Posted, now: int) -> None:
        try:
            self.state = apply(self.show, self.state, posted.command, posted.origin, now)
        except CommandRefused as error:
            self.server.refuse(posted, error)
        else:
            self.obeyed.append(posted)
            self.chronicle.obeyed(posted)


@contextmanager
def open_house(
    passcodes: Passcodes | None = None,
    *,
    port: int = 0,
    show: Show | None = None,
    settings: ControlSettings | None = None,
) -> Iterator[House]:
    """A show with its page, until the block ends."""
    show = show or make_show()
    now_ns = SystemClock().wall_ns()
    house = House(show, SystemClock(round(AFTERNOON.timestamp()) * 1_000_000_000 - now_ns))
    opened_pages: Queue[PageGuest] = Queue()

    async def opening(hub: Hub) -> Guest:
        content = PageContent(show, BUTTONS)
        place = WebPlace(HOME, port, "page", "[page] port")
        page = await open_page(hub, place, content, house.pictures, house.chronicle, Sessions(passcodes))
        opened_pages.put(page)
        return page

    settings = settings or ControlSettings(HOME, 0)
    names = Names.of(show.library)
    with ControlServer(settings, names, house.inbox, house.board, SystemClock(), (opening,)) as server:
        house.begin(server, opened_pages.get(timeout=10))
        try:
            house.wait_until(lambda now: now.state is not StateWord.STARTING)
            yield house
        finally:
            house.end()
    assert server.counts().faults == 0
