"""Films that are happening now: real files, pipes and sockets, pulled away and put back."""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from installation.clock import SECOND_NS, SimulatedClock, SystemClock
from installation.errors import CommandRefused
from installation.latents.capture import Capture
from installation.latents.footage import Footage
from installation.latents.framing import Framing
from installation.latents.live import Backoff, LiveSource, Patience, PostedSource, Presence
from installation.nets.encoder import Encoder
from installation.show.commands import Command, SourceBack, SourceLost
from tests.latents.making import level_of, write_film
from tests.onnx_models import SPACE, decoded, make_encoder

MS = 1_000_000
FRAMING = Framing(16, 9)
QUICK = Patience(300 * MS, 60 * SECOND_NS, 20 * MS, 100 * MS)
LOST, BACK = SourceLost("door"), SourceBack("door")


class Watching(Encoder):
    """An encoder that tells what it encoded."""

    def __init__(self, real: Encoder) -> None:
        self.__dict__.update(real.__dict__)
        self.made: list[np.ndarray] = []
        self._done = threading.Condition()

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        z = super().encode(pictures)
        with self._done:
            self.made.extend(z)
            self._done.notify_all()
        return z

    def wait_for(self, count: int) -> bool:
        with self._done:
            return self._done.wait_for(lambda: len(self.made) >= count, 20)


