"""`afterimage play`: a show on a wall, in a window, or on no display at all."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import combinations, islice
from types import FrameType

from installation.clock import SystemClock
from installation.control.chronicle import Chronicle
from installation.control.feedback import Event
from installation.control.framing import Framing
from installation.control.inbox import Inbox
from installation.control.names import Names
from installation.control.rules import MapRule
from installation.control.server import ControlCounts, ControlServer
from installation.control.settings import ControlSettings, DeskAddress, Endpoint
from installation.decode.decoders import Decoders
from installation.decode.source import FrameSource
from installation.decode.worker import DecodeWorker
from installation.errors import CommandRefused, UnavailableError
from installation.player import KEYBOARD, Action, Outside, Player, Stage
from installation.render.compose import Renderer
from installation.render.egl import EglPresenter
from installation.render.overlay import Overlay
from installation.render.pacing import LivePacing
from installation.render.presenter import Presenter
from installation.render.preview import Previewer
from installation.show.changes import Changes
from installation.show.commands import Command, PlayFilm, Posted, TogglePause
from installation.show.pictures import PictureBoard
from installation.show.schedule import is_trusted
from installation.show.state import Show, ShowState, known_changes, opened, resumed
from installation.show.status import StatusBoard
from installation.venue.metrics import in_ms, write_report
from installation.venue.room_checks import RELEASE_NS
from installation.venue.statefile import Memory, MemoryKeeper, load_memory
from installation.venue.watchdog import Heartbeat, Notifier
from installation.wiring.films import LiveFilms, OpenedFilms, open_films, spare_work, start_live
from installation.wiring.guests import openings, page_address
from installation.wiring.loading import LoadedWork, load_work
from installation.wiring.request import PlayRequest, Surface, demo_show, wall_at

log = logging.getLogger("afterimage")

HEADLESS_SIZE = (1920, 1080)
WINDOW_SIZE = (1280, 720)
USUAL_RATE = Fraction(60)
NUMBER_KEYS = 9
HANDOVER_S = (
    0.0005  # how long a thread may keep the picture waiting for the interpreter; Python's own is ten times that
)


def run_show(request: PlayRequest) -> None:
    """Play until told to stop, then write the statistics. Raises AfterimageError for what keeps it from playing."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    work = _load(request, USUAL_RATE)
    wall_ns = SystemClock().wall_ns()
    clock = SystemClock(wall_at(request.at, work.show.schedule, wall_ns) - wall_ns)
    with ExitStack() as stack:
        # The networks are read in one thread while OpenGL starts in this one: the first picture is the sooner there.
        opening = stack.enter_context(ThreadPoolExecutor(1)).submit(open_films, work)
        presenter = _presenter(request, work)
        stack.callback(presenter.close)
        rate = presenter.refresh_hz
        if rate not in (None, USUAL_RATE):
            work = _load(request, rate or USUAL_RATE)
        _Performance(request, work, clock, presenter, opening.result()).run()


def _load(request: PlayRequest, display_rate: Fraction) -> LoadedWork:
    return load_work(request.show or demo_show(), request.venue, display_rate, always_open=request.always_open)


def _presenter(request: PlayRequest, work: LoadedWork) -> Presenter:
    if request.surface is Surface.HEADLESS:
        return EglPresenter(request.size or HEADLESS_SIZE)
    from installation.render.window import fullscreen_window, resizable_window  # noqa: PLC0415 - GLFW takes its time

    match request.surface:
        case Surface.WINDOWED:
            return resizable_window(request.size or WINDOW_SIZE)
        case Surface.FULL_SCREEN:
            return fullscreen_window(request.monitor or work.config.outputs[0].monitor)


