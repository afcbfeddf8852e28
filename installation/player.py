"""The player: one tick after another on the main thread.

    clock -> commands -> schedule -> state -> plan -> frames -> picture -> statistics

A tick never waits for a decode, a socket or a disk. A frame that is not there holds the last one and is counted.
Rendering to a file is this very loop with a
simulated clock, frames that wait and a presenter that writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice

from installation.clock import Clock, process_age_ns
from installation.control.inbox import Inbox
from installation.decode.source import FrameSource
from installation.errors import CommandRefused
from installation.render.compose import Renderer, WeightedFrame
from installation.render.overlay import Overlay
from installation.render.pacing import Pacing
from installation.render.presenter import CloseRequested, Event, KeyPressed, MonitorChanged, Presenter
from installation.render.preview import Previewer
from installation.show.commands import Command, Origin, Posted, Rank, SetLatent
from installation.show.frameplan import FULL, FramePlan, Look
from installation.show.health import find_troubles
from installation.show.plan import upcoming
from installation.show.progress import advance, observe_wall
from installation.show.snapshot import snapshot
from installation.show.state import Show, ShowState, cursor
from installation.show.status import Snapshot, StatusBoard
from installation.show.timebase import Instant
from installation.show.transport import apply
from installation.venue.metrics import Metrics
from installation.venue.vitals import Vitals
from installation.venue.watchdog import Heartbeat

KEYBOARD = Origin(Rank.OPERATOR, "key")
# How often the snapshot for feedback is made anew when nothing happens.
SNAPSHOT_EVERY_NS = 100_000_000
# Within one decode instant a change of look is drawn this often at most.
LOOK_EVERY_NS = 16_000_000
# Between ticks nothing is heard for so long: a flood of commands costs one tick, not one each.
BREATH_NS = 4_000_000
# A picture that cannot be renewed is drawn again this often.
REDRAW_EVERY_NS = 1_000_000_000


class Action(Enum):
    """What a key can do to the player itself."""

    QUIT = "quit"
    OVERLAY = "overlay"


class Ending(Enum):
    """Why a run ended: told to, the time was up, or the picture is to be built anew."""

    QUIT = "quit"
    OVER = "over"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where pictures are made and shown."""

    presenter: Presenter
    renderer: Renderer
    overlay: Overlay
    pacing: Pacing
    previewer: Previewer


@dataclass(frozen=True, slots=True)
class Outside:
    """Whom the player tells, and hears. Each callable returns at once."""

    inbox: Inbox
    board: StatusBoard
    heartbeat: Heartbeat
    obeyed: Callable[[Posted], None]
    refused: Callable[[Posted, CommandRefused], None]
    said: Callable[[str], None]
    latent: Callable[[tuple[float, ...]], None]
    remember: Callable[[ShowState], None]


@dataclass(slots=True)
class _SlotInProgress:
    """The decode instant on the screen: whether its own frame has come, and how long after it was due.

    `whole`: the show was running when it began; the one in which the first picture appears is not counted.
    """

    instant: Instant
    period_ns: float
    whole: bool
    own_after_ns: int | None = None


@dataclass(frozen=True, slots=True)
class _OnScreen:
    """What is to be seen: the frames' serial numbers (0: missing), and with what look."""

    serials: tuple[int, ...]
    look: Look


@dataclass(frozen=True, slots=True)
class Interlude:
    """What a player leaves to the one that goes on after it, on another stage. The last decode instant that was counted
    was due at `due_ns`; `period_ns` lies between two.
    """

    state: ShowState
    metrics: Metrics
    applied: int
    began_ns: int | None
    due_ns: int
    period_ns: float
    overlay: bool


def _sleep_deaf(duration_ns: int) -> None:
    """A rest that nobody can end."""
    threading.Event().wait(duration_ns / 1e9)