class Door:
    """A live film with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.encoder = Watching(Encoder.open(make_encoder(folder / "encoder.onnx"), 8, (16, 9), "cpu"))
        self.posted: queue.Queue[Command] = queue.Queue()
        self.reports: list[str] = []
        self._reported = threading.Event()
        self.source: LiveSource | None = None

    def open(self, source: str, patience: Patience = QUICK, fps: int = 100) -> LiveSource:
        self.source = LiveSource(
            "door",
            source,
            SPACE,
            self.encoder,
            FRAMING,
            Fraction(fps),
            SystemClock(),
            self.posted.put,
            self._report,
            patience,
        )
        return self.source

    def next_command(self) -> Command:
        return self.posted.get(timeout=20)

    def arrives(self) -> bool:
        """Lost until it shows something, then there."""
        return [self.next_command(), self.next_command()] == [LOST, BACK]

    def first_report(self) -> str:
        assert self._reported.wait(20)
        return self.reports[0]

    def _report(self, report: str) -> None:
        self.reports.append(report)
        self._reported.set()

    def shows_again(self) -> bool:
        return self.encoder.wait_for(len(self.encoder.made) + 2)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path)
    yield door
    if door.source is not None:
        door.source.close()


def flat(count: int) -> list[np.ndarray]:
    return [np.full((36, 64, 3), level_of(i), np.uint8) for i in range(count)]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return 99.0 if error == 0 else -10 * np.log10(error)


def test_a_recording_played_live_shows_its_precomputed_latents(door: Door, tmp_path: Path) -> None:
    """At 40 dB and more, round and round, though stored latents are float16."""
    film = write_film(tmp_path / "film.mkv", flat(12), fps=50)
    precomputed = door.encoder.encode(np.stack(list(Footage.open(film, FRAMING)))).astype(np.float16)
    door.encoder.made.clear()
    source = door.open(str(film))
    assert door.encoder.wait_for(30)
    source.close()
    shown = []
    for z in door.encoder.made:
        scores = [psnr(decoded(z), decoded(other.astype(np.float32))) for other in precomputed]
        assert max(scores) >= 40
        shown.append(int(np.argmax(scores)))
    steps = np.diff(shown) % 12
    assert set(shown) == set(range(12))
    assert np.mean(steps == 1) > 0.8  # in order, over the seam too; a busy machine may skip
    assert source.sequence == len(door.encoder.made)
    latest = source.latest()
    assert latest is not None and np.array_equal(latest, door.encoder.made[-1])
    assert door.arrives()
    assert door.posted.empty()


def test_it_encodes_no_oftener_than_the_film_needs(door: Door, tmp_path: Path) -> None:
    door.open(str(write_film(tmp_path / "film.mkv", flat(60), fps=120)), fps=10)
    clock = SystemClock()
    assert door.encoder.wait_for(1)
    start_ns = clock.now_ns()
    assert door.encoder.wait_for(6)
    assert clock.now_ns() - start_ns > 5 * 60 * MS


def test_pulled_away_and_put_back(door: Door, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", flat(6), fps=50)
    source = door.open(str(film))
    assert door.encoder.wait_for(8)
    assert door.arrives()
    film.rename(tmp_path / "elsewhere.mkv")
    assert door.next_command() == LOST
    held = source.latest()
    assert held is not None and held is source.latest()
    (tmp_path / "elsewhere.mkv").rename(film)
    assert door.next_command() == BACK
    assert door.shows_again()
    assert door.posted.empty()
    assert any("no such file" in report for report in door.reports)


def test_never_there_is_lost_once(door: Door, tmp_path: Path) -> None:
    source = door.open(str(tmp_path / "nothing.mkv"))
    assert door.next_command() == LOST
    assert source.latest() is None
    with pytest.raises(queue.Empty):
        door.posted.get(timeout=0.5)
    assert len(door.reports) == 1


def test_a_file_that_is_no_film_is_lost(door: Door, tmp_path: Path) -> None:
    (tmp_path / "junk.mkv").write_bytes(os.urandom(5000))
    door.open(str(tmp_path / "junk.mkv"))
    assert door.next_command() == LOST
    assert door.first_report() and len(door.reports) == 1


def test_a_film_without_pictures_is_lost(door: Door, tmp_path: Path) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    door.open(str(tmp_path / "words.srt"))
    assert door.next_command() == LOST
    assert "there is no picture in it" in door.first_report()


def test_a_pipe_nobody_writes_to_hangs_nothing(door: Door, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.ts", flat(40), fps=50, codec="mpeg2video", pix_fmt="yuv420p")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    source = door.open(str(pipe))
    assert door.next_command() == LOST
    with pipe.open("wb") as writer:
        writer.write(film.read_bytes())
    assert door.next_command() == BACK
    source.close()
    with suppress(OSError):  # let a reader that opened the pipe again go
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


def test_readers_that_hang_are_given_up_but_not_heaped_up(door: Door, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    others = set(threading.enumerate())
    source = door.open(str(pipe), Patience(50 * MS, 60 * MS, 10 * MS, 20 * MS, hung_readers=3))
    assert door.next_command() == LOST
    with pytest.raises(queue.Empty):  # time enough for ten of them
        door.posted.get(timeout=1)
    hanging = [thread for thread in {*threading.enumerate()} - others if thread.name == "capture"]
    assert len(hanging) == 3
    source.close()
    writer = os.open(pipe, os.O_WRONLY)
    os.close(writer)
    for thread in hanging:
        thread.join(10)
    assert not any(thread.is_alive() for thread in hanging)


class Broadcast:
    """Sends a transport stream to whoever connects, at its own pace, until it is told to stop."""

    def __init__(self, data: bytes, port: int = 0, silent: bool = False) -> None:
        self._data = data
        self._silent = silent
        self._stop = threading.Event()
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.settimeout(0.05)
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(OSError):
                peer, _ = self._server.accept()
                with peer:
                    self._send(peer)

    def _send(self, peer: socket.socket) -> None:
        chunk = 188 * 20
        for start in range(0, len(self._data), chunk):
            if self._stop.wait(0.01) or (self._silent and start > len(self._data) // 2 and self._stop.wait(20)):
                return
            peer.sendall(self._data[start : start + chunk])

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._server.close()


@pytest.fixture
def broadcast(tmp_path: Path) -> Iterator[Callable[..., Broadcast]]:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (72, 128, 3), np.uint8) for _ in range(150)]
    film = write_film(tmp_path / "film.ts", noise, fps=50, codec="mpeg2video", pix_fmt="yuv420p")
    stations: list[Broadcast] = []

    def begin(**options: object) -> Broadcast:
        stations.append(Broadcast(film.read_bytes(), **options))  # type: ignore[arg-type]
        return stations[-1]

    yield begin
    for station in stations:
        station.close()


def test_a_stream_over_the_network_that_goes_and_comes_back(door: Door, broadcast: Callable[..., Broadcast]) -> None:
    station = broadcast()
    door.open(f"tcp://127.0.0.1:{station.port}")
    assert door.encoder.wait_for(5)
    station.close()
    while not door.posted.empty():  # a slow machine may have lost it before
        door.next_command()
    assert door.next_command() == LOST
    station = broadcast(port=station.port)
    assert door.next_command() == BACK


def test_a_connection_that_falls_silent_is_lost(door: Door, broadcast: Callable[..., Broadcast]) -> None:
    door.open(f"tcp://127.0.0.1:{broadcast(silent=True).port}")
    assert door.encoder.wait_for(5)
    assert door.arrives()
    assert door.next_command() == LOST


def test_closing_does_not_wait_for_a_reader_that_hangs(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    capture = Capture(str(pipe), FRAMING, SystemClock())
    assert capture.take(0.05) is None and capture.ended is None
    capture.stop()
    os.close(os.open(pipe, os.O_WRONLY))
    assert capture.take(10) is None
    assert capture.ended is not None


def test_pauses_between_attempts_double_up_to_a_limit() -> None:
    backoff = Backoff(SECOND_NS // 2, 30 * SECOND_NS)
    assert [backoff.next_ns() / SECOND_NS for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next_ns() == SECOND_NS // 2


def test_presence_tells_each_change_once() -> None:
    presence = Presence("door", 100)
    assert [presence.check(t) for t in (50, 99, 100, 200)] == [LOST, None, None, None]
    assert [presence.seen(t) for t in (300, 310)] == [BACK, None]
    assert [presence.check(t) for t in (400, 410)] == [None, LOST]


def test_latents_that_somebody_sends() -> None:
    clock = SimulatedClock(0)
    posted: list[Command] = []
    source = PostedSource("door", SPACE, 3, clock, posted.append, 10 * SECOND_NS)
    assert source.latest() is None and posted == [LOST]
    source.put(np.array([1.0, 2.0, 3.0]))
    assert posted == [LOST, BACK]
    latest = source.latest()
    assert latest is not None and latest.dtype == np.float32 and latest.tolist() == [1, 2, 3]
    clock.advance(11 * SECOND_NS)
    assert source.latest() is latest and posted == [LOST, BACK, LOST]
    source.close()


@pytest.mark.parametrize(
    ("z", "message"),
    [
        ([1.0, 2.0], "got 2 numbers, this film has 3"),
        ([1.0, np.nan, 0.0], "not finite"),
        ([np.inf, 0, 0], "not finite"),
    ],
)
def test_latents_that_do_not_fit_are_refused(z: list[float], message: str) -> None:
    source = PostedSource("door", SPACE, 3, SimulatedClock(0), lambda command: None)
    with pytest.raises(CommandRefused, match=message):
        source.put(np.array(z))
    assert source.latest() is None