class _Performance:
    """One run of a show, from the first tick to the statistics."""

    def __init__(
        self, request: PlayRequest, work: LoadedWork, clock: SystemClock, presenter: Presenter, films: OpenedFilms
    ) -> None:
        self._request = request
        self._work = work
        self._clock = clock
        self._presenter = presenter
        self._films = films
        self._inbox = Inbox(presenter.wake)
        self._board = StatusBoard()
        self._pictures = PictureBoard()
        self._chronicle = Chronicle(clock)
        self._heartbeat = Heartbeat(Notifier.from_environment(os.environ))

    def run(self) -> None:
        """Play."""
        with ExitStack() as stack:
            live = stack.enter_context(start_live(self._work, self._clock, self._inbox, log.warning))
            frames = self._worker(live)
            stack.callback(frames.close)
            server = self._server(stack)
            player = self._player(frames, live, server, stack)
            settle_memory()
            sys.setswitchinterval(HANDOVER_S)
            with _stopped_by_signals(player):
                log.info("%s", self._greeting(player))
                player.run(self._request.seconds)
            self._heartbeat.notifier.stopping()
            if self._request.stats is not None:
                write_report(self._request.stats, player.metrics.report(self._about(frames, server)))

    def _worker(self, live: LiveFilms) -> FrameSource:
        decoders = Decoders(self._films.decoders, self._films.streams, live.films)
        spare = spare_work(self._work, decoders, self._pictures)
        return DecodeWorker(decoders, self._clock, PresenterBell(self._presenter), log.warning, spare=spare)

    def _server(self, stack: ExitStack) -> ControlServer | None:
        """The controls; without them, said so, the picture goes on all the same."""
        names = Names.of(self._work.show.library)
        # Time tags are compared with true wall time, whatever time `--at` makes it.
        settings = control_settings(self._work)
        guests = openings(self._work, self._pictures, self._chronicle)
        try:
            return stack.enter_context(ControlServer(settings, names, self._inbox, self._board, SystemClock(), guests))
        except UnavailableError as error:
            log.warning("%s; playing without controls", error)
            return None

    def _player(self, frames: FrameSource, live: LiveFilms, server: ControlServer | None, stack: ExitStack) -> Player:
        show = self._work.show
        outside = Outside(
            inbox=self._inbox,
            board=self._board,
            heartbeat=self._heartbeat,
            obeyed=self._chronicle.obeyed,
            refused=lambda posted, error: _refuse(server, posted, error),
            said=lambda message: _say(server, message),
            latent=live.put,
            remember=self._memory(stack),
        )
        return Player(
            clock=self._clock,
            show=show,
            state=self._first_state(),
            frames=frames,
            stage=make_stage(self._presenter, show, self._films, self._pictures),
            outside=outside,
            keys=keys(self._work, may_quit=not self._heartbeat.notifier.supervised),
        )

    def _first_state(self) -> ShowState:
        """Where the clock says the show is; on from the state file, if there is one; the first programme, if the
        clock is wrong.
        """
        show, now_ns, wall_ns = self._work.show, self._clock.now_ns(), self._clock.wall_ns()
        memory = load_memory(self._request.state) if self._request.state else None
        if memory is None and self._request.state is not None and self._request.state.exists():
            log.warning("%s: cannot be read as a state; starting from the clock", self._request.state)
        remembered = self._own(memory)
        changes = Changes() if remembered is None else known_changes(show, remembered.changes)
        not_before_ns = max(RELEASE_NS, memory.saved_wall_ns if memory else 0)
        if not is_trusted(SystemClock().wall_ns(), not_before_ns):
            log.warning(
                "the clock says %s, which cannot be: playing the first programme until it is set",
                show.schedule.local(wall_ns),
            )
            return opened(show, now_ns, wall_ns, show.schedule.fallback, changes)
        again = None if remembered is None else resumed(show, remembered, now_ns, wall_ns)
        return again or opened(show, now_ns, wall_ns, changes=changes)

    def _own(self, memory: Memory | None) -> ShowState | None:
        """The state of this very show, if that is what is remembered; with the hours that people changed, unless hours
        are to be ignored.
        """
        if memory is None or memory.title != self._work.show.title:
            return None
        return replace(memory.state, changes=Changes()) if self._request.always_open else memory.state

    def _memory(self, stack: ExitStack) -> Callable[[ShowState], None]:
        if self._request.state is None:
            return lambda state: None
        keeper = MemoryKeeper(self._request.state, log.warning)
        stack.callback(keeper.close)
        title, clock = self._work.show.title, SystemClock()  # not as `--at` has it: the next start asks the true one
        return lambda state: keeper.keep(Memory(title, clock.wall_ns(), state))

    def _greeting(self, player: Player) -> str:
        show = self._work.show
        parts = [show.title, self._presenter.graphics.driver, f"decoding on {self._films.decoding}"]
        address = page_address(self._work.config)
        if address:
            parts.append(f"page at {address}")
        period = player.state.period
        if not period.open:
            until = "never" if period.end_ns is None else f"{show.schedule.local(period.end_ns):%A %d %B %Y at %H:%M}"
            parts.append(f"closed now; opens {until} ({show.schedule.zone}); --open plays all the same")
        return "; ".join(parts)

    def _about(self, frames: FrameSource, server: ControlServer | None) -> Mapping[str, object]:
        decoding, counts = frames.statistics(), self._inbox.counts()
        network = server.counts() if server else ControlCounts()
        return {
            "decoded": decoding.decoded,
            "decode_ms": in_ms(decoding.decode_ms),
            "commands": {
                "handled": counts.handled,
                "triggers": counts.triggers,
                "dropped": counts.dropped + network.dropped,
            },
            "control": asdict(network),
            "renderer": self._presenter.graphics.driver,
            "provider": self._films.provider,
            "decoding": self._films.decoding,
            "size": list(self._presenter.size),
        }


