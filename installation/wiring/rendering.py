"""`afterimage render`: the same pictures, offline. The player with a simulated clock, frames that wait and a
presenter that writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from installation.clock import SimulatedClock, SystemClock
from installation.control.inbox import Inbox
from installation.decode.decoders import Decoders
from installation.decode.waiting import WaitingSource
from installation.errors import InputError
from installation.latents.footage import Footage
from installation.latents.framing import Fit, Framing
from installation.player import Outside, Player
from installation.render.file import FilePresenter
from installation.render.pacing import FilePacing
from installation.show.plan import grid
from installation.show.state import ProgrammeSource, ShowState, cursor, opened
from installation.show.status import StatusBoard
from installation.show.timebase import JOTS_PER_NS, JOTS_PER_SECOND
from installation.venue.watchdog import Heartbeat, Notifier
from installation.wiring.films import open_films, start_live
from installation.wiring.loading import LoadedWork, load_work
from installation.wiring.playing import USUAL_RATE, make_stage
from installation.wiring.request import RenderRequest, wall_at

RENDER_SIZE = (1280, 720)


def render_show(request: RenderRequest) -> None:
    """Write a show's pictures to a film or a folder. Raises AfterimageError; nothing is left behind then."""
    work = load_work(request.show, request.venue, USUAL_RATE)
    start_ns = wall_at(request.at, work.show.schedule, SystemClock().wall_ns())
    clock = SimulatedClock(start_ns)
    state = opened(work.show, start_ns, start_ns)
    rate = _rate(work, state, start_ns)
    seconds = request.seconds if request.seconds is not None else _one_round(work, state, start_ns)
    with ExitStack() as stack:
        beside = None if request.beside is None else _footage(request.beside, work, stack)
        presenter = stack.enter_context(FilePresenter(request.output, request.size or RENDER_SIZE, rate, beside))
        films = open_films(work)
        inbox = Inbox()
        live = stack.enter_context(start_live(work, SystemClock(), inbox, print))
        frames = WaitingSource(Decoders(films.decoders, films.streams, live.films), SystemClock())
        stage = replace(make_stage(presenter, work.show, films), pacing=FilePacing(start_ns, rate))
        player = Player(clock, work.show, state, frames, stage, _alone(inbox), {})
        for _ in track(range(max(1, round(seconds * rate))), f"{request.output.name}"):
            clock.wait(player.tick(), presenter.wait)


def _alone(inbox: Inbox) -> Outside:
    """Nobody is told, and nobody speaks."""
    return Outside(
        inbox=inbox,
        board=StatusBoard(),
        heartbeat=Heartbeat(Notifier()),
        refused=lambda posted, error: None,
        said=lambda message: None,
        latent=lambda z: None,
        remember=lambda state: None,
    )


def _rate(work: LoadedWork, state: ShowState, start_ns: int) -> Fraction:
    """Pictures a second: those of the scene the film begins with."""
    return grid(work.show, state, start_ns * JOTS_PER_NS).rate


def _one_round(work: LoadedWork, state: ShowState, start_ns: int) -> Fraction:
    """Seconds until the show is where it began: a round of the programme, or of the scene."""
    source = state.top.source
    if isinstance(source, ProgrammeSource):
        return Fraction(work.show.library.programmes[source.programme].starts[-1], JOTS_PER_SECOND)
    here = cursor(work.show, state.top, start_ns * JOTS_PER_NS)
    if here is None:
        raise InputError("the show is closed at that time: choose another with --at, or say how long with --seconds")
    return Fraction(here.scene.duration, JOTS_PER_SECOND)


def _footage(path: Path, work: LoadedWork, stack: ExitStack) -> Iterator[NDArray[np.uint8]]:
    """The pictures of some footage, at the models' own size."""
    width, height = next(iter(work.films.values())).model.size
    return iter(stack.enter_context(Footage.open(path, Framing(width, height, Fit.CONTAIN))))
