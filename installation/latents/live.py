"""A film that is happening now: a camera, a stream, a recording played as if live, or latents somebody sends.

A live film has a latest-value slot that the decoder reads when it decodes. `LiveSource` fills it from pictures: a
capture thread reads (and may hang, and be abandoned), an encoding thread takes the newest picture, encodes it, no
oftener than the film's rate, and watches. What is silent for two seconds is lost: the last picture holds, and
`SourceLost` is posted so that the show can turn to the fallback; `SourceBack` when pictures flow again. `PostedSource`
is filled by `/ai/latent`. Nothing in here ever raises at the wall.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from installation.clock import SECOND_NS, Clock
from installation.errors import CommandRefused
from installation.latents.capture import Capture, Shot
from installation.latents.framing import Framing
from installation.nets.encoder import Encoder
from installation.show.commands import Command, SourceBack, SourceLost

Latent = NDArray[np.float32]

_NICENESS = 10  # encoding yields to decoding and rendering
_CLOSE_TIMEOUT_S = 5.0
_REPORT_EVERY_NS = 5 * SECOND_NS
_RECORDING_SLACK = 0.75  # of a period: pictures that come a little early are not skipped


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in ns.

    lost_after: silence until a source is lost; hung_after: silence until a reader is given up; first_retry and
    last_retry: the pause before reconnecting, doubled each time; hung_readers: how many may hang at once.
    """

    lost_after: int = 2 * SECOND_NS
    hung_after: int = 15 * SECOND_NS
    first_retry: int = SECOND_NS // 2
    last_retry: int = 30 * SECOND_NS
    hung_readers: int = 4


class Presence:
    """Whether a source is there, from when it was last seen. Both methods return the command to post, if any.

    One that was never seen is lost at once: there is nothing to hold, so the fallback bridges the time.
    """

    def __init__(self, film: str, lost_after_ns: int) -> None:
        self._film = film
        self._lost_after_ns = lost_after_ns
        self._seen_ns: int | None = None
        self._lost = False

    def seen(self, now_ns: int) -> Command | None:
        """It shows something."""
        self._seen_ns = now_ns
        was_lost, self._lost = self._lost, False
        return SourceBack(self._film) if was_lost else None

    def check(self, now_ns: int) -> Command | None:
        """It is silent now."""
        if self._lost or (self._seen_ns is not None and now_ns - self._seen_ns < self._lost_after_ns):
            return None
        self._lost = True
        return SourceLost(self._film)


class Backoff:
    """Pauses that double from the first to the last."""

    def __init__(self, first_ns: int, last_ns: int) -> None:
        self._first_ns = first_ns
        self._last_ns = last_ns
        self._next_ns = first_ns

    def next_ns(self) -> int:
        """The pause before the next attempt."""
        pause_ns, self._next_ns = self._next_ns, min(2 * self._next_ns, self._last_ns)
        return pause_ns

    def reset(self) -> None:
        """It worked."""
        self._next_ns = self._first_ns