@dataclass(frozen=True, slots=True)
class PresenterBell:
    """Ends the presenter's rest, for rooms that ring a bell without knowing whose."""

    presenter: Presenter

    def set(self) -> None:
        """Ring. From any thread."""
        self.presenter.wake()


def settle_memory() -> None:
    """Take everything made so far out of the garbage collector's rounds: it is here to stay, and looking through it
    again and again would cost milliseconds in the middle of a picture.
    """
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


def keys(work: LoadedWork, *, may_quit: bool) -> Mapping[str, Command | Action]:
    """What keys do: the show's own win over space (pause), i (overlay), digits (films) and, if allowed, q and Esc."""
    films = islice(work.show.library.films, NUMBER_KEYS)
    digits: dict[str, Command | Action] = {str(number): PlayFilm(film) for number, film in enumerate(films, start=1)}
    quitting: dict[str, Command | Action] = {"q": Action.QUIT, "escape": Action.QUIT} if may_quit else {}
    return {"space": TogglePause(), "i": Action.OVERLAY, **digits, **quitting, **work.keys}


def control_settings(work: LoadedWork) -> ControlSettings:
    """The show's [control] as the control room wants it."""
    control = work.config.control
    desk = control.connect
    return ControlSettings(
        listen=str(control.listen),
        port=control.port,
        allow=control.allow,
        feedback=tuple(Endpoint(str(peer.host), peer.port) for peer in control.feedback),
        percent=control.percent,
        root=control.root,
        desk=None if desk is None else DeskAddress(desk.host, desk.port, Framing(control.framing)),
        rules=tuple(map(MapRule.of, control.map)),
    )


def _refuse(server: ControlServer | None, posted: Posted, error: CommandRefused) -> None:
    """Tell whoever asked and whoever looks after the show; a key has only the log besides."""
    if server is not None:
        server.refuse(posted, error)
    if server is None or posted.origin == KEYBOARD:
        log.info("%s: %s", posted.origin.name, error)


def _say(server: ControlServer | None, message: str) -> None:
    log.warning("%s", message)
    if server is not None:
        server.announce(Event("output", (message,)))


@contextmanager
def _stopped_by_signals(player: Player) -> Iterator[None]:
    """SIGTERM and Ctrl-C end the run after the current tick, so that everything is closed and the statistics
    written.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        player.quit()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
