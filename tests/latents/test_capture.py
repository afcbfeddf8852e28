"""Playing a recording as if it were live, in simulated time; and which source is opened how."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from installation.clock import SECOND_NS, SimulatedClock, SystemClock
from installation.latents.capture import Capture, Metronome
from installation.latents.framing import Framing
from tests.latents.making import grey, write_film

MS = 1_000_000


class Pause:
    """Sleeping moves a simulated clock."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def __call__(self, seconds: float) -> bool:
        self._clock.advance(round(seconds * SECOND_NS))
        return False


def stamped(milliseconds: int | None) -> VideoFrame:
    frame = VideoFrame(2, 2, "rgb24")
    if milliseconds is not None:
        frame.pts, frame.time_base = milliseconds, Fraction(1, 1000)
    return frame


def played(passes: list[list[int | None]], busy_ms: int = 0) -> list[int]:
    """Simulated times in ms at which pictures pass; each costs `busy_ms` afterwards."""
    clock = SimulatedClock(100 * SECOND_NS)
    metronome = Metronome(clock, Pause(clock))
    times = []
    for stamps in passes:
        metronome.begin()
        for stamp in stamps:
            metronome.wait(stamped(stamp))
            times.append(round((clock.now_ns() / SECOND_NS - 100) * 1000))
            clock.advance(busy_ms * MS)
        metronome.end()
    return times


def test_pictures_pass_when_they_are_due_over_the_seam_too() -> None:
    assert played([[7, 47, 87], [7, 47, 87]]) == [0, 40, 80, 120, 160, 200]


def test_being_late_costs_no_time() -> None:
    assert played([[0, 40, 80, 120, 160]], busy_ms=30) == [0, 40, 80, 120, 160]
    assert played([[0, 40, 80, 120, 160]], busy_ms=50) == [0, 50, 100, 150, 200]


def test_pictures_without_times_pass_at_a_usual_rate() -> None:
    assert played([[None, None, None]]) == [0, 42, 83]


def test_a_still_image_comes_once_a_second() -> None:
    assert played([[0], [0], [0]]) == [0, 1000, 2000]


def test_only_the_newest_picture_is_kept(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", [grey(10 * i) for i in range(20)], fps=100)
    capture = Capture(str(film), Framing(16, 9), SystemClock())
    shot = capture.take(10)
    assert shot is not None and shot.framed().shape == (9, 16, 3)
    assert capture.take(10) is not None
    capture.stop()
    while capture.ended is None:
        capture.take(10)
    assert capture.take(0) is None


def test_an_input_device_is_named_before_a_colon() -> None:
    capture = Capture("lavfi:color=c=red:size=32x18:rate=50", Framing(16, 9), SystemClock())
    shot = capture.take(10)
    capture.stop()
    assert shot is not None
    np.testing.assert_allclose(shot.framed()[4, 8], [254, 0, 0], atol=3)


def test_why_it_ended_is_said(tmp_path: Path) -> None:
    capture = Capture(str(tmp_path / "nothing.mkv"), Framing(16, 9), SystemClock())
    assert capture.take(10) is None
    assert capture.ended == "no such file or directory"
