"""Beside mpv: the same pictures, decoded by a network or from a file, on the same display, one after the other.

The show is rendered once, at its frames' own size, so that mpv enlarges exactly as we do; it is H.264, what a gallery
would play. Both run full screen, with the same kernel. What both spent is compared, whatever it is.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from installation.errors import InputError, UnavailableError
from installation.wiring.bench.display import Display, some_display
from installation.wiring.bench.playing import play
from installation.wiring.bench.process import Spent, run_measured
from installation.wiring.rendering import render_show
from installation.wiring.request import RenderRequest

PEERS = ("mpv",)
_PATIENCE = 3  # times the playing time, and
_START_S = 60.0  # seconds for starting
_FROM = "opening"  # of the programme: rendered and played from the same instant
_STATUS = "drop=${frame-drop-count} late=${decoder-frame-drop-count} size=${osd-width}x${osd-height};"
_SAID = re.compile(r"drop=(\d+) late=(\d+) size=(\d+)x(\d+);")


@dataclass(frozen=True, slots=True)
class Contender:
    """One player's run. `missed`: pictures that were not shown in time; `server_cpu_s`: the display server's processor
    seconds meanwhile, None where the server is not ours to watch.
    """

    name: str
    spent: Spent
    server_cpu_s: float | None
    presented: int
    missed: int
    size: tuple[int, int]

    @property
    def whole_cpu_s(self) -> float:
        """Of the player and of the display server, as far as it is known."""
        return self.spent.cpu_s + (self.server_cpu_s or 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours beside theirs, one run each. `cpu_ratio` and `cpu_ratio_per_picture` are ours divided by theirs, with the
    display server's share.
    """

    seconds: float
    footage: str
    kernel: str
    display: str
    ours: Contender
    theirs: Contender
    cpu_ratio: float
    cpu_ratio_per_picture: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """A show as a film file: how many pictures, and what it is, in words."""

    path: Path
    pictures: int
    words: str


def require_peer(name: str) -> None:
    """Raises InputError for a player we do not know, UnavailableError for one that is not installed."""
    if name not in PEERS:
        raise InputError(f"--against {name}: pick one of {', '.join(PEERS)}")
    if shutil.which(name) is None:
        raise UnavailableError(f"--against {name}: {name} is not installed; on Debian: apt install {name}")


def compare_with_mpv(
    show: Path,
    frame: tuple[int, int],
    kernel: str,
    *,
    seconds: float,
    size: tuple[int, int],
    say: Callable[[str], None],
) -> Comparison:
    """Render `seconds` of a show at its frames' size, then play it in both players, full screen.

    `size` is that of the private display, if one is needed. Raises UnavailableError if something is missing or fails.
    """
    require_peer("mpv")
    with TemporaryDirectory(prefix="afterimage-bench-") as folder:
        say(f"rendering {seconds:g} s for mpv")
        film = rendered(show, Path(folder), frame, seconds)
        with some_display(os.environ, size) as display:
            say(f"playing {seconds:g} s on {display.name}")
            ours = _ours(show, seconds, display)
            say(f"playing {seconds:g} s in mpv")
            theirs = _mpv(film, kernel, seconds, display)
    each = (ours.whole_cpu_s / max(1, ours.presented), theirs.whole_cpu_s / max(1, theirs.presented))
    return Comparison(
        seconds,
        film.words,
        kernel,
        display.name,
        ours,
        theirs,
        cpu_ratio=_ratio(ours.whole_cpu_s, theirs.whole_cpu_s),
        cpu_ratio_per_picture=_ratio(*each),
    )


def rendered(show: Path, folder: Path, size: tuple[int, int], seconds: float) -> Rendered:
    """A show's first `seconds` as a file in `folder`: H.264, or FFV1 where a side is odd (H.264 cannot)."""
    even = size[0] % 2 == 0 and size[1] % 2 == 0
    path = folder / ("film.mp4" if even else "film.mkv")
    render_show(RenderRequest(show, None, path, seconds, size, _FROM, None))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate
        pictures = sum(1 for packet in container.demux(stream) if packet.size)
    codec = "H.264, CRF 10" if even else "FFV1, lossless"
    return Rendered(path, pictures, f"{size[0]}x{size[1]} {codec}, {pictures} pictures, {float(rate or 0):g} a second")


def mpv_command(film: Path, kernel: str) -> list[str]:
    """mpv, playing a film once: full screen, no sound, no user's settings, software decoding and the same kernel."""
    return [
        *(
            "mpv",
            "--no-config",
            "--demuxer=lavf",
            "--no-audio",
            "--fs",
            "--loop-file=no",
            "--hwdec=no",
            "--vo=gpu",
            "--gpu-sw=yes",
        ),
        *(f"--scale={kernel}", "--osc=no", "--no-input-terminal", "--no-input-default-bindings"),
        *(f"--term-status-msg={_STATUS}", str(film)),
    ]


def mpv_counts(said: str) -> tuple[int, tuple[int, int]]:
    """The last status line: pictures dropped (by the output or the decoder), and the window's size.

    Raises UnavailableError if mpv never showed a picture.
    """
    lines = _SAID.findall(said)
    if not lines:
        raise UnavailableError(f"--against mpv: mpv showed nothing: {' '.join(said.split())[-300:]}")
    dropped, late, width, height = (int(number) for number in lines[-1])
    return dropped + late, (width, height)


def _ours(show: Path, seconds: float, display: Display) -> Contender:
    before = display.server_cpu_s()
    played = play(show, seconds, ("--at", _FROM), display.environment)
    stats = played.stats
    width, height = stats["size"]
    server = _since(before, display)
    return Contender("afterimage", played.spent, server, stats["presented"], stats["late"], (width, height))


def _mpv(film: Rendered, kernel: str, seconds: float, display: Display) -> Contender:
    before = display.server_cpu_s()
    spent, said = run_measured(
        mpv_command(film.path, kernel), environment=display.environment, limit_s=_PATIENCE * seconds + _START_S
    )
    missed, size = mpv_counts(said)
    return Contender(_mpv_version(), spent, _since(before, display), film.pictures - missed, missed, size)


def _since(before: float | None, display: Display) -> float | None:
    now = display.server_cpu_s()
    return None if before is None or now is None else round(now - before, 2)


def _mpv_version() -> str:
    """Such as `mpv 0.35.1`."""
    _, said = run_measured(["mpv", "--no-config", "--version"], environment=os.environ, limit_s=_START_S)
    return " ".join(said.split()[:2])


def _ratio(ours: float, theirs: float) -> float:
    return round(ours / theirs, 2) if theirs else 0.0
