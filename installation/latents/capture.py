"""Reading a source that is happening now: one attempt, in a thread of its own, that keeps only the newest picture.

A read may hang where no time-out reaches: opening a pipe that nobody writes to, a camera driver that never answers.
So the thread is a daemon that may be abandoned; whoever waits for pictures waits with a limit. A recording is played
as if it were live: at its own pace, round and round.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from installation.clock import SECOND_NS, Clock
from installation.errors import FootageError
from installation.latents.framing import Framer, Framing, Picture

_OPEN_TIMEOUT_S = 10.0
_READ_TIMEOUT_S = 5.0
_MAX_DAMAGE = 100  # packets in a row that do not decode: this is no stream any more
_GLANCE_S = 0.05  # how often a waiting reader looks whether it should stop
# A stream is shown after a second of looking at it, not five.
_STREAM_OPTIONS = {"fflags": "nobuffer", "analyzeduration": "1000000"}
_DEVICES = ("v4l2", "x11grab", "avfoundation", "dshow", "gdigrab", "decklink", "lavfi")  # as `v4l2:/dev/video0`


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture as it came in, and the framer of its stream."""

    frame: VideoFrame
    framer: Framer

    def framed(self) -> Picture:
        """uint8 (H, W, 3), by the same code that frames footage."""
        return self.framer(self.frame)


class Capture:
    """Reads a source from now until it ends, fails or is stopped."""

    def __init__(self, source: str, framing: Framing, clock: Clock) -> None:
        """Begin at once. `source` is anything PyAV opens; devices as `/dev/video0` or `x11grab::0`."""
        self._source = source
        self._framing = framing
        self._clock = clock
        self._changed = threading.Condition()  # guards the two below
        self._newest: Shot | None = None
        self._ended: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Shot | None:
        """The newest picture not taken yet; waits for one. None after `timeout_s`, or when reading has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._ended is not None, timeout_s)
            shot, self._newest = self._newest, None
            return shot

    @property
    def ended(self) -> str | None:
        """Why reading has ended, in a few words; None while it goes on."""
        return self._ended

    def stop(self) -> None:
        """End soon; does not wait, because a read may hang."""
        self._stop.set()

    def _run(self) -> None:
        try:
            self._read()
            reason = "it has ended"
        except (av.error.FFmpegError, OSError) as error:
            reason = (error.strerror or str(error)).lower()
        except Exception as error:  # an odd stream must not end more than this attempt
            reason = str(error) or type(error).__name__
        with self._changed:
            self._ended = reason
            self._changed.notify_all()

    def _read(self) -> None:
        """One connection, or a recording again and again."""
        metronome = Metronome(self._clock, self._stop.wait)
        recording = True
        while recording and not self._stop.is_set():
            metronome.begin()
            with _opened(self._source) as container:
                stream = _video_stream(container)
                recording = container.duration is not None and container.duration > 0
                paced = recording or self._source.startswith("lavfi:")
                framer = Framer.of(stream, self._framing)
                for frame in _frames(container, stream):
                    if self._stop.is_set():
                        return
                    if paced:
                        metronome.wait(frame)
                    self._deliver(Shot(frame, framer))
            if recording:
                metronome.end()

    def _deliver(self, shot: Shot) -> None:
        with self._changed:
            self._newest = shot
            self._changed.notify_all()


class Metronome:
    """Lets the pictures of a recording pass when they are due, pass after pass without a gap."""

    def __init__(self, clock: Clock, pause: Callable[[float], bool]) -> None:
        """`pause(seconds)` sleeps and says whether to stop."""
        self._clock = clock
        self._pause = pause
        self._next_ns: int | None = None  # show time of the next pass
        self._origin: tuple[int, Fraction] | None = None  # show time and timestamp of this pass's first picture
        self._last = (0, Fraction(0))  # show time of the newest picture, and how long it lasts in seconds

    def begin(self) -> None:
        """A pass begins."""
        self._origin = None

    def wait(self, frame: VideoFrame) -> None:
        """Until `frame` is due. What is late is not waited for: the recording keeps its time."""
        now_ns = self._clock.now_ns()
        stamp = frame.pts * frame.time_base if frame.pts is not None and frame.time_base is not None else None
        if stamp is None:
            due_ns = self._last[0] + SECOND_NS // 24 if self._last[0] else now_ns
        elif self._origin is None:
            due_ns = self._next_ns if self._next_ns is not None and now_ns - self._next_ns < SECOND_NS else now_ns
            self._origin = (due_ns, stamp)
        else:
            due_ns = self._origin[0] + round((stamp - self._origin[1]) * SECOND_NS)
        lasts = Fraction(due_ns - self._last[0], SECOND_NS) if self._last[0] else Fraction(1, 24)
        self._last = (due_ns, min(max(lasts, Fraction(1, 240)), Fraction(1)))
        self._until(due_ns)

    def end(self) -> None:
        """A pass has ended: the next begins when its last picture has had its time. A still image comes once a
        second.
        """
        start_ns = self._origin[0] if self._origin is not None else self._clock.now_ns()
        ends_ns = self._last[0] + round(self._last[1] * SECOND_NS)
        self._next_ns = ends_ns if self._last[0] > start_ns else start_ns + SECOND_NS
        self._until(self._next_ns - SECOND_NS // 50)  # opening takes a moment

    def _until(self, due_ns: int) -> None:
        while (wait_ns := due_ns - self._clock.now_ns()) > 0:
            if self._pause(min(wait_ns / SECOND_NS, _GLANCE_S)):
                return


def _opened(source: str) -> InputContainer:
    prefix, _, rest = source.partition(":")
    name, form = (rest, prefix) if prefix in _DEVICES and rest else (source, None)
    if source.startswith("/dev/video"):
        form = "v4l2"
    options = dict(_STREAM_OPTIONS) if "://" in source else {}
    if source.startswith("rtsp://"):
        options["rtsp_transport"] = "tcp"  # a lossy network shows as delay, not as grey blocks
    return av.open(
        name,
        mode="r",
        format=form,
        options=options,
        metadata_errors="replace",
        timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S),
    )


def _video_stream(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise FootageError("there is no picture in it")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1  # the cores belong to the decoder and the renderer
    return stream


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Pictures to the end, past packets that do not decode."""
    damage = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            damage += 1
            if damage > _MAX_DAMAGE:
                raise
            continue
        damage = 0
        yield from frames