@dataclass(slots=True)
class Player:
    """A show being played. `state` is replaced, never changed."""

    clock: Clock
    show: Show
    state: ShowState
    frames: FrameSource
    stage: Stage
    outside: Outside
    keys: Mapping[str, Command | Action]
    metrics: Metrics = field(default_factory=Metrics)
    quitting: bool = False
    _overlay: bool = False
    _applied: int = 0
    _slot: _SlotInProgress | None = None
    _on_screen: _OnScreen = field(default_factory=lambda: _OnScreen((), Look()))
    _redraw_due_ns: int = 0
    _position: tuple[str, int] = ("", 0)
    _vitals: Vitals = field(default_factory=Vitals)
    _snapshot: Snapshot = field(default_factory=Snapshot)
    _snapshot_due_ns: int = 0
    _began_ns: int | None = None

    def run(self, seconds: float | None) -> Ending:
        """Tick until told to quit, until `seconds` after the first real picture, or until the picture is to be built
        anew.
        """
        ending, restarted = Ending.QUIT, self.state.restarted
        while not self.quitting:
            rest_until = self.tick()
            if self._over(seconds):
                ending = Ending.OVER
                break
            if self.state.restarted != restarted:
                ending = Ending.RESTART
                break
            self.clock.wait(min(rest_until, self.clock.now_ns() + BREATH_NS), _sleep_deaf)
            self.clock.wait(rest_until, self.stage.presenter.wait)
        self._finish_slot()
        return ending

    def leave(self) -> Interlude:
        """What the next player needs, once `run` has ended."""
        slot, now_ns = self._slot, self.clock.now_ns()
        due_ns, period_ns = (now_ns, 1e9) if slot is None else (slot.instant.due_ns, slot.period_ns)
        return Interlude(self.state, self.metrics, self._applied, self._began_ns, due_ns, period_ns, self._overlay)

    def go_on(self, before: Interlude) -> None:
        """Go on where another player left: the picture is where the clock says, and the hole in it is counted. Live
        films start as there.
        """
        self.state = replace(before.state, away=frozenset())
        self.metrics, self._applied, self._began_ns = before.metrics, before.applied, before.began_ns
        self._overlay = before.overlay
        if before.began_ns is not None:
            gone = round((self.clock.now_ns() - before.due_ns) / before.period_ns)
            self.metrics.skipped(max(0, gone - 1))

    def quit(self) -> None:
        """End `run` after the current tick: in 0.1 s at most. From any thread or signal handler.

        Wakes nobody: a signal may interrupt a rest that holds the very lock that waking takes.
        """
        self.quitting = True

    def tick(self) -> int:
        """Everything that is due now. Returns the show time until which nothing else is."""
        now = self.clock.now_ns()
        self._hear(self.stage.presenter.poll(now))
        self._settle(now)
        self.frames.publish(self.show, self.state, now)
        plans = upcoming(self.show, self.state, self.stage.pacing.seen_at(now))
        plan, following = islice(plans, 2)
        if self.stage.presenter.attached:
            self._vitals.attached(now)
            self._picture(plan, now)
        else:
            self._vitals.fed(now)
            self.outside.heartbeat.no_output(now)
        self.stage.previewer.go_on()
        self._tell(now)
        self.metrics.sample_memory(now)
        return self.stage.pacing.begin_at(following.instant.due_ns, now)

    def _over(self, seconds: float | None) -> bool:
        if seconds is None or self._began_ns is None:
            return False
        return self.clock.now_ns() - self._began_ns >= seconds * 1e9

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case CloseRequested():
                    self.quitting = self.quitting or Action.QUIT in self.keys.values()
                case KeyPressed(name):
                    self._press(self.keys.get(name))
                case MonitorChanged(_, message):
                    self.outside.said(message)
                    self._redraw_due_ns = 0

    def _press(self, meaning: Command | Action | None) -> None:
        match meaning:
            case Action.QUIT:
                self.quitting = True
            case Action.OVERLAY:
                self._overlay = not self._overlay
                self._redraw_due_ns = 0
            case Command():
                self.outside.inbox.post((meaning,), KEYBOARD)
            case None:
                pass

    def _settle(self, now: int) -> None:
        """Bring the state up to now: time first, then the wall clock, then commands in their order."""
        before = self.state
        self.state = observe_wall(self.show, advance(self.show, self.state, now), now, self.clock.wall_ns())
        for posted in self.outside.inbox.drain():
            self._obey(posted, now)
        if self.state is not before:
            self._snapshot_due_ns = 0
        if self.state.period != before.period:
            self.outside.remember(self.state)

    def _obey(self, posted: Posted, now: int) -> None:
        self._applied = max(self._applied, posted.sequence)
        try:
            if isinstance(posted.command, SetLatent):
                self.outside.latent(posted.command.z)
                return
            self.state = apply(self.show, self.state, posted.command, posted.origin, now)
        except CommandRefused as refusal:
            self.outside.refused(posted, refusal)
        else:
            self.outside.obeyed(posted)
            self.outside.remember(self.state)

    def _picture(self, plan: FramePlan, now: int) -> None:
        """Show the plan, unless that would change nothing on the screen."""
        begins = self._slot is None or self._slot.instant != plan.instant
        if begins:
            self._turn_slot(plan)
        wanted = plan.pictures if plan.look.brightness > 0 else ()  # black needs no frames
        with ExitStack() as held:
            found = [held.enter_context(self.frames.frame(picture.key, plan.instant.due_ns)) for picture in wanted]
            on_screen = _OnScreen(tuple(0 if frame is None else frame.serial for frame in found), plan.look)
            own = all(frame is not None and frame.exact for frame in found)
            awaits_live = self._awaits_live(plan)
            news = 0 not in on_screen.serials and on_screen.serials != self._on_screen.serials
            if own or awaits_live or news:
                self._vitals.fed(now)
            empty_wall = awaits_live and self.metrics.presented == 0  # black is better than nothing at all
            if not ((begins and own) or empty_wall or self._worth_drawing(on_screen, now)):
                if awaits_live:
                    self.outside.heartbeat.presented(now)  # the picture holds until the source has one
                return
            pictures = [
                WeightedFrame(frame.frame, frame.serial, picture.weight / FULL)
                for frame, picture in zip(found, wanted, strict=True)
                if frame is not None
            ]
            alive = own or awaits_live or on_screen.serials != self._on_screen.serials
            self._on_screen = on_screen
            self._draw(pictures, plan, own, now)
            if alive:
                self.outside.heartbeat.presented(self.clock.now_ns())

    def _worth_drawing(self, new: _OnScreen, now: int) -> bool:
        """Whether a picture is better than the one on the screen: complete, and another.

        A change of look alone waits for the next instant if the last picture is very new, so that a fader cannot wear
        out the renderer; black never waits. Now and then everything is drawn again, so that a screen that lost its
        picture gets it back. While a frame is missing the last picture holds.
        """
        if 0 in new.serials:
            return False
        if now >= self._redraw_due_ns:
            return True
        if new == self._on_screen:
            return False
        settled = now >= self._redraw_due_ns - REDRAW_EVERY_NS + LOOK_EVERY_NS
        return settled or new.look.brightness == 0 or new.serials != self._on_screen.serials

    def _awaits_live(self, plan: FramePlan) -> bool:
        """Whether a live film is on that may have nothing to show: no fault of ours."""
        films = self.show.library.films
        return any(films[film].live for picture in plan.pictures for film in picture.key.films)

    def _turn_slot(self, plan: FramePlan) -> None:
        """A new decode instant has come: account for the one before, and for any between them."""
        self._finish_slot()
        before = self._slot
        if before is not None and self._began_ns is not None:
            passed = round((plan.instant.due_ns - before.instant.due_ns) / before.period_ns)
            self.metrics.skipped(max(0, passed - 1))
            self._vitals.skipped(passed - 1)
        self._slot = _SlotInProgress(plan.instant, plan.period_ns, self._began_ns is not None)
        self._count_loop(plan)

    def _finish_slot(self) -> None:
        if self._slot is None or not self._slot.whole:
            return
        self.metrics.slot(self._slot.own_after_ns, self._slot.period_ns)
        after_ns = self._slot.own_after_ns
        self._vitals.slot(late=after_ns is None or after_ns > self._slot.period_ns / 2)

    def _count_loop(self, plan: FramePlan) -> None:
        """A film that is suddenly behind where it was, seen the way it runs, has begun again."""
        here = cursor(self.show, self.state.top, plan.instant.at)
        if not plan.pictures or here is None:
            return
        top = plan.pictures[-1].key.terms[-1]
        film, position = self._position
        gained = (top.position - position) * here.scene.speed * self.state.running_speed
        self.metrics.loops += top.film == film and gained < 0
        self._position = (top.film, top.position)

    def _draw(self, pictures: list[WeightedFrame], plan: FramePlan, own: bool, now: int) -> None:
        stage = self.stage
        canvas = stage.renderer.draw(pictures, plan.look, plan.instant.k, stage.presenter.target)
        stage.previewer.take(canvas, now)
        if self._overlay:
            stage.overlay.draw(self._overlay_lines(), stage.presenter.target)
        stage.presenter.present()
        seen = self.clock.now_ns()
        stage.pacing.drew(now, seen)
        self._redraw_due_ns = seen + REDRAW_EVERY_NS
        if self._began_ns is None and own:
            self._began_ns = seen
            self.metrics.first_picture(seen, process_age_ns())
        self.metrics.present(seen)
        assert self._slot is not None
        if own and self._slot.own_after_ns is None:
            self._slot.own_after_ns = seen - plan.instant.due_ns

    def _overlay_lines(self) -> tuple[str, ...]:
        seen, metrics = self._snapshot, self.metrics
        return (
            f"{seen.scene or 'closed'}  ({seen.film})  {seen.state}",
            f"{seen.position:8.2f} s   remaining {seen.remaining:8.2f} s",
            f"every {metrics.interval.spread().p50:.1f} ms   late {metrics.late} of {metrics.slots}",
            f"decode {self.frames.statistics().decode_ms.p50:.1f} ms",
        )

    def _tell(self, now: int) -> None:
        """Publish a snapshot: at once when something changed, else now and then."""
        if now < self._snapshot_due_ns:
            return
        self._snapshot_due_ns = now + SNAPSHOT_EVERY_NS
        troubles = find_troubles(self.show, self.state, self._vitals.measured(now))
        self._snapshot = snapshot(self.show, self.state, now, self._applied, troubles)
        self.outside.board.publish(self._snapshot)
