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
from installation.latents.footage import Footage, footage_sha256
from installation.latents.framing import Fit, Framing
from installation.player import Outside, Player
from installation.render.file import FilePresenter
from installation.render.pacing import FilePacing
from installation.show.pictures import PictureBoard
from installation.show.plan import grid, upcoming
from installation.show.state import ProgrammeSource, ShowState, cursor, opened
from installation.show.status import StatusBoard
from installation.show.timebase import JOTS_PER_NS, JOTS_PER_SECOND
from installation.venue.watchdog import Heartbeat, Notifier
from installation.wiring.films import OpenedFilms, open_films, start_live
from installation.wiring.loading import LoadedWork, load_work
from installation.wiring.playing import USUAL_RATE
from installation.wiring.request import RenderRequest, wall_at
from installation.wiring.staging import make_stage

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
        films = open_films(work)
        footage = (
            None if request.beside is None else _Beside(request.beside, work, films, stack.enter_context(ExitStack()))
        )
        presenter = stack.enter_context(FilePresenter(request.output, request.size or RENDER_SIZE, rate, footage))
        inbox = Inbox()
        live = stack.enter_context(start_live(work, SystemClock(), inbox, print))
        frames = WaitingSource(Decoders(films.decoders, films.streams, live.films), SystemClock())
        stage = make_stage(presenter, work.show, films, PictureBoard())
        stage = replace(stage, pacing=FilePacing(start_ns, rate))
        player = Player(clock, work.show, state, frames, stage, _alone(inbox), {})
        for number in track(range(max(1, round(seconds * rate))), f"{request.output.name}"):
            if footage is not None:
                footage.follow(player, clock.now_ns())
            following = player.tick()
            presenter.hold_until(number + 1)  # a slower film has nothing new for some of the file's pictures
            clock.wait(following, presenter.wait)


def _alone(inbox: Inbox) -> Outside:
    """Nobody is told, and nobody speaks."""
    return Outside(
        inbox=inbox,
        board=StatusBoard(),
        heartbeat=Heartbeat(Notifier()),
        obeyed=lambda posted: None,
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


class _Beside:
    """The footage of the film that is shown, frame for frame beside its memory. Black while another film is shown.

    Footage of none of the show's films goes along with whichever is shown.
    """

    def __init__(self, path: Path, work: LoadedWork, films: OpenedFilms, stack: ExitStack) -> None:
        self._path = path
        self._stack = stack
        width, height = films.sizes[0]
        self._framing = Framing(width, height, Fit.CONTAIN)
        self._black = np.zeros((height, width, 3), np.uint8)
        source = footage_sha256(path)
        own = {id_ for id_, stream in films.streams.items() if stream.source_sha256 == source}
        self._films = own or set(work.films)
        self._wanted: int | None = None
        self._reading: Iterator[NDArray[np.uint8]] = iter(())
        self._at = -1
        self._shown = self._black

    def follow(self, player: Player, now_ns: int) -> None:
        """The next picture belongs beside what the player shows at `now_ns`."""
        pictures = next(upcoming(player.show, player.state, now_ns)).pictures
        term = pictures[-1].key.terms[-1] if pictures else None
        self._wanted = term.position >> 32 if term is not None and term.film in self._films else None

    def __iter__(self) -> _Beside:
        return self

    def __next__(self) -> NDArray[np.uint8]:
        """The footage's frame of that number, uint8 (H, W, 3)."""
        if self._wanted is None:
            return self._black
        if self._wanted < self._at or self._at < 0:
            self._stack.close()  # of the round before
            footage = self._stack.enter_context(Footage.open(self._path, self._framing))
            self._reading, self._at = iter(footage), -1
        while self._at < self._wanted:
            self._shown = next(self._reading, self._black)
            self._at += 1
        return self._shown