class LiveSource:
    """A live film from pictures. Starts at once; close it."""

    def __init__(
        self,
        film: str,
        source: str,
        space: str,
        encoder: Encoder,
        framing: Framing,
        fps: Fraction,
        clock: Clock,
        post: Callable[[Command], None],
        report: Callable[[str], None],
        patience: Patience | None = None,
    ) -> None:
        """`source`: anything PyAV opens; `fps`: latents a second, roughly at most.

        `post` takes `SourceLost` and `SourceBack`, `report` sentences for people, when something changes; both are
        called from a thread of this source.
        """
        self.film = film
        self.space = space
        self._source = source
        self._encoder = encoder
        self._framing = framing
        self._period_s = float(1 / fps)
        self._clock = clock
        self._post = post
        self._report = report
        self._patience = patience or Patience()
        self._presence = Presence(film, self._patience.lost_after)
        self._backoff = Backoff(self._patience.first_retry, self._patience.last_retry)
        self._latest: tuple[Latent, int] | None = None
        self._said = ""
        self._quiet_until_ns = clock.now_ns()
        self._capture: Capture | None = None
        self._hung: list[Capture] = []
        self._retry_ns = clock.now_ns()
        self._heard_ns = clock.now_ns()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"live {film}", daemon=True)
        self._thread.start()

    def latest(self) -> Latent | None:
        """The newest latent (D,); None before the first."""
        latest = self._latest
        return latest[0] if latest is not None else None

    @property
    def sequence(self) -> int:
        """How many latents there have been."""
        latest = self._latest
        return latest[1] if latest is not None else 0

    def close(self) -> None:
        """Stop encoding; a reader that hangs is left to end with the process."""
        self._closing.set()
        self._thread.join(_CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        _lower_priority()
        while not self._closing.is_set():
            try:
                self._step()
            except Exception as error:  # whatever a strange stream does: hold, say so, go on
                self._say(f"its pictures cannot be used: {error}")
                self._closing.wait(self._patience.first_retry / SECOND_NS)
            self._tell(self._presence.check(self._clock.now_ns()))
        if self._capture is not None:
            self._capture.stop()

    def _step(self) -> None:
        """Connect, or take a picture, or notice that there is none."""
        now_ns = self._clock.now_ns()
        if self._capture is None:
            self._connect(now_ns)
            return
        shot = self._capture.take(min(0.25, self._patience.lost_after / SECOND_NS / 4))
        now_ns = self._clock.now_ns()
        if shot is not None:
            self._heard_ns = now_ns
            self._encode(shot)
        elif self._capture.ended is not None:
            self._lose(f"{self._capture.ended}", now_ns)
        elif now_ns - self._heard_ns > self._patience.hung_after:
            self._hung.append(self._capture)
            self._lose("it does not answer", now_ns)

    def _connect(self, now_ns: int) -> None:
        self._hung = [capture for capture in self._hung if capture.ended is None]
        if now_ns < self._retry_ns or len(self._hung) >= self._patience.hung_readers:
            self._closing.wait(min(0.25, self._patience.first_retry / SECOND_NS / 2))
            return
        self._heard_ns = now_ns
        self._capture = Capture(self._source, self._framing, self._clock)

    def _lose(self, why: str, now_ns: int) -> None:
        """The connection is gone; try again later."""
        assert self._capture is not None
        self._capture.stop()
        self._capture = None
        self._retry_ns = now_ns + self._backoff.next_ns()
        self._say(f"{why}; trying again")

    def _encode(self, shot: Shot) -> None:
        started_ns = self._clock.now_ns()
        z = self._encoder.encode(shot.framed()[np.newaxis])[0]  # (1, H, W, 3) -> (1, D) -> (D,)
        z.flags.writeable = False
        self._latest = (z, self.sequence + 1)
        self._backoff.reset()
        self._say("")
        now_ns = self._clock.now_ns()
        self._tell(self._presence.seen(now_ns))
        self._closing.wait(max(0.0, self._period_s * _RECORDING_SLACK - (now_ns - started_ns) / SECOND_NS))

    def _tell(self, command: Command | None) -> None:
        if command is not None:
            self._post(command)

    def _say(self, message: str) -> None:
        """Report what changed, once, and not more often than every few seconds; empty when all is well."""
        now_ns = self._clock.now_ns()
        if message != self._said and now_ns >= self._quiet_until_ns:
            self._said, self._quiet_until_ns = message, now_ns + _REPORT_EVERY_NS
            self._report(f"live film {self.film} ({self._source}): {message or 'pictures are coming in'}")


class PostedSource:
    """A live film from latents that somebody sends. It has no thread: it is asked whenever it is on the wall."""

    def __init__(
        self,
        film: str,
        space: str,
        latent_size: int,
        clock: Clock,
        post: Callable[[Command], None],
        lost_after_ns: int = 10 * SECOND_NS,
    ) -> None:
        """A latent holds until the next one; after `lost_after_ns` without one the film counts as lost."""
        self.film = film
        self.space = space
        self._latent_size = latent_size
        self._clock = clock
        self._post = post
        self._presence = Presence(film, lost_after_ns)
        self._lock = threading.Lock()
        self._z: Latent | None = None

    def put(self, z: NDArray[np.floating]) -> None:
        """A new latent (D,). CommandRefused unless it is D finite numbers."""
        values = np.array(z, np.float32)
        if values.shape != (self._latent_size,):
            raise CommandRefused("latent", f"latent: got {values.size} numbers, this film has {self._latent_size}")
        if not np.isfinite(values).all():
            raise CommandRefused("latent", "latent: got a number that is not finite")
        values.flags.writeable = False
        self._z = values
        self._tell(self._presence.seen)

    def latest(self) -> Latent | None:
        """The newest latent (D,); None before the first."""
        self._tell(self._presence.check)
        return self._z

    def close(self) -> None:
        """Nothing to stop."""

    def _tell(self, news: Callable[[int], Command | None]) -> None:
        """Post the news of now, if any. Under the lock, so that what is seen here last is posted last."""
        with self._lock:
            command = news(self._clock.now_ns())
            if command is not None:
                self._post(command)


def _lower_priority() -> None:
    """Of the calling thread; where the system does not allow it, it stays as it is."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        except OSError:
            return
