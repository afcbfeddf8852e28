"""A flood: OSC values over UDP as fast as one process can send them, at a show that plays, is watched and commanded.

Beside it the same show with the same desk and the same watchers, on the same machine just before, while the same
generator sends to a socket that nobody reads: what is left between the two is what the flood costs the picture, not
what it costs the processor that makes it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from installation.control.network.sockets import open_listener, open_listeners
from installation.control.settings import Endpoint
from installation.nets.model import ModelInfo
from installation.wiring.bench.generator import Traffic
from installation.wiring.bench.orders import Orders, cue_tables, give_orders
from installation.wiring.bench.playing import PACKAGE, Played, play_headless
from installation.wiring.bench.watchers import Watched, listener, page, watch

HOST = "127.0.0.1"
SIZE = (640, 360)
LISTENERS, PAGES = 5, 5
LAST_S = 1.0  # of playing, in which nothing is ordered any more
_RETRY_S = 0.05
STILL = ("/ai/brightness=1", "/ai/speed=1", *(f"/ai/steer/{axis}=0" for axis in range(1, 9)))
VALUES = ("/ai/brightness", "/ai/speed", "/ai/volume", *(f"/ai/steer/{axis}" for axis in range(1, 9)))
MOVING = ("/ai/brightness", *(f"/ai/steer/{axis}" for axis in range(1, 9)))


@dataclass(frozen=True, slots=True)
class FloodRun:
    """One run: what the generator sent where, what became of the desk's orders, what the watchers were told, how the
    show played meanwhile.
    """

    what: str
    traffic: Traffic
    orders: Orders
    watched: Watched
    played: Played

    @property
    def control(self) -> Any:
        """What the player's control thread counted."""
        return self.played.stats["control"]

    @property
    def obeyed(self) -> int:
        """Triggers that reached the show; all of them are the desk's."""
        return int(self.played.stats["commands"]["triggers"])

    @property
    def p99_ms(self) -> float:
        """Of the intervals between pictures."""
        return float(self.played.stats["interval_ms"]["p99"])


@dataclass(frozen=True, slots=True)
class Flood:
    """Three runs of so many seconds: beside a flood that goes nowhere; in one of values that change nothing; in one of
    values that change every picture.
    """

    seconds: float
    baseline: FloodRun
    floods: tuple[FloodRun, ...]


def measure_flood(model: ModelInfo, film: str, seconds: float, say: Callable[[str], None]) -> Flood:
    """Play one film of a model three times. Raises UnavailableError if the player fails."""
    with TemporaryDirectory(prefix="afterimage-flood-") as folder:
        stage = _Stage(Path(folder) / "show.toml", model, film, seconds)
        say(f"playing {seconds:g} s beside a flood that goes nowhere")
        with closing(open_listener(HOST, 0)) as sink:
            baseline = asyncio.run(stage.run("at nobody", STILL, sink))
        floods = []
        for what, values in (("nothing changes", STILL), ("pictures change", MOVING)):
            say(f"playing {seconds:g} s in a flood in which {what}")
            floods.append(asyncio.run(stage.run(what, values, None)))
        return Flood(seconds, baseline, tuple(floods))


class _Stage:
    """A show to be flooded, on ports that are free, and everybody around it."""

    def __init__(self, show: Path, model: ModelInfo, film: str, seconds: float) -> None:
        self._show = show
        self._seconds = seconds
        self._player, queries, place = (_free_endpoint() for _ in range(3))
        self._watchers = (*[listener(queries, VALUES)] * LISTENERS, *[page(place)] * PAGES)
        lines = _show_lines(model, film, self._player.port, queries.port, place.port)
        show.write_text("\n".join(lines), encoding="utf-8")

    async def run(self, what: str, values: Sequence[str], sink: socket.socket | None) -> FloodRun:
        """Play once; the generator sends to the player, or to a sink until the player has ended."""
        target = self._player if sink is None else Endpoint(*sink.getsockname())
        async with _generator(target, values) as generator:
            playing = asyncio.create_task(asyncio.to_thread(play_headless, self._show, self._seconds, SIZE))
            await self._is_open(playing)
            generator.begin()
            ordering = asyncio.create_task(give_orders(self._player, self._seconds - LAST_S))
            watching = asyncio.create_task(watch(self._watchers, playing))
            played, orders, watched = await playing, await ordering, await watching
            if sink is not None:
                sink.close()
            return FloodRun(what, await generator.traffic(), orders, watched, played)

    async def _is_open(self, playing: asyncio.Task[Played]) -> None:
        """Wait until the player listens, or has failed."""
        while not playing.done():
            try:
                _, writer = await asyncio.open_connection(*self._player)
            except OSError:
                await asyncio.sleep(_RETRY_S)
            else:
                writer.close()
                return


def _free_endpoint() -> Endpoint:
    """A port of this machine that is free for UDP and TCP."""
    datagrams, streams = open_listeners(HOST, 0)
    with closing(datagrams), closing(streams):
        return Endpoint(*datagrams.getsockname())


def _show_lines(model: ModelInfo, film: str, port: int, queries: int, page_port: int) -> tuple[str, ...]:
    """A show of one film, over and over."""
    path = json.dumps(str(model.path.resolve()))  # a JSON string is a TOML string
    return (
        f'version = 1\ntitle = "Flood"\nmodel = {path}',
        f'[programmes.flood]\nscenes = ["{film}"]',
        f"[control]\nport = {port}\noscquery = {queries}\n[page]\nport = {page_port}",
        *cue_tables(),
    )


class _Generator:
    """The process that floods."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def begin(self) -> None:
        """It sends from now on."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def traffic(self) -> Traffic:
        """What it sent, once its target is closed."""
        assert self._process.stdout is not None
        printed = await self._process.stdout.read()
        await self._process.wait()
        return Traffic(**json.loads(printed))


@asynccontextmanager
async def _generator(target: Endpoint, values: Sequence[str]) -> AsyncIterator[_Generator]:
    """A generator that is ready to begin."""
    command = (sys.executable, "-m", "installation.wiring.bench.generator", target.host, str(target.port), *values)
    process = await asyncio.create_subprocess_exec(*command, cwd=PACKAGE, stdin=PIPE, stdout=PIPE)
    try:
        assert process.stdout is not None
        await process.stdout.readline()  # that it is ready
        yield _Generator(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
