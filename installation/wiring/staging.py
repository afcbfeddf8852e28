"""The picture of `afterimage play`, from the films to the screen: everything that is built anew on `/ai/restart`."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import combinations

from installation.clock import Clock
from installation.control.inbox import Inbox
from installation.decode.decoders import Decoders
from installation.decode.source import FrameSource, Tally
from installation.decode.worker import DecodeWorker
from installation.player import Stage
from installation.render.compose import Renderer
from installation.render.egl import EglPresenter
from installation.render.overlay import Overlay
from installation.render.pacing import LivePacing
from installation.render.presenter import Presenter
from installation.render.preview import Previewer
from installation.show.pictures import PictureBoard
from installation.show.state import Show
from installation.wiring.films import LiveFilms, OpenedFilms, open_films, spare_work, start_live
from installation.wiring.loading import LoadedWork
from installation.wiring.request import PlayRequest, Surface

log = logging.getLogger("afterimage")

HEADLESS_SIZE = (1920, 1080)
WINDOW_SIZE = (1280, 720)


class Doorbell:
    """Ends the rest of the presenter that is there, for rooms that ring without knowing whose; else does nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._presenter: Presenter | None = None

    def set(self) -> None:
        """Ring. From any thread."""
        with self._lock:  # a presenter must not be closed under a hand that rings
            if self._presenter is not None:
                self._presenter.wake()

    @contextmanager
    def of(self, presenter: Presenter) -> Iterator[None]:
        """Ring at this one for a while."""
        with self._lock:
            self._presenter = presenter
        try:
            yield
        finally:
            with self._lock:
                self._presenter = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outlasts a picture: time, whom it rings and tells, what has been counted."""

    clock: Clock
    inbox: Inbox
    bell: Doorbell
    pictures: PictureBoard
    decodes: Tally
    complain: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is ready to be played."""

    films: OpenedFilms
    live: LiveFilms
    frames: FrameSource
    stage: Stage


@contextmanager
def staged(request: PlayRequest, work: LoadedWork, around: Surroundings) -> Iterator[Picture]:
    """Build a picture, and give everything back that it took. Raises AfterimageError for what keeps it from playing."""
    with ExitStack() as stack:
        # The networks are read in one thread while OpenGL starts in this one: the first picture is the sooner there.
        opening = stack.enter_context(ThreadPoolExecutor(1)).submit(open_films, work)
        presenter = _presenter(request, work)
        stack.callback(presenter.close)
        films = opening.result()
        stack.enter_context(around.bell.of(presenter))
        live = stack.enter_context(start_live(work, around.clock, around.inbox, around.complain))
        decoders = Decoders(films.decoders, films.streams, live.films)
        spare = spare_work(work, decoders, around.pictures)
        frames = DecodeWorker(decoders, around.clock, around.bell, around.complain, spare=spare, tally=around.decodes)
        stack.callback(frames.close)
        yield Picture(films, live, frames, make_stage(presenter, work.show, films, around.pictures))


def _presenter(request: PlayRequest, work: LoadedWork) -> Presenter:
    if request.surface is Surface.HEADLESS:
        return EglPresenter(request.size or HEADLESS_SIZE)
    from installation.render.window import fullscreen_window, resizable_window  # noqa: PLC0415 - GLFW takes its time

    match request.surface:
        case Surface.WINDOWED:
            return resizable_window(request.size or WINDOW_SIZE)
        case Surface.FULL_SCREEN:
            return fullscreen_window(request.monitor or work.config.outputs[0].monitor)


def settle_memory() -> None:
    """Take everything made so far out of the garbage collector's rounds: it is here to stay, and looking through it
    again and again would cost milliseconds in the middle of a picture. What an earlier picture left is let go.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def make_stage(presenter: Presenter, show: Show, films: OpenedFilms, pictures: PictureBoard) -> Stage:
    """Renderer, overlay, live pacing and previews for a presenter, warmed up for the show's frames."""
    renderer = Renderer(presenter.graphics)
    sizes = films.sizes
    for together in (*((size,) for size in sizes), *combinations(sizes, 2)):
        renderer.prepare(together, show.look, presenter.target)
    graphics = presenter.graphics
    return Stage(presenter, renderer, Overlay(graphics), LivePacing(), Previewer(graphics, pictures))
