"""`afterimage play`: a show on a wall, in a window, or on no display at all."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import islice
from types import FrameType

from installation.clock import SystemClock
from installation.control.chronicle import Chronicle
from installation.control.feedback import Event
from installation.control.inbox import Inbox
from installation.control.mapping.rules import MapRule
from installation.control.methods.names import Names
from installation.control.osc.framing import Framing
from installation.control.server import ControlCounts, ControlServer
from installation.control.settings import ControlSettings, DeskAddress, Endpoint
from installation.decode.source import Tally
from installation.errors import CommandRefused, UnavailableError
from installation.player import KEYBOARD, Action, Ending, Interlude, Outside, Player
from installation.show.changes import Changes
from installation.show.commands import Command, PlayFilm, Posted, TogglePause
from installation.show.pictures import PictureBoard
from installation.show.schedule import is_trusted
from installation.show.state import ShowState, known_changes, opened, resumed
from installation.show.status import StatusBoard
from installation.venue.metrics import in_ms, write_report
from installation.venue.room_checks import RELEASE_NS
from installation.venue.statefile import Memory, MemoryKeeper, load_memory
from installation.venue.watchdog import Heartbeat, Notifier
from installation.wiring.guests import openings, page_address
from installation.wiring.loading import LoadedWork, load_work
from installation.wiring.request import PlayRequest, demo_show, wall_at
from installation.wiring.staging import Doorbell, Picture, Surroundings, settle_memory, staged

log = logging.getLogger("afterimage")

USUAL_RATE = Fraction(60)
NUMBER_KEYS = 9
HANDOVER_S = 0.0005  # a thread keeps the picture waiting for the interpreter no longer; Python's own is ten times that


def run_show(request: PlayRequest) -> None:
    """Play until told to stop, then write the statistics. Raises AfterimageError for what keeps it from playing."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    work = _load(request, USUAL_RATE)
    wall_ns = SystemClock().wall_ns()
    clock = SystemClock(wall_at(request.at, work.show.schedule, wall_ns) - wall_ns)
    _Performance(request, work, clock).run()


def _load(request: PlayRequest, display_rate: Fraction) -> LoadedWork:
    return load_work(request.show or demo_show(), request.venue, display_rate, always_open=request.always_open)


