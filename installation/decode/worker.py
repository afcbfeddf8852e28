"""The decode worker: one thread that decodes what the show will want before it is due.

Before each decode it reads the newest state, so a command takes effect with the next frame; a finished frame is kept
even if nobody wants it any more, because it is still the nearest one. Between decodes it sleeps until something is
published or an instant passes. Nothing that goes wrong here reaches the wall: the picture holds and it is reported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from installation.clock import SECOND_NS, Clock
from installation.decode.decoders import Decoders
from installation.decode.lookahead import DEPTH, RESTLESS_DEPTH, Pace, Stock, Task, Window, next_task
from installation.decode.slots import SLOTS_PER_SIZE, Found, FrameSlots
from installation.decode.source import DecodeStatistics, Tally
from installation.show.frameplan import FrameKey, FramePlan
from installation.show.plan import upcoming
from installation.show.state import Show, ShowState
from installation.show.timebase import Instant

_RESTLESS_NS = SECOND_NS // 4  # the future counts as changing for so long after somebody changed it
_RETRY_NS = SECOND_NS  # what failed is not tried again before
_POLL_NS = SECOND_NS // 20  # how often a live film that has shown nothing yet is asked again
_REPORT_EVERY_NS = 60 * SECOND_NS
_LONGEST_SLEEP_NS = SECOND_NS
_SETTLING_NS = 2 * SECOND_NS  # at first the renderer needs the processor more than spare work does
_EARLY_NS = SECOND_NS // 20  # a slow renderer asks for its frames so much before they are due


class Bell(Protocol):
    """What wakes the player: an event, or anything else that can be set from any thread."""

    def set(self) -> None:
        """Wake it."""


class DecodeWorker:
    """A `FrameSource` with a thread of its own, which starts at once and sleeps until the first `publish`.

    `wake` is set when a finished frame is due now or very soon, or the first of its films: someone is waiting for it.
    """

    def __init__(
        self,
        decoders: Decoders,
        clock: Clock,
        wake: Bell,
        report: Callable[[str], None],
        slots: int = SLOTS_PER_SIZE,
        spare: Iterable[None] = (),
        tally: Tally | None = None,
    ) -> None:
        """`report` is called from the worker's thread with a sentence for people, at most once a minute.

        `spare` is work for moments in which every frame ahead is there, from some seconds after the start: a step at
        each instant, none of which should take longer than a decode. `tally` goes on counting for a worker that was
        closed before this one.
        """
        self._decoders = decoders
        self._clock = clock
        self._wake = wake
        self._report = report
        self._slots = FrameSlots(decoders.sizes, slots)
        self._changed = threading.Condition()  # guards the three below
        self._published: tuple[Show, ShowState] | None = None
        self._news = False
        self._closing = False
        # The worker's own from here on.
        self._tally = tally or Tally()
        self._pace = Pace()
        self._window: Window | None = None
        self._restless_until_ns = 0
        self._refused: dict[FrameKey, int] = {}  # frames that failed, until when (show time) they are left alone
        self._quiet_until_ns = 0
        self._spare = iter(spare)
        self._spare_from_ns = clock.now_ns() + _SETTLING_NS
        self._spare_at: Instant | None = None
        self._thread = threading.Thread(target=self._run, name="decode", daemon=False)
        self._thread.start()

    def publish(self, show: Show, state: ShowState, now_ns: int) -> None:
        """The newest state wins; the same again costs nothing."""
        with self._changed:
            if self._published is not None and self._published[0] is show and self._published[1] is state:
                return
            self._published = (show, state)
            self._news = True
            self._changed.notify()

    def frame(self, key: FrameKey, due_ns: int) -> AbstractContextManager[Found | None]:
        """See `FrameSource.frame`; never waits for a decode."""
        return self._slots.read(key, due_ns)

    def statistics(self) -> DecodeStatistics:
        """Since the start."""
        return self._tally.statistics()

    def close(self) -> None:
        """Finish the decode under way and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            try:
                sleep_ns = self._step()
            except Exception as error:  # the wall outlives whatever this is
                self._trouble(f"decoding ahead: {type(error).__name__}: {error}")
                self._start_over()
                continue
            if sleep_ns > 0:
                self._sleep(sleep_ns)

    def _step(self) -> int:
        """Decode one frame, or return for how many ns there is nothing to do."""
        self._read_news()
        if self._window is None:
            return _LONGEST_SLEEP_NS
        now_ns = self._clock.now_ns()
        plans = self._window.at(now_ns, RESTLESS_DEPTH if now_ns < self._restless_until_ns else DEPTH)
        self._refused = {key: until_ns for key, until_ns in self._refused.items() if until_ns > now_ns}
        task = next_task(plans, self._stock(), now_ns, self._pace.expected_ns)
        if task is not None and self._decode(task, plans, now_ns):
            return 0
        if task is None and now_ns >= max(self._restless_until_ns, self._spare_from_ns):
            self._do_spare_work(plans[0].instant)
        return plans[1].instant.due_ns - self._clock.now_ns()

    def _read_news(self) -> None:
        with self._changed:
            if not self._news or self._published is None:
                return
            show, state = self._published
            self._news = False
        self._window = Window(lambda t_ns: upcoming(show, state, t_ns))

    def _stock(self) -> Stock:
        return Stock(
            has=lambda key: self._slots.has(key) or key in self._refused,
            newest_due=self._slots.newest_due,
            live=self._decoders.is_live,
        )

    def _decode(self, task: Task, plans: Sequence[FramePlan], now_ns: int) -> bool:
        """Decode a frame into a slot; False if there is no slot to spare."""
        key = task.key
        wanted = {picture.key for plan in plans for picture in plan.pictures}
        if self._slots.outdated(key, task.due_ns, wanted):
            self._restless_until_ns = now_ns + _RESTLESS_NS
        slot = self._slots.claim(self._decoders.size_of(key), wanted)
        if slot is None:
            return False
        try:
            done = self._decoders.decode(key, slot.frame)
        except Exception as error:  # a driver that fell over, a latent that does not fit: hold, and say so
            self._slots.release(slot)
            self._refused[key] = now_ns + _RETRY_NS
            self._tally.failed += 1
            self._trouble(f"a frame of {' and '.join(key.films)} cannot be decoded: {error}")
            return True
        if not done:
            self._slots.release(slot)
            self._refused[key] = now_ns + _POLL_NS
            return True
        end_ns = self._clock.now_ns()
        self._pace.add(end_ns - now_ns)
        self._tally.add(end_ns - now_ns)
        awaited = task.due_ns <= end_ns + _EARLY_NS or self._slots.newest_due(key.films) < now_ns - SECOND_NS
        self._slots.finish(slot, key, task.due_ns)
        if awaited:
            self._wake.set()
        return True

    def _do_spare_work(self, instant: Instant) -> None:
        if instant == self._spare_at:
            return
        self._spare_at = instant
        try:
            next(self._spare, None)
        except Exception as error:  # it has ended then; frames do not wait for it
            self._trouble(f"beside decoding: {type(error).__name__}: {error}")

    def _sleep(self, duration_ns: int) -> None:
        """Until something is published, or for so long."""
        with self._changed:
            if not self._news and not self._closing:
                self._changed.wait(min(duration_ns, _LONGEST_SLEEP_NS) / SECOND_NS)

    def _start_over(self) -> None:
        """After a pause, plan anew from the newest state."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, _RETRY_NS / SECOND_NS)
            self._news = True

    def _trouble(self, message: str) -> None:
        """Say it, unless something was said less than a minute ago."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._quiet_until_ns:
            self._quiet_until_ns = now_ns + _REPORT_EVERY_NS
            self._report(message)
