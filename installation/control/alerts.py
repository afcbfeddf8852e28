"""`[alerts] url`: one POST for every red line of the health, so that somebody elsewhere knows.

A line is told once, whatever its words become while it lasts; again only when it went away for a while and came back.
What cannot be delivered is tried again a few times, and then said in the log. Nothing waits for any of it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from installation.clock import SECOND_NS
from installation.control.feedback import Event
from installation.control.hub import Hub
from installation.show.schedule import Schedule
from installation.show.status import Health, Trouble

LOOK_S = 0.5
GONE_NS = 60 * SECOND_NS  # away for so long, a line is another one when it comes back
MAX_KNOWN = 64
MAX_UNDERWAY = 16
WAITS_S = (2.0, 10.0, 60.0, 300.0)  # before each further try
REPLY_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Where alerts go, and what show they are of. `schedule` has the zone that times are written in."""

    url: str
    title: str
    schedule: Schedule
    waits_s: tuple[float, ...] = WAITS_S


class RedLines:
    """Which red lines are new. Pure."""

    def __init__(self) -> None:
        self._seen_ns: dict[str, int] = {}

    def new(self, troubles: Sequence[Trouble], now_ns: int) -> list[Trouble]:
        """The red lines that have not been told, of all that hold now."""
        self._seen_ns = {key: seen for key, seen in self._seen_ns.items() if now_ns - seen < GONE_NS}
        red = [trouble for trouble in troubles if trouble.level is Health.RED]
        new = [trouble for trouble in red if trouble.key not in self._seen_ns][: MAX_KNOWN - len(self._seen_ns)]
        for trouble in red:
            if trouble.key in self._seen_ns or trouble in new:
                self._seen_ns[trouble.key] = now_ns
        return new


class Alerts:
    """A guest that tells of red lines. Made on the control thread's loop."""

    def __init__(self, hub: Hub, settings: AlertSettings) -> None:
        self._hub = hub
        self._settings = settings
        self._lines = RedLines()
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REPLY_S))
        self._underway: set[asyncio.Task[None]] = set()
        self._looking = asyncio.get_running_loop().create_task(self._look_on())

    async def close(self) -> None:
        """Tell nothing more. What is on its way is given up."""
        tasks = (self._looking, *self._underway)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    async def _look_on(self) -> None:
        while True:
            self._hub.guarded(self._look)
            await asyncio.sleep(LOOK_S)

    def _look(self) -> None:
        now = self._hub.board.read()
        for trouble in self._lines.new(now.troubles, self._hub.clock.now_ns()):
            if len(self._underway) >= MAX_UNDERWAY:
                self._say(f"too many at once; nobody was told: {trouble.what}")
                continue
            since = self._settings.schedule.local(now.wall_ns)
            task = asyncio.get_running_loop().create_task(self._deliver(trouble, since))
            self._underway.add(task)
            task.add_done_callback(self._underway.discard)

    async def _deliver(self, trouble: Trouble, since: dt.datetime) -> None:
        alert = {
            "show": self._settings.title,
            "machine": socket.gethostname(),
            "level": trouble.level.value,
            "what": trouble.what,
            "advice": trouble.advice,
            "since": since.isoformat(timespec="seconds"),
        }
        for wait_s in (*self._settings.waits_s, None):
            problem, final = await self._post(alert)
            if not problem:
                self._say(f"sent: {trouble.what}")
                return
            if final or wait_s is None:
                break
            await asyncio.sleep(wait_s)
        self._say(f"{problem}; nobody was told: {trouble.what}")

    async def _post(self, alert: dict[str, str]) -> tuple[str, bool]:
        """One try: what went wrong ("": nothing), and whether trying again is of no use."""
        try:
            async with self._client.post(self._settings.url, json=alert, allow_redirects=False) as reply:
                if reply.status < 300:
                    return "", True
                return f"[alerts] url answers {reply.status}", reply.status < 500 and reply.status not in (408, 429)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return f"[alerts] url cannot be reached ({type(error).__name__})", False

    def _say(self, text: str) -> None:
        """In the log, and to whoever hears events. Never the address: there may be a token in it."""
        log.warning("alert: %s", text)
        self._hub.announce(Event("alert", (text,)))


async def open_alerts(hub: Hub, settings: AlertSettings) -> Alerts:
    """Begin to look."""
    return Alerts(hub, settings)