class _Performance:
    """One run of a show, from the first tick to the statistics. The picture may be built anew meanwhile: everything
    here outlasts it, so that desks and tablets stay connected.
    """

    def __init__(self, request: PlayRequest, work: LoadedWork, clock: SystemClock) -> None:
        self._request = request
        self._work = work
        self._clock = clock
        self._bell = Doorbell()
        self._inbox = Inbox(self._bell.set)
        self._board = StatusBoard()
        self._pictures = PictureBoard()
        self._chronicle = Chronicle(clock)
        self._decodes = Tally()
        self._heartbeat = Heartbeat(Notifier.from_environment(os.environ))
        self._server: ControlServer | None = None
        self._remember: Callable[[ShowState], None] = lambda state: None
        self._player: Player | None = None
        self._quitting = False

    def run(self) -> None:
        """Play."""
        with ExitStack() as lasting:
            interlude = self._act(None, lasting)
            while interlude is not None:
                _say(self._server, "the picture is built anew, as asked")
                interlude = self._act(interlude, lasting)

    def _act(self, before: Interlude | None, lasting: ExitStack) -> Interlude | None:
        """Build the picture and play until it is to be built anew; None at the end. Nothing of it is left behind."""
        began_ns = self._clock.now_ns()
        around = Surroundings(self._clock, self._inbox, self._bell, self._pictures, self._decodes, log.warning)
        with staged(self._request, self._work, around) as picture:
            if before is None:
                self._begin(picture, lasting)
            player = self._player = self._player_of(picture, before)
            settle_memory()
            if before is None:
                sys.setswitchinterval(HANDOVER_S)
                lasting.enter_context(_stopped_by_signals(self._quit))
                log.info("%s", self._greeting(player, picture))
            else:
                _say(self._server, f"the picture is back after {(self._clock.now_ns() - began_ns) / 1e9:.1f} s")
            if self._quitting:
                player.quit()
            if player.run(self._request.seconds) is Ending.RESTART:
                self._player = None
                return player.leave()
            self._heartbeat.notifier.stopping()
            if self._request.stats is not None:
                write_report(self._request.stats, player.metrics.report(self._about(picture)))
            return None

    def _begin(self, picture: Picture, lasting: ExitStack) -> None:
        """What is done once, when there is a screen: its rate is the show's, and the doors open."""
        rate = picture.stage.presenter.refresh_hz
        if rate not in (None, USUAL_RATE):
            self._work = _load(self._request, rate or USUAL_RATE)
        self._server = self._open_server(lasting)
        self._remember = self._memory(lasting)

    def _quit(self) -> None:
        """End the run as soon as there is a picture."""
        self._quitting = True
        if self._player is not None:
            self._player.quit()

    def _open_server(self, lasting: ExitStack) -> ControlServer | None:
        """The controls; without them, said so, the picture goes on all the same."""
        names = Names.of(self._work.show.library)
        # Time tags are compared with true wall time, whatever time `--at` makes it.
        settings = control_settings(self._work)
        guests = openings(self._work, self._pictures, self._chronicle)
        try:
            server = ControlServer(settings, names, self._inbox, self._board, SystemClock(), guests)
            return lasting.enter_context(server)
        except UnavailableError as error:
            log.warning("%s; playing without controls", error)
            return None

    def _player_of(self, picture: Picture, before: Interlude | None) -> Player:
        server = self._server
        outside = Outside(
            inbox=self._inbox,
            board=self._board,
            heartbeat=self._heartbeat,
            obeyed=self._chronicle.obeyed,
            refused=lambda posted, error: _refuse(server, posted, error),
            said=lambda message: _say(server, message),
            latent=picture.live.put,
            remember=self._remember,
        )
        player = Player(
            clock=self._clock,
            show=self._work.show,
            state=self._first_state() if before is None else before.state,
            frames=picture.frames,
            stage=picture.stage,
            outside=outside,
            keys=keys(self._work, may_quit=not self._heartbeat.notifier.supervised),
        )
        if before is not None:
            player.go_on(before)
        return player

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

    def _memory(self, lasting: ExitStack) -> Callable[[ShowState], None]:
        if self._request.state is None:
            return lambda state: None
        keeper = MemoryKeeper(self._request.state, log.warning)
        lasting.callback(keeper.close)
        title, clock = self._work.show.title, SystemClock()  # not as `--at` has it: the next start asks the true one
        return lambda state: keeper.keep(Memory(title, clock.wall_ns(), state))

    def _greeting(self, player: Player, picture: Picture) -> str:
        show = self._work.show
        driver = picture.stage.presenter.graphics.driver
        parts = [show.title, driver, f"decoding on {picture.films.decoding}"]
        address = page_address(self._work.config)
        if address:
            parts.append(f"page at {address}")
        period = player.state.period
        if not period.open:
            until = "never" if period.end_ns is None else f"{show.schedule.local(period.end_ns):%A %d %B %Y at %H:%M}"
            parts.append(f"closed now; opens {until} ({show.schedule.zone}); --open plays all the same")
        return "; ".join(parts)

    def _about(self, picture: Picture) -> Mapping[str, object]:
        decoding, counts = picture.frames.statistics(), self._inbox.counts()
        network = self._server.counts() if self._server else ControlCounts()
        presenter, films = picture.stage.presenter, picture.films
        return {
            "decoded": decoding.decoded,
            "decode_ms": in_ms(decoding.decode_ms),
            "commands": {
                "handled": counts.handled,
                "triggers": counts.triggers,
                "dropped": counts.dropped + network.dropped,
            },
            "control": asdict(network),
            "renderer": presenter.graphics.driver,
            "provider": films.provider,
            "decoding": films.decoding,
            "size": list(presenter.size),
        }


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
def _stopped_by_signals(quit_: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C end the run after the current tick, so that everything is closed and the statistics
    written.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        quit_()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
